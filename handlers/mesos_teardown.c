/* Mesos, tearing down a framework: it ends all tasks of it. On the framework that is alive that would be everything that runs.
 *
 * The action can only send what it is told; that the id is an orphan's is shown by mesos.framework right before, as a step of the
 * recipe between the gate and this one. It is HM_EFFECT_IDEMPOTENT by its probe: a framework that is gone is torn down, one that
 * is still an orphan is torn down again, and one that has come back to life is nobody's but a person's to decide. Mesos answers a
 * second teardown with 400 "No framework found": that is success. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/http_request.h"
#include "handlers/mesos.h"

static const struct hm_arg_spec framework_args[] = {
    {"id", HM_ARG_STRING, true, "the framework's id"},
    {"leader", HM_ARG_STRING, true, "address of the leading master, as mesos.leader gives it"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code check_id(const json_t *args, struct hm_err *err)
{
    const char *id = hm_json_get_str(args, "id", "");
    if (hm_mesos_id_ok(id))
        return HM_OK;
    return hm_err_set(err, HM_EINVAL, "id: \"%.80s\" is not a framework's id", id);
}

/* ---- looking at one ------------------------------------------------------------------------------------------------------ */

static enum hm_code framework_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                      struct hm_request *req, struct hm_err *err)
{
    char *base = NULL;
    (void)cursor;
    enum hm_code code = check_id(args, err);
    if (code == HM_OK)
        code = hm_mesos_base(backend, args, true, &base, err);
    if (code == HM_OK) {
        hm_mesos_get(req, backend, base, "/master/frameworks");
        hm_request_add_query(req, "framework_id", hm_json_get_str(args, "id", ""));
    }
    free(base);
    return code;
}

enum found { ABSENT, ORPHAN, ALIVE, ODD };

/* The framework of this id in one of the answer's lists; the worst of them when it is there twice. */
static enum found find(const json_t *list, const char *id, const json_t **ret_framework)
{
    enum found found = ABSENT;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *each = json_array_get(list, i);
        if (!hm_streq(hm_json_get_str(each, "id", ""), id))
            continue;
        const json_t *active = json_object_get(each, "active");
        const json_t *connected = json_object_get(each, "connected");
        enum found now = json_is_false(active) && json_is_false(connected) ? ORPHAN : ALIVE;
        if (!json_is_boolean(active))
            now = ODD;
        if (now > found)
            found = now;
        *ret_framework = each;
    }
    return found;
}

