/* Golden tests of every action of every handler: tests/golden/<handler>/<action>.json hold arguments and recorded answers, and
 * under "expect" what the action makes of them: the exact request, the verdict with its result or sentence, the probe. An action
 * without such a file fails; so does a result that is not as the action declares it, and a declared field that no case has. With
 * HM_UPDATE_GOLDEN=1 in the environment the files are rewritten; read the difference before believing it.
 *
 * A case has "case" (what it shows), "args", and one of
 *   nothing more                               → the request; with "cursor", that of a later page
 *   "answer": {status, json|text, type, location, retry_after, headers}   an HTTP answer
 *   "end": {status, out, err}                  the end of a program
 *   "probe": {context} or {verdict, result}    the probe's arguments, or its judgement
 * and may have "settings", "headers", "url", "dir" and "bearer" of the backend, or "no_program". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/result.h"

static const char *const judgements[] = {"applied", "not-applied", "not-yet", "cannot-tell"};

/* --- reading a case ------------------------------------------------------------------------------------------------------ */

static void fill_backend(struct hm_backend *backend, const struct hm_handler *handler, const json_t *given, json_t *empty)
{
    memset(backend, 0, sizeof(*backend));
    backend->name = hm_xstrdup(handler->name);
    backend->handler = hm_xstrdup(handler->name);
    char *url = hm_xasprintf("https://%s.example.com", handler->name);
    if (handler->kind == HM_REQUEST_HTTP)
        backend->url = hm_xstrdup(hm_json_get_str(given, "url", url));
    else if (!hm_json_get_bool(given, "no_program", false))
        backend->program = hm_xasprintf("/usr/local/bin/%s", handler->name);
    if (hm_json_get_str(given, "program", NULL) != NULL) /* an HTTP backend that is reached through one */
        backend->program = hm_xstrdup(hm_json_get_str(given, "program", ""));
    backend->dir = hm_xstrdup_null(hm_json_get_str(given, "dir", NULL));
    if (hm_json_get_str(given, "bearer", NULL) != NULL)
        backend->auth = (void *)backend; /* handlers only see whether there is one */
    free(url);
    backend->settings = hm_json_get_obj(given, "settings") != NULL ? hm_json_get_obj(given, "settings") : empty;
    backend->headers = hm_json_get_obj(given, "headers") != NULL ? hm_json_get_obj(given, "headers") : empty;
}

static void free_backend(struct hm_backend *backend)
{
    free(backend->name);
    free(backend->handler);
    free(backend->url);
    free(backend->program);
    free(backend->dir);
}

/* The body is "json" written out, or "text" as it is; of a program it is "out". The caller frees it. */
static char *fill_answer(struct hm_answer *answer, const json_t *given)
{
    const json_t *json = json_object_get(given, "json");
    char *body =
        json != NULL ? hm_json_text(json) : hm_xstrdup(hm_json_get_str(given, "text", hm_json_get_str(given, "out", "")));
    memset(answer, 0, sizeof(*answer));
    answer->transport = HM_TRANSPORT_ANSWER;
    answer->status = (int)hm_json_get_int(given, "status", 200);
    answer->body = body;
    answer->body_len = strlen(body);
    answer->errors = hm_json_get_str(given, "err", "");
    answer->headers = hm_json_get_str(given, "headers", NULL);
    answer->content_type = hm_json_get_str(given, "type", json != NULL ? "application/json" : "text/plain");
    answer->location = hm_json_get_str(given, "location", "");
    answer->retry_after_s = hm_json_get_int(given, "retry_after", -1);
    answer->problem = "";
    return body;
}

static enum hm_verdict verdict_of(const char *word)
{
    for (int i = 0; i < HM_VERDICT_NR; i++)
        if (hm_streq(hm_verdict_name((enum hm_verdict)i), word))
            return (enum hm_verdict)i;
    fail_msg("no verdict is called %s", word);
    return HM_VERDICT_NR;
}

/* --- what the action makes of it ----------------------------------------------------------------------------------------- */

