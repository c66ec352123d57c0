/* Message slots against a pretended Slack and a clock that only the test moves. The last test plays Slack with bad luck, by seed.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "slack/post.h"
#include "slack/post_build.h"

enum { MAX_CALLS = 400, MAX_NOTES = 100000 };

struct call {
    char *method;
    json_t *args;
    hm_web_fn on_done;
    void *arg;
};

static struct call calls[MAX_CALLS]; /* not answered yet are those with on_done */
static unsigned n_calls;
static struct hm_strbuf notes; /* what the owner heard: "posted k C1 1.0;" … */
static int64_t now_ms;
static int64_t wake_at_ms;
static struct hm_poster *poster;
static void (*in_posted)(const char *key); /* what the owner does in its callbacks */
static void (*in_shown)(const char *key);

static int64_t fake_time(void *arg)
{
    (void)arg;
    return now_ms;
}
static const struct hm_clock fake_clock = {.wall_ms = fake_time, .mono_ms = fake_time};

static void fake_call(void *arg, const char *method, json_t *stolen_args, hm_web_fn on_done, void *done_arg)
{
    (void)arg;
    assert_true(n_calls < MAX_CALLS);
    calls[n_calls++] = (struct call){.method = hm_xstrdup(method), .args = stolen_args, .on_done = on_done, .arg = done_arg};
}

static void fake_respond(void *arg, const char *url, json_t *stolen_body, hm_web_fn on_done, void *done_arg)
{
    fake_call(arg, url, stolen_body, on_done, done_arg);
}

static void fake_wake_in(void *arg, int64_t after_ms)
{
    (void)arg;
    wake_at_ms = now_ms + after_ms;
}

static void on_posted(void *arg, const char *key, const char *channel, const char *ts)
{
    (void)arg;
    hm_strbuf_addf(&notes, "posted %s %s %s;", key, channel, ts);
    if (in_posted != NULL)
        in_posted(key);
}

static void on_shown(void *arg, const char *key, const char *digest)
{
    (void)arg;
    assert_int_equal(strlen(digest), 64);
    hm_strbuf_addf(&notes, "shown %s;", key);
    if (in_shown != NULL)
        in_shown(key);
}

static void on_trouble(void *arg, const char *key, const struct hm_post_trouble *t)
{
    static const char *const names[] = {"later", "token", "place", "shortened", "content", "gone"};
    (void)arg;
    hm_strbuf_addf(&notes, "%s %s %s;", names[t->kind], key, t->error);
}

static const struct hm_poster_slack seam = {.call = fake_call, .respond = fake_respond, .wake_in = fake_wake_in};

static int set_up(void **state)
{
    struct hm_poster_opts o = {
        .slack = seam, .clock = &fake_clock, .on_posted = on_posted, .on_shown = on_shown, .on_trouble = on_trouble};
    (void)state;
    now_ms = 5000000;
    wake_at_ms = INT64_MAX;
    n_calls = 0;
    hm_strbuf_init(&notes, MAX_NOTES);
    in_posted = NULL;
    in_shown = NULL;
    poster = hm_poster_new(&o);
    return 0;
}

static void answer(unsigned i, enum hm_code code, const char *error, const char *body);

static int tear_down(void **state)
{
    (void)state;
    hm_poster_free(poster);
    hm_strbuf_done(&notes);
    for (unsigned i = 0; i < n_calls; i++) {
        if (calls[i].on_done != NULL)
            answer(i, HM_EIO, "", NULL); /* as the Web API does at its end; the poster is gone */
        json_decref(calls[i].args);
        free(calls[i].method);
    }
    return 0;
}

/* Moves the clock on, waking the poster whenever it asked for it. */
static void advance(int64_t ms)
{
    int64_t until = now_ms + ms;
    while (wake_at_ms <= until) {
        now_ms = wake_at_ms > now_ms ? wake_at_ms : now_ms;
        wake_at_ms = INT64_MAX;
        hm_poster_turn(poster);
    }
    now_ms = until;
}

static void answer(unsigned i, enum hm_code code, const char *error, const char *body)
{
    json_t *json = body != NULL ? hm_json_parse_new(body, strlen(body), 100000, NULL) : NULL;
    struct hm_web_answer a = {
        .code = code, .error = error, .sentence = code == HM_OK ? "" : "sentence", .body = json, .fatal = code == HM_EENV};
    hm_web_fn on_done = calls[i].on_done;
    assert_true(i < n_calls);
    assert_non_null(on_done);
    calls[i].on_done = NULL;
    on_done(calls[i].arg, &a);
    json_decref(json);
}

