/* Lists that params are chosen from: see lists.h. */
#include "app/lists.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/result.h"
#include "io/timer.h"
#include "run/plan.h"
#include "view/choices.h"

enum {
    FRESH_MS = 30 * 1000,
    FAILED_FRESH_MS = 5 * 1000,
    REQUEST_MS = 10 * 1000,
    READ_MS = 30 * 1000, /* all pages together */
    PAGES_MAX = 100,
    KEPT_MAX = 64
};

/* Somebody who waits. */
struct waiter {
    struct reading *reading;
    hm_list_fn fn;
    void *arg;
    struct hm_timer *timer; /* his patience */
    struct waiter *next;
};

/* One list, being read or read. */
struct reading {
    struct hm_lists *lists;
    char key[HM_SHA256_HEX];
    const struct hm_settings *settings; /* held */
    const struct hm_recipe *recipe;     /* held */
    const struct hm_param_list *list;   /* the recipe's */
    const struct hm_backend *backend;   /* the settings' */
    json_t *scope, *args, *cursor;
    struct hm_timer *page_timer; /* the backend still works at the next page */
    unsigned pages;
    int64_t began_ms, done_ms; /* monotonic; done_ms 0 = under way */
    bool flying;               /* a request is */
    bool telling;              /* … those who wait, who may want it forgotten meanwhile */
    bool forgotten;
    json_t *choices; /* NULL = not there, or failed: */
    char *why;
    struct waiter *waiters;
    struct reading *next;
};

struct hm_lists {
    uv_loop_t *loop;
    const struct hm_clock *clock;
    struct hm_backends *backends;
    const struct hm_settings *settings;
    struct reading *readings;
    size_t count;
    bool stopped;
};

static void ask_page(struct reading *r);

/* ---- waiting ----------------------------------------------------------------------------------------------------------------
 */

static void tell(struct waiter *w, const struct hm_list_answer *answer)
{
    hm_list_fn fn = w->fn;
    void *arg = w->arg;
    hm_timer_free(w->timer);
    free(w);
    fn(arg, answer);
}

static void tell_all(struct reading *r, const struct hm_list_answer *answer)
{
    struct waiter *w = r->waiters;
    r->waiters = NULL; /* whom it is told may ask again */
    while (w != NULL) {
        struct waiter *next = w->next;
        tell(w, answer);
        w = next;
    }
}

static void on_impatient(void *arg)
{
    struct waiter *w = arg;
    struct waiter **at = &w->reading->waiters;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    tell(w, &(const struct hm_list_answer){.state = HM_LIST_LATE, .why = ""});
}

static void wait_for(struct reading *r, int64_t within_ms, hm_list_fn fn, void *arg)
{
    struct waiter *w = hm_xcalloc(1, sizeof *w);
    *w = (struct waiter){.reading = r, .fn = fn, .arg = arg, .next = r->waiters};
    w->timer = hm_timer_new(r->lists->loop, on_impatient, w);
    hm_timer_start(w->timer, within_ms);
    r->waiters = w;
}

/* ---- readings ---------------------------------------------------------------------------------------------------------------
 */

static void free_reading(struct reading *r)
{
    hm_timer_free(r->page_timer);
    json_decref(r->scope);
    json_decref(r->args);
    json_decref(r->cursor);
    json_decref(r->choices);
    free(r->why);
    hm_recipe_free(r->recipe);
    hm_settings_free(r->settings);
    free(r);
}

static void remove_reading(struct reading *r)
{
    struct reading **at = &r->lists->readings;
    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    r->lists->count--;
    free_reading(r);
}

/* Nobody finds it any more; what is under way comes to its end. */
static void forget(struct reading *r)
{
    r->forgotten = true;
    if (r->done_ms != 0 && !r->telling)
        remove_reading(r);
}

static void forget_all(struct hm_lists *lists)
{
    struct reading *r = lists->readings;
    while (r != NULL) {
        struct reading *next = r->next;
        forget(r);
        r = next;
    }
}

static struct hm_list_answer answer_of(const struct reading *r)
{
    return (struct hm_list_answer){
        .state = r->choices != NULL ? HM_LIST_READY : HM_LIST_FAILED, .choices = r->choices, .why = r->why != NULL ? r->why : ""};
}

