/* Slack's Web API: see model_slack.h. Envelopes and acks are in model_envelopes.c. */
#include "model_slack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "check.h"
#include "model_backend.h"
#include "model_chat.h"
#include "model_time.h"

struct hm_web_api *sim_web_api(void)
{
    return &sim->slack->api;
}

struct hm_socket *sim_socket(void)
{
    return &sim->slack->socket;
}

void sim_slack_init(void)
{
    sim->slack = hm_xcalloc(1, sizeof *sim->slack);
}

static void free_message(struct message *m)
{
    free(m->channel);
    free(m->thread_ts);
    free(m->key);
    free(m->text);
    json_decref(m->blocks);
}

void sim_slack_done(void)
{
    struct slack *s = sim->slack;
    for (size_t i = 0; i < s->n_calls; i++)
        json_decref(s->calls[i].args);
    for (size_t i = 0; i < s->n_late; i++)
        json_decref(s->late[i].args);
    for (size_t i = 0; i < s->n_messages; i++)
        free_message(&s->messages[i]);
    for (size_t i = 0; i < s->n_dialogs; i++)
        json_decref(s->dialogs[i].view);
    for (size_t i = 0; i < s->n_envelopes; i++) {
        free(s->envelopes[i].key);
        free(s->envelopes[i].id);
        free(s->envelopes[i].text);
        free(s->envelopes[i].said_ts);
    }
    free(s->calls);
    free(s->late);
    free(s->messages);
    free(s->dialogs);
    free(s->envelopes);
    HM_FREE(sim->slack);
}

size_t slack_messages(void)
{
    return sim->slack->n_messages;
}

struct message *slack_message(size_t index)
{
    return &sim->slack->messages[index];
}

size_t slack_dialogs(void)
{
    return sim->slack->n_dialogs;
}

struct dialog slack_take_dialog(size_t index)
{
    struct slack *s = sim->slack;
    struct dialog dialog = s->dialogs[index];
    s->dialogs[index] = s->dialogs[--s->n_dialogs];
    return dialog;
}

static int person(const char *user)
{
    for (int i = 0; i < SIM_PEOPLE; i++)
        if (strcmp(sim_people[i], user) == 0)
            return i;
    return -1;
}

unsigned slack_told(const char *user)
{
    int i = person(user);
    return i >= 0 ? sim->slack->told[i] : 0;
}

void slack_tell(const char *user)
{
    int i = person(user);
    if (i < 0)
        sim_fail("inputs-have-outcomes", "something was said to \"%s\", whom nobody knows", user);
    sim->slack->told[i]++;
    sim->count.whispers++;
}

/* ---- the calls
 * ------------------------------------------------------------------------------------------------------------------------- */

static void add_call(const char *method, json_t *stolen_args, hm_web_fn on_done, void *arg)
{
    struct slack *s = sim->slack;
    if (s->n_calls == s->cap_calls) {
        s->cap_calls = s->cap_calls > 0 ? 2 * s->cap_calls : 16;
        s->calls = hm_xreallocarray(s->calls, s->cap_calls, sizeof s->calls[0]);
    }
    struct call *call = &s->calls[s->n_calls++];
    *call = (struct call){.method = CALL_OTHER, .args = stolen_args, .on_done = on_done, .arg = arg};
    for (int i = 0; i < CALL_OTHER; i++)
        if (strcmp(method, call_names[i]) == 0)
            call->method = (enum call_method)i;
    if (call->method == CALL_OTHER)
        sim_bug("the model of Slack does not know %s", method);
    if (!s->burying)
        check_shown(call->method == CALL_POST || call->method == CALL_UPDATE, stolen_args);
}

void hm_web_call(struct hm_web_api *api, const char *method, enum hm_web_token token, json_t *stolen_args, hm_web_fn on_done,
                 void *arg)
{
    (void)api;
    (void)token;
    add_call(method, stolen_args, on_done, arg);
}

void hm_web_respond(struct hm_web_api *api, const char *response_url, json_t *stolen_body, hm_web_fn on_done, void *arg)
{
    (void)api;
    hm_json_set_str(stolen_body, "user", strrchr(response_url, '/') + 1); /* our response_urls end with the user */
    add_call("response_url", stolen_body, on_done, arg);
}

void hm_web_upload(struct hm_web_api *api, const char *upload_url, char *stolen_bytes, size_t len, hm_web_fn on_done, void *arg)
{
    (void)api;
    (void)upload_url;
    (void)stolen_bytes;
    (void)len;
    (void)on_done;
    (void)arg;
    sim_bug("no files are played here"); /* hm_ledger_attach_papers() is not called */
}

