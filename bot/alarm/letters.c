/* Letters: see letters.h. */
#include "alarm/letters.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

enum { UUID_LEN = 36 };

struct range {
    uint32_t first, last;
};

static bool is_among(const struct range *ranges, size_t n, uint32_t c)
{
    for (size_t i = 0; i < n; i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

/* What turns the direction of letters (U+202D, U+202E) is none: a person reads another word than stands there. */
static bool is_nothing(uint32_t c)
{
    static const struct range ranges[] = {{0xad, 0xad},     {0x34f, 0x34f},   {0x61c, 0x61c},   {0x115f, 0x1160},
                                          {0x180b, 0x180e}, {0x200b, 0x200f}, {0x202a, 0x202c}, {0x2060, 0x206f},
                                          {0x3164, 0x3164}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xe0000, 0xe01ef}};
    return is_among(ranges, HM_ARRAY_LEN(ranges), c);
}

/* Not the space and the tab of ASCII. */
static bool is_odd_blank(uint32_t c)
{
    static const struct range ranges[] = {{0xa0, 0xa0},     {0x1680, 0x1680}, {0x2000, 0x200a},
                                          {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}};
    return is_among(ranges, HM_ARRAY_LEN(ranges), c);
}

static bool is_line_end(uint32_t c)
{
    return c == '\r' || c == '\v' || c == '\f' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

/* The letter at s and its length in bytes. */
static uint32_t letter(const char *s, size_t *ret_len)
{
    static const unsigned char lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    unsigned char lead = (unsigned char)s[0];
    size_t want = lead < 0xc2 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    size_t len = 1;
    uint32_t value = lead & (want == 1 ? 0xffU : lead_bits[want]);
    for (; len < want && ((unsigned char)s[len] & 0xc0) == 0x80; len++)
        value = value << 6 | ((unsigned char)s[len] & 0x3f);
    *ret_len = len;
    return value;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

/* An en or em dash of the text before `rest`, put behind out[0..n): between two words it parts them, next to a blank it is a
 * hyphen as people type it. Three bytes at most, as it had. */
static size_t put_dash(char *out, size_t n, const char *rest)
{
    size_t len = 0;
    bool alone = n == 0 || is_blank(out[n - 1]) || rest[0] == '\0' || is_blank(rest[0]) || is_odd_blank(letter(rest, &len));
    if (!alone)
        out[n++] = ' ';
    out[n++] = '-';
    if (!alone)
        out[n++] = ' ';
    return n;
}

static bool is_name_letter(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_';
}

static bool is_uuid_at(const char *s)
{
    for (size_t i = 0; i < UUID_LEN; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
            return false;
    }
    return !is_name_letter(s[UUID_LEN]);
}

/* In place. */
static void lower_uuids(char *text)
{
    for (char *p = text; *p != '\0';) {
        if (is_uuid_at(p)) {
            for (size_t i = 0; i < UUID_LEN; i++)
                p[i] = (char)tolower((unsigned char)p[i]);
            p += UUID_LEN;
        }
        while (is_name_letter(*p)) /* only whole words are looked at */
            p++;
        while (*p != '\0' && !is_name_letter(*p))
            p++;
    }
}

char *hm_alarm_letters(const char *text)
{
    char *out = hm_xmalloc(strlen(text) + 1);
    size_t n = 0;
    size_t len = 0;
    bool odd = false; /* the blank before came from an odd one: no second beside it */
    for (const char *p = text; *p != '\0'; p += len) {
        uint32_t c = letter(p, &len);
        bool blank = c == ' ' || is_odd_blank(c);
        if (blank && n > 0 && out[n - 1] == ' ' && (odd || c != ' ')) {
            odd = true;
        } else if (blank) {
            odd = c != ' ';
            out[n++] = ' ';
        } else if (is_line_end(c)) {
            if (c != '\r' || p[1] != '\n')
                out[n++] = '\n';
        } else if (c == 0x2010 || c == 0x2011 || c == 0x2212) {
            out[n++] = '-';
        } else if (c == 0x2013 || c == 0x2014) {
            n = put_dash(out, n, p + len);
        } else if (!is_nothing(c)) {
            memcpy(out + n, p, len);
            n += len;
        }
    }
    out[n] = '\0';
    lower_uuids(out);
    return out;
}
