/* The Block Kit validator: what Slack takes passes, what it refuses is refused at the right place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "blockkit.h"
#include "elements.h"

/* JSON with ' for ", and every "@N" in it becomes N letters x. */
static json_t *json_new(const char *text)
{
    struct hm_strbuf b;
    json_t *value = NULL;

    hm_strbuf_init(&b, 1000000);
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            hm_strbuf_addc(&b, '"');
        } else if (*text == '@') {
            int n = 0;

            for (; text[1] >= '0' && text[1] <= '9'; text++) {
                n = n * 10 + (text[1] - '0');
            }
            for (; n > 0; n--) {
                hm_strbuf_addc(&b, 'x');
            }
        } else {
            hm_strbuf_addc(&b, *text);
        }
    }
    value = json_loads(hm_strbuf_str(&b), 0, NULL);
    assert_non_null(value);
    hm_strbuf_done(&b);
    return value;
}

/* where: NULL when it must pass, otherwise the end of an expected finding ("… [json-pointer:/blocks/0/text]"). */
struct row {
    enum sim_surface surface;
    const char *blocks;
    const char *where;
};

static bool found_at(const json_t *errors, const char *where)
{
    size_t i = 0;
    char *tail = hm_xasprintf("[json-pointer:%s]", where);
    bool found = false;

    for (i = 0; i < json_array_size(errors); i++) {
        found = found || strstr(json_string_value(json_array_get(errors, i)), tail) != NULL;
    }
    free(tail);
    return found;
}

static void check_rows(const struct row *rows, size_t nr)
{
    size_t i = 0;

    for (i = 0; i < nr; i++) {
        json_t *blocks = json_new(rows[i].blocks);
        json_t *errors = hm_json_arr_new();
        bool ok = sim_blockkit_check_blocks(blocks, rows[i].surface, "/blocks", errors);

        if (ok != (rows[i].where == NULL) || (rows[i].where != NULL && !found_at(errors, rows[i].where))) {
            char *text = json_dumps(errors, 0);

            fail_msg("%s: wanted %s, found %s", rows[i].blocks, rows[i].where != NULL ? rows[i].where : "nothing", text);
        }
        json_decref(blocks);
        json_decref(errors);
    }
}

#define MSG   SIM_IN_MESSAGE
#define MODAL SIM_IN_MODAL

static void test_texts(void **state)
{
    static const struct row rows[] = {
        {MSG, "[{'type':'section','text':{'type':'mrkdwn','text':'@3000'}}]", NULL},
        {MSG, "[{'type':'section','text':{'type':'mrkdwn','text':'@3001'}}]", "/blocks/0/text/text"},
        {MSG, "[{'type':'section','text':{'type':'mrkdwn','text':''}}]", "/blocks/0/text/text"},
        {MSG, "[{'type':'section','text':'bare'}]", "/blocks/0/text"},
        {MSG, "[{'type':'section','text':{'type':'html','text':'x'}}]", "/blocks/0/text/type"},
        {MSG, "[{'type':'section','text':{'type':'mrkdwn','text':'x','emoji':true}}]", "/blocks/0/text"},
        {MSG, "[{'type':'section'}]", "/blocks/0"},
        {MSG, "[{'type':'section','fields':[{'type':'mrkdwn','text':'@2000'}]}]", NULL},
        {MSG, "[{'type':'section','fields':[{'type':'mrkdwn','text':'@2001'}]}]", "/blocks/0/fields/0/text"},
        {MSG, "[{'type':'section','fields':[]}]", "/blocks/0/fields"},
        {MSG, "[{'type':'header','text':{'type':'plain_text','text':'@150'}}]", NULL},
        {MSG, "[{'type':'header','text':{'type':'plain_text','text':'@151'}}]", "/blocks/0/text/text"},
        {MSG, "[{'type':'header','text':{'type':'mrkdwn','text':'x'}}]", "/blocks/0/text/type"},
        {MSG, "[{'type':'markdown','text':'@12000'}]", NULL},
        {MSG, "[{'type':'markdown','text':'@12001'}]", "/blocks/0/text"},
        {MSG, "[{'type':'divider','text':'x'}]", "/blocks/0"},
    };
    (void)state;
    check_rows(rows, HM_ARRAY_LEN(rows));
}

