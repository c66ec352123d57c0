/* views.* */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "blockkit.h"
#include "elements.h"
#include "modal.h"
#include "payload.h"
#include "webapi.h"

const char *sim_view_check(struct sim *sim, json_t *view, json_t **ret_errors)
{
    json_t *errors = hm_json_arr_new();
    char *text = json_dumps(view, JSON_COMPACT | JSON_ENCODE_ANY);
    size_t bytes = text != NULL ? strlen(text) : 0;
    const char *error = NULL;

    free(text);
    if (bytes > SIM_BK_VIEW_BYTES) {
        error = "view_too_large";
    } else if (!sim_blockkit_check_view(view, errors)) {
        error = "invalid_arguments";
    }
    if (error != NULL) {
        sim_log_counts(sim->log)->validation_errors++;
    }
    if (json_array_size(errors) > 0) {
        *ret_errors = errors;
    } else {
        json_decref(errors);
        *ret_errors = NULL;
    }
    return error;
}

json_t *sim_view_public_new(struct sim *sim, json_t *given, const char *id, const char *root, const char *previous)
{
    json_t *view = json_deep_copy(given);
    json_t *state = hm_json_obj_new();
    char fresh[SIM_ID_MAX];
    char suffix[SIM_ID_MAX];
    char *hash = NULL;
    bool modal = hm_streq(hm_json_get_str(given, "type", NULL), "modal");

    if (id == NULL) {
        id = sim_ids_upper(&sim->ids, "V0", 9, fresh);
    }
    hash = hm_xasprintf("%lld.%s", (long long)(sim_wall_us() / 1000000), sim_ids_mixed(&sim->ids, 8, suffix));
    sim_blocks_fill(hm_json_get_arr(view, "blocks"), &sim->ids);
    hm_json_set_str(view, "id", id);
    hm_json_set_str(view, "team_id", sim_state_team_id(sim->state));
    hm_json_set_str(view, "app_id", sim_state_app_str(sim->state, "app_id"));
    hm_json_set_str(view, "app_installed_team_id", sim_state_team_id(sim->state));
    hm_json_set_str(view, "bot_id", sim_state_app_str(sim->state, "bot_id"));
    hm_json_set_str(view, "hash", hash);
    hm_json_set_str(view, "root_view_id", root != NULL ? root : id);
    hm_json_set_str(view, "previous_view_id", previous);
    hm_json_set_str(view, "callback_id", hm_json_get_str(given, "callback_id", ""));
    hm_json_set_str(view, "private_metadata", hm_json_get_str(given, "private_metadata", ""));
    hm_json_set_str(view, "external_id", hm_json_get_str(given, "external_id", ""));
    hm_json_set_bool(view, "clear_on_close", hm_json_get_bool(given, "clear_on_close", false));
    hm_json_set_bool(view, "notify_on_close", hm_json_get_bool(given, "notify_on_close", false));
    if (modal) {
        hm_json_set(view, "submit",
                    json_object_get(given, "submit") != NULL ? json_deep_copy(json_object_get(given, "submit")) : json_null());
        hm_json_set(view, "close",
                    json_object_get(given, "close") != NULL ? json_deep_copy(json_object_get(given, "close")) : json_null());
    }
    hm_json_set(state, "values", sim_blocks_initial_new(hm_json_get_arr(view, "blocks")));
    hm_json_set(view, "state", state);
    free(hash);
    return view;
}

static const char *checked_view(struct sim_call *call, const char *want_type, json_t **ret_view)
{
    json_t *view = json_object_get(call->args, "view");
    const char *error = NULL;

    if (!json_is_object(view)) {
        call->messages = json_pack("[s]", "missing required field: view [json-pointer:/view]");
        return "invalid_arguments";
    }
    error = sim_view_check(call->sim, view, &call->messages);
    if (error == NULL && !hm_streq(hm_json_get_str(view, "type", NULL), want_type)) {
        error = "invalid_arguments";
    }
    *ret_view = view;
    return error;
}

static const char *check_external(struct sim_call *call, const json_t *view, const struct sim_view *mine)
{
    const char *external = hm_json_get_str(view, "external_id", "");
    const struct sim_view *other = external[0] != '\0' ? sim_views_find_external(call->sim->views, external) : NULL;

    return other != NULL && other != mine ? "duplicate_external_id" : NULL;
}

