/* See post.h. */
#include "post.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "blockkit.h"
#include "elements.h"
#include "socket.h"

enum { TEXT_MAX = 40000, UPDATE_TEXT_MAX = 4000, ATTACHMENTS_MAX = 100 };

/* --- events --------------------------------------------------------------------------------------------------------------------
 */
static bool subscribed(const struct sim *sim, const char *subscription)
{
    json_t *one = NULL;
    size_t i = 0;

    if (subscription == NULL) {
        return true;
    }
    json_array_foreach(hm_json_get_arr(sim->state->app, "bot_events"), i, one)
    {
        if (hm_streq(json_string_value(one), subscription)) {
            return true;
        }
    }
    return false;
}

static json_t *authorizations_new(const struct sim *sim)
{
    json_t *list = hm_json_arr_new();
    json_t *one = hm_json_obj_new();

    hm_json_set(one, "enterprise_id", sim->nasty.null_team ? json_string("E0SIM") : json_null());
    hm_json_set_str(one, "team_id", sim_state_team_id(sim->state));
    hm_json_set_str(one, "user_id", sim_state_app_str(sim->state, "bot_user"));
    hm_json_set_bool(one, "is_bot", true);
    hm_json_set_bool(one, "is_enterprise_install", sim->nasty.null_team);
    hm_json_add(list, one);
    return list;
}

void sim_emit(struct sim *sim, const char *subscription, json_t *stolen_event, const struct sim_channel *c)
{
    struct sim_envelope envelope = {.type = "events_api", .is_event = true};
    json_t *outer = NULL;
    char id[SIM_ID_MAX];
    char *context = NULL;

    if (!subscribed(sim, subscription)) {
        json_decref(stolen_event);
        return;
    }
    outer = hm_json_obj_new();
    hm_json_set_str(outer, "token", "sim-verification-token");
    hm_json_set_str(outer, "team_id", sim_state_team_id(sim->state));
    hm_json_set_str(outer, "context_team_id", sim_state_team_id(sim->state));
    hm_json_set(outer, "context_enterprise_id", json_null());
    hm_json_set_str(outer, "api_app_id", sim_state_app_str(sim->state, "app_id"));
    hm_json_set_str(outer, "type", "event_callback");
    hm_json_set_str(outer, "event_id", sim_ids_upper(&sim->ids, "Ev0", 8, id));
    hm_json_set_int(outer, "event_time", sim_wall_us() / 1000000);
    hm_json_set(outer, "authorizations", authorizations_new(sim));
    hm_json_set_bool(outer, "is_ext_shared_channel", c != NULL && sim_channel_flag(c, "is_ext_shared"));
    context = hm_xasprintf("4-%s", sim_ids_mixed(&sim->ids, 40, id));
    hm_json_set_str(outer, "event_context", context);
    free(context);
    hm_json_set(outer, "event", stolen_event);
    envelope.stolen_payload = outer;
    sim_socket_send(sim->socket, &envelope, NULL);
}

json_t *sim_msg_public_new(const struct sim_msg *m, bool metadata)
{
    json_t *out = json_deep_copy(m->json);

    if (!metadata) {
        (void)json_object_del(out, "metadata");
    }
    return out;
}

static const char *subscription_of(const struct sim_channel *c)
{
    if (sim_channel_flag(c, "is_im")) {
        return "message.im";
    }
    return sim_channel_flag(c, "is_private") ? "message.groups" : "message.channels";
}

static bool bot_is_in(const struct sim *sim, const struct sim_channel *c)
{
    return sim_channel_has(c, sim_state_app_str(sim->state, "bot_user"));
}

static json_t *event_of(const struct sim_channel *c, const struct sim_msg *m)
{
    json_t *event = sim_msg_public_new(m, false);

    hm_json_set_str(event, "channel", c->id);
    hm_json_set_str(event, "event_ts", m->ts);
    return event;
}

static bool is_own(const struct sim *sim, const struct sim_msg *m)
{
    return hm_streq(hm_json_get_str(m->json, "bot_id", NULL), sim_state_app_str(sim->state, "bot_id"));
}

