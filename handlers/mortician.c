/* Mortician's dead letters, in groups by their error: see mortician.h. The cookbook has a page and no API, so the three endpoints
 * (list, replay, discard) and the names of fields are configured (endpoint.h); without them the sentence names the page.
 *
 * Replaying and discarding are ONCE: a replay is a second delivery, and new letters of the same error may have come meanwhile.
 * After a lost answer the group is looked at: gone means done; while it is there, nobody can tell. */
#include "handlers/mortician.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "handlers/endpoint.h"
#include "handlers/redact.h"

enum { GROUPS_MAX = 200, SHOWN = 10, TEXT_MAX = 2000, ERROR_SHOWN = 200, NAME_LEN_MAX = 100, ID_LEN_MAX = 300 };

static const char by_hand[] = "https://backoffice.nubank.com.br/mortician-gui/";

/* Service, topic, prototype: letters, digits and . _ -. empty_ok: it may be left out. */
static bool is_name(const char *name, bool empty_ok)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t len = strlen(name);
    return len == 0 ? empty_ok : len <= NAME_LEN_MAX && strspn(name, allowed) == len;
}

/* service, topic, prototype and, when given, group and count. NULL with err set. */
static json_t *values_new(const json_t *args, struct hm_err *err)
{
    static const char *const names[] = {"service", "topic", "prototype"};
    json_t *values = hm_json_obj_new();
    for (size_t i = 0; i < HM_ARRAY_LEN(names); i++) {
        const char *value = hm_json_get_str(args, names[i], "");
        if (!is_name(value, i > 0)) {
            (void)hm_err_set(err, HM_EINVAL, "%s: \"%.60s\" is not a name of letters, digits, dots and dashes", names[i], value);
            json_decref(values);
            return NULL;
        }
        hm_json_set_str(values, names[i], value);
    }
    return values;
}

/* True when the answer says that its list goes on: a group that is not in it would be taken for gone. */
static bool has_more(const struct hm_backend *backend, const json_t *json)
{
    const char *at = hm_json_get_str(backend->settings, "more_at", "");
    const json_t *more = at[0] != '\0' ? hm_json_get_path(json, at) : NULL;
    bool is_none = more == NULL || json_is_null(more) || json_is_false(more) || hm_streq(json_string_value(more), "") ||
                   (json_is_integer(more) && json_integer_value(more) == 0);
    return !is_none;
}

/* --- mortician.groups --------------------------------------------------------------------------------------------------------
 */

static const struct hm_arg_spec groups_args[] = {
    {"service", HM_ARG_STRING, true, "the service that could not handle the messages, such as tapir"},
    {"topic", HM_ARG_STRING, false, "the topic, such as PARTITION-TO-SERVE"},
    {"prototype", HM_ARG_STRING, false, "the shard, such as global or s0"},
    {"group", HM_ARG_STRING, false, "only this group"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code groups_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                   struct hm_request *req, struct hm_err *err)
{
    static const struct hm_endpoint list = {.what = "list", .method = "GET", .by_hand = by_hand};
    (void)cursor;
    json_t *values = values_new(args, err);
    if (values == NULL)
        return err->code;
    enum hm_code code = hm_endpoint_request(backend, &list, values, req, err);
    json_decref(values);
    return code;
}

static const char *field(const struct hm_backend *backend, const char *setting, const char *usual)
{
    const char *name = hm_json_get_str(backend->settings, setting, "");
    return name[0] != '\0' ? name : usual;
}

/* "today" or "earlier": of which day, in UTC, is the moment, seen at the answer's own Date? NULL when that can not be told: it
 * has no time, none that can be read, or one that is yet to come. */
static const char *age_of(const struct hm_answer *answer, const char *moment)
{
    static const int64_t day_ms = INT64_C(86400000);
    int64_t at = 0, now = 0;
    char *date = hm_answer_header(answer, "Date");
    bool known = moment != NULL && date != NULL && hm_parse_time(moment, &at) && hm_parse_time(date, &now) && at >= 0 &&
                 at / day_ms <= now / day_ms;
    free(date);
    if (!known)
        return NULL;
    return at / day_ms == now / day_ms ? "today" : "earlier";
}

/* One group as recipes see it; NULL when it has no id, error or count. */
static json_t *group_new(const struct hm_backend *backend, const struct hm_answer *answer, const json_t *given)
{
    const json_t *id = json_object_get(given, field(backend, "id_field", "id"));
    const char *error = hm_json_get_str(given, field(backend, "error_field", "error"), NULL);
    int64_t count = hm_json_get_int(given, field(backend, "count_field", "count"), -1);
    const char *oldest = hm_json_get_str(given, field(backend, "oldest_field", "oldest"), NULL);
    const char *text = json_is_null(id) || id == NULL ? error : json_string_value(id); /* by their error, when they have no id */
    if (text == NULL || text[0] == '\0' || strlen(text) > ID_LEN_MAX || error == NULL || count < 0)
        return NULL;
    char *redacted = hm_redact(error);
    json_t *group = hm_json_obj_new();
    hm_json_set_str(group, "id", text);
    hm_json_set(group, "error", hm_json_strn_new(redacted, hm_utf8_prefix(redacted, ERROR_SHOWN)));
    hm_json_set_int(group, "count", count);
    hm_json_set_str(group, "oldest", oldest);
    hm_json_set_str(group, "age", age_of(answer, oldest));
    free(redacted);
    return group;
}

static enum hm_verdict read_groups(const struct hm_http_asked *asked, const json_t *args, const struct hm_answer *answer,
                                   const json_t *given, struct hm_outcome *out)
{
    const char *wanted = hm_json_get_str(args, "group", "");
    json_t *list = hm_json_arr_new();
    struct hm_strbuf text;
    int64_t total = 0;
    enum hm_verdict verdict = HM_VERDICT_OK;
    hm_strbuf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < json_array_size(given) && verdict == HM_VERDICT_OK; i++) {
        json_t *group = group_new(asked->backend, answer, json_array_get(given, i));
        int64_t count = hm_json_get_int(group, "count", 0);
        if (group == NULL || json_array_size(list) == GROUPS_MAX)
            verdict =
                hm_http_odd(asked, out, group == NULL ? "a group has no id, error or count" : "there are more than 200 groups");
        else if (count > 0 && (wanted[0] == '\0' || hm_streq(hm_json_get_str(group, "id", NULL), wanted))) {
            if (json_array_size(list) < SHOWN)
                hm_strbuf_addf(&text, "%s%lld × %s", text.len > 0 ? "\n" : "", (long long)count,
                               hm_json_get_str(group, "error", ""));
            total += count;
            hm_json_add(list, json_incref(group));
        }
        json_decref(group);
    }
    if (verdict == HM_VERDICT_OK) {
        json_t *first = json_array_get(list, 0);
        if (json_array_size(list) > SHOWN)
            hm_strbuf_addf(&text, "\n… and %zu more %s", json_array_size(list) - SHOWN,
                           hm_plural((int64_t)json_array_size(list) - SHOWN, "group", "groups"));
        out->result = hm_json_obj_new();
        hm_json_set_int(out->result, "count", (int64_t)json_array_size(list));
        hm_json_set_int(out->result, "total", total);
        hm_json_set(out->result, "first", first != NULL ? json_incref(first) : json_null());
        hm_json_set_str(out->result, "text", hm_strbuf_str(&text));
        hm_json_set(out->result, "list", json_incref(list));
    }
    hm_strbuf_done(&text);
    json_decref(list);
    return verdict;
}

