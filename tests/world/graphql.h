/* A small GraphQL server: lexer, parser, validation against a typed schema, execution (GraphQL spec, October 2021). What a
 * stand-in needs to be strict: a query that a real server would refuse is refused here, with a position. Not there: introspection
 * but for
 * __typename, subscriptions, interfaces and unions, custom directives.
 *
 * Happy path: hm_graphql_answer_new() with the text, the variables and a schema → {"data": …}. Failure: {"errors": [{"message",
 * "locations", "path"}]}, without "data" when the request never ran (ret_ran is false then: an HTTP status may depend on it). */
#ifndef HM_WORLD_GRAPHQL_H
#define HM_WORLD_GRAPHQL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct hm_gql_arg {
    const char *name;
    const char *type; /* as in a schema document: "String!", "[String!]", "Committed" */
};

struct hm_gql_field {
    const char *name;
    const char *type;
    const struct hm_gql_arg *args; /* ends with name == NULL; NULL = none */
    /* The value: a new reference; objects are handed to the resolvers of their own fields as `parent`. NULL resolver = the
     * parent's member of that name (missing = null). NULL answer = null. args: coerced, given ones only. */
    json_t *(*resolve)(void *arg, json_t *parent, const json_t *args);
};

struct hm_gql_type {
    const char *name;
    const struct hm_gql_field *fields; /* an object type; ends with name == NULL */
    const char *const *values;         /* an enum; ends with NULL */
};

/* Types beside the five built-in scalars. */
struct hm_gql_schema {
    const struct hm_gql_type *types; /* ends with name == NULL */
    const char *query;               /* name of the query type */
};

struct hm_gql_request {
    const char *query; /* the document */
    size_t query_len;
    const char *operation;   /* operationName or NULL */
    const json_t *variables; /* an object or NULL */
};

/* A new reference, never NULL. arg goes to the resolvers. */
json_t *hm_graphql_answer_new(const struct hm_gql_schema *schema, const struct hm_gql_request *req, void *arg, bool *ret_ran);

#endif
