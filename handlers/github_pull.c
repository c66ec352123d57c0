/* GitHub: a pull request, and how the checks of a commit stand. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/github.h"
#include "handlers/http_request.h"

enum { TITLE_MAX = 200, PAGES_MAX = 10 };

static json_t *title_new(const char *text)
{
    return hm_json_strn_new(text, hm_utf8_prefix(text, TITLE_MAX));
}

/* --- github.pull -------------------------------------------------------------------------------------------------------------
 */

static const struct hm_arg_spec pull_args[] = {
    {"repo", HM_ARG_STRING, true, "owner/name"},
    {"number", HM_ARG_INT, true, "the pull request's number"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code pull_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                 struct hm_request *req, struct hm_err *err)
{
    int64_t number = hm_json_get_int(args, "number", 0);
    (void)cursor;
    enum hm_code code = hm_github_check_repo(args, err);
    if (code != HM_OK)
        return code;
    if (number < 1 || number > INT32_MAX)
        return hm_err_set(err, HM_EINVAL, "number: it must be a whole number from 1 on");
    hm_request_begin(req, backend, "GET", "/repos/%s/pulls/%lld", hm_json_get_str(args, "repo", ""), (long long)number);
    hm_github_add_headers(req, "application/vnd.github+json, application/json;q=0.9");
    return HM_OK;
}

static enum hm_verdict pull_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                     const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *json = NULL;
    (void)cursor;
    char *thing =
        hm_xasprintf("pull request %lld in %s", (long long)hm_json_get_int(args, "number", 0), hm_json_get_str(args, "repo", ""));
    enum hm_verdict verdict = hm_github_read_json(backend, thing, answer, false, &json, out);
    free(thing);
    const json_t *base = hm_json_get_obj(json, "base"), *head = hm_json_get_obj(json, "head");
    if (verdict == HM_VERDICT_OK &&
        (base == NULL || head == NULL || hm_json_get_int(json, "number", 0) != hm_json_get_int(args, "number", 0)))
        verdict = hm_outcome_fail(out, HM_VERDICT_PERMANENT, "GitHub's answer is not as expected: it is not that pull request");
    if (verdict == HM_VERDICT_OK) {
        bool merged = hm_json_get_bool(json, "merged", false);
        out->result = hm_json_obj_new();
        hm_json_set_int(out->result, "number", hm_json_get_int(json, "number", 0));
        hm_json_set(out->result, "title", title_new(hm_json_get_str(json, "title", "")));
        hm_json_set_str(out->result, "state", merged ? "merged" : hm_json_get_str(json, "state", ""));
        hm_json_set_bool(out->result, "draft", hm_json_get_bool(json, "draft", false));
        hm_json_set_str(out->result, "base", hm_json_get_str(base, "ref", ""));
        hm_json_set_str(out->result, "head_sha", hm_json_get_str(head, "sha", ""));
        hm_json_set_str(out->result, "merge_sha", merged ? hm_json_get_str(json, "merge_commit_sha", NULL) : NULL);
        hm_json_set_str(out->result, "merged_at", hm_json_get_str(json, "merged_at", NULL));
        hm_json_set_str(out->result, "by", hm_json_get_str(hm_json_get_obj(json, "user"), "login", ""));
        hm_json_set_str(out->result, "url", hm_json_get_str(json, "html_url", ""));
    }
    json_decref(json);
    return verdict;
}

