/* The loader: one step. Which of the six kinds it is, which modifiers that kind takes, and what they hold. See load.h. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "base/suggest.h"
#include "base/text.h"
#include "recipe/load.h"

enum { MAX_QUESTION = 2000, MAX_LABEL = 75, MAX_TYPED = 200, MAX_PARALLEL = 50, MAX_TRIES = 10, MAX_NEED = 10, MAX_OFFERS = 5 };

static const int64_t minute_ms = 60000;
static const int64_t hour_ms = 3600000;
static const int64_t day_ms = 86400000;

/* ---- which kind -------------------------------------------------------------------------------------------------------- */

enum {
    ON_DO = 1U << HM_STEP_DO,
    ON_APPROVE = 1U << HM_STEP_APPROVE,
    ON_ASK = 1U << HM_STEP_ASK,
    ON_MANUAL = 1U << HM_STEP_MANUAL,
    ON_SAY = 1U << HM_STEP_SAY,
    ON_OFFER = 1U << HM_STEP_OFFER,
    ON_ALL = (1U << HM_STEP_NR) - 1
};

/* The word that makes each kind. */
static const char *const kind_keys[HM_STEP_NR] = {"do", "approve", "ask", "manual", "say", "offer"};

/* Every key a step may have, and on which kinds. */
static const struct {
    const char *key;
    unsigned kinds;
} step_keys[] = {
    {"id", ON_ALL},
    {"title", ON_ALL},
    {"when", ON_ALL},
    {"do", ON_DO},
    {"on", ON_DO},
    {"with", ON_DO},
    {"effect", ON_DO},
    {"probe", ON_DO},
    {"foreach", ON_DO},
    {"as", ON_DO},
    {"parallel", ON_DO},
    {"on_error", ON_DO},
    {"on_not_found", ON_DO},
    {"retry", ON_DO},
    {"timeout", ON_DO},
    {"until", ON_DO},
    {"expect", ON_DO},
    {"verify", ON_DO},
    {"stop_if", ON_DO | ON_ASK | ON_MANUAL},
    {"say", ON_DO | ON_ASK | ON_MANUAL | ON_SAY},
    {"file", ON_SAY},
    {"approve", ON_APPROVE},
    {"by", ON_APPROVE},
    {"need", ON_APPROVE},
    {"each", ON_APPROVE},
    {"expires", ON_APPROVE | ON_MANUAL},
    {"on_expire", ON_MANUAL},
    {"typed", ON_APPROVE},
    {"typed_when", ON_APPROVE},
    {"self", ON_APPROVE},
    {"break_glass", ON_APPROVE},
    {"ask", ON_ASK},
    {"manual", ON_MANUAL},
    {"evidence", ON_MANUAL},
    {"offer", ON_OFFER},
};

/* False after a finding. `say` makes a step of its own only where nothing else does. */
static bool find_kind(const struct hm_cfg_node *group, enum hm_step_kind *ret_kind)
{
    unsigned found = 0;
    for (unsigned k = 0; k < HM_STEP_NR; k++) {
        if (k == HM_STEP_SAY || !hm_cfg_has(group, kind_keys[k]))
            continue;
        if (found++ == 0)
            *ret_kind = (enum hm_step_kind)k;
        else
            hm_cfg_add_here(group, "it is both %s and %s; make two steps of it", kind_keys[*ret_kind], kind_keys[k]);
    }
    if (found == 0 && hm_cfg_has(group, "say")) {
        *ret_kind = HM_STEP_SAY;
        return true;
    }
    if (found == 0)
        hm_cfg_add_here(group, "it does nothing; give it one of do, approve, ask, manual, say, offer");
    return found == 1;
}

