/* Jira. The backend's setting api is "3" (Cloud, the default) or "2" (Server and Data Center).
 *
 * Making an issue has no idempotency key: each request makes another one, so it is HM_EFFECT_ONCE. A label that only this run
 * uses is the key: it is looked for when the answer was lost. Jira's search lags behind by seconds, which is why "not found" is
 * "not yet" to the probe, not "did not happen". */
#include "handlers/jira.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "handlers/http_request.h"

enum { LABEL_MAX = 255, SUMMARY_MAX = 255, DESCRIPTION_MAX = 30000, PAGE = 50, PAGES_MAX = 10, SAID_MAX = 300 };

static const char *api_of(const struct hm_backend *backend)
{
    return hm_json_get_str(backend->settings, "api", "3");
}

static enum hm_code check_api(const struct hm_backend *backend, struct hm_err *err)
{
    if (hm_streq(api_of(backend), "3") || hm_streq(api_of(backend), "2"))
        return HM_OK;
    return hm_err_set(err, HM_EENV, "backend %s: api must be \"3\" or \"2\", not \"%.20s\"", backend->name, api_of(backend));
}

/* Labels have no spaces; what could end the quotes of a query is refused as well. */
static enum hm_code check_label(const json_t *args, struct hm_err *err)
{
    const char *label = hm_json_get_str(args, "label", "");
    size_t len = strlen(label);
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    if (len > 0 && len <= LABEL_MAX && label[strspn(label, allowed)] == '\0')
        return HM_OK;
    return hm_err_set(err, HM_EINVAL, "label: \"%.60s\" must be one word of letters, digits and . _ -", label);
}

/* --- jira.search ----------------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec search_args[] = {
    {"label", HM_ARG_STRING, true, "a label that the issues have"},
    {NULL, HM_ARG_STRING, false, NULL},
};

/* cursor: {list, page, and token (Cloud) or start_at}. */
static enum hm_code search_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                   struct hm_request *req, struct hm_err *err)
{
    char start_at[24] = "";
    enum hm_code code = check_api(backend, err);
    if (code == HM_OK)
        code = check_label(args, err);
    if (code != HM_OK)
        return code;
    /* Cloud took the old address away (410 since 2025); Server and Data Center have only that. */
    hm_request_begin(req, backend, "GET", hm_streq(api_of(backend), "3") ? "/rest/api/3/search/jql" : "/rest/api/2/search");
    char *jql = hm_xasprintf("labels = \"%s\" order by created desc", hm_json_get_str(args, "label", ""));
    hm_request_add_query(req, "jql", jql);
    hm_request_add_query(req, "fields", "summary,status");
    hm_request_add_query(req, "maxResults", "50");
    if (hm_json_get_int(cursor, "start_at", 0) > 0)
        (void)snprintf(start_at, sizeof start_at, "%lld", (long long)hm_json_get_int(cursor, "start_at", 0));
    hm_request_add_query(req, "startAt", start_at);
    hm_request_add_query(req, "nextPageToken", hm_json_get_str(cursor, "token", NULL));
    hm_request_add_header(req, "Accept", "application/json");
    free(jql);
    return HM_OK;
}

