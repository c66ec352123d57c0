/* Escaping, cutting and counting of text for Slack: see escape.h.
 *
 * Happy path: clean (valid UTF-8, nothing hidden) → escape → cut. There is no failure: any bytes give a text that Slack shows as
 * what it is; only the ceiling of the caller's strbuf can stop it, and that is sticky there. */
#include "slack/escape.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "base/text.h"

/* Look-alikes of the characters that format. */
#define LIKE_ASTERISK   "\xe2\x88\x97" /* U+2217 asterisk operator */
#define LIKE_UNDERSCORE "\xcb\x8d"     /* U+02CD modifier letter low macron */
#define LIKE_TILDE      "\xe2\x88\xbc" /* U+223C tilde operator */
#define LIKE_BACKTICK   "\xcb\x8b"     /* U+02CB modifier letter grave accent */
#define ELLIPSIS        "\xe2\x80\xa6" /* U+2026 */

enum {
    TOKEN_MAX = 4096, /* a <…> longer than this is not taken for a token */
    NOTE_MAX = 48,    /* units of "\n… 18,446,744,073,709,551,615 more characters" */
    CLOSE_MAX = 4     /* units of "\n```" */
};

/* Bytes of the sequence at s (1 to 4) by its lead byte, checked for continuation bytes; 1 when malformed. s[0] is not NUL. */
static size_t step(const char *s)
{
    unsigned char lead = (unsigned char)s[0];
    size_t len = lead < 0xc2 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 1;
    for (size_t i = 1; i < len; i++)
        if (((unsigned char)s[i] & 0xc0) != 0x80)
            return 1;
    return len;
}

static size_t units_of(size_t bytes)
{
    return bytes == 4 ? 2 : 1;
}

/* The scalar value of a well-formed sequence. */
static uint32_t scalar(const char *s, size_t len)
{
    static const unsigned char lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t value = (unsigned char)s[0] & lead_bits[len];
    for (size_t i = 1; i < len; i++)
        value = value << 6 | ((unsigned char)s[i] & 0x3f);
    return value;
}

