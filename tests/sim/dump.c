/* The canonical dump of a run's state: every field of struct hm_run and of what hangs on it, in one order, as lines of text or as
 * one number. Two states are the same exactly when their dumps are; recipes count by their text, memory addresses not at all.
 *
 * Whoever adds a field to bot/run/state.h adds it here: otherwise no story sees when a restart loses it. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "sim.h"

struct dump {
    struct hm_strbuf *text; /* NULL: only the number */
    struct hm_strbuf path;
    uint64_t hash;
};

static uint64_t mix(uint64_t h, uint64_t value)
{
    h ^= value;
    h *= 0xff51afd7ed558ccdu;
    return h ^ (h >> 32);
}

static uint64_t hash_bytes(uint64_t h, const char *s, size_t len)
{
    uint64_t word = 0;
    while (len >= sizeof word) {
        memcpy(&word, s, sizeof word);
        h = mix(h, word);
        s += sizeof word;
        len -= sizeof word;
    }
    word = 0;
    memcpy(&word, s, len);
    return mix(mix(h, word), len);
}

/* Objects count as sets of pairs: the order of keys is nobody's business. */
static uint64_t hash_json(const json_t *value)
{
    const char *key = NULL;
    json_t *member = NULL;
    uint64_t h = value != NULL ? (uint64_t)json_typeof(value) + 11 : 7;
    if (json_is_object(value)) {
        json_object_foreach(hm_unconst(value), key, member) h += mix(hash_bytes(3, key, strlen(key)), hash_json(member));
    } else if (json_is_array(value)) {
        size_t i = 0;
        json_array_foreach(value, i, member) h = mix(h, hash_json(member));
    } else if (json_is_string(value)) {
        h = hash_bytes(h, json_string_value(value), json_string_length(value));
    } else if (json_is_integer(value)) {
        h = mix(h, (uint64_t)json_integer_value(value));
    } else if (json_is_real(value)) {
        double real = json_real_value(value);
        h = hash_bytes(h, (const char *)&real, sizeof real);
    }
    return h;
}

static void put_int(struct dump *d, const char *name, int64_t value)
{
    d->hash = mix(d->hash, (uint64_t)value);
    if (d->text != NULL)
        hm_strbuf_addf(d->text, "%s%s = %lld\n", hm_strbuf_str(&d->path), name, (long long)value);
}

static void put_str(struct dump *d, const char *name, const char *value)
{
    d->hash = value != NULL ? hash_bytes(d->hash, value, strlen(value)) : mix(d->hash, 5);
    if (d->text != NULL)
        hm_strbuf_addf(d->text, "%s%s = %s%s%s\n", hm_strbuf_str(&d->path), name, value != NULL ? "\"" : "",
                       value != NULL ? value : "none", value != NULL ? "\"" : "");
}

static void put_json(struct dump *d, const char *name, const json_t *value)
{
    d->hash = mix(d->hash, hash_json(value));
    if (d->text == NULL)
        return;
    char *text = value != NULL ? hm_json_text(value) : hm_xstrdup("none");
    hm_strbuf_addf(d->text, "%s%s = %s\n", hm_strbuf_str(&d->path), name, text);
    free(text);
}

/* Everything until leave() belongs to "name[index]". */
static size_t enter(struct dump *d, const char *name, size_t index)
{
    size_t before = d->path.len;
    d->hash = mix(d->hash, index + 1);
    if (d->text != NULL)
        hm_strbuf_addf(&d->path, "%s[%zu].", name, index);
    return before;
}

static void leave(struct dump *d, size_t before)
{
    if (d->text == NULL)
        return;
    d->path.len = before;
    if (d->path.s != NULL)
        d->path.s[before] = '\0';
}

static void put_call(struct dump *d, const char *name, size_t index, const struct hm_call *call)
{
    size_t before = enter(d, name, index);
    put_int(d, "phase", call->phase);
    put_int(d, "attempts", call->attempts);
    put_int(d, "sent", call->sent);
    put_int(d, "seq", call->seq);
    put_int(d, "started_ms", call->started_ms);
    put_int(d, "ended_ms", call->ended_ms);
    put_int(d, "again_ms", call->again_ms);
    put_int(d, "settles_ms", call->settles_ms);
    put_json(d, "args", call->args);
    put_json(d, "probe_args", call->probe_args);
    put_str(d, "backend", call->backend);
    put_json(d, "cursor", call->cursor);
    put_json(d, "result", call->result);
    put_str(d, "error", call->error);
    put_str(d, "code", call->code);
    put_int(d, "denied", call->denied);
    put_int(d, "resent", call->resent);
    put_int(d, "maybe", call->maybe);
    put_str(d, "nonce", call->nonce);
    put_str(d, "settled_by", call->settled_by);
    put_int(d, "excused", call->excused);
    leave(d, before);
}

static void put_plan(struct dump *d, const struct hm_gate *gate)
{
    put_int(d, "n_plan", (int64_t)gate->n_plan);
    for (size_t i = 0; i < gate->n_plan; i++) {
        size_t before = enter(d, "plan", i);
        put_int(d, "step", gate->plan[i].step);
        put_int(d, "item", gate->plan[i].item);
        put_str(d, "digest", gate->plan[i].digest);
        put_json(d, "request", gate->plan[i].request);
        leave(d, before);
    }
}

