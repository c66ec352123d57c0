/* The control API under /_world/: how a test looks into the world, and how it breaks it. README.md is its reference. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "front.h"

enum { LOAD_MAX = 64 * 1024 * 1024 };

static void answer_ok(struct hm_world_answer *ans)
{
    json_t *body = hm_json_obj_new();
    hm_json_set_bool(body, "ok", true);
    hm_world_answer_json(ans, 200, "application/json", body);
}

static void answer_error(struct hm_world_answer *ans, int status, const char *message)
{
    json_t *body = hm_json_obj_new();
    hm_json_set_bool(body, "ok", false);
    hm_json_set_str(body, "error", message);
    hm_world_answer_json(ans, status, "application/json", body);
}

static void answer_list(struct hm_world_answer *ans, const char *key, json_t *stolen_list)
{
    json_t *body = hm_json_obj_new();
    hm_json_set(body, key, stolen_list);
    hm_world_answer_json(ans, 200, "application/json", body);
}

/* GET /_world/state or /_world/state/a/b/0/c: a part of it */
static void get_state(struct hm_front *front, const struct hm_world_request *req, const char *rest, struct hm_world_answer *ans)
{
    (void)req;
    json_t *state = hm_world_state_new(hm_front_world(front));
    char path[1024];
    size_t len = strlen(rest);
    if (len > 0 && len < sizeof(path)) {
        memcpy(path, rest, len + 1);
        for (char *p = path; *p != '\0'; p++)
            if (*p == '/')
                *p = '.';
        json_t *part = hm_json_get_path(state, path);
        if (part != NULL)
            hm_world_answer_json(ans, 200, "application/json", json_incref(part));
        else
            answer_error(ans, 404, "there is nothing there");
        json_decref(state);
        return;
    }
    hm_world_answer_json(ans, 200, "application/json", state);
}

static void get_counts(struct hm_front *front, const struct hm_world_request *req, const char *rest, struct hm_world_answer *ans)
{
    (void)req;
    (void)rest;
    json_t *counts = hm_world_counts_new(hm_front_world(front));
    hm_json_set_int(counts, "waiting", (int64_t)hm_front_waiting(front));
    hm_world_answer_json(ans, 200, "application/json", counts);
}

static void get_log(struct hm_front *front, const struct hm_world_request *req, const char *rest, struct hm_world_answer *ans)
{
    (void)req;
    (void)rest;
    answer_list(ans, "requests", hm_front_log_new(front));
}

static void delete_log(struct hm_front *front, const struct hm_world_request *req, const char *rest, struct hm_world_answer *ans)
{
    (void)req;
    (void)rest;
    hm_front_forget_log(front);
    answer_ok(ans);
}

static void start_anew(struct hm_front *front)
{
    (void)hm_faults_remove(hm_front_faults(front), 0);
    hm_front_drop_waiting(front);
    hm_front_forget_log(front);
}

static void post_reset(struct hm_front *front, const struct hm_world_request *req, const char *rest, struct hm_world_answer *ans)
{
    struct hm_err err = {0};
    (void)req;
    (void)rest;
    start_anew(front);
    if (hm_world_reset(hm_front_world(front), &err) == HM_OK)
        answer_ok(ans);
    else
        answer_error(ans, 500, err.msg);
}

static void post_load(struct hm_front *front, const struct hm_world_request *req, const char *rest, struct hm_world_answer *ans)
{
    struct hm_err err = {0};
    (void)rest;
    json_t *state = hm_json_parse_new(req->body, req->body_len, LOAD_MAX, &err);
    if (state != NULL && hm_world_load(hm_front_world(front), state, &err) == HM_OK) {
        start_anew(front);
        answer_ok(ans);
    } else {
        answer_error(ans, 400, err.msg);
    }
    json_decref(state);
}

static void get_faults(struct hm_front *front, const struct hm_world_request *req, const char *rest, struct hm_world_answer *ans)
{
    (void)req;
    (void)rest;
    answer_list(ans, "faults", hm_faults_json_new(hm_front_faults(front)));
}

static void post_faults(struct hm_front *front, const struct hm_world_request *req, const char *rest, struct hm_world_answer *ans)
{
    struct hm_err err = {0};
    (void)rest;
    json_t *spec = hm_json_parse_new(req->body, req->body_len, LOAD_MAX, &err);
    int64_t id = spec != NULL ? hm_faults_add(hm_front_faults(front), spec, &err) : -1;
    json_decref(spec);
    if (id < 0) {
        answer_error(ans, 400, err.msg);
        return;
    }
    json_t *body = hm_json_obj_new();
    hm_json_set_bool(body, "ok", true);
    hm_json_set_int(body, "id", id);
    hm_world_answer_json(ans, 200, "application/json", body);
}

static void delete_faults(struct hm_front *front, const struct hm_world_request *req, const char *rest,
                          struct hm_world_answer *ans)
{
    int64_t id = 0;
    (void)req;
    if (rest[0] != '\0' && !hm_parse_i64(rest, 1, INT64_MAX, &id))
        answer_error(ans, 400, "that is no number of a fault");
    else if (!hm_faults_remove(hm_front_faults(front), id) && id != 0)
        answer_error(ans, 404, "there is no fault of that number");
    else
        answer_ok(ans);
}

static void post_release(struct hm_front *front, const struct hm_world_request *req, const char *rest,
                         struct hm_world_answer *ans)
{
    (void)req;
    (void)rest;
    json_t *body = hm_json_obj_new();
    hm_json_set_bool(body, "ok", true);
    hm_json_set_int(body, "released", (int64_t)hm_front_release(front));
    hm_world_answer_json(ans, 200, "application/json", body);
}

static const struct {
    const char *method, *path;
    void (*handle)(struct hm_front *front, const struct hm_world_request *req, const char *rest, struct hm_world_answer *ans);
} routes[] = {
    {"GET", "/_world/state", get_state},
    {"GET", "/_world/counts", get_counts},
    {"GET", "/_world/log", get_log},
    {"DELETE", "/_world/log", delete_log},
    {"POST", "/_world/reset", post_reset},
    {"POST", "/_world/load", post_load},
    {"GET", "/_world/faults", get_faults},
    {"POST", "/_world/faults", post_faults},
    {"DELETE", "/_world/faults", delete_faults},
    {"POST", "/_world/release", post_release},
};

void hm_control_handle(struct hm_front *front, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    bool path_known = false;
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        size_t len = strlen(routes[i].path);
        if (strncmp(req->path, routes[i].path, len) != 0 || (req->path[len] != '\0' && req->path[len] != '/'))
            continue;
        path_known = true;
        if (!hm_streq(req->method, routes[i].method))
            continue;
        const char *rest = req->path + len;
        routes[i].handle(front, req, rest[0] == '/' ? rest + 1 : rest, ans);
        return;
    }
    if (path_known)
        answer_error(ans, 405, "not with this method");
    else
        answer_error(ans, 404, "the control API has state, counts, log, reset, load, faults, release");
}
