/* A small part of PromQL: see prometheus.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/pattern.h"
#include "base/text.h"
#include "prometheus.h"

struct parser {
    const char *at;
    const char *begin;
    const json_t *series;
    struct hm_err *err;
};

static json_t *parse_expr(struct parser *p);

static json_t *fail(struct parser *p, const char *what)
{
    if (p->err->code == HM_OK)
        (void)hm_err_set(p->err, HM_EINVAL, "1:%zu: parse error: %s", (size_t)(p->at - p->begin) + 1, what);
    return NULL;
}

static void blanks(struct parser *p)
{
    p->at += strspn(p->at, " \t\n");
}

static bool take(struct parser *p, const char *what)
{
    blanks(p);
    if (!hm_starts_with(p->at, what))
        return false;
    p->at += strlen(what);
    return true;
}

/* A name, or "" ; caller frees. */
static char *take_name(struct parser *p)
{
    blanks(p);
    size_t len = isalpha((unsigned char)*p->at) != 0 || *p->at == '_'
                     ? strspn(p->at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_:")
                     : 0;
    char *name = hm_xstrndup(p->at, len);
    p->at += len;
    return name;
}

/* "…" with \" and \\; NULL when there is none. Caller frees. */
static char *take_string(struct parser *p)
{
    blanks(p);
    if (*p->at != '"')
        return NULL;
    char *text = hm_xmalloc(strlen(p->at) + 1);
    size_t n = 0;
    for (p->at++; *p->at != '\0' && *p->at != '"'; p->at++) {
        if (*p->at == '\\' && p->at[1] != '\0')
            p->at++;
        text[n++] = *p->at;
    }
    text[n] = '\0';
    if (*p->at == '"') {
        p->at++;
        return text;
    }
    free(text);
    return NULL;
}

/* Keeps of `list` what one matcher holds for. False on a parse error. */
static bool parse_matcher(struct parser *p, json_t *list)
{
    static const char *const ops[] = {"=~", "!~", "!=", "="};
    char *label = take_name(p), *value = NULL;
    size_t op = 0;
    while (op < HM_ARRAY_LEN(ops) && !take(p, ops[op]))
        op++;
    value = op < HM_ARRAY_LEN(ops) ? take_string(p) : NULL;
    struct hm_pattern *pattern = value != NULL && op < 2 ? hm_pattern_new(value, true, p->err) : NULL;
    bool ok = label[0] != '\0' && value != NULL && (op >= 2 || pattern != NULL);
    for (size_t i = ok ? json_array_size(list) : 0; i-- > 0;) {
        const char *have = hm_json_get_str(hm_json_get_obj(json_array_get(list, i), "metric"), label, "");
        bool same = strcmp(have, value) == 0;
        if (pattern != NULL && hm_pattern_match(pattern, have, &same, p->err) != HM_OK)
            same = false;
        if (same != (op == 0 || op == 3))
            (void)json_array_remove(list, i);
    }
    hm_pattern_free(pattern);
    free(value);
    free(label);
    return ok;
}

static json_t *parse_selector(struct parser *p, const char *name)
{
    json_t *list = hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(p->series); i++) {
        const json_t *each = json_array_get(p->series, i);
        if (hm_streq(hm_json_get_str(hm_json_get_obj(each, "metric"), "__name__", NULL), name))
            hm_json_add(list, json_deep_copy(each));
    }
    if (!take(p, "{"))
        return list;
    while (!take(p, "}")) {
        bool ok = parse_matcher(p, list);
        if (ok && !take(p, ",")) {
            blanks(p);
            ok = *p->at == '}';
        }
        if (!ok) {
            json_decref(list);
            return fail(p, "unexpected character in label matching");
        }
    }
    return list;
}

/* by (a, b): the names; NULL when there is no "by". */
static json_t *parse_by(struct parser *p)
{
    if (!take(p, "by"))
        return NULL;
    json_t *names = hm_json_arr_new();
    if (!take(p, "("))
        (void)fail(p, "\"(\" expected after by");
    while (p->err->code == HM_OK && !take(p, ")")) {
        char *name = take_name(p);
        if (name[0] == '\0')
            (void)fail(p, "a label expected");
        hm_json_add(names, hm_json_str_new(name));
        free(name);
        (void)take(p, ",");
    }
    return names;
}