/* Makes every key of the format known to the "did you mean" of hm_cfg_finish(), and reports those that the kind does not take. */
static void check_keys(struct hm_cfg_node *group, bool kind_found, enum hm_step_kind kind)
{
    for (size_t i = 0; i < HM_ARRAY_LEN(step_keys); i++) {
        const struct hm_cfg_node *node = hm_cfg_get(group, step_keys[i].key, HM_CFG_OPTIONAL);
        if (node == NULL || !kind_found || (step_keys[i].kinds & 1U << kind) != 0)
            continue;
        struct hm_strbuf kinds;
        hm_strbuf_init(&kinds, 100);
        for (unsigned k = 0; k < HM_STEP_NR; k++)
            if ((step_keys[i].kinds & 1U << k) != 0)
                hm_strbuf_addf(&kinds, "%s%s", kinds.len > 0 ? ", " : "", kind_keys[k]);
        hm_cfg_add_here(node, "makes no sense on a step of kind %s; it belongs to %s", kind_keys[kind], hm_strbuf_str(&kinds));
        hm_strbuf_done(&kinds);
    }
}

/* ---- pieces ------------------------------------------------------------------------------------------------------------ */

/* One of the words, or NULL (after a finding when there is another one). */
static const char *load_word(struct hm_cfg_node *group, const char *key, const char *const *words)
{
    char path[120];
    char meant[120];
    struct hm_suggest s;
    struct hm_strbuf all;
    const char *word = hm_cfg_get_str(group, key, HM_CFG_OPTIONAL, HM_ID_MAX);
    if (word == NULL)
        return NULL;
    hm_suggest_init(&s, word);
    hm_strbuf_init(&all, 100);
    for (size_t i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], word) == 0) {
            hm_strbuf_done(&all);
            return words[i];
        }
        hm_suggest_try(&s, words[i]);
        hm_strbuf_addf(&all, "%s%s", i > 0 ? ", " : "", words[i]);
    }
    const struct hm_cfg_node *node = hm_cfg_get(group, key, HM_CFG_OPTIONAL);
    hm_cfg_add(node, "%s is \"%s\"; it is one of %s%s", hm_cfg_path(node, path, sizeof path), word, hm_strbuf_str(&all),
               hm_suggest_text(&s, meant, sizeof meant));
    hm_strbuf_done(&all);
    return NULL;
}

/* { when = …; say = …; } */
static void load_clause(struct hm_loader *l, struct hm_cfg_node *group, unsigned scope, struct hm_clause *clause)
{
    clause->when = hm_load_condition(l, group, "when", HM_CFG_REQUIRED, scope);
    clause->say = hm_load_template(l, group, "say", HM_CFG_OPTIONAL, HM_TEXT_MAX, scope | HM_SCOPE_MRKDWN);
    hm_cfg_finish(group);
}

/* A step's stop_if: one clause or a list of them. */
static void load_stop_if(struct hm_loader *l, struct hm_cfg_node *group, struct hm_step *step)
{
    struct hm_cfg_node *node = hm_cfg_get(group, "stop_if", HM_CFG_OPTIONAL);
    if (node == NULL)
        return;
    size_t count = hm_cfg_type(node) == HM_CFG_LIST ? hm_cfg_count(node) : 1;
    step->stop_if = hm_xcalloc(count + 1, sizeof step->stop_if[0]);
    for (size_t i = 0; i < count; i++) {
        struct hm_cfg_node *item = hm_cfg_type(node) == HM_CFG_LIST ? hm_cfg_at(node, i) : node;
        if (hm_cfg_type(item) == HM_CFG_GROUP)
            load_clause(l, item, HM_SCOPE_AFTER, &step->stop_if[step->n_stop_if++]);
        else
            hm_cfg_add_here(item, "write { when = \"…\"; say = \"…\"; } or a list of such groups");
    }
    if (count == 0)
        hm_cfg_add_here(node, "an empty list; take it out");
}

