/* The loader of alarm rules: say, offers, auto, remember. See load.h. */
#include <stdlib.h>
#include <string.h>

#include "alarm/load.h"
#include "base/mem.h"
#include "base/suggest.h"
#include "base/text.h"

enum { SAY_MAX = 12, OFFERS_MAX = 10, AUTOS_MAX = 3, MEMORIES_MAX = 6, LABEL_MAX = 75 };

static void load_clause(struct hm_alarm_loader *l, struct hm_cfg_node *group, void *item)
{
    struct hm_alarm_clause *clause = item;
    clause->when = hm_load_condition(&l->names, group, "when", HM_CFG_OPTIONAL, HM_SCOPE_START);
    clause->say = hm_load_template(&l->names, group, "say", HM_CFG_REQUIRED, HM_TEXT_MAX, HM_SCOPE_START | HM_SCOPE_MRKDWN);
    hm_cfg_finish(group);
}

/* A string, or a list of { when; say; }. */
static void load_say(struct hm_alarm_loader *l, struct hm_cfg_node *root)
{
    struct hm_alarm_rule *rule = l->rule;
    void *items = NULL;
    if (!hm_cfg_has(root, "say"))
        return;
    if (hm_cfg_type(hm_cfg_get(root, "say", HM_CFG_OPTIONAL)) == HM_CFG_STRING) {
        rule->say = hm_xcalloc(1, sizeof rule->say[0]);
        rule->say[0].say =
            hm_load_template(&l->names, root, "say", HM_CFG_OPTIONAL, HM_TEXT_MAX, HM_SCOPE_START | HM_SCOPE_MRKDWN);
        rule->n_say = 1;
        return;
    }
    rule->n_say =
        hm_alarm_load_groups(l, root, &(const struct hm_alarm_groups){"say", SAY_MAX, sizeof rule->say[0], load_clause}, &items);
    rule->say = items;
}

static void load_style(struct hm_cfg_node *group, struct hm_alarm_start *start)
{
    const char *style = hm_cfg_get_str(group, "style", HM_CFG_OPTIONAL, 20);
    if (style == NULL)
        return;
    start->primary = strcmp(style, "primary") == 0;
    start->danger = strcmp(style, "danger") == 0;
    if (!start->primary && !start->danger)
        hm_cfg_add_here(hm_cfg_get(group, "style", HM_CFG_OPTIONAL),
                        "\"%s\" is no style; write primary or danger, or leave it out", style);
}

static void load_start(struct hm_alarm_loader *l, struct hm_cfg_node *group, struct hm_alarm_start *start)
{
    start->line = hm_cfg_line(group);
    start->recipe = hm_load_id(group, "recipe");
    start->when = hm_load_condition(&l->names, group, "when", HM_CFG_OPTIONAL, HM_SCOPE_START);
    start->with = hm_load_args(&l->names, group, "with", HM_SCOPE_START | (start->each != NULL ? HM_SCOPE_ITEM : 0U));
}

static void load_offer(struct hm_alarm_loader *l, struct hm_cfg_node *group, void *item)
{
    struct hm_alarm_start *start = item;
    start->each = hm_load_expr(&l->names, group, "each", HM_CFG_OPTIONAL, HM_SCOPE_START);
    load_start(l, group, start);
    start->label = hm_load_template(&l->names, group, "label", HM_CFG_REQUIRED, LABEL_MAX,
                                    HM_SCOPE_START | (start->each != NULL ? HM_SCOPE_ITEM : 0U));
    load_style(group, start);
    hm_cfg_finish(group);
}

static void load_auto(struct hm_alarm_loader *l, struct hm_cfg_node *group, void *item)
{
    load_start(l, group, item);
    hm_cfg_finish(group);
}

/* The field whose change keeps the values so far must be one that is remembered. */
static void check_changes(struct hm_cfg_node *group, const struct hm_alarm_memory *memory)
{
    char meant[120];
    struct hm_suggest s;
    const char *name = NULL;
    if (memory->changes == NULL || memory->fields == NULL)
        return;
    hm_suggest_init(&s, memory->changes);
    for (size_t i = 0; (name = hm_args_template_key(memory->fields, i)) != NULL; i++) {
        if (strcmp(name, memory->changes) == 0)
            return;
        hm_suggest_try(&s, name);
    }
    hm_cfg_add_here(hm_cfg_get(group, "changes", HM_CFG_OPTIONAL), "there is no \"%s\" among its fields%s", memory->changes,
                    hm_suggest_text(&s, meant, sizeof meant));
}

static void load_memory(struct hm_alarm_loader *l, struct hm_cfg_node *group, void *item)
{
    struct hm_alarm_memory *memory = item;
    memory->when = hm_load_condition(&l->names, group, "when", HM_CFG_OPTIONAL, HM_SCOPE_START);
    memory->key = hm_load_id(group, "key");
    memory->fields = hm_load_args(&l->names, group, "fields", HM_SCOPE_START);
    if (memory->fields == NULL || hm_args_template_key(memory->fields, 0) == NULL)
        hm_cfg_add_here(group, "it needs fields = { name = \"${field}\"; … }");
    if (hm_cfg_has(group, "before")) {
        memory->before = hm_load_id(group, "before");
        memory->changes = hm_xstrdup_null(hm_cfg_get_str(group, "changes", HM_CFG_REQUIRED, HM_ID_MAX));
        check_changes(group, memory);
    }
    hm_cfg_finish(group);
}

void hm_alarm_load_follow(struct hm_alarm_loader *l, struct hm_cfg_node *root)
{
    struct hm_alarm_rule *rule = l->rule;
    void *offers = NULL;
    void *autos = NULL;
    void *memories = NULL;
    load_say(l, root);
    rule->n_offers = hm_alarm_load_groups(
        l, root, &(const struct hm_alarm_groups){"offers", OFFERS_MAX, sizeof(struct hm_alarm_start), load_offer}, &offers);
    rule->n_autos = hm_alarm_load_groups(
        l, root, &(const struct hm_alarm_groups){"auto", AUTOS_MAX, sizeof(struct hm_alarm_start), load_auto}, &autos);
    rule->n_memories = hm_alarm_load_groups(
        l, root, &(const struct hm_alarm_groups){"remember", MEMORIES_MAX, sizeof(struct hm_alarm_memory), load_memory},
        &memories);
    rule->offers = offers;
    rule->autos = autos;
    rule->memories = memories;
}

static void free_starts(struct hm_alarm_start *starts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(starts[i].recipe);
        hm_template_free(starts[i].label);
        hm_args_template_free(starts[i].with);
        hm_expr_free(starts[i].when);
        hm_expr_free(starts[i].each);
    }
    free(starts);
}

void hm_alarm_follow_free(struct hm_alarm_rule *rule)
{
    for (size_t i = 0; i < rule->n_say; i++) {
        hm_expr_free(rule->say[i].when);
        hm_template_free(rule->say[i].say);
    }
    free(rule->say);
    free_starts(rule->offers, rule->n_offers);
    free_starts(rule->autos, rule->n_autos);
    for (size_t i = 0; i < rule->n_memories; i++) {
        hm_expr_free(rule->memories[i].when);
        free(rule->memories[i].key);
        hm_args_template_free(rule->memories[i].fields);
        free(rule->memories[i].before);
        free(rule->memories[i].changes);
    }
    free(rule->memories);
}
