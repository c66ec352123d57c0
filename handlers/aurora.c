/* Aurora: the table of its actions, and leaderhealth.
 *
 * `GET /leaderhealth` is made for load balancers: 200 this one leads, 503 another one does, 502 nobody does. All three are
 * answers to the question, so none of them is an error here; a recipe waits with `until` for leading. */
#include "handlers/aurora.h"

#include "base/json.h"
#include "handlers/http_request.h"

static const struct hm_arg_spec no_args[] = {
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code health_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                   struct hm_request *req, struct hm_err *err)
{
    (void)args;
    (void)cursor;
    (void)err;
    hm_request_begin(req, backend, "GET", "/leaderhealth");
    return HM_OK;
}

static enum hm_verdict health_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                       const struct hm_answer *answer, struct hm_outcome *out)
{
    static const struct {
        int status;
        const char *state;
    } states[] = {{200, "leading"}, {503, "another leads"}, {502, "no leader"}};
    const struct hm_http_asked asked = {.backend = backend, .system = "Aurora"};
    (void)args;
    (void)cursor;
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        if (answer->status != states[i].status || hm_http_is_page(answer))
            continue;
        out->result = hm_json_obj_new();
        hm_json_set_bool(out->result, "leading", answer->status == 200);
        hm_json_set_str(out->result, "state", states[i].state);
        hm_json_set_int(out->result, "status", answer->status);
        return HM_VERDICT_OK;
    }
    enum hm_verdict verdict = hm_http_judge(&asked, answer, out);
    return verdict == HM_VERDICT_OK ? hm_http_odd(&asked, out, "leaderhealth answers 200, 502 or 503") : verdict;
}

static const struct hm_field_spec leaderhealth_fields[] = {
    {"leading", HM_FIELD_BOOL, true, "whether this one leads", NULL},
    {"state", HM_FIELD_TEXT, true, "leading, another leads or no leader", NULL},
    {"status", HM_FIELD_NUMBER, true, "the HTTP status", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_action leaderhealth = {
    .name = "aurora.leaderhealth",
    .title = "Ask whether Aurora is up",
    .doc = "A scheduler that does not answer at all fails the step: on_error = \"continue\" goes on without it.",
    .effect = HM_EFFECT_READ,
    .args = no_args,
    .result = leaderhealth_fields,
    .request = health_request,
    .response = health_response,
};

static const struct hm_action *const actions[] = {&leaderhealth, &hm_aurora_tasks, &hm_aurora_kill, NULL};
static const char *const settings[] = {NULL};

const struct hm_handler hm_aurora_handler = {
    .name = "aurora",
    .title = "Aurora: jobs and their tasks",
    .actions = actions,
    .settings = settings,
};
