/* Any bytes as an alarm file: a rule or findings, never both and never neither. Any JSON as a message: flattened within its
 * ceiling, valid UTF-8, and judged by a rule that takes whatever it can get. */
#include <stdlib.h>
#include <string.h>

#include "alarm/alarm.h"
#include "alarm/flatten.h"
#include "alarm/follow.h"
#include "alarm/judge.h"
#include "base/assert.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "target.h"

static const char rule_text[] =
    "name = \"any\"; title = \"Any\"; channels = [ \"C0A\" ]; from = [ \"B0A\", \"people\" ]; match = \"^(?<word>[^\\n]+)\";\n"
    "unless = [ \"not\", \"\\\\?$\" ];\n"
    "fields = ( { name = \"word\"; type = \"string\"; }, { name = \"n\"; type = \"int\"; find = \"{{sep}}(?<n>[0-9]+){{end}}\"; "
    "optional "
    "= true; },\n"
    "  { name = \"all\"; type = \"string\"; find = \"{{begin}}(?<all>\\\\S{1,20})\"; many = true; optional = true; } );\n"
    "dedupe = { key = \"${word}/${all}\"; for = \"1h\"; }; say = \"${word} ${n} ${all}\";\n"
    "offers = ( { recipe = \"r\"; label = \"${word}\"; with = { word = \"${word}\"; n = \"${n}\"; }; },\n"
    "  { recipe = \"e\"; each = \"all\"; label = \"${item}\"; } );";

static struct hm_alarms *any_rule(void)
{
    static struct hm_alarms alarms;
    static struct hm_alarm_rule *items[1];
    struct hm_diags diags;
    if (alarms.count > 0)
        return &alarms;
    hm_diags_init(&diags);
    items[0] = hm_alarm_parse("any", rule_text, NULL, &diags);
    HM_ASSERT(items[0] != NULL);
    alarms = (struct hm_alarms){items, 1};
    return &alarms;
}

static void judge(const json_t *message, bool bare)
{
    const struct hm_alarm_around around = {.team = "T0A", .bare = bare, .channel = "C0A", .explain = true};
    struct hm_alarm_verdict v;
    hm_alarm_judge(any_rule(), message, &around, &v);
    HM_ASSERT(v.why != NULL && hm_utf8_valid(v.text, strlen(v.text)));
    if (v.kind == HM_ALARM_MATCH) {
        json_t *scope = hm_alarm_scope_new(v.rule, v.values, NULL);
        char *say = hm_alarm_say(v.rule, scope, NULL);
        json_t *offers = hm_alarm_offers_new(v.rule, scope, NULL);
        HM_ASSERT(strchr(say, '<') == NULL && json_is_array(offers));
        json_decref(offers);
        json_decref(scope);
        free(say);
    }
    hm_alarm_verdict_done(&v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hm_diags diags;
    char *text = hm_xstrndup((const char *)data, size);
    hm_diags_init(&diags);
    struct hm_alarm_rule *rule = hm_alarm_parse("x", text, NULL, &diags);
    HM_ASSERT((rule != NULL) == (diags.count == 0));
    if (rule != NULL)
        HM_ASSERT(rule->match != NULL && rule->name != NULL && rule->channel_ids != NULL);
    hm_alarm_rule_free(rule);
    hm_diags_done(&diags);

    json_t *message = hm_json_parse_new((const char *)data, size, 1 << 20, NULL);
    if (message != NULL) {
        for (int person = 0; person < 2; person++) {
            char *flat = hm_alarm_flatten(message, person == 1);
            HM_ASSERT(strlen(flat) <= HM_ALARM_TEXT_MAX);
            free(flat);
        }
        judge(message, false);
        judge(message, true);
        json_decref(message);
    } else {
        json_t *said = hm_json_obj_new();
        char *clean = hm_utf8_clean((const char *)data, size);
        hm_json_set_str(said, "text", clean);
        judge(said, true);
        json_decref(said);
        free(clean);
    }
    free(text);
    return 0;
}
