/* What GoCD is asked: is a pipeline paused, which instances are there, which of them built a revision, how a stage stands, what
 * changed between two instances. Shapes: https://api.gocd.org (pipelines/history, pipelines/instance, pipelines/compare). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/gocd.h"
#include "handlers/http_request.h"

enum { PAGES_MAX = 10, PAGE_SIZE = 50, COMMENT_MAX = 200, CHANGES_MAX = 500 };

static const struct hm_arg_spec pipeline_args[] = {
    {"pipeline", HM_ARG_STRING, true, "the pipeline's name"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code check_name(const json_t *args, const char *key, struct hm_err *err)
{
    const char *name = hm_json_get_str(args, key, "");
    if (hm_gocd_name_ok(name))
        return HM_OK;
    return hm_err_set(err, HM_EINVAL, "%s: \"%.60s\" is no name that GoCD has (letters, digits and . _ -)", key, name);
}

static enum hm_code check_counter(const json_t *args, const char *key, struct hm_err *err)
{
    int64_t n = hm_json_get_int(args, key, -1);
    if (n >= 1 && n <= INT32_MAX)
        return HM_OK;
    return hm_err_set(err, HM_EINVAL, "%s: it must be a whole number from 1 on", key);
}

static const char *pipeline_of(const json_t *args)
{
    return hm_json_get_str(args, "pipeline", "");
}

/* The answer as an object, or a verdict; thing: for a 404. */
static enum hm_verdict read_object(const struct hm_backend *backend, const char *thing, const struct hm_answer *answer,
                                   json_t **ret_json, struct hm_outcome *out)
{
    const struct hm_http_asked asked = {.backend = backend, .system = "GoCD", .thing = thing};
    enum hm_verdict verdict = hm_http_read_json(&asked, answer, ret_json, out);
    if (verdict == HM_VERDICT_OK && !json_is_object(*ret_json)) {
        json_decref(*ret_json);
        *ret_json = NULL;
        verdict = hm_http_odd(&asked, out, "it is no object");
    }
    return verdict;
}

static enum hm_verdict odd(const struct hm_backend *backend, struct hm_outcome *out, const char *what)
{
    const struct hm_http_asked asked = {.backend = backend, .system = "GoCD"};
    return hm_http_odd(&asked, out, what);
}

/* --- gocd.status ---------------------------------------------------------------------------------------------------------- */

static enum hm_code status_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                   struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    enum hm_code code = check_name(args, "pipeline", err);
    if (code == HM_OK)
        hm_gocd_begin(req, backend, "GET", "v1", hm_xasprintf("/pipelines/%s/status", pipeline_of(args)));
    return code;
}

static enum hm_verdict status_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                       const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *json = NULL;
    (void)cursor;
    char *thing = hm_xasprintf("pipeline %s", pipeline_of(args));
    enum hm_verdict verdict = read_object(backend, thing, answer, &json, out);
    free(thing);
    if (verdict == HM_VERDICT_OK && !json_is_boolean(json_object_get(json, "paused")))
        verdict = odd(backend, out, "paused is neither true nor false");
    if (verdict == HM_VERDICT_OK) {
        out->result = hm_json_obj_new();
        hm_json_set_str(out->result, "pipeline", pipeline_of(args));
        hm_json_set_bool(out->result, "paused", hm_json_get_bool(json, "paused", false));
        hm_json_set_str(out->result, "paused_cause", hm_json_get_str(json, "paused_cause", ""));
        hm_json_set_str(out->result, "paused_by", hm_json_get_str(json, "paused_by", ""));
        hm_json_set_bool(out->result, "locked", hm_json_get_bool(json, "locked", false));
        hm_json_set_bool(out->result, "schedulable", hm_json_get_bool(json, "schedulable", false));
    }
    json_decref(json);
    return verdict;
}