static void put_gate(struct dump *d, const struct hm_gate *gate)
{
    size_t outer = enter(d, "gate", 0);
    put_int(d, "decision", gate->decision);
    put_str(d, "nonce", gate->nonce);
    put_str(d, "digest", gate->digest);
    put_str(d, "question", gate->question);
    put_str(d, "typed", gate->typed);
    put_int(d, "opened_ms", gate->opened_ms);
    put_int(d, "expires_ms", gate->expires_ms);
    put_int(d, "decided_ms", gate->decided_ms);
    put_int(d, "n_votes", (int64_t)gate->n_votes);
    for (size_t i = 0; i < gate->n_votes; i++) {
        size_t before = enter(d, "votes", i);
        put_str(d, "user", gate->votes[i].user);
        put_int(d, "at_ms", gate->votes[i].at_ms);
        put_int(d, "broke_glass", gate->votes[i].broke_glass);
        put_str(d, "reason", gate->votes[i].reason);
        leave(d, before);
    }
    put_plan(d, gate);
    put_str(d, "anew", gate->anew);
    leave(d, outer);
}

static void put_question(struct dump *d, const struct hm_question *q)
{
    size_t before = enter(d, "question", 0);
    put_int(d, "kind", q->kind);
    put_str(d, "nonce", q->nonce);
    put_str(d, "text", q->text);
    put_json(d, "items", q->items);
    put_json(d, "labels", q->labels);
    put_int(d, "can_retry", q->can_retry);
    put_int(d, "opened_ms", q->opened_ms);
    put_int(d, "answered_ms", q->answered_ms);
    put_int(d, "expires_ms", q->expires_ms);
    put_str(d, "answered_by", q->answered_by);
    put_str(d, "answer", q->answer);
    leave(d, before);
}

static void put_offers(struct dump *d, const struct hm_step_state *step)
{
    put_int(d, "n_offers", (int64_t)step->n_offers);
    for (size_t i = 0; i < step->n_offers; i++) {
        const struct hm_made_offer *offer = &step->offers[i];
        size_t before = enter(d, "offers", i);
        put_str(d, "nonce", offer->nonce);
        put_str(d, "recipe", offer->recipe);
        put_str(d, "label", offer->label);
        put_json(d, "with", offer->with);
        put_str(d, "taken_by", offer->taken_by);
        put_str(d, "key", offer->key);
        put_int(d, "taken_ms", offer->taken_ms);
        leave(d, before);
    }
}

/* The sums are kept by the fold as it goes; here they count like everything else. */
static void put_sums(struct dump *d, const struct hm_step_state *step)
{
    for (size_t i = 0; i < HM_CALL_NR; i++)
        put_int(d, hm_call_phase_name((enum hm_call_phase)i), (int64_t)step->n_in[i]);
    put_int(d, "n_not_sent", (int64_t)step->n_not_sent);
    put_int(d, "n_excused", (int64_t)step->n_excused);
    put_int(d, "first_ready", (int64_t)step->first_ready);
    put_int(d, "n_busy", (int64_t)step->n_busy);
}

static void put_step(struct dump *d, size_t index, const struct hm_step_state *step)
{
    size_t before = enter(d, "steps", index);
    put_int(d, "phase", step->phase);
    put_int(d, "started_ms", step->started_ms);
    put_int(d, "ended_ms", step->ended_ms);
    put_int(d, "n_calls", (int64_t)step->n_calls);
    for (size_t i = 0; i < step->n_calls; i++)
        put_call(d, "calls", i, &step->calls[i]);
    put_json(d, "items", step->items);
    put_call(d, "verify", 0, &step->verify);
    put_json(d, "value", step->value);
    put_str(d, "said", step->said);
    put_str(d, "error", step->error);
    put_int(d, "excused", step->excused);
    put_gate(d, &step->gate);
    put_question(d, &step->question);
    put_offers(d, step);
    put_sums(d, step);
    leave(d, before);
}

static void put_run(struct dump *d, const struct hm_run *run)
{
    put_str(d, "id", run->id);
    put_str(d, "recipe", run->recipe != NULL ? run->recipe->sha256 : NULL);
    put_str(d, "accepted_sha", run->accepted_sha);
    put_json(d, "params", run->params);
    put_json(d, "given", run->given);
    put_str(d, "requester", run->requester);
    put_str(d, "team", run->team);
    put_str(d, "channel", run->channel);
    put_str(d, "thread_ts", run->thread_ts);
    put_str(d, "lock", run->lock);
    put_int(d, "started_ms", run->started_ms);
    put_int(d, "ended_ms", run->ended_ms);
    put_int(d, "deadline_ms", run->deadline_ms);
    put_int(d, "status", run->status);
    put_str(d, "ending", run->ending);
    put_str(d, "ended_by", run->ended_by);
    put_str(d, "cancel_by", run->cancel_by);
    put_str(d, "anew", run->anew);
    put_int(d, "lock_wait.waiting", run->lock_wait.waiting);
    put_str(d, "lock_wait.holder", run->lock_wait.holder);
    put_str(d, "lock_wait.user", run->lock_wait.user);
    put_int(d, "lock_wait.since_ms", run->lock_wait.since_ms);
    put_int(d, "lock_wait.from_ms", run->lock_wait.from_ms);
    put_int(d, "reopened", run->reopened);
    put_str(d, "reopened_by", run->reopened_by);
    put_int(d, "at", run->at);
    put_int(d, "seq", run->seq);
    put_int(d, "effect_started", run->effect_started);
    for (size_t i = 0; run->recipe != NULL && i < run->recipe->n_steps; i++)
        put_step(d, i, &run->steps[i]);
}

uint64_t sim_dump_hash(const struct hm_run *run)
{
    struct dump d = {.hash = 1};
    put_run(&d, run);
    return d.hash;
}

char *sim_dump_text(const struct hm_run *run)
{
    struct hm_strbuf text;
    struct dump d = {.text = &text, .hash = 1};
    hm_strbuf_init(&text, SIZE_MAX / 2);
    hm_strbuf_init(&d.path, 4096);
    put_run(&d, run);
    hm_strbuf_done(&d.path);
    return hm_strbuf_take(&text);
}
