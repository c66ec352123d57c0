/* Arguments and answers of the poster's calls: see post_build.h. */
#include "slack/post_build.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#define EVENT_TYPE "hausmeister"

enum {
    TEXT_MAX = 3500,  /* bytes, when the text stands alone; chat.update refuses more than 4,000 characters */
    PAGE = 200,       /* messages; Slack allows 999 and advises fewer */
    EARLY_S = 10 * 60 /* Slack's clock and ours may differ */
};

void hm_post_digest(const json_t *content, char ret_hex[HM_SHA256_HEX])
{
    char *text = hm_json_text(content);
    hm_sha256_hex(text, strlen(text), ret_hex);
    free(text);
}

/* edit: an empty list takes the blocks of an earlier content away; elsewhere it would only be an odd thing to send. */
static void add_content(json_t *args, const json_t *content, bool text_only, bool edit)
{
    const char *text = hm_json_get_str(content, "text", "");
    json_t *blocks = hm_json_get_arr(content, "blocks");
    size_t len = strlen(text);

    if (!text_only && json_array_size(blocks) > 0)
        hm_json_set(args, "blocks", json_incref(blocks));
    else if (edit)
        hm_json_set(args, "blocks", hm_json_arr_new());
    if (!text_only) {
        hm_json_set_str(args, "text", text);
        return;
    }
    if (len > TEXT_MAX) {
        char *cut = hm_xasprintf("%.*s …", (int)hm_utf8_prefix(text, TEXT_MAX), text);
        hm_json_set_str(args, "text", cut);
        free(cut);
    } else {
        hm_json_set_str(args, "text", len > 0 ? text : "(this message could not be shown)");
    }
}

json_t *hm_post_args_new(const char *key, const char *channel, const char *thread_ts, const json_t *content, bool text_only)
{
    json_t *args = hm_json_obj_new();
    json_t *metadata = hm_json_obj_new();
    json_t *payload = hm_json_obj_new();

    hm_json_set_str(args, "channel", channel);
    if (thread_ts != NULL)
        hm_json_set_str(args, "thread_ts", thread_ts);
    add_content(args, content, text_only, false);
    hm_json_set_str(args, "parse", "none"); /* no auto-links, no @everyone out of foreign text */
    hm_json_set_bool(args, "unfurl_links", false);
    hm_json_set_bool(args, "unfurl_media", false);
    hm_json_set_str(payload, "key", key);
    hm_json_set_str(metadata, "event_type", EVENT_TYPE);
    hm_json_set(metadata, "event_payload", payload);
    hm_json_set(args, "metadata", metadata);
    return args;
}

json_t *hm_post_update_args_new(const char *channel, const char *ts, const json_t *content, bool text_only)
{
    json_t *args = hm_json_obj_new();

    hm_json_set_str(args, "channel", channel);
    hm_json_set_str(args, "ts", ts);
    add_content(args, content, text_only, true); /* metadata stays as it is when it is not given */
    hm_json_set_str(args, "parse", "none");
    return args;
}

json_t *hm_post_ephemeral_args_new(const char *channel, const char *user, const char *thread_ts, const json_t *content)
{
    json_t *args = hm_json_obj_new();

    hm_json_set_str(args, "channel", channel);
    hm_json_set_str(args, "user", user);
    if (thread_ts != NULL)
        hm_json_set_str(args, "thread_ts", thread_ts);
    add_content(args, content, false, false);
    hm_json_set_str(args, "parse", "none");
    return args;
}

json_t *hm_post_response_new(const char *thread_ts, const json_t *content)
{
    json_t *body = hm_json_obj_new();

    hm_json_set_str(body, "response_type", "ephemeral");
    hm_json_set_bool(body, "replace_original", false);
    if (thread_ts != NULL)
        hm_json_set_str(body, "thread_ts", thread_ts);
    add_content(body, content, false, false);
    return body;
}

const char *hm_post_look_method(const char *thread_ts)
{
    return thread_ts != NULL ? "conversations.replies" : "conversations.history";
}

json_t *hm_post_look_args_new(const char *channel, const char *thread_ts, int64_t since_wall_ms, const char *cursor)
{
    json_t *args = hm_json_obj_new();
    int64_t since_s = since_wall_ms / 1000 - EARLY_S;

    hm_json_set_str(args, "channel", channel);
    if (thread_ts != NULL)
        hm_json_set_str(args, "ts", thread_ts);
    if (since_s > 0) {
        char *oldest = hm_xasprintf("%lld.000000", (long long)since_s);
        hm_json_set_str(args, "oldest", oldest);
        free(oldest);
    }
    hm_json_set_bool(args, "include_all_metadata", true);
    hm_json_set_int(args, "limit", PAGE);
    if (cursor != NULL)
        hm_json_set_str(args, "cursor", cursor);
    return args;
}

const char *hm_post_look_find(const json_t *body, const char *key, const char *but_not)
{
    const json_t *messages = hm_json_get_arr(body, "messages");
    const char *found = NULL;

    for (size_t i = 0; i < json_array_size(messages); i++) {
        const json_t *message = json_array_get(messages, i);
        const json_t *metadata = hm_json_get_obj(message, "metadata");
        const json_t *payload = hm_json_get_obj(metadata, "event_payload");
        const char *ts = hm_json_get_str(message, "ts", NULL);
        if (ts == NULL || hm_streq(ts, but_not) || !hm_streq(hm_json_get_str(metadata, "event_type", ""), EVENT_TYPE) ||
            !hm_streq(hm_json_get_str(payload, "key", ""), key))
            continue;
        /* ts of equal length compare as text; of two posts the later one is the one that was meant to stay */
        if (found == NULL || strlen(ts) > strlen(found) || (strlen(ts) == strlen(found) && strcmp(ts, found) > 0))
            found = ts;
    }
    return found;
}

int64_t hm_post_ts_wall_ms(const char *ts)
{
    char *seconds = hm_xstrndup(ts, strcspn(ts, "."));
    int64_t value = 0;
    bool ok = hm_parse_i64(seconds, 0, INT64_MAX / 1000, &value);

    free(seconds);
    return ok ? value * 1000 : 0;
}

const char *hm_post_look_cursor(const json_t *body)
{
    const char *cursor = hm_json_get_str(hm_json_get_obj(body, "response_metadata"), "next_cursor", "");
    return cursor[0] != '\0' ? cursor : NULL;
}

enum hm_post_refusal hm_post_refusal(enum hm_code code, const char *error, bool fatal)
{
    static const char *const lost[] = {"message_not_found", "edit_window_closed", "cant_update_message", "block_mismatch"};

    if (fatal)
        return HM_POST_REFUSAL_TOKEN;
    for (size_t i = 0; i < HM_ARRAY_LEN(lost); i++) {
        if (hm_streq(error, lost[i]))
            return HM_POST_REFUSAL_LOST;
    }
    switch (code) {
    case HM_EINVAL: /* a word we do not know is most likely about what we sent */
    case HM_ETOOBIG:
    case HM_EBUG:
    case HM_ECONFLICT:
        return HM_POST_REFUSAL_CONTENT;
    case HM_EPERM:
    case HM_ENOTFOUND:
        return HM_POST_REFUSAL_PLACE;
    case HM_OK:
    case HM_EIO:
    case HM_EUNKNOWN:
    case HM_EENV:
    case HM_CODE_NR:
        break;
    }
    return HM_POST_REFUSAL_LATER;
}