static const struct hm_field_spec status_fields[] = {
    {"pipeline", HM_FIELD_TEXT, true, "the pipeline", NULL},
    {"paused", HM_FIELD_BOOL, true, "whether it is paused", NULL},
    {"paused_cause", HM_FIELD_TEXT, true, "why; may be empty", NULL},
    {"paused_by", HM_FIELD_TEXT, true, "by whom; may be empty", NULL},
    {"locked", HM_FIELD_BOOL, true, "whether an instance holds its lock", NULL},
    {"schedulable", HM_FIELD_BOOL, true, "whether it can be started", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_gocd_status = {
    .name = "gocd.status",
    .title = "See whether a pipeline is paused",
    .effect = HM_EFFECT_READ,
    .args = pipeline_args,
    .result = status_fields,
    .request = status_request,
    .response = status_response,
};

/* --- one instance, as the others show it ---------------------------------------------------------------------------------- */

/* Each material's newest revision: [{material, type, revision, by, comment}]. A dependency's is "upstream/7/stage/1". */
static json_t *revisions_new(const json_t *instance)
{
    const json_t *materials = hm_json_get_arr(hm_json_get_obj(instance, "build_cause"), "material_revisions");
    json_t *list = hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(materials); i++) {
        const json_t *one = json_array_get(materials, i);
        const json_t *material = hm_json_get_obj(one, "material");
        const json_t *newest = json_array_get(hm_json_get_arr(one, "modifications"), 0);
        const char *comment = hm_json_get_str(newest, "comment", "");
        json_t *item = hm_json_obj_new();
        hm_json_set_str(item, "material", hm_json_get_str(material, "description", hm_json_get_str(material, "name", "")));
        hm_json_set_str(item, "type", hm_json_get_str(material, "type", ""));
        hm_json_set_str(item, "revision", hm_json_get_str(newest, "revision", ""));
        hm_json_set_str(item, "by", hm_json_get_str(newest, "user_name", ""));
        hm_json_set(item, "comment", hm_json_strn_new(comment, hm_utf8_prefix(comment, COMMENT_MAX)));
        hm_json_add(list, item);
    }
    return list;
}

/* "c8574a9 Fix the FX model (Ana)": a revision as a card shows it. New reference. */
static json_t *line_new(const char *revision, const char *comment, const char *by)
{
    size_t len = strchr(revision, '/') != NULL ? strlen(revision) : strnlen(revision, 10);
    size_t subject = strcspn(comment, "\r\n");
    char *who = by[0] != '\0' ? hm_xasprintf(" (%.*s)", (int)strcspn(by, "<"), by) : hm_xstrdup("");
    char *text =
        hm_xasprintf("%.*s %.*s%s", (int)len, revision, (int)(subject < COMMENT_MAX ? subject : COMMENT_MAX), comment, who);
    json_t *line = hm_json_str_new(text);
    free(text);
    free(who);
    return line;
}

/* Lines of {revision, comment, by} objects. New reference. */
static json_t *lines_new(const json_t *list)
{
    json_t *lines = hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        hm_json_add(lines, line_new(hm_json_get_str(one, "revision", ""), hm_json_get_str(one, "comment", ""),
                                    hm_json_get_str(one, "by", "")));
    }
    return lines;
}

/* "passed" when all stages that ran passed, "failed" when one did not, "building" when one is under way. */
static const char *state_of(const json_t *instance)
{
    const json_t *stages = hm_json_get_arr(instance, "stages");
    const char *state = "passed";
    for (size_t i = 0; i < json_array_size(stages); i++) {
        const json_t *stage = json_array_get(stages, i);
        const char *result = hm_json_get_str(stage, "result", ""), *status = hm_json_get_str(stage, "status", "");
        if (!hm_json_get_bool(stage, "scheduled", false))
            continue;
        if (hm_streq(status, "Building") || hm_streq(result, "Unknown"))
            return "building";
        if (!hm_streq(result, "Passed"))
            state = "failed";
    }
    return state;
}

