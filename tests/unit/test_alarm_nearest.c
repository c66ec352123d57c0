/* What is told to the one who writes rules when none fits: the nearest rule, and the part of it that fails. */
#include <stdlib.h>
#include <string.h>

#include "alarm/flatten.h"
#include "alarm/judge.h"
#include "alarm/nearest.h"
#include "alarm/pieces.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "unit.h"

#define WHERE "title = \"X\"; channels = [ \"C0A\" ]; from = [ \"B0A\" ];\n"

enum { RULES_MAX = 5 };

static json_t *parse(const char *text)
{
    struct hm_err err = {0};
    json_t *value = hm_json_parse_new(text, strlen(text), 1 << 20, &err);
    if (value == NULL)
        fail_msg("%s: %s", text, err.msg);
    return value;
}

static void load(struct hm_alarms *alarms, const char *const *texts, size_t count)
{
    struct hm_diags diags;
    hm_diags_init(&diags);
    *alarms = (struct hm_alarms){.items = hm_xcalloc(RULES_MAX, sizeof(struct hm_alarm_rule *))};
    for (size_t i = 0; i < count; i++) {
        struct hm_alarm_rule *rule = hm_alarm_parse("x.cfg", texts[i], NULL, &diags);
        if (rule == NULL)
            fail_msg("%s", diags.items[0].text);
        alarms->items[alarms->count++] = rule;
    }
    hm_diags_done(&diags);
}

/* Pieces, with a bar between each two. */
static void test_pieces(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *pieces;
    } cases[] = {
        {"", ""},
        {"Spark op", "Spark op"},
        {"ab*c", "a/b*/c"},
        {"a{2,3}?b++\\s+", "a{2,3}?/b++/\\s+"},
        {"(?i:\\bx (y|z)\\)) ?\\[{0,2}(?<n>{{uuid}}){{end}}", "(?i:\\bx (y|z)\\))/ ?/\\[{0,2}/(?<n>{{uuid}})/{{end}}"},
        {"[)(\\]]+é?x", "[)(\\]]+/é?/x"},
        {"a|b", "a/|/b"},
        {"{{sep}}{{job}}?", "{{sep}}/{{job}}?"},
        {"(open", "(open"},
        {"{{open", "{{open"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        struct hm_strbuf out;
        hm_strbuf_init(&out, 1000);
        for (const char *p = cases[i].pattern; *p != '\0';) {
            const char *end = hm_alarm_skip_piece(p);
            assert_ptr_not_equal(end, p);
            hm_strbuf_addf(&out, "%s%.*s", p == cases[i].pattern ? "" : "/", (int)(end - p), p);
            p = end;
        }
        assert_string_equal(hm_strbuf_str(&out), cases[i].pieces);
        hm_strbuf_done(&out);
    }
}

static void test_failing(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text, *failing;
    } cases[] = {
        {"(?i:disk is full)", "The disk is full.", NULL},
        {"(?i:\\bdisk is full)\\b", "the disk is fine", "there is no `(?i:\\bdisk is full)`"},
        {"(?i:stage) (?<a>[a-z]+)/(?<n>[0-9]+) (?<r>Passed|Failed)", "Stage a/7 Building",
         "\"Stage a/7 \" fits, then comes \"Building\", where `(?<r>Passed|Failed)` must be"},
        {"\\bjob{{sep}}(?<job>{{job}}){{end}}", "a job: ../x",
         "\"job: \" fits, then comes \"../x\", where `(?<job>{{job}})` must be"},
        {"\\bjob{{sep}}(?<job>{{job}}){{end}}", "no job", "there is no `\\bjob{{sep}}`"},
        {"\\bstack{{sep}}(?<s>{{stack}}){{end}}", "this stack", "\"stack\" fits, then comes the end, where `{{sep}}` must be"},
        {"\\[PROD\\] x", "[STAGING] x", "there is no `\\[PROD`"},
        {"on (?<id>{{uuid}}){{end}}", "on 8a6f3c1e-52b7-4d09-9e1a-0c4d7be21f63-copy and more words",
         "a value goes on where it should end: \"on 8a6f3c1e-52b7-4d09-9e1a-0c4d7be21f63-copy and more words\""},
        {"{{begin}}(?<s>tapir|cutia) triggered", "pre-tapir triggered",
         "something stands directly in front of a value: \"pre-tapir triggered\""},
        {"{{real}}(?i:\\boom kill)\\b{{here}}", "found no OOM kill",
         "what stands before its words denies them: \"found no OOM kill\""},
        {"{{real}}(?i:\\boom kill)\\b{{here}}", "OOM kill\nhost: x\nenv: staging\nmore",
         "a label further down says that it is not about production: \"env: staging\""},
        {"{{real}}(?i:\\boom kill)\\b{{here}}", "OOM kill was a false alarm",
         "what stands behind its words takes them back: \"OOM kill was a false alarm\""},
        {"alpha beta|gamma [0-9]+ delta", "gamma 12 epsilon",
         "\"gamma 12\" fits, then comes \" epsilon\", where ` delta` must be"},
        {"alphabet [0-9]", "one two three four five six seven eight nine alphabet a\nb c d e f g h i j k l m n o p q r s t u v",
         "\"alphabet \" fits, then comes \"a b c d e f g h i j k l m n o …\", where `[0-9]` must be"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        char *failing = hm_alarm_failing(cases[i].pattern, cases[i].text);
        if (cases[i].failing == NULL)
            assert_null(failing);
        else
            assert_string_equal(failing, cases[i].failing);
        free(failing);
    }
}

