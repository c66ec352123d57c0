/* What is owed to people is said once, and not forgotten before that is right: a commit that failed, a conversation that can not
 * be opened. The cards, the journal, the roles and the timer are here; the poster is the real one. */
#include "fake_timer.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "app/notices.h"
#include "base/json.h"
#include "base/mem.h"
#include "io/timer.h"
#include "journal/batch.h"

enum { CALLS_MAX = 16 };

struct call {
    char *method;
    json_t *args;
    hm_web_fn on_done;
    void *arg;
};

static struct call calls[CALLS_MAX];
static unsigned n_calls, n_puts;
static struct hm_poster *poster;
static void (*shown)(void *arg, const char *key);
static void (*posted)(void *arg, const char *run_id);
static void *listener;
static const char *thread; /* of every card; NULL = it is not posted */
static int64_t now_ms;

static int64_t read_clock(void *arg)
{
    (void)arg;
    return now_ms;
}

static void no_luck(void *arg, void *out, size_t len)
{
    (void)arg;
    memset(out, 7, len);
}

static const struct hm_clock fake_clock = {.mono_ms = read_clock, .wall_ms = read_clock, .random_bytes = no_luck};

/* ---- what stands around it ------------------------------------------------------------------------------------------------ */

static void take_call(void *arg, const char *method, json_t *stolen_args, hm_web_fn on_done, void *done_arg)
{
    (void)arg;
    assert_true(n_calls < CALLS_MAX);
    calls[n_calls++] = (struct call){hm_xstrdup(method), stolen_args, on_done, done_arg};
}

static void wake_in(void *arg, int64_t after_ms)
{
    (void)arg;
    (void)after_ms; /* hm_poster_turn() is called by hand */
}

static const struct hm_poster_slack slack = {.call = take_call, .respond = take_call, .wake_in = wake_in};

void hm_cards_listen(struct hm_cards *cards, void (*fn)(void *arg, const char *key), void *arg)
{
    (void)cards;
    shown = fn;
    listener = arg;
}

void hm_cards_listen_posted(struct hm_cards *cards, void (*fn)(void *arg, const char *run_id), void *arg)
{
    (void)cards;
    posted = fn;
    listener = arg;
}

struct hm_poster *hm_cards_poster(struct hm_cards *cards)
{
    (void)cards;
    return poster;
}

struct hm_poster_slack hm_cards_slack(const struct hm_cards *cards)
{
    (void)cards;
    return slack;
}

const char *hm_cards_thread(const struct hm_cards *cards, const char *run_id, const char **ret_channel)
{
    (void)cards;
    (void)run_id;
    *ret_channel = thread != NULL ? "C1" : NULL;
    return thread;
}

json_t *hm_roles_users_new(const struct hm_roles *roles, const char *role)
{
    (void)roles;
    (void)role;
    return hm_json_arr_new();
}

void hm_journal_put(struct hm_journal *journal, struct hm_batch *batch, hm_put_fn on_done, void *arg)
{
    (void)journal;
    (void)on_done;
    (void)arg;
    n_puts++;
    hm_batch_free(batch);
}

struct hm_journal_reader *hm_journal_reader_open(const char *path, struct hm_err *err)
{
    (void)path;
    (void)hm_err_set(err, HM_EENV, "no journal here");
    return NULL;
}

void hm_journal_reader_free(struct hm_journal_reader *reader)
{
    (void)reader;
}

enum hm_code hm_journal_values(struct hm_journal_reader *reader, const char *space,
                               bool (*visit)(void *arg, const char *key, const json_t *value), void *arg, struct hm_err *err)
{
    (void)reader;
    (void)space;
    (void)visit;
    (void)arg;
    return hm_err_set(err, HM_EENV, "no journal here");
}

/* ---- words ---------------------------------------------------------------------------------------------------------------- */

