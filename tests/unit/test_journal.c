/* The journal's promises on a healthy disk: order, atomicity, compare-and-set, dedupe, groups, closing, reading. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "unit/journal_fixture.h"
#include "unit/unit.h"

/* ---- visitors that collect what they see as text ---------------------------------------------------------------------- */

struct seen {
    char text[4096];
    int rows, stop_after;
};

static bool note(struct seen *seen, const char *line)
{
    size_t len = strlen(seen->text);
    (void)snprintf(seen->text + len, sizeof seen->text - len, "%s\n", line);
    seen->rows++;
    return seen->rows != seen->stop_after;
}

static bool see_event(void *arg, const struct hm_event_row *row)
{
    char line[256];
    char *data = hm_json_text(row->data);
    assert_int_equal(strlen(row->hash), 64);
    assert_true(row->wall_ms > 0);
    (void)snprintf(line, sizeof line, "%d %s/%d %s %s", (int)row->id, row->run_id, (int)row->seq, row->type, data);
    free(data);
    return note(arg, line);
}

static bool see_run(void *arg, const struct hm_run_row *row)
{
    char line[256];
    assert_true(row->started_ms > 0 && row->changed_ms >= row->started_ms);
    (void)snprintf(line, sizeof line, "%s '%s' '%s' %s %d", row->run_id, row->recipe, row->requester, row->open ? "open" : "over",
                   (int)row->events);
    return note(arg, line);
}

static bool see_inbox(void *arg, const struct hm_inbox_row *row)
{
    char line[256];
    (void)snprintf(line, sizeof line, "%d %s %s %zu %.20s", (int)row->id, row->dedupe_key, row->type, row->len, row->text);
    return note(arg, line);
}

static bool see_value(void *arg, const char *key, const json_t *value)
{
    char line[256];
    char *text = hm_json_text(value);
    (void)snprintf(line, sizeof line, "%s=%s", key, text);
    free(text);
    return note(arg, line);
}

static void expect_events(struct jf *jf, const char *run_id, bool open_only, const char *expected)
{
    struct seen seen = {0};
    struct hm_journal_reader *reader = jf_reader(jf);
    assert_int_equal(hm_journal_events(reader, run_id, open_only, see_event, &seen, NULL), HM_OK);
    assert_string_equal(seen.text, expected);
    hm_journal_reader_free(reader);
}

static void expect_values(struct jf *jf, const char *space, const char *expected)
{
    struct seen seen = {0};
    struct hm_journal_reader *reader = jf_reader(jf);
    assert_int_equal(hm_journal_values(reader, space, see_value, &seen, NULL), HM_OK);
    assert_string_equal(seen.text, expected);
    hm_journal_reader_free(reader);
}

static void expect_inbox(struct jf *jf, const char *expected)
{
    struct seen seen = {0};
    struct hm_journal_reader *reader = jf_reader(jf);
    assert_int_equal(hm_journal_inbox_open(reader, see_inbox, &seen, NULL), HM_OK);
    assert_string_equal(seen.text, expected);
    hm_journal_reader_free(reader);
}

static void expect_runs(struct jf *jf, bool open_only, size_t limit, const char *expected)
{
    struct seen seen = {0};
    struct hm_journal_reader *reader = jf_reader(jf);
    assert_int_equal(hm_journal_runs(reader, open_only, limit, see_run, &seen, NULL), HM_OK);
    assert_string_equal(seen.text, expected);
    hm_journal_reader_free(reader);
}

/* ---- tests --------------------------------------------------------------------------------------------------------------- */

static void callbacks_come_in_the_order_of_the_puts(void **state)
{
    struct jf *jf = *state;
    enum { N = 2000 };
    struct jf_result *results = hm_xcalloc(N, sizeof *results);

    for (int64_t i = 0; i < N; i++)
        jf_put(jf, jf_event(i % 2 == 0 ? "r-even" : "r-odd", i / 2 + 1, "s"), &results[i]);
    jf_wait(jf, &results[N - 1]);
    for (int64_t i = 0; i < N; i++) {
        assert_int_equal(results[i].code, HM_OK);
        assert_int_equal(results[i].order, i + 1);
    }
    free(results);
    assert_int_equal(jf_number(jf, "SELECT count(*) FROM events WHERE seq = (id + 1) / 2"), N);
}

