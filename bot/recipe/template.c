/* Texts with ${expression} in them: see template.h.
 *
 * A template is cut once, at loading, into literal and expression segments; rendering joins them. What an expression gives is
 * made into text and escaped for the sink, so nothing that comes out of it is ever read as syntax. */
#include "recipe/template.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "handlers/handler.h"
#include "slack/escape.h"

enum { MAX_TEMPLATE = 16000, MAX_RENDERED = 64 * 1024, MAX_LISTED = 20 };

struct segment {
    char *literal;        /* NULL when it is an expression */
    struct hm_expr *expr; /* NULL when it is a literal */
};

struct hm_template {
    char *text;
    struct segment *segments;
    size_t n_segments;
};

/* Where in mrkdwn the text so far has led to. */
struct place {
    bool fence; /* between ``` and ``` */
    bool code;  /* between ` and ` on one line */
};

static void add_segment(struct hm_template *tpl, char *stolen_literal, struct hm_expr *stolen_expr)
{
    tpl->segments = hm_xreallocarray(tpl->segments, tpl->n_segments + 1, sizeof tpl->segments[0]);
    tpl->segments[tpl->n_segments++] = (struct segment){stolen_literal, stolen_expr};
}

/* The } that closes the ${ before p; NULL when there is none. A } inside a quoted text does not count. */
static const char *find_close(const char *p)
{
    char quote = '\0';
    for (; *p != '\0'; p++) {
        if (quote != '\0') {
            if (*p == '\\' && p[1] != '\0')
                p++;
            else if (*p == quote)
                quote = '\0';
        } else if (*p == '\'' || *p == '"') {
            quote = *p;
        } else if (*p == '}') {
            return p;
        }
    }
    return NULL;
}

/* Takes the ${…} at p; returns what follows it, or NULL with err set. */
static const char *take_expr(struct hm_template *tpl, const char *p, struct hm_err *err)
{
    const char *close = find_close(p + 2);
    if (close == NULL) {
        (void)hm_err_set(err, HM_EINVAL, "\"%.40s\" has no closing }; write $${ for a plain ${", p);
        return NULL;
    }
    char *inner = hm_xstrndup(p + 2, (size_t)(close - p - 2));
    struct hm_expr *expr = hm_expr_parse(inner, err);
    if (expr == NULL)
        (void)hm_err_wrap(err, "in ${%.80s}", inner);
    else
        add_segment(tpl, NULL, expr);
    free(inner);
    return expr != NULL ? close + 1 : NULL;
}

struct hm_template *hm_template_parse(const char *text, struct hm_err *err)
{
    size_t len = strlen(text);
    if (len > MAX_TEMPLATE) {
        (void)hm_err_set(err, HM_ETOOBIG, "the text has %zu bytes; at most %d are allowed", len, MAX_TEMPLATE);
        return NULL;
    }
    if (!hm_utf8_valid(text, len)) {
        (void)hm_err_set(err, HM_EINVAL, "the text is not UTF-8");
        return NULL;
    }
    struct hm_template *tpl = hm_xcalloc(1, sizeof *tpl);
    struct hm_strbuf literal;
    tpl->text = hm_xstrdup(text);
    hm_strbuf_init(&literal, len + 1);
    const char *p = text;
    while (p != NULL && *p != '\0') {
        if (hm_starts_with(p, "$${")) {
            hm_strbuf_adds(&literal, "${");
            p += 3;
        } else if (hm_starts_with(p, "${")) {
            if (literal.len > 0)
                add_segment(tpl, hm_strbuf_take(&literal), NULL);
            p = take_expr(tpl, p, err);
        } else {
            hm_strbuf_addc(&literal, *p++);
        }
    }
    if (literal.len > 0)
        add_segment(tpl, hm_strbuf_take(&literal), NULL);
    hm_strbuf_done(&literal);
    if (p == NULL) {
        hm_template_free(tpl);
        return NULL;
    }
    return tpl;
}

void hm_template_free(struct hm_template *tpl)
{
    if (tpl == NULL)
        return;
    for (size_t i = 0; i < tpl->n_segments; i++) {
        free(tpl->segments[i].literal);
        hm_expr_free(tpl->segments[i].expr);
    }
    free(tpl->segments);
    free(tpl->text);
    free(tpl);
}

const char *hm_template_text(const struct hm_template *tpl)
{
    return tpl->text;
}

void hm_template_paths(const struct hm_template *tpl, void (*visit)(void *arg, const char *root, const char *path), void *arg)
{
    for (size_t i = 0; i < tpl->n_segments; i++)
        if (tpl->segments[i].expr != NULL)
            hm_expr_paths(tpl->segments[i].expr, visit, arg);
}

const struct hm_expr *hm_template_expr(const struct hm_template *tpl, size_t i)
{
    for (size_t k = 0; k < tpl->n_segments; k++)
        if (tpl->segments[k].expr != NULL && i-- == 0)
            return tpl->segments[k].expr;
    return NULL;
}

bool hm_template_is_value(const struct hm_template *tpl)
{
    return tpl->n_segments == 1 && tpl->segments[0].expr != NULL;
}

const char *hm_template_part(const struct hm_template *tpl, size_t i)
{
    if (i >= tpl->n_segments)
        return NULL;
    return tpl->segments[i].literal != NULL ? tpl->segments[i].literal : "";
}

bool hm_template_is_literal(const struct hm_template *tpl)
{
    for (size_t i = 0; i < tpl->n_segments; i++)
        if (tpl->segments[i].expr != NULL)
            return false;
    return true;
}

