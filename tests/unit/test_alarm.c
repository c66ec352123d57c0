/* Alarm rules: files and their findings, flattening, judging, what follows. */
#include "alarm/alarm.h"

#include <stdlib.h>
#include <string.h>

#include "alarm/fields.h"
#include "alarm/flatten.h"
#include "alarm/follow.h"
#include "alarm/judge.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "support/golden.h"
#include "unit.h"

#define HEAD "name = \"x\"; title = \"X\"; channels = [ \"C0A\" ]; from = [ \"B0A\" ];\n"
#define FIELDS                                                                                                                   \
    "match = \"a\"; fields = ( { name = \"host\"; type = \"string\"; find = \"x(?<host>b){{end}}\"; },\n"                        \
    "  { name = \"used\"; type = \"int\"; find = \"y(?<used>[0-9]+){{end}}\"; } );\n"

static json_t *parse(const char *text)
{
    struct hm_err err = {0};
    json_t *value = hm_json_parse_new(text, strlen(text), 1 << 20, &err);
    if (value == NULL)
        fail_msg("%s: %s", text, err.msg);
    return value;
}

/* All findings of a text, one a line. */
static char *findings(const char *text, const struct hm_alarm_names *names)
{
    struct hm_diags diags;
    struct hm_strbuf out;
    hm_diags_init(&diags);
    hm_strbuf_init(&out, 100000);
    struct hm_alarm_rule *rule = hm_alarm_parse("x.cfg", text, names, &diags);
    assert_true((rule != NULL) == (diags.count == 0));
    for (size_t i = 0; i < diags.count; i++)
        hm_strbuf_addf(&out, "%s:%d: %s\n", diags.items[i].file, diags.items[i].line, diags.items[i].text);
    hm_alarm_rule_free(rule);
    hm_diags_done(&diags);
    return hm_strbuf_take(&out);
}

static struct hm_alarms one_rule(const char *text)
{
    struct hm_diags diags;
    struct hm_alarms alarms = {0};
    hm_diags_init(&diags);
    struct hm_alarm_rule *rule = hm_alarm_parse("x.cfg", text, NULL, &diags);
    if (rule == NULL)
        fail_msg("%s", diags.items[0].text);
    alarms.items = hm_xcalloc(1, sizeof(struct hm_alarm_rule *));
    alarms.items[0] = rule;
    alarms.count = 1;
    hm_diags_done(&diags);
    return alarms;
}

/* ---- files ------------------------------------------------------------------------------------------------------------------
 */