static void an_envelope_is_kept_once(void **state)
{
    struct jf *jf = *state;
    struct jf_result first = jf_do(jf, jf_inbox("env-1", "{\"a\":1}"));
    struct jf_result other = jf_do(jf, jf_inbox("env-2", "{\"b\":1}"));
    struct jf_result again = jf_do(jf, jf_inbox("env-1", "{\"a\":2}"));

    assert_true(first.fresh && first.inbox_open && other.fresh);
    assert_int_not_equal(first.inbox_id, other.inbox_id);
    assert_false(again.fresh);
    assert_true(again.inbox_open);
    assert_int_equal(again.inbox_id, first.inbox_id);
    expect_inbox(jf, "1 env-1 slash_commands 7 {\"a\":1}\n2 env-2 slash_commands 7 {\"b\":1}\n");

    struct hm_batch *done = hm_batch_new();
    hm_batch_inbox_done(done, first.inbox_id);
    assert_int_equal(jf_do(jf, done).code, HM_OK);
    again = jf_do(jf, jf_inbox("env-1", "{\"a\":3}"));
    assert_false(again.fresh);
    assert_false(again.inbox_open);
    assert_int_equal(again.inbox_id, first.inbox_id);
    expect_inbox(jf, "2 env-2 slash_commands 7 {\"b\":1}\n");

    jf_close(jf); /* the keys outlive the process */
    jf_open(jf);
    assert_false(jf_do(jf, jf_inbox("env-1", "{}")).fresh);
}

static void an_envelope_comes_back_byte_for_byte(void **state)
{
    struct jf *jf = *state;
    static const char bytes[] = "a\0b\xff\xfe 'quoted' \"; DROP TABLE inbox; --";
    struct hm_batch *batch = hm_batch_new();
    hm_batch_inbox(batch, "k", "events_api", bytes, sizeof bytes);
    assert_int_equal(jf_do(jf, batch).code, HM_OK);

    sqlite3 *db = jf_sqlite(jf);
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT text FROM inbox", -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    const void *text = sqlite3_column_text(stmt, 0);
    assert_int_equal(sqlite3_column_bytes(stmt, 0), sizeof bytes);
    assert_memory_equal(text, bytes, sizeof bytes);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
}

static void a_number_is_taken_or_leaves_a_gap(void **state)
{
    struct jf *jf = *state;
    assert_int_equal(jf_do(jf, jf_event("r-1", 1, "a")).code, HM_OK);
    assert_int_equal(jf_do(jf, jf_event("r-1", 2, "b")).code, HM_OK);

    struct jf_result taken = jf_do(jf, jf_event("r-1", 2, "c"));
    assert_int_equal(taken.code, HM_ECONFLICT);
    assert_string_equal(taken.error, "event 2 of run r-1 is taken: the run is at 2 already");
    struct jf_result gap = jf_do(jf, jf_event("r-1", 4, "c"));
    assert_int_equal(gap.code, HM_ECONFLICT);
    assert_string_equal(gap.error, "event 4 of run r-1 would leave a gap: the run is at 2");
    assert_int_equal(jf_do(jf, jf_event("r-2", 2, "c")).code, HM_ECONFLICT);
    assert_int_equal(jf_do(jf, jf_event("r-1", 3, "c")).code, HM_OK);
    expect_events(jf, NULL, false,
                  "1 r-1/1 step.done {\"step\":\"a\"}\n2 r-1/2 step.done {\"step\":\"b\"}\n3 r-1/3 step.done {\"step\":\"c\"}\n");

    struct hm_journal_health health;
    hm_journal_health(jf->journal, &health);
    assert_true(health.ok); /* a conflict is nobody's illness */
    assert_int_equal(health.rows, 3);
    assert_int_equal(health.batches, 6);
}