static void answer_posted(unsigned i, const char *ts)
{
    char *body = hm_xasprintf("{\"ok\":true,\"ts\":\"%s\"}", ts);
    answer(i, HM_OK, "", body);
    free(body);
}

static void show(const char *key, const char *text, bool urgent)
{
    json_t *content = hm_json_obj_new();
    json_t *blocks = hm_json_arr_new();
    hm_json_set_str(content, "text", text);
    hm_json_add(blocks, json_string("block"));
    hm_json_set(content, "blocks", blocks);
    unsigned before = n_calls;
    hm_poster_show(poster, key, content, urgent);
    assert_int_equal(n_calls, before); /* only in a turn */
}

static const char *arg_of(unsigned i, const char *path)
{
    assert_true(i < n_calls);
    const json_t *value = hm_json_get_path(calls[i].args, path);
    return json_is_string(value) ? json_string_value(value) : "";
}

static json_t *parse(const char *text)
{
    json_t *value = hm_json_parse_new(text, strlen(text), 100000, NULL);
    assert_non_null(value);
    return value;
}

static void expect_call(unsigned i, const char *method, const char *text)
{
    assert_int_equal(n_calls, i + 1);
    assert_string_equal(calls[i].method, method);
    assert_string_equal(arg_of(i, "text"), text);
}

static void expect_notes(const char *want)
{
    assert_string_equal(hm_strbuf_str(&notes), want);
    hm_strbuf_reset(&notes);
}

/* A slot with its message at Slack. Uses one call. */
static void post_one(const char *key, const char *channel, const char *ts)
{
    hm_poster_open(poster, key, channel, NULL);
    show(key, "first", false);
    advance(0);
    answer_posted(n_calls - 1, ts);
    advance(2000);
    hm_strbuf_reset(&notes);
}

/* ---- tests ------------------------------------------------------------------------------------------------------------ */

static void test_post_and_update(void **state)
{
    (void)state;
    hm_poster_open(poster, "k", "C1", "100.1");
    show("k", "one", false);
    advance(0);
    expect_call(0, "chat.postMessage", "one");
    assert_string_equal(arg_of(0, "channel"), "C1");
    assert_string_equal(arg_of(0, "thread_ts"), "100.1");
    assert_string_equal(arg_of(0, "metadata.event_type"), "hausmeister");
    assert_string_equal(arg_of(0, "metadata.event_payload.key"), "k");
    assert_string_equal(arg_of(0, "blocks.0"), "block");
    assert_string_equal(arg_of(0, "parse"), "none");
    assert_null(hm_poster_ts(poster, "k"));
    answer(0, HM_OK, "", "{\"ok\":true,\"ts\":\"200.1\",\"channel\":\"D9\"}");
    expect_notes("posted k D9 200.1;shown k;");
    assert_string_equal(hm_poster_ts(poster, "k"), "200.1");

    show("k", "two", false);
    advance(999);
    assert_int_equal(n_calls, 1); /* once per second and message */
    advance(1);
    expect_call(1, "chat.update", "two");
    assert_string_equal(arg_of(1, "channel"), "D9");
    assert_string_equal(arg_of(1, "ts"), "200.1");
    assert_string_equal(arg_of(1, "thread_ts"), "");
    answer(1, HM_OK, "", "{\"ok\":true}");
    expect_notes("shown k;");
    advance(100000);
    assert_int_equal(n_calls, 2);
}

static void test_latest_wins(void **state)
{
    struct hm_poster_stats stats;
    (void)state;
    hm_poster_open(poster, "k", "C1", NULL);
    show("k", "one", false);
    show("k", "two", false);
    advance(0);
    expect_call(0, "chat.postMessage", "two");
    show("k", "three", false);
    show("k", "four", false);
    answer_posted(0, "1.1");
    expect_notes("posted k C1 1.1;");
    advance(5000);
    expect_call(1, "chat.update", "four");
    hm_poster_stats(poster, &stats);
    assert_int_equal(stats.unshown, 1);
    answer(1, HM_OK, "", NULL);
    expect_notes("shown k;");
    hm_poster_stats(poster, &stats);
    assert_int_equal(stats.unshown, 0);
    assert_int_equal(stats.slots, 1);
}