/* "expression" or a clause. */
static void load_expect(struct hm_loader *l, struct hm_cfg_node *group, struct hm_step *step)
{
    struct hm_cfg_node *node = hm_cfg_get(group, "expect", HM_CFG_OPTIONAL);
    if (node != NULL && hm_cfg_type(node) == HM_CFG_STRING)
        step->expect.when = hm_load_condition(l, group, "expect", HM_CFG_OPTIONAL, HM_SCOPE_AFTER);
    else if (node != NULL && hm_cfg_type(node) == HM_CFG_GROUP)
        load_clause(l, node, HM_SCOPE_AFTER, &step->expect);
    else if (node != NULL)
        hm_cfg_add_here(node, "write a condition \"…\" or { when = \"…\"; say = \"…\"; }");
}

static void load_retry(struct hm_cfg_node *group, struct hm_step *step)
{
    step->tries = 1;
    struct hm_cfg_node *retry = hm_cfg_get_group(group, "retry", HM_CFG_OPTIONAL);
    if (retry == NULL)
        return;
    (void)hm_cfg_get(retry, "tries", HM_CFG_REQUIRED);
    step->tries = (unsigned)hm_cfg_get_int(retry, "tries", 2, 2, MAX_TRIES);
    step->retry_wait_ms = hm_cfg_get_duration(retry, "wait", HM_CFG_OPTIONAL, 2000, hour_ms);
    hm_cfg_finish(retry);
}

static void load_until(struct hm_loader *l, struct hm_cfg_node *group, struct hm_step *step)
{
    struct hm_cfg_node *until = hm_cfg_get_group(group, "until", HM_CFG_OPTIONAL);
    if (until == NULL)
        return;
    step->until = hm_load_condition(l, until, "when", HM_CFG_REQUIRED, HM_SCOPE_AFTER | HM_SCOPE_ANSWER);
    step->until_every_ms = hm_cfg_get_duration(until, "every", HM_CFG_OPTIONAL, 5000, day_ms);
    step->until_within_ms = hm_cfg_get_duration(until, "within", HM_CFG_REQUIRED, minute_ms, day_ms);
    step->until_say = hm_load_template(l, until, "say", HM_CFG_OPTIONAL, HM_TEXT_MAX, HM_SCOPE_AFTER | HM_SCOPE_MRKDWN);
    hm_cfg_finish(until);
    if (hm_cfg_has(until, "within") && step->until_every_ms > step->until_within_ms)
        hm_cfg_add_here(until, "every is longer than within: it would look only once; make within longer");
    if (step->call.action != NULL && step->effect != HM_EFFECT_READ)
        hm_cfg_add_here(until, "it would repeat %s, which changes something; put it on a read after this step",
                        step->call.action->name);
    if (step->foreach != NULL)
        hm_cfg_add_here(until, "until and foreach do not go together; put until on a read after this step");
}

static void load_foreach(struct hm_loader *l, struct hm_cfg_node *group, struct hm_step *step)
{
    step->parallel = (unsigned)hm_cfg_get_int(group, "parallel", 1, 1, MAX_PARALLEL);
    step->foreach = hm_load_expr(l, group, "foreach", HM_CFG_OPTIONAL, HM_SCOPE_BEFORE | HM_SCOPE_FROZEN);
    if (hm_cfg_has(group, "foreach")) {
        step->as = hm_load_id(group, "as");
        return;
    }
    static const char *const keys[] = {"as", "parallel"};
    for (size_t i = 0; i < HM_ARRAY_LEN(keys); i++) {
        const struct hm_cfg_node *node = hm_cfg_get(group, keys[i], HM_CFG_OPTIONAL);
        if (node != NULL)
            hm_cfg_add_here(node, "makes no sense without foreach");
    }
}

/* ---- the kinds --------------------------------------------------------------------------------------------------------- */

