/* Lists that params are chosen from: read when somebody fills in a form, kept for half a minute, given to all who ask meanwhile.
 *
 * Happy path: asked for → backend and arguments rendered from what is in the form → read, page by page → choices
 * (view/choices.h). Failure modes: a value that the read needs is not given yet (HM_LIST_LACKS), the backend does not answer in
 * time (HM_LIST_LATE; the reading goes on) or says no (HM_LIST_FAILED, kept for a few seconds). Only actions that read are sent.
 */
#ifndef HM_APP_LISTS_H
#define HM_APP_LISTS_H

#include <uv.h>

#include "app/backends.h"
#include "app/settings.h"

struct hm_lists;

struct hm_lists *hm_lists_new(uv_loop_t *loop, const struct hm_clock *clock, struct hm_backends *borrowed_backends);
/* Call when no request is under way any more. */
void hm_lists_free(struct hm_lists *lists);
/* settings: held. What was read with earlier ones is forgotten. */
void hm_lists_use(struct hm_lists *lists, const struct hm_settings *settings);
/* The program is ending: whoever still waits is told HM_LIST_GONE, and so is whoever asks from now on. */
void hm_lists_stop(struct hm_lists *lists);

/* What the list is wanted for; all borrowed. */
struct hm_list_query {
    const struct hm_recipe *recipe;
    const struct hm_param *param; /* one of the recipe's, with a list */
    const json_t *values;         /* {param: as typed}; NULL = nothing is given yet */
    const json_t *known;          /* for defaults, and for the list itself */
};

enum hm_list_state { HM_LIST_READY, HM_LIST_LACKS, HM_LIST_LATE, HM_LIST_FAILED, HM_LIST_GONE };

struct hm_list_answer {
    enum hm_list_state state;
    const json_t *choices; /* READY; else NULL */
    const char *why;       /* LACKS, FAILED: a clause for people; else "" */
};
typedef void (*hm_list_fn)(void *arg, const struct hm_list_answer *answer);

/* fn exactly once: before this returns, when it is known already; else within within_ms. */
void hm_lists_ask(struct hm_lists *lists, const struct hm_list_query *query, int64_t within_ms, hm_list_fn fn, void *arg);
/* The choices if they are there already, or NULL; borrowed until the loop turns. */
const json_t *hm_lists_peek(struct hm_lists *lists, const struct hm_list_query *query);
/* They are read anew when they are asked for next: somebody was refused because of them. */
void hm_lists_forget(struct hm_lists *lists, const struct hm_list_query *query);

#endif