static struct hm_batch *story(const char *run_id, int64_t seq, const char *claim)
{
    struct hm_batch *batch = jf_event(run_id, seq, "x");
    json_t *data = hm_json_obj_new();
    hm_batch_inbox(batch, run_id, "interactive", "{}", 2);
    hm_batch_run(batch, run_id, "retract", "U1", true);
    hm_batch_set(batch, "known", run_id, json_integer(7));
    hm_batch_recipe_text(batch, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "name = 1;");
    hm_json_set_str(data, "step", "y");
    hm_batch_event(batch, run_id, seq + 1, "step.done", 0, data);
    hm_batch_claim(batch, "gate", claim, json_true());
    return batch;
}

static bool see_time(void *arg, const struct hm_event_row *row)
{
    *(int64_t *)arg = row->wall_ms;
    return false;
}

/* The state in memory was made with this time: read back with that of the commit, a run's card would change by a restart. */
static void an_event_keeps_its_own_time(void **state)
{
    struct jf *jf = *state;
    int64_t at_ms = 0;
    struct hm_batch *batch = hm_batch_new();
    json_t *data = hm_json_obj_new();
    hm_batch_event(batch, "r-1", 1, "step.done", 1763860000123, data);
    assert_int_equal(jf_do(jf, batch).code, HM_OK);
    struct hm_journal_reader *reader = jf_reader(jf);
    assert_int_equal(hm_journal_events(reader, "r-1", false, see_time, &at_ms, NULL), HM_OK);
    assert_int_equal(at_ms, 1763860000123);
    hm_journal_reader_free(reader);
}

static void a_batch_is_written_wholly_or_not_at_all(void **state)
{
    struct jf *jf = *state;
    assert_int_equal(jf_do(jf, story("r-1", 1, "nonce-1")).code, HM_OK);
    struct jf_result late = jf_do(jf, story("r-2", 1, "nonce-1")); /* its last operation fails */
    assert_int_equal(late.code, HM_ECONFLICT);
    assert_string_equal(late.error, "gate \"nonce-1\" is taken");
    assert_false(late.fresh);

    expect_events(jf, NULL, false, "1 r-1/1 step.done {\"step\":\"x\"}\n2 r-1/2 step.done {\"step\":\"y\"}\n");
    expect_runs(jf, false, 10, "r-1 'retract' 'U1' open 2\n");
    expect_values(jf, "known", "r-1=7\n");
    expect_inbox(jf, "1 r-1 interactive 2 {}\n");
    assert_int_equal(jf_do(jf, story("r-2", 1, "nonce-2")).code, HM_OK);
    assert_int_equal(jf_number(jf, "SELECT max(id) FROM events"), 4);
}

static void a_conflict_does_not_spoil_its_group(void **state)
{
    struct jf *jf = *state;
    struct jf_result held;
    struct jf_result r[6];
    struct hm_journal_health before;
    struct hm_journal_health after;

    jf_hold(jf, &held);
    jf_put(jf, jf_event("r-1", 1, "a"), &r[0]);
    jf_put(jf, jf_event("r-1", 1, "lost"), &r[1]);
    jf_put(jf, jf_event("r-1", 2, "b"), &r[2]);
    jf_put(jf, jf_inbox("", "no key"), &r[3]); /* the table's CHECK refuses it */
    jf_put(jf, jf_inbox("env", "{}"), &r[4]);
    jf_put(jf, jf_event("r-1", 4, "gap"), &r[5]);
    hm_journal_health(jf->journal, &before);
    assert_int_equal(before.queued, 7);
    jf_let_go(jf);
    jf_wait(jf, &r[5]);

    static const enum hm_code expected[] = {HM_OK, HM_ECONFLICT, HM_OK, HM_EINVAL, HM_OK, HM_ECONFLICT};
    for (size_t i = 0; i < HM_ARRAY_LEN(r); i++) {
        assert_int_equal(r[i].code, expected[i]);
        assert_int_equal(r[i].order, (int64_t)i + 2);
    }
    hm_journal_health(jf->journal, &after);
    assert_int_equal(after.commits, before.commits + 2); /* the held one, and all six together */
    assert_int_equal(after.queued, 0);
    assert_true(after.ok);
    expect_events(jf, "r-1", false, "1 r-1/1 step.done {\"step\":\"a\"}\n2 r-1/2 step.done {\"step\":\"b\"}\n");
    expect_inbox(jf, "1 env slash_commands 2 {}\n");
}

