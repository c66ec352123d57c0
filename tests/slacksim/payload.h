/* The parts of interactive payloads, and what they carry: triggers and response URLs. */
#ifndef SLACKSIM_PAYLOAD_H
#define SLACKSIM_PAYLOAD_H

#include "sim.h"

/* A fresh trigger_id; view_id (may be NULL): the modal it came from (views.push wants one). buf[SIM_ID_MAX]. */
const char *sim_trigger_new(struct sim *sim, const char *user, const char *view_id, char *buf);
/* NULL when it may be used now (and is used up), otherwise Slack's error. ret_user, ret_view_id: borrowed. */
const char *sim_trigger_use(struct sim *sim, const char *trigger, const char **ret_user, const char **ret_view_id);

struct sim_hook {
    const char *kind; /* "commands", "actions", "app" */
    const char *user, *channel;
    const char *ts; /* of the message that it belongs to, or NULL */
    const char *thread_ts;
    bool ephemeral; /* that message is */
};
/* The URL; the caller frees. */
char *sim_hook_new(struct sim *sim, const struct sim_hook *hook);

json_t *sim_payload_user_new(const struct sim *sim, const char *user);
/* team, enterprise, is_enterprise_install, api_app_id, token, user. */
json_t *sim_payload_new(const struct sim *sim, const char *type, const char *user);
json_t *sim_payload_channel_new(const struct sim_channel *c);
/* "1700000000.123456" of now, in buf[SIM_TS_MAX]. */
const char *sim_action_ts(char *buf);
/* The view as it goes out: without what only the simulator knows. */
json_t *sim_payload_view_new(const struct sim_view *view);

#endif
