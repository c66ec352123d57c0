/* Message slots against a Slack with bad luck, by seed: replies that are lost after the post was made, refusals, crashes, people
 * who delete messages. However it goes, there are never two messages of one key, and at the end each shows its latest content. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "post_rig.h"

enum { SIM_SLOTS = 6, SIM_MESSAGES = 200 };

struct message {
    char key[8];
    char text[32];
    bool deleted;
};

static struct message messages[SIM_MESSAGES];
static unsigned n_messages;
static char journal[SIM_SLOTS][16]; /* the ts that the owner was told */
static uint64_t sim_seed;

static unsigned sim_random(unsigned n)
{
    sim_seed = sim_seed * 6364136223846793005U + 1442695040888963407U;
    return (unsigned)(sim_seed >> 33) % n;
}

static void remember_ts(const char *key)
{
    (void)snprintf(journal[key[1] - '0'], sizeof(journal[0]), "%s", hm_poster_ts(poster, key));
}

static unsigned message_at(const char *ts)
{
    uint32_t i = 0;
    assert_true(hm_starts_with(ts, "9."));
    assert_true(hm_parse_u32(ts + 2, SIM_MESSAGES, &i));
    return i;
}

static void sim_post(unsigned i, bool reply_lost)
{
    struct message *m = &messages[n_messages];
    assert_true(n_messages < SIM_MESSAGES);
    (void)snprintf(m->key, sizeof(m->key), "%s", arg_of(i, "metadata.event_payload.key"));
    (void)snprintf(m->text, sizeof(m->text), "%s", arg_of(i, "text"));
    m->deleted = false;
    for (unsigned k = 0; k < n_messages; k++)
        assert_true(messages[k].deleted || strcmp(messages[k].key, m->key) != 0); /* never two of one key */
    char *ts = hm_xasprintf("9.%u", n_messages++);
    if (reply_lost)
        answer(i, HM_EUNKNOWN, "", NULL);
    else
        answer_posted(i, ts);
    free(ts);
}

static void sim_update(unsigned i)
{
    struct message *m = &messages[message_at(arg_of(i, "ts"))];
    if (m->deleted) {
        answer(i, HM_ENOTFOUND, "message_not_found", NULL);
        return;
    }
    (void)snprintf(m->text, sizeof(m->text), "%s", arg_of(i, "text"));
    answer(i, sim_random(4) == 0 ? HM_EIO : HM_OK, "", "{\"ok\":true}");
}

static void sim_look(unsigned i)
{
    json_t *body = hm_json_obj_new();
    json_t *list = hm_json_arr_new();
    for (unsigned k = 0; k < n_messages; k++) {
        json_t *m =
            json_pack("{s:{s:s, s:{s:s}}}", "metadata", "event_type", "hausmeister", "event_payload", "key", messages[k].key);
        char *ts = hm_xasprintf("9.%u", k);
        hm_json_set_str(m, "ts", ts);
        if (messages[k].deleted)
            json_decref(m);
        else
            hm_json_add(list, m);
        free(ts);
    }
    hm_json_set(body, "messages", list);
    char *text = hm_json_text(body);
    answer(i, HM_OK, "", text);
    free(text);
    json_decref(body);
}

static void sim_answer(unsigned i, bool luck)
{
    if (!luck && sim_random(5) == 0)
        answer(i, HM_EIO, "ratelimited", NULL); /* not done */
    else if (strcmp(calls[i].method, "chat.postMessage") == 0)
        sim_post(i, !luck && sim_random(3) == 0);
    else if (strcmp(calls[i].method, "chat.update") == 0)
        sim_update(i);
    else
        sim_look(i);
}

struct sim {
    char wanted[SIM_SLOTS][32];
    bool deleted[SIM_SLOTS];
    unsigned crashes;
};

static void sim_key(char key[8], unsigned slot)
{
    (void)snprintf(key, 8, "k%u", slot);
}

