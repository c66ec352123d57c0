/* One table per struct says name, type and place of each setting, so that setting, showing and checking can not drift apart. */
#include "knobs.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

enum kind { KIND_INT, KIND_REAL, KIND_BOOL };

struct setting {
    const char *name;
    enum kind kind;
    size_t offset;
};

#define KNOB(name_, kind_)                                                                                                       \
    {                                                                                                                            \
        .name = #name_, .kind = (kind_), .offset = offsetof(struct sim_knobs, name_)                                             \
    }
static const struct setting knobs[] = {
    KNOB(time_scale, KIND_REAL), KNOB(ack_ms, KIND_INT),          KNOB(trigger_ms, KIND_INT),
    KNOB(rate_scale, KIND_REAL), KNOB(server_ping_ms, KIND_INT),  KNOB(connection_s, KIND_INT),
    KNOB(warning_s, KIND_INT),   KNOB(max_connections, KIND_INT), KNOB(close_linger_ms, KIND_INT),
    KNOB(ghost_s, KIND_INT),     KNOB(echo_own, KIND_BOOL),       KNOB(ack_any_connection, KIND_BOOL),
    KNOB(hook_uses, KIND_INT),   KNOB(hook_s, KIND_INT),
};

#define SWITCH(name_, kind_)                                                                                                     \
    {                                                                                                                            \
        .name = #name_, .kind = (kind_), .offset = offsetof(struct sim_nasty, name_)                                             \
    }
static const struct setting switches[] = {
    SWITCH(fragment, KIND_INT),
    SWITCH(fragment_pings, KIND_BOOL),
    SWITCH(split_tcp, KIND_INT),
    SWITCH(duplicate, KIND_INT),
    SWITCH(duplicate_after_ms, KIND_INT),
    SWITCH(late_ms, KIND_INT),
    SWITCH(reorder, KIND_BOOL),
    SWITCH(ghosts, KIND_INT),
    SWITCH(too_many, KIND_INT),
    SWITCH(no_hello, KIND_INT),
    SWITCH(hello_delay_ms, KIND_INT),
    SWITCH(no_pong, KIND_BOOL),
    SWITCH(no_close_reply, KIND_BOOL),
    SWITCH(refuse_foreign_ack, KIND_BOOL),
    SWITCH(null_team, KIND_BOOL),
    SWITCH(retry_slash, KIND_INT),
    SWITCH(full, KIND_BOOL),
    SWITCH(bare, KIND_BOOL),
    SWITCH(suggestion_state, KIND_BOOL),
};

static bool fits(enum kind kind, const json_t *value)
{
    switch (kind) {
    case KIND_INT:
        return json_is_integer(value);
    case KIND_REAL:
        return json_is_number(value);
    case KIND_BOOL:
        return json_is_boolean(value);
    }
    return false;
}

static void put(void *base, const struct setting *s, const json_t *value)
{
    char *at = (char *)base + s->offset;

    switch (s->kind) {
    case KIND_INT: {
        int64_t n = json_integer_value(value);

        memcpy(at, &n, sizeof(n));
        break;
    }
    case KIND_REAL: {
        double d = json_number_value(value);

        memcpy(at, &d, sizeof(d));
        break;
    }
    case KIND_BOOL: {
        bool b = json_is_true(value);

        memcpy(at, &b, sizeof(b));
        break;
    }
    }
}

static json_t *show(const void *base, const struct setting *s)
{
    const char *at = (const char *)base + s->offset;
    int64_t n = 0;
    double d = 0;
    bool b = false;

    switch (s->kind) {
    case KIND_INT:
        memcpy(&n, at, sizeof(n));
        return json_integer(n);
    case KIND_REAL:
        memcpy(&d, at, sizeof(d));
        return json_real(d);
    case KIND_BOOL:
        memcpy(&b, at, sizeof(b));
        return json_boolean(b);
    }
    return json_null();
}

