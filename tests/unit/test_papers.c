/* A file waits for its card without asking after it, is sent as soon as that is there, and knows its place after a restart. What
 * stands around it is here: cards, runs, journal, Web API, timer. */
#include "fake_timer.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "app/papers.h"
#include "base/json.h"
#include "base/mem.h"
#include "io/timer.h"
#include "journal/batch.h"
#include "slack/web_api.h"
#include "view/paper.h"

static char *last_method; /* of the newest call, or NULL */
static json_t *last_args;
static hm_web_fn last_fn;
static void *last_arg;
static unsigned n_calls;
static void (*posted)(void *arg, const char *run_id);
static void *listener;
static const char *channel, *thread; /* of the card; no channel = the run has none */
static json_t *facts;                /* the journal: key → value */

/* ---- what stands around it ------------------------------------------------------------------------------------------------ */

void hm_web_call(struct hm_web_api *api, const char *method, enum hm_web_token token, json_t *stolen_args, hm_web_fn on_done,
                 void *arg)
{
    (void)api;
    (void)token;
    free(last_method);
    json_decref(last_args);
    last_method = hm_xstrdup(method);
    last_args = stolen_args;
    last_fn = on_done;
    last_arg = arg;
    n_calls++;
}

void hm_web_upload(struct hm_web_api *api, const char *upload_url, char *stolen_bytes, size_t len, hm_web_fn on_done, void *arg)
{
    assert_string_equal(upload_url, "https://files.example.org/1");
    assert_int_equal(strlen(stolen_bytes), len);
    free(stolen_bytes);
    hm_web_call(api, "upload", HM_WEB_BOT, hm_json_obj_new(), on_done, arg);
}

void hm_cards_listen_posted(struct hm_cards *cards, void (*fn)(void *arg, const char *run_id), void *arg)
{
    (void)cards;
    posted = fn;
    listener = arg;
}

const char *hm_cards_thread(const struct hm_cards *cards, const char *run_id, const char **ret_channel)
{
    (void)cards;
    (void)run_id;
    *ret_channel = channel;
    return thread;
}

bool hm_runner_visit(struct hm_runner *runner, const char *run_id, void (*visit)(void *arg, const struct hm_run *run), void *arg)
{
    const struct hm_run run = {.id = hm_unconst(run_id)};
    (void)runner;
    visit(arg, &run);
    return true;
}

char *hm_paper_failed(const struct hm_run *run)
{
    return hm_xasprintf("what failed of %s", run->id);
}

char *hm_paper_plan(const struct hm_run *run, int step, const struct hm_plan *plan)
{
    (void)run;
    (void)step;
    (void)plan;
    return NULL;
}

char *hm_paper_list(const struct hm_run *run, int step, const json_t *list)
{
    (void)run;
    (void)step;
    (void)list;
    return NULL;
}

void hm_journal_put(struct hm_journal *journal, struct hm_batch *batch, hm_put_fn on_done, void *arg)
{
    (void)journal;
    (void)on_done;
    (void)arg;
    size_t offset = 0;
    struct hm_op op;
    struct hm_err err = {0};
    assert_true(hm_batch_next_op(batch, &offset, &op));
    assert_int_equal(op.kind, HM_OP_SET);
    if (op.text[2].s != NULL)
        hm_json_set(facts, op.text[1].s, hm_json_parse_new(op.text[2].s, op.text[2].len, 10000, &err));
    else
        (void)json_object_del(facts, op.text[1].s);
    hm_batch_free(batch);
}

struct hm_journal_reader *hm_journal_reader_open(const char *path, struct hm_err *err)
{
    (void)path;
    (void)err;
    return (struct hm_journal_reader *)&facts;
}

void hm_journal_reader_free(struct hm_journal_reader *reader)
{
    (void)reader;
}

