/* Alarm rules as a whole: letting go of one, loading folders of them, and the checks between them and the recipes. See alarm.h.
 */
#include "alarm/alarm.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alarm/load.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/suggest.h"
#include "base/text.h"

void hm_alarm_rule_free(struct hm_alarm_rule *rule)
{
    if (rule == NULL)
        return;
    char **const lists[] = {rule->channels, rule->from, rule->channel_ids, rule->senders, rule->resolves};
    for (size_t i = 0; i < HM_ARRAY_LEN(lists); i++)
        if (lists[i] != NULL)
            hm_cfg_strings_free(lists[i]);
    hm_alarm_fields_free(rule);
    hm_alarm_follow_free(rule);
    hm_template_free(rule->key);
    for (size_t i = 0; i < rule->n_namings; i++) {
        free(rule->namings[i].path);
        free(rule->namings[i].where);
    }
    free(rule->namings);
    free(rule->name);
    free(rule->title);
    free(rule->doc);
    free(rule->link);
    free(rule->file);
    free(rule);
}

/* ---- a folder ---------------------------------------------------------------------------------------------------------- */

static int is_rule_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && hm_ends_with(entry->d_name, ".cfg") ? 1 : 0;
}

static int by_name(const void *a, const void *b)
{
    const struct hm_alarm_rule *const *x = a;
    const struct hm_alarm_rule *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static struct hm_alarm_rule *load_file(const char *path, const struct hm_alarm_names *names, struct hm_diags *diags)
{
    size_t len = 0;
    struct hm_alarm_rule *rule = NULL;
    char *text = hm_cfg_read_text(path, &len, diags);
    if (text != NULL && memchr(text, '\0', len) != NULL)
        hm_diags_add(diags, path, 1, "holds a NUL byte; save it as plain text");
    else if (text != NULL)
        rule = hm_alarm_parse(path, text, names, diags);
    free(text);
    return rule;
}

static void add_rule(struct hm_alarms *alarms, struct hm_alarm_rule *rule, struct hm_diags *diags)
{
    const struct hm_alarm_rule *other = hm_alarms_find(alarms, rule->name);
    if (other != NULL) {
        hm_diags_add(diags, rule->file, 1, "the rule \"%s\" is in %s too; rename one", rule->name, other->file);
        hm_alarm_rule_free(rule);
        return;
    }
    alarms->items = hm_xreallocarray(alarms->items, alarms->count + 1, sizeof(struct hm_alarm_rule *));
    alarms->items[alarms->count++] = rule;
}

void hm_alarms_load_dir(struct hm_alarms *alarms, const char *dir, const struct hm_alarm_names *names, struct hm_diags *diags)
{
    struct dirent **entries = NULL;
    int count = scandir(dir, &entries, is_rule_file, alphasort);
    if (count < 0) {
        hm_diags_add(diags, dir, 0, "the folder can not be read: %s", strerror(errno));
        return;
    }
    for (int i = 0; i < count; i++) {
        char *path = hm_xasprintf("%s/%s", dir, entries[i]->d_name);
        struct hm_alarm_rule *rule = load_file(path, names, diags);
        if (rule != NULL)
            add_rule(alarms, rule, diags);
        free(path);
        free(entries[i]);
    }
    free(entries);
    if (alarms->count > 0)
        qsort(alarms->items, alarms->count, sizeof(struct hm_alarm_rule *), by_name);
}

void hm_alarms_done(struct hm_alarms *alarms)
{
    for (size_t i = 0; i < alarms->count; i++)
        hm_alarm_rule_free(alarms->items[i]);
    free(alarms->items);
    *alarms = (struct hm_alarms){0};
}

const struct hm_alarm_rule *hm_alarms_find(const struct hm_alarms *alarms, const char *name)
{
    for (size_t i = 0; i < alarms->count; i++)
        if (strcmp(alarms->items[i]->name, name) == 0)
            return alarms->items[i];
    return NULL;
}

bool hm_alarm_has(char *const *ids, const char *id)
{
    for (; *ids != NULL; ids++)
        if (strcmp(*ids, id) == 0)
            return true;
    return false;
}

bool hm_alarms_watch(const struct hm_alarms *alarms, const char *channel_id)
{
    for (size_t i = 0; i < alarms->count; i++)
        if (hm_alarm_has(alarms->items[i]->channel_ids, channel_id))
            return true;
    return false;
}

/* ---- between rules and recipes ------------------------------------------------------------------------------------------ */

struct site {
    const struct hm_alarm_rule *rule;
    const struct hm_alarm_start *start;
    const char *where; /* "offers", "auto" */
    const struct hm_recipe *recipe;
    struct hm_diags *diags;
};

static bool gives(const struct hm_alarm_start *start, const char *param)
{
    const char *key = NULL;
    for (size_t i = 0; start->with != NULL && (key = hm_args_template_key(start->with, i)) != NULL; i++)
        if (strcmp(key, param) == 0)
            return true;
    return false;
}

static void check_params(const struct site *site)
{
    char meant[120];
    const char *key = NULL;
    const struct hm_recipe *recipe = site->recipe;
    for (size_t i = 0; site->start->with != NULL && (key = hm_args_template_key(site->start->with, i)) != NULL; i++) {
        struct hm_suggest s;
        bool found = false;
        hm_suggest_init(&s, key);
        for (size_t p = 0; p < recipe->n_params; p++) {
            found = found || strcmp(recipe->params[p].name, key) == 0;
            hm_suggest_try(&s, recipe->params[p].name);
        }
        if (!found)
            hm_diags_add(site->diags, site->rule->file, site->start->line, "%s: recipe \"%s\" has no param \"%s\"%s", site->where,
                         recipe->name, key, hm_suggest_text(&s, meant, sizeof meant));
    }
    for (size_t p = 0; p < recipe->n_params && site->start->label == NULL; p++) { /* an offer may open the form */
        const struct hm_param *param = &recipe->params[p];
        if (!param->optional && param->fallback == NULL && !gives(site->start, param->name))
            hm_diags_add(site->diags, site->rule->file, site->start->line,
                         "%s: recipe \"%s\" needs %s, which has no default; add it to with", site->where, recipe->name,
                         param->name);
    }
}

/* What starts unasked must change nothing, and must not wait for anybody. */
static void check_unasked(const struct site *site)
{
    const struct hm_recipe *recipe = site->recipe;
    if (recipe->worst != HM_EFFECT_READ)
        hm_diags_add(site->diags, site->rule->file, site->start->line,
                     "auto: recipe \"%s\" changes something; only recipes that only read start by themselves, make it an offer",
                     recipe->name);
    for (size_t i = 0; i < recipe->n_steps; i++) {
        enum hm_step_kind kind = recipe->steps[i].kind;
        if (kind == HM_STEP_APPROVE || kind == HM_STEP_ASK || kind == HM_STEP_MANUAL) {
            hm_diags_add(site->diags, site->rule->file, site->start->line,
                         "auto: recipe \"%s\" waits for a person (step %s); make it an offer", recipe->name, recipe->steps[i].id);
            return;
        }
    }
}

static void check_starts(struct site *site, const struct hm_alarm_start *starts, size_t n, const struct hm_recipes *recipes)
{
    char meant[120];
    for (size_t i = 0; i < n; i++) {
        struct hm_suggest s;
        site->start = &starts[i];
        site->recipe = hm_recipes_find(recipes, starts[i].recipe);
        if (site->recipe != NULL) {
            check_params(site);
            if (starts[i].label == NULL)
                check_unasked(site);
            continue;
        }
        hm_suggest_init(&s, starts[i].recipe);
        for (size_t r = 0; r < recipes->count; r++)
            hm_suggest_try(&s, recipes->items[r]->name);
        hm_diags_add(site->diags, site->rule->file, starts[i].line, "%s: there is no recipe \"%s\"%s", site->where,
                     starts[i].recipe, hm_suggest_text(&s, meant, sizeof meant));
    }
}

static void no_rule(const struct hm_alarms *alarms, const struct hm_alarm_rule *rule, const char *name, struct hm_diags *diags)
{
    char meant[120];
    struct hm_suggest s;
    hm_suggest_init(&s, name);
    for (size_t i = 0; i < alarms->count; i++)
        hm_suggest_try(&s, alarms->items[i]->name);
    hm_diags_add(diags, rule->file, 1, "resolves: there is no rule \"%s\"%s", name, hm_suggest_text(&s, meant, sizeof meant));
}

/* ---- remembered values -------------------------------------------------------------------------------------------------- */

static json_t *fields_of(json_t *keys, const char *key)
{
    if (json_object_get(keys, key) == NULL)
        hm_json_set(keys, key, hm_json_obj_new());
    return json_object_get(keys, key);
}

/* `before` takes over what its key has, of whatever rule or the settings. */
static void add_before(const struct hm_alarm_rule *rule, json_t *keys)
{
    for (size_t i = 0; i < rule->n_memories; i++)
        if (rule->memories[i].before != NULL)
            (void)json_object_update_missing(fields_of(keys, rule->memories[i].before), fields_of(keys, rule->memories[i].key));
}

bool hm_alarms_settable(const struct hm_alarms *alarms, json_t *keys)
{
    bool any = false;
    for (size_t r = 0; r < alarms->count; r++) {
        const struct hm_alarm_rule *rule = alarms->items[r];
        any = any || rule->n_memories > 0;
        for (size_t i = 0; i < rule->n_memories; i++) {
            json_t *fields = fields_of(keys, rule->memories[i].key);
            const char *name = NULL;
            for (size_t k = 0; (name = hm_args_template_key(rule->memories[i].fields, k)) != NULL; k++)
                hm_json_set_bool(fields, name, true);
        }
    }
    for (size_t r = 0; r < alarms->count; r++)
        add_before(alarms->items[r], keys);
    return any;
}

static void check_namings(const struct hm_alarm_rule *rule, const struct hm_settable *known, struct hm_diags *diags)
{
    for (size_t i = 0; known != NULL && i < rule->n_namings; i++) {
        struct hm_strbuf problem;
        hm_strbuf_init(&problem, 1000);
        if (!hm_settable_ok(known, rule->namings[i].path, &problem))
            hm_diags_add(diags, rule->file, rule->namings[i].line, "%s: %s", rule->namings[i].where, hm_strbuf_str(&problem));
        hm_strbuf_done(&problem);
    }
}

/* ---------------------------------------------------------------------------------------------------------------------------- */

void hm_alarms_link(const struct hm_alarms *alarms, const struct hm_recipes *recipes, const struct hm_settable *known,
                    struct hm_diags *diags)
{
    for (size_t i = 0; i < alarms->count; i++) {
        const struct hm_alarm_rule *rule = alarms->items[i];
        struct site site = {.rule = rule, .where = "offers", .diags = diags};
        check_starts(&site, rule->offers, rule->n_offers, recipes);
        site.where = "auto";
        check_starts(&site, rule->autos, rule->n_autos, recipes);
        for (char **name = rule->resolves; name != NULL && *name != NULL; name++)
            if (strcmp(*name, "*") != 0 && hm_alarms_find(alarms, *name) == NULL)
                no_rule(alarms, rule, *name, diags);
        check_namings(rule, known, diags);
    }
}