static void play_request(const struct hm_action *action, const struct hm_backend *backend, const json_t *c, json_t *got)
{
    struct hm_request req;
    struct hm_err err = {0};
    hm_request_init(&req);
    enum hm_code code = action->request(backend, json_object_get(c, "args"), json_object_get(c, "cursor"), &req, &err);
    assert_int_equal(code, err.code);
    if (code == HM_OK)
        hm_json_set(got, "request", hm_request_json_new(&req));
    else
        hm_json_set_str(got, "error", err.msg);
    hm_request_done(&req);
}

/* ok: every result is what the action declares. */
static bool play_answer(const struct hm_action *action, const struct hm_backend *backend, const json_t *c, json_t *got)
{
    bool ok = true;
    struct hm_err misfit = {0};
    struct hm_outcome out;
    struct hm_answer answer;
    memset(&out, 0, sizeof(out));
    const json_t *end = hm_json_get_obj(c, "end");
    char *body = fill_answer(&answer, end != NULL ? end : hm_json_get_obj(c, "answer"));
    if (end != NULL)
        answer.status = (int)hm_json_get_int(end, "status", 0);
    enum hm_verdict verdict = action->response(backend, json_object_get(c, "args"), json_object_get(c, "cursor"), &answer, &out);
    free(body);
    hm_json_set_str(got, "verdict", hm_verdict_name(verdict));
    /* What each verdict must bring, and nothing else. */
    assert_true((verdict == HM_VERDICT_OK) == (out.result != NULL));
    assert_true((verdict == HM_VERDICT_MORE) == (out.cursor != NULL));
    assert_true((verdict == HM_VERDICT_OK || verdict == HM_VERDICT_MORE) == (out.err.code == HM_OK));
    if (out.result != NULL && hm_result_check(action, backend, out.result, &misfit) != HM_OK) {
        print_error("%s: %s\n  its result is not as declared: %s\n", action->name, hm_json_get_str(c, "case", ""), misfit.msg);
        ok = false;
    }
    if (out.result != NULL)
        hm_json_set(got, "result", out.result);
    if (out.cursor != NULL)
        hm_json_set(got, "cursor", out.cursor);
    if (out.err.code != HM_OK)
        hm_json_set_str(got, "says", out.err.msg);
    if (out.wait_ms != 0)
        hm_json_set_int(got, "wait_ms", out.wait_ms);
    return ok;
}

static void play_probe(const struct hm_action *action, const json_t *c, json_t *got)
{
    const json_t *probe = hm_json_get_obj(c, "probe");
    struct hm_err err = {0};
    json_t *args = NULL;

    if (action->probe_action == NULL) {
        hm_json_set_str(got, "probe", "none");
        return;
    }
    if (hm_json_get_str(probe, "verdict", NULL) != NULL) {
        enum hm_probe_says says = action->probe_judge(
            json_object_get(c, "args"), verdict_of(hm_json_get_str(probe, "verdict", "")), json_object_get(probe, "result"));
        hm_json_set_str(got, "judged", judgements[says]);
        return;
    }
    hm_json_set_str(got, "probe", action->probe_action);
    if (action->probe_args(json_object_get(c, "args"), json_object_get(probe, "context"), &args, &err) == HM_OK)
        hm_json_set(got, "probe_args", args);
    else
        hm_json_set_str(got, "error", err.msg);
}

static bool play_case(const struct hm_handler *handler, const struct hm_action *action, json_t *c, bool update)
{
    struct hm_backend backend;
    bool declared = true;
    json_t *empty = hm_json_obj_new(), *got = hm_json_obj_new();

    fill_backend(&backend, handler, c, empty);
    if (hm_json_get_obj(c, "answer") != NULL || hm_json_get_obj(c, "end") != NULL)
        declared = play_answer(action, &backend, c, got);
    else if (hm_json_get_obj(c, "probe") != NULL)
        play_probe(action, c, got);
    else
        play_request(action, &backend, c, got);
    bool same = json_equal(got, json_object_get(c, "expect"));
    if (update) {
        hm_json_set(c, "expect", json_incref(got));
    } else if (!same) {
        char *text = hm_json_text(got), *expected = json_dumps(json_object_get(c, "expect"), JSON_COMPACT | JSON_SORT_KEYS);
        print_error("%s: %s\n  expected %s\n  got      %s\n", action->name, hm_json_get_str(c, "case", ""),
                    expected != NULL ? expected : "nothing", text);
        free(text);
        free(expected);
    }
    free_backend(&backend);
    json_decref(got);
    json_decref(empty);
    return (same || update) && declared;
}

