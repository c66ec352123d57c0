/* The reference of actions: see actions.h. */
#include "view/actions.h"

#include <string.h>

#include "base/strbuf.h"
#include "base/text.h"
#include "handlers/handler.h"

enum { TEXT_MAX = 1 << 20, INDENT = 2 };

static const char head[] =
    "# Actions\n\n"
    "What a `do` can call, what it takes under `with` and what it gives: `${step.field}`. `hausmeister check` refuses\n"
    "whatever is not here. This text is made from the tables of the handlers: `hausmeister actions` prints it,\n"
    "`hausmeister actions NAME` a part of it.\n\n"
    "Besides these fields a step's value has `ok`, and after a failure `code` and `error` ([recipes.md](recipes.md#do)).\n"
    "\"Or null\" is what some results do not have. A list without more is one of plain values. Where any name may stand,\n"
    "the names are the backend's own matter, and a misspelt one is not noticed.\n\n";

static const char *arg_word(enum hm_arg_type type)
{
    static const char *const words[HM_ARG_NR] = {"text", "uuid", "whole number", "true or false", "list", "object"};
    return (unsigned)type < HM_ARG_NR ? words[type] : "?";
}

static const char *field_word(const struct hm_field_spec *field)
{
    static const char *const words[HM_FIELD_NR] = {"text", "number", "true or false", "list", "object", "anything"};
    if (field->type == HM_FIELD_LIST && field->fields != NULL)
        return "list of objects";
    return (unsigned)field->type < HM_FIELD_NR ? words[field->type] : "?";
}

static void add_args(struct hm_strbuf *out, const char *what, const struct hm_arg_spec *args)
{
    if (args == NULL || args->name == NULL)
        return;
    hm_strbuf_addf(out, "\n%s:\n\n", what);
    for (const struct hm_arg_spec *arg = args; arg->name != NULL; arg++)
        hm_strbuf_addf(out, "- `%s` (%s%s)%s%s\n", arg->name, arg_word(arg->type), arg->required ? ", required" : "",
                       arg->help != NULL ? ": " : "", arg->help != NULL ? arg->help : "");
}

static void add_choice(struct hm_strbuf *out, const struct hm_arg_choice *choice)
{
    static const char *const ends[] = {
        [HM_CHOOSE_ANY] = ": one at least", [HM_CHOOSE_ONE] = ": one of them, not both", [HM_CHOOSE_ONE_OR_NONE] = ": not both"};
    if (choice == NULL)
        return;
    hm_strbuf_adds(out, "\n");
    hm_choice_text(choice, "`", out);
    hm_strbuf_addf(out, "%s.\n", ends[choice->choose]);
}

/* depth: how many objects or lists they are in. */
static void add_fields(struct hm_strbuf *out, const struct hm_field_spec *fields, int depth)
{
    for (const struct hm_field_spec *field = fields; field->name != NULL; field++) {
        bool is_map = hm_streq(field->name, "*");
        hm_strbuf_addf(out, "%*s- %s%s%s (%s%s): %s\n", depth * INDENT, "", is_map ? "" : "`", is_map ? "any name" : field->name,
                       is_map ? "" : "`", field_word(field), field->always || is_map ? "" : ", or null", field->help);
        if (field->fields != NULL)
            add_fields(out, field->fields, depth + 1);
    }
}

static void add_action(struct hm_strbuf *out, const struct hm_action *action)
{
    hm_strbuf_addf(out, "\n### %s\n\n%s. Effect: %s%s.%s%s\n", action->name, action->title, hm_effect_name(action->effect),
                   action->probe_action != NULL ? ", with a probe" : "", action->doc != NULL ? " " : "",
                   action->doc != NULL ? action->doc : "");
    add_args(out, "Takes", action->args);
    add_choice(out, action->choice);
    if (action->probe_action != NULL)
        add_args(out, "In `probe`", action->probe_context);
    hm_strbuf_adds(out, "\nGives:\n\n");
    add_fields(out, action->result, 0);
    if (action->more_fields != NULL)
        hm_strbuf_addf(out, "- and the plain fields that the backend's setting `%s` names\n", action->more_fields);
}

static void add_handler(struct hm_strbuf *out, const struct hm_handler *handler)
{
    hm_strbuf_addf(out, "\n## %s\n\n%s.\n", handler->name, handler->title);
    for (const struct hm_action *const *action = handler->actions; *action != NULL; action++)
        add_action(out, *action);
}

static void add_all(struct hm_strbuf *out)
{
    hm_strbuf_adds(out, head);
    for (const struct hm_handler *const *handler = hm_handlers; *handler != NULL; handler++)
        hm_strbuf_addf(out, "%s[%s](#%s)", handler == hm_handlers ? "" : " · ", (*handler)->name, (*handler)->name);
    hm_strbuf_addc(out, '\n');
    for (const struct hm_handler *const *handler = hm_handlers; *handler != NULL; handler++)
        add_handler(out, *handler);
}

char *hm_actions_text(const char *name)
{
    struct hm_strbuf out;
    const struct hm_handler *handler = name != NULL ? hm_handler_find(name) : NULL;
    const struct hm_action *action = name != NULL ? hm_action_find(name) : NULL;
    if (name != NULL && handler == NULL && action == NULL)
        return NULL;
    hm_strbuf_init(&out, TEXT_MAX);
    if (action != NULL)
        add_action(&out, action);
    else if (handler != NULL)
        add_handler(&out, handler);
    else
        add_all(&out);
    return hm_strbuf_take(&out);
}
