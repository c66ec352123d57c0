/* decide, what people are asked and offered: `ask`, `manual`, `on_error = "ask"`, `offer`, and taking a partial run up again for
 * what failed. See decide.h.
 *
 * Happy path: the question opens with a nonce → somebody who may answers → the step goes on with the answer. Failure modes: a
 * question nobody answers in its time ends the run; a second answer is told who was first; an answer that does not fit is told
 * why, and the question stays open. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "run/decide_parts.h"

enum { MAX_CHOICES = 10000, LABEL_MAX = 150, ANSWER_MAX = 300 };

/* A new QUESTION_OPENED. stolen_text: mrkdwn. */
static json_t *question_new(struct hm_deciding *d, int index, enum hm_question_kind kind, const char *text)
{
    char nonce[17];
    json_t *data = hm_step_data_new(d->run, index);
    d->env->nonce(d->env->arg, nonce);
    hm_json_set_str(data, "kind", hm_question_kind_name(kind));
    hm_json_set_str(data, "nonce", nonce);
    hm_json_set_str(data, "text", text);
    return data;
}

/* ---- ask ------------------------------------------------------------------------------------------------------------- */

/* What the list's items are called, plain text; NULL with err set. */
static json_t *labels_new(const struct hm_step *step, const json_t *items, const json_t *scope, struct hm_err *err)
{
    json_t *labels = hm_json_arr_new();
    json_t *own = json_copy(hm_unconst(scope));
    size_t i = 0;
    json_t *item = NULL;
    json_array_foreach(items, i, item)
    {
        hm_json_set(own, "item", json_incref(item));
        char *label = NULL;
        if (step->ask.label != NULL)
            label = hm_template_render(step->ask.label, HM_SINK_PLAIN, own, err);
        else
            label = json_is_string(item) ? hm_xstrdup(json_string_value(item)) : hm_json_text(item);
        if (label == NULL) {
            json_decref(labels);
            labels = NULL;
            break;
        }
        hm_json_add(labels, hm_json_strn_new(label, hm_utf8_take(label, LABEL_MAX)));
        free(label);
    }
    json_decref(own);
    return labels;
}

/* The list to choose from and its labels into data. False with err set; *ret_empty when there is nothing to choose. */
static bool add_choices(const struct hm_step *step, const json_t *scope, json_t *data, bool *ret_empty, struct hm_err *err)
{
    json_t *labels = NULL;
    json_t *items = hm_expr_eval_new(step->ask.from, scope, err);
    if (items != NULL && (!json_is_array(items) || json_array_size(items) > MAX_CHOICES))
        (void)hm_err_set(err, HM_EINVAL, "\"%s\" is not a list of at most %d items", hm_expr_text(step->ask.from),
                         (int)MAX_CHOICES);
    else if (items != NULL)
        labels = labels_new(step, items, scope, err);
    *ret_empty = json_array_size(items) == 0;
    if (labels != NULL) {
        hm_json_set(data, "items", json_incref(items));
        hm_json_set(data, "labels", labels);
    }
    json_decref(items);
    return labels != NULL;
}

void hm_decide_start_ask(struct hm_deciding *d, int index, const json_t *scope)
{
    const struct hm_step *step = &d->run->recipe->steps[index];
    struct hm_err err = {0};
    bool empty = false;
    char *text = hm_template_render(step->ask.question, HM_SINK_MRKDWN, scope, &err);
    enum hm_question_kind kind = step->ask.from != NULL ? HM_QUESTION_CHOOSE : HM_QUESTION_FILL;
    json_t *data = question_new(d, index, kind, text != NULL ? text : "");
    bool ok = text != NULL && (kind == HM_QUESTION_FILL || add_choices(step, scope, data, &empty, &err));
    if (!ok) {
        hm_emit_step_failure(d, index, err.msg);
    } else {
        hm_emit(d, HM_EV_STEP_STARTED, hm_step_data_new(d->run, index));
        if (empty) {
            hm_decide_finish_asked(d, index, step->ask.many ? hm_json_arr_new() : json_null());
        } else {
            hm_json_set_int(data, "expires", d->env->now_ms + step->ask.expires_ms);
            hm_emit(d, HM_EV_QUESTION_OPENED, json_incref(data));
        }
    }
    json_decref(data);
    free(text);
}

