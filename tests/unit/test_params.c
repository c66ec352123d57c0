/* Params: words of a slash command, and what becomes of them. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/pattern.h"
#include "recipe/recipe.h"
#include "unit.h"

static char n_id[] = "id", n_transaction[] = "transaction", n_only[] = "only", n_count[] = "count", n_env[] = "environment",
            n_sure[] = "sure", n_day[] = "day", n_name[] = "name", n_note[] = "note", n_recipe[] = "retract";
static char foz[] = "foz", cantareira[] = "cantareira", note_pattern[] = "[a-z ]+";
static char *environments[] = {foz, cantareira, NULL};

enum { ID, TRANSACTION, ONLY, COUNT, ENV, SURE, DAY, NAME, NOTE, ALL };

/* One param of each type; all but the id may stay empty. */
static struct hm_param params[ALL] = {
    [ID] = {.name = n_id, .type = HM_PARAM_UUID},
    [TRANSACTION] = {.name = n_transaction, .type = HM_PARAM_UUID, .optional = true},
    [ONLY] = {.name = n_only, .type = HM_PARAM_REGEX, .optional = true},
    [COUNT] = {.name = n_count, .type = HM_PARAM_INT, .optional = true, .min = 1, .max = 100},
    [ENV] = {.name = n_env, .type = HM_PARAM_CHOICE, .optional = true, .choices = environments},
    [SURE] = {.name = n_sure, .type = HM_PARAM_BOOL, .optional = true},
    [DAY] = {.name = n_day, .type = HM_PARAM_DATE, .optional = true},
    [NAME] = {.name = n_name, .type = HM_PARAM_DATASET, .optional = true, .max_len = 100},
    [NOTE] = {.name = n_note, .type = HM_PARAM_STRING, .optional = true, .max_len = 10, .pattern = note_pattern},
};
static const struct hm_recipe recipe = {.name = n_recipe, .params = params, .n_params = ALL};

#define UUID "5a5d411b-e41a-4a30-ab34-bac476b95761"

