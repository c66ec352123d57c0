/* Where the CI keeps its artefacts: documents by path.
 *
 * State: {"config": {"bearer"}, "documents": {"/spark_ops.json": any JSON}}. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "kit.h"
#include "world.h"

struct store {
    json_t *config, *documents;
};

static void store_free(void *system)
{
    struct store *s = system;
    json_decref(s->config);
    json_decref(s->documents);
    free(s);
}

static void *store_new(const json_t *state, struct hm_err *err)
{
    struct store *s = hm_xcalloc(1, sizeof(*s));
    json_t *config = hm_json_get_obj(state, "config"), *documents = hm_json_get_obj(state, "documents");
    (void)err;
    s->config = config != NULL ? json_deep_copy(config) : hm_json_obj_new();
    s->documents = documents != NULL ? json_deep_copy(documents) : hm_json_obj_new();
    return s;
}

static json_t *store_state_new(void *system)
{
    const struct store *s = system;
    json_t *state = hm_json_obj_new();
    hm_json_set(state, "config", json_deep_copy(s->config));
    hm_json_set(state, "documents", json_deep_copy(s->documents));
    return state;
}

static void store_handle(void *system, struct hm_world *world, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    const struct store *s = system;
    json_t *document = json_object_get(s->documents, req->path);
    (void)world;
    if (!hm_kit_authorized(s->config, req, ans))
        return;
    if (strcmp(req->method, "GET") != 0)
        hm_world_answer_text(ans, 405, "Only GET.\n");
    else if (document == NULL)
        hm_world_answer_text(ans, 404, "There is nothing at %s.\n", req->path);
    else
        hm_world_answer_json(ans, 200, "application/json", json_deep_copy(document));
}

const struct hm_world_system hm_world_spark_ops = {
    .name = "spark_ops",
    .new = store_new,
    .free = store_free,
    .state_new = store_state_new,
    .handle = store_handle,
};
