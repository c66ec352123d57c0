/* Guards: which values of a pattern have nothing that stands before or behind them. */
#include "alarm/guard.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "unit.h"

/* Which named groups have nothing to their left. */
static void test_guards(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *unguarded; /* NULL = none */
    } cases[] = {
        {"", NULL},
        {"a", NULL},
        {"(?<v>a)", "v"},
        {"\\b(?<v>a)", "v"},
        {"a \\b(?<v>a)", "v"},
        {"a (?<v>a)", NULL},
        {"\\s(?<v>a)", NULL},
        {"^(?<v>a)", NULL},
        {"[^\\s](?<v>a)", NULL},
        {"[]\\]([:alpha:]](?<v>a)", NULL},
        {"(?<![^\\s])(?<v>a)", NULL},
        {"(?<=x)(?<v>a)", NULL},
        {"(?=x)(?<v>a)", "v"},
        {"a(?!x)(?<v>a)", NULL},
        {"(?i:job)[:=](?<v>a)", NULL},
        {"(?:(?<v>a))", "v"},
        {"(?i:x)|(?<v>a)", "v"},
        {"(?:job: |\\b)(?<v>a)", "v"},
        {"(?:\\b|job: )(?<v>a)", "v"},
        {"(?:job: |=)(?<v>a)", NULL},
        {"(?:^|(?<=x))(?<v>a)", NULL},
        {"x(?:job: |\\s*)(?<v>a)", NULL},
        {"(?:\\b)(?<v>a)", "v"},
        {"(?:)(?<v>a)", "v"},
        {"(?:job:)?(?<v>a)", "v"},
        {"(?:job:)*?(?<v>a)", "v"},
        {"(?:job:)+(?<v>a)", NULL},
        {"(?:job:)+?(?<v>a)", NULL},
        {"(?<=x)?(?<v>a)", "v"},
        {"[ ]*(?<v>a)", "v"},
        {"[ ]*+(?<v>a)", "v"},
        {"x[ ]*(?<v>a)", NULL},
        {"x?y*(?<v>a)", "v"},
        {"xy?(?<v>a)", NULL},
        {"\\s*?(?<v>a)", "v"},
        {"\\p{L}?(?<v>a)", "v"},
        {"\\x20?(?<v>a)", "v"},
        {"\xe2\x80\x93?(?<v>a)", "v"},
        {"x{0}(?<v>a)", "v"},
        {"x{0,3}(?<v>a)", "v"},
        {"x{,3}(?<v>a)", "v"},
        {"x{2,3}(?<v>a)", NULL},
        {"x{2}?(?<v>a)", NULL},
        {"(?m)(?<v>a)", "v"},
        {"x(?-i)(?<v>a)", NULL},
        {"(?m)^(?<v>a)", NULL},
        {"(?#job)(?<v>a)", "v"},
        {"(*UCP)(?<v>a)", "v"},
        {"\\K(?<v>a)", "v"},
        {"(?:job: |\\b(?<w>p)-)(?<v>a)", "w"},
        {"a(?:b|(?<v>a))", NULL},
        {"\\b(?:b|(?<v>a))", "v"},
        {"x(?<v>a(?<w>b))", NULL},
        {"(?P<v>a)", "v"},
        {"(?'v'a)", "v"},
        {"\\((?<v>a)", NULL},
        {"(?:", NULL},
        {"(?<", ""},
        {"(((", NULL},
        {"a)(?<v>b)", NULL},
        {"\\", NULL},
        {"[", NULL},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        size_t len = 0;
        const char *name = hm_alarm_unguarded(cases[i].pattern, &len);
        char *found = hm_xstrndup(name != NULL ? name : "none", name != NULL ? len : strlen("none"));
        if (strcmp(found, cases[i].unguarded != NULL ? cases[i].unguarded : "none") != 0)
            fail_msg("%s: %s", cases[i].pattern, found);
        free(found);
    }
}

static void test_open_ended(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *open; /* NULL = each value ends */
    } cases[] = {
        {"x(?<v>[a-z]+)", "v"},
        {"x(?<v>[a-z]+)(?![a-z])", NULL},
        {"x(?<v>[a-z]+)(?=,)", NULL},
        {"x(?<v>[a-z]+)$", NULL},
        {"x(?<v>[a-z]+)\\b", "v"},
        {"x(?<v>[a-z]+)(?<=a)", "v"},
        {"x(?<v>[a-z]+) is bad", NULL},
        {"x(?<v>[a-z]+)\\s", NULL},
        {"x(?<v>[a-z]+)\\s?", "v"},
        {"x(?<v>[a-z]+)\\s*+,", NULL},
        {"x(?<v>[a-z]+)(?i: is bad)", NULL},
        {"x(?<v>[a-z]+)(?: is bad)?", "v"},
        {"x(?<v>[a-z]+)(?: is| was|)", "v"},
        {"x(?<v>[a-z]+)(?: is|\\b)", "v"},
        {"x(?<v>[a-z]+)(?: is|(?:$|,))", NULL},
        {"x(?<v>[a-z]+)(?: is|(?:\\b|,))", "v"},
        {"x(?:a(?<v>[a-z]+)|b(?<w>[a-z]+),)", "v"},
        {"x(?:a(?<v>[a-z]+)|b(?<w>[a-z]+))!", NULL},
        {"x(?:(?<v>[a-z]+))?!", NULL},
        {"x(?<v>[a-z]+)|y(?<w>b)!", "v"},
        {"x(?<v>[a-z]+)!|y(?<w>b)", "w"},
        {"x(?<v>[a-z]+)?!", NULL},
        {"x(?<v>[a-z]{2}(?:-[a-z]+){3})", "v"},
        {"x(?<v>a(?<w>b))c", NULL},
        {"x(?<v>a(?<w>b))", "w"},
        {"x(?<v>[^\n]{1,200})", NULL}, /* these end where the line does */
        {"x(?<v>.+)", NULL},
        {"x(?<v>\\S+)", NULL},
        {"x(?<v>[a-z]+(?i))(?i)", "v"},
        {"x(?<v>`[a-z]+`)", NULL},
        {"x(?<v>`[a-z]+`?)", "v"},
        {"x(?<v>\\([a-z]+\\))(?#end)", NULL},
        {"x(?<v>[a-z]+_)", "v"},
        {"x(?<v>[)])\\]", NULL},
        {"x(?P<v>a)", "v"},
        {"x(?<v>\xe2\x80\x93)\xe2\x80\x93", NULL},
        {"((((", NULL},
        {")(?<", NULL},
        {"(?<v>", NULL},
        {"\\", NULL},
        {"[", NULL},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        size_t len = 0;
        const char *name = hm_alarm_open_ended(cases[i].pattern, &len);
        char *found = hm_xstrndup(name != NULL ? name : "none", name != NULL ? len : strlen("none"));
        if (strcmp(found, cases[i].open != NULL ? cases[i].open : "none") != 0)
            fail_msg("%s: %s", cases[i].pattern, found);
        free(found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_guards), cmocka_unit_test(test_open_ended)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
