/* The tree of a libconfig file: see cfg.h. The getters are in cfg_get.c. */
#include "base/cfg.h"

#include <errno.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/cfg_node.h"
#include "base/cfg_scan.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"

struct hm_cfg {
    char *file;
    struct hm_diags *diags;
    struct hm_cfg_node *root;
};

struct builder {
    struct hm_cfg *cfg;
    const struct hm_cfg_lines *lines;
    size_t next_string;
};

static void free_node(struct hm_cfg_node *node)
{
    if (node == NULL)
        return;
    for (size_t i = 0; i < node->count; i++)
        free_node(node->items[i]);
    for (size_t i = 0; i < node->n_asked; i++)
        free(node->asked[i]);
    free(node->items);
    free(node->asked);
    free(node->name);
    free(node->text);
    free(node);
}

static void build_scalar(struct builder *b, struct hm_cfg_node *node, const config_setting_t *setting)
{
    switch ((int)setting->type) {
    case CONFIG_TYPE_INT:
        node->type = HM_CFG_INT;
        node->number = setting->value.ival;
        break;
    case CONFIG_TYPE_INT64:
        node->type = HM_CFG_INT;
        node->number = setting->value.llval;
        break;
    case CONFIG_TYPE_FLOAT:
        node->type = HM_CFG_NUMBER;
        node->real = setting->value.fval;
        break;
    case CONFIG_TYPE_BOOL:
        node->type = HM_CFG_BOOL;
        node->number = setting->value.ival != 0 ? 1 : 0;
        break;
    default: {
        const char *text = setting->value.sval != NULL ? setting->value.sval : "";
        node->type = HM_CFG_STRING;
        if (b->next_string < b->lines->count)
            node->line = b->lines->items[b->next_string++];
        if (hm_utf8_valid(text, strlen(text)))
            node->text = hm_xstrdup(text);
        else
            hm_diags_add(b->cfg->diags, b->cfg->file, node->line, "a string that is not UTF-8 (look for \\x); write UTF-8");
        break;
    }
    }
}

static struct hm_cfg_node *build(struct builder *b, const config_setting_t *setting, struct hm_cfg_node *parent)
{
    struct hm_cfg_node *node = hm_xcalloc(1, sizeof *node);
    node->file = b->cfg->file;
    node->diags = b->cfg->diags;
    node->parent = parent;
    node->name = hm_xstrdup_null(setting->name);
    node->line = setting->line > 0 ? (int)setting->line : 1; /* the file itself has none */
    if (!config_setting_is_aggregate(setting)) {
        build_scalar(b, node, setting);
        return node;
    }
    node->type = setting->type == CONFIG_TYPE_GROUP ? HM_CFG_GROUP : HM_CFG_LIST;
    int count = config_setting_length(setting);
    node->items = hm_xcalloc((size_t)count + 1, sizeof(struct hm_cfg_node *));
    for (int i = 0; i < count; i++)
        node->items[node->count++] = build(b, config_setting_get_elem(setting, (unsigned)i), node);
    return node;
}

/* libconfig's own words are "syntax error" and a line that is often the next one. */
static void add_parse_error(const struct hm_cfg *cfg, const config_t *parsed)
{
    const char *why = config_error_text(parsed);
    if (why != NULL && strcmp(why, "duplicate setting name") == 0)
        hm_diags_add(cfg->diags, cfg->file, config_error_line(parsed), "this key is set twice in the same group; take one out");
    else if (why != NULL && strcmp(why, "mismatched element type in array") == 0)
        hm_diags_add(cfg->diags, cfg->file, config_error_line(parsed),
                     "the values between [ and ] are not of one type; write them between ( and )");
    else if (why != NULL && strcmp(why, "syntax error") != 0)
        hm_diags_add(cfg->diags, cfg->file, config_error_line(parsed), "%s", why);
    else
        hm_diags_add(cfg->diags, cfg->file, config_error_line(parsed),
                     "can not be read from here on; look for a missing \";\", \"=\", \",\" or quote on this line or just before");
}

struct hm_cfg *hm_cfg_open_text(const char *file, const char *text, size_t len, struct hm_diags *diags)
{
    struct hm_cfg_lines lines = {0};
    struct hm_cfg *cfg = NULL;
    size_t before = diags->count + diags->dropped;
    config_t parsed;

    if (len > HM_CFG_MAX_BYTES) {
        hm_diags_add(diags, file, 0, "%zu bytes; at most %d are read", len, HM_CFG_MAX_BYTES);
        return NULL;
    }
    /* The scanner and libconfig want a NUL at the end, and libconfig takes no comment on a last line without its end. */
    char *copy = hm_xmalloc(len + 2);
    memcpy(copy, text, len);
    copy[len] = '\n';
    copy[len + 1] = '\0';
    config_init(&parsed);
    if (!hm_cfg_scan(file, copy, len, HM_CFG_MAX_DEPTH, &lines, diags))
        goto out;

