/* GitHub: files, branches as lists of commits, pull requests, checks.
 *
 * Strict: Accept, the API version and a User-Agent-less client are GitHub's to refuse; here the version header and Accept are.
 * `config.date` is what the Date header says, in place of the real time.
 *
 * State: {"config": {"bearer", "date", "page": most items of a list at once}, "repos": [{"name": "owner/name", "files": {path:
 * text}, "branches": {name: [newest first:
 * {"sha", "message", "by"}]}, "pulls": [{"number", "title", "state", "merged", "base", "head_sha", "merge_sha", "by"}], "checks":
 * {sha: [{"name", "conclusion"}]}, "contributors": [{"login", "contributions", "type"}]}]}. A branch's name may also be a commit
 * that a branch has. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "kit.h"

static void *github_new(const json_t *state, struct hm_err *err)
{
    static const char *const lists[] = {"repos", NULL};
    (void)err;
    return hm_kit_state_copy(state, lists);
}

static void github_free(void *system)
{
    json_decref(system);
}

static json_t *github_state(void *system)
{
    return json_deep_copy(system);
}

/* The commits of a branch, or those of some branch from a commit on. New reference; NULL when there are none. */
static json_t *commits_new(const json_t *repo, const char *ref)
{
    const char *name = NULL;
    json_t *list = NULL;
    json_t *branch = hm_json_get_arr(hm_json_get_obj(repo, "branches"), ref);
    if (branch != NULL)
        return json_incref(branch);
    json_object_foreach(hm_json_get_obj(repo, "branches"), name, list)
    {
        for (size_t i = 0; i < json_array_size(list); i++) {
            if (!hm_starts_with(hm_json_get_str(json_array_get(list, i), "sha", ""), ref))
                continue;
            json_t *rest = hm_json_arr_new();
            for (; i < json_array_size(list); i++)
                hm_json_add(rest, json_incref(json_array_get(list, i)));
            return rest;
        }
    }
    return NULL;
}

/* Those of `a` that `b` has not, newest first, as the API shows them. New reference. */
static json_t *missing_new(const json_t *a, const json_t *b)
{
    json_t *list = hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(a); i++) {
        const json_t *one = json_array_get(a, i);
        if (hm_kit_find(b, "sha", hm_json_get_str(one, "sha", "")) == NULL)
            hm_json_add(list, json_pack("{s:s, s:{s:s, s:{s:s}}}", "sha", hm_json_get_str(one, "sha", ""), "commit", "message",
                                        hm_json_get_str(one, "message", ""), "author", "name", hm_json_get_str(one, "by", "")));
    }
    return list;
}

/* The page of a list that the query asks for. */
static json_t *page_new(const json_t *config, json_t *stolen_list, const char *query)
{
    int64_t size = hm_kit_page_size(config, query, "per_page", 30), page = hm_kit_query_int(query, "page");
    bool more = false;
    return hm_kit_page_new(stolen_list, (page > 1 ? page - 1 : 0) * size, size, &more);
}

static void compare(const json_t *config, const json_t *repo, const char *span, const char *query, struct hm_world_answer *ans)
{
    const char *dots = strstr(span, "...");
    char *base_name = hm_xstrndup(span, dots != NULL ? (size_t)(dots - span) : 0);
    json_t *base = commits_new(repo, base_name), *head = dots != NULL ? commits_new(repo, dots + 3) : NULL;
    if (base == NULL || head == NULL) {
        hm_kit_say(ans, 404, "Not Found");
    } else {
        json_t *ahead = missing_new(head, base), *behind = missing_new(base, head);
        size_t a = json_array_size(ahead), b = json_array_size(behind);
        const char *status = a > 0 && b > 0 ? "diverged" : a > 0 ? "ahead" : b > 0 ? "behind" : "identical";
        hm_world_answer_json(ans, 200, "application/json",
                             json_pack("{s:s, s:I, s:I, s:I, s:o}", "status", status, "ahead_by", (json_int_t)a, "behind_by",
                                       (json_int_t)b, "total_commits", (json_int_t)a, "commits", page_new(config, ahead, query)));
        json_decref(behind);
    }
    json_decref(head);
    json_decref(base);
    free(base_name);
}

static void show_pull(const json_t *repo, const char *number, struct hm_world_answer *ans)
{
    const json_t *pulls = hm_json_get_arr(repo, "pulls");
    int64_t n = 0;
    bool ok = hm_parse_i64(number, 1, INT32_MAX, &n);
    for (size_t i = 0; ok && i < json_array_size(pulls); i++) {
        const json_t *one = json_array_get(pulls, i);
        if (hm_json_get_int(one, "number", 0) != n)
            continue;
        bool merged = hm_json_get_bool(one, "merged", false);
        json_t *shown =
            json_pack("{s:I, s:s, s:s, s:b, s:b, s:{s:s}, s:{s:s}, s:{s:s}, s:o}", "number", (json_int_t)n, "title",
                      hm_json_get_str(one, "title", ""), "state", merged ? "closed" : hm_json_get_str(one, "state", "open"),
                      "merged", merged, "draft", false, "base", "ref", hm_json_get_str(one, "base", "master"), "head", "sha",
                      hm_json_get_str(one, "head_sha", ""), "user", "login", hm_json_get_str(one, "by", ""), "html_url",
                      json_sprintf("https://github.example.com/%s/pull/%lld", hm_json_get_str(repo, "name", ""), (long long)n));
        hm_json_set_str(shown, "merge_commit_sha", hm_json_get_str(one, "merge_sha", NULL));
        hm_json_set_str(shown, "merged_at", merged ? "2026-11-28T18:00:00Z" : NULL);
        hm_world_answer_json(ans, 200, "application/json", shown);
        return;
    }
    hm_kit_say(ans, 404, "Not Found");
}