/* NULL when it is no instance. */
static json_t *instance_new(const json_t *given)
{
    const json_t *stages = hm_json_get_arr(given, "stages");
    int64_t counter = hm_json_get_int(given, "counter", 0);
    const char *name = hm_json_get_str(given, "name", NULL);
    if (counter < 1 || name == NULL || stages == NULL)
        return NULL;
    json_t *out = hm_json_obj_new(), *list = hm_json_arr_new(), *revisions = revisions_new(given);
    for (size_t i = 0; i < json_array_size(stages); i++) {
        json_t *stage = hm_gocd_stage_new(given, hm_json_get_str(json_array_get(stages, i), "name", ""));
        if (stage != NULL)
            hm_json_add(list, stage);
    }
    hm_json_set_str(out, "pipeline", name);
    hm_json_set_int(out, "counter", counter);
    hm_json_set_str(out, "label", hm_json_get_str(given, "label", ""));
    hm_json_set_str(out, "state", state_of(given));
    hm_json_set(out, "lines", lines_new(revisions));
    hm_json_set(out, "revisions", revisions);
    hm_json_set(out, "stages", list);
    return out;
}

/* True when one of the instance's materials stands at this revision: a commit (7 digits of it are enough) or "upstream/7". */
static bool has_revision(const json_t *instance, const char *revision)
{
    const json_t *revisions = hm_json_get_arr(instance, "revisions");
    size_t len = strlen(revision);
    for (size_t i = 0; i < json_array_size(revisions); i++) {
        const json_t *one = json_array_get(revisions, i);
        const char *at = hm_json_get_str(one, "revision", "");
        bool dependency = strchr(at, '/') != NULL;
        if (strncasecmp(at, revision, len) == 0 && (!dependency || at[len] == '/' || at[len] == '\0'))
            return true;
    }
    return false;
}

/* --- gocd.instance and gocd.stage ------------------------------------------------------------------------------------------ */

static const struct hm_arg_spec instance_args[] = {
    {"pipeline", HM_ARG_STRING, true, "the pipeline's name"},
    {"counter", HM_ARG_INT, true, "the instance's counter"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code instance_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                     struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    enum hm_code code = check_name(args, "pipeline", err);
    if (code == HM_OK)
        code = check_counter(args, "counter", err);
    if (code == HM_OK)
        hm_gocd_begin(req, backend, "GET", "v1",
                      hm_xasprintf("/pipelines/%s/%lld", pipeline_of(args), (long long)hm_json_get_int(args, "counter", 0)));
    return code;
}

/* The raw instance, checked to be the one that was asked for. */
static enum hm_verdict read_instance(const struct hm_backend *backend, const json_t *args, const struct hm_answer *answer,
                                     json_t **ret_json, struct hm_outcome *out)
{
    int64_t counter = hm_json_get_int(args, "counter", 0);
    char *thing = hm_xasprintf("instance %lld of pipeline %s", (long long)counter, pipeline_of(args));
    enum hm_verdict verdict = read_object(backend, thing, answer, ret_json, out);
    free(thing);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    if (hm_json_get_int(*ret_json, "counter", 0) == counter && hm_json_get_arr(*ret_json, "stages") != NULL &&
        strcasecmp(hm_json_get_str(*ret_json, "name", ""), pipeline_of(args)) == 0)
        return HM_VERDICT_OK;
    json_decref(*ret_json);
    *ret_json = NULL;
    return odd(backend, out, "it is not the instance that was asked for");
}

static enum hm_verdict instance_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                         const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *json = NULL;
    (void)cursor;
    enum hm_verdict verdict = read_instance(backend, args, answer, &json, out);
    if (verdict == HM_VERDICT_OK)
        out->result = instance_new(json);
    json_decref(json);
    return verdict;
}

