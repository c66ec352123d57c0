/* The parts of a card: card.c puts them in order. For bot/view/card*.c alone. */
#ifndef HM_VIEW_CARD_PARTS_H
#define HM_VIEW_CARD_PARTS_H

#include "base/strbuf.h"
#include "run/state.h"
#include "slack/blocks.h"

/* card_steps.c: the list of steps, with what they said and what failed. */
void hm_card_add_steps(struct hm_blocks *blocks, const struct hm_run *run);

/* card_gate.c: the open gate, its plan and its buttons. */
void hm_card_add_gate(struct hm_blocks *blocks, const struct hm_run *run, const struct hm_gate *gate);
/* The requests of the gate's plan, as many as there is room for. would: "will" or "would"; rest: what is said behind "17 more
 * requests are". */
void hm_card_add_requests(struct hm_blocks *blocks, const struct hm_gate *gate, const char *would, const char *rest);
/* "1 of 2 so far" */
void hm_card_add_tally(struct hm_strbuf *out, const struct hm_step *step, const struct hm_gate *gate);
/* "2 different approvals from role `x`, not from …, who asked" */
void hm_card_add_need(struct hm_strbuf *out, const struct hm_step *step, const char *requester);

/* card_unknown.c: calls of which nobody knows whether they happened. */
size_t hm_card_count_unknown(const struct hm_run *run);
void hm_card_add_unknown(struct hm_blocks *blocks, const struct hm_run *run);

/* card_ask.c: what the run asks people, and what it offers. */
void hm_card_add_question(struct hm_blocks *blocks, const struct hm_run *run, const struct hm_question *question);
/* One line about the open question, for the head of the card. */
void hm_card_add_asking(struct hm_strbuf *out, const struct hm_question *question);
/* "chosen by …: “…”", for the list of steps; nothing while it is open. */
void hm_card_add_answer(struct hm_strbuf *out, const struct hm_question *question);
bool hm_card_has_offers(const struct hm_run *run);
void hm_card_add_offers(struct hm_blocks *blocks, const struct hm_run *run);
/* The button of a partial run. */
void hm_card_add_retry(struct hm_blocks *blocks, const struct hm_run *run);

/* card.c: who asked for what. */
void hm_card_add_params(struct hm_strbuf *out, const struct hm_run *run);

/* card_steps.c: the bar of a step that goes through items, with its pace. */
void hm_card_add_bar(struct hm_strbuf *out, const struct hm_step_state *state);

/* What a foreach item is called: itself, or its name, id or title; else "item 12". Plain text; caller frees. */
char *hm_card_item_name(const struct hm_step_state *state, size_t item);

#endif
