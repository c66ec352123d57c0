/* Deeds with elements: clicks, menus, shortcuts. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "elements.h"
#include "payload.h"
#include "people.h"
#include "post.h"
#include "socket.h"

/* Where an element stands: in a message or in a view. */
struct place {
    struct sim_channel *c;
    struct sim_msg *m;
    struct sim_view *view;
    bool in_attachment;
};

/* False after having failed the deed. */
static bool find_place(struct sim_do *d, struct place *place)
{
    const char *view_id = hm_json_get_str(d->body, "view_id", NULL);

    memset(place, 0, sizeof(*place));
    if (view_id != NULL || hm_json_get_bool(d->body, "home", false)) {
        place->view = view_id != NULL ? sim_views_find(d->sim->views, view_id) : sim_views_home(d->sim->views, d->user);
        if (place->view == NULL || strcmp(place->view->user, d->user) != 0) {
            sim_do_fail(d, "no_such_view", "%s of %s", view_id != NULL ? view_id : "home", d->user);
            return false;
        }
        return true;
    }
    place->c = sim_do_channel(d);
    place->m = place->c != NULL ? sim_do_message(d, place->c) : NULL;
    return place->m != NULL;
}

static struct sim_found find_in_place(struct place *place, const char *action_id, const char *block_id)
{
    const json_t *json = place->view != NULL ? place->view->json : place->m->json;
    struct sim_found found = sim_blocks_find(hm_json_get_arr(json, "blocks"), action_id, block_id);
    json_t *one = NULL;
    size_t i = 0;

    json_array_foreach(hm_json_get_arr(json, "attachments"), i, one)
    {
        struct sim_found more = sim_blocks_find(hm_json_get_arr(one, "blocks"), action_id, block_id);

        if (found.matches == 0 && more.matches > 0) {
            place->in_attachment = true;
            found = more;
        } else {
            found.matches += more.matches;
        }
    }
    return found;
}

/* False after having failed the deed. */
static bool find_element(struct sim_do *d, struct place *place, struct sim_found *found)
{
    const char *action_id = hm_json_get_str(d->body, "action_id", "");
    const char *block_id = hm_json_get_str(d->body, "block_id", NULL);
    const char *value = hm_json_get_str(d->body, "value", NULL);

    *found = find_in_place(place, action_id, block_id);
    if (found->matches == 0) {
        sim_do_fail(d, "no_such_action", "nothing with action_id \"%s\"%s%s there now", action_id,
                    block_id != NULL ? " in block " : "", block_id != NULL ? block_id : "");
        return false;
    }
    if (found->matches > 1) {
        sim_do_fail(d, "ambiguous_action", "%zu elements with action_id \"%s\"; give a block_id", found->matches, action_id);
        return false;
    }
    if (value != NULL && json_object_get(found->element, "value") != NULL &&
        !hm_streq(value, hm_json_get_str(found->element, "value", NULL))) {
        sim_do_fail(d, "other_value", "the value there is \"%s\"", hm_json_get_str(found->element, "value", ""));
        return false;
    }
    return true;
}

/* state.values of a message for one user: initial values, and what the user chose over them. */
static json_t *message_values_new(const struct sim_msg *m, const char *user)
{
    json_t *values = sim_blocks_initial_new(hm_json_get_arr(m->json, "blocks"));
    const char *block = NULL;
    json_t *actions = NULL;

    json_object_foreach(json_object_get(m->selected, user), block, actions)
    {
        json_t *into = json_object_get(values, block);

        if (into != NULL) {
            (void)json_object_update_existing(into, actions);
        }
    }
    return values;
}

