/* The backend and its network: see model_backend.h. */
#include "model_backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "check.h"
#include "model_book.h"
#include "model_time.h"
#include "process.h"
#include "run/runner.h"
#include "sim.h"

enum { MAX_THINGS = 16, THING_ID = 24, MAX_ITEMS = 5 };

enum place { ON_ITS_WAY, ANSWERED, GIVEN_UP };

struct flight {
    char run_id[32];
    struct hm_ticket ticket;
    char thing[THING_ID]; /* or "list", "pages" */
    bool write;
    enum place place;
    int status;       /* ANSWERED */
    bool garbage;     /* ANSWERED: a body that nobody can read */
    bool saw_it;      /* ANSWERED: when it was looked at, this very call's write had taken effect */
    bool off;         /* ANSWERED: what a read found */
    int64_t until_ms; /* GIVEN_UP: arrives before this true time */
};

struct backend {
    struct flight *flights;
    size_t n_flights;
    struct call_record *records;
    size_t n_records;
    struct {
        char id[THING_ID];
        bool off;
    } things[MAX_THINGS];
    size_t n_things;
    size_t n_items; /* in the list */
};

void sim_backend_init(void)
{
    sim->backend = hm_xcalloc(1, sizeof *sim->backend);
    sim->backend->n_items = 1 + rng_below(&sim->rng, MAX_ITEMS);
}

void sim_backend_done(void)
{
    free(sim->backend->flights);
    free(sim->backend->records);
    HM_FREE(sim->backend);
}

struct call_record *backend_record(const char *run_id, int step, int item)
{
    struct backend *b = sim->backend;
    for (size_t i = 0; i < b->n_records; i++)
        if (b->records[i].step == step && b->records[i].item == item && strcmp(b->records[i].run_id, run_id) == 0)
            return &b->records[i];
    b->records = hm_xreallocarray(b->records, b->n_records + 1, sizeof b->records[0]);
    struct call_record *record = &b->records[b->n_records++];
    *record = (struct call_record){.step = step, .item = item};
    (void)snprintf(record->run_id, sizeof record->run_id, "%s", run_id);
    return record;
}

void backend_again(const char *run_id, int step, bool once)
{
    struct backend *b = sim->backend;
    for (size_t i = 0; i < b->n_records; i++)
        if (b->records[i].step == step && strcmp(b->records[i].run_id, run_id) == 0 && (!once || b->records[i].proven))
            b->records[i].open = 0;
}

static bool *thing_is_off(const char *id)
{
    struct backend *b = sim->backend;
    for (size_t i = 0; i < b->n_things; i++)
        if (strcmp(b->things[i].id, id) == 0)
            return &b->things[i].off;
    if (b->n_things == MAX_THINGS)
        sim_bug("too many things");
    (void)snprintf(b->things[b->n_things].id, THING_ID, "%s", id);
    return &b->things[b->n_things++].off;
}

bool backend_is_off(const char *thing)
{
    return *thing_is_off(thing);
}

static struct call_record *record_of(const struct flight *f)
{
    return backend_record(f->run_id, f->ticket.step, f->ticket.item);
}

void backend_send(const char *run_id, const struct hm_ticket *ticket, const struct hm_request *req)
{
    struct backend *b = sim->backend;
    struct flight flight = {.ticket = *ticket, .write = strcmp(req->method, "POST") == 0};
    (void)snprintf(flight.run_id, sizeof flight.run_id, "%s", run_id);
    (void)snprintf(flight.thing, sizeof flight.thing, "%s", strrchr(req->url, '/') + 1);
    if (flight.write) {
        struct call_record *record = record_of(&flight);
        check_sent(run_id, ticket, req, record);
        record->sent++;
        record->open++;
        record->looked = record->look_saw_it = record->proven = false;
        sim->count.effects++;
    }
    sim_tell("%s sends %s %s (%s)", run_id, req->method, req->url, hm_purpose_name(ticket->purpose));
    b->flights = hm_xreallocarray(b->flights, b->n_flights + 1, sizeof b->flights[0]);
    b->flights[b->n_flights++] = flight;
}

