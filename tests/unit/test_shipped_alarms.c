/* The rules that we ship, with the settings that we ship: they load without a finding, and the corpus (each alarm as text, as a
 * webhook's attachment and as blocks; the news that one is over; near misses) is judged as it must be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alarm/follow.h"
#include "alarm/judge.h"
#include "app/settings.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "unit.h"

static struct hm_settings *load(void)
{
    struct hm_diags diags;
    hm_diags_init(&diags);
    struct hm_settings *settings = hm_settings_load(HM_SOURCE_DIR "/config/hausmeister.cfg", &diags);
    if (settings == NULL)
        fail_msg("%s:%d: %s", diags.items[0].file, diags.items[0].line, diags.items[0].text);
    hm_diags_done(&diags);
    return settings;
}

static size_t check_one(const struct hm_settings *settings, const json_t *want)
{
    const struct hm_alarm_around around = {.team = "T0SIM", .self_user = "U0BOT", .self_bot = "B0BOT", .explain = true};
    const char *name = hm_json_get_str(want, "name", "?");
    struct hm_alarm_verdict v;
    hm_alarm_judge(&settings->alarms, hm_json_get_obj(want, "message"), &around, &v);
    char *fields = hm_json_text(v.found);
    char *expected = hm_json_text(json_object_get(want, "fields"));
    const struct hm_alarm_rule *rule = v.kind == HM_ALARM_RESOLVED ? v.about : v.kind == HM_ALARM_MATCH ? v.rule : NULL;
    if (strcmp(hm_alarm_kind_name(v.kind), hm_json_get_str(want, "verdict", "")) != 0 ||
        strcmp(rule != NULL ? rule->name : "-", hm_json_get_str(want, "alarm", "")) != 0 ||
        strcmp(v.reason[0] != '\0' ? v.reason : "-", hm_json_get_str(want, "reason", "")) != 0 || strcmp(fields, expected) != 0 ||
        strcmp(hm_json_get_str(v.values, "environment", "-"), hm_json_get_str(want, "environment", "")) != 0)
        fail_msg("%s: %s %s %s %s, want %s (%s)\n%s", name, hm_alarm_kind_name(v.kind), rule != NULL ? rule->name : "-", v.reason,
                 fields, expected, v.why, v.text);
    free(fields);
    free(expected);
    hm_alarm_verdict_done(&v);
    return 1;
}

/* check() for each sample of the corpus; what it returns, added up. */
static size_t each_sample(size_t (*check)(const struct hm_settings *settings, const json_t *want))
{
    enum { LINE_MAX_BYTES = 200000 };
    struct hm_settings *settings = load();
    FILE *file = fopen(HM_SOURCE_DIR "/tests/golden/alarm/corpus.jsonl", "r");
    char *line = hm_xmalloc(LINE_MAX_BYTES);
    size_t sum = 0;
    assert_non_null(file);
    for (int nr = 1; fgets(line, LINE_MAX_BYTES, file) != NULL; nr++) {
        struct hm_err err = {0};
        json_t *want = hm_json_parse_new(line, strlen(line), LINE_MAX_BYTES, &err);
        if (want == NULL)
            fail_msg("line %d: %s", nr, err.msg);
        sum += check(settings, want);
        json_decref(want);
    }
    (void)fclose(file);
    free(line);
    hm_settings_free(settings);
    return sum;
}

static void test_corpus(void **state)
{
    (void)state;
    assert_true(each_sample(check_one) >= 350);
}