/* kill -9 and start again: only what the journal was told is known. */
static void sim_crash(const struct sim *sim)
{
    void *state = NULL;
    int64_t then = now_ms;

    for (unsigned i = 0; i < n_calls; i++) { /* calls that were under way may have happened all the same */
        if (calls[i].on_done != NULL && strcmp(calls[i].method, "chat.postMessage") == 0 && sim_random(2) == 0)
            sim_post(i, true);
    }
    (void)tear_down(&state);
    (void)set_up(&state);
    now_ms = then;
    in_posted = remember_ts;
    for (unsigned i = 0; i < SIM_SLOTS; i++) {
        char key[8];
        struct hm_slot_memory memory = {.ts = journal[i][0] != '\0' ? journal[i] : NULL, .maybe_posted = true};
        sim_key(key, i);
        hm_poster_restore(poster, key, "C1", "1.0", &memory);
        show(key, sim->wanted[i], false);
    }
}

static void sim_show(struct sim *sim, unsigned slot, const char *word, unsigned n, bool urgent)
{
    char key[8];
    sim_key(key, slot);
    (void)snprintf(sim->wanted[slot], sizeof(sim->wanted[slot]), "%s %u", word, n);
    show(key, sim->wanted[slot], urgent);
}

/* Somebody deletes the message of a slot; of each slot once. */
static void sim_delete(struct sim *sim, unsigned slot)
{
    for (unsigned k = 0; k < n_messages && !sim->deleted[slot]; k++) {
        if (messages[k].key[1] - '0' == (int)slot)
            messages[k].deleted = sim->deleted[slot] = true;
    }
}

static void sim_answers(unsigned one_of, bool luck)
{
    for (unsigned i = 0; i < n_calls; i++) {
        if (calls[i].on_done != NULL && sim_random(one_of) == 0)
            sim_answer(i, luck);
    }
}

static void sim_round(struct sim *sim, unsigned round)
{
    unsigned what = sim_random(12);
    unsigned slot = sim_random(SIM_SLOTS);

    advance(sim_random(3000));
    if (what < 4)
        sim_show(sim, slot, "round", round, sim_random(3) == 0);
    else if (what == 4 && sim->crashes++ < 3)
        sim_crash(sim);
    else if (what == 5)
        sim_delete(sim, slot);
    else
        sim_answers(2, false);
}

/* Each slot has one message with its latest content; or none, if it was deleted after that: nobody has noticed, and rightly. */
static void sim_check(const struct sim *sim)
{
    struct hm_poster_stats stats;

    hm_poster_stats(poster, &stats);
    assert_int_equal(stats.unshown + stats.stuck, 0);
    for (unsigned slot = 0; slot < SIM_SLOTS; slot++) {
        unsigned live = 0;
        for (unsigned k = 0; k < n_messages; k++) {
            if (messages[k].deleted || messages[k].key[1] - '0' != (int)slot)
                continue;
            live++;
            assert_string_equal(messages[k].text, sim->wanted[slot]);
        }
        assert_true(live == 1 || (live == 0 && sim->deleted[slot]));
    }
}

static void sim_run(uint64_t seed)
{
    struct sim sim = {.crashes = 0};

    sim_seed = seed;
    n_messages = 0;
    memset(journal, 0, sizeof(journal));
    in_posted = remember_ts;
    for (unsigned i = 0; i < SIM_SLOTS; i++) {
        char key[8];
        sim_key(key, i);
        hm_poster_open(poster, key, "C1", "1.0");
        sim_show(&sim, i, "start", i, false);
    }
    for (unsigned round = 0; round < 120 && n_calls < MAX_CALLS - 100; round++)
        sim_round(&sim, round);
    for (unsigned round = 0; round < 20; round++) { /* Slack is well again */
        advance(70000);
        sim_answers(1, true);
    }
    sim_check(&sim);
}

static void test_bad_luck(void **state)
{
    for (uint64_t seed = 1; seed <= 300; seed++) {
        sim_run(seed);
        (void)tear_down(state);
        (void)set_up(state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bad_luck, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
