/* Cases: see case.h. */
#include "alarm/case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alarm/follow.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#define TS_KEY "_ts" /* among the remembered fields: the message they come from; no field begins with _ */

struct hm_case *hm_case_new(void)
{
    struct hm_case *c = hm_xcalloc(1, sizeof *c);
    c->values = hm_json_obj_new();
    c->assumed = hm_json_obj_new();
    c->facts = hm_json_arr_new();
    c->remembered = hm_json_arr_new();
    c->grouped_keys = hm_json_arr_new();
    c->unmark = hm_json_arr_new();
    return c;
}

void hm_case_free(struct hm_case *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->n_offers; i++) {
        struct hm_case_offer *o = &c->offers[i];
        char *const texts[] = {o->recipe, o->label, o->style, o->taken_by, o->key, o->run_id, o->status, o->said};
        for (size_t k = 0; k < HM_ARRAY_LEN(texts); k++)
            free(texts[k]);
        json_decref(o->with);
    }
    char *const texts[] = {c->rule, c->title, c->doc,       c->link,    c->key,    c->channel, c->ts,
                           c->say,  c->taken, c->ended_why, c->card_ts, c->digest, c->mark,    c->card_channel};
    for (size_t k = 0; k < HM_ARRAY_LEN(texts); k++)
        free(texts[k]);
    json_decref(c->values);
    json_decref(c->assumed);
    json_decref(c->facts);
    json_decref(c->remembered);
    json_decref(c->grouped_keys);
    json_decref(c->unmark);
    free(c->offers);
    free(c);
}

/* ---- the beginning --------------------------------------------------------------------------------------------------------- */

static void add_offers(struct hm_case *c, const json_t *list, bool unasked, const struct hm_case_order *order)
{
    size_t i = 0;
    const json_t *made = NULL;
    json_array_foreach(list, i, made)
    {
        c->offers = hm_xreallocarray(c->offers, c->n_offers + 1, sizeof c->offers[0]);
        struct hm_case_offer *offer = &c->offers[c->n_offers++];
        *offer = (struct hm_case_offer){
            .recipe = hm_xstrdup(hm_json_get_str(made, "recipe", "")),
            .label = hm_xstrdup(hm_json_get_str(made, "label", "Look into it")),
            .style = hm_xstrdup(hm_json_get_str(made, "style", "")),
            .with = json_incref(json_object_get(made, "with")),
            .each = hm_json_get_bool(made, "each", false),
            .unasked = unasked,
        };
        order->nonce(order->arg, offer->nonce);
    }
}

/* Both lists may hold the same start: one button is enough, the first. */
static void drop_doubled(struct hm_case *c)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->n_offers; i++) {
        struct hm_case_offer *o = &c->offers[i];
        bool doubled = false;
        for (size_t k = 0; k < kept; k++)
            doubled = doubled || (strcmp(c->offers[k].recipe, o->recipe) == 0 && json_equal(c->offers[k].with, o->with));
        if (doubled) {
            free(o->recipe);
            free(o->label);
            free(o->style);
            json_decref(o->with);
        } else {
            c->offers[kept++] = *o;
        }
    }
    c->n_offers = kept;
}

static void add_facts(struct hm_case *c, const struct hm_alarm_verdict *verdict)
{
    for (size_t i = 0; i < verdict->rule->n_fields; i++) {
        const struct hm_alarm_field *field = &verdict->rule->fields[i];
        json_t *value = json_object_get(verdict->values, field->param.name);
        if (value == NULL || field->aside)
            continue;
        json_t *fact = hm_json_arr_new();
        hm_json_add(fact, hm_json_str_new(field->param.name));
        hm_json_add(fact, json_incref(value));
        hm_json_add(c->facts, fact);
    }
}

struct hm_case *hm_case_begin(const struct hm_alarm_verdict *verdict, const struct hm_case_order *order)
{
    const struct hm_alarm_rule *rule = verdict->rule;
    struct hm_case *c = hm_case_new();
    json_t *scope = hm_alarm_scope_new(rule, verdict->values, order->known);
    json_t *offers = hm_alarm_offers_new(rule, scope, NULL);
    json_t *autos = hm_alarm_autos_new(rule, scope, NULL);
    (void)snprintf(c->id, sizeof c->id, "%s", order->id);
    c->rule = hm_xstrdup(rule->name);
    c->title = hm_xstrdup(rule->title);
    c->doc = hm_xstrdup_null(rule->doc);
    c->link = hm_xstrdup_null(rule->link);
    c->key = hm_xstrdup(verdict->key);
    c->channel = hm_xstrdup(order->channel);
    c->ts = hm_xstrdup(order->ts);
    c->at_ms = c->last_ms = order->at_ms;
    c->seen_ms = order->now_ms;
    c->group_ms = rule->group_ms;
    c->count = 1;
    c->late = order->late || order->now_ms - order->at_ms > rule->ignore_older_ms;
    json_decref(c->values);
    json_decref(c->assumed);
    json_decref(c->remembered);
    c->values = json_incref(verdict->values);
    c->assumed = json_incref(verdict->assumed);
    c->remembered = hm_alarm_memories_new(rule, scope, NULL);
    c->say = hm_alarm_say(rule, scope, NULL);
    add_facts(c, verdict);
    if (!c->late)
        add_offers(c, autos, true, order);
    add_offers(c, offers, false, order);
    if (c->late) { /* what would have started by itself is a button like the others */
        add_offers(c, autos, false, order);
        drop_doubled(c);
    }
    c->silent = c->say[0] == '\0' && c->n_offers == 0;
    json_decref(offers);
    json_decref(autos);
    json_decref(scope);
    return c;
}

