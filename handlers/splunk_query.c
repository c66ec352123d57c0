/* Splunk's search language can write: delete, collect, outputlookup, sendemail … An action that is called a read must not send
 * such a search, whatever a recipe says. So the commands of a search are looked at: the first word after each bar and after each
 * bracket of a subsearch. A macro (`name`) could stand for anything and is refused. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "handlers/splunk.h"

enum { QUERY_MAX = 4000, COMMAND_MAX = 40 };

static const char *const writing[] = {
    "delete",     "collect",   "mcollect",     "meventcollect", "outputlookup", "outputcsv",
    "outputtext", "sendemail", "sendalert",    "script",        "run",          "runshellscript",
    "dump",       "tscollect", "summaryindex", "stash",         "map",          "savedsearch"};

static enum hm_code check_command(const char *at, struct hm_err *err)
{
    char word[COMMAND_MAX + 1] = "";
    at += strspn(at, " \t");
    for (size_t i = 0; i < COMMAND_MAX && (isalpha((unsigned char)at[i]) != 0 || at[i] == '_'); i++)
        word[i] = (char)tolower((unsigned char)at[i]);
    for (size_t i = 0; i < HM_ARRAY_LEN(writing); i++)
        if (hm_streq(word, writing[i]))
            return hm_err_set(err, HM_EINVAL, "query: the command \"%s\" may change something; this action only reads", word);
    return HM_OK;
}

/* Past a quoted text; NULL when it never closes. */
static const char *past_quotes(const char *at)
{
    char quote = *at++;
    while (*at != '\0' && *at != quote)
        at += at[0] == '\\' && at[1] != '\0' ? 2 : 1;
    return *at != '\0' ? at + 1 : NULL;
}

enum hm_code hm_splunk_query(const char *query, char **ret_query, struct hm_err *err)
{
    const char *at = query + strspn(query, " ");
    bool whole = *at == '|' || strncasecmp(at, "search ", strlen("search ")) == 0;
    enum hm_code code = HM_OK;

    if (*at == '\0' || strlen(query) > QUERY_MAX)
        return hm_err_set(err, HM_EINVAL, "query: 1 to %d bytes, not %zu", (int)QUERY_MAX, strlen(query));
    *ret_query = whole ? hm_xstrdup(at) : hm_xasprintf("search %s", at);
    while (*at != '\0' && code == HM_OK) {
        unsigned char c = (unsigned char)*at;
        if (c == '"') {
            const char *next = past_quotes(at);
            code = next != NULL ? HM_OK : hm_err_set(err, HM_EINVAL, "query: a quoted text does not end");
            at = next != NULL ? next : at;
            continue;
        }
        if (c == '\\' && at[1] == '"') { /* a quote that begins nothing */
            at += 2;
            continue;
        }
        if (c == '`')
            code = hm_err_set(err, HM_EINVAL, "query: macros in `…` are not allowed, they may stand for anything");
        else if (c < ' ' && c != '\t')
            code = hm_err_set(err, HM_EINVAL, "query: it must be one line");
        else if (c == '|' || c == '[')
            code = check_command(at + 1, err);
        at++;
    }
    if (code != HM_OK)
        HM_FREE(*ret_query);
    return code;
}
