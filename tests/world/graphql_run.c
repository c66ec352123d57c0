/* GraphQL: from request to answer. Parse, check, choose the operation, read the variables, execute (spec section 6): fields under
 * one key are merged, a null where none may be climbs to the next place that may be null and leaves an error with its path. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "graphql_ast.h"

struct run {
    const struct hm_gql_schema *schema;
    struct hm_gql_document *doc;
    json_t *vars;
    json_t *path; /* where execution stands */
    void *arg;
};

/* All selections that share one key of the answer. */
struct group {
    const struct hm_gql_selection *first;
    struct member {
        const struct hm_gql_selection *selection;
        struct member *next;
    } * members;
    struct group *next;
};

/* The two directives; true = the selection takes part. */
static bool included(const struct run *run, const struct hm_gql_directive *directives)
{
    for (const struct hm_gql_directive *d = directives; d != NULL; d = d->next) {
        struct hm_gql_coercion co = {.schema = run->schema, .vars = run->vars};
        json_t *condition = hm_gql_coerce_literal(&co, "Boolean!", d->args->value);
        bool yes = json_is_true(condition);
        json_decref(condition);
        if (yes != (strcmp(d->name, "include") == 0))
            return false;
    }
    return true;
}

static void add_to_group(struct run *run, const struct hm_gql_selection *s, struct group **groups)
{
    struct group **at = groups;
    while (*at != NULL && strcmp((*at)->first->alias, s->alias) != 0)
        at = &(*at)->next;
    if (*at == NULL) {
        *at = hm_gql_alloc(run->doc, sizeof(**at));
        (*at)->first = s;
    }
    struct member **last = &(*at)->members;
    while (*last != NULL)
        last = &(*last)->next;
    *last = hm_gql_alloc(run->doc, sizeof(**last));
    (*last)->selection = s;
}

static void collect(struct run *run, const struct hm_gql_selection *selections, struct group **groups)
{
    for (const struct hm_gql_selection *s = selections; s != NULL; s = s->next) {
        if (!included(run, s->directives))
            continue;
        if (s->kind == HM_GQL_FIELD)
            add_to_group(run, s, groups);
        else if (s->kind == HM_GQL_INLINE)
            collect(run, s->children, groups);
        else
            collect(run, hm_gql_fragment_find(run->doc, s->name)->selections, groups);
    }
}

static void run_error(struct run *run, const struct hm_gql_selection *s, const char *message, const char *detail)
{
    hm_gql_error(run->doc, &s->pos, "%s%s", message, detail);
    json_t *error = json_array_get(run->doc->errors, json_array_size(run->doc->errors) - 1);
    hm_json_set(error, "path", json_deep_copy(run->path));
}

static json_t *execute(struct run *run, const struct hm_gql_type *type, json_t *value, struct group *groups);

/* The arguments that were given, read. NULL with an error when one does not fit (a variable's value). */
static json_t *read_args(struct run *run, const struct hm_gql_field *field, const struct hm_gql_selection *s)
{
    json_t *args = hm_json_obj_new();
    for (const struct hm_gql_input *in = s->args; in != NULL; in = in->next) {
        struct hm_gql_coercion co = {.schema = run->schema, .vars = run->vars};
        const struct hm_gql_arg *spec = field->args;
        while (strcmp(spec->name, in->name) != 0)
            spec++;
        if (in->value->kind == HM_GQL_VALUE_VARIABLE && json_object_get(run->vars, in->value->text) == NULL &&
            !hm_ends_with(spec->type, "!"))
            continue; /* a variable that was not given: as if the argument were not there */
        json_t *value = hm_gql_coerce_literal(&co, spec->type, in->value);
        if (value == NULL) {
            run_error(run, s, co.why, "");
            json_decref(args);
            return NULL;
        }
        hm_json_set(args, in->name, value);
    }
    return args;
}

/* Brings a resolved value (borrowed) into the shape of `type`. NULL = a null that may not be; the error is recorded. */
static json_t *complete(struct run *run, const char *type, json_t *value, const struct group *group)
{
    char text[128];
    size_t len = strlen(type);
    bool nonnull = hm_ends_with(type, "!");

    if (value == NULL || json_is_null(value)) {
        if (!nonnull)
            return json_null();
        run_error(run, group->first, "Cannot return null for non-nullable field ", group->first->name);
        return NULL;
    }
    if (nonnull)
        len--;
    if (type[0] != '[') {
        const struct hm_gql_type *child = hm_gql_type_find(run->schema, hm_gql_base_type(type, text, sizeof(text)));
        if (child == NULL || child->fields == NULL)
            return json_deep_copy(value);
        struct group *groups = NULL;
        for (const struct member *m = group->members; m != NULL; m = m->next)
            collect(run, m->selection->children, &groups);
        json_t *object = execute(run, child, value, groups);
        return object == NULL && !nonnull ? json_null() : object;
    }
    memcpy(text, type + 1, len - 2);
    text[len - 2] = '\0';
    json_t *list = hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(value); i++) {
        (void)json_array_append_new(run->path, json_integer((json_int_t)i));
        json_t *item = complete(run, text, json_array_get(value, i), group);
        (void)json_array_remove(run->path, json_array_size(run->path) - 1);
        if (item == NULL) {
            json_decref(list);
            return nonnull ? NULL : json_null();
        }
        hm_json_add(list, item);
    }
    return list;
}

