/* GoCD: pipelines whose stages can be run.
 *
 * A stage that is run is Building until it has been read `config.reads_until_done` times (default 2), then it passes; with
 * "fails": true in the stage it fails. Strict: the API's version in Accept (404 otherwise, as GoCD does), X-GoCD-Confirm and an
 * empty body for a run, 409 while a stage is under way.
 *
 * State: {"config": {"bearer", "reads_until_done"}, "pipelines": [{"name", "paused", "paused_cause", "instances": [newest first:
 * {"counter", "revisions": [{"material", "type", "revision", "by", "comment"}], "stages": [{"name", "counter", "result", "fails",
 * "left"}]}]}]}. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "kit.h"

static void *gocd_new(const json_t *state, struct hm_err *err)
{
    static const char *const lists[] = {"pipelines", NULL};
    (void)err;
    return hm_kit_state_copy(state, lists);
}

static void gocd_free(void *system)
{
    json_decref(system);
}

static json_t *gocd_state(void *system)
{
    return json_deep_copy(system);
}

static bool accepts(const struct hm_world_request *req, const char *version, struct hm_world_answer *ans)
{
    char *wanted = hm_xasprintf("application/vnd.go.cd.%s+json", version);
    bool ok = hm_streq(req->accept, wanted);
    free(wanted);
    if (!ok)
        hm_kit_say(ans, 404, "The url you are trying to reach appears to be incorrect.");
    return ok;
}

static bool is_building(const json_t *stage)
{
    return hm_json_get_int(stage, "left", 0) > 0;
}

/* Time passes with each look. */
static void look(json_t *instance)
{
    json_t *stages = hm_json_get_arr(instance, "stages");
    for (size_t i = 0; i < json_array_size(stages); i++) {
        json_t *stage = json_array_get(stages, i);
        if (!is_building(stage))
            continue;
        hm_json_set_int(stage, "left", hm_json_get_int(stage, "left", 0) - 1);
        if (!is_building(stage))
            hm_json_set_str(stage, "result", hm_json_get_bool(stage, "fails", false) ? "Failed" : "Passed");
    }
}

static json_t *stages_new(const json_t *instance)
{
    const json_t *stages = hm_json_get_arr(instance, "stages");
    json_t *list = hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(stages); i++) {
        const json_t *stage = json_array_get(stages, i);
        int64_t counter = hm_json_get_int(stage, "counter", 0);
        json_t *shown = hm_json_obj_new();
        char *text = hm_xasprintf("%lld", (long long)counter);
        const char *result = hm_json_get_str(stage, "result", "Unknown");
        hm_json_set_str(shown, "name", hm_json_get_str(stage, "name", ""));
        hm_json_set_bool(shown, "scheduled", counter > 0);
        hm_json_set_str(shown, "counter", counter > 0 ? text : NULL);
        hm_json_set_str(shown, "status", counter == 0 ? NULL : is_building(stage) ? "Building" : result);
        hm_json_set_str(shown, "result", counter == 0 ? NULL : is_building(stage) ? "Unknown" : result);
        hm_json_set_bool(shown, "can_run", !is_building(stage));
        hm_json_set_str(shown, "approval_type", "manual");
        hm_json_add(list, shown);
        free(text);
    }
    return list;
}

static json_t *instance_new(const json_t *pipeline, const json_t *instance)
{
    const json_t *revisions = hm_json_get_arr(instance, "revisions");
    json_t *shown = hm_json_obj_new(), *materials = hm_json_arr_new(), *cause = hm_json_obj_new();
    for (size_t i = 0; i < json_array_size(revisions); i++) {
        const json_t *one = json_array_get(revisions, i);
        json_t *material = json_pack("{s:{s:s, s:s}, s:[{s:s, s:s, s:s}]}", "material", "type",
                                     hm_json_get_str(one, "type", "Git"), "description", hm_json_get_str(one, "material", ""),
                                     "modifications", "revision", hm_json_get_str(one, "revision", ""), "user_name",
                                     hm_json_get_str(one, "by", "Unknown"), "comment", hm_json_get_str(one, "comment", ""));
        hm_json_add(materials, material);
    }
    hm_json_set(cause, "material_revisions", materials);
    hm_json_set_str(shown, "name", hm_json_get_str(pipeline, "name", ""));
    hm_json_set_int(shown, "counter", hm_json_get_int(instance, "counter", 0));
    hm_json_set(shown, "label", json_sprintf("%lld", (long long)hm_json_get_int(instance, "counter", 0)));
    hm_json_set(shown, "build_cause", cause);
    hm_json_set(shown, "stages", stages_new(instance));
    return shown;
}

