/* A param as a field of a form: see param_field.h. */
#include "view/param_field.h"

#include <stdlib.h>

#include "base/strbuf.h"
#include "base/text.h"
#include "slack/escape.h"
#include "slack/form.h"

enum { MENU_MAX = 100, HINT_MAX = 1800 };

static size_t add_options(const struct hm_param *param, struct hm_form_option options[MENU_MAX])
{
    static const char *const bools[] = {"true", "false", NULL};
    const char *const *words = bools;
    size_t n = 0;
    if (param->type == HM_PARAM_CHOICE)
        words = (const char *const *)param->choices;
    for (; words[n] != NULL && n < MENU_MAX; n++)
        options[n] = (struct hm_form_option){param->type == HM_PARAM_BOOL ? (n == 0 ? "yes" : "no") : words[n], words[n]};
    return n;
}

static enum hm_form_kind kind_of(const struct hm_param *param)
{
    switch (param->type) {
    case HM_PARAM_INT:
        return HM_FORM_INT;
    case HM_PARAM_DATE:
        return HM_FORM_DATE;
    case HM_PARAM_CHOICE:
    case HM_PARAM_BOOL:
        return HM_FORM_CHOICE;
    case HM_PARAM_USER:
        return HM_FORM_USER;
    case HM_PARAM_STRING:
    case HM_PARAM_UUID:
    case HM_PARAM_REGEX:
    case HM_PARAM_DATASET:
    case HM_PARAM_NR:
        break;
    }
    return HM_FORM_TEXT;
}

/* Its list can be offered, and what is in the field already could be one of it: Slack cuts no value, it refuses the whole form.
 */
static bool is_listed(const struct hm_param *param, const char *initial, const char *no_list)
{
    return param->list != NULL && no_list == NULL && (initial == NULL || hm_slack_length(initial) <= HM_FORM_OPTION_MAX);
}

/* What stands below the field: what it is for, and what goes into it where the field itself does not tell. */
static char *hint_new(const struct hm_param_field *of, bool typed, bool listed)
{
    const struct hm_param *param = of->param;
    char type[300];
    struct hm_strbuf out;
    hm_strbuf_init(&out, HINT_MAX);
    hm_strbuf_adds(&out, param->help != NULL ? param->help : param->name);
    if (typed && !listed && !hm_param_is_described(param))
        hm_strbuf_addf(&out, ": %s", hm_param_type_text(param, type, sizeof type));
    if (of->found != NULL)
        hm_strbuf_addf(&out, ". The message speaks of %s", of->found);
    if (listed && of->first != NULL)
        hm_strbuf_addf(&out, ". Its list is there once %s is given", of->first);
    if (listed && param->list->others)
        hm_strbuf_adds(&out, ". Type to search; what is not in the list can be chosen too.");
    if (param->list != NULL && of->no_list != NULL)
        hm_strbuf_addf(&out, ". Type it, because its list could not be read: %s", of->no_list);
    return hm_strbuf_take(&out);
}

void hm_param_field(struct hm_blocks *blocks, const struct hm_param_field *of)
{
    struct hm_form_option options[MENU_MAX];
    const struct hm_param *param = of->param;
    bool listed = is_listed(param, of->initial, of->no_list);
    bool typed = kind_of(param) == HM_FORM_TEXT || kind_of(param) == HM_FORM_INT; /* the others say it by what they are */
    char *hint = hint_new(of, typed, listed);
    struct hm_form_field field = {
        .name = param->name,
        .action =
            param->list != NULL && !listed ? "typed" : NULL, /* it may take the place of the select, whose value is no text */
        .kind = listed ? HM_FORM_SEARCH : kind_of(param),
        .label = param->name,
        .hint = hint,
        .initial = of->initial,
        .optional = param->optional || param->fallback != NULL,
        .told = of->told,
        .max_len = param->type == HM_PARAM_STRING ? param->max_len : 0,
        .min = param->type == HM_PARAM_INT ? param->min : 0,
        .max = param->type == HM_PARAM_INT ? param->max : 0,
    };
    if (field.kind == HM_FORM_CHOICE) {
        field.options = options;
        field.n_options = add_options(param, options);
    }
    (void)hm_form_input(blocks, &field);
    free(hint);
}
