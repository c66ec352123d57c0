/* Fields: what a rule's patterns find in a text, typed. Pure. */
#ifndef HM_ALARM_FIELDS_H
#define HM_ALARM_FIELDS_H

#include "alarm/alarm.h"

enum { HM_ALARM_MANY_MAX = 50 /* values of a field with `many`; no more are looked for */ };

struct hm_alarm_found {
    bool matched;
    size_t at;        /* where match begins */
    bool unmeant;     /* it would match, but for what `unless` takes away; then not matched */
    char unless[80];  /* unmeant: what its unless found, cut off */
    char missing[32]; /* the first required field without a value; "" = none */
    json_t *raw;      /* as in struct hm_alarm_verdict */
    json_t *values;
    json_t *assumed;
};

/* Whether match is found, nothing else. */
bool hm_alarm_matches(const struct hm_alarm_rule *rule, const char *text, size_t *ret_at);
/* day: of the message, "YYYY-MM-DD" or "": becomes the value `day`. */
void hm_alarm_extract(const struct hm_alarm_rule *rule, const char *text, const char *day, struct hm_alarm_found *ret_found);
void hm_alarm_found_done(struct hm_alarm_found *found);
/* The alarm's key; caller frees. */
char *hm_alarm_key(const struct hm_alarm_rule *rule, const json_t *values);

#endif
