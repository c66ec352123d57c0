/* git, read only: see git.h.
 *
 * Happy path: `git status --porcelain=v2 --branch` and the remote's head tell whether the checkout is clean, on which branch, and
 * at the remote's newest commit. Failure modes: no checkout there, no access to the remote, output that is not understood; all of
 * them fail the step.
 *
 * Nothing of the checkout's own configuration may run programs: no file-system monitor, no external diff, no text conversion. The
 * index is not written (--no-optional-locks). */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/argv_answer.h"
#include "handlers/http_answer.h"

#include "handlers/git.h"

enum { MAX_FILES = 200, DIFF_MAX = 1500, COMMIT_MIN = 40, COMMIT_MAX = 64, FIELDS_BEFORE_PATH = 8, FIELDS_BEFORE_RENAMED = 9 };

static enum hm_code begin(const struct hm_backend *backend, struct hm_request *req, struct hm_err *err)
{
    static const char *const words[] = {"--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.quotePath=true"};
    if (backend->program == NULL)
        return hm_err_set(err, HM_EENV, "backend %s has no program", backend->name);
    if (backend->dir == NULL)
        return hm_err_set(err, HM_EENV, "backend %s has no dir: set it to the checkout", backend->name);
    hm_request_add_word(req, backend->program);
    hm_request_add_word(req, "-C"); /* so that the plan and the journal say which checkout it was */
    hm_request_add_word(req, backend->dir);
    for (size_t i = 0; i < HM_ARRAY_LEN(words); i++)
        hm_request_add_word(req, words[i]);
    return HM_OK;
}

/* A path inside the checkout: relative, no dots that lead out, nothing that git takes for magic. */
static bool path_ok(const char *path)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-/";
    size_t len = strlen(path);
    return len > 0 && len <= 200 && strchr("/-.", path[0]) == NULL && strspn(path, allowed) == len && strstr(path, "..") == NULL;
}

static bool commit_ok(const char *text, size_t len)
{
    return len >= COMMIT_MIN && len <= COMMIT_MAX && strspn(text, "0123456789abcdef") >= len;
}

/* ---- state ---------------------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec state_args[] = {
    {"edited", HM_ARG_STRING, false, "the one file that may be changed, like jobs/templates/spark.aurora"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code state_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                  struct hm_request *req, struct hm_err *err)
{
    static const char *const words[] = {"status", "--porcelain=v2", "--branch", "--untracked-files=normal",
                                        "--ignore-submodules=none"};
    (void)args;
    (void)cursor;
    enum hm_code code = begin(backend, req, err);
    for (size_t i = 0; code == HM_OK && i < HM_ARRAY_LEN(words); i++)
        hm_request_add_word(req, words[i]);
    return code;
}

struct state {
    char *commit, *branch, *upstream;
    int64_t ahead, behind;
    const char *edited_path;  /* the one that may be changed */
    bool edited;              /* it is */
    json_t *changed, *others; /* names, up to MAX_FILES; others: without edited_path */
    size_t n_changed;
    bool odd;
};

/* The path of a line of `git status --porcelain=v2`; NULL when it is no such line. */
static const char *changed_path(const char *line)
{
    size_t skip = 0;
    if (line[0] == '?' || line[0] == 'u' || line[0] == '1' || line[0] == '2')
        skip = line[0] == '?'   ? 1
               : line[0] == 'u' ? FIELDS_BEFORE_PATH + 2
               : line[0] == '2' ? FIELDS_BEFORE_RENAMED
                                : FIELDS_BEFORE_PATH;
    if (skip == 0)
        return NULL;
    for (; skip > 0; skip--) {
        line = strchr(line, ' ');
        if (line == NULL)
            return NULL;
        line++;
    }
    return *line != '\0' ? line : NULL;
}

static void read_header(struct state *s, const char *line)
{
    static const char oid[] = "# branch.oid ", head[] = "# branch.head ", upstream[] = "# branch.upstream ",
                      ab[] = "# branch.ab +";
    if (hm_starts_with(line, oid) && commit_ok(line + strlen(oid), strlen(line + strlen(oid)))) {
        free(s->commit);
        s->commit = hm_xstrdup(line + strlen(oid));
    } else if (hm_starts_with(line, head)) {
        free(s->branch);
        s->branch = hm_xstrdup(line + strlen(head));
    } else if (hm_starts_with(line, upstream)) {
        free(s->upstream);
        s->upstream = hm_xstrdup(line + strlen(upstream));
    } else if (hm_starts_with(line, ab)) {
        char *ahead = hm_xstrndup(line + strlen(ab), strcspn(line + strlen(ab), " "));
        const char *behind = strstr(line + strlen(ab), " -");
        s->odd = s->odd || behind == NULL || !hm_parse_i64(ahead, 0, INT32_MAX, &s->ahead) ||
                 !hm_parse_i64(behind + 2, 0, INT32_MAX, &s->behind);
        free(ahead);
    }
}