static void on_posted(void *arg, const char *key, const char *channel, const char *ts)
{
    (void)arg;
    (void)key;
    (void)channel;
    (void)ts;
}

static void on_shown(void *arg, const char *key, const char *digest)
{
    (void)arg;
    (void)digest;
    shown(listener, key);
}

static void on_trouble(void *arg, const char *key, const struct hm_post_trouble *trouble)
{
    (void)arg;
    (void)key;
    (void)trouble;
}

static int set_up(void **state)
{
    const struct hm_poster_opts opts = {
        .slack = slack, .clock = &fake_clock, .on_posted = on_posted, .on_shown = on_shown, .on_trouble = on_trouble};
    n_calls = n_puts = 0;
    thread = NULL;
    now_ms = 1795867200000;
    poster = hm_poster_new(&opts);
    *state = hm_notices_new(NULL, NULL, NULL, &fake_clock);
    return 0;
}

static void answer(unsigned i, enum hm_code code, bool fatal, json_t *stolen_body)
{
    const struct hm_web_answer a = {.code = code, .error = "", .sentence = "x", .body = stolen_body, .fatal = fatal};
    hm_web_fn on_done = calls[i].on_done;
    calls[i].on_done = NULL;
    on_done(calls[i].arg, &a);
    json_decref(stolen_body);
    hm_poster_turn(poster);
}

static int tear_down(void **state)
{
    for (unsigned i = 0; i < n_calls; i++) /* each call is answered once: at the latest when all is taken down */
        if (calls[i].on_done != NULL)
            answer(i, HM_EENV, true, NULL);
    hm_notices_stop(*state);
    hm_notices_free(*state);
    hm_poster_free(poster);
    for (unsigned i = 0; i < n_calls; i++) {
        free(calls[i].method);
        json_decref(calls[i].args);
    }
    return 0;
}

static void owe(struct hm_notices *notices, const char *where, const char *what)
{
    json_t *value = json_pack("{s:s, s:s, s:I}", where, what, "text", "Please look.", "at", (json_int_t)now_ms);
    json_t *owed = hm_json_obj_new();
    hm_json_set(owed, "ask:r-1:3", value);
    hm_notices_post(notices, owed);
    hm_poster_turn(poster);
}

/* The run is over: what the commit of that wants to be told, or no longer. */
static json_t *finish(struct hm_notices *notices)
{
    struct hm_events events;
    struct hm_run run = {.id = hm_unconst("r-1")};
    struct hm_batch *batch = hm_batch_new();
    hm_events_init(&events);
    hm_events_add(&events, HM_EV_RUN_FINISHED, now_ms, json_pack("{s:s}", "status", "done"));
    const struct hm_commit commit = {.run_id = "r-1", .first_seq = 9, .events = &events, .run = &run};
    json_t *owed = hm_notices_of_commit_new(notices, batch, &commit);
    hm_events_done(&events);
    hm_batch_free(batch);
    return owed;
}

static void card_is_posted(void)
{
    thread = "1.1";
    posted(listener, "r-1");
    now_ms += 60000; /* the poster looks first whether it was said, after a while */
    hm_poster_turn(poster);
}

static void test_stale_only_once_that_is_committed(void **state)
{
    struct hm_notices *notices = *state;
    owe(notices, "run", "r-1");
    assert_int_equal(n_calls, 0); /* until its card is there */
    json_decref(finish(notices)); /* could not be committed */
    card_is_posted();
    assert_int_equal(n_calls, 1);
    assert_string_equal(calls[0].method, "conversations.replies");
    answer(0, HM_OK, false, json_pack("{s:[]}", "messages"));
    assert_int_equal(n_calls, 2);
    assert_string_equal(calls[1].method, "chat.postMessage");
    assert_string_equal(hm_json_get_str(calls[1].args, "thread_ts", ""), "1.1");
    assert_string_equal(hm_json_get_str(calls[1].args, "text", ""), "Please look.");
}