static enum hm_verdict groups_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                       const struct hm_answer *answer, struct hm_outcome *out)
{
    const struct hm_http_asked asked = {.backend = backend, .system = "Mortician"};
    json_t *json = NULL;
    (void)cursor;
    enum hm_verdict verdict = hm_http_read_json(&asked, answer, &json, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    const json_t *given = hm_json_get_path(json, hm_json_get_str(backend->settings, "list_at", ""));
    if (has_more(backend, json))
        verdict = hm_outcome_fail(out, HM_VERDICT_PERMANENT,
                                  "Mortician has more groups than it shows at once, and a part of a list is not taken for the "
                                  "whole: raise the number in the setting list_path of backend %s",
                                  backend->name);
    else if (json_is_array(given))
        verdict = read_groups(&asked, args, answer, given, out);
    else
        verdict = hm_http_odd(&asked, out, "there is no list of groups where the setting list_at says");
    json_decref(json);
    return verdict;
}

static const struct hm_field_spec group_fields[] = {
    {"id", HM_FIELD_TEXT, true, "the group's id", NULL},
    {"error", HM_FIELD_TEXT, true, "its error, shortened", NULL},
    {"count", HM_FIELD_NUMBER, true, "its letters", NULL},
    {"oldest", HM_FIELD_TEXT, false, "when the oldest came", NULL},
    {"age", HM_FIELD_TEXT, false, "of the oldest: today or earlier, in UTC by Mortician's clock; null when that is not known",
     NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec groups_fields[] = {
    {"list", HM_FIELD_LIST, true, "the groups", group_fields},
    {"count", HM_FIELD_NUMBER, true, "how many groups", NULL},
    {"total", HM_FIELD_NUMBER, true, "letters of all of them", NULL},
    {"first", HM_FIELD_OBJECT, false, "the list's first", group_fields},
    {"text", HM_FIELD_TEXT, true, "the first ten, one a line", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_action groups = {
    .name = "mortician.groups",
    .title = "List the dead letters by their error",
    .doc = "By the backend's list_path; without one it is refused with the address of the page. Groups without letters are left "
           "out.",
    .effect = HM_EFFECT_READ,
    .args = groups_args,
    .result = groups_fields,
    .request = groups_request,
    .response = groups_response,
};

/* --- mortician.replay, mortician.discard --------------------------------------------------------------------------------------
 */

static const struct hm_arg_spec letters_args[] = {
    {"service", HM_ARG_STRING, true, "the service"},
    {"topic", HM_ARG_STRING, false, "the topic"},
    {"prototype", HM_ARG_STRING, false, "the shard"},
    {"group", HM_ARG_STRING, true, "the group's id; never empty"},
    {"count", HM_ARG_INT, true, "how many letters were seen in it"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code letters_request(const struct hm_backend *backend, const char *what, const json_t *args,
                                    struct hm_request *req, struct hm_err *err)
{
    const struct hm_endpoint endpoint = {.what = what, .method = "POST", .by_hand = by_hand};
    const char *group = hm_json_get_str(args, "group", "");
    json_t *values = values_new(args, err);
    if (values == NULL)
        return err->code;
    if (group[0] == '\0' || strlen(group) > ID_LEN_MAX) { /* without one it could mean all of them */
        json_decref(values);
        return hm_err_set(err, HM_EINVAL, "group: 1 to %d bytes", (int)ID_LEN_MAX);
    }
    hm_json_set_str(values, "group", group);
    hm_json_set_int(values, "count", hm_json_get_int(args, "count", 0));
    enum hm_code code = hm_endpoint_request(backend, &endpoint, values, req, err);
    json_decref(values);
    return code;
}

static enum hm_code replay_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                   struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    return letters_request(backend, "replay", args, req, err);
}

static enum hm_code discard_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                    struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    return letters_request(backend, "discard", args, req, err);
}

static enum hm_verdict letters_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                        const struct hm_answer *answer, struct hm_outcome *out)
{
    const struct hm_http_asked asked = {.backend = backend, .system = "Mortician", .thing = "such group", .write = true};
    (void)cursor;
    enum hm_verdict verdict = hm_http_judge(&asked, answer, out);
    if (verdict == HM_VERDICT_OK) {
        out->result = hm_json_obj_new();
        hm_json_set_str(out->result, "group", hm_json_get_str(args, "group", ""));
        hm_json_set_int(out->result, "status", answer->status);
    }
    return verdict;
}

static enum hm_code letters_probe_args(const json_t *args, const json_t *context, json_t **ret_args, struct hm_err *err)
{
    static const char *const names[] = {"service", "topic", "prototype", "group"};
    (void)context;
    (void)err;
    *ret_args = hm_json_obj_new();
    for (size_t i = 0; i < HM_ARRAY_LEN(names); i++)
        if (hm_json_get_str(args, names[i], "")[0] != '\0')
            hm_json_set_str(*ret_args, names[i], hm_json_get_str(args, names[i], ""));
    return HM_OK;
}

static enum hm_probe_says letters_probe_judge(const json_t *args, enum hm_verdict verdict, const json_t *result)
{
    (void)args;
    if (verdict != HM_VERDICT_OK)
        return HM_PROBE_CANNOT_TELL;
    /* While it has letters it may be at work, or new ones have come. */
    return hm_json_get_int(result, "count", -1) == 0 ? HM_PROBE_APPLIED : HM_PROBE_NOT_YET;
}

static const struct hm_field_spec replay_fields[] = {
    {"group", HM_FIELD_TEXT, true, "the group's id", NULL},
    {"status", HM_FIELD_NUMBER, true, "the HTTP status", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_action replay = {
    .name = "mortician.replay",
    .title = "Replay a group of dead letters",
    .doc = "Each message is delivered a second time. By the backend's replay_path. If the answer is lost, the group is looked "
           "at; while it has letters, a person must say.",
    .effect = HM_EFFECT_ONCE,
    .args = letters_args,
    .result = replay_fields,
    .request = replay_request,
    .response = letters_response,
    .probe_action = "mortician.groups",
    .probe_args = letters_probe_args,
    .probe_judge = letters_probe_judge,
};

static const struct hm_action discard = {
    .name = "mortician.discard",
    .title = "Discard a group of dead letters",
    .doc = "Final: the messages are gone. By the backend's discard_path. If the answer is lost, the group is looked at; while it "
           "has letters, a person must say.",
    .effect = HM_EFFECT_ONCE,
    .args = letters_args,
    .result = replay_fields,
    .request = discard_request,
    .response = letters_response,
    .probe_action = "mortician.groups",
    .probe_args = letters_probe_args,
    .probe_judge = letters_probe_judge,
};

static const struct hm_action *const actions[] = {&groups, &replay, &discard, NULL};

/* list_, replay_, discard_ path, method, body: the requests, with {service} {topic} {prototype}, and {group} {count} in the last
 * two. list_at: where the groups are in the answer; more_at: where it says that there are more (a token, a link, true, a number).
 * …_field: what their id, error, count and oldest are called. page: for people. */
static const char *const settings[] = {"list_path",     "list_method", "list_body",    "list_at",        "more_at",
                                       "id_field",      "error_field", "count_field",  "oldest_field",   "replay_path",
                                       "replay_method", "replay_body", "discard_path", "discard_method", "discard_body",
                                       "page",          NULL};

const struct hm_handler hm_mortician_handler = {
    .name = "mortician",
    .title = "Mortician: the dead letters",
    .actions = actions,
    .settings = settings,
};
