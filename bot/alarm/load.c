/* One alarm file: see alarm.h and load.h. Happy path: text → checked cfg → rule. Failure: findings, each with its line. */
#include "alarm/load.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/suggest.h"
#include "base/text.h"
#include "handlers/result.h"

enum { KEY_MAX = 300 };

static const int64_t hour_ms = 3600000;
static const int64_t week_ms = (int64_t)7 * 24 * 3600000;

/* ---- names of channels and senders ---------------------------------------------------------------------------------------- */

static void add_id(char ***ids, size_t *n, const char *id)
{
    *ids = hm_xreallocarray(*ids, *n + 2, sizeof(char *));
    (*ids)[(*n)++] = hm_xstrdup(id);
    (*ids)[*n] = NULL;
}

static bool is_slack_id(const char *word, const char *initials)
{
    return strchr(initials, word[0]) != NULL && strlen(word) >= 3 &&
           strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == strlen(word);
}

static void add_ids(char ***ids, size_t *n, const json_t *list)
{
    size_t i = 0;
    const json_t *id = NULL;
    json_array_foreach(list, i, id) add_id(ids, n, json_string_value(id));
}

/* What is written as ids. table: {name: [id, …]} of the settings; NULL = a name stands for itself. */
static char **resolve(const struct hm_cfg_node *node, char *const *words, const json_t *table, const char *initials,
                      const char *where)
{
    char meant[120];
    size_t n = 0;
    char **ids = hm_xcalloc(1, sizeof(char *));
    for (; *words != NULL; words++) {
        const json_t *list = json_object_get(table, *words);
        struct hm_suggest s;
        const char *name = NULL;
        json_t *value = NULL;
        if (is_slack_id(*words, initials) || table == NULL) {
            add_id(&ids, &n, *words);
        } else if (json_is_array(list)) {
            add_ids(&ids, &n, list);
        } else {
            hm_suggest_init(&s, *words);
            json_object_foreach(hm_unconst(table), name, value) hm_suggest_try(&s, name);
            hm_cfg_add_here(node, "\"%s\" is no id, and the settings have no such name under %s%s", *words, where,
                            hm_suggest_text(&s, meant, sizeof meant));
        }
    }
    return ids;
}

static char **strings(struct hm_cfg_node *root, const char *key)
{
    char **words = hm_cfg_get_strings(root, key, HM_CFG_REQUIRED);
    const struct hm_cfg_node *node = hm_cfg_has(root, key) ? hm_cfg_get(root, key, HM_CFG_OPTIONAL) : NULL;
    if (node != NULL && hm_cfg_type(node) == HM_CFG_LIST && hm_cfg_count(node) == 0)
        hm_cfg_add_here(node, "is empty: the rule could never match");
    return words;
}

static void load_where(struct hm_alarm_loader *l, struct hm_cfg_node *root)
{
    struct hm_alarm_rule *r = l->rule;
    size_t n = 0;
    char **bots = NULL;
    r->channels = strings(root, "channels");
    r->from = strings(root, "from");
    r->channel_ids = resolve(hm_cfg_get(root, "channels", HM_CFG_OPTIONAL), r->channels,
                             l->known != NULL ? l->known->channels : NULL, "CG", "channels");
    bots = hm_xcalloc(1, sizeof(char *));
    for (char **word = r->from; *word != NULL; word++) {
        if (strcmp(*word, "people") == 0)
            r->people = true;
        else
            add_id(&bots, &n, *word);
    }
    r->senders = resolve(hm_cfg_get(root, "from", HM_CFG_OPTIONAL), bots, l->known != NULL ? l->known->senders : NULL, "BA",
                         "senders; people are written \"people\"");
    hm_cfg_strings_free(bots);
}

/* ---- the rest of the top level --------------------------------------------------------------------------------------------- */

static void load_dedupe(struct hm_alarm_loader *l, struct hm_cfg_node *root)
{
    struct hm_cfg_node *dedupe = hm_cfg_get_group(root, "dedupe", HM_CFG_OPTIONAL);
    l->rule->group_ms = hour_ms;
    if (dedupe == NULL)
        return;
    l->rule->key = hm_load_template(&l->names, dedupe, "key", HM_CFG_REQUIRED, KEY_MAX, HM_SCOPE_START);
    l->rule->group_ms = hm_cfg_get_duration(dedupe, "for", HM_CFG_OPTIONAL, hour_ms, week_ms);
    hm_cfg_finish(dedupe);
}

