/* Looking at runs and steering them by command: runs, run, retry, stop all, resume. See people_parts.h. (cancel is people.c's: it
 * is a click in words.) */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "app/cards.h"
#include "app/hold.h"
#include "app/people_parts.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "journal/journal.h"
#include "view/card.h"
#include "view/runs.h"

struct hm_card_around hm_people_around(const struct hm_people *people)
{
    if (people->hold == NULL)
        return (struct hm_card_around){0};
    int64_t since_ms = hm_hold_since_ms(people->hold);
    return (struct hm_card_around){.held_by = hm_hold_by(people->hold), .held_ms = since_ms, .word_ms = since_ms};
}

/* ---- runs ------------------------------------------------------------------------------------------------------------------ */

struct hm_listing {
    struct hm_run_line going[HM_RUNS_SHOWN], recent[HM_RUNS_SHOWN];
    char *strings[3 * HM_RUNS_SHOWN];
    size_t n_strings;
    struct hm_run_list list;
    struct hm_journal_reader *reader;
    struct hm_err err; /* why it could not be read */
};

static void add_going(struct hm_runner *runner, struct hm_listing *l)
{
    const struct hm_run *runs[HM_RUNS_SHOWN];
    l->list.all_going = hm_runner_count(runner);
    l->list.n_going = hm_runner_newest(runner, runs, HM_RUNS_SHOWN);
    for (size_t i = 0; i < l->list.n_going; i++)
        l->going[i] = (struct hm_run_line){.id = runs[i]->id,
                                           .recipe = runs[i]->recipe != NULL ? runs[i]->recipe->name : "",
                                           .requester = runs[i]->requester != NULL ? runs[i]->requester : "",
                                           .run = runs[i],
                                           .started_ms = runs[i]->started_ms};
}

static enum hm_run_status status_of(const char *name)
{
    int i = 0;
    while (i < HM_RUN_STATUS_NR && strcmp(hm_run_status_name((enum hm_run_status)i), name) != 0)
        i++;
    return (enum hm_run_status)i;
}

static bool read_status(void *arg, const struct hm_event_row *row)
{
    *(enum hm_run_status *)arg = status_of(hm_json_get_str(row->data, "status", ""));
    return false;
}

static char *keep(struct hm_listing *l, const char *text)
{
    return l->strings[l->n_strings++] = hm_xstrdup(text);
}

static bool add_recent(void *arg, const struct hm_run_row *row)
{
    struct hm_listing *l = arg;
    struct hm_err err = {0};
    if (row->open)
        return true;
    struct hm_run_line *line = &l->recent[l->list.n_recent++];
    *line = (struct hm_run_line){.id = keep(l, row->run_id),
                                 .recipe = keep(l, row->recipe),
                                 .requester = keep(l, row->requester),
                                 .status = HM_RUN_STATUS_NR,
                                 .started_ms = row->started_ms,
                                 .changed_ms = row->changed_ms};
    if (hm_journal_last_event(l->reader, row->run_id, "run.finished", read_status, &line->status, &err) != HM_OK)
        line->status = HM_RUN_STATUS_NR;
    return l->list.n_recent < HM_RUNS_SHOWN;
}

enum { LOOKED_AT = 500 }; /* rows of the newest runs, going or not */

struct hm_listing *hm_people_recent_new(const struct hm_people *people, const struct hm_run_list **ret_list)
{
    struct hm_listing *l = hm_xcalloc(1, sizeof *l);
    struct hm_err err = {0};
    l->reader = hm_journal_reader_open(people->settings->journal_path, &err);
    enum hm_code code = l->reader != NULL ? hm_journal_runs(l->reader, false, LOOKED_AT, add_recent, l, &err) : HM_EIO;
    l->list.going = l->going;
    l->list.recent = l->recent;
    *ret_list = code == HM_OK ? &l->list : NULL;
    (void)hm_err_set(&l->err, code, "%s", err.msg);
    hm_journal_reader_free(l->reader);
    l->reader = NULL;
    return l;
}

void hm_people_recent_free(struct hm_listing *l)
{
    for (size_t i = 0; i < l->n_strings; i++)
        free(l->strings[i]);
    free(l);
}

static void list_runs(struct hm_asker *asker)
{
    const struct hm_people *people = asker->people;
    const struct hm_run_list *list = NULL;
    struct hm_listing *l = hm_people_recent_new(people, &list);
    struct hm_slack_message message = {0};
    struct hm_card_around around = hm_people_around(people);
    add_going(people->opts.runner, l);
    if (list != NULL) {
        hm_runs_render(list, &around, hm_asker_command(asker), &message);
        hm_say_message(asker, &message);
    } else {
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_JOURNAL_DOWN, .detail = l->err.msg});
    }
    hm_people_recent_free(l);
}

/* ---- one run ----------------------------------------------------------------------------------------------------------------
 */

struct showing {
    const struct hm_people *people;
    struct hm_slack_message message;
};

static void show_one(void *arg, const struct hm_run *run)
{
    struct showing *showing = arg;
    struct hm_card_around around = hm_people_around(showing->people);
    around.read_only = true; /* what is decided, is decided where the team sees it */
    hm_card_render_around(run, &around, &showing->message);
}

static void show_run(struct hm_asker *asker, const char *run_id)
{
    struct showing showing = {.people = asker->people};
    if (hm_runner_visit(asker->people->opts.runner, run_id, show_one, &showing))
        hm_say_message(asker, &showing.message);
    else
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_NO_RUN, .word = run_id});
}

/* What a run was started with. */
struct origin {
    char *recipe;
    json_t *raw, *given;
};

