/* The file of a recipe test: see recipe_test.h and docs/recipe-tests.md. */
#include <stdlib.h>
#include <string.h>

#include "app/recipe_test.h"
#include "base/cfg.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"

enum { TEXT_MAX = 4000, BODY_MAX = 200000, HEADERS_MAX = 16384, TIMES_MAX = 100000 };
static const int64_t longest_wait_ms = 366LL * 24 * 3600 * 1000;

static char *copy_str(struct hm_cfg_node *group, const char *key, enum hm_cfg_need need, size_t max)
{
    return hm_xstrdup_null(hm_cfg_get_str(group, key, need, max));
}

/* A list of strings that may be the same; NULL when there is none. */
static char **read_strings(struct hm_cfg_node *group, const char *key, size_t *ret_count)
{
    struct hm_cfg_node *list = hm_cfg_get_list(group, key, HM_CFG_OPTIONAL);
    *ret_count = 0;
    if (list == NULL)
        return NULL;
    char **strings = hm_xcalloc(hm_cfg_count(list) + 1, sizeof *strings);
    for (size_t i = 0; i < hm_cfg_count(list); i++) {
        const char *text = hm_cfg_string(hm_cfg_at(list, i));
        if (text == NULL)
            hm_cfg_add(hm_cfg_at(list, i), "%s: each must be a text", key);
        else
            strings[(*ret_count)++] = hm_xstrdup(text);
    }
    return strings;
}

/* The place of word among names, or -1 and a finding that lists them. */
static int word_of(const struct hm_cfg_node *group, const char *key, const char *word, const char *const *names, size_t n)
{
    struct hm_strbuf all;
    if (word == NULL)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (names[i] != NULL && strcmp(names[i], word) == 0)
            return (int)i;
    hm_strbuf_init(&all, 2000);
    for (size_t i = 0; i < n; i++)
        if (names[i] != NULL)
            hm_strbuf_addf(&all, "%s%s", all.len > 0 ? ", " : "", names[i]);
    hm_cfg_add(group, "%s \"%s\" is none of: %s", key, word, hm_strbuf_str(&all));
    hm_strbuf_done(&all);
    return -1;
}

/* ---- answers --------------------------------------------------------------------------------------------------------- */

/* `body` as it is, or `json`, in which ' stands for ". */
static char *read_body(struct hm_cfg_node *group, bool *ret_json)
{
    char *body = copy_str(group, "body", HM_CFG_OPTIONAL | HM_CFG_EMPTY_OK, BODY_MAX);
    char *json = copy_str(group, "json", HM_CFG_OPTIONAL, BODY_MAX);
    struct hm_err err = {0};
    *ret_json = json != NULL;
    if (json == NULL)
        return body != NULL ? body : hm_xstrdup("");
    if (body != NULL)
        hm_cfg_add(group, "either body or json, not both");
    for (char *p = json; *p != '\0'; p++)
        if (*p == '\'')
            *p = '"';
    json_t *value = hm_json_parse_new(json, strlen(json), BODY_MAX, &err);
    if (value == NULL)
        hm_cfg_add(group, "json: %s (write ' for \" in it)", err.msg);
    json_decref(value);
    free(body);
    return json;
}

/* headers = ( "Link: <…>; rel=\"next\"" ): a line each, or NULL. */
static char *read_header_lines(struct hm_cfg_node *group)
{
    struct hm_strbuf lines;
    char **list = hm_cfg_get_strings(group, "headers", HM_CFG_OPTIONAL);
    hm_strbuf_init(&lines, HEADERS_MAX);
    for (size_t i = 0; list[i] != NULL; i++) {
        if (strchr(list[i], ':') == NULL || strpbrk(list[i], "\r\n") != NULL)
            hm_cfg_add(group, "headers: \"%s\" is not a line \"Name: value\"", list[i]);
        hm_strbuf_addf(&lines, "%s\n", list[i]);
    }
    hm_cfg_strings_free(list);
    if (lines.len > 0)
        return hm_strbuf_take(&lines);
    hm_strbuf_done(&lines);
    return NULL;
}