/* A plain value as text; NULL for null, objects and lists. Caller frees. */
static char *scalar_text(const json_t *value)
{
    if (json_is_string(value))
        return hm_xstrdup(json_string_value(value));
    if (json_is_number(value) || json_is_boolean(value))
        return json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    return NULL;
}

/* Follows the literal's backticks. */
static void follow(struct place *place, const char *literal)
{
    for (const char *p = literal; *p != '\0';) {
        size_t ticks = strspn(p, "`");
        if (ticks >= 3) {
            place->fence = !place->fence;
            place->code = false;
        } else if (ticks > 0 && !place->fence) {
            place->code = place->code != (ticks == 1);
        } else if (*p == '\n') {
            place->code = false;
        }
        p += ticks > 0 ? ticks : 1;
    }
}

/* Line by line, so that a log excerpt keeps its lines but can not close the fence. */
static void add_fenced(struct hm_strbuf *out, const char *text)
{
    while (true) {
        size_t len = strcspn(text, "\n");
        char *line = hm_xstrndup(text, len);
        hm_slack_escape_code(out, line);
        free(line);
        text += len;
        if (*text == '\0')
            return;
        hm_strbuf_addc(out, '\n');
        text++;
    }
}

static void add_mrkdwn(struct hm_strbuf *out, const char *text, const struct place *place)
{
    if (place->fence)
        add_fenced(out, text);
    else if (place->code)
        hm_slack_escape_code(out, text);
    else
        hm_slack_escape_line(out, text);
}

/* The JSON string's inside, without the quotes. */
static void add_json(struct hm_strbuf *out, const char *text)
{
    json_t *string = hm_json_str_new(text);
    char *quoted = json_dumps(string, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    HM_ASSERT(quoted != NULL);
    hm_strbuf_add(out, quoted + 1, strlen(quoted) - 2);
    free(quoted);
    json_decref(string);
}

static void add_url(struct hm_strbuf *out, const char *text)
{
    char *encoded = hm_url_encode(text);
    hm_strbuf_adds(out, encoded);
    free(encoded);
}

/* False when the list holds something that is not a plain value. */
static bool add_mrkdwn_list(struct hm_strbuf *out, const json_t *list, const struct place *place)
{
    size_t count = json_array_size(list);
    for (size_t i = 0; i < count && i < MAX_LISTED; i++) {
        char *text = scalar_text(json_array_get(list, i));
        if (text == NULL)
            return false;
        hm_strbuf_adds(out, i > 0 ? ", " : "");
        add_mrkdwn(out, text, place);
        free(text);
    }
    if (count > MAX_LISTED)
        hm_strbuf_addf(out, " and %zu more", count - MAX_LISTED);
    return true;
}

static enum hm_code add_value(struct hm_strbuf *out, enum hm_sink sink, const struct hm_expr *expr, const json_t *value,
                              const struct place *place, struct hm_err *err)
{
    const char *name = hm_expr_text(expr);
    if (sink == HM_SINK_MRKDWN && (json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0))) {
        hm_strbuf_adds(out, "–");
        return HM_OK;
    }
    if (sink == HM_SINK_MRKDWN && json_is_array(value) && add_mrkdwn_list(out, value, place))
        return HM_OK;
    char *text = scalar_text(value);
    if (text == NULL)
        return hm_err_set(err, HM_EINVAL, "${%.120s} is %s; a text needs a plain value here", name,
                          json_is_null(value)    ? "empty (null)"
                          : json_is_array(value) ? "a list"
                                                 : "an object");
    switch (sink) {
    case HM_SINK_MRKDWN:
        add_mrkdwn(out, text, place);
        break;
    case HM_SINK_URL:
        add_url(out, text);
        break;
    case HM_SINK_JSON:
        add_json(out, text);
        break;
    case HM_SINK_PLAIN:
    case HM_SINK_NR:
        hm_strbuf_adds(out, text);
        break;
    }
    free(text);
    return HM_OK;
}

char *hm_template_render(const struct hm_template *tpl, enum hm_sink sink, const json_t *scope, struct hm_err *err)
{
    enum hm_code code = HM_OK;
    struct place place = {0};
    struct hm_strbuf out;
    hm_strbuf_init(&out, MAX_RENDERED);
    for (size_t i = 0; i < tpl->n_segments && code == HM_OK; i++) {
        const struct segment *segment = &tpl->segments[i];
        if (segment->literal != NULL) {
            hm_strbuf_adds(&out, segment->literal);
            follow(&place, segment->literal);
            continue;
        }
        struct hm_err why = {0};
        json_t *value = hm_expr_eval_new(segment->expr, scope, &why);
        code =
            value != NULL ? add_value(&out, sink, segment->expr, value, &place, err) : hm_err_set(err, why.code, "%s", why.msg);
        json_decref(value);
    }
    if (code == HM_OK && out.failed)
        code = hm_err_set(err, HM_ETOOBIG, "the text is longer than %d bytes", MAX_RENDERED);
    char *text = code == HM_OK ? hm_strbuf_take(&out) : NULL;
    hm_strbuf_done(&out);
    return text;
}

json_t *hm_template_value_new(const struct hm_template *tpl, const json_t *scope, struct hm_err *err)
{
    if (hm_template_is_value(tpl))
        return hm_expr_eval_new(tpl->segments[0].expr, scope, err);
    char *text = hm_template_render(tpl, HM_SINK_PLAIN, scope, err);
    json_t *value = text != NULL ? hm_json_str_new(text) : NULL;
    free(text);
    return value;
}
