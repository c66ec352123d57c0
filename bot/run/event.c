/* Event names and lists: see event.h. */
#include "run/event.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char *const names[HM_EV_NR] = {
    [HM_EV_RUN_STARTED] = "run.started",
    [HM_EV_RUN_REPLANNED] = "run.replanned",
    [HM_EV_STEP_STARTED] = "step.started",
    [HM_EV_STEP_SKIPPED] = "step.skipped",
    [HM_EV_STEP_FINISHED] = "step.finished",
    [HM_EV_GATE_OPENED] = "gate.opened",
    [HM_EV_GATE_VOTE] = "gate.vote",
    [HM_EV_GATE_APPROVED] = "gate.approved",
    [HM_EV_GATE_REJECTED] = "gate.rejected",
    [HM_EV_GATE_EXPIRED] = "gate.expired",
    [HM_EV_GATE_VOIDED] = "gate.voided",
    [HM_EV_CALL_STARTED] = "call.started",
    [HM_EV_CALL_FINISHED] = "call.finished",
    [HM_EV_CALL_UNKNOWN] = "call.unknown",
    [HM_EV_CALL_ASKED] = "call.asked",
    [HM_EV_CALL_SETTLED] = "call.settled",
    [HM_EV_CANCEL_ASKED] = "run.cancel-asked",
    [HM_EV_RUN_FINISHED] = "run.finished",
    [HM_EV_QUESTION_OPENED] = "question.opened",
    [HM_EV_QUESTION_ANSWERED] = "question.answered",
    [HM_EV_CALLS_AGAIN] = "calls.again",
    [HM_EV_OFFERS_MADE] = "offers.made",
    [HM_EV_OFFER_TAKEN] = "offer.taken",
    [HM_EV_LOCK_WAITED] = "lock.waited",
    [HM_EV_LOCK_TAKEN] = "lock.taken",
    [HM_EV_RUN_REOPENED] = "run.reopened",
    [HM_EV_RUN_TAKEN] = "run.taken",
    [HM_EV_GATE_REMINDED] = "gate.reminded",
};

const char *hm_event_name(enum hm_event_type type)
{
    return names[type];
}

bool hm_event_parse(const char *name, enum hm_event_type *ret_type)
{
    for (int i = 0; i < HM_EV_NR; i++) {
        if (strcmp(names[i], name) == 0) {
            *ret_type = (enum hm_event_type)i;
            return true;
        }
    }
    return false;
}

void hm_events_init(struct hm_events *events)
{
    *events = (struct hm_events){0};
}

void hm_events_done(struct hm_events *events)
{
    for (size_t i = 0; i < events->count; i++)
        json_decref(events->items[i].data);
    free(events->items);
    hm_events_init(events);
}

void hm_events_add(struct hm_events *events, enum hm_event_type type, int64_t at_ms, json_t *stolen_data)
{
    events->items = hm_xreallocarray(events->items, events->count + 1, sizeof events->items[0]);
    events->items[events->count++] = (struct hm_event){.type = type, .data = stolen_data, .at_ms = at_ms};
}