static void test_stale_is_not_said(void **state)
{
    struct hm_notices *notices = *state;
    owe(notices, "run", "r-1");
    hm_notices_post(notices, finish(notices));
    card_is_posted();
    assert_int_equal(n_calls, 0);
}

static void test_a_conversation_is_asked_for_again(void **state)
{
    struct hm_notices *notices = *state;
    owe(notices, "user", "U1");
    assert_int_equal(n_calls, 1);
    assert_string_equal(calls[0].method, "conversations.open");
    answer(0, HM_EIO, false, NULL); /* Slack is away */
    assert_int_equal(n_puts, 0);    /* still owed */
    assert_true(hm_fake_timer_fire());
    answer(1, HM_EENV, true, NULL); /* the app lacks a scope */
    assert_true(hm_fake_timer_fire());
    answer(2, HM_OK, false, json_pack("{s:{}}", "channel")); /* an answer that tells nothing */
    assert_true(hm_fake_timer_fire());
    assert_int_equal(n_puts, 0);
    answer(3, HM_OK, false, json_pack("{s:{s:s}}", "channel", "id", "D1"));
    assert_false(hm_fake_timer_is_on());
    now_ms += 60000;
    hm_poster_turn(poster);
    assert_int_equal(n_calls, 5);
    assert_string_equal(hm_json_get_str(calls[4].args, "channel", ""), "D1");
}

/* Decided while he could not be written to, or while that was being found out. */
static void test_stale_is_not_asked_directly(void **state)
{
    struct hm_notices *notices = *state;
    owe(notices, "user", "U1");
    answer(0, HM_EIO, false, NULL);
    json_decref(finish(notices)); /* could not be committed: still to be asked */
    assert_true(hm_fake_timer_fire());
    assert_int_equal(n_calls, 2);
    answer(1, HM_EIO, false, NULL);
    hm_notices_post(notices, finish(notices));
    assert_true(hm_fake_timer_fire());
    assert_int_equal(n_calls, 2);
    assert_false(hm_fake_timer_is_on());

    owe(notices, "user", "U1");
    assert_int_equal(n_calls, 3);
    hm_notices_post(notices, finish(notices));
    answer(2, HM_EIO, false, NULL);
    assert_false(hm_fake_timer_is_on());

    owe(notices, "user", "U1");
    assert_int_equal(n_calls, 4);
    hm_notices_post(notices, finish(notices));
    answer(3, HM_OK, false, json_pack("{s:{s:s}}", "channel", "id", "D1"));
    now_ms += 60000;
    hm_poster_turn(poster);
    assert_int_equal(n_calls, 4);
    assert_int_equal(n_puts, 0);
}

static void test_who_can_not_be_written_to(void **state)
{
    struct hm_notices *notices = *state;
    owe(notices, "user", "U1");
    answer(0, HM_EPERM, false, NULL);
    assert_int_equal(n_puts, 1); /* no longer owed */
    assert_false(hm_fake_timer_is_on());
}

static void test_not_for_ever(void **state)
{
    struct hm_notices *notices = *state;
    owe(notices, "user", "U1");
    answer(0, HM_EIO, false, NULL);
    now_ms += (int64_t)25 * 3600000;
    assert_true(hm_fake_timer_fire());
    assert_int_equal(n_calls, 1);
    assert_int_equal(n_puts, 1);
    assert_false(hm_fake_timer_is_on());
}

static void test_the_end(void **state)
{
    struct hm_notices *notices = *state;
    owe(notices, "user", "U1");
    hm_notices_stop(notices);
    answer(0, HM_EIO, false, NULL); /* the web API is being freed */
    assert_false(hm_fake_timer_is_on());
    assert_int_equal(n_puts, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_stale_only_once_that_is_committed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stale_is_not_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_conversation_is_asked_for_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stale_is_not_asked_directly, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_can_not_be_written_to, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_not_for_ever, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_end, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