/* What follows a page. Cloud gives a token for the next page and no total, Server and Data Center a total. */
static enum hm_verdict after_page(const struct hm_http_asked *asked, const json_t *json, bool is_empty, const json_t *cursor,
                                  json_t *stolen_list, struct hm_outcome *out)
{
    bool is_cloud = hm_streq(api_of(asked->backend), "3");
    const char *token = hm_json_get_str(json, "nextPageToken", "");
    int64_t page = hm_json_get_int(cursor, "page", 1), have = (int64_t)json_array_size(stolen_list);
    int64_t total = hm_json_get_int(json, "total", -1);
    bool more = is_cloud ? token[0] != '\0' : have < total;
    enum hm_verdict verdict = more ? HM_VERDICT_MORE : HM_VERDICT_OK;
    if (is_cloud ? !more && !hm_json_get_bool(json, "isLast", true) : total < 0)
        verdict = hm_http_odd(asked, out, "it does not tell where its list goes on");
    else if (more && (is_empty || hm_streq(token, hm_json_get_str(cursor, "token", NULL))))
        verdict = hm_http_odd(asked, out, "its next page is empty, or the same page again");
    else if (more && page >= PAGES_MAX)
        verdict = hm_outcome_fail(out, HM_VERDICT_PERMANENT,
                                  "more than %d issues have this label, and a part of a list is not taken for the whole",
                                  (int)PAGES_MAX * (int)PAGE);
    if (verdict == HM_VERDICT_MORE) {
        out->cursor = hm_json_obj_new();
        hm_json_set_int(out->cursor, "page", page + 1);
        hm_json_set(out->cursor, "list", json_incref(stolen_list));
        if (is_cloud)
            hm_json_set_str(out->cursor, "token", token);
        else
            hm_json_set_int(out->cursor, "start_at", have);
    } else if (verdict == HM_VERDICT_OK) {
        out->result = hm_json_obj_new();
        hm_json_set_int(out->result, "count", have);
        hm_json_set(out->result, "list", json_incref(stolen_list));
    }
    json_decref(stolen_list);
    return verdict;
}

static enum hm_verdict search_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                       const struct hm_answer *answer, struct hm_outcome *out)
{
    const struct hm_http_asked asked = {.backend = backend, .system = "Jira"};
    json_t *json = NULL;
    (void)args;
    if (answer->status == 410)
        return hm_outcome_fail(out, HM_VERDICT_PERMANENT,
                               "Jira has taken this search away (HTTP 410): set api = \"3\" in the settings of backend %s",
                               backend->name);
    enum hm_verdict verdict = hm_http_read_json(&asked, answer, &json, out);
    const json_t *issues = hm_json_get_arr(json, "issues");
    if (verdict == HM_VERDICT_OK && issues == NULL)
        verdict = hm_http_odd(&asked, out, "it has no list of issues");
    if (verdict == HM_VERDICT_OK) {
        json_t *before = hm_json_get_arr(cursor, "list"), *list = before != NULL ? json_copy(before) : hm_json_arr_new();
        for (size_t i = 0; i < json_array_size(issues); i++) {
            const json_t *issue = json_array_get(issues, i), *fields = hm_json_get_obj(issue, "fields");
            json_t *item = hm_json_obj_new();
            hm_json_set_str(item, "key", hm_json_get_str(issue, "key", ""));
            hm_json_set_str(item, "summary", hm_json_get_str(fields, "summary", ""));
            hm_json_set_str(item, "status", hm_json_get_str(hm_json_get_obj(fields, "status"), "name", ""));
            hm_json_add(list, item);
        }
        verdict = after_page(&asked, json, json_array_size(issues) == 0, cursor, list, out);
    }
    json_decref(json);
    return verdict;
}