/* Looking for the nearest rule reads patterns of any kind to their end, and no further. */
static void test_nearest(void **state)
{
    (void)state;
    static const char *const patterns[] = {"(?<![^a])charlie delta echo", "(?<=a)charlie delta echo", "charlie delta echo(?<!x)",
                                           "charlie (?<a>delta) echo", "charlie delta echo {{uuid}}"};
    for (size_t i = 0; i < HM_ARRAY_LEN(patterns); i++) {
        bool field = strstr(patterns[i], "?<a>") != NULL;
        char *text = hm_xasprintf("name = \"x\"; " WHERE "match = \"%s\"; %s", patterns[i],
                                  field ? "fields = ( { name = \"a\"; type = \"string\"; } );" : "");
        const char *rules[] = {text};
        struct hm_alarms alarms;
        load(&alarms, rules, 1);
        json_t *message =
            parse("{\"type\":\"message\",\"ts\":\"1795867200.000100\",\"channel\":\"C0A\",\"bot_id\":\"B0A\",\"text\":"
                  "\"charlie echo\"}");
        struct hm_alarm_verdict v;
        hm_alarm_judge(&alarms, message, &(struct hm_alarm_around){.explain = true}, &v);
        assert_string_equal(v.reason, "no-anchor");
        assert_ptr_equal(v.rule, alarms.items[0]);
        hm_alarm_verdict_done(&v);
        json_decref(message);
        hm_alarms_done(&alarms);
        free(text);
    }
}

/* Of several rules the one of which more is there; one of two words is chance. */
static void test_which_is_nearest(void **state)
{
    (void)state;
    static const char *const rules[] = {
        "name = \"check\"; " WHERE "match = \"{{begin}}(?<c>tapir-check|cutia-check) (?i:triggered on airflow)\\\\b\";\n"
        "fields = ( { name = \"c\"; type = \"string\"; } );",
        "name = \"down\"; " WHERE "match = \"{{real}}(?i:\\\\bairflow is down)\\\\b{{here}}\";",
        "name = \"ran\"; " WHERE "match = \"(?i:airflow:) run failed\";",
        "name = \"stage\"; " WHERE "match = \"(?i:\\\\bstage) (?<c>[a-z]+) (?:Passed|Failed|Cancelled)\";\n"
        "fields = ( { name = \"c\"; type = \"string\"; } );",
        "name = \"over\"; " WHERE "match = \"^mended again\"; resolves = [ \"*\" ];",
    };
    static const struct {
        const char *text, *name;
    } cases[] = {
        {"pre-tapir-check triggered on Airflow", "check"},
        {"cutia-check not triggered on Airflow", "check"},
        {"Airflow is up", NULL},
        {"No airflow is down", "down"},
        {"the airflow is not down", "down"},
        {"Stage publish Building", "stage"},
        {"up on stage", NULL},
        {"not mended again", NULL},
        {"airflow: a run that has not failed", "ran"},
        {"", NULL},
    };
    struct hm_alarms alarms;
    load(&alarms, rules, HM_ARRAY_LEN(rules));
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        const struct hm_alarm_rule *rule = hm_alarm_nearest(&alarms, cases[i].text);
        if (cases[i].name == NULL ? rule != NULL : rule == NULL || strcmp(rule->name, cases[i].name) != 0)
            fail_msg("%s: %s, want %s", cases[i].text, rule != NULL ? rule->name : "-", cases[i].name);
    }
    hm_alarms_done(&alarms);
}

