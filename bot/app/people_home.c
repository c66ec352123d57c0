/* The Home tab, kept current for whoever looked at it lately. See people_parts.h.
 *
 * Happy path: opened → published at once; a run or an alarm changed → published anew for everybody who opened it in the last half
 * hour, at most every two seconds and a few people at a time, and not at all when nothing on it is different. Failure: Slack is
 * away → with the next change, or when it is opened again. Nothing of it has to be kept: it is made from the runs and the
 * journal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/cards.h"
#include "app/people_parts.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "slack/post_build.h"
#include "view/home.h"
#include "view/words.h"

enum {
    WATCHERS_MAX = 50,
    WATCH_MS = 30 * 60 * 1000, /* since it was opened */
    COALESCE_MS = 2000,
    PER_TURN = 3,     /* of views.publish: 90 in a minute, of Slack's 100 */
    GATES_LOOKED = 60 /* of the newest runs: who has more waiting for him uses the list of runs */
};

struct hm_watcher {
    struct hm_people *people;
    char user[32];
    int64_t opened_ms; /* monotonic */
    bool dirty, busy;
    bool outsider, nobody_known;
    char shown[HM_SHA256_HEX]; /* digest of what Slack shows, or "" */
    int64_t inbox_id;          /* the envelope of his opening it, or 0 */
};

/* ---- what is on it ------------------------------------------------------------------------------------------------------ */

struct page {
    const struct hm_people *people;
    const struct hm_watcher *watcher;
    struct hm_home_gate gates[HM_HOME_GATES + 1];
    struct hm_home_run going[HM_HOME_RUNS], recent[HM_HOME_RUNS];
    struct hm_home_alarm alarms[HM_HOME_ALARMS];
    char *links[2 * GATES_LOOKED];
    size_t n_links;
    struct hm_home home;
};

static const char *link_of(struct page *page, const struct hm_run *run)
{
    const struct hm_people *people = page->people;
    const char *ts = NULL;
    const char *channel = people->cards != NULL ? hm_cards_place(people->cards, run->id, &ts) : NULL;
    if (channel == NULL || ts == NULL || page->n_links == HM_ARRAY_LEN(page->links))
        return NULL;
    return page->links[page->n_links++] = hm_word_permalink(hm_cards_workspace_url(people->cards), channel, ts);
}

/* Whether this person's approval would count. */
static bool may_decide(const struct page *page, const struct hm_run *run)
{
    const struct hm_step *step = &run->recipe->steps[run->at];
    const struct hm_gate *gate = hm_run_open_gate(run);
    const char *user = page->watcher->user;
    bool own = strcmp(user, run->requester) == 0 || hm_streq(user, run->owner);
    for (size_t i = 0; gate != NULL && i < gate->n_votes; i++)
        if (strcmp(gate->votes[i].user, user) == 0)
            return false;
    return gate != NULL && (!own || step->self) && hm_people_in_any(page->people, step->by, user) == HM_MEMBER_YES;
}

static void add_runs(struct page *page)
{
    struct hm_runner *runner = page->people->opts.runner;
    const struct hm_run *runs[GATES_LOOKED];
    size_t n = hm_runner_newest(runner, runs, GATES_LOOKED);
    page->home.all_going = hm_runner_count(runner);
    for (size_t i = 0; i < n; i++) {
        if (runs[i]->recipe == NULL || runs[i]->broken != NULL)
            continue;
        const char *link = link_of(page, runs[i]);
        if (may_decide(page, runs[i]) && page->home.n_gates <= HM_HOME_GATES)
            page->gates[page->home.n_gates++] = (struct hm_home_gate){runs[i], link};
        if (page->home.n_going < HM_HOME_RUNS)
            page->going[page->home.n_going++] = (struct hm_home_run){.line = {.id = runs[i]->id,
                                                                              .recipe = runs[i]->recipe->name,
                                                                              .requester = runs[i]->requester,
                                                                              .run = runs[i],
                                                                              .started_ms = runs[i]->started_ms},
                                                                     .link = link};
    }
}

static void add_recent(struct page *page, const struct hm_run_list *list)
{
    for (size_t i = 0; list != NULL && i < list->n_recent && i < HM_HOME_RUNS; i++)
        page->recent[page->home.n_recent++] = (struct hm_home_run){.line = list->recent[i]};
}

/* A new view, or NULL. */
static json_t *page_new(struct hm_people *people, const struct hm_watcher *watcher)
{
    struct hm_err err = {0};
    struct page *page = hm_xcalloc(1, sizeof *page);
    const struct hm_recipes *recipes = &people->settings->recipes;
    const struct hm_recipe **mine = hm_xcalloc(recipes->count + 1, sizeof(void *));
    const struct hm_run_list *list = NULL;
    struct hm_listing *listing = hm_people_recent_new(people, &list);
    page->people = people;
    page->watcher = watcher;
    page->home = (struct hm_home){.command = people->settings->slack.command,
                                  .around = hm_people_around(people),
                                  .gates = page->gates,
                                  .going = page->going,
                                  .recent = page->recent,
                                  .alarms = page->alarms,
                                  .mine = mine,
                                  .outsider = watcher->outsider,
                                  .nobody_known = watcher->nobody_known};
    page->home.n_mine = hm_people_may_start(people, watcher->user, mine);
    page->home.unsure = !hm_roles_known(people->opts.roles);
    add_runs(page);
    add_recent(page, list);
    if (people->alarms != NULL)
        page->home.n_alarms = people->alarms(people->alarms_arg, page->alarms, HM_HOME_ALARMS);
    for (size_t i = 0; i < page->home.n_alarms; i++) {
        struct hm_home_alarm *alarm = &page->alarms[i];
        const char *workspace = people->cards != NULL ? hm_cards_workspace_url(people->cards) : NULL;
        char *link = hm_word_permalink(workspace, alarm->channel, alarm->ts);
        (void)snprintf(alarm->link, sizeof alarm->link, "%s", link != NULL && strlen(link) < sizeof alarm->link ? link : "");
        free(link);
    }
    json_t *view = hm_home_new(&page->home, &err);
    if (view == NULL)
        hm_log(HM_LOG_ERROR, "home", "%s", err.msg);
    for (size_t i = 0; i < page->n_links; i++)
        free(page->links[i]);
    hm_people_recent_free(listing);
    free(mine);
    free(page);
    return view;
}