static void test_same_is_not_sent(void **state)
{
    struct hm_poster_stats stats;
    (void)state;
    post_one("k", "C1", "1.1");
    show("k", "first", false);
    advance(5000);
    assert_int_equal(n_calls, 1);
    expect_notes("shown k;");
    /* there and back again while an edit is under way: the last content is what counts */
    show("k", "other", false);
    advance(0);
    expect_call(1, "chat.update", "other");
    show("k", "first", false);
    answer(1, HM_OK, "", NULL);
    advance(5000);
    expect_call(2, "chat.update", "first");
    answer(2, HM_OK, "", NULL);
    hm_poster_stats(poster, &stats);
    assert_int_equal(stats.same, 1);
}

#define FOUND                                                                                                                    \
    "{\"ok\":true,\"messages\":[{\"ts\":\"1.0\"},{\"ts\":\"5.5\",\"metadata\":{\"event_type\":\"hausmeister\",\"event_"          \
    "payload\":"                                                                                                                 \
    "{\"key\":\"k\"}}},{\"ts\":\"6.6\",\"metadata\":{\"event_type\":\"hausmeister\",\"event_payload\":{\"key\":\"k2\"}}}]}"
#define NOT_FOUND "{\"ok\":true,\"messages\":[{\"ts\":\"1.0\"}]}"
#define MORE      "{\"ok\":true,\"messages\":[],\"response_metadata\":{\"next_cursor\":\"cur\"}}"

static void test_unknown_post_is_found(void **state)
{
    (void)state;
    hm_poster_open(poster, "k", "C1", "100.1");
    show("k", "one", false);
    advance(0);
    advance(700);
    answer(0, HM_EUNKNOWN, "", NULL);
    expect_notes("later k ;");
    advance(2999);
    assert_int_equal(n_calls, 1);
    advance(1);
    expect_call(1, "conversations.replies", "");
    assert_string_equal(arg_of(1, "channel"), "C1");
    assert_string_equal(arg_of(1, "ts"), "100.1");
    assert_string_equal(arg_of(1, "oldest"), "4400.000000"); /* ten minutes before the attempt */
    assert_true(hm_json_get_bool(calls[1].args, "include_all_metadata", false));
    show("k", "two", false);
    answer(1, HM_OK, "", FOUND);
    expect_notes("posted k C1 5.5;");
    advance(0);
    expect_call(2, "chat.update", "two");
    answer(2, HM_OK, "", NULL);
    expect_notes("shown k;");
}

static void test_unknown_post_is_not_found(void **state)
{
    (void)state;
    hm_poster_open(poster, "k", "C1", NULL);
    show("k", "one", false);
    advance(0);
    answer(0, HM_OK, "", "{\"ok\":true}"); /* no ts: as good as nothing */
    advance(3000);
    expect_call(1, "conversations.history", "");
    answer(1, HM_OK, "", MORE);
    assert_int_equal(n_calls, 3);
    assert_string_equal(arg_of(2, "cursor"), "cur");
    answer(2, HM_OK, "", NOT_FOUND);
    advance(9999);
    assert_int_equal(n_calls, 3);
    advance(1); /* a second look before it is posted again */
    assert_int_equal(n_calls, 4);
    answer(3, HM_OK, "", NOT_FOUND);
    advance(0);
    expect_call(4, "chat.postMessage", "one");
    answer_posted(4, "7.7");
    expect_notes("later k ;posted k C1 7.7;shown k;");
}

static void test_pages_are_bounded(void **state)
{
    struct hm_slot_memory memory = {.maybe_posted = true, .since_wall_ms = 9000000};
    (void)state;
    hm_poster_restore(poster, "k", "C1", NULL, &memory);
    show("k", "one", false);
    advance(0);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(n_calls, i + 1);
        assert_string_equal(calls[i].method, "conversations.history");
        assert_string_equal(arg_of(i, "oldest"), "8400.000000");
        answer(i, HM_OK, "", MORE);
    }
    advance(0);
    expect_call(5, "chat.postMessage", "one");
}

static void test_look_without_the_scope(void **state)
{
    struct hm_slot_memory memory = {.maybe_posted = true};
    (void)state;
    hm_poster_restore(poster, "k", "C1", NULL, &memory);
    show("k", "one", false);
    advance(0);
    answer(0, HM_EENV, "missing_scope", NULL);
    advance(0);
    expect_call(1, "chat.postMessage", "one");
}

