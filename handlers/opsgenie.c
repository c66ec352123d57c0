/* OpsGenie: calling somebody, and seeing whether they heard.
 *
 * An alert's alias is its key: a second request with the same alias does not make a second alert while the first is open, it only
 * counts up. So it is HM_EFFECT_IDEMPOTENT. Its 202 only means that it is in the queue; whether it became an alert is read by its
 * alias. The base URL is the backend's: https://api.opsgenie.com, https://api.eu.opsgenie.com, or
 * https://api.atlassian.com/jsm/ops/integration. */
#include "handlers/opsgenie.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/http_request.h"

enum { MESSAGE_MAX = 130, DESCRIPTION_MAX = 15000, ALIAS_MAX = 512, TEAM_MAX = 100 };

static enum hm_code check_alias(const json_t *args, struct hm_err *err)
{
    const char *alias = hm_json_get_str(args, "alias", "");
    size_t len = strlen(alias);
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/:";
    if (len > 0 && len <= ALIAS_MAX && alias[strspn(alias, allowed)] == '\0')
        return HM_OK;
    return hm_err_set(err, HM_EINVAL, "alias: \"%.60s\" must be one word of letters, digits and . _ - / :", alias);
}

static const struct hm_arg_spec alias_args[] = {
    {"alias", HM_ARG_STRING, true, "the alert's key"},
    {NULL, HM_ARG_STRING, false, NULL},
};

/* --- opsgenie.get ------------------------------------------------------------------------------------------------------------
 */

static enum hm_code get_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    enum hm_code code = check_alias(args, err);
    if (code != HM_OK)
        return code;
    char *alias = hm_url_encode(hm_json_get_str(args, "alias", ""));
    hm_request_begin(req, backend, "GET", "/v2/alerts/%s?identifierType=alias", alias);
    hm_request_add_header(req, "Accept", "application/json");
    free(alias);
    return HM_OK;
}

static enum hm_verdict get_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                    const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *json = NULL;
    (void)cursor;
    char *thing = hm_xasprintf("alert with the alias %s", hm_json_get_str(args, "alias", ""));
    const struct hm_http_asked asked = {.backend = backend, .system = "OpsGenie", .thing = thing};
    enum hm_verdict verdict = hm_http_read_json(&asked, answer, &json, out);
    const json_t *data = hm_json_get_obj(json, "data");
    if (verdict == HM_VERDICT_OK && !hm_streq(hm_json_get_str(data, "alias", NULL), hm_json_get_str(args, "alias", "")))
        verdict = hm_http_odd(&asked, out, "it is not that alert");
    free(thing);
    if (verdict == HM_VERDICT_OK) {
        out->result = hm_json_obj_new();
        hm_json_set_str(out->result, "alias", hm_json_get_str(data, "alias", ""));
        hm_json_set_str(out->result, "status", hm_json_get_str(data, "status", ""));
        hm_json_set_bool(out->result, "acknowledged", hm_json_get_bool(data, "acknowledged", false));
        hm_json_set_str(out->result, "owner", hm_json_get_str(data, "owner", ""));
        hm_json_set_str(out->result, "id", hm_json_get_str(data, "tinyId", hm_json_get_str(data, "id", "")));
        hm_json_set_int(out->result, "count", hm_json_get_int(data, "count", 1));
    }
    json_decref(json);
    return verdict;
}

