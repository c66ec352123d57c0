/* A stage for the run core: see stage.h. */
#include "tests/support/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"

static void fatal(const char *what, const char *detail)
{
    (void)fprintf(stderr, "stage: %s: %s\n", what, detail);
    abort();
}

static void copy_id(char to[32], const char *from)
{
    size_t len = strnlen(from, 31);
    memcpy(to, from, len);
    to[len] = '\0';
}

/* ---- the runner's io ------------------------------------------------------------------------------------------------- */

static void io_commit(void *arg, const struct hm_commit *commit, void *token)
{
    struct stage *stage = arg;
    if (stage->n_commits == HM_ARRAY_LEN(stage->commits))
        fatal("too many commits under way", commit->run_id);
    struct stage_commit *c = &stage->commits[stage->n_commits++];
    *c = (struct stage_commit){.token = token, .first_seq = commit->first_seq};
    copy_id(c->run_id, commit->run_id);
    hm_events_init(&c->events);
    for (size_t i = 0; i < commit->events->count; i++)
        hm_events_add(&c->events, commit->events->items[i].type, commit->events->items[i].at_ms,
                      json_deep_copy(commit->events->items[i].data));
}

static void copy_request(struct hm_request *to, const struct hm_request *from)
{
    hm_request_init(to);
    to->method = hm_xstrdup(from->method);
    to->url = hm_xstrdup(from->url);
}

static void io_send(void *arg, const char *run_id, const struct hm_ticket *ticket, const struct hm_backend *backend,
                    const struct hm_request *req, int64_t timeout_ms)
{
    struct stage *stage = arg;
    (void)backend;
    (void)timeout_ms;
    if (stage->n_flights == HM_ARRAY_LEN(stage->flights))
        fatal("too many requests under way", run_id);
    struct stage_flight *flight = &stage->flights[stage->n_flights++];
    *flight = (struct stage_flight){.ticket = *ticket};
    copy_id(flight->run_id, run_id);
    copy_request(&flight->req, req);
}

static void io_changed(void *arg, const struct hm_run *run)
{
    struct stage *stage = arg;
    (void)run;
    stage->changed++;
}

static void io_wake(void *arg, int64_t at_ms)
{
    struct stage *stage = arg;
    stage->wake_ms = at_ms;
}

static enum hm_code io_load(void *arg, const char *run_id, bool (*visit)(void *visit_arg, const struct hm_event *event),
                            void *visit_arg, struct hm_err *err)
{
    struct stage *stage = arg;
    size_t found = 0;
    stage->loads++;
    if (stage->loads_fail)
        return hm_err_set(err, HM_EIO, "the disk does not answer");
    for (size_t i = 0; i < stage->n_journal; i++) {
        if (strcmp(stage->journal[i].run_id, run_id) != 0)
            continue;
        found++;
        struct hm_event event = stage->journal[i].event;
        event.nr = (int64_t)i + 1;
        if (visit == NULL || !visit(visit_arg, &event))
            break;
    }
    if (found > 0 && stage->foreign != NULL)
        return hm_err_set(err, HM_EENV, "%s", stage->foreign);
    return found > 0 ? HM_OK : hm_err_set(err, HM_ENOTFOUND, "no run %s", run_id);
}

static const struct hm_backend *env_backend(void *arg, const char *name)
{
    struct stage *stage = arg;
    return strcmp(name, stage->backend.name) == 0 ? &stage->backend : NULL;
}

static enum hm_member env_member(void *arg, const char *role, const char *user)
{
    struct stage *stage = arg;
    bool both = strcmp(user, "U0BEN") == 0 || strcmp(user, "U0CAM") == 0;
    if (strcmp(role, "data") == 0) /* a second role: these two, and everybody whose id ends in DIA */
        return both || strcmp(user + 2, "DIA") == 0 ? HM_MEMBER_YES : HM_MEMBER_NO;
    if (strcmp(role, "hausmeister") != 0)
        return HM_MEMBER_NO;
    if (strcmp(user + 2, "OPS") == 0)
        return HM_MEMBER_YES;
    if (strcmp(user, "U0ANA") == 0)
        return stage->ana_is;
    return both ? HM_MEMBER_YES : HM_MEMBER_NO;
}