/* "POST /path": capital letters and a space; else it is a program with its words. */
static bool begins_with_method(const char *to)
{
    size_t letters = to != NULL ? strspn(to, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") : 0;
    return letters > 0 && to[letters] == ' ';
}

static void read_answer(struct hm_cfg_node *group, struct hm_test_answer *answer)
{
    static const char *const ends[HM_TRANSPORT_NR] = {[HM_TRANSPORT_NOT_SENT] = "refused",
                                                      [HM_TRANSPORT_TIMEOUT] = "time-out",
                                                      [HM_TRANSPORT_BROKEN] = "lost",
                                                      [HM_TRANSPORT_TOO_BIG] = "too-big"};
    bool is_json = false;
    const char *no_answer = hm_cfg_get_str(group, "no_answer", HM_CFG_OPTIONAL, TEXT_MAX);
    int transport = word_of(group, "no_answer", no_answer, ends, HM_TRANSPORT_NR);
    answer->line = hm_cfg_line(group);
    answer->to = copy_str(group, "to", HM_CFG_REQUIRED, TEXT_MAX);
    answer->has = copy_str(group, "has", HM_CFG_OPTIONAL, TEXT_MAX);
    answer->after = copy_str(group, "after", HM_CFG_OPTIONAL, TEXT_MAX);
    answer->after_has = copy_str(group, "after_has", HM_CFG_OPTIONAL, TEXT_MAX);
    if (answer->after_has != NULL && answer->after == NULL)
        hm_cfg_add(group, "after_has says which request of that name: give after as well");
    answer->times = (unsigned)hm_cfg_get_int(group, "times", 0, 1, TIMES_MAX);
    answer->transport = transport < 0 ? HM_TRANSPORT_ANSWER : (enum hm_transport)transport;
    bool is_http = begins_with_method(answer->to);
    answer->status = (int)hm_cfg_get_int(group, "status", is_http ? 200 : 0, 0, 999);
    answer->body = read_body(group, &is_json);
    answer->errors = copy_str(group, "errors", HM_CFG_OPTIONAL, TEXT_MAX);
    answer->content_type = copy_str(group, "type", HM_CFG_OPTIONAL, 100);
    if (answer->content_type == NULL)
        answer->content_type = hm_xstrdup(is_json ? "application/json" : "text/plain");
    answer->headers = read_header_lines(group);
    answer->retry_after_s = hm_cfg_get_int(group, "retry_after", -1, 0, 86400);
    bool ok = is_http ? answer->status >= 200 && answer->status <= 299 : answer->status == 0;
    bool lost = answer->transport == HM_TRANSPORT_BROKEN || answer->transport == HM_TRANSPORT_TOO_BIG;
    bool done = answer->transport == HM_TRANSPORT_ANSWER ? ok : lost;
    answer->applied = hm_cfg_get_bool(group, "applied", done);
    if (answer->transport == HM_TRANSPORT_NOT_SENT && answer->applied)
        hm_cfg_add(group, "what was refused was not applied");
    hm_cfg_finish(group);
}

static void read_answers(struct hm_recipe_test *test, struct hm_cfg_node *root)
{
    struct hm_cfg_node *list = hm_cfg_get_list(root, "answers", HM_CFG_OPTIONAL);
    if (list == NULL)
        return;
    test->answers = hm_xcalloc(hm_cfg_count(list), sizeof test->answers[0]);
    for (size_t i = 0; i < hm_cfg_count(list); i++) {
        if (hm_cfg_type(hm_cfg_at(list, i)) != HM_CFG_GROUP)
            hm_cfg_add(hm_cfg_at(list, i), "answers: each must be a group { to = …; … }");
        else
            read_answer(hm_cfg_at(list, i), &test->answers[test->n_answers++]);
    }
}

/* ---- moves ----------------------------------------------------------------------------------------------------------- */

static const char *const clicks[HM_INPUT_NR] = {
    [HM_IN_APPROVE] = "approve", [HM_IN_REJECT] = "reject",       [HM_IN_HAPPENED] = "happened",
    [HM_IN_DID_NOT] = "did-not", [HM_IN_STOP_HERE] = "stop-here", [HM_IN_CANCEL] = "cancel",
    [HM_IN_CHOOSE] = "answer",   [HM_IN_DONE] = "done",           [HM_IN_RETRY] = "retry",
    [HM_IN_SKIP] = "skip",       [HM_IN_GIVE_UP] = "give-up",     [HM_IN_RETRY_FAILED] = "retry-failed",
    [HM_IN_TAKE] = "take",
};

static const char *const replies[HM_REPLY_NR] = {
    [HM_REPLY_VOTED] = "voted",
    [HM_REPLY_APPROVED] = "approved",
    [HM_REPLY_REJECTED] = "rejected",
    [HM_REPLY_OWN] = "own",
    [HM_REPLY_NOT_IN_ROLE] = "not-in-role",
    [HM_REPLY_TWICE] = "twice",
    [HM_REPLY_ALREADY] = "already",
    [HM_REPLY_EXPIRED] = "expired",
    [HM_REPLY_NEED_TYPED] = "need-typed",
    [HM_REPLY_WRONG_TYPED] = "wrong-typed",
    [HM_REPLY_NEED_REASON] = "need-reason",
    [HM_REPLY_NO_GLASS] = "no-glass",
    [HM_REPLY_RUN_OVER] = "over",
    [HM_REPLY_SETTLED] = "settled",
    [HM_REPLY_CANCELLED] = "cancelled",
    [HM_REPLY_ANSWERED] = "answered",
    [HM_REPLY_BAD_ANSWER] = "bad-answer",
    [HM_REPLY_REOPENED] = "reopened",
    [HM_REPLY_NONE_FAILED] = "none-failed",
    [HM_REPLY_ROLE_FULL] = "role-full",
    [HM_REPLY_TAKEN] = "taken",
    [HM_REPLY_IS_YOURS] = "is-yours",
    [HM_REPLY_TAKE_VOTED] = "take-voted",
};

const char *hm_recipe_test_click_name(enum hm_input_kind kind)
{
    return clicks[kind] != NULL ? clicks[kind] : "?";
}

const char *hm_recipe_test_reply_name(enum hm_reply_kind kind)
{
    return replies[kind] != NULL ? replies[kind] : "?";
}

static void read_choice(struct hm_cfg_node *group, struct hm_test_move *move)
{
    size_t n = 0;
    move->choose = read_strings(group, "choose", &n);
    struct hm_cfg_node *fill = hm_cfg_get_group(group, "fill", HM_CFG_OPTIONAL);
    if (fill != NULL)
        move->fill = hm_cfg_json_new(fill);
    bool answers = move->choose != NULL || move->fill != NULL;
    if (answers != (move->kind == HM_IN_CHOOSE) || (move->choose != NULL && move->fill != NULL))
        hm_cfg_add(group, "click = \"answer\" goes with either choose = ( … ) or fill = { … }, other clicks with none of them");
}

static void read_move(struct hm_cfg_node *group, const char *requester, struct hm_test_move *move)
{
    move->line = hm_cfg_line(group);
    move->wait_ms = hm_cfg_get_duration(group, "wait", HM_CFG_OPTIONAL, 0, longest_wait_ms);
    move->reply = -1;
    if (move->wait_ms == 0) {
        const char *click = hm_cfg_get_str(group, "click", HM_CFG_REQUIRED, 40);
        int kind = word_of(group, "click", click, clicks, HM_INPUT_NR);
        move->kind = kind < 0 ? HM_IN_CANCEL : (enum hm_input_kind)kind;
        move->user = copy_str(group, "by", HM_CFG_OPTIONAL, 40);
        if (move->user == NULL)
            move->user = hm_xstrdup(requester);
        move->typed = copy_str(group, "typed", HM_CFG_OPTIONAL, TEXT_MAX);
        move->reason = copy_str(group, "reason", HM_CFG_OPTIONAL, TEXT_MAX);
        move->glass = hm_cfg_get_bool(group, "alone", false);
        move->reply = word_of(group, "reply", hm_cfg_get_str(group, "reply", HM_CFG_OPTIONAL, 40), replies, HM_REPLY_NR);
        if (kind >= 0)
            read_choice(group, move);
    }
    hm_cfg_finish(group);
}

static void read_moves(struct hm_recipe_test *test, struct hm_cfg_node *root)
{
    struct hm_cfg_node *list = hm_cfg_get_list(root, "play", HM_CFG_OPTIONAL);
    if (list == NULL)
        return;
    test->moves = hm_xcalloc(hm_cfg_count(list), sizeof test->moves[0]);
    for (size_t i = 0; i < hm_cfg_count(list); i++) {
        if (hm_cfg_type(hm_cfg_at(list, i)) != HM_CFG_GROUP)
            hm_cfg_add(hm_cfg_at(list, i), "play: each must be a group { click = …; by = …; } or { wait = …; }");
        else
            read_move(hm_cfg_at(list, i), test->requester, &test->moves[test->n_moves++]);
    }
}

/* ---- what must come of it -------------------------------------------------------------------------------------------- */

static void read_requests(struct hm_recipe_test *test, struct hm_cfg_node *expect)
{
    struct hm_cfg_node *list = hm_cfg_get_list(expect, "requests", HM_CFG_REQUIRED);
    if (list == NULL)
        return;
    test->expect.requests = hm_xcalloc(hm_cfg_count(list), sizeof test->expect.requests[0]);
    for (size_t i = 0; i < hm_cfg_count(list); i++) {
        struct hm_cfg_node *node = hm_cfg_at(list, i);
        struct hm_test_request *request = &test->expect.requests[test->expect.n_requests];
        if (hm_cfg_string(node) != NULL) {
            request->to = hm_xstrdup(hm_cfg_string(node));
        } else if (hm_cfg_type(node) == HM_CFG_GROUP) {
            request->to = copy_str(node, "to", HM_CFG_REQUIRED, TEXT_MAX);
            request->has = copy_str(node, "has", HM_CFG_OPTIONAL, TEXT_MAX);
            hm_cfg_finish(node);
        } else {
            hm_cfg_add(node, "requests: each must be a text like \"POST /path\" or a group { to = …; has = …; }");
            continue;
        }
        test->expect.n_requests++;
    }
}

static void read_expect(struct hm_recipe_test *test, struct hm_cfg_node *root)
{
    struct hm_cfg_node *expect = hm_cfg_get_group(root, "expect", HM_CFG_REQUIRED);
    if (expect == NULL)
        return;
    test->expect.refused = copy_str(expect, "refused", HM_CFG_OPTIONAL, TEXT_MAX);
    if (test->expect.refused == NULL) {
        read_requests(test, expect);
        test->expect.said = read_strings(expect, "said", &test->expect.n_said);
        test->expect.card = read_strings(expect, "card", &test->expect.n_card);
        test->expect.shown = read_strings(expect, "shown", &test->expect.n_shown);
        test->expect.text = copy_str(expect, "text", HM_CFG_OPTIONAL, TEXT_MAX);
        test->expect.end = copy_str(expect, "end", HM_CFG_REQUIRED, 40);
        bool known = hm_streq(test->expect.end, "waiting");
        for (int i = HM_RUN_DONE; i < HM_RUN_STATUS_NR && !known; i++)
            known = hm_streq(test->expect.end, hm_run_status_name((enum hm_run_status)i));
        if (!known && test->expect.end != NULL)
            hm_cfg_add(expect,
                       "end \"%s\" is no end of a run; write done, partial, failed, stopped, rejected, expired, cancelled, "
                       "or waiting",
                       test->expect.end);
    }
    hm_cfg_finish(expect);
}

static void read_roles(struct hm_recipe_test *test, struct hm_cfg_node *root)
{
    struct hm_cfg_node *roles = hm_cfg_get_group(root, "roles", HM_CFG_OPTIONAL);
    if (roles != NULL)
        test->roles = hm_cfg_json_new(roles);
    const char *role = NULL;
    const json_t *users = NULL;
    json_object_foreach(test->roles, role, users)
    {
        if (!json_is_array(users))
            hm_cfg_add(roles, "roles: %s must be a list of user ids", role);
    }
}

static char *name_of(const char *file)
{
    const char *slash = strrchr(file, '/');
    const char *base = slash != NULL ? slash + 1 : file;
    return hm_xstrndup(base, hm_ends_with(base, ".cfg") ? strlen(base) - 4 : strlen(base));
}

static void read_root(struct hm_recipe_test *test, const struct hm_settings *settings, struct hm_cfg_node *root)
{
    const char *recipe = hm_cfg_get_str(root, "recipe", HM_CFG_REQUIRED, 100);
    const char *crash = hm_cfg_get_str(root, "crash", HM_CFG_OPTIONAL, 40);
    struct hm_cfg_node *known = hm_cfg_get_group(root, "known", HM_CFG_OPTIONAL);
    test->recipe = recipe != NULL ? hm_recipes_find(&settings->recipes, recipe) : NULL;
    if (recipe != NULL && test->recipe == NULL)
        hm_cfg_add(hm_cfg_get(root, "recipe", HM_CFG_REQUIRED), "there is no recipe \"%s\"", recipe);
    test->title = copy_str(root, "title", HM_CFG_OPTIONAL, 200);
    test->given = copy_str(root, "given", HM_CFG_REQUIRED | HM_CFG_EMPTY_OK, TEXT_MAX);
    test->requester = copy_str(root, "by", HM_CFG_OPTIONAL, 40);
    if (test->requester == NULL)
        test->requester = hm_xstrdup("U0ANA");
    test->known = known != NULL ? hm_cfg_json_new(known) : json_incref(settings->known);
    test->crash_everywhere = crash == NULL || strcmp(crash, "everywhere") == 0;
    if (!test->crash_everywhere && strcmp(crash, "never") != 0)
        hm_cfg_add(hm_cfg_get(root, "crash", HM_CFG_OPTIONAL),
                   "crash must be \"everywhere\" (as when it is left out) or \"never\"");
    read_roles(test, root);
    read_answers(test, root);
    read_moves(test, root);
    read_expect(test, root);
    hm_cfg_finish(root);
}

struct hm_recipe_test *hm_recipe_test_load(const char *file, const struct hm_settings *settings, struct hm_diags *diags)
{
    size_t before = diags->count;
    struct hm_recipe_test *test = hm_xcalloc(1, sizeof *test);
    struct hm_cfg *cfg = hm_cfg_open_file(file, diags);
    test->file = hm_xstrdup(file);
    test->name = name_of(file);
    if (cfg != NULL)
        read_root(test, settings, hm_cfg_root(cfg));
    hm_cfg_close(cfg);
    if (diags->count == before)
        return test;
    hm_recipe_test_free(test);
    return NULL;
}

/* ---------------------------------------------------------------------------------------------------------------------- */

static void free_strings(char **strings)
{
    for (char **s = strings; s != NULL && *s != NULL; s++)
        free(*s);
    free(strings);
}

static void free_parts(struct hm_recipe_test *test)
{
    for (size_t i = 0; i < test->n_answers; i++) {
        free(test->answers[i].to);
        free(test->answers[i].has);
        free(test->answers[i].after);
        free(test->answers[i].after_has);
        free(test->answers[i].body);
        free(test->answers[i].errors);
        free(test->answers[i].content_type);
        free(test->answers[i].headers);
    }
    for (size_t i = 0; i < test->n_moves; i++) {
        free(test->moves[i].user);
        free(test->moves[i].typed);
        free(test->moves[i].reason);
        free_strings(test->moves[i].choose);
        json_decref(test->moves[i].fill);
    }
    for (size_t i = 0; i < test->expect.n_requests; i++) {
        free(test->expect.requests[i].to);
        free(test->expect.requests[i].has);
    }
}

void hm_recipe_test_free(struct hm_recipe_test *test)
{
    if (test == NULL)
        return;
    free_parts(test);
    free(test->answers);
    free(test->moves);
    free(test->expect.requests);
    free_strings(test->expect.said);
    free_strings(test->expect.card);
    free_strings(test->expect.shown);
    free(test->expect.refused);
    free(test->expect.end);
    free(test->expect.text);
    free(test->name);
    free(test->file);
    free(test->title);
    free(test->given);
    free(test->requester);
    json_decref(test->known);
    json_decref(test->roles);
    free(test);
}
