/* The scan of one frame: see scan.h.
 *
 * Happy path: one loop over the values; an explicit stack of one bit per level says whether we are in an object or an array, so
 * that depth costs neither recursion nor memory. Keys are looked at on the two levels where something is wanted: the envelope
 * itself and its payload. Failure modes: any byte that jansson would refuse ends the scan with its position. */
#include "slack/scan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

/* jansson's JSON_PARSER_MAX_DEPTH: values (also scalars) at most this deep, the outermost counting one. */
enum { DEPTH_MAX = 2048 };

enum field {
    F_NONE,
    F_ENVELOPE_ID,
    F_TYPE,
    F_ACCEPTS,
    F_RETRY_ATTEMPT,
    F_RETRY_REASON,
    F_PAYLOAD,
    F_EVENT_ID, /* these two in payload */
    F_TRIGGER_ID,
    F_NR
};

static const struct wanted {
    const char *key;
    size_t len;
    enum field field;
    unsigned level; /* 1: in the envelope, 2: in its payload */
} wanted[] = {
#define WANTED(key, field, level)                                                                                                \
    {                                                                                                                            \
        (key), sizeof(key) - 1, (field), (level)                                                                                 \
    }
    WANTED("envelope_id", F_ENVELOPE_ID, 1),
    WANTED("type", F_TYPE, 1),
    WANTED("accepts_response_payload", F_ACCEPTS, 1),
    WANTED("retry_attempt", F_RETRY_ATTEMPT, 1),
    WANTED("retry_reason", F_RETRY_REASON, 1),
    WANTED("payload", F_PAYLOAD, 1),
    WANTED("event_id", F_EVENT_ID, 2),
    WANTED("trigger_id", F_TRIGGER_ID, 2),
#undef WANTED
};

struct scanner {
    const unsigned char *start, *at, *end;
    const char *why; /* set at the first error */

    unsigned depth;                   /* open objects and arrays */
    uint64_t objects[DEPTH_MAX / 64]; /* bit depth-1: that level is an object */
    bool in_payload;                  /* level 2 is the envelope's payload object */
    enum field field;                 /* what the next value is */
    bool seen[F_NR];

    struct hm_scan *out;
    char event_id[HM_SCAN_ID_MAX];
    char trigger_id[HM_SCAN_ID_MAX];
};

/* A string as it stands between its quotes. */
struct span {
    const unsigned char *at, *end;
    bool escaped; /* there is a backslash in it */
};

static bool fail(struct scanner *s, const char *why)
{
    if (s->why == NULL)
        s->why = why;
    return false;
}

static void skip_space(struct scanner *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
        s->at++;
}

/* ---- strings ---- */