static void add_message_parts(struct sim_do *d, json_t *payload, const struct place *place)
{
    json_t *container = hm_json_obj_new();
    json_t *state = hm_json_obj_new();
    const struct sim_msg *m = place->m;
    const char *thread_ts = m->thread_ts[0] != '\0' ? m->thread_ts : NULL;
    struct sim_hook hook = {.kind = "actions",
                            .user = d->user,
                            .channel = place->c->id,
                            .ts = m->ts,
                            .thread_ts = thread_ts,
                            .ephemeral = m->only_user != NULL};
    char *url = sim_hook_new(d->sim, &hook);

    hm_json_set_str(container, "type", place->in_attachment ? "message_attachment" : "message");
    hm_json_set_str(container, "message_ts", m->ts);
    if (place->in_attachment) {
        hm_json_set_int(container, "attachment_id", 1);
    }
    hm_json_set_str(container, "channel_id", place->c->id);
    hm_json_set_bool(container, "is_ephemeral", m->only_user != NULL);
    if (thread_ts != NULL) {
        hm_json_set_str(container, "thread_ts", thread_ts);
    }
    hm_json_set(payload, "container", container);
    hm_json_set(payload, "channel", sim_payload_channel_new(place->c));
    if (m->only_user == NULL) {
        hm_json_set(payload, "message", sim_msg_public_new(m, false));
    }
    hm_json_set(state, "values", message_values_new(m, d->user));
    hm_json_set(payload, "state", state);
    hm_json_set_str(payload, "response_url", url);
    free(url);
}

static void add_view_parts(json_t *payload, const struct sim_view *view)
{
    json_t *container = hm_json_obj_new();

    hm_json_set_str(container, "type", "view");
    hm_json_set_str(container, "view_id", view->id);
    hm_json_set(payload, "container", container);
    hm_json_set(payload, "view", sim_payload_view_new(view));
}

/* The block_actions payload with one action; action is completed with ids and action_ts. */
static json_t *block_actions_new(struct sim_do *d, const struct place *place, const struct sim_found *found,
                                 json_t *stolen_action)
{
    json_t *payload = sim_payload_new(d->sim, "block_actions", d->user);
    json_t *actions = hm_json_arr_new();
    char ts[SIM_TS_MAX];
    char trigger[SIM_ID_MAX];

    hm_json_set_str(stolen_action, "type", hm_json_get_str(found->element, "type", ""));
    hm_json_set_str(stolen_action, "action_id", hm_json_get_str(found->element, "action_id", ""));
    hm_json_set_str(stolen_action, "block_id", hm_json_get_str(found->block, "block_id", ""));
    hm_json_set_str(stolen_action, "action_ts", sim_action_ts(ts));
    hm_json_add(actions, stolen_action);
    hm_json_set_str(payload, "trigger_id",
                    sim_trigger_new(d->sim, d->user, place->view != NULL ? place->view->id : NULL, trigger));
    if (place->view != NULL) {
        add_view_parts(payload, place->view);
    } else {
        add_message_parts(d, payload, place);
    }
    hm_json_set(payload, "actions", actions);
    return payload;
}

static void send_action(struct sim_do *d, const struct place *place, json_t *stolen_payload)
{
    struct sim_sending sending = {
        .act = SIM_ACT_ACTION, .type = "interactive", .accepts = true, .stolen_payload = stolen_payload};

    sending.channel = place->c != NULL ? place->c->id : NULL;
    sending.view_id = place->view != NULL ? place->view->id : NULL;
    sim_do_send(d, &sending);
}

static void do_click(struct sim_do *d)
{
    struct place place;
    struct sim_found found;
    json_t *action = NULL;
    static const char *const copied[] = {"text", "value", "style", "url", "confirm"};
    size_t i = 0;

    if (!find_place(d, &place) || !find_element(d, &place, &found)) {
        return;
    }
    if (!hm_streq(hm_json_get_str(found.element, "type", NULL), "button")) {
        sim_do_fail(d, "not_a_button", "it is a %s: use /_sim/select", hm_json_get_str(found.element, "type", ""));
        return;
    }
    action = hm_json_obj_new();
    for (i = 0; i < HM_ARRAY_LEN(copied); i++) {
        if (json_object_get(found.element, copied[i]) != NULL) {
            hm_json_set(action, copied[i], json_deep_copy(json_object_get(found.element, copied[i])));
        }
    }
    send_action(d, &place, block_actions_new(d, &place, &found, action));
}

