/* Help: see help.h. */
#include "view/help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "slack/escape.h"
#include "slack/form.h"
#include "view/start.h"
#include "view/words.h"

enum { USAGE_MAX = 1000, FALLBACK_MAX = 6000, TITLE_MAX = 150 };

static bool required(const struct hm_param *param)
{
    return !param->optional && param->fallback == NULL;
}

char *hm_help_usage(const struct hm_recipe *recipe, const char *command)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, USAGE_MAX);
    hm_strbuf_addf(&out, "%s %s", command, recipe->name);
    for (size_t i = 0; i < recipe->n_params; i++)
        hm_strbuf_addf(&out, required(&recipe->params[i]) ? " <%s>" : " [%s=…]", recipe->params[i].name);
    return hm_strbuf_take(&out);
}

/* A value of the param's type, to show how one looks. */
static void add_example_value(struct hm_strbuf *out, const struct hm_param *param)
{
    switch (param->type) {
    case HM_PARAM_UUID:
        hm_strbuf_adds(out, "0b1c2d3e-4f50-4a61-8b72-93a4b5c6d7e8");
        break;
    case HM_PARAM_INT:
        hm_strbuf_addf(out, "%lld", (long long)(param->min > 1 ? param->min : 1));
        break;
    case HM_PARAM_BOOL:
        hm_strbuf_adds(out, "yes");
        break;
    case HM_PARAM_REGEX:
        hm_strbuf_adds(out, "'.*'");
        break;
    case HM_PARAM_CHOICE:
        hm_strbuf_adds(out, param->choices != NULL && param->choices[0] != NULL ? param->choices[0] : "…");
        break;
    case HM_PARAM_DATE:
        hm_strbuf_adds(out, "2026-11-23");
        break;
    case HM_PARAM_DATASET:
        hm_strbuf_adds(out, "dataset/example");
        break;
    case HM_PARAM_USER:
        hm_strbuf_adds(out, "@somebody");
        break;
    case HM_PARAM_STRING:
    case HM_PARAM_NR:
        hm_strbuf_adds(out, "'some text'");
        break;
    }
}

static void add_example(struct hm_strbuf *out, const struct hm_recipe *recipe, const char *command)
{
    struct hm_strbuf text;
    hm_strbuf_init(&text, USAGE_MAX);
    hm_strbuf_addf(&text, "%s %s", command, recipe->name);
    for (size_t i = 0; i < recipe->n_params; i++) {
        if (!required(&recipe->params[i]))
            continue;
        hm_strbuf_addc(&text, ' ');
        add_example_value(&text, &recipe->params[i]);
    }
    hm_strbuf_adds(out, "Example: ");
    hm_slack_add_code(out, hm_strbuf_str(&text));
    hm_strbuf_done(&text);
}

/* "the latest known target date (etl)" of ${known.etl.target_date}; any other template as it is written. The caller frees. */
static char *remembered_name(const char *text)
{
    static const char begins[] = "${known.";
    const char *key = hm_starts_with(text, begins) ? text + strlen(begins) : "";
    size_t len = strcspn(key, ".}");
    const char *field = key[len] == '.' ? key + len + 1 : "";
    size_t field_len = strcspn(field, "}");
    if (field_len == 0 || strcmp(field + field_len, "}") != 0)
        return hm_xstrdup(text);
    char *name = hm_xasprintf("the latest known %.*s (%.*s)", (int)field_len, field, (int)len, key);
    for (char *c = name; *c != '\0'; c++)
        if (*c == '_')
            *c = ' ';
    return name;
}

/* What a param is when it is left out, and what that is now. */
static void add_left_out(struct hm_strbuf *out, const struct hm_param *param, const json_t *scope)
{
    if (param->fallback == NULL) {
        hm_strbuf_adds(out, param->optional ? " · may be left out" : "");
        return;
    }
    char *now = hm_param_default_text(param, scope);
    hm_strbuf_adds(out, " · when left out: ");
    if (!hm_template_is_literal(param->fallback)) {
        char *name = remembered_name(hm_template_text(param->fallback));
        hm_word_plain(out, name, TITLE_MAX);
        hm_strbuf_adds(out, now != NULL ? ", now " : "; none is known now");
        free(name);
    }
    if (now != NULL)
        hm_slack_add_code(out, now);
    free(now);
}

static void add_param(struct hm_strbuf *out, const struct hm_param *param, const json_t *scope)
{
    char type[200];
    hm_strbuf_adds(out, "• ");
    hm_slack_add_code(out, param->name);
    if (param->help != NULL && param->help[0] != '\0') {
        hm_strbuf_addc(out, ' ');
        hm_word_plain(out, param->help, TITLE_MAX);
    }
    if (!hm_param_is_described(param)) {
        hm_strbuf_adds(out, " · ");
        hm_word_plain(out, hm_param_type_text(param, type, sizeof type), TITLE_MAX);
    }
    if (param->list != NULL)
        hm_strbuf_adds(out, param->list->others ? " · the form has a list" : " · one of a list; the form shows it");
    add_left_out(out, param, scope);
}

