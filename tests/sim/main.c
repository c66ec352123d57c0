/* sim [--seeds N] [--from S] [--steps M] [--jobs J] [--replay SEED [-v]]
 *
 * Plays N stories, with the seeds S, S + 1, … (see sim.h and README.md). Exit 0: every promise was kept. Exit 1: one was broken,
 * or the program died; the seed, the promise, the last events and the command that plays it again are printed. Exit 2: usage.
 *
 * The stories are played in child processes (--jobs of them, 1 when not said), so that a crash of the code under test is reported
 * with its seed like everything else. A story is played without telling; when a promise breaks it is played once more, with. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "model_time.h"
#include "sim.h"

enum { MAX_JOBS = 16 };

/* What a child tells its parent, in memory that both see. */
struct shared {
    uint64_t seed; /* being played */
    uint64_t played, steps, runs, effects, crashes, clicks, envelopes, cards, whispers;
};

struct opts {
    uint64_t from, seeds;
    unsigned steps, jobs;
    bool replay, verbose;
};

struct sim *sim;
static struct shared *mine; /* of this child */
static struct opts opts = {.from = 1, .seeds = 3000, .jobs = 1};
static const char *program;

/* ---- telling
 * ---------------------------------------------------------------------------------------------------------------------------------
 */

void sim_tell(const char *fmt, ...)
{
    struct hm_strbuf line;
    va_list ap;
    if (!sim->telling)
        return;
    hm_strbuf_init(&line, SIM_LINE - 1);
    hm_strbuf_addf(&line, "%5u %s  ", sim->step, sim->time != NULL ? sim_time_text() : "");
    va_start(ap, fmt);
    hm_strbuf_addv(&line, fmt, ap);
    va_end(ap);
    memcpy(sim->told[sim->n_told++ % SIM_TOLD], hm_strbuf_str(&line), line.len + 1);
    if (sim->verbose)
        (void)printf("%s\n", hm_strbuf_str(&line));
    hm_strbuf_done(&line);
}

static void print_replay(FILE *out, uint64_t seed)
{
    (void)fprintf(out, "Play it again: %s --replay %llu", program, (unsigned long long)seed);
    if (opts.steps > 0)
        (void)fprintf(out, " --steps %u", opts.steps);
    (void)fprintf(out, " -v\n");
}

void sim_fail(const char *invariant, const char *fmt, ...)
{
    struct hm_strbuf line;
    va_list ap;
    hm_strbuf_init(&line, 2000);
    va_start(ap, fmt);
    hm_strbuf_addv(&line, fmt, ap);
    va_end(ap);
    const char *text = hm_strbuf_str(&line);
    if (!sim->telling) { /* once more, this time with the story; it ends below */
        const struct story_opts again = {.seed = sim->seed, .steps = opts.steps, .telling = true};
        sim_play(&again);
        (void)fprintf(stderr, "seed %llu broke %s (%s), and not when it was played again: the simulation is not deterministic\n",
                      (unsigned long long)sim->seed, invariant, text);
        exit(1);
    }
    unsigned first = sim->n_told > SIM_TOLD ? sim->n_told - SIM_TOLD : 0;
    (void)fflush(stdout);
    (void)fprintf(stderr, "\nThe last events of seed %llu:\n", (unsigned long long)sim->seed);
    for (unsigned i = first; i < sim->n_told; i++)
        (void)fprintf(stderr, "%s\n", sim->told[i % SIM_TOLD]);
    (void)fprintf(stderr, "\nSeed %llu, step %u: broken promise %s: %s\n", (unsigned long long)sim->seed, sim->step, invariant,
                  text);
    print_replay(stderr, sim->seed);
    (void)fflush(stderr);
    _exit(1);
}

void sim_bug(const char *fmt, ...)
{
    struct hm_strbuf line;
    va_list ap;
    hm_strbuf_init(&line, 10000);
    va_start(ap, fmt);
    hm_strbuf_addv(&line, fmt, ap);
    va_end(ap);
    (void)fprintf(stderr, "sim: a mistake of the simulation itself (seed %llu): %s\n",
                  sim != NULL ? (unsigned long long)sim->seed : 0ULL, hm_strbuf_str(&line));
    abort();
}

void sim_total(const struct sim *story)
{
    mine->steps += story->count.steps;
    mine->runs += story->count.runs;
    mine->effects += story->count.effects;
    mine->crashes += story->count.crashes;
    mine->clicks += story->count.clicks;
    mine->envelopes += story->count.envelopes;
    mine->cards += story->count.cards;
    mine->whispers += story->count.whispers;
}

/* ---- playing
 * -----------------------------------------------------------------------------------------------------------------------------------
 */