static void read_line(struct state *s, const char *line)
{
    if (line[0] == '#') {
        read_header(s, line);
        return;
    }
    const char *path = changed_path(line);
    if (path == NULL) {
        s->odd = s->odd || line[0] != '\0';
        return;
    }
    json_t *name = hm_json_strn_new(path, strcspn(path, "\t")); /* a renamed file: new and old name */
    if (hm_streq(json_string_value(name), s->edited_path))
        s->edited = true;
    else if (json_array_size(s->others) < MAX_FILES)
        hm_json_add(s->others, json_incref(name));
    if (json_array_size(s->changed) < MAX_FILES)
        hm_json_add(s->changed, json_incref(name));
    json_decref(name);
    s->n_changed++;
}

static void tell_more(json_t *names, size_t all)
{
    size_t shown = json_array_size(names);
    if (all > shown)
        hm_json_add(names, json_sprintf("… and %zu more", all - shown));
}

static enum hm_verdict state_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                      const struct hm_answer *answer, struct hm_outcome *out)
{
    static const struct hm_argv_asked asked = {.command = "git status", .effect = HM_EFFECT_READ};
    struct state s = {.changed = hm_json_arr_new(), .others = hm_json_arr_new()};
    s.edited_path = hm_json_get_str(args, "edited", "");
    (void)backend;
    (void)cursor;
    enum hm_verdict verdict = hm_argv_judge(&asked, answer, out);
    for (const char *p = answer->body; verdict == HM_VERDICT_OK && *p != '\0';) {
        size_t len = strcspn(p, "\n");
        char *line = hm_xstrndup(p, len);
        read_line(&s, line);
        free(line);
        p += len + (p[len] == '\n');
    }
    tell_more(s.changed, s.n_changed);
    tell_more(s.others, s.n_changed - (s.edited ? 1 : 0));
    if (verdict == HM_VERDICT_OK && (s.odd || s.commit == NULL || s.branch == NULL)) {
        json_decref(out->result);
        out->result = NULL;
        verdict = hm_outcome_fail(out, HM_VERDICT_PERMANENT, "`git status` printed something that is not understood");
    }
    if (verdict == HM_VERDICT_OK) {
        (void)json_object_del(out->result, "output");
        (void)json_object_del(out->result, "status");
        hm_json_set_str(out->result, "commit", s.commit);
        hm_json_set_str(out->result, "branch", s.branch);
        hm_json_set_str(out->result, "upstream", s.upstream != NULL ? s.upstream : "");
        hm_json_set_int(out->result, "ahead", s.ahead);
        hm_json_set_int(out->result, "behind", s.behind);
        hm_json_set_bool(out->result, "clean", s.n_changed == 0);
        hm_json_set_bool(out->result, "edited", s.edited);
        hm_json_set(out->result, "changed", json_incref(s.changed));
        hm_json_set(out->result, "others", json_incref(s.others));
    }
    free(s.commit);
    free(s.branch);
    free(s.upstream);
    json_decref(s.changed);
    json_decref(s.others);
    return verdict;
}

