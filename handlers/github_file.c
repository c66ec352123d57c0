/* github.file: which lines of a file match, and in which of its lists they stand. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/pattern.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "handlers/code_list.h"
#include "handlers/github.h"
#include "handlers/http_request.h"

enum { PATH_MAX_LEN = 500, LINE_MAX = 300, LINES_MAX = 50 };

/* Each segment encoded, the slashes kept. The caller frees. */
static char *encode_path(const char *path)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, (size_t)3 * PATH_MAX_LEN + 3);
    while (*path != '\0') {
        size_t len = strcspn(path, "/");
        char *segment = hm_xstrndup(path, len);
        char *encoded = hm_url_encode(segment);
        hm_strbuf_adds(&out, encoded);
        free(encoded);
        free(segment);
        path += len;
        if (*path == '/') {
            hm_strbuf_addc(&out, '/');
            path++;
        }
    }
    return hm_strbuf_take(&out);
}

static const struct hm_arg_spec file_args[] = {
    {"repo", HM_ARG_STRING, true, "owner/name"},
    {"path", HM_ARG_STRING, true, "the file's path in the repository"},
    {"ref", HM_ARG_STRING, false, "branch, tag or commit; the default branch when not given"},
    {"find", HM_ARG_STRING, true, "a regular expression: the lines that match are the result"},
    {"inside", HM_ARG_STRING, false, "a regular expression: which of them stand in a list whose name matches it"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code file_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                 struct hm_request *req, struct hm_err *err)
{
    const char *path = hm_json_get_str(args, "path", ""), *ref = hm_json_get_str(args, "ref", "");
    (void)cursor;
    enum hm_code code = hm_github_check_repo(args, err);
    if (code == HM_OK && ref[0] != '\0')
        code = hm_github_check_ref(args, "ref", err);
    if (code != HM_OK)
        return code;
    if (path[0] == '\0' || path[0] == '/' || strlen(path) > PATH_MAX_LEN || strstr(path, "..") != NULL ||
        strstr(path, "//") != NULL)
        return hm_err_set(err, HM_EINVAL, "path: \"%.80s\" is no path of a file in a repository", path);
    static const char *const patterns[] = {"find", "inside"};
    for (size_t i = 0; i < HM_ARRAY_LEN(patterns); i++) {
        if (i > 0 && hm_json_get_str(args, patterns[i], "")[0] == '\0')
            continue;
        struct hm_pattern *pattern = hm_pattern_new(hm_json_get_str(args, patterns[i], ""), false, err);
        if (pattern == NULL)
            return hm_err_wrap(err, "%s", patterns[i]);
        hm_pattern_free(pattern);
    }
    char *encoded = encode_path(path);
    hm_request_begin(req, backend, "GET", "/repos/%s/contents/%s", hm_json_get_str(args, "repo", ""), encoded);
    hm_request_add_query(req, "ref", ref);
    hm_github_add_headers(req, "application/vnd.github.raw+json");
    free(encoded);
    return HM_OK;
}

/* What is found in a file: its matching lines, and what of them stands in a list that is asked for. */
struct found {
    json_t *list, *texts, *names; /* [{line, text, list}]; the texts; names of the lists that they stand in */
    int64_t lines, matches, inside;
    bool has_list; /* the file has a list that is asked for */
};

static void add_line(struct found *found, const char *line, const char *name)
{
    bool known = name[0] == '\0';
    for (size_t i = 0; i < json_array_size(found->names) && !known; i++)
        known = hm_streq(json_string_value(json_array_get(found->names, i)), name);
    if (!known && json_array_size(found->names) < LINES_MAX)
        hm_json_add(found->names, hm_json_str_new(name));
    if (json_array_size(found->list) >= LINES_MAX)
        return;
    json_t *item = hm_json_obj_new(), *text = hm_github_text_new(line, LINE_MAX);
    const char *shown = json_string_value(text);
    hm_json_add(found->texts, hm_json_str_new(shown + strspn(shown, " \t")));
    hm_json_set_int(item, "line", found->lines);
    hm_json_set(item, "text", text);
    hm_json_set_str(item, "list", name);
    hm_json_add(found->list, item);
}

/* HM_OK, or why it can not be said. inside: NULL when nobody asks for lists. */
static enum hm_code find_lines(const struct hm_pattern *find, const struct hm_pattern *inside, const struct hm_answer *answer,
                               struct found *found, struct hm_err *err)
{
    struct hm_code_list place = {0};
    enum hm_code code = HM_OK;
    for (const char *at = answer->body, *end = at + answer->body_len; at < end && code == HM_OK;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t len = newline != NULL ? (size_t)(newline - at) : (size_t)(end - at);
        char *line = hm_utf8_clean(at, len);
        bool matches = false, is_inside = false;
        found->lines++;
        hm_code_list_line(&place, line);
        if (inside != NULL && place.name[0] != '\0')
            code = hm_pattern_match(inside, place.name, &is_inside, err);
        found->has_list = found->has_list || is_inside;
        if (code == HM_OK)
            code = hm_pattern_match(find, line, &matches, err);
        if (code == HM_OK && matches) {
            found->matches++;
            found->inside += is_inside ? 1 : 0;
            add_line(found, line, place.name);
        }
        free(line);
        at += len + 1;
    }
    return code;
}

/* The result; takes what was found. */
static json_t *file_result_new(struct found *found)
{
    json_t *result = hm_json_obj_new();
    int64_t more = found->matches - (int64_t)json_array_size(found->list);
    if (more > 0)
        hm_json_add(found->texts, json_sprintf("… and %lld %s more", (long long)more, hm_plural(more, "line", "lines")));
    hm_json_set_bool(result, "found", found->matches > 0);
    hm_json_set(result, "texts", found->texts);
    hm_json_set_int(result, "count", found->matches);
    hm_json_set_int(result, "lines", found->lines);
    hm_json_set(result, "list", found->list);
    hm_json_set(result, "lists", found->names);
    hm_json_set_int(result, "inside", found->inside);
    hm_json_set_bool(result, "has_list", found->has_list);
    return result;
}

static enum hm_verdict file_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                     const struct hm_answer *answer, struct hm_outcome *out)
{
    char *thing = hm_xasprintf("file %.200s in %s", hm_json_get_str(args, "path", ""), hm_json_get_str(args, "repo", ""));
    const struct hm_http_asked asked = {.backend = backend, .system = "GitHub", .thing = thing};
    const char *lists = hm_json_get_str(args, "inside", "");
    enum hm_verdict verdict = HM_VERDICT_OK;
    (void)cursor;
    if (!hm_github_is_rate_limit(answer, &verdict, out))
        verdict = hm_http_judge(&asked, answer, out);
    free(thing);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    struct found found = {.list = hm_json_arr_new(), .texts = hm_json_arr_new(), .names = hm_json_arr_new()};
    struct hm_pattern *find = hm_pattern_new(hm_json_get_str(args, "find", ""), false, &out->err);
    struct hm_pattern *inside = lists[0] != '\0' ? hm_pattern_new(lists, false, &out->err) : NULL;
    if (find == NULL || (inside == NULL && lists[0] != '\0') || find_lines(find, inside, answer, &found, &out->err) != HM_OK) {
        json_decref(found.list);
        json_decref(found.texts);
        json_decref(found.names);
        verdict = HM_VERDICT_PERMANENT;
    } else {
        out->result = file_result_new(&found);
    }
    hm_pattern_free(inside);
    hm_pattern_free(find);
    return verdict;
}