/* Each gate says whose words it has kept out, each other reason what is wrong with them. */
static void test_why(void **state)
{
    (void)state;
    static const char *const rules[] = {
        "name = \"disk\"; " WHERE "match = \"(?i:\\\\bdisk is full)\"; unless = [ \"{{elsewhere}}\" ];\n"
        "fields = ( { name = \"host\"; type = \"string\"; find = \"\\\\bhost{{sep}}(?<host>{{host}}){{end}}\"; } );",
        "name = \"ask\"; title = \"X\"; channels = [ \"C0A\" ]; from = [ \"people\" ]; match = \"\\\\bmend\\\\b\";\n"
        "fields = ( { name = \"id\"; type = \"int\"; find = \"#(?<id>[0-9]+){{end}}\"; } );",
    };
#define SAID "\"type\": \"message\", \"channel\": \"C0A\", \"ts\": \"1795867200.000100\", "
#define BOT  SAID "\"bot_id\": \"B0A\", "
#define FULL "\"text\": \"Disk is full\""
    static const struct {
        const char *message, *reason, *nearest, *why;
    } cases[] = {
        {"{" BOT FULL ", \"subtype\": \"thread_broadcast\"}", "gate:subtype", "disk",
         "a message of the kind \"thread_broadcast\" never raises an alarm (the words are those of disk)"},
        {"{" SAID "\"subtype\": \"message_changed\", \"message\": {" BOT FULL "}}", "gate:subtype", "disk",
         "a message of the kind \"message_changed\" never raises an alarm (the words are those of disk)"},
        {"{" SAID "\"subtype\": \"message_deleted\", \"previous_message\": {" BOT FULL "}}", "gate:subtype", "disk",
         "a message of the kind \"message_deleted\" never raises an alarm (the words are those of disk)"},
        {"{" BOT FULL ", \"thread_ts\": \"1795867100.000100\"}", "gate:thread", "disk",
         "it is a reply in a thread (the words are those of disk)"},
        {"{" BOT "\"text\": \"hello\", \"thread_ts\": \"1795867100.000100\"}", "gate:thread", NULL, "it is a reply in a thread"},
        {"{" SAID FULL ", \"user\": \"U0A\"}", "gate:poster", "disk", "the words are those of disk, but people may not raise it"},
        {"{" SAID FULL ", \"bot_id\": \"B0B\"}", "gate:poster", "disk",
         "no rule allows the bot B0B (app -); its display name does not count (the words are those of disk)"},
        {"{" BOT FULL "}", "missing:host", "disk",
         "the words are those of disk, but its field host is not there, or not as it must be: there is no `\\bhost`"},
        {"{" BOT "\"text\": \"Disk is full\\nhost: web-1\"}", "missing:host", "disk",
         "the words are those of disk, but its field host is not there, or not as it must be: \"host: \" fits, then comes "
         "\"web-1\", "
         "where `(?<host>{{host}})` must be"},
        {"{" BOT "\"text\": \"[STAGING] disk is full\"}", "unless", "disk",
         "the words are those of disk, but what is said with them is none (its unless): \"[STAGING]\""},
        {"{" BOT "\"text\": \"see\", \"attachments\": [{\"text\": \"disk is full\", \"is_share\": true}]}", "no-anchor", "disk",
         "the words are those of disk, but they stand only in what does not count: shared, unfurled, quoted or struck out, or a "
         "person's attachments"},
        {"{" BOT "\"text\": \"disk is half full\"}", "no-anchor", "disk",
         "no rule's match is found in the text; the nearest is disk: there is no `(?i:\\bdisk is full)`"},
        {"{" SAID "\"user\": \"U0A\", \"text\": \"repair #7\"}", "no-anchor", "ask",
         "no rule's match is found in the text; all fields of ask are there, but not its words"},
        {"{" SAID "\"user\": \"U0A\", \"text\": \"good morning\"}", "no-anchor", NULL, "no rule's match is found in the text"},
        {"{" BOT "\"text\": \"good morning\"}", "no-anchor", NULL, "no rule's match is found in the text"},
    };
    struct hm_alarms alarms;
    load(&alarms, rules, HM_ARRAY_LEN(rules));
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        json_t *message = parse(cases[i].message);
        struct hm_alarm_verdict v;
        hm_alarm_judge(&alarms, message, &(struct hm_alarm_around){.explain = true}, &v);
        assert_int_equal(v.kind, HM_ALARM_NONE);
        assert_string_equal(v.reason, cases[i].reason);
        assert_string_equal(v.why, cases[i].why);
        assert_string_equal(v.rule != NULL ? v.rule->name : "-", cases[i].nearest != NULL ? cases[i].nearest : "-");
        hm_alarm_verdict_done(&v);
        json_decref(message);
    }
    hm_alarms_done(&alarms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),           cmocka_unit_test(test_failing), cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_which_is_nearest), cmocka_unit_test(test_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