static const struct hm_field_spec revision_fields[] = {
    {"material", HM_FIELD_TEXT, true, "what it is called", NULL},
    {"type", HM_FIELD_TEXT, true, "Git, Pipeline …", NULL},
    {"revision", HM_FIELD_TEXT, true, "a commit, or upstream/counter", NULL},
    {"by", HM_FIELD_TEXT, true, "who made it", NULL},
    {"comment", HM_FIELD_TEXT, true, "its first line", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec stage_fields[] = {
    HM_GOCD_STAGE_FIELDS,
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec instance_fields[] = {
    {"pipeline", HM_FIELD_TEXT, true, "the pipeline", NULL},
    {"counter", HM_FIELD_NUMBER, true, "the instance's number", NULL},
    {"label", HM_FIELD_TEXT, true, "its label", NULL},
    {"state", HM_FIELD_TEXT, true, "passed, failed or building", NULL},
    {"revisions", HM_FIELD_LIST, true, "what it was built of", revision_fields},
    {"lines", HM_FIELD_LIST, true, "the same as texts", NULL},
    {"stages", HM_FIELD_LIST, true, "its stages", stage_fields},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_gocd_instance = {
    .name = "gocd.instance",
    .title = "Read an instance of a pipeline",
    .effect = HM_EFFECT_READ,
    .args = instance_args,
    .result = instance_fields,
    .request = instance_request,
    .response = instance_response,
};

static const struct hm_arg_spec stage_args[] = {
    {"pipeline", HM_ARG_STRING, true, "the pipeline's name"},
    {"counter", HM_ARG_INT, true, "the instance's counter"},
    {"stage", HM_ARG_STRING, true, "the stage's name"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code stage_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                  struct hm_request *req, struct hm_err *err)
{
    enum hm_code code = check_name(args, "stage", err);
    return code == HM_OK ? instance_request(backend, args, cursor, req, err) : code;
}

static enum hm_verdict stage_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                      const struct hm_answer *answer, struct hm_outcome *out)
{
    const char *stage = hm_json_get_str(args, "stage", "");
    json_t *json = NULL;
    (void)cursor;
    enum hm_verdict verdict = read_instance(backend, args, answer, &json, out);
    if (verdict == HM_VERDICT_OK) {
        out->result = hm_gocd_stage_new(json, stage);
        if (out->result == NULL)
            verdict = hm_outcome_fail(out, HM_VERDICT_NOT_FOUND, "pipeline %s has no stage %.80s", pipeline_of(args), stage);
    }
    json_decref(json);
    return verdict;
}

const struct hm_action hm_gocd_stage = {
    .name = "gocd.stage",
    .title = "See how a stage stands",
    .doc = "Of one instance of a pipeline.",
    .effect = HM_EFFECT_READ,
    .args = stage_args,
    .result = stage_fields,
    .request = stage_request,
    .response = stage_response,
};

/* --- gocd.history and gocd.build -------------------------------------------------------------------------------------------- */

/* cursor: {after: "35", page: 2, …}. The link to the next page is GoCD's; only its number is taken from it. */
static void begin_history(const struct hm_backend *backend, const json_t *args, const json_t *cursor, int page_size,
                          struct hm_request *req)
{
    hm_gocd_begin(req, backend, "GET", "v1", hm_xasprintf("/pipelines/%s/history?page_size=%d", pipeline_of(args), page_size));
    hm_request_add_query(req, "after", hm_json_get_str(cursor, "after", NULL));
}

/* The number behind "after=" in the link to the next page: NULL when there is no such link, "" when it has no number. The caller
 * frees. */
static char *next_after(const json_t *json)
{
    const json_t *next = hm_json_get_obj(hm_json_get_obj(json, "_links"), "next");
    const char *after = strstr(hm_json_get_str(next, "href", ""), "after=");
    if (next == NULL)
        return NULL;
    after = after != NULL ? after + strlen("after=") : "";
    size_t len = strspn(after, "0123456789");
    return hm_xstrndup(after, len < 20 ? len : 0);
}

static const struct hm_arg_spec history_args[] = {
    {"pipeline", HM_ARG_STRING, true, "the pipeline's name"},
    {"count", HM_ARG_INT, false, "how many instances, newest first: 1 to 50; 10 when not given"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static int64_t history_count(const json_t *args)
{
    return hm_json_get_int(args, "count", 10);
}

static enum hm_code history_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                    struct hm_request *req, struct hm_err *err)
{
    enum hm_code code = check_name(args, "pipeline", err);
    if (code != HM_OK)
        return code;
    if (history_count(args) < 1 || history_count(args) > PAGE_SIZE)
        return hm_err_set(err, HM_EINVAL, "count: it must be from 1 to %d", (int)PAGE_SIZE);
    begin_history(backend, args, cursor, history_count(args) < 10 ? 10 : (int)history_count(args), req); /* GoCD: 10 to 100 */
    return HM_OK;
}

static enum hm_verdict read_history(const struct hm_backend *backend, const json_t *args, const struct hm_answer *answer,
                                    json_t **ret_json, struct hm_outcome *out)
{
    char *thing = hm_xasprintf("pipeline %s", pipeline_of(args));
    enum hm_verdict verdict = read_object(backend, thing, answer, ret_json, out);
    free(thing);
    if (verdict == HM_VERDICT_OK && hm_json_get_arr(*ret_json, "pipelines") == NULL) {
        json_decref(*ret_json);
        *ret_json = NULL;
        verdict = odd(backend, out, "it has no list of instances");
    }
    return verdict;
}

static enum hm_verdict history_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                        const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *json = NULL;
    (void)cursor;
    enum hm_verdict verdict = read_history(backend, args, answer, &json, out);
    if (verdict == HM_VERDICT_OK) {
        const json_t *pipelines = hm_json_get_arr(json, "pipelines");
        json_t *list = hm_json_arr_new();
        for (size_t i = 0; i < json_array_size(pipelines) && i < (size_t)history_count(args); i++) {
            json_t *instance = instance_new(json_array_get(pipelines, i));
            if (instance != NULL)
                hm_json_add(list, instance);
            else
                verdict = HM_VERDICT_PERMANENT;
        }
        if (verdict == HM_VERDICT_OK) {
            out->result = hm_json_obj_new();
            hm_json_set_int(out->result, "count", (int64_t)json_array_size(list));
            hm_json_set(out->result, "list", json_incref(list));
        } else {
            (void)odd(backend, out, "one of the instances is none");
        }
        json_decref(list);
    }
    json_decref(json);
    return verdict;
}

static const struct hm_field_spec history_fields[] = {
    {"list", HM_FIELD_LIST, true, "instances, newest first", instance_fields},
    {"count", HM_FIELD_NUMBER, true, "how many", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_gocd_history = {
    .name = "gocd.history",
    .title = "List the newest instances of a pipeline",
    .effect = HM_EFFECT_READ,
    .args = history_args,
    .result = history_fields,
    .request = history_request,
    .response = history_response,
};

static const struct hm_arg_spec build_args[] = {
    {"pipeline", HM_ARG_STRING, true, "the pipeline's name"},
    {"revision", HM_ARG_STRING, true, "a commit (at least 7 digits of it), or upstream/counter of a pipeline it depends on"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static bool revision_ok(const char *revision)
{
    size_t len = strlen(revision);
    if (strspn(revision, "0123456789abcdefABCDEF") == len)
        return len >= 7 && len <= 64;
    const char *slash = strchr(revision, '/');
    if (slash == NULL || slash == revision)
        return false;
    char *name = hm_xstrndup(revision, (size_t)(slash - revision));
    uint32_t counter = 0;
    bool ok = hm_gocd_name_ok(name) && hm_parse_u32(slash + 1, INT32_MAX, &counter) && counter > 0;
    free(name);
    return ok;
}

static enum hm_code build_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                  struct hm_request *req, struct hm_err *err)
{
    const char *revision = hm_json_get_str(args, "revision", "");
    enum hm_code code = check_name(args, "pipeline", err);
    if (code != HM_OK)
        return code;
    if (!revision_ok(revision))
        return hm_err_set(err, HM_EINVAL, "revision: \"%.80s\" is neither a commit (7 to 64 hex digits) nor pipeline/counter",
                          revision);
    begin_history(backend, args, cursor, PAGE_SIZE, req);
    return HM_OK;
}

/* The first of the page's instances that built the revision, into *ret_found (new; NULL = none). False when one is no instance.
 */
static bool find_build(const json_t *pipelines, const char *revision, json_t **ret_found)
{
    *ret_found = NULL;
    for (size_t i = 0; i < json_array_size(pipelines) && *ret_found == NULL; i++) {
        json_t *instance = instance_new(json_array_get(pipelines, i));
        if (instance == NULL)
            return false;
        if (has_revision(instance, revision))
            *ret_found = json_incref(instance);
        json_decref(instance);
    }
    return true;
}

static enum hm_verdict build_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                      const struct hm_answer *answer, struct hm_outcome *out)
{
    const char *revision = hm_json_get_str(args, "revision", "");
    json_t *json = NULL;
    int64_t page = hm_json_get_int(cursor, "page", 1);
    enum hm_verdict verdict = read_history(backend, args, answer, &json, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    const json_t *pipelines = hm_json_get_arr(json, "pipelines");
    int64_t looked_at = hm_json_get_int(cursor, "looked_at", 0) + (int64_t)json_array_size(pipelines);
    char *after = next_after(json);
    if (!find_build(pipelines, revision, &out->result)) {
        verdict = odd(backend, out, "one of the instances is none");
    } else if (out->result != NULL) {
        hm_json_set_bool(out->result, "found", true);
    } else if (after != NULL && (after[0] == '\0' || hm_streq(after, hm_json_get_str(cursor, "after", NULL)))) {
        verdict = odd(backend, out, "the link to its next page leads nowhere, or to the same page again");
    } else if (after != NULL && page < PAGES_MAX) {
        out->cursor = hm_json_obj_new();
        hm_json_set_str(out->cursor, "after", after);
        hm_json_set_int(out->cursor, "page", page + 1);
        hm_json_set_int(out->cursor, "looked_at", looked_at);
        verdict = HM_VERDICT_MORE;
    } else {
        out->result = hm_json_obj_new();
        hm_json_set_bool(out->result, "found", false);
        hm_json_set_str(out->result, "pipeline", pipeline_of(args));
        hm_json_set_str(out->result, "state", "none");
        hm_json_set_int(out->result, "looked_at", looked_at);
        hm_json_set_bool(out->result, "complete", after == NULL);
    }
    free(after);
    json_decref(json);
    return verdict;
}

static const struct hm_field_spec build_fields[] = {
    {"found", HM_FIELD_BOOL, true, "whether one built it", NULL},
    {"pipeline", HM_FIELD_TEXT, true, "the pipeline", NULL},
    {"counter", HM_FIELD_NUMBER, false, "the instance's number", NULL},
    {"label", HM_FIELD_TEXT, false, "its label", NULL},
    {"state", HM_FIELD_TEXT, true, "passed, failed, building, or none when it was not found", NULL},
    {"revisions", HM_FIELD_LIST, false, "what it was built of", revision_fields},
    {"lines", HM_FIELD_LIST, false, "the same as texts", NULL},
    {"stages", HM_FIELD_LIST, false, "its stages", stage_fields},
    {"looked_at", HM_FIELD_NUMBER, false, "when it was not found: how many instances were looked at", NULL},
    {"complete", HM_FIELD_BOOL, false, "when it was not found: false when there are older ones", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_gocd_build = {
    .name = "gocd.build",
    .title = "Find the newest instance that built a revision",
    .doc = "Looks through the newest 500 instances. When none of them built it, only found, pipeline, state, looked_at and "
           "complete are there.",
    .effect = HM_EFFECT_READ,
    .args = build_args,
    .result = build_fields,
    .request = build_request,
    .response = build_response,
};

/* --- gocd.compare ---------------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec compare_args[] = {
    {"pipeline", HM_ARG_STRING, true, "the pipeline's name"},
    {"from", HM_ARG_INT, true, "counter of the instance that is deployed"},
    {"to", HM_ARG_INT, true, "counter of the candidate"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code compare_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                    struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    enum hm_code code = check_name(args, "pipeline", err);
    if (code == HM_OK)
        code = check_counter(args, "from", err);
    if (code == HM_OK)
        code = check_counter(args, "to", err);
    if (code == HM_OK)
        hm_gocd_begin(req, backend, "GET", "v2",
                      hm_xasprintf("/pipelines/%s/compare/%lld/%lld", pipeline_of(args),
                                   (long long)hm_json_get_int(args, "from", 0), (long long)hm_json_get_int(args, "to", 0)));
    return code;
}

/* Into list, up to its ceiling; how many there are. */
static int64_t add_changes(const json_t *change, json_t *list)
{
    const json_t *attributes = hm_json_get_obj(hm_json_get_obj(change, "material"), "attributes");
    const json_t *revisions = hm_json_get_arr(change, "revision");
    for (size_t i = 0; i < json_array_size(revisions) && json_array_size(list) < CHANGES_MAX; i++) {
        const json_t *revision = json_array_get(revisions, i);
        const char *message = hm_json_get_str(revision, "commit_message", "");
        json_t *item = hm_json_obj_new();
        hm_json_set_str(item, "material",
                        hm_json_get_str(attributes, "description", hm_json_get_str(attributes, "pipeline", "")));
        hm_json_set_str(item, "revision", hm_json_get_str(revision, "revision_sha", hm_json_get_str(revision, "revision", "")));
        hm_json_set_str(item, "by", hm_json_get_str(revision, "modified_by", ""));
        hm_json_set(item, "comment", hm_json_strn_new(message, hm_utf8_prefix(message, COMMENT_MAX)));
        hm_json_add(list, item);
    }
    return (int64_t)json_array_size(revisions);
}

static enum hm_verdict compare_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                        const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *json = NULL;
    (void)cursor;
    char *thing = hm_xasprintf("two such instances of pipeline %s", pipeline_of(args));
    enum hm_verdict verdict = read_object(backend, thing, answer, &json, out);
    free(thing);
    const json_t *changes = hm_json_get_arr(json, "changes");
    if (verdict == HM_VERDICT_OK && changes == NULL)
        verdict = odd(backend, out, "it has no list of changes");
    if (verdict == HM_VERDICT_OK) {
        json_t *list = hm_json_arr_new();
        int64_t count = 0;
        for (size_t i = 0; i < json_array_size(changes); i++)
            count += add_changes(json_array_get(changes, i), list);
        json_t *lines = lines_new(list);
        int64_t more = count - (int64_t)json_array_size(list);
        if (more > 0)
            hm_json_add(lines, json_sprintf("… and %lld %s more", (long long)more, hm_plural(more, "change", "changes")));
        out->result = hm_json_obj_new();
        hm_json_set_int(out->result, "count", count);
        hm_json_set_int(out->result, "more", more);
        hm_json_set(out->result, "lines", lines);
        hm_json_set(out->result, "list", list);
    }
    json_decref(json);
    return verdict;
}

static const struct hm_field_spec change_fields[] = {
    {"material", HM_FIELD_TEXT, true, "what it is called", NULL},
    {"revision", HM_FIELD_TEXT, true, "a commit, or upstream/counter", NULL},
    {"by", HM_FIELD_TEXT, true, "who made it", NULL},
    {"comment", HM_FIELD_TEXT, true, "its first line", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec compare_fields[] = {
    {"list", HM_FIELD_LIST, true, "what came in between, at most 500", change_fields},
    {"lines", HM_FIELD_LIST, true, "the same as texts", NULL},
    {"count", HM_FIELD_NUMBER, true, "how many are in the list", NULL},
    {"more", HM_FIELD_NUMBER, true, "how many there are besides", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_gocd_compare = {
    .name = "gocd.compare",
    .title = "List what changed between two instances",
    .doc = "Upstream pipelines are named, not looked into.",
    .effect = HM_EFFECT_READ,
    .args = compare_args,
    .result = compare_fields,
    .request = compare_request,
    .response = compare_response,
};
