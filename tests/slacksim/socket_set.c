/* The set of connections: who is registered, whose turn it is, and what tests do to them. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "sock.h"

/* --- the set of connections --------------------------------------------------------------------------------------------------
 */
struct sim_socket *sim_socket_new(struct sim *sim)
{
    struct sim_socket *s = hm_xcalloc(1, sizeof(*s));

    s->sim = sim;
    s->tickets = hm_json_obj_new();
    s->envelopes = sim_envelopes_new(s);
    return s;
}

void sim_socket_free(struct sim_socket *s)
{
    if (s == NULL) {
        return;
    }
    sim_envelopes_free(s->envelopes);
    while (s->socks_nr > 0) {
        sim_sock_free(s->socks[0]);
    }
    free(s->socks);
    json_decref(s->tickets);
    free(s);
}

void sim_socket_reset(struct sim_socket *s, bool connections)
{
    size_t i = 0;

    sim_envelopes_reset(s->envelopes);
    s->ping_ms = 0;
    for (i = s->socks_nr; i > 0; i--) {
        struct sim_sock *k = s->socks[i - 1];

        if (k->conn == NULL) {
            sim_sock_free(k);
        } else if (connections) {
            sim_conn_reset(k->conn);
        }
    }
}

struct sim_sock *sim_sock_pick(struct sim_socket *s, const struct sim_sock *other)
{
    struct sim_sock *only = NULL;
    size_t i = 0;

    for (i = 0; i < s->socks_nr; i++) {
        struct sim_sock *k = s->socks[(s->turn + i) % s->socks_nr];

        if (!sim_sock_registered(k)) {
            continue;
        }
        if (k != other) {
            s->turn = (s->turn + i + 1) % s->socks_nr;
            return k;
        }
        only = k;
    }
    return only;
}

bool sim_socket_ready(const struct sim_socket *s)
{
    return sim_socket_registered(s) > 0;
}

size_t sim_socket_live(const struct sim_socket *s)
{
    size_t n = 0;
    size_t i = 0;

    for (i = 0; i < s->socks_nr; i++) {
        n += s->socks[i]->state == SIM_SOCK_OPEN && s->socks[i]->conn != NULL ? 1 : 0;
    }
    return n;
}

size_t sim_socket_registered(const struct sim_socket *s)
{
    size_t n = 0;
    size_t i = 0;

    for (i = 0; i < s->socks_nr; i++) {
        n += sim_sock_registered(s->socks[i]) ? 1 : 0;
    }
    return n;
}

size_t sim_socket_open_envelopes(const struct sim_socket *s)
{
    return sim_envelopes_open(s->envelopes);
}

int64_t sim_socket_frames_out(const struct sim_socket *s)
{
    return s->frames_out;
}

void sim_socket_send(struct sim_socket *s, const struct sim_envelope *envelope, char ret_id[SIM_ENVELOPE_ID_MAX])
{
    sim_envelopes_send(s->envelopes, envelope, ret_id);
}

void sim_socket_release(struct sim_socket *s, const char *id)
{
    sim_envelopes_release(s->envelopes, id);
}

json_t *sim_socket_json_new(const struct sim_socket *s)
{
    static const char *const names[SIM_SOCK_NR] = {"new", "open", "closing", "ghost", "phantom"};
    json_t *out = hm_json_arr_new();
    size_t i = 0;

    for (i = 0; i < s->socks_nr; i++) {
        const struct sim_sock *k = s->socks[i];
        json_t *one = hm_json_obj_new();

        hm_json_set_str(one, "id", k->id);
        hm_json_set_str(one, "state", names[k->state]);
        hm_json_set_bool(one, "ghost", k->state == SIM_SOCK_GHOST || k->state == SIM_SOCK_PHANTOM);
        hm_json_set_bool(one, "frozen", k->frozen);
        hm_json_set_bool(one, "stalled", k->stalled);
        hm_json_set_int(one, "age_ms", (sim_now_us() - k->opened_us) / 1000);
        hm_json_set_int(one, "envelopes", k->envelopes);
        hm_json_set_int(one, "acks", k->acks);
        hm_json_set_int(one, "frames_in", k->frames_in);
        hm_json_set_int(one, "frames_out", k->frames_out);
        hm_json_add(out, one);
    }
    return out;
}

