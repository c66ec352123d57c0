/* GitHub's REST API, reads only.
 *
 * A refusal for its rate limit is a 403 or 429 (docs.github.com, "Rate limits for the REST API"): it may be tried again after
 * Retry-After, or once x-ratelimit-reset has come. The answer's Date header is the clock of github.clock: a pure handler has no
 * other, and the branch's refresh is something that runs on GitHub's side anyway. */
#include "handlers/github.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/pattern.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "handlers/http_request.h"

enum { REF_MAX = 200, COMMITS_PAGE = 100, TITLE_MAX = 200, PAGES_MAX = 10 };
enum { CONTRIBUTORS_ASKED = 20, CONTRIBUTORS_SHOWN = 5 };

static const char allowed_in_names[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

/* "owner/name" */
enum hm_code hm_github_check_repo(const json_t *args, struct hm_err *err)
{
    const char *repo = hm_json_get_str(args, "repo", "");
    size_t owner = strspn(repo, allowed_in_names);
    size_t name = repo[owner] == '/' ? strspn(repo + owner + 1, allowed_in_names) : 0;
    if (owner > 0 && name > 0 && repo[owner + 1 + name] == '\0' && strlen(repo) <= 140 && strstr(repo, "..") == NULL &&
        repo[0] != '.' && repo[owner + 1] != '.')
        return HM_OK;
    return hm_err_set(err, HM_EINVAL, "repo: \"%.80s\" is not owner/name", repo);
}

/* A branch, tag or commit. What git does not take in a name, and what would end a URL's segment, is refused. */
enum hm_code hm_github_check_ref(const json_t *args, const char *key, struct hm_err *err)
{
    const char *ref = hm_json_get_str(args, key, "");
    size_t len = strlen(ref);
    bool ok = len > 0 && len <= REF_MAX && strstr(ref, "..") == NULL && strpbrk(ref, " ~^:?*[\\\"'<>|&;$`\n\t") == NULL &&
              ref[0] != '-' && ref[0] != '/' && ref[len - 1] != '/';
    return ok ? HM_OK : hm_err_set(err, HM_EINVAL, "%s: \"%.80s\" is no branch, tag or commit", key, ref);
}

void hm_github_add_headers(struct hm_request *req, const char *accept)
{
    hm_request_add_header(req, "Accept", accept);
    hm_request_add_header(req, "X-GitHub-Api-Version", "2022-11-28");
    hm_request_add_header(req, "User-Agent", "hausmeister"); /* GitHub refuses requests without one */
}

/* True, with the verdict, when GitHub wants fewer requests. */
bool hm_github_is_rate_limit(const struct hm_answer *answer, enum hm_verdict *ret_verdict, struct hm_outcome *out)
{
    if (answer->status != 403 && answer->status != 429)
        return false;
    char *left = hm_answer_header(answer, "x-ratelimit-remaining");
    bool limited = answer->status == 429 || answer->retry_after_s >= 0 || hm_streq(left, "0");
    free(left);
    if (limited) {
        *ret_verdict = hm_outcome_fail(out, HM_VERDICT_RETRYABLE, "GitHub wants fewer requests (HTTP %d)", answer->status);
        out->wait_ms = answer->retry_after_s > 0 ? answer->retry_after_s * 1000 : 60000; /* "at least one minute" */
    }
    return limited;
}

enum hm_verdict hm_github_read_json(const struct hm_backend *backend, const char *thing, const struct hm_answer *answer,
                                    bool array, json_t **ret_json, struct hm_outcome *out)
{
    const struct hm_http_asked asked = {.backend = backend, .system = "GitHub", .thing = thing};
    enum hm_verdict verdict = HM_VERDICT_OK;
    *ret_json = NULL;
    if (hm_github_is_rate_limit(answer, &verdict, out))
        return verdict;
    verdict = hm_http_read_json(&asked, answer, ret_json, out);
    if (verdict == HM_VERDICT_OK && json_is_array(*ret_json) != array) {
        json_decref(*ret_json);
        *ret_json = NULL;
        verdict = hm_http_odd(&asked, out, array ? "it is no list" : "it is no object");
    }
    return verdict;
}

json_t *hm_github_text_new(const char *text, size_t max)
{
    return hm_json_strn_new(text, hm_utf8_prefix(text, max));
}

/* The first line of a commit's message. New reference. */
static json_t *subject_new(const char *message)
{
    size_t len = strcspn(message, "\r\n");
    size_t cut = hm_utf8_prefix(message, TITLE_MAX);
    return hm_json_strn_new(message, len < cut ? len : cut);
}

/* --- github.compare --------------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec compare_args[] = {
    {"repo", HM_ARG_STRING, true, "owner/name"},
    {"base", HM_ARG_STRING, true, "branch, tag or commit"},
    {"head", HM_ARG_STRING, true, "what is compared with it"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code compare_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                    struct hm_request *req, struct hm_err *err)
{
    enum hm_code code = hm_github_check_repo(args, err);
    if (code == HM_OK)
        code = hm_github_check_ref(args, "base", err);
    if (code == HM_OK)
        code = hm_github_check_ref(args, "head", err);
    if (code != HM_OK)
        return code;
    char *base = hm_url_encode(hm_json_get_str(args, "base", "")), *head = hm_url_encode(hm_json_get_str(args, "head", ""));
    hm_request_begin(req, backend, "GET", "/repos/%s/compare/%s...%s?per_page=%d", hm_json_get_str(args, "repo", ""), base, head,
                     (int)COMMITS_PAGE);
    if (cursor != NULL) {
        char page[24];
        (void)snprintf(page, sizeof page, "%lld", (long long)hm_json_get_int(cursor, "page", 1));
        hm_request_add_query(req, "page", page);
    }
    hm_github_add_headers(req, "application/vnd.github+json, application/json;q=0.9");
    free(head);
    free(base);
    return HM_OK;
}

/* The page's commits, after those of the pages before. New reference. */
static json_t *commits_new(const json_t *commits, const json_t *cursor)
{
    const json_t *before = hm_json_get_arr(cursor, "list");
    json_t *list = before != NULL ? json_deep_copy(before) : hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(commits); i++) {
        const json_t *one = json_array_get(commits, i), *commit = hm_json_get_obj(one, "commit");
        json_t *item = hm_json_obj_new();
        hm_json_set_str(item, "sha", hm_json_get_str(one, "sha", ""));
        hm_json_set(item, "subject", subject_new(hm_json_get_str(commit, "message", "")));
        hm_json_set_str(item, "by", hm_json_get_str(hm_json_get_obj(commit, "author"), "name", ""));
        hm_json_add(list, item);
    }
    return list;
}

