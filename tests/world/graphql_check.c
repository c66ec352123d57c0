/* GraphQL: validation (spec section 5) before anything runs. Every operation is walked with the schema at its side: fields,
 * arguments and their values, variables and where they stand, fragments, directives, leaves and objects. All errors are
 * collected.
 *
 * Weaker than the spec in one place: of two fields under one key only name and arguments are compared, not what is below them. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/text.h"
#include "graphql_ast.h"

struct checker {
    const struct hm_gql_schema *schema;
    struct hm_gql_document *doc;
    struct hm_gql_operation *operation; /* whose variables count */
};

static bool is_input_type(const struct hm_gql_schema *schema, const char *type)
{
    static const char *const scalars[] = {"Int", "Float", "String", "Boolean", "ID"};
    char base[128];
    (void)hm_gql_base_type(type, base, sizeof(base));
    for (size_t i = 0; i < sizeof(scalars) / sizeof(scalars[0]); i++)
        if (strcmp(base, scalars[i]) == 0)
            return true;
    const struct hm_gql_type *declared = hm_gql_type_find(schema, base);
    return declared != NULL && declared->values != NULL;
}

/* Marks the variables inside a value as used, and compares their types with the place they stand in. */
static bool check_variables_in(struct checker *c, const char *type, const struct hm_gql_value *value)
{
    if (value->kind == HM_GQL_VALUE_LIST) {
        char item[128];
        size_t len = strlen(type);
        bool list = type[0] == '[';
        if (list && type[len - 1] == '!')
            len--;
        if (list && len >= 2 && len - 2 < sizeof(item)) {
            memcpy(item, type + 1, len - 2);
            item[len - 2] = '\0';
            type = item;
        }
        bool found = false;
        for (const struct hm_gql_input *in = value->items; in != NULL; in = in->next)
            found = check_variables_in(c, type, in->value) || found;
        return found;
    }
    if (value->kind != HM_GQL_VALUE_VARIABLE)
        return false;
    for (struct hm_gql_variable *var = c->operation->variables; var != NULL; var = var->next) {
        if (strcmp(var->name, value->text) != 0)
            continue;
        var->used = true;
        if (!hm_gql_type_fits(var->type, var->fallback != NULL, type))
            hm_gql_error(c->doc, &value->pos, "Variable \"$%s\" of type \"%s\" used in position expecting type \"%s\".",
                         var->name, var->type, type);
        return true;
    }
    hm_gql_error(c->doc, &value->pos, "Variable \"$%s\" is not defined.", value->text);
    return true;
}

static void check_value(struct checker *c, const char *type, const struct hm_gql_value *value)
{
    struct hm_gql_coercion co = {.schema = c->schema};
    if (check_variables_in(c, type, value))
        return; /* values that hold variables are read when those have values */
    json_t *read = hm_gql_coerce_literal(&co, type, value);
    if (read == NULL)
        hm_gql_error(c->doc, &value->pos, "%s", co.why);
    json_decref(read);
}

/* where: "field \"Query.dataset\"" for messages */
static void check_args(struct checker *c, const struct hm_gql_arg *specs, const struct hm_gql_input *args,
                       const struct hm_gql_pos *pos, const char *where)
{
    for (const struct hm_gql_input *arg = args; arg != NULL; arg = arg->next) {
        const struct hm_gql_arg *spec = specs;
        while (spec != NULL && spec->name != NULL && strcmp(spec->name, arg->name) != 0)
            spec++;
        if (spec == NULL || spec->name == NULL)
            hm_gql_error(c->doc, &arg->pos, "Unknown argument \"%s\" on %s.", arg->name, where);
        else
            check_value(c, spec->type, arg->value);
        for (const struct hm_gql_input *other = args; other != arg; other = other->next)
            if (strcmp(other->name, arg->name) == 0)
                hm_gql_error(c->doc, &arg->pos, "There can be only one argument named \"%s\".", arg->name);
    }
    for (const struct hm_gql_arg *spec = specs; spec != NULL && spec->name != NULL; spec++) {
        const struct hm_gql_input *arg = args;
        while (arg != NULL && strcmp(arg->name, spec->name) != 0)
            arg = arg->next;
        if (arg == NULL && hm_ends_with(spec->type, "!"))
            hm_gql_error(c->doc, pos, "Argument \"%s\" of type \"%s\" is required on %s, but it was not provided.", spec->name,
                         spec->type, where);
    }
}

