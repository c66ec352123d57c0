/* The Home tab: see home.h. */
#include "view/home.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "slack/escape.h"
#include "slack/form.h"
#include "view/card_parts.h"
#include "view/start.h"
#include "view/words.h"

enum { QUESTION_MAX = 400, TITLE_MAX = 150, RECIPES_SHOWN = 40 };

/* link: made by us from what Slack said, without any character that could end it. */
static void add_link(struct hm_strbuf *out, const char *link, const char *words)
{
    if (link == NULL || link[0] == '\0' || strpbrk(link, " <>|") != NULL)
        return;
    hm_strbuf_addf(out, " · <%s|%s>", link, words);
}

static void add_held(struct hm_blocks *blocks, const struct hm_home *home)
{
    struct hm_strbuf out;
    if (home->around.held_by == NULL)
        return;
    hm_strbuf_init(&out, 1000);
    hm_strbuf_adds(&out, ":octagonal_sign: *Everything is stopped* by ");
    hm_word_user(&out, home->around.held_by);
    hm_strbuf_adds(&out, " since ");
    hm_word_moment(&out, home->around.held_ms);
    hm_strbuf_addf(&out, ". `%s resume` lets it go on.", home->command);
    (void)hm_blocks_section(blocks, hm_strbuf_str(&out));
    hm_strbuf_done(&out);
}

static void add_gate(struct hm_blocks *blocks, const struct hm_home_gate *one)
{
    const struct hm_run *run = one->run;
    const struct hm_gate *gate = hm_run_open_gate(run);
    struct hm_strbuf out;
    if (gate == NULL)
        return;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    hm_strbuf_adds(&out, ":lock: *");
    hm_word_plain(&out, run->recipe->title, TITLE_MAX);
    hm_strbuf_adds(&out, "*\n");
    (void)hm_slack_cut_mrkdwn(&out, gate->question != NULL ? gate->question : "", QUESTION_MAX);
    hm_strbuf_addc(&out, '\n');
    hm_slack_add_code(&out, run->id);
    hm_strbuf_adds(&out, " asked by ");
    hm_word_user(&out, run->requester);
    hm_strbuf_adds(&out, " · ");
    hm_word_count(&out, gate->n_plan, "request", "requests");
    hm_strbuf_adds(&out, " · ");
    hm_card_add_tally(&out, &run->recipe->steps[run->at], gate);
    hm_strbuf_adds(&out, " · closes at ");
    hm_word_time_near(&out, gate->expires_ms, gate->opened_ms);
    add_link(&out, one->link, "card");
    char *value = hm_card_value(run->id, gate->nonce);
    const struct hm_button look = {"Decide …", HM_ACTION_LOOK, value, HM_STYLE_PRIMARY, NULL};
    (void)hm_blocks_section_button(blocks, hm_strbuf_str(&out), &look);
    free(value);
    hm_strbuf_done(&out);
}

static void add_gates(struct hm_blocks *blocks, const struct hm_home *home)
{
    (void)hm_blocks_header(blocks, "Waiting for you");
    if (home->n_gates == 0)
        (void)hm_blocks_section(blocks, home->unsure ? "Slack did not say which roles you have, so gates may be missing here."
                                                     : ":white_check_mark: Nothing waits for your decision.");
    for (size_t i = 0; i < home->n_gates && i < HM_HOME_GATES; i++)
        add_gate(blocks, &home->gates[i]);
    if (home->n_gates > HM_HOME_GATES) {
        struct hm_strbuf out;
        hm_strbuf_init(&out, 200);
        hm_strbuf_addf(&out, "%zu more %s for you; `%s runs` lists all.", home->n_gates - HM_HOME_GATES,
                       hm_plural((int64_t)(home->n_gates - HM_HOME_GATES), "waits", "wait"), home->command);
        (void)hm_blocks_section(blocks, hm_strbuf_str(&out));
        hm_strbuf_done(&out);
    }
}

/* The bar of a run that goes through items. */
static void add_progress(struct hm_strbuf *out, const struct hm_run *run)
{
    if (run == NULL || run->recipe == NULL || run->at >= (int)run->recipe->n_steps || run->steps[run->at].n_calls < 2)
        return;
    hm_strbuf_addc(out, '\n');
    hm_card_add_bar(out, &run->steps[run->at]);
}