static void two_clicks_in_one_moment_have_one_winner(void **state)
{
    struct jf *jf = *state;
    struct jf_result held;
    struct jf_result first;
    struct jf_result second;
    struct hm_batch *a = jf_event("r-1", 1, "approved by U1");
    struct hm_batch *b = jf_event("r-1", 1, "approved by U2");
    hm_batch_claim(a, "gate", "n", json_string("U1"));
    hm_batch_claim(b, "gate", "n", json_string("U2"));

    jf_hold(jf, &held);
    jf_put(jf, a, &first);
    jf_put(jf, b, &second);
    jf_let_go(jf);
    jf_wait(jf, &second);
    assert_int_equal(first.code, HM_OK);
    assert_int_equal(second.code, HM_ECONFLICT);
    expect_values(jf, "gate", "n=\"U1\"\n");
}

static void values_are_set_and_removed(void **state)
{
    struct jf *jf = *state;
    struct hm_batch *batch = hm_batch_new();
    hm_batch_set(batch, "known", "b", json_integer(1));
    hm_batch_set(batch, "known", "a", json_string("x"));
    hm_batch_set(batch, "other", "a", json_true());
    hm_batch_set(batch, "known", "b", json_integer(2));
    hm_batch_set(batch, "known", "gone", json_null());
    hm_batch_set(batch, "known", "gone", NULL);
    hm_batch_claim(batch, "known", "gone", json_integer(3));
    assert_int_equal(jf_do(jf, batch).code, HM_OK);
    expect_values(jf, "known", "a=\"x\"\nb=2\ngone=3\n");
    expect_values(jf, "other", "a=true\n");
    expect_values(jf, "none", "");
}

static void runs_are_listed_newest_first(void **state)
{
    struct jf *jf = *state;
    struct hm_batch *batch = jf_event("r-1", 1, "a");
    hm_batch_run(batch, "r-1", "retract", "U1", true);
    assert_int_equal(jf_do(jf, batch).code, HM_OK);
    batch = hm_batch_new();
    hm_batch_run(batch, "r-2", "scale", "U2", true);
    assert_int_equal(jf_do(jf, batch).code, HM_OK);
    batch = jf_event("r-1", 2, "b");
    hm_batch_run(batch, "r-1", "retract", "U1", false);
    assert_int_equal(jf_do(jf, batch).code, HM_OK);
    assert_int_equal(jf_do(jf, jf_event("r-3", 1, "a")).code, HM_OK); /* entry made by the event alone */

    expect_runs(jf, false, 10, "r-3 '' '' open 1\nr-2 'scale' 'U2' open 0\nr-1 'retract' 'U1' over 2\n");
    expect_runs(jf, false, 1, "r-3 '' '' open 1\n");
    expect_runs(jf, true, SIZE_MAX, "r-3 '' '' open 1\nr-2 'scale' 'U2' open 0\n");
    expect_runs(jf, false, 0, "");
    expect_events(jf, NULL, true, "3 r-3/1 step.done {\"step\":\"a\"}\n");
    expect_events(jf, "r-1", true, "");
    expect_events(jf, "r-3", true, "3 r-3/1 step.done {\"step\":\"a\"}\n");
    expect_events(jf, "r-9", false, "");
}

static void a_visitor_may_stop(void **state)
{
    struct jf *jf = *state;
    struct seen seen = {.stop_after = 2};
    for (int i = 1; i <= 5; i++)
        assert_int_equal(jf_do(jf, jf_event("r-1", i, "a")).code, HM_OK);
    struct hm_journal_reader *reader = jf_reader(jf);
    assert_int_equal(hm_journal_events(reader, NULL, false, see_event, &seen, NULL), HM_OK);
    assert_int_equal(seen.rows, 2);
    hm_journal_reader_free(reader);
}

