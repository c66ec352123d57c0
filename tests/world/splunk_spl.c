/* A small part of Splunk's search language: see splunk.h. */
#include "splunk.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

enum { STATS_MAX = 10 };

/* --- words ---------------------------------------------------------------------------------------------------------------- */

/* The next word from *at, quotes taken off and `\"` undone inside them; NULL at the end of the part. Caller frees. */
static char *next_word(const char **at, const char *end, bool *ret_open)
{
    const char *p = *at;
    while (p < end && (isspace((unsigned char)*p) != 0))
        p++;
    if (p == end)
        return NULL;
    char *word = hm_xmalloc((size_t)(end - p) + 1);
    size_t n = 0;
    bool quoted = false;
    for (; p < end && (quoted || isspace((unsigned char)*p) == 0); p++) {
        if (*p == '"')
            quoted = !quoted;
        else if (*p == '\\' && quoted && p + 1 < end && p[1] == '"')
            word[n++] = *++p;
        else
            word[n++] = *p;
    }
    word[n] = '\0';
    *ret_open = quoted;
    *at = p;
    return word;
}

/* The end of the part of a pipeline that begins here: a bar outside quotes, or the end. */
static const char *part_end(const char *p)
{
    bool quoted = false;
    for (; *p != '\0' && (quoted || *p != '|'); p++) {
        if (*p == '\\' && p[1] != '\0')
            p++;
        else if (*p == '"')
            quoted = !quoted;
    }
    return p;
}

static bool holds(const json_t *event, const char *term)
{
    const char *equals = strchr(term, '=');
    if (equals != NULL && equals > term) {
        char *key = hm_xstrndup(term, (size_t)(equals - term));
        const char *value = hm_json_get_str(event, key, NULL);
        bool same = value != NULL && fnmatch(equals + 1, value, FNM_CASEFOLD) == 0;
        free(key);
        return same;
    }
    return strcasestr(hm_json_get_str(event, "_raw", ""), term) != NULL;
}

/* rows: taken over; those that hold are kept */
static json_t *run_search(const char *at, const char *end, json_t *rows, struct hm_err *err)
{
    bool either = false, open = false, joined = false;
    size_t n = json_array_size(rows);
    json_t *groups = hm_json_arr_new(); /* of lists of terms: one of each must hold */
    char *word = NULL;
    while ((word = next_word(&at, end, &open)) != NULL && !open) {
        if (strcmp(word, "OR") == 0) {
            either = joined;
        } else if (strcmp(word, "NOT") == 0 || word[0] == '(' || word[0] == '[' || word[0] == '`') {
            (void)hm_err_set(err, HM_EINVAL, "Error in 'search' command: this stand-in knows no %s", word);
            open = true;
        } else if (either) {
            hm_json_add(json_array_get(groups, json_array_size(groups) - 1), hm_json_str_new(word));
            either = false;
        } else {
            json_t *group = hm_json_arr_new();
            hm_json_add(group, hm_json_str_new(word));
            hm_json_add(groups, group);
            joined = true;
        }
        free(word);
        word = NULL;
        if (open)
            break;
    }
    if (open) {
        if (err->code == HM_OK) {
            free(word);
            (void)hm_err_set(err, HM_EINVAL, "Error in 'search' command: unbalanced quotes.");
        }
        json_decref(groups);
        json_decref(rows);
        return NULL;
    }
    json_t *found = hm_json_arr_new();
    for (size_t i = 0; i < n; i++) {
        bool all = true;
        for (size_t g = 0; g < json_array_size(groups) && all; g++) {
            const json_t *group = json_array_get(groups, g);
            bool any = false;
            for (size_t t = 0; t < json_array_size(group) && !any; t++)
                any = holds(json_array_get(rows, i), json_string_value(json_array_get(group, t)));
            all = any;
        }
        if (all)
            hm_json_add(found, json_incref(json_array_get(rows, i)));
    }
    json_decref(groups);
    json_decref(rows);
    return found;
}

/* --- rex, stats, head ------------------------------------------------------------------------------------------------------- */

static json_t *run_rex(const char *at, const char *end, json_t *rows, struct hm_err *err)
{
    bool open = false;
    int code = 0;
    PCRE2_SIZE where = 0;
    char *pattern = next_word(&at, end, &open);
    pcre2_code *re = pattern != NULL && !open
                         ? pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF, &code, &where, NULL)
                         : NULL;
    free(pattern);
    if (re == NULL) {
        json_decref(rows);
        (void)hm_err_set(err, HM_EINVAL, "Error in 'rex' command: no good regular expression.");
        return NULL;
    }
    uint32_t n_names = 0, entry = 0;
    PCRE2_SPTR table = NULL;
    (void)pcre2_pattern_info(re, PCRE2_INFO_NAMECOUNT, &n_names);
    (void)pcre2_pattern_info(re, PCRE2_INFO_NAMETABLE, &table);
    (void)pcre2_pattern_info(re, PCRE2_INFO_NAMEENTRYSIZE, &entry);
    pcre2_match_data *match = pcre2_match_data_create_from_pattern(re, NULL);
    json_t *out = hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *row = json_copy(json_array_get(rows, i));
        const char *raw = hm_json_get_str(row, "_raw", "");
        if (pcre2_match(re, (PCRE2_SPTR)raw, strlen(raw), 0, 0, match, NULL) > 0)
            for (uint32_t k = 0; k < n_names; k++) {
                PCRE2_UCHAR *value = NULL;
                PCRE2_SIZE len = 0;
                PCRE2_SPTR name = table + (size_t)k * entry + 2;
                if (pcre2_substring_get_byname(match, name, &value, &len) == 0)
                    hm_json_set(row, (const char *)name, hm_json_strn_new((const char *)value, len));
                pcre2_substring_free(value);
            }
        hm_json_add(out, row);
    }
    pcre2_match_data_free(match);
    pcre2_code_free(re);
    json_decref(rows);
    return out;
}