static void emit_message(struct sim *sim, struct sim_channel *c, const struct sim_msg *m)
{
    json_t *event = NULL;
    char mention[64];

    if (!bot_is_in(sim, c) || (is_own(sim, m) && !sim->knobs.echo_own)) {
        return;
    }
    event = event_of(c, m);
    hm_json_set_str(event, "channel_type", sim_channel_type(c));
    sim_emit(sim, subscription_of(c), event, c);
    (void)snprintf(mention, sizeof(mention), "<@%.40s>", sim_state_app_str(sim->state, "bot_user"));
    if (!is_own(sim, m) && !sim_channel_flag(c, "is_im") && strstr(hm_json_get_str(m->json, "text", ""), mention) != NULL) {
        event = event_of(c, m);
        hm_json_set_str(event, "type", "app_mention");
        sim_emit(sim, "app_mention", event, c);
    }
}

struct sim_msg *sim_post(struct sim *sim, struct sim_channel *c, json_t *stolen_json, const char *only_user)
{
    char ts[SIM_TS_MAX];
    struct sim_msg *m = NULL;
    const json_t *user = sim_state_user(sim->state, hm_json_get_str(stolen_json, "user", NULL));
    const char *thread_ts = hm_json_get_str(stolen_json, "thread_ts", NULL);

    hm_json_set_str(stolen_json, "type", "message");
    hm_json_set_str(stolen_json, "ts", sim_channel_next_ts(c, sim_wall_us(), ts));
    hm_json_set_str(stolen_json, "team", hm_json_get_str(user, "team_id", sim_state_team_id(sim->state)));
    if (thread_ts != NULL) {
        const struct sim_msg *parent = sim_channel_find(c, thread_ts);

        hm_json_set_str(stolen_json, "parent_user_id",
                        parent != NULL ? hm_json_get_str(parent->json, "user", "USLACKBOT") : "USLACKBOT");
    }
    if (only_user != NULL) {
        hm_json_set_bool(stolen_json, "is_ephemeral", true);
    }
    m = sim_channel_add(c, stolen_json, only_user);
    sim_touch(sim);
    m->changed = sim->version;
    if (only_user == NULL) {
        emit_message(sim, c, m);
    }
    return m;
}

void sim_post_changed(struct sim *sim, struct sim_channel *c, struct sim_msg *m, json_t *stolen_previous)
{
    json_t *event = NULL;
    char ts[SIM_TS_MAX];

    sim_touch(sim);
    m->changed = sim->version;
    if (m->only_user != NULL || !bot_is_in(sim, c) || (is_own(sim, m) && !sim->knobs.echo_own)) {
        json_decref(stolen_previous);
        return;
    }
    event = hm_json_obj_new();
    hm_json_set_str(event, "type", "message");
    hm_json_set_str(event, "subtype", "message_changed");
    hm_json_set_bool(event, "hidden", true);
    hm_json_set_str(event, "channel", c->id);
    hm_json_set_str(event, "channel_type", sim_channel_type(c));
    hm_json_set_str(event, "ts", sim_channel_next_ts(c, sim_wall_us(), ts));
    hm_json_set_str(event, "event_ts", ts);
    hm_json_set(event, "message", sim_msg_public_new(m, false));
    (void)json_object_del(stolen_previous, "metadata");
    hm_json_set(event, "previous_message", stolen_previous);
    sim_emit(sim, subscription_of(c), event, c);
}

