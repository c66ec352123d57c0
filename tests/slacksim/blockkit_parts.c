/* The parts that blocks and elements are made of, and the bookkeeping of a check. */
#include <stdarg.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "blockkit_check.h"

enum { ERRORS_MAX = 20, DEPTH_MAX = 12 };

void sim_bk_complain(struct sim_bk_check *c, const char *fmt, ...)
{
    struct hm_strbuf text;
    va_list ap;

    if (json_array_size(c->errors) >= ERRORS_MAX) {
        return;
    }
    hm_strbuf_init(&text, 1024);
    va_start(ap, fmt);
    hm_strbuf_addv(&text, fmt, ap);
    va_end(ap);
    hm_strbuf_addf(&text, " [json-pointer:%s]", hm_strbuf_str(&c->at));
    hm_json_add(c->errors, hm_json_str_new(hm_strbuf_str(&text)));
    hm_strbuf_done(&text);
}

/* Goes down one level; the return value goes to sim_bk_up(). */
size_t sim_bk_down(struct sim_bk_check *c, const char *key)
{
    size_t len = c->at.len;

    hm_strbuf_addf(&c->at, "/%s", key);
    return len;
}

size_t sim_bk_down_at(struct sim_bk_check *c, size_t index)
{
    size_t len = c->at.len;

    hm_strbuf_addf(&c->at, "/%zu", index);
    return len;
}

void sim_bk_up(struct sim_bk_check *c, size_t len)
{
    c->at.len = len;
    if (c->at.s != NULL) {
        c->at.s[len] = '\0';
    }
}

bool sim_bk_word_in(const char *words, const char *word)
{
    size_t len = strlen(word);
    const char *at = words;

    while (len > 0 && at != NULL && *at != '\0') {
        size_t n = strcspn(at, " ");

        if (n == len && strncmp(at, word, n) == 0) {
            return true;
        }
        at += n + (at[n] == ' ' ? 1 : 0);
    }
    return false;
}

static void check_length(struct sim_bk_check *c, const char *s, long min, long max)
{
    long n = (long)hm_utf8_count(s);

    if (n < min) {
        sim_bk_complain(c, "must be more than %ld characters", min - 1);
    } else if (n > max) {
        sim_bk_complain(c, "must be less than %ld characters", max + 1);
    }
}

void sim_bk_check_string(struct sim_bk_check *c, json_t *value, long min, long max)
{
    if (!json_is_string(value)) {
        sim_bk_complain(c, "must provide a string");
    } else {
        check_length(c, json_string_value(value), min, max);
    }
}

void sim_bk_check_keys(struct sim_bk_check *c, json_t *obj, const char *allowed)
{
    const char *key = NULL;
    json_t *value = NULL;

    json_object_foreach(obj, key, value)
    {
        if (!sim_bk_word_in(allowed, key)) {
            sim_bk_complain(c, "invalid additional property: %s", key);
        }
    }
}

void sim_bk_check_text(struct sim_bk_check *c, json_t *value, bool mrkdwn_too, long max)
{
    const char *type = hm_json_get_str(value, "type", "");
    size_t here = 0;

    if (!json_is_object(value)) {
        sim_bk_complain(c, "must provide an object");
        return;
    }
    if (strcmp(type, "plain_text") != 0 && !(mrkdwn_too && strcmp(type, "mrkdwn") == 0)) {
        here = sim_bk_down(c, "type");
        sim_bk_complain(c, "must be one of %s", mrkdwn_too ? "plain_text, mrkdwn" : "plain_text");
        sim_bk_up(c, here);
        return;
    }
    sim_bk_check_keys(c, value, strcmp(type, "mrkdwn") == 0 ? "type text verbatim" : "type text emoji");
    here = sim_bk_down(c, "text");
    sim_bk_check_string(c, json_object_get(value, "text"), 1, max);
    sim_bk_up(c, here);
}