static void env_nonce(void *arg, char ret_nonce[17])
{
    struct stage *stage = arg;
    unsigned n = ++stage->nonces; /* the first half, which gives the run's id, is another one now and then: for many runs */
    (void)snprintf(ret_nonce, 17, "%08x%08x", n / 16 * 2654435761u, n * 2654435761u);
}

static void io_env(void *arg, const char *recipe, struct hm_run_env *ret_env)
{
    struct stage *stage = arg;
    *ret_env = (struct hm_run_env){
        .now_ms = stage->now_ms,
        .current = stage->current_gone       ? NULL
                   : stage->replaced != NULL ? stage->replaced
                                             : hm_recipes_find(&stage->recipes, recipe),
        .team = stage->team_unknown ? NULL : "T0SIM",
        .backend = env_backend,
        .member = env_member,
        .nonce = env_nonce,
        .arg = stage,
    };
}

static const struct hm_recipe *io_by_sha(void *arg, const char *sha256)
{
    struct stage *stage = arg;
    for (size_t i = 0; i < stage->recipes.count; i++)
        if (strcmp(stage->recipes.items[i]->sha256, sha256) == 0)
            return stage->recipes.items[i];
    return NULL;
}

static void open_runner(struct stage *stage)
{
    const struct hm_runner_io io = {io_commit, io_send, io_changed, io_wake, io_load, io_env, io_by_sha, stage};
    stage->wake_ms = INT64_MAX;
    stage->runner = hm_runner_new(&io);
    if (stage->rest)
        hm_runner_keep(stage->runner, 0);
}

void stage_rest(struct stage *stage)
{
    stage->rest = true;
    hm_runner_keep(stage->runner, 0);
}

/* ---- setting up ------------------------------------------------------------------------------------------------------ */

static const struct hm_recipe *add_recipe(struct stage *stage, const char *text)
{
    struct hm_diags diags;
    hm_diags_init(&diags);
    struct hm_recipe *recipe = hm_recipe_parse("stage.cfg", text, NULL, &diags);
    for (size_t i = 0; i < diags.count; i++)
        (void)fprintf(stderr, "%s:%d: %s\n", diags.items[i].file, diags.items[i].line, diags.items[i].text);
    hm_diags_done(&diags);
    if (recipe == NULL)
        fatal("a recipe does not load", text);
    stage->recipes.items = hm_xreallocarray(stage->recipes.items, stage->recipes.count + 1, sizeof(struct hm_recipe *));
    stage->recipes.items[stage->recipes.count++] = recipe;
    return recipe;
}

void stage_init(struct stage *stage, const char *const *recipes)
{
    *stage = (struct stage){.now_ms = 1763860000000, .ana_is = HM_MEMBER_YES, .requester = "U0ANA", .room = 512};
    stage->things = hm_xcalloc(stage->room, sizeof stage->things[0]);
    stage->backend = (struct hm_backend){
        .name = hm_xstrdup("fake"),
        .handler = hm_xstrdup("fake"),
        .url = hm_xstrdup("http://127.0.0.1:1"),
        .settings = hm_json_obj_new(),
        .headers = hm_json_obj_new(),
    };
    for (; *recipes != NULL; recipes++)
        (void)add_recipe(stage, *recipes);
    open_runner(stage);
}

static void drop_pending(struct stage *stage)
{
    for (size_t i = 0; i < stage->n_commits; i++)
        hm_events_done(&stage->commits[i].events);
    for (size_t i = 0; i < stage->n_flights; i++)
        hm_request_done(&stage->flights[i].req);
    stage->n_commits = 0;
    stage->n_flights = 0;
}

