/* Running a stage of GoCD by hand: a deploy's release or rollback stage.
 *
 * Each accepted run makes a new stage counter, so it is HM_EFFECT_ONCE: sent again it would deploy again. Whether it was accepted
 * can be read: the stage's counter is then higher than the one that was seen before (`after`). As long as it is not, nobody can
 * tell: GoCD only takes the request (202) and schedules the stage by itself, and nothing documents by when. */
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/gocd.h"
#include "handlers/http_request.h"

static const struct hm_arg_spec run_args[] = {
    {"pipeline", HM_ARG_STRING, true, "the pipeline's name"},
    {"counter", HM_ARG_INT, true, "the instance's counter: never \"the latest\""},
    {"stage", HM_ARG_STRING, true, "the stage to run"},
    {"after", HM_ARG_INT, true, "the stage's counter as it was read before, 0 when it has never run"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code run_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                struct hm_request *req, struct hm_err *err)
{
    const char *pipeline = hm_json_get_str(args, "pipeline", ""), *stage = hm_json_get_str(args, "stage", "");
    int64_t counter = hm_json_get_int(args, "counter", 0);
    (void)cursor;
    if (!hm_gocd_name_ok(pipeline) || !hm_gocd_name_ok(stage))
        return hm_err_set(err, HM_EINVAL, "\"%.60s\" and \"%.60s\" must be names of a pipeline and a stage", pipeline, stage);
    if (counter < 1 || counter > INT32_MAX || hm_json_get_int(args, "after", -1) < 0)
        return hm_err_set(err, HM_EINVAL, "counter must be a whole number from 1 on, and after one from 0 on");
    hm_gocd_begin(req, backend, "POST", "v2", hm_xasprintf("/stages/%s/%lld/%s/run", pipeline, (long long)counter, stage));
    hm_request_add_header(req, "X-GoCD-Confirm", "true"); /* without it and without a body GoCD refuses */
    hm_request_set_empty(req);
    return HM_OK;
}

static enum hm_verdict run_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                    const struct hm_answer *answer, struct hm_outcome *out)
{
    (void)cursor;
    char *thing = hm_xasprintf("stage %s of instance %lld of pipeline %s", hm_json_get_str(args, "stage", ""),
                               (long long)hm_json_get_int(args, "counter", 0), hm_json_get_str(args, "pipeline", ""));
    const struct hm_http_asked asked = {.backend = backend, .system = "GoCD", .thing = thing, .write = true};
    enum hm_verdict verdict = HM_VERDICT_OK;
    json_t *json = NULL;
    if (answer->status == 409) /* "Stage [x] in pipeline [y] is still in progress" */
        verdict = hm_outcome_fail(out, HM_VERDICT_RETRYABLE,
                                  "GoCD did not start the %s: it, or one before it, is still under way", thing);
    else
        verdict = hm_http_read_json(&asked, answer, &json, out);
    if (verdict == HM_VERDICT_OK) {
        out->result = hm_json_obj_new();
        hm_json_set_str(out->result, "message", hm_json_get_str(json, "message", ""));
    }
    json_decref(json);
    free(thing);
    return verdict;
}

static enum hm_code run_probe_args(const json_t *args, const json_t *context, json_t **ret_args, struct hm_err *err)
{
    (void)context;
    (void)err;
    *ret_args = hm_json_obj_new();
    hm_json_set_str(*ret_args, "pipeline", hm_json_get_str(args, "pipeline", ""));
    hm_json_set_int(*ret_args, "counter", hm_json_get_int(args, "counter", 0));
    hm_json_set_str(*ret_args, "stage", hm_json_get_str(args, "stage", ""));
    return HM_OK;
}

static enum hm_probe_says run_probe_judge(const json_t *args, enum hm_verdict verdict, const json_t *result)
{
    int64_t seen = hm_json_get_int(result, "stage_counter", -1);
    if (verdict != HM_VERDICT_OK || seen < 0 ||
        !hm_streq(hm_json_get_str(result, "stage", ""), hm_json_get_str(args, "stage", "?")))
        return HM_PROBE_CANNOT_TELL;
    return seen > hm_json_get_int(args, "after", INT32_MAX) ? HM_PROBE_APPLIED : HM_PROBE_NOT_YET;
}

static const struct hm_field_spec run_stage_fields[] = {
    {"message", HM_FIELD_TEXT, true, "what GoCD said", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_gocd_run_stage = {
    .name = "gocd.run-stage",
    .title = "Run a stage of a pipeline",
    .doc = "Accepted is not done: read gocd.stage until its result is there. If the answer is lost, the stage's counter tells.",
    .effect = HM_EFFECT_ONCE,
    .args = run_args,
    .result = run_stage_fields,
    .request = run_request,
    .response = run_response,
    .probe_action = "gocd.stage",
    .probe_args = run_probe_args,
    .probe_judge = run_probe_judge,
};