static const char *open_or_push(struct sim_call *call, bool push)
{
    struct sim *sim = call->sim;
    json_t *given = NULL;
    const char *user = NULL;
    const char *from = NULL;
    const char *error = checked_view(call, "modal", &given);
    const struct sim_view *top = NULL;
    struct sim_view *view = NULL;

    if (error == NULL) {
        error = check_external(call, given, NULL);
    }
    if (error == NULL) {
        error = sim_trigger_use(sim,
                                sim_arg_str(call, "trigger_id") != NULL ? sim_arg_str(call, "trigger_id")
                                                                        : sim_arg_str(call, "interactivity_pointer"),
                                &user, &from);
    }
    if (error != NULL) {
        return error;
    }
    top = push ? sim_views_top(sim->views, user) : NULL;
    if (push && (top == NULL || from == NULL)) {
        return "invalid_trigger_id"; /* views.push wants a trigger that came from a modal */
    }
    if (push && sim_views_depth(sim->views, user) >= SIM_VIEW_STACK_MAX) {
        return "push_limit_reached";
    }
    if (!push) {
        sim_views_clear(sim->views, user);
    }
    view = sim_views_push(sim->views, user,
                          sim_view_public_new(sim, given, NULL,
                                              top != NULL ? hm_json_get_str(top->json, "root_view_id", NULL) : NULL,
                                              top != NULL ? top->id : NULL));
    hm_json_set(call->out, "view", sim_payload_view_new(view));
    return NULL;
}

static const char *views_open(struct sim_call *call)
{
    return open_or_push(call, false);
}

static const char *views_push(struct sim_call *call)
{
    return open_or_push(call, true);
}

static const char *views_update(struct sim_call *call)
{
    struct sim *sim = call->sim;
    json_t *given = NULL;
    const char *error = checked_view(call, "modal", &given);
    const char *hash = sim_arg_str(call, "hash");
    struct sim_view *view = sim_arg_str(call, "view_id") != NULL
                                ? sim_views_find(sim->views, sim_arg_str(call, "view_id"))
                                : sim_views_find_external(sim->views, sim_arg_str(call, "external_id"));

    if (error != NULL) {
        return error;
    }
    if (view == NULL || sim_views_home(sim->views, view->user) == view) {
        return "not_found";
    }
    if (hash != NULL && !hm_streq(hash, hm_json_get_str(view->json, "hash", NULL))) {
        return "hash_conflict";
    }
    error = check_external(call, given, view);
    if (error != NULL) {
        return error;
    }
    sim_view_replace(view, sim_view_public_new(sim, given, view->id, hm_json_get_str(view->json, "root_view_id", NULL),
                                               hm_json_get_str(view->json, "previous_view_id", NULL)));
    hm_json_set(call->out, "view", sim_payload_view_new(view));
    return NULL;
}

static const char *views_publish(struct sim_call *call)
{
    struct sim *sim = call->sim;
    json_t *given = NULL;
    const char *user = sim_arg_str(call, "user_id");
    const char *hash = sim_arg_str(call, "hash");
    const char *error = checked_view(call, "home", &given);
    struct sim_view *home = NULL;

    if (error != NULL) {
        return error;
    }
    if (sim_state_user(sim->state, user) == NULL) {
        return "user_not_found";
    }
    home = sim_views_home(sim->views, user);
    if (hash != NULL && hash[0] != '\0' && (home == NULL || !hm_streq(hash, hm_json_get_str(home->json, "hash", NULL)))) {
        return "hash_conflict";
    }
    home = sim_views_set_home(sim->views, user, sim_view_public_new(sim, given, home != NULL ? home->id : NULL, NULL, NULL));
    hm_json_set(call->out, "view", sim_payload_view_new(home));
    return NULL;
}

const struct sim_method sim_methods_views[] = {
    {"views.open", views_open, SIM_TIER_4, "", false},
    {"views.push", views_push, SIM_TIER_4, "", false},
    {"views.update", views_update, SIM_TIER_4, "", false},
    {"views.publish", views_publish, SIM_TIER_4, "", false},
    {NULL, NULL, SIM_TIER_1, NULL, false},
};
