/* The rig for message slots: see post_rig.h. */
#include "post_rig.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "unit.h"

enum { MAX_NOTES = 100000 };

struct call calls[MAX_CALLS];
unsigned n_calls;
struct hm_strbuf notes;
int64_t now_ms;
struct hm_poster *poster;
void (*in_posted)(const char *key);
void (*in_shown)(const char *key);
const char *newest;
static int64_t wake_at_ms;

static int64_t fake_time(void *arg)
{
    (void)arg;
    return now_ms;
}
static const struct hm_clock fake_clock = {.wall_ms = fake_time, .mono_ms = fake_time};

static void fake_call(void *arg, const char *method, json_t *stolen_args, hm_web_fn on_done, void *done_arg)
{
    (void)arg;
    assert_true(n_calls < MAX_CALLS);
    calls[n_calls++] = (struct call){.method = hm_xstrdup(method), .args = stolen_args, .on_done = on_done, .arg = done_arg};
}

static void fake_respond(void *arg, const char *url, json_t *stolen_body, hm_web_fn on_done, void *done_arg)
{
    fake_call(arg, url, stolen_body, on_done, done_arg);
}

static void fake_wake_in(void *arg, int64_t after_ms)
{
    (void)arg;
    wake_at_ms = now_ms + after_ms;
}

static void on_posted(void *arg, const char *key, const char *channel, const char *ts)
{
    (void)arg;
    hm_strbuf_addf(&notes, "posted %s %s %s;", key, channel, ts);
    if (in_posted != NULL)
        in_posted(key);
}

static void on_shown(void *arg, const char *key, const char *digest)
{
    (void)arg;
    assert_int_equal(strlen(digest), 64);
    hm_strbuf_addf(&notes, "shown %s;", key);
    if (in_shown != NULL)
        in_shown(key);
}

static void on_trouble(void *arg, const char *key, const struct hm_post_trouble *t)
{
    static const char *const names[] = {"later", "token", "place", "shortened", "content", "gone"};
    (void)arg;
    hm_strbuf_addf(&notes, "%s %s %s;", names[t->kind], key, t->error);
}

static json_t *content(void *arg, const char *key)
{
    (void)arg;
    hm_strbuf_addf(&notes, "asked %s;", key);
    return newest != NULL ? content_of(newest) : NULL;
}

static const struct hm_poster_slack seam = {.call = fake_call, .respond = fake_respond, .wake_in = fake_wake_in};

int set_up(void **state)
{
    struct hm_poster_opts o = {.slack = seam,
                               .clock = &fake_clock,
                               .on_posted = on_posted,
                               .on_shown = on_shown,
                               .on_trouble = on_trouble,
                               .content = content};
    (void)state;
    now_ms = 5000000;
    wake_at_ms = INT64_MAX;
    n_calls = 0;
    hm_strbuf_init(&notes, MAX_NOTES);
    in_posted = NULL;
    in_shown = NULL;
    newest = NULL;
    poster = hm_poster_new(&o);
    return 0;
}

int tear_down(void **state)
{
    (void)state;
    hm_poster_free(poster);
    hm_strbuf_done(&notes);
    for (unsigned i = 0; i < n_calls; i++) {
        if (calls[i].on_done != NULL)
            answer(i, HM_EIO, "", NULL); /* as the Web API does at its end; the poster is gone */
        json_decref(calls[i].args);
        free(calls[i].method);
    }
    return 0;
}

/* Moves the clock on, waking the poster whenever it asked for it. */
void advance(int64_t ms)
{
    int64_t until = now_ms + ms;
    while (wake_at_ms <= until) {
        now_ms = wake_at_ms > now_ms ? wake_at_ms : now_ms;
        wake_at_ms = INT64_MAX;
        hm_poster_turn(poster);
    }
    now_ms = until;
}

void answer(unsigned i, enum hm_code code, const char *error, const char *body)
{
    json_t *json = body != NULL ? hm_json_parse_new(body, strlen(body), 100000, NULL) : NULL;
    struct hm_web_answer a = {
        .code = code, .error = error, .sentence = code == HM_OK ? "" : "sentence", .body = json, .fatal = code == HM_EENV};
    hm_web_fn on_done = calls[i].on_done;
    assert_true(i < n_calls);
    assert_non_null(on_done);
    calls[i].on_done = NULL;
    on_done(calls[i].arg, &a);
    json_decref(json);
}

void answer_posted(unsigned i, const char *ts)
{
    char *body = hm_xasprintf("{\"ok\":true,\"ts\":\"%s\"}", ts);
    answer(i, HM_OK, "", body);
    free(body);
}

json_t *content_of(const char *text)
{
    json_t *obj = hm_json_obj_new();
    json_t *blocks = hm_json_arr_new();
    hm_json_set_str(obj, "text", text);
    hm_json_add(blocks, json_string("block"));
    hm_json_set(obj, "blocks", blocks);
    return obj;
}

void show(const char *key, const char *text, bool urgent)
{
    unsigned before = n_calls;
    hm_poster_show(poster, key, content_of(text), urgent);
    assert_int_equal(n_calls, before); /* only in a turn */
}

const char *arg_of(unsigned i, const char *path)
{
    assert_true(i < n_calls);
    const json_t *value = hm_json_get_path(calls[i].args, path);
    return json_is_string(value) ? json_string_value(value) : "";
}

json_t *parse(const char *text)
{
    json_t *value = hm_json_parse_new(text, strlen(text), 100000, NULL);
    assert_non_null(value);
    return value;
}

void expect_call(unsigned i, const char *method, const char *text)
{
    assert_int_equal(n_calls, i + 1);
    assert_string_equal(calls[i].method, method);
    assert_string_equal(arg_of(i, "text"), text);
}

void expect_notes(const char *want)
{
    assert_string_equal(hm_strbuf_str(&notes), want);
    hm_strbuf_reset(&notes);
}

/* A slot with its message at Slack. Uses one call. */
void post_one(const char *key, const char *channel, const char *ts)
{
    hm_poster_open(poster, key, channel, NULL);
    show(key, "first", false);
    advance(0);
    answer_posted(n_calls - 1, ts);
    advance(2000);
    hm_strbuf_reset(&notes);
}