static void test_buttons(void **state)
{
#define ACTIONS(elements) "[{'type':'actions','elements':[" elements "]}]"
#define BUTTON(more)      "{'type':'button','text':{'type':'plain_text','text':'Go'}" more "}"
    static const struct row rows[] = {
        {MSG, ACTIONS(BUTTON(",'value':'@2000','action_id':'@255','style':'danger'")), NULL},
        {MSG, ACTIONS(BUTTON(",'value':'@2001'")), "/blocks/0/elements/0/value"},
        {MSG, ACTIONS(BUTTON(",'action_id':'@256'")), "/blocks/0/elements/0/action_id"},
        {MSG, ACTIONS(BUTTON(",'style':'default'")), "/blocks/0/elements/0/style"},
        {MSG, ACTIONS(BUTTON(",'url':'javascript:x'")), "/blocks/0/elements/0/url"},
        {MSG, ACTIONS("{'type':'button','text':{'type':'plain_text','text':'@76'}}"), "/blocks/0/elements/0/text/text"},
        {MSG, ACTIONS("{'type':'button','text':{'type':'mrkdwn','text':'x'}}"), "/blocks/0/elements/0/text/type"},
        {MSG, ACTIONS("{'type':'button'}"), "/blocks/0/elements/0"},
        {MSG, ACTIONS(""), "/blocks/0/elements"},
        {MSG, ACTIONS("{'type':'plain_text_input'}"), "/blocks/0/elements/0/type"},
        {MSG, ACTIONS(BUTTON(",'action_id':'a'") "," BUTTON(",'action_id':'a'")), "/blocks/0/elements/1/action_id"},
        {MSG,
         ACTIONS(
             BUTTON(",'confirm':{'title':{'type':'plain_text','text':'@100'},'text':{'type':'mrkdwn','text':'@300'},"
                    "'confirm':{'type':'plain_text','text':'@30'},'deny':{'type':'plain_text','text':'@30'},'style':'danger'}")),
         NULL},
        {MSG, ACTIONS(BUTTON(",'confirm':{'title':{'type':'plain_text','text':'x'},'text':{'type':'mrkdwn','text':'@301'}}")),
         "/blocks/0/elements/0/confirm/text/text"},
        {MSG, ACTIONS(BUTTON(",'confirm':{'text':{'type':'mrkdwn','text':'x'}}")), "/blocks/0/elements/0/confirm/title"},
        {MSG,
         ACTIONS(BUTTON(",'confirm':{'title':{'type':'plain_text','text':'x'},'text':{'type':'mrkdwn','text':'x'},"
                        "'confirm':{'type':'plain_text','text':'@31'}}")),
         "/blocks/0/elements/0/confirm/confirm/text"},
    };
    (void)state;
    check_rows(rows, HM_ARRAY_LEN(rows));
}

static void test_menus(void **state)
{
#define OPTION(value) "{'text':{'type':'plain_text','text':'t'},'value':'" value "'}"
    static const struct row rows[] = {
        {MSG, ACTIONS("{'type':'static_select','options':[" OPTION("a") "],'initial_option':" OPTION("a") "}"), NULL},
        {MSG, ACTIONS("{'type':'static_select','options':[" OPTION("a") "],'initial_option':" OPTION("b") "}"),
         "/blocks/0/elements/0/initial_option"},
        {MSG, ACTIONS("{'type':'static_select'}"), "/blocks/0/elements/0"},
        {MSG, ACTIONS("{'type':'static_select','options':[{'text':{'type':'plain_text','text':'@76'},'value':'a'}]}"),
         "/blocks/0/elements/0/options/0/text/text"},
        {MSG, ACTIONS("{'type':'static_select','options':[{'text':{'type':'plain_text','text':'x'},'value':'@151'}]}"),
         "/blocks/0/elements/0/options/0/value"},
        {MSG,
         ACTIONS(
             "{'type':'overflow','options':[" OPTION("1") "," OPTION("2") "," OPTION("3") "," OPTION("4") "," OPTION("5") "]}"),
         NULL},
        {MSG,
         ACTIONS("{'type':'overflow','options':[" OPTION("1") "," OPTION("2") "," OPTION("3") "," OPTION("4") "," OPTION(
             "5") "," OPTION("6") "]}"),
         "/blocks/0/elements/0/options"},
        {MSG, ACTIONS("{'type':'multi_static_select','options':[" OPTION("1") "]}"), "/blocks/0/elements/0/type"},
        {MSG, ACTIONS("{'type':'datepicker','initial_date':'2026-11-23'}"), NULL},
        {MSG, ACTIONS("{'type':'datepicker','initial_date':'23.11.2026'}"), "/blocks/0/elements/0/initial_date"},
        {MSG, ACTIONS("{'type':'radio_buttons','options':[]}"), "/blocks/0/elements/0/options"},
    };
    (void)state;
    check_rows(rows, HM_ARRAY_LEN(rows));
}