static void test_look_fails(void **state)
{
    struct hm_slot_memory memory = {.maybe_posted = true};
    (void)state;
    hm_poster_restore(poster, "k", "C1", "9.9", &memory);
    show("k", "one", false);
    advance(0);
    answer(0, HM_EIO, "internal_error", NULL);
    advance(1000);
    assert_int_equal(n_calls, 2); /* looks again; never posts blindly */
    assert_string_equal(calls[1].method, "conversations.replies");
    answer(1, HM_ENOTFOUND, "thread_not_found", NULL);
    expect_notes("later k internal_error;place k thread_not_found;");
    advance(100000);
    assert_int_equal(n_calls, 2);
}

static void test_restored(void **state)
{
    char digest[HM_SHA256_HEX];
    json_t *content = parse("{\"blocks\":[\"block\"],\"text\":\"one\"}");
    struct hm_slot_memory memory = {.ts = "3.3", .shown_digest = digest};
    (void)state;
    hm_post_digest(content, digest);
    hm_poster_restore(poster, "k", "C1", NULL, &memory);
    hm_poster_show(poster, "k", content, false);
    advance(0);
    assert_int_equal(n_calls, 0); /* Slack shows it already */
    expect_notes("shown k;");
    show("k", "two", false);
    advance(0);
    expect_call(0, "chat.update", "two");
    assert_string_equal(arg_of(0, "ts"), "3.3");
    memory.shown_digest = NULL;
    hm_poster_restore(poster, "k2", "C1", NULL, &memory);
    show("k2", "x", false);
    advance(0);
    expect_call(1, "chat.update", "x");
}

static void test_deleted_message(void **state)
{
    struct hm_poster_stats stats;
    (void)state;
    post_one("k", "C1", "1.1");
    show("k", "two", false);
    advance(0);
    answer(1, HM_ENOTFOUND, "message_not_found", NULL);
    assert_null(hm_poster_ts(poster, "k"));
    advance(0);
    assert_string_equal(calls[2].method, "conversations.history"); /* a crash may have swallowed that it was done already */
    answer(2, HM_OK, "", NOT_FOUND);
    advance(0);
    expect_call(3, "chat.postMessage", "two");
    answer_posted(3, "2.2");
    expect_notes("posted k C1 2.2;shown k;");
    show("k", "three", false);
    advance(1000);
    answer(4, HM_ENOTFOUND, "message_not_found", NULL);
    expect_notes("gone k message_not_found;");
    show("k", "four", false);
    advance(100000);
    assert_int_equal(n_calls, 5);
    hm_poster_stats(poster, &stats);
    assert_int_equal(stats.stuck, 1);
    hm_poster_move(poster, "k", "C2", NULL);
    advance(0);
    expect_call(5, "chat.postMessage", "four");
    assert_string_equal(arg_of(5, "channel"), "C2");
}

/* Too old to be edited: the look finds that very message, which does not help. */
static void test_message_too_old_to_edit(void **state)
{
    struct hm_slot_memory memory = {.ts = "5000.5"};
    (void)state;
    hm_poster_restore(poster, "k", "C1", "100.1", &memory);
    show("k", "two", false);
    advance(0);
    answer(0, HM_EPERM, "edit_window_closed", NULL);
    advance(0);
    assert_string_equal(calls[1].method, "conversations.replies");
    assert_string_equal(arg_of(1, "oldest"), "4400.000000");
    answer(
        1, HM_OK, "",
        "{\"messages\":[{\"ts\":\"5000.5\",\"metadata\":{\"event_type\":\"hausmeister\",\"event_payload\":{\"key\":\"k\"}}}]}");
    advance(0);
    expect_call(2, "chat.postMessage", "two");
}

static void test_bad_place(void **state)
{
    (void)state;
    hm_poster_open(poster, "k", "C1", "1.0");
    show("k", "one", true);
    advance(0);
    answer(0, HM_EPERM, "not_in_channel", NULL);
    expect_notes("place k not_in_channel;");
    show("k", "two", true);
    advance(100000);
    assert_int_equal(n_calls, 1);
    hm_poster_move(poster, "k", "C2", NULL);
    advance(0);
    expect_call(1, "chat.postMessage", "two");
    assert_string_equal(arg_of(1, "channel"), "C2");
    assert_string_equal(arg_of(1, "thread_ts"), "");
}

/* The answer of a call to the old place must not touch the new one. */
static void test_move_while_busy(void **state)
{
    (void)state;
    hm_poster_open(poster, "k", "C1", NULL);
    show("k", "one", false);
    advance(0);
    hm_poster_move(poster, "k", "C2", NULL);
    advance(0);
    assert_int_equal(n_calls, 2);
    answer_posted(0, "1.1");
    assert_null(hm_poster_ts(poster, "k"));
    answer_posted(1, "2.2");
    assert_string_equal(hm_poster_ts(poster, "k"), "2.2");
    expect_notes("posted k C2 2.2;shown k;");
}