/* Characters that show as nothing or that reorder what stands around them. */
static bool is_hidden(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {{0x80, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},   {0x115f, 0x1160}, {0x180e, 0x180e}, {0x200b, 0x200f},
                  {0x2028, 0x202e}, {0x2060, 0x206f}, {0x3164, 0x3164}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};
    for (size_t i = 0; i < HM_ARRAY_LEN(ranges); i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

char *hm_slack_clean(const char *text)
{
    size_t len = strlen(text);
    char *unix_lines = hm_xmalloc(len + 1);
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        if (text[i] != '\r' || text[i + 1] != '\n')
            unix_lines[n++] = text[i];
    unix_lines[n] = '\0';
    char *valid = hm_utf8_clean(unix_lines, n);
    free(unix_lines);

    struct hm_strbuf b;
    hm_strbuf_init(&b, SIZE_MAX / 2);
    for (const char *p = valid; *p != '\0';) {
        size_t bytes = step(p);
        uint32_t c = bytes > 1 ? scalar(p, bytes) : 0;
        if (bytes > 1 && is_hidden(c))
            hm_strbuf_addf(&b, c > 0xffff ? "\\U%08X" : "\\u%04X", (unsigned)c);
        else
            hm_strbuf_add(&b, p, bytes);
        p += bytes;
    }
    free(valid);
    return hm_strbuf_take(&b);
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t';
}

/* Slack formats from a mark that follows no letter to a mark that no letter follows, with no space on the inner sides. At the
 * edge of the text the neighbour is not known, so a mark there counts as one that can. */
static bool can_format(const char *text, size_t at)
{
    size_t first = at;
    size_t last = at;
    while (first > 0 && text[first - 1] == text[at])
        first--;
    while (text[last + 1] == text[at])
        last++;
    char before = '\0';
    char after = text[last + 1];
    if (first > 0)
        before = text[first - 1];
    if (first == last && is_word(before) && is_word(after)) /* two in a row: clients differ, so they count as marks */
        return false;
    return !(is_space(before) && is_space(after) && first == last);
}

/* Adds & < > as entities; false for any other character. */
static bool add_entity(struct hm_strbuf *out, char c)
{
    if (c == '&')
        hm_strbuf_adds(out, "&amp;");
    else if (c == '<')
        hm_strbuf_adds(out, "&lt;");
    else if (c == '>')
        hm_strbuf_adds(out, "&gt;");
    else
        return false;
    return true;
}

static void add_char(struct hm_strbuf *out, char c, bool one_line)
{
    if (one_line && is_space(c))
        hm_strbuf_addc(out, ' ');
    else
        hm_strbuf_addc(out, c);
}

static const char *look_alike(char c)
{
    return c == '*' ? LIKE_ASTERISK : c == '_' ? LIKE_UNDERSCORE : c == '~' ? LIKE_TILDE : c == '`' ? LIKE_BACKTICK : NULL;
}

static void escape(struct hm_strbuf *out, const char *text, bool one_line)
{
    if (text == NULL)
        return;
    char *clean = hm_slack_clean(text);
    for (size_t i = 0; clean[i] != '\0'; i++) {
        char c = clean[i];
        const char *like = look_alike(c);
        if (add_entity(out, c))
            continue;
        if (like != NULL && (c == '`' || can_format(clean, i)))
            hm_strbuf_adds(out, like);
        else
            add_char(out, c, one_line);
    }
    free(clean);
}

void hm_slack_escape_mrkdwn(struct hm_strbuf *out, const char *text)
{
    escape(out, text, false);
}

void hm_slack_escape_line(struct hm_strbuf *out, const char *text)
{
    escape(out, text, true);
}

void hm_slack_escape_code(struct hm_strbuf *out, const char *text)
{
    if (text == NULL)
        return;
    char *clean = hm_slack_clean(text);
    for (const char *p = clean; *p != '\0'; p++) {
        if (add_entity(out, *p))
            continue;
        if (*p == '`')
            hm_strbuf_adds(out, LIKE_BACKTICK);
        else
            add_char(out, *p, true);
    }
    free(clean);
}

void hm_slack_add_code(struct hm_strbuf *out, const char *text)
{
    if (text == NULL || text[0] == '\0') {
        hm_strbuf_adds(out, "–");
        return;
    }
    hm_strbuf_addc(out, '`');
    hm_slack_escape_code(out, text);
    hm_strbuf_addc(out, '`');
}

void hm_slack_unescape(struct hm_strbuf *out, const char *text)
{
    static const struct {
        const char *entity;
        char c;
    } entities[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}};

    while (text != NULL && *text != '\0') {
        size_t used = strcspn(text, "&"); /* as it is */
        if (used > 0)
            hm_strbuf_add(out, text, used);
        for (size_t i = 0; used == 0 && i < HM_ARRAY_LEN(entities); i++)
            if (hm_starts_with(text, entities[i].entity)) {
                hm_strbuf_addc(out, entities[i].c);
                used = strlen(entities[i].entity);
            }
        if (used == 0) {
            hm_strbuf_addc(out, *text);
            used = 1;
        }
        text += used;
    }
}

size_t hm_slack_length(const char *text)
{
    size_t units = 0;
    for (size_t bytes = 0; *text != '\0'; text += bytes) {
        bytes = step(text);
        units += units_of(bytes);
    }
    return units;
}

/* Bytes that may not be parted at s: an entity, a <…> token, or one scalar. */
static size_t atom(const char *s)
{
    if (*s == '&') {
        size_t name = strspn(s + 1, "abcdefghijklmnopqrstuvwxyz");
        if (name > 0 && name <= 4 && s[1 + name] == ';')
            return name + 2;
    }
    if (*s == '<') {
        size_t inside = strcspn(s + 1, "<>\n");
        if (s[1 + inside] == '>' && inside <= TOKEN_MAX)
            return inside + 2;
    }
    return step(s);
}

size_t hm_slack_prefix(const char *mrkdwn, size_t max)
{
    size_t at = 0;
    size_t units = 0;
    while (mrkdwn[at] != '\0') {
        size_t bytes = atom(mrkdwn + at);
        for (size_t i = 0; i < bytes; i += step(mrkdwn + at + i))
            units += units_of(step(mrkdwn + at + i));
        if (units > max)
            return at;
        at += bytes;
    }
    return at;
}

/* The same without entities and tokens: plain text has none. */
static size_t plain_prefix(const char *text, size_t max)
{
    size_t at = 0;
    for (size_t units = 0; text[at] != '\0';) {
        size_t bytes = step(text + at);
        units += units_of(bytes);
        if (units > max)
            return at;
        at += bytes;
    }
    return at;
}

void hm_slack_add_count(struct hm_strbuf *out, size_t n)
{
    char digits[24];
    size_t len = 0;
    do {
        digits[len++] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    while (len > 0) {
        hm_strbuf_addc(out, digits[--len]);
        if (len > 0 && len % 3 == 0)
            hm_strbuf_addc(out, ',');
    }
}

static void add_note(struct hm_strbuf *out, size_t left)
{
    if (out->len > 0 && out->s[out->len - 1] != '\n')
        hm_strbuf_addc(out, '\n');
    hm_strbuf_adds(out, ELLIPSIS " ");
    hm_slack_add_count(out, left);
    hm_strbuf_adds(out, left == 1 ? " more character" : " more characters");
}

/* What is open at the end of mrkdwn[0..len): a fence closes only with a fence, a span ends with its line at the latest. */
static const char *closing_of(const char *mrkdwn, size_t len)
{
    bool fence = false;
    bool span = false;
    for (size_t i = 0; i < len;) {
        if (len - i >= 3 && memcmp(mrkdwn + i, "```", 3) == 0) {
            fence = !fence;
            span = false;
            i += 3;
            continue;
        }
        if (mrkdwn[i] == '\n')
            span = false;
        else if (mrkdwn[i] == '`' && !fence)
            span = !span;
        i++;
    }
    return fence ? "\n```" : span ? "`" : "";
}

size_t hm_slack_cut_mrkdwn(struct hm_strbuf *out, const char *mrkdwn, size_t max)
{
    HM_ASSERT(max >= 64);
    size_t len = strlen(mrkdwn);
    if (hm_slack_length(mrkdwn) <= max) {
        hm_strbuf_add(out, mrkdwn, len);
        return 0;
    }
    size_t cut = hm_slack_prefix(mrkdwn, max - NOTE_MAX - CLOSE_MAX);
    while (cut > 0 && mrkdwn[cut - 1] == '`' && mrkdwn[cut] == '`')
        cut--;
    hm_strbuf_add(out, mrkdwn, cut);
    hm_strbuf_adds(out, closing_of(mrkdwn, cut));
    size_t left = hm_utf8_count(mrkdwn + cut);
    add_note(out, left);
    return left;
}

size_t hm_slack_cut_plain(struct hm_strbuf *out, const char *text, size_t max)
{
    HM_ASSERT(max >= 64);
    size_t cut = plain_prefix(text, max);
    if (text[cut] == '\0') {
        hm_strbuf_add(out, text, cut);
        return 0;
    }
    cut = plain_prefix(text, max - NOTE_MAX);
    hm_strbuf_add(out, text, cut);
    size_t left = hm_utf8_count(text + cut);
    add_note(out, left);
    return left;
}

size_t hm_slack_cut_label(struct hm_strbuf *out, const char *text, size_t max)
{
    HM_ASSERT(max >= 1);
    size_t cut = plain_prefix(text, max);
    if (text[cut] == '\0') {
        hm_strbuf_add(out, text, cut);
        return 0;
    }
    cut = plain_prefix(text, max - 1);
    hm_strbuf_add(out, text, cut);
    hm_strbuf_adds(out, ELLIPSIS);
    return hm_utf8_count(text + cut);
}