/* ---- manual ---------------------------------------------------------------------------------------------------------- */

void hm_decide_start_manual(struct hm_deciding *d, int index, const json_t *scope)
{
    const struct hm_step *step = &d->run->recipe->steps[index];
    struct hm_err err = {0};
    char *text = hm_template_render(step->manual, HM_SINK_MRKDWN, scope, &err);
    if (text == NULL) {
        hm_emit_step_failure(d, index, err.msg);
        return;
    }
    hm_emit(d, HM_EV_STEP_STARTED, hm_step_data_new(d->run, index));
    json_t *data = question_new(d, index, HM_QUESTION_DONE, text);
    if (step->manual_expires_ms > 0)
        hm_json_set_int(data, "expires", d->env->now_ms + step->manual_expires_ms);
    hm_emit(d, HM_EV_QUESTION_OPENED, data);
    free(text);
}

/* ---- errors ---------------------------------------------------------------------------------------------------------- */

void hm_decide_ask_error(struct hm_deciding *d, int index, const char *error, bool can_retry)
{
    json_t *data = question_new(d, index, HM_QUESTION_ERROR, error);
    hm_json_set_bool(data, "retry", can_retry);
    hm_emit(d, HM_EV_QUESTION_OPENED, data);
}

/* ---- time ------------------------------------------------------------------------------------------------------------ */

static bool is_expired(const struct hm_deciding *d, const struct hm_question *q)
{
    return q->expires_ms > 0 && d->env->now_ms >= q->expires_ms;
}

static void expire(struct hm_deciding *d)
{
    hm_emit_end(d, HM_RUN_EXPIRED,
                d->run->effect_started ? "Nobody answered in time; the rest was not done."
                                       : "Nobody answered in time. Nothing was changed.",
                NULL);
}

void hm_decide_question_time(struct hm_deciding *d)
{
    const struct hm_question *q = hm_run_open_question(d->run);
    if (q == NULL || !is_expired(d, q))
        return;
    if (q->kind == HM_QUESTION_DONE && d->run->recipe->steps[d->run->at].manual_goes_on) {
        json_t *value = hm_json_obj_new();
        hm_json_set(value, "by", json_null());
        hm_json_set(value, "evidence", json_null());
        hm_json_set_bool(value, "expired", true);
        hm_decide_finish_asked(d, d->run->at, value);
    } else {
        expire(d);
    }
}

/* ---- answers --------------------------------------------------------------------------------------------------------- */

static void emit_answered(struct hm_deciding *d, const struct hm_input *in, const char *answer)
{
    json_t *data = hm_step_data_new(d->run, d->run->at);
    hm_json_set_str(data, "nonce", in->nonce);
    hm_json_set_str(data, "user", in->user);
    hm_json_set(data, "answer", hm_json_strn_new(answer, hm_utf8_take(answer, ANSWER_MAX)));
    hm_emit(d, HM_EV_QUESTION_ANSWERED, data);
    hm_reply_with(d, HM_REPLY_ANSWERED, in->user, d->env->now_ms);
}

static void reply_bad(struct hm_deciding *d, const struct hm_input *in, const char *why)
{
    hm_reply_with(d, HM_REPLY_BAD_ANSWER, in->user, 0);
    hm_reply_typed(d, why);
}

/* The place in the list that text names, or -1. */
static int64_t place_of(const struct hm_question *q, const json_t *text)
{
    int64_t place = -1;
    size_t n = json_array_size(q->items);
    if (!json_is_string(text) || n == 0 || !hm_parse_i64(json_string_value(text), 0, (int64_t)n - 1, &place))
        return -1;
    return place;
}

