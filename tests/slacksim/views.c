/* See views.h. */
#include "views.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

struct sim_views *sim_views_new(void)
{
    return hm_xcalloc(1, sizeof(struct sim_views));
}

static void view_free(struct sim_view *view)
{
    free(view->id);
    free(view->user);
    free(view->error);
    json_decref(view->errors);
    json_decref(view->json);
    free(view);
}

void sim_views_free(struct sim_views *v)
{
    size_t i = 0;

    if (v == NULL) {
        return;
    }
    for (i = 0; i < v->open_nr; i++) {
        view_free(v->open[i]);
    }
    for (i = 0; i < v->homes_nr; i++) {
        view_free(v->homes[i]);
    }
    free(v->open);
    free(v->homes);
    free(v);
}

static struct sim_view *view_new(const char *user, json_t *stolen_json)
{
    struct sim_view *view = hm_xcalloc(1, sizeof(*view));

    view->id = hm_xstrdup(hm_json_get_str(stolen_json, "id", ""));
    view->user = hm_xstrdup(user);
    view->json = stolen_json;
    return view;
}

struct sim_view *sim_views_push(struct sim_views *v, const char *user, json_t *stolen_json)
{
    struct sim_view *view = view_new(user, stolen_json);

    v->open = hm_xreallocarray(v->open, v->open_nr + 1, sizeof(struct sim_view *));
    v->open[v->open_nr++] = view;
    return view;
}

struct sim_view *sim_views_home(const struct sim_views *v, const char *user)
{
    size_t i = 0;

    for (i = 0; i < v->homes_nr; i++) {
        if (strcmp(v->homes[i]->user, user) == 0) {
            return v->homes[i];
        }
    }
    return NULL;
}

struct sim_view *sim_views_set_home(struct sim_views *v, const char *user, json_t *stolen_json)
{
    struct sim_view *home = sim_views_home(v, user);

    if (home != NULL) {
        sim_view_replace(home, stolen_json);
        return home;
    }
    home = view_new(user, stolen_json);
    v->homes = hm_xreallocarray(v->homes, v->homes_nr + 1, sizeof(struct sim_view *));
    v->homes[v->homes_nr++] = home;
    return home;
}

struct sim_view *sim_views_find(const struct sim_views *v, const char *id)
{
    size_t i = 0;

    for (i = 0; i < v->open_nr; i++) {
        if (hm_streq(v->open[i]->id, id)) {
            return v->open[i];
        }
    }
    for (i = 0; i < v->homes_nr; i++) {
        if (hm_streq(v->homes[i]->id, id)) {
            return v->homes[i];
        }
    }
    return NULL;
}

struct sim_view *sim_views_find_external(const struct sim_views *v, const char *external_id)
{
    size_t i = 0;

    for (i = 0; i < v->open_nr; i++) {
        if (hm_streq(hm_json_get_str(v->open[i]->json, "external_id", NULL), external_id)) {
            return v->open[i];
        }
    }
    return NULL;
}

struct sim_view *sim_views_top(const struct sim_views *v, const char *user)
{
    size_t i = 0;

    for (i = v->open_nr; i > 0; i--) {
        if (strcmp(v->open[i - 1]->user, user) == 0) {
            return v->open[i - 1];
        }
    }
    return NULL;
}

size_t sim_views_depth(const struct sim_views *v, const char *user)
{
    size_t n = 0;
    size_t i = 0;

    for (i = 0; i < v->open_nr; i++) {
        n += strcmp(v->open[i]->user, user) == 0 ? 1 : 0;
    }
    return n;
}

void sim_views_close(struct sim_views *v, struct sim_view *view)
{
    size_t i = 0;

    for (i = 0; i < v->open_nr; i++) {
        if (v->open[i] == view) {
            memmove(v->open + i, v->open + i + 1, (v->open_nr - i - 1) * sizeof(struct sim_view *));
            v->open_nr--;
            view_free(view);
            return;
        }
    }
}

void sim_views_clear(struct sim_views *v, const char *user)
{
    struct sim_view *top = NULL;

    while ((top = sim_views_top(v, user)) != NULL) {
        sim_views_close(v, top);
    }
}

static bool has_element(const json_t *view, const char *block_id, const char *action_id)
{
    json_t *block = NULL;
    json_t *one = NULL;
    size_t i = 0;
    size_t j = 0;

    json_array_foreach(hm_json_get_arr(view, "blocks"), i, block)
    {
        if (!hm_streq(hm_json_get_str(block, "block_id", NULL), block_id)) {
            continue;
        }
        if (hm_streq(hm_json_get_str(hm_json_get_obj(block, "element"), "action_id", NULL), action_id) ||
            hm_streq(hm_json_get_str(hm_json_get_obj(block, "accessory"), "action_id", NULL), action_id)) {
            return true;
        }
        json_array_foreach(hm_json_get_arr(block, "elements"), j, one)
        {
            if (hm_streq(hm_json_get_str(one, "action_id", NULL), action_id)) {
                return true;
            }
        }
    }
    return false;
}

/* What was typed stays where the same input stays. */
static void keep_state(const json_t *old_json, json_t *new_json)
{
    json_t *old_values = hm_json_get_path(old_json, "state.values");
    json_t *new_values = hm_json_get_path(new_json, "state.values");
    const char *block = NULL;
    const char *action = NULL;
    json_t *actions = NULL;
    json_t *state = NULL;

    json_object_foreach(old_values, block, actions)
    {
        json_object_foreach(actions, action, state)
        {
            json_t *into = json_object_get(new_values, block);

            if (!has_element(new_json, block, action)) {
                continue;
            }
            if (into == NULL) {
                into = hm_json_obj_new();
                hm_json_set(new_values, block, into);
            }
            hm_json_set(into, action, json_incref(state));
        }
    }
}

void sim_view_replace(struct sim_view *view, json_t *stolen_json)
{
    keep_state(view->json, stolen_json);
    json_decref(view->json);
    view->json = stolen_json;
    sim_view_set_error(view, NULL, NULL);
    view->waiting = false;
}

void sim_view_set_state(struct sim_view *view, const char *block, const char *action, json_t *stolen_state)
{
    json_t *values = hm_json_get_path(view->json, "state.values");
    json_t *actions = json_object_get(values, block);

    if (actions == NULL) {
        actions = hm_json_obj_new();
        hm_json_set(values, block, actions);
    }
    hm_json_set(actions, action, stolen_state);
}

void sim_view_set_error(struct sim_view *view, const char *error, json_t *stolen_errors)
{
    free(view->error);
    view->error = hm_xstrdup_null(error);
    json_decref(view->errors);
    view->errors = stolen_errors;
}