/* ---- what no recorded result has ---------------------------------------------------------------------------------------- */

/* True when some of the values, each an object or a list of them, has the field. */
static bool occurs(const json_t *objects, const char *name)
{
    for (size_t i = 0; i < json_array_size(objects); i++) {
        const json_t *value = json_object_get(json_array_get(objects, i), name);
        if (value != NULL && !json_is_null(value))
            return true;
    }
    return false;
}

/* What is below that field in all of them: the objects themselves, and the items of lists. */
static json_t *below_new(const json_t *objects, const char *name)
{
    json_t *all = hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(objects); i++) {
        json_t *value = json_object_get(json_array_get(objects, i), name);
        if (json_is_array(value))
            (void)json_array_extend(all, value);
        else if (json_is_object(value))
            hm_json_add(all, json_incref(value));
    }
    return all;
}

/* A field that is declared and comes in no recorded result may be misspelt, or gone. */
static bool all_occur(const char *where, const struct hm_field_spec *fields, const json_t *objects)
{
    bool ok = true;
    assert_non_null(fields);
    for (const struct hm_field_spec *field = fields; field->name != NULL; field++) {
        if (hm_streq(field->name, "*"))
            continue;
        if (!occurs(objects, field->name)) {
            print_error("%s.%s is declared, and no recorded result has it: add a case\n", where, field->name);
            ok = false;
        } else if (field->fields != NULL) {
            char *path = hm_xasprintf("%s.%s", where, field->name);
            json_t *below = below_new(objects, field->name);
            ok = all_occur(path, field->fields, below) && ok;
            json_decref(below);
            free(path);
        }
    }
    return ok;
}

/* Of the golden file's cases. */
static bool check_declared(const struct hm_action *action, const json_t *cases)
{
    json_t *results = hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(cases); i++) {
        json_t *result = hm_json_get_path(json_array_get(cases, i), "expect.result");
        if (result != NULL)
            hm_json_add(results, json_incref(result));
    }
    bool ok = all_occur(action->name, action->result, results);
    json_decref(results);
    return ok;
}

static bool play_file(const struct hm_handler *handler, const struct hm_action *action, bool update)
{
    json_error_t why;
    bool ok = true;
    const char *short_name = strchr(action->name, '.');
    assert_non_null(short_name);
    char *path = hm_xasprintf("%s/tests/golden/%s/%s.json", HM_SOURCE_DIR, handler->name, short_name + 1);
    json_t *cases = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    if (json_array_size(cases) == 0) {
        print_error("%s:%d: %s\n", path, why.line, cases == NULL ? why.text : "no cases");
        ok = false;
    }
    for (size_t i = 0; i < json_array_size(cases); i++)
        ok = play_case(handler, action, json_array_get(cases, i), update) && ok;
    ok = check_declared(action, cases) && ok;
    if (update && ok)
        assert_int_equal(json_dump_file(cases, path, JSON_INDENT(2)), 0);
    json_decref(cases);
    free(path);
    return ok;
}

static void test_golden(void **state)
{
    bool update = getenv("HM_UPDATE_GOLDEN") != NULL;
    bool ok = true;
    (void)state;
    for (const struct hm_handler *const *handler = hm_handlers; *handler != NULL; handler++)
        for (const struct hm_action *const *action = (*handler)->actions; *action != NULL; action++)
            ok = play_file(*handler, *action, update) && ok;
    assert_true(ok);
}

/* Each has its help, once its name; an object says what it holds. At the top ok, code and error are the run's own. */
static void check_fields(const struct hm_field_spec *fields, bool is_top)
{
    for (const struct hm_field_spec *field = fields; field != NULL && field->name != NULL; field++) {
        assert_true(field->help != NULL && field->help[0] != '\0' && field->type < HM_FIELD_NR);
        assert_true(hm_field_find(fields, field->name, strlen(field->name)) == field);
        assert_true(field->type != HM_FIELD_OBJECT || field->fields != NULL);
        assert_true(field->fields == NULL || field->type == HM_FIELD_OBJECT || field->type == HM_FIELD_LIST);
        assert_false(field->always && hm_streq(field->name, "*"));
        assert_false(is_top && (hm_streq(field->name, "ok") || hm_streq(field->name, "code") || hm_streq(field->name, "error")));
        if (field->fields != NULL)
            check_fields(field->fields, false);
    }
}