void sim_post_delete(struct sim *sim, struct sim_channel *c, struct sim_msg *m)
{
    json_t *previous = json_deep_copy(m->json);
    bool ephemeral = m->only_user != NULL;
    bool own = is_own(sim, m);
    struct sim_msg *tombstone = sim_channel_remove(c, m);
    json_t *event = NULL;
    char ts[SIM_TS_MAX];

    sim_touch(sim);
    if (tombstone != NULL) {
        sim_post_changed(sim, c, tombstone, previous);
        return;
    }
    if (ephemeral || !bot_is_in(sim, c) || (own && !sim->knobs.echo_own)) {
        json_decref(previous);
        return;
    }
    (void)json_object_del(previous, "metadata");
    event = hm_json_obj_new();
    hm_json_set_str(event, "type", "message");
    hm_json_set_str(event, "subtype", "message_deleted");
    hm_json_set_bool(event, "hidden", true);
    hm_json_set_str(event, "channel", c->id);
    hm_json_set_str(event, "channel_type", sim_channel_type(c));
    hm_json_set_str(event, "deleted_ts", hm_json_get_str(previous, "ts", ""));
    hm_json_set_str(event, "ts", sim_channel_next_ts(c, sim_wall_us(), ts));
    hm_json_set_str(event, "event_ts", ts);
    hm_json_set(event, "previous_message", previous);
    sim_emit(sim, subscription_of(c), event, c);
}

void sim_post_slackbot(struct sim *sim, struct sim_channel *c, const char *user, const char *text)
{
    json_t *msg = hm_json_obj_new();

    hm_json_set_str(msg, "user", "USLACKBOT");
    hm_json_set_str(msg, "text", text);
    (void)sim_post(sim, c, msg, user);
}

/* --- checking what an app posts ------------------------------------------------------------------------------------------------
 */
static const char *check_attachments(json_t *attachments, json_t *errors)
{
    json_t *one = NULL;
    size_t i = 0;
    bool ok = true;

    if (!json_is_array(attachments)) {
        return "invalid_attachments";
    }
    if (json_array_size(attachments) > ATTACHMENTS_MAX) {
        return "too_many_attachments";
    }
    json_array_foreach(attachments, i, one)
    {
        char pointer[64];
        json_t *blocks = json_object_get(one, "blocks");

        (void)snprintf(pointer, sizeof(pointer), "/attachments/%zu/blocks", i);
        if (!json_is_object(one)) {
            return "invalid_attachments";
        }
        if (blocks != NULL) {
            ok = sim_blockkit_check_blocks(blocks, SIM_IN_MESSAGE, pointer, errors) && ok;
        }
        if (hm_utf8_count(hm_json_get_str(one, "footer", "")) > 300 || json_array_size(json_object_get(one, "actions")) > 5) {
            return "invalid_attachments";
        }
    }
    return ok ? NULL : "invalid_blocks";
}

static const char *check_metadata(json_t *metadata)
{
    json_t *payload = json_object_get(metadata, "event_payload");
    const char *type = hm_json_get_str(metadata, "event_type", NULL);
    size_t size = 0;
    char *text = NULL;

    if (!json_is_object(metadata)) {
        return "invalid_metadata_format";
    }
    if (type == NULL || type[0] == '\0' || !json_is_object(payload)) {
        return "invalid_metadata_schema";
    }
    text = json_dumps(metadata, JSON_COMPACT);
    size = text != NULL ? strlen(text) : 0;
    free(text);
    return size > 8000 ? "metadata_too_large" : NULL;
}

static const char *check_blocks(json_t *blocks, json_t *errors)
{
    if (!json_is_array(blocks)) {
        return "invalid_blocks_format";
    }
    if (!sim_blockkit_check_blocks(blocks, SIM_IN_MESSAGE, "/blocks", errors)) {
        return "invalid_blocks";
    }
    return sim_blockkit_chars(blocks) > SIM_BK_MESSAGE_CHARS ? "msg_blocks_too_long" : NULL;
}