static void load_resolves(struct hm_alarm_loader *l, struct hm_cfg_node *root)
{
    static const char *const not_with[] = {"say", "offers", "auto", "remember", "ignore_older"};
    struct hm_alarm_rule *r = l->rule;
    if (!hm_cfg_has(root, "resolves")) {
        if (hm_cfg_has(root, "keeps_open"))
            hm_cfg_add_here(hm_cfg_get(root, "keeps_open", HM_CFG_OPTIONAL), "belongs to a rule with resolves; take it out");
        return;
    }
    r->resolves = hm_cfg_get_strings(root, "resolves", HM_CFG_REQUIRED);
    if (r->resolves[0] == NULL)
        hm_cfg_add_here(hm_cfg_get(root, "resolves", HM_CFG_OPTIONAL), "is empty; name rules, or write \"*\" for all");
    r->keeps_open = hm_cfg_get_bool(root, "keeps_open", false);
    for (size_t i = 0; i < HM_ARRAY_LEN(not_with); i++)
        if (hm_cfg_has(root, not_with[i]))
            hm_cfg_add_here(hm_cfg_get(root, not_with[i], HM_CFG_OPTIONAL),
                            "a rule with resolves starts and says nothing; take it out");
}

/* doc is a section of the cookbook, as a recipe's is; runbook is one of the on-call runbook. */
static void load_doc(struct hm_alarm_loader *l, struct hm_cfg_node *root)
{
    struct hm_alarm_rule *r = l->rule;
    const char *doc = hm_cfg_get_str(root, "doc", HM_CFG_OPTIONAL, HM_LINE_MAX);
    const char *runbook = hm_cfg_get_str(root, "runbook", HM_CFG_OPTIONAL, HM_LINE_MAX);
    if (doc != NULL && runbook != NULL)
        hm_cfg_add_here(hm_cfg_get(root, "runbook", HM_CFG_OPTIONAL),
                        "doc and runbook: the card has one line for it; take one out");
    r->doc = runbook != NULL ? hm_xasprintf("On-call runbook, %s", runbook) : hm_xstrdup_null(doc);
    if (r->doc != NULL && l->known != NULL)
        r->link = hm_section_url(runbook != NULL ? l->known->runbook : l->known->cookbook, runbook != NULL ? runbook : doc);
}

static void load_root(struct hm_alarm_loader *l, struct hm_cfg_node *root)
{
    struct hm_alarm_rule *r = l->rule;
    r->name = hm_load_id(root, "name");
    r->title = hm_xstrdup_null(hm_cfg_get_str(root, "title", HM_CFG_REQUIRED, HM_LINE_MAX));
    load_doc(l, root);
    load_where(l, root);
    hm_alarm_load_fields(l, root);
    load_dedupe(l, root);
    load_resolves(l, root);
    r->ignore_older_ms = hm_cfg_get_duration(root, "ignore_older", HM_CFG_OPTIONAL, hour_ms, week_ms);
    hm_alarm_load_follow(l, root);
    hm_cfg_finish(root);
}

/* ---- names used in texts ----------------------------------------------------------------------------------------------------
 */

/* For when all rules are there. */
static void keep_naming(struct hm_alarm_rule *rule, const struct hm_ref *ref)
{
    rule->namings = hm_xreallocarray(rule->namings, rule->n_namings + 1, sizeof rule->namings[0]);
    rule->namings[rule->n_namings++] =
        (struct hm_alarm_naming){.path = hm_xstrdup(ref->path), .where = hm_xstrdup(ref->where), .line = ref->line};
}

/* Every name must be a field, known.<key>.<field>, day, sender, or item where there is one. */
static void lint_ref(struct hm_alarm_loader *l, const struct hm_ref *ref)
{
    char meant[120];
    struct hm_suggest s;
    const char *rest = ref->path + strlen(ref->root);
    if (strcmp(ref->root, "known") == 0) {
        const char *dot = *rest == '.' ? strchr(rest + 1, '.') : NULL;
        if (dot == NULL || strchr(dot + 1, '.') != NULL)
            hm_diags_add(l->names.diags, l->rule->file, ref->line, "%s: %s is not a remembered value; write known.<key>.<field>",
                         ref->where, ref->path);
        else
            keep_naming(l->rule, ref);
        return;
    }
    if (strcmp(ref->path, "day") == 0 || strcmp(ref->path, "sender") == 0)
        return;
    if (strcmp(ref->root, "item") == 0 && (ref->scope & HM_SCOPE_ITEM) != 0)
        return;
    if (hm_alarm_field(l->rule, ref->root, strlen(ref->root)) != NULL) {
        if (*rest != '\0')
            hm_diags_add(l->names.diags, l->rule->file, ref->line, "%s: %s: the field \"%s\" is a plain value", ref->where,
                         ref->path, ref->root);
        return;
    }
    hm_suggest_init(&s, ref->root);
    for (size_t i = 0; i < l->rule->n_fields; i++)
        hm_suggest_try(&s, l->rule->fields[i].param.name);
    hm_diags_add(l->names.diags, l->rule->file, ref->line, "%s: there is no field \"%s\"%s", ref->where, ref->root,
                 hm_suggest_text(&s, meant, sizeof meant));
}

