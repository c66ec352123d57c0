/* What follows from an alarm: see follow.h. */
#include "alarm/follow.h"

#include <stdlib.h>

#include "alarm/fields.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "slack/escape.h"

enum { EACH_MAX = 5, NAMED_MAX = 20 /* of those left out */, SAY_MAX = 6000 };

json_t *hm_alarm_scope_new(const struct hm_alarm_rule *rule, const json_t *values, const json_t *known)
{
    json_t *scope = hm_json_obj_new();
    for (size_t i = 0; i < rule->n_fields; i++) {
        const char *name = rule->fields[i].param.name;
        json_t *value = json_object_get(values, name);
        hm_json_set(scope, name, value != NULL ? json_incref(value) : json_null());
    }
    hm_json_set_str(scope, "day", hm_json_get_str(values, "day", ""));
    hm_json_set_str(scope, "sender", hm_json_get_str(values, "sender", ""));
    hm_json_set(scope, "known", known != NULL ? json_incref(hm_unconst(known)) : hm_json_obj_new());
    return scope;
}

static void add_problem(json_t *problems, const char *what, const struct hm_err *err)
{
    if (problems == NULL)
        return;
    char *text = hm_xasprintf("%s: %s", what, err->msg);
    hm_json_add(problems, hm_json_str_new(text));
    free(text);
}

/* NULL holds. */
static bool holds(const struct hm_expr *when, const json_t *scope, const char *what, json_t *problems)
{
    struct hm_err err = {0};
    bool yes = true;
    if (when != NULL && hm_expr_true(when, scope, &yes, &err) != HM_OK) {
        add_problem(problems, what, &err);
        return false;
    }
    return yes;
}

/* The entry of a list as a person would type it. */
static void add_item(struct hm_strbuf *out, const json_t *item)
{
    char *text = json_is_string(item) ? hm_xstrdup(json_string_value(item)) : hm_json_text(item);
    hm_slack_add_code(out, text);
    free(text);
}

/* An offer for each entry of a list has an end: what has no button of its own is named, with the way to it. */
static void add_left_out(struct hm_strbuf *out, const struct hm_alarm_start *start, const json_t *scope)
{
    json_t *items = start->each != NULL ? hm_expr_eval_new(start->each, scope, NULL) : NULL;
    size_t count = json_array_size(items);
    if (count > EACH_MAX && holds(start->when, scope, start->recipe, NULL)) {
        size_t end = count < EACH_MAX + NAMED_MAX ? count : EACH_MAX + NAMED_MAX;
        hm_strbuf_addf(out, "%s:warning: Only the first %d of %zu have a button. Start ", out->len > 0 ? "\n" : "", EACH_MAX,
                       count);
        hm_slack_add_code(out, start->recipe);
        hm_strbuf_adds(out, " by hand for the others: ");
        for (size_t i = EACH_MAX; i < end; i++) {
            hm_strbuf_adds(out, i > EACH_MAX ? ", " : "");
            add_item(out, json_array_get(items, i));
        }
        if (end < count)
            hm_strbuf_addf(out, " and %zu more, which stand in the message", count - end);
        hm_strbuf_addc(out, '.');
        if (count >= HM_ALARM_MANY_MAX)
            hm_strbuf_addf(out, " More than %d are not looked for: see whether the message has others.", HM_ALARM_MANY_MAX);
    }
    json_decref(items);
}

char *hm_alarm_say(const struct hm_alarm_rule *rule, const json_t *scope, json_t *problems)
{
    struct hm_err err = {0};
    struct hm_strbuf out;
    hm_strbuf_init(&out, SAY_MAX);
    for (size_t i = 0; i < rule->n_say; i++) {
        if (!holds(rule->say[i].when, scope, "say", problems))
            continue;
        char *text = hm_template_render(rule->say[i].say, HM_SINK_MRKDWN, scope, &err);
        if (text == NULL) {
            add_problem(problems, "say", &err);
            continue;
        }
        if (out.len > 0)
            hm_strbuf_addc(&out, '\n');
        hm_strbuf_adds(&out, text);
        free(text);
    }
    for (size_t i = 0; i < rule->n_offers; i++)
        add_left_out(&out, &rule->offers[i], scope);
    return hm_strbuf_take(&out);
}

