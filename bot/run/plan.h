/* The plan: the requests of a run's coming effectful steps, rendered exactly as they will be sent, and the digest that binds an
 * approval to them. Pure. */
#ifndef HM_RUN_PLAN_H
#define HM_RUN_PLAN_H

#include "run/decide.h"

/* One call made ready. */
struct hm_rendered {
    const struct hm_backend *backend; /* borrowed */
    json_t *args;                     /* owned */
    struct hm_request req;            /* owned */
};
void hm_rendered_init(struct hm_rendered *rendered);
void hm_rendered_done(struct hm_rendered *rendered);

/* Renders spec's arguments over the scope and builds the request for the page that cursor names (NULL = the first).
 * HM_EINVAL or HM_EENV with a sentence. */
HM_MUST enum hm_code hm_plan_render(const struct hm_run_env *env, const struct hm_call_spec *spec, const json_t *scope,
                                    const json_t *cursor, struct hm_rendered *ret_rendered, struct hm_err *err);

/* Which backend a probe asks. on: what the recipe says, or NULL: then the one that the call went to, or, when the probe is
 * another handler's, that handler's whose name ends like the call's: "sabesp" → "aurora", "sabesp-foz" → "aurora-foz". NULL when
 * there is no such backend of the probe's handler: better a person's word than a look in another place. */
const struct hm_backend *hm_plan_probe_backend(const struct hm_run_env *env, const char *call, const struct hm_action *probe,
                                               const char *on);

/* A copy of scope with the step's `as` name set to item number `item`; scope itself (new reference) for a step without foreach.
 */
HM_MUST json_t *hm_plan_item_scope_new(const struct hm_step *step, const json_t *items, int item, json_t *scope);

struct hm_plan {
    struct hm_planned *calls; /* owned, requests too */
    size_t n_calls;
    char digest[65];
};
void hm_plan_done(struct hm_plan *plan);

/* Everything effectful from the gate (index of an approve step) to the next gate that is not settled yet. */
HM_MUST enum hm_code hm_plan_build(const struct hm_run *run, const struct hm_run_env *env, int gate, struct hm_plan *ret_plan,
                                   struct hm_err *err);

/* The request that hm_request_json_new() wrote down. */
HM_MUST enum hm_code hm_request_from_json(const json_t *json, struct hm_request *ret_req, struct hm_err *err);

#endif
