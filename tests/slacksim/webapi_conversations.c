/* conversations.* */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "post.h"
#include "webapi.h"

/* The channel object that the API shows. */
static json_t *channel_new(const struct sim *sim, const struct sim_channel *c)
{
    json_t *out = json_deep_copy(c->info);
    json_t *topic = hm_json_obj_new();
    bool im = sim_channel_flag(c, "is_im");

    hm_json_set_str(topic, "value", hm_json_get_str(c->info, "topic", ""));
    hm_json_set_str(topic, "creator", "");
    hm_json_set_int(topic, "last_set", 0);
    hm_json_set(out, "topic", topic);
    hm_json_set(out, "purpose", json_deep_copy(topic));
    hm_json_set_bool(out, "is_channel", !im && !sim_channel_flag(c, "is_private"));
    hm_json_set_bool(out, "is_group", sim_channel_flag(c, "is_private"));
    hm_json_set_bool(out, "is_im", im);
    hm_json_set_bool(out, "is_mpim", false);
    hm_json_set_bool(out, "is_private", im || sim_channel_flag(c, "is_private"));
    hm_json_set_bool(out, "is_archived", sim_channel_flag(c, "is_archived"));
    hm_json_set_bool(out, "is_general", false);
    hm_json_set_bool(out, "is_ext_shared", sim_channel_flag(c, "is_ext_shared"));
    hm_json_set_str(out, "context_team_id", sim_state_team_id(sim->state));
    hm_json_set_int(out, "created", 1700000000);
    if (!im) {
        hm_json_set_str(out, "name_normalized", sim_channel_name(c));
        hm_json_set_bool(out, "is_member", sim_bot_in(sim, c));
        hm_json_set_int(out, "num_members", (int64_t)json_object_size(c->members));
    }
    return out;
}

static const char *info(struct sim_call *call)
{
    const char *error = NULL;
    const struct sim_channel *c = sim_arg_channel(call, &error);

    if (c == NULL) {
        return error;
    }
    hm_json_set(call->out, "channel", channel_new(call->sim, c));
    return NULL;
}

/* "public_channel,private_channel" names the type of c? */
static bool type_wanted(const char *types, const struct sim_channel *c)
{
    const char *type = "public_channel";

    if (sim_channel_flag(c, "is_im")) {
        type = "im";
    } else if (sim_channel_flag(c, "is_private")) {
        type = "private_channel";
    }
    return strstr(types, type) != NULL;
}

static const char *list(struct sim_call *call)
{
    const struct sim_state *s = call->sim->state;
    const char *types = sim_arg_str(call, "types");
    json_t *all = hm_json_arr_new();
    size_t i = 0;

    for (i = 0; i < s->channels_nr; i++) {
        const struct sim_channel *c = s->channels[i];

        if (!type_wanted(types != NULL ? types : "public_channel", c) ||
            (!hm_streq(sim_channel_type(c), "channel") && !sim_bot_in(call->sim, c)) ||
            (sim_arg_bool(call, "exclude_archived", false) && sim_channel_flag(c, "is_archived"))) {
            continue;
        }
        hm_json_add(all, channel_new(call->sim, c));
    }
    return sim_page(call, "channels", all, 100, 1000);
}

static const char *members(struct sim_call *call)
{
    const char *error = NULL;
    const struct sim_channel *c = sim_arg_channel(call, &error);
    json_t *all = NULL;
    const char *id = NULL;
    json_t *value = NULL;

    if (c == NULL) {
        return error;
    }
    all = hm_json_arr_new();
    json_object_foreach(c->members, id, value)
    {
        hm_json_add(all, hm_json_str_new(id));
    }
    return sim_page(call, "members", all, 100, 1000);
}

static const char *join(struct sim_call *call)
{
    const char *error = NULL;
    struct sim_channel *c = sim_arg_channel(call, &error);

    if (c == NULL) {
        return error;
    }
    if (!hm_streq(sim_channel_type(c), "channel")) {
        return "method_not_supported_for_channel_type";
    }
    if (sim_channel_flag(c, "is_archived")) {
        return "is_archived";
    }
    if (sim_bot_in(call->sim, c)) {
        hm_json_set_str(call->out, "warning", "already_in_channel");
    }
    sim_channel_join(c, sim_state_app_str(call->sim->state, "bot_user"));
    hm_json_set(call->out, "channel", channel_new(call->sim, c));
    return NULL;
}

static const char *open_dm(struct sim_call *call)
{
    const char *users = sim_arg_str(call, "users");
    const json_t *user = NULL;
    const struct sim_channel *c = NULL;

    if (users == NULL) {
        c = sim_state_channel(call->sim->state, sim_arg_str(call, "channel"));
        if (c == NULL) {
            return sim_arg_str(call, "channel") != NULL ? "channel_not_found" : "users_list_not_supplied";
        }
    } else {
        user = sim_state_user(call->sim->state, users);
        if (user == NULL) {
            return "user_not_found";
        }
        if (hm_json_get_bool(user, "deleted", false)) {
            return "user_disabled";
        }
        c = sim_state_dm(call->sim->state, users);
    }
    if (sim_arg_bool(call, "return_im", false)) {
        hm_json_set(call->out, "channel", channel_new(call->sim, c));
    } else {
        json_t *out = hm_json_obj_new();

        hm_json_set_str(out, "id", c->id);
        hm_json_set(call->out, "channel", out);
    }
    return NULL;
}

