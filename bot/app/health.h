/* What operators ask over HTTP: /healthz (the loop turns), /readyz (Slack connected, journal writable; else 503 and why) and
 * /metrics (Prometheus text format 0.0.4). */
#ifndef HM_APP_HEALTH_H
#define HM_APP_HEALTH_H

#include "app/intake.h"
#include "app/restore.h"
#include "app/watch.h"
#include "io/http_server.h"
#include "journal/journal.h"
#include "run/runner.h"
#include "slack/socket.h"
#include "slack/web_api.h"

struct hm_health;

/* All borrowed; what is NULL is left out. */
struct hm_health_sources {
    struct hm_socket *socket;
    struct hm_journal *journal;
    struct hm_web_api *api;
    struct hm_intake *intake;
    struct hm_runner *runner;
    const char *config_problem;       /* why the last reload was refused; NULL = none */
    const struct hm_restore *restore; /* NULL = all runs are there */
    const struct hm_watch *watch;
};

/* sources: read at each request; borrowed. NULL with err set when the address can not be listened on. */
struct hm_health *hm_health_new(struct lws_context *lws, const char *listen, const struct hm_health_sources *sources,
                                struct hm_err *err);
void hm_health_free(struct hm_health *health);
int hm_health_port(const struct hm_health *health);

#endif