/* " with role `a` or `b`", " of each role: `a` and `b`" */
static void add_roles(struct hm_strbuf *out, const struct hm_step *step)
{
    if (!step->each) {
        hm_strbuf_adds(out, " with ");
        hm_word_roles(out, step->by);
        return;
    }
    hm_strbuf_adds(out, " of each role: ");
    for (size_t i = 0; step->by[i] != NULL; i++) {
        hm_strbuf_adds(out, i == 0 ? "" : step->by[i + 1] == NULL ? " and " : ", ");
        hm_slack_add_code(out, step->by[i]);
    }
}

/* The first gate stands for all: who has to agree. */
static void add_approvers(struct hm_strbuf *out, const struct hm_step *step)
{
    hm_strbuf_adds(out, " and ");
    if (step->need == 1)
        hm_strbuf_adds(out, "somebody");
    else
        hm_strbuf_addf(out, "%u people", step->need);
    add_roles(out, step);
    hm_strbuf_adds(out, step->self ? "" : ", other than the one who asks,");
    hm_strbuf_adds(out, step->need == 1 ? " has to approve them" : " have to approve them");
}

/* What approves what: "Changes nothing." or who has to agree. */
void hm_help_add_effects(struct hm_strbuf *out, const struct hm_recipe *recipe)
{
    if (recipe->worst == HM_EFFECT_READ) {
        hm_strbuf_adds(out, "It only reads; nothing is changed.");
        return;
    }
    if (recipe->ungated != NULL) {
        hm_strbuf_adds(out, "It changes something without approval, because ");
        hm_word_plain(out, recipe->ungated, TITLE_MAX);
        hm_strbuf_addc(out, '.');
        return;
    }
    hm_strbuf_adds(out, "Before anything is changed, the exact requests are shown");
    for (size_t i = 0; i < recipe->n_steps; i++) {
        const struct hm_step *step = &recipe->steps[i];
        if (step->kind != HM_STEP_APPROVE)
            continue;
        add_approvers(out, step);
        break;
    }
    hm_strbuf_addc(out, '.');
}

/* "2. Approval: by role `x`, within 15 min" */
static void add_step(struct hm_strbuf *out, const struct hm_step *step, size_t nth)
{
    char until[40];
    hm_strbuf_addf(out, "\n%zu. ", nth);
    hm_word_plain(out, hm_word_step(step), TITLE_MAX);
    if (step->kind == HM_STEP_APPROVE) {
        hm_strbuf_addf(out, " :lock: by %u", step->need);
        add_roles(out, step);
        hm_strbuf_addf(out, ", within %s", hm_format_duration(step->expires_ms, until, sizeof until));
    } else if (step->kind == HM_STEP_DO) {
        hm_strbuf_adds(out, step->effect == HM_EFFECT_READ   ? " (reads)"
                            : step->effect == HM_EFFECT_ONCE ? " (changes something; never sent twice)"
                                                             : " (changes something; may be repeated)");
        hm_strbuf_adds(out, step->foreach != NULL ? ", for each item" : "");
    } else if (step->kind == HM_STEP_ASK || step->kind == HM_STEP_MANUAL) {
        hm_strbuf_adds(out, " :raising_hand: a person answers");
    }
    hm_strbuf_adds(out, step->when != NULL ? ", if needed" : "");
}

static void add_steps(struct hm_blocks *blocks, const struct hm_recipe *recipe)
{
    struct hm_strbuf out;
    size_t nth = 0;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    hm_strbuf_adds(&out, "*What it does*");
    for (size_t i = 0; i < recipe->n_steps; i++)
        if (recipe->steps[i].kind != HM_STEP_SAY)
            add_step(&out, &recipe->steps[i], ++nth);
    if (nth > 0)
        (void)hm_blocks_section(blocks, hm_strbuf_str(&out));
    hm_strbuf_done(&out);
}

/* cookbook: its address, checked by the settings; a space, < > or | could not be part of it. */
static void add_doc(struct hm_strbuf *out, const struct hm_recipe *recipe, const char *cookbook)
{
    if (recipe->doc == NULL || recipe->doc[0] == '\0')
        return;
    hm_strbuf_adds(out, "\nIn the cookbook: ");
    char *url = hm_section_url(cookbook, recipe->doc);
    if (url != NULL)
        hm_strbuf_addf(out, "<%s|", url);
    hm_word_plain(out, recipe->doc, TITLE_MAX);
    hm_strbuf_adds(out, url != NULL ? ">" : "");
    free(url);
}

static void add_conditions(struct hm_blocks *blocks, const struct hm_recipe *recipe, const struct hm_help_around *around)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    hm_help_add_effects(&out, recipe);
    hm_strbuf_adds(&out, " It can be started by ");
    hm_word_roles(&out, recipe->who);
    hm_strbuf_adds(&out, around->may ? ".\n" : "; you are not among them.\n");
    add_example(&out, recipe, around->command);
    if (recipe->worst != HM_EFFECT_READ)
        hm_strbuf_adds(&out, "  With `--dry-run` behind it, it only shows what would be sent.");
    add_doc(&out, recipe, around->cookbook);
    const char *const texts[] = {hm_strbuf_str(&out)};
    (void)hm_blocks_context(blocks, texts, 1);
    hm_strbuf_done(&out);
}

