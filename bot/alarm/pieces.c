/* Pieces of patterns: see pieces.h. */
#include "alarm/pieces.h"

#include <ctype.h>
#include <string.h>

const char *hm_alarm_skip_class(const char *p)
{
    p += p[1] == '^' ? 2 : 1;
    p += *p == ']' ? 1 : 0;
    while (*p != '\0' && *p != ']') {
        if (*p == '\\' && p[1] != '\0')
            p++;
        else if (*p == '[' && p[1] == ':')
            p += strcspn(p, "]");
        p += *p != '\0' ? 1 : 0;
    }
    return *p == ']' ? p + 1 : p;
}

const char *hm_alarm_skip_escape(const char *p)
{
    if (p[1] == '\0')
        return p + 1;
    char letter = p[1];
    p += 2;
    if (*p == '{' && strchr("pPxoNgk", letter) != NULL) {
        p += strcspn(p, "}");
        return *p == '}' ? p + 1 : p;
    }
    for (int digits = 0; letter == 'x' && digits < 2 && isxdigit((unsigned char)*p); digits++)
        p++;
    return p;
}

size_t hm_alarm_quantifier(const char *p, bool *ret_none)
{
    *ret_none = *p == '?' || *p == '*' || strncmp(p, "{0", 2) == 0 || strncmp(p, "{,", 2) == 0;
    if (*p == '?' || *p == '*' || *p == '+')
        return 1;
    size_t len = *p == '{' ? 1 + strspn(p + 1, "0123456789,") : 0;
    return len > 1 && p[len] == '}' ? len + 1 : 0;
}

static const char *skip_letter(const char *p)
{
    do {
        p++;
    } while (((unsigned char)*p & 0xc0) == 0x80);
    return p;
}

static bool is_macro(const char *p)
{
    return p[0] == '{' && p[1] == '{';
}

/* Behind one thing; of a group behind its ")". */
static const char *skip_atom(const char *p)
{
    size_t depth = 0;
    do {
        if (is_macro(p)) {
            p += strcspn(p, "}");
            p += strspn(p, "}") < 2 ? strspn(p, "}") : 2;
        } else if (*p == '[') {
            p = hm_alarm_skip_class(p);
        } else if (*p == '\\') {
            p = hm_alarm_skip_escape(p);
        } else {
            depth += *p == '(' ? 1 : 0;
            depth -= *p == ')' && depth > 0 ? 1 : 0;
            p = skip_letter(p);
        }
    } while (depth > 0 && *p != '\0');
    return p;
}

static const char *skip_quantifiers(const char *p)
{
    bool none = false;
    size_t len = 0;
    while (!is_macro(p) && (len = hm_alarm_quantifier(p, &none)) > 0)
        p += len;
    return p;
}

/* A letter that only stands for itself. */
static bool is_word(const char *p)
{
    return *p != '\0' && strchr("[\\(|)^$.?*+{", *p) == NULL;
}

const char *hm_alarm_skip_piece(const char *p)
{
    const char *end = p;
    while (is_word(end)) {
        const char *next = skip_letter(end);
        if (skip_quantifiers(next) != next) /* a letter with a quantifier is a piece of its own */
            break;
        end = next;
    }
    return end != p || *p == '\0' ? end : skip_quantifiers(skip_atom(p));
}
