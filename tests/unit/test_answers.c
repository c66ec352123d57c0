/* What every action makes of answers that no backend should give: redirects, refusals, sign-in pages, nothing, garbage, JSON of
 * another shape, far too much of it; and of programs that fail. The requests are those of tests/golden, so an action is in here
 * with its golden file. The rules:
 *
 *   a read    never takes one of these for its answer: an empty list that comes of garbage would be believed
 *   a write   is never said to have done nothing unless the status says so: after a 2xx or a 5xx it may have happened
 *
 * Who does not look at an answer's body, or may take an empty list for what it is, is named below. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "handlers/result.h"

enum { DEEP = 200000, LONG = 300000 };

#define ONE(verdict) (1U << (unsigned)(verdict))
static const unsigned said_no = ONE(HM_VERDICT_PERMANENT) | ONE(HM_VERDICT_RETRYABLE) | ONE(HM_VERDICT_NOT_FOUND);
static const unsigned not_sure = ONE(HM_VERDICT_OK) | ONE(HM_VERDICT_MAYBE);

/* Their answer is a status or a header, or text of any kind. */
static const char *const any_body[] = {
    "github.file", "github.clock", "registry.tag", "s3.object", "aurora.leaderhealth", "airflow.log", NULL};
/* [] is a list without entries, and that is what they are asked for. */
static const char *const empty_list[] = {"github.contributors", "mordor.series", "mortician.groups", NULL};
/* What the entries of the list are is the house's own matter; they are only counted. */
static const char *const any_list[] = {"mordor.series", NULL};

static bool is_among(const char *name, const char *const *list)
{
    for (; *list != NULL; list++)
        if (hm_streq(*list, name))
            return true;
    return false;
}

static unsigned wrong;

struct odd_answer {
    const char *what;
    int status;
    const char *type, *body;
    unsigned read, write; /* verdicts that are right */
    bool shape;           /* well-formed JSON */
};

struct subject {
    const struct hm_handler *handler;
    const struct hm_action *action;
    struct hm_backend backend;
    const json_t *args, *cursor;
    const char *name; /* of the golden case */
};

static void check(const struct subject *s, const struct odd_answer *odd, unsigned right)
{
    struct hm_outcome out;
    memset(&out, 0, sizeof out);
    const struct hm_answer answer = {.transport = HM_TRANSPORT_ANSWER,
                                     .status = odd->status,
                                     .body = odd->body,
                                     .body_len = strlen(odd->body),
                                     .errors = "",
                                     .content_type = odd->type,
                                     .location = odd->status / 100 == 3 ? "https://elsewhere.example.com/" : "",
                                     .retry_after_s = odd->status == 429 ? 7 : -1,
                                     .problem = ""};
    enum hm_verdict verdict = hm_action_response(s->action, &s->backend, s->args, s->cursor, &answer, &out);
    if ((ONE(verdict) & right) == 0) {
        print_error("%s (%s): %s is %s: %s\n", s->action->name, s->name, odd->what, hm_verdict_name(verdict), out.err.msg);
        wrong++;
    }
    /* What each verdict must bring, and nothing else. */
    assert_true((verdict == HM_VERDICT_OK) == (out.result != NULL));
    assert_true((verdict == HM_VERDICT_MORE) == (out.cursor != NULL));
    assert_true((verdict == HM_VERDICT_OK || verdict == HM_VERDICT_MORE) == (out.err.code == HM_OK));
    json_decref(out.result);
    json_decref(out.cursor);
}

static void check_all(const struct subject *s, const struct odd_answer *odd, size_t n)
{
    bool is_read = s->action->effect == HM_EFFECT_READ;
    for (size_t i = 0; i < n; i++) {
        unsigned right = is_read ? odd[i].read : odd[i].write;
        bool ok = odd[i].status / 100 == 2 && is_among(s->action->name, any_body);
        ok = ok || (odd[i].status / 100 == 5 && hm_streq(s->action->name, "aurora.leaderhealth")); /* its answer is the status */
        ok = ok || (hm_streq(odd[i].body, "[]") && is_among(s->action->name, empty_list));
        ok = ok || (odd[i].body[0] == '[' && odd[i].shape && is_among(s->action->name, any_list));
        check(s, &odd[i], is_read && ok ? right | ONE(HM_VERDICT_OK) : right);
    }
}

/* A text of `n` times the same. The caller frees. */
static char *many(const char *begin, const char *each, size_t n, const char *end)
{
    struct hm_strbuf text;
    hm_strbuf_init(&text, SIZE_MAX / 2);
    hm_strbuf_adds(&text, begin);
    for (size_t i = 0; i < n; i++)
        hm_strbuf_adds(&text, each);
    hm_strbuf_adds(&text, end);
    return hm_strbuf_take(&text);
}

static char *deep_text, *cut_text, *long_text;