static void check_option(struct sim_bk_check *c, json_t *option)
{
    size_t here = 0;

    if (!json_is_object(option)) {
        sim_bk_complain(c, "must provide an object");
        return;
    }
    sim_bk_check_keys(c, option, "text value description url");
    here = sim_bk_down(c, "text");
    sim_bk_check_text(c, json_object_get(option, "text"), true, 75);
    sim_bk_up(c, here);
    here = sim_bk_down(c, "value");
    sim_bk_check_string(c, json_object_get(option, "value"), 1, 150);
    sim_bk_up(c, here);
    if (json_object_get(option, "description") != NULL) {
        here = sim_bk_down(c, "description");
        sim_bk_check_text(c, json_object_get(option, "description"), true, 75);
        sim_bk_up(c, here);
    }
}

bool sim_bk_check_array(struct sim_bk_check *c, json_t *value, long min, long max)
{
    if (!json_is_array(value)) {
        sim_bk_complain(c, "must provide an array");
        return false;
    }
    if ((long)json_array_size(value) < min) {
        sim_bk_complain(c, "no fewer than %ld items allowed", min);
    } else if ((long)json_array_size(value) > max) {
        sim_bk_complain(c, "no more than %ld items allowed", max);
        return false;
    }
    return true;
}

void sim_bk_check_options(struct sim_bk_check *c, json_t *options, long min, long max)
{
    json_t *one = NULL;
    size_t i = 0;

    if (!sim_bk_check_array(c, options, min, max)) {
        return;
    }
    json_array_foreach(options, i, one)
    {
        size_t here = sim_bk_down_at(c, i);

        check_option(c, one);
        sim_bk_up(c, here);
    }
}

void sim_bk_check_groups(struct sim_bk_check *c, json_t *groups, long max)
{
    json_t *one = NULL;
    size_t i = 0;

    if (!sim_bk_check_array(c, groups, 1, max)) {
        return;
    }
    json_array_foreach(groups, i, one)
    {
        size_t here = sim_bk_down_at(c, i);
        size_t deeper = sim_bk_down(c, "label");

        sim_bk_check_text(c, json_object_get(one, "label"), false, 75);
        sim_bk_up(c, deeper);
        (void)sim_bk_down(c, "options");
        sim_bk_check_options(c, json_object_get(one, "options"), 1, 100);
        sim_bk_up(c, here);
    }
}

void sim_bk_check_confirm(struct sim_bk_check *c, json_t *confirm)
{
    static const struct {
        const char *key;
        bool mrkdwn;
        long max;
        bool required;
    } parts[] = {
        {"title", false, 100, true}, {"text", true, 300, true}, {"confirm", false, 30, false}, {"deny", false, 30, false}};
    size_t i = 0;

    if (!json_is_object(confirm)) {
        sim_bk_complain(c, "must provide an object");
        return;
    }
    sim_bk_check_keys(c, confirm, "title text confirm deny style");
    for (i = 0; i < HM_ARRAY_LEN(parts); i++) {
        size_t here = sim_bk_down(c, parts[i].key);

        if (json_object_get(confirm, parts[i].key) != NULL || parts[i].required) {
            sim_bk_check_text(c, json_object_get(confirm, parts[i].key), parts[i].mrkdwn, parts[i].max);
        }
        sim_bk_up(c, here);
    }
    if (json_object_get(confirm, "style") != NULL && !sim_bk_word_in("primary danger", hm_json_get_str(confirm, "style", ""))) {
        sim_bk_complain(c, "style must be one of primary, danger");
    }
}

/* The initial option must be one of the options. */
void sim_bk_check_initial(struct sim_bk_check *c, json_t *element, json_t *initial)
{
    const char *value = hm_json_get_str(initial, "value", NULL);
    json_t *group = NULL;
    json_t *one = NULL;
    size_t i = 0;
    size_t j = 0;

    check_option(c, initial);
    json_array_foreach(hm_json_get_arr(element, "options"), i, one)
    {
        if (hm_streq(hm_json_get_str(one, "value", NULL), value)) {
            return;
        }
    }
    json_array_foreach(hm_json_get_arr(element, "option_groups"), i, group)
    {
        json_array_foreach(hm_json_get_arr(group, "options"), j, one)
        {
            if (hm_streq(hm_json_get_str(one, "value", NULL), value)) {
                return;
            }
        }
    }
    sim_bk_complain(c, "must be one of the provided options");
}

bool sim_bk_shape_ok(const char *s, const char *shape)
{
    size_t i = 0;

    for (i = 0; shape[i] != '\0'; i++) {
        if (shape[i] == '0' ? (s[i] < '0' || s[i] > '9') : s[i] != shape[i]) {
            return false;
        }
    }
    return s[i] == '\0';
}