/* ---- at the backend
 * ------------------------------------------------------------------------------------------------------------------- */

static void take_effect(const struct flight *f)
{
    *thing_is_off(f->thing) = true;
    record_of(f)->applied++;
}

/* What the backend makes of it. */
static void serve(struct flight *f)
{
    static const struct {
        int status;
        bool applies, garbage;
        unsigned weight;
    } moods[] = {{500, false, false, 6}, {500, true, false, 6}, {503, false, false, 10}, {404, false, false, 2},
                 {400, false, false, 2}, {200, false, true, 3}, {200, true, true, 3}};
    bool applies = true;
    f->place = ANSWERED;
    f->status = 200;
    f->garbage = false;
    if (sim->faults.bad_backend && !sim->calm) {
        size_t pick = rng_below(&sim->rng, 100);
        for (size_t i = 0, sum = 0; i < HM_ARRAY_LEN(moods); i++) {
            sum += moods[i].weight;
            if (pick < sum) {
                f->status = moods[i].status;
                f->garbage = moods[i].garbage;
                applies = moods[i].applies;
                break;
            }
        }
    }
    if (f->write && applies)
        take_effect(f);
    f->saw_it = record_of(f)->applied > 0;
    f->off = *thing_is_off(f->thing);
    sim_tell("backend: %s %s of %s arrives, HTTP %d%s%s", f->write ? "write to" : "read of", f->thing, f->run_id, f->status,
             f->garbage ? " and garbage" : "", f->write ? (applies ? ", done" : ", not done") : "");
}

static void write_body(const struct flight *f, struct hm_strbuf *body)
{
    if (f->garbage) {
        hm_strbuf_adds(body, "<html>");
    } else if (f->write) {
        hm_strbuf_adds(body, "{}");
    } else if (strcmp(f->thing, "list") == 0) {
        hm_strbuf_adds(body, "{\"items\":[");
        for (size_t i = 0; i < sim->backend->n_items; i++)
            hm_strbuf_addf(body, "%s{\"id\":\"%c\"}", i > 0 ? "," : "", (char)('a' + (int)i));
        hm_strbuf_adds(body, "]}");
    } else {
        hm_strbuf_addf(body, "{\"id\":\"%s\",\"on\":%s}", f->thing, f->off ? "false" : "true");
    }
}

/* ---- back to the bot
 * ------------------------------------------------------------------------------------------------------------------- */

static struct flight take(size_t index)
{
    struct backend *b = sim->backend;
    struct flight flight = b->flights[index];
    b->flights[index] = b->flights[--b->n_flights];
    return flight;
}

/* What the bot knows from now on. */
static void note_answer(const struct flight *f, enum hm_transport transport)
{
    struct call_record *record = record_of(f);
    bool nothing_done = transport == HM_TRANSPORT_NOT_SENT ||
                        (transport == HM_TRANSPORT_ANSWER && (f->status == 503 || f->status == 404 || f->status == 400));
    if (f->write && nothing_done && record->open > 0)
        record->open--;
    if (f->ticket.purpose == HM_FOR_PROBE && transport == HM_TRANSPORT_ANSWER && f->status == 200 && !f->garbage) {
        record->looked = true;
        record->look_saw_it = f->saw_it;
    }
}

static void answer(const struct flight *f, enum hm_transport transport)
{
    struct hm_strbuf body;
    struct hm_answer a = {.transport = transport, .errors = "", .content_type = "", .location = "", .retry_after_s = -1};
    hm_strbuf_init(&body, 10000);
    if (transport == HM_TRANSPORT_ANSWER) {
        a.status = f->status;
        write_body(f, &body);
        if (f->status == 503 && rng_percent(&sim->rng, 30))
            a.retry_after_s = 7;
    } else {
        a.problem = transport == HM_TRANSPORT_TIMEOUT  ? "no answer in time"
                    : transport == HM_TRANSPORT_BROKEN ? "the line went dead"
                                                       : "connection refused";
    }
    a.body = hm_strbuf_str(&body);
    a.body_len = body.len;
    note_answer(f, transport);
    sim_tell("%s hears about %s: %s", f->run_id, f->thing, transport == HM_TRANSPORT_ANSWER ? "the answer" : a.problem);
    hm_runner_answer(process_runner(), f->run_id, &f->ticket, &a, 5);
    hm_strbuf_done(&body);
}

