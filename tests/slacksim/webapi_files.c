/* files.getUploadURLExternal, the upload itself, files.completeUploadExternal. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "fault.h"
#include "files.h"
#include "hooks.h"
#include "post.h"
#include "webapi.h"

enum { SNIPPET_MAX = 1000000, UPLOAD_LIFE_S = 600 };

static const char *get_upload_url(struct sim_call *call)
{
    struct sim *sim = call->sim;
    const char *name = sim_arg_str(call, "filename");
    int64_t length = sim_arg_int(call, "length", 0);
    const char *snippet = sim_arg_str(call, "snippet_type");
    char id[SIM_ID_MAX];
    char secret[SIM_ID_MAX];
    json_t *file = NULL;
    char *base = NULL;
    char *url = NULL;

    if (name == NULL || name[0] == '\0' || length <= 0) {
        return "missing_argument";
    }
    if (snippet != NULL && length > SNIPPET_MAX) {
        return "snippet_too_large";
    }
    (void)sim_ids_upper(&sim->ids, "F0", 9, id);
    (void)sim_ids_mixed(&sim->ids, 24, secret);
    file = hm_json_obj_new();
    hm_json_set_str(file, "id", id);
    hm_json_set_str(file, "name", name);
    hm_json_set_str(file, "title", name);
    hm_json_set_str(file, "secret", secret);
    hm_json_set_int(file, "length", length);
    hm_json_set_str(file, "snippet_type", snippet);
    hm_json_set_int(file, "expires_us", sim_now_us() + (int64_t)UPLOAD_LIFE_S * 1000000);
    hm_json_set(sim->files, id, file);
    base = sim_base_url(sim);
    url = hm_xasprintf("%s/upload/v1/%s/%s", base, id, secret);
    hm_json_set_str(call->out, "upload_url", url);
    hm_json_set_str(call->out, "file_id", id);
    free(base);
    free(url);
    return NULL;
}

/* /upload/v1/<id>/<secret> */
static json_t *file_of_path(struct sim *sim, const char *path)
{
    const char *id = path + strlen("/upload/v1/");
    const char *slash = strchr(id, '/');
    char *key = slash != NULL ? hm_xstrndup(id, (size_t)(slash - id)) : NULL;
    json_t *file = key != NULL ? json_object_get(sim->files, key) : NULL;

    free(key);
    return file != NULL && hm_streq(hm_json_get_str(file, "secret", NULL), slash + 1) ? file : NULL;
}

/* The bytes of the first file part of a multipart body; the body itself when it is none. */
static const char *upload_bytes(const struct sim_req *req, size_t *ret_len)
{
    const char *type = sim_req_header(req, "content-type");
    const char *start = NULL;
    const char *end = NULL;
    size_t boundary = 0;

    *ret_len = req->body_len;
    if (type == NULL || !hm_starts_with(type, "multipart/form-data") || !hm_starts_with(req->body, "--")) {
        return req->body;
    }
    boundary = strcspn(req->body, "\r\n");
    start = strstr(req->body, "\r\n\r\n");
    if (start == NULL) {
        return req->body;
    }
    start += 4;
    end = memmem(start, req->body_len - (size_t)(start - req->body), req->body, boundary);
    *ret_len = end != NULL && end >= start + 2 ? (size_t)(end - start) - 2 : 0;
    return start;
}

void sim_files_on_upload(struct sim *sim, struct sim_req *req)
{
    json_t *file = file_of_path(sim, req->path);
    size_t len = 0;
    const char *bytes = upload_bytes(req, &len);
    char *text = NULL;

    sim_log_called(sim->log, "upload");
    if (sim_fault_before(sim, "upload", req)) {
        return;
    }
    if (file == NULL || hm_json_get_int(file, "expires_us", 0) < sim_now_us()) {
        sim_http_reply(req, 404, "text/plain", NULL, "no such upload", 14);
        return;
    }
    if ((int64_t)len != hm_json_get_int(file, "length", 0)) {
        sim_log_violation(sim->log, "upload", "%zu bytes came, %lld were announced", len,
                          (long long)hm_json_get_int(file, "length", 0));
    }
    text = hm_utf8_clean(bytes, len);
    hm_json_set_str(file, "content", text);
    hm_json_set_int(file, "size", (int64_t)len);
    free(text);
    if (!sim_fault_after(sim, "upload", req)) {
        text = hm_xasprintf("OK - %zu", len);
        sim_http_reply(req, 200, "text/plain", NULL, text, strlen(text));
        free(text);
    }
}

