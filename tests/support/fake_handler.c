/* The handler "fake" of the stage, in place of the program's own table of handlers. See stage.h. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "handlers/handler.h"

static const struct hm_arg_spec id_args[] = {
    {.name = "id", .type = HM_ARG_STRING, .required = true, .help = "which thing"},
    {.name = NULL},
};
static const struct hm_arg_spec no_args[] = {{.name = NULL}};

static void begin(const struct hm_backend *backend, struct hm_request *req, const char *method, const char *path)
{
    req->kind = HM_REQUEST_HTTP;
    req->method = hm_xstrdup(method);
    req->url = hm_xasprintf("%s/%s", backend->url, path);
}

static enum hm_code list_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                 struct hm_request *req, struct hm_err *err)
{
    (void)args;
    (void)cursor;
    (void)err;
    begin(backend, req, "GET", "list");
    return HM_OK;
}

static enum hm_code get_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    (void)err;
    char *id = hm_url_encode(hm_json_get_str(args, "id", ""));
    begin(backend, req, "GET", id);
    free(id);
    return HM_OK;
}

static enum hm_code put_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                struct hm_request *req, struct hm_err *err)
{
    enum hm_code code = get_request(backend, args, cursor, req, err);
    free(req->method);
    req->method = hm_xstrdup("POST");
    req->body = hm_xstrdup("");
    return code;
}

static enum hm_code page_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                 struct hm_request *req, struct hm_err *err)
{
    (void)args;
    (void)err;
    char path[40];
    (void)snprintf(path, sizeof path, "pages?n=%d", (int)hm_json_get_int(cursor, "page", 1));
    begin(backend, req, "GET", path);
    return HM_OK;
}

static enum hm_verdict response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                const struct hm_answer *answer, struct hm_outcome *out)
{
    (void)backend;
    (void)args;
    (void)cursor;
    if (answer->status == 200) {
        out->result = hm_json_parse_new(answer->body, answer->body_len, 1000000, &out->err);
        return out->result != NULL ? HM_VERDICT_OK : HM_VERDICT_MAYBE;
    }
    (void)hm_err_set(&out->err, HM_EIO, "fake answered HTTP %d", answer->status);
    return answer->status == 404   ? HM_VERDICT_NOT_FOUND
           : answer->status == 503 ? HM_VERDICT_RETRYABLE
           : answer->status >= 500 ? HM_VERDICT_MAYBE
                                   : HM_VERDICT_PERMANENT;
}

static enum hm_verdict page_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                     const struct hm_answer *answer, struct hm_outcome *out)
{
    int64_t page = hm_json_get_int(cursor, "page", 1);
    if (answer->status != 200)
        return response(backend, args, cursor, answer, out);
    json_t *next = hm_json_obj_new();
    hm_json_set_int(next, "page", page + 1);
    if (page < 3) {
        out->cursor = next;
        return HM_VERDICT_MORE;
    }
    out->result = next;
    return HM_VERDICT_OK;
}

/* Two seconds between its three requests. */
static enum hm_verdict poll_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                     const struct hm_answer *answer, struct hm_outcome *out)
{
    enum hm_verdict verdict = page_response(backend, args, cursor, answer, out);
    if (verdict == HM_VERDICT_MORE)
        out->wait_ms = 2000;
    return verdict;
}

static enum hm_code probe_args(const json_t *args, const json_t *context, json_t **ret_args, struct hm_err *err)
{
    (void)context;
    (void)err;
    *ret_args = json_deep_copy(args);
    return HM_OK;
}

static enum hm_probe_says probe_judge(const json_t *args, enum hm_verdict verdict, const json_t *result)
{
    (void)args;
    if (verdict != HM_VERDICT_OK)
        return HM_PROBE_CANNOT_TELL;
    return hm_json_get_bool(result, "on", true) ? HM_PROBE_NOT_APPLIED : HM_PROBE_APPLIED;
}

/* Their results are what a test lets the backend answer: nothing is declared. */
static const struct hm_action list = {
    .name = "fake.list",
    .title = "List the things",
    .doc = "",
    .effect = HM_EFFECT_READ,
    .args = no_args,
    .request = list_request,
    .response = response,
};
static const struct hm_action pages = {
    .name = "fake.pages",
    .title = "Read three pages",
    .doc = "",
    .effect = HM_EFFECT_READ,
    .args = no_args,
    .request = page_request,
    .response = page_response,
};
static const struct hm_action poll = {
    .name = "fake.poll",
    .title = "Ask until it is ready",
    .doc = "",
    .effect = HM_EFFECT_READ,
    .args = no_args,
    .request = page_request,
    .response = poll_response,
};
static const struct hm_action get = {
    .name = "fake.get",
    .title = "Look at a thing",
    .doc = "",
    .effect = HM_EFFECT_READ,
    .args = id_args,
    .request = get_request,
    .response = response,
};
static const struct hm_action once = {
    .name = "fake.once",
    .title = "Turn a thing off, once",
    .doc = "",
    .effect = HM_EFFECT_ONCE,
    .args = id_args,
    .request = put_request,
    .response = response,
    .probe_action = "fake.get",
    .probe_args = probe_args,
    .probe_judge = probe_judge,
};
static const struct hm_action blind = {
    .name = "fake.blind",
    .title = "Turn a thing off, unseen",
    .doc = "",
    .effect = HM_EFFECT_ONCE,
    .args = id_args,
    .request = put_request,
    .response = response,
};
static const struct hm_action idem = {
    .name = "fake.idem",
    .title = "Turn a thing off",
    .doc = "",
    .effect = HM_EFFECT_IDEMPOTENT,
    .args = id_args,
    .request = put_request,
    .response = response,
    .probe_action = "fake.get",
    .probe_args = probe_args,
    .probe_judge = probe_judge,
};
static const struct hm_action plain = {
    .name = "fake.plain",
    .title = "Turn a thing off, plainly",
    .doc = "",
    .effect = HM_EFFECT_IDEMPOTENT,
    .args = id_args,
    .request = put_request,
    .response = response,
};

static const struct hm_action *const actions[] = {&list, &pages, &poll, &get, &once, &blind, &idem, &plain, NULL};
static const struct hm_handler fake = {.name = "fake", .title = "The stage's backend", .actions = actions};

const struct hm_handler *const hm_handlers[] = {&fake, NULL};