/* The chosen items in the list's order, each once, and their names; NULL when a place is none. */
static json_t *chosen_new(const struct hm_question *q, const json_t *choice, struct hm_strbuf *names)
{
    size_t n = json_array_size(q->items);
    bool *is_chosen = hm_xcalloc(n + 1, sizeof is_chosen[0]);
    json_t *chosen = hm_json_arr_new();
    bool ok = true;
    for (size_t i = 0; i < json_array_size(choice) && ok; i++) {
        int64_t place = place_of(q, json_array_get(choice, i));
        ok = place >= 0;
        if (ok)
            is_chosen[place] = true;
    }
    for (size_t i = 0; i < n && ok; i++) {
        if (!is_chosen[i])
            continue;
        const char *label = json_string_value(json_array_get(q->labels, i));
        hm_json_add(chosen, json_incref(json_array_get(q->items, i)));
        hm_strbuf_addf(names, "%s%s", names->len > 0 ? ", " : "", label != NULL ? label : "?");
    }
    free(is_chosen);
    if (ok)
        return chosen;
    json_decref(chosen);
    return NULL;
}

/* choice: a text or a list of texts. A new value for the step, or NULL. */
static json_t *choice_value_new(const struct hm_step *step, const struct hm_question *q, json_t *choice, struct hm_strbuf *names)
{
    json_t *list = json_is_array(choice) ? json_incref(choice) : hm_json_arr_new();
    if (json_is_string(choice))
        hm_json_add(list, json_incref(choice));
    bool fits = step->ask.many ? json_array_size(list) > 0 : json_array_size(list) == 1;
    json_t *chosen = fits ? chosen_new(q, list, names) : NULL;
    json_decref(list);
    if (chosen == NULL || step->ask.many)
        return chosen;
    json_t *one = json_incref(json_array_get(chosen, 0));
    json_decref(chosen);
    return one;
}

static void add_field_words(struct hm_strbuf *words, const json_t *values)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(hm_unconst(values), name, value)
    {
        char *text = json_is_string(value) ? NULL : hm_json_text(value);
        hm_strbuf_addf(words, "%s%s: %s", words->len > 0 ? ", " : "", name, text != NULL ? text : json_string_value(value));
        free(text);
    }
}

static void answer_ask(struct hm_deciding *d, const struct hm_question *q, const struct hm_input *in)
{
    const struct hm_step *step = &d->run->recipe->steps[d->run->at];
    struct hm_err err = {0};
    struct hm_strbuf words;
    const char *text = in->typed != NULL ? in->typed : "";
    json_t *raw = hm_json_parse_new(text, strlen(text), 1000000, &err);
    json_t *value = NULL;
    hm_strbuf_init(&words, 100000);
    if (raw != NULL && q->kind == HM_QUESTION_CHOOSE) {
        (void)hm_err_set(&err, HM_EINVAL, step->ask.many ? "choose at least one of the list" : "choose one of the list");
        value = choice_value_new(step, q, json_object_get(raw, "choice"), &words);
    } else if (raw != NULL) {
        json_t *scope = hm_run_scope_new(d->run, d->env);
        value = hm_param_values_new(step->ask.fields, step->ask.n_fields, raw, scope, NULL, &err);
        add_field_words(&words, value);
        json_decref(scope);
    }
    if (value == NULL) {
        reply_bad(d, in, err.msg);
    } else {
        emit_answered(d, in, hm_strbuf_str(&words));
        hm_decide_finish_asked(d, d->run->at, value);
    }
    hm_strbuf_done(&words);
    json_decref(raw);
}

static void answer_done(struct hm_deciding *d, const struct hm_input *in)
{
    const struct hm_step *step = &d->run->recipe->steps[d->run->at];
    const char *evidence = step->evidence && in->reason != NULL ? in->reason : "";
    json_t *value = hm_json_obj_new();
    hm_json_set_str(value, "by", in->user);
    hm_json_set(value, "evidence", evidence[0] != '\0' ? hm_json_str_new(evidence) : json_null());
    hm_json_set_bool(value, "expired", false);
    emit_answered(d, in, evidence);
    hm_decide_finish_asked(d, d->run->at, value);
}

