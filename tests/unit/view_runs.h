/* Runs in every state that a card can show, made by hand: no fold, no decide, so that the view is tested alone. */
#ifndef HM_TESTS_UNIT_VIEW_RUNS_H
#define HM_TESTS_UNIT_VIEW_RUNS_H

#include "run/state.h"

struct view_run; /* a run and everything that it borrows */

struct hm_run *view_run_get(struct view_run *v);
struct hm_recipe *view_run_recipe(struct view_run *v);
void view_run_free(struct view_run *v);

/* Steps: find (read), gate, retract (once, verified), end (say). All pending; started 2026-11-23 02:14:00 UTC by U0ANA. */
struct view_run *view_run_new(void);
/* The same, but retract goes over `items` (foreach, idempotent), gate needs two, is typed and can be broken. */
struct view_run *view_run_bulk_new(size_t items);

enum { VIEW_FIND, VIEW_GATE, VIEW_RETRACT, VIEW_END };
extern const int64_t view_t0; /* 02:14:00 */

/* Moves step i on. */
void view_ok(struct view_run *v, int i, int64_t from_s, int64_t to_s);
void view_active(struct view_run *v, int i, enum hm_call_phase phase, const char *error);
/* Opens the gate with one request per item of retract; all kept up to `keep`. */
void view_gate_open(struct view_run *v, size_t keep);
void view_vote(struct view_run *v, const char *user, bool glass, const char *reason);
void view_gate_decide(struct view_run *v, enum hm_decision decision);
void view_over(struct view_run *v, enum hm_run_status status, const char *ending, const char *by);
/* Replaces an owned string. */
void view_set(char **at, const char *text);

#endif