/* The names are how recipes and people find things: handler, dot, verb-noun; the declared probe is there and only reads. */
static void test_tables(void **state)
{
    (void)state;
    for (const struct hm_handler *const *handler = hm_handlers; *handler != NULL; handler++) {
        assert_ptr_equal(hm_handler_find((*handler)->name), *handler);
        for (const struct hm_action *const *each = (*handler)->actions; *each != NULL; each++) {
            const struct hm_action *action = *each;
            size_t len = strlen((*handler)->name);
            assert_int_equal(strncmp(action->name, (*handler)->name, len), 0);
            assert_int_equal(action->name[len], '.');
            assert_ptr_equal(hm_action_find(action->name), action);
            assert_true(action->title != NULL && action->args != NULL && action->result != NULL);
            check_fields(action->result, true);
            assert_true(action->request != NULL && action->response != NULL);
            assert_int_equal(action->probe_action == NULL, action->probe_judge == NULL);
            assert_int_equal(action->probe_action == NULL, action->probe_args == NULL);
            if (action->probe_action == NULL)
                continue;
            const struct hm_action *probe = hm_action_find(action->probe_action);
            assert_non_null(probe);
            assert_int_equal(probe->effect, HM_EFFECT_READ);
        }
    }
}

/* The two answers of the way by id, one after the other, as the caller plays them. */
static void test_two_pages(void **state)
{
    const struct hm_action *action = hm_action_find("metapod.dataset");
    json_t *empty = hm_json_obj_new();
    struct hm_backend backend;
    struct hm_request req;
    struct hm_outcome out;
    struct hm_answer answer;
    struct hm_err err = {0};
    (void)state;

    memset(&out, 0, sizeof(out));
    fill_backend(&backend, hm_handler_find("metapod"), NULL, empty);
    json_t *args = json_pack("{s:s, s:s}", "transaction", "319703ce-b90d-5a07-8195-33df0de911c8", "id",
                             "5a5d411b-e41a-4a30-ab34-bac476b95761");
    json_t *given = json_pack("{s:{s:{s:{s:[{s:s, s:s}, {s:s, s:s}]}}}}", "json", "data", "transaction", "datasets", "id",
                              "00000000-0000-4000-8000-000000000000", "name", "model/other", "id",
                              "5A5D411B-e41a-4a30-ab34-bac476b95761", "name", "archive/policy-proactive-limit-v3");
    char *body = fill_answer(&answer, given);
    assert_int_equal(action->response(&backend, args, NULL, &answer, &out), HM_VERDICT_MORE);
    hm_request_init(&req);
    assert_int_equal(action->request(&backend, args, out.cursor, &req, &err), HM_OK);
    assert_non_null(strstr(req.body, "\"names\":[\"archive/policy-proactive-limit-v3\"]"));
    hm_request_done(&req);
    free(body);
    json_decref(given);
    json_decref(args);
    json_decref(out.cursor);
    json_decref(empty);
    free_backend(&backend);
}

/* ---- whatever the answer lacks ------------------------------------------------------------------------------------------ */

/* A recorded answer, one value of which is changed at a time. */
struct spoiled {
    const struct hm_action *action;
    const struct hm_backend *backend;
    const json_t *c; /* the case */
    json_t *answer;  /* its own copy, of which `json` is changed */
    size_t tried, good, misfits;
};