static void test_inputs_and_places(void **state)
{
#define INPUT(element) "[{'type':'input','label':{'type':'plain_text','text':'l'},'element':" element "}]"
    static const struct row rows[] = {
        {MODAL, INPUT("{'type':'plain_text_input','max_length':3000}"), NULL},
        {MODAL, INPUT("{'type':'plain_text_input','max_length':3001}"), "/blocks/0/element/max_length"},
        {MODAL, INPUT("{'type':'button','text':{'type':'plain_text','text':'x'}}"), "/blocks/0/element/type"},
        {MODAL, INPUT("{'type':'number_input'}"), "/blocks/0/element"},
        {MODAL, "[{'type':'input','element':{'type':'plain_text_input'}}]", "/blocks/0"},
        {MODAL, "[{'type':'markdown','text':'x'}]", "/blocks/0/type"},
        {MODAL, "[{'type':'table','rows':[[{'type':'raw_text','text':'x'}]]}]", "/blocks/0/type"},
        {MSG, "[{'type':'table','rows':[[{'type':'raw_text','text':'x'}]]}]", NULL},
        {MSG, "[{'type':'table','rows':[[{'type':'text','text':'x'}]]}]", "/blocks/0/rows/0/0"},
        {MSG,
         "[{'type':'table','rows':[[{'type':'raw_text','text':'x'}]]},{'type':'table','rows':[[{'type':'raw_text','text':'x'}]]}"
         "]",
         "/blocks/1/rows"},
        {MSG, "[{'type':'nonsense'}]", "/blocks/0/type"},
        {MSG, "[1]", "/blocks/0"},
        {MSG, "[{'type':'divider','block_id':'a'},{'type':'divider','block_id':'a'}]", "/blocks/1/block_id"},
        {MSG, "[{'type':'divider','block_id':'@256'}]", "/blocks/0/block_id"},
        {MSG,
         "[{'type':'context','elements':[{'type':'mrkdwn','text':'x'},{'type':'image','image_url':'https://x','alt_text':'a'}]}]",
         NULL},
        {MSG, "[{'type':'context','elements':[{'type':'button','text':{'type':'plain_text','text':'x'}}]}]",
         "/blocks/0/elements/0/type"},
        {MSG, "[{'type':'image','image_url':'https://x'}]", "/blocks/0"},
        {MSG,
         "[{'type':'rich_text','elements':[{'type':'rich_text_preformatted','elements':[{'type':'text','text':'x'}]},"
         "{'type':'rich_text_list','style':'bullet','elements':[{'type':'rich_text_section','elements':[{'type':'user','user_id':"
         "'U1'}]}]}]}]",
         NULL},
        {MSG, "[{'type':'rich_text','elements':[{'type':'rich_text_section','elements':[{'type':'text','text':''}]}]}]",
         "/blocks/0/elements/0/elements/0"},
        {MSG, "[{'type':'rich_text','elements':[{'type':'text','text':'x'}]}]", "/blocks/0/elements/0"},
    };
    (void)state;
    check_rows(rows, HM_ARRAY_LEN(rows));
}

static void test_counts(void **state)
{
    json_t *blocks = hm_json_arr_new();
    json_t *errors = hm_json_arr_new();
    size_t i = 0;

    (void)state;
    for (i = 0; i < 50; i++) {
        hm_json_add(blocks, json_new("{'type':'divider'}"));
    }
    assert_true(sim_blockkit_check_blocks(blocks, SIM_IN_MESSAGE, "/blocks", errors));
    hm_json_add(blocks, json_new("{'type':'divider'}"));
    assert_false(sim_blockkit_check_blocks(blocks, SIM_IN_MESSAGE, "/blocks", errors));
    assert_string_equal(json_string_value(json_array_get(errors, 0)), "no more than 50 items allowed [json-pointer:/blocks]");
    assert_true(sim_blockkit_check_blocks(blocks, SIM_IN_HOME, "/blocks", errors));
    assert_int_equal(sim_blockkit_chars(blocks), 51 * 18 + 50 + 2);
    json_decref(blocks);
    json_decref(errors);
}