/* Each bad file with what is said about it. */
static void test_findings(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        HEAD,
        HEAD "match = \"a\"; nonsense = 1;",
        "name = \"X\"; title = \"X\"; channels = [ ]; from = [ ]; match = \"a\";",
        HEAD "match = \"(?<a\";",
        HEAD "match = \"(?i)(?<a>b){{end}}\"; fields = ( { name = \"a\"; type = \"string\"; } );",
        HEAD "match = \"{{nonsense}}\";",
        "name = \"x\"; title = \"X\"; channels = \"C0A\"; from = [ \"B0A\" ]; match = \"a\";",
        HEAD "match = \"a\"; fields = ( { name = \"b\"; type = \"string\"; find = \"x(?<b>{{hots}}){{end}}\"; } );",
        HEAD FIELDS "offers = ( { recipe = \"r\"; label = \"Go\"; when = \"host > 90\"; } );",
        HEAD FIELDS "offers = ( { recipe = \"r\"; label = \"Go\"; when = \"used == '97'\"; } );",
        HEAD FIELDS "offers = ( { recipe = \"r\"; label = \"Go\"; each = \"host\"; } );",
        HEAD FIELDS "say = ( { when = \"count(host) > 1 and used > 90\"; say = \"x\"; } );",
        HEAD FIELDS "remember = ( { key = \"k\"; fields = { a = \"${host}\"; }; when = \"day > 3\"; } );",
        HEAD "match = \"x(?<a>b){{end}}\";",
        HEAD "match = \"a\"; fields = ( { name = \"a\"; type = \"string\"; } );",
        HEAD "match = \"a\"; fields = ( { name = \"a\"; type = \"strong\"; find = \"x(?<a>b){{end}}\"; } );",
        HEAD "match = \"a\"; fields = ( { name = \"a\"; type = \"int\"; find = \"b\"; min = 5; max = 1; } );",
        HEAD "match = \"a\"; fields = ( { name = \"A-b\"; type = \"int\"; find = \"x(?<b>b){{end}}\"; } );",
        HEAD "match = \"a\"; fields = ( { name = \"known\"; type = \"int\"; find = \"x(?<b>b){{end}}\"; } );",
        HEAD
        "match = \"x(?<a>b){{end}}\"; fields = ( { name = \"a\"; type = \"string\"; }, { name = \"a\"; type = \"string\"; } );",
        HEAD "match = \"x(?<a>b){{end}}\"; fields = ( { name = \"a\"; type = \"string\"; many = true; } );",
        HEAD "match = \"x(?<a>b){{end}}\"; fields = ( { name = \"a\"; type = \"string\"; map = ( { like = \"x\"; is = \"y\"; } "
             "); } );",
        HEAD
        "match = \"x(?<a>b){{end}}\"; fields = ( { name = \"a\"; type = \"string\"; }, { name = \"e\"; type = \"string\"; of = [ "
        "\"z\" ]; } );",
        HEAD "match = \"a\"; dedupe = { for = \"2h\"; };",
        HEAD "match = \"a\"; dedupe = { key = \"${nobody}\"; for = \"2 hours\"; };",
        HEAD "match = \"a\"; say = \"${nobody} <b>\";",
        HEAD "match = \"a\"; say = ( { when = \"1 == 1\"; say = \"x\"; } );",
        HEAD "match = \"a\"; say = \"${known.etl}\";",
        HEAD "match = \"a\"; say = \"${item}\";",
        HEAD "match = \"a\"; offers = ( { label = \"Go\"; } );",
        HEAD "match = \"a\"; offers = ( { recipe = \"r\"; label = \"Go\"; style = \"loud\"; } );",
        HEAD "match = \"a\"; offers = ( );",
        HEAD "match = \"a\"; remember = ( { key = \"k\"; } );",
        HEAD "match = \"a\"; remember = ( { key = \"k\"; fields = { a = \"1\"; }; before = \"b\"; } );",
        HEAD "match = \"a\"; remember = ( { key = \"k\"; fields = { day = \"1\"; }; before = \"b\"; changes = \"dya\"; } );",
        HEAD "match = \"a\"; resolves = [ ];",
        HEAD "match = \"a\"; resolves = [ \"*\" ]; say = \"x\";",
        HEAD "match = \"a\"; keeps_open = true;",
        HEAD "match = \"\\\\b(?<a>b){{end}}\"; fields = ( { name = \"a\"; type = \"string\"; } );",
        HEAD "match = \"a\"; fields = ( { name = \"b\"; type = \"string\"; find = \"(?<b>b){{end}}\"; } );",
        HEAD "match = \"x {{begin}}(?<a>{{uuid}})\"; fields = ( { name = \"a\"; type = \"uuid\"; } );",
        HEAD "match = \"a\"; fields = ( { name = \"b\"; type = \"string\"; find = \"x(?<b>b)\\\\b\"; } );",
        HEAD "match = \"a\"; unless = [ ];",
        HEAD "match = \"a\"; unless = [ \"(b\" ];",
        HEAD "match = \"a\"; unless = [ \"b\", \"(?<c>c)\" ];",
    };
    struct hm_strbuf all;
    hm_strbuf_init(&all, 100000);
    for (size_t i = 0; i < HM_ARRAY_LEN(bad); i++) {
        char *found = findings(bad[i], NULL);
        if (found[0] == '\0')
            fail_msg("nothing was found in: %s", bad[i]);
        hm_strbuf_addf(&all, "%s\n%s\n", bad[i], found);
        free(found);
    }
    assert_true(hm_golden_matches("alarm/findings.txt", hm_strbuf_str(&all)));
    hm_strbuf_done(&all);
}

static void test_names_of_channels_and_senders(void **state)
{
    (void)state;
    json_t *channels = parse("{\"alarms\": [\"C0A\", \"C0B\"], \"none\": []}");
    json_t *senders = parse("{\"splunk\": [\"B0A\"]}");
    const struct hm_alarm_names names = {.channels = channels, .senders = senders};
    static const char *const good = "name = \"x\"; title = \"X\"; channels = [ \"alarms\", \"none\", \"C0C\" ];\n"
                                    "from = [ \"splunk\", \"people\", \"A0Z\" ]; match = \"a\";";
    struct hm_diags diags;
    hm_diags_init(&diags);
    struct hm_alarm_rule *rule = hm_alarm_parse("x.cfg", good, &names, &diags);
    assert_non_null(rule);
    assert_true(rule->people);
    assert_true(hm_alarm_has(rule->channel_ids, "C0A") && hm_alarm_has(rule->channel_ids, "C0B"));
    assert_true(hm_alarm_has(rule->channel_ids, "C0C") && !hm_alarm_has(rule->channel_ids, "alarms"));
    assert_true(hm_alarm_has(rule->senders, "B0A") && hm_alarm_has(rule->senders, "A0Z"));
    assert_false(hm_alarm_has(rule->senders, "people"));
    hm_alarm_rule_free(rule);
    char *found =
        findings("name = \"x\"; title = \"X\"; channels = [ \"alarm\" ]; from = [ \"splonk\" ]; match = \"a\";", &names);
    assert_string_equal(found,
                        "x.cfg:1: channels: \"alarm\" is no id, and the settings have no such name under channels; did you "
                        "mean \"alarms\"?\n"
                        "x.cfg:1: from: \"splonk\" is no id, and the settings have no such name under senders; people are "
                        "written \"people\"; did you mean \"splunk\"?\n");
    free(found);
    hm_diags_done(&diags);
    json_decref(channels);
    json_decref(senders);
}

