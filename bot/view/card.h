/* The card: the one message that shows a run, made anew from its state at every change. Pure: the same state gives the same
 * bytes.
 *
 * From top to bottom: the recipe's title, where the run stands, who asked and with what, each step, then what the run waits for:
 * the gate with the exact requests and its buttons, or the question whether something happened. When the run is over, what is
 * left is one sentence of what was and was not done, and the steps.
 *
 * Long runs are shortened (blocks.h); the buttons never are. */
#ifndef HM_VIEW_CARD_H
#define HM_VIEW_CARD_H

#include <stdbool.h>

#include "base/strbuf.h"
#include "run/state.h"
#include "slack/blocks.h"

/* action_ids of the buttons. */
#define HM_ACTION_APPROVE       "hm.approve"
#define HM_ACTION_APPROVE_TYPED "hm.approve-typed" /* opens hm_dialog_typed_new() */
#define HM_ACTION_REJECT        "hm.reject"        /* at once, without a reason */
#define HM_ACTION_REJECT_WHY    "hm.reject-why"    /* opens hm_dialog_reject_new() */
#define HM_ACTION_GLASS         "hm.glass"         /* opens hm_dialog_glass_new() */
#define HM_ACTION_HAPPENED      "hm.happened"
#define HM_ACTION_DID_NOT       "hm.did-not"
#define HM_ACTION_STOP_HERE     "hm.stop-here"
#define HM_ACTION_CANCEL        "hm.cancel"
#define HM_ACTION_CHOOSE        "hm.choose" /* opens hm_dialog_ask_new() */
#define HM_ACTION_DONE          "hm.done"
#define HM_ACTION_DONE_EVIDENCE "hm.done-evidence" /* opens hm_dialog_evidence_new() */
#define HM_ACTION_RETRY         "hm.retry"
#define HM_ACTION_SKIP          "hm.skip"
#define HM_ACTION_GIVE_UP       "hm.give-up"
#define HM_ACTION_OFFER         "hm.offer"
#define HM_ACTION_RETRY_FAILED  "hm.retry-failed"

void hm_card_render(const struct hm_run *run, struct hm_slack_message *ret_message);

/* What is true for all runs, and how the card is looked at. */
struct hm_card_around {
    const char *held_by; /* who stopped everything; NULL = nobody */
    int64_t held_ms;
    int64_t word_ms; /* of the newest word to stop or go on, 0 = none: a card never again looks like one from before it, so that
                        whoever compares the two knows which one is newer */
    bool read_only;  /* without its buttons */
};
void hm_card_render_around(const struct hm_run *run, const struct hm_card_around *around, struct hm_slack_message *ret_message);

/* A button's value is "<run id>.<nonce>" and nothing else; a cancel button has no nonce. False when it is something else. */
enum { HM_CARD_RUN_ID_MAX = 32, HM_CARD_NONCE_MAX = 17 };
bool hm_card_parse_value(const char *value, char ret_run_id[HM_CARD_RUN_ID_MAX], char ret_nonce[HM_CARD_NONCE_MAX]);
/* Caller frees. nonce may be "". */
char *hm_card_value(const char *run_id, const char *nonce);

/* How the gate was decided, mrkdwn: " · approved by …", " · rejected by … at …: “why”"; nothing for one that was not asked yet.
 */
void hm_card_add_decision(struct hm_strbuf *out, const struct hm_gate *gate);

/* For those who may approve the open gate of the run: it waits, or it closes soon. who: whom to mention, mrkdwn, or "". mrkdwn;
 * caller frees. */
char *hm_card_ask_notice(const struct hm_run *run, int gate_step, const char *who, bool closes_soon);

/* For the audit channel: somebody goes on alone through this gate. mrkdwn; caller frees. */
char *hm_card_glass_notice(const struct hm_run *run, int gate_step);

#endif