static void check_directives(struct checker *c, const struct hm_gql_directive *directives)
{
    static const struct hm_gql_arg condition[] = {{"if", "Boolean!"}, {NULL, NULL}};
    for (const struct hm_gql_directive *d = directives; d != NULL; d = d->next) {
        if (strcmp(d->name, "include") == 0 || strcmp(d->name, "skip") == 0)
            check_args(c, condition, d->args, &d->pos, "a directive");
        else
            hm_gql_error(c->doc, &d->pos, "Unknown directive \"@%s\".", d->name);
    }
}

static void check_selections(struct checker *c, const struct hm_gql_type *type, const struct hm_gql_selection *selections);

static void check_field(struct checker *c, const struct hm_gql_type *type, const struct hm_gql_selection *s)
{
    char base[128], where[256];
    if (strcmp(s->name, "__typename") == 0) {
        if (s->children != NULL)
            hm_gql_error(c->doc, &s->pos,
                         "Field \"__typename\" must not have a selection since type \"String!\" has no subfields.");
        return;
    }
    const struct hm_gql_field *field = hm_gql_field_find(type, s->name);
    if (field == NULL) {
        hm_gql_error(c->doc, &s->pos, "Cannot query field \"%s\" on type \"%s\".", s->name, type->name);
        return;
    }
    (void)snprintf(where, sizeof(where), "field \"%.100s.%.100s\"", type->name, s->name);
    check_args(c, field->args, s->args, &s->pos, where);
    (void)hm_gql_base_type(field->type, base, sizeof(base));
    const struct hm_gql_type *child = hm_gql_type_find(c->schema, base);
    bool object = child != NULL && child->fields != NULL;
    if (object && s->children == NULL)
        hm_gql_error(c->doc, &s->pos, "Field \"%s\" of type \"%s\" must have a selection of subfields.", s->name, field->type);
    if (!object && s->children != NULL)
        hm_gql_error(c->doc, &s->pos, "Field \"%s\" must not have a selection since type \"%s\" has no subfields.", s->name,
                     field->type);
    if (object && s->children != NULL)
        check_selections(c, child, s->children);
}

/* A fragment on `on` inside `type`: there are object types only, so the two must be the same. */
static const struct hm_gql_type *check_condition(struct checker *c, const struct hm_gql_type *type, const char *on,
                                                 const struct hm_gql_pos *pos)
{
    if (on == NULL)
        return type;
    const struct hm_gql_type *wanted = hm_gql_type_find(c->schema, on);
    if (wanted == NULL || wanted->fields == NULL) {
        hm_gql_error(c->doc, pos, "Unknown type \"%s\".", on);
        return NULL;
    }
    if (wanted != type) {
        hm_gql_error(c->doc, pos, "Fragment cannot be spread here as objects of type \"%s\" can never be of type \"%s\".",
                     type->name, on);
        return NULL;
    }
    return wanted;
}

static void check_spread(struct checker *c, const struct hm_gql_type *type, const struct hm_gql_selection *s)
{
    for (struct hm_gql_fragment *fragment = c->doc->fragments; fragment != NULL; fragment = fragment->next) {
        if (strcmp(fragment->name, s->name) != 0)
            continue;
        fragment->used = true;
        if (fragment->busy) {
            hm_gql_error(c->doc, &s->pos, "Cannot spread fragment \"%s\" within itself.", s->name);
            return;
        }
        fragment->busy = true;
        const struct hm_gql_type *inner = check_condition(c, type, fragment->on, &s->pos);
        if (inner != NULL)
            check_selections(c, inner, fragment->selections);
        fragment->busy = false;
        return;
    }
    hm_gql_error(c->doc, &s->pos, "Unknown fragment \"%s\".", s->name);
}

static bool same_value(const struct hm_gql_value *a, const struct hm_gql_value *b);

static bool same_inputs(const struct hm_gql_input *a, const struct hm_gql_input *b)
{
    for (; a != NULL && b != NULL; a = a->next, b = b->next)
        if ((a->name != NULL && !hm_streq(a->name, b->name)) || !same_value(a->value, b->value))
            return false;
    return a == NULL && b == NULL;
}

static bool same_value(const struct hm_gql_value *a, const struct hm_gql_value *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == HM_GQL_VALUE_LIST || a->kind == HM_GQL_VALUE_OBJECT)
        return same_inputs(a->items, b->items);
    return strcmp(a->text, b->text) == 0;
}

