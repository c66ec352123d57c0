/* Answers of an app to a person: response_url posts and the payload of a slash command's ack. */
#ifndef SLACKSIM_HOOKS_H
#define SLACKSIM_HOOKS_H

#include "sim.h"

/* POST /hooks/… */
void sim_hooks_on_request(struct sim *sim, struct sim_req *req);

/* A message body as an app answers with, for the user in the channel: ephemeral unless response_type says in_channel. NULL or
 * Slack's error; *ret_errors: details or NULL. */
const char *sim_respond(struct sim *sim, struct sim_channel *c, const char *user, const char *thread_ts, json_t *body,
                        json_t **ret_errors);
/* Marks a message as the app's: user, bot_id, app_id, bot_profile. */
void sim_sign_as_app(const struct sim *sim, json_t *msg);

#endif
