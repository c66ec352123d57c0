/* The loader: what a step calls. The action must exist, its arguments must fit what it declares, the backend must be one of its
 * handler's. See load.h. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "base/suggest.h"
#include "base/text.h"
#include "recipe/load.h"

enum { MAX_NAME = 80, PATH_SIZE = 160 };

static const int64_t day_ms = 86400000;

/* ---- the action -------------------------------------------------------------------------------------------------------- */

/* Nothing is near: which ones the handler has. False when there is no such handler either. */
static bool add_actions_of(const struct hm_cfg_node *node, const char *name)
{
    size_t len = strcspn(name, ".");
    for (size_t h = 0; hm_handlers[h] != NULL; h++) {
        const struct hm_handler *handler = hm_handlers[h];
        if (strlen(handler->name) != len || memcmp(handler->name, name, len) != 0)
            continue;
        struct hm_strbuf actions;
        hm_strbuf_init(&actions, 2000);
        for (size_t a = 0; handler->actions[a] != NULL; a++)
            hm_strbuf_addf(&actions, "%s%s", a > 0 ? " " : "", handler->actions[a]->name + len + 1);
        hm_cfg_add_here(node, "there is no action \"%s\"; %s has: %s", name, handler->name, hm_strbuf_str(&actions));
        hm_strbuf_done(&actions);
        return true;
    }
    return false;
}

/* The first action that is called so behind its handler's name; NULL when there is none. */
static const struct hm_action *action_of_any(const char *bare)
{
    for (size_t h = 0; hm_handlers[h] != NULL; h++)
        for (size_t a = 0; hm_handlers[h]->actions[a] != NULL; a++)
            if (hm_streq(strchr(hm_handlers[h]->actions[a]->name, '.') + 1, bare))
                return hm_handlers[h]->actions[a];
    return NULL;
}

static const struct hm_action *find_action(const struct hm_cfg_node *node, const char *name)
{
    char meant[120];
    struct hm_suggest s;
    const struct hm_action *action = hm_action_find(name);
    if (action != NULL)
        return action;
    hm_suggest_init(&s, name);
    for (size_t h = 0; hm_handlers[h] != NULL; h++)
        for (size_t a = 0; hm_handlers[h]->actions[a] != NULL; a++)
            hm_suggest_try(&s, hm_handlers[h]->actions[a]->name);
    const struct hm_action *bare = strchr(name, '.') == NULL ? action_of_any(name) : NULL;
    if (bare != NULL) {
        hm_cfg_add_here(node, "there is no action \"%s\"; did you mean \"%s\"?", name, bare->name);
        return NULL;
    }
    if (hm_suggest_text(&s, meant, sizeof meant)[0] == '\0' && add_actions_of(node, name))
        return NULL;
    hm_cfg_add_here(node, "there is no action \"%s\"%s", name, meant);
    return NULL;
}

/* ---- its arguments ----------------------------------------------------------------------------------------------------- */

const char *hm_arg_type_text(enum hm_arg_type type)
{
    switch (type) {
    case HM_ARG_STRING:
        return "a string";
    case HM_ARG_UUID:
        return "a uuid";
    case HM_ARG_INT:
        return "a whole number";
    case HM_ARG_BOOL:
        return "true or false";
    case HM_ARG_LIST:
        return "a list";
    case HM_ARG_OBJECT:
        return "a group";
    case HM_ARG_NR:
        break;
    }
    return "?";
}

/* What a string in the file may stand for. */
enum text_kind { TEXT_LITERAL, TEXT_VALUE, TEXT_MIXED };

static enum text_kind kind_of(const char *text)
{
    struct hm_template *tpl = hm_template_parse(text, NULL);
    enum text_kind kind = TEXT_VALUE; /* a broken one has its finding already */
    if (tpl != NULL && !hm_template_is_value(tpl))
        kind = hm_template_is_literal(tpl) ? TEXT_LITERAL : TEXT_MIXED;
    hm_template_free(tpl);
    return kind;
}