static void test_words(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        const char *raw; /* as JSON, or the error */
    } cases[] = {
        {"", "{}"},
        {"  \t ", "{}"},
        {"a", "{\"id\":\"a\"}"},
        {" a  b ", "{\"id\":\"a\",\"transaction\":\"b\"}"},
        {"a\xc2\xa0"
         "b",
         "{\"id\":\"a\",\"transaction\":\"b\"}"},
        {"transaction=b a", "{\"id\":\"a\",\"transaction\":\"b\"}"},
        {"id=a b", "{\"id\":\"a\",\"transaction\":\"b\"}"},
        {"a b c=d", "retract has no param \"c\"; if that is a value with = in it, write only=c=d"},
        {"a env=foz", "retract has no param \"env\"; if that is environment, write environment=foz"},
        {"a b c d xyz=foz", "retract has no param \"xyz\""}, /* environment is one of two: neither has = in it */
        {"a b 'c=d'", "{\"id\":\"a\",\"only\":\"c=d\",\"transaction\":\"b\"}"},
        {"a only=x=y", "{\"id\":\"a\",\"only\":\"x=y\"}"},
        {"a only='x y'", "{\"id\":\"a\",\"only\":\"x y\"}"},
        {"a only=\"it's\"", "{\"id\":\"a\",\"only\":\"it's\"}"},
        {"a only='it's'", "{\"id\":\"a\",\"only\":\"it's\"}"},
        {"a only=it's", "{\"id\":\"a\",\"only\":\"it's\"}"},
        {"a only=“x y” note=‘p q’", "{\"id\":\"a\",\"note\":\"p q\",\"only\":\"x y\"}"},
        {"a '' b", "{\"id\":\"a\",\"only\":\"b\",\"transaction\":\"\"}"},
        {"a only=", "{\"id\":\"a\",\"only\":\"\"}"},
        {"a only=x&amp;y&lt;z&gt;", "{\"id\":\"a\",\"only\":\"x&y<z>\"}"},
        {"a only=&amp;lt;", "{\"id\":\"a\",\"only\":\"&lt;\"}"},
        {"<https://x.y/z?a&amp;b>", "{\"id\":\"https://x.y/z?a&b\"}"},
        {"<http://x.y|x.y>", "{\"id\":\"x.y\"}"},
        {"<https://x.y/z|other words> b", "{\"id\":\"https://x.y/z\",\"transaction\":\"b\"}"},
        {"<mailto:a@b.c|a@b.c>", "{\"id\":\"a@b.c\"}"},
        {"<@U1|ann> <#C1|ops> <!subteam^S1|@red>", "{\"id\":\"U1\",\"only\":\"S1\",\"transaction\":\"C1\"}"},
        {"<@U1> <#C1|> <!here>", "{\"id\":\"U1\",\"only\":\"here\",\"transaction\":\"C1\"}"},
        {"'<https://x.y/z> w'", "{\"id\":\"https://x.y/z w\"}"},
        {"<open", "{\"id\":\"<open\"}"},
        {"<>", "{\"id\":\"\"}"},
        {"'open", "the quote before \"open\" is never closed"},
        {"a transation=b", "retract has no param \"transation\"; did you mean \"transaction\"?"},
        {"a id=b", "id is given twice"},
        {"`a` `b c`", "{\"id\":\"a\",\"transaction\":\"b c\"}"},
        {"a\xe2\x80\xaf"
         "b\xe2\x80\x8b",
         "{\"id\":\"a\",\"transaction\":\"b\"}"},
        {"\xef\xbb\xbf"
         "a\xe3\x80\x80"
         "b",
         "{\"id\":\"a\",\"transaction\":\"b\"}"},
        {"Transaction=b a", "{\"id\":\"a\",\"transaction\":\"b\"}"},
        {"transaction = b a", "{\"id\":\"a\",\"transaction\":\"b\"}"},
        {"transaction= b a", "{\"id\":\"a\",\"transaction\":\"b\"}"},
        {"A=b", "{\"id\":\"A=b\"}"},
        {"a = b", "{\"id\":\"a\",\"only\":\"b\",\"transaction\":\"=\"}"},
        {"--transaction=b a", "{\"id\":\"a\",\"transaction\":\"b\"}"},
        {"—transaction=b a", "{\"id\":\"a\",\"transaction\":\"b\"}"},
        {"-5 --6", "{\"id\":\"-5\",\"transaction\":\"--6\"}"},
        {"a --dry-run", "--dry-run can not be used here"},
        {"a --force",
         "there is no option --force; there is --dry-run, and params are written name=value; a value that begins with "
         "dashes is put in quotes"},
        {"a '--force'", "{\"id\":\"a\",\"transaction\":\"--force\"}"},
        {"1 2 3 4 5 6 7 8 9 10", "retract takes 9 params; \"10\" is too much; put a value with spaces in quotes"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        struct hm_err err = {0};
        json_t *raw = hm_params_parse_new(&recipe, cases[i].words, &err);
        char *text = raw != NULL ? hm_json_text(raw) : hm_xstrdup(err.msg);
        assert_string_equal(text, cases[i].raw);
        free(text);
        json_decref(raw);
    }
    const struct hm_recipe none = {.name = n_recipe};
    struct hm_err err = {0};
    assert_null(hm_params_parse_new(&none, "x", &err));
    assert_string_equal(err.msg, "retract takes no params; \"x\" is too much");
}

/* --dry-run, as keyboards and phones write it, anywhere among the words. */
static void test_dry_run(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        bool dry;
    } cases[] = {
        {"a b", false},         {"a b --dry-run", true}, {"--dry-run a b", true}, {"a —dry-run b", true},
        {"a b –dry-run", true}, {"a b --Dry-Run", true}, {"a b --dryrun", true},  {"a b\xc2\xa0--dry-run", true},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        struct hm_err err = {0};
        bool dry = false;
        json_t *raw = hm_params_typed_new(&recipe, cases[i].words, &dry, NULL, &err);
        assert_non_null(raw);
        char *text = hm_json_text(raw);
        assert_string_equal(text, "{\"id\":\"a\",\"transaction\":\"b\"}");
        assert_int_equal(dry, cases[i].dry);
        free(text);
        json_decref(raw);
    }
}