/* A click that no client would send: on what is not there (any more), with any value. */
static void do_raw_click(struct sim_do *d)
{
    struct place place = {0};
    struct sim_found found = {0};
    struct sim_msg ghost = {0};
    json_t *action = hm_json_obj_new();
    json_t *element = hm_json_obj_new();
    json_t *block = hm_json_obj_new();

    place.c = sim_state_channel(d->sim->state, hm_json_get_str(d->body, "channel", NULL));
    place.m = place.c != NULL ? sim_channel_find(place.c, hm_json_get_str(d->body, "ts", NULL)) : NULL;
    hm_json_set_str(element, "type", hm_json_get_str(d->body, "type", "button"));
    hm_json_set_str(element, "action_id", hm_json_get_str(d->body, "action_id", ""));
    hm_json_set_str(block, "block_id", hm_json_get_str(d->body, "block_id", "b"));
    if (json_object_get(d->body, "value") != NULL) {
        hm_json_set(action, "value", json_deep_copy(json_object_get(d->body, "value")));
    }
    if (place.c == NULL) {
        json_decref(action);
        sim_do_fail(d, "no_such_channel", "%s", hm_json_get_str(d->body, "channel", ""));
    } else {
        if (place.m == NULL) {
            ghost.json = hm_json_obj_new();
            ghost.selected = hm_json_obj_new();
            memcpy(ghost.ts, "1700000000.000000", sizeof("1700000000.000000"));
            place.m = &ghost;
        }
        found.block = block;
        found.element = element;
        send_action(d, &place, block_actions_new(d, &place, &found, action));
    }
    json_decref(ghost.json);
    json_decref(ghost.selected);
    json_decref(element);
    json_decref(block);
}

static void remember(struct sim_do *d, const struct place *place, const struct sim_found *found, const json_t *state)
{
    const char *block = hm_json_get_str(found->block, "block_id", "");
    const char *action = hm_json_get_str(found->element, "action_id", "");
    json_t *mine = NULL;
    json_t *actions = NULL;

    if (!sim_element_has_state(found->element)) {
        return;
    }
    if (place->view != NULL) {
        sim_view_set_state(place->view, block, action, json_deep_copy(state));
        return;
    }
    mine = json_object_get(place->m->selected, d->user);
    if (mine == NULL) {
        mine = hm_json_obj_new();
        hm_json_set(place->m->selected, d->user, mine);
    }
    actions = json_object_get(mine, block);
    if (actions == NULL) {
        actions = hm_json_obj_new();
        hm_json_set(mine, block, actions);
    }
    hm_json_set(actions, action, json_deep_copy(state));
}

static void do_select(struct sim_do *d)
{
    struct place place;
    struct sim_found found;
    struct hm_err err = {0};
    json_t *state = NULL;
    bool silent = false;
    json_t *value = json_object_get(d->body, "value");

    if (!find_place(d, &place)) {
        return;
    }
    (void)json_incref(value);
    (void)json_object_del(d->body, "value"); /* find_element() compares values of buttons */
    if (!find_element(d, &place, &found)) {
        json_decref(value);
        return;
    }
    state = sim_element_choose_new(found.element, value, &err);
    json_decref(value);
    if (state == NULL) {
        sim_do_fail(d, "bad_choice", "%s", err.msg);
        return;
    }
    remember(d, &place, &found, state);
    silent =
        hm_streq(hm_json_get_str(found.block, "type", NULL), "input") && !hm_json_get_bool(found.block, "dispatch_action", false);
    silent = silent || hm_json_get_bool(d->body, "lost", false);
    if (silent) {
        json_decref(state);
        sim_do_ok(d, NULL);
        return;
    }
    send_action(d, &place, block_actions_new(d, &place, &found, state));
}

/* What stands in the view's fields just now does not come with what is typed into a select: see README.md. */
static void forget_state(json_t *payload)
{
    json_t *state = hm_json_obj_new();

    hm_json_set(state, "values", hm_json_obj_new());
    hm_json_set(hm_json_get_obj(payload, "view"), "state", state);
}

static void do_suggest(struct sim_do *d)
{
    struct place place;
    struct sim_found found;
    json_t *payload = NULL;
    struct sim_sending sending = {.act = SIM_ACT_SUGGEST, .type = "interactive", .accepts = true};

    if (!find_place(d, &place) || !find_element(d, &place, &found)) {
        return;
    }
    d->wait = true;
    payload = sim_payload_new(d->sim, "block_suggestion", d->user);
    if (place.view != NULL) {
        add_view_parts(payload, place.view);
        if (!d->sim->nasty.suggestion_state) {
            forget_state(payload);
        }
    } else {
        add_message_parts(d, payload, &place);
    }
    hm_json_set_str(payload, "action_id", hm_json_get_str(found.element, "action_id", ""));
    hm_json_set_str(payload, "block_id", hm_json_get_str(found.block, "block_id", ""));
    hm_json_set_str(payload, "value", hm_json_get_str(d->body, "value", ""));
    sending.stolen_payload = payload;
    sim_do_send(d, &sending);
}