static const struct hm_field_spec line_fields[] = {
    {"line", HM_FIELD_NUMBER, true, "its number", NULL},
    {"text", HM_FIELD_TEXT, true, "the line", NULL},
    {"list", HM_FIELD_TEXT, true, "name of the list that it stands in, as in `names = [ … ]`; empty when in none", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec file_fields[] = {
    {"found", HM_FIELD_BOOL, true, "whether a line matches", NULL},
    {"lines", HM_FIELD_NUMBER, true, "how many the file has", NULL},
    {"count", HM_FIELD_NUMBER, true, "how many match", NULL},
    {"list", HM_FIELD_LIST, true, "the first 50 that match", line_fields},
    {"texts", HM_FIELD_LIST, true, "the same without numbers, and how many more there are", NULL},
    {"lists", HM_FIELD_LIST, true, "names of the lists that they stand in", NULL},
    {"inside", HM_FIELD_NUMBER, true, "how many stand in a list whose name matches `inside`", NULL},
    {"has_list", HM_FIELD_BOOL, true, "whether the file has such a list", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_github_file = {
    .name = "github.file",
    .title = "Look for lines in a file",
    .effect = HM_EFFECT_READ,
    .args = file_args,
    .result = file_fields,
    .request = file_request,
    .response = file_response,
};
