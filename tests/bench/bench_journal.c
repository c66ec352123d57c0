/* How many durable operations per second the journal takes, and how much CPU each costs.
 *
 *   bench_journal [FOLDER] [COUNT]      FOLDER: where the database is made (default: the current one); COUNT: rows per line
 *
 * Each line is one workload on a fresh database:
 *   - inbox, single: one 1.5 KB envelope outstanding at a time, as when Slack is quiet (one fsync each);
 *   - inbox, 500/s: one envelope every 2 ms, and how long each waited for its callback; first half, second half;
 *   - inbox, N waiting: a burst; the loop keeps N batches outstanding, the journal groups what waits;
 *   - inbox, again: the same envelopes once more (all seen before);
 *   - inbox done: the envelopes settled;
 *   - event: three small events per run and its row in the table of runs, 64 outstanding;
 *   - audit: rows per second of the chain recomputed.
 * "fsync" lines are the floor: a 1.5 KB append and fdatasync on the same disk. Compare ratios within one run only. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "journal/journal.h"

enum { TEXT_BYTES = 1500, EVENTS_PER_RUN = 3 };

enum work { INBOX, SETTLE, EVENT };

struct bench {
    uv_loop_t loop;
    struct hm_journal *journal;
    enum work work;
    int64_t count, put, done, failed;
    int64_t waiting; /* how many to keep outstanding */
    bool closed;
};

static char text[TEXT_BYTES];

static double now_s(void)
{
    uint64_t ns = uv_hrtime();
    return (double)ns / 1e9;
}

static double cpu_s(void)
{
    struct rusage use;
    (void)getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) + (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

/* Keys as random as Slack's envelope ids are, but the same in each round. */
static void make_key(int64_t n, char *key, size_t size)
{
    uint64_t x = (uint64_t)n + 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    (void)snprintf(key, size, "env:%016" PRIx64 "-%016" PRIx64, x, x * 31);
}

static struct hm_batch *make_batch(const struct bench *b, int64_t n)
{
    struct hm_batch *batch = hm_batch_new();
    char key[64];

    if (b->work == INBOX) {
        make_key(n, key, sizeof key);
        hm_batch_inbox(batch, key, "slash_commands", text, sizeof text);
    } else if (b->work == SETTLE) {
        hm_batch_inbox_done(batch, n + 1);
    } else {
        json_t *data = hm_json_obj_new();
        hm_json_set_str(data, "step", "retract");
        hm_json_set_str(data, "digest", "5a5d411b5a5d411b5a5d411b5a5d411b5a5d411b5a5d411b5a5d411b5a5d411b");
        hm_json_set_int(data, "item", n);
        (void)snprintf(key, sizeof key, "r-%" PRId64, n / EVENTS_PER_RUN);
        hm_batch_event(batch, key, n % EVENTS_PER_RUN + 1, "call.started", 0, data);
    }
    return batch;
}

static void on_done(void *arg, const struct hm_put_result *result);

static void fill(struct bench *b)
{
    while (b->put < b->count && b->put - b->done < b->waiting)
        hm_journal_put(b->journal, make_batch(b, b->put++), on_done, b);
}

static void on_done(void *arg, const struct hm_put_result *result)
{
    struct bench *b = arg;
    if (result->code != HM_OK)
        b->failed++;
    if (++b->done == b->count)
        uv_stop(&b->loop);
    fill(b);
}

static void measure(struct bench *b, const char *name, enum work work, int64_t count, int64_t waiting)
{
    struct hm_journal_health before;
    struct hm_journal_health after;

    b->work = work;
    b->count = count;
    b->waiting = waiting;
    b->put = b->done = b->failed = 0;
    hm_journal_health(b->journal, &before);
    double began = now_s();
    double cpu = cpu_s();
    fill(b);
    (void)uv_run(&b->loop, UV_RUN_DEFAULT);
    double took = now_s() - began;
    cpu = cpu_s() - cpu;
    hm_journal_health(b->journal, &after);
    uint64_t commits = after.commits - before.commits;
    (void)printf("%-22s %9" PRId64 " %10.0f %8.1f %9.1f %9" PRIu64 " %7" PRId64 "\n", name, count, (double)count / took,
                 cpu * 1e6 / (double)count, (double)count / (double)commits, after.wal_pages, b->failed);
}

/* ---- latency at a steady rate ---------------------------------------------------------------------------------------------- */

struct pace {
    struct bench bench;
    uv_timer_t timer;
    uint64_t *put_ns; /* when the n-th was put; then how long it took */
    int64_t done;
};

static int compare_ns(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void on_paced(void *arg, const struct hm_put_result *result)
{
    struct pace *p = arg;
    p->put_ns[p->done] = uv_hrtime() - p->put_ns[p->done]; /* callbacks come in the order of the puts */
    p->done++;
    p->bench.failed += result->code != HM_OK ? 1 : 0;
    if (p->done == p->bench.count)
        uv_stop(&p->bench.loop);
}

static void on_tick(uv_timer_t *timer)
{
    struct pace *p = timer->data;
    if (p->bench.put == p->bench.count) {
        (void)uv_timer_stop(timer);
        return;
    }
    p->put_ns[p->bench.put] = uv_hrtime();
    hm_journal_put(p->bench.journal, make_batch(&p->bench, p->bench.put), on_paced, p);
    p->bench.put++;
}

static bool open_fresh(struct bench *b, const char *path);
static void close_all(struct bench *b);

static void measure_pace(const char *path, int64_t count)
{
    struct pace p = {0};
    if (!open_fresh(&p.bench, path))
        return;
    p.bench.count = count;
    p.put_ns = hm_xcalloc((size_t)count, sizeof *p.put_ns);
    (void)uv_timer_init(&p.bench.loop, &p.timer);
    p.timer.data = &p;
    (void)uv_timer_start(&p.timer, on_tick, 2, 2);
    double began = now_s();
    double cpu = cpu_s();
    (void)uv_run(&p.bench.loop, UV_RUN_DEFAULT);
    double took = now_s() - began;
    cpu = cpu_s() - cpu;
    const int64_t half = count / 2;
    for (int64_t from = 0; from + half <= count; from += half) {
        uint64_t *ns = p.put_ns + from;
        uint64_t p50 = 0;
        uint64_t p99 = 0;
        uint64_t worst = 0;
        qsort(ns, (size_t)half, sizeof *ns, compare_ns);
        p50 = ns[half / 2];
        p99 = ns[half * 99 / 100];
        worst = ns[half - 1];
        (void)printf("%-22s %9" PRId64 " %10.0f %8.1f   p50 %.2f ms, p99 %.2f ms, worst %.2f ms\n",
                     from == 0 ? "inbox, 500/s" : "inbox, 500/s, later", half, (double)count / took, cpu * 1e6 / (double)count,
                     (double)p50 / 1e6, (double)p99 / 1e6, (double)worst / 1e6);
    }
    uv_close((uv_handle_t *)&p.timer, NULL);
    close_all(&p.bench);
    free(p.put_ns);
}

/* ---- the rest -----------------------------------------------------------------------------------------------------------------
 */

static void on_closed(void *arg)
{
    struct bench *b = arg;
    b->closed = true;
}

static bool open_fresh(struct bench *b, const char *path)
{
    static const char *const tails[] = {"", "-wal", "-shm", ".lock"};
    struct hm_err err = {0};

    for (size_t i = 0; i < HM_ARRAY_LEN(tails); i++) {
        char *file = hm_xasprintf("%s%s", path, tails[i]);
        (void)unlink(file);
        free(file);
    }
    memset(b, 0, sizeof *b);
    (void)uv_loop_init(&b->loop);
    b->journal = hm_journal_open(&b->loop, &(struct hm_journal_opts){.path = path, .clock = hm_clock_real()}, &err);
    if (b->journal == NULL)
        (void)fprintf(stderr, "%s\n", err.msg);
    return b->journal != NULL;
}

static void close_all(struct bench *b)
{
    hm_journal_close(b->journal, on_closed, b);
    (void)uv_run(&b->loop, UV_RUN_DEFAULT);
    hm_journal_free(b->journal);
    (void)uv_loop_close(&b->loop);
}

static void measure_fsync(const char *path, int64_t count)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0)
        return;
    double began = now_s();
    double cpu = cpu_s();
    for (int64_t i = 0; i < count; i++) {
        if (write(fd, text, sizeof text) != (ssize_t)sizeof text || fdatasync(fd) != 0)
            break;
    }
    double took = now_s() - began;
    (void)printf("%-22s %9" PRId64 " %10.0f %8.1f\n", "fsync alone", count, (double)count / took,
                 (cpu_s() - cpu) * 1e6 / (double)count);
    (void)close(fd);
    (void)unlink(path);
}

