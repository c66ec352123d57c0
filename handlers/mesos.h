/* Mesos, the cluster's master: who leads, which frameworks are registered, which agents there are, and tearing down a framework
 * that nobody is connected to any more.
 *
 * Reads go to the backend's `url`. The teardown must reach the leading master itself, by its address (the cookbook: its name does
 * not resolve everywhere), so mesos.leader hands that address on and the action builds the URL from it; only addresses inside the
 * backend's setting `masters` are ever spoken to. Redirects are never followed. */
#ifndef HM_HANDLERS_MESOS_H
#define HM_HANDLERS_MESOS_H

#include "handlers/handler.h"

extern const struct hm_handler hm_mesos_handler;

/* In mesos_read.c. */
extern const struct hm_action hm_mesos_leader;
extern const struct hm_action hm_mesos_frameworks;
extern const struct hm_action hm_mesos_agents;
/* In mesos_teardown.c. */
extern const struct hm_action hm_mesos_framework;
extern const struct hm_action hm_mesos_teardown;

/* In mesos.c. Where a request goes: args' `leader` ("10.130.1.61:5050") checked against the settings, or the backend's url when
 * there is none and it is not required. *ret_base: without a slash at its end; the caller frees. */
HM_MUST enum hm_code hm_mesos_base(const struct hm_backend *backend, const json_t *args, bool required, char **ret_base,
                                   struct hm_err *err);
/* GET <base><path>, with the backend's headers. */
void hm_mesos_get(struct hm_request *req, const struct hm_backend *backend, const char *base, const char *path);
/* "master@10.130.1.61:5050" → "10.130.1.61:5050", an IPv4 address and a port; NULL when it is none. The caller frees. */
char *hm_mesos_address(const char *pid);
/* Mesos's own word that nobody leads, so that nothing was done. Any other 503 may come from a proxy, which knows nothing of that.
 */
bool hm_mesos_says_no_leader(const struct hm_answer *answer);
/* Letters, digits and . _ - only, at most 200: what Mesos makes its ids of. */
bool hm_mesos_id_ok(const char *id);

#endif