static void load_effect(struct hm_cfg_node *group, struct hm_step *step)
{
    static const char *const words[] = {"read", "idempotent", "once", NULL};
    const char *word = load_word(group, "effect", words);
    const struct hm_action *action = step->call.action;
    step->effect = action != NULL ? action->effect : HM_EFFECT_READ;
    enum hm_effect asked = step->effect;
    if (word == NULL || action == NULL || !hm_effect_parse(word, &asked))
        return;
    if (asked < action->effect)
        hm_cfg_add_here(hm_cfg_get(group, "effect", HM_CFG_OPTIONAL),
                        "\"%s\" is laxer than what %s is (%s); a recipe can only be stricter", word, action->name,
                        hm_effect_name(action->effect));
    else
        step->effect = asked;
}

static void load_do(struct hm_loader *l, struct hm_cfg_node *group, struct hm_step *step)
{
    static const char *const on_errors[] = {"stop", "continue", "ask", NULL};
    static const char *const on_not_founds[] = {"stop", "continue", NULL};

    load_foreach(l, group, step);
    hm_load_call(l, group, HM_SCOPE_CALL | HM_SCOPE_FROZEN, &step->call);
    load_effect(group, step);
    const char *word = load_word(group, "on_error", on_errors);
    step->on_error = hm_streq(word, "continue") ? HM_ON_ERROR_CONTINUE
                     : hm_streq(word, "ask")    ? HM_ON_ERROR_ASK
                                                : HM_ON_ERROR_STOP;
    step->not_found_ok = hm_streq(load_word(group, "on_not_found", on_not_founds), "continue");
    load_retry(group, step);
    step->timeout_ms = hm_cfg_get_duration(group, "timeout", HM_CFG_OPTIONAL, 0, hour_ms);
    load_until(l, group, step);
    load_expect(l, group, step);
    hm_load_probe(l, group, step);
    hm_load_verify(l, group, step);
}

static void load_approve(struct hm_loader *l, struct hm_cfg_node *group, struct hm_step *step)
{
    step->question = hm_load_template(l, group, "approve", HM_CFG_REQUIRED, MAX_QUESTION, HM_SCOPE_BEFORE | HM_SCOPE_MRKDWN);
    step->by = hm_load_roles(l, group, "by", HM_CFG_REQUIRED);
    const struct hm_cfg_node *by = hm_cfg_get(group, "by", HM_CFG_OPTIONAL);
    if (by != NULL && hm_cfg_type(by) == HM_CFG_LIST && hm_cfg_count(by) == 0)
        hm_cfg_add_here(by, "an empty list: nobody could approve; name a role");
    step->need = (unsigned)hm_cfg_get_int(group, "need", 1, 1, MAX_NEED);
    step->each = hm_cfg_get_bool(group, "each", false);
    size_t n_roles = 0;
    while (step->by[n_roles] != NULL)
        n_roles++;
    if (step->each && n_roles < 2 && by != NULL)
        hm_cfg_add_here(
            hm_cfg_get(group, "each", HM_CFG_OPTIONAL),
            "is for two or more roles in by, of each of which somebody has to approve; take it out or name another role");
    else if (step->each && n_roles * step->need > MAX_NEED)
        hm_cfg_add_here(hm_cfg_get(group, "each", HM_CFG_OPTIONAL),
                        "%u of each of %zu roles are more than %d people; ask for fewer", step->need, n_roles, MAX_NEED);
    step->expires_ms = hm_cfg_get_duration(group, "expires", HM_CFG_OPTIONAL, 30 * minute_ms, day_ms);
    step->typed = hm_load_template(l, group, "typed", HM_CFG_OPTIONAL, MAX_TYPED, HM_SCOPE_BEFORE | HM_SCOPE_FULL);
    step->typed_when = hm_load_condition(l, group, "typed_when", HM_CFG_OPTIONAL, HM_SCOPE_BEFORE);
    if (step->typed_when != NULL && !hm_cfg_has(group, "typed"))
        hm_cfg_add_here(hm_cfg_get(group, "typed_when", HM_CFG_OPTIONAL), "makes no sense without typed");
    step->self = hm_cfg_get_bool(group, "self", false);
    step->break_glass = hm_cfg_get_bool(group, "break_glass", false);
}

