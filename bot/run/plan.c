/* The plan: see plan.h.
 *
 * Happy path: for each effectful step that the gate guards, the list of items is evaluated, each item's arguments are rendered
 * and the action builds the request; all of it goes into one SHA-256. Failure: a value that is missing, a backend that is not
 * configured, an action that refuses its arguments: one sentence naming the step. */
#include "run/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "recipe/args_check.h"

enum { MAX_ITEMS = 10000 };

void hm_rendered_init(struct hm_rendered *rendered)
{
    *rendered = (struct hm_rendered){0};
    hm_request_init(&rendered->req);
}

void hm_rendered_done(struct hm_rendered *rendered)
{
    json_decref(rendered->args);
    hm_request_done(&rendered->req);
    hm_rendered_init(rendered);
}

void hm_plan_done(struct hm_plan *plan)
{
    for (size_t i = 0; i < plan->n_calls; i++)
        json_decref(plan->calls[i].request);
    free(plan->calls);
    *plan = (struct hm_plan){0};
}

/* The backend a call goes to: what `on` says, else the one named like the handler. */
static const struct hm_backend *pick_backend(const struct hm_run_env *env, const struct hm_call_spec *spec, const json_t *scope,
                                             struct hm_err *err)
{
    const char *dot = strchr(spec->action->name, '.');
    size_t handler_len = dot != NULL ? (size_t)(dot - spec->action->name) : strlen(spec->action->name);
    char *name =
        spec->on != NULL ? hm_template_render(spec->on, HM_SINK_PLAIN, scope, err) : hm_xstrndup(spec->action->name, handler_len);
    if (name == NULL)
        return NULL;

    const struct hm_backend *backend = env->backend(env->arg, name);
    if (backend == NULL)
        (void)hm_err_set(err, HM_EENV, "no backend \"%s\" is configured", name);
    else if (strlen(backend->handler) != handler_len || strncmp(backend->handler, spec->action->name, handler_len) != 0) {
        (void)hm_err_set(err, HM_EENV, "backend \"%s\" is a %s; %s can not run on it", name, backend->handler,
                         spec->action->name);
        backend = NULL;
    }
    free(name);
    return backend;
}

static bool is_of(const struct hm_backend *backend, const char *handler, size_t len)
{
    return backend != NULL && strlen(backend->handler) == len && strncmp(backend->handler, handler, len) == 0;
}

const struct hm_backend *hm_plan_probe_backend(const struct hm_run_env *env, const char *call, const struct hm_action *probe,
                                               const char *on)
{
    size_t len = strcspn(probe->name, ".");
    const struct hm_backend *own = env->backend(env->arg, call != NULL ? call : "");
    const struct hm_backend *found = NULL;
    if (on != NULL) {
        found = env->backend(env->arg, on);
    } else if (is_of(own, probe->name, len)) {
        found = own;
    } else if (own != NULL) {
        size_t own_len = strlen(own->handler);
        bool alike = strncmp(own->name, own->handler, own_len) == 0 && own->name[own_len] == '-';
        char *name = hm_xasprintf("%.*s%s", (int)len, probe->name, alike ? own->name + own_len : "");
        found = env->backend(env->arg, name);
        free(name);
    }
    return is_of(found, probe->name, len) ? found : NULL;
}

enum hm_code hm_plan_render(const struct hm_run_env *env, const struct hm_call_spec *spec, const json_t *scope,
                            const json_t *cursor, struct hm_rendered *ret_rendered, struct hm_err *err)
{
    const struct hm_backend *backend = pick_backend(env, spec, scope, err);
    if (backend == NULL)
        return err != NULL && err->code != HM_OK ? err->code : HM_EENV;

    json_t *args = spec->with != NULL ? hm_args_render_new(spec->with, scope, err) : hm_json_obj_new();
    if (args == NULL)
        return err != NULL && err->code != HM_OK ? err->code : HM_EINVAL;

    ret_rendered->backend = backend;
    ret_rendered->args = args;
    enum hm_code code = hm_args_check(spec->action, args, err);
    if (code != HM_OK)
        return code;
    return spec->action->request(backend, args, cursor, &ret_rendered->req, err);
}

json_t *hm_plan_item_scope_new(const struct hm_step *step, const json_t *items, int item, json_t *scope)
{
    if (step->foreach == NULL)
        return json_incref(scope);
    json_t *own = json_copy(scope); /* shallow: the values are shared */
    json_t *value = json_array_get(items, (size_t)item);
    hm_json_set(own, step->as, value != NULL ? json_incref(value) : json_null());
    return own;
}

/* The items of a step as they are now: frozen ones if it has begun. A new reference; NULL with err set. */
static json_t *step_items_new(const struct hm_step *step, const struct hm_step_state *state, const json_t *scope,
                              struct hm_err *err)
{
    if (state->items != NULL)
        return json_incref(state->items);
    json_t *items = hm_expr_eval_new(step->foreach, scope, err);
    if (items != NULL && (!json_is_array(items) || json_array_size(items) > MAX_ITEMS)) {
        (void)hm_err_set(err, HM_EINVAL, "\"%s\" is not a list of at most %d items", hm_expr_text(step->foreach), (int)MAX_ITEMS);
        json_decref(items);
        return NULL;
    }
    return items;
}

static bool is_settled(const struct hm_step_state *state, size_t item)
{
    if (state->phase != HM_PHASE_PENDING && state->phase != HM_PHASE_ACTIVE)
        return true; /* the step is over: nothing of it is sent any more */
    if (state->phase != HM_PHASE_ACTIVE || item >= state->n_calls)
        return false;
    return state->calls[item].phase == HM_CALL_OK || state->calls[item].phase == HM_CALL_FAILED;
}

