/* Slack's Web API methods as data: pace, encoding, what may be repeated. From Slack's method pages and rate-limit page.
 * Pure. A method that is not in the table gets careful defaults. */
#ifndef HM_SLACK_WEB_METHODS_H
#define HM_SLACK_WEB_METHODS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum hm_web_repeat {
    HM_WEB_REPEAT_NEVER,  /* the caller has its own way (a dial machine, a trigger_id that lives 3 s) */
    HM_WEB_REPEAT_PROVEN, /* only when Slack has certainly not done it: 429, no connection */
    HM_WEB_REPEAT_ALWAYS  /* doing it twice changes nothing: also after a time-out or a 5xx */
};

struct hm_web_method {
    const char *name;
    unsigned per_min; /* limit per workspace */
    unsigned burst;   /* of these, at once */
    enum hm_web_repeat repeat;
    bool form;             /* arguments as a form: Slack's reading methods do not look into a JSON body */
    bool channel_pace;     /* also 1/s per channel, and in order within a channel */
    int64_t max_age_ms;    /* a call that waited longer is pointless; 0 = never */
    const char *done_word; /* this error means "it is so already": a success. NULL = none */
};

/* Never NULL. */
const struct hm_web_method *hm_web_method_find(const char *name);
/* The "method" under which response_url posts are paced. */
const struct hm_web_method *hm_web_method_response_url(void);
/* The same for the bytes of a file, which go to an address that files.getUploadURLExternal gave. */
const struct hm_web_method *hm_web_method_upload(void);

/* What one of Slack's error words means. */
enum hm_web_effect {
    HM_WEB_REFUSED,   /* Slack did nothing and never will with this call */
    HM_WEB_TRY_AGAIN, /* Slack did nothing; later it may */
    HM_WEB_HELD,      /* rate limit: hold the method */
    HM_WEB_MAYBE      /* "some aspect of the operation may have succeeded" */
};

struct hm_web_error {
    const char *word;
    enum hm_code code;
    enum hm_web_effect effect;
    bool fatal;           /* token or app setting: a person must mend it */
    const char *sentence; /* for people, with what to do; no full stop */
};

/* NULL for a word that is not known. */
const struct hm_web_error *hm_web_error_find(const char *word);

/* Overwrites what looks like a token, a ticket or the secret part of a hooks URL with '*', in place. */
void hm_web_redact(char *text);

#endif