    cfg = hm_xcalloc(1, sizeof *cfg);
    cfg->file = hm_xstrdup(file);
    cfg->diags = diags;
    if (config_read_string(&parsed, copy) == CONFIG_TRUE) {
        struct builder b = {cfg, &lines, 0};
        cfg->root = build(&b, config_root_setting(&parsed), NULL);
    } else {
        add_parse_error(cfg, &parsed);
    }
    if (diags->count + diags->dropped > before) {
        hm_cfg_close(cfg);
        cfg = NULL;
    }
out:
    config_destroy(&parsed);
    free(lines.items);
    free(copy);
    return cfg;
}

char *hm_cfg_read_text(const char *path, size_t *ret_len, struct hm_diags *diags)
{
    FILE *f = fopen(path, "rbe");
    if (f == NULL) {
        hm_diags_add(diags, path, 0, "can not be opened: %s", strerror(errno));
        return NULL;
    }
    char *text = hm_xmalloc(HM_CFG_MAX_BYTES + 2);
    errno = 0;
    size_t len = fread(text, 1, HM_CFG_MAX_BYTES + 1, f);
    int problem = ferror(f) != 0 ? (errno != 0 ? errno : EIO) : 0;
    (void)fclose(f);
    if (problem != 0) {
        hm_diags_add(diags, path, 0, "can not be read: %s", strerror(problem));
        HM_FREE(text);
    } else if (len > HM_CFG_MAX_BYTES) {
        hm_diags_add(diags, path, 0, "longer than the %d bytes that are read", HM_CFG_MAX_BYTES);
        HM_FREE(text);
    } else {
        text[len] = '\0';
        *ret_len = len;
    }
    return text;
}

struct hm_cfg *hm_cfg_open_file(const char *path, struct hm_diags *diags)
{
    size_t len = 0;
    char *text = hm_cfg_read_text(path, &len, diags);
    struct hm_cfg *cfg = text != NULL ? hm_cfg_open_text(path, text, len, diags) : NULL;
    free(text);
    return cfg;
}

void hm_cfg_close(struct hm_cfg *cfg)
{
    if (cfg == NULL)
        return;
    free_node(cfg->root);
    free(cfg->file);
    free(cfg);
}

struct hm_cfg_node *hm_cfg_root(struct hm_cfg *cfg)
{
    return cfg->root;
}

enum hm_cfg_type hm_cfg_type(const struct hm_cfg_node *node)
{
    return node->type;
}

const char *hm_cfg_type_name(enum hm_cfg_type type)
{
    switch (type) {
    case HM_CFG_GROUP:
        return "a group { … }";
    case HM_CFG_LIST:
        return "a list ( … )";
    case HM_CFG_STRING:
        return "a string \"…\"";
    case HM_CFG_INT:
        return "a whole number";
    case HM_CFG_NUMBER:
        return "a number";
    case HM_CFG_BOOL:
        return "true or false";
    case HM_CFG_TYPE_NR:
        break;
    }
    return "?";
}

const char *hm_cfg_name(const struct hm_cfg_node *node)
{
    return node->name;
}

int hm_cfg_line(const struct hm_cfg_node *node)
{
    return node->line;
}

size_t hm_cfg_count(const struct hm_cfg_node *node)
{
    return node->count;
}

struct hm_cfg_node *hm_cfg_at(const struct hm_cfg_node *node, size_t index)
{
    HM_ASSERT(index < node->count);
    return node->items[index];
}

const char *hm_cfg_string(const struct hm_cfg_node *node)
{
    return node->type == HM_CFG_STRING ? node->text : NULL;
}

bool hm_cfg_truth(const struct hm_cfg_node *node)
{
    return node->type == HM_CFG_BOOL && node->number != 0;
}

json_t *hm_cfg_json_new(struct hm_cfg_node *node)
{
    json_t *value = NULL;
    node->seen = true;
    switch (node->type) {
    case HM_CFG_GROUP:
        value = hm_json_obj_new();
        for (size_t i = 0; i < node->count; i++)
            hm_json_set(value, node->items[i]->name, hm_cfg_json_new(node->items[i]));
        break;
    case HM_CFG_LIST:
        value = hm_json_arr_new();
        for (size_t i = 0; i < node->count; i++)
            hm_json_add(value, hm_cfg_json_new(node->items[i]));
        break;
    case HM_CFG_STRING:
        value = hm_json_str_new(node->text);
        break;
    case HM_CFG_INT:
        value = json_integer(node->number);
        break;
    case HM_CFG_NUMBER:
        value = json_real(node->real);
        break;
    case HM_CFG_BOOL:
        value = json_boolean(node->number);
        break;
    case HM_CFG_TYPE_NR:
        break;
    }
    HM_ASSERT(value != NULL);
    return value;
}