/* --- shortcuts
 * ------------------------------------------------------------------------------------------------------------------------ */
static json_t *shortcut_new(struct sim_do *d, const char *type)
{
    json_t *payload = sim_payload_new(d->sim, type, d->user);
    char ts[SIM_TS_MAX];
    char trigger[SIM_ID_MAX];

    hm_json_set_str(payload, "action_ts", sim_action_ts(ts));
    hm_json_set_str(payload, "callback_id", hm_json_get_str(d->body, "callback_id", ""));
    hm_json_set_str(payload, "trigger_id", sim_trigger_new(d->sim, d->user, NULL, trigger));
    return payload;
}

static void do_shortcut(struct sim_do *d)
{
    struct sim_sending sending = {.act = SIM_ACT_OTHER, .type = "interactive"};

    sending.stolen_payload = shortcut_new(d, "shortcut");
    sim_do_send(d, &sending);
}

static void do_message_action(struct sim_do *d)
{
    struct sim_channel *c = sim_do_channel(d);
    const struct sim_msg *m = c != NULL ? sim_do_message(d, c) : NULL;
    struct sim_sending sending = {.act = SIM_ACT_OTHER, .type = "interactive"};
    struct sim_hook hook = {.kind = "app", .user = d->user};
    char *url = NULL;

    if (m == NULL) {
        return;
    }
    sending.stolen_payload = shortcut_new(d, "message_action");
    hook.channel = c->id;
    hook.thread_ts = m->thread_ts[0] != '\0' ? m->thread_ts : NULL;
    url = sim_hook_new(d->sim, &hook);
    hm_json_set_str(sending.stolen_payload, "message_ts", m->ts);
    hm_json_set(sending.stolen_payload, "channel", sim_payload_channel_new(c));
    hm_json_set(sending.stolen_payload, "message", sim_msg_public_new(m, false));
    hm_json_set_str(sending.stolen_payload, "response_url", url);
    sending.channel = c->id;
    sim_do_send(d, &sending);
    free(url);
}

/* --- as it is
 * -------------------------------------------------------------------------------------------------------------------------- */
static void do_envelope(struct sim_do *d)
{
    json_t *payload = hm_json_get_obj(d->body, "payload");
    const char *type = hm_json_get_str(d->body, "type", "interactive");
    struct sim_envelope envelope = {.type = type, .is_event = strcmp(type, "events_api") == 0};
    char id[SIM_ENVELOPE_ID_MAX];
    json_t *reply = hm_json_obj_new();

    envelope.accepts = hm_json_get_bool(d->body, "accepts_response_payload", false);
    envelope.id = hm_json_get_str(d->body, "envelope_id", NULL);
    envelope.stolen_payload = payload != NULL ? json_deep_copy(payload) : hm_json_obj_new();
    if (d->wait) {
        struct sim_sending sending = {
            .act = SIM_ACT_OTHER, .type = type, .accepts = envelope.accepts, .stolen_payload = envelope.stolen_payload};

        json_decref(reply);
        sim_do_send(d, &sending);
        return;
    }
    sim_socket_send(d->sim->socket, &envelope, id);
    hm_json_set_str(reply, "envelope_id", id);
    sim_do_ok(d, reply);
}

static void do_event(struct sim_do *d)
{
    json_t *event = hm_json_get_obj(d->body, "event");

    if (event == NULL) {
        sim_do_fail(d, "bad_event", "wants an object \"event\"");
        return;
    }
    sim_emit(d->sim, NULL, json_deep_copy(event), sim_state_channel(d->sim->state, hm_json_get_str(event, "channel", NULL)));
    sim_do_ok(d, NULL);
}

const struct sim_deed sim_deeds_actions[] = {
    {"click", do_click},       {"raw_click", do_raw_click}, {"select", do_select},
    {"suggest", do_suggest},   {"shortcut", do_shortcut},   {"message_action", do_message_action},
    {"envelope", do_envelope}, {"event", do_event},         {NULL, NULL},
};