/* Every rule is recognised by at least one message of the corpus: a rule without a sample proves nothing. */
static void test_every_rule_has_a_sample(void **state)
{
    (void)state;
    enum { TEXT_MAX_BYTES = 2 << 20 };
    struct hm_settings *settings = load();
    FILE *file = fopen(HM_SOURCE_DIR "/tests/golden/alarm/corpus.jsonl", "r");
    char *text = hm_xcalloc(1, TEXT_MAX_BYTES);
    assert_non_null(file);
    assert_true(fread(text, 1, TEXT_MAX_BYTES - 1, file) > 0);
    for (size_t i = 0; i < settings->alarms.count; i++) {
        const struct hm_alarm_rule *rule = settings->alarms.items[i];
        char *mark = hm_xasprintf("\"alarm\": \"%s\"", rule->name);
        if (rule->resolves == NULL && strstr(text, mark) == NULL)
            fail_msg("no message of the corpus is a %s", rule->name);
        if (rule->resolves == NULL)
            assert_non_null(rule->doc);
        free(mark);
    }
    (void)fclose(file);
    free(text);
    hm_settings_free(settings);
}

/* text with each `value` in it put between before and behind; NULL when it is not there. Caller frees. */
static char *embedded(const char *text, const char *value, const char *before, const char *behind)
{
    struct hm_strbuf out;
    bool any = false;
    hm_strbuf_init(&out, 100000);
    for (const char *at = strstr(text, value); at != NULL; at = strstr(text, value)) {
        hm_strbuf_add(&out, text, (size_t)(at - text));
        hm_strbuf_addf(&out, "%s%s%s", before, value, behind);
        text = at + strlen(value);
        any = true;
    }
    hm_strbuf_adds(&out, text);
    char *made = hm_strbuf_take(&out);
    if (any)
        return made;
    free(made);
    return NULL;
}

static void check_embedded(const struct hm_settings *settings, const json_t *want, const char *field, const char *value)
{
    static const struct {
        const char *before, *behind;
    } forms[] = {{"$(x)-", ""}, {"x;-", ""}, {"../", ""}, {"", "$(x)"}, {"", "/../x"}, {"", "-\xd1\x81"}, {"x\xd1\x81", ""}};
    const struct hm_alarm_around around = {.team = "T0SIM", .explain = false};
    const json_t *message = hm_json_get_obj(want, "message");
    for (size_t i = 0; i < HM_ARRAY_LEN(forms); i++) {
        char *text = embedded(hm_json_get_str(message, "text", ""), value, forms[i].before, forms[i].behind);
        if (text == NULL)
            return;
        json_t *other = json_copy(hm_unconst(message));
        struct hm_alarm_verdict v;
        hm_json_set_str(other, "text", text);
        (void)json_object_del(other, "blocks"); /* they may say the same once more */
        (void)json_object_del(other, "attachments");
        hm_alarm_judge(&settings->alarms, other, &around, &v);
        if (hm_streq(hm_json_get_str(v.found, field, NULL), value))
            fail_msg("%s: %s is still \"%s\" in\n%s", hm_json_get_str(want, "name", "?"), field, value, text);
        hm_alarm_verdict_done(&v);
        json_decref(other);
        free(text);
    }
}

static size_t check_values(const struct hm_settings *settings, const json_t *want)
{
    enum { SHORTEST = 3 };
    const char *field = NULL;
    json_t *value = NULL;
    size_t count = 0;
    json_object_foreach(json_object_get(want, "fields"), field, value)
    {
        if (json_string_length(value) >= SHORTEST) {
            check_embedded(settings, want, field, json_string_value(value));
            count++;
        }
    }
    return count;
}

/* No value of a shipped rule is a part of a longer word. */
static void test_no_part_of_a_word_is_a_value(void **state)
{
    (void)state;
    assert_true(each_sample(check_values) > 100);
}

/* A value that we ship under known would be a default of destructive recipes in a house where it means nothing. */
static void test_nothing_is_known_beforehand(void **state)
{
    (void)state;
    struct hm_settings *settings = load();
    assert_int_equal(json_object_size(settings->known), 0);
    hm_settings_free(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_corpus),
        cmocka_unit_test(test_every_rule_has_a_sample),
        cmocka_unit_test(test_no_part_of_a_word_is_a_value),
        cmocka_unit_test(test_nothing_is_known_beforehand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