static void test_too_long(void **state)
{
    char *text = hm_xmalloc(5001);
    (void)state;
    memset(text, 'x', 5000);
    text[5000] = '\0';
    post_one("k", "C1", "1.1");
    show("k", text, false);
    advance(0);
    answer(1, HM_ETOOBIG, "msg_blocks_too_long", NULL);
    advance(0);
    assert_int_equal(n_calls, 3);
    assert_int_equal(json_array_size(hm_json_get_arr(calls[2].args, "blocks")), 0);
    assert_non_null(hm_json_get_arr(calls[2].args, "blocks")); /* an empty list: the old blocks must go */
    assert_true(strlen(arg_of(2, "text")) < 4000);
    answer(2, HM_OK, "", NULL);
    expect_notes("shortened k msg_blocks_too_long;shown k;");

    show("k", "two", false); /* other content has its blocks again */
    advance(1000);
    assert_int_equal(json_array_size(hm_json_get_arr(calls[3].args, "blocks")), 1);
    answer(3, HM_EBUG, "invalid_blocks", NULL);
    advance(0);
    answer(4, HM_EBUG, "no_text", NULL);
    expect_notes("shortened k invalid_blocks;content k no_text;");
    advance(100000);
    assert_int_equal(n_calls, 5);
    show("k", "two", false); /* the same again: no use */
    advance(100000);
    assert_int_equal(n_calls, 5);
    show("k", "three", false);
    advance(0);
    expect_call(5, "chat.update", "three");
    free(text);
}

static void test_refused_but_replaced_meanwhile(void **state)
{
    (void)state;
    post_one("k", "C1", "1.1");
    show("k", "bad", false);
    advance(0);
    show("k", "good", false);
    answer(1, HM_EBUG, "invalid_blocks", NULL);
    advance(0);
    expect_call(2, "chat.update", "good");
    assert_int_equal(json_array_size(hm_json_get_arr(calls[2].args, "blocks")), 1);
    expect_notes("");
}

static void test_never_lost(void **state)
{
    static const int64_t waits[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
    (void)state;
    post_one("k", "C1", "1.1");
    show("k", "last", true);
    advance(0);
    for (unsigned i = 0; i < HM_ARRAY_LEN(waits); i++) {
        answer(i + 1, HM_EIO, "", NULL);
        advance(waits[i] - 1);
        assert_int_equal(n_calls, i + 2);
        advance(1);
        assert_int_equal(n_calls, i + 3);
        assert_string_equal(arg_of(i + 2, "text"), "last");
    }
    hm_strbuf_reset(&notes);
    answer(n_calls - 1, HM_OK, "", NULL);
    expect_notes("shown k;");
}

static void test_token_trouble(void **state)
{
    (void)state;
    hm_poster_open(poster, "k", "C1", NULL);
    show("k", "one", false);
    advance(0);
    answer(0, HM_EENV, "token_revoked", NULL);
    expect_notes("token k token_revoked;");
    advance(59999);
    assert_int_equal(n_calls, 1);
    advance(1);
    expect_call(1, "chat.postMessage", "one");
}

static void open_many(const char *prefix, unsigned n, const char *channel, bool urgent)
{
    for (unsigned i = 0; i < n; i++) {
        char key[32];
        (void)snprintf(key, sizeof(key), "%s%u", prefix, i);
        hm_poster_open(poster, key, channel, NULL);
        show(key, key, urgent);
    }
}

static void test_few_at_a_time(void **state)
{
    (void)state;
    open_many("a", 5, "C1", false);
    open_many("b", 1, "C2", false);
    open_many("u", 1, "C1", true);
    advance(0);
    assert_int_equal(n_calls, 3); /* two in C1, the urgent one first, and C2 does not wait for C1 */
    assert_string_equal(arg_of(0, "text"), "u0");
    assert_string_equal(arg_of(1, "text"), "a0");
    assert_string_equal(arg_of(2, "text"), "b0");
    answer_posted(0, "1.0");
    advance(0);
    assert_int_equal(n_calls, 4);
    assert_string_equal(arg_of(3, "text"), "a1");
}

static void test_few_updates_at_a_time(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        char key[8];
        struct hm_slot_memory memory = {.ts = "1.1"};
        (void)snprintf(key, sizeof(key), "k%u", i);
        hm_poster_restore(poster, key, "C1", NULL, &memory);
        show(key, "old", false);
    }
    advance(0);
    assert_int_equal(n_calls, 2);
    show("k5", "news", true); /* overtakes those that wait, and what it replaces is never sent */
    answer(0, HM_OK, "", NULL);
    advance(0);
    assert_int_equal(n_calls, 3);
    assert_string_equal(arg_of(2, "text"), "news");
}