void stage_done(struct stage *stage)
{
    hm_runner_free(stage->runner);
    drop_pending(stage);
    for (size_t i = 0; i < stage->n_journal; i++)
        json_decref(stage->journal[i].event.data);
    free(stage->journal);
    free(stage->things);
    hm_recipes_done(&stage->recipes);
    free(stage->backend.name);
    free(stage->backend.handler);
    free(stage->backend.url);
    json_decref(stage->backend.settings);
    json_decref(stage->backend.headers);
}

void stage_replace_recipe(struct stage *stage, const char *text)
{
    stage->replaced = add_recipe(stage, text);
    hm_runner_changed(stage->runner);
}

/* ---- the backend ----------------------------------------------------------------------------------------------------- */

static size_t thing_index(struct stage *stage, const char *id)
{
    /* t17 is usually where it was put in its turn: 10,000 of them are found at once. */
    size_t guess = id[0] == 't' ? (size_t)strtoul(id + 1, NULL, 10) : 0;
    if (guess < stage->n_things && strcmp(stage->things[guess].id, id) == 0)
        return guess;
    for (size_t i = 0; i < stage->n_things; i++)
        if (strcmp(stage->things[i].id, id) == 0)
            return i;
    if (stage->n_things == stage->room) {
        stage->room *= 2;
        stage->things = hm_xreallocarray(stage->things, stage->room, sizeof stage->things[0]);
    }
    size_t len = strnlen(id, sizeof stage->things[0].id - 1);
    memset(&stage->things[stage->n_things], 0, sizeof stage->things[0]);
    memcpy(stage->things[stage->n_things].id, id, len);
    return stage->n_things++;
}

static enum stage_fate next_fate(enum stage_fate *fate, unsigned *left)
{
    if (*left == 0)
        return STAGE_OK;
    (*left)--;
    return *fate;
}

/* The request reaches the backend (unless its fate is that it does not). */
static void arrive(struct stage *stage, struct stage_flight *flight)
{
    bool write = strcmp(flight->req.method, "POST") == 0;
    if (flight->arrived)
        return;
    flight->arrived = true;
    flight->fate =
        write ? next_fate(&stage->write_fate, &stage->write_fate_for) : next_fate(&stage->read_fate, &stage->read_fate_for);
    if (!write)
        return;
    size_t i = thing_index(stage, strrchr(flight->req.url, '/') + 1);
    if (stage->fate_of != NULL)
        flight->fate = stage->fate_of(stage->things[i].id, stage->things[i].writes + 1);
    if (flight->fate == STAGE_REFUSED)
        return;
    stage->things[i].writes++;
    if (flight->fate == STAGE_OK || flight->fate == STAGE_LOST) {
        stage->things[i].effects++;
        stage->things[i].off = true;
    }
}

static void read_body(struct stage *stage, const struct stage_flight *flight, struct hm_strbuf *body)
{
    const char *id = strrchr(flight->req.url, '/') + 1;
    if (stage->empty) {
        hm_strbuf_adds(body, "{\"none\":[]}");
        return;
    }
    if (strcmp(id, "list") == 0 && stage->list_n > 0) {
        hm_strbuf_adds(body, "{\"items\":[");
        for (unsigned i = 0; i < stage->list_n; i++)
            hm_strbuf_addf(body, "%s{\"id\":\"t%u\"}", i > 0 ? "," : "", i);
        hm_strbuf_adds(body, "]}");
        return;
    }
    if (strcmp(id, "list") == 0) {
        hm_strbuf_adds(body, "{\"items\":[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"c\"},{\"id\":\"d\"},{\"id\":\"e\"}]}");
        return;
    }
    bool off = strncmp(id, "pages", 5) != 0 && stage->things[thing_index(stage, id)].off;
    hm_strbuf_addf(body, "{\"id\":\"%s\",\"on\":%s}", id, off ? "false" : "true");
}