struct hm_case *hm_case_storm(const struct hm_case_order *order, unsigned per_minute)
{
    struct hm_case *c = hm_case_new();
    (void)snprintf(c->id, sizeof c->id, "%s", order->id);
    c->rule = hm_xstrdup("");
    c->title = hm_xstrdup("Many alarms at once");
    c->key = hm_xstrdup("");
    c->channel = hm_xstrdup(order->channel);
    c->ts = hm_xstrdup(order->ts);
    c->at_ms = c->last_ms = order->at_ms;
    c->seen_ms = order->now_ms;
    c->count = 1;
    c->late = order->late;
    c->say = hm_xasprintf(
        "More than %u alarms within a minute. Those that came on top have no card of their own, so that Slack and you can keep "
        "up; each is counted here and stands in the channel.",
        per_minute);
    return c;
}

/* ---- again ------------------------------------------------------------------------------------------------------------------
 */

bool hm_case_busy(const struct hm_case *c)
{
    for (size_t i = 0; i < c->n_offers; i++)
        if (c->offers[i].taken_by != NULL && c->offers[i].status == NULL)
            return true;
    return false;
}

/* A run that a person started, which is over. */
static bool has_ended(const struct hm_case_offer *o)
{
    return o->status != NULL && !o->unasked;
}

/* A person's offer was taken, and what it started is over: whatever comes now is news. Looking alone settles nothing. */
static bool is_dealt_with(const struct hm_case *c)
{
    bool done = false;
    for (size_t i = 0; i < c->n_offers; i++)
        done = done || (has_ended(&c->offers[i]) && !c->offers[i].looks);
    return done && !hm_case_busy(c);
}

bool hm_case_takes(const struct hm_case *c, const char *rule, const char *channel, const char *key, int64_t at_ms)
{
    return c->end == HM_CASE_OPEN && c->grouped == 0 && strcmp(c->rule, rule) == 0 && strcmp(c->channel, channel) == 0 &&
           strcmp(c->key, key) == 0 && at_ms - c->at_ms <= c->group_ms && c->at_ms - at_ms <= c->group_ms && !is_dealt_with(c);
}

void hm_case_repeat(struct hm_case *c, int64_t at_ms)
{
    c->count++;
    c->last_ms = at_ms > c->last_ms ? at_ms : c->last_ms;
}

void hm_case_group(struct hm_case *c, const char *title, const char *key, int64_t at_ms)
{
    size_t i = 0;
    json_t *row = NULL;
    c->grouped++;
    c->last_ms = at_ms > c->last_ms ? at_ms : c->last_ms;
    json_array_foreach(c->grouped_keys, i, row)
    {
        if (hm_streq(json_string_value(json_array_get(row, 0)), title) &&
            hm_streq(json_string_value(json_array_get(row, 1)), key)) {
            int rc = json_integer_set(json_array_get(row, 2), json_integer_value(json_array_get(row, 2)) + 1);
            (void)rc;
            return;
        }
    }
    if (json_array_size(c->grouped_keys) >= HM_CASE_GROUPED_MAX)
        return;
    row = hm_json_arr_new();
    hm_json_add(row, hm_json_str_new(title));
    hm_json_add(row, hm_json_str_new(key));
    hm_json_add(row, json_integer(1));
    hm_json_add(c->grouped_keys, row);
}

/* ---- offers ------------------------------------------------------------------------------------------------------------------
 */

struct hm_case_offer *hm_case_offer(struct hm_case *c, const char *nonce)
{
    for (size_t i = 0; i < c->n_offers && nonce[0] != '\0'; i++)
        if (strcmp(c->offers[i].nonce, nonce) == 0)
            return &c->offers[i];
    return NULL;
}

struct hm_case_offer *hm_case_offer_of_run(struct hm_case *c, const char *run_id)
{
    for (size_t i = 0; i < c->n_offers; i++)
        if (hm_streq(c->offers[i].run_id, run_id))
            return &c->offers[i];
    return NULL;
}

