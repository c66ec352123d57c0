/* Text: see text.h. */
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"

/* Bytes of the well-formed sequence at s (1 to 4), or 0 when it is malformed or cut. RFC 3629 section 4's table. */
static size_t sequence_len(const unsigned char *s, size_t left)
{
    if (left == 0)
        return 0;
    if (s[0] < 0x80)
        return 1;

    size_t len = 0;
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    if (s[0] >= 0xc2 && s[0] <= 0xdf) {
        len = 2;
    } else if (s[0] >= 0xe0 && s[0] <= 0xef) {
        len = 3;
        if (s[0] == 0xe0)
            low = 0xa0;
        if (s[0] == 0xed)
            high = 0x9f;
    } else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
        len = 4;
        if (s[0] == 0xf0)
            low = 0x90;
        if (s[0] == 0xf4)
            high = 0x8f;
    }
    if (len == 0 || left < len || s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

bool hm_utf8_valid(const char *s, size_t len)
{
    const unsigned char *p = (const unsigned char *)s;
    for (size_t i = 0; i < len;) {
        size_t n = sequence_len(p + i, len - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

size_t hm_utf8_take(const char *s, size_t max_scalars)
{
    size_t len = strlen(s);
    size_t at = 0;
    for (size_t n = 0; at < len && n < max_scalars; n++) {
        size_t step = sequence_len((const unsigned char *)s + at, len - at);
        at += step > 0 ? step : 1;
    }
    return at;
}

size_t hm_utf8_count(const char *s)
{
    size_t len = strlen(s);
    size_t count = 0;
    for (size_t at = 0; at < len; count++) {
        size_t step = sequence_len((const unsigned char *)s + at, len - at);
        at += step > 0 ? step : 1;
    }
    return count;
}

size_t hm_utf8_prefix(const char *s, size_t max_bytes)
{
    size_t len = strnlen(s, max_bytes);
    return len < max_bytes ? len : hm_utf8_boundary(s, max_bytes);
}

size_t hm_utf8_boundary(const char *s, size_t at)
{
    const unsigned char *p = (const unsigned char *)s;
    for (size_t back = 0; back <= 3 && back <= at; back++) {
        size_t cut = at - back;
        if ((p[cut] & 0xc0) == 0x80)
            continue;
        size_t wanted = p[cut] >= 0xf0 ? 4 : p[cut] >= 0xe0 ? 3 : p[cut] >= 0xc0 ? 2 : 1;
        return wanted > back ? cut : at;
    }
    return at; /* nothing but continuation bytes: there is no sequence to cut */
}

char *hm_utf8_clean(const char *s, size_t len)
{
    struct hm_strbuf b;
    hm_strbuf_init(&b, SIZE_MAX / 2);
    const unsigned char *p = (const unsigned char *)s;
    for (size_t i = 0; i < len;) {
        size_t n = sequence_len(p + i, len - i);
        bool control = n == 1 && ((p[i] < 0x20 && p[i] != '\n' && p[i] != '\t') || p[i] == 0x7f);
        if (n == 0 || control) {
            hm_strbuf_adds(&b, "\xef\xbf\xbd");
            i++;
        } else {
            hm_strbuf_add(&b, s + i, n);
            i += n;
        }
    }
    return hm_strbuf_take(&b);
}

bool hm_parse_i64(const char *s, int64_t min, int64_t max, int64_t *ret_value)
{
    bool negative = s[0] == '-';
    const char *p = s + (negative ? 1 : 0);
    int64_t value = 0;

    if (*p == '\0')
        return false;
    for (; *p != '\0'; p++) {
        if (*p < '0' || *p > '9')
            return false;
        int digit = *p - '0';
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, negative ? -digit : digit, &value))
            return false;
    }
    if (value < min || value > max)
        return false;
    *ret_value = value;
    return true;
}

bool hm_parse_u32(const char *s, uint32_t max, uint32_t *ret_value)
{
    int64_t value = 0;
    if (!hm_parse_i64(s, 0, (int64_t)max, &value))
        return false;
    *ret_value = (uint32_t)value;
    return true;
}

enum hm_code hm_parse_duration(const char *s, int64_t *ret_ms, struct hm_err *err)
{
    static const struct {
        const char *suffix;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    static const int64_t longest = (int64_t)366 * 86400000;

    size_t digits = strspn(s, "0123456789");
    char number[20];
    if (digits > 0 && digits < sizeof number) {
        memcpy(number, s, digits);
        number[digits] = '\0';
        for (size_t i = 0; i < HM_ARRAY_LEN(units); i++) {
            int64_t value = 0;
            if (strcmp(s + digits, units[i].suffix) != 0)
                continue;
            if (!hm_parse_i64(number, 1, longest / units[i].ms, &value))
                break;
            *ret_ms = value * units[i].ms;
            return HM_OK;
        }
    }
    return hm_err_set(err, HM_EINVAL, "\"%.40s\" is not a duration; write a whole number and ms, s, m, h or d, like \"15m\"", s);
}

const char *hm_format_duration(int64_t ms, char *buf, size_t size)
{
    int64_t s = ms / 1000;
    if (ms < 0)
        (void)snprintf(buf, size, "0 s");
    else if (s < 10)
        (void)snprintf(buf, size, "%lld.%lld s", (long long)s, (long long)(ms % 1000 / 100));
    else if (s < 60)
        (void)snprintf(buf, size, "%lld s", (long long)s);
    else if (s < 3600)
        (void)snprintf(buf, size, s % 60 != 0 ? "%lld min %lld s" : "%lld min", (long long)(s / 60), (long long)(s % 60));
    else
        (void)snprintf(buf, size, s % 3600 >= 60 ? "%lld h %lld min" : "%lld h", (long long)(s / 3600),
                       (long long)(s % 3600 / 60));
    return buf;
}

bool hm_is_uuid(const char *s)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    for (size_t i = 0; i < sizeof shape - 1; i++) {
        char c = s[i];
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (shape[i] == 'x' ? !hex : c != '-')
            return false;
    }
    return s[sizeof shape - 1] == '\0';
}

size_t hm_space_len(const char *p)
{
    static const char *const odd[] = {
        "\xc2\xa0",     /* no-break */
        "\xe2\x80\xaf", /* narrow no-break */
        "\xe2\x80\x87", /* figure space */
        "\xe3\x80\x80", /* ideographic */
        "\xe2\x80\x8b", /* zero width */
        "\xe2\x81\xa0", /* word joiner */
        "\xef\xbb\xbf", /* byte order mark */
    };
    if (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
        return 1;
    if ((unsigned char)*p < 0x80) /* most are */
        return 0;
    for (size_t i = 0; i < HM_ARRAY_LEN(odd); i++)
        if (hm_starts_with(p, odd[i]))
            return strlen(odd[i]);
    return 0;
}

/* Where the text begins behind its leading spaces, and how long it is without those at its end. */
static const char *trimmed(const char *s, size_t *ret_len)
{
    size_t len = 0;
    while (hm_space_len(s) > 0)
        s += hm_space_len(s);
    for (size_t i = 0; s[i] != '\0';) {
        size_t space = hm_space_len(s + i);
        i += space > 0 ? space : 1;
        len = space > 0 ? len : i;
    }
    *ret_len = len;
    return s;
}

bool hm_same_trimmed(const char *a, const char *b)
{
    size_t a_len = 0;
    size_t b_len = 0;
    if (a == NULL || b == NULL)
        return a == b;
    a = trimmed(a, &a_len);
    b = trimmed(b, &b_len);
    return a_len == b_len && memcmp(a, b, a_len) == 0;
}

bool hm_starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool hm_is_web_address(const char *s)
{
    return hm_starts_with(s, "https://") || hm_starts_with(s, "http://");
}

bool hm_ends_with(const char *s, const char *suffix)
{
    size_t len = strlen(s);
    size_t tail = strlen(suffix);
    return len >= tail && memcmp(s + len - tail, suffix, tail) == 0;
}

bool hm_streq(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return strcmp(a, b) == 0;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters without their case. */
static bool same_letter(char a, char b)
{
    return a == b || ((a ^ b) == 0x20 && (a | 0x20) >= 'a' && (a | 0x20) <= 'z');
}

size_t hm_edit_distance(const char *a, const char *b, size_t max)
{
    enum { LONGEST = 64 };
    size_t len_a = strlen(a);
    size_t len_b = strlen(b);
    size_t rows[3][LONGEST + 1];

    if (len_a > LONGEST || len_b > LONGEST)
        return max + 1;
    for (size_t j = 0; j <= len_b; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= len_a; i++) {
        size_t *now = rows[i % 3];
        const size_t *before = rows[(i + 2) % 3];
        const size_t *earlier = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= len_b; j++) {
            size_t cost = same_letter(a[i - 1], b[j - 1]) ? 0 : 1;
            now[j] = min_size(min_size(now[j - 1], before[j]) + 1, before[j - 1] + cost);
            if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]))
                now[j] = min_size(now[j], earlier[j - 2] + 1);
        }
    }
    return min_size(rows[len_a % 3][len_b], max + 1);
}

