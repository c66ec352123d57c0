/* Which remembered values there can be: what rules and settings set, and what is said of a name that nothing sets. */
#include "recipe/settable.h"

#include <stdlib.h>
#include <string.h>

#include "alarm/alarm.h"
#include "base/json.h"
#include "base/mem.h"
#include "unit.h"

#define HEAD(name) "name = \"" name "\"; title = \"X\"; channels = [ \"C0A\" ]; from = [ \"B0A\" ]; match = \"a\";\n"

static struct hm_alarms load(const char *const *texts, size_t n)
{
    struct hm_diags diags;
    struct hm_alarms alarms = {.items = hm_xcalloc(n, sizeof(void *))};
    hm_diags_init(&diags);
    for (size_t i = 0; i < n; i++) {
        alarms.items[alarms.count++] = hm_alarm_parse("x.cfg", texts[i], NULL, &diags);
        if (diags.count > 0)
            fail_msg("%s", diags.items[0].text);
    }
    hm_diags_done(&diags);
    return alarms;
}

static json_t *settings_known(void)
{
    return json_pack("{s:{s:s}, s:{s:s}}", "etl", "hint", "x", "place", "region", "y");
}

static void test_what_can_be_set(void **state)
{
    (void)state;
    static const char *const texts[] = {
        HEAD("one") "remember = ( { key = \"etl\"; fields = { tx = \"t\"; day = \"${day}\"; }; before = \"etl-yesterday\"; "
                    "changes = \"day\"; } );",
        HEAD("two") "remember = ( { key = \"etl\"; fields = { run = \"r\"; }; when = \"sender == 'B0A'\"; } );",
    };
    static const struct {
        const char *path;
        const char *alone, *rules; /* with the settings alone, with the rules too; NULL = nothing is said */
    } cases[] = {
        {"known.etl.hint", NULL, NULL},
        {"known.place.region", NULL, NULL},
        {"known.etl.tx", NULL, NULL},
        {"known.etl.run", NULL, NULL},
        {"known.etl-yesterday.tx", NULL, NULL},
        {"known.etl-yesterday.run", NULL, NULL},
        {"known.etl-yesterday.hint", NULL, NULL},
        {"known.etl.hnit", "nothing ever sets known.etl.hnit; did you mean \"hint\"? known.etl has: hint",
         "nothing ever sets known.etl.hnit; did you mean \"hint\"? known.etl has: hint tx day run"},
        {"known.etl.else", NULL, "nothing ever sets known.etl.else; known.etl has: hint tx day run"},
        {"known.plaec.region",
         "nothing ever sets known.plaec.region: neither known in the settings nor a rule's remember has the key \"plaec\"; did "
         "you mean \"place\"?",
         "nothing ever sets known.plaec.region: neither known in the settings nor a rule's remember has the key \"plaec\"; did "
         "you mean \"place\"?"},
        {"known.nobody.x", NULL,
         "nothing ever sets known.nobody.x: neither known in the settings nor a rule's remember has the key \"nobody\""},
        {"known.etl", NULL, NULL}, /* another finding */
    };
    struct hm_alarms alarms = load(texts, HM_ARRAY_LEN(texts));
    struct hm_alarms none = {0};
    struct hm_settable alone = {.keys = settings_known()};
    struct hm_settable both = {.keys = settings_known()};
    alone.whole = hm_alarms_settable(&none, alone.keys);
    both.whole = hm_alarms_settable(&alarms, both.keys);
    for (size_t i = 0; i < 2 * HM_ARRAY_LEN(cases); i++) {
        const struct hm_settable *settable = i % 2 == 0 ? &alone : &both;
        const char *want = i % 2 == 0 ? cases[i / 2].alone : cases[i / 2].rules;
        struct hm_strbuf said;
        hm_strbuf_init(&said, 1000);
        assert_int_equal(hm_settable_ok(settable, cases[i / 2].path, &said), want == NULL);
        if (want != NULL)
            assert_string_equal(hm_strbuf_str(&said), want);
        hm_strbuf_done(&said);
    }
    json_decref(alone.keys);
    json_decref(both.keys);
    hm_alarms_done(&alarms);
}

/* In texts, conditions and what is handed over; with the line. */
static void test_what_rules_name(void **state)
{
    (void)state;
    static const char *const texts[] = {
        HEAD("one") "remember = ( { key = \"etl\"; fields = { tx = \"t\"; }; } );\nsay = ( { when = \"known.etl.xt != null\";\n"
                    "  say = \"${known.etl.tx} ${known.elt.tx}\"; } );",
    };
    struct hm_diags diags;
    struct hm_recipes recipes = {0};
    struct hm_alarms alarms = load(texts, HM_ARRAY_LEN(texts));
    struct hm_settable known = {.keys = settings_known()};
    known.whole = hm_alarms_settable(&alarms, known.keys);
    hm_diags_init(&diags);
    hm_alarms_link(&alarms, &recipes, NULL, &diags);
    assert_int_equal(diags.count, 0);
    hm_alarms_link(&alarms, &recipes, &known, &diags);
    assert_int_equal(diags.count, 2);
    assert_int_equal(diags.items[0].line, 3);
    assert_string_equal(diags.items[0].text,
                        "say[1].when: nothing ever sets known.etl.xt; did you mean \"tx\"? known.etl has: hint tx");
    assert_int_equal(diags.items[1].line, 4);
    hm_diags_done(&diags);
    json_decref(known.keys);
    hm_alarms_done(&alarms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_can_be_set),
        cmocka_unit_test(test_what_rules_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
