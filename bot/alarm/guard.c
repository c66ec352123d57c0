/* Guards: see guard.h. One pass from the left that remembers whether something stands before this place, and for each open group
 * whether something stood before it: an alternative begins where its group began. */
#include "alarm/guard.h"

#include <stdbool.h>
#include <string.h>

enum { NEST_MAX = 100 };

/* Behind a class that begins at p with [. */
static const char *skip_class(const char *p)
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
    p += strspn(p, "^imsnJUx-");
    return *p != '\0' && *p != ')' ? p + 1 : p;
}

/* What holds where an open group began. */
struct open {
    bool guarded;
    bool ahead; /* it looks ahead: behind it we are where we were */
};

struct reading {
    const char *p;
    bool guarded;
    struct open opens[NEST_MAX];
    size_t depth;
};

/* At one of \ [ ( ) | or any other sign. The name of an unguarded group that opens here, or NULL. */
static const char *read_sign(struct reading *r)
{
    const char *name = NULL;
    if (*r->p == '\\') {
        r->guarded = r->p[1] != 'b' && r->p[1] != 'B';
        r->p += r->p[1] != '\0' ? 2 : 1;
    } else if (*r->p == '[') {
        r->guarded = true;
        r->p = skip_class(r->p);
    } else if (*r->p == '(') {
        name = name_at(r->p);
        if (name != NULL && !r->guarded)
            return name;
        if (r->depth < NEST_MAX)
            r->opens[r->depth++] = (struct open){r->guarded, strncmp(r->p, "(?=", 3) == 0 || strncmp(r->p, "(?!", 3) == 0};
        r->p = skip_open(r->p);
    } else if (*r->p == '|') {
        r->guarded = r->depth > 0 && r->opens[r->depth - 1].guarded;
        r->p++;
    } else if (*r->p == ')') {
        if (r->depth > 0)
            r->depth--;
        r->guarded = !r->opens[r->depth].ahead || r->opens[r->depth].guarded;
        r->p++;
    } else {
        r->guarded = true;
        r->p++;
    }
    return NULL;
}

const char *hm_alarm_unguarded(const char *pattern, size_t *ret_len)
{
    struct reading r = {.p = pattern};
    const char *name = NULL;
    while (*r.p != '\0' && name == NULL)
        name = read_sign(&r);
    if (name != NULL)
        *ret_len = strcspn(name, ">'");
    return name;
}
