/* A channel that is watched for alarms: what a monitor says there, and the reactions that it bears.
 *
 * A message reaches the bot as an event (model_envelopes.c), or only through the channel's history: what is said while the bot
 * has no connection may never be delivered, and what was not acknowledged when a connection ended may not come again. History is
 * given in small pages, the newest message first. */
#ifndef HM_SIM_MODEL_CHANNEL_H
#define HM_SIM_MODEL_CHANNEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_WATCHED "C0ALARMS"

enum said_kind {
    SAID_ALARM,  /* "ALARM x1 is on" */
    SAID_OK,     /* "OK x1 is off" */
    SAID_FORGED, /* the words of an alarm, of somebody who may not raise one */
    SAID_CHATTER,
    SAID_NR
};

enum { SIM_REACTIONS = 4 };

struct said {
    enum said_kind kind;
    char thing[4];
    char ts[32];
    int64_t at_ms;
    bool edited_ok;                    /* it says "OK …" now */
    int64_t connected_ms;              /* when the bot was connected next; INT64_MAX = not since; at_ms when it was */
    char reactions[SIM_REACTIONS][24]; /* of ours; "" = none */
};

void sim_channel_init(void);
void sim_channel_done(void);

/* Somebody says something about the thing, and the event is on its way. */
void channel_say(enum said_kind kind, const char *thing);
/* The monitor edits an alarm: it is over. */
void channel_edit(size_t index);
size_t channel_size(void);
const struct said *channel_said(size_t index);
const struct said *channel_find(const char *ts);
/* The bot is connected now: what is said is delivered. */
void channel_connected(void);

/* Bodies of Slack's answers. */
json_t *channel_history_new(const json_t *args);
/* False when there is no such message. */
bool channel_react(const json_t *args, bool away);

#endif
