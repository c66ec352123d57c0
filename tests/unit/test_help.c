/* Help texts, the dialogs of a gate, and the small pieces they are made of. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "support/block_limits.h"
#include "support/block_text.h"
#include "support/golden.h"
#include "view/commands.h"
#include "view/dialog.h"
#include "view/help.h"
#include "view/words.h"
#include "view_runs.h"

static void add_message(struct hm_strbuf *out, const char *name, struct hm_slack_message *m)
{
    char why[256] = "";
    char *text = hm_block_text(m->blocks);
    if (!hm_limits_message(m->text, m->blocks, why, sizeof why))
        fail_msg("%s: %s", name, why);
    hm_strbuf_addf(out, "== %s\n%s\n\n%s\n", name, m->text, text);
    free(text);
    hm_slack_message_done(m);
}

static void test_help(void **state)
{
    (void)state;
    struct hm_strbuf out;
    struct hm_slack_message m;
    struct view_run *v = view_run_new();
    struct view_run *reads = view_run_new();
    struct view_run *ungated = view_run_bulk_new(2);
    struct hm_recipe *items[3] = {view_run_recipe(v), view_run_recipe(reads), view_run_recipe(ungated)};
    char always[] = "it only restarts what is idle";
    char *nobody[] = {NULL};
    hm_strbuf_init(&out, 100000);
    items[1]->worst = HM_EFFECT_READ;
    items[1]->who = nobody;
    items[1]->params[1].fallback = hm_template_parse("${known.etl.transaction}", NULL);
    items[2]->ungated = always;
    items[2]->n_params = 0;

    const struct hm_recipe *const *mine = (const struct hm_recipe *const *)items;
    struct hm_help_around around = {.command = "/hausmeister", .may = true, .form_ref = "{\"r\":\"retract\"}"};
    hm_help_render(mine, 3, &around, &m);
    add_message(&out, "all", &m);
    hm_help_render(mine, 0, &around, &m);
    add_message(&out, "none", &m);
    around.others = 1;
    hm_help_render(mine, 2, &around, &m);
    add_message(&out, "one is not his", &m);
    around.others = 3;
    hm_help_render(mine, 0, &around, &m);
    add_message(&out, "none is his", &m);
    around.unsure = true;
    hm_help_render(mine, 0, &around, &m);
    add_message(&out, "Slack does not say", &m);
    hm_help_recipe_render(items[0], &around, &m);
    add_message(&out, "gated", &m);
    around.cookbook = "https://wiki.example.com/cookbook";
    around.may = false;
    hm_help_recipe_render(items[1], &around, &m);
    add_message(&out, "reads", &m);
    json_t *scope = json_pack("{s:{s:{s:s}}}", "known", "etl", "transaction", "319703ce-b90d-5a07-8195-33df0de911c8");
    around.scope = scope;
    hm_help_recipe_render(items[1], &around, &m);
    add_message(&out, "reads, and something is known", &m);
    json_decref(scope);
    around.scope = NULL;
    around.may = true;
    around.form_ref = NULL;
    hm_help_recipe_render(items[2], &around, &m);
    add_message(&out, "ungated", &m);
    assert_true(hm_golden_matches("view/help.txt", hm_strbuf_str(&out)));

    hm_template_free(items[1]->params[1].fallback);
    hm_strbuf_done(&out);
    view_run_free(ungated);
    view_run_free(reads);
    view_run_free(v);
}

/* Two hundred recipes with long titles: the list is cut, the last line stays. */
static void test_a_long_list(void **state)
{
    (void)state;
    struct hm_recipe *items[200];
    struct hm_slack_message m;
    struct view_run *v = view_run_new();
    struct hm_strbuf out;
    for (size_t i = 0; i < HM_ARRAY_LEN(items); i++)
        items[i] = view_run_recipe(v);
    hm_strbuf_init(&out, 100000);
    const struct hm_help_around around = {.command = "/hausmeister"};
    hm_help_render((const struct hm_recipe *const *)items, HM_ARRAY_LEN(items), &around, &m);
    assert_true(m.shortened);
    add_message(&out, "long", &m);
    assert_non_null(strstr(hm_strbuf_str(&out), "tells more of one"));
    hm_strbuf_done(&out);
    view_run_free(v);
}

/* What can be typed beside recipes; one slip or two are seen through, and another word is not. */
static void test_commands(void **state)
{
    (void)state;
    static const struct {
        const char *word, *want;
    } rows[] = {
        {"help", "help"},    {"hlep", "help"},     {"runs", "runs"},     {"rusn", "runs"},       {"run", "run"},
        {"rn", "run"},       {"cancel", "cancel"}, {"cancle", "cancel"}, {"canel", "cancel"},    {"cnacle", "cancel"},
        {"retry", "retry"},  {"rety", "retry"},    {"take", "take"},     {"tkae", "take"},       {"stop", "stop"},
        {"stpo", "stop"},    {"resume", "resume"}, {"resmue", "resume"}, {"approve", "approve"}, {"aprove", "approve"},
        {"rejct", "reject"}, {"retract", NULL},    {"drain", NULL},      {"done", NULL},         {"r", NULL},
        {"", NULL},          {"dead", NULL},
    };
    struct hm_strbuf out;
    hm_strbuf_init(&out, 100000);
    for (size_t i = 0; i < HM_ARRAY_LEN(rows); i++) {
        size_t below = 3;
        const struct hm_chat_command *found = hm_command_nearest(rows[i].word, &below);
        if ((found == NULL) != (rows[i].want == NULL) || (found != NULL && strcmp(found->name, rows[i].want) != 0))
            fail_msg("%s: %s", rows[i].word, found != NULL ? found->name : "nothing");
        if (found == NULL || below != 0)
            continue;
        char *text = hm_command_help(found, "/hausmeister");
        hm_strbuf_addf(&out, "== %s\n%s\n\n", found->name, text);
        free(text);
    }
    size_t below = 1;
    assert_null(hm_command_nearest("hlep", &below)); /* something else is nearer */
    assert_true(hm_golden_matches("view/commands.txt", hm_strbuf_str(&out)));
    hm_strbuf_done(&out);
}

