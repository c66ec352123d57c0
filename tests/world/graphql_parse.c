/* GraphQL: documents of operations and fragments, by recursive descent over the lexer's tokens (spec section 2). Stops at the
 * first error, which names what was expected, and where. Depth is bounded, so that no query can run the stack out. */
#include <string.h>

#include "base/strbuf.h"
#include "base/text.h"
#include "graphql_ast.h"

enum { DEPTH_MAX = 64 };

struct parser {
    struct hm_gql_lexer lexer;
    struct hm_gql_document *doc;
    struct hm_gql_token token; /* the next one, not yet taken */
    bool failed;
    int depth;
};

static void fail(struct parser *p, const char *expected)
{
    if (p->failed)
        return;
    p->failed = true;
    if (p->token.kind == HM_GQL_END)
        hm_gql_error(p->doc, &p->token.pos, "Syntax Error: Expected %s, found <EOF>.", expected);
    else
        hm_gql_error(p->doc, &p->token.pos, "Syntax Error: Expected %s, found \"%s\".", expected, p->token.text);
}

static void next(struct parser *p)
{
    if (!p->failed && !hm_gql_lex(&p->lexer, &p->token))
        p->failed = true;
    if (p->failed)
        p->token.kind = HM_GQL_END; /* ends every loop below */
}

static bool at(const struct parser *p, enum hm_gql_token_kind kind, const char *text)
{
    return !p->failed && p->token.kind == kind && (text == NULL || strcmp(p->token.text, text) == 0);
}

static bool at_punctuator(const struct parser *p, const char *text)
{
    return at(p, HM_GQL_PUNCTUATOR, text);
}

/* Takes the token if it is that punctuator. */
static bool accept(struct parser *p, const char *text)
{
    if (!at_punctuator(p, text))
        return false;
    next(p);
    return true;
}

static void expect(struct parser *p, const char *text)
{
    if (!accept(p, text))
        fail(p, text);
}

/* Never NULL: "" after a failure. */
static const char *take_name(struct parser *p)
{
    if (!at(p, HM_GQL_NAME, NULL)) {
        fail(p, "Name");
        return "";
    }
    const char *name = p->token.text;
    next(p);
    return name;
}

static bool enter(struct parser *p)
{
    if (++p->depth > DEPTH_MAX)
        fail(p, "a query that is nested less deeply");
    return !p->failed;
}

static struct hm_gql_value *parse_value(struct parser *p, bool constant);

/* name: value, … up to `close`; with `names` false: values only. */
static struct hm_gql_input *parse_inputs(struct parser *p, const char *close, bool names, bool constant)
{
    struct hm_gql_input *first = NULL, **last = &first;
    while (!p->failed && !at_punctuator(p, close)) {
        if (at(p, HM_GQL_END, NULL)) {
            fail(p, close);
            break;
        }
        struct hm_gql_input *input = hm_gql_alloc(p->doc, sizeof(*input));
        input->pos = p->token.pos;
        if (names) {
            input->name = take_name(p);
            expect(p, ":");
        }
        input->value = parse_value(p, constant);
        *last = input;
        last = &input->next;
    }
    expect(p, close);
    return first;
}

static void name_value(struct hm_gql_value *value)
{
    if (strcmp(value->text, "true") == 0 || strcmp(value->text, "false") == 0)
        value->kind = HM_GQL_VALUE_BOOLEAN;
    else if (strcmp(value->text, "null") == 0)
        value->kind = HM_GQL_VALUE_NULL;
    else
        value->kind = HM_GQL_VALUE_ENUM;
}

/* Never NULL. */
static struct hm_gql_value *parse_value(struct parser *p, bool constant)
{
    struct hm_gql_value *value = hm_gql_alloc(p->doc, sizeof(*value));
    value->pos = p->token.pos;
    value->text = p->token.text;
    value->kind = HM_GQL_VALUE_NULL;
    if (!enter(p))
        return value;
    if (!constant && accept(p, "$")) {
        value->kind = HM_GQL_VALUE_VARIABLE;
        value->text = take_name(p);
    } else if (accept(p, "[")) {
        value->kind = HM_GQL_VALUE_LIST;
        value->items = parse_inputs(p, "]", false, constant);
    } else if (accept(p, "{")) {
        value->kind = HM_GQL_VALUE_OBJECT;
        value->items = parse_inputs(p, "}", true, constant);
    } else if (at(p, HM_GQL_NAME, NULL)) {
        name_value(value);
        next(p);
    } else if (at(p, HM_GQL_INT, NULL) || at(p, HM_GQL_FLOAT, NULL) || at(p, HM_GQL_STRING, NULL)) {
        value->kind = p->token.kind == HM_GQL_INT     ? HM_GQL_VALUE_INT
                      : p->token.kind == HM_GQL_FLOAT ? HM_GQL_VALUE_FLOAT
                                                      : HM_GQL_VALUE_STRING;
        next(p);
    } else {
        fail(p, "a value");
    }
    p->depth--;
    return value;
}

static struct hm_gql_input *parse_args(struct parser *p, bool constant)
{
    if (!accept(p, "("))
        return NULL;
    if (at_punctuator(p, ")"))
        fail(p, "Name");
    return parse_inputs(p, ")", true, constant);
}

static struct hm_gql_directive *parse_directives(struct parser *p, bool constant)
{
    struct hm_gql_directive *first = NULL, **last = &first;
    while (at_punctuator(p, "@")) {
        struct hm_gql_directive *directive = hm_gql_alloc(p->doc, sizeof(*directive));
        directive->pos = p->token.pos;
        next(p);
        directive->name = take_name(p);
        directive->args = parse_args(p, constant);
        *last = directive;
        last = &directive->next;
    }
    return first;
}