static const struct hm_field_spec state_fields[] = {
    {"commit", HM_FIELD_TEXT, true, "where HEAD is", NULL},
    {"branch", HM_FIELD_TEXT, true, "the branch", NULL},
    {"upstream", HM_FIELD_TEXT, true, "the branch it follows; empty when there is none", NULL},
    {"ahead", HM_FIELD_NUMBER, true, "commits that the upstream does not have", NULL},
    {"behind", HM_FIELD_NUMBER, true, "commits that are not here", NULL},
    {"clean", HM_FIELD_BOOL, true, "nothing is changed", NULL},
    {"changed", HM_FIELD_LIST, true, "changed and untracked files", NULL},
    {"edited", HM_FIELD_BOOL, true, "whether the file of the argument `edited` is changed", NULL},
    {"others", HM_FIELD_LIST, true, "changed files besides that one", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_action state = {
    .name = "git.state",
    .title = "Look at the checkout",
    .doc = "ahead and behind are as of the last fetch: git.remote-head asks the remote.",
    .effect = HM_EFFECT_READ,
    .args = state_args,
    .result = state_fields,
    .request = state_request,
    .response = state_response,
};

/* ---- remote-head ----------------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec head_args[] = {
    {"branch", HM_ARG_STRING, true, "which branch, like master"},
    {"remote", HM_ARG_STRING, false, "which remote; origin when left out"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code head_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                 struct hm_request *req, struct hm_err *err)
{
    const char *branch = hm_json_get_str(args, "branch", "");
    const char *remote = hm_json_get_str(args, "remote", "");
    (void)cursor;
    if (!path_ok(branch))
        return hm_err_set(err, HM_EINVAL, "branch: \"%.60s\" is not a branch's name", branch);
    if (remote[0] != '\0' && !hm_argv_word_ok(remote)) /* a URL could name a program to run */
        return hm_err_set(err, HM_EINVAL, "remote: \"%.60s\" is not a remote's name", remote);
    enum hm_code code = begin(backend, req, err);
    if (code != HM_OK)
        return code;
    char *ref = hm_xasprintf("refs/heads/%s", branch);
    hm_request_add_word(req, "ls-remote");
    hm_request_add_word(req, "--exit-code");
    hm_request_add_word(req, remote[0] != '\0' ? remote : "origin");
    hm_request_add_word(req, ref);
    free(ref);
    return HM_OK;
}

static enum hm_verdict head_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                     const struct hm_answer *answer, struct hm_outcome *out)
{
    static const struct hm_argv_asked asked = {.command = "git ls-remote", .effect = HM_EFFECT_READ};
    const char *branch = hm_json_get_str(args, "branch", "");
    (void)backend;
    (void)cursor;
    if (answer->status == 2) /* --exit-code: asked, and there is none */
        return hm_outcome_fail(out, HM_VERDICT_NOT_FOUND, "the remote has no branch %s", branch);
    enum hm_verdict verdict = hm_argv_judge(&asked, answer, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    size_t len = strcspn(answer->body, " \t\n");
    json_decref(out->result);
    out->result = NULL;
    if (!commit_ok(answer->body, len))
        return hm_outcome_fail(out, HM_VERDICT_PERMANENT, "`git ls-remote` printed something that is not understood");
    out->result = hm_json_obj_new();
    hm_json_set_str(out->result, "branch", branch);
    hm_json_set(out->result, "commit", hm_json_strn_new(answer->body, len));
    return HM_VERDICT_OK;
}

static const struct hm_field_spec remote_head_fields[] = {
    {"branch", HM_FIELD_TEXT, true, "the branch", NULL},
    {"commit", HM_FIELD_TEXT, true, "where it is on the remote", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_action remote_head = {
    .name = "git.remote-head",
    .title = "Ask the remote for a branch's newest commit",
    .effect = HM_EFFECT_READ,
    .args = head_args,
    .result = remote_head_fields,
    .request = head_request,
    .response = head_response,
};

/* ---- diff ------------------------------------------------------------------------------------------------------------------ */

static const struct hm_arg_spec diff_args[] = {
    {"path", HM_ARG_STRING, true, "which file, like jobs/templates/spark.aurora"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code diff_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                 struct hm_request *req, struct hm_err *err)
{
    static const char *const words[] = {"diff", "--no-ext-diff", "--no-textconv", "--no-color", "--unified=1", "HEAD", "--"};
    const char *path = hm_json_get_str(args, "path", "");
    (void)cursor;
    if (!path_ok(path))
        return hm_err_set(err, HM_EINVAL, "path: \"%.80s\" is not a file in the checkout", path);
    enum hm_code code = begin(backend, req, err);
    if (code != HM_OK)
        return code;
    for (size_t i = 0; i < HM_ARRAY_LEN(words); i++)
        hm_request_add_word(req, words[i]);
    hm_request_add_word(req, path);
    return HM_OK;
}

static enum hm_verdict diff_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                     const struct hm_answer *answer, struct hm_outcome *out)
{
    static const struct hm_argv_asked asked = {.command = "git diff", .effect = HM_EFFECT_READ};
    (void)backend;
    (void)args;
    (void)cursor;
    enum hm_verdict verdict = hm_argv_judge(&asked, answer, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    /* What stands before the first hunk says nothing but the name. */
    const char *hunk = strstr(answer->body, "\n@@");
    const char *from = hunk != NULL ? hunk + 1 : answer->body;
    size_t len = hm_utf8_prefix(from, DIFF_MAX);
    char *text = hm_utf8_clean(from, len);
    json_decref(out->result);
    out->result = hm_json_obj_new();
    hm_json_set_bool(out->result, "changed", answer->body_len > 0);
    hm_json_set_bool(out->result, "cut", from[len] != '\0');
    hm_json_set_str(out->result, "diff", text);
    free(text);
    return HM_VERDICT_OK;
}

static const struct hm_field_spec diff_fields[] = {
    {"changed", HM_FIELD_BOOL, true, "whether there is a difference", NULL},
    {"diff", HM_FIELD_TEXT, true, "the difference", NULL},
    {"cut", HM_FIELD_BOOL, true, "there was more of it", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_action diff = {
    .name = "git.diff",
    .title = "Show how a file of the checkout was edited",
    .doc = "Against the last commit; at most 1,500 bytes.",
    .effect = HM_EFFECT_READ,
    .args = diff_args,
    .result = diff_fields,
    .request = diff_request,
    .response = diff_response,
};

static const struct hm_action *const actions[] = {&state, &remote_head, &diff, NULL};
static const char *const settings[] = {NULL};

const struct hm_handler hm_git_handler = {
    .name = "git",
    .title = "git: what a checkout is at, read only",
    .kind = HM_REQUEST_ARGV,
    .actions = actions,
    .settings = settings,
};