static void test_dialogs(void **state)
{
    (void)state;
    struct hm_strbuf out;
    struct view_run *v = view_run_bulk_new(318);
    struct hm_run *run = view_run_get(v);
    char why[256] = "";
    hm_strbuf_init(&out, 100000);
    view_gate_open(v, 3);
    view_set(&run->steps[VIEW_GATE].gate.typed, "318");
    json_t *views[] = {hm_dialog_typed_new(run, VIEW_GATE, NULL), hm_dialog_glass_new(run, VIEW_GATE, NULL)};
    for (size_t i = 0; i < HM_ARRAY_LEN(views); i++) {
        assert_non_null(views[i]);
        if (!hm_limits_view(views[i], why, sizeof why))
            fail_msg("%s", why);
        char *text = hm_block_text(hm_json_get_arr(views[i], "blocks"));
        hm_strbuf_addf(&out, "== %s %s\n%s\n%s[%s] [%s]\n\n", hm_json_get_str(views[i], "callback_id", ""),
                       hm_json_get_str(views[i], "private_metadata", ""),
                       json_string_value(hm_json_get_path(views[i], "title.text")), text,
                       json_string_value(hm_json_get_path(views[i], "submit.text")),
                       json_string_value(hm_json_get_path(views[i], "close.text")));
        free(text);
        json_decref(views[i]);
    }
    assert_true(hm_golden_matches("view/dialogs.txt", hm_strbuf_str(&out)));
    hm_strbuf_done(&out);
    view_run_free(v);

    char *error = hm_dialog_error(HM_FIELD_TYPED, "That is not 318.");
    assert_string_equal(error, "{\"errors\":{\"typed\":\"That is not 318.\"},\"response_action\":\"errors\"}");
    free(error);
}

static void test_requests(void **state)
{
    (void)state;
    static const struct {
        const char *json, *want;
    } rows[] = {
        {"{\"kind\":\"http\",\"method\":\"GET\",\"url\":\"https://x/y?a=b%20c\",\"headers\":{},\"body\":null}",
         "GET https://x/y?a=b%20c"},
        {"{\"method\":\"POST\",\"url\":\"https://x\",\"headers\":{\"Authorization\":\"Bearer "
         "s\",\"Accept\":\"a/b\"},\"body\":\"\"}",
         "POST https://x\nAuthorization: (not shown)\nAccept: a/b\n\n(empty body)"},
        {"{\"method\":\"POST\",\"url\":\"https://x\",\"body\":\"{\\n 1}\"}", "POST https://x\n\n{\n 1}"},
        {"{\"kind\":\"argv\",\"argv\":[\"aws\",\"s3\",\"rm\",\"s3://b/k y\",\"it's\",\"\",\"--q=1\"]}",
         "aws s3 rm 's3://b/k y' 'it'\\''s' '' --q=1"},
        {"{}", "? ?"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(rows); i++) {
        json_t *request = hm_json_parse_new(rows[i].json, strlen(rows[i].json), 10000, NULL);
        assert_non_null(request);
        char *text = hm_word_request(request);
        assert_string_equal(text, rows[i].want);
        free(text);
        json_decref(request);
    }
}

static void test_words(void **state)
{
    (void)state;
    char *none[] = {NULL};
    char a[] = "a";
    char b[] = "b`";
    char c[] = "c";
    char *three[] = {a, b, c, NULL};
    struct hm_strbuf out;
    hm_strbuf_init(&out, 10000);
    hm_word_user(&out, "U1");
    hm_strbuf_addc(&out, '|');
    hm_word_user(&out, NULL);
    hm_strbuf_addc(&out, '|');
    hm_word_user(&out, "U1> <!here");
    hm_strbuf_addc(&out, '|');
    hm_word_channel(&out, "G1A");
    hm_strbuf_addc(&out, '|');
    hm_word_channel(&out, "general");
    hm_strbuf_addc(&out, '|');
    hm_word_roles(&out, none);
    hm_strbuf_addc(&out, '|');
    hm_word_roles(&out, three);
    hm_strbuf_addc(&out, '|');
    hm_word_count(&out, 1, "thing", "things");
    hm_strbuf_addc(&out, '|');
    hm_word_count(&out, 1200, "thing", "things");
    assert_string_equal(hm_strbuf_str(&out),
                        "<@U1>|somebody|`U1&gt; &lt;!here`|<#G1A>|`general`|anybody|role `a`, `bˋ` or `c`|1 thing|"
                        "1,200 things");
    hm_strbuf_done(&out);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help),    cmocka_unit_test(test_a_long_list), cmocka_unit_test(test_commands),
        cmocka_unit_test(test_dialogs), cmocka_unit_test(test_requests),    cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