static const struct setting *find(const struct setting *table, size_t nr, const char *name)
{
    size_t i = 0;

    for (i = 0; i < nr; i++) {
        if (strcmp(table[i].name, name) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

void sim_knobs_init(struct sim_knobs *k, double time_scale)
{
    memset(k, 0, sizeof(*k));
    k->time_scale = time_scale;
    k->ack_ms = 3000;
    k->trigger_ms = 3000;
    k->rate_scale = 1;
    k->retry_s[1] = 60;
    k->retry_s[2] = 300;
    k->retries_nr = 3;
    k->server_ping_ms = 10000;
    k->connection_s = 18060;
    k->warning_s = 10;
    k->max_connections = 10;
    k->close_linger_ms = 3000;
    k->ack_any_connection = true;
    k->echo_own = true;
    k->hook_uses = 5;
    k->hook_s = 1800;
}

static bool retries_ok(const json_t *value)
{
    size_t i = 0;

    if (!json_is_array(value) || json_array_size(value) > SIM_RETRIES_MAX) {
        return false;
    }
    for (i = 0; i < json_array_size(value); i++) {
        if (!json_is_number(json_array_get(value, i))) {
            return false;
        }
    }
    return true;
}

enum hm_code sim_knobs_set(struct sim_knobs *k, json_t *obj, struct hm_err *err)
{
    struct sim_knobs next = *k;
    void *it = NULL;
    size_t i = 0;

    for (it = json_object_iter(obj); it != NULL; it = json_object_iter_next(obj, it)) {
        const char *key = json_object_iter_key(it);
        json_t *value = json_object_iter_value(it);
        const struct setting *s = find(knobs, HM_ARRAY_LEN(knobs), key);

        if (strcmp(key, "retry_s") == 0 && retries_ok(value)) {
            next.retries_nr = (int64_t)json_array_size(value);
            for (i = 0; i < json_array_size(value); i++) {
                next.retry_s[i] = json_number_value(json_array_get(value, i));
            }
        } else if (s != NULL && fits(s->kind, value)) {
            put(&next, s, value);
        } else {
            return hm_err_set(err, HM_EINVAL, "no knob \"%s\" with such a value", key);
        }
    }
    *k = next;
    return HM_OK;
}

json_t *sim_knobs_json_new(const struct sim_knobs *k)
{
    json_t *out = hm_json_obj_new();
    json_t *retries = hm_json_arr_new();
    size_t i = 0;

    for (i = 0; i < HM_ARRAY_LEN(knobs); i++) {
        hm_json_set(out, knobs[i].name, show(k, &knobs[i]));
    }
    for (i = 0; i < (size_t)k->retries_nr; i++) {
        hm_json_add(retries, json_real(k->retry_s[i]));
    }
    hm_json_set(out, "retry_s", retries);
    return out;
}

void sim_nasty_init(struct sim_nasty *n)
{
    memset(n, 0, sizeof(*n));
    n->api = hm_json_obj_new();
}

void sim_nasty_done(struct sim_nasty *n)
{
    json_decref(n->api);
    n->api = NULL;
}

static enum hm_code check_fault(const char *method, json_t *fault, struct hm_err *err)
{
    static const char *const known[] = {"n",       "error",   "status", "retry_after", "hang",        "hang_after",
                                        "slow_ms", "garbage", "drop",   "drop_after",  "after_calls", "status_after"};
    void *it = NULL;
    size_t i = 0;

    for (it = json_object_iter(fault); it != NULL; it = json_object_iter_next(fault, it)) {
        const char *key = json_object_iter_key(it);

        for (i = 0; i < HM_ARRAY_LEN(known) && strcmp(known[i], key) != 0; i++) {
        }
        if (i == HM_ARRAY_LEN(known)) {
            return hm_err_set(err, HM_EINVAL, "fault of %s: no \"%s\"", method, key);
        }
    }
    return HM_OK;
}

/* "api": {method: fault or null}. */
static enum hm_code merge_faults(json_t *into, json_t *faults, struct hm_err *err)
{
    void *it = NULL;

    for (it = json_object_iter(faults); it != NULL; it = json_object_iter_next(faults, it)) {
        const char *method = json_object_iter_key(it);
        json_t *fault = json_object_iter_value(it);

        if (json_is_null(fault)) {
            (void)json_object_del(into, method);
        } else if (!json_is_object(fault)) {
            return hm_err_set(err, HM_EINVAL, "fault of %s: wants an object or null", method);
        } else if (check_fault(method, fault, err) != HM_OK) {
            return HM_EINVAL;
        } else {
            hm_json_set(into, method, json_deep_copy(fault));
        }
    }
    return HM_OK;
}

/* The switches that are no plain number or bool. HM_ENOTFOUND: not one of them. */
static enum hm_code set_special(struct sim_nasty *n, const char *key, json_t *value, struct hm_err *err)
{
    if (strcmp(key, "duplicate_on") == 0 && json_is_string(value)) {
        n->duplicate_other = strcmp(json_string_value(value), "other") == 0;
        return HM_OK;
    }
    if (strcmp(key, "refuse_upgrade") == 0 && json_is_object(value)) {
        n->refuse_status = hm_json_get_int(value, "status", 503);
        n->refuse_n = hm_json_get_int(value, "n", -1);
        return HM_OK;
    }
    if (strcmp(key, "disconnect_first") == 0 && json_is_object(value)) {
        (void)snprintf(n->first_reason, sizeof(n->first_reason), "%.60s", hm_json_get_str(value, "reason", "refresh_requested"));
        n->first_n = hm_json_get_int(value, "n", -1);
        return HM_OK;
    }
    if (strcmp(key, "api") == 0 && json_is_object(value)) {
        return merge_faults(n->api, value, err);
    }
    return hm_err_set(err, HM_ENOTFOUND, "no switch \"%s\" with such a value", key);
}

enum hm_code sim_nasty_set(struct sim_nasty *n, json_t *obj, struct hm_err *err)
{
    struct sim_nasty next = *n;
    void *it = NULL;

    next.api = json_deep_copy(n->api);
    for (it = json_object_iter(obj); it != NULL; it = json_object_iter_next(obj, it)) {
        const char *key = json_object_iter_key(it);
        json_t *value = json_object_iter_value(it);
        const struct setting *s = find(switches, HM_ARRAY_LEN(switches), key);

        if (s != NULL && fits(s->kind, value)) {
            put(&next, s, value);
        } else if (set_special(&next, key, value, err) != HM_OK) {
            json_decref(next.api);
            return HM_EINVAL;
        }
    }
    json_decref(n->api);
    *n = next;
    return HM_OK;
}

json_t *sim_nasty_json_new(const struct sim_nasty *n)
{
    json_t *out = hm_json_obj_new();
    json_t *refuse = hm_json_obj_new();
    json_t *first = hm_json_obj_new();
    size_t i = 0;

    for (i = 0; i < HM_ARRAY_LEN(switches); i++) {
        hm_json_set(out, switches[i].name, show(n, &switches[i]));
    }
    hm_json_set_str(out, "duplicate_on", n->duplicate_other ? "other" : "same");
    hm_json_set_int(refuse, "status", n->refuse_status);
    hm_json_set_int(refuse, "n", n->refuse_n);
    hm_json_set(out, "refuse_upgrade", refuse);
    hm_json_set_str(first, "reason", n->first_reason);
    hm_json_set_int(first, "n", n->first_n);
    hm_json_set(out, "disconnect_first", first);
    hm_json_set(out, "api", json_deep_copy(n->api));
    return out;
}

bool sim_nasty_take(int64_t *n)
{
    if (*n > 0) {
        (*n)--;
        return true;
    }
    return *n < 0;
}

const json_t *sim_nasty_fault(struct sim_nasty *n, const char *method)
{
    const char *names[] = {method, "*"};
    size_t i = 0;

    for (i = 0; i < HM_ARRAY_LEN(names); i++) {
        json_t *fault = json_object_get(n->api, names[i]);
        int64_t after = hm_json_get_int(fault, "after_calls", 0);
        int64_t left = hm_json_get_int(fault, "n", -1);

        if (fault == NULL) {
            continue;
        }
        if (after > 0) {
            hm_json_set_int(fault, "after_calls", after - 1);
            continue;
        }
        if (left != 0) {
            if (left > 0) {
                hm_json_set_int(fault, "n", left - 1);
            }
            return fault;
        }
    }
    return NULL;
}