struct stat {
    char *function, *field, *as;
};

/* count, max(x), min(x), sum(x), with "as name" */
static bool read_stat(const char *at, const char *end, struct stat *stat)
{
    bool open = false;
    char *what = next_word(&at, end, &open);
    char *as = next_word(&at, end, &open);
    char *name = next_word(&at, end, &open);
    char *bracket = what != NULL ? strchr(what, '(') : NULL;
    size_t len = what != NULL ? strlen(what) : 0;
    bool ok = what != NULL && (as == NULL || (strcasecmp(as, "as") == 0 && name != NULL)) && !open;
    if (ok && bracket != NULL && what[len - 1] == ')') {
        stat->function = hm_xstrndup(what, (size_t)(bracket - what));
        stat->field = hm_xstrndup(bracket + 1, (size_t)(what + len - 1 - (bracket + 1)));
    } else if (ok) {
        stat->function = hm_xstrdup(what);
        stat->field = hm_xstrdup("");
    }
    if (ok)
        stat->as = hm_xstrdup(name != NULL ? name : what);
    free(name);
    free(as);
    free(what);
    return ok && (strcmp(stat->function, "count") == 0 || strcmp(stat->function, "max") == 0 ||
                  strcmp(stat->function, "min") == 0 || strcmp(stat->function, "sum") == 0);
}

static void add_stat(const struct stat *stat, const json_t *rows, json_t *row)
{
    char text[40];
    double most = 0;
    size_t n = 0;
    bool counting = strcmp(stat->function, "count") == 0;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const char *value = hm_json_get_str(json_array_get(rows, i), stat->field, NULL);
        if (counting && (stat->field[0] == '\0' || value != NULL))
            n++;
        if (counting || value == NULL)
            continue;
        double number = strtod(value, NULL);
        if (strcmp(stat->function, "sum") == 0)
            most += number;
        else if (n == 0 || (strcmp(stat->function, "max") == 0) == (number > most))
            most = number;
        n++;
    }
    if (!counting && n == 0)
        return; /* Splunk leaves the field out */
    (void)snprintf(text, sizeof text, "%.15g", counting ? (double)n : most);
    hm_json_set_str(row, stat->as, text);
}

static json_t *run_stats(const char *at, const char *end, json_t *rows, struct hm_err *err)
{
    json_t *row = hm_json_obj_new();
    bool ok = true;
    while (at < end && ok) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma != NULL ? comma : end;
        struct stat stat = {NULL, NULL, NULL};
        ok = read_stat(at, stop, &stat);
        if (ok)
            add_stat(&stat, rows, row);
        free(stat.function);
        free(stat.field);
        free(stat.as);
        at = comma != NULL ? comma + 1 : end;
    }
    json_decref(rows);
    if (!ok) {
        json_decref(row);
        (void)hm_err_set(err, HM_EINVAL, "Error in 'stats' command: The argument is invalid.");
        return NULL;
    }
    json_t *out = hm_json_arr_new();
    hm_json_add(out, row);
    return out;
}

static json_t *run_head(const char *at, const char *end, json_t *rows, struct hm_err *err)
{
    bool open = false;
    int64_t most = 0;
    char *word = next_word(&at, end, &open);
    bool ok = word != NULL && hm_parse_i64(word, 1, 100000, &most);
    free(word);
    if (!ok) {
        json_decref(rows);
        (void)hm_err_set(err, HM_EINVAL, "Error in 'head' command: a number is expected.");
        return NULL;
    }
    while ((int64_t)json_array_size(rows) > most)
        (void)json_array_remove(rows, json_array_size(rows) - 1);
    return rows;
}

json_t *hm_spl_run_new(const char *query, const json_t *events, struct hm_err *err)
{
    static const struct {
        const char *name;
        json_t *(*run)(const char *at, const char *end, json_t *rows, struct hm_err *err);
    } commands[] = {{"search", run_search}, {"rex", run_rex}, {"stats", run_stats}, {"head", run_head}};
    json_t *rows = json_copy(hm_unconst(events));
    const char *at = query + strspn(query, " ");
    if (*at == '|')
        at++;
    while (rows != NULL && *at != '\0') {
        const char *end = part_end(at);
        bool open = false;
        char *command = next_word(&at, end, &open);
        size_t i = 0;
        while (i < HM_ARRAY_LEN(commands) && (command == NULL || strcasecmp(command, commands[i].name) != 0))
            i++;
        if (i < HM_ARRAY_LEN(commands)) {
            rows = commands[i].run(at, end, rows, err);
        } else {
            json_decref(rows);
            rows = NULL;
            (void)hm_err_set(err, HM_EINVAL, "Unknown search command '%s'.", command != NULL ? command : "");
        }
        free(command);
        at = *end == '|' ? end + 1 : end;
    }
    return rows;
}
