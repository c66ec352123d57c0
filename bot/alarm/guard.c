/* Guards: see guard.h. One pass from the left that remembers whether something stands before this place on every way to it: an
 * alternative begins where its group began, behind a group stands what all its alternatives end with, and what a quantifier lets
 * be absent counts for nothing. */
#include "alarm/guard.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "alarm/pieces.h"

enum { NEST_MAX = 100 };

#define FLAGS "^imsnJUx-"

/* The name of the group that opens at p, or NULL. */
static const char *name_at(const char *p)
{
    if (strncmp(p, "(?P<", 4) == 0)
        return p + 4;
    if ((strncmp(p, "(?<", 3) == 0 && p[3] != '=' && p[3] != '!') || strncmp(p, "(?'", 3) == 0)
        return p + 3;
    return NULL;
}

/* Behind what opens a group at p: "(", "(?:", "(?i:", "(?<name>", "(?=", "(?<!". */
static const char *skip_open(const char *p)
{
    const char *name = name_at(p);
    if (name != NULL) {
        size_t len = strcspn(name, ">'");
        return name + len + (name[len] != '\0' ? 1 : 0);
    }
    if (p[1] != '?')
        return p + 1;
    p += 2;
    p += *p == '<' ? 1 : 0;
    p += strspn(p, FLAGS);
    return *p != '\0' && *p != ')' ? p + 1 : p;
}

/* Behind what holds no text at p: "(?i)" and comments; else p. */
static const char *skip_setting(const char *p)
{
    if (strncmp(p, "(?#", 3) == 0) {
        p += strcspn(p, ")");
        return *p == ')' ? p + 1 : p;
    }
    if (strncmp(p, "(?", 2) != 0)
        return p;
    const char *end = p + 2 + strspn(p + 2, FLAGS);
    return *end == ')' ? end + 1 : p;
}

/* An open group. */
struct open {
    bool guarded; /* where it began */
    bool ends;    /* each alternative so far was guarded at its end */
    bool ahead;   /* it looks ahead: behind it we are where we were */
    bool behind;  /* it looks behind: that is a guard, whatever is in it */
};

struct reading {
    const char *p;
    bool guarded;
    bool before; /* in front of the last atom */
    bool atom;   /* directly behind one: a quantifier here is about it */
    struct open opens[NEST_MAX];
    size_t depth;
};

static void open_group(struct reading *r)
{
    if (r->depth < NEST_MAX)
        r->opens[r->depth++] = (struct open){
            .guarded = r->guarded,
            .ends = true,
            .ahead = strncmp(r->p, "(?=", 3) == 0 || strncmp(r->p, "(?!", 3) == 0 || strncmp(r->p, "(*", 2) == 0,
            .behind = strncmp(r->p, "(?<=", 4) == 0 || strncmp(r->p, "(?<!", 4) == 0,
        };
    r->p = skip_open(r->p);
    r->atom = false;
}

static void next_alternative(struct reading *r)
{
    struct open *open = r->depth > 0 ? &r->opens[r->depth - 1] : NULL;
    if (open != NULL)
        open->ends = open->ends && r->guarded;
    r->guarded = open != NULL && open->guarded;
    r->p++;
    r->atom = false;
}

static void close_group(struct reading *r)
{
    r->p++;
    r->atom = true;
    if (r->depth == 0)
        return;
    const struct open *open = &r->opens[--r->depth];
    r->before = open->guarded;
    r->guarded = open->ahead ? open->guarded : open->behind || (open->ends && r->guarded);
}

/* A class, an escape, or a letter with all its bytes. */
static void read_atom(struct reading *r)
{
    r->before = r->guarded;
    r->atom = true;
    if (*r->p == '\\') {
        bool edge = r->p[1] == 'b' || r->p[1] == 'B';
        bool nothing = r->p[1] != '\0' && strchr("EGKQ", r->p[1]) != NULL;
        r->guarded = nothing ? r->guarded : !edge;
        r->p = hm_alarm_skip_escape(r->p);
        return;
    }
    r->guarded = true;
    if (*r->p == '[') {
        r->p = hm_alarm_skip_class(r->p);
        return;
    }
    do {
        r->p++;
    } while (((unsigned char)*r->p & 0xc0) == 0x80);
}

/* One piece of the pattern. The name of an unguarded group that opens here, or NULL. */
static const char *read_piece(struct reading *r)
{
    bool none = false;
    size_t len = hm_alarm_quantifier(r->p, &none);
    const char *behind = skip_setting(r->p);
    const char *name = name_at(r->p);
    if (name != NULL && !r->guarded)
        return name;
    if (len > 0) { /* behind another quantifier it only says how greedy that is */
        r->guarded = r->atom && none ? r->before : r->guarded;
        r->atom = false;
        r->p += len;
    } else if (behind != r->p) {
        r->p = behind;
    } else if (*r->p == '(') {
        open_group(r);
    } else if (*r->p == '|') {
        next_alternative(r);
    } else if (*r->p == ')') {
        close_group(r);
    } else {
        read_atom(r);
    }
    return NULL;
}