static void show_checks(const json_t *config, const json_t *repo, const char *ref, const char *query, struct hm_world_answer *ans)
{
    json_t *commits = commits_new(repo, ref);
    const char *sha = hm_json_get_str(json_array_get(commits, 0), "sha", ref);
    const json_t *given = hm_json_get_arr(hm_json_get_obj(repo, "checks"), sha);
    json_t *runs = hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(given); i++) {
        const char *end = hm_json_get_str(json_array_get(given, i), "conclusion", NULL);
        json_t *run = json_pack("{s:s, s:s}", "name", hm_json_get_str(json_array_get(given, i), "name", ""), "status",
                                end != NULL ? "completed" : "in_progress");
        hm_json_set_str(run, "conclusion", end);
        hm_json_add(runs, run);
    }
    json_int_t total = (json_int_t)json_array_size(runs);
    hm_world_answer_json(ans, 200, "application/json",
                         json_pack("{s:I, s:o}", "total_count", total, "check_runs", page_new(config, runs, query)));
    json_decref(commits);
}

/* "a/b.clj" of /repos/owner/name/contents/a/b.clj */
static void show_file(const json_t *repo, const char *path, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    const char *at = strstr(path, "/contents/");
    const char *text = at != NULL ? hm_json_get_str(hm_json_get_obj(repo, "files"), at + strlen("/contents/"), NULL) : NULL;
    if (text == NULL)
        hm_kit_say(ans, 404, "Not Found");
    else if (!hm_streq(req->accept, "application/vnd.github.raw+json"))
        hm_kit_say(ans, 406, "only the raw form is played here");
    else
        hm_world_answer_text(ans, 200, "%s", text);
}

static void github_handle(void *system, struct hm_world *world, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    json_t *g = system, *segments = hm_kit_segments_new(req->path), *config = hm_json_get_obj(g, "config");
    char *version = hm_header_line(req->headers, "x-github-api-version");
    char *name = hm_xasprintf("%s/%s", hm_kit_segment(segments, 1), hm_kit_segment(segments, 2));
    bool under_repos = hm_streq(hm_kit_segment(segments, 0), "repos");
    json_t *repo = under_repos ? hm_kit_find(hm_json_get_arr(g, "repos"), "name", name) : NULL;
    const char *what = repo != NULL ? hm_kit_segment(segments, 3) : ""; /* nor is anything there that is not under /repos/ */
    (void)world;
    if (!hm_kit_let_in(config, "Bearer", req, ans)) {
        /* answered */
    } else if (!hm_streq(version, "2022-11-28")) {
        hm_kit_say(ans, 400, "X-GitHub-Api-Version is missing or none of ours");
    } else if (!hm_streq(req->method, "GET")) {
        hm_kit_say(ans, 405, "only reads are played here");
    } else if (hm_streq(req->path, "/rate_limit")) {
        hm_world_answer_json(ans, 200, "application/json", json_pack("{s:{s:i, s:i}}", "rate", "limit", 5000, "remaining", 4999));
    } else if (hm_streq(what, "contents")) {
        show_file(repo, req->path, req, ans);
    } else if (hm_streq(what, "compare")) {
        compare(config, repo, req->path + strlen("/repos/") + strlen(name) + strlen("/compare/"), req->query, ans);
    } else if (hm_streq(what, "contributors")) {
        const json_t *people = hm_json_get_arr(repo, "contributors");
        hm_world_answer_json(ans, 200, "application/json", people != NULL ? json_deep_copy(people) : hm_json_arr_new());
    } else if (hm_streq(what, "pulls")) {
        show_pull(repo, hm_kit_segment(segments, 4), ans);
    } else if (hm_streq(what, "commits") && hm_streq(hm_kit_segment(segments, 5), "check-runs")) {
        show_checks(config, repo, hm_kit_segment(segments, 4), req->query, ans);
    } else {
        hm_kit_say(ans, 404, "Not Found");
    }
    const char *date = hm_json_get_str(config, "date", NULL);
    if (date != NULL && ans->headers == NULL)
        ans->headers = hm_xasprintf("Date: %s\r\n", date);
    free(name);
    free(version);
    json_decref(segments);
}

const struct hm_world_system hm_world_github = {
    .name = "github", .new = github_new, .free = github_free, .state_new = github_state, .handle = github_handle};
