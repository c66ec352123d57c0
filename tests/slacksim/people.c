/* The frame of all deeds: who, waiting for the ack, and what the person sees when the app did not answer. */
#include "people.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "blockkit.h"
#include "hooks.h"
#include "modal.h"
#include "payload.h"
#include "post.h"
#include "socket.h"
#include "waits.h"

struct pending {
    struct sim *sim;
    enum sim_act act;
    char *user, *channel, *view_id, *text;
    struct sim_req *req; /* waiting for the ack, or NULL */
    json_t *reply;       /* what it will be told */
};

void sim_do_ok(struct sim_do *d, json_t *stolen_reply)
{
    json_t *out = hm_json_obj_new();

    hm_json_set_bool(out, "ok", true);
    if (stolen_reply != NULL) {
        (void)json_object_update(out, stolen_reply);
        json_decref(stolen_reply);
    }
    sim_touch(d->sim);
    sim_http_reply_json(d->req, 200, NULL, out);
}

void sim_do_fail(struct sim_do *d, const char *error, const char *fmt, ...)
{
    char detail[512];
    va_list ap;
    json_t *out = hm_json_obj_new();

    va_start(ap, fmt);
    (void)vsnprintf(detail, sizeof(detail), fmt, ap);
    va_end(ap);
    hm_json_set_bool(out, "ok", false);
    hm_json_set_str(out, "error", error);
    hm_json_set_str(out, "detail", detail);
    sim_http_reply_json(d->req, 200, NULL, out);
}

struct sim_channel *sim_do_channel(struct sim_do *d)
{
    const char *id = hm_json_get_str(d->body, "channel", NULL);
    struct sim_channel *c = sim_state_channel(d->sim->state, id);

    if (c == NULL) {
        sim_do_fail(d, "no_such_channel", "channel %s", id != NULL ? id : "(none given)");
    } else if (!sim_channel_has(c, d->user)) {
        sim_do_fail(d, "user_not_in_channel", "%s is not in %s", d->user, c->id);
        c = NULL;
    }
    return c;
}

struct sim_msg *sim_do_message(struct sim_do *d, struct sim_channel *c)
{
    const char *ts = hm_json_get_str(d->body, "ts", NULL);
    struct sim_msg *m = sim_channel_find(c, ts);

    if (m == NULL) {
        sim_do_fail(d, "no_such_message", "%s in %s", ts != NULL ? ts : "(no ts given)", c->id);
    } else if (!sim_msg_seen_by(m, d->user)) {
        sim_do_fail(d, "not_visible", "only %s sees that message", m->only_user);
        m = NULL;
    }
    return m;
}

/* --- what acks do
 * ------------------------------------------------------------------------------------------------------------------- */
static void slash_failed(struct pending *p, const char *error)
{
    struct sim_channel *c = sim_state_channel(p->sim->state, p->channel);
    char *text = hm_xasprintf("`%.*s` failed with the error \"%s\"", (int)strcspn(p->text, " "), p->text, error);

    if (c != NULL) {
        sim_post_slackbot(p->sim, c, p->user, text);
    }
    free(text);
}

static void slash_answered(struct pending *p, json_t *payload)
{
    struct sim_channel *c = sim_state_channel(p->sim->state, p->channel);
    json_t *errors = NULL;
    const char *error = NULL;

    if (c == NULL || json_object_size(payload) == 0) {
        return;
    }
    if (hm_streq(hm_json_get_str(payload, "response_type", NULL), "in_channel")) {
        json_t *typed = hm_json_obj_new();

        hm_json_set_str(typed, "user", p->user);
        hm_json_set_str(typed, "text", p->text);
        (void)sim_post(p->sim, c, typed, NULL);
    }
    error = sim_respond(p->sim, c, p->user, NULL, payload, &errors);
    if (error != NULL) {
        sim_log_violation(p->sim->log, "ack", "slash command answered with a bad message: %s %s", error,
                          json_array_size(errors) > 0 ? json_string_value(json_array_get(errors, 0)) : "");
        slash_failed(p, "invalid_response");
    }
    json_decref(errors);
}