static bool gives_all(const json_t *params, const json_t *with)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(hm_unconst(with), name, value)
    {
        if (!json_equal(json_object_get(params, name), value))
            return false;
    }
    return true;
}

struct hm_case_offer *hm_case_offer_like(struct hm_case *c, const char *recipe, const json_t *params)
{
    for (size_t i = 0; i < c->n_offers; i++) {
        struct hm_case_offer *o = &c->offers[i];
        if (o->taken_by == NULL && !o->unasked && strcmp(o->recipe, recipe) == 0 && gives_all(params, o->with))
            return o;
    }
    return NULL;
}

static void set_text(char **text, const char *value)
{
    char *copy = hm_xstrdup_null(value);
    free(*text);
    *text = copy;
}

void hm_case_take(struct hm_case_offer *offer, const char *user, const char *key, int64_t now_ms)
{
    set_text(&offer->taken_by, user);
    set_text(&offer->key, key);
    offer->taken_ms = now_ms;
}

void hm_case_untake(struct hm_case_offer *offer)
{
    set_text(&offer->taken_by, NULL);
    set_text(&offer->key, NULL);
    offer->taken_ms = 0;
}

bool hm_case_has_room(const struct hm_case *c)
{
    size_t added = 0;
    for (size_t i = 0; i < c->n_offers; i++)
        added += c->offers[i].added ? 1 : 0;
    return added < HM_CASE_ADDED_MAX;
}

struct hm_case_offer *hm_case_add(struct hm_case *c, const struct hm_case_follower *follower)
{
    const struct hm_case_offer *same = NULL;
    for (size_t i = 0; i < c->n_offers; i++) {
        const struct hm_case_offer *o = &c->offers[i];
        if (o->taken_by != NULL && strcmp(o->recipe, follower->recipe) == 0 && gives_all(follower->params, o->with))
            same = o;
    }
    struct hm_case_offer added = {
        .recipe = hm_xstrdup(follower->recipe),
        .label = hm_xstrdup(same != NULL ? same->label : follower->title),
        .style = hm_xstrdup(""),
        .with = same != NULL ? json_incref(same->with) : json_deep_copy(follower->params),
        .each = same != NULL && same->each,
        .added = true,
        .again = same != NULL,
    };
    (void)snprintf(added.nonce, sizeof added.nonce, "%s", follower->nonce);
    c->offers = hm_xreallocarray(c->offers, c->n_offers + 1, sizeof c->offers[0]);
    struct hm_case_offer *offer = &c->offers[c->n_offers++];
    *offer = added;
    hm_case_take(offer, follower->user, "", follower->at_ms);
    return offer;
}

/* ---- the mark ----------------------------------------------------------------------------------------------------------------
 */

/* There was nothing (more) to do, or to see. */
static bool has_stopped(const struct hm_case_offer *o)
{
    return strcmp(o->status, "stopped") == 0;
}

static bool is_good(const struct hm_case_offer *o)
{
    return strcmp(o->status, "done") == 0 || (o->looks && has_stopped(o));
}

/* Whether b says more of the alarm than a does. Who finds nothing to do mends nothing, and breaks nothing. */
static bool outdoes(const struct hm_case_offer *a, const struct hm_case_offer *b)
{
    if (!a->looks && has_stopped(a) != has_stopped(b))
        return has_stopped(a);
    return b->ended_ms >= a->ended_ms;
}

/* The run that says most, of those that only look or of the others; NULL = none. */
static const struct hm_case_offer *last_of(const struct hm_case *c, bool looks)
{
    const struct hm_case_offer *last = NULL;
    for (size_t i = 0; i < c->n_offers; i++) {
        const struct hm_case_offer *o = &c->offers[i];
        if (has_ended(o) && o->looks == looks && (last == NULL || outdoes(last, o)))
            last = o;
    }
    return last;
}

/* Whether b is about another part of the alarm than a, so that what came of b says nothing of a. */
static bool is_other_part(const struct hm_case_offer *a, const struct hm_case_offer *b)
{
    return a->each && b->each && strcmp(a->recipe, b->recipe) == 0 && !json_equal(a->with, b->with);
}

/* A part of the alarm was to be mended and was not, and nothing that mends it was done since. */
static bool has_unmended_part(const struct hm_case *c)
{
    for (size_t i = 0; i < c->n_offers; i++) {
        const struct hm_case_offer *bad = &c->offers[i];
        bool open = has_ended(bad) && !bad->looks && !is_good(bad) && !has_stopped(bad) &&
                    (c->end != HM_CASE_OVER || bad->ended_ms > c->ended_ms);
        for (size_t k = 0; k < c->n_offers && open; k++) {
            const struct hm_case_offer *o = &c->offers[k];
            open = !(has_ended(o) && !o->looks && is_good(o) && o->ended_ms >= bad->ended_ms && !is_other_part(bad, o));
        }
        if (open)
            return true;
    }
    return false;
}