/* list: all of the comparison's commits, or, when there are more than are read, the oldest of them. */
static json_t *compared_new(const json_t *json, int64_t total, json_t *stolen_list)
{
    const char *status = hm_json_get_str(json, "status", "");
    int64_t have = (int64_t)json_array_size(stolen_list);
    json_t *result = hm_json_obj_new(), *lines = hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(stolen_list); i++) {
        const json_t *one = json_array_get(stolen_list, i);
        hm_json_add(lines, json_sprintf("%.10s %s (%s)", hm_json_get_str(one, "sha", ""), hm_json_get_str(one, "subject", ""),
                                        hm_json_get_str(one, "by", "")));
    }
    if (total > have)
        hm_json_add(lines,
                    json_sprintf("… and %lld %s more", (long long)(total - have), hm_plural(total - have, "commit", "commits")));
    hm_json_set_str(result, "status", status);
    hm_json_set_int(result, "ahead", hm_json_get_int(json, "ahead_by", 0));
    hm_json_set_int(result, "behind", hm_json_get_int(json, "behind_by", 0));
    /* base has all of head */
    hm_json_set_bool(result, "contained", hm_streq(status, "behind") || hm_streq(status, "identical"));
    hm_json_set_int(result, "more", total - have);
    hm_json_set(result, "lines", lines);
    hm_json_set(result, "list", stolen_list);
    return result;
}