enum hm_code hm_journal_values(struct hm_journal_reader *reader, const char *space,
                               bool (*visit)(void *arg, const char *key, const json_t *value), void *arg, struct hm_err *err)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_t *copy = json_deep_copy(facts);
    (void)reader;
    (void)err;
    assert_string_equal(space, HM_PAPERS_SPACE);
    json_object_foreach(copy, key, value)(void) visit(arg, key, value);
    json_decref(copy);
    return HM_OK;
}

/* ---- words ---------------------------------------------------------------------------------------------------------------- */

static void answer(enum hm_code code, json_t *stolen_body)
{
    const struct hm_web_answer a = {.code = code, .error = "", .sentence = "x", .body = stolen_body};
    last_fn(last_arg, &a);
    json_decref(stolen_body);
}

/* As a process does at its start. */
static struct hm_papers *start(void)
{
    const struct hm_papers_opts opts = {0};
    struct hm_err err = {0};
    struct hm_papers *papers = hm_papers_new(&opts);
    assert_int_equal(hm_papers_restore(papers, "the book", &err), HM_OK);
    return papers;
}

static int set_up(void **state)
{
    (void)state;
    n_calls = 0;
    channel = thread = NULL;
    facts = json_pack("{s:{s:s}}", "r-1:9", "run", "r-1");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    json_decref(facts);
    json_decref(last_args);
    free(last_method);
    last_args = NULL;
    last_method = NULL;
    return 0;
}

static void send_to_the_end(void)
{
    assert_string_equal(last_method, "files.getUploadURLExternal");
    answer(HM_OK, json_pack("{s:s, s:s}", "file_id", "F1", "upload_url", "https://files.example.org/1"));
    assert_string_equal(last_method, "upload");
    answer(HM_OK, NULL);
    assert_string_equal(last_method, "files.completeUploadExternal");
    assert_string_equal(hm_json_get_str(last_args, "channel_id", ""), "C1");
    assert_string_equal(hm_json_get_str(last_args, "thread_ts", ""), "1.1");
    answer(HM_OK, NULL);
    assert_int_equal(json_object_size(facts), 0);
}

static void test_waits_for_its_card(void **state)
{
    (void)state;
    channel = "C1";
    struct hm_papers *papers = start();
    assert_true(hm_fake_timer_fire());
    assert_int_equal(n_calls, 0);
    assert_false(hm_fake_timer_is_on()); /* nobody asks after the card */
    posted(listener, "r-2");
    assert_int_equal(n_calls, 0);
    thread = "1.1";
    posted(listener, "r-1");
    assert_int_equal(n_calls, 1);
    send_to_the_end();
    assert_false(hm_fake_timer_is_on());
    hm_papers_free(papers);
}

static void test_a_restart_knows_its_place(void **state)
{
    (void)state;
    channel = "C1";
    struct hm_papers *papers = start();
    assert_true(hm_fake_timer_fire());
    thread = "1.1";
    posted(listener, "r-1");
    hm_papers_free(papers);  /* before it was sent */
    channel = thread = NULL; /* and its card is right, for good: nobody knows where it is */
    papers = start();
    assert_true(hm_fake_timer_fire());
    send_to_the_end();
    hm_papers_free(papers);
}

static void test_no_card_will_ever_come(void **state)
{
    (void)state;
    struct hm_papers *papers = start();
    assert_false(hm_fake_timer_is_on());
    assert_int_equal(n_calls, 0);
    assert_int_equal(json_object_size(facts), 0); /* not owed for ever */
    hm_papers_free(papers);
}

static void test_slack_is_away(void **state)
{
    (void)state;
    channel = "C1";
    thread = "1.1";
    struct hm_papers *papers = start();
    assert_true(hm_fake_timer_fire());
    answer(HM_EIO, NULL);
    assert_int_equal(n_calls, 1);
    assert_true(hm_fake_timer_fire());
    send_to_the_end();
    hm_papers_free(papers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_waits_for_its_card, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_restart_knows_its_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_card_will_ever_come, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_slack_is_away, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
