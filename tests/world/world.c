/* The simulated world: the table of systems, their state, and the counts of what was done. */
#include "world.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"

/* A line each, so that two new ones meet less often. */
/* clang-format off */
static const struct hm_world_system *const systems[] = {
    &hm_world_airflow,
    &hm_world_aurora,
    &hm_world_bigquery,
    &hm_world_cloudwatch,
    &hm_world_container_registry,
    &hm_world_dynamodb,
    &hm_world_ec2,
    &hm_world_github,
    &hm_world_gocd,
    &hm_world_jira,
    &hm_world_kubernetes,
    &hm_world_mesos,
    &hm_world_metapod,
    &hm_world_oauth,
    &hm_world_mordor,
    &hm_world_mortician,
    &hm_world_opsgenie,
    &hm_world_ouroboros,
    &hm_world_programs,
    &hm_world_prometheus,
    &hm_world_spark_ops,
    &hm_world_s3,
    &hm_world_splunk,
};
/* clang-format on */
enum { N_SYSTEMS = HM_ARRAY_LEN(systems) };

struct hm_world {
    const struct hm_clock *clock;
    json_t *initial;         /* for reset */
    void *system[N_SYSTEMS]; /* as in systems[] */
    json_t *requests;        /* "METHOD path" → count */
    json_t *effects;         /* "endpoint id" → what hm_world_counts_new() shows */
};

/* --- answers ------------------------------------------------------------------------------------------------------------ */

void hm_world_answer_done(struct hm_world_answer *ans)
{
    free(ans->content_type);
    free(ans->headers);
    free(ans->body);
    memset(ans, 0, sizeof(*ans));
}

void hm_world_answer_json(struct hm_world_answer *ans, int status, const char *content_type, json_t *stolen_body)
{
    hm_world_answer_done(ans);
    ans->status = status;
    ans->content_type = hm_xstrdup(content_type);
    ans->body = json_dumps(stolen_body, JSON_COMPACT | JSON_ENCODE_ANY);
    ans->body_len = strlen(ans->body);
    json_decref(stolen_body);
}

void hm_world_answer_text(struct hm_world_answer *ans, int status, const char *fmt, ...)
{
    struct hm_strbuf text;
    va_list ap;

    hm_world_answer_done(ans);
    hm_strbuf_init(&text, 100000);
    va_start(ap, fmt);
    hm_strbuf_addv(&text, fmt, ap);
    va_end(ap);
    ans->status = status;
    ans->content_type = hm_xstrdup("text/plain; charset=utf-8");
    ans->body_len = text.len;
    ans->body = hm_strbuf_take(&text);
}

/* --- state -------------------------------------------------------------------------------------------------------------- */

static void free_systems(void *system[N_SYSTEMS])
{
    for (size_t i = 0; i < N_SYSTEMS; i++) {
        if (system[i] != NULL)
            systems[i]->free(system[i]);
        system[i] = NULL;
    }
}

static void forget_counts(struct hm_world *world)
{
    json_decref(world->requests);
    json_decref(world->effects);
    world->requests = hm_json_obj_new();
    world->effects = hm_json_obj_new();
}

static enum hm_code check_names(json_t *state, struct hm_err *err)
{
    const char *key;
    json_t *part;
    if (state != NULL && !json_is_object(state))
        return hm_err_set(err, HM_EINVAL, "the state must be an object with one member per system");
    json_object_foreach(state, key, part)
    {
        bool known = false;
        for (size_t i = 0; i < N_SYSTEMS; i++)
            known = known || hm_streq(systems[i]->name, key);
        if (!known && key[0] != '_') /* "_comment" is welcome */
            return hm_err_set(err, HM_EINVAL, "no system is called \"%s\"", key);
    }
    return HM_OK;
}

enum hm_code hm_world_load(struct hm_world *world, json_t *state, struct hm_err *err)
{
    void *fresh[N_SYSTEMS] = {NULL};
    if (check_names(state, err) != HM_OK)
        return HM_EINVAL;
    for (size_t i = 0; i < N_SYSTEMS; i++) {
        fresh[i] = systems[i]->new (json_object_get(state, systems[i]->name), err);
        if (fresh[i] == NULL) {
            free_systems(fresh);
            return hm_err_wrap(err, "%s", systems[i]->name);
        }
    }
    free_systems(world->system);
    for (size_t i = 0; i < N_SYSTEMS; i++)
        world->system[i] = fresh[i];
    forget_counts(world);
    return HM_OK;
}

