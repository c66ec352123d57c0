/* Message slots, case by case. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "post_rig.h"
#include "slack/post_build.h"

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

/* Progress that is not rendered until its turn comes. */
static void test_behind(void **state)
{
    struct hm_poster_stats stats;
    (void)state;
    hm_poster_open(poster, "k", "C1", NULL);
    assert_false(hm_poster_behind(poster, "k")); /* no message yet: what there is is posted at once */
    show("k", "first", false);
    advance(0);
    assert_false(hm_poster_behind(poster, "k")); /* not before its ts is known */
    answer_posted(0, "1.1");
    expect_notes("posted k C1 1.1;shown k;");

    advance(500);
    newest = "not asked for yet";
    assert_true(hm_poster_behind(poster, "k"));
    assert_true(hm_poster_behind(poster, "k"));
    hm_poster_stats(poster, &stats);
    assert_int_equal(stats.unshown, 1);
    advance(499);
    expect_notes("");
    newest = "second";
    advance(1);
    expect_call(1, "chat.update", "second");
    expect_notes("asked k;");

    assert_true(hm_poster_behind(poster, "k")); /* while it is under way */
    answer(1, HM_OK, "", NULL);
    expect_notes(""); /* what Slack shows is not the latest */
    newest = "third";
    advance(1000);
    expect_call(2, "chat.update", "third");
    answer(2, HM_OK, "", NULL);
    expect_notes("asked k;shown k;");
    advance(5000);
    assert_false(hm_poster_behind(poster, "k")); /* nothing to wait for */
    assert_int_equal(n_calls, 3);
}

static void test_behind_and_then(void **state)
{
    struct hm_poster_stats stats;
    (void)state;
    post_one("k", "C1", "1.1");
    show("k", "just now", false);
    advance(0);
    answer(1, HM_OK, "", NULL);
    expect_notes("shown k;");
    assert_true(hm_poster_behind(poster, "k"));
    show("k", "urgent", true); /* other content came: nobody is asked */
    advance(1000);
    expect_call(2, "chat.update", "urgent");
    answer(2, HM_OK, "", NULL);
    expect_notes("shown k;");

    assert_true(hm_poster_behind(poster, "k")); /* the same again */
    newest = "urgent";
    advance(2000);
    assert_int_equal(n_calls, 3);
    expect_notes("asked k;shown k;");

    show("k", "other", false);
    advance(0);
    answer(3, HM_OK, "", NULL);
    expect_notes("shown k;");
    assert_true(hm_poster_behind(poster, "k")); /* the owner does not know yet: it will show it itself */
    newest = NULL;
    advance(2000);
    assert_int_equal(n_calls, 4);
    expect_notes("asked k;");
    hm_poster_stats(poster, &stats);
    assert_int_equal(stats.unshown, 0);

    show("k", "bad", false);
    advance(0);
    assert_true(hm_poster_behind(poster, "k")); /* what is refused is not what is wanted any more */
    newest = "good";
    answer(4, HM_EBUG, "invalid_blocks", NULL);
    advance(2000);
    expect_call(5, "chat.update", "good");
    assert_string_equal(arg_of(5, "blocks.0"), "block");
    answer(5, HM_OK, "", NULL);
    expect_notes("asked k;shown k;");
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
    advance(2999);
    assert_int_equal(n_calls, 0); /* Slack may still be at what was sent before the restart */
    advance(1);
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
    advance(2999);
    assert_int_equal(n_calls, 0); /* Slack may still be at what was sent before the restart */
    advance(1);
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
    advance(2999);
    assert_int_equal(n_calls, 0); /* Slack may still be at what was sent before the restart */
    advance(1);
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
    assert_int_equal(n_calls, 2); /* a post of an earlier process may still be on its way: not at once */
    advance(3000);
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
    advance(3000);
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

/* A run whose last card is still on its way to Slack is taken up again: the same message goes on. */
static void test_finished_and_shown_again(void **state)
{
    (void)state;
    post_one("k", "C1", "1.1");
    show("k", "end", true);
    hm_poster_finish(poster, "k");
    advance(1000);
    answer(1, HM_EIO, "", NULL);
    show("k", "it goes on", true);
    advance(1000);
    expect_call(2, "chat.update", "it goes on");
    answer(2, HM_OK, "", NULL);
    assert_true(hm_poster_has(poster, "k"));
    assert_string_equal(hm_poster_ts(poster, "k"), "1.1");
    show("k", "end again", true);
    hm_poster_finish(poster, "k");
    advance(1000);
    expect_call(3, "chat.update", "end again");
    answer(3, HM_OK, "", NULL);
    assert_false(hm_poster_has(poster, "k"));
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_post_and_update),
        TEST(test_latest_wins),
        TEST(test_same_is_not_sent),
        TEST(test_behind),
        TEST(test_behind_and_then),
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
        TEST(test_finished_and_shown_again),
        TEST(test_keys_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