static void forget_it(const char *key)
{
    hm_poster_forget(poster, key);
}

static void finish_it(const char *key)
{
    hm_poster_finish(poster, key);
}

static void show_more(const char *key)
{
    in_posted = NULL;
    show(key, "more", false);
}

static void test_owner_acts_in_callbacks(void **state)
{
    (void)state;
    in_posted = forget_it;
    hm_poster_open(poster, "k", "C1", NULL);
    show("k", "one", false);
    advance(0);
    answer_posted(0, "1.1");
    expect_notes("posted k C1 1.1;");
    assert_false(hm_poster_has(poster, "k"));

    in_posted = show_more;
    hm_poster_open(poster, "k", "C1", NULL);
    show("k", "one", false);
    advance(0);
    answer_posted(1, "2.2");
    expect_notes("posted k C1 2.2;");
    advance(1000);
    expect_call(2, "chat.update", "more");
    in_shown = forget_it;
    answer(2, HM_OK, "", NULL);
    assert_false(hm_poster_has(poster, "k"));

    in_shown = NULL;
    in_posted = finish_it;
    hm_poster_open(poster, "k", "C1", NULL);
    show("k", "one", false);
    advance(0);
    show("k", "two", false); /* newer content when "finish" comes: it must still be shown */
    answer_posted(3, "3.3");
    assert_true(hm_poster_has(poster, "k"));
    advance(1000);
    expect_call(4, "chat.update", "two");
    answer(4, HM_OK, "", NULL);
    assert_false(hm_poster_has(poster, "k"));
    expect_notes("shown k;posted k C1 3.3;shown k;");
}

static void test_finish_and_forget(void **state)
{
    struct hm_poster_stats stats;
    (void)state;
    post_one("k", "C1", "1.1");
    show("k", "end", true);
    hm_poster_finish(poster, "k");
    assert_true(hm_poster_has(poster, "k"));
    advance(0);
    answer(1, HM_OK, "", NULL);
    assert_false(hm_poster_has(poster, "k"));

    post_one("g", "C1", "2.2");
    hm_poster_finish(poster, "g"); /* nothing is left to do */
    assert_false(hm_poster_has(poster, "g"));

    hm_poster_open(poster, "f", "C1", NULL);
    show("f", "one", false);
    advance(0);
    hm_poster_forget(poster, "f");
    hm_poster_open(poster, "f", "C2", NULL); /* the same name, another slot */
    hm_strbuf_reset(&notes);
    answer_posted(3, "3.3");
    assert_null(hm_poster_ts(poster, "f"));
    expect_notes("");

    hm_poster_open(poster, "p", "C3", NULL);
    show("p", "end", false);
    hm_poster_finish(poster, "p");
    advance(0);
    answer(4, HM_EPERM, "is_archived", NULL);
    expect_notes("place p is_archived;");
    assert_false(hm_poster_has(poster, "p")); /* nobody moved it */
    hm_poster_stats(poster, &stats);
    assert_int_equal(stats.slots, 1);
}

static void test_keys_are_found(void **state)
{
    char digest_a[HM_SHA256_HEX];
    char digest_b[HM_SHA256_HEX];
    json_t *a = parse("{\"text\":\"x\",\"blocks\":[{\"a\":1,\"b\":2}]}");
    json_t *b = parse("{\"blocks\":[{\"b\":2,\"a\":1}],\"text\":\"x\"}");
    static const char *const bad[] = {
        "null",
        "{}",
        "[]",
        "{\"messages\":7}",
        "{\"messages\":[7,null,{}]}",
        "{\"messages\":[{\"ts\":\"1\",\"metadata\":[]}]}",
        "{\"messages\":[{\"ts\":\"1\",\"metadata\":{\"event_type\":\"other\",\"event_payload\":{\"key\":\"k\"}}}]}",
        "{\"messages\":[{\"metadata\":{\"event_type\":\"hausmeister\",\"event_payload\":{\"key\":\"k\"}}}]}"};
    (void)state;
    hm_post_digest(a, digest_a);
    hm_post_digest(b, digest_b);
    assert_string_equal(digest_a, digest_b);
    json_decref(a);
    json_decref(b);
    for (size_t i = 0; i < HM_ARRAY_LEN(bad); i++) {
        json_t *body = parse(bad[i]);
        assert_null(hm_post_look_find(body, "k", NULL));
        assert_null(hm_post_look_cursor(body));
        json_decref(body);
    }
}