/* --- what tests do to connections --------------------------------------------------------------------------------------------
 */
size_t sim_socket_disconnect(struct sim_socket *s, const char *id, const char *reason, int64_t close_after_ms)
{
    size_t n = 0;
    size_t i = 0;

    for (i = 0; i < s->socks_nr; i++) {
        struct sim_sock *k = s->socks[i];

        if (k->state != SIM_SOCK_OPEN || k->conn == NULL || (id != NULL && strcmp(k->id, id) != 0)) {
            continue;
        }
        n++;
        sim_sock_disconnect(k, reason, close_after_ms);
    }
    return n;
}

static void op_frame(struct sim_sock *k, uint8_t opcode, const json_t *body, const char *fallback)
{
    const char *data = hm_json_get_str(body, "data", fallback);
    struct sim_log_entry entry = {.kind = SIM_LOG_OUT, .who = k->id, .text = data};

    sim_log_add(k->s->sim->log, &entry);
    sim_sock_frame(k, opcode, true, data, strlen(data));
}

static bool op_one(struct sim_sock *k, const char *op, const json_t *body)
{
    bool on_wire = k->conn != NULL;

    if (strcmp(op, "rst") == 0 && on_wire) {
        sim_conn_reset(k->conn);
    } else if (strcmp(op, "fin") == 0 && on_wire) {
        sim_conn_fin(k->conn);
    } else if (strcmp(op, "freeze") == 0 && on_wire) {
        k->frozen = true;
        sim_conn_freeze(k->conn, true);
    } else if (strcmp(op, "thaw") == 0 && on_wire) {
        k->frozen = false;
        sim_conn_freeze(k->conn, false);
    } else if (strcmp(op, "stall") == 0) {
        k->stall_next = true;
    } else if (strcmp(op, "close") == 0) {
        sim_sock_close(k, (uint16_t)hm_json_get_int(body, "code", 1000), hm_json_get_str(body, "reason", ""));
    } else if (strcmp(op, "text") == 0) {
        op_frame(k, SIM_WS_TEXT, body, "UNAUTHENTICATED: cache_error");
    } else if (strcmp(op, "binary") == 0) {
        op_frame(k, SIM_WS_BINARY, body, "\x01\x02\x03");
    } else if (strcmp(op, "ping") == 0) {
        op_frame(k, SIM_WS_PING, body, "Ping from applink-sim");
    } else {
        return !on_wire;
    }
    sim_sock_log(k, op);
    return true;
}

bool sim_socket_op(struct sim_socket *s, const char *id, const char *op, const json_t *body)
{
    bool known = true;
    size_t i = 0;

    for (i = 0; i < s->socks_nr; i++) {
        struct sim_sock *k = s->socks[i];

        if (k->state == SIM_SOCK_PHANTOM || (id != NULL && strcmp(k->id, id) != 0)) {
            continue;
        }
        known = op_one(k, op, body) && known;
    }
    return known;
}

void sim_socket_ping_every(struct sim_socket *s, int64_t ms)
{
    size_t i = 0;

    s->ping_ms = ms;
    for (i = 0; i < s->socks_nr; i++) {
        sim_sock_start_pings(s->socks[i]);
    }
}

void sim_socket_apply_nasty(struct sim_socket *s)
{
    const struct sim_nasty *nasty = &s->sim->nasty;
    int64_t phantoms = 0;
    size_t i = 0;

    for (i = s->socks_nr; i > 0; i--) {
        struct sim_sock *k = s->socks[i - 1];

        if (k->conn != NULL) {
            sim_conn_split(k->conn, nasty->split_tcp > 0 ? (size_t)nasty->split_tcp : 0);
        } else if (k->state == SIM_SOCK_PHANTOM && ++phantoms > nasty->ghosts) {
            sim_sock_free(k);
        }
    }
    while (phantoms < nasty->ghosts) {
        (void)sim_sock_new(s, SIM_SOCK_PHANTOM);
        phantoms++;
    }
    s->sim->version++;
}