/* What the plan is being put together with. */
struct builder {
    const struct hm_run *run;
    const struct hm_run_env *env;
    json_t *scope;
    struct hm_plan *plan;
    struct hm_sha256 *hash;
};

static enum hm_code add_call(struct builder *b, int index, int item, const json_t *items, struct hm_err *err)
{
    const struct hm_step *step = &b->run->recipe->steps[index];
    struct hm_rendered rendered;
    hm_rendered_init(&rendered);
    json_t *scope = hm_plan_item_scope_new(step, items, item, b->scope);
    enum hm_code code = hm_plan_render(b->env, &step->call, scope, NULL, &rendered, err);
    if (code == HM_OK) {
        struct hm_planned *planned = &b->plan->calls[b->plan->n_calls++];
        char *item_text = items != NULL ? hm_json_text(json_array_get(items, (size_t)item)) : hm_xstrdup("");
        *planned = (struct hm_planned){.step = index, .item = item, .request = hm_request_json_new(&rendered.req)};
        hm_request_digest(&rendered.req, planned->digest);
        hm_sha256_add_field(b->hash, step->id);
        hm_sha256_add_field(b->hash, item_text);
        hm_sha256_add_field(b->hash, planned->digest);
        free(item_text);
    }
    json_decref(scope);
    hm_rendered_done(&rendered);
    return code;
}

static enum hm_code add_step(struct builder *b, int index, struct hm_err *err)
{
    const struct hm_step *step = &b->run->recipe->steps[index];
    const struct hm_step_state *state = &b->run->steps[index];
    json_t *items = NULL;
    size_t n = 1;
    enum hm_code code = HM_OK;

    if (step->when != NULL) {
        bool holds = false;
        code = hm_expr_true(step->when, b->scope, &holds, err);
        if (code != HM_OK || !holds)
            return code;
    }
    if (step->foreach != NULL) {
        items = step_items_new(step, state, b->scope, err);
        if (items == NULL)
            return HM_EINVAL;
        n = json_array_size(items);
    }
    b->plan->calls = hm_xreallocarray(b->plan->calls, b->plan->n_calls + n, sizeof b->plan->calls[0]);
    for (size_t item = 0; item < n && code == HM_OK; item++)
        if (!is_settled(state, item))
            code = add_call(b, index, (int)item, items, err);
    json_decref(items);
    return code;
}

enum hm_code hm_plan_build(const struct hm_run *run, const struct hm_run_env *env, int gate, struct hm_plan *ret_plan,
                           struct hm_err *err)
{
    enum hm_code code = HM_OK;
    char *params = hm_json_text(run->params);
    *ret_plan = (struct hm_plan){0};
    struct builder b = {run, env, hm_run_scope_new(run, env), ret_plan, hm_sha256_new()};

    hm_sha256_add_field(b.hash, run->accepted_sha != NULL ? run->accepted_sha : run->recipe->sha256);
    hm_sha256_add_field(b.hash, params);
    for (size_t i = (size_t)gate + 1; i < run->recipe->n_steps && code == HM_OK; i++) {
        const struct hm_step *step = &run->recipe->steps[i];
        if (step->kind == HM_STEP_DO && step->effect != HM_EFFECT_READ && step->gate == gate) {
            code = add_step(&b, (int)i, err);
            if (code != HM_OK)
                (void)hm_err_wrap(err, "step %s", step->id);
        }
    }
    hm_sha256_take(b.hash, ret_plan->digest);
    json_decref(b.scope);
    free(params);
    if (code != HM_OK)
        hm_plan_done(ret_plan);
    return code;
}

enum hm_code hm_request_from_json(const json_t *json, struct hm_request *ret_req, struct hm_err *err)
{
    const char *kind = hm_json_get_str(json, "kind", "");
    hm_request_init(ret_req);
    if (strcmp(kind, "argv") == 0) {
        const json_t *argv = hm_json_get_arr(json, "argv");
        size_t n = json_array_size(argv);
        ret_req->kind = HM_REQUEST_ARGV;
        ret_req->argv = hm_xcalloc(n + 1, sizeof ret_req->argv[0]);
        for (size_t i = 0; i < n; i++) {
            const char *word = json_string_value(json_array_get(argv, i));
            ret_req->argv[i] = hm_xstrdup(word != NULL ? word : "");
        }
        const json_t *remedy = hm_json_get_arr(json, "remedy");
        for (size_t i = 0; i < json_array_size(remedy); i++) {
            const char *word = json_string_value(json_array_get(remedy, i));
            hm_request_add_remedy_word(ret_req, word != NULL ? word : "");
        }
        return n > 0 ? HM_OK : hm_err_set(err, HM_EBUG, "a recorded command is empty");
    }
    const char *method = hm_json_get_str(json, "method", NULL);
    const char *url = hm_json_get_str(json, "url", NULL);
    if (strcmp(kind, "http") != 0 || method == NULL || url == NULL)
        return hm_err_set(err, HM_EBUG, "a recorded request can not be read");

    const char *key = NULL;
    const json_t *value = NULL;
    json_t *body = json_object_get(json, "body");
    ret_req->kind = HM_REQUEST_HTTP;
    ret_req->method = hm_xstrdup(method);
    ret_req->url = hm_xstrdup(url);
    json_object_foreach(hm_json_get_obj(json, "headers"), key, value)
        hm_request_add_header(ret_req, key, json_is_string(value) ? json_string_value(value) : "");
    if (json_is_string(body)) {
        ret_req->body_len = json_string_length(body);
        ret_req->body = hm_xmemdup(json_string_value(body), ret_req->body_len + 1);
    }
    return HM_OK;
}