static void measure_audit(const char *path)
{
    struct hm_err err = {0};
    struct hm_audit audit;
    struct hm_journal_reader *reader = hm_journal_reader_open(path, &err);
    if (reader == NULL)
        return;
    double began = now_s();
    double cpu = cpu_s();
    enum hm_code code = hm_journal_audit(reader, &audit, &err);
    double took = now_s() - began;
    (void)printf("%-22s %9" PRIu64 " %10.0f %8.1f %9s %9s %7s\n", "audit", audit.rows, (double)audit.rows / took,
                 (cpu_s() - cpu) * 1e6 / (double)audit.rows, "", "", code == HM_OK && audit.broken_at == 0 ? "0" : "broken");
    hm_journal_reader_free(reader);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : ".";
    int64_t count = 20000;
    struct bench b;

    if (argc > 2 && !hm_parse_i64(argv[2], EVENTS_PER_RUN, 10000000, &count)) {
        (void)fprintf(stderr, "usage: bench_journal [FOLDER] [COUNT]\n");
        return 2;
    }
    memset(text, 'x', sizeof text);
    char *path = hm_xasprintf("%s/bench_journal.db", folder);
    (void)printf("%-22s %9s %10s %8s %9s %9s %7s\n", "workload", "rows", "rows/s", "CPU us", "per group", "WAL pages", "failed");
    measure_fsync(path, count / 10);
    if (!open_fresh(&b, path))
        return 3;
    measure(&b, "inbox, single", INBOX, count / 10, 1);
    close_all(&b);
    measure_pace(path, count / 4);
    static const int64_t waiting[] = {16, 64, 256, 1024, 4096, INT64_MAX};
    for (size_t i = 0; i < HM_ARRAY_LEN(waiting); i++) {
        char name[48];
        if (!open_fresh(&b, path))
            return 3;
        if (waiting[i] == INT64_MAX)
            (void)snprintf(name, sizeof name, "inbox, all at once");
        else
            (void)snprintf(name, sizeof name, "inbox, %" PRId64 " waiting", waiting[i]);
        measure(&b, name, INBOX, count, waiting[i]);
        if (waiting[i] != INT64_MAX)
            close_all(&b);
    }
    measure(&b, "inbox, again", INBOX, count, 1024);
    measure(&b, "inbox done", SETTLE, count, 1024);
    measure(&b, "event, single", EVENT, count / 10 / EVENTS_PER_RUN * EVENTS_PER_RUN, 1);
    close_all(&b);
    if (!open_fresh(&b, path))
        return 3;
    measure(&b, "event, 64 waiting", EVENT, count, 64);
    measure_audit(path);
    close_all(&b);
    free(path);
    return b.closed ? 0 : 1;
}
