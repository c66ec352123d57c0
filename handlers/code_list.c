#include "handlers/code_list.h"

#include <stdbool.h>
#include <string.h>

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The name when the line is "NAME = [" (or "(" or "{"), perhaps indented and with more behind it; else it stays as it is. */
static void take_name(struct hm_code_list *list, const char *line)
{
    const char *name = line + strspn(line, " \t");
    size_t len = 0;
    while (is_name_char(name[len]))
        len++;
    const char *rest = name + len + strspn(name + len, " \t");
    if (len == 0 || len >= sizeof list->name || *rest != '=')
        return;
    rest++;
    rest += strspn(rest, " \t");
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