/* ---- types of values ---------------------------------------------------------------------------------------------------------
 */

/* ANY of what is not a field: who knows what was remembered, and what an item is. */
static enum hm_field_type type_of(void *arg, const char *path)
{
    const struct hm_alarm_loader *l = arg;
    const struct hm_alarm_field *field = hm_alarm_field(l->rule, path, strlen(path));
    if (strcmp(path, "day") == 0 || strcmp(path, "sender") == 0)
        return HM_FIELD_TEXT;
    if (field == NULL)
        return HM_FIELD_ANY;
    if (field->many)
        return HM_FIELD_LIST;
    if (field->param.type == HM_PARAM_INT)
        return HM_FIELD_NUMBER;
    return field->param.type == HM_PARAM_BOOL ? HM_FIELD_BOOL : HM_FIELD_TEXT;
}

/* A condition that can never work would only take its button away, and nobody would learn why. */
static void lint_note(struct hm_alarm_loader *l, const struct hm_note *note)
{
    struct hm_err err = {0};
    enum hm_field_type type = HM_FIELD_ANY;
    if (hm_expr_type(note->expr, type_of, l, &type, &err) != HM_OK)
        hm_cfg_add_here(note->node, "%s", err.msg);
    else if (note->use == HM_USE_LIST && type != HM_FIELD_LIST && type != HM_FIELD_ANY)
        hm_cfg_add_here(note->node, "%s is %s; a list is needed here", hm_expr_text(note->expr), hm_field_type_text(type));
}

const struct hm_alarm_field *hm_alarm_field(const struct hm_alarm_rule *rule, const char *name, size_t len)
{
    for (size_t i = 0; i < rule->n_fields; i++) {
        const char *own = rule->fields[i].param.name;
        if (own != NULL && strlen(own) == len && memcmp(own, name, len) == 0)
            return &rule->fields[i];
    }
    return NULL;
}

size_t hm_alarm_load_groups(struct hm_alarm_loader *l, struct hm_cfg_node *root, const struct hm_alarm_groups *groups,
                            void **ret_items)
{
    char path[120];
    size_t n = 0;
    struct hm_cfg_node *list = hm_cfg_get_list(root, groups->key, HM_CFG_OPTIONAL);
    if (list == NULL)
        return 0;
    size_t count = hm_cfg_count(list);
    if (count == 0 || count > groups->max) {
        hm_cfg_add_here(list, "%zu entries; give from 1 to %zu, or leave it out", count, groups->max);
        return 0;
    }
    char *items = hm_xcalloc(count, groups->size);
    for (size_t i = 0; i < count; i++) {
        struct hm_cfg_node *item = hm_cfg_at(list, i);
        if (hm_cfg_type(item) == HM_CFG_GROUP)
            groups->load(l, item, items + n++ * groups->size);
        else
            hm_cfg_add(item, "%s must be %s, not %s", hm_cfg_path(item, path, sizeof path), hm_cfg_type_name(HM_CFG_GROUP),
                       hm_cfg_type_name(hm_cfg_type(item)));
    }
    *ret_items = items;
    return n;
}

/* ---------------------------------------------------------------------------------------------------------------------------- */

/* Findings come in the order of the checks; people read from the top. Stable. */
static void sort_findings(struct hm_diags *diags, size_t first)
{
    for (size_t i = first + 1; i < diags->count; i++) {
        struct hm_diag moved = diags->items[i];
        size_t k = i;
        for (; k > first && diags->items[k - 1].line > moved.line; k--)
            diags->items[k] = diags->items[k - 1];
        diags->items[k] = moved;
    }
}

struct hm_alarm_rule *hm_alarm_parse(const char *file, const char *text, const struct hm_alarm_names *names,
                                     struct hm_diags *diags)
{
    size_t before = diags->count + diags->dropped;
    size_t first = diags->count;
    struct hm_cfg *cfg = hm_cfg_open_text(file, text, strlen(text), diags);
    if (cfg == NULL)
        return NULL;
    struct hm_alarm_rule *rule = hm_xcalloc(1, sizeof *rule);
    struct hm_alarm_loader l = {.names = {.diags = diags, .step = -1}, .rule = rule, .known = names};
    rule->file = hm_xstrdup(file);
    load_root(&l, hm_cfg_root(cfg));
    for (size_t i = 0; i < l.names.n_refs; i++)
        lint_ref(&l, &l.names.refs[i]);
    for (size_t i = 0; i < l.names.n_notes; i++)
        lint_note(&l, &l.names.notes[i]);
    hm_loader_done(&l.names);
    sort_findings(diags, first);
    hm_cfg_close(cfg);
    if (diags->count + diags->dropped == before)
        return rule;
    hm_alarm_rule_free(rule);
    return NULL;
}
