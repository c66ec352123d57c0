/* Which backend a probe asks: never one of another place than the call's. */
#include <string.h>

#include "run/plan.h"
#include "unit.h"

static char n_aurora[] = "aurora", n_aurora_foz[] = "aurora-foz", n_sabesp[] = "sabesp", n_sabesp_foz[] = "sabesp-foz",
            n_odd[] = "spare";
static const struct hm_backend backends[] = {
    {.name = n_aurora, .handler = n_aurora}, {.name = n_aurora_foz, .handler = n_aurora},
    {.name = n_sabesp, .handler = n_sabesp}, {.name = n_sabesp_foz, .handler = n_sabesp},
    {.name = n_odd, .handler = n_sabesp},
};

/* arg: one more of them, or NULL */
static const struct hm_backend *find_or(void *arg, const char *name)
{
    const struct hm_backend *more = arg;
    for (size_t i = 0; i < sizeof backends / sizeof backends[0]; i++)
        if (strcmp(backends[i].name, name) == 0)
            return &backends[i];
    return more != NULL && strcmp(more->name, name) == 0 ? more : NULL;
}

static void test_choice(void **state)
{
    static const struct {
        const char *call, *on, *found;
    } cases[] = {
        {"sabesp", NULL, "aurora"},             /* the other handler's */
        {"sabesp-foz", NULL, "aurora-foz"},     /* of the same place */
        {"spare", NULL, "aurora"},              /* a name without a place */
        {"aurora-foz", NULL, "aurora-foz"},     /* its own, and after a probe that was asked already */
        {"sabesp", "aurora-foz", "aurora-foz"}, /* the recipe's word */
        {"sabesp", "sabesp-foz", NULL},         /* no backend of that handler */
        {"sabesp", "aurora-mx", NULL},          /* no such backend */
        {"gone", NULL, NULL},                   /* the call's own was removed */
        {NULL, NULL, NULL},
    };
    const struct hm_action probe = {.name = "aurora.tasks"};
    const struct hm_run_env env = {.backend = find_or};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct hm_backend *found = hm_plan_probe_backend(&env, cases[i].call, &probe, cases[i].on);
        if (cases[i].found == NULL)
            assert_null(found);
        else
            assert_string_equal(found->name, cases[i].found);
    }
}

/* The call's own backend is of a place that has none of the probe's: the other place's is not asked. */
static void test_no_guess(void **state)
{
    static char n_sabesp_mx[] = "sabesp-mx";
    const struct hm_action probe = {.name = "aurora.tasks"};
    struct hm_backend mx = {.name = n_sabesp_mx, .handler = n_sabesp};
    const struct hm_run_env env = {.backend = find_or, .arg = &mx};
    (void)state;
    assert_null(hm_plan_probe_backend(&env, "sabesp-mx", &probe, NULL));
    assert_string_equal(hm_plan_probe_backend(&env, "sabesp-mx", &probe, "aurora")->name, "aurora");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_choice), cmocka_unit_test(test_no_guess)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
