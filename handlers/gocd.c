/* GoCD: the table of its actions, and what they share.
 *
 * Every call names the version of its API in Accept. A version that the server does not have is a 404 with a sentence that speaks
 * of the URL, which is why a 404 here is never taken for more than "GoCD knows none, or it is older than 20.9". */
#include "handlers/gocd.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/http_request.h"

enum { NAME_MAX_LEN = 255 };

bool hm_gocd_name_ok(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t len = strlen(name);
    return len > 0 && len <= NAME_MAX_LEN && name[0] != '.' && name[strspn(name, allowed)] == '\0';
}

void hm_gocd_begin(struct hm_request *req, const struct hm_backend *backend, const char *method, const char *version, char *path)
{
    char *accept = hm_xasprintf("application/vnd.go.cd.%s+json", version);
    hm_request_begin(req, backend, method, "/api%s", path);
    hm_request_add_header(req, "Accept", accept);
    free(accept);
    free(path);
}

/* GoCD writes counters as text in one place and as numbers in another. */
static int64_t counter_of(const json_t *obj)
{
    int64_t n = hm_json_get_int(obj, "counter", 0);
    const char *text = hm_json_get_str(obj, "counter", NULL);
    if (text != NULL && !hm_parse_i64(text, 0, INT32_MAX, &n))
        n = 0;
    return n;
}

json_t *hm_gocd_stage_new(const json_t *instance, const char *stage)
{
    const json_t *stages = hm_json_get_arr(instance, "stages");
    for (size_t i = 0; i < json_array_size(stages); i++) {
        const json_t *one = json_array_get(stages, i);
        const char *name = hm_json_get_str(one, "name", "");
        if (!hm_streq(name, stage))
            continue;
        bool scheduled = hm_json_get_bool(one, "scheduled", false);
        json_t *out = hm_json_obj_new();
        hm_json_set_str(out, "stage", name);
        hm_json_set_int(out, "stage_counter", scheduled ? counter_of(one) : 0);
        hm_json_set_str(out, "status", scheduled ? hm_json_get_str(one, "status", "Unknown") : "NotRun");
        hm_json_set_str(out, "result", scheduled ? hm_json_get_str(one, "result", "Unknown") : "NotRun");
        hm_json_set_bool(out, "can_run", hm_json_get_bool(one, "can_run", false));
        return out;
    }
    return NULL;
}

static const struct hm_action *const actions[] = {
    &hm_gocd_status, &hm_gocd_history, &hm_gocd_build,     &hm_gocd_instance,
    &hm_gocd_stage,  &hm_gocd_compare, &hm_gocd_run_stage, NULL,
};

static const char *const settings[] = {NULL};

const struct hm_handler hm_gocd_handler = {
    .name = "gocd",
    .title = "GoCD: pipelines and stages",
    .actions = actions,
    .settings = settings,
};