static const struct hm_field_spec get_fields[] = {
    {"alias", HM_FIELD_TEXT, true, "the alias", NULL},
    {"status", HM_FIELD_TEXT, true, "open or closed", NULL},
    {"acknowledged", HM_FIELD_BOOL, true, "whether somebody took it", NULL},
    {"owner", HM_FIELD_TEXT, true, "who; empty when nobody did", NULL},
    {"id", HM_FIELD_TEXT, true, "its number", NULL},
    {"count", HM_FIELD_NUMBER, true, "how often it was raised", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_action get_action = {
    .name = "opsgenie.get",
    .title = "See how an alert stands",
    .doc = "Not found while it is still in the queue.",
    .effect = HM_EFFECT_READ,
    .args = alias_args,
    .result = get_fields,
    .request = get_request,
    .response = get_response,
};

/* --- opsgenie.alert -----------------------------------------------------------------------------------------------------------
 */

static const struct hm_arg_spec alert_args[] = {
    {"alias", HM_ARG_STRING, true, "the alert's key: the same one makes no second alert"},
    {"message", HM_ARG_STRING, true, "one line of at most 130 characters"},
    {"description", HM_ARG_STRING, false, "more lines"},
    {"team", HM_ARG_STRING, true, "whom to call"},
    {"priority", HM_ARG_STRING, false, "P1 to P5; P3 when not given"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code alert_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                  struct hm_request *req, struct hm_err *err)
{
    const char *message = hm_json_get_str(args, "message", ""), *team = hm_json_get_str(args, "team", "");
    const char *description = hm_json_get_str(args, "description", ""), *priority = hm_json_get_str(args, "priority", "");
    (void)cursor;
    enum hm_code code = check_alias(args, err);
    if (code != HM_OK)
        return code;
    if (priority[0] == '\0')
        priority = "P3";
    if (message[0] == '\0' || strpbrk(message, "\r\n") != NULL || hm_utf8_count(message) > MESSAGE_MAX)
        return hm_err_set(err, HM_EINVAL, "message: it must be one line of at most %d characters", (int)MESSAGE_MAX);
    if (hm_utf8_count(description) > DESCRIPTION_MAX)
        return hm_err_set(err, HM_EINVAL, "description: it has more than %d characters", (int)DESCRIPTION_MAX);
    if (team[0] == '\0' || strlen(team) > TEAM_MAX)
        return hm_err_set(err, HM_EINVAL, "team: it must be a team's name of at most %d bytes", (int)TEAM_MAX);
    if (strlen(priority) != 2 || priority[0] != 'P' || priority[1] < '1' || priority[1] > '5')
        return hm_err_set(err, HM_EINVAL, "priority: \"%.10s\" is none of P1 to P5", priority);
    json_t *body = hm_json_obj_new(), *responders = hm_json_arr_new(), *responder = hm_json_obj_new();
    hm_json_set_str(responder, "type", "team");
    hm_json_set_str(responder, "name", team);
    hm_json_add(responders, responder);
    hm_json_set_str(body, "message", message);
    hm_json_set_str(body, "alias", hm_json_get_str(args, "alias", ""));
    if (description[0] != '\0')
        hm_json_set_str(body, "description", description);
    hm_json_set(body, "responders", responders);
    hm_json_set_str(body, "priority", priority);
    hm_json_set_str(body, "source", "hausmeister");
    hm_request_begin(req, backend, "POST", "/v2/alerts");
    hm_request_add_header(req, "Accept", "application/json");
    hm_request_set_json(req, body);
    return HM_OK;
}

static enum hm_verdict queued(const struct hm_backend *backend, const char *thing, const json_t *args,
                              const struct hm_answer *answer, struct hm_outcome *out)
{
    const struct hm_http_asked asked = {.backend = backend, .system = "OpsGenie", .thing = thing, .write = true};
    json_t *json = NULL;
    enum hm_verdict verdict = hm_http_read_json(&asked, answer, &json, out);
    if (verdict == HM_VERDICT_OK) {
        out->result = hm_json_obj_new();
        hm_json_set_str(out->result, "alias", hm_json_get_str(args, "alias", ""));
        hm_json_set_str(out->result, "request", hm_json_get_str(json, "requestId", ""));
    }
    json_decref(json);
    return verdict;
}

static enum hm_verdict alert_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                      const struct hm_answer *answer, struct hm_outcome *out)
{
    (void)cursor;
    return queued(backend, NULL, args, answer, out);
}

static enum hm_code alias_probe_args(const json_t *args, const json_t *context, json_t **ret_args, struct hm_err *err)
{
    (void)context;
    (void)err;
    *ret_args = hm_json_obj_new();
    hm_json_set_str(*ret_args, "alias", hm_json_get_str(args, "alias", ""));
    return HM_OK;
}

/* An open alert of this alias is what was wanted, whoever made it. */
static enum hm_probe_says alert_probe_judge(const json_t *args, enum hm_verdict verdict, const json_t *result)
{
    (void)args;
    if (verdict == HM_VERDICT_OK)
        return hm_streq(hm_json_get_str(result, "status", ""), "open") ? HM_PROBE_APPLIED : HM_PROBE_NOT_APPLIED;
    return verdict == HM_VERDICT_NOT_FOUND ? HM_PROBE_NOT_APPLIED : HM_PROBE_CANNOT_TELL;
}

static const struct hm_field_spec alert_fields[] = {
    {"alias", HM_FIELD_TEXT, true, "the alias", NULL},
    {"request", HM_FIELD_TEXT, true, "the id of the request", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_action alert_action = {
    .name = "opsgenie.alert",
    .title = "Call a team",
    .doc = "It is in the queue then; opsgenie.get tells when it is an alert, and whether somebody took it.",
    .effect = HM_EFFECT_IDEMPOTENT,
    .args = alert_args,
    .result = alert_fields,
    .request = alert_request,
    .response = alert_response,
    .probe_action = "opsgenie.get",
    .probe_args = alias_probe_args,
    .probe_judge = alert_probe_judge,
};

/* --- opsgenie.close -----------------------------------------------------------------------------------------------------------
 */

static enum hm_code close_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                  struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    enum hm_code code = check_alias(args, err);
    if (code != HM_OK)
        return code;
    json_t *body = hm_json_obj_new();
    char *alias = hm_url_encode(hm_json_get_str(args, "alias", ""));
    hm_json_set_str(body, "source", "hausmeister");
    hm_request_begin(req, backend, "POST", "/v2/alerts/%s/close?identifierType=alias", alias);
    hm_request_add_header(req, "Accept", "application/json");
    hm_request_set_json(req, body);
    free(alias);
    return HM_OK;
}

static enum hm_verdict close_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                      const struct hm_answer *answer, struct hm_outcome *out)
{
    (void)cursor;
    char *thing = hm_xasprintf("alert with the alias %s", hm_json_get_str(args, "alias", ""));
    enum hm_verdict verdict = queued(backend, thing, args, answer, out);
    free(thing);
    return verdict;
}

static enum hm_probe_says close_probe_judge(const json_t *args, enum hm_verdict verdict, const json_t *result)
{
    (void)args;
    if (verdict != HM_VERDICT_OK)
        return HM_PROBE_CANNOT_TELL;
    return hm_streq(hm_json_get_str(result, "status", ""), "closed") ? HM_PROBE_APPLIED : HM_PROBE_NOT_APPLIED;
}

static const struct hm_action close_action = {
    .name = "opsgenie.close",
    .title = "Close an alert",
    .doc = "It is in the queue then.",
    .effect = HM_EFFECT_IDEMPOTENT,
    .args = alias_args,
    .result = alert_fields,
    .request = close_request,
    .response = close_response,
    .probe_action = "opsgenie.get",
    .probe_args = alias_probe_args,
    .probe_judge = close_probe_judge,
};

static const struct hm_action *const actions[] = {&get_action, &alert_action, &close_action, NULL};
static const char *const settings[] = {NULL};

const struct hm_handler hm_opsgenie_handler = {
    .name = "opsgenie",
    .title = "OpsGenie: alerts",
    .actions = actions,
    .settings = settings,
};