static void load_ask(struct hm_loader *l, struct hm_cfg_node *group, struct hm_step *step)
{
    struct hm_cfg_node *ask = hm_cfg_get_group(group, "ask", HM_CFG_REQUIRED);
    if (ask == NULL)
        return;
    step->ask.question = hm_load_template(l, ask, "question", HM_CFG_REQUIRED, MAX_QUESTION, HM_SCOPE_BEFORE | HM_SCOPE_MRKDWN);
    step->ask.from = hm_load_expr(l, ask, "from", HM_CFG_OPTIONAL, HM_SCOPE_BEFORE);
    step->ask.label = hm_load_template(l, ask, "label", HM_CFG_OPTIONAL, HM_LINE_MAX, HM_SCOPE_BEFORE | HM_SCOPE_ITEM);
    step->ask.many = hm_cfg_get_bool(ask, "many", false);
    step->ask.expires_ms = hm_cfg_get_duration(ask, "expires", HM_CFG_OPTIONAL, 30 * minute_ms, day_ms);
    const struct hm_cfg_node *fields = hm_cfg_get_list(ask, "fields", HM_CFG_OPTIONAL);
    if (fields != NULL)
        hm_load_params(l, fields, &step->ask.fields, &step->ask.n_fields);
    if (hm_cfg_has(ask, "from") == hm_cfg_has(ask, "fields"))
        hm_cfg_add_here(ask, "it needs either from (a list to choose from) or fields (a form to fill in)");
    else if (!hm_cfg_has(ask, "from") && (hm_cfg_has(ask, "label") || hm_cfg_has(ask, "many")))
        hm_cfg_add_here(ask, "label and many belong to from; fields do not use them");
    if (fields != NULL && hm_cfg_count(fields) == 0)
        hm_cfg_add_here(fields, "an empty list; ask for something or take the step out");
    hm_cfg_finish(ask);
}

static void load_offers(struct hm_loader *l, struct hm_cfg_node *group, struct hm_step *step)
{
    const struct hm_cfg_node *list = hm_cfg_get_list(group, "offer", HM_CFG_REQUIRED);
    if (list == NULL)
        return;
    size_t count = hm_cfg_count(list);
    if (count == 0 || count > MAX_OFFERS) {
        hm_cfg_add_here(list, "%zu entries; give from 1 to %d", count, MAX_OFFERS);
        return;
    }
    step->offers = hm_xcalloc(count, sizeof step->offers[0]);
    for (size_t i = 0; i < count; i++) {
        struct hm_cfg_node *item = hm_cfg_at(list, i);
        if (hm_cfg_type(item) != HM_CFG_GROUP) {
            hm_cfg_add_here(item, "an offer is { recipe = \"…\"; label = \"…\"; with = { … }; }");
            continue;
        }
        struct hm_offer *offer = &step->offers[step->n_offers++];
        offer->recipe = hm_load_id(item, "recipe");
        offer->label = hm_load_template(l, item, "label", HM_CFG_REQUIRED, MAX_LABEL, HM_SCOPE_BEFORE);
        offer->with = hm_load_args(l, item, "with", HM_SCOPE_BEFORE);
        offer->when = hm_load_condition(l, item, "when", HM_CFG_OPTIONAL, HM_SCOPE_BEFORE);
        hm_cfg_finish(item);
    }
}

static void load_manual(struct hm_cfg_node *group, struct hm_step *step)
{
    static const char *const on_expires[] = {"stop", "continue", NULL};
    step->evidence = hm_cfg_get_bool(group, "evidence", false);
    step->manual_expires_ms = hm_cfg_get_duration(group, "expires", HM_CFG_OPTIONAL, 0, day_ms);
    step->manual_goes_on = hm_streq(load_word(group, "on_expire", on_expires), "continue");
    if (hm_cfg_has(group, "on_expire") && !hm_cfg_has(group, "expires"))
        hm_cfg_add(group, "on_expire says what follows when the time is over: give expires as well");
}

