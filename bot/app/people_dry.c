/* --dry-run: a recipe rehearsed for the one who asked, and shown to him alone. See people_parts.h.
 *
 * Happy path: the recipe is played up to its first gate, question or effect, what it would do is said, the envelope is closed.
 * Failure modes: too many rehearsals at once (said); the program ends meanwhile: the envelope stays open and the next start plays
 * it once more, which is no harm, because only reads are sent. */
#include <stdlib.h>
#include <string.h>

#include "app/people_parts.h"
#include "app/rehearsal.h"
#include "app/watch.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "view/dry.h"

enum { AT_ONCE = 8, WORDS_MAX = 2000 };

/* One rehearsal under way. */
struct hm_dry {
    struct hm_people *people;
    struct hm_asker *asker; /* NULL when he has been told */
    struct hm_rehearsal *rehearsal;
    json_t *raw;
    struct hm_dry *next;
};

static void add_value(struct hm_strbuf *out, const char *value)
{
    bool plain = value[0] != '\0' && strpbrk(value, " \t\n'\"`=") == NULL && strncmp(value, "--", 2) != 0;
    hm_strbuf_addf(out, plain ? "%s" : strchr(value, '\'') == NULL ? "'%s'" : "\"%s\"", value);
}

/* What is typed to start the recipe with these values. */
static char *words_of(const struct hm_asker *asker, const struct hm_recipe *recipe, const json_t *raw)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, WORDS_MAX);
    hm_strbuf_addf(&out, "%s %s", hm_asker_command(asker), recipe->name);
    bool in_order = true;
    for (size_t i = 0; i < recipe->n_params; i++) {
        const char *value = hm_json_get_str(raw, recipe->params[i].name, NULL);
        if (value == NULL) {
            in_order = false;
            continue;
        }
        hm_strbuf_addc(&out, ' ');
        if (!in_order)
            hm_strbuf_addf(&out, "%s=", recipe->params[i].name);
        add_value(&out, value);
    }
    return hm_strbuf_take(&out);
}

static void on_shown(void *arg, const struct hm_rehearsed *rehearsed)
{
    struct hm_dry *dry = arg;
    struct hm_asker *asker = dry->asker;
    struct hm_slack_message message = {0};
    if (asker == NULL)
        return;
    char *again = words_of(asker, rehearsed->run->recipe, dry->raw);
    hm_dry_render(rehearsed->run, rehearsed->plan, rehearsed->effects, again, &message);
    free(again);
    dry->asker = NULL;
    hm_say_message(asker, &message);
}

static void on_ended(void *arg)
{
    struct hm_dry *dry = arg;
    for (struct hm_dry **at = &dry->people->dries; *at != NULL; at = &(*at)->next) {
        if (*at == dry) {
            *at = dry->next;
            break;
        }
    }
    json_decref(dry->raw);
    free(dry);
}

static size_t count(const struct hm_people *people)
{
    size_t n = 0;
    for (const struct hm_dry *dry = people->dries; dry != NULL; dry = dry->next)
        n++;
    return n;
}

void hm_people_dry_run(struct hm_asker *asker, const struct hm_run_order *order, const json_t *raw)
{
    struct hm_people *people = asker->people;
    struct hm_err err = {0};
    if (people->opts.backends == NULL || count(people) >= AT_ONCE) {
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_DRY_BUSY, .recipe = order->recipe});
        return;
    }
    struct hm_dry *dry = hm_xcalloc(1, sizeof *dry);
    *dry = (struct hm_dry){.people = people, .asker = asker, .raw = json_deep_copy(raw), .next = people->dries};
    const struct hm_rehearsal_opts opts = {.loop = people->opts.loop,
                                           .known = people->watch != NULL ? hm_watch_known(people->watch) : NULL,
                                           .settings = people->settings,
                                           .backends = people->opts.backends,
                                           .shown = on_shown,
                                           .ended = on_ended,
                                           .arg = dry};
    dry->rehearsal = hm_rehearsal_new(&opts, order, &err);
    if (dry->rehearsal == NULL) {
        json_decref(dry->raw);
        free(dry);
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_BAD_PARAM, .recipe = order->recipe, .detail = err.msg});
        return;
    }
    people->dries = dry;
    hm_log(HM_LOG_INFO, "dry-run", "%s, asked for by %s in %s", order->recipe->name, asker->user, asker->channel);
}

void hm_people_stop(struct hm_people *people)
{
    if (people->lists != NULL)
        hm_lists_stop(people->lists);
    for (struct hm_dry *dry = people->dries; dry != NULL; dry = dry->next) {
        hm_rehearsal_cancel(dry->rehearsal);
        if (dry->asker != NULL)
            hm_asker_free(dry->asker);
        dry->asker = NULL;
    }
}