static void answer_error(struct hm_deciding *d, const struct hm_question *q, const struct hm_input *in)
{
    int index = d->run->at;
    const struct hm_step_state *state = &d->run->steps[index];
    if (in->kind == HM_IN_RETRY && !q->can_retry) {
        reply_bad(d, in, "trying again would repeat what has happened; skip it, or stop");
        return;
    }
    emit_answered(d, in, in->kind == HM_IN_RETRY ? "retry" : in->kind == HM_IN_SKIP ? "skip" : "stop");
    if (in->kind == HM_IN_RETRY) {
        json_t *data = hm_step_data_new(d->run, index);
        bool calls_failed = state->n_in[HM_CALL_FAILED] > state->n_excused;
        hm_json_set_str(data, "user", in->user);
        if (!calls_failed && state->verify.phase == HM_CALL_FAILED)
            hm_json_set_bool(data, "verify", true);
        else if (!calls_failed)
            hm_json_set_bool(data, "all", true);
        hm_emit(d, HM_EV_CALLS_AGAIN, data);
    } else if (in->kind == HM_IN_GIVE_UP) {
        char *title = hm_mrkdwn_of(hm_step_title(&d->run->recipe->steps[index]));
        char *text = hm_xasprintf("*%s*: %s%s", title, q->text, d->run->effect_started ? "" : " Nothing was changed.");
        hm_emit_end(d, HM_RUN_FAILED, text, in->user);
        free(text);
        free(title);
    }
}

/* The question with this nonce wherever it stands, or NULL. */
static const struct hm_question *find_question(const struct hm_run *run, const char *nonce)
{
    for (size_t i = 0; i < run->recipe->n_steps; i++) {
        const struct hm_question *q = &run->steps[i].question;
        if (nonce != NULL && q->nonce[0] != '\0' && strcmp(q->nonce, nonce) == 0)
            return q;
    }
    return NULL;
}

static bool fits_kind(enum hm_question_kind kind, enum hm_input_kind in)
{
    if (kind == HM_QUESTION_CHOOSE || kind == HM_QUESTION_FILL)
        return in == HM_IN_CHOOSE;
    if (kind == HM_QUESTION_DONE)
        return in == HM_IN_DONE;
    return in == HM_IN_RETRY || in == HM_IN_SKIP || in == HM_IN_GIVE_UP;
}

void hm_click_question(struct hm_deciding *d, const struct hm_input *in)
{
    const struct hm_run *run = d->run;
    const struct hm_question *q = find_question(run, in->nonce);
    if (q != NULL && q->answered_by != NULL) {
        hm_reply_with(d, HM_REPLY_WAS_ANSWERED, q->answered_by, q->answered_ms);
        return;
    }
    if (q == NULL || q != hm_run_open_question(run) || !fits_kind(q->kind, in->kind)) {
        hm_reply_late(d);
        return;
    }
    if (is_expired(d, q)) {
        hm_reply_with(d, HM_REPLY_EXPIRED, "", q->expires_ms);
        expire(d);
        return;
    }
    bool error = q->kind == HM_QUESTION_ERROR;
    if (error ? !hm_may_decide(d, in, hm_step_roles(run, run->at)) : !hm_may_or_own(d, in, run->recipe->who))
        return;
    if (error)
        answer_error(d, q, in);
    else if (q->kind == HM_QUESTION_DONE)
        answer_done(d, in);
    else
        answer_ask(d, q, in);
}

/* ---- offers ---------------------------------------------------------------------------------------------------------- */

/* One offer as it is made now, or NULL: not wanted (err clean), or it can not be said (err set). */
static json_t *offer_new(struct hm_deciding *d, const struct hm_offer *offer, const json_t *scope, struct hm_err *err)
{
    bool wanted = true;
    char nonce[17];
    if (offer->when != NULL && (hm_expr_true(offer->when, scope, &wanted, err) != HM_OK || !wanted))
        return NULL;
    char *label = hm_template_render(offer->label, HM_SINK_PLAIN, scope, err);
    json_t *with = offer->with != NULL ? hm_args_render_new(offer->with, scope, err) : hm_json_obj_new();
    json_t *data = NULL;
    if (label != NULL && with != NULL) {
        data = hm_json_obj_new();
        d->env->nonce(d->env->arg, nonce);
        hm_json_set_str(data, "nonce", nonce);
        hm_json_set_str(data, "recipe", offer->recipe);
        hm_json_set_str(data, "label", label);
        hm_json_set(data, "with", json_incref(with));
    }
    json_decref(with);
    free(label);
    return data;
}