static json_t *public_file_new(struct sim *sim, const json_t *file)
{
    json_t *out = hm_json_obj_new();
    char *base = sim_base_url(sim);
    char *url = hm_xasprintf("%s/_sim/file?id=%s", base, hm_json_get_str(file, "id", ""));
    const char *content = hm_json_get_str(file, "content", "");

    hm_json_set_str(out, "id", hm_json_get_str(file, "id", ""));
    hm_json_set_int(out, "created", sim_wall_us() / 1000000);
    hm_json_set_str(out, "name", hm_json_get_str(file, "name", ""));
    hm_json_set_str(out, "title", hm_json_get_str(file, "title", ""));
    hm_json_set_str(out, "mimetype", "text/plain");
    hm_json_set_str(out, "filetype", hm_json_get_str(file, "snippet_type", "text"));
    hm_json_set_str(out, "pretty_type", "Plain Text");
    hm_json_set_str(out, "user", sim_state_app_str(sim->state, "bot_user"));
    hm_json_set_str(out, "mode", "snippet");
    hm_json_set_int(out, "size", hm_json_get_int(file, "size", 0));
    hm_json_set_str(out, "url_private", url);
    hm_json_set_str(out, "permalink", url);
    hm_json_set(out, "preview", hm_json_strn_new(content, hm_utf8_take(content, 2000)));
    free(url);
    free(base);
    return out;
}

/* Checks args.files and gives the public forms; NULL with *ret_error. */
static json_t *completed_new(struct sim_call *call, const char **ret_error)
{
    json_t *out = hm_json_arr_new();
    json_t *one = NULL;
    size_t i = 0;

    *ret_error = NULL;
    json_array_foreach(hm_json_get_arr(call->args, "files"), i, one)
    {
        const char *id = hm_json_get_str(one, "id", "");
        json_t *file = json_object_get(call->sim->files, id);

        if (file == NULL || hm_json_get_str(file, "content", NULL) == NULL || hm_json_get_bool(file, "complete", false)) {
            *ret_error = "file_not_found";
            json_decref(out);
            return NULL;
        }
        if (hm_json_get_str(one, "title", NULL) != NULL) {
            hm_json_set_str(file, "title", hm_json_get_str(one, "title", ""));
        }
        hm_json_set_bool(file, "complete", true);
        hm_json_add(out, public_file_new(call->sim, file));
    }
    if (json_array_size(out) == 0) {
        *ret_error = "invalid_arguments";
        json_decref(out);
        return NULL;
    }
    return out;
}

static const char *complete_upload(struct sim_call *call)
{
    struct sim *sim = call->sim;
    const char *channel = sim_arg_str(call, "channel_id");
    const char *thread_ts = sim_arg_str(call, "thread_ts");
    struct sim_channel *c = channel != NULL ? sim_state_channel(sim->state, channel) : NULL;
    const char *error = NULL;
    json_t *files = NULL;
    json_t *msg = NULL;

    if (channel != NULL && c == NULL) {
        return "channel_not_found";
    }
    if (c != NULL && !sim_bot_in(sim, c)) {
        return "not_in_channel";
    }
    if (c != NULL && thread_ts != NULL && sim_channel_find(c, thread_ts) == NULL) {
        return "thread_not_found";
    }
    files = completed_new(call, &error);
    if (files == NULL) {
        return error;
    }
    if (c != NULL) {
        msg = hm_json_obj_new();
        sim_sign_as_app(sim, msg);
        hm_json_set_str(msg, "subtype", "file_share");
        hm_json_set_str(msg, "text", sim_arg_str(call, "initial_comment") != NULL ? sim_arg_str(call, "initial_comment") : "");
        hm_json_set_bool(msg, "upload", true);
        hm_json_set(msg, "files", json_deep_copy(files));
        if (thread_ts != NULL) {
            hm_json_set_str(msg, "thread_ts", thread_ts);
        }
        (void)sim_post(sim, c, msg, NULL);
    }
    hm_json_set(call->out, "files", files);
    return NULL;
}

const struct sim_method sim_methods_files[] = {
    {"files.getUploadURLExternal", get_upload_url, SIM_TIER_4, "files:write", false},
    {"files.completeUploadExternal", complete_upload, SIM_TIER_4, "files:write", false},
    {NULL, NULL, SIM_TIER_1, NULL, false},
};
