/* Typed getters over the tree of a libconfig file: see cfg.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cfg.h"
#include "base/cfg_node.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/suggest.h"
#include "base/text.h"

enum { PATH_MAX_BYTES = 160 };

static struct hm_cfg_node *find(const struct hm_cfg_node *group, const char *key)
{
    for (size_t i = 0; i < group->count; i++)
        if (hm_streq(group->items[i]->name, key))
            return group->items[i];
    return NULL;
}

static void path_of(const struct hm_cfg_node *node, struct hm_strbuf *out)
{
    if (node->parent == NULL)
        return;
    path_of(node->parent, out);
    if (node->name != NULL) {
        hm_strbuf_addf(out, "%s%s", out->len > 0 ? "." : "", node->name);
        return;
    }
    const struct hm_cfg_node *label = find(node, "id");
    if (label == NULL || label->text == NULL)
        label = find(node, "name");
    if (label != NULL && label->text != NULL) {
        hm_strbuf_addf(out, "[%.*s]", (int)hm_utf8_prefix(label->text, 40), label->text);
        return;
    }
    size_t index = 0;
    while (node->parent->items[index] != node)
        index++;
    hm_strbuf_addf(out, "[%zu]", index + 1);
}

const char *hm_cfg_path(const struct hm_cfg_node *node, char *buf, size_t size)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, 4000);
    path_of(node, &out);
    const char *path = out.len > 0 ? hm_strbuf_str(&out) : "the top level";
    size_t len = hm_utf8_prefix(path, size - 1);
    memcpy(buf, path, len);
    buf[len] = '\0';
    hm_strbuf_done(&out);
    return buf;
}

void hm_cfg_add(const struct hm_cfg_node *node, const char *fmt, ...)
{
    struct hm_strbuf text;
    va_list ap;
    hm_strbuf_init(&text, 2000);
    va_start(ap, fmt);
    hm_strbuf_addv(&text, fmt, ap);
    va_end(ap);
    hm_diags_add(node->diags, node->file, node->line, "%s", hm_strbuf_str(&text));
    hm_strbuf_done(&text);
}

void hm_cfg_add_here(const struct hm_cfg_node *node, const char *fmt, ...)
{
    char path[PATH_MAX_BYTES];
    struct hm_strbuf text;
    va_list ap;
    hm_strbuf_init(&text, 2000);
    va_start(ap, fmt);
    hm_strbuf_addv(&text, fmt, ap);
    va_end(ap);
    hm_cfg_add(node, "%s: %s", hm_cfg_path(node, path, sizeof path), hm_strbuf_str(&text));
    hm_strbuf_done(&text);
}

static void remember_asked(struct hm_cfg_node *group, const char *key)
{
    for (size_t i = 0; i < group->n_asked; i++)
        if (strcmp(group->asked[i], key) == 0)
            return;
    group->asked = hm_xreallocarray(group->asked, group->n_asked + 1, sizeof group->asked[0]);
    group->asked[group->n_asked++] = hm_xstrdup(key);
}

bool hm_cfg_has(const struct hm_cfg_node *group, const char *key)
{
    return find(group, key) != NULL;
}

struct hm_cfg_node *hm_cfg_get(struct hm_cfg_node *group, const char *key, enum hm_cfg_need need)
{
    char path[PATH_MAX_BYTES];
    remember_asked(group, key);
    struct hm_cfg_node *node = find(group, key);
    if (node != NULL)
        node->seen = true;
    else if (((unsigned)need & HM_CFG_REQUIRED) != 0)
        hm_cfg_add(group, "\"%s\" is missing in %s", key, hm_cfg_path(group, path, sizeof path));
    return node;
}

static void add_type_finding(const struct hm_cfg_node *node, const char *wanted)
{
    char path[PATH_MAX_BYTES];
    const char *hint = "";
    if (node->type == HM_CFG_STRING && (strcmp(wanted, "a whole number") == 0 || strcmp(wanted, "true or false") == 0))
        hint = "; write it without quotes";
    if (node->type == HM_CFG_GROUP && strcmp(wanted, hm_cfg_type_name(HM_CFG_LIST)) == 0)
        hint = "; put ( ) around it";
    hm_cfg_add(node, "%s must be %s, not %s%s", hm_cfg_path(node, path, sizeof path), wanted, hm_cfg_type_name(node->type), hint);
}

static struct hm_cfg_node *get_typed(struct hm_cfg_node *group, const char *key, enum hm_cfg_need need, enum hm_cfg_type type)
{
    struct hm_cfg_node *node = hm_cfg_get(group, key, need);
    if (node == NULL || node->type == type)
        return node;
    add_type_finding(node, hm_cfg_type_name(type));
    return NULL;
}

struct hm_cfg_node *hm_cfg_get_group(struct hm_cfg_node *group, const char *key, enum hm_cfg_need need)
{
    return get_typed(group, key, need, HM_CFG_GROUP);
}

struct hm_cfg_node *hm_cfg_get_list(struct hm_cfg_node *group, const char *key, enum hm_cfg_need need)
{
    return get_typed(group, key, need, HM_CFG_LIST);
}

const char *hm_cfg_get_str(struct hm_cfg_node *group, const char *key, enum hm_cfg_need need, size_t max)
{
    char path[PATH_MAX_BYTES];
    const struct hm_cfg_node *node = get_typed(group, key, need, HM_CFG_STRING);
    if (node == NULL)
        return NULL;
    size_t count = hm_utf8_count(node->text);
    if (count == 0 && ((unsigned)need & HM_CFG_EMPTY_OK) == 0) {
        hm_cfg_add(node, "%s is empty; fill it in%s", hm_cfg_path(node, path, sizeof path),
                   ((unsigned)need & HM_CFG_REQUIRED) != 0 ? "" : " or leave it out");
        return NULL;
    }
    if (count > max) {
        hm_cfg_add(node, "%s has %zu characters; at most %zu are allowed", hm_cfg_path(node, path, sizeof path), count, max);
        return NULL;
    }
    return node->text;
}

int64_t hm_cfg_get_int(struct hm_cfg_node *group, const char *key, int64_t fallback, int64_t min, int64_t max)
{
    char path[PATH_MAX_BYTES];
    const struct hm_cfg_node *node = get_typed(group, key, HM_CFG_OPTIONAL, HM_CFG_INT);
    if (node == NULL)
        return fallback;
    if (node->number < min || node->number > max) {
        hm_cfg_add(node, "%s is %" PRId64 "; it must be from %" PRId64 " to %" PRId64, hm_cfg_path(node, path, sizeof path),
                   node->number, min, max);
        return fallback;
    }
    return node->number;
}

bool hm_cfg_get_bool(struct hm_cfg_node *group, const char *key, bool fallback)
{
    const struct hm_cfg_node *node = get_typed(group, key, HM_CFG_OPTIONAL, HM_CFG_BOOL);
    return node != NULL ? node->number != 0 : fallback;
}

int64_t hm_cfg_get_duration(struct hm_cfg_node *group, const char *key, enum hm_cfg_need need, int64_t fallback_ms,
                            int64_t max_ms)
{
    char path[PATH_MAX_BYTES];
    char longest[40];
    int64_t ms = 0;
    struct hm_err err = {0};
    const struct hm_cfg_node *node = hm_cfg_get(group, key, need);
    if (node == NULL)
        return fallback_ms;
    if (node->type != HM_CFG_STRING) {
        add_type_finding(node, "a duration like \"15m\"");
        return fallback_ms;
    }
    if (hm_parse_duration(node->text, &ms, &err) != HM_OK) {
        hm_cfg_add(node, "%s: %s", hm_cfg_path(node, path, sizeof path), err.msg);
        return fallback_ms;
    }
    if (ms > max_ms) {
        hm_cfg_add(node, "%s is \"%s\"; at most %s are allowed", hm_cfg_path(node, path, sizeof path), node->text,
                   hm_format_duration(max_ms, longest, sizeof longest));
        return fallback_ms;
    }
    return ms;
}

char **hm_cfg_get_strings(struct hm_cfg_node *group, const char *key, enum hm_cfg_need need)
{
    char path[PATH_MAX_BYTES];
    const struct hm_cfg_node *list = hm_cfg_get(group, key, need);
    size_t count = list != NULL ? list->count : 0;
    char **strings = hm_xcalloc(count + 1, sizeof *strings);
    size_t n = 0;
    if (list != NULL && list->type != HM_CFG_LIST) {
        add_type_finding(list, "a list of strings [ \"…\" ]");
        return strings;
    }
    for (size_t i = 0; i < count; i++) {
        const struct hm_cfg_node *item = list->items[i];
        bool doubled = false;
        if (item->type != HM_CFG_STRING || item->text[0] == '\0') {
            hm_cfg_add(item, "%s must be a string that is not empty", hm_cfg_path(item, path, sizeof path));
            continue;
        }
        for (size_t k = 0; k < n; k++)
            doubled = doubled || strcmp(strings[k], item->text) == 0;
        if (doubled)
            hm_cfg_add(item, "%s names \"%s\" a second time; take one out", hm_cfg_path(list, path, sizeof path), item->text);
        else
            strings[n++] = hm_xstrdup(item->text);
    }
    return strings;
}

void hm_cfg_strings_free(char **strings)
{
    if (strings == NULL)
        return;
    for (size_t i = 0; strings[i] != NULL; i++)
        free(strings[i]);
    free(strings);
}

void hm_cfg_finish(struct hm_cfg_node *group)
{
    char path[PATH_MAX_BYTES];
    char meant[120];
    for (size_t i = 0; i < group->count; i++) {
        const struct hm_cfg_node *node = group->items[i];
        if (node->seen)
            continue;
        struct hm_suggest s;
        hm_suggest_init(&s, node->name);
        for (size_t k = 0; k < group->n_asked; k++)
            hm_suggest_try(&s, group->asked[k]);
        hm_cfg_add(node, "unknown key \"%s\" in %s%s", node->name, hm_cfg_path(group, path, sizeof path),
                   hm_suggest_text(&s, meant, sizeof meant));
    }
}