static void a_recipe_text_is_found_by_its_hash(void **state)
{
    struct jf *jf = *state;
    static const char text[] = "name = \"retract\";\n";
    char sha[HM_SHA256_HEX];
    struct hm_err err = {0};

    hm_sha256_hex(text, strlen(text), sha);
    for (int i = 0; i < 2; i++) {
        struct hm_batch *batch = hm_batch_new();
        hm_batch_recipe_text(batch, sha, text);
        assert_int_equal(jf_do(jf, batch).code, HM_OK);
    }
    struct hm_journal_reader *reader = jf_reader(jf);
    char *found = hm_journal_recipe_text(reader, sha, &err);
    assert_string_equal(found, text);
    free(found);
    assert_null(hm_journal_recipe_text(reader, "00", &err));
    assert_int_equal(err.code, HM_ENOTFOUND);
    hm_journal_reader_free(reader);

    jf_tamper(jf, "DROP TRIGGER recipes_stay; UPDATE recipes SET text = text || ' '");
    reader = jf_reader(jf);
    assert_null(hm_journal_recipe_text(reader, sha, &err));
    assert_int_equal(err.code, HM_EIO);
    hm_journal_reader_free(reader);
}

struct chain_put {
    struct jf *jf;
    int left;
    int done;
};

static void on_chain_put(void *arg, const struct hm_put_result *result)
{
    struct chain_put *chain = arg;
    assert_int_equal(result->code, HM_OK);
    chain->done++;
    if (chain->left-- > 0)
        hm_journal_put(chain->jf->journal, jf_event("r-chain", chain->done + 1, "next"), on_chain_put, chain);
}

static void closing_commits_what_is_queued_and_what_follows(void **state)
{
    struct jf *jf = *state;
    enum { N = 1000 };
    struct jf_result *results = hm_xcalloc(N, sizeof *results);
    struct chain_put chain = {.jf = jf, .left = 5};

    hm_journal_put(jf->journal, jf_event("r-chain", 1, "first"), on_chain_put, &chain);
    for (int64_t i = 0; i < N; i++)
        jf_put(jf, jf_event("r-1", i + 1, "s"), &results[i]);
    jf_close(jf);
    for (int64_t i = 0; i < N; i++) {
        assert_true(results[i].done);
        assert_int_equal(results[i].code, HM_OK);
    }
    free(results);
    assert_int_equal(chain.done, 6);
    assert_int_equal(jf_number(jf, "SELECT count(*) FROM events"), N + 6);
}

static void a_put_after_the_last_commit_fails(void **state)
{
    struct jf *jf = *state;
    struct jf_result late;
    hm_journal_close(jf->journal, jf_on_closed, jf); /* nothing is outstanding: the thread ends now */
    jf_put(jf, jf_event("r-1", 1, "s"), &late);
    jf_wait_closed(jf);
    assert_true(late.done);
    assert_int_equal(late.code, HM_EIO);
    assert_string_equal(late.error, "the journal is closed");
    assert_int_equal(jf_number(jf, "SELECT count(*) FROM events"), 0);
}

static void nobody_needs_to_listen(void **state)
{
    struct jf *jf = *state;
    struct hm_batch *unused = jf_event("r-1", 1, "never put");
    hm_batch_free(unused);
    hm_batch_free(NULL);
    hm_journal_put(jf->journal, jf_event("r-1", 1, "s"), NULL, NULL);
    assert_int_equal(jf_do(jf, hm_batch_new()).code, HM_OK); /* an empty one is fine too */
    assert_int_equal(jf_number(jf, "SELECT count(*) FROM events"), 1);
}