static void test_views(void **state)
{
#define TITLE "'title':{'type':'plain_text','text':'t'}"
    static const struct {
        const char *view, *where;
    } rows[] = {
        {"{'type':'modal'," TITLE ",'blocks':[]}", NULL},
        {"{'type':'modal','blocks':[]}", ""},
        {"{'type':'modal','title':{'type':'plain_text','text':'@25'},'blocks':[]}", "/title/text"},
        {"{'type':'modal'," TITLE ",'private_metadata':'@3001','blocks':[]}", "/private_metadata"},
        {"{'type':'modal'," TITLE
         ",'blocks':[{'type':'input','label':{'type':'plain_text','text':'l'},'element':{'type':'plain_text_input'}}]}",
         ""},
        {"{'type':'modal'," TITLE
         ",'submit':{'type':'plain_text','text':'s'},'blocks':[{'type':'input','label':{'type':'plain_text','text':'l'},"
         "'element':{'type':'plain_text_input'}}]}",
         NULL},
        {"{'type':'home','blocks':[{'type':'section','text':{'type':'mrkdwn','text':''}}]}", "/blocks/0/text/text"},
        {"{'type':'home'," TITLE ",'blocks':[]}", ""},
        {"{'type':'dialog','blocks':[]}", "/type"},
    };
    size_t i = 0;

    (void)state;
    for (i = 0; i < HM_ARRAY_LEN(rows); i++) {
        json_t *view = json_new(rows[i].view);
        json_t *errors = hm_json_arr_new();
        bool ok = sim_blockkit_check_view(view, errors);

        if (ok != (rows[i].where == NULL) || (rows[i].where != NULL && !found_at(errors, rows[i].where))) {
            fail_msg("%s: %s", rows[i].view,
                     json_array_size(errors) > 0 ? json_string_value(json_array_get(errors, 0)) : "passed");
        }
        json_decref(view);
        json_decref(errors);
    }
}

/* What an app answers when somebody types into a select. */
static void test_answers(void **state)
{
#define FRUIT "{'text':{'type':'plain_text','text':'x'},'value':'y'}"
    static const struct {
        const char *answer, *where;
    } rows[] = {
        {"{'options':[]}", NULL},
        {"{'options':[" FRUIT "]}", NULL},
        {"{'option_groups':[{'label':{'type':'plain_text','text':'g'},'options':[" FRUIT "]}]}", NULL},
        {"{'option_groups':[{'label':{'type':'plain_text','text':'g'},'options':[]}]}", "/option_groups/0/options"},
        {"{'option_groups':[]}", "/option_groups"},
        {"{'options':[{'text':{'type':'plain_text','text':'@76'},'value':'y'}]}", "/options/0/text/text"},
        {"{}", "/options"},
        {"{'text':'x'}", "/options"},
    };
    size_t i = 0;

    (void)state;
    for (i = 0; i < HM_ARRAY_LEN(rows); i++) {
        json_t *answer = json_new(rows[i].answer);
        json_t *errors = hm_json_arr_new();
        bool ok = sim_blockkit_check_answer(answer, errors);

        if (ok != (rows[i].where == NULL) || (rows[i].where != NULL && !found_at(errors, rows[i].where))) {
            fail_msg("%s: %s", rows[i].answer,
                     json_array_size(errors) > 0 ? json_string_value(json_array_get(errors, 0)) : "passed");
        }
        json_decref(answer);
        json_decref(errors);
    }
    json_t *errors = hm_json_arr_new();

    assert_false(sim_blockkit_check_answer(NULL, errors));
    json_decref(errors);
}

static void test_fill_and_find(void **state)
{
    struct sim_ids ids;
    json_t *blocks = json_new(ACTIONS("{'type':'button','text':{'type':'plain_text','text':'x'}}," BUTTON(",'action_id':'a'")));
    struct sim_found found;

    (void)state;
    sim_ids_init(&ids, 1);
    sim_blocks_fill(blocks, &ids);
    found = sim_blocks_find(blocks, "a", NULL);
    assert_int_equal(found.matches, 1);
    assert_non_null(hm_json_get_str(found.block, "block_id", NULL));
    assert_non_null(hm_json_get_path(blocks, "0.elements.0.action_id"));
    assert_true(json_is_true(hm_json_get_path(blocks, "0.elements.0.text.emoji")));
    assert_int_equal(sim_blocks_find(blocks, "b", NULL).matches, 0);
    assert_int_equal(sim_blocks_find(blocks, "a", "other").matches, 0);
    json_decref(blocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),   cmocka_unit_test(test_buttons),
        cmocka_unit_test(test_menus),   cmocka_unit_test(test_inputs_and_places),
        cmocka_unit_test(test_counts),  cmocka_unit_test(test_views),
        cmocka_unit_test(test_answers), cmocka_unit_test(test_fill_and_find),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