static enum hm_verdict framework_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                          const struct hm_answer *answer, struct hm_outcome *out)
{
    static const char *const states[] = {[ABSENT] = "unknown", [ORPHAN] = "orphan", [ALIVE] = "alive"};
    const struct hm_http_asked asked = {.backend = backend, .system = "Mesos"};
    const char *id = hm_json_get_str(args, "id", "");
    const json_t *framework = NULL, *completed = NULL;
    json_t *json = NULL;
    (void)cursor;
    enum hm_verdict verdict = hm_http_read_json(&asked, answer, &json, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    const json_t *list = hm_json_get_arr(json, "frameworks");
    enum found found = find(list, id, &framework);
    bool over = found == ABSENT && find(hm_json_get_arr(json, "completed_frameworks"), id, &completed) != ABSENT;
    if (list == NULL || found == ODD) {
        verdict = hm_http_odd(&asked, out, "it has no list of frameworks, or one in it does not say whether it is active");
    } else {
        out->result = hm_json_obj_new();
        hm_json_set_str(out->result, "id", id);
        hm_json_set_str(out->result, "name", hm_json_get_str(framework != NULL ? framework : completed, "name", ""));
        hm_json_set_str(out->result, "state", over ? "completed" : states[found]);
        hm_json_set_int(out->result, "tasks", (int64_t)json_array_size(hm_json_get_arr(framework, "tasks")));
    }
    json_decref(json);
    return verdict;
}

static const struct hm_field_spec framework_fields[] = {
    {"id", HM_FIELD_TEXT, true, "the framework's id", NULL},
    {"name", HM_FIELD_TEXT, true, "its name; empty when it is not known", NULL},
    {"state", HM_FIELD_TEXT, true, "orphan (neither active nor connected), alive, completed or unknown", NULL},
    {"tasks", HM_FIELD_NUMBER, true, "how many it has", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_mesos_framework = {
    .name = "mesos.framework",
    .title = "Look at one framework of Mesos",
    .doc = "Asks the leading master itself.",
    .effect = HM_EFFECT_READ,
    .args = framework_args,
    .result = framework_fields,
    .request = framework_request,
    .response = framework_response,
};

/* ---- tearing it down ----------------------------------------------------------------------------------------------------- */

static enum hm_code teardown_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                     struct hm_request *req, struct hm_err *err)
{
    char *base = NULL;
    (void)cursor;
    enum hm_code code = check_id(args, err);
    if (code == HM_OK)
        code = hm_mesos_base(backend, args, true, &base, err);
    if (code == HM_OK) {
        char *id = hm_url_encode(hm_json_get_str(args, "id", ""));
        req->kind = HM_REQUEST_HTTP;
        req->method = hm_xstrdup("POST");
        req->url = hm_xasprintf("%s/master/teardown", base);
        hm_request_add_backend_headers(req, backend);
        hm_request_add_header(req, "Content-Type", "application/x-www-form-urlencoded");
        req->body = hm_xasprintf("frameworkId=%s", id);
        req->body_len = strlen(req->body);
        free(id);
    }
    free(base);
    return code;
}

static enum hm_verdict teardown_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                         const struct hm_answer *answer, struct hm_outcome *out)
{
    const struct hm_http_asked asked = {.backend = backend, .system = "Mesos", .write = true};
    (void)cursor;
    bool gone = answer->status == 400 && !hm_http_is_page(answer) && strstr(answer->body, "No framework found") != NULL;
    if (!gone && hm_mesos_says_no_leader(answer))
        return hm_outcome_fail(out, HM_VERDICT_RETRYABLE, "Mesos has no leading master just now (HTTP 503); nothing was done");
    enum hm_verdict verdict = gone ? HM_VERDICT_OK : hm_http_judge(&asked, answer, out);
    if (verdict == HM_VERDICT_OK) {
        out->result = hm_json_obj_new();
        hm_json_set_str(out->result, "id", hm_json_get_str(args, "id", ""));
        hm_json_set_bool(out->result, "already", gone);
    }
    return verdict;
}

static enum hm_code teardown_probe_args(const json_t *args, const json_t *context, json_t **ret_args, struct hm_err *err)
{
    (void)context;
    (void)err;
    *ret_args = json_deep_copy(args);
    return HM_OK;
}

static enum hm_probe_says teardown_probe_judge(const json_t *args, enum hm_verdict verdict, const json_t *result)
{
    const char *state = hm_json_get_str(result, "state", "");
    if (verdict != HM_VERDICT_OK || !hm_streq(hm_json_get_str(result, "id", ""), hm_json_get_str(args, "id", "?")))
        return HM_PROBE_CANNOT_TELL;
    if (hm_streq(state, "completed"))
        return HM_PROBE_APPLIED;
    return hm_streq(state, "orphan") ? HM_PROBE_NOT_APPLIED : HM_PROBE_CANNOT_TELL;
}

static const struct hm_field_spec teardown_fields[] = {
    {"id", HM_FIELD_TEXT, true, "the framework's id", NULL},
    {"already", HM_FIELD_BOOL, true, "Mesos knew it no more", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_mesos_teardown = {
    .name = "mesos.teardown",
    .title = "Tear down a framework",
    .doc = "Ends all tasks of the framework and removes it. Look at it with mesos.framework right before, and stop unless it is "
           "an orphan. Sent to the leading master's own address.",
    .effect = HM_EFFECT_IDEMPOTENT,
    .args = framework_args,
    .result = teardown_fields,
    .request = teardown_request,
    .response = teardown_response,
    .probe_action = "mesos.framework",
    .probe_args = teardown_probe_args,
    .probe_judge = teardown_probe_judge,
};
