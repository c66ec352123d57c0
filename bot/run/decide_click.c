/* decide, the clicks: who may decide what, answers to "did it happen?", cancelling; and the way to the other clicks. See
 * decide.h.
 *
 * Every click gets an answer: what it did, or why it did nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "run/decide_parts.h"

void hm_reply_with(struct hm_deciding *d, enum hm_reply_kind kind, const char *who, int64_t when_ms)
{
    d->reply->kind = kind;
    d->reply->when_ms = when_ms;
    size_t len = strnlen(who, sizeof d->reply->who - 1);
    memcpy(d->reply->who, who, len);
    d->reply->who[len] = '\0';
}

void hm_reply_typed(struct hm_deciding *d, const char *text)
{
    size_t len = hm_utf8_prefix(text, sizeof d->reply->typed - 1);
    memcpy(d->reply->typed, text, len);
    d->reply->typed[len] = '\0';
}

void hm_reply_late(struct hm_deciding *d)
{
    const struct hm_run *run = d->run;
    hm_reply_with(d, run->status != HM_RUN_GOING ? HM_REPLY_RUN_OVER : HM_REPLY_STALE, "", run->ended_ms);
    d->reply->status = run->status;
}

/* The role test: yes if any of the roles says yes; unknown counts as no but is said differently. */
static enum hm_member in_roles(const struct hm_deciding *d, char *const *roles, const char *user)
{
    enum hm_member best = HM_MEMBER_NO;
    for (; roles != NULL && *roles != NULL; roles++) {
        enum hm_member is = d->env->member(d->env->arg, *roles, user);
        if (is == HM_MEMBER_YES)
            return HM_MEMBER_YES;
        if (is == HM_MEMBER_UNKNOWN)
            best = HM_MEMBER_UNKNOWN;
    }
    return best;
}

bool hm_may_decide(struct hm_deciding *d, const struct hm_input *in, char *const *roles)
{
    if (in->user_team != NULL && (d->env->team == NULL || strcmp(in->user_team, d->env->team) != 0)) {
        /* As long as we do not know our own workspace (Slack has not told yet) nobody is known to belong to it. */
        hm_reply_with(d, d->env->team == NULL ? HM_REPLY_ROLE_UNKNOWN : HM_REPLY_OUTSIDER, in->user, 0);
        return false;
    }
    if (roles == NULL || roles[0] == NULL)
        return true;
    switch (in_roles(d, roles, in->user)) {
    case HM_MEMBER_YES:
        return true;
    case HM_MEMBER_UNKNOWN:
        hm_reply_with(d, HM_REPLY_ROLE_UNKNOWN, in->user, 0);
        return false;
    case HM_MEMBER_NO:
        break;
    }
    hm_reply_with(d, HM_REPLY_NOT_IN_ROLE, in->user, 0);
    return false;
}

bool hm_may_or_own(struct hm_deciding *d, const struct hm_input *in, char *const *roles)
{
    return strcmp(in->user, d->run->requester) == 0 || hm_streq(d->run->owner, in->user) || hm_may_decide(d, in, roles);
}

char *const *hm_step_roles(const struct hm_run *run, int index)
{
    int gate = run->recipe->steps[index].gate;
    return gate >= 0 ? run->recipe->steps[gate].by : run->recipe->who;
}

/* ---- did it happen? -------------------------------------------------------------------------------------------------- */

/* The call that waits for a person's word under this nonce. */
static bool asked_by_nonce(const struct hm_run *run, const char *nonce, int *ret_step, int *ret_item)
{
    for (size_t s = 0; s < run->recipe->n_steps; s++) {
        for (size_t i = 0; i < run->steps[s].n_busy; i++) {
            int item = run->steps[s].busy[i];
            const struct hm_call *call = &run->steps[s].calls[item];
            if (call->phase != HM_CALL_ASKING || strcmp(call->nonce, nonce) != 0)
                continue;
            *ret_step = (int)s;
            *ret_item = item;
            return true;
        }
    }
    return false;
}

