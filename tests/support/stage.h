/* A stage for the run core: the real recipes, decide, fold and runner, with everything around them played by the test: the clock,
 * the journal (a list in memory, committed one batch at a time), the backend (a function), the people. Nothing happens by itself:
 * the test says when a commit is done, when a request is answered, when time passes, and when the process dies. */
#ifndef HM_TESTS_STAGE_H
#define HM_TESTS_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "handlers/handler.h"
#include "run/runner.h"

/* The backend of the stage: handler "fake", with the actions
 *   fake.list (read: {items:[…]}), fake.get (read: {id, on}), fake.once (once, probe fake.get), fake.blind (once, no probe),
 *   fake.idem (idempotent, probe fake.get), fake.plain (idempotent, no probe), fake.pages (read, three pages), fake.poll (the
 * same, 2 s apart). Each write turns the thing `id` off. */
enum stage_fate {
    STAGE_OK,
    STAGE_LOST,    /* applied, the reply is lost (broken connection) */
    STAGE_NEVER,   /* nothing applied, time-out */
    STAGE_REFUSED, /* proven: not sent */
    STAGE_500,     /* nothing applied, HTTP 500 */
    STAGE_503,     /* nothing applied, HTTP 503: refused for now */
    STAGE_404,
    STAGE_400,
    STAGE_GARBAGE,
};

struct stage_flight {
    char run_id[32];
    struct hm_ticket ticket;
    struct hm_request req;
    bool arrived; /* the backend has seen it: its effect happened or not, whatever becomes of the reply */
    enum stage_fate fate;
};

struct stage_thing {
    char id[40];
    unsigned writes; /* arrived */
    unsigned effects;
    bool off;
};

struct stage_commit {
    void *token;
    char run_id[32];
    int64_t first_seq;
    struct hm_events events; /* a copy */
    bool open;
};

struct stage_row {
    char run_id[32];
    int64_t seq;
    struct hm_event event;
};

struct stage {
    int64_t now_ms;
    struct hm_recipes recipes;
    struct hm_backend backend;
    struct hm_runner *runner;
    const struct hm_recipe *replaced; /* what env.current is instead, once set_current was used */
    bool current_gone;
    int64_t wake_ms;
    unsigned nonces;

    struct stage_row *journal; /* what is committed */
    size_t n_journal;
    struct stage_commit commits[64]; /* waiting */
    size_t n_commits;
    struct stage_flight flights[64]; /* waiting */
    size_t n_flights;
    bool commits_fail; /* the disk is full */
    bool hold;         /* stage_start() leaves everything waiting */

    /* what the backend does with the next writes (reads are answered unless read_fate says otherwise) */
    enum stage_fate write_fate, read_fate;
    unsigned write_fate_for; /* that many writes; then STAGE_OK */
    unsigned read_fate_for;
    enum stage_fate (*fate_of)(const char *id, unsigned write); /* of the write'th write (1, 2 …) of a thing; NULL = the above */
    bool empty;                                                 /* fake.get gives {none: []} */
    unsigned list_n; /* fake.list gives that many things, t0, t1 …; 0 = a, b, c, d, e */
    struct stage_thing *things;
    size_t n_things, room;

    unsigned changed;      /* calls of io.changed */
    struct hm_reply reply; /* the newest */
    unsigned replies;
    enum hm_code started;
    char run_id[32];       /* of the newest run */
    enum hm_member ana_is; /* what the role lookup says about U0ANA … */
    bool team_unknown;     /* Slack has not told yet whose bot this is */
    const char *requester; /* of the next run: U0ANA */
    bool held;             /* hm_runner_hold(), again after a crash */
    bool loads_fail;       /* the journal can not be read */
    unsigned loads;        /* how often it was */
    bool rest;             /* stage_rest() was called */
    const char *foreign;   /* the journal can not be read to its end, and says this */
    bool forged;           /* stage_forge() was used: the journal need not fold */
};

/* recipe texts, NULL-terminated; a finding ends the test. */
void stage_init(struct stage *stage, const char *const *recipes);
void stage_done(struct stage *stage);

/* Starts a run for U0ANA; words as after the slash command's recipe name. */
enum hm_code stage_start(struct stage *stage, const char *name, const char *words, struct hm_err *err);
/* Commits and answers what waits, in order, until nothing waits any more. */
void stage_settle(struct stage *stage);
/* One thing that waits: a commit first, else a flight. False when nothing waited. */
bool stage_step(struct stage *stage);
void stage_advance(struct stage *stage, int64_t ms);
/* A click on the newest run; settles. */
enum hm_reply_kind stage_click(struct stage *stage, enum hm_input_kind kind, const char *user, const char *typed);
/* The same with more to it: what is typed, a reason. */
enum hm_reply_kind stage_say(struct stage *stage, enum hm_input_kind kind, const char *user, const char *typed,
                             const char *reason);
/* "Stop all", or "resume"; settles. */
void stage_hold(struct stage *stage, bool held);
/* From now on no run that waits for people is kept in memory, also after a crash. */
void stage_rest(struct stage *stage);
/* From now on "the newest run" is this one. */
void stage_use(struct stage *stage, const char *run_id);
/* The process dies: uncommitted batches are gone, requests under way have arrived at the backend or not (arrived), replies never
 * come; a new runner reads the journal. */
void stage_crash(struct stage *stage, bool arrived);
/* As if the recipe file of this text had been loaded instead (same name). Kept until the stage's end. */
void stage_replace_recipe(struct stage *stage, const char *text);

/* Writes one more event of the newest run into the journal, as if an evil hand or a bug had. data: a JSON object, stolen. */
void stage_forge(struct stage *stage, enum hm_event_type type, json_t *stolen_data);

/* hm_reply_fn for a click of one's own; arg is the stage. */
void stage_keep_reply(void *arg, const struct hm_reply *reply, const struct hm_run *run);
const struct hm_run *stage_run(struct stage *stage); /* the newest run, or NULL when it is over and gone */
/* How the newest run ended, from the journal: "done", …, or "" while it is going. */
const char *stage_ending(const struct stage *stage, const char **ret_text);
unsigned stage_effects(const struct stage *stage, const char *id);
unsigned stage_writes(const struct stage *stage, const char *id);
/* Events of a type in the journal, of the newest run. */
unsigned stage_count(const struct stage *stage, enum hm_event_type type);

#endif
