/* The people in a recipe test: they do what the test says, one move at a time, when the run waits for somebody. See
 * recipe_test_stage.h.
 *
 * After a crash there is one more person: somebody who has looked, and says truly whether a lost request has taken effect. The
 * test's own moves know nothing of the crash. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/recipe_test_stage.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

static const struct hm_call *asking_call(const struct hm_run *run, int *ret_step, int *ret_item)
{
    for (size_t s = 0; run != NULL && s < run->recipe->n_steps; s++) {
        for (size_t i = 0; i < run->steps[s].n_calls; i++) {
            if (run->steps[s].calls[i].phase != HM_CALL_ASKING)
                continue;
            *ret_step = (int)s;
            *ret_item = (int)i;
            return &run->steps[s].calls[i];
        }
    }
    return NULL;
}

bool hm_test_people_wanted(const struct hm_run *run)
{
    int step = 0;
    int item = 0;
    return hm_run_open_gate(run) != NULL || hm_run_open_question(run) != NULL || asking_call(run, &step, &item) != NULL;
}

char *hm_test_people_why(const struct hm_run *run)
{
    int step = 0;
    int item = 0;
    if (run == NULL)
        return hm_xstrdup("for nothing that could still come");
    const struct hm_gate *gate = hm_run_open_gate(run);
    const struct hm_question *question = hm_run_open_question(run);
    const struct hm_call *asking = asking_call(run, &step, &item);
    if (gate != NULL)
        return hm_xasprintf("for an approval: %s%s%s", gate->question, gate->anew != NULL ? " Anew, because: " : "",
                            gate->anew != NULL ? gate->anew : "");
    if (question != NULL)
        return hm_xasprintf("for an answer: %s", question->text);
    if (asking != NULL)
        return hm_xasprintf("for somebody to say whether step %s happened: %s", run->recipe->steps[step].id,
                            asking->error != NULL ? asking->error : "");
    return hm_xstrdup("for nothing that could still come");
}

/* ---- clicks ---------------------------------------------------------------------------------------------------------- */

static void on_reply(void *arg, const struct hm_reply *reply, const struct hm_run *run)
{
    struct hm_test_play *play = arg;
    (void)run;
    play->reply = *reply;
    play->reply.step = NULL;
    play->reply.offer = NULL;
    play->clicking = false;
}

/* in: all but the nonce; its strings live as long as the test. */
static void click(struct hm_test_play *play, const struct hm_input *in, const char *nonce)
{
    (void)snprintf(play->click_nonce, sizeof play->click_nonce, "%s", nonce);
    play->click = *in;
    play->click.nonce = play->click_nonce;
    play->click.user_team = "T0TEST";
    play->clicking = true;
    hm_runner_click(play->runner, play->run_id, &play->click, on_reply, play);
    hm_test_play_settle(play);
}

void hm_test_people_again(struct hm_test_play *play)
{
    if (play->clicking)
        hm_runner_click(play->runner, play->run_id, &play->click, on_reply, play);
}

/* What the buttons of the present card bear for such a click. */
static const char *present_nonce(const struct hm_run *run, enum hm_input_kind kind)
{
    int step = 0;
    int item = 0;
    const struct hm_gate *gate = run != NULL ? hm_run_open_gate(run) : NULL;
    const struct hm_question *question = run != NULL ? hm_run_open_question(run) : NULL;
    const struct hm_call *asking = asking_call(run, &step, &item);
    if ((kind == HM_IN_APPROVE || kind == HM_IN_REJECT) && gate != NULL)
        return gate->nonce;
    if ((kind == HM_IN_HAPPENED || kind == HM_IN_DID_NOT || kind == HM_IN_STOP_HERE) && asking != NULL)
        return asking->nonce;
    if (question != NULL)
        return question->nonce;
    return "none";
}

/* The chosen labels as places in the list, as the dialog sends them. New, or NULL and a problem. */
static char *choice_text(struct hm_test_play *play, const struct hm_run *run, const struct hm_test_move *move)
{
    const struct hm_question *question = run != NULL ? hm_run_open_question(run) : NULL;
    if (question == NULL)
        return hm_xstrdup("{}");
    if (move->fill != NULL)
        return hm_json_text(move->fill);
    json_t *places = hm_json_arr_new();
    for (char **wanted = move->choose; *wanted != NULL; wanted++) {
        size_t i = 0;
        while (i < json_array_size(question->labels) &&
               !hm_streq(json_string_value(json_array_get(question->labels, i)), *wanted))
            i++;
        if (i == json_array_size(question->labels))
            hm_test_play_problem(play, "line %d: there is no \"%s\" to choose", move->line, *wanted);
        char place[24];
        (void)snprintf(place, sizeof place, "%zu", i);
        hm_json_add(places, json_string(place));
    }
    json_t *answer = hm_json_obj_new();
    hm_json_set(answer, "choice", places);
    char *text = hm_json_text(answer);
    json_decref(answer);
    return text;
}

static void do_click(struct hm_test_play *play, const struct hm_test_move *move)
{
    const struct hm_run *run = hm_test_play_find(play);
    struct hm_input in = {
        .kind = move->kind, .user = move->user, .typed = move->typed, .reason = move->reason, .glass = move->glass};
    if (move->kind == HM_IN_CHOOSE) {
        free(play->click_typed);
        play->click_typed = choice_text(play, run, move);
        in.typed = play->click_typed;
    }
    if (play->problems.len > 0)
        return;
    click(play, &in, present_nonce(run, move->kind));
    if (play->crash == HM_TEST_CRASH_NONE && move->reply >= 0 && play->reply.kind != (enum hm_reply_kind)move->reply)
        hm_test_play_problem(play, "line %d: the click \"%s\" of %s was told \"%s\" instead of \"%s\"", move->line,
                             hm_recipe_test_click_name(move->kind), move->user, hm_recipe_test_reply_name(play->reply.kind),
                             hm_recipe_test_reply_name((enum hm_reply_kind)move->reply));
}

/* ---- after a crash --------------------------------------------------------------------------------------------------- */

/* Somebody in the right role: who approves in this test, or who asked. */
static const char *honest_user(const struct hm_recipe_test *test)
{
    for (size_t i = 0; i < test->n_moves; i++)
        if (test->moves[i].wait_ms == 0 && test->moves[i].kind == HM_IN_APPROVE)
            return test->moves[i].user;
    return test->requester;
}

/* True when the question was the crash's doing, and is answered. */
static bool answer_honestly(struct hm_test_play *play)
{
    int step = 0;
    int item = 0;
    const struct hm_call *asking = asking_call(hm_test_play_find(play), &step, &item);
    for (size_t i = 0; asking != NULL && i < play->n_lost; i++) {
        struct hm_test_lost lost = play->lost[i];
        if (lost.step != step || lost.item != item)
            continue;
        play->lost[i] = play->lost[--play->n_lost];
        const struct hm_input in = {.kind = lost.applied ? HM_IN_HAPPENED : HM_IN_DID_NOT, .user = honest_user(play->test)};
        click(play, &in, asking->nonce);
        return true;
    }
    return false;
}

bool hm_test_people_move(struct hm_test_play *play, size_t *next_move)
{
    if (answer_honestly(play))
        return true;
    if (*next_move == play->test->n_moves)
        return false;
    const struct hm_test_move *move = &play->test->moves[(*next_move)++];
    if (move->wait_ms > 0)
        hm_test_play_advance(play, move->wait_ms);
    else
        do_click(play, move);
    return true;
}
