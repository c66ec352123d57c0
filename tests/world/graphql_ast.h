/* What the lexer, the parser, the checker and the executor of the small GraphQL server hand to each other. */
#ifndef HM_WORLD_GRAPHQL_AST_H
#define HM_WORLD_GRAPHQL_AST_H

#include <stdbool.h>
#include <stddef.h>

#include "graphql.h"

struct hm_gql_pos {
    int line, column; /* from 1 */
};

enum hm_gql_token_kind {
    HM_GQL_END,
    HM_GQL_PUNCTUATOR, /* `text` is the character; "..." for the spread */
    HM_GQL_NAME,
    HM_GQL_INT,
    HM_GQL_FLOAT,
    HM_GQL_STRING,
};

struct hm_gql_token {
    enum hm_gql_token_kind kind;
    char *text; /* decoded; owned by the document */
    struct hm_gql_pos pos;
};

enum hm_gql_value_kind {
    HM_GQL_VALUE_VARIABLE,
    HM_GQL_VALUE_INT,
    HM_GQL_VALUE_FLOAT,
    HM_GQL_VALUE_STRING,
    HM_GQL_VALUE_BOOLEAN,
    HM_GQL_VALUE_NULL,
    HM_GQL_VALUE_ENUM,
    HM_GQL_VALUE_LIST,
    HM_GQL_VALUE_OBJECT,
};

/* An argument, or a member of an object value, or an item of a list. */
struct hm_gql_value {
    enum hm_gql_value_kind kind;
    const char *text; /* name, digits or string */
    struct hm_gql_pos pos;
    struct hm_gql_input *items; /* list and object */
};

struct hm_gql_input {
    const char *name; /* NULL in a list */
    struct hm_gql_pos pos;
    struct hm_gql_value *value;
    struct hm_gql_input *next;
};

struct hm_gql_directive {
    const char *name;
    struct hm_gql_pos pos;
    struct hm_gql_input *args;
    struct hm_gql_directive *next;
};

enum hm_gql_selection_kind { HM_GQL_FIELD, HM_GQL_SPREAD, HM_GQL_INLINE };

struct hm_gql_selection {
    enum hm_gql_selection_kind kind;
    const char *name;  /* field, or the fragment spread */
    const char *alias; /* field: the key in the answer */
    const char *on;    /* inline fragment: its type condition or NULL */
    struct hm_gql_pos pos;
    struct hm_gql_input *args;
    struct hm_gql_directive *directives;
    struct hm_gql_selection *children; /* NULL = none written */
    struct hm_gql_selection *next;
};

struct hm_gql_variable {
    const char *name;
    const char *type; /* normalised: "[String!]!" */
    struct hm_gql_pos pos;
    struct hm_gql_value *fallback; /* default value or NULL */
    bool used;                     /* set by the checker */
    struct hm_gql_variable *next;
};

struct hm_gql_operation {
    const char *kind; /* "query", "mutation", "subscription" */
    const char *name; /* NULL = anonymous */
    struct hm_gql_pos pos;
    struct hm_gql_variable *variables;
    struct hm_gql_directive *directives;
    struct hm_gql_selection *selections;
    struct hm_gql_operation *next;
};

struct hm_gql_fragment {
    const char *name, *on;
    struct hm_gql_pos pos;
    struct hm_gql_directive *directives;
    struct hm_gql_selection *selections;
    bool used;
    bool busy; /* being walked: meeting it again is a cycle */
    struct hm_gql_fragment *next;
};

struct hm_gql_chunk; /* one allocation */

/* Owns every node and string under it. */
struct hm_gql_document {
    struct hm_gql_operation *operations;
    struct hm_gql_fragment *fragments;
    struct hm_gql_chunk *chunks;
    json_t *errors; /* an array; what the answer shows */
};

void hm_gql_document_init(struct hm_gql_document *doc);
void hm_gql_document_done(struct hm_gql_document *doc);
/* Zeroed memory that lives as long as the document. */
void *hm_gql_alloc(struct hm_gql_document *doc, size_t size);
char *hm_gql_strndup(struct hm_gql_document *doc, const char *s, size_t len);
/* Adds to doc->errors. pos may be NULL. */
void hm_gql_error(struct hm_gql_document *doc, const struct hm_gql_pos *pos, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The lexer: reads on from where it is. False and an error in the document when what stands there is no token. */
struct hm_gql_lexer {
    struct hm_gql_document *doc;
    const char *at, *end;
    struct hm_gql_pos pos;
};
void hm_gql_lexer_init(struct hm_gql_lexer *lexer, struct hm_gql_document *doc, const char *text, size_t len);
bool hm_gql_lex(struct hm_gql_lexer *lexer, struct hm_gql_token *ret_token);

/* Fills the document; false with one error when it does not parse. */
bool hm_gql_parse(struct hm_gql_document *doc, const char *text, size_t len);

const struct hm_gql_type *hm_gql_type_find(const struct hm_gql_schema *schema, const char *name);
const struct hm_gql_field *hm_gql_field_find(const struct hm_gql_type *type, const char *name);
const struct hm_gql_fragment *hm_gql_fragment_find(const struct hm_gql_document *doc, const char *name);
/* The name inside "[Name!]!", in buf; returns buf. */
const char *hm_gql_base_type(const char *type, char *buf, size_t size);

/* Coercion. Reads a literal (vars: coerced variables) or a JSON value as `type`. A new reference; NULL with *ret_why set
 * ("expected String!, found 5") when it does not fit. *ret_why is in `why`. */
struct hm_gql_coercion {
    const struct hm_gql_schema *schema;
    const json_t *vars;
    char why[256];
};
json_t *hm_gql_coerce_literal(struct hm_gql_coercion *co, const char *type, const struct hm_gql_value *value);
json_t *hm_gql_coerce_json(struct hm_gql_coercion *co, const char *type, const json_t *value);
/* True when a variable of type `var` (with or without a default) may stand where `place` is wanted. */
bool hm_gql_type_fits(const char *var, bool has_default, const char *place);

/* Every rule that needs no variable values. False when errors were added. */
bool hm_gql_check(const struct hm_gql_schema *schema, struct hm_gql_document *doc);

#endif