unsigned hm_web_api_speed(const struct hm_web_api *api)
{
    (void)api;
    return 1;
}

unsigned hm_web_pending(const struct hm_web_api *api)
{
    (void)api;
    return (unsigned)sim->slack->n_calls;
}

/* ---- one call
 * ------------------------------------------------------------------------------------------------------------------------------
 */

static void answer(const struct call *call)
{
    struct hm_web_answer a = {
        .code = call->code,
        .error = call->error != NULL ? call->error : "",
        .sentence = call->code == HM_OK ? "" : "Slack had its troubles",
        .body = call->body,
    };
    if (call->on_done != NULL)
        call->on_done(call->arg, &a);
    json_decref(call->args);
    json_decref(call->body);
}

static struct call take(size_t index)
{
    struct slack *s = sim->slack;
    struct call call = s->calls[index];
    s->n_calls--;
    memmove(&s->calls[index], &s->calls[index + 1], (s->n_calls - index) * sizeof call);
    return call;
}

static void add_late(json_t *args)
{
    struct slack *s = sim->slack;
    s->late = hm_xreallocarray(s->late, s->n_late + 1, sizeof s->late[0]);
    s->late[s->n_late++] = (struct late){json_incref(args), sim_true_ms() + rng_between(&sim->rng, 0, SIM_LATE_MS)};
}

/* Nobody knows whether a post was done. The same for a whisper: the bot lets it be, and so do we (Slack promises nothing about
 * them). */
static void leave_unknown(struct call *call)
{
    bool performed = rng_percent(&sim->rng, 40);
    if (performed)
        slack_perform(call);
    else if (call->method != CALL_POST)
        slack_tell(hm_json_get_str(call->args, "user", ""));
    else if (sim->faults.slow_writes && rng_percent(&sim->rng, 50))
        add_late(call->args);
    call->code = HM_EUNKNOWN;
}

/* Something goes wrong with it. */
static void fail_call(struct call *call)
{
    bool is_post = call->method == CALL_POST || call->method == CALL_WHISPER || call->method == CALL_RESPOND;
    call->done = true;
    if (is_post && !sim->faults.slack_away && rng_percent(&sim->rng, 50)) {
        leave_unknown(call);
    } else {
        bool repeated = call->method == CALL_UPDATE || call->method == CALL_REACT || call->method == CALL_UNREACT;
        if (repeated && rng_percent(&sim->rng, 40))
            slack_perform(call); /* repeated until it was given up; one of them may have been done */
        call->code = HM_EIO;
    }
    json_decref(call->body);
    call->body = NULL;
    call->error = NULL;
    sim_tell("slack: %s goes wrong: %s", call_names[call->method], call->code == HM_EIO ? "not done" : "nobody knows");
}

size_t slack_waiting(void)
{
    return sim->slack->n_calls;
}

void slack_step(void)
{
    struct slack *s = sim->slack;
    size_t i = rng_below(&sim->rng, s->n_calls);
    bool wrong = !sim->calm && (sim->faults.slack_away || (sim->faults.bad_slack && rng_percent(&sim->rng, 12)));
    if (s->calls[i].done) {
        struct call call = take(i);
        answer(&call);
    } else if (wrong) {
        fail_call(&s->calls[i]);
    } else {
        s->calls[i].done = true;
        slack_perform(&s->calls[i]);
    }
}

/* ---- late ones
 * --------------------------------------------------------------------------------------------------------------------------------
 */

int64_t slack_next_late_ms(void)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < sim->slack->n_late; i++)
        if (sim->slack->late[i].until_ms < next)
            next = sim->slack->late[i].until_ms;
    return next;
}

void slack_late(bool all)
{
    struct slack *s = sim->slack;
    for (size_t i = s->n_late; i-- > 0;) {
        if (!all && s->late[i].until_ms > sim_true_ms())
            continue;
        struct call call = {.method = CALL_POST, .args = s->late[i].args};
        s->late[i] = s->late[--s->n_late];
        slack_perform(&call);
        json_decref(call.args);
        json_decref(call.body);
    }
}

void slack_crash(void)
{
    struct slack *s = sim->slack;
    for (size_t i = 0; i < s->n_calls; i++)
        if (!s->calls[i].done && rng_percent(&sim->rng, 50))
            slack_perform(&s->calls[i]);
}

void slack_bury(void)
{
    struct slack *s = sim->slack;
    s->burying = true;
    while (s->n_calls > 0) {
        struct call call = take(0);
        json_decref(call.body);
        call.body = NULL;
        call.code = HM_EIO;
        call.error = NULL;
        answer(&call);
    }
    s->burying = false;
}
