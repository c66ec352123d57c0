/* What an answer of Slack's Web API means: done, refused, wait, try again, nobody knows. Pure. */
#ifndef HM_SLACK_WEB_JUDGE_H
#define HM_SLACK_WEB_JUDGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "handlers/handler.h"
#include "slack/web_methods.h"

enum hm_web_verdict_kind {
    HM_WEB_VERDICT_DONE,
    HM_WEB_VERDICT_REFUSED, /* not done, and never will be */
    HM_WEB_VERDICT_HELD,    /* not done: rate limit, wait wait_ms */
    HM_WEB_VERDICT_AGAIN,   /* not done; later it may work */
    HM_WEB_VERDICT_MAYBE    /* it may have been done */
};

struct hm_web_verdict {
    enum hm_web_verdict_kind kind;
    enum hm_code code;
    const char *error; /* Slack's word or ""; borrowed from the answer's body */
    bool fatal;
    int64_t wait_ms;
    struct hm_err sentence; /* redacted */
};

/* body: the answer parsed, or NULL. */
void hm_web_judge(const struct hm_web_method *method, const struct hm_answer *answer, const json_t *body,
                  struct hm_web_verdict *ret_verdict);

#endif
