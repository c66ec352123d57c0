/* What is owed to people is said once, and not forgotten before that is right: a commit that failed, a conversation that can not
 * be opened. The cards, the journal, the roles and the timer are here; the poster is the real one. */
#include "fake_timer.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "app/notices.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
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
static const char *thread;    /* of every card; NULL = it is not posted */
static const char *workspace; /* NULL = not known */
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

const char *hm_cards_place(const struct hm_cards *cards, const char *run_id, const char **ret_ts)
{
    (void)cards;
    assert_string_equal(run_id, "r-1");
    *ret_ts = thread;
    return thread != NULL ? "C1" : NULL;
}

const char *hm_cards_workspace_url(const struct hm_cards *cards)
{
    (void)cards;
    return workspace;
}

json_t *hm_roles_users_new(const struct hm_roles *roles, const char *role)
{
    (void)roles;
    return strcmp(role, "team") == 0 ? json_pack("[s, s, s]", "U0ANA", "U0BEN", "U0CAM") : json_pack("[s, s]", "U0CAM", "U0DAN");
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

/* Who is asked: by key and text, sorted. A gate of two roles, one of each, asked for by Ana. */
static void assert_asked(struct hm_notices *notices, enum hm_notify_way way, const char *voter, const char *want)
{
    char *by[] = {hm_unconst("team"), hm_unconst("owners"), NULL};
    char *nobody[] = {NULL};
    char *owners[] = {hm_unconst("U0CAM"), hm_unconst("U0DAN"), NULL};
    struct hm_role roles[] = {{hm_unconst("team"), nobody, hm_unconst("S0RED")}, {hm_unconst("owners"), owners, NULL}};
    const struct hm_settings settings = {.roles = roles, .n_roles = 2, .slack = {.notify = way}};
    struct hm_step step = {.id = hm_unconst("gate"), .kind = HM_STEP_APPROVE, .by = by, .each = true, .need = 1};
    struct hm_recipe recipe = {.title = hm_unconst("A gate"), .steps = &step, .n_steps = 1};
    struct hm_vote vote = {.user = hm_unconst(voter), .roles = json_pack("[s]", "team")};
    struct hm_step_state at = {
        .phase = HM_PHASE_ACTIVE,
        .gate = {
            .nonce = "n", .opened_ms = now_ms, .expires_ms = now_ms + 600000, .votes = &vote, .n_votes = voter != NULL ? 1 : 0}};
    struct hm_run run = {
        .id = hm_unconst("r-1"), .status = HM_RUN_GOING, .requester = hm_unconst("U0ANA"), .recipe = &recipe, .steps = &at};
    struct hm_events events;
    struct hm_batch *batch = hm_batch_new();
    hm_events_init(&events);
    hm_events_add(&events, HM_EV_GATE_REMINDED, now_ms, json_pack("{s:s}", "step", "gate"));
    const struct hm_commit commit = {.run_id = "r-1", .first_seq = 9, .events = &events, .run = &run};
    hm_notices_use(notices, &settings);
    hm_notices_attach(notices, (const struct hm_roles *)&settings); /* somebody knows */
    json_t *owed = hm_notices_of_commit_new(notices, batch, &commit);
    struct hm_strbuf got;
    hm_strbuf_init(&got, 2000);
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(owed, key, value)
    {
        const char *text = hm_json_get_str(value, "text", "");
        hm_strbuf_addf(&got, "%s %.*s|", key, (int)strcspn(text, "`"), text);
    }
    assert_string_equal(hm_strbuf_str(&got), want);
    hm_strbuf_done(&got);
    json_decref(owed);
    hm_events_done(&events);
    hm_batch_free(batch);
    json_decref(vote.roles);
}

/* A reminder goes to those who can still bring the gate further: not to who asked, and not to who has approved, nor to his role.
 */
static void test_who_is_reminded(void **state)
{
    assert_asked(*state, HM_NOTIFY_THREAD, NULL, "ask:r-1:9 <!subteam^S0RED> <@U0CAM> <@U0DAN> |");
    assert_asked(*state, HM_NOTIFY_THREAD, "U0CAM", "ask:r-1:9 <@U0DAN> |");
    assert_asked(*state, HM_NOTIFY_DIRECT, NULL, "ask:r-1:9:U0BEN |ask:r-1:9:U0CAM |ask:r-1:9:U0DAN |");
    assert_asked(*state, HM_NOTIFY_DIRECT, "U0CAM", "ask:r-1:9:U0DAN |");
    assert_asked(*state, HM_NOTIFY_NONE, NULL, "");
}

/* Whoever is written to is told where the card is, as far as that is known. */
static void test_the_way_to_the_card(void **state)
{
    struct hm_notices *notices = *state;
    static const struct {
        const char *workspace, *card, *want;
    } rows[] = {{NULL, NULL, "Please look. Its card is in <#C0OPS>."},
                {"https://team.slack.com/", NULL, "Please look. Its card is in <#C0OPS>."},
                {NULL, "1.1", "Please look. Its card is in <#C1>."},
                {"https://team.slack.com/", "1.1", "Please look. <https://team.slack.com/archives/C1/p11|Open its card>"}};
    for (unsigned i = 0; i < HM_ARRAY_LEN(rows); i++) {
        char *key = hm_xasprintf("ask:r-1:%u", i);
        json_t *owed = hm_json_obj_new();
        workspace = rows[i].workspace;
        thread = rows[i].card;
        hm_json_set(owed, key,
                    json_pack("{s:s, s:s, s:s, s:s, s:I}", "user", "U1", "of", "r-1", "in", "C0OPS", "text", "Please look.", "at",
                              (json_int_t)now_ms));
        hm_notices_post(notices, owed);
        answer(n_calls - 1, HM_OK, false, json_pack("{s:{s:s}}", "channel", "id", "D1"));
        assert_string_equal(calls[n_calls - 1].method, "chat.postMessage");
        assert_string_equal(hm_json_get_str(calls[n_calls - 1].args, "text", ""), rows[i].want);
        answer(n_calls - 1, HM_OK, false, json_pack("{s:s, s:s}", "channel", "D1", "ts", "2.2"));
        now_ms += 60000;
        free(key);
    }
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
        cmocka_unit_test_setup_teardown(test_who_is_reminded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_way_to_the_card, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_conversation_is_asked_for_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stale_is_not_asked_directly, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_can_not_be_written_to, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_not_for_ever, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_end, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