static enum hm_verdict compare_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                        const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *json = NULL;
    char *thing = hm_xasprintf("comparison of %.80s and %.80s in %s", hm_json_get_str(args, "base", ""),
                               hm_json_get_str(args, "head", ""), hm_json_get_str(args, "repo", ""));
    enum hm_verdict verdict = hm_github_read_json(backend, thing, answer, false, &json, out);
    free(thing);
    const json_t *commits = hm_json_get_arr(json, "commits");
    int64_t total = hm_json_get_int(json, "total_commits", hm_json_get_int(json, "ahead_by", -1)),
            page = hm_json_get_int(cursor, "page", 1);
    if (verdict == HM_VERDICT_OK && (hm_json_get_str(json, "status", NULL) == NULL || commits == NULL || total < 0))
        verdict = hm_outcome_fail(out, HM_VERDICT_PERMANENT,
                                  "GitHub's answer is not as expected: it has no status, commits or total_commits");
    if (verdict == HM_VERDICT_OK) {
        json_t *list = commits_new(commits, cursor);
        int64_t have = (int64_t)json_array_size(list);
        if (have < total && json_array_size(commits) == 0) {
            verdict = hm_outcome_fail(out, HM_VERDICT_RETRYABLE, "GitHub counts %lld commits and showed %lld: they change",
                                      (long long)total, (long long)have);
            json_decref(list);
        } else if (have < total && page < PAGES_MAX) {
            out->cursor = hm_json_obj_new();
            hm_json_set_int(out->cursor, "page", page + 1);
            hm_json_set(out->cursor, "list", list);
            verdict = HM_VERDICT_MORE;
        } else {
            out->result = compared_new(json, total > have ? total : have, list);
        }
    }
    json_decref(json);
    return verdict;
}