static struct hm_gql_selection *parse_selections(struct parser *p);

static void parse_spread(struct parser *p, struct hm_gql_selection *selection)
{
    if (at(p, HM_GQL_NAME, NULL) && !at(p, HM_GQL_NAME, "on")) {
        selection->kind = HM_GQL_SPREAD;
        selection->name = take_name(p);
        selection->directives = parse_directives(p, false);
        return;
    }
    selection->kind = HM_GQL_INLINE;
    if (at(p, HM_GQL_NAME, "on")) {
        next(p);
        selection->on = take_name(p);
    }
    selection->directives = parse_directives(p, false);
    selection->children = parse_selections(p);
}

static void parse_field(struct parser *p, struct hm_gql_selection *selection)
{
    selection->kind = HM_GQL_FIELD;
    selection->alias = selection->name = take_name(p);
    if (accept(p, ":"))
        selection->name = take_name(p);
    selection->args = parse_args(p, false);
    selection->directives = parse_directives(p, false);
    if (at_punctuator(p, "{"))
        selection->children = parse_selections(p);
}

static struct hm_gql_selection *parse_selections(struct parser *p)
{
    struct hm_gql_selection *first = NULL, **last = &first;
    if (!enter(p))
        return NULL;
    expect(p, "{");
    do {
        struct hm_gql_selection *selection = hm_gql_alloc(p->doc, sizeof(*selection));
        selection->pos = p->token.pos;
        if (accept(p, "..."))
            parse_spread(p, selection);
        else
            parse_field(p, selection);
        *last = selection;
        last = &selection->next;
    } while (!p->failed && !at_punctuator(p, "}"));
    expect(p, "}");
    p->depth--;
    return first;
}

/* Appends the text of a type ("[String!]!") to out. */
static void parse_type(struct parser *p, struct hm_strbuf *out)
{
    if (!enter(p))
        return;
    if (accept(p, "[")) {
        hm_strbuf_addc(out, '[');
        parse_type(p, out);
        expect(p, "]");
        hm_strbuf_addc(out, ']');
    } else {
        hm_strbuf_adds(out, take_name(p));
    }
    if (accept(p, "!"))
        hm_strbuf_addc(out, '!');
    p->depth--;
}

static struct hm_gql_variable *parse_variables(struct parser *p)
{
    struct hm_gql_variable *first = NULL, **last = &first;
    if (!accept(p, "("))
        return NULL;
    do {
        struct hm_strbuf type;
        struct hm_gql_variable *variable = hm_gql_alloc(p->doc, sizeof(*variable));
        variable->pos = p->token.pos;
        expect(p, "$");
        variable->name = take_name(p);
        expect(p, ":");
        hm_strbuf_init(&type, 1000);
        parse_type(p, &type);
        variable->type = hm_gql_strndup(p->doc, hm_strbuf_str(&type), type.len);
        hm_strbuf_done(&type);
        if (accept(p, "="))
            variable->fallback = parse_value(p, true);
        (void)parse_directives(p, true);
        *last = variable;
        last = &variable->next;
    } while (!p->failed && !at_punctuator(p, ")"));
    expect(p, ")");
    return first;
}

static struct hm_gql_operation *parse_operation(struct parser *p)
{
    struct hm_gql_operation *operation = hm_gql_alloc(p->doc, sizeof(*operation));
    operation->pos = p->token.pos;
    operation->kind = "query";
    if (!at_punctuator(p, "{")) {
        operation->kind = take_name(p);
        if (at(p, HM_GQL_NAME, NULL))
            operation->name = take_name(p);
        operation->variables = parse_variables(p);
        operation->directives = parse_directives(p, false);
    }
    operation->selections = parse_selections(p);
    return operation;
}

static struct hm_gql_fragment *parse_fragment(struct parser *p)
{
    struct hm_gql_fragment *fragment = hm_gql_alloc(p->doc, sizeof(*fragment));
    next(p);
    fragment->pos = p->token.pos;
    if (at(p, HM_GQL_NAME, "on"))
        fail(p, "a fragment name");
    fragment->name = take_name(p);
    if (at(p, HM_GQL_NAME, "on"))
        next(p);
    else
        fail(p, "\"on\"");
    fragment->on = take_name(p);
    fragment->directives = parse_directives(p, false);
    fragment->selections = parse_selections(p);
    return fragment;
}

bool hm_gql_parse(struct hm_gql_document *doc, const char *text, size_t len)
{
    struct parser p;
    struct hm_gql_operation **last_operation = &doc->operations;
    struct hm_gql_fragment **last_fragment = &doc->fragments;

    memset(&p, 0, sizeof(p));
    p.doc = doc;
    if (!hm_utf8_valid(text, len)) {
        hm_gql_error(doc, NULL, "Syntax Error: The document is not UTF-8.");
        return false;
    }
    hm_gql_lexer_init(&p.lexer, doc, text, len);
    next(&p);
    do {
        if (at(&p, HM_GQL_NAME, "fragment")) {
            *last_fragment = parse_fragment(&p);
            last_fragment = &(*last_fragment)->next;
        } else if (at_punctuator(&p, "{") || at(&p, HM_GQL_NAME, "query") || at(&p, HM_GQL_NAME, "mutation") ||
                   at(&p, HM_GQL_NAME, "subscription")) {
            *last_operation = parse_operation(&p);
            last_operation = &(*last_operation)->next;
        } else {
            fail(&p, "a query or a fragment");
        }
    } while (!p.failed && p.token.kind != HM_GQL_END);
    return !p.failed;
}