static const struct hm_field_spec pull_fields[] = {
    {"number", HM_FIELD_NUMBER, true, "its number", NULL},
    {"title", HM_FIELD_TEXT, true, "its title", NULL},
    {"state", HM_FIELD_TEXT, true, "open, closed or merged", NULL},
    {"draft", HM_FIELD_BOOL, true, "whether it is a draft", NULL},
    {"base", HM_FIELD_TEXT, true, "its target branch", NULL},
    {"head_sha", HM_FIELD_TEXT, true, "its newest commit", NULL},
    {"merge_sha", HM_FIELD_TEXT, false, "the commit of the merge; null when it is not merged", NULL},
    {"merged_at", HM_FIELD_TEXT, false, "when it was merged", NULL},
    {"by", HM_FIELD_TEXT, true, "who opened it", NULL},
    {"url", HM_FIELD_TEXT, true, "its page", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_github_pull = {
    .name = "github.pull",
    .title = "Read a pull request",
    .effect = HM_EFFECT_READ,
    .args = pull_args,
    .result = pull_fields,
    .request = pull_request,
    .response = pull_response,
};

/* --- github.checks -----------------------------------------------------------------------------------------------------------
 */

static const struct hm_arg_spec checks_args[] = {
    {"repo", HM_ARG_STRING, true, "owner/name"},
    {"ref", HM_ARG_STRING, true, "branch, tag or commit"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code checks_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                   struct hm_request *req, struct hm_err *err)
{
    enum hm_code code = hm_github_check_repo(args, err);
    if (code == HM_OK)
        code = hm_github_check_ref(args, "ref", err);
    if (code != HM_OK)
        return code;
    char *ref = hm_url_encode(hm_json_get_str(args, "ref", ""));
    hm_request_begin(req, backend, "GET", "/repos/%s/commits/%s/check-runs?per_page=100&page=%lld",
                     hm_json_get_str(args, "repo", ""), ref, (long long)hm_json_get_int(cursor, "page", 1));
    hm_github_add_headers(req, "application/vnd.github+json, application/json;q=0.9");
    free(ref);
    return HM_OK;
}

/* Counts one page into tally: {total, passed, failed, pending, failures: [names]}. */
static void count_checks(const json_t *runs, json_t *tally)
{
    for (size_t i = 0; i < json_array_size(runs); i++) {
        const json_t *one = json_array_get(runs, i);
        const char *end = hm_json_get_str(one, "conclusion", "");
        const char *kind = !hm_streq(hm_json_get_str(one, "status", ""), "completed")                         ? "pending"
                           : hm_streq(end, "success") || hm_streq(end, "neutral") || hm_streq(end, "skipped") ? "passed"
                                                                                                              : "failed";
        hm_json_set_int(tally, kind, hm_json_get_int(tally, kind, 0) + 1);
        hm_json_set_int(tally, "total", hm_json_get_int(tally, "total", 0) + 1);
        if (hm_streq(kind, "failed"))
            hm_json_add(hm_json_get_arr(tally, "failures"), title_new(hm_json_get_str(one, "name", "")));
    }
}

/* What follows a page. A count that lacks checks could say "all passed" of a commit of which one failed. */
static enum hm_verdict after_checks(const json_t *json, bool is_empty, int64_t page, json_t *stolen_tally, struct hm_outcome *out)
{
    int64_t have = hm_json_get_int(stolen_tally, "total", 0), total = hm_json_get_int(json, "total_count", -1);
    enum hm_verdict verdict = HM_VERDICT_OK;
    if (total < 0)
        verdict = hm_outcome_fail(out, HM_VERDICT_PERMANENT, "GitHub's answer is not as expected: it has no total_count");
    else if (have < total && is_empty)
        verdict = hm_outcome_fail(out, HM_VERDICT_RETRYABLE, "GitHub counts %lld checks and showed %lld: they change",
                                  (long long)total, (long long)have);
    else if (have < total && page >= PAGES_MAX)
        verdict = hm_outcome_fail(out, HM_VERDICT_PERMANENT, "the commit has %lld checks; more than %lld are not counted",
                                  (long long)total, (long long)have);
    else if (have < total)
        verdict = HM_VERDICT_MORE;
    if (verdict == HM_VERDICT_MORE) {
        out->cursor = hm_json_obj_new();
        hm_json_set_int(out->cursor, "page", page + 1);
        hm_json_set(out->cursor, "tally", json_incref(stolen_tally));
    } else if (verdict == HM_VERDICT_OK) {
        out->result = json_incref(stolen_tally);
    }
    json_decref(stolen_tally);
    return verdict;
}

static enum hm_verdict checks_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                       const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *json = NULL;
    char *thing = hm_xasprintf("commit %.80s in %s", hm_json_get_str(args, "ref", ""), hm_json_get_str(args, "repo", ""));
    enum hm_verdict verdict = hm_github_read_json(backend, thing, answer, false, &json, out);
    free(thing);
    const json_t *runs = hm_json_get_arr(json, "check_runs");
    if (verdict == HM_VERDICT_OK && runs == NULL)
        verdict = hm_outcome_fail(out, HM_VERDICT_PERMANENT, "GitHub's answer is not as expected: it has no check_runs");
    if (verdict == HM_VERDICT_OK) {
        int64_t page = hm_json_get_int(cursor, "page", 1);
        json_t *tally = cursor != NULL ? json_deep_copy(hm_json_get_obj(cursor, "tally"))
                                       : json_pack("{s:i, s:i, s:i, s:i, s:[]}", "total", 0, "passed", 0, "failed", 0, "pending",
                                                   0, "failures");
        count_checks(runs, tally);
        verdict = after_checks(json, json_array_size(runs) == 0, page, tally, out);
    }
    json_decref(json);
    return verdict;
}

static const struct hm_field_spec checks_fields[] = {
    {"total", HM_FIELD_NUMBER, true, "checks", NULL},
    {"passed", HM_FIELD_NUMBER, true, "of them passed", NULL},
    {"failed", HM_FIELD_NUMBER, true, "of them failed", NULL},
    {"pending", HM_FIELD_NUMBER, true, "of them not over", NULL},
    {"failures", HM_FIELD_LIST, true, "the names of the failed ones", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_github_checks = {
    .name = "github.checks",
    .title = "Count a commit's checks",
    .doc = "total 0 is not \"all passed\".",
    .effect = HM_EFFECT_READ,
    .args = checks_args,
    .result = checks_fields,
    .request = checks_request,
    .response = checks_response,
};