static void answer(struct stage *stage, const struct stage_flight *flight)
{
    static const int status_of[] = {
        [STAGE_OK] = 200, [STAGE_500] = 500, [STAGE_503] = 503, [STAGE_404] = 404, [STAGE_400] = 400, [STAGE_GARBAGE] = 200};
    struct hm_strbuf body;
    struct hm_answer a = {.errors = "", .content_type = "", .location = "", .problem = "", .retry_after_s = -1};
    hm_strbuf_init(&body, 1000000);
    if (flight->fate == STAGE_LOST || flight->fate == STAGE_NEVER || flight->fate == STAGE_REFUSED) {
        a.transport = flight->fate == STAGE_LOST    ? HM_TRANSPORT_BROKEN
                      : flight->fate == STAGE_NEVER ? HM_TRANSPORT_TIMEOUT
                                                    : HM_TRANSPORT_NOT_SENT;
        a.problem = "the line went dead";
    } else {
        a.status = status_of[flight->fate];
    }
    if (flight->fate == STAGE_GARBAGE)
        hm_strbuf_adds(&body, "<html>");
    else if (strcmp(flight->req.method, "POST") == 0)
        hm_strbuf_adds(&body, "{}");
    else
        read_body(stage, flight, &body);
    a.body = hm_strbuf_str(&body);
    a.body_len = body.len;
    hm_runner_answer(stage->runner, flight->run_id, &flight->ticket, &a, 5);
    hm_strbuf_done(&body);
}

/* ---- playing --------------------------------------------------------------------------------------------------------- */

static void write_down(struct stage *stage, const struct stage_commit *c)
{
    for (size_t i = 0; i < c->events.count; i++) {
        int64_t seq = c->first_seq + (int64_t)i;
        size_t last = stage->n_journal;
        while (last > 0 && strcmp(stage->journal[last - 1].run_id, c->run_id) != 0)
            last--;
        if (seq != (last > 0 ? stage->journal[last - 1].seq : 0) + 1)
            fatal("an event number was used twice, or left out", c->run_id);
        if ((stage->n_journal & (stage->n_journal + 1)) == 0)
            stage->journal = hm_xreallocarray(stage->journal, 2 * stage->n_journal + 2, sizeof stage->journal[0]);
        struct stage_row *row = &stage->journal[stage->n_journal++];
        *row = (struct stage_row){.seq = seq, .event = c->events.items[i]};
        row->event.data = json_incref(c->events.items[i].data);
        copy_id(row->run_id, c->run_id);
    }
}

static void do_commit(struct stage *stage)
{
    struct stage_commit c = stage->commits[0];
    memmove(&stage->commits[0], &stage->commits[1], (stage->n_commits - 1) * sizeof c);
    stage->n_commits--;
    if (!stage->commits_fail)
        write_down(stage, &c);
    hm_events_done(&c.events);
    hm_runner_committed(stage->runner, c.token, stage->commits_fail ? HM_EIO : HM_OK, stage->commits_fail ? "disk full" : "");
}

static void do_flight(struct stage *stage)
{
    struct stage_flight flight = stage->flights[0];
    memmove(&stage->flights[0], &stage->flights[1], (stage->n_flights - 1) * sizeof flight);
    stage->n_flights--;
    arrive(stage, &flight);
    answer(stage, &flight);
    hm_request_done(&flight.req);
}

bool stage_step(struct stage *stage)
{
    if (stage->n_commits > 0)
        do_commit(stage);
    else if (stage->n_flights > 0)
        do_flight(stage);
    else
        return false;
    return true;
}

void stage_settle(struct stage *stage)
{
    unsigned steps = 0;
    while (stage_step(stage))
        if (++steps > 1000000)
            fatal("does not come to rest", stage->run_id);
}

