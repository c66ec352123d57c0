/* Inside of the loader of alarm rules: what load.c (the file), load_fields.c (match and fields), load_follow.c (what follows) and
 * alarm.c (folders, links) share. Nobody else includes this. */
#ifndef HM_ALARM_LOAD_H
#define HM_ALARM_LOAD_H

#include "alarm/alarm.h"
#include "base/cfg.h"
#include "recipe/load.h"

struct hm_alarm_loader {
    struct hm_loader names; /* collects what expressions and templates name */
    struct hm_alarm_rule *rule;
    const struct hm_alarm_names *known; /* may be NULL */
};

enum { HM_ALARM_LIST_MAX = 100 /* channels, senders, choices */ };

/* match, fields. */
void hm_alarm_load_fields(struct hm_alarm_loader *l, struct hm_cfg_node *root);
void hm_alarm_fields_free(struct hm_alarm_rule *rule);
/* say, offers, auto, remember. */
void hm_alarm_load_follow(struct hm_alarm_loader *l, struct hm_cfg_node *root);
void hm_alarm_follow_free(struct hm_alarm_rule *rule);
/* A list of groups. */
struct hm_alarm_groups {
    const char *key;
    size_t max;                                                                     /* how many there may be */
    size_t size;                                                                    /* bytes of an item */
    void (*load)(struct hm_alarm_loader *l, struct hm_cfg_node *group, void *item); /* of each; item is zeroed */
};
/* How many there are; *ret_items stays as it is when there are none. */
size_t hm_alarm_load_groups(struct hm_alarm_loader *l, struct hm_cfg_node *root, const struct hm_alarm_groups *groups,
                            void **ret_items);

#endif