size_t backend_waiting(void)
{
    size_t n = 0;
    for (size_t i = 0; i < sim->backend->n_flights; i++)
        n += sim->backend->flights[i].place != GIVEN_UP ? 1 : 0;
    return n;
}

static bool is_looked_for_long(const struct flight *f)
{
    const struct book_run *run = book_find(f->run_id);
    const struct hm_step *step = run != NULL ? &run->state->recipe->steps[f->ticket.step] : NULL;
    return step != NULL && step->effect == HM_EFFECT_ONCE && step->call.action->probe_action != NULL;
}

static void give_up(struct flight *f)
{
    record_of(f)->on_way++;
    f->place = GIVEN_UP;
    f->until_ms = sim_true_ms() + rng_between(&sim->rng, 0, is_looked_for_long(f) ? SIM_LATE_ONCE_MS : SIM_LATE_MS);
}

/* The bot hears nothing but that the line is dead. */
static void lose(size_t index)
{
    struct backend *b = sim->backend;
    struct flight f = b->flights[index];
    enum hm_transport how = rng_percent(&sim->rng, 50) ? HM_TRANSPORT_TIMEOUT : HM_TRANSPORT_BROKEN;
    if (f.place == ON_ITS_WAY && f.write && sim->faults.slow_writes && rng_percent(&sim->rng, 60))
        give_up(&b->flights[index]);
    else
        (void)take(index);
    answer(&f, how);
}

void backend_step(void)
{
    struct backend *b = sim->backend;
    size_t pick = rng_below(&sim->rng, backend_waiting());
    size_t i = 0;
    while (b->flights[i].place == GIVEN_UP || pick-- > 0)
        i++;
    bool lost = sim->faults.lost_replies && !sim->calm && rng_percent(&sim->rng, 12);
    if (b->flights[i].place == ON_ITS_WAY && !sim->calm && sim->faults.backend_down) {
        struct flight f = take(i);
        answer(&f, HM_TRANSPORT_NOT_SENT);
    } else if (lost) {
        lose(i);
    } else if (b->flights[i].place == ON_ITS_WAY) {
        serve(&b->flights[i]);
    } else {
        struct flight f = take(i);
        answer(&f, HM_TRANSPORT_ANSWER);
    }
}

/* ---- late ones
 * ---------------------------------------------------------------------------------------------------------------------------- */

int64_t backend_next_late_ms(void)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < sim->backend->n_flights; i++)
        if (sim->backend->flights[i].place == GIVEN_UP && sim->backend->flights[i].until_ms < next)
            next = sim->backend->flights[i].until_ms;
    return next;
}

void backend_late(bool all)
{
    for (size_t i = sim->backend->n_flights; i-- > 0;) {
        struct flight *f = &sim->backend->flights[i];
        if (f->place != GIVEN_UP || (!all && f->until_ms > sim_true_ms()))
            continue;
        struct flight late = take(i);
        record_of(&late)->on_way--;
        take_effect(&late);
        sim_tell("backend: the late write to %s of %s arrives, done", late.thing, late.run_id);
    }
}

void backend_crash(void)
{
    for (size_t i = sim->backend->n_flights; i-- > 0;) {
        struct flight *f = &sim->backend->flights[i];
        if (f->place == GIVEN_UP)
            continue;
        if (f->place == ON_ITS_WAY && f->write && rng_percent(&sim->rng, 50))
            give_up(f);
        else
            (void)take(i);
    }
}
