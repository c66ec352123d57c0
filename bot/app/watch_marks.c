/* The reaction on an alarm's message: see watch_parts.h.
 *
 * Happy path: the case wants another mark, which is committed → the ones from before are taken away → the new one is added →
 * that is kept with the case. Failure: Slack is away, or does not let the app do it at the moment (its token, its scopes): asked
 * again with every tick, after a back-off, also after a restart, for as long as the case is in memory (age() in watch.c keeps it
 * for that); refused for good (the message is gone): left at that, the card says the same. */
#include <stdlib.h>
#include <string.h>

#include "app/watch_parts.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

enum { AGAIN_MS = 4000, DOUBLINGS_MAX = 7 /* some nine minutes */ };

/* One reaction under way; the case may be gone when it is done. */
struct marking {
    struct hm_watch *watch;
    bool away; /* it is taken away */
    char *name;
    char id[HM_CASE_ID_MAX];
};

bool hm_watched_is_marked(const struct hm_watched *w)
{
    return json_array_size(w->c->unmark) == 0 && (w->c->mark == NULL || w->c->marked);
}

static void wait(struct hm_watched *w)
{
    w->mark_again_ms = hm_mono_ms(w->watch->opts.clock) + ((int64_t)AGAIN_MS << w->mark_tries);
    w->mark_tries += w->mark_tries < DOUBLINGS_MAX ? 1 : 0;
}

/* Done, or refused for good. */
static void settle(struct hm_watched *w, const struct marking *marking)
{
    struct hm_case *c = w->c;
    w->mark_tries = 0;
    w->mark_again_ms = 0;
    if (marking->away)
        hm_case_unmarked(c, marking->name);
    else if (hm_streq(c->mark, marking->name))
        c->marked = true;
    hm_watched_touch(w, false);
    hm_watched_flush(w); /* and then what is still lacking */
}

static void on_marked(void *arg, const struct hm_web_answer *answer)
{
    struct marking *marking = arg;
    struct hm_watched *w = marking->watch->stopped ? NULL : hm_watched_find(marking->watch, marking->id);
    bool later = answer->code == HM_EIO || answer->code == HM_EUNKNOWN || answer->fatal;
    if (w != NULL) {
        w->marking = false;
        if (answer->code != HM_OK)
            hm_log(HM_LOG_WARN, marking->id, "the alarm's reaction%s: %s", later ? ", it is tried again" : "", answer->sentence);
        if (later)
            wait(w);
        else
            settle(w, marking);
    }
    free(marking->name);
    free(marking);
}

void hm_watched_mark(struct hm_watched *w)
{
    struct hm_case *c = w->c;
    const char *gone = json_string_value(json_array_get(c->unmark, 0));
    bool away = gone != NULL;
    if (w->marking || w->dirty || w->writing || hm_watched_is_marked(w) || w->watch->stopped ||
        hm_mono_ms(w->watch->opts.clock) < w->mark_again_ms)
        return;
    struct marking *marking = hm_xcalloc(1, sizeof *marking);
    json_t *args = hm_json_obj_new();
    marking->watch = w->watch;
    marking->away = away;
    marking->name = hm_xstrdup(away ? gone : c->mark);
    memcpy(marking->id, c->id, sizeof marking->id);
    hm_json_set_str(args, "channel", c->channel);
    hm_json_set_str(args, "timestamp", c->ts);
    hm_json_set_str(args, "name", marking->name);
    w->marking = true;
    hm_web_call(w->watch->opts.api, away ? "reactions.remove" : "reactions.add", HM_WEB_BOT, args, on_marked, marking);
}
