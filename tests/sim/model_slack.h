/* Slack: messages, ephemeral ones, dialogs, and the envelopes on their way to the bot.
 *
 * A call of the Web API is made, reaches Slack (or not), is answered (or not). Its outcomes are those of slack/web_api.h: what
 * may be repeated ends as done, refused or HM_EIO; a post also as HM_EUNKNOWN, done or not, or done up to SIM_LATE_MS later (the
 * poster looks for it after 3 s). When the bot dies, what is on its way arrives at once or never.
 *
 * An envelope is delivered once, twice with the same key (also to the next process), late, or never; what was not acknowledged
 * may come again. */
#ifndef HM_SIM_MODEL_SLACK_H
#define HM_SIM_MODEL_SLACK_H

#include <jansson.h>

#include "slack/post.h"
#include "slack/socket.h"

struct message {
    char *channel, *thread_ts, *key; /* key "": not one of the poster's */
    char ts[32];
    char *text;
    json_t *blocks;
    bool deleted;      /* by a person */
    int64_t right_seq; /* it was found to show the run as of this event; -1 = not looked at */
};

enum envelope_kind { SIM_COMMAND, SIM_CLICK, SIM_FORM, SIM_EVENT };

struct envelope {
    char *key, *id, *text;
    char *said_ts;    /* of an event: which message of the channel (model_channel.h) */
    const char *type; /* "slash_commands", "interactive", "events_api" */
    const char *user; /* NULL for an event */
    enum envelope_kind kind;
    unsigned to_deliver; /* times that it is still to be delivered */
    bool acked;
};

/* A dialog that somebody has before him. */
struct dialog {
    const char *user;
    json_t *view;
};

void sim_slack_init(void);
void sim_slack_done(void);
struct hm_web_api *sim_web_api(void);
struct hm_socket *sim_socket(void);

size_t slack_waiting(void); /* calls */
void slack_step(void);      /* something happens to one of them */
void slack_late(bool all);
int64_t slack_next_late_ms(void);
/* The bot died: its calls are done or gone. Then every one of them is answered, so that the dying process can free what hangs on
 * it; what it calls meanwhile is answered in the same way, and not done. */
void slack_crash(void);
void slack_bury(void);

/* Queues an envelope; the strings are taken over. */
void slack_send_envelope(const struct envelope *stolen);
size_t slack_envelopes_waiting(void);
void slack_deliver(void);
/* The connection has ended: of the events that were on their way, or not acknowledged, some never come again. */
void slack_drop_events(void);
const struct envelope *slack_envelope(const char *key);

size_t slack_messages(void);
struct message *slack_message(size_t index);
size_t slack_dialogs(void);
/* Moves it out; the caller drops its view. */
struct dialog slack_take_dialog(size_t index);
/* What this person was shown alone: ephemeral messages, dialogs, errors in a form. */
unsigned slack_told(const char *user);

#endif
