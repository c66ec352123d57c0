/* See fault.h. */
#include "fault.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

struct slow {
    struct sim *sim;
    struct sim_req *req;
};

static void on_slow_over(void *arg)
{
    struct slow *slow = arg;
    struct sim *sim = slow->sim;
    struct sim_req *req = slow->req;

    free(slow);
    sim->routes.on_request(sim->routes.arg, req);
}

static void drop_slow(void *arg)
{
    struct slow *slow = arg;

    sim_http_forget(slow->req);
    free(slow);
}

static void record(struct sim *sim, const char *method, struct sim_req *req, int status, const char *what)
{
    struct sim_log_entry entry = {.kind = SIM_LOG_API,
                                  .who = method,
                                  .text = what,
                                  .a = req->fault,
                                  .status = status,
                                  .took_us = sim_now_us() - req->arrived_us};

    sim_log_add(sim->log, &entry);
}

static void reply_status(struct sim_req *req, int status, const json_t *fault)
{
    char *extra = NULL;

    if (status == 429) {
        extra = hm_xasprintf("Retry-After: %lld\r\n", (long long)hm_json_get_int(fault, "retry_after", 1));
    }
    sim_http_reply(req, status, "text/plain", extra, "fault", 5);
    free(extra);
}

static void reply_error(struct sim_req *req, const char *error)
{
    json_t *body = hm_json_obj_new();

    hm_json_set_bool(body, "ok", false);
    hm_json_set_str(body, "error", error);
    sim_http_reply_json(req, 200, NULL, body);
}

bool sim_fault_before(struct sim *sim, const char *method, struct sim_req *req)
{
    const json_t *f = NULL;
    int64_t slow_ms = 0;
    int status = 0;

    if (!req->fault_taken) {
        req->fault_taken = true;
        f = sim_nasty_fault(&sim->nasty, method);
        req->fault = f != NULL ? json_deep_copy(f) : NULL;
        slow_ms = hm_json_get_int(req->fault, "slow_ms", 0);
        if (slow_ms > 0) {
            struct slow *slow = hm_xcalloc(1, sizeof(*slow));

            slow->sim = sim;
            slow->req = req;
            (void)sim_timers_add_owned(sim->timers, slow_ms, on_slow_over, drop_slow, slow);
            return true;
        }
    }
    f = req->fault;
    status = (int)hm_json_get_int(f, "status", 0);
    if (hm_json_get_bool(f, "hang", false)) {
        record(sim, method, req, 0, "fault: hang");
        sim_http_hang(req);
    } else if (hm_json_get_bool(f, "drop", false)) {
        record(sim, method, req, 0, "fault: drop");
        sim_http_drop(req);
    } else if (status != 0) {
        record(sim, method, req, status, "fault: status");
        reply_status(req, status, f);
    } else if (hm_json_get_bool(f, "garbage", false)) {
        record(sim, method, req, 200, "fault: garbage");
        sim_http_reply(req, 200, "text/html", NULL, "<html>upstream connect error", 28);
    } else if (hm_json_get_str(f, "error", NULL) != NULL) {
        record(sim, method, req, 200, hm_json_get_str(f, "error", ""));
        reply_error(req, hm_json_get_str(f, "error", ""));
    } else {
        return false;
    }
    return true;
}

bool sim_fault_after(struct sim *sim, const char *method, struct sim_req *req)
{
    const json_t *f = req->fault;
    int status = (int)hm_json_get_int(f, "status_after", 0);

    if (hm_json_get_bool(f, "hang_after", false)) {
        record(sim, method, req, 0, "fault: done, never answered");
        sim_http_hang(req);
    } else if (hm_json_get_bool(f, "drop_after", false)) {
        record(sim, method, req, 0, "fault: done, dropped");
        sim_http_drop(req);
    } else if (status != 0) {
        record(sim, method, req, status, "fault: done, status");
        reply_status(req, status, f);
    } else {
        return false;
    }
    return true;
}
