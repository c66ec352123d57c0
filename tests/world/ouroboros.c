/* Ouroboros, the archives of dataset series, and Mordor, whose query shows what is left of one.
 *
 * State of ouroboros: {"config": {"bearer", "slow": how often Mordor still shows a series after it was deleted},
 * "archives": [{"resource", "series", "transaction"}]}. Of mordor: {"config": {"bearer"}}. Deleting a series is 202; what is left
 * of it goes after `slow` looks. As in the real one, delete-transaction-archives without a series deletes those of all series. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "kit.h"
#include "world.h"

struct ouroboros {
    json_t *config, *archives;
    json_t *doomed; /* series → looks until it is gone */
};

/* Removes the archives whose `key` is value and, with series, whose series is that; returns how many. */
static int64_t delete_where(struct ouroboros *o, const char *key, const char *value, const char *series)
{
    int64_t n = 0;
    for (size_t i = json_array_size(o->archives); i-- > 0;) {
        const json_t *each = json_array_get(o->archives, i);
        if (!hm_streq(hm_json_get_str(each, key, NULL), value) ||
            (series != NULL && !hm_streq(hm_json_get_str(each, "series", NULL), series)))
            continue;
        (void)json_array_remove(o->archives, i);
        n++;
    }
    return n;
}

static bool has_series(const struct ouroboros *o, const char *series)
{
    for (size_t i = 0; i < json_array_size(o->archives); i++)
        if (hm_streq(hm_json_get_str(json_array_get(o->archives, i), "series", NULL), series))
            return true;
    return false;
}

/* The body has these members and no other; texts. */
static bool has_only(const json_t *body, const char *first, const char *second)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(hm_unconst(body), key,
                        value) if (!json_is_string(value) || (!hm_streq(key, first) && !hm_streq(key, second))) return false;
    return hm_json_get_str(body, first, "")[0] != '\0';
}

static void migrate(struct ouroboros *o, struct hm_world *world, const char *name, const json_t *body,
                    struct hm_world_answer *ans)
{
    const char *resource = hm_json_get_str(body, "resource-id", ""), *transaction = hm_json_get_str(body, "transaction-id", "");
    const char *series = hm_json_get_str(body, "series-name", "");
    int64_t n = 0;
    if (strcmp(name, "delete-resource") == 0 && has_only(body, "resource-id", NULL)) {
        n = delete_where(o, "resource", resource, NULL);
        if (n == 0) {
            hm_kit_refuse(ans, 404, "no such resource");
            return;
        }
        hm_world_count_effect(world, "ouroboros delete-resource", resource, true);
        hm_world_answer_json(ans, 200, "application/json", hm_json_obj_new());
    } else if (strcmp(name, "delete-transaction-archives") == 0 && has_only(body, "transaction-id", "series-name")) {
        char *id = hm_xasprintf("%s %s", transaction, series[0] != '\0' ? series : "ALL");
        n = delete_where(o, "transaction", transaction, series[0] != '\0' ? series : NULL);
        hm_world_count_effect(world, "ouroboros delete-transaction-archives", id, n > 0);
        hm_world_answer_json(ans, 200, "application/json", hm_json_obj_new());
        free(id);
    } else if (strcmp(name, "delete-record-series") == 0 && has_only(body, "series-name", NULL)) {
        if (!has_series(o, series)) {
            hm_kit_refuse(ans, 404, "no such series");
            return;
        }
        hm_world_count_effect(world, "ouroboros delete-record-series", series, true);
        hm_json_set_int(o->doomed, series, hm_json_get_int(o->config, "slow", 0));
        hm_world_answer_json(ans, 202, "application/json", hm_json_obj_new());
    } else {
        hm_kit_refuse(ans, 400, "no such migration, or not its arguments");
    }
}

static void ouroboros_handle(void *system, struct hm_world *world, const struct hm_world_request *req,
                             struct hm_world_answer *ans)
{
    static const char migrations[] = "/api/admin/migrations/";
    struct ouroboros *o = system;
    if (!hm_kit_authorized(o->config, req, ans))
        return;
    json_t *body = hm_json_parse_new(req->body, req->body_len, 100000, NULL);
    if (!hm_starts_with(req->path, migrations))
        hm_kit_refuse(ans, 404, "nothing here");
    else if (strcmp(req->method, "POST") != 0)
        hm_kit_refuse(ans, 405, "migrations are run with POST");
    else if (!json_is_object(body) || strncasecmp(req->content_type, "application/json", 16) != 0)
        hm_kit_refuse(ans, 400, "the body must be a JSON object");
    else
        migrate(o, world, req->path + strlen(migrations), body, ans);
    json_decref(body);
}