/* It is over, one way or the other. May free it. */
static void finish(struct reading *r)
{
    const struct hm_list_answer answer = answer_of(r);
    r->done_ms = hm_mono_ms(r->lists->clock);
    if (r->choices == NULL)
        hm_log(HM_LOG_WARN, "list", "%s on %s: %s", r->list->call.action->name, r->backend->name, r->why);
    r->telling = true;
    tell_all(r, &answer);
    r->telling = false;
    if (r->forgotten)
        remove_reading(r);
}

/* It is there already. May free it. */
static void tell_at_once(struct reading *r, hm_list_fn fn, void *arg)
{
    const struct hm_list_answer answer = answer_of(r);
    bool outer = r->telling;
    r->telling = true;
    fn(arg, &answer);
    r->telling = outer;
    if (r->forgotten && !outer)
        remove_reading(r);
}

static void fail(struct reading *r, const char *why)
{
    free(r->why);
    r->why = hm_utf8_clean(why, strlen(why));
    finish(r);
}

static void on_page_timer(void *arg)
{
    ask_page(arg);
}

static void next_page(struct reading *r, const struct hm_outcome *out)
{
    json_decref(r->cursor);
    r->cursor = json_incref(out->cursor);
    if (r->lists->stopped || ++r->pages >= PAGES_MAX || hm_mono_ms(r->lists->clock) - r->began_ms > READ_MS)
        fail(r, "it has too many pages");
    else
        hm_timer_start(r->page_timer, out->wait_ms);
}

static void judge(struct reading *r, const struct hm_answer *answer)
{
    struct hm_outcome out = {0};
    struct hm_err err = {0};
    switch (hm_action_response(r->list->call.action, r->backend, r->args, r->cursor, answer, &out)) {
    case HM_VERDICT_OK:
        r->choices = hm_choices_new(r->list, out.result, r->scope, &err);
        if (r->choices != NULL)
            finish(r);
        else
            fail(r, err.msg);
        break;
    case HM_VERDICT_MORE:
        next_page(r, &out);
        break;
    case HM_VERDICT_RETRYABLE:
    case HM_VERDICT_PERMANENT:
    case HM_VERDICT_NOT_FOUND:
    case HM_VERDICT_MAYBE:
    case HM_VERDICT_NR:
        fail(r, out.err.msg);
        break;
    }
    json_decref(out.result);
    json_decref(out.cursor);
}

static void on_answer(void *arg, const struct hm_http_result *result)
{
    struct reading *r = arg;
    r->flying = false;
    if (result->answer.transport != HM_TRANSPORT_ANSWER)
        fail(r, result->answer.problem != NULL ? result->answer.problem : "no answer");
    else
        judge(r, &result->answer);
}

static void ask_page(struct reading *r)
{
    struct hm_request req;
    struct hm_err err = {0};
    hm_request_init(&req);
    if (r->list->call.action->request(r->backend, r->args, r->cursor, &req, &err) != HM_OK) {
        fail(r, err.msg);
    } else {
        const struct hm_send send = {.timeout_ms = REQUEST_MS, .read = true, .on_done = on_answer, .arg = r};
        r->flying = true;
        hm_backends_send(r->lists->backends, r->backend, &req, &send);
    }
    hm_request_done(&req);
}

/* ---- what is asked for ------------------------------------------------------------------------------------------------------
 */

/* A param's value as it would be now, null when it has none or when what was typed does not fit. New reference. */
static json_t *value_of(const struct hm_param *param, const struct hm_list_query *query)
{
    struct hm_err err = {0};
    json_t *scope = hm_json_obj_new();
    json_t *one = hm_json_obj_new();
    json_t *given = json_object_get(query->values, param->name);
    hm_json_set(scope, "known", query->known != NULL ? json_incref(hm_unconst(query->known)) : hm_json_obj_new());
    if (given != NULL)
        hm_json_set(one, param->name, json_incref(given));
    json_t *values = hm_param_values_new(param, 1, one, scope, NULL, &err);
    json_t *value = values != NULL ? json_incref(json_object_get(values, param->name)) : json_null();
    json_decref(values);
    json_decref(one);
    json_decref(scope);
    return value;
}