/* response_action update or push. */
static const char *show_view(struct pending *p, struct sim_view *view, json_t *given, bool push)
{
    json_t *errors = NULL;
    const char *error = sim_view_check(p->sim, given, &errors);

    if (error != NULL) {
        sim_log_violation(p->sim->log, "ack", "view in response_action: %s %s", error,
                          json_array_size(errors) > 0 ? json_string_value(json_array_get(errors, 0)) : "");
        json_decref(errors);
        return error;
    }
    if (!push) {
        sim_view_replace(view, sim_view_public_new(p->sim, given, view->id, hm_json_get_str(view->json, "root_view_id", NULL),
                                                   hm_json_get_str(view->json, "previous_view_id", NULL)));
    } else if (sim_views_depth(p->sim->views, p->user) >= SIM_VIEW_STACK_MAX) {
        return "push_limit_reached";
    } else {
        (void)sim_views_push(
            p->sim->views, p->user,
            sim_view_public_new(p->sim, given, NULL, hm_json_get_str(view->json, "root_view_id", NULL), view->id));
    }
    return NULL;
}

static void submit_answered(struct pending *p, const json_t *payload)
{
    struct sim_view *view = sim_views_find(p->sim->views, p->view_id);
    const char *action = hm_json_get_str(payload, "response_action", NULL);
    json_t *given = hm_json_get_obj(payload, "view");
    json_t *errors = hm_json_get_obj(payload, "errors");

    if (view == NULL) {
        return;
    }
    view->waiting = false;
    if (action == NULL) {
        sim_views_close(p->sim->views, view);
    } else if (strcmp(action, "clear") == 0) {
        sim_views_clear(p->sim->views, p->user);
    } else if (strcmp(action, "errors") == 0 && json_object_size(errors) > 0) {
        sim_view_set_error(view, NULL, json_deep_copy(errors));
    } else if (given != NULL && (strcmp(action, "update") == 0 || strcmp(action, "push") == 0)) {
        if (show_view(p, view, given, strcmp(action, "push") == 0) != NULL) {
            sim_view_set_error(view, "We had some trouble connecting. Try again?", NULL);
        }
    } else {
        sim_log_violation(p->sim->log, "ack", "response_action %s without what it needs", action);
        sim_view_set_error(view, "We had some trouble connecting. Try again?", NULL);
    }
}

static const char *failure(struct pending *p, enum sim_result result)
{
    const char *error = result == SIM_NO_CONNECTION ? "dispatch_failed" : "operation_timeout";
    struct sim_view *view = sim_views_find(p->sim->views, p->view_id);

    if (p->act == SIM_ACT_SLASH) {
        sim_log_counts(p->sim->log)->dispatch_failed += result == SIM_NO_CONNECTION ? 1 : 0;
        slash_failed(p, error);
        return error;
    }
    if (p->act == SIM_ACT_SUBMIT && view != NULL) {
        view->waiting = false;
        sim_view_set_error(view, "We had some trouble connecting. Try again?", NULL);
    }
    if (p->act != SIM_ACT_SUGGEST) /* the select itself says so */
        sim_waits_toast(p->sim, p->user, "That did not work: the app did not answer. Try again?");
    return "trouble_connecting";
}

/* What the select shows instead of the options, or NULL. */
static const char *suggest_answered(struct pending *p, json_t *payload)
{
    json_t *errors = hm_json_arr_new();
    bool ok = sim_blockkit_check_answer(payload, errors);

    if (!ok && payload != NULL) {
        sim_log_violation(p->sim->log, "ack", "options that Slack would not show: %s",
                          json_string_value(json_array_get(errors, 0)));
    }
    if (ok && p->reply != NULL) {
        (void)json_object_update(p->reply, payload);
    }
    json_decref(errors);
    return ok ? NULL : "no_options";
}