static const struct hm_field_spec commit_fields[] = {
    {"sha", HM_FIELD_TEXT, true, "the commit", NULL},
    {"subject", HM_FIELD_TEXT, true, "its first line", NULL},
    {"by", HM_FIELD_TEXT, true, "its author", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec compare_fields[] = {
    {"status", HM_FIELD_TEXT, true, "of head as seen from base: ahead, behind, diverged or identical", NULL},
    {"ahead", HM_FIELD_NUMBER, true, "commits that base does not have", NULL},
    {"behind", HM_FIELD_NUMBER, true, "commits that head does not have", NULL},
    {"contained", HM_FIELD_BOOL, true, "base has all of head", NULL},
    {"list", HM_FIELD_LIST, true, "commits that head has and base has not, at most 1000", commit_fields},
    {"lines", HM_FIELD_LIST, true, "the same as texts", NULL},
    {"more", HM_FIELD_NUMBER, true, "how many there are besides", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_action compare = {
    .name = "github.compare",
    .title = "Compare two branches or commits",
    .effect = HM_EFFECT_READ,
    .args = compare_args,
    .result = compare_fields,
    .request = compare_request,
    .response = compare_response,
};

/* --- github.clock ------------------------------------------------------------------------------------------------------------
 */

static const struct hm_arg_spec clock_args[] = {
    {"until", HM_ARG_STRING, true, "a time of day in UTC, like 23:20"},
    {NULL, HM_ARG_STRING, false, NULL},
};

/* "23:20" → minutes of the day, or -1. */
static int minutes_of(const char *text)
{
    uint32_t hour = 0, minute = 0;
    if (strlen(text) != 5 || text[2] != ':')
        return -1;
    const char parts[2][3] = {{text[0], text[1], '\0'}, {text[3], text[4], '\0'}};
    bool ok = hm_parse_u32(parts[0], 23, &hour) && hm_parse_u32(parts[1], 59, &minute);
    return ok ? (int)(hour * 60 + minute) : -1;
}

static enum hm_code clock_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                  struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    if (minutes_of(hm_json_get_str(args, "until", "")) < 0)
        return hm_err_set(err, HM_EINVAL, "until: \"%.20s\" is no time of day like 23:20", hm_json_get_str(args, "until", ""));
    hm_request_begin(req, backend, "GET", "/rate_limit"); /* costs nothing of the limit it shows */
    hm_github_add_headers(req, "application/vnd.github+json, application/json;q=0.9");
    return HM_OK;
}

static enum hm_verdict clock_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                      const struct hm_answer *answer, struct hm_outcome *out)
{
    const struct hm_http_asked asked = {.backend = backend, .system = "GitHub"};
    (void)cursor;
    enum hm_verdict verdict = hm_http_judge(&asked, answer, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    /* "Sat, 28 Nov 2026 23:05:10 GMT" (RFC 9110 section 5.6.7) */
    char *date = hm_answer_header(answer, "Date");
    char time[6] = "";
    if (date != NULL && strlen(date) == strlen("Sat, 28 Nov 2026 23:05:10 GMT"))
        memcpy(time, date + 17, 5);
    free(date);
    int now = minutes_of(time), until = minutes_of(hm_json_get_str(args, "until", ""));
    if (now < 0)
        return hm_outcome_fail(out, HM_VERDICT_RETRYABLE, "GitHub's answer has no Date that can be read");
    out->result = hm_json_obj_new();
    hm_json_set_str(out->result, "time", time);
    hm_json_set_int(out->result, "minutes_left", (until - now + 24 * 60) % (24 * 60));
    hm_json_set_bool(out->result, "passed", now >= until);
    return HM_VERDICT_OK;
}

static const struct hm_field_spec clock_fields[] = {
    {"time", HM_FIELD_TEXT, true, "like 23:05", NULL},
    {"minutes_left", HM_FIELD_NUMBER, true, "until the next time it is that late", NULL},
    {"passed", HM_FIELD_BOOL, true, "it has been that late today", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_action clock_action = {
    .name = "github.clock",
    .title = "See how long it is until a time of day",
    .doc = "By GitHub's clock, in UTC.",
    .effect = HM_EFFECT_READ,
    .args = clock_args,
    .result = clock_fields,
    .request = clock_request,
    .response = clock_response,
};

/* --- github.contributors -----------------------------------------------------------------------------------------------------
 */

static const struct hm_arg_spec contributors_args[] = {
    {"repo", HM_ARG_STRING, true, "owner/name"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code contributors_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                         struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    enum hm_code code = hm_github_check_repo(args, err);
    if (code != HM_OK)
        return code;
    hm_request_begin(req, backend, "GET", "/repos/%s/contributors?per_page=%d", hm_json_get_str(args, "repo", ""),
                     (int)CONTRIBUTORS_ASKED);
    hm_github_add_headers(req, "application/vnd.github+json, application/json;q=0.9");
    return HM_OK;
}

static enum hm_verdict contributors_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                             const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *json = NULL;
    (void)cursor;
    char *thing = hm_xasprintf("repository %s", hm_json_get_str(args, "repo", ""));
    /* 204: a repository without a commit */
    enum hm_verdict verdict =
        answer->status == 204 ? HM_VERDICT_OK : hm_github_read_json(backend, thing, answer, true, &json, out);
    free(thing);
    if (verdict == HM_VERDICT_OK && json_array_size(json) > 0 && !json_is_object(json_array_get(json, 0)))
        verdict = hm_outcome_fail(out, HM_VERDICT_PERMANENT, "GitHub's answer is not as expected: a contributor is no object");
    if (verdict == HM_VERDICT_OK) {
        json_t *list = hm_json_arr_new(), *lines = hm_json_arr_new();
        for (size_t i = 0; i < json_array_size(json) && json_array_size(list) < CONTRIBUTORS_SHOWN; i++) {
            const json_t *one = json_array_get(json, i);
            const char *login = hm_json_get_str(one, "login", "");
            if (login[0] == '\0' || hm_streq(hm_json_get_str(one, "type", ""), "Bot"))
                continue;
            json_t *item = hm_json_obj_new();
            hm_json_set_str(item, "login", login);
            hm_json_set_int(item, "commits", hm_json_get_int(one, "contributions", 0));
            hm_json_add(lines, json_sprintf("%.40s (%" JSON_INTEGER_FORMAT ")", login,
                                            (json_int_t)hm_json_get_int(one, "contributions", 0)));
            hm_json_add(list, item);
        }
        out->result = hm_json_obj_new();
        hm_json_set_int(out->result, "count", (int64_t)json_array_size(list));
        hm_json_set(out->result, "list", list);
        hm_json_set(out->result, "lines", lines);
    }
    json_decref(json);
    return verdict;
}

static const struct hm_field_spec person_fields[] = {
    {"login", HM_FIELD_TEXT, true, "the person's name at GitHub", NULL},
    {"commits", HM_FIELD_NUMBER, true, "how many", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec contributors_fields[] = {
    {"list", HM_FIELD_LIST, true, "most commits first, at most 5", person_fields},
    {"lines", HM_FIELD_LIST, true, "the same as texts", NULL},
    {"count", HM_FIELD_NUMBER, true, "how many are in the list", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_action contributors = {
    .name = "github.contributors",
    .title = "See who wrote most of a repository",
    .doc = "Bots are left out.",
    .effect = HM_EFFECT_READ,
    .args = contributors_args,
    .result = contributors_fields,
    .request = contributors_request,
    .response = contributors_response,
};

static const struct hm_action *const actions[] = {&hm_github_file, &compare, &hm_github_pull, &hm_github_checks, &clock_action,
                                                  &contributors,   NULL};
static const char *const settings[] = {NULL};

const struct hm_handler hm_github_handler = {
    .name = "github",
    .title = "GitHub: files, branches, pull requests",
    .actions = actions,
    .settings = settings,
};