/* ---- Slack with bad luck ---------------------------------------------------------------------------------------------- */

enum { SIM_SLOTS = 6, SIM_MESSAGES = 200 };

struct message {
    char key[8];
    char text[32];
    bool deleted;
};

static struct message messages[SIM_MESSAGES];
static unsigned n_messages;
static char journal[SIM_SLOTS][16]; /* the ts that the owner was told */
static uint64_t sim_seed;

static unsigned sim_random(unsigned n)
{
    sim_seed = sim_seed * 6364136223846793005U + 1442695040888963407U;
    return (unsigned)(sim_seed >> 33) % n;
}

static void remember_ts(const char *key)
{
    (void)snprintf(journal[key[1] - '0'], sizeof(journal[0]), "%s", hm_poster_ts(poster, key));
}

static unsigned message_at(const char *ts)
{
    uint32_t i = 0;
    assert_true(hm_starts_with(ts, "9."));
    assert_true(hm_parse_u32(ts + 2, SIM_MESSAGES, &i));
    return i;
}

static void sim_post(unsigned i, bool reply_lost)
{
    struct message *m = &messages[n_messages];
    assert_true(n_messages < SIM_MESSAGES);
    (void)snprintf(m->key, sizeof(m->key), "%s", arg_of(i, "metadata.event_payload.key"));
    (void)snprintf(m->text, sizeof(m->text), "%s", arg_of(i, "text"));
    m->deleted = false;
    for (unsigned k = 0; k < n_messages; k++)
        assert_true(messages[k].deleted || strcmp(messages[k].key, m->key) != 0); /* never two of one key */
    char *ts = hm_xasprintf("9.%u", n_messages++);
    if (reply_lost)
        answer(i, HM_EUNKNOWN, "", NULL);
    else
        answer_posted(i, ts);
    free(ts);
}

static void sim_update(unsigned i)
{
    struct message *m = &messages[message_at(arg_of(i, "ts"))];
    if (m->deleted) {
        answer(i, HM_ENOTFOUND, "message_not_found", NULL);
        return;
    }
    (void)snprintf(m->text, sizeof(m->text), "%s", arg_of(i, "text"));
    answer(i, sim_random(4) == 0 ? HM_EIO : HM_OK, "", "{\"ok\":true}");
}

static void sim_look(unsigned i)
{
    json_t *body = hm_json_obj_new();
    json_t *list = hm_json_arr_new();
    for (unsigned k = 0; k < n_messages; k++) {
        json_t *m =
            json_pack("{s:{s:s, s:{s:s}}}", "metadata", "event_type", "hausmeister", "event_payload", "key", messages[k].key);
        char *ts = hm_xasprintf("9.%u", k);
        hm_json_set_str(m, "ts", ts);
        if (messages[k].deleted)
            json_decref(m);
        else
            hm_json_add(list, m);
        free(ts);
    }
    hm_json_set(body, "messages", list);
    char *text = hm_json_text(body);
    answer(i, HM_OK, "", text);
    free(text);
    json_decref(body);
}

static void sim_answer(unsigned i, bool luck)
{
    if (!luck && sim_random(5) == 0)
        answer(i, HM_EIO, "ratelimited", NULL); /* not done */
    else if (strcmp(calls[i].method, "chat.postMessage") == 0)
        sim_post(i, !luck && sim_random(3) == 0);
    else if (strcmp(calls[i].method, "chat.update") == 0)
        sim_update(i);
    else
        sim_look(i);
}

struct sim {
    char wanted[SIM_SLOTS][32];
    bool deleted[SIM_SLOTS];
    unsigned crashes;
};

static void sim_key(char key[8], unsigned slot)
{
    (void)snprintf(key, 8, "k%u", slot);
}

