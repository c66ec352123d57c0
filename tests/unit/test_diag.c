/* Findings in files: all are kept up to the ceiling, long ones are cut, the rest is counted. */
#include "base/diag.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "unit.h"

static void test_keeps_what_is_added(void **state)
{
    (void)state;
    struct hm_diags diags;
    char file[] = "retract.cfg";
    hm_diags_init(&diags);
    hm_diags_add(&diags, file, 12, "unknown key \"%s\"", "stpes");
    file[0] = 'X'; /* it has its own copy */
    hm_diags_add(&diags, "other.cfg", 0, "no steps");
    assert_int_equal(diags.count, 2);
    assert_int_equal(diags.dropped, 0);
    assert_string_equal(diags.items[0].file, "retract.cfg");
    assert_int_equal(diags.items[0].line, 12);
    assert_string_equal(diags.items[0].text, "unknown key \"stpes\"");
    assert_string_equal(diags.items[1].file, "other.cfg");
    assert_int_equal(diags.items[1].line, 0);
    assert_string_equal(diags.items[1].text, "no steps");
    assert_string_equal(diags.items[0].at, "retract.cfg:12");
    assert_string_equal(diags.items[1].at, "other.cfg"); /* of the whole file: no line that nobody finds */
    char *last = hm_diags_take_last(&diags);
    assert_string_equal(last, "no steps");
    free(last);
    assert_int_equal(diags.count, 1);
    hm_diags_done(&diags);
    assert_int_equal(diags.count, 0);
    hm_diags_done(&diags); /* a second time is harmless */
}

static void test_ceilings(void **state)
{
    (void)state;
    struct hm_diags diags;
    char text[3001];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    hm_diags_init(&diags);
    hm_diags_add(&diags, "x.cfg", 1, "%s", text);
    assert_int_equal(strlen(diags.items[0].text), 2000);
    assert_true(hm_starts_with(text, diags.items[0].text));
    for (int i = 1; i < 510; i++)
        hm_diags_add(&diags, "x.cfg", i, "finding %d", i);
    assert_int_equal(diags.count, 500);
    assert_int_equal(diags.dropped, 10);
    assert_string_equal(diags.items[499].text, "finding 499");
    hm_diags_done(&diags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keeps_what_is_added),
        cmocka_unit_test(test_ceilings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
