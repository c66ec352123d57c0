/* Messages come, change and go, and the events that say so. */
#ifndef SLACKSIM_POST_H
#define SLACKSIM_POST_H

#include "sim.h"

/* Adds a message now: gives it type, ts and team, stores it and emits `message` (and `app_mention`) events. only_user: ephemeral.
 */
struct sim_msg *sim_post(struct sim *sim, struct sim_channel *c, json_t *stolen_json, const char *only_user);
/* After m->json was changed: emits message_changed. */
void sim_post_changed(struct sim *sim, struct sim_channel *c, struct sim_msg *m, json_t *stolen_previous);
/* Deletes and emits; a parent with replies becomes a tombstone. */
void sim_post_delete(struct sim *sim, struct sim_channel *c, struct sim_msg *m);
/* An ephemeral note from Slackbot to one user. */
void sim_post_slackbot(struct sim *sim, struct sim_channel *c, const char *user, const char *text);

/* Wraps an inner event and sends it, if the app subscribed to `subscription` ("message.channels"; NULL: always). */
void sim_emit(struct sim *sim, const char *subscription, json_t *stolen_event, const struct sim_channel *c);
/* Public form of a message without what only history with include_all_metadata shows. */
json_t *sim_msg_public_new(const struct sim_msg *m, bool metadata);

/* A message body's parts after checking: blocks and attachments with ids filled in, from the arguments of chat.* and of hooks.
 * Returns NULL, or Slack's error; details go to ret_errors (array, new; may be left NULL). */
const char *sim_post_check(struct sim *sim, json_t *args, bool is_update, json_t **ret_errors);
/* Puts text, blocks, attachments, metadata of checked args on a message; what is absent in an update stays or goes as in Slack.
 */
void sim_post_apply(struct sim *sim, json_t *msg, json_t *args, bool is_update);

#endif
