/* The stage of a recipe test: one play of it, with at most one crash. Everything around the real run core is memory: the journal
 * is a list, the backends are the test's answers, the clock moves only when nothing else can, people do what the test says.
 *
 * Happy path: hm_test_play_new() → hm_test_play_run() → look at what came of it → hm_test_play_free(). Failure: whatever the test
 * does not provide for (an answer, somebody to click) is a problem, in words, and ends the play. */
#ifndef HM_APP_RECIPE_TEST_STAGE_H
#define HM_APP_RECIPE_TEST_STAGE_H

#include "app/recipe_test.h"
#include "base/strbuf.h"
#include "run/runner.h"

/* When the process dies, relative to one write of the journal; and what becomes of the requests that are under way then, those
 * that the write allows included: they have not left, or have arrived although no answer comes. */
enum hm_test_crash {
    HM_TEST_CRASH_NONE,
    HM_TEST_CRASH_BEFORE,
    HM_TEST_CRASH_BEFORE_ARRIVED,
    HM_TEST_CRASH_AFTER,
    HM_TEST_CRASH_AFTER_ARRIVED,
    HM_TEST_CRASH_NR
};

/* A request that was sent. */
struct hm_test_sent {
    char *name; /* as in the test's `to` */
    char *body;
    struct hm_ticket ticket;
    enum hm_effect effect; /* of the step; READ for verify and probe */
    bool in_air;           /* no answer was given yet */
    bool arrived;
    bool applied; /* it arrived and did what it does */
    int answer;   /* index of the recorded answer it got, or -1 */
};

struct hm_test_row {
    int64_t seq;
    struct hm_event event;
};

struct hm_test_commit {
    void *token;
    int64_t first_seq;
    struct hm_events events; /* a copy */
};

/* A call that was under way when the process died. */
struct hm_test_lost {
    int step, item;
    bool applied;
};

struct hm_test_play {
    const struct hm_recipe_test *test;
    const struct hm_settings *settings;
    struct hm_runner *runner;
    enum hm_test_crash crash;
    unsigned crash_at; /* the write, counted from 1 */

    int64_t now_ms, wake_ms;
    unsigned nonces;
    char run_id[32];
    const char *over; /* the run's last status once it is over, else NULL */

    struct hm_test_row *journal;
    size_t n_journal;
    struct hm_test_commit *commits; /* waiting */
    size_t n_commits;
    struct hm_test_sent *sent;
    size_t n_sent;
    unsigned *used; /* per answer */
    struct hm_test_lost *lost;
    size_t n_lost;

    struct hm_input click; /* under way: no reply yet */
    char click_nonce[20];
    char *click_typed;
    bool clicking;
    struct hm_reply reply;

    /* what came of it */
    unsigned writes;
    char *crashed_in;          /* what the write at which it died held, for messages */
    const char *end;           /* a status, or "waiting" */
    char *waits_for;           /* end "waiting": for what, or NULL */
    char *refused;             /* why the words did not start a run, or NULL */
    char *last_card;           /* its texts, one per line */
    struct hm_strbuf cards;    /* of all versions; without a crash only */
    struct hm_strbuf problems; /* one per line */
};

struct hm_test_play *hm_test_play_new(const struct hm_recipe_test *test, const struct hm_settings *settings);
void hm_test_play_run(struct hm_test_play *play, enum hm_test_crash crash, unsigned crash_at);
void hm_test_play_free(struct hm_test_play *play);

/* For recipe_test_people.c. */
const struct hm_run *hm_test_play_find(const struct hm_test_play *play);
void hm_test_play_problem(struct hm_test_play *play, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Until nothing is to be written or answered. */
void hm_test_play_settle(struct hm_test_play *play);
void hm_test_play_advance(struct hm_test_play *play, int64_t ms);
/* Does the test's next move, or gives the honest answer about what a crash left unknown. False: nobody can do anything. */
bool hm_test_people_move(struct hm_test_play *play, size_t *next_move);
/* The click that had no reply when the process died comes again, as an envelope does. */
void hm_test_people_again(struct hm_test_play *play);
/* True when only a person can take the run on. */
bool hm_test_people_wanted(const struct hm_run *run);
/* What the run waits for, in words. The caller frees. */
char *hm_test_people_why(const struct hm_run *run);

#endif