static const struct hm_field_spec issue_fields[] = {
    {"key", HM_FIELD_TEXT, true, "like DI-123", NULL},
    {"summary", HM_FIELD_TEXT, true, "its title", NULL},
    {"status", HM_FIELD_TEXT, true, "like In Progress", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec search_fields[] = {
    {"list", HM_FIELD_LIST, true, "newest first", issue_fields},
    {"count", HM_FIELD_NUMBER, true, "how many", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_action search_action = {
    .name = "jira.search",
    .title = "Look for issues with a label",
    .doc = "An issue made a moment ago may be missing, and more than 500 are an error.",
    .effect = HM_EFFECT_READ,
    .args = search_args,
    .result = search_fields,
    .request = search_request,
    .response = search_response,
};

/* --- jira.create ----------------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec create_args[] = {
    {"project", HM_ARG_STRING, true, "the project's key, like SEC"},
    {"type", HM_ARG_STRING, false, "the issue's type; Task when not given"},
    {"summary", HM_ARG_STRING, true, "one line"},
    {"description", HM_ARG_STRING, false, "more lines"},
    {"label", HM_ARG_STRING, true, "a word that only this run uses: it tells whether the issue is there"},
    {NULL, HM_ARG_STRING, false, NULL},
};

/* Cloud wants a document, a paragraph a line (Atlassian Document Format). New reference. */
static json_t *document_new(const char *text)
{
    json_t *paragraphs = hm_json_arr_new(), *document = hm_json_obj_new();
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        json_t *paragraph = hm_json_obj_new(), *content = hm_json_arr_new();
        if (len > 0) {
            json_t *leaf = hm_json_obj_new();
            hm_json_set_str(leaf, "type", "text");
            hm_json_set(leaf, "text", hm_json_strn_new(text, len));
            hm_json_add(content, leaf);
        }
        hm_json_set_str(paragraph, "type", "paragraph");
        hm_json_set(paragraph, "content", content);
        hm_json_add(paragraphs, paragraph);
        text += len + (text[len] == '\n' ? 1 : 0);
    }
    hm_json_set_str(document, "type", "doc");
    hm_json_set_int(document, "version", 1);
    hm_json_set(document, "content", paragraphs);
    return document;
}

static json_t *named_new(const char *key, const char *value)
{
    json_t *obj = hm_json_obj_new();
    hm_json_set_str(obj, key, value);
    return obj;
}

static enum hm_code create_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                   struct hm_request *req, struct hm_err *err)
{
    const char *project = hm_json_get_str(args, "project", ""), *summary = hm_json_get_str(args, "summary", "");
    const char *description = hm_json_get_str(args, "description", "");
    (void)cursor;
    enum hm_code code = check_api(backend, err);
    if (code == HM_OK)
        code = check_label(args, err);
    if (code != HM_OK)
        return code;
    if (project[0] == '\0' || strlen(project) > 20 || project[strspn(project, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] != '\0')
        return hm_err_set(err, HM_EINVAL, "project: \"%.40s\" is no project's key (capitals and digits)", project);
    if (summary[0] == '\0' || strpbrk(summary, "\r\n") != NULL || hm_utf8_count(summary) > SUMMARY_MAX)
        return hm_err_set(err, HM_EINVAL, "summary: it must be one line of at most %d characters", (int)SUMMARY_MAX);
    if (strlen(description) > DESCRIPTION_MAX)
        return hm_err_set(err, HM_EINVAL, "description: it has more than %d bytes", (int)DESCRIPTION_MAX);
    json_t *fields = hm_json_obj_new(), *labels = hm_json_arr_new(), *body = hm_json_obj_new();
    const char *type = hm_json_get_str(args, "type", "");
    hm_json_add(labels, hm_json_str_new("hausmeister"));
    hm_json_add(labels, hm_json_str_new(hm_json_get_str(args, "label", "")));
    hm_json_set(fields, "project", named_new("key", project));
    hm_json_set(fields, "issuetype", named_new("name", type[0] != '\0' ? type : "Task"));
    hm_json_set_str(fields, "summary", summary);
    hm_json_set(fields, "labels", labels);
    if (description[0] != '\0')
        hm_json_set(fields, "description",
                    hm_streq(api_of(backend), "3") ? document_new(description) : hm_json_str_new(description));
    hm_json_set(body, "fields", fields);
    hm_request_begin(req, backend, "POST", "/rest/api/%s/issue", api_of(backend));
    hm_request_add_header(req, "Accept", "application/json");
    hm_request_set_json(req, body);
    return HM_OK;
}

/* "field: what is wrong with it; …" of Jira's 400, or NULL. The caller frees. */
static char *refusal_text(const struct hm_answer *answer)
{
    struct hm_strbuf text;
    json_t *json = hm_json_parse_new(answer->body, answer->body_len, answer->body_len, NULL);
    const json_t *messages = hm_json_get_arr(json, "errorMessages");
    const char *field = NULL;
    const json_t *value = NULL;
    hm_strbuf_init(&text, SAID_MAX);
    for (size_t i = 0; i < json_array_size(messages); i++)
        if (json_is_string(json_array_get(messages, i)))
            hm_strbuf_addf(&text, "%s%s", text.len > 0 ? "; " : "", json_string_value(json_array_get(messages, i)));
    json_object_foreach(hm_json_get_obj(json, "errors"), field, value)
    {
        if (json_is_string(value))
            hm_strbuf_addf(&text, "%s%s: %s", text.len > 0 ? "; " : "", field, json_string_value(value));
    }
    char *clean = text.len > 0 ? hm_utf8_clean(hm_strbuf_str(&text), text.len) : NULL;
    hm_strbuf_done(&text);
    json_decref(json);
    return clean;
}

static enum hm_verdict create_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                       const struct hm_answer *answer, struct hm_outcome *out)
{
    const struct hm_http_asked asked = {.backend = backend, .system = "Jira", .write = true};
    json_t *json = NULL;
    (void)cursor;
    char *why = answer->status == 400 ? refusal_text(answer) : NULL;
    enum hm_verdict verdict = why != NULL ? hm_outcome_fail(out, HM_VERDICT_PERMANENT, "Jira made no issue: %s", why)
                                          : hm_http_read_json(&asked, answer, &json, out);
    free(why);
    const char *key = hm_json_get_str(json, "key", NULL);
    if (verdict == HM_VERDICT_OK && key == NULL)
        verdict = hm_outcome_fail(out, HM_VERDICT_MAYBE,
                                  "Jira's answer is not as expected: it has no key; it may have happened or not");
    if (verdict == HM_VERDICT_OK) {
        out->result = hm_json_obj_new();
        hm_json_set_str(out->result, "key", key);
        hm_json_set_str(out->result, "label", hm_json_get_str(args, "label", ""));
    }
    json_decref(json);
    return verdict;
}

static enum hm_code create_probe_args(const json_t *args, const json_t *context, json_t **ret_args, struct hm_err *err)
{
    (void)context;
    (void)err;
    *ret_args = named_new("label", hm_json_get_str(args, "label", ""));
    return HM_OK;
}

static enum hm_probe_says create_probe_judge(const json_t *args, enum hm_verdict verdict, const json_t *result)
{
    (void)args;
    if (verdict != HM_VERDICT_OK)
        return HM_PROBE_CANNOT_TELL;
    return hm_json_get_int(result, "count", 0) > 0 ? HM_PROBE_APPLIED : HM_PROBE_NOT_YET;
}

static const struct hm_field_spec create_fields[] = {
    {"key", HM_FIELD_TEXT, true, "like DI-123", NULL},
    {"label", HM_FIELD_TEXT, true, "the label of this run", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_action create_action = {
    .name = "jira.create",
    .title = "Make an issue",
    .doc = "With the labels hausmeister and `label`. If the answer is lost, the label is looked for; when it is not found within "
           "a minute, a person must say.",
    .effect = HM_EFFECT_ONCE,
    .args = create_args,
    .result = create_fields,
    .request = create_request,
    .response = create_response,
    .probe_action = "jira.search",
    .probe_args = create_probe_args,
    .probe_judge = create_probe_judge,
};

static const struct hm_action *const actions[] = {&search_action, &create_action, NULL};
static const char *const settings[] = {"api", NULL};
static const struct hm_setting_words setting_words[] = {{"api", {"3", "2", NULL}}, {NULL, {NULL}}};

const struct hm_handler hm_jira_handler = {
    .name = "jira",
    .title = "Jira: issues",
    .actions = actions,
    .settings = settings,
    .words = setting_words,
};