/* --- messages -----------------------------------------------------------------------------------------------------------------
 */
struct span {
    const char *oldest, *latest; /* NULL: open */
    bool inclusive;
};

static const char *span_of(struct sim_call *call, struct span *span)
{
    span->oldest = sim_arg_str(call, "oldest");
    span->latest = sim_arg_str(call, "latest");
    span->inclusive = sim_arg_bool(call, "inclusive", false);
    if (span->oldest != NULL && (span->oldest[0] == '\0' || strcmp(span->oldest, "0") == 0)) {
        span->oldest = NULL;
    }
    if (span->latest != NULL && span->latest[0] == '\0') {
        span->latest = NULL;
    }
    if (span->oldest != NULL && !sim_ts_ok(span->oldest)) {
        return "invalid_ts_oldest";
    }
    return span->latest != NULL && !sim_ts_ok(span->latest) ? "invalid_ts_latest" : NULL;
}

static bool in_span(const struct span *span, const char *ts)
{
    int low = span->oldest != NULL ? strcmp(ts, span->oldest) : 1;
    int high = span->latest != NULL ? strcmp(ts, span->latest) : -1;

    return (low > 0 || (low == 0 && span->inclusive)) && (high < 0 || (high == 0 && span->inclusive));
}

static const char *readable(struct sim_call *call, struct sim_channel **ret_channel)
{
    const char *error = NULL;

    *ret_channel = sim_arg_channel(call, &error);
    if (*ret_channel == NULL) {
        return error;
    }
    return sim_bot_in(call->sim, *ret_channel) ? NULL : "not_in_channel";
}

static void finish_page(struct sim_call *call)
{
    const char *next = hm_json_get_str(hm_json_get_obj(call->out, "response_metadata"), "next_cursor", "");
    bool more = next[0] != '\0';

    hm_json_set_bool(call->out, "has_more", more);
    if (!more) {
        (void)json_object_del(call->out, "response_metadata");
    }
}

static const char *history(struct sim_call *call)
{
    struct sim_channel *c = NULL;
    struct span span;
    const char *error = readable(call, &c);
    bool metadata = sim_arg_bool(call, "include_all_metadata", false);
    json_t *all = NULL;
    size_t i = 0;

    if (error == NULL) {
        error = span_of(call, &span);
    }
    if (error != NULL) {
        return error;
    }
    all = hm_json_arr_new();
    for (i = c->msgs_nr; i > 0; i--) {
        const struct sim_msg *m = c->msgs[i - 1];
        bool broadcast = hm_streq(hm_json_get_str(m->json, "subtype", NULL), "thread_broadcast");

        if (m->only_user == NULL && (!sim_msg_is_reply(m) || broadcast) && in_span(&span, m->ts)) {
            hm_json_add(all, sim_msg_public_new(m, metadata));
        }
    }
    error = sim_page(call, "messages", all, 100, 999);
    if (error == NULL) {
        finish_page(call);
        hm_json_set_int(call->out, "pin_count", 0);
    }
    return error;
}

static const char *replies(struct sim_call *call)
{
    struct sim_channel *c = NULL;
    struct span span;
    const char *error = readable(call, &c);
    const char *ts = sim_arg_str(call, "ts");
    bool metadata = sim_arg_bool(call, "include_all_metadata", false);
    const struct sim_msg *asked = NULL;
    const char *root = NULL;
    json_t *all = NULL;
    size_t i = 0;

    if (error == NULL) {
        error = span_of(call, &span);
    }
    if (error != NULL) {
        return error;
    }
    asked = sim_channel_find(c, ts);
    if (asked == NULL || asked->only_user != NULL) {
        return "thread_not_found";
    }
    root = sim_msg_is_reply(asked) ? asked->thread_ts : asked->ts;
    all = hm_json_arr_new();
    for (i = 0; i < c->msgs_nr; i++) {
        const struct sim_msg *m = c->msgs[i];

        if (m->only_user == NULL && (strcmp(m->ts, root) == 0 || (strcmp(m->thread_ts, root) == 0 && in_span(&span, m->ts)))) {
            hm_json_add(all, sim_msg_public_new(m, metadata));
        }
    }
    error = sim_page(call, "messages", all, 1000, 1000);
    if (error == NULL) {
        finish_page(call);
    }
    return error;
}

#define READ_SCOPES    "channels:read groups:read im:read mpim:read"
#define HISTORY_SCOPES "channels:history groups:history im:history mpim:history"
const struct sim_method sim_methods_conversations[] = {
    {"conversations.info", info, SIM_TIER_3, READ_SCOPES, false},
    {"conversations.list", list, SIM_TIER_2, READ_SCOPES, false},
    {"conversations.members", members, SIM_TIER_4, READ_SCOPES, false},
    {"conversations.join", join, SIM_TIER_3, "channels:join", false},
    {"conversations.open", open_dm, SIM_TIER_3, "im:write mpim:write", false},
    {"conversations.history", history, SIM_TIER_3, HISTORY_SCOPES, false},
    {"conversations.replies", replies, SIM_TIER_3, HISTORY_SCOPES, false},
    {NULL, NULL, SIM_TIER_1, NULL, false},
};