static bool string_fits(enum hm_arg_type type, const char *text)
{
    enum text_kind kind = kind_of(text);
    if (kind == TEXT_VALUE)
        return true; /* its type shows when the recipe runs */
    if (type == HM_ARG_UUID && kind == TEXT_LITERAL)
        return hm_is_uuid(text);
    return type == HM_ARG_STRING || type == HM_ARG_UUID;
}

static bool fits(const struct hm_cfg_node *node, enum hm_arg_type type)
{
    switch (hm_cfg_type(node)) {
    case HM_CFG_STRING:
        return string_fits(type, hm_cfg_string(node));
    case HM_CFG_INT:
        return type == HM_ARG_INT;
    case HM_CFG_BOOL:
        return type == HM_ARG_BOOL;
    case HM_CFG_LIST:
        return type == HM_ARG_LIST;
    case HM_CFG_GROUP:
        return type == HM_ARG_OBJECT;
    case HM_CFG_NUMBER:
    case HM_CFG_TYPE_NR:
        break;
    }
    return false;
}

/* One ${…} alone: what it must be is seen when all steps are known. */
static void want(struct hm_loader *l, const struct hm_cfg_node *node, enum hm_arg_type type)
{
    for (size_t i = 0; i < l->n_notes; i++)
        if (l->notes[i].node == node)
            l->notes[i].wanted = type;
}

/* what: what one of the specs is called. */
static void check_arg(struct hm_loader *l, const struct hm_action *action, const struct hm_arg_spec *specs, const char *what,
                      const struct hm_cfg_node *node)
{
    char path[PATH_SIZE];
    char meant[120];
    struct hm_suggest s;
    hm_suggest_init(&s, hm_cfg_name(node));
    for (const struct hm_arg_spec *spec = specs; spec != NULL && spec->name != NULL; spec++) {
        hm_suggest_try(&s, spec->name);
        if (strcmp(spec->name, hm_cfg_name(node)) != 0)
            continue;
        want(l, node, spec->type);
        if (!fits(node, spec->type))
            hm_cfg_add(node, "%s must be %s or one ${…} alone: %s says so%s", hm_cfg_path(node, path, sizeof path),
                       hm_arg_type_text(spec->type), action->name,
                       hm_cfg_type(node) == HM_CFG_STRING && (spec->type == HM_ARG_INT || spec->type == HM_ARG_BOOL)
                           ? "; write it without quotes"
                           : "");
        return;
    }
    hm_cfg_add_here(node, "%s has no %s \"%s\"%s", action->name, what, hm_cfg_name(node),
                    hm_suggest_text(&s, meant, sizeof meant));
}

/* Something that is given, and not only said to be missing: false and ( ) are as good as nothing. */
static bool is_given(const struct hm_cfg_node *with, const char *name, bool for_sure)
{
    for (size_t i = 0; with != NULL && i < hm_cfg_count(with); i++) {
        const struct hm_cfg_node *node = hm_cfg_at(with, i);
        if (strcmp(hm_cfg_name(node), name) != 0)
            continue;
        switch (hm_cfg_type(node)) {
        case HM_CFG_STRING: /* one ${…} alone drops out when it is null */
            return hm_cfg_string(node)[0] != '\0' && !(for_sure && kind_of(hm_cfg_string(node)) == TEXT_VALUE);
        case HM_CFG_LIST:
            return hm_cfg_count(node) > 0;
        case HM_CFG_BOOL:
            return hm_cfg_truth(node);
        case HM_CFG_GROUP:
        case HM_CFG_INT:
        case HM_CFG_NUMBER:
        case HM_CFG_TYPE_NR:
            break;
        }
        return true;
    }
    return false;
}

/* All arguments of a way: "env+service". */
static bool way_is_given(const struct hm_cfg_node *with, const char *way, bool for_sure)
{
    bool all = true;
    while (*way != '\0' && all) {
        size_t len = strcspn(way, "+");
        char *name = hm_xstrndup(way, len);
        all = is_given(with, name, for_sure);
        free(name);
        way += len + (way[len] == '+' ? 1 : 0);
    }
    return all;
}

