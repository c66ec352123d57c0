/* The story: one bot, one Slack, one backend and a few people, played under one seed.
 *
 * The bot is the real one, from the inbox to the cards: app/ (intake, people, ledger, cards, recipe store), run/, view/, recipe/
 * and the poster. What it stands on is a model, with the real headers and other functions behind them: the journal
 * (model_journal.c), the Web API and the ack (model_slack.c), timers and clock (model_time.c), roles (model_roles in process.c)
 * and the backend's network (model_backend.c). Nothing in the models happens by itself: story.c picks, by chance, what happens
 * next.
 *
 * There is one story at a time in a process; `sim` points to it, because the models' functions get no pointer of ours. */
#ifndef HM_SIM_SIM_H
#define HM_SIM_SIM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/settings.h"
#include "rng.h"
#include "run/event.h"
#include "run/state.h"

/* ---- what may go wrong in this story: chosen by the seed at its beginning
 * ------------------------------------------------------- */

struct faults {
    bool crashes, full_disks, bad_backend, lost_replies, slow_writes, bad_slack, deleted_cards, unreadable_roles, new_configs,
        clock_jumps, suspends, doubled_envelopes, busy_people, stops;
    /* what is wrong at this moment */
    bool disk_full, roles_unreadable, slack_away, backend_down;
};

/* ---- the story
 * -------------------------------------------------------------------------------------------------------------------- */

enum { SIM_TOLD = 40, SIM_LINE = 320 };

struct sim_time; /* model_time.c … */
struct book;     /* model_journal.c: what is durable */
struct slack;    /* model_slack.c */
struct backend;  /* model_backend.c */
struct process;  /* process.c: the bot that is running now */
struct crowd;    /* crowd.c */
struct channel;  /* model_channel.c */

struct sim {
    uint64_t seed;
    struct rng rng;
    struct faults faults;
    bool alarms;   /* a channel is watched for alarms */
    bool calm;     /* the end of the story: nothing goes wrong any more */
    bool thorough; /* check the costly things at every step */
    bool telling;  /* keep the last events in words */
    bool verbose;  /* … and print them */
    unsigned step, steps;
    unsigned wishes; /* how many things people still want to do */
    char told[SIM_TOLD][SIM_LINE];
    unsigned n_told;
    unsigned config; /* index of the settings in force */
    struct sim_time *time;
    struct book *book;
    struct slack *slack;
    struct backend *backend;
    struct process *process; /* NULL while the bot is down */
    struct crowd *crowd;
    struct channel *channel;
    struct {
        unsigned steps, crashes, runs, effects, clicks, envelopes, cards, whispers, alarms;
    } count;
};
extern struct sim *sim;

/* A line of the story. */
void sim_tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The story has broken a promise: prints it all and ends the process. invariant: a name from check.h. */
void sim_fail(const char *invariant, const char *fmt, ...) __attribute__((format(printf, 2, 3), noreturn));
/* Adds what happened in a story that went well to the totals. */
void sim_total(const struct sim *story);
/* A mistake of the simulation itself. */
void sim_bug(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* ---- story.c
 * ------------------------------------------------------------------------------------------------------------------------ */

struct story_opts {
    uint64_t seed;
    unsigned steps; /* 0: the seed says */
    bool telling, verbose;
};
/* Plays one story to its end; returns only when all is well. */
void sim_play(const struct story_opts *opts);

/* ---- recipes.c
 * ---------------------------------------------------------------------------------------------------------------------- */

enum { SIM_CONFIGS = 8 };
/* Parses all recipes, once per process. */
void sim_recipes_init(void);
void sim_recipes_done(void);
/* With rules for alarms when the story has them. */
const struct hm_settings *sim_config(unsigned index);
const struct hm_recipe *sim_recipe_by_sha(void *arg, const char *sha256);
size_t sim_recipe_count(void);
/* A command line as somebody may type it who has that recipe in mind. Caller frees. */
char *sim_command_new(struct rng *rng, size_t recipe);

/* Who is who. */
extern const char *const sim_people[];
enum { SIM_PEOPLE = 5 };
/* The bot itself: what it starts unasked. */
#define SIM_BOT "U0BOT"
const char *sim_team_of(const char *user);
/* In the role "hausmeister", and one of us: what the bot must conclude whenever the role can be read. */
bool sim_is_entitled(const char *user);

/* ---- dump.c
 * ------------------------------------------------------------------------------------------------------------------------- */

/* A number that is the same for equal states and (but for bad luck) differs for different ones. */
uint64_t sim_dump_hash(const struct hm_run *run);
/* The same as text, one "path = value" per line. Caller frees. */
char *sim_dump_text(const struct hm_run *run);

#endif