static json_t *execute_field(struct run *run, const struct hm_gql_type *type, json_t *parent, const struct group *group)
{
    if (strcmp(group->first->name, "__typename") == 0)
        return hm_json_str_new(type->name);
    const struct hm_gql_field *field = hm_gql_field_find(type, group->first->name);
    json_t *args = read_args(run, field, group->first);
    if (args == NULL)
        return hm_ends_with(field->type, "!") ? NULL : json_null();
    json_t *value =
        field->resolve != NULL ? field->resolve(run->arg, parent, args) : json_incref(json_object_get(parent, field->name));
    json_t *shaped = complete(run, field->type, value, group);
    json_decref(value);
    json_decref(args);
    return shaped;
}

/* NULL when a field that may not be null was: the caller's place becomes null. */
static json_t *execute(struct run *run, const struct hm_gql_type *type, json_t *value, struct group *groups)
{
    json_t *object = hm_json_obj_new();
    for (const struct group *group = groups; group != NULL; group = group->next) {
        hm_json_add(run->path, hm_json_str_new(group->first->alias));
        json_t *member = execute_field(run, type, value, group);
        (void)json_array_remove(run->path, json_array_size(run->path) - 1);
        if (member == NULL) {
            json_decref(object);
            return NULL;
        }
        hm_json_set(object, group->first->alias, member);
    }
    return object;
}

static const struct hm_gql_operation *choose(struct hm_gql_document *doc, const char *name)
{
    if (name == NULL && doc->operations->next != NULL) {
        hm_gql_error(doc, NULL, "Must provide operation name if query contains multiple operations.");
        return NULL;
    }
    for (const struct hm_gql_operation *operation = doc->operations; operation != NULL; operation = operation->next)
        if (name == NULL || hm_streq(operation->name, name))
            return operation;
    hm_gql_error(doc, NULL, "Unknown operation named \"%s\".", name);
    return NULL;
}

/* The variables of the operation with their values; NULL with errors in the document. */
static json_t *read_variables(const struct hm_gql_schema *schema, struct hm_gql_document *doc,
                              const struct hm_gql_operation *operation, const json_t *given)
{
    json_t *vars = hm_json_obj_new();
    for (const struct hm_gql_variable *var = operation->variables; var != NULL; var = var->next) {
        struct hm_gql_coercion co = {.schema = schema};
        const json_t *raw = json_object_get(given, var->name);
        json_t *value = NULL;
        if (raw != NULL)
            value = hm_gql_coerce_json(&co, var->type, raw);
        else if (var->fallback != NULL)
            value = hm_gql_coerce_literal(&co, var->type, var->fallback);
        else if (!hm_ends_with(var->type, "!"))
            continue;
        if (value != NULL)
            hm_json_set(vars, var->name, value);
        else if (raw == NULL)
            hm_gql_error(doc, &var->pos, "Variable \"$%s\" of required type \"%s\" was not provided.", var->name, var->type);
        else
            hm_gql_error(doc, &var->pos, "Variable \"$%s\" got invalid value. %s", var->name, co.why);
    }
    if (json_array_size(doc->errors) == 0)
        return vars;
    json_decref(vars);
    return NULL;
}

json_t *hm_graphql_answer_new(const struct hm_gql_schema *schema, const struct hm_gql_request *req, void *arg, bool *ret_ran)
{
    struct hm_gql_document doc;
    const struct hm_gql_operation *operation = NULL;
    struct group *groups = NULL;
    json_t *answer = hm_json_obj_new(), *root = NULL, *data = NULL;
    struct run run = {.schema = schema, .doc = &doc, .arg = arg};

    *ret_ran = false;
    hm_gql_document_init(&doc);
    if (!hm_gql_parse(&doc, req->query, req->query_len) || !hm_gql_check(schema, &doc))
        goto out;
    operation = choose(&doc, req->operation);
    if (operation == NULL)
        goto out;
    run.vars = read_variables(schema, &doc, operation, req->variables);
    if (run.vars == NULL)
        goto out;

    *ret_ran = true;
    run.path = hm_json_arr_new();
    collect(&run, operation->selections, &groups);
    root = hm_json_obj_new();
    data = execute(&run, hm_gql_type_find(schema, schema->query), root, groups);
    hm_json_set(answer, "data", data != NULL ? data : json_null());
out:
    if (json_array_size(doc.errors) > 0)
        hm_json_set(answer, "errors", json_incref(doc.errors));
    json_decref(root);
    json_decref(run.vars);
    json_decref(run.path);
    hm_gql_document_done(&doc);
    return answer;
}