const char *hm_alarm_unguarded(const char *pattern, size_t *ret_len)
{
    struct reading r = {.p = pattern};
    const char *name = NULL;
    while (*r.p != '\0' && name == NULL)
        name = read_piece(&r);
    if (name != NULL)
        *ret_len = strcspn(name, ">'");
    return name;
}

/* ---- on the right ------------------------------------------------------------------------------------------------------------
 */

/* Behind the group that opens at p, but not behind its quantifier. */
static const char *skip_group(const char *p)
{
    size_t depth = 0;
    do {
        if (*p == '\\') {
            p = hm_alarm_skip_escape(p);
        } else if (*p == '[') {
            p = hm_alarm_skip_class(p);
        } else if (*p == '(') {
            const char *behind = skip_setting(p);
            depth += behind == p ? 1 : 0;
            p = behind == p ? p + 1 : behind;
        } else {
            depth -= *p == ')' ? 1 : 0;
            p++;
        }
    } while (*p != '\0' && depth > 0);
    return p;
}

/* Behind the atom, the group or the setting at p, but not behind its quantifier. */
static const char *skip_piece(const char *p)
{
    if (skip_setting(p) != p)
        return skip_setting(p);
    if (*p == '(')
        return skip_group(p);
    if (*p == '\\')
        return hm_alarm_skip_escape(p);
    if (*p == '[')
        return hm_alarm_skip_class(p);
    do {
        p++;
    } while (((unsigned char)*p & 0xc0) == 0x80);
    return p;
}

/* A quantifier and what says how greedy it is; *ret_none as hm_alarm_quantifier() has it. */
static const char *skip_quantifier(const char *p, bool *ret_none)
{
    size_t len = hm_alarm_quantifier(p, ret_none);
    p += len;
    return len > 0 && (*p == '?' || *p == '+') ? p + 1 : p;
}

/* To the first of `ends` that is not within a group from here on, or to the end. */
static const char *find_end(const char *p, const char *ends)
{
    while (*p != '\0' && strchr(ends, *p) == NULL)
        p = skip_piece(p);
    return p;
}

static bool stands_at(const char *p, bool inside);

static bool is_looking(const char *p, const char *how)
{
    return strncmp(p, how, strlen(how)) == 0;
}

/* Each alternative of the group at p begins with something that stands there. */
static bool all_begin(const char *p)
{
    p = skip_open(p);
    while (stands_at(p, true)) {
        p = find_end(p, "|)");
        if (*p != '|')
            return true;
        p++;
    }
    return false;
}

/* The piece at p is something that stands there, if its quantifier does not let it be absent. */
static bool is_something(const char *p)
{
    if (*p == '(')
        return skip_setting(p) == p && !is_looking(p, "(?<=") && !is_looking(p, "(?<!") && all_begin(p);
    return *p != '^' && !(*p == '\\' && p[1] != '\0' && strchr("bBAGKEQ", p[1]) != NULL);
}

/* Something stands at p, on every way from there. inside: what is behind the group that p is in does not count. */
static bool stands_at(const char *p, bool inside)
{
    bool none = false;
    while (*p != '\0') {
        if (*p == ')' || *p == '|') {
            if (inside)
                return false;
            p = find_end(p, ")");
            p = *p == ')' ? skip_quantifier(p + 1, &none) : p;
        } else if (*p == '$' || is_looking(p, "(?=") || is_looking(p, "(?!")) {
            return true;
        } else {
            bool something = is_something(p);
            p = skip_quantifier(skip_piece(p), &none);
            if (something && !none)
                return true;
        }
    }
    return false;
}

/* A value with this last atom ends by itself: the atom takes all but something, so that what it has taken ends where that is; or
 * it is a mark, such as the quote of a quoted value. none: it may be absent. */
static bool ends_itself(const char *p, bool none)
{
    if (*p == '\\' && p[1] != '\0')
        return strchr("SNWDR", p[1]) != NULL || (ispunct((unsigned char)p[1]) && !none);
    return *p == '.' || is_looking(p, "[^") || (ispunct((unsigned char)*p) && *p != '[' && *p != '_' && !none);
}

const char *hm_alarm_open_ended(const char *pattern, size_t *ret_len)
{
    const char *names[NEST_MAX] = {NULL}; /* of the open groups */
    const char *last = pattern;           /* the last atom */
    size_t depth = 0;
    bool none = false;
    bool last_none = false; /* … may be absent */
    for (const char *p = pattern; *p != '\0';) {
        if (*p == '(' && skip_setting(p) == p) {
            if (depth < NEST_MAX)
                names[depth++] = name_at(p);
            p = skip_open(p);
        } else if (*p == ')') {
            const char *name = depth > 0 ? names[--depth] : NULL;
            p = skip_quantifier(p + 1, &none);
            if (name != NULL && !ends_itself(last, last_none) && !stands_at(p, false)) {
                *ret_len = strcspn(name, ">'");
                return name;
            }
        } else if (skip_setting(p) != p) {
            p = skip_setting(p);
        } else {
            last = p;
            p = skip_quantifier(skip_piece(p), &last_none);
        }
    }
    return NULL;
}