/* params, environ and known. New reference. */
static json_t *scope_new(const struct hm_lists *lists, const struct hm_list_query *query)
{
    const struct hm_recipe *recipe = query->recipe;
    json_t *scope = hm_json_obj_new();
    json_t *fields = NULL;
    for (size_t i = 0; i < recipe->n_params; i++) {
        json_t *value = value_of(&recipe->params[i], query);
        if (recipe->params[i].is_environment && json_is_string(value))
            fields = hm_json_get_obj(lists->settings->environments, json_string_value(value));
        hm_json_set(scope, recipe->params[i].name, value);
    }
    hm_json_set(scope, "environ", fields != NULL ? json_incref(fields) : hm_json_obj_new());
    hm_json_set(scope, "known", query->known != NULL ? json_incref(hm_unconst(query->known)) : hm_json_obj_new());
    return scope;
}

/* The first param that the list needs and that has no value yet, or NULL. */
static const struct hm_param *lacking(const struct hm_list_query *query, const json_t *scope)
{
    const struct hm_recipe *recipe = query->recipe;
    for (size_t i = 0; i < recipe->n_params; i++) {
        const struct hm_param *param = &recipe->params[i];
        if (hm_param_list_needs(query->param->list, param) && !param->optional &&
            json_is_null(json_object_get(scope, param->name)))
            return param;
    }
    return NULL;
}

/* What stands in its field does not fit, or nothing does, as far as we were told. It goes into one line of a select. */
static enum hm_code say_lacking(const struct hm_param *param, const struct hm_list_query *query, struct hm_err *err)
{
    struct hm_err why = {0};
    json_t *value = hm_param_value_new(param, json_object_get(query->values, param->name), &why);
    bool fits = value != NULL;
    json_decref(value);
    return fits ? hm_err_set(err, HM_EINVAL, "First fill in %s (once more, if it is there)", param->name)
                : hm_err_set(err, HM_EINVAL, "First correct %s: it does not fit", param->name);
}

static const struct hm_backend *find_backend(void *arg, const char *name)
{
    return hm_settings_backend(arg, name);
}

/* What the read is made of, and what else its values and labels are made of. */
static void take_key(const struct reading *r, const char *param, char ret_key[HM_SHA256_HEX])
{
    struct hm_sha256 *hash = hm_sha256_new();
    char *args = hm_json_text(r->args);
    hm_sha256_add_field(hash, r->recipe->sha256);
    hm_sha256_add_field(hash, param);
    hm_sha256_add_field(hash, r->backend->name);
    hm_sha256_add_field(hash, args);
    for (char **need = r->list->needs; *need != NULL; need++) {
        const json_t *value = json_object_get(r->scope, *need);
        char *text = hm_json_text(value != NULL ? value : json_null());
        hm_sha256_add_field(hash, text);
        free(text);
    }
    hm_sha256_take(hash, ret_key);
    free(args);
}

/* A reading that has not begun, for its key. NULL with err set; *ret_lacks: because a param has no value yet. */
static struct reading *reading_new(struct hm_lists *lists, const struct hm_list_query *query, bool *ret_lacks, struct hm_err *err)
{
    const struct hm_param_list *list = query->param->list;
    const struct hm_run_env env = {.backend = find_backend, .arg = hm_unconst(lists->settings)};
    struct hm_rendered rendered;
    json_t *scope = scope_new(lists, query);
    const struct hm_param *lacks = lacking(query, scope);
    hm_rendered_init(&rendered);
    *ret_lacks = lacks != NULL;
    enum hm_code code =
        lacks != NULL ? say_lacking(lacks, query, err) : hm_plan_render(&env, &list->call, scope, NULL, &rendered, err);
    struct reading *r = NULL;
    if (code == HM_OK) {
        r = hm_xcalloc(1, sizeof *r);
        *r = (struct reading){.lists = lists,
                              .settings = hm_settings_ref(lists->settings),
                              .recipe = hm_recipe_ref(query->recipe),
                              .list = list,
                              .backend = rendered.backend,
                              .scope = json_incref(scope),
                              .args = json_incref(rendered.args)};
        r->page_timer = hm_timer_new(lists->loop, on_page_timer, r);
        take_key(r, query->param->name, r->key);
    }
    hm_rendered_done(&rendered);
    json_decref(scope);
    return r;
}

