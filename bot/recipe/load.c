/* The loader: from a file to a struct hm_recipe, or to findings. See recipe.h and load.h. */
#include "recipe/load.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/suggest.h"
#include "base/text.h"

enum { MAX_STEPS = 100, MAX_LOCK = 200, WHERE_MAX = 200 };

static const int64_t day_ms = 86400000;

/* ---- names ------------------------------------------------------------------------------------------------------------- */

static bool is_reserved(const char *name)
{
    static const char *const words[] = {"run",   "known", "given", "environ", "verify", "item", "true",
                                        "false", "null",  "and",   "or",      "not",    "in",   "count"};
    for (size_t i = 0; i < HM_ARRAY_LEN(words); i++)
        if (strcmp(words[i], name) == 0)
            return true;
    return false;
}

static bool is_id(const char *name)
{
    if (name[0] < 'a' || name[0] > 'z')
        return false;
    for (const char *p = name; *p != '\0'; p++) {
        bool word = (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9');
        if (!word && (*p != '-' || p[1] == '-' || p[1] == '\0'))
            return false;
    }
    return true;
}

char *hm_load_id(struct hm_cfg_node *group, const char *key)
{
    char path[WHERE_MAX];
    const char *name = hm_cfg_get_str(group, key, HM_CFG_REQUIRED, HM_ID_MAX);
    if (name == NULL)
        return NULL;
    const struct hm_cfg_node *node = hm_cfg_get(group, key, HM_CFG_OPTIONAL);
    if (!is_id(name)) {
        hm_cfg_add(node, "%s is \"%s\"; a name has small letters, digits and single dashes and begins with a letter",
                   hm_cfg_path(node, path, sizeof path), name);
        return NULL;
    }
    if (is_reserved(name)) {
        hm_cfg_add(node, "%s may not be \"%s\": expressions use that word; take another", hm_cfg_path(node, path, sizeof path),
                   name);
        return NULL;
    }
    return hm_xstrdup(name);
}

char **hm_load_roles(struct hm_loader *l, struct hm_cfg_node *group, const char *key, enum hm_cfg_need need)
{
    char meant[120];
    char **roles = hm_cfg_get_strings(group, key, need);
    for (size_t i = 0; roles[i] != NULL && l->names != NULL; i++) {
        struct hm_suggest s;
        bool found = false;
        hm_suggest_init(&s, roles[i]);
        for (size_t k = 0; k < l->names->n_roles; k++) {
            found = found || strcmp(l->names->roles[k], roles[i]) == 0;
            hm_suggest_try(&s, l->names->roles[k]);
        }
        const struct hm_cfg_node *node = hm_cfg_get(group, key, HM_CFG_OPTIONAL);
        if (!found)
            hm_cfg_add_here(node, "the settings have no role \"%s\"%s", roles[i], hm_suggest_text(&s, meant, sizeof meant));
    }
    return roles;
}

/* ---- expressions and templates ----------------------------------------------------------------------------------------- */

struct noting {
    struct hm_loader *l;
    const struct hm_cfg_node *node;
    unsigned scope;
    size_t count;
};

static void note_path(void *arg, const char *root, const char *path)
{
    char where[WHERE_MAX];
    struct noting *n = arg;
    struct hm_loader *l = n->l;
    l->refs = hm_xreallocarray(l->refs, l->n_refs + 1, sizeof l->refs[0]);
    l->refs[l->n_refs++] = (struct hm_ref){.root = hm_xstrdup(root),
                                           .path = hm_xstrdup(path),
                                           .where = hm_xstrdup(hm_cfg_path(n->node, where, sizeof where)),
                                           .line = hm_cfg_line(n->node),
                                           .step = l->step,
                                           .scope = n->scope,
                                           .list = l->list};
    n->count++;
}

static void note_expr(struct hm_loader *l, const struct hm_cfg_node *node, const struct hm_expr *expr, enum hm_use use,
                      unsigned scope)
{
    l->notes = hm_xreallocarray(l->notes, l->n_notes + 1, sizeof l->notes[0]);
    l->notes[l->n_notes++] = (struct hm_note){
        .expr = expr, .node = node, .use = use, .wanted = HM_ARG_NR, .step = l->step, .scope = scope, .list = l->list};
}

void hm_loader_done(struct hm_loader *l)
{
    for (size_t i = 0; i < l->n_refs; i++) {
        free(l->refs[i].root);
        free(l->refs[i].path);
        free(l->refs[i].where);
    }
    for (size_t i = 0; i < l->n_kept; i++)
        hm_template_free(l->kept[i]);
    free(l->kept);
    free(l->notes);
    free(l->refs);
}

void hm_load_note_template(struct hm_loader *l, const struct hm_cfg_node *node, const struct hm_template *tpl, unsigned scope)
{
    struct noting n = {l, node, scope, 0};
    hm_template_paths(tpl, note_path, &n);
}

/* A raw < begins a link or a mention in Slack; anything else would vanish, or wake everybody. */
static void check_mrkdwn(const struct hm_cfg_node *node, const struct hm_template *tpl)
{
    static const char *const good[] = {"<http://", "<https://", "<mailto:", "<@", "<#", "<!subteam^", "<!date^"};
    const char *part = NULL;
    for (size_t i = 0; (part = hm_template_part(tpl, i)) != NULL; i++) {
        for (const char *p = strchr(part, '<'); p != NULL; p = strchr(p + 1, '<')) {
            bool known = false;
            for (size_t k = 0; k < HM_ARRAY_LEN(good); k++)
                known = known || hm_starts_with(p, good[k]);
            if (!known)
                hm_cfg_add_here(node, "\"%.*s\" would not be shown as it stands; write &lt; for <, or a link <https://…|…>",
                                (int)hm_utf8_take(p, 20), p);
        }
    }
}

struct markdown {
    bool code, open; /* what has begun, and did not end so far */
    bool bold, link; /* what was found */
};

/* The stars at p; returns how many. Two, some words and two again in one line are Markdown; "2 ** 3", "*** look ***" and the two
 * stars of a path (any folder below) are meant as they stand. */
static size_t read_stars(struct markdown *m, const char *p, char before, char after)
{
    static const char apart[] = " \t\n/";
    size_t stars = strspn(p, "*");
    if (stars != 2)
        return stars;
    m->bold = m->bold || (m->open && strchr(apart, before) == NULL);
    m->open = strchr(apart, after) == NULL;
    return stars;
}

/* What stands at p of the template's i-th part; returns its length. */
static size_t read_markdown(struct markdown *m, const struct hm_template *tpl, size_t i, const char *p)
{
    static const char value[] = "x", nothing[] = " "; /* what stands beside a part of the text */
    const char *part = hm_template_part(tpl, i);
    const char *end = p + strspn(p, "*");
    m->code = m->code != (*p == '`');
    m->open = m->open && *p != '\n';
    m->link = m->link || (!m->code && (hm_starts_with(p, "](http://") || hm_starts_with(p, "](https://")));
    if (m->code || *p != '*')
        return 1;
    const char *before = p > part ? p - 1 : i > 0 ? value : nothing;
    const char *after = *end != '\0' ? end : hm_template_part(tpl, i + 1) != NULL ? value : nothing;
    return read_stars(m, p, *before, *after);
}

/* Slack's markup is not Markdown: **bold** and [words](https://…) would be shown with all their signs. Not so in code. */
static void check_markdown(const struct hm_cfg_node *node, const struct hm_template *tpl)
{
    const char *part = NULL;
    struct markdown m = {0};
    for (size_t i = 0; (part = hm_template_part(tpl, i)) != NULL; i++)
        for (const char *p = part; *p != '\0';)
            p += read_markdown(&m, tpl, i, p);
    if (m.bold)
        hm_cfg_add_here(node, "** would be shown as it stands; write *bold*, with one star on each side");
    if (m.link)
        hm_cfg_add_here(node, "[…](…) would be shown as it stands; a link is <https://…|words> in Slack");
}

/* is_arg: one ${…} alone keeps its type. */
static struct hm_template *parse_template(struct hm_loader *l, const struct hm_cfg_node *node, unsigned scope, bool is_arg)
{
    struct hm_err err = {0};
    const struct hm_expr *expr = NULL;
    struct hm_template *tpl = hm_template_parse(hm_cfg_string(node), &err);
    if (tpl == NULL)
        hm_cfg_add_here(node, "%s", err.msg);
    else
        hm_load_note_template(l, node, tpl, scope);
    enum hm_use use = (scope & HM_SCOPE_MRKDWN) != 0 ? HM_USE_LINE : HM_USE_TEXT;
    if (tpl != NULL && is_arg && hm_template_is_value(tpl))
        use = HM_USE_ARG;
    for (size_t i = 0; tpl != NULL && (expr = hm_template_expr(tpl, i)) != NULL; i++)
        note_expr(l, node, expr, use, scope);
    if (tpl != NULL && (scope & HM_SCOPE_MRKDWN) != 0)
        check_mrkdwn(node, tpl);
    if (tpl != NULL && (scope & HM_SCOPE_MRKDWN) != 0 && !l->again)
        check_markdown(node, tpl);
    return tpl;
}

struct hm_template *hm_load_template(struct hm_loader *l, struct hm_cfg_node *group, const char *key, enum hm_cfg_need need,
                                     size_t max, unsigned scope)
{
    if (hm_cfg_get_str(group, key, need, max) == NULL)
        return NULL;
    return parse_template(l, hm_cfg_get(group, key, HM_CFG_OPTIONAL), scope, false);
}

static struct hm_expr *load_expr(struct hm_loader *l, struct hm_cfg_node *group, const char *key, enum hm_cfg_need need,
                                 unsigned scope, enum hm_use use)
{
    struct hm_err err = {0};
    const char *text = hm_cfg_get_str(group, key, need, HM_EXPR_MAX);
    if (text == NULL)
        return NULL;
    struct noting n = {l, hm_cfg_get(group, key, HM_CFG_OPTIONAL), scope, 0};
    struct hm_expr *expr = hm_expr_parse(text, &err);
    if (expr == NULL)
        hm_cfg_add_here(n.node, "%s%s", err.msg, strstr(text, "${") != NULL ? " (an expression is written without ${ })" : "");
    else
        hm_expr_paths(expr, note_path, &n);
    if (expr != NULL && (n.count > 0 || use == HM_USE_LIST)) /* what uses no names is judged by its value */
        note_expr(l, n.node, expr, use, scope);
    return expr;
}

struct hm_expr *hm_load_expr(struct hm_loader *l, struct hm_cfg_node *group, const char *key, enum hm_cfg_need need,
                             unsigned scope)
{
    return load_expr(l, group, key, need, scope, HM_USE_LIST);
}

struct hm_expr *hm_load_condition(struct hm_loader *l, struct hm_cfg_node *group, const char *key, enum hm_cfg_need need,
                                  unsigned scope)
{
    char path[WHERE_MAX];
    size_t before = l->n_refs;
    bool holds = false;
    struct hm_expr *expr = load_expr(l, group, key, need, scope, HM_USE_CONDITION);
    if (expr == NULL || l->n_refs > before)
        return expr;
    const struct hm_cfg_node *node = hm_cfg_get(group, key, HM_CFG_OPTIONAL);
    bool known = hm_expr_true(expr, NULL, &holds, NULL) == HM_OK;
    hm_cfg_add(node, "%s is always %s: it asks nothing of a param or a step; take it out or correct it",
               hm_cfg_path(node, path, sizeof path),
               !known  ? "an error"
               : holds ? "true"
                       : "false");
    return expr;
}

static void note_tree(struct hm_loader *l, const struct hm_cfg_node *node, unsigned scope)
{
    struct hm_template *tpl = hm_cfg_string(node) != NULL ? parse_template(l, node, scope, true) : NULL;
    if (tpl != NULL) {
        l->kept = hm_xreallocarray(l->kept, l->n_kept + 1, sizeof(struct hm_template *));
        l->kept[l->n_kept++] = tpl;
    }
    for (size_t i = 0; i < hm_cfg_count(node); i++)
        note_tree(l, hm_cfg_at(node, i), scope);
}

struct hm_args_template *hm_load_args(struct hm_loader *l, struct hm_cfg_node *group, const char *key, unsigned scope)
{
    struct hm_cfg_node *node = hm_cfg_get_group(group, key, HM_CFG_OPTIONAL);
    if (node == NULL)
        return NULL;
    note_tree(l, node, scope); /* names each mistake by its own line */
    json_t *tree = hm_cfg_json_new(node);
    struct hm_args_template *args = hm_args_template_new(tree, NULL);
    json_decref(tree);
    return args;
}

/* ---- the top level ----------------------------------------------------------------------------------------------------- */

static void load_steps(struct hm_loader *l, struct hm_cfg_node *root)
{
    struct hm_cfg_node *list = hm_cfg_get_list(root, "steps", HM_CFG_REQUIRED);
    if (list == NULL)
        return;
    size_t count = hm_cfg_count(list);
    if (count == 0 || count > MAX_STEPS) {
        hm_cfg_add(list, "steps has %zu entries; a recipe has from 1 to %d steps", count, MAX_STEPS);
        return;
    }
    l->recipe->steps = hm_xcalloc(count, sizeof l->recipe->steps[0]);
    for (size_t i = 0; i < count; i++) {
        struct hm_cfg_node *item = hm_cfg_at(list, i);
        if (hm_cfg_type(item) != HM_CFG_GROUP) {
            hm_cfg_add(item, "steps[%zu] must be %s, not %s", i + 1, hm_cfg_type_name(HM_CFG_GROUP),
                       hm_cfg_type_name(hm_cfg_type(item)));
            continue;
        }
        l->step = (int)l->recipe->n_steps++;
        hm_load_step(l, item, &l->recipe->steps[l->step]);
    }
    l->step = -1;
}

static void load_root(struct hm_loader *l, struct hm_cfg_node *root)
{
    struct hm_recipe *r = l->recipe;
    r->name = hm_load_id(root, "name");
    r->title = hm_xstrdup_null(hm_cfg_get_str(root, "title", HM_CFG_REQUIRED, HM_LINE_MAX));
    r->doc = hm_xstrdup_null(hm_cfg_get_str(root, "doc", HM_CFG_OPTIONAL, HM_LINE_MAX));
    r->who = hm_load_roles(l, root, "who", HM_CFG_OPTIONAL);
    r->lock = hm_load_template(l, root, "lock", HM_CFG_OPTIONAL, MAX_LOCK, HM_SCOPE_START | HM_SCOPE_FULL);
    r->timeout_ms = hm_cfg_get_duration(root, "timeout", HM_CFG_OPTIONAL, day_ms, 7 * day_ms);
    r->ungated = hm_xstrdup_null(hm_cfg_get_str(root, "ungated", HM_CFG_OPTIONAL, HM_TEXT_MAX));
    struct hm_cfg_node *params = hm_cfg_get_list(root, "params", HM_CFG_OPTIONAL);
    if (params != NULL)
        hm_load_params(l, params, &r->params, &r->n_params);
    load_steps(l, root);
    hm_cfg_finish(root);
}

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

/* names: NULL = they are not checked. */
static struct hm_recipe *parse(const char *file, const char *text, const struct hm_names *names, bool again,
                               struct hm_diags *diags)
{
    size_t before = diags->count + diags->dropped;
    size_t first = diags->count;
    struct hm_cfg *cfg = hm_cfg_open_text(file, text, strlen(text), diags);
    if (cfg == NULL)
        return NULL;
    struct hm_recipe *recipe = hm_xcalloc(1, sizeof *recipe);
    struct hm_loader l = {.recipe = recipe, .names = names, .diags = diags, .again = again, .step = -1};
    recipe->refs = 1;
    recipe->file = hm_xstrdup(file);
    recipe->text = hm_xstrdup(text);
    hm_sha256_hex(text, strlen(text), recipe->sha256);
    load_root(&l, hm_cfg_root(cfg));
    hm_lint(&l);
    hm_lint_names(&l);
    if (!again)
        hm_lint_types(&l);
    sort_findings(diags, first);
    hm_loader_done(&l);
    hm_cfg_close(cfg);
    if (diags->count + diags->dropped == before)
        return recipe;
    hm_recipe_free(recipe);
    return NULL;
}

struct hm_recipe *hm_recipe_parse(const char *file, const char *text, const struct hm_names *names, struct hm_diags *diags)
{
    return parse(file, text, names, false, diags);
}

struct hm_recipe *hm_recipe_parse_again(const char *file, const char *text, struct hm_diags *diags)
{
    return parse(file, text, NULL, true, diags);
}

struct hm_recipe *hm_recipe_load(const char *file, const struct hm_names *names, struct hm_diags *diags)
{
    size_t len = 0;
    struct hm_recipe *recipe = NULL;
    char *text = hm_cfg_read_text(file, &len, diags);
    if (text != NULL && memchr(text, '\0', len) != NULL)
        hm_diags_add(diags, file, 1, "holds a NUL byte; save it as plain text");
    else if (text != NULL)
        recipe = hm_recipe_parse(file, text, names, diags);
    free(text);
    return recipe;
}