static json_t *find_instance(const json_t *pipeline, const char *counter)
{
    const json_t *instances = hm_json_get_arr(pipeline, "instances");
    int64_t n = 0;
    if (!hm_parse_i64(counter, 1, INT32_MAX, &n))
        return NULL;
    for (size_t i = 0; i < json_array_size(instances); i++)
        if (hm_json_get_int(json_array_get(instances, i), "counter", 0) == n)
            return json_array_get(instances, i);
    return NULL;
}

static void show_status(const json_t *pipeline, struct hm_world_answer *ans)
{
    json_t *shown = hm_json_obj_new();
    bool paused = hm_json_get_bool(pipeline, "paused", false);
    hm_json_set_bool(shown, "paused", paused);
    hm_json_set_str(shown, "paused_cause", hm_json_get_str(pipeline, "paused_cause", NULL));
    hm_json_set_str(shown, "paused_by", paused ? "admin" : NULL);
    hm_json_set_bool(shown, "locked", false);
    hm_json_set_bool(shown, "schedulable", !paused);
    hm_world_answer_json(ans, 200, "application/vnd.go.cd.v1+json", shown);
}

static void show_history(const json_t *pipeline, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    const json_t *instances = hm_json_get_arr(pipeline, "instances");
    char *size_text = hm_kit_query(req->query, "page_size"), *after_text = hm_kit_query(req->query, "after");
    int64_t size = 10, after = INT32_MAX;
    if ((size_text != NULL && !hm_parse_i64(size_text, 10, 100, &size)) ||
        (after_text != NULL && !hm_parse_i64(after_text, 0, INT32_MAX, &after))) {
        hm_kit_say(ans, 400, "The query parameter 'page_size', if specified must be a number between 10 and 100.");
    } else {
        json_t *list = hm_json_arr_new(), *links = hm_json_obj_new(), *shown = hm_json_obj_new();
        int64_t last = 0;
        bool more = false;
        for (size_t i = 0; i < json_array_size(instances); i++) {
            json_t *instance = json_array_get(instances, i);
            int64_t counter = hm_json_get_int(instance, "counter", 0);
            if (counter >= after)
                continue;
            more = json_array_size(list) == (size_t)size;
            if (more)
                break;
            look(instance);
            hm_json_add(list, instance_new(pipeline, instance));
            last = counter;
        }
        if (more)
            hm_json_set(
                links, "next",
                json_pack("{s:o}", "href", json_sprintf("https://gocd.example.com/go/api/x?after=%lld", (long long)last)));
        hm_json_set(shown, "_links", links);
        hm_json_set(shown, "pipelines", list);
        hm_world_answer_json(ans, 200, "application/vnd.go.cd.v1+json", shown);
    }
    free(size_text);
    free(after_text);
}

/* All revisions of the instances after `from` up to `to`. */
static void show_compare(const json_t *pipeline, const char *from, const char *to, struct hm_world_answer *ans)
{
    const json_t *instances = hm_json_get_arr(pipeline, "instances");
    const json_t *first = find_instance(pipeline, from), *last = find_instance(pipeline, to);
    json_t *changes = hm_json_arr_new();
    if (first == NULL || last == NULL) {
        json_decref(changes);
        hm_kit_say(ans, 404,
                   "Either the resource you requested was not found, or you are not authorized to perform this action.");
        return;
    }
    for (size_t i = 0; i < json_array_size(instances); i++) {
        const json_t *instance = json_array_get(instances, i);
        int64_t counter = hm_json_get_int(instance, "counter", 0);
        const json_t *revisions = hm_json_get_arr(instance, "revisions");
        if (counter <= hm_json_get_int(first, "counter", 0) || counter > hm_json_get_int(last, "counter", 0))
            continue;
        for (size_t r = 0; r < json_array_size(revisions); r++) {
            const json_t *one = json_array_get(revisions, r);
            hm_json_add(changes, json_pack("{s:{s:s, s:{s:s}}, s:[{s:s, s:s, s:s}]}", "material", "type", "git", "attributes",
                                           "description", hm_json_get_str(one, "material", ""), "revision", "revision_sha",
                                           hm_json_get_str(one, "revision", ""), "modified_by", hm_json_get_str(one, "by", ""),
                                           "commit_message", hm_json_get_str(one, "comment", "")));
        }
    }
    hm_world_answer_json(ans, 200, "application/vnd.go.cd.v2+json", json_pack("{s:o}", "changes", changes));
}