static void on_result(void *arg, enum sim_result result, int64_t latency_us, const json_t *payload)
{
    struct pending *p = arg;
    const char *error = NULL;
    json_t *copy = payload != NULL ? json_deep_copy(payload) : NULL;

    if (result == SIM_ACKED) {
        if (p->act == SIM_ACT_SLASH) {
            slash_answered(p, copy);
        } else if (p->act == SIM_ACT_SUBMIT) {
            submit_answered(p, copy);
        } else if (p->act == SIM_ACT_SUGGEST) {
            error = suggest_answered(p, copy);
        }
    } else if (result != SIM_RESET) {
        error = failure(p, result);
    }
    if (p->req != NULL) {
        hm_json_set_bool(p->reply, "ok", result == SIM_ACKED);
        hm_json_set_bool(p->reply, "acked", result == SIM_ACKED);
        hm_json_set(p->reply, "latency_ms", json_real((double)latency_us / 1000.0));
        hm_json_set(p->reply, "ack_payload", copy != NULL ? json_incref(copy) : json_null());
        if (error != NULL) {
            hm_json_set_str(p->reply, "error", error);
        }
        sim_http_reply_json(p->req, 200, NULL, json_incref(p->reply));
    }
    sim_touch(p->sim);
    json_decref(copy);
    json_decref(p->reply);
    free(p->user);
    free(p->channel);
    free(p->view_id);
    free(p->text);
    free(p);
}

void sim_do_send(struct sim_do *d, const struct sim_sending *sending)
{
    struct sim *sim = d->sim;
    struct pending *p = hm_xcalloc(1, sizeof(*p));
    struct sim_envelope envelope = {
        .type = sending->type, .accepts = sending->accepts, .stolen_payload = sending->stolen_payload};
    char id[SIM_ENVELOPE_ID_MAX];
    bool no_one = !sim_socket_ready(sim->socket) && sim->nasty.late_ms == 0;
    json_t *reply = hm_json_obj_new();
    static const char *const shown[] = {"trigger_id", "response_url"};
    size_t i = 0;

    for (i = 0; i < HM_ARRAY_LEN(shown); i++) {
        if (hm_json_get_str(sending->stolen_payload, shown[i], NULL) != NULL) {
            hm_json_set_str(reply, shown[i], hm_json_get_str(sending->stolen_payload, shown[i], ""));
        }
    }
    p->sim = sim;
    p->act = sending->act;
    p->user = hm_xstrdup(d->user);
    p->channel = hm_xstrdup_null(sending->channel);
    p->view_id = hm_xstrdup_null(sending->view_id);
    p->text = hm_xstrdup_null(sending->text);
    p->req = d->wait ? d->req : NULL;
    p->reply = json_incref(reply);
    envelope.on_result = on_result;
    envelope.arg = p;
    sim_socket_send(sim->socket, &envelope, id);
    hm_json_set_str(reply, "envelope_id", id);
    if (!d->wait) {
        if (no_one) {
            hm_json_set_str(reply, "error", sending->act == SIM_ACT_SLASH ? "dispatch_failed" : "trouble_connecting");
        }
        hm_json_set_bool(reply, "ok", !no_one);
        sim_http_reply_json(d->req, 200, NULL, json_incref(reply));
    }
    json_decref(reply);
}

/* --- dispatch
 * ------------------------------------------------------------------------------------------------------------------------- */
bool sim_people_on_request(struct sim *sim, struct sim_req *req, const char *name, json_t *body)
{
    static const struct sim_deed *const tables[] = {sim_deeds_messages, sim_deeds_actions, sim_deeds_views};
    struct sim_do d = {.sim = sim, .req = req, .body = body};
    const struct sim_deed *deed = NULL;
    size_t i = 0;

    d.user = hm_json_get_str(body, "user", "U0ANA");
    d.wait = hm_streq(hm_json_get_str(req->query, "wait", NULL), "ack");
    for (i = 0; i < HM_ARRAY_LEN(tables); i++) {
        for (deed = tables[i]; deed->name != NULL; deed++) {
            if (strcmp(deed->name, name) != 0) {
                continue;
            }
            if (sim_state_user(sim->state, d.user) == NULL) {
                sim_do_fail(&d, "no_such_user", "%s", d.user);
            } else {
                deed->fn(&d);
            }
            return true;
        }
    }
    return false;
}