static void a_hundred_thousand_envelopes(void **state)
{
    struct jf *jf = *state;
    enum { N = 100000 };
    struct jf_result last = {0};
    char key[32];

    for (int i = 0; i < N; i++) {
        (void)snprintf(key, sizeof key, "env-%d", i);
        if (i < N - 1)
            hm_journal_put(jf->journal, jf_inbox(key, "{\"type\":\"slash_commands\"}"), NULL, NULL);
        else
            jf_put(jf, jf_inbox(key, "{}"), &last);
    }
    jf_wait(jf, &last);
    assert_int_equal(last.code, HM_OK);
    assert_int_equal(jf_number(jf, "SELECT count(*) FROM inbox"), N);
    assert_int_equal(jf_number(jf, "SELECT count(*) FROM inbox_open"), N);
    jf_close(jf);
    jf_open(jf);
    jf_put(jf, jf_inbox("env-0", "{}"), &last);
    jf_wait(jf, &last);
    assert_false(last.fresh);
}

/* The reader stands in the middle of a statement while commits go on; it keeps seeing the state of its beginning. */
static bool write_while_reading(void *arg, const struct hm_event_row *row)
{
    struct chain_put *work = arg;
    assert_int_equal(jf_do(work->jf, jf_event("r-1", 100 + row->seq, "meanwhile")).code, HM_OK);
    work->done++;
    return true;
}

static void reading_and_writing_do_not_wait_for_each_other(void **state)
{
    struct jf *jf = *state;
    struct chain_put work = {.jf = jf};
    struct hm_audit audit;

    for (int i = 1; i <= 100; i++)
        assert_int_equal(jf_do(jf, jf_event("r-1", i, "a")).code, HM_OK);
    struct hm_journal_reader *reader = jf_reader(jf);
    assert_int_equal(hm_journal_events(reader, NULL, false, write_while_reading, &work, NULL), HM_OK);
    assert_int_equal(work.done, 100);
    assert_int_equal(hm_journal_audit(reader, &audit, NULL), HM_OK);
    assert_int_equal(audit.rows, 200);
    assert_int_equal(audit.broken_at, 0);
    hm_journal_reader_free(reader);
}

static void the_log_is_moved_into_the_file(void **state)
{
    struct jf *jf = *state;
    struct hm_journal_health health;
    struct stat st;
    static char text[4000];
    char *wal = hm_xasprintf("%s-wal", jf->path);
    off_t size = 0;
    int sizes = 0; /* of the log's file: each other one is an fsync that takes long */
    uint64_t longest = 0;
    int64_t rows = 0;

    memset(text, 'x', sizeof text - 1);
    do { /* by the checkpointer, sooner or later, and then the log begins anew */
        struct jf_result r[20];
        for (size_t i = 0; i < HM_ARRAY_LEN(r); i++) {
            char key[32];
            (void)snprintf(key, sizeof key, "env-%d", (int)rows++);
            jf_put(jf, jf_inbox(key, text), &r[i]);
        }
        jf_wait(jf, &r[HM_ARRAY_LEN(r) - 1]);
        hm_journal_health(jf->journal, &health);
        longest = health.wal_pages > longest ? health.wal_pages : longest;
        assert_true(rows < 200000);
        assert_int_equal(stat(wal, &st), 0);
        sizes += st.st_size != size ? 1 : 0;
        size = st.st_size;
    } while (health.wal_pages >= longest);
    assert_true(longest >= 1000);
    assert_true(size > (off_t)longest * 4096);
    assert_true(sizes <= 20 + size / (1024L * 1024)); /* commits: thousands */
    assert_int_equal(health.checkpoint_failures, 0);
    assert_int_equal(stat(jf->path, &st), 0);
    assert_true(st.st_size > 1000L * 4096);
    assert_int_equal(st.st_mode & 0777, 0600);

    jf_close(jf);
    assert_int_equal(stat(jf->path, &st), 0);
    assert_true(st.st_size > rows * 4000);
    assert_int_not_equal(stat(wal, &st), 0); /* nothing is left in it */
    free(wal);
}

