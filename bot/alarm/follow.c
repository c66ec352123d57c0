/* What follows from an alarm: see follow.h. */
#include "alarm/follow.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"

enum { EACH_MAX = 5, SAY_MAX = 6000 };

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
