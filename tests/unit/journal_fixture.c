/* The journal's test fixture: see journal_fixture.h. */
#include "unit/journal_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "unit/unit.h"

void jf_init(struct jf *jf)
{
    memset(jf, 0, sizeof *jf);
    memcpy(jf->dir, "/tmp/hm-journal-XXXXXX", sizeof "/tmp/hm-journal-XXXXXX");
    assert_non_null(mkdtemp(jf->dir));
    jf->path = hm_xasprintf("%s/bot.db", jf->dir);
    assert_int_equal(uv_loop_init(&jf->loop), 0);
    assert_int_equal(uv_sem_init(&jf->held, 0), 0);
    assert_int_equal(uv_sem_init(&jf->release, 0), 0);
}

void jf_done(struct jf *jf)
{
    struct dirent *entry = NULL;
    assert_null(jf->journal);
    DIR *dir = opendir(jf->dir);
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL)
        (void)unlinkat(dirfd(dir), entry->d_name, 0);
    (void)closedir(dir);
    assert_int_equal(rmdir(jf->dir), 0);
    uv_sem_destroy(&jf->held);
    uv_sem_destroy(&jf->release);
    assert_int_equal(uv_loop_close(&jf->loop), 0);
    free(jf->path);
}

static void on_crash_point(void *arg, const char *when, uint64_t commit)
{
    struct jf *jf = arg;
    (void)commit;
    if (when[0] != 'b' || !__atomic_exchange_n(&jf->hold, false, __ATOMIC_SEQ_CST))
        return;
    uv_sem_post(&jf->held);
    uv_sem_wait(&jf->release);
}

bool jf_try_open(struct jf *jf, struct hm_err *err)
{
    struct hm_journal_opts opts = {
        .path = jf->path,
        .clock = hm_clock_real(),
        .crash_point = on_crash_point,
        .crash_arg = jf,
    };
    jf->closed = false;
    jf->acks = 0;
    jf->journal = hm_journal_open(&jf->loop, &opts, err);
    return jf->journal != NULL;
}

void jf_open(struct jf *jf)
{
    struct hm_err err = {0};
    if (!jf_try_open(jf, &err))
        fail_msg("%s", err.msg);
    assert_string_equal(err.msg, "");
}

void jf_on_closed(void *arg)
{
    struct jf *jf = arg;
    assert_false(jf->closed);
    jf->closed = true;
}

void jf_wait_closed(struct jf *jf)
{
    while (!jf->closed)
        (void)uv_run(&jf->loop, UV_RUN_ONCE);
    hm_journal_free(jf->journal);
    jf->journal = NULL;
}

void jf_close(struct jf *jf)
{
    hm_journal_close(jf->journal, jf_on_closed, jf);
    assert_false(jf->closed); /* not before the call returned */
    jf_wait_closed(jf);
}

static void on_put(void *arg, const struct hm_put_result *result)
{
    struct jf_result *r = arg;
    assert_false(r->done); /* exactly once */
    r->done = true;
    r->order = ++r->jf->acks;
    r->code = result->code;
    (void)snprintf(r->error, sizeof r->error, "%.*s", (int)sizeof r->error - 1, result->error);
    r->fresh = result->fresh;
    r->inbox_open = result->inbox_open;
    r->inbox_id = result->inbox_id;
    assert_true(result->wall_ms > 0);
    assert_int_equal(result->code == HM_OK, result->error[0] == '\0');
}

void jf_put(struct jf *jf, struct hm_batch *batch, struct jf_result *ret_result)
{
    *ret_result = (struct jf_result){.jf = jf};
    hm_journal_put(jf->journal, batch, on_put, ret_result);
    assert_false(ret_result->done); /* not before the call returned */
}

void jf_wait(struct jf *jf, struct jf_result *result)
{
    while (!result->done)
        assert_int_not_equal(uv_run(&jf->loop, UV_RUN_ONCE), 0);
}

struct jf_result jf_do(struct jf *jf, struct hm_batch *batch)
{
    struct jf_result result;
    jf_put(jf, batch, &result);
    jf_wait(jf, &result);
    return result;
}

void jf_hold(struct jf *jf, struct jf_result *ret_result)
{
    struct hm_batch *batch = hm_batch_new();
    hm_batch_set(batch, "test", "nothing", NULL);
    __atomic_store_n(&jf->hold, true, __ATOMIC_SEQ_CST);
    jf_put(jf, batch, ret_result);
    uv_sem_wait(&jf->held);
    jf->holding = true;
}

void jf_let_go(struct jf *jf)
{
    assert_true(jf->holding);
    jf->holding = false;
    uv_sem_post(&jf->release);
}

void jf_hold_next(struct jf *jf)
{
    __atomic_store_n(&jf->hold, true, __ATOMIC_SEQ_CST);
    jf_let_go(jf);
    uv_sem_wait(&jf->held);
    jf->holding = true;
}

struct hm_batch *jf_event(const char *run_id, int64_t seq, const char *step)
{
    struct hm_batch *batch = hm_batch_new();
    json_t *data = hm_json_obj_new();
    hm_json_set_str(data, "step", step);
    hm_batch_event(batch, run_id, seq, "step.done", 0, data);
    return batch;
}

struct hm_batch *jf_inbox(const char *key, const char *text)
{
    struct hm_batch *batch = hm_batch_new();
    hm_batch_inbox(batch, key, "slash_commands", text, strlen(text));
    return batch;
}

sqlite3 *jf_sqlite(const struct jf *jf)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(jf->path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    return db;
}

void jf_sql(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

void jf_tamper(const struct jf *jf, const char *sql)
{
    sqlite3 *db = jf_sqlite(jf);
    jf_sql(db, sql);
    (void)sqlite3_close(db);
}

int64_t jf_number(const struct jf *jf, const char *sql)
{
    sqlite3 *db = jf_sqlite(jf);
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
    return number;
}

struct hm_journal_reader *jf_reader(const struct jf *jf)
{
    struct hm_err err = {0};
    struct hm_journal_reader *reader = hm_journal_reader_open(jf->path, &err);
    if (reader == NULL)
        fail_msg("%s", err.msg);
    return reader;
}

int jf_set_up(void **state)
{
    struct jf *jf = hm_xcalloc(1, sizeof *jf);
    jf_init(jf);
    jf_open(jf);
    *state = jf;
    return 0;
}

int jf_tear_down(void **state)
{
    struct jf *jf = *state;
    if (jf->journal != NULL)
        jf_close(jf);
    jf_done(jf);
    free(jf);
    return 0;
}