/* Old envelopes whose outcome is visible go, a few at a time; the open ones, the young ones and the newest row stay. */
static void old_envelopes_go(void **state)
{
    struct jf *jf = *state;
    char key[32];
    for (int i = 0; i < 500; i++) {
        (void)snprintf(key, sizeof key, "k%d", i);
        struct jf_result r = jf_do(jf, jf_inbox(key, "{}"));
        if (i % 100 == 7)
            continue; /* still open */
        struct hm_batch *done = hm_batch_new();
        hm_batch_inbox_done(done, r.inbox_id);
        (void)jf_do(jf, done);
    }
    jf_tamper(jf, "UPDATE inbox SET wall_ms = 1000 WHERE id <= 300 OR id = 500");
    const int64_t left[] = {300, 203, 203}; /* 200 go, then the rest of the old ones but for the three that are open */
    for (size_t i = 0; i < HM_ARRAY_LEN(left); i++) {
        struct hm_batch *batch = hm_batch_new();
        hm_batch_inbox_prune(batch, 1001);
        struct jf_result r = jf_do(jf, batch);
        assert_int_equal(r.code, HM_OK);
        assert_int_equal(jf_number(jf, "SELECT count(*) FROM inbox"), left[i]);
    }
    assert_int_equal(jf_number(jf, "SELECT count(*) FROM inbox_open"), 5);
    assert_int_equal(jf_number(jf, "SELECT count(*) FROM inbox WHERE id = 500"), 1);
    assert_int_equal(jf_number(jf, "SELECT count(*) FROM inbox JOIN inbox_open USING (id)"), 5);
    struct jf_result again = jf_do(jf, jf_inbox("k450", "{}")); /* a young one is known still */
    assert_false(again.fresh);
    struct jf_result anew = jf_do(jf, jf_inbox("k0", "{}")); /* an old one is not, and gets a number of its own */
    assert_true(anew.fresh);
    assert_int_equal(anew.inbox_id, 501);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(callbacks_come_in_the_order_of_the_puts, jf_set_up, jf_tear_down),
        cmocka_unit_test_setup_teardown(an_envelope_is_kept_once, jf_set_up, jf_tear_down),
        cmocka_unit_test_setup_teardown(old_envelopes_go, jf_set_up, jf_tear_down),
        cmocka_unit_test_setup_teardown(an_envelope_comes_back_byte_for_byte, jf_set_up, jf_tear_down),
        cmocka_unit_test_setup_teardown(a_number_is_taken_or_leaves_a_gap, jf_set_up, jf_tear_down),
        cmocka_unit_test_setup_teardown(an_event_keeps_its_own_time, jf_set_up, jf_tear_down),
        cmocka_unit_test_setup_teardown(a_batch_is_written_wholly_or_not_at_all, jf_set_up, jf_tear_down),
        cmocka_unit_test_setup_teardown(a_conflict_does_not_spoil_its_group, jf_set_up, jf_tear_down),
        cmocka_unit_test_setup_teardown(two_clicks_in_one_moment_have_one_winner, jf_set_up, jf_tear_down),
        cmocka_unit_test_setup_teardown(values_are_set_and_removed, jf_set_up, jf_tear_down),
        cmocka_unit_test_setup_teardown(runs_are_listed_newest_first, jf_set_up, jf_tear_down),
        cmocka_unit_test_setup_teardown(a_visitor_may_stop, jf_set_up, jf_tear_down),
        cmocka_unit_test_setup_teardown(a_recipe_text_is_found_by_its_hash, jf_set_up, jf_tear_down),
        cmocka_unit_test_setup_teardown(closing_commits_what_is_queued_and_what_follows, jf_set_up, jf_tear_down),
        cmocka_unit_test_setup_teardown(a_put_after_the_last_commit_fails, jf_set_up, jf_tear_down),
        cmocka_unit_test_setup_teardown(nobody_needs_to_listen, jf_set_up, jf_tear_down),
        cmocka_unit_test_setup_teardown(a_hundred_thousand_envelopes, jf_set_up, jf_tear_down),
        cmocka_unit_test_setup_teardown(reading_and_writing_do_not_wait_for_each_other, jf_set_up, jf_tear_down),
        cmocka_unit_test_setup_teardown(the_log_is_moved_into_the_file, jf_set_up, jf_tear_down),
    };
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