static void look_at_origin(void *arg, const struct hm_run *run)
{
    struct origin *origin = arg;
    const char *name = NULL;
    json_t *value = NULL;
    if (run->recipe == NULL)
        return; /* stopped for safety, and not even its recipe can be read */
    origin->recipe = hm_xstrdup(run->recipe->name);
    origin->raw = hm_json_obj_new();
    origin->given = run->given != NULL ? json_deep_copy(run->given) : hm_json_obj_new();
    json_object_foreach(run->params, name, value)
    {
        if (!json_is_null(value))
            hm_json_set(origin->raw, name, json_deep_copy(value));
    }
}

/* The same recipe and params anew, for whoever asks now. */
static void retry_run(struct hm_asker *asker, const char *run_id)
{
    struct origin origin = {0};
    const struct hm_people *people = asker->people;
    if (!hm_runner_visit(people->opts.runner, run_id, look_at_origin, &origin) || origin.recipe == NULL) {
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_NO_RUN, .word = run_id});
        return;
    }
    if (hm_recipes_find(&people->settings->recipes, origin.recipe) == NULL) {
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_RECIPE_GONE, .run_id = run_id, .word = origin.recipe});
    } else {
        const struct hm_recipe *recipe = hm_people_recipe(asker, origin.recipe);
        if (recipe != NULL) {
            hm_people_follow(asker, run_id);
            hm_people_start_values(asker, recipe, origin.raw, origin.given);
        }
    }
    free(origin.recipe);
    json_decref(origin.raw);
    json_decref(origin.given);
}

/* ---- stopping everything ----------------------------------------------------------------------------------------------------
 */

/* Somebody with any of the roles. Stopping is the safe side: who may be in one is believed there. */
static bool may_control(const struct hm_asker *asker, bool stop)
{
    const struct hm_people *people = asker->people;
    bool may = people->settings->n_roles == 0;
    for (size_t i = 0; i < people->settings->n_roles && !may; i++) {
        enum hm_member is = hm_roles_member(people->opts.roles, people->settings->roles[i].name, asker->user);
        may = is == HM_MEMBER_YES || (stop && is == HM_MEMBER_UNKNOWN && people->team != NULL); /* one of ours at least */
    }
    return may;
}

static void on_held(void *arg, enum hm_code code, const char *problem)
{
    struct hm_asker *asker = arg;
    hm_people_changed(asker->people);
    hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_HOLDING, .detail = code == HM_OK ? NULL : problem});
}

static void on_resumed(void *arg, enum hm_code code, const char *problem)
{
    struct hm_asker *asker = arg;
    hm_people_changed(asker->people);
    if (code != HM_OK) {
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_JOURNAL_DOWN, .detail = problem});
        return;
    }
    hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_RESUMED});
}

static void stop_all(struct hm_asker *asker, const char *what)
{
    struct hm_hold *hold = asker->people->hold;
    if (strcasecmp(what, "all") != 0)
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_STOP_WHAT});
    else if (hold == NULL || !may_control(asker, true))
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_NO_CONTROL});
    else if (hm_hold_firm(hold))
        hm_say_notice(asker,
                      (struct hm_notice){.kind = HM_NOTICE_HELD, .word = hm_hold_by(hold), .when_ms = hm_hold_since_ms(hold)});
    else
        hm_hold_set(hold, true, asker->user, asker->inbox_id, on_held, asker);
}

static void resume(struct hm_asker *asker)
{
    struct hm_hold *hold = asker->people->hold;
    if (hold == NULL || !may_control(asker, false))
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_NO_CONTROL});
    else if (hm_hold_by(hold) == NULL)
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_NOT_HELD});
    else
        hm_hold_set(hold, false, asker->user, asker->inbox_id, on_resumed, asker);
}

/* ---------------------------------------------------------------------------------------------------------------------------- */

char *hm_people_word(const char *text, const char **ret_rest)
{
    char *word = hm_words_first(text, ret_rest);
    for (char *c = word; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return word;
}

bool hm_people_refuse_rest(struct hm_asker *asker, const char *word, const char *run_id, const char *rest)
{
    if (rest[0] == '\0')
        return false;
    char *usage = hm_xasprintf("%s%s%s", word, run_id[0] != '\0' ? " " : "", run_id);
    hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_TOO_MUCH, .word = usage, .detail = rest});
    free(usage);
    return true;
}

bool hm_people_runs(struct hm_asker *asker, const char *word, const char *rest)
{
    bool run = strcmp(word, "run") == 0;
    bool retry = strcmp(word, "retry") == 0;
    bool resumes = strcmp(word, "resume") == 0;
    char *first = hm_people_word(rest, &rest);
    bool one = retry || (run && hm_starts_with(first, "r-"));
    bool known = true;
    if (strcmp(word, "runs") == 0)
        list_runs(asker);
    else if ((run || retry) && first[0] == '\0')
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_WHICH_RUN, .word = word});
    else if (run && hm_recipes_find(&asker->people->settings->recipes, first) != NULL)
        hm_people_start_named(asker, first, rest); /* "run retract …" */
    else if ((one && hm_people_refuse_rest(asker, word, first, rest)) ||
             /* who means one run would let all of them go on */
             (resumes && strcmp(first, "all") != 0 && hm_people_refuse_rest(asker, word, "", first)))
        known = true; /* he has been told */
    else if (run)
        show_run(asker, first);
    else if (retry)
        retry_run(asker, first);
    else if (strcmp(word, "stop") == 0)
        stop_all(asker, first);
    else if (resumes)
        resume(asker);
    else
        known = false;
    free(first);
    return known;
}