static void load_kind(struct hm_loader *l, struct hm_cfg_node *group, struct hm_step *step)
{
    switch (step->kind) {
    case HM_STEP_DO:
        load_do(l, group, step);
        break;
    case HM_STEP_APPROVE:
        load_approve(l, group, step);
        break;
    case HM_STEP_ASK:
        load_ask(l, group, step);
        break;
    case HM_STEP_MANUAL:
        step->manual = hm_load_template(l, group, "manual", HM_CFG_REQUIRED, HM_TEXT_MAX, HM_SCOPE_BEFORE | HM_SCOPE_MRKDWN);
        load_manual(group, step);
        break;
    case HM_STEP_OFFER:
        load_offers(l, group, step);
        break;
    case HM_STEP_SAY:
    case HM_STEP_NR:
        break;
    }
    if (step->kind == HM_STEP_SAY) {
        step->say = hm_load_template(l, group, "say", HM_CFG_REQUIRED, HM_TEXT_MAX, HM_SCOPE_BEFORE | HM_SCOPE_MRKDWN);
        step->file = hm_load_expr(l, group, "file", HM_CFG_OPTIONAL, HM_SCOPE_BEFORE);
    } else if (step->kind != HM_STEP_APPROVE && step->kind != HM_STEP_OFFER) {
        load_stop_if(l, group, step);
        step->say = hm_load_template(l, group, "say", HM_CFG_OPTIONAL, HM_TEXT_MAX, HM_SCOPE_AFTER | HM_SCOPE_MRKDWN);
    }
}

void hm_load_step(struct hm_loader *l, struct hm_cfg_node *group, struct hm_step *step)
{
    *step = (struct hm_step){.line = hm_cfg_line(group), .parallel = 1, .tries = 1, .gate = -1};
    step->id = hm_load_id(group, "id");
    bool kind_found = find_kind(group, &step->kind);
    check_keys(group, kind_found, step->kind);
    step->title = hm_xstrdup_null(hm_cfg_get_str(group, "title", HM_CFG_OPTIONAL, HM_LINE_MAX));
    step->when = hm_load_condition(l, group, "when", HM_CFG_OPTIONAL, HM_SCOPE_BEFORE | HM_SCOPE_FROZEN);
    if (kind_found)
        load_kind(l, group, step);
    else
        step->kind = HM_STEP_NR; /* keeps its place and its name */
    hm_cfg_finish(group);
}

static void free_clause(struct hm_clause *clause)
{
    hm_expr_free(clause->when);
    hm_template_free(clause->say);
}

void hm_load_step_free(struct hm_step *step)
{
    free(step->id);
    free(step->title);
    hm_expr_free(step->when);
    hm_load_call_free(&step->call);
    hm_args_template_free(step->probe);
    hm_expr_free(step->foreach);
    free(step->as);
    hm_expr_free(step->until);
    hm_template_free(step->until_say);
    free_clause(&step->expect);
    hm_load_call_free(&step->verify.call);
    hm_expr_free(step->verify.when);
    hm_expr_free(step->verify.expect);
    hm_template_free(step->verify.say);
    for (size_t i = 0; i < step->n_stop_if; i++)
        free_clause(&step->stop_if[i]);
    free(step->stop_if);
    hm_template_free(step->say);
    hm_expr_free(step->file);
    hm_template_free(step->question);
    hm_cfg_strings_free(step->by);
    hm_template_free(step->typed);
    hm_expr_free(step->typed_when);
    hm_template_free(step->ask.question);
    hm_expr_free(step->ask.from);
    hm_template_free(step->ask.label);
    hm_load_params_free(step->ask.fields, step->ask.n_fields);
    hm_template_free(step->manual);
    for (size_t i = 0; i < step->n_offers; i++) {
        free(step->offers[i].recipe);
        hm_template_free(step->offers[i].label);
        hm_args_template_free(step->offers[i].with);
        hm_expr_free(step->offers[i].when);
    }
    free(step->offers);
}