static void check_choice(const struct hm_action *action, const struct hm_cfg_node *group, const struct hm_cfg_node *with)
{
    const struct hm_arg_choice *choice = action->choice;
    size_t given = 0, sure = 0;
    struct hm_strbuf names;
    for (size_t i = 0; choice != NULL && choice->ways[i] != NULL; i++) {
        given += way_is_given(with, choice->ways[i], false) ? 1 : 0;
        sure += way_is_given(with, choice->ways[i], true) ? 1 : 0;
    }
    if (choice == NULL)
        return;
    hm_strbuf_init(&names, 200);
    hm_choice_text(choice, "", &names);
    if (given == 0 && choice->choose != HM_CHOOSE_ONE_OR_NONE)
        hm_cfg_add_here(with != NULL ? with : group, "%s needs %s; add %s", action->name, hm_strbuf_str(&names),
                        with != NULL ? "one" : "one to `with`");
    else if (sure > 1 && choice->choose != HM_CHOOSE_ANY)
        hm_cfg_add_here(with, "%s takes %s, not both; take one out", action->name, hm_strbuf_str(&names));
    hm_strbuf_done(&names);
}

/* with: may be NULL. */
static void check_args(struct hm_loader *l, const struct hm_action *action, const struct hm_cfg_node *group,
                       const struct hm_cfg_node *with)
{
    for (size_t i = 0; with != NULL && i < hm_cfg_count(with); i++)
        check_arg(l, action, action->args, "argument", hm_cfg_at(with, i));
    for (const struct hm_arg_spec *spec = action->args; spec->name != NULL; spec++)
        if (spec->required && (with == NULL || !hm_cfg_has(with, spec->name)))
            hm_cfg_add_here(with != NULL ? with : group, "%s needs %s (%s); add it%s", action->name, spec->name,
                            spec->help != NULL ? spec->help : hm_arg_type_text(spec->type), with != NULL ? "" : " to `with`");
    if (!l->again)
        check_choice(action, group, with);
}

/* ---- its backend ------------------------------------------------------------------------------------------------------- */

static const struct hm_handler *handler_of(const struct hm_action *action)
{
    for (size_t h = 0; hm_handlers[h] != NULL; h++)
        for (size_t a = 0; hm_handlers[h]->actions[a] != NULL; a++)
            if (hm_handlers[h]->actions[a] == action)
                return hm_handlers[h];
    return NULL;
}

/* on: NULL or a template that may be a literal. */
static void check_backend(const struct hm_loader *l, struct hm_cfg_node *group, const struct hm_handler *handler,
                          const struct hm_template *on)
{
    char meant[120];
    size_t n_own = 0;
    struct hm_suggest s;
    const struct hm_cfg_node *node = hm_cfg_get(group, on != NULL ? "on" : "do", HM_CFG_OPTIONAL);
    const char *wanted = on != NULL ? hm_template_text(on) : handler->name;

    hm_suggest_init(&s, wanted);
    for (size_t i = 0; i < l->names->n_backends; i++) {
        const struct hm_backend *backend = l->names->backends[i];
        bool own = strcmp(backend->handler, handler->name) == 0;
        n_own += own ? 1 : 0;
        if (own)
            hm_suggest_try(&s, backend->name);
        if (strcmp(backend->name, wanted) != 0)
            continue;
        if (!own)
            hm_cfg_add_here(node, "backend \"%s\" belongs to handler %s, this action to %s", wanted, backend->handler,
                            handler->name);
        return;
    }
    if (n_own == 0)
        hm_cfg_add_here(node, "the settings have no backend with handler = \"%s\"; add one", handler->name);
    else if (on == NULL)
        hm_cfg_add_here(node, "no backend bears the name \"%s\"; say which one with on = \"…\"", wanted);
    else if (hm_template_is_literal(on))
        hm_cfg_add_here(node, "there is no backend \"%s\"%s", wanted, hm_suggest_text(&s, meant, sizeof meant));
}

