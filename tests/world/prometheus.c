/* Thanos: the instant query over series that stand still.
 *
 * State: {"config": {"bearer", "warning": text or null: a store that did not answer}, "series": [{"metric": {"__name__": …},
 * "value": text}]}. */
#include "prometheus.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "kit.h"
#include "world.h"

struct prometheus {
    json_t *config, *series;
};

static void refuse(struct hm_world_answer *ans, int status, const char *type, const char *message)
{
    json_t *body = hm_json_obj_new();
    hm_json_set_str(body, "status", "error");
    hm_json_set_str(body, "errorType", type);
    hm_json_set_str(body, "error", message);
    hm_world_answer_json(ans, status, "application/json", body);
}

static void query(const struct prometheus *p, struct hm_world *world, const json_t *form, struct hm_world_answer *ans)
{
    struct hm_err err = {0};
    int64_t now_ms = hm_world_now_ms(world);
    double now = (double)now_ms / 1000.0;
    json_t *found = hm_promql_run_new(hm_json_get_str(form, "query", ""), p->series, &err);
    const char *warning = hm_json_get_str(p->config, "warning", NULL);
    if (found == NULL) {
        refuse(ans, 400, "bad_data", err.msg);
        return;
    }
    json_t *result = hm_json_arr_new(), *data = hm_json_obj_new(), *body = hm_json_obj_new();
    for (size_t i = 0; i < json_array_size(found); i++) {
        const json_t *each = json_array_get(found, i);
        json_t *sample = hm_json_obj_new(), *pair = hm_json_arr_new();
        hm_json_add(pair, json_real(now));
        hm_json_add(pair, hm_json_str_new(hm_json_get_str(each, "value", "")));
        hm_json_set(sample, "metric", json_incref(json_object_get(each, "metric")));
        hm_json_set(sample, "value", pair);
        hm_json_add(result, sample);
    }
    json_decref(found);
    hm_json_set_str(data, "resultType", "vector");
    hm_json_set(data, "result", result);
    hm_json_set_str(body, "status", "success");
    hm_json_set(body, "data", data);
    if (warning != NULL) {
        json_t *warnings = hm_json_arr_new();
        hm_json_add(warnings, hm_json_str_new(warning));
        hm_json_set(body, "warnings", warnings);
    }
    hm_world_answer_json(ans, 200, "application/json", body);
}

static void prometheus_free(void *system)
{
    struct prometheus *p = system;
    json_decref(p->config);
    json_decref(p->series);
    free(p);
}

static void *prometheus_new(const json_t *state, struct hm_err *err)
{
    struct prometheus *p = hm_xcalloc(1, sizeof(*p));
    json_t *config = hm_json_get_obj(state, "config"), *series = hm_json_get_arr(state, "series");
    p->config = config != NULL ? json_deep_copy(config) : hm_json_obj_new();
    p->series = series != NULL ? json_deep_copy(series) : hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(p->series); i++) {
        const json_t *each = json_array_get(p->series, i);
        if (hm_json_get_str(hm_json_get_obj(each, "metric"), "__name__", NULL) != NULL &&
            hm_json_get_str(each, "value", NULL) != NULL)
            continue;
        (void)hm_err_set(err, HM_EINVAL, "series %zu: it needs metric.__name__ and a value that is a text", i);
        prometheus_free(p);
        return NULL;
    }
    return p;
}

static json_t *prometheus_state_new(void *system)
{
    const struct prometheus *p = system;
    json_t *state = hm_json_obj_new();
    hm_json_set(state, "config", json_deep_copy(p->config));
    hm_json_set(state, "series", json_deep_copy(p->series));
    return state;
}

static void prometheus_handle(void *system, struct hm_world *world, const struct hm_world_request *req,
                              struct hm_world_answer *ans)
{
    struct prometheus *p = system;
    if (!hm_kit_authorized(p->config, req, ans))
        return;
    if (strcmp(req->path, "/api/v1/query") != 0) {
        hm_world_answer_text(ans, 404, "404 page not found\n");
    } else if (strcmp(req->method, "POST") != 0 && strcmp(req->method, "GET") != 0) {
        hm_world_answer_text(ans, 405, "Method Not Allowed\n");
    } else {
        bool get = strcmp(req->method, "GET") == 0;
        bool form_sent = strncasecmp(req->content_type, "application/x-www-form-urlencoded", 33) == 0;
        json_t *form = get         ? hm_kit_form_new(req->query, strlen(req->query))
                       : form_sent ? hm_kit_form_new(req->body, req->body_len)
                                   : hm_json_obj_new();
        if (form != NULL)
            query(p, world, form, ans);
        else
            refuse(ans, 400, "bad_data", "error parsing form values");
        json_decref(form);
    }
}

const struct hm_world_system hm_world_prometheus = {
    .name = "prometheus",
    .new = prometheus_new,
    .free = prometheus_free,
    .state_new = prometheus_state_new,
    .handle = prometheus_handle,
};