static void run_stage(json_t *g, json_t *pipeline, struct hm_world *world, const json_t *segments,
                      const struct hm_world_request *req, struct hm_world_answer *ans)
{
    json_t *instance = find_instance(pipeline, hm_kit_segment(segments, 3));
    json_t *stage = hm_kit_find(hm_json_get_arr(instance, "stages"), "name", hm_kit_segment(segments, 4));
    char *confirm = hm_header_line(req->headers, "x-gocd-confirm");
    if (stage == NULL) {
        hm_kit_say(ans, 404, "Not Found { Stage [%s] not found }", hm_kit_segment(segments, 4));
    } else if (!hm_streq(confirm, "true") || req->body_len > 0) {
        hm_kit_say(ans, 400, "Missing required header 'X-GoCD-Confirm'");
    } else if (is_building(stage)) {
        hm_kit_say(ans, 409, "Failed to run stage [%s]: Stage [%s] in pipeline [%s] is still in progress",
                   hm_kit_segment(segments, 4), hm_kit_segment(segments, 4), hm_kit_segment(segments, 2));
    } else {
        char *id =
            hm_xasprintf("%s/%s/%s", hm_kit_segment(segments, 2), hm_kit_segment(segments, 3), hm_kit_segment(segments, 4));
        hm_json_set_int(stage, "counter", hm_json_get_int(stage, "counter", 0) + 1);
        hm_json_set_int(stage, "left", hm_json_get_int(hm_json_get_obj(g, "config"), "reads_until_done", 2) + 1);
        hm_world_count_effect(world, "gocd run-stage", id, true);
        hm_kit_say(ans, 202, "Request to schedule stage %s accepted", id);
        free(id);
    }
    free(confirm);
}

static void gocd_handle(void *system, struct hm_world *world, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    static const char *const status[] = {"api", "pipelines", "*", "status", NULL};
    static const char *const history[] = {"api", "pipelines", "*", "history", NULL};
    static const char *const one[] = {"api", "pipelines", "*", "*", NULL};
    static const char *const compare[] = {"api", "pipelines", "*", "compare", "*", "*", NULL};
    static const char *const run[] = {"api", "stages", "*", "*", "*", "run", NULL};
    json_t *g = system, *segments = hm_kit_segments_new(req->path);
    json_t *pipeline = hm_kit_find(hm_json_get_arr(g, "pipelines"), "name", hm_kit_segment(segments, 2));
    bool get = hm_streq(req->method, "GET");
    if (!hm_kit_let_in(hm_json_get_obj(g, "config"), "Bearer", req, ans)) {
        /* answered */
    } else if (pipeline == NULL) {
        hm_kit_say(ans, 404, "Not Found { Pipeline [%s] not found }", hm_kit_segment(segments, 2));
    } else if (hm_kit_path_is(segments, run) && hm_streq(req->method, "POST")) {
        if (accepts(req, "v2", ans))
            run_stage(g, pipeline, world, segments, req, ans);
    } else if (get && hm_kit_path_is(segments, compare)) {
        if (accepts(req, "v2", ans))
            show_compare(pipeline, hm_kit_segment(segments, 4), hm_kit_segment(segments, 5), ans);
    } else if (!get || !accepts(req, "v1", ans)) {
        if (!get)
            hm_kit_say(ans, 405, "Method not allowed");
    } else if (hm_kit_path_is(segments, status)) {
        show_status(pipeline, ans);
    } else if (hm_kit_path_is(segments, history)) {
        show_history(pipeline, req, ans);
    } else if (hm_kit_path_is(segments, one) && find_instance(pipeline, hm_kit_segment(segments, 3)) != NULL) {
        json_t *instance = find_instance(pipeline, hm_kit_segment(segments, 3));
        look(instance);
        hm_world_answer_json(ans, 200, "application/vnd.go.cd.v1+json", instance_new(pipeline, instance));
    } else {
        hm_kit_say(ans, 404,
                   "Either the resource you requested was not found, or you are not authorized to perform this action.");
    }
    json_decref(segments);
}

const struct hm_world_system hm_world_gocd = {
    .name = "gocd", .new = gocd_new, .free = gocd_free, .state_new = gocd_state, .handle = gocd_handle};