static void ouroboros_free(void *system)
{
    struct ouroboros *o = system;
    json_decref(o->config);
    json_decref(o->archives);
    json_decref(o->doomed);
    free(o);
}

static void *ouroboros_new(const json_t *state, struct hm_err *err)
{
    struct ouroboros *o = hm_xcalloc(1, sizeof(*o));
    json_t *config = hm_json_get_obj(state, "config"), *archives = hm_json_get_arr(state, "archives");
    o->config = config != NULL ? json_deep_copy(config) : hm_json_obj_new();
    o->archives = archives != NULL ? json_deep_copy(archives) : hm_json_arr_new();
    o->doomed = hm_json_obj_new();
    for (size_t i = 0; i < json_array_size(o->archives); i++) {
        const json_t *each = json_array_get(o->archives, i);
        if (hm_json_get_str(each, "resource", NULL) != NULL && hm_json_get_str(each, "series", NULL) != NULL &&
            hm_json_get_str(each, "transaction", NULL) != NULL)
            continue;
        (void)hm_err_set(err, HM_EINVAL, "archive %zu: it needs resource, series and transaction", i);
        ouroboros_free(o);
        return NULL;
    }
    return o;
}

static json_t *ouroboros_state_new(void *system)
{
    const struct ouroboros *o = system;
    json_t *state = hm_json_obj_new();
    hm_json_set(state, "config", json_deep_copy(o->config));
    hm_json_set(state, "archives", json_deep_copy(o->archives));
    return state;
}

const struct hm_world_system hm_world_ouroboros = {
    .name = "ouroboros",
    .new = ouroboros_new,
    .free = ouroboros_free,
    .state_new = ouroboros_state_new,
    .handle = ouroboros_handle,
};

/* --- Mordor --------------------------------------------------------------------------------------------------------------- */

struct mordor {
    json_t *config;
};

/* Rows of the series; one look less until a doomed one is gone. */
static json_t *look_new(struct ouroboros *o, const char *series)
{
    json_t *rows = hm_json_arr_new();
    int64_t looks = hm_json_get_int(o->doomed, series, -1);
    if (looks == 0) {
        (void)delete_where(o, "series", series, NULL);
        (void)json_object_del(o->doomed, series);
    } else if (looks > 0) {
        hm_json_set_int(o->doomed, series, looks - 1);
    }
    for (size_t i = 0; i < json_array_size(o->archives); i++)
        if (hm_streq(hm_json_get_str(json_array_get(o->archives, i), "series", NULL), series))
            hm_json_add(rows, json_deep_copy(json_array_get(o->archives, i)));
    return rows;
}

static void mordor_handle(void *system, struct hm_world *world, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    const struct mordor *m = system;
    struct ouroboros *o = hm_world_system_of(world, "ouroboros");
    if (!hm_kit_authorized(m->config, req, ans))
        return;
    json_t *form = hm_kit_form_new(req->query, strlen(req->query));
    const char *series = hm_json_get_str(form, "argument", "");
    if (strcmp(req->path, "/api/queries/5e3c3390-9cdb-4752-b03b-71a626b23b6e/run") != 0) {
        hm_kit_refuse(ans, 404, "no such query");
    } else if (strcmp(req->method, "GET") != 0 || series[0] == '\0' || o == NULL) {
        hm_kit_refuse(ans, 400, "GET with an argument");
    } else {
        json_t *data = hm_json_obj_new(), *body = hm_json_obj_new();
        hm_json_set(data, "rows", look_new(o, series));
        hm_json_set(body, "data", data);
        hm_world_answer_json(ans, 200, "application/json", body);
    }
    json_decref(form);
}

static void mordor_free(void *system)
{
    struct mordor *m = system;
    json_decref(m->config);
    free(m);
}

static void *mordor_new(const json_t *state, struct hm_err *err)
{
    struct mordor *m = hm_xcalloc(1, sizeof(*m));
    json_t *config = hm_json_get_obj(state, "config");
    (void)err;
    m->config = config != NULL ? json_deep_copy(config) : hm_json_obj_new();
    return m;
}

static json_t *mordor_state_new(void *system)
{
    const struct mordor *m = system;
    json_t *state = hm_json_obj_new();
    hm_json_set(state, "config", json_deep_copy(m->config));
    return state;
}

const struct hm_world_system hm_world_mordor = {
    .name = "mordor",
    .new = mordor_new,
    .free = mordor_free,
    .state_new = mordor_state_new,
    .handle = mordor_handle,
};