void stage_advance(struct stage *stage, int64_t ms)
{
    int64_t until = stage->now_ms + ms;
    stage_settle(stage);
    while (stage->wake_ms <= until) {
        if (stage->wake_ms > stage->now_ms)
            stage->now_ms = stage->wake_ms;
        stage->wake_ms = INT64_MAX; /* a wish is granted once */
        hm_runner_time(stage->runner, stage->now_ms);
        stage_settle(stage);
    }
    stage->now_ms = until;
}

static void on_started(void *arg, enum hm_code code, const char *run_id, const char *problem)
{
    struct stage *stage = arg;
    (void)problem;
    stage->started = code;
    if (code == HM_OK)
        copy_id(stage->run_id, run_id);
}

enum hm_code stage_start(struct stage *stage, const char *name, const char *words, struct hm_err *err)
{
    const struct hm_recipe *recipe = hm_recipes_find(&stage->recipes, name);
    json_t *scope = hm_json_obj_new();
    json_t *given = NULL;
    json_t *params = NULL;
    enum hm_code code = HM_EINVAL;
    if (recipe == NULL)
        fatal("no such recipe", name);
    json_t *raw = hm_params_parse_new(recipe, words, err);
    if (raw != NULL)
        params = hm_params_check_new(recipe, raw, scope, &given, err);
    if (params != NULL) {
        const struct hm_run_order order = {.recipe = recipe,
                                           .params = params,
                                           .given = given,
                                           .requester = stage->requester,
                                           .team = "T0SIM",
                                           .channel = "C0OPS"};
        code = hm_runner_start(stage->runner, &order, 1, on_started, stage, err);
    }
    json_decref(raw);
    json_decref(params);
    json_decref(given);
    json_decref(scope);
    if (code == HM_OK && !stage->hold)
        stage_settle(stage);
    return code;
}

void stage_keep_reply(void *arg, const struct hm_reply *reply, const struct hm_run *run)
{
    struct stage *stage = arg;
    (void)run;
    stage->reply = *reply;
    stage->replies++;
}

static const char *offer_nonce(const struct hm_run *run)
{
    for (size_t i = 0; i < run->recipe->n_steps; i++)
        for (size_t o = 0; o < run->steps[i].n_offers; o++)
            if (run->steps[i].offers[o].taken_by == NULL)
                return run->steps[i].offers[o].nonce;
    return "none";
}

/* The nonce a click on the run's present buttons would bear. */
static const char *present_nonce(const struct hm_run *run, enum hm_input_kind kind)
{
    if (run != NULL && kind == HM_IN_OFFER)
        return offer_nonce(run);
    if (run == NULL || run->at >= (int)run->recipe->n_steps)
        return "none";
    const struct hm_step_state *step = &run->steps[run->at];
    if (kind == HM_IN_APPROVE || kind == HM_IN_REJECT)
        return step->gate.nonce;
    if (kind == HM_IN_CHOOSE || kind == HM_IN_DONE || kind == HM_IN_RETRY || kind == HM_IN_SKIP || kind == HM_IN_GIVE_UP)
        return step->question.nonce;
    for (size_t i = 0; i < step->n_calls; i++)
        if (step->calls[i].phase == HM_CALL_ASKING)
            return step->calls[i].nonce;
    return "none";
}

enum hm_reply_kind stage_say(struct stage *stage, enum hm_input_kind kind, const char *user, const char *typed,
                             const char *reason)
{
    char nonce[17];
    unsigned before = stage->replies;
    const char *present = present_nonce(stage_run(stage), kind);
    size_t len = strnlen(present, 16);
    memcpy(nonce, present, len);
    nonce[len] = '\0';
    const struct hm_input in = {.kind = kind,
                                .user = user,
                                .user_team = strcmp(user, "U0EVE") == 0 ? "T0OTHER" : "T0SIM",
                                .nonce = nonce,
                                .typed = typed,
                                .reason = reason};
    hm_runner_click(stage->runner, stage->run_id, &in, stage_keep_reply, stage);
    stage_settle(stage);
    if (stage->replies != before + 1)
        fatal("a click was not answered exactly once", user);
    return stage->reply.kind;
}

