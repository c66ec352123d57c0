/* What a person or Slack asks of us: one journaled envelope, read into a flat struct. Pure; never fails, never crashes on foreign
 * data: what we do not understand or do not want is HM_SLACK_IGNORED with the reason.
 *
 * Slack's payloads change shape with the kind of installation and the age of the sender. The rules here come from a survey of
 * some 280 of them: any string may be missing, null or of another type (it is "" then); `team` is null in org-wide installations;
 * previous_message may be []; booleans may be strings; a ts may lack its dot; a bot may have no `user`, and is known by its
 * bot_id; view.state may be {}. */
#ifndef HM_SLACK_REQUEST_H
#define HM_SLACK_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hm_slack_kind {
    HM_SLACK_COMMAND,         /* a slash command: command, text, trigger_id, response_url */
    HM_SLACK_CLICK,           /* block_actions: action_id, block_id, value or selected; message or view */
    HM_SLACK_VIEW_SUBMISSION, /* view, callback_id, private_metadata, values */
    HM_SLACK_VIEW_CLOSED,     /* the same; is_cleared */
    HM_SLACK_SHORTCUT,        /* global: callback_id, trigger_id; no channel */
    HM_SLACK_MESSAGE_ACTION,  /* shortcut on a message: callback_id, message, channel, message_ts */
    HM_SLACK_SUGGESTION,      /* options for a select: action_id, value = what was typed */
    HM_SLACK_MENTION,         /* text with the mention in it: hm_slack_mention_text() */
    HM_SLACK_MESSAGE,         /* a new message; message = all of it */
    HM_SLACK_MESSAGE_CHANGED, /* an edit; message = as it is now, previous = as it was (or NULL), message_ts of the message */
    HM_SLACK_HOME_OPENED,     /* tab */
    HM_SLACK_SUBTEAM_CHANGED, /* subteam: the user group whose members or name changed */
    HM_SLACK_APP_REVOKED,     /* app_uninstalled or tokens_revoked: a person must mend it */
    HM_SLACK_IGNORED,         /* ignored says why */
    HM_SLACK_NR
};
/* "command", "click" … */
const char *hm_slack_kind_name(enum hm_slack_kind kind);

enum { HM_SLACK_TS_MAX = 32 };

/* Strings and JSON are borrowed from `root` unless said otherwise; no string is ever NULL. */
struct hm_slack_request {
    enum hm_slack_kind kind;
    char ignored[160]; /* IGNORED: a sentence; else "" */
    json_t *root;      /* the whole envelope (owned); NULL when it was no JSON object */

    const char *envelope_id;
    bool accepts_response_payload;
    int64_t retry_attempt;
    const char *event_id;
    const char *event_type; /* of the inner event or the payload: "message", "block_actions" … */
    int64_t event_time_s;   /* events: when it happened, by Slack's clock; 0 = not told */

    const char *app_id;     /* the app it was sent to: must be ours */
    const char *team;       /* the workspace; "" in org-wide installations */
    const char *enterprise; /* "" outside of Grid */
    bool enterprise_install;
    const char *user; /* who; "" for some bots */
    const char
        *user_team; /* the person's own workspace; "" = not told. Differs from `team` for an outsider in a shared channel */
    bool is_bot;
    const char *bot_id, *sender_app; /* of a posting bot: "B…", "A…" */

    const char *channel, *channel_type;
    char message_ts[HM_SLACK_TS_MAX]; /* "1700000000.000100" or "" */
    char thread_ts[HM_SLACK_TS_MAX];  /* the thread's first message, or "" */
    bool is_reply;                    /* it stands in a thread and does not start it */
    bool is_ephemeral;                /* CLICK on a message that only this user sees: response_url alone can change it */
    bool is_edited; /* the text was changed after it was posted; a mention added by an edit is told as a new one */
    const char *subtype;

    const char *command;
    const char *text; /* as Slack escapes it: &amp; &lt; &gt; <@U…> <#C…|name> <url|label> */
    const char *trigger_id, *response_url;

    char *action_id; /* without the "#2" of hm_blocks_actions(); owned */
    const char *block_id, *value;
    json_t *selected; /* CLICK: array of the chosen strings (owned), empty for a button */

    const char *callback_id, *private_metadata, *view_id, *view_hash;
    json_t *values;     /* {block_id: "text" | ["a", "b"] | null} of a view's or a message's fields (owned); never NULL */
    const json_t *view; /* or NULL */
    const json_t *message, *previous; /* or NULL */
    bool is_cleared;
    const char *tab;
    const char *subteam;
};

/* text: one envelope, of at most `len` bytes (the socket has its ceiling already). */
void hm_slack_request_parse(const char *text, size_t len, struct hm_slack_request *ret_request);
void hm_slack_request_done(struct hm_slack_request *request);

/* The text behind the leading mention(s) of our bot, without spaces, colon or comma in front; borrowed. bot_user NULL: of
 * anybody. A text that does not begin with one comes back from its first letter on. */
const char *hm_slack_mention_text(const char *text, const char *bot_user);

#endif