/* What is wrong costs neither the rest nor the wish for a dry run. */
static void test_understood(void **state)
{
    (void)state;
    static const struct {
        const char *words, *understood, *why;
        bool dry;
    } cases[] = {
        {"a transacton=3 only=x", "{\"id\":\"a\",\"only\":\"x\"}", "has no param \"transacton\"", false},
        {"a transacton=3 --dry-run", "{\"id\":\"a\"}", "has no param \"transacton\"", true},
        {"a --force --transaction=b", "{\"id\":\"a\",\"transaction\":\"b\"}", "there is no option --force", false},
        {"a --dry-rn", "{\"id\":\"a\"}", "there is no option --dry-rn", true},
        {"a --dry", "{\"id\":\"a\"}", "there is no option --dry", true},
        {"a --dry-run=yes", "{\"id\":\"a\"}", "has no param \"dry-run\"", true},
        {"a id=b", "{\"id\":\"a\"}", "id is given twice", false},
        {"a only=\"b --dry-run", "{\"id\":\"a\"}", "is never closed", true},
        {"a only=\"b", "{\"id\":\"a\"}", "is never closed", false},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        struct hm_err err = {0};
        bool dry = false;
        json_t *understood = NULL;
        assert_null(hm_params_typed_new(&recipe, cases[i].words, &dry, &understood, &err));
        assert_non_null(understood);
        char *text = hm_json_text(understood);
        assert_string_equal(text, cases[i].understood);
        assert_non_null(strstr(err.msg, cases[i].why));
        assert_int_equal(dry, cases[i].dry);
        free(text);
        json_decref(understood);
    }
}

static void test_first_word(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"", "", ""},
        {"  retract", "retract", ""},
        {"\xc2\xa0retract\xc2\xa0 5a  b", "retract", "5a  b"},
        {"`retract` 5a", "retract", "5a"},
        {"“retract” 5a", "retract", "5a"},
        {"'open 5a", "'open", "5a"},
        {"a&amp;b c", "a&b", "c"},
        {"<http://x.y|x.y> c", "x.y", "c"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        const char *rest = NULL;
        char *word = hm_words_first(cases[i][0], &rest);
        assert_string_equal(word, cases[i][1]);
        assert_string_equal(rest, cases[i][2]);
        free(word);
    }
}