static void play_some(uint64_t first, uint64_t stride)
{
    for (uint64_t i = first; i < opts.seeds; i += stride) {
        const struct story_opts story = {.seed = opts.from + i, .steps = opts.steps, .verbose = opts.verbose};
        mine->seed = story.seed;
        sim_play(&story);
        mine->played++;
    }
}

static void run_child(uint64_t index)
{
    sim_recipes_init();
    play_some(index, opts.jobs);
    sim_recipes_done();
    exit(0); /* not _exit(): LeakSanitizer looks at the end */
}

/* True when the child ended well. */
static bool judge(int status, const struct shared *child)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (WIFSIGNALED(status) || WEXITSTATUS(status) != 1) {
        (void)fprintf(stderr, "Seed %llu: the program died (%s %d)\n", (unsigned long long)child->seed,
                      WIFSIGNALED(status) ? "signal" : "exit", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        print_replay(stderr, child->seed);
    }
    return false;
}

static bool play_all(struct shared *children)
{
    pid_t pids[MAX_JOBS];
    bool well = true;
    for (unsigned i = 0; i < opts.jobs; i++) {
        pids[i] = fork();
        if (pids[i] < 0) {
            perror("sim: fork");
            exit(1);
        }
        if (pids[i] == 0) {
            mine = &children[i];
            run_child(i);
        }
    }
    for (unsigned i = 0; i < opts.jobs; i++) {
        int status = 0;
        if (waitpid(pids[i], &status, 0) != pids[i])
            well = false;
        else
            well = judge(status, &children[i]) && well;
    }
    return well;
}

static void print_totals(const struct shared *children, double seconds)
{
    struct shared t = {0};
    for (unsigned i = 0; i < opts.jobs; i++) {
        const struct shared *c = &children[i];
        t.played += c->played;
        t.steps += c->steps;
        t.runs += c->runs;
        t.effects += c->effects;
        t.crashes += c->crashes;
        t.clicks += c->clicks;
        t.envelopes += c->envelopes;
        t.cards += c->cards;
        t.whispers += c->whispers;
    }
    (void)printf("%llu seeds in %.1f s (%.0f per second): %llu steps, %llu envelopes, %llu runs, %llu clicks, %llu writes sent, "
                 "%llu restarts, "
                 "%llu cards shown, %llu whispers\n",
                 (unsigned long long)t.played, seconds, (double)t.played / seconds, (unsigned long long)t.steps,
                 (unsigned long long)t.envelopes, (unsigned long long)t.runs, (unsigned long long)t.clicks,
                 (unsigned long long)t.effects, (unsigned long long)t.crashes, (unsigned long long)t.cards,
                 (unsigned long long)t.whispers);
}

/* ---- options
 * -----------------------------------------------------------------------------------------------------------------------------------
 */

static _Noreturn void usage(void)
{
    (void)fprintf(stderr, "usage: sim [--seeds N] [--from S] [--steps M] [--jobs J] [--replay SEED [-v]]\n");
    exit(2);
}

static int64_t number(const char *text, int64_t most)
{
    int64_t value = 0;
    if (text == NULL || !hm_parse_i64(text, 0, most, &value))
        usage();
    return value;
}

static void read_options(char **argv)
{
    for (char **arg = argv + 1; *arg != NULL; arg++) {
        if (strcmp(*arg, "-v") == 0) {
            opts.verbose = true;
            continue;
        }
        const char *value = arg[1];
        if (strcmp(*arg, "--seeds") == 0)
            opts.seeds = (uint64_t)number(value, INT64_MAX);
        else if (strcmp(*arg, "--from") == 0)
            opts.from = (uint64_t)number(value, INT64_MAX);
        else if (strcmp(*arg, "--steps") == 0)
            opts.steps = (unsigned)number(value, 1000000);
        else if (strcmp(*arg, "--jobs") == 0)
            opts.jobs = (unsigned)number(value, MAX_JOBS);
        else if (strcmp(*arg, "--replay") == 0) {
            opts.from = (uint64_t)number(value, INT64_MAX);
            opts.seeds = 1;
            opts.replay = true;
        } else
            usage();
        arg++;
    }
    if (opts.replay || opts.jobs == 0)
        opts.jobs = 1;
}

int main(int argc, char **argv)
{
    struct timespec began;
    struct timespec ended;
    (void)argc;
    program = argv[0];
    read_options(argv);
    hm_log_set_level((enum hm_log_level) - 1); /* the bot's own complaints are expected here */
    struct shared *children = mmap(NULL, MAX_JOBS * sizeof *children, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (children == MAP_FAILED) {
        perror("sim: mmap");
        return 1;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &began);
    bool well = play_all(children);
    (void)clock_gettime(CLOCK_MONOTONIC, &ended);
    print_totals(children, (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9);
    (void)munmap(children, MAX_JOBS * sizeof *children);
    return well ? 0 : 1;
}