/* Two fields under one key must be the same field with the same arguments. */
static void check_merge(struct checker *c, const struct hm_gql_selection *a, const struct hm_gql_selection *others)
{
    for (const struct hm_gql_selection *b = others; b != NULL; b = b->next) {
        if (b->kind == HM_GQL_INLINE) {
            check_merge(c, a, b->children);
        } else if (b->kind == HM_GQL_SPREAD) {
            const struct hm_gql_fragment *fragment = hm_gql_fragment_find(c->doc, b->name);
            if (fragment != NULL && !fragment->busy && fragment->selections != others)
                check_merge(c, a, fragment->selections);
        } else if (b != a && strcmp(a->alias, b->alias) == 0 &&
                   (strcmp(a->name, b->name) != 0 || !same_inputs(a->args, b->args))) {
            hm_gql_error(c->doc, &b->pos, "Fields \"%s\" conflict because they are different fields or have different arguments.",
                         a->alias);
        }
    }
}

static void check_selections(struct checker *c, const struct hm_gql_type *type, const struct hm_gql_selection *selections)
{
    for (const struct hm_gql_selection *s = selections; s != NULL; s = s->next) {
        check_directives(c, s->directives);
        if (s->kind == HM_GQL_FIELD) {
            check_field(c, type, s);
            check_merge(c, s, s->next);
        } else if (s->kind == HM_GQL_SPREAD) {
            check_spread(c, type, s);
        } else {
            const struct hm_gql_type *inner = check_condition(c, type, s->on, &s->pos);
            if (inner != NULL)
                check_selections(c, inner, s->children);
        }
    }
}

static void check_variable_definitions(struct checker *c)
{
    for (struct hm_gql_variable *var = c->operation->variables; var != NULL; var = var->next) {
        if (!is_input_type(c->schema, var->type)) {
            hm_gql_error(c->doc, &var->pos, "Unknown or non-input type \"%s\" of variable \"$%s\".", var->type, var->name);
            continue;
        }
        if (var->fallback != NULL)
            check_value(c, var->type, var->fallback);
        for (const struct hm_gql_variable *other = c->operation->variables; other != var; other = other->next)
            if (strcmp(other->name, var->name) == 0)
                hm_gql_error(c->doc, &var->pos, "There can be only one variable named \"$%s\".", var->name);
    }
}

static void check_operation(struct checker *c, struct hm_gql_operation *operation)
{
    c->operation = operation;
    if (strcmp(operation->kind, "query") != 0) {
        hm_gql_error(c->doc, &operation->pos, "Schema is not configured to execute a %s.", operation->kind);
        return;
    }
    check_variable_definitions(c);
    check_directives(c, operation->directives);
    const struct hm_gql_type *root = hm_gql_type_find(c->schema, c->schema->query);
    HM_ASSERT(root != NULL);
    check_selections(c, root, operation->selections);
    for (const struct hm_gql_variable *var = operation->variables; var != NULL; var = var->next)
        if (!var->used)
            hm_gql_error(c->doc, &var->pos, "Variable \"$%s\" is never used.", var->name);
    for (const struct hm_gql_operation *other = c->doc->operations; other != operation; other = other->next)
        if (operation->name != NULL && hm_streq(other->name, operation->name))
            hm_gql_error(c->doc, &operation->pos, "There can be only one operation named \"%s\".", operation->name);
    if (operation->name == NULL && (c->doc->operations != operation || operation->next != NULL))
        hm_gql_error(c->doc, &operation->pos, "This anonymous operation must be the only defined operation.");
}

bool hm_gql_check(const struct hm_gql_schema *schema, struct hm_gql_document *doc)
{
    struct checker c = {.schema = schema, .doc = doc};
    if (doc->operations == NULL)
        hm_gql_error(doc, NULL, "The document holds no operation.");
    for (struct hm_gql_operation *operation = doc->operations; operation != NULL; operation = operation->next)
        check_operation(&c, operation);
    for (const struct hm_gql_fragment *fragment = doc->fragments; fragment != NULL; fragment = fragment->next) {
        if (!fragment->used)
            hm_gql_error(doc, &fragment->pos, "Fragment \"%s\" is never used.", fragment->name);
        for (const struct hm_gql_fragment *other = doc->fragments; other != fragment; other = other->next)
            if (strcmp(other->name, fragment->name) == 0)
                hm_gql_error(doc, &fragment->pos, "There can be only one fragment named \"%s\".", fragment->name);
    }
    return json_array_size(doc->errors) == 0;
}