static void test_where_more_is_said(void **state)
{
    (void)state;
    const struct hm_alarm_names books = {.cookbook = "https://w/cook", .runbook = "https://w/run"};
    const struct hm_alarm_names none = {.channels = NULL};
    static const struct {
        const char *keys;
        bool known;
        const char *doc, *link;
    } cases[] = {
        {"", true, NULL, NULL},
        {"doc = \"Restart Aurora\";", true, "Restart Aurora", "https://w/cook#restart-aurora"},
        {"runbook = \"OOM kill\";", true, "On-call runbook, OOM kill", "https://w/run#oom-kill"},
        {"runbook = \"OOM kill\";", false, "On-call runbook, OOM kill", NULL},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        struct hm_diags diags;
        hm_diags_init(&diags);
        char *text = hm_xasprintf(HEAD "match = \"a\"; %s", cases[i].keys);
        struct hm_alarm_rule *rule = hm_alarm_parse("x.cfg", text, cases[i].known ? &books : &none, &diags);
        assert_non_null(rule);
        assert_true(hm_streq(rule->doc, cases[i].doc) && hm_streq(rule->link, cases[i].link));
        hm_alarm_rule_free(rule);
        hm_diags_done(&diags);
        free(text);
    }
    char *found = findings(HEAD "match = \"a\"; doc = \"b\"; runbook = \"c\";", &books);
    assert_non_null(strstr(found, "doc and runbook"));
    free(found);
}

/* ---- flattening -------------------------------------------------------------------------------------------------------------
 */

static void assert_flat(const char *json, bool person, const char *text)
{
    json_t *message = parse(json);
    char *flat = hm_alarm_flatten(message, person);
    assert_string_equal(flat, text);
    free(flat);
    json_decref(message);
}