static const char *mark_of(const struct hm_case *c)
{
    const struct hm_case_offer *mend = last_of(c, false);
    const struct hm_case_offer *look = last_of(c, true);
    if (c->end == HM_CASE_OVER && !c->silent && (mend == NULL || mend->ended_ms <= c->ended_ms || has_stopped(mend)))
        return HM_MARK_MENDED;
    if (mend != NULL)
        return is_good(mend) && !has_unmended_part(c) ? HM_MARK_MENDED : HM_MARK_FAILED;
    return look == NULL ? NULL : is_good(look) ? HM_MARK_LOOKED : HM_MARK_FAILED;
}

static void drop_name(json_t *names, const char *name)
{
    for (size_t i = json_array_size(names); i > 0; i--)
        if (hm_streq(json_string_value(json_array_get(names, i - 1)), name))
            (void)json_array_remove(names, i - 1);
}

static void set_mark(struct hm_case *c, const char *mark)
{
    if (mark == NULL || hm_streq(c->mark, mark))
        return;
    if (c->mark != NULL) {
        drop_name(c->unmark, c->mark);
        hm_json_add(c->unmark, hm_json_str_new(c->mark));
    }
    drop_name(c->unmark, mark); /* it is to stay, if it is still there */
    set_text(&c->mark, mark);
    c->marked = false;
}

void hm_case_unmarked(struct hm_case *c, const char *name)
{
    drop_name(c->unmark, name);
}

bool hm_case_run(struct hm_case *c, struct hm_case_offer *offer, const struct hm_case_run_news *news)
{
    bool changed =
        !hm_streq(offer->run_id, news->run_id) || !hm_streq(offer->status, news->status) || !hm_streq(offer->said, news->said);
    set_text(&offer->run_id, news->run_id);
    set_text(&offer->status, news->status);
    set_text(&offer->said, news->said);
    offer->ended_ms = news->status != NULL ? news->ended_ms : 0;
    offer->looks = news->looks;
    if (!hm_case_busy(c))
        set_mark(c, mark_of(c));
    return changed;
}

bool hm_case_finish(struct hm_case *c, enum hm_case_end end, const char *why, int64_t now_ms)
{
    if (c->end != HM_CASE_OPEN)
        return false;
    c->end = end;
    c->ended_ms = now_ms;
    set_text(&c->ended_why, why);
    if (end == HM_CASE_OVER && !c->silent)
        set_mark(c, mark_of(c)); /* what was tried after that counts: the news may be heard late */
    return true;
}

bool hm_case_offers_open(const struct hm_case *c)
{
    return c->end == HM_CASE_OPEN;
}

/* ---- what is remembered ------------------------------------------------------------------------------------------------------
 */

/* What is kept under another key when this field changes. */
static void keep_before(json_t *known, const json_t *memory, const json_t *old, const json_t *fresh, json_t *ret_changes)
{
    const char *before = hm_json_get_str(memory, "before", NULL);
    const char *changes = hm_json_get_str(memory, "changes", NULL);
    if (before == NULL || changes == NULL || old == NULL)
        return;
    const json_t *was = json_object_get(old, changes);
    const json_t *is = json_object_get(fresh, changes);
    if (was == NULL || is == NULL || json_equal(hm_unconst(was), hm_unconst(is)))
        return;
    hm_json_set(known, before, json_deep_copy(old));
    if (ret_changes != NULL)
        hm_json_add(ret_changes, hm_json_str_new(before));
}

bool hm_case_remember(json_t *known, const json_t *memories, const char *ts, json_t *ret_changes)
{
    size_t i = 0;
    const json_t *memory = NULL;
    bool changed = false;
    json_array_foreach(memories, i, memory)
    {
        const char *key = hm_json_get_str(memory, "key", "");
        const json_t *old = json_object_get(known, key);
        const char *old_ts = hm_json_get_str(old, TS_KEY, "");
        /* Slack's ts are as long as each other for the next 260 years, so that they compare as texts. */
        if (key[0] == '\0' || (strlen(old_ts) == strlen(ts) && strcmp(old_ts, ts) >= 0))
            continue;
        json_t *fresh = json_deep_copy(json_object_get(memory, "fields"));
        hm_json_set_str(fresh, TS_KEY, ts);
        keep_before(known, memory, old, fresh, ret_changes);
        hm_json_set(known, key, fresh);
        if (ret_changes != NULL)
            hm_json_add(ret_changes, hm_json_str_new(key));
        changed = true;
    }
    return changed;
}
