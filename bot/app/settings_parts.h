/* Private to reading the configuration (settings.c, auth.c): checks that several groups need. Each returns NULL, with a finding,
 * for what is wrong; the caller frees. */
#ifndef HM_APP_SETTINGS_PARTS_H
#define HM_APP_SETTINGS_PARTS_H

#include <stdbool.h>

#include "base/cfg.h"

enum { HM_SETTINGS_TEXT = 500, HM_SETTINGS_URL = 2000 };

/* False, and a finding for each, when the tree holds texts that are still to be filled in: those that begin with "FILL IN", as
 * config/starter marks them. */
bool hm_settings_filled_in(const struct hm_cfg_node *node);
/* A text; NULL when it is missing. */
char *hm_settings_text(struct hm_cfg_node *group, const char *key, enum hm_cfg_need need, size_t max);
/* A reference to a secret. */
char *hm_settings_secret(struct hm_cfg_node *group, const char *key, enum hm_cfg_need need);
/* A finding unless it is an id of Slack's that begins with one of the initials: "C" and "G" are channels, "D" a direct message,
 * "U" and "W" people, "S" user groups. Names are not ids: they change, and Slack's API does not take them. NULL is fine. */
void hm_settings_check_id(const struct hm_cfg_node *node, const char *id, const char *initials);
/* The id under that key, checked. */
char *hm_settings_id(struct hm_cfg_node *group, const char *key, enum hm_cfg_need need, const char *initials);
/* A finding unless url is https, or plain http to this machine: no token and no request is to be readable on a wire. */
void hm_settings_check_url(const struct hm_cfg_node *group, const char *key, const char *url);
/* True when it names this machine. */
bool hm_settings_url_is_here(const char *url);

#endif