static const char *check_parts(json_t *args, bool is_update, json_t *errors)
{
    json_t *blocks = json_object_get(args, "blocks");
    json_t *attachments = json_object_get(args, "attachments");
    json_t *metadata = json_object_get(args, "metadata");
    const json_t *text = json_object_get(args, "text");
    size_t chars = hm_utf8_count(hm_json_get_str(args, "text", ""));
    const char *error = NULL;

    if (text != NULL && !json_is_string(text) && !json_is_null(text)) {
        return "invalid_arguments";
    }
    if (is_update && chars > UPDATE_TEXT_MAX) {
        return "msg_too_long";
    }
    if (json_object_get(args, "markdown_text") != NULL && (blocks != NULL || chars > 0)) {
        return "markdown_text_conflict";
    }
    if (blocks != NULL && !json_is_null(blocks)) {
        error = check_blocks(blocks, errors);
    }
    if (error == NULL && attachments != NULL && !json_is_null(attachments)) {
        error = check_attachments(attachments, errors);
    }
    if (error == NULL && metadata != NULL && !json_is_null(metadata)) {
        error = check_metadata(metadata);
    }
    if (error != NULL) {
        return error;
    }
    if (chars == 0 && json_array_size(blocks) == 0 && json_array_size(attachments) == 0 &&
        hm_json_get_str(args, "markdown_text", "")[0] == '\0' && !is_update) {
        return "no_text";
    }
    return NULL;
}

const char *sim_post_check(struct sim *sim, json_t *args, bool is_update, json_t **ret_errors)
{
    json_t *errors = hm_json_arr_new();
    const char *error = check_parts(args, is_update, errors);

    *ret_errors = NULL;
    if (error != NULL) {
        sim_log_counts(sim->log)->validation_errors++;
    }
    if (json_array_size(errors) > 0) {
        *ret_errors = errors;
    } else {
        json_decref(errors);
    }
    return error;
}

static void fill_attachments(struct sim *sim, json_t *attachments)
{
    json_t *one = NULL;
    size_t i = 0;

    json_array_foreach(attachments, i, one)
    {
        hm_json_set_int(one, "id", (int64_t)i + 1);
        if (hm_json_get_str(one, "fallback", NULL) == NULL) {
            hm_json_set_str(one, "fallback", hm_json_get_str(one, "text", "[no preview available]"));
        }
        sim_blocks_fill(hm_json_get_arr(one, "blocks"), &sim->ids);
    }
}

/* markdown_text is shown as one markdown block. */
static json_t *markdown_blocks_new(const char *markdown)
{
    json_t *blocks = hm_json_arr_new();
    json_t *block = hm_json_obj_new();

    hm_json_set_str(block, "type", "markdown");
    hm_json_set_str(block, "text", markdown);
    hm_json_add(blocks, block);
    return blocks;
}

static void put_list(json_t *msg, const char *key, json_t *given, bool clear_when_absent)
{
    if (json_array_size(given) > 0) {
        hm_json_set(msg, key, json_deep_copy(given));
    } else if (given != NULL || clear_when_absent) {
        (void)json_object_del(msg, key);
    }
}

void sim_post_apply(struct sim *sim, json_t *msg, json_t *args, bool is_update)
{
    json_t *blocks = json_object_get(args, "blocks");
    json_t *attachments = json_object_get(args, "attachments");
    const char *text = hm_json_get_str(args, "text", NULL);
    const char *markdown = hm_json_get_str(args, "markdown_text", NULL);
    json_t *metadata = hm_json_get_obj(args, "metadata");

    if (text != NULL || !is_update) {
        hm_json_set(msg, "text", hm_json_strn_new(text != NULL ? text : "", hm_utf8_take(text != NULL ? text : "", TEXT_MAX)));
    }
    /* chat.update with text and without blocks removes the blocks; attachments likewise */
    put_list(msg, "blocks", blocks, is_update && text != NULL);
    put_list(msg, "attachments", attachments, is_update && text != NULL && blocks == NULL);
    if (markdown != NULL) {
        hm_json_set(msg, "blocks", markdown_blocks_new(markdown));
    }
    sim_blocks_fill(hm_json_get_arr(msg, "blocks"), &sim->ids);
    fill_attachments(sim, hm_json_get_arr(msg, "attachments"));
    if (metadata != NULL) {
        if (json_object_size(metadata) > 0) {
            hm_json_set(msg, "metadata", json_deep_copy(metadata));
        } else {
            (void)json_object_del(msg, "metadata");
        }
    }
}
