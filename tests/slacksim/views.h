/* Modals (a stack of at most three per user) and Home tabs. Pure: the views themselves are jansson objects in Slack's public
 * form. */
#ifndef SLACKSIM_VIEWS_H
#define SLACKSIM_VIEWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct sim_view {
    char *id;
    char *user;
    json_t *json;   /* public form with id, hash, state, root_view_id, previous_view_id … */
    char *error;    /* what the user sees when a submission went wrong; NULL */
    json_t *errors; /* block_id -> text, from response_action errors; NULL */
    bool waiting;   /* submitted, not answered yet */
};

struct sim_views {
    struct sim_view **open; /* per user, bottom to top in order of opening */
    size_t open_nr;
    struct sim_view **homes;
    size_t homes_nr;
};

enum { SIM_VIEW_STACK_MAX = 3 };

struct sim_views *sim_views_new(void);
void sim_views_free(struct sim_views *v);

/* Puts a modal on the user's stack. */
struct sim_view *sim_views_push(struct sim_views *v, const char *user, json_t *stolen_json);
/* The user's Home tab, replaced. */
struct sim_view *sim_views_set_home(struct sim_views *v, const char *user, json_t *stolen_json);
struct sim_view *sim_views_home(const struct sim_views *v, const char *user); /* NULL: none */
struct sim_view *sim_views_find(const struct sim_views *v, const char *id);   /* modals and homes */
struct sim_view *sim_views_find_external(const struct sim_views *v, const char *external_id);
struct sim_view *sim_views_top(const struct sim_views *v, const char *user);
size_t sim_views_depth(const struct sim_views *v, const char *user);
/* Closes one modal, or the user's whole stack. */
void sim_views_close(struct sim_views *v, struct sim_view *view);
void sim_views_clear(struct sim_views *v, const char *user);
/* Replaces the content, keeps id and stack place; forgets errors. Input state of blocks that stayed (same block_id and action_id)
 * stays. */
void sim_view_replace(struct sim_view *view, json_t *stolen_json);
/* state.values[block][action] = stolen_state */
void sim_view_set_state(struct sim_view *view, const char *block, const char *action, json_t *stolen_state);
void sim_view_set_error(struct sim_view *view, const char *error, json_t *stolen_errors);

#endif
