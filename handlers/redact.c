/* What must not leave the logs: see redact.h. One pass; at each place the rules are tried in order, and what none of them takes
 * is copied. UUIDs and dates stay: without them a log line says nothing. */
#include "handlers/redact.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"

enum { LONG_NUMBER = 9, UUID_LEN = 36 };

static const char digits[] = "0123456789";
static const char word_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
static const char mail_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._%+-";
static const char host_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-";
static const char token_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~+/=-";

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* Length of an e-mail address that begins here, 0 = none. */
static size_t mail_len(const char *s)
{
    size_t local = strspn(s, mail_chars);
    if (local == 0 || s[local] != '@')
        return 0;
    size_t host = strspn(s + local + 1, host_chars);
    return host >= 3 && memchr(s + local + 1, '.', host) != NULL ? local + 1 + host : 0;
}

static size_t uuid_len(const char *s)
{
    char copy[UUID_LEN + 1] = "";
    if (strnlen(s, UUID_LEN) < UUID_LEN)
        return 0;
    memcpy(copy, s, UUID_LEN);
    return hm_is_uuid(copy) && !is_one_of(s[UUID_LEN], word_chars) ? UUID_LEN : 0;
}

/* Length of a number of nine digits or more that begins here: alone, with the separators that ids and telephones are written
 * with, or in groups of four like a card's. A date (2026-11-28, 28/11/2026) has eight. */
static size_t number_len(const char *s)
{
    size_t i = 0, count = 0;
    for (;;) {
        size_t run = strspn(s + i, digits);
        count += run;
        i += run;
        bool group = run == 4 && s[i] == ' ' && strspn(s + i + 1, digits) == 4;
        bool joined = run > 0 && is_one_of(s[i], ".-/") && is_one_of(s[i + 1], digits);
        if (!group && !joined)
            break;
        i++;
    }
    return count >= LONG_NUMBER ? i : 0;
}

/* After a word that announces a secret: where the secret begins and how long it is. keyword: a Clojure keyword, which needs no
 * '=' before its value. */
static size_t secret_at(const char *s, bool keyword, size_t *ret_from)
{
    static const char *const words[] = {"password", "passwd", "secret",        "token",         "api_key",
                                        "api-key",  "apikey", "authorization", "access_key_id", "cookie"};
    for (size_t i = 0; i < HM_ARRAY_LEN(words); i++) {
        size_t len = strlen(words[i]);
        if (strncasecmp(s, words[i], len) != 0)
            continue;
        size_t at = len + strspn(s + len, "\"'");
        size_t separated = strspn(s + at, " \t=:>");
        bool assigned = strcspn(s + at, "=:") < separated;
        if (separated == 0 || (!assigned && !keyword))
            return 0;
        at += separated + strspn(s + at + separated, "\"'");
        static const char *const schemes[] = {"bearer ", "basic ", "splunk ", "geniekey "};
        for (size_t k = 0; k < HM_ARRAY_LEN(schemes); k++)
            if (strncasecmp(s + at, schemes[k], strlen(schemes[k])) == 0)
                at += strlen(schemes[k]);
        *ret_from = at;
        return strcspn(s + at, " \t\r\n\"',;)}&");
    }
    return 0;
}

/* A token that shows itself: a JSON Web Token, an AWS key id, a Slack token. */
static size_t token_len(const char *s)
{
    static const char *const heads[] = {"eyJ", "AKIA", "ASIA", "xoxb-", "xoxp-", "xapp-", "ghp_", "github_pat_"};
    for (size_t i = 0; i < HM_ARRAY_LEN(heads); i++)
        if (strncmp(s, heads[i], strlen(heads[i])) == 0) {
            size_t len = strspn(s, token_chars);
            return len >= 16 ? len : 0;
        }
    return 0;
}

char *hm_redact(const char *text)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, 2 * strlen(text) + 64);
    for (size_t i = 0; text[i] != '\0';) {
        const char *s = text + i;
        bool begins = i == 0 || !is_one_of(text[i - 1], word_chars);
        size_t from = 0, len = 0;
        if (begins && (len = uuid_len(s)) > 0) {
            hm_strbuf_add(&out, s, len);
        } else if (begins && (len = mail_len(s)) > 0) {
            hm_strbuf_adds(&out, "[e-mail]");
        } else if (begins && (len = token_len(s)) > 0) {
            hm_strbuf_adds(&out, "[secret]");
        } else if ((i == 0 || !is_one_of(text[i - 1], digits)) && (len = number_len(s)) > 0) {
            hm_strbuf_adds(&out, "[number]");
        } else if ((len = secret_at(s, i > 0 && text[i - 1] == ':', &from)) > 0) {
            hm_strbuf_add(&out, s, from);
            hm_strbuf_adds(&out, "[secret]");
            len += from;
        } else {
            len = 1;
            hm_strbuf_add(&out, s, 1);
        }
        i += len;
    }
    return hm_strbuf_take(&out);
}