void hm_decide_start_offer(struct hm_deciding *d, int index, json_t *scope)
{
    const struct hm_step *step = &d->run->recipe->steps[index];
    struct hm_err err = {0};
    json_t *list = hm_json_arr_new();
    for (size_t i = 0; i < step->n_offers && err.code == HM_OK; i++) {
        json_t *offer = offer_new(d, &step->offers[i], scope, &err);
        if (offer != NULL)
            hm_json_add(list, offer);
    }
    if (err.code != HM_OK) {
        hm_emit_step_failure(d, index, err.msg);
    } else if (json_array_size(list) == 0) {
        hm_emit(d, HM_EV_STEP_SKIPPED, hm_step_data_new(d->run, index));
    } else {
        json_t *data = hm_step_data_new(d->run, index);
        hm_json_set(data, "offers", json_incref(list));
        hm_emit(d, HM_EV_STEP_STARTED, hm_step_data_new(d->run, index));
        hm_emit(d, HM_EV_OFFERS_MADE, data);
        hm_emit_finished(d, index, true, hm_json_obj_new(), NULL, NULL);
    }
    json_decref(list);
}

/* Who may start the offered recipe is asked of that recipe, by whoever hands the click in. */
void hm_click_offer(struct hm_deciding *d, const struct hm_input *in)
{
    int index = -1;
    const struct hm_made_offer *offer = in->nonce != NULL ? hm_run_find_offer(d->run, in->nonce, &index) : NULL;
    if (offer == NULL) {
        hm_reply_late(d);
        return;
    }
    bool same_click =
        offer->taken_by != NULL && strcmp(offer->taken_by, in->user) == 0 && in->typed != NULL && hm_streq(offer->key, in->typed);
    if (offer->taken_by != NULL && !same_click) {
        hm_reply_with(d, HM_REPLY_OFFER_GONE, offer->taken_by, offer->taken_ms);
        return;
    }
    if (!same_click) {
        json_t *data = hm_step_data_new(d->run, index);
        hm_json_set_str(data, "nonce", in->nonce);
        hm_json_set_str(data, "user", in->user);
        hm_json_set_str(data, "key", in->typed != NULL ? in->typed : "");
        hm_emit(d, HM_EV_OFFER_TAKEN, data);
    }
    hm_reply_with(d, HM_REPLY_OFFER_TAKEN, in->user, d->env->now_ms);
    d->reply->offer = offer;
}

/* ---- once more, for what failed -------------------------------------------------------------------------------------- */

void hm_click_retry_failed(struct hm_deciding *d, const struct hm_input *in)
{
    const struct hm_run *run = d->run;
    size_t failed = hm_run_retryable(run);
    if (failed == 0) {
        hm_reply_with(d, HM_REPLY_NONE_FAILED, "", run->ended_ms);
        d->reply->status = run->status;
        return;
    }
    if (!hm_may_or_own(d, in, run->recipe->who))
        return;
    json_t *data = hm_json_obj_new();
    hm_json_set_str(data, "user", in->user);
    hm_json_set_int(data, "deadline", d->env->now_ms + run->recipe->timeout_ms);
    hm_emit(d, HM_EV_RUN_REOPENED, data);
    if (run->lock != NULL)
        (void)hm_decide_blocked(d);
    hm_reply_with(d, HM_REPLY_REOPENED, in->user, d->env->now_ms);
    d->reply->have = (unsigned)failed;
}

/* ---- locks ----------------------------------------------------------------------------------------------------------- */

json_t *hm_blocker_data_new(const char *lock, const struct hm_blocker *blocker)
{
    json_t *data = hm_json_obj_new();
    hm_json_set_str(data, "lock", lock);
    hm_json_set_str(data, "holder", blocker->run_id);
    hm_json_set_str(data, "user", blocker->user);
    hm_json_set_int(data, "since", blocker->since_ms);
    return data;
}

bool hm_decide_blocked(struct hm_deciding *d)
{
    const struct hm_run *run = d->run;
    const struct hm_run_env *env = d->env;
    struct hm_blocker blocker = {0};
    if (env->blocked == NULL || !env->blocked(env->lock_arg, run->lock, run->id, &blocker))
        return false;
    if (!run->lock_wait.waiting || !hm_streq(run->lock_wait.holder, blocker.run_id))
        hm_emit(d, HM_EV_LOCK_WAITED, hm_blocker_data_new(run->lock, &blocker));
    return true;
}