static void add_runs(struct hm_blocks *blocks, const char *title, const struct hm_home_run *runs, size_t n, const char *none)
{
    (void)hm_blocks_header(blocks, title);
    if (n == 0)
        (void)hm_blocks_section(blocks, none);
    struct hm_strbuf out;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    for (size_t i = 0; i < n && i < HM_HOME_RUNS; i++) {
        hm_strbuf_adds(&out, out.len > 0 ? "\n" : "");
        hm_runs_add_line(&out, &runs[i].line);
        add_link(&out, runs[i].link, "card");
        add_progress(&out, runs[i].line.run);
    }
    (void)hm_blocks_section(blocks, hm_strbuf_str(&out));
    hm_strbuf_done(&out);
}

static void add_alarms(struct hm_blocks *blocks, const struct hm_home *home)
{
    struct hm_strbuf out;
    if (home->n_alarms == 0)
        return;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    (void)hm_blocks_header(blocks, "Recent alarms");
    for (size_t i = 0; i < home->n_alarms && i < HM_HOME_ALARMS; i++) {
        const struct hm_home_alarm *alarm = &home->alarms[i];
        hm_strbuf_adds(&out, out.len > 0 ? "\n" : "");
        hm_strbuf_adds(&out, alarm->over ? ":white_check_mark: " : ":rotating_light: ");
        hm_word_plain(&out, alarm->title, TITLE_MAX);
        hm_strbuf_adds(&out, " · ");
        hm_word_channel(&out, alarm->channel);
        hm_strbuf_adds(&out, ", ");
        hm_word_moment(&out, alarm->at_ms);
        add_link(&out, alarm->link, "message");
    }
    (void)hm_blocks_section(blocks, hm_strbuf_str(&out));
    hm_strbuf_done(&out);
}

static void add_mine(struct hm_blocks *blocks, const struct hm_home *home)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    (void)hm_blocks_header(blocks, "What you can run");
    if (home->n_mine == 0) {
        (void)hm_blocks_section(blocks, home->unsure ? "Slack did not say which roles you have; open this page again in a minute."
                                                     : "There is no recipe that you may start. Ask whoever is on call.");
        hm_strbuf_done(&out);
        return;
    }
    (void)hm_form_picker(blocks, "Choose one to open its form.", HM_ACTION_PICK, "Choose a recipe");
    for (size_t i = 0; i < home->n_mine && i < RECIPES_SHOWN; i++) {
        const struct hm_recipe *recipe = home->mine[i];
        hm_strbuf_adds(&out, i > 0 ? "\n• " : "• ");
        hm_slack_add_code(&out, recipe->name);
        hm_strbuf_addc(&out, ' ');
        hm_word_plain(&out, recipe->title, TITLE_MAX);
        hm_strbuf_adds(&out, recipe->worst != HM_EFFECT_READ && recipe->ungated == NULL ? " :lock:" : "");
    }
    if (home->n_mine > RECIPES_SHOWN)
        hm_strbuf_addf(&out, "\n… and %zu more, in the list above.", home->n_mine - RECIPES_SHOWN);
    (void)hm_blocks_section(blocks, hm_strbuf_str(&out));
    hm_strbuf_reset(&out);
    hm_strbuf_addf(&out, ":lock: changes something, and asks for approval before. `%s help` tells more.", home->command);
    const char *const texts[] = {hm_strbuf_str(&out)};
    (void)hm_blocks_context(blocks, texts, 1);
    hm_strbuf_done(&out);
}

json_t *hm_home_new(const struct hm_home *home, struct hm_err *err)
{
    const struct hm_view_head head = {.callback_id = HM_HOME_VIEW};
    struct hm_blocks *blocks = hm_blocks_new(HM_SURFACE_HOME, "home", 0);
    if (home->outsider) {
        (void)hm_blocks_section(blocks, "You belong to another workspace; only people of this one can run recipes here.");
        return hm_form_view_new(blocks, HM_SURFACE_HOME, &head, err);
    }
    if (home->nobody_known) {
        (void)hm_blocks_section(blocks, "Slack did not say which workspace this is. Open this tab again in a minute.");
        return hm_form_view_new(blocks, HM_SURFACE_HOME, &head, err);
    }
    add_held(blocks, home);
    add_gates(blocks, home);
    struct hm_strbuf title;
    hm_strbuf_init(&title, 100);
    hm_strbuf_adds(&title, "Going on");
    if (home->all_going > 0)
        hm_strbuf_addf(&title, ": %zu", home->all_going);
    add_runs(blocks, hm_strbuf_str(&title), home->going, home->n_going, "No run is under way.");
    hm_strbuf_done(&title);
    add_alarms(blocks, home);
    add_runs(blocks, "Recent runs", home->recent, home->n_recent, "There has been none yet.");
    add_mine(blocks, home);
    return hm_form_view_new(blocks, HM_SURFACE_HOME, &head, err);
}
