/* Guards: see guard.h. One pass from the left that remembers whether something stands before this place on every way to it: an
 * alternative begins where its group began, behind a group stands what all its alternatives end with, and what a quantifier lets
 * be absent counts for nothing. */
#include "alarm/guard.h"

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