enum hm_reply_kind stage_click(struct stage *stage, enum hm_input_kind kind, const char *user, const char *typed)
{
    return stage_say(stage, kind, user, typed, NULL);
}

void stage_hold(struct stage *stage, bool held)
{
    stage->held = held;
    hm_runner_hold(stage->runner, held);
    hm_runner_show_all(stage->runner);
    stage_settle(stage);
}

void stage_use(struct stage *stage, const char *run_id)
{
    char copy[32];
    copy_id(copy, run_id); /* it may be our own */
    copy_id(stage->run_id, copy);
}

/* How a run ended, "" while it is going. */
static const char *ending_of(const struct stage *stage, const char *run_id, const char **ret_text)
{
    for (size_t i = stage->n_journal; i-- > 0;) {
        const struct stage_row *row = &stage->journal[i];
        if (strcmp(row->run_id, run_id) != 0)
            continue;
        if (row->event.type == HM_EV_RUN_REOPENED)
            return "";
        if (row->event.type != HM_EV_RUN_FINISHED)
            continue;
        if (ret_text != NULL)
            *ret_text = hm_json_get_str(row->event.data, "text", "");
        return hm_json_get_str(row->event.data, "status", "");
    }
    return "";
}

void stage_crash(struct stage *stage, bool arrived)
{
    for (size_t i = 0; arrived && i < stage->n_flights; i++)
        arrive(stage, &stage->flights[i]);
    drop_pending(stage);
    hm_runner_free(stage->runner);
    open_runner(stage);
    hm_runner_hold(stage->runner, stage->held);
    for (size_t i = 0; i < stage->n_journal; i++) {
        struct hm_err err = {0};
        const char *run_id = stage->journal[i].run_id;
        if (stage->journal[i].seq != 1 || ending_of(stage, run_id, NULL)[0] != '\0')
            continue; /* the journal hands out open runs only */
        if ((hm_runner_restore(stage->runner, run_id, &err) != HM_OK || err.code != HM_OK) && !stage->forged)
            fatal("the journal does not fold", err.msg);
        if (stage->run_id[0] == '\0')
            copy_id(stage->run_id, run_id);
    }
    hm_runner_restored(stage->runner);
}

void stage_forge(struct stage *stage, enum hm_event_type type, json_t *stolen_data)
{
    int64_t seq = 0;
    struct stage_commit c = {0};
    for (size_t i = 0; i < stage->n_journal; i++)
        if (strcmp(stage->journal[i].run_id, stage->run_id) == 0)
            seq = stage->journal[i].seq;
    stage->forged = true;
    copy_id(c.run_id, stage->run_id);
    c.first_seq = seq + 1;
    hm_events_init(&c.events);
    hm_events_add(&c.events, type, stage->now_ms, stolen_data);
    write_down(stage, &c);
    hm_events_done(&c.events);
}

const struct hm_run *stage_run(struct stage *stage)
{
    return hm_runner_find(stage->runner, stage->run_id);
}

const char *stage_ending(const struct stage *stage, const char **ret_text)
{
    return ending_of(stage, stage->run_id, ret_text);
}

unsigned stage_effects(const struct stage *stage, const char *id)
{
    for (size_t i = 0; i < stage->n_things; i++)
        if (strcmp(stage->things[i].id, id) == 0)
            return stage->things[i].effects;
    return 0;
}

unsigned stage_writes(const struct stage *stage, const char *id)
{
    for (size_t i = 0; i < stage->n_things; i++)
        if (strcmp(stage->things[i].id, id) == 0)
            return stage->things[i].writes;
    return 0;
}

unsigned stage_count(const struct stage *stage, enum hm_event_type type)
{
    unsigned count = 0;
    for (size_t i = 0; i < stage->n_journal; i++)
        if (stage->journal[i].event.type == type && strcmp(stage->journal[i].run_id, stage->run_id) == 0)
            count++;
    return count;
}
