/* Who is in which role: user ids from the configuration, members of Slack user groups from a cache that is refreshed and fails
 * closed (an old or missing list makes the answer "unknown", which counts as no). */
#ifndef HM_APP_ROLES_H
#define HM_APP_ROLES_H

#include <uv.h>

#include "app/settings.h"
#include "run/decide.h"
#include "slack/web_api.h"

struct hm_roles;

/* on_fresh: a list came in or changed; may be NULL. All borrowed. */
struct hm_roles *hm_roles_new(uv_loop_t *loop, struct hm_web_api *api, const struct hm_clock *clock, void (*on_fresh)(void *arg),
                              void *arg);
/* Stops the timer; freed when the loop has turned once more. */
void hm_roles_free(struct hm_roles *roles);

/* Forgets groups no longer named, asks for all that are. settings: borrowed until the next use. */
void hm_roles_use(struct hm_roles *roles, const struct hm_settings *settings);
/* A subteam event came: asks for that group again (NULL = all). */
void hm_roles_refresh(struct hm_roles *roles, const char *usergroup);

/* True when every group that the settings name has been read once. */
bool hm_roles_known(const struct hm_roles *roles);
/* The user ids of all in the role, as far as they are known; a new array. */
json_t *hm_roles_users_new(const struct hm_roles *roles, const char *role);
enum hm_member hm_roles_member(const struct hm_roles *roles, const char *role, const char *user);

#endif
