/* Deeds with modals and the Home tab. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "elements.h"
#include "payload.h"
#include "people.h"
#include "post.h"

/* The modal of view_id, or the user's topmost. NULL after having failed the deed. */
static struct sim_view *find_modal(struct sim_do *d)
{
    const char *id = hm_json_get_str(d->body, "view_id", NULL);
    struct sim_view *view = id != NULL ? sim_views_find(d->sim->views, id) : sim_views_top(d->sim->views, d->user);

    if (view == NULL || strcmp(view->user, d->user) != 0) {
        sim_do_fail(d, "no_such_view", "%s has no modal %s open", d->user, id != NULL ? id : "at all");
        return NULL;
    }
    return view;
}

static json_t *block_by_id(const struct sim_view *view, const char *block_id)
{
    json_t *block = NULL;
    size_t i = 0;

    json_array_foreach(hm_json_get_arr(view->json, "blocks"), i, block)
    {
        if (hm_streq(hm_json_get_str(block, "block_id", NULL), block_id)) {
            return block;
        }
    }
    return NULL;
}

/* One given value into the view's state; NULL or why the client would refuse. */
static const char *take_value(struct sim_view *view, const char *block_id, const char *action_id, json_t *value,
                              struct hm_err *err)
{
    json_t *blocks = hm_json_get_arr(view->json, "blocks");
    struct sim_found found = {0};
    json_t *state = NULL;

    if (action_id == NULL) {
        found.block = block_by_id(view, block_id);
        found.element = hm_json_get_obj(found.block, "element");
        found.matches = found.element != NULL ? 1 : 0;
    } else {
        found = sim_blocks_find(blocks, action_id, block_id);
    }
    if (found.matches == 0) {
        return "There is no such input.";
    }
    state = sim_element_choose_new(found.element, value, err);
    if (state == NULL) {
        return err->msg;
    }
    sim_view_set_state(view, block_id, hm_json_get_str(found.element, "action_id", ""), state);
    return NULL;
}

/* {"block":{"action":X}} or {"block":X}. A state object has a "type", an actions object has not. */
static void take_values(struct sim_view *view, json_t *values, json_t *refused)
{
    const char *block_id = NULL;
    const char *action_id = NULL;
    json_t *given = NULL;
    json_t *value = NULL;
    struct hm_err err = {0};

    json_object_foreach(values, block_id, given)
    {
        const char *why = NULL;

        if (json_is_object(given) && json_object_get(given, "type") == NULL) {
            json_object_foreach(given, action_id, value)
            {
                why = take_value(view, block_id, action_id, value, &err);
                if (why != NULL) {
                    hm_json_set_str(refused, block_id, why);
                }
            }
        } else {
            why = take_value(view, block_id, NULL, given, &err);
            if (why != NULL) {
                hm_json_set_str(refused, block_id, why);
            }
        }
    }
}

static void refuse_incomplete(const struct sim_view *view, json_t *refused)
{
    json_t *block = NULL;
    size_t i = 0;

    json_array_foreach(hm_json_get_arr(view->json, "blocks"), i, block)
    {
        const char *id = hm_json_get_str(block, "block_id", "");
        const char *action = hm_json_get_str(hm_json_get_obj(block, "element"), "action_id", "");
        const json_t *values = hm_json_get_path(view->json, "state.values");
        const char *why = NULL;

        if (!hm_streq(hm_json_get_str(block, "type", NULL), "input")) {
            continue;
        }
        why = sim_input_refusal(block, json_object_get(json_object_get(values, id), action));
        if (why != NULL && json_object_get(refused, id) == NULL) {
            hm_json_set_str(refused, id, why);
        }
    }
}

static void do_submit(struct sim_do *d)
{
    struct sim_view *view = find_modal(d);
    json_t *refused = NULL;
    json_t *payload = NULL;
    char trigger[SIM_ID_MAX];
    struct sim_sending sending = {.act = SIM_ACT_SUBMIT, .type = "interactive", .accepts = true};
    bool force = hm_json_get_bool(d->body, "force", false);

    if (view == NULL) {
        return;
    }
    refused = hm_json_obj_new();
    take_values(view, hm_json_get_obj(d->body, "values"), refused);
    refuse_incomplete(view, refused);
    if (json_object_size(refused) > 0 && !force) {
        json_t *out = hm_json_obj_new();

        hm_json_set_bool(out, "ok", false);
        hm_json_set_str(out, "error", "input_refused");
        hm_json_set(out, "errors", json_incref(refused));
        sim_view_set_error(view, NULL, json_deep_copy(refused));
        sim_touch(d->sim);
        sim_http_reply_json(d->req, 200, NULL, out);
        json_decref(refused);
        return;
    }
    json_decref(refused);
    sim_view_set_error(view, NULL, NULL);
    view->waiting = true;
    payload = sim_payload_new(d->sim, "view_submission", d->user);
    hm_json_set_str(payload, "trigger_id", sim_trigger_new(d->sim, d->user, view->id, trigger));
    hm_json_set(payload, "view", sim_payload_view_new(view));
    hm_json_set(payload, "response_urls", hm_json_arr_new());
    sending.stolen_payload = payload;
    sending.view_id = view->id;
    sim_touch(d->sim);
    sim_do_send(d, &sending);
}

static void do_close(struct sim_do *d)
{
    struct sim_view *view = find_modal(d);
    bool all = hm_json_get_bool(d->body, "all", false);
    json_t *payload = NULL;
    struct sim_sending sending = {.act = SIM_ACT_OTHER, .type = "interactive"};

    if (view == NULL) {
        return;
    }
    if (all) {
        struct sim_view *root = sim_views_find(d->sim->views, hm_json_get_str(view->json, "root_view_id", NULL));

        view = root != NULL ? root : view;
    }
    if (hm_json_get_bool(view->json, "notify_on_close", false)) {
        payload = sim_payload_new(d->sim, "view_closed", d->user);
        hm_json_set(payload, "view", sim_payload_view_new(view));
        hm_json_set_bool(payload, "is_cleared", all);
    }
    if (all || hm_json_get_bool(view->json, "clear_on_close", false)) {
        sim_views_clear(d->sim->views, d->user);
    } else {
        sim_views_close(d->sim->views, view);
    }
    sim_touch(d->sim);
    if (payload == NULL) {
        sim_do_ok(d, NULL);
        return;
    }
    sending.stolen_payload = payload;
    sim_do_send(d, &sending);
}

static void do_home(struct sim_do *d)
{
    const struct sim_channel *dm = sim_state_dm(d->sim->state, d->user);
    const struct sim_view *home = sim_views_home(d->sim->views, d->user);
    const char *tab = hm_json_get_str(d->body, "tab", "home");
    json_t *event = hm_json_obj_new();
    char ts[SIM_TS_MAX];

    hm_json_set_str(event, "type", "app_home_opened");
    hm_json_set_str(event, "user", d->user);
    hm_json_set_str(event, "channel", dm->id);
    hm_json_set_str(event, "tab", tab);
    hm_json_set_str(event, "event_ts", sim_action_ts(ts));
    if (home != NULL && strcmp(tab, "home") == 0) {
        hm_json_set(event, "view", sim_payload_view_new(home));
    }
    sim_emit(d->sim, "app_home_opened", event, NULL);
    sim_do_ok(d, NULL);
}

const struct sim_deed sim_deeds_views[] = {
    {"submit_view", do_submit}, {"close_view", do_close}, {"home_open", do_home}, {NULL, NULL}};