static void test_flatten(void **state)
{
    (void)state;
    static const struct {
        const char *message, *text;
    } cases[] = {
        {"{}", ""},
        {"{\"text\": 5, \"blocks\": 1, \"attachments\": {\"a\": 1}}", ""},
        {"{\"text\": \"*a* &lt;b&gt; &amp;lt; <https://x.org|c> <https://y.org> <@U1> <!channel> <!here|x> <#C1|d> <#C2>\"}",
         "a <b> &lt; c https://y.org @U1 @channel @here #d #C2"},
        {"{\"text\": \"a < b <unclosed\"}", "a < b <unclosed"},
        {"{\"text\": \"<>\"}", "<>"},
        {"{\"text\": \"t\", \"blocks\": [{\"type\": \"header\", \"text\": {\"type\": \"plain_text\", \"text\": \"*h* &amp;\"}},"
         "{\"type\": \"section\", \"text\": {\"type\": \"mrkdwn\", \"text\": \"*s*\"}, \"fields\": [{\"type\": \"mrkdwn\", "
         "\"text\": \"*K*\\nv\"}]}, {\"type\": \"context\", \"elements\": [{\"type\": \"mrkdwn\", \"text\": \"c\"}, {\"type\": "
         "\"image\"}]}, {\"type\": \"actions\"}, {\"type\": \"divider\"}, null, 7]}",
         "t\n*h* &\ns\nK\nv\nc"},
        {"{\"blocks\": [{\"type\": \"rich_text\", \"elements\": [{\"type\": \"rich_text_section\", \"elements\": ["
         "{\"type\": \"text\", \"text\": \"a &lt; \"}, {\"type\": \"text\", \"text\": \"b\", \"style\": {\"code\": true}},"
         "{\"type\": \"link\", \"url\": \"https://x.org\"}, {\"type\": \"emoji\", \"name\": \"tada\"},"
         "{\"type\": \"user\", \"user_id\": \"U1\"}, {\"type\": \"broadcast\", \"range\": \"here\"}]},"
         "{\"type\": \"rich_text_list\", \"elements\": [{\"type\": \"rich_text_section\", \"elements\": ["
         "{\"type\": \"text\", \"text\": \"one\"}]}, {\"type\": \"rich_text_section\", \"elements\": ["
         "{\"type\": \"text\", \"text\": \"two\"}]}]}]}]}",
         "a &lt; `b`https://x.org:tada:@U1@here\n\none\ntwo"},
        {"{\"attachments\": [{\"pretext\": \"p\", \"title\": \"t\", \"text\": \"x\", \"fallback\": \"f\", \"fields\": ["
         "{\"title\": \"k\", \"value\": \"v\"}, {\"title\": \"n\", \"value\": 7}, {\"value\": \"w\"}, 1]}]}",
         "p\nt\nx\nk: v\nn: 7\nw"},
        {"{\"attachments\": [{\"fallback\": \"f &amp; g\"}, {\"fallback\": \"h\", \"text\": \"\"}]}", "f & g\nh"},
        {"{\"attachments\": [{\"text\": \"a\", \"from_url\": \"u\"}, {\"text\": \"b\", \"is_share\": true}, {\"text\": \"c\", "
         "\"is_share\": false}, {\"text\": \"d\", \"message_blocks\": []}]}",
         "c"},
        /* marks, as Slack reads them */
        {"{\"text\": \"*a* _b c_ ~d~ *_~e~_* **f** (_g_) *h:*i `*j* _k_` x\"}", "a b c d e f (g) h:i *j* _k_ x"},
        {"{\"text\": \"scale_cluster _raw a*b* * c * itaipu-* 2*3*4 ~ ~ _\\n_ a_b_\"}",
         "scale_cluster _raw a*b* * c * itaipu-* 2*3*4 ~ ~ _\n_ a_b_"},
        {"{\"text\": \"```*a*\\n_b_``` *c*\"}", "```*a*\n_b_``` c"},
        /* code that is a word of its own, and code that is not */
        {"{\"text\": \"`a` b:`c`, (`d e`). x`f` `g`h `i ``j`` `k\\n` ```l` m```\"}",
         "a b:c, (d e). x`f` `g`h `i ``j`` `k\n` ```l` m```"},
        {"{\"blocks\": [{\"type\": \"rich_text\", \"elements\": [{\"type\": \"rich_text_section\", \"elements\": ["
         "{\"type\": \"text\", \"text\": \"a \"}, {\"type\": \"text\", \"text\": \"b\", \"style\": {\"code\": true}}]}]}]}",
         "a b"},
        /* letters */
        {"{\"text\": \"a\\u00a0b \\u2003c\\u3000\\u3000d  e\\r\\nf\\u2028g\\rh\"}", "a b c d  e\nf\ng\nh"},
        {"{\"text\": \"a\\u200bb\\u00adc\\ufeffd\\u202ae\\u26a0\\ufe0f\"}", "abcde\xe2\x9a\xa0"},
        {"{\"text\": \"d\\u202ee\"}", "d\xe2\x80\xae"
                                      "e"}, /* turns the letters around */
        {"{\"text\": \"a\\u2011b \\u2013 c\\u2014d\"}", "a-b - c - d"},
        {"{\"text\": \"\\u200b*a*\\u200b *b\\u00a0c*\"}", "a b c"},
        {"{\"text\": \"8A6F3C1E-52B7-4D09-9E1A-0C4D7BE21F63 (8A6F3C1E-52b7-4D09-9E1A-0C4D7BE21F6A) \"}",
         "8a6f3c1e-52b7-4d09-9e1a-0c4d7be21f63 (8a6f3c1e-52b7-4d09-9e1a-0c4d7be21f6a) "},
        {"{\"text\": \"X8A6F3C1E-52B7-4D09-9E1A-0C4D7BE21F63 8A6F3C1E-52B7-4D09-9E1A-0C4D7BE21F63-COPY A-B\"}",
         "X8A6F3C1E-52B7-4D09-9E1A-0C4D7BE21F63 8A6F3C1E-52B7-4D09-9E1A-0C4D7BE21F63-COPY A-B"},
        {"{\"blocks\": [{\"type\": \"header\", \"text\": {\"type\": \"plain_text\", \"text\": \"a\\u00a0b\"}}]}", "a b"},
        {"{\"attachments\": [{\"fields\": [{\"title\": \"Job:\", \"value\": \"x\"}]}]}", "Job: x"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++)
        assert_flat(cases[i].message, false, cases[i].text);
}

/* Of people only what they say themselves: not what they show, quote or strike out. */
static void test_flatten_people(void **state)
{
    (void)state;
    static const struct {
        const char *message, *text;
    } cases[] = {
        {"{\"text\": \"said\", \"attachments\": [{\"text\": \"shown\"}]}", "said"},
        {"{\"text\": \"&gt; a\\nb\\n &gt;c\\nd &gt; e\"}", "b\nd > e"},
        {"{\"text\": \"a\\n&gt;&gt;&gt; b\\nc\"}", "a\n"},
        {"{\"text\": \"a ~b c~ d _e_ ~\"}", "a  d e ~"},
        {"{\"text\": \"stack `green`\"}", "stack `green`"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++)
        assert_flat(cases[i].message, true, cases[i].text);
}

/* Of a long piece both ends count, in whole lines, and what stands behind it. */
static void test_long_piece(void **state)
{
    (void)state;
    enum { TRACE_MAX = 30000 };
    struct hm_strbuf trace;
    json_t *message = parse("{\"attachments\": [{\"title\": \"t\", \"fields\": [{\"title\": \"k\", \"value\": \"v\"}]}]}");
    hm_strbuf_init(&trace, TRACE_MAX);
    hm_strbuf_adds(&trace, "first\n");
    while (trace.len < TRACE_MAX - 100)
        hm_strbuf_addf(&trace, "line %zu\n", trace.len);
    hm_strbuf_adds(&trace, "last");
    hm_json_set_str(json_array_get(json_object_get(message, "attachments"), 0), "text", hm_strbuf_str(&trace));
    char *flat = hm_alarm_flatten(message, false);
    assert_int_equal(strncmp(flat, "t\nfirst\nline 6\n", 15), 0);
    assert_non_null(strstr(flat, "\n\xe2\x80\xa6\nline "));
    assert_string_equal(flat + strlen(flat) - strlen("last\nk: v"), "last\nk: v");
    assert_true(strlen(flat) < HM_ALARM_TEXT_MAX);
    free(flat);
    /* one line of that length has no such place */
    for (size_t i = 0; i < trace.len; i++)
        if (trace.s[i] == '\n')
            trace.s[i] = ' ';
    hm_json_set_str(json_array_get(json_object_get(message, "attachments"), 0), "text", hm_strbuf_str(&trace));
    flat = hm_alarm_flatten(message, false);
    assert_int_equal(strlen(flat), HM_ALARM_TEXT_MAX);
    free(flat);
    json_decref(message);
    hm_strbuf_done(&trace);
}

/* A text of marks without partners costs no more than its length. */
static void test_many_marks(void **state)
{
    (void)state;
    enum { MARKS_MAX = 30000 };
    struct hm_strbuf text;
    hm_strbuf_init(&text, MARKS_MAX);
    while (!text.failed)
        hm_strbuf_adds(&text, " *a _b ~c `d");
    json_t *message = hm_json_obj_new();
    hm_json_set_str(message, "text", hm_strbuf_str(&text));
    char *flat = hm_alarm_flatten(message, true);
    assert_int_equal(strncmp(flat, " *a _b ~c `d *a", 15), 0);
    assert_int_equal(strlen(flat), HM_ALARM_TEXT_MAX);
    free(flat);
    json_decref(message);
    hm_strbuf_done(&text);
}

/* ---- judging ----------------------------------------------------------------------------------------------------------------
 */

/* A comma parts thousands, or it makes no number. */
static void test_a_number_with_commas(void **state)
{
    (void)state;
    struct hm_alarms alarms = one_rule(HEAD "match = \"boom\"; fields = ( { name = \"n\"; type = \"int\"; find = "
                                            "\"n=(?<n>[0-9,]+){{end}}\"; optional = true; } );");
    static const struct {
        const char *text;
        int64_t n; /* -1 = none */
    } cases[] = {
        {"boom n=7", 7},       {"boom n=1234", 1234}, {"boom n=1,234", 1234}, {"boom n=12,345,678", 12345678},
        {"boom n=12,5", -1},   {"boom n=1,23", -1},   {"boom n=1,2345", -1},  {"boom n=1234,567", -1},
        {"boom n=1,,234", -1}, {"boom n=,234", -1},   {"boom n=1,", -1},      {"boom n=1,234,", -1},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        json_t *message = parse("{\"type\":\"message\",\"ts\":\"1795867200.000100\",\"channel\":\"C0A\",\"bot_id\":\"B0A\"}");
        struct hm_alarm_verdict v;
        hm_json_set_str(message, "text", cases[i].text);
        hm_alarm_judge(&alarms, message, &(struct hm_alarm_around){0}, &v);
        assert_int_equal(v.kind, HM_ALARM_MATCH);
        assert_int_equal(hm_json_get_int(v.values, "n", -1), cases[i].n);
        hm_alarm_verdict_done(&v);
        json_decref(message);
    }
    hm_alarms_done(&alarms);
}

static void test_fields_are_typed(void **state)
{
    (void)state;
    struct hm_alarms alarms = one_rule(
        HEAD "match = \"boom (?<service>[A-Za-z]+){{end}}\"; dedupe = { key = \"${service}/${id}/${day}\"; };\n"
             "fields = ( { name = \"service\"; type = \"string\"; lower = true; },\n"
             "  { name = \"n\"; type = \"int\"; max = 10; find = \"n=(?<n>[0-9]+){{end}}\"; optional = true; },\n"
             "  { name = \"id\"; type = \"uuid\"; find = \"{{begin}}(?<id>{{uuid}}){{end}}\"; many = true; optional = true; },\n"
             "  { name = \"where\"; type = \"string\"; find = \"at (?<where>[a-z]+){{end}}\"; aside = true; optional = true; },\n"
             "  { name = \"env\"; type = \"choice\"; choices = [ \"a\", \"b\" ]; of = [ \"where\" ]; assume = \"a\"; optional = "
             "true;\n"
             "    map = ( { like = \"x.*\"; is = \"b\"; } ); } );");
    static const struct {
        const char *text, *found, *values, *assumed, *key;
    } cases[] = {
        {"boom Tapir n=7 at xyz", "{\"n\":\"7\",\"service\":\"Tapir\"}",
         "{\"day\":\"2026-11-28\",\"env\":\"b\",\"n\":7,\"sender\":\"B0A\",\"service\":\"tapir\",\"where\":\"xyz\"}", "{}",
         "tapir//2026-11-28"},
        {"boom Tapir n=11", "{\"service\":\"Tapir\"}",
         "{\"day\":\"2026-11-28\",\"env\":\"a\",\"sender\":\"B0A\",\"service\":\"tapir\"}", "{\"env\":true}",
         "tapir//2026-11-28"},
        {"boom Tapir at home", "{\"service\":\"Tapir\"}",
         "{\"day\":\"2026-11-28\",\"sender\":\"B0A\",\"service\":\"tapir\",\"where\":\"home\"}", "{}", "tapir//2026-11-28"},
        {"boom Tapir 8a6f3c1e-52b7-4d09-9e1a-0c4d7be21f63, 8a6f3c1e-52b7-4d09-9e1a-0c4d7be21f64 "
         "8a6f3c1e-52b7-4d09-9e1a-0c4d7be21f63",
         "{\"id\":[\"8a6f3c1e-52b7-4d09-9e1a-0c4d7be21f63\",\"8a6f3c1e-52b7-4d09-9e1a-0c4d7be21f64\"],\"service\":\"Tapir\"}",
         "{\"day\":\"2026-11-28\",\"env\":\"a\",\"id\":[\"8a6f3c1e-52b7-4d09-9e1a-0c4d7be21f63\",\"8a6f3c1e-52b7-4d09-9e1a-"
         "0c4d7be21f64\"],\"sender\":\"B0A\",\"service\":\"tapir\"}",
         "{\"env\":true}", "tapir/8a6f3c1e-52b7-4d09-9e1a-0c4d7be21f63,8a6f3c1e-52b7-4d09-9e1a-0c4d7be21f64/2026-11-28"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        json_t *message = parse("{\"type\":\"message\",\"ts\":\"1795867200.000100\",\"channel\":\"C0A\",\"bot_id\":\"B0A\"}");
        struct hm_alarm_verdict v;
        hm_json_set_str(message, "text", cases[i].text);
        hm_alarm_judge(&alarms, message, &(struct hm_alarm_around){0}, &v);
        char *found = hm_json_text(v.found);
        char *values = hm_json_text(v.values);
        char *assumed = hm_json_text(v.assumed);
        assert_int_equal(v.kind, HM_ALARM_MATCH);
        assert_string_equal(found, cases[i].found);
        assert_string_equal(values, cases[i].values);
        assert_string_equal(assumed, cases[i].assumed);
        assert_string_equal(v.key, cases[i].key);
        free(found);
        free(values);
        free(assumed);
        hm_alarm_verdict_done(&v);
        json_decref(message);
    }
    hm_alarms_done(&alarms);
}

#define MEND                                                                                                                     \
    "match = \"\\\\bmend\\\\b\"; unless = [ \"not mend\", \"^why\" ];\n"                                                         \
    "fields = ( { name = \"id\"; type = \"string\"; find = \"#(?<id>[0-9]+){{end}}\"; many = true; } );"

/* Of people: a sentence in which unless is found is not looked at, neither for match nor for fields; the others are. */
static void test_unless(void **state)
{
    (void)state;
    struct hm_alarms alarms =
        one_rule("name = \"x\"; title = \"X\"; channels = [ \"C0A\" ]; from = [ \"B0A\", \"people\" ];\n" MEND);
    static const struct {
        const char *text, *reason, *found;
    } cases[] = {
        {"mend #1", "", "{\"id\":[\"1\"]}"},
        {"do not mend #1", "unless", "{}"},
        {"why mend #1? well", "unless", "{}"},
        {"do not mend #1. But mend #2!", "", "{\"id\":[\"2\"]}"},
        {"do not mend #1\nmend #2", "", "{\"id\":[\"2\"]}"},
        {"do not mend #1. Mend it v1.2 not mend", "unless", "{}"},
        {"do not mend #1. But mend it.", "missing:id", "{}"},
        {"do not mend anything", "missing:id", "{}"}, /* what is missing is told first */
        {"it is not mended. mend #1", "", "{\"id\":[\"1\"]}"},
        {"#1 is not here. Please mend it", "", "{\"id\":[\"1\"]}"}, /* only sentences with match are taken away */
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        json_t *message = parse("{\"type\":\"message\",\"ts\":\"1795867200.000100\",\"channel\":\"C0A\",\"bot_id\":\"B0A\"}");
        struct hm_alarm_verdict v;
        hm_json_set_str(message, "text", cases[i].text);
        hm_alarm_judge(&alarms, message, &(struct hm_alarm_around){0}, &v);
        char *found = hm_json_text(v.found);
        assert_string_equal(v.reason, cases[i].reason);
        assert_string_equal(found, cases[i].found);
        free(found);
        hm_alarm_verdict_done(&v);
        json_decref(message);
    }
    hm_alarms_done(&alarms);
}

/* Of tools: the first line speaks for the whole message, also for the news of an alarm that has not all its fields; the others
 * speak for themselves. */
static void test_unless_in_title(void **state)
{
    (void)state;
    struct hm_alarms alarms = one_rule(HEAD MEND);
    static const struct {
        const char *text, *missing, *found;
        bool unmeant;
    } cases[] = {
        {"mend #1", "", "{\"id\":[\"1\"]}", false},
        {"not mend\nmend #1", "", "{}", true},
        {"not mend\nplease\nmend", "", "{}", true},
        {"why is it not so?\n#1", "", "{}", false},
        {"#3 is not mended. not mend. So\nmend #1", "", "{}", true},
        {"#1\nnot mend\nmend #2", "", "{\"id\":[\"1\",\"2\"]}", false}, /* a group of alarms */
        {"mend\nwhy #1", "", "{\"id\":[\"1\"]}", false},
        {"mend\nwhy", "id", "{}", false},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        struct hm_alarm_found found;
        hm_alarm_extract(alarms.items[0], cases[i].text, "", &found);
        char *raw = hm_json_text(found.raw);
        assert_string_equal(raw, cases[i].found);
        assert_string_equal(found.missing, cases[i].missing);
        assert_int_equal(found.unmeant, cases[i].unmeant);
        free(raw);
        hm_alarm_found_done(&found);
    }
    hm_alarms_done(&alarms);
}

/* What is said escapes what it shows; what is offered keeps it as it is. */
static void test_follow(void **state)
{
    (void)state;
    struct hm_alarms alarms = one_rule(
        HEAD
        "match = \"boom (?<who>[^\\n]+)\"; fields = ( { name = \"who\"; type = \"string\"; max_len = 200; },\n"
        "  { name = \"none\"; type = \"string\"; find = \"never(?<none>x){{end}}\"; optional = true; } );\n"
        "say = ( { say = \"It is ${who}, ${none}, ${known.etl.transaction}.\"; }, { when = \"none != null\"; say = \"no\"; } );\n"
        "offers = ( { recipe = \"r\"; label = \"Mend ${who}\"; with = { who = \"${who}\"; none = \"${none}\"; }; style = "
        "\"danger\"; },\n"
        "  { recipe = \"q\"; label = \"x ${none}\"; } );\n"
        "remember = ( { key = \"k\"; fields = { who = \"${who}\"; }; before = \"k-before\"; changes = \"who\"; } );");
    const struct hm_alarm_rule *rule = alarms.items[0];
    json_t *values = parse("{\"who\": \"<!channel> *b* `c` $(id) ' \\\"\"}");
    json_t *known = parse("{\"etl\": {\"transaction\": \"T\"}}");
    json_t *problems = hm_json_arr_new();
    json_t *scope = hm_alarm_scope_new(rule, values, known);
    char *say = hm_alarm_say(rule, scope, problems);
    json_t *offers = hm_alarm_offers_new(rule, scope, problems);
    json_t *memories = hm_alarm_memories_new(rule, scope, problems);
    char *offers_text = hm_json_text(offers);
    char *memories_text = hm_json_text(memories);
    assert_null(strchr(say, '<'));
    assert_null(strchr(say, '*'));
    assert_null(strchr(say, '`'));
    assert_non_null(strstr(say, "&lt;!channel&gt;"));
    assert_non_null(strstr(say, ", T."));
    assert_null(strstr(say, "no"));
    assert_string_equal(offers_text, "[{\"label\":\"Mend <!channel> *b* `c` $(id) ' \\\"\",\"recipe\":\"r\",\"style\":\"danger\","
                                     "\"with\":{\"who\":\"<!channel> *b* `c` $(id) ' \\\"\"}}]");
    assert_string_equal(memories_text, "[{\"before\":\"k-before\",\"changes\":\"who\",\"fields\":{\"who\":\"<!channel> *b* `c` "
                                       "$(id) ' \\\"\"},\"key\":\"k\"}]");
    assert_int_equal(json_array_size(problems), 1); /* the second offer's label needs a value */
    free(say);
    free(offers_text);
    free(memories_text);
    json_decref(offers);
    json_decref(memories);
    json_decref(scope);
    json_decref(problems);
    json_decref(known);
    json_decref(values);
    hm_alarms_done(&alarms);
}

/* What `each` leaves out is named. */
static void test_each_has_an_end(void **state)
{
    (void)state;
    enum { FEW = 5, SOME = 7, MANY = 40, FULL = 50 };
    static const int counts[] = {FEW, SOME, MANY, FULL};
    struct hm_alarms alarms = one_rule(HEAD "match = \"boom\"; fields = ( { name = \"id\"; type = \"string\"; many = true; "
                                            "find = \"{{begin}}(?<id>#[0-9]+){{end}}\"; } ); say = \"Boom.\";\n"
                                            "offers = ( { recipe = \"mend\"; each = \"id\"; label = \"Mend ${item}\"; } );");
    for (size_t k = 0; k < HM_ARRAY_LEN(counts); k++) {
        json_t *values = hm_json_obj_new();
        json_t *ids = hm_json_arr_new();
        for (int i = 1; i <= counts[k]; i++) {
            char *id = hm_xasprintf("#%d", i);
            hm_json_add(ids, hm_json_str_new(id));
            free(id);
        }
        hm_json_set(values, "id", ids);
        json_t *scope = hm_alarm_scope_new(alarms.items[0], values, NULL);
        json_t *offers = hm_alarm_offers_new(alarms.items[0], scope, NULL);
        char *say = hm_alarm_say(alarms.items[0], scope, NULL);
        assert_int_equal(json_array_size(offers), FEW);
        if (counts[k] == FEW)
            assert_string_equal(say, "Boom.");
        else if (counts[k] == SOME)
            assert_string_equal(say, "Boom.\n:warning: Only the first 5 of 7 have a button. Start `mend` by hand for the others: "
                                     "`#6`, `#7`.");
        else if (counts[k] == MANY)
            assert_non_null(strstr(say, "of 40 have a button. Start `mend` by hand for the others: `#6`, "));
        assert_int_equal(strstr(say, "`#25` and 15 more, which stand in the message.") != NULL, counts[k] == MANY);
        assert_int_equal(strstr(say, " and 25 more, which stand in the message. More than 50 are not looked for") != NULL,
                         counts[k] == FULL);
        free(say);
        json_decref(offers);
        json_decref(scope);
        json_decref(values);
    }
    hm_alarms_done(&alarms);
}

/* The news is about the alarm that these words would raise: not about one whose words stand first and whose fields are not there.
 */
static void test_news_of_which_rule(void **state)
{
    (void)state;
#define RULE(name) "name = \"" name "\"; title = \"X\"; channels = [ \"C0A\" ]; from = [ \"B0A\" ];\n"
    static const char *const texts[] = {
        RULE("over") "match = \"\\\\A\\\\[OK\\\\]\"; resolves = [ \"*\" ];",
        RULE("first") "match = \"disk of\"; fields = ( { name = \"used\"; type = \"int\"; find = \"used "
                      "(?<used>[0-9]+){{end}}\"; } );",
        RULE("second") "match = \"of (?<host>[a-z]+){{end}}\"; fields = ( { name = \"host\"; type = \"string\"; } );",
    };
    static const struct {
        const char *text, *about;
    } cases[] = {
        {"[OK] disk of db used 7", "first"}, /* both are whole */
        {"[OK] disk of db", "second"},       /* the first could not have been raised by this */
        {"[OK] disk of 7", "first"},         /* it says less than the alarm did */
        {"[OK] nothing", NULL},
    };
    struct hm_alarms alarms = {.items = hm_xcalloc(HM_ARRAY_LEN(texts), sizeof(struct hm_alarm_rule *))};
    for (size_t i = 0; i < HM_ARRAY_LEN(texts); i++) {
        struct hm_alarms one = one_rule(texts[i]);
        alarms.items[alarms.count++] = one.items[0];
        free(one.items);
    }
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        json_t *message = parse("{\"type\":\"message\",\"ts\":\"1795867200.000100\",\"channel\":\"C0A\",\"bot_id\":\"B0A\"}");
        struct hm_alarm_verdict v;
        hm_json_set_str(message, "text", cases[i].text);
        hm_alarm_judge(&alarms, message, &(struct hm_alarm_around){0}, &v);
        assert_int_equal(v.kind, HM_ALARM_RESOLVED);
        if (cases[i].about != NULL)
            assert_string_equal(v.about->name, cases[i].about);
        else
            assert_null(v.about);
        hm_alarm_verdict_done(&v);
        json_decref(message);
    }
    hm_alarms_done(&alarms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_news_of_which_rule),
        cmocka_unit_test(test_findings),
        cmocka_unit_test(test_names_of_channels_and_senders),
        cmocka_unit_test(test_where_more_is_said),
        cmocka_unit_test(test_flatten),
        cmocka_unit_test(test_flatten_people),
        cmocka_unit_test(test_long_piece),
        cmocka_unit_test(test_many_marks),
        cmocka_unit_test(test_unless),
        cmocka_unit_test(test_unless_in_title),
        cmocka_unit_test(test_each_has_an_end),
        cmocka_unit_test(test_a_number_with_commas),
        cmocka_unit_test(test_fields_are_typed),
        cmocka_unit_test(test_follow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