/* ---- publishing --------------------------------------------------------------------------------------------------------- */

/* His opening it has been answered. */
static void close_opening(struct hm_watcher *w)
{
    if (w->inbox_id != 0)
        hm_intake_done(w->people->opts.intake, w->inbox_id);
    w->inbox_id = 0;
}

static void arm(struct hm_people *people)
{
    if (!hm_timer_active(people->home_timer))
        hm_timer_start(people->home_timer, COALESCE_MS);
}

static void on_published(void *arg, const struct hm_web_answer *answer)
{
    struct hm_watcher *w = arg;
    w->busy = false;
    close_opening(w);
    if (answer->code != HM_OK) {
        w->shown[0] = '\0';
        hm_log(HM_LOG_WARN, "home", "the Home tab of %s: %s", w->user, answer->sentence);
    }
    if (w->dirty)
        arm(w->people);
}

/* True when a call was made. */
static bool publish(struct hm_watcher *w)
{
    char digest[HM_SHA256_HEX];
    w->dirty = false;
    json_t *view = page_new(w->people, w);
    if (view == NULL) {
        close_opening(w);
        return false;
    }
    hm_post_digest(view, digest);
    if (strcmp(digest, w->shown) == 0) {
        json_decref(view);
        close_opening(w);
        return false;
    }
    memcpy(w->shown, digest, sizeof digest);
    json_t *args = hm_json_obj_new();
    hm_json_set_str(args, "user_id", w->user);
    hm_json_set(args, "view", view);
    w->busy = true;
    hm_web_call(w->people->opts.api, "views.publish", HM_WEB_BOT, args, on_published, w);
    return true;
}

void hm_people_home_turn(void *arg)
{
    struct hm_people *people = arg;
    int64_t now_ms = hm_mono_ms(people->opts.clock);
    unsigned calls = 0;
    bool more = false;
    for (size_t i = 0; i < people->n_watchers; i++) {
        struct hm_watcher *w = people->watchers[i];
        if (!w->dirty || w->busy || now_ms - w->opened_ms > WATCH_MS)
            continue;
        if (calls < PER_TURN)
            calls += publish(w) ? 1 : 0;
        else
            more = true;
    }
    if (more)
        arm(people);
}

void hm_people_changed(struct hm_people *people)
{
    for (size_t i = 0; i < people->n_watchers; i++)
        people->watchers[i]->dirty = true;
    if (people->n_watchers > 0)
        arm(people);
}

/* The one of this person; else a new one, or that of whoever has not looked for longest. NULL when all are busy. */
static struct hm_watcher *watcher_of(struct hm_people *people, const char *user)
{
    struct hm_watcher *oldest = NULL;
    for (size_t i = 0; i < people->n_watchers; i++) {
        struct hm_watcher *w = people->watchers[i];
        if (strcmp(w->user, user) == 0)
            return w;
        if (!w->busy && (oldest == NULL || w->opened_ms < oldest->opened_ms))
            oldest = w;
    }
    if (people->n_watchers < WATCHERS_MAX) {
        people->watchers = hm_xreallocarray(people->watchers, people->n_watchers + 1, sizeof(void *));
        oldest = people->watchers[people->n_watchers++] = hm_xcalloc(1, sizeof *oldest);
    }
    if (oldest != NULL) {
        *oldest = (struct hm_watcher){.people = people};
        memcpy(oldest->user, user, strnlen(user, sizeof oldest->user - 1));
    }
    return oldest;
}

void hm_people_home_opened(struct hm_asker *asker, const struct hm_slack_request *req)
{
    struct hm_people *people = asker->people;
    bool home = strcmp(req->tab, "home") == 0 && asker->user[0] != '\0' && strlen(asker->user) < 32;
    struct hm_watcher *w = home && asker->stored_ms == 0 ? watcher_of(people, asker->user) : NULL;
    if (w == NULL) { /* the Messages tab; or it was opened before a restart, and is looked at no more */
        hm_asker_close(asker);
        return;
    }
    close_opening(w); /* of an earlier time */
    if (req->view == NULL)
        w->shown[0] = '\0'; /* Slack shows nothing yet, whatever we believed */
    w->inbox_id = asker->inbox_id;
    w->opened_ms = hm_mono_ms(people->opts.clock);
    enum hm_notice_kind stranger = hm_people_stranger(asker);
    w->outsider = stranger == HM_NOTICE_OUTSIDER;
    w->nobody_known = stranger == HM_NOTICE_TEAM_UNKNOWN;
    w->dirty = true;
    hm_asker_free(asker);
    if (!w->busy)
        (void)publish(w);
}

void hm_people_home_free(struct hm_people *people)
{
    for (size_t i = 0; i < people->n_watchers; i++)
        free(people->watchers[i]);
    free(people->watchers);
    hm_timer_free(people->home_timer);
}
