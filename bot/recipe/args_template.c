/* A step's `with`: a tree of JSON values whose strings are templates. See template.h. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "recipe/template.h"

enum { MAX_DEPTH = 32 };

/* One value of the tree. */
struct hm_args_template {
    json_t *scalar;          /* a number, true, false; NULL = one of the others */
    struct hm_template *tpl; /* a string */
    bool is_list;            /* else an object, when neither of the above */
    char **keys;             /* of an object */
    struct hm_args_template **items;
    size_t n_items;
};

static struct hm_args_template *parse(const json_t *value, unsigned depth, struct hm_err *err);

static bool add_item(struct hm_args_template *args, const char *key, const json_t *value, unsigned depth, struct hm_err *err)
{
    struct hm_args_template *item = parse(value, depth + 1, err);
    if (item == NULL) {
        if (key != NULL)
            (void)hm_err_wrap(err, "%s", key);
        return false;
    }
    args->items = hm_xreallocarray(args->items, args->n_items + 1, sizeof(struct hm_args_template *));
    args->keys = hm_xreallocarray(args->keys, args->n_items + 1, sizeof(char *));
    args->items[args->n_items] = item;
    args->keys[args->n_items++] = hm_xstrdup_null(key);
    return true;
}

static bool add_items(struct hm_args_template *args, const json_t *value, unsigned depth, struct hm_err *err)
{
    args->is_list = json_is_array(value);
    if (args->is_list) {
        for (size_t i = 0; i < json_array_size(value); i++)
            if (!add_item(args, NULL, json_array_get(value, i), depth, err))
                return false;
        return true;
    }
    json_t *object = hm_unconst(value); /* the iterator wants it writable and does not write */
    for (void *it = json_object_iter(object); it != NULL; it = json_object_iter_next(object, it))
        if (!add_item(args, json_object_iter_key(it), json_object_iter_value(it), depth, err))
            return false;
    return true;
}

static struct hm_args_template *parse(const json_t *value, unsigned depth, struct hm_err *err)
{
    struct hm_args_template *args = hm_xcalloc(1, sizeof *args);
    bool ok = true;
    if (depth > MAX_DEPTH) {
        (void)hm_err_set(err, HM_EINVAL, "nested deeper than %d levels", MAX_DEPTH);
        ok = false;
    } else if (json_is_string(value)) {
        args->tpl = hm_template_parse(json_string_value(value), err);
        ok = args->tpl != NULL;
    } else if (json_is_object(value) || json_is_array(value)) {
        ok = add_items(args, value, depth, err);
    } else {
        args->scalar = json_deep_copy(value);
    }
    if (ok)
        return args;
    hm_args_template_free(args);
    return NULL;
}

struct hm_args_template *hm_args_template_new(const json_t *tree, struct hm_err *err)
{
    if (!json_is_object(tree)) {
        (void)hm_err_set(err, HM_EINVAL, "must be a group of arguments");
        return NULL;
    }
    return parse(tree, 0, err);
}

void hm_args_template_free(struct hm_args_template *args)
{
    if (args == NULL)
        return;
    for (size_t i = 0; i < args->n_items; i++) {
        hm_args_template_free(args->items[i]);
        free(args->keys[i]);
    }
    free(args->items);
    free(args->keys);
    hm_template_free(args->tpl);
    json_decref(args->scalar);
    free(args);
}

void hm_args_template_paths(const struct hm_args_template *args, void (*visit)(void *arg, const char *root, const char *path),
                            void *arg)
{
    if (args->tpl != NULL)
        hm_template_paths(args->tpl, visit, arg);
    for (size_t i = 0; i < args->n_items; i++)
        hm_args_template_paths(args->items[i], visit, arg);
}

const char *hm_args_template_key(const struct hm_args_template *args, size_t i)
{
    return i < args->n_items ? args->keys[i] : NULL;
}

static json_t *render(const struct hm_args_template *args, const json_t *scope, struct hm_err *err)
{
    if (args->tpl != NULL)
        return hm_template_value_new(args->tpl, scope, err);
    if (args->scalar != NULL)
        return json_deep_copy(args->scalar); /* not shared: what the caller changes must not change the recipe */
    json_t *out = args->is_list ? hm_json_arr_new() : hm_json_obj_new();
    for (size_t i = 0; i < args->n_items; i++) {
        struct hm_err why = {0};
        json_t *item = render(args->items[i], scope, &why);
        if (item == NULL) {
            if (args->is_list)
                (void)hm_err_set(err, why.code, "[%zu]: %s", i + 1, why.msg);
            else
                (void)hm_err_set(err, why.code, "%s: %s", args->keys[i], why.msg);
            json_decref(out);
            return NULL;
        }
        if (args->is_list)
            hm_json_add(out, item);
        else if (json_is_null(item))
            json_decref(item); /* an argument without a value is an argument not given */
        else
            hm_json_set(out, args->keys[i], item);
    }
    return out;
}

json_t *hm_args_render_new(const struct hm_args_template *args, const json_t *scope, struct hm_err *err)
{
    return render(args, scope, err);
}