static void test_people(void **state)
{
    (void)state;
    static char who[] = "who";
    static const struct hm_param param = {.name = who, .type = HM_PARAM_USER};
    static const char *const cases[][2] = {
        {"U0ANA", "\"U0ANA\""},
        {"W123", "\"W123\""},
        {"@ana", "who must be a person, written with @ as in a message; \"@ana\" is not; choose the name from Slack's list"},
        {"C0OPS", "who must be a person, written with @ as in a message; \"C0OPS\" is not"},
        {"U", "who must be a person, written with @ as in a message; \"U\" is not"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        struct hm_err err = {0};
        json_t *raw = hm_json_str_new(cases[i][0]);
        json_t *value = hm_param_value_new(&param, raw, &err);
        char *text = value != NULL ? json_dumps(value, JSON_ENCODE_ANY) : hm_xstrdup(err.msg);
        assert_string_equal(text, cases[i][1]);
        free(text);
        json_decref(value);
        json_decref(raw);
    }
}

/* Words of a command line come split and unescaped. */
static void test_split_words(void **state)
{
    (void)state;
    static char uuid[] = UUID, only[] = "only=x y <a> &amp; 'q'", bad[] = "onli=x", broken[] = "note=\xff";
    char *const good[] = {uuid, only, broken, NULL};
    char *const wrong[] = {bad, NULL};
    static char value[] = "c=d", followed[] = "only=c=d";
    char *equals[] = {uuid, uuid, value, NULL};
    char *const none[] = {NULL};
    struct hm_err err = {0};
    json_t *raw = hm_params_words_new(&recipe, good, &err);
    assert_non_null(raw);
    char *text = hm_json_text(raw);
    assert_string_equal(text, "{\"id\":\"" UUID "\",\"note\":\"\xef\xbf\xbd\",\"only\":\"x y <a> &amp; 'q'\"}");
    free(text);
    json_decref(raw);
    assert_null(hm_params_words_new(&recipe, wrong, &err));
    assert_string_equal(err.msg, "retract has no param \"onli\"; did you mean \"only\"?");
    assert_null(hm_params_words_new(&recipe, equals, &err)); /* the shell has taken its quotes away */
    assert_string_equal(err.msg, "retract has no param \"c\"; if that is a value with = in it, write only=c=d");
    equals[2] = followed;
    raw = hm_params_words_new(&recipe, equals, &err);
    assert_string_equal(hm_json_get_str(raw, "only", ""), "c=d");
    json_decref(raw);
    raw = hm_params_words_new(&recipe, none, &err);
    assert_int_equal(json_object_size(raw), 0);
    json_decref(raw);
}

static void test_values(void **state)
{
    (void)state;
    static const struct {
        int param;
        const char *raw;   /* JSON */
        const char *value; /* JSON, or the error */
    } cases[] = {
        {ID, "\"" UUID "\"", "\"" UUID "\""},
        {ID, "\" 5A5D411B-E41A-4A30-AB34-BAC476B95761\\n\"", "\"" UUID "\""},
        {ID, "null", "null"},
        {ID, "\"  \"", "null"},
        {ID, "\"5a5d\"", "id must be a uuid (8-4-4-4-12 hex digits); \"5a5d\" is not"},
        {ID, "\"<!channel>\"", "id must be a uuid (8-4-4-4-12 hex digits); \"<!channel>\" is not"},
        {ID, "\"5a5d411b–e41a—4a30‑ab34−bac476b95761\"", "\"" UUID "\""},
        {ID, "\"https://metapod.example.com/datasets/" UUID "?tab=schema\"", "\"" UUID "\""},
        {ID, "\"https://x.y/" UUID "/" UUID "\"",
         "id must be a uuid (8-4-4-4-12 hex digits); \"https://x.y/5a5d411b-e41a-4a30-ab34-bac476b95761/5a5d411b-e4…\" is not"},
        {ID, "\"" UUID "x\"", "id must be a uuid (8-4-4-4-12 hex digits); \"" UUID "x\" is not"},
        {ID, "17", "id must be a uuid (8-4-4-4-12 hex digits); \"17\" is not"},
        {ID, "[]", "id must be a uuid (8-4-4-4-12 hex digits), not a list or an object"},
        {ID, "\"a\\nb\"", "id may not hold line breaks or control characters"},
        {ID, "\"aaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbb\"",
         "id must be a uuid (8-4-4-4-12 hex digits); \"aaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbb…\" is not"},
        {ONLY, "\"series/.*\"", "\"series/.*\""},
        {ONLY, "\"(\"", "only: not a regular expression: missing closing parenthesis at character 2"},
        {ONLY, "\"(*LIMIT_MATCH=1)a\"", "only: not a usable regular expression: it may not begin with (*"},
        {COUNT, "\"7\"", "7"},
        {COUNT, "7", "7"},
        {COUNT, "\"0\"", "count must be a whole number from 1 to 100; \"0\" is not"},
        {COUNT, "\"7x\"", "count must be a whole number from 1 to 100; \"7x\" is not"},
        {COUNT, "1.5", "count must be a whole number from 1 to 100, not a fraction"},
        {ENV, "\"foz\"", "\"foz\""},
        {ENV, "\"fox\"", "environment must be one of foz, cantareira; \"fox\" is not; did you mean \"foz\"?"},
        {ENV, "\"prod\"", "environment must be one of foz, cantareira; \"prod\" is not"},
        {SURE, "\"Yes\"", "true"},
        {SURE, "\"off\"", "false"},
        {SURE, "true", "true"},
        {SURE, "0", "false"},
        {SURE, "\"maybe\"", "sure must be yes or no; \"maybe\" is not"},
        {ENV, "\"Foz\"", "\"foz\""},
        {DAY, "\"2024–02–29\"", "\"2024-02-29\""},
        {DAY, "\"2024-02-29\"", "\"2024-02-29\""},
        {DAY, "\"2026-02-29\"", "day must be a date like 2026-11-23; \"2026-02-29\" is not"},
        {DAY, "\"1900-02-29\"", "day must be a date like 2026-11-23; \"1900-02-29\" is not"},
        {DAY, "\"2000-02-29\"", "\"2000-02-29\""},
        {DAY, "\"2026-13-01\"", "day must be a date like 2026-11-23; \"2026-13-01\" is not"},
        {DAY, "\"2026-1-01x\"", "day must be a date like 2026-11-23; \"2026-1-01x\" is not"},
        {NAME, "\"dataset/fx-model\"", "\"dataset/fx-model\""},
        {NAME, "\"series-contract/scr-operacao\"", "\"series-contract/scr-operacao\""},
        {NAME, "\"contract-double-entry/entries\"", "\"contract-double-entry/entries\""},
        {NAME, "\"fx-model\"", "name must be a dataset's name like dataset/x or series-contract/x; \"fx-model\" is not"},
        {NAME, "\"dataset/\"", "name must be a dataset's name like dataset/x or series-contract/x; \"dataset/\" is not"},
        {NAME, "\"dataset/a b\"", "name must be a dataset's name like dataset/x or series-contract/x; \"dataset/a b\" is not"},
        {NOTE, "\"at night\"", "\"at night\""},
        {NOTE, "\"at Night\"", "note must be a text that matches [a-z ]+; \"at Night\" is not"},
        {NOTE, "\"elevenchars\"", "note has 11 characters; at most 10 are allowed"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        struct hm_err err = {0};
        json_t *raw = hm_json_parse_new(cases[i].raw, strlen(cases[i].raw), 1000, &err);
        assert_non_null(raw);
        json_t *value = hm_param_value_new(&params[cases[i].param], raw, &err);
        char *text = value != NULL ? hm_json_text(value) : hm_xstrdup(err.msg);
        assert_string_equal(text, cases[i].value);
        free(text);
        json_decref(value);
        json_decref(raw);
    }
}

static void test_type_texts(void **state)
{
    (void)state;
    char buf[80];
    struct hm_param n = {.name = n_count, .type = HM_PARAM_INT, .min = INT64_MIN, .max = INT64_MAX};
    assert_string_equal(hm_param_type_text(&n, buf, sizeof buf), "a whole number");
    n.min = 3;
    assert_string_equal(hm_param_type_text(&n, buf, sizeof buf), "a whole number, 3 or more");
    n.min = INT64_MIN;
    n.max = -1;
    assert_string_equal(hm_param_type_text(&n, buf, sizeof buf), "a whole number, -1 or less");
    n = (struct hm_param){.name = n_note, .type = HM_PARAM_STRING, .max_len = 7};
    assert_string_equal(hm_param_type_text(&n, buf, sizeof buf), "a text of at most 7 characters");
    assert_string_equal(hm_param_type_text(&n, buf, 7), "a text");
}

/* Checks raw against id (a uuid, required) and transaction with the given default; "values|given" or the error. */
static char *checked(const char *raw_text, const char *scope_text, const char *fallback, bool optional)
{
    struct hm_err err = {0};
    struct hm_param two[2] = {params[ID], params[TRANSACTION]};
    two[1].optional = optional;
    two[1].fallback = fallback != NULL ? hm_template_parse(fallback, &err) : NULL;
    struct hm_recipe r = {.name = n_recipe, .params = two, .n_params = 2};
    json_t *raw = hm_json_parse_new(raw_text, strlen(raw_text), 1000, &err);
    json_t *scope = hm_json_parse_new(scope_text, strlen(scope_text), 1000, &err);
    json_t *given = NULL;
    json_t *values = hm_params_check_new(&r, raw, scope, &given, &err);
    char *result = hm_xstrdup(err.msg);
    if (values != NULL) {
        char *a = hm_json_text(values);
        char *b = hm_json_text(given);
        free(result);
        result = hm_xasprintf("%s|%s", a, b);
        free(a);
        free(b);
    }
    json_decref(values);
    json_decref(given);
    json_decref(raw);
    json_decref(scope);
    hm_template_free(two[1].fallback);
    return result;
}

#define OTHER "3197aaaa-0000-1111-2222-333344445555"

static void test_checks_all(void **state)
{
    (void)state;
    static const char raw[] = "{\"id\":\"" UUID "\"}";
    static const char both[] = "{\"id\":\"" UUID "\",\"transaction\":\"" OTHER "\"}";
    static const char known[] = "{\"known\":{\"etl\":{\"transaction\":\"" OTHER "\",\"bad\":\"yesterday\"}}}";
    static const char by_known[] = "${known.etl.transaction}";
    static const char with[] = "{\"id\":\"" UUID "\",\"transaction\":\"" OTHER "\"}";
    static const struct {
        const char *raw, *scope, *fallback;
        bool optional;
        const char *values, *given; /* given NULL: values is the error */
    } cases[] = {
        {both, "{}", NULL, true, with, "{\"id\":true,\"transaction\":true}"},
        {both, known, by_known, true, with, "{\"id\":true,\"transaction\":true}"},
        {raw, known, by_known, true, with, "{\"id\":true}"},
        {raw, known, by_known, false, with, "{\"id\":true}"},
        {raw, "{}", by_known, true, "{\"id\":\"" UUID "\",\"transaction\":null}", "{\"id\":true}"},
        {raw, "{}", NULL, true, "{\"id\":\"" UUID "\",\"transaction\":null}", "{\"id\":true}"},
        {raw, "{}", by_known, false,
         "transaction is missing and its default is not known yet; it must be a uuid (8-4-4-4-12 hex digits)", NULL},
        {raw, "{}", NULL, false, "transaction is missing; it must be a uuid (8-4-4-4-12 hex digits)", NULL},
        {raw, known, "${known.etl.bad}", true,
         "the default of transaction can not be used (transaction must be a uuid (8-4-4-4-12 hex digits); \"yesterday\" is not); "
         "give transaction=…",
         NULL},
        {"{}", "{}", NULL, true, "id is missing; it must be a uuid (8-4-4-4-12 hex digits)", NULL},
        {"{\"ID\":\"x\"}", "{}", NULL, true, "there is no param \"ID\"; did you mean \"id\"?", NULL},
        {"{\"idd\":\"x\"}", "{}", NULL, true, "there is no param \"idd\"; did you mean \"id\"?", NULL},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        char *got = checked(cases[i].raw, cases[i].scope, cases[i].fallback, cases[i].optional);
        char *want =
            cases[i].given != NULL ? hm_xasprintf("%s|%s", cases[i].values, cases[i].given) : hm_xstrdup(cases[i].values);
        assert_string_equal(got, want);
        free(got);
        free(want);
    }
}

static void test_patterns(void **state)
{
    (void)state;
    struct hm_err err = {0};
    bool matches = false;
    struct hm_pattern *part = hm_pattern_new("b+", false, &err);
    struct hm_pattern *whole = hm_pattern_new("a|ab+", true, &err);
    assert_int_equal(hm_pattern_match(part, "abbc", &matches, &err), HM_OK);
    assert_true(matches);
    assert_int_equal(hm_pattern_match(part, "ac", &matches, &err), HM_OK);
    assert_false(matches);
    assert_int_equal(hm_pattern_match(whole, "abb", &matches, &err), HM_OK);
    assert_true(matches);
    assert_int_equal(hm_pattern_match(whole, "abbc", &matches, &err), HM_OK);
    assert_false(matches);
    assert_int_equal(hm_pattern_match(part, "\xff", &matches, &err), HM_EINVAL);
    assert_false(matches);
    hm_pattern_free(part);
    hm_pattern_free(whole);

    struct hm_pattern *slow = hm_pattern_new("(a+)+b", false, &err);
    assert_int_equal(hm_pattern_match(slow, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", &matches, &err),
                     HM_OK); /* b is missing: seen at once */
    hm_pattern_free(slow);
    slow = hm_pattern_new("^(a|a)*$", false, &err);
    assert_int_equal(hm_pattern_match(slow, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", &matches, &err), HM_ETOOBIG);
    assert_string_equal(err.msg, "the regular expression takes too many steps on this text; write a simpler one");
    hm_pattern_free(slow);
    hm_pattern_free(NULL);

    char *longest = hm_xmalloc(HM_PATTERN_MAX + 2);
    memset(longest, 'a', HM_PATTERN_MAX + 1);
    longest[HM_PATTERN_MAX + 1] = '\0';
    assert_null(hm_pattern_new(longest, false, &err));
    assert_int_equal(err.code, HM_ETOOBIG);
    free(longest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),      cmocka_unit_test(test_dry_run),    cmocka_unit_test(test_understood),
        cmocka_unit_test(test_first_word), cmocka_unit_test(test_people),     cmocka_unit_test(test_split_words),
        cmocka_unit_test(test_values),     cmocka_unit_test(test_type_texts), cmocka_unit_test(test_checks_all),
        cmocka_unit_test(test_patterns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
