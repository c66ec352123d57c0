/* Sending what is committed: each CALL_STARTED becomes one request, unless the state has gone on meanwhile. See runner_parts.h.
 */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "run/plan.h"
#include "run/runner_parts.h"

static int step_index(const struct hm_run *run, const char *id)
{
    for (size_t i = 0; i < run->recipe->n_steps; i++)
        if (strcmp(run->recipe->steps[i].id, id) == 0)
            return (int)i;
    return -1;
}

/* The ticket of a committed CALL_STARTED, if that request is still the one the state waits for. */
static bool ticket_of(const struct hm_run *run, const struct hm_event *event, int64_t seq, struct hm_ticket *ret_ticket)
{
    const char *purpose = hm_json_get_str(event->data, "purpose", "step");
    int step = step_index(run, hm_json_get_str(event->data, "step", ""));
    if (step < 0)
        return false;
    *ret_ticket = (struct hm_ticket){.step = step, .item = (int)hm_json_get_int(event->data, "item", 0), .seq = seq};
    ret_ticket->purpose = strcmp(purpose, "probe") == 0    ? HM_FOR_PROBE
                          : strcmp(purpose, "verify") == 0 ? HM_FOR_VERIFY
                                                           : HM_FOR_STEP;
    const struct hm_step_state *state = &run->steps[step];
    if (ret_ticket->purpose != HM_FOR_VERIFY && (size_t)ret_ticket->item >= state->n_calls)
        return false;
    const struct hm_call *call = ret_ticket->purpose == HM_FOR_VERIFY ? &state->verify : &state->calls[ret_ticket->item];
    return call->seq == seq && (call->phase == HM_CALL_FLYING || call->phase == HM_CALL_PROBING);
}

static void send_one(struct hm_slot *e, const struct hm_event *event, const struct hm_ticket *ticket)
{
    struct hm_runner *runner = e->runner;
    struct hm_run_env env = {0};
    struct hm_request req;
    struct hm_err err = {0};
    runner->io.env(runner->io.arg, e->run->recipe->name, &env);
    const struct hm_backend *backend = env.backend(env.arg, hm_json_get_str(event->data, "backend", ""));
    enum hm_code code = hm_request_from_json(hm_json_get_obj(event->data, "request"), &req, &err);

    if (code == HM_OK && backend != NULL) {
        e->flying++;
        runner->flying++;
        runner->io.send(runner->io.arg, e->id, ticket, backend, &req, e->run->recipe->steps[ticket->step].timeout_ms);
    } else {
        struct hm_answer answer = {
            .transport = HM_TRANSPORT_NOT_SENT,
            .body = "",
            .errors = "",
            .content_type = "",
            .location = "",
            .problem = code == HM_OK ? "its backend was removed from the configuration" : err.msg,
            .retry_after_s = -1,
        };
        struct hm_input in = {.kind = HM_IN_ANSWER, .ticket = *ticket, .answer = &answer};
        hm_slot_push(e, hm_waiting_new(&in));
    }
    hm_request_done(&req);
}

void hm_runner_perform(struct hm_slot *e, const struct hm_events *events, int64_t first_seq)
{
    for (size_t i = 0; i < events->count; i++) {
        struct hm_ticket ticket;
        if (events->items[i].type == HM_EV_CALL_STARTED && ticket_of(e->run, &events->items[i], first_seq + (int64_t)i, &ticket))
            send_one(e, &events->items[i], &ticket);
    }
}