/* kill -9 and start again: only what the journal was told is known. */
static void sim_crash(const struct sim *sim)
{
    void *state = NULL;
    int64_t then = now_ms;

    for (unsigned i = 0; i < n_calls; i++) { /* calls that were under way may have happened all the same */
        if (calls[i].on_done != NULL && strcmp(calls[i].method, "chat.postMessage") == 0 && sim_random(2) == 0)
            sim_post(i, true);
    }
    (void)tear_down(&state);
    (void)set_up(&state);
    now_ms = then;
    in_posted = remember_ts;
    for (unsigned i = 0; i < SIM_SLOTS; i++) {
        char key[8];
        struct hm_slot_memory memory = {.ts = journal[i][0] != '\0' ? journal[i] : NULL, .maybe_posted = true};
        sim_key(key, i);
        hm_poster_restore(poster, key, "C1", "1.0", &memory);
        show(key, sim->wanted[i], false);
    }
}

static void sim_show(struct sim *sim, unsigned slot, const char *word, unsigned n, bool urgent)
{
    char key[8];
    sim_key(key, slot);
    (void)snprintf(sim->wanted[slot], sizeof(sim->wanted[slot]), "%s %u", word, n);
    show(key, sim->wanted[slot], urgent);
}

/* Somebody deletes the message of a slot; of each slot once. */
static void sim_delete(struct sim *sim, unsigned slot)
{
    for (unsigned k = 0; k < n_messages && !sim->deleted[slot]; k++) {
        if (messages[k].key[1] - '0' == (int)slot)
            messages[k].deleted = sim->deleted[slot] = true;
    }
}

static void sim_answers(unsigned one_of, bool luck)
{
    for (unsigned i = 0; i < n_calls; i++) {
        if (calls[i].on_done != NULL && sim_random(one_of) == 0)
            sim_answer(i, luck);
    }
}

static void sim_round(struct sim *sim, unsigned round)
{
    unsigned what = sim_random(12);
    unsigned slot = sim_random(SIM_SLOTS);

    advance(sim_random(3000));
    if (what < 4)
        sim_show(sim, slot, "round", round, sim_random(3) == 0);
    else if (what == 4 && sim->crashes++ < 3)
        sim_crash(sim);
    else if (what == 5)
        sim_delete(sim, slot);
    else
        sim_answers(2, false);
}

/* Each slot has one message with its latest content; or none, if it was deleted after that: nobody has noticed, and rightly. */
static void sim_check(const struct sim *sim)
{
    struct hm_poster_stats stats;

    hm_poster_stats(poster, &stats);
    assert_int_equal(stats.unshown + stats.stuck, 0);
    for (unsigned slot = 0; slot < SIM_SLOTS; slot++) {
        unsigned live = 0;
        for (unsigned k = 0; k < n_messages; k++) {
            if (messages[k].deleted || messages[k].key[1] - '0' != (int)slot)
                continue;
            live++;
            assert_string_equal(messages[k].text, sim->wanted[slot]);
        }
        assert_true(live == 1 || (live == 0 && sim->deleted[slot]));
    }
}

static void sim_run(uint64_t seed)
{
    struct sim sim = {.crashes = 0};

    sim_seed = seed;
    n_messages = 0;
    memset(journal, 0, sizeof(journal));
    in_posted = remember_ts;
    for (unsigned i = 0; i < SIM_SLOTS; i++) {
        char key[8];
        sim_key(key, i);
        hm_poster_open(poster, key, "C1", "1.0");
        sim_show(&sim, i, "start", i, false);
    }
    for (unsigned round = 0; round < 120 && n_calls < MAX_CALLS - 100; round++)
        sim_round(&sim, round);
    for (unsigned round = 0; round < 20; round++) { /* Slack is well again */
        advance(70000);
        sim_answers(1, true);
    }
    sim_check(&sim);
}

static void test_bad_luck(void **state)
{
    for (uint64_t seed = 1; seed <= 300; seed++) {
        sim_run(seed);
        (void)tear_down(state);
        (void)set_up(state);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_post_and_update),
        TEST(test_latest_wins),
        TEST(test_same_is_not_sent),
        TEST(test_unknown_post_is_found),
        TEST(test_unknown_post_is_not_found),
        TEST(test_pages_are_bounded),
        TEST(test_look_without_the_scope),
        TEST(test_look_fails),
        TEST(test_restored),
        TEST(test_deleted_message),
        TEST(test_message_too_old_to_edit),
        TEST(test_bad_place),
        TEST(test_move_while_busy),
        TEST(test_too_long),
        TEST(test_refused_but_replaced_meanwhile),
        TEST(test_never_lost),
        TEST(test_token_trouble),
        TEST(test_few_at_a_time),
        TEST(test_few_updates_at_a_time),
        TEST(test_owner_acts_in_callbacks),
        TEST(test_finish_and_forget),
        TEST(test_keys_are_found),
        TEST(test_bad_luck),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
