/* Log lines may hold what belongs to customers, and secrets. Before a line becomes part of a result - and so of the journal and
 * of a card - what looks like one is replaced: e-mail addresses, numbers long enough for a person's or a card, and what stands
 * after words like password or token. Names and addresses of people can not be recognised: a result is for those who may read the
 * logs.
 */
#ifndef HM_HANDLERS_REDACT_H
#define HM_HANDLERS_REDACT_H

/* A copy of text, with "[e-mail]", "[number]" and "[secret]" for what was there; caller frees. */
char *hm_redact(const char *text);

#endif
