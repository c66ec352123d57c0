/* In which list of a source file a line stands (handlers/code_list.h). */
#include <string.h>

#include "handlers/code_list.h"
#include "unit.h"

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *lines[4]; /* the last of them is asked about */
        const char *name;
    } cases[] = {
        {{"policies = [", "  'limit',"}, "policies"},
        {{"policies = ['limit']"}, "policies"},
        {{"    policies = {", "  'limit': 1,"}, "policies"},
        {{"policies += [", "  'limit',"}, "policies"},
        {{"policies |= {", "  'limit',"}, "policies"},
        {{"policies: List[str] = [", "  'limit',"}, "policies"},
        {{"policies: \"list # of texts\"", "  'limit',"}, ""},
        {{"policies = set([", "  'limit',"}, "policies"},
        {{"policies = tuple(", "  'limit',"}, "policies"},
        {{"task = PythonOperator(", "  'limit',"}, ""},
        {{"if policies == [", "  'limit',"}, ""},
        {{"policies = [", "  'limit',", "]", "'other'"}, ""},
        {{"policies = [", "  'a', # ]", "  'limit',"}, "policies"},
        {{"policies = [", "more = [", "  'limit',"}, "more"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct hm_code_list list = {0};
        for (size_t k = 0; k < 4 && cases[i].lines[k] != NULL; k++)
            hm_code_list_line(&list, cases[i].lines[k]);
        assert_string_equal(list.name, cases[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