static json_t *aggregate_new(const char *function, const json_t *inner, const json_t *by)
{
    json_t *groups = hm_json_obj_new(), *list = hm_json_arr_new(), *group = NULL;
    const char *key = NULL;
    for (size_t i = 0; i < json_array_size(inner); i++) {
        const json_t *each = json_array_get(inner, i);
        double value = strtod(hm_json_get_str(each, "value", "0"), NULL);
        json_t *labels = hm_json_obj_new();
        for (size_t k = 0; k < json_array_size(by); k++) {
            const char *name = json_string_value(json_array_get(by, k));
            const char *have = hm_json_get_str(hm_json_get_obj(each, "metric"), name, NULL);
            if (have != NULL)
                hm_json_set_str(labels, name, have);
        }
        char *text = hm_json_text(labels);
        group = json_object_get(groups, text);
        if (group == NULL) {
            group = hm_json_obj_new();
            hm_json_set(group, "metric", json_incref(labels));
            hm_json_set(group, "number", json_real(strcmp(function, "max") == 0 ? value : 0));
            hm_json_set(groups, text, group);
        }
        double so_far = json_real_value(json_object_get(group, "number"));
        double next = strcmp(function, "sum") == 0     ? so_far + value
                      : strcmp(function, "count") == 0 ? so_far + 1
                      : value > so_far                 ? value
                                                       : so_far;
        hm_json_set(group, "number", json_real(next));
        free(text);
        json_decref(labels);
    }
    json_object_foreach(groups, key, group)
    {
        char number[40];
        json_t *item = hm_json_obj_new();
        (void)snprintf(number, sizeof number, "%.15g", json_real_value(json_object_get(group, "number")));
        hm_json_set(item, "metric", json_deep_copy(json_object_get(group, "metric")));
        hm_json_set_str(item, "value", number);
        hm_json_add(list, item);
    }
    json_decref(groups);
    return list;
}

static int larger_first(const void *a, const void *b)
{
    double x = strtod(hm_json_get_str(*(json_t *const *)a, "value", "0"), NULL);
    double y = strtod(hm_json_get_str(*(json_t *const *)b, "value", "0"), NULL);
    return x < y ? 1 : x > y ? -1 : 0;
}

static json_t *sorted_new(const json_t *list)
{
    size_t n = json_array_size(list);
    json_t **items = hm_xcalloc(n + 1, sizeof(void *)), *out = hm_json_arr_new();
    for (size_t i = 0; i < n; i++)
        items[i] = json_array_get(list, i);
    qsort(items, n, sizeof(void *), larger_first);
    for (size_t i = 0; i < n; i++)
        hm_json_add(out, json_incref(items[i]));
    free(items);
    return out;
}

static json_t *parse_call(struct parser *p, const char *name)
{
    bool sorts = strcmp(name, "sort_desc") == 0;
    json_t *by = sorts ? NULL : parse_by(p), *out = NULL;
    json_t *inner = take(p, "(") ? parse_expr(p) : fail(p, "\"(\" expected");
    if (inner != NULL && !take(p, ")"))
        (void)fail(p, "\")\" expected");
    if (!sorts && by == NULL)
        by = parse_by(p);
    if (inner != NULL && p->err->code == HM_OK)
        out = sorts ? sorted_new(inner) : aggregate_new(name, inner, by);
    json_decref(inner);
    json_decref(by);
    return out;
}

static bool holds(double value, const char *op, double limit)
{
    bool larger = value > limit, smaller = value < limit;
    return strcmp(op, ">=") == 0   ? !smaller
           : strcmp(op, "<=") == 0 ? !larger
           : strcmp(op, ">") == 0  ? larger
           : strcmp(op, "<") == 0  ? smaller
           : strcmp(op, "==") == 0 ? !larger && !smaller
                                   : larger || smaller;
}

static json_t *parse_expr(struct parser *p)
{
    static const char *const functions[] = {"sum", "count", "max", "sort_desc"};
    static const char *const ops[] = {">=", "<=", "==", "!=", ">", "<"};
    bool call = false;
    char *name = take_name(p);
    for (size_t i = 0; i < HM_ARRAY_LEN(functions); i++)
        call = call || strcmp(functions[i], name) == 0;
    json_t *list = name[0] == '\0' ? fail(p, "unexpected end of input") : call ? parse_call(p, name) : parse_selector(p, name);
    free(name);
    for (size_t i = 0; list != NULL && i < HM_ARRAY_LEN(ops); i++) {
        if (!take(p, ops[i]))
            continue;
        char *end = NULL;
        blanks(p);
        double limit = strtod(p->at, &end);
        if (end == p->at) {
            json_decref(list);
            return fail(p, "a number expected");
        }
        p->at = end;
        for (size_t k = json_array_size(list); k-- > 0;)
            if (!holds(strtod(hm_json_get_str(json_array_get(list, k), "value", "0"), NULL), ops[i], limit))
                (void)json_array_remove(list, k);
        break;
    }
    return list;
}

json_t *hm_promql_run_new(const char *query, const json_t *series, struct hm_err *err)
{
    struct parser p = {query, query, series, err};
    json_t *list = parse_expr(&p);
    blanks(&p);
    if (list != NULL && *p.at != '\0') {
        json_decref(list);
        return fail(&p, "unexpected character after the expression");
    }
    return list;
}
