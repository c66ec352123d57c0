#include "handlers/code_list.h"

#include <stdbool.h>
#include <string.h>

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t");
}

/* Behind the "=" of "= …", "+= …", "|= …" or ": List[str] = …"; NULL when the name is given nothing. */
static const char *given(const char *rest)
{
    if (*rest == ':')
        rest += strcspn(rest, "=#");
    else if ((*rest == '+' || *rest == '|') && rest[1] == '=')
        rest++;
    return *rest == '=' && rest[1] != '=' ? skip_blanks(rest + 1) : NULL;
}

/* What makes a list of a list is one as well. */
static const char *unwrap(const char *rest)
{
    static const char *const makers[] = {"set(", "frozenset(", "list(", "tuple(", "sorted("};
    for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++)
        if (strncmp(rest, makers[i], strlen(makers[i])) == 0)
            return rest + strlen(makers[i]) - 1;
    return rest;
}

/* The name when the line is "NAME = [" (or "(" or "{"), perhaps indented and with more behind it, added to, with its type, or
 * made a set; else it stays as it is. */
static void take_name(struct hm_code_list *list, const char *line)
{
    const char *name = skip_blanks(line);
    size_t len = 0;
    while (is_name_char(name[len]))
        len++;
    const char *rest = len > 0 && len < sizeof list->name ? given(skip_blanks(name + len)) : NULL;
    if (rest == NULL)
        return;
    rest = unwrap(rest);
    if (*rest != '[' && *rest != '(' && *rest != '{')
        return;
    memcpy(list->name, name, len);
    list->name[len] = '\0';
}

/* How many brackets more are open after the line than before. What stands in quotes or behind # does not count. */
static int opened(const char *line)
{
    int depth = 0;
    char quote = '\0';
    for (const char *p = line; *p != '\0'; p++) {
        if (quote != '\0') {
            if (*p == '\\' && p[1] != '\0')
                p++;
            else if (*p == quote)
                quote = '\0';
        } else if (*p == '"' || *p == '\'') {
            quote = *p;
        } else if (*p == '#') {
            break;
        } else if (strchr("[({", *p) != NULL) {
            depth++;
        } else if (strchr("])}", *p) != NULL) {
            depth--;
        }
    }
    return depth;
}

void hm_code_list_line(struct hm_code_list *list, const char *line)
{
    /* What begins at the margin is a new statement, whatever brackets a text before it may have left open. */
    if (is_name_char(line[0]))
        list->depth = 0;
    if (list->depth <= 0) {
        list->depth = 0;
        list->name[0] = '\0';
        take_name(list, line);
    }
    list->depth += opened(line);
}