/* What is taken for a good answer must have the declared result: what is said to be there always, is. */
static void judge_spoiled(struct spoiled *s, const char *key)
{
    struct hm_outcome out;
    struct hm_answer answer;
    struct hm_err misfit = {0};
    memset(&out, 0, sizeof(out));
    char *body = fill_answer(&answer, s->answer);
    enum hm_verdict verdict =
        s->action->response(s->backend, json_object_get(s->c, "args"), json_object_get(s->c, "cursor"), &answer, &out);
    s->tried++;
    s->good += verdict == HM_VERDICT_OK ? 1 : 0;
    if (verdict == HM_VERDICT_OK && hm_result_check(s->action, s->backend, out.result, &misfit) != HM_OK && s->misfits++ == 0)
        print_error("%s: %s: with another value of %s its result is not as declared: %s\n  %s\n", s->action->name,
                    hm_json_get_str(s->c, "case", ""), key, misfit.msg, body);
    free(body);
    json_decref(out.result);
    json_decref(out.cursor);
}

static json_t *variant_new(size_t i)
{
    switch (i) {
    case 0:
        return json_null();
    case 1:
        return json_string("x");
    case 2:
        return json_integer(7);
    case 3:
        return json_true();
    case 4:
        return json_array();
    case 5:
        return json_object();
    default:
        return NULL;
    }
}

static void spoil(struct spoiled *s, json_t *container);

/* The value under that key, or at that place of a list. */
static void spoil_item(struct spoiled *s, json_t *container, const char *key, size_t index)
{
    bool is_list = json_is_array(container);
    json_t *own = json_incref(is_list ? json_array_get(container, index) : json_object_get(container, key));
    json_t *other = NULL;
    for (size_t i = 0; (other = variant_new(i)) != NULL; i++) {
        assert_int_equal(is_list ? json_array_set_new(container, index, other) : json_object_set_new(container, key, other), 0);
        judge_spoiled(s, is_list ? "a list" : key);
    }
    if (!is_list) {
        assert_int_equal(json_object_del(container, key), 0);
        judge_spoiled(s, key);
    }
    assert_int_equal(is_list ? json_array_set(container, index, own) : json_object_set(container, key, own), 0);
    spoil(s, own);
    json_decref(own);
}

static void spoil(struct spoiled *s, json_t *container)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_t *keys = json_array();
    json_object_foreach(container, key, value) hm_json_add(keys, hm_json_str_new(key));
    for (size_t i = 0; i < json_array_size(keys); i++)
        spoil_item(s, container, json_string_value(json_array_get(keys, i)), 0);
    for (size_t i = 0; i < json_array_size(container) && i < 3; i++) /* the others are like the first */
        spoil_item(s, container, NULL, i);
    json_decref(keys);
}

static void test_whatever_is_missing(void **state)
{
    (void)state;
    size_t tried = 0, good = 0, misfits = 0;
    for (const struct hm_handler *const *handler = hm_handlers; *handler != NULL; handler++) {
        for (const struct hm_action *const *action = (*handler)->actions; *action != NULL; action++) {
            char *path =
                hm_xasprintf("%s/tests/golden/%s/%s.json", HM_SOURCE_DIR, (*handler)->name, strchr((*action)->name, '.') + 1);
            json_t *cases = json_load_file(path, 0, NULL), *empty = hm_json_obj_new();
            for (size_t i = 0; i < json_array_size(cases); i++) {
                struct hm_backend backend;
                const json_t *c = json_array_get(cases, i), *answer = hm_json_get_obj(c, "answer");
                if (json_object_get(answer, "json") == NULL || hm_json_get_path(c, "expect.result") == NULL)
                    continue;
                fill_backend(&backend, *handler, c, empty);
                struct spoiled s = {.action = *action, .backend = &backend, .c = c, .answer = json_deep_copy(answer)};
                spoil(&s, json_object_get(s.answer, "json"));
                tried += s.tried;
                good += s.good;
                misfits += s.misfits;
                json_decref(s.answer);
                free_backend(&backend);
            }
            json_decref(empty);
            json_decref(cases);
            free(path);
        }
    }
    print_message("%zu spoiled answers, %zu of them taken for good\n", tried, good);
    assert_true(good > 1000 && good < tried);
    assert_int_equal(misfits, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden), cmocka_unit_test(test_tables),
                                       cmocka_unit_test(test_two_pages), cmocka_unit_test(test_whatever_is_missing)};
    return cmocka_run_group_tests_name("actions", tests, NULL, NULL);
}