static void click_unknown(struct hm_deciding *d, const struct hm_input *in)
{
    const struct hm_run *run = d->run;
    int index = -1;
    int item = -1;
    if (run->status != HM_RUN_GOING || in->nonce == NULL || !asked_by_nonce(run, in->nonce, &index, &item)) {
        hm_reply_late(d);
        return;
    }
    const struct hm_step *step = &run->recipe->steps[index];
    if (!hm_may_decide(d, in, hm_step_roles(run, index)))
        return;

    bool happened = in->kind == HM_IN_HAPPENED;
    json_t *data = hm_step_data_new(run, index);
    hm_json_set_int(data, "item", item);
    hm_json_set_bool(data, "applied", happened);
    hm_json_set_str(data, "by", in->user);
    if (in->kind == HM_IN_DID_NOT)
        hm_json_set_bool(data, "resend", true); /* a person has said so, on record */
    if (in->kind == HM_IN_STOP_HERE) {
        hm_json_set_str(data, "error", "nobody knows whether it happened; stopped here");
        hm_json_set_str(data, "code", "unknown-outcome");
    }
    hm_emit(d, HM_EV_CALL_SETTLED, data);
    if (in->kind == HM_IN_STOP_HERE) {
        char *title = hm_mrkdwn_of(hm_step_title(step));
        char *text =
            hm_xasprintf("Stopped while it was not known whether *%s* had happened. Look before you do it again.", title);
        hm_emit_end(d, HM_RUN_FAILED, text, in->user);
        free(text);
        free(title);
    }
    hm_reply_with(d, HM_REPLY_SETTLED, in->user, d->env->now_ms);
}

static void cancel(struct hm_deciding *d, const struct hm_input *in)
{
    const struct hm_run *run = d->run;
    if (run->status != HM_RUN_GOING) {
        hm_reply_late(d);
        return;
    }
    if (!hm_may_or_own(d, in, run->recipe->who))
        return;
    if (run->cancel_by == NULL) {
        json_t *data = hm_json_obj_new();
        hm_json_set_str(data, "user", in->user);
        hm_emit(d, HM_EV_CANCEL_ASKED, data);
    }
    hm_reply_with(d, HM_REPLY_CANCELLED, in->user, d->env->now_ms);
}

/* Neither who asked nor who leads approves; so whoever has approved what is being decided can not take the lead of it. */
static void take(struct hm_deciding *d, const struct hm_input *in)
{
    const struct hm_run *run = d->run;
    const struct hm_gate *gate = hm_run_open_gate(run);
    bool his = run->owner != NULL ? strcmp(run->owner, in->user) == 0 : strcmp(run->requester, in->user) == 0;
    if (run->status != HM_RUN_GOING) {
        hm_reply_late(d);
        return;
    }
    if (!hm_may_decide(d, in, run->recipe->who))
        return;
    if (his) {
        hm_reply_with(d, HM_REPLY_IS_YOURS, in->user, 0);
        return;
    }
    for (size_t i = 0; gate != NULL && i < gate->n_votes; i++) {
        if (strcmp(gate->votes[i].user, in->user) != 0)
            continue;
        hm_reply_with(d, HM_REPLY_TAKE_VOTED, in->user, gate->votes[i].at_ms);
        return;
    }
    json_t *data = hm_json_obj_new();
    hm_json_set_str(data, "user", in->user);
    hm_emit(d, HM_EV_RUN_TAKEN, data);
    hm_reply_with(d, HM_REPLY_TAKEN, in->user, d->env->now_ms);
}

void hm_decide_click(struct hm_deciding *d, const struct hm_input *in)
{
    switch (in->kind) {
    case HM_IN_APPROVE:
    case HM_IN_REJECT:
        hm_click_gate(d, in);
        break;
    case HM_IN_HAPPENED:
    case HM_IN_DID_NOT:
    case HM_IN_STOP_HERE:
        click_unknown(d, in);
        break;
    case HM_IN_CANCEL:
        cancel(d, in);
        break;
    case HM_IN_TAKE:
        take(d, in);
        break;
    case HM_IN_CHOOSE:
    case HM_IN_DONE:
    case HM_IN_RETRY:
    case HM_IN_SKIP:
    case HM_IN_GIVE_UP:
        hm_click_question(d, in);
        break;
    case HM_IN_OFFER:
        hm_click_offer(d, in);
        break;
    case HM_IN_RETRY_FAILED:
        hm_click_retry_failed(d, in);
        break;
    case HM_IN_GO:
    case HM_IN_TIME:
    case HM_IN_ANSWER:
    case HM_IN_LOST:
    case HM_IN_CHANGED:
    case HM_INPUT_NR:
        break;
    }
}