static void play_http(const struct subject *s)
{
    static const char page[] = "<!doctype html><html>sign in</html>", json[] = "application/json", plain[] = "text/plain";
    const unsigned permanent = ONE(HM_VERDICT_PERMANENT), retryable = ONE(HM_VERDICT_RETRYABLE), maybe = ONE(HM_VERDICT_MAYBE);
    const struct odd_answer odd[] = {
        {"301", 301, plain, "", permanent, permanent, false},
        {"302", 302, plain, "", permanent, permanent, false},
        {"303", 303, plain, "", permanent, maybe, false},
        {"307", 307, plain, "", permanent, permanent, false},
        {"401", 401, plain, "", said_no, permanent, false},
        {"403", 403, plain, "", said_no, permanent, false},
        {"429", 429, plain, "", retryable, retryable, false},
        {"500", 500, plain, "boom", said_no, maybe, false},
        {"502", 502, "text/html", page, said_no, maybe, false},
        {"503", 503, plain, "", said_no, maybe, false},
        {"504", 504, plain, "", said_no, maybe, false},
        {"a sign-in page", 200, "text/html", page, said_no, maybe, false},
        {"a sign-in page called JSON", 200, json, page, said_no, maybe, false},
        {"an empty 200", 200, json, "", said_no, not_sure, false},
        {"a 204", 204, "", "", said_no | ONE(HM_VERDICT_OK) | ONE(HM_VERDICT_MORE), not_sure, false},
        {"garbage", 200, json, "\x01\xff\xfe not json", said_no, not_sure, false},
        {"half an answer", 200, json, cut_text, said_no, not_sure, false},
        {"JSON of endless depth", 200, json, deep_text, said_no, not_sure, false},
        {"a text", 200, json, "\"ok\"", said_no, not_sure, true},
        {"null", 200, json, "null", said_no, not_sure, true},
        {"an empty list", 200, json, "[]", said_no, not_sure, true},
        {"an empty object", 200, json, "{}", said_no, not_sure, true},
        {"a list of numbers", 200, json, "[1, 2]", said_no, not_sure, true},
        {"another object", 200, json, "{\"a\": {\"b\": [null]}}", said_no, not_sure, true},
        {"a very long list of another kind", 200, json, long_text, said_no, not_sure, true},
    };
    check_all(s, odd, HM_ARRAY_LEN(odd));
}

/* A program's exit status tells of a refusal only where somebody has written it down (setting `refusals`). */
static void play_program(const struct subject *s)
{
    const struct odd_answer odd[] = {
        {"exit status 1", 1, "", "", said_no, ONE(HM_VERDICT_MAYBE), false},
        {"exit status 1 and garbage", 1, "", "\x01\xff\xfe", said_no, ONE(HM_VERDICT_MAYBE), false},
        {"exit status 127", 127, "", "", said_no, ONE(HM_VERDICT_MAYBE), false},
        {"killed", 137, "", "", said_no | ONE(HM_VERDICT_MAYBE), ONE(HM_VERDICT_MAYBE), false},
    };
    if (hm_json_get_arr(s->backend.settings, "refusals") == NULL)
        check_all(s, odd, HM_ARRAY_LEN(odd));
}

/* Each golden case that is a request is a subject. How many there were. */
static size_t play_case(const struct hm_handler *handler, const struct hm_action *action, const json_t *c, json_t *empty)
{
    const char *kind = hm_json_get_str(hm_json_get_obj(hm_json_get_obj(c, "expect"), "request"), "kind", NULL);
    if (kind == NULL)
        return 0;
    json_t *settings = hm_json_get_obj(c, "settings");
    struct subject s = {.handler = handler,
                        .action = action,
                        .args = json_object_get(c, "args"),
                        .cursor = json_object_get(c, "cursor"),
                        .name = hm_json_get_str(c, "case", "")};
    char *url = hm_xasprintf("https://%s.example.com", handler->name), *program = hm_xasprintf("/usr/bin/%s", handler->name);
    char *name = hm_xstrdup(handler->name);
    bool is_http = hm_streq(kind, "http");
    s.backend = (struct hm_backend){.name = name,
                                    .handler = name,
                                    .url = is_http ? url : NULL,
                                    .program = is_http ? NULL : program,
                                    .settings = settings != NULL ? settings : empty,
                                    .headers = empty};
    if (is_http)
        play_http(&s);
    else
        play_program(&s);
    free(name);
    free(program);
    free(url);
    return 1;
}

static void test_odd_answers(void **state)
{
    json_t *empty = hm_json_obj_new();
    (void)state;
    deep_text = many("", "[", DEEP, "");
    cut_text = many("{\"items\": [", "{\"name\": \"x\"}, ", 3, "{\"na");
    long_text = many("{\"a\": [0", ",0", LONG, "]}");
    for (const struct hm_handler *const *handler = hm_handlers; *handler != NULL; handler++) {
        for (const struct hm_action *const *action = (*handler)->actions; *action != NULL; action++) {
            char *path =
                hm_xasprintf("%s/tests/golden/%s/%s.json", HM_SOURCE_DIR, (*handler)->name, strchr((*action)->name, '.') + 1);
            json_t *cases = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
            size_t n = 0;
            for (size_t i = 0; i < json_array_size(cases); i++)
                n += play_case(*handler, *action, json_array_get(cases, i), empty);
            if (n == 0)
                fail_msg("%s has no case that is a request", path);
            json_decref(cases);
            free(path);
        }
    }
    assert_int_equal(wrong, 0);
    free(long_text);
    free(cut_text);
    free(deep_text);
    json_decref(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_odd_answers)};
    return cmocka_run_group_tests_name("answers", tests, NULL, NULL);
}