/* The one that is there already with this key, still fresh or under way; NULL when there is none. */
static struct reading *find(struct hm_lists *lists, const char *key)
{
    int64_t now_ms = hm_mono_ms(lists->clock);
    for (struct reading *r = lists->readings; r != NULL; r = r->next) {
        int64_t fresh_ms = r->choices != NULL ? FRESH_MS : FAILED_FRESH_MS;
        if (!r->forgotten && strcmp(r->key, key) == 0 && (r->done_ms == 0 || now_ms - r->done_ms < fresh_ms))
            return r;
    }
    return NULL;
}

/* Makes room: what is over and oldest goes. */
static void keep_few(struct hm_lists *lists)
{
    struct reading *oldest = NULL;
    for (struct reading *r = lists->readings; r != NULL; r = r->next)
        if (r->done_ms != 0 && !r->telling && (oldest == NULL || r->done_ms < oldest->done_ms))
            oldest = r;
    if (lists->count >= KEPT_MAX && oldest != NULL)
        remove_reading(oldest);
}

void hm_lists_ask(struct hm_lists *lists, const struct hm_list_query *query, int64_t within_ms, hm_list_fn fn, void *arg)
{
    struct hm_err err = {0};
    bool lacks = false;
    if (lists->stopped) {
        fn(arg, &(const struct hm_list_answer){.state = HM_LIST_GONE, .why = ""});
        return;
    }
    struct reading *fresh = reading_new(lists, query, &lacks, &err);
    if (fresh == NULL) {
        fn(arg, &(const struct hm_list_answer){.state = lacks ? HM_LIST_LACKS : HM_LIST_FAILED, .why = err.msg});
        return;
    }
    struct reading *r = find(lists, fresh->key);
    if (r != NULL) {
        free_reading(fresh);
        if (r->done_ms != 0)
            tell_at_once(r, fn, arg);
        else
            wait_for(r, within_ms, fn, arg);
        return;
    }
    keep_few(lists);
    fresh->next = lists->readings;
    lists->readings = fresh;
    lists->count++;
    fresh->began_ms = hm_mono_ms(lists->clock);
    wait_for(fresh, within_ms, fn, arg);
    ask_page(fresh); /* answered later, or refused now: then whoever waits has been told */
}

/* The one that a query would get now, or NULL. */
static struct reading *find_for(struct hm_lists *lists, const struct hm_list_query *query)
{
    struct hm_err err = {0};
    bool lacks = false;
    struct reading *fresh = lists->stopped ? NULL : reading_new(lists, query, &lacks, &err);
    struct reading *r = fresh != NULL ? find(lists, fresh->key) : NULL;
    if (fresh != NULL)
        free_reading(fresh);
    return r;
}

const json_t *hm_lists_peek(struct hm_lists *lists, const struct hm_list_query *query)
{
    const struct reading *r = find_for(lists, query);
    return r != NULL ? r->choices : NULL;
}

void hm_lists_forget(struct hm_lists *lists, const struct hm_list_query *query)
{
    struct reading *r = find_for(lists, query);
    if (r != NULL)
        forget(r);
}

/* ---- life -------------------------------------------------------------------------------------------------------------------
 */

struct hm_lists *hm_lists_new(uv_loop_t *loop, const struct hm_clock *clock, struct hm_backends *borrowed_backends)
{
    struct hm_lists *lists = hm_xcalloc(1, sizeof *lists);
    *lists = (struct hm_lists){.loop = loop, .clock = clock, .backends = borrowed_backends};
    return lists;
}

void hm_lists_free(struct hm_lists *lists)
{
    if (lists == NULL)
        return;
    hm_lists_stop(lists);
    while (lists->readings != NULL)
        remove_reading(lists->readings);
    hm_settings_free(lists->settings);
    free(lists);
}

void hm_lists_use(struct hm_lists *lists, const struct hm_settings *settings)
{
    forget_all(lists);
    const struct hm_settings *before = lists->settings;
    lists->settings = hm_settings_ref(settings);
    hm_settings_free(before);
}

void hm_lists_stop(struct hm_lists *lists)
{
    lists->stopped = true;
    for (struct reading *r = lists->readings; r != NULL; r = r->next) {
        hm_timer_stop(r->page_timer);
        tell_all(r, &(const struct hm_list_answer){.state = HM_LIST_GONE, .why = ""});
    }
}