/* The start as JSON; NULL when it can not be made. */
static json_t *start_new(const struct hm_alarm_start *start, const json_t *scope, json_t *problems)
{
    struct hm_err err = {0};
    char *label = start->label != NULL ? hm_template_render(start->label, HM_SINK_PLAIN, scope, &err) : NULL;
    json_t *with = start->with != NULL ? hm_args_render_new(start->with, scope, &err) : hm_json_obj_new();
    json_t *made = NULL;
    if (with == NULL || (start->label != NULL && label == NULL)) {
        add_problem(problems, start->recipe, &err);
    } else {
        made = hm_json_obj_new();
        hm_json_set_str(made, "recipe", start->recipe);
        hm_json_set(made, "with", json_incref(with));
        if (label != NULL) {
            hm_json_set_str(made, "label", label);
            hm_json_set_str(made, "style", start->primary ? "primary" : start->danger ? "danger" : "");
        }
    }
    json_decref(with);
    free(label);
    return made;
}

static void add_start(json_t *list, const struct hm_alarm_start *start, const json_t *scope, json_t *problems)
{
    json_t *made = start_new(start, scope, problems);
    if (made != NULL && start->each != NULL)
        hm_json_set_bool(made, "each", true);
    if (made != NULL)
        hm_json_add(list, made);
}

static void add_each(json_t *list, const struct hm_alarm_start *start, const json_t *scope, json_t *problems)
{
    struct hm_err err = {0};
    size_t i = 0;
    json_t *item = NULL;
    json_t *items = hm_expr_eval_new(start->each, scope, &err);
    if (items == NULL)
        add_problem(problems, start->recipe, &err);
    json_array_foreach(items, i, item)
    {
        json_t *inner = i < EACH_MAX ? json_copy(hm_unconst(scope)) : NULL;
        if (inner == NULL)
            break;
        hm_json_set(inner, "item", json_incref(item));
        add_start(list, start, inner, problems);
        json_decref(inner);
    }
    json_decref(items);
}

static json_t *starts_new(const struct hm_alarm_start *starts, size_t n, const json_t *scope, json_t *problems)
{
    json_t *list = hm_json_arr_new();
    for (size_t i = 0; i < n; i++) {
        if (!holds(starts[i].when, scope, starts[i].recipe, problems))
            continue;
        if (starts[i].each != NULL)
            add_each(list, &starts[i], scope, problems);
        else
            add_start(list, &starts[i], scope, problems);
    }
    return list;
}

json_t *hm_alarm_offers_new(const struct hm_alarm_rule *rule, const json_t *scope, json_t *problems)
{
    return starts_new(rule->offers, rule->n_offers, scope, problems);
}

json_t *hm_alarm_autos_new(const struct hm_alarm_rule *rule, const json_t *scope, json_t *problems)
{
    return starts_new(rule->autos, rule->n_autos, scope, problems);
}

json_t *hm_alarm_memories_new(const struct hm_alarm_rule *rule, const json_t *scope, json_t *problems)
{
    json_t *list = hm_json_arr_new();
    for (size_t i = 0; i < rule->n_memories; i++) {
        const struct hm_alarm_memory *memory = &rule->memories[i];
        struct hm_err err = {0};
        if (!holds(memory->when, scope, memory->key, problems))
            continue;
        json_t *fields = hm_args_render_new(memory->fields, scope, &err);
        if (fields == NULL) {
            add_problem(problems, memory->key, &err);
            continue;
        }
        json_t *made = hm_json_obj_new();
        hm_json_set_str(made, "key", memory->key);
        hm_json_set(made, "fields", fields);
        if (memory->before != NULL) {
            hm_json_set_str(made, "before", memory->before);
            hm_json_set_str(made, "changes", memory->changes);
        }
        hm_json_add(list, made);
    }
    return list;
}