const char *hm_plural(int64_t n, const char *one, const char *many)
{
    return n == 1 ? one : many;
}

char *hm_header_line(const char *lines, const char *name)
{
    size_t len = strlen(name);
    for (const char *line = lines; line != NULL && *line != '\0';) {
        size_t whole = strcspn(line, "\n");
        if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
            const char *value = line + len + 1;
            const char *end = line + whole;
            value += strspn(value, " \t");
            while (end > value && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
                end--;
            return hm_xstrndup(value, (size_t)(end - value));
        }
        line += whole + (line[whole] == '\n' ? 1 : 0);
    }
    return NULL;
}

char *hm_section_url(const char *url, const char *heading)
{
    if (url == NULL || strchr(url, '#') != NULL)
        return hm_xstrdup_null(url);
    size_t n = strlen(url);
    bool dash = false;
    char *out = hm_xmalloc(n + 2 * strlen(heading) + 2);
    memcpy(out, url, n);
    out[n++] = '#';
    for (; *heading != '\0'; heading++) {
        char c = *heading;
        if (c >= 'A' && c <= 'Z')
            c = (char)(c | 0x20);
        if (c == ' ' || c == '-') {
            dash = true;
        } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_') {
            if (dash)
                out[n++] = '-';
            out[n++] = c;
            dash = false;
        }
    }
    out[n] = '\0';
    return out;
}