/* --- rich text and tables --------------------------------------------------------------------------------------------------- */
static void check_rich_leaf(struct sim_bk_check *c, json_t *leaf)
{
    static const struct {
        const char *type, *field;
    } leaves[] = {{"text", "text"},          {"link", "url"},    {"user", "user_id"},   {"usergroup", "usergroup_id"},
                  {"channel", "channel_id"}, {"emoji", "name"},  {"date", "timestamp"}, {"broadcast", "range"},
                  {"color", "value"},        {"team", "team_id"}};
    const char *type = hm_json_get_str(leaf, "type", "");
    size_t i = 0;

    for (i = 0; i < HM_ARRAY_LEN(leaves); i++) {
        if (strcmp(leaves[i].type, type) != 0) {
            continue;
        }
        if (json_object_get(leaf, leaves[i].field) == NULL) {
            sim_bk_complain(c, "missing required field: %s", leaves[i].field);
        } else if (strcmp(type, "text") == 0 && hm_json_get_str(leaf, "text", "")[0] == '\0') {
            sim_bk_complain(c, "must be more than 0 characters");
        }
        return;
    }
    sim_bk_complain(c, "unsupported type: %s", type);
}

static void check_rich_parts(struct sim_bk_check *c, json_t *parts, bool leaves)
{
    json_t *one = NULL;
    size_t i = 0;
    size_t list = sim_bk_down(c, "elements");

    if (!json_is_array(parts)) {
        sim_bk_complain(c, "must provide an array");
    }
    json_array_foreach(parts, i, one)
    {
        size_t here = sim_bk_down_at(c, i);

        if (leaves) {
            check_rich_leaf(c, one);
        } else {
            sim_bk_check_rich_part(c, one);
        }
        sim_bk_up(c, here);
    }
    sim_bk_up(c, list);
}

void sim_bk_check_rich_part(struct sim_bk_check *c, json_t *part)
{
    const char *type = hm_json_get_str(part, "type", "");

    if (++c->depth > DEPTH_MAX) {
        sim_bk_complain(c, "nested too deeply");
    } else if (sim_bk_word_in("rich_text_section rich_text_preformatted rich_text_quote", type)) {
        check_rich_parts(c, json_object_get(part, "elements"), true);
    } else if (strcmp(type, "rich_text_list") == 0) {
        if (!sim_bk_word_in("bullet ordered", hm_json_get_str(part, "style", ""))) {
            sim_bk_complain(c, "missing required field: style");
        }
        check_rich_parts(c, json_object_get(part, "elements"), false);
    } else {
        sim_bk_complain(c, "unsupported type: %s", type);
    }
    c->depth--;
}

static void check_cell(struct sim_bk_check *c, json_t *cell)
{
    const char *type = hm_json_get_str(cell, "type", "");

    if (strcmp(type, "raw_text") == 0) {
        if (!json_is_string(json_object_get(cell, "text"))) {
            sim_bk_complain(c, "missing required field: text");
        }
    } else if (strcmp(type, "rich_text") == 0) {
        json_t *one = NULL;
        size_t i = 0;

        json_array_foreach(hm_json_get_arr(cell, "elements"), i, one)
        {
            sim_bk_check_rich_part(c, one);
        }
    } else if (strcmp(type, "raw_number") != 0) {
        sim_bk_complain(c, "unsupported type: %s", type);
    }
}

void sim_bk_check_table(struct sim_bk_check *c, json_t *rows, long min, long max)
{
    json_t *row = NULL;
    json_t *cell = NULL;
    size_t i = 0;
    size_t j = 0;

    if (++c->tables > 1) {
        sim_bk_complain(c, "only one table allowed");
    }
    if (!sim_bk_check_array(c, rows, min, max)) {
        return;
    }
    json_array_foreach(rows, i, row)
    {
        size_t here = sim_bk_down_at(c, i);

        if (sim_bk_check_array(c, row, 1, 20)) {
            json_array_foreach(row, j, cell)
            {
                size_t deeper = sim_bk_down_at(c, j);

                check_cell(c, cell);
                sim_bk_up(c, deeper);
            }
        }
        sim_bk_up(c, here);
    }
}