static int hex_digit(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The code unit of \uXXXX, at pointing behind the u; -1 when it is not four hex digits. */
static long code_unit(const unsigned char *at, const unsigned char *end)
{
    long unit = 0;
    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

/* The scalar value of the \u escape whose backslash is at *at (one or two code units); moves *at behind it. -1: malformed, a lone
 * surrogate, or U+0000, which neither a C string nor jansson takes. */
static long scalar_escape(const unsigned char **at, const unsigned char *end)
{
    long unit = code_unit(*at + 2, end);
    if (unit <= 0 || (unit >= 0xdc00 && unit <= 0xdfff))
        return -1;
    *at += 6;
    if (unit < 0xd800 || unit > 0xdbff)
        return unit;
    if (end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
        return -1;
    long low = code_unit(*at + 2, end);
    if (low < 0xdc00 || low > 0xdfff)
        return -1;
    *at += 6;
    return 0x10000 + (unit - 0xd800) * 0x400 + (low - 0xdc00);
}

/* True when none of the eight bytes is a quote, a backslash, a control character or beyond ASCII. */
static bool eight_plain(const unsigned char *at)
{
    const uint64_t ones = 0x0101010101010101U;
    const uint64_t highs = 0x8080808080808080U;
    uint64_t v;
    memcpy(&v, at, sizeof(v));
    uint64_t quote = v ^ (ones * '"');
    uint64_t backslash = v ^ (ones * '\\');
    uint64_t bad = v | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | ((v - ones * 0x20) & ~v);
    return (bad & highs) == 0;
}

static bool skip_escape(struct scanner *s)
{
    if (s->end - s->at < 2)
        return fail(s, "string without an end");
    if (s->at[1] == 'u')
        return scalar_escape(&s->at, s->end) >= 0 || fail(s, "malformed \\u escape");
    if (s->at[1] == '\0' || strchr("\"\\/bfnrt", s->at[1]) == NULL)
        return fail(s, "unknown escape");
    s->at += 2;
    return true;
}

/* Bytes beyond ASCII, as many as there are in a row: they must be whole UTF-8 sequences. */
static bool skip_utf8(struct scanner *s)
{
    const unsigned char *from = s->at;
    while (s->at < s->end && *s->at >= 0x80)
        s->at++;
    return hm_utf8_valid((const char *)from, (size_t)(s->at - from)) || fail(s, "malformed UTF-8");
}

/* s->at is at the opening quote; leaves it behind the closing one. */
static bool scan_string(struct scanner *s, struct span *ret_span)
{
    s->at++;
    ret_span->at = s->at;
    ret_span->escaped = false;
    for (;;) {
        while (s->end - s->at >= 8 && eight_plain(s->at))
            s->at += 8;
        if (s->at == s->end)
            return fail(s, "string without an end");
        unsigned char c = *s->at;
        if (c == '"')
            break;
        if (c < 0x20)
            return fail(s, "control character in a string");
        if (c == '\\') {
            ret_span->escaped = true;
            if (!skip_escape(s))
                return false;
        } else if (c >= 0x80) {
            if (!skip_utf8(s))
                return false;
        } else {
            s->at++;
        }
    }
    ret_span->end = s->at;
    s->at++;
    return true;
}

/* One decoded unit of a checked span into buf[4]; returns its length in bytes and moves *at on. */
static size_t next_decoded(const unsigned char **at, const unsigned char *end, char *buf)
{
    static const char plain[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";

    if (**at != '\\') {
        buf[0] = (char)*(*at)++;
        return 1;
    }
    if ((*at)[1] != 'u') {
        const char *which = strchr(plain, (*at)[1]);
        HM_ASSERT(which != NULL); /* skip_escape() has seen it */
        buf[0] = meant[which - plain];
        *at += 2;
        return 1;
    }
    long scalar = scalar_escape(at, end);
    if (scalar < 0x80) {
        buf[0] = (char)scalar;
        return 1;
    }
    if (scalar < 0x800) {
        buf[0] = (char)(0xc0 | scalar >> 6);
        buf[1] = (char)(0x80 | (scalar & 0x3f));
        return 2;
    }
    if (scalar < 0x10000) {
        buf[0] = (char)(0xe0 | scalar >> 12);
        buf[1] = (char)(0x80 | (scalar >> 6 & 0x3f));
        buf[2] = (char)(0x80 | (scalar & 0x3f));
        return 3;
    }
    buf[0] = (char)(0xf0 | scalar >> 18);
    buf[1] = (char)(0x80 | (scalar >> 12 & 0x3f));
    buf[2] = (char)(0x80 | (scalar >> 6 & 0x3f));
    buf[3] = (char)(0x80 | (scalar & 0x3f));
    return 4;
}

/* The string's value with a NUL into buf[size]; false when it does not fit (buf then holds what does, whole characters only). */
static bool decode(const struct span *span, char *buf, size_t size)
{
    size_t len = 0;
    const unsigned char *at = span->at;
    char unit[4];

    while (at < span->end) {
        size_t n = next_decoded(&at, span->end, unit);
        if (len + n >= size) {
            while (len > 0 && !hm_utf8_valid(buf, len))
                len--;
            buf[len] = '\0';
            return false;
        }
        memcpy(buf + len, unit, n);
        len += n;
    }
    buf[len] = '\0';
    return true;
}

static bool span_is(const struct span *span, const struct wanted *key)
{
    char buf[32]; /* longer than any key that is wanted */
    if (!span->escaped)
        return (size_t)(span->end - span->at) == key->len && memcmp(span->at, key->key, key->len) == 0;
    return decode(span, buf, sizeof(buf)) && strcmp(buf, key->key) == 0;
}

/* ---- numbers and words ---- */

static bool scan_digits(struct scanner *s)
{
    const unsigned char *from = s->at;
    while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
        s->at++;
    return s->at > from || fail(s, "malformed number");
}

/* jansson refuses integers that do not fit into 64 bits. Negative on purpose: that side has one value more. */
static bool integer_value(const unsigned char *at, const unsigned char *end, int64_t *ret_value)
{
    bool negative = *at == '-';
    int64_t value = 0;
    for (at += negative ? 1 : 0; at < end; at++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_sub_overflow(value, *at - '0', &value))
            return false;
    if (!negative)
        return !__builtin_sub_overflow((int64_t)0, value, ret_value);
    *ret_value = value;
    return true;
}

/* jansson refuses reals beyond what a double holds. */
static bool real_fits(const unsigned char *at, const unsigned char *end)
{
    char *copy = hm_xstrndup((const char *)at, (size_t)(end - at));
    double value = strtod(copy, NULL);
    free(copy);
    return isfinite(value);
}

static bool scan_number(struct scanner *s)
{
    const unsigned char *from = s->at;
    bool real = false;

    if (*s->at == '-')
        s->at++;
    const unsigned char *digits = s->at;
    if (!scan_digits(s))
        return false;
    if (*digits == '0' && s->at - digits > 1)
        return fail(s, "malformed number");
    if (s->at < s->end && *s->at == '.') {
        real = true;
        s->at++;
        if (!scan_digits(s))
            return false;
    }
    if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
        real = true;
        s->at++;
        if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
            s->at++;
        if (!scan_digits(s))
            return false;
    }
    int64_t value = 0;
    if (!(real ? real_fits(from, s->at) : integer_value(from, s->at, &value)))
        return fail(s, "number too large");
    if (!real && s->field == F_RETRY_ATTEMPT)
        s->out->retry_attempt = value;
    return true;
}

static bool scan_word(struct scanner *s, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0)
        return fail(s, "unexpected word");
    s->at += len;
    return true;
}

/* ---- values ---- */

static bool keep_string(struct scanner *s, const struct span *span)
{
    bool whole = true;

    switch (s->field) {
    case F_ENVELOPE_ID:
        whole = decode(span, s->out->envelope_id, sizeof(s->out->envelope_id));
        break;
    case F_EVENT_ID:
        whole = decode(span, s->event_id, sizeof(s->event_id));
        break;
    case F_TRIGGER_ID:
        whole = decode(span, s->trigger_id, sizeof(s->trigger_id));
        break;
    case F_TYPE:
        (void)decode(span, s->out->type, sizeof(s->out->type));
        break;
    case F_RETRY_REASON:
        (void)decode(span, s->out->retry_reason, sizeof(s->out->retry_reason));
        break;
    case F_NONE:
    case F_ACCEPTS:
    case F_RETRY_ATTEMPT:
    case F_PAYLOAD:
    case F_NR:
        break;
    }
    return whole || fail(s, "id too long");
}

static bool scan_scalar(struct scanner *s)
{
    struct span span = {0};

    switch (*s->at) {
    case '"':
        return scan_string(s, &span) && keep_string(s, &span);
    case 't':
        if (s->field == F_ACCEPTS)
            s->out->accepts_response_payload = true;
        return scan_word(s, "true");
    case 'f':
        return scan_word(s, "false");
    case 'n':
        return scan_word(s, "null");
    default:
        if (*s->at != '-' && (*s->at < '0' || *s->at > '9'))
            return fail(s, "unexpected character");
        return scan_number(s);
    }
}

static bool in_object(const struct scanner *s)
{
    return (s->objects[(s->depth - 1) / 64] >> ((s->depth - 1) % 64) & 1) != 0;
}

static void open_level(struct scanner *s, bool object)
{
    uint64_t bit = (uint64_t)1 << (s->depth % 64);
    uint64_t *word = &s->objects[s->depth / 64];
    *word = object ? *word | bit : *word & ~bit;
    s->depth++;
    if (s->depth == 2)
        s->in_payload = object && s->field == F_PAYLOAD;
    s->at++;
}

/* The key and the colon, up to the value; decides what that value is. */
static bool scan_key(struct scanner *s)
{
    struct span key = {0};

    skip_space(s);
    if (s->at == s->end || *s->at != '"')
        return fail(s, "a key was expected");
    if (!scan_string(s, &key))
        return false;
    s->field = F_NONE;
    if (s->depth == 1 || (s->depth == 2 && s->in_payload)) {
        for (size_t i = 0; i < HM_ARRAY_LEN(wanted) && s->field == F_NONE; i++)
            if (wanted[i].level == s->depth && span_is(&key, &wanted[i]))
                s->field = wanted[i].field;
        if (s->field != F_NONE && s->seen[s->field])
            return fail(s, "a key is there twice");
        s->seen[s->field] = true;
    }
    skip_space(s);
    if (s->at == s->end || *s->at != ':')
        return fail(s, "a colon was expected");
    s->at++;
    return true;
}

/* Behind a value: closes what ends here. ret_more: another value follows, and s->at is where it begins. */
static bool finish_value(struct scanner *s, bool *ret_more)
{
    *ret_more = false;
    while (s->depth > 0) {
        skip_space(s);
        if (s->at == s->end)
            return fail(s, "end of text inside a value");
        bool object = in_object(s);
        unsigned char c = *s->at++;
        if (c == ',') {
            *ret_more = true;
            s->field = F_NONE;
            return object ? scan_key(s) : true;
        }
        if (c != (object ? '}' : ']')) {
            s->at--;
            return fail(s, object ? "comma or } expected" : "comma or ] expected");
        }
        s->depth--;
    }
    return true;
}

/* Opens an object or array. ret_empty: it is closed again at once and counts as a finished value. */
static bool enter(struct scanner *s, bool *ret_empty)
{
    bool object = *s->at == '{';
    open_level(s, object);
    skip_space(s);
    *ret_empty = s->at < s->end && *s->at == (object ? '}' : ']');
    if (*ret_empty) {
        s->at++;
        s->depth--;
        return true;
    }
    s->field = F_NONE;
    return object ? scan_key(s) : true;
}

static bool scan_text(struct scanner *s)
{
    bool more = true;
    while (more) {
        bool finished = true;
        skip_space(s);
        if (s->at == s->end)
            return fail(s, "end of text inside a value");
        if (s->depth >= DEPTH_MAX)
            return fail(s, "nested too deeply");
        if (*s->at == '{' || *s->at == '[') {
            if (!enter(s, &finished))
                return false;
        } else if (!scan_scalar(s)) {
            return false;
        }
        if (finished && !finish_value(s, &more))
            return false;
    }
    skip_space(s);
    return s->at == s->end || fail(s, "text behind the object");
}

/* ---- what it means ---- */

static void set_key(struct hm_scan *out, const struct scanner *s)
{
    const char *prefix = "env";
    const char *id = out->envelope_id;

    if (strcmp(out->type, "events_api") == 0 && s->event_id[0] != '\0') {
        prefix = "ev";
        id = s->event_id;
    } else if (strcmp(out->type, "slash_commands") == 0 && s->trigger_id[0] != '\0') {
        prefix = "cmd";
        id = s->trigger_id;
    } else if (strcmp(out->type, "interactive") == 0 && s->trigger_id[0] != '\0') {
        prefix = "act";
        id = s->trigger_id;
    }
    (void)snprintf(out->dedupe_key, sizeof(out->dedupe_key), "%s:%s", prefix, id);
}

enum hm_code hm_scan_frame(const char *text, size_t len, struct hm_scan *ret_scan, struct hm_err *err)
{
    struct scanner s;

    memset(&s, 0, sizeof(s));
    s.start = s.at = (const unsigned char *)text;
    s.end = s.start + len;
    s.out = ret_scan;
    ret_scan->kind = HM_SCAN_OTHER;
    ret_scan->envelope_id[0] = ret_scan->type[0] = ret_scan->dedupe_key[0] = ret_scan->retry_reason[0] = '\0';
    ret_scan->accepts_response_payload = false;
    ret_scan->retry_attempt = 0;

    skip_space(&s);
    if (s.at == s.end || *s.at != '{')
        (void)fail(&s, "not a JSON object");
    else
        (void)scan_text(&s);
    if (s.why != NULL)
        return hm_err_set(err, HM_EINVAL, "%s at byte %td of %zu", s.why, s.at - s.start, len);

    if (ret_scan->envelope_id[0] != '\0') {
        ret_scan->kind = HM_SCAN_ENVELOPE;
        set_key(ret_scan, &s);
    } else if (strcmp(ret_scan->type, "hello") == 0) {
        ret_scan->kind = HM_SCAN_HELLO;
    } else if (strcmp(ret_scan->type, "disconnect") == 0) {
        ret_scan->kind = HM_SCAN_DISCONNECT;
    }
    return HM_OK;
}

/* ---- the two rare frames, by a tree ---- */

static void copy_cut(char *buf, size_t size, const char *text)
{
    size_t len = hm_utf8_prefix(text, size - 1);
    memcpy(buf, text, len);
    buf[len] = '\0';
}

enum hm_code hm_scan_hello(const char *text, size_t len, struct hm_hello *ret_hello, struct hm_err *err)
{
    memset(ret_hello, 0, sizeof(*ret_hello));
    json_t *hello = hm_json_parse_new(text, len, len, err);
    if (hello == NULL)
        return HM_EINVAL;

    int64_t connections = hm_json_get_int(hello, "num_connections", 0);
    if (connections > 0 && connections <= INT32_MAX)
        ret_hello->num_connections = (int)connections;
    const json_t *debug = hm_json_get_obj(hello, "debug_info");
    int64_t lifetime_s = hm_json_get_int(debug, "approximate_connection_time", 0);
    if (lifetime_s > 0 && lifetime_s <= INT32_MAX)
        ret_hello->approximate_lifetime_s = lifetime_s;
    copy_cut(ret_hello->host, sizeof(ret_hello->host), hm_json_get_str(debug, "host", ""));
    copy_cut(ret_hello->app_id, sizeof(ret_hello->app_id),
             hm_json_get_str(hm_json_get_obj(hello, "connection_info"), "app_id", ""));
    json_decref(hello);
    return HM_OK;
}

enum hm_code hm_scan_disconnect(const char *text, size_t len, char ret_reason[HM_SCAN_TYPE_MAX], struct hm_err *err)
{
    ret_reason[0] = '\0';
    json_t *frame = hm_json_parse_new(text, len, len, err);
    if (frame == NULL)
        return HM_EINVAL;
    copy_cut(ret_reason, HM_SCAN_TYPE_MAX, hm_json_get_str(frame, "reason", ""));
    json_decref(frame);
    return HM_OK;
}