struct hm_world *hm_world_new(const struct hm_clock *clock, json_t *state, struct hm_err *err)
{
    struct hm_world *world = hm_xcalloc(1, sizeof(*world));
    world->clock = clock;
    world->initial = state != NULL ? json_deep_copy(state) : hm_json_obj_new();
    if (hm_world_load(world, world->initial, err) == HM_OK)
        return world;
    hm_world_free(world);
    return NULL;
}

void hm_world_free(struct hm_world *world)
{
    if (world == NULL)
        return;
    free_systems(world->system);
    json_decref(world->initial);
    json_decref(world->requests);
    json_decref(world->effects);
    free(world);
}

enum hm_code hm_world_reset(struct hm_world *world, struct hm_err *err)
{
    return hm_world_load(world, world->initial, err);
}

json_t *hm_world_state_new(struct hm_world *world)
{
    json_t *state = hm_json_obj_new();
    for (size_t i = 0; i < N_SYSTEMS; i++)
        hm_json_set(state, systems[i]->name, systems[i]->state_new(world->system[i]));
    return state;
}

int64_t hm_world_now_ms(const struct hm_world *world)
{
    return hm_wall_ms(world->clock);
}

void *hm_world_system_of(struct hm_world *world, const char *name)
{
    for (size_t i = 0; i < N_SYSTEMS; i++)
        if (hm_streq(systems[i]->name, name))
            return world->system[i];
    return NULL;
}

/* --- counts ------------------------------------------------------------------------------------------------------------- */

void hm_world_count_request(struct hm_world *world, const char *method, const char *path)
{
    char *key = hm_xasprintf("%s %s", method, path);
    hm_json_set_int(world->requests, key, hm_json_get_int(world->requests, key, 0) + 1);
    free(key);
}

void hm_world_count_effect(struct hm_world *world, const char *endpoint, const char *id, bool changed)
{
    char now[HM_TIME_MAX];
    char *key = hm_xasprintf("%s %s", endpoint, id);
    json_t *effect = hm_json_get_obj(world->effects, key);
    if (effect == NULL) {
        effect = hm_json_obj_new();
        hm_json_set_str(effect, "endpoint", endpoint);
        hm_json_set_str(effect, "id", id);
        hm_json_set(effect, "times", hm_json_arr_new());
        hm_json_set(world->effects, key, effect);
    }
    hm_json_set_int(effect, "applied", hm_json_get_int(effect, "applied", 0) + 1);
    hm_json_set_int(effect, "changed", hm_json_get_int(effect, "changed", 0) + (changed ? 1 : 0));
    hm_json_add(hm_json_get_arr(effect, "times"), hm_json_str_new(hm_format_time(hm_wall_ms(world->clock), now)));
    free(key);
}

json_t *hm_world_counts_new(const struct hm_world *world)
{
    const char *key;
    json_t *effect;
    json_t *list = hm_json_arr_new();
    json_object_foreach(world->effects, key, effect) hm_json_add(list, json_deep_copy(effect));
    json_t *counts = hm_json_obj_new();
    hm_json_set(counts, "requests", json_deep_copy(world->requests));
    hm_json_set(counts, "effects", list);
    return counts;
}

/* --- requests ----------------------------------------------------------------------------------------------------------- */

void hm_world_handle(struct hm_world *world, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    for (size_t i = 0; i < N_SYSTEMS; i++) {
        size_t len = strlen(systems[i]->name);
        if (req->path[0] != '/' || strncmp(req->path + 1, systems[i]->name, len) != 0 || req->path[1 + len] != '/')
            continue;
        struct hm_world_request inner = *req;
        inner.path += 1 + len;
        inner.whole_path = req->path;
        systems[i]->handle(world->system[i], world, &inner, ans);
        return;
    }
    hm_world_answer_text(ans, 404, "No system lives at %s.\n", req->path);
}