void hm_help_recipe_render(const struct hm_recipe *recipe, const struct hm_help_around *around,
                           struct hm_slack_message *ret_message)
{
    struct hm_strbuf out;
    struct hm_blocks *blocks = hm_blocks_new(HM_SURFACE_MESSAGE, "help", 0);
    char *usage = hm_help_usage(recipe, around->command);
    hm_strbuf_init(&out, SIZE_MAX / 2);
    hm_strbuf_addc(&out, '*');
    hm_word_plain(&out, recipe->title, TITLE_MAX);
    hm_strbuf_adds(&out, "*\n");
    hm_slack_add_code(&out, usage);
    for (size_t i = 0; i < recipe->n_params; i++) {
        hm_strbuf_addc(&out, '\n');
        add_param(&out, &recipe->params[i], around->scope);
    }
    hm_blocks_reserve(blocks, 3, 2500);
    (void)hm_blocks_section(blocks, hm_strbuf_str(&out));
    add_steps(blocks, recipe);
    hm_blocks_reserve(blocks, 0, 0);
    add_conditions(blocks, recipe, around);
    if (around->may && around->form_ref != NULL) {
        const struct hm_button button = {"Open the form", HM_ACTION_FORM, around->form_ref, HM_STYLE_PRIMARY, NULL};
        (void)hm_blocks_actions(blocks, &button, 1);
    }

    struct hm_strbuf fallback;
    hm_strbuf_init(&fallback, FALLBACK_MAX);
    hm_strbuf_adds(&fallback, "How to use it: ");
    hm_slack_add_code(&fallback, usage);
    hm_blocks_finish(blocks, hm_strbuf_str(&fallback), ret_message);
    hm_strbuf_done(&fallback);
    hm_strbuf_done(&out);
    free(usage);
}

/* What is not in the list, and why. */
static void add_others(struct hm_strbuf *out, size_t mine, const struct hm_help_around *around)
{
    if (mine == 0 && around->others == 0)
        hm_strbuf_adds(out, "No recipe is loaded; the configuration names none.");
    else if (mine == 0 && !around->unsure)
        hm_strbuf_adds(out, "There is no recipe that you may start here. Ask whoever is on call.");
    if (around->unsure)
        hm_strbuf_adds(out, "\nSlack did not say which roles you have, so recipes may be missing here; ask again in a minute.");
    else if (around->others > 0 && mine > 0) {
        hm_strbuf_addf(out, "\n%zu more ", around->others);
        hm_strbuf_adds(out, around->others == 1 ? "needs a role that you do not have." : "need a role that you do not have.");
    }
}

void hm_help_render(const struct hm_recipe *const *mine, size_t count, const struct hm_help_around *around,
                    struct hm_slack_message *ret_message)
{
    struct hm_strbuf out;
    struct hm_strbuf tail;
    struct hm_blocks *blocks = hm_blocks_new(HM_SURFACE_MESSAGE, "help", 0);
    hm_strbuf_init(&out, SIZE_MAX / 2);
    hm_strbuf_init(&tail, 2000);
    if (count > 0)
        (void)hm_form_picker(blocks, "*What you can run here.* Choose one to open its form, or type it.", HM_ACTION_PICK,
                             "Choose a recipe");
    for (size_t i = 0; i < count; i++) {
        hm_strbuf_adds(&out, i > 0 ? "\n• " : "• ");
        hm_slack_add_code(&out, mine[i]->name);
        hm_strbuf_addc(&out, ' ');
        hm_word_plain(&out, mine[i]->title, TITLE_MAX);
        hm_strbuf_adds(&out, mine[i]->worst != HM_EFFECT_READ && mine[i]->ungated == NULL ? " :lock:" : "");
    }
    add_others(&out, count, around);
    hm_strbuf_addf(
        &tail,
        "`%s help &lt;recipe&gt;` tells more of one. :lock: changes something, and asks for approval before.\n"
        "Also: `runs` lists what is going and what was; `run ID`, `cancel ID`, `retry ID`, `take ID` (you lead it from now "
        "on); `stop all` and `resume`. Behind a recipe, `--dry-run` shows what would be sent.",
        around->command);
    hm_blocks_reserve(blocks, 1, 900);
    (void)hm_blocks_section(blocks, hm_strbuf_str(&out));
    hm_blocks_reserve(blocks, 0, 0);
    const char *const texts[] = {hm_strbuf_str(&tail)};
    (void)hm_blocks_context(blocks, texts, 1);
    hm_blocks_finish(blocks, "The recipes that you may run here.", ret_message);
    hm_strbuf_done(&tail);
    hm_strbuf_done(&out);
}