void hm_load_call(struct hm_loader *l, struct hm_cfg_node *group, unsigned scope, struct hm_call_spec *spec)
{
    const char *name = hm_cfg_get_str(group, "do", HM_CFG_REQUIRED, MAX_NAME);
    spec->on = hm_load_template(l, group, "on", HM_CFG_OPTIONAL, MAX_NAME, scope | HM_SCOPE_FULL);
    spec->with = hm_load_args(l, group, "with", scope);
    spec->action = name != NULL ? find_action(hm_cfg_get(group, "do", HM_CFG_OPTIONAL), name) : NULL;
    if (spec->action == NULL)
        return;
    const struct hm_cfg_node *with = hm_cfg_get(group, "with", HM_CFG_OPTIONAL);
    if (with == NULL || hm_cfg_type(with) == HM_CFG_GROUP)
        check_args(l, spec->action, group, with);
    const struct hm_handler *handler = handler_of(spec->action);
    if (l->names != NULL && handler != NULL)
        check_backend(l, group, handler, spec->on);
}

void hm_load_call_free(struct hm_call_spec *spec)
{
    hm_template_free(spec->on);
    hm_args_template_free(spec->with);
}

/* ---- verify and probe -------------------------------------------------------------------------------------------------- */

void hm_load_verify(struct hm_loader *l, struct hm_cfg_node *group, struct hm_step *step)
{
    struct hm_cfg_node *verify = hm_cfg_get_group(group, "verify", HM_CFG_OPTIONAL);
    if (verify == NULL)
        return;
    hm_load_call(l, verify, HM_SCOPE_AFTER, &step->verify.call);
    step->verify.when = hm_load_condition(l, verify, "when", HM_CFG_OPTIONAL, HM_SCOPE_AFTER);
    step->verify.expect = hm_load_condition(l, verify, "expect", HM_CFG_REQUIRED, HM_SCOPE_AFTER | HM_SCOPE_VERIFY);
    step->verify.every_ms = hm_cfg_get_duration(verify, "every", HM_CFG_OPTIONAL, 2000, day_ms);
    step->verify.within_ms = hm_cfg_get_duration(verify, "within", HM_CFG_OPTIONAL, 30000, day_ms);
    step->verify.say =
        hm_load_template(l, verify, "say", HM_CFG_OPTIONAL, HM_TEXT_MAX, HM_SCOPE_AFTER | HM_SCOPE_VERIFY | HM_SCOPE_MRKDWN);
    hm_cfg_finish(verify);

    if (step->verify.every_ms > step->verify.within_ms)
        hm_cfg_add_here(verify, "every is longer than within: it would look only once; make within longer");
    if (step->verify.call.action != NULL && step->verify.call.action->effect != HM_EFFECT_READ)
        hm_cfg_add_here(hm_cfg_get(verify, "do", HM_CFG_OPTIONAL), "%s changes something (%s); verify with a read",
                        step->verify.call.action->name, hm_effect_name(step->verify.call.action->effect));
    if (step->call.action != NULL && step->effect == HM_EFFECT_READ)
        hm_cfg_add_here(verify, "it belongs to a step that changes something; %s is a read: use expect or until",
                        step->call.action->name);
}

void hm_load_probe(struct hm_loader *l, struct hm_cfg_node *group, struct hm_step *step)
{
    step->probe = hm_load_args(l, group, "probe", HM_SCOPE_CALL);
    if (step->probe == NULL || step->call.action == NULL)
        return;
    const struct hm_action *action = step->call.action;
    const struct hm_cfg_node *node = hm_cfg_get(group, "probe", HM_CFG_OPTIONAL);
    if (action->probe_action == NULL) {
        hm_cfg_add_here(node, "%s has no way to look whether it happened; take it out", action->name);
        return;
    }
    for (size_t i = 0; i < hm_cfg_count(node); i++) {
        const struct hm_cfg_node *each = hm_cfg_at(node, i);
        if (strcmp(hm_cfg_name(each), "on") != 0) /* which backend it asks: hm_plan_probe_backend() */
            check_arg(l, action, action->probe_context, "context for its probe called", each);
        else if (hm_cfg_type(each) != HM_CFG_STRING)
            hm_cfg_add_here(each, "must be the name of a backend, like on = \"aurora-${environment}\"");
    }
    for (const struct hm_arg_spec *spec = action->probe_context; spec != NULL && spec->name != NULL && !l->again; spec++)
        if (spec->required && !hm_cfg_has(node, spec->name))
            hm_cfg_add_here(node, "%s can not be looked for without %s (%s); add it", action->name, spec->name, spec->help);
}
