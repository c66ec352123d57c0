/* Judging a message: see judge.h. */
#include "alarm/judge.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alarm/fields.h"
#include "alarm/flatten.h"
#include "alarm/nearest.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"

enum { WHY_MAX = 700 };

/* What the gates know about the message. */
struct looking {
    const struct hm_alarms *alarms;
    const json_t *message;
    const struct hm_alarm_around *around;
    struct hm_alarm_verdict *verdict;
    const char *bot, *app, *channel;
    bool person;
    char *said;            /* bare: the text as that of a person, for the rules of what people say; else NULL */
    char day[HM_TIME_MAX]; /* of the message, UTC; "" = not told */
};

const char *hm_alarm_kind_name(enum hm_alarm_kind kind)
{
    static const char *const names[] = {"none", "match", "resolved"};
    return names[kind];
}

static bool stop(struct hm_alarm_verdict *v, const char *reason, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Always false. */
static bool stop(struct hm_alarm_verdict *v, const char *reason, const char *fmt, ...)
{
    struct hm_strbuf text;
    va_list ap;
    hm_strbuf_init(&text, WHY_MAX);
    va_start(ap, fmt);
    hm_strbuf_addv(&text, fmt, ap);
    va_end(ap);
    (void)snprintf(v->reason, sizeof v->reason, "%s", reason);
    free(v->why);
    v->why = hm_utf8_clean(hm_strbuf_str(&text), text.len);
    hm_strbuf_done(&text);
    return false;
}

static const char *str(const struct looking *l, const char *key)
{
    return hm_json_get_str(l->message, key, "");
}

/* ---- gates ----------------------------------------------------------------------------------------------------------------- */

static bool gate_shape(const struct looking *l)
{
    const char *type = str(l, "type");
    const char *subtype = str(l, "subtype");
    const char *ts = str(l, "ts");
    const char *thread = str(l, "thread_ts");
    bool edited = hm_json_get_obj(l->message, "edited") != NULL;
    if (type[0] != '\0' && strcmp(type, "message") != 0 && strcmp(type, "app_mention") != 0)
        return stop(l->verdict, "gate:type", "it is a \"%.40s\", not a message", type);
    /* file_share: somebody said it with a file attached */
    if (subtype[0] != '\0' && strcmp(subtype, "bot_message") != 0 && strcmp(subtype, "file_share") != 0)
        return stop(l->verdict, "gate:subtype", "a message of the kind \"%.40s\" never raises an alarm", subtype);
    if (!l->around->edited && (edited || hm_json_get_bool(l->message, "hidden", false)))
        return stop(l->verdict, "gate:edited", "it was edited or is hidden: only what was said first counts");
    if (thread[0] != '\0' && strcmp(thread, ts) != 0)
        return stop(l->verdict, "gate:thread", "it is a reply in a thread");
    return true;
}

static bool is_foreign(const struct looking *l)
{
    static const char *const keys[] = {"team", "user_team", "source_team"};
    const char *team = l->around->team;
    for (size_t i = 0; i < HM_ARRAY_LEN(keys); i++) {
        const char *theirs = str(l, keys[i]);
        /* Slack adds the last two only to what comes from another workspace. */
        if (theirs[0] != '\0' && (team != NULL ? strcmp(theirs, team) != 0 : i > 0))
            return true;
    }
    return false;
}

static bool gate_origin(const struct looking *l)
{
    const char *self_bot = l->around->self_bot;
    const char *self_user = l->around->self_user;
    if ((self_bot != NULL && hm_streq(l->bot, self_bot)) || (self_user != NULL && hm_streq(str(l, "user"), self_user)))
        return stop(l->verdict, "gate:self", "it is our own");
    if (is_foreign(l))
        return stop(l->verdict, "gate:team", "it comes from another workspace");
    return true;
}

static bool may_send(const struct looking *l, const struct hm_alarm_rule *rule)
{
    if (l->around->bare)
        return true;
    if (l->person)
        return rule->people;
    return (l->bot[0] != '\0' && hm_alarm_has(rule->senders, l->bot)) ||
           (l->app[0] != '\0' && hm_alarm_has(rule->senders, l->app));
}

static bool in_place(const struct looking *l, const struct hm_alarm_rule *rule)
{
    return l->channel[0] == '\0' ? l->around->bare : hm_alarm_has(rule->channel_ids, l->channel);
}

static bool gate_known(const struct looking *l)
{
    bool sender = l->person || l->around->bare;
    for (size_t i = 0; i < l->alarms->count && !sender; i++)
        sender = may_send(l, l->alarms->items[i]);
    if (!sender)
        return stop(l->verdict, "gate:poster", "no rule allows the bot %.20s (app %.20s); its display name does not count",
                    l->bot[0] != '\0' ? l->bot : "-", l->app[0] != '\0' ? l->app : "-");
    if (l->channel[0] == '\0' && !l->around->bare) /* Slack's history leaves it out; what Slack delivers has it */
        return stop(l->verdict, "gate:channel", "the message does not say where it is; give --channel NAME");
    if (l->channel[0] != '\0' && !hm_alarms_watch(l->alarms, l->channel))
        return stop(l->verdict, "gate:channel", "no rule watches the channel %.20s", l->channel);
    return true;
}

/* ---- rules ----------------------------------------------------------------------------------------------------------------- */

static void take(struct hm_alarm_verdict *v, const struct hm_alarm_rule *rule, struct hm_alarm_found *found)
{
    json_decref(v->found);
    json_decref(v->values);
    json_decref(v->assumed);
    free(v->key);
    v->found = json_incref(found->raw);
    v->values = json_incref(found->values);
    v->assumed = json_incref(found->assumed);
    v->key = hm_alarm_key(rule, found->values);
}

static const char *text_for(const struct looking *l, const struct hm_alarm_rule *rule)
{
    return l->said != NULL && rule->people ? l->said : l->verdict->text;
}

static bool is_named(const struct hm_alarm_rule *notice, const char *name)
{
    return hm_alarm_has(notice->resolves, "*") || hm_alarm_has(notice->resolves, name);
}

/* Which alarm the notice is about: by its own key, else by the rule that would have recognised the same words. One whose fields
 * are all there goes before one that raises nothing without those that are missing; a notice may say less than its alarm, though.
 */
static void find_about(const struct looking *l, const struct hm_alarm_rule *notice)
{
    struct hm_alarm_verdict *v = l->verdict;
    size_t best = SIZE_MAX;
    bool best_whole = false;
    for (size_t i = 0; i < l->alarms->count && notice->key == NULL; i++) {
        const struct hm_alarm_rule *rule = l->alarms->items[i];
        struct hm_alarm_found found;
        if (rule->resolves != NULL || !is_named(notice, rule->name) || !in_place(l, rule))
            continue;
        hm_alarm_extract(rule, text_for(l, rule), l->day, &found);
        bool whole = found.missing[0] == '\0';
        if (found.matched && (whole != best_whole ? whole : found.at < best)) {
            best = found.at;
            best_whole = whole;
            v->about = rule;
            take(v, rule, &found);
        }
        hm_alarm_found_done(&found);
    }
}

static bool is_notice(const struct looking *l)
{
    struct hm_alarm_verdict *v = l->verdict;
    for (size_t i = 0; i < l->alarms->count; i++) {
        const struct hm_alarm_rule *rule = l->alarms->items[i];
        struct hm_alarm_found found;
        if (rule->resolves == NULL || !may_send(l, rule) || !in_place(l, rule))
            continue;
        hm_alarm_extract(rule, text_for(l, rule), l->day, &found);
        bool fits = found.matched && found.missing[0] == '\0';
        if (fits) {
            v->kind = HM_ALARM_RESOLVED;
            v->rule = rule;
            take(v, rule, &found);
            (void)stop(v, "gate:not-firing", "it says that an alarm %s", rule->keeps_open ? "is being looked at" : "is over");
            find_about(l, rule);
        }
        hm_alarm_found_done(&found);
        if (fits)
            return true;
    }
    return false;
}

/* How near a rule came. */
enum stage { STAGE_NOTHING, STAGE_PLACE, STAGE_FIELDS };

struct trial {
    enum stage stage; /* of the nearest so far */
    size_t best;      /* where the match of the rule that fits begins */
};

static void say_missing(const struct looking *l, const struct hm_alarm_rule *rule, const struct hm_alarm_found *found,
                        const char *reason)
{
    const struct hm_alarm_field *field = hm_alarm_field(rule, found->missing, strlen(found->missing));
    const char *pattern = field != NULL ? field->find_text : NULL;
    char *failing = l->around->explain && pattern != NULL ? hm_alarm_failing(pattern, text_for(l, rule)) : NULL;
    (void)stop(l->verdict, reason, "the words are those of %s, but its field %s is not there, or not as it must be%s%s",
               rule->name, found->missing, failing != NULL ? ": " : "", failing != NULL ? failing : "");
    free(failing);
}

static void try_rule(const struct looking *l, const struct hm_alarm_rule *rule, struct trial *trial)
{
    struct hm_alarm_verdict *v = l->verdict;
    char reason[64];
    size_t at = 0;
    bool sender = may_send(l, rule);
    bool place = in_place(l, rule);
    if (!(sender && place) && (!l->around->explain || trial->stage >= STAGE_PLACE || v->kind == HM_ALARM_MATCH))
        return;
    if (!hm_alarm_matches(rule, text_for(l, rule), &at) || at >= trial->best)
        return;
    if (!(sender && place)) {
        v->rule = rule;
        trial->stage = STAGE_PLACE;
        if (!sender)
            (void)stop(v, "gate:poster", "the words are those of %s, but %s may not raise it", rule->name,
                       l->person ? "people" : "this sender");
        else
            (void)stop(v, "gate:channel", "the words are those of %s, which is not watched for in this channel", rule->name);
        return;
    }
    struct hm_alarm_found found;
    hm_alarm_extract(rule, text_for(l, rule), l->day, &found);
    if (found.matched && found.missing[0] == '\0') {
        trial->best = at;
        v->kind = HM_ALARM_MATCH;
        v->rule = rule;
        take(v, rule, &found);
        (void)stop(v, "", "it is an alarm of the rule %s", rule->name);
    } else if (v->kind != HM_ALARM_MATCH && trial->stage < STAGE_FIELDS) {
        v->rule = rule;
        trial->stage = STAGE_FIELDS;
        (void)snprintf(reason, sizeof reason, "missing:%s", found.missing);
        if (found.unmeant)
            (void)stop(v, "unless", "the words are those of %s, but what is said with them is none (its unless): \"%s\"",
                       rule->name, found.unless);
        else
            say_missing(l, rule, &found, reason);
    }
    hm_alarm_found_done(&found);
}

/* The rule whose words stand first in a text; NULL = none. */
static const struct hm_alarm_rule *rule_of(const struct hm_alarms *alarms, const char *text)
{
    const struct hm_alarm_rule *found = NULL;
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < alarms->count; i++) {
        size_t at = 0;
        if (alarms->items[i]->resolves == NULL && hm_alarm_matches(alarms->items[i], text, &at) && at < best) {
            best = at;
            found = alarms->items[i];
        }
    }
    return found;
}

/* A gate has stopped it: which rule's words it has all the same. */
static void name_words(const struct looking *l)
{
    struct hm_alarm_verdict *v = l->verdict;
    char *all = hm_alarm_flatten_all(l->message);
    char *gate = hm_xstrdup(v->why);
    char reason[sizeof v->reason];
    (void)snprintf(reason, sizeof reason, "%s", v->reason);
    v->rule = rule_of(l->alarms, all);
    if (v->rule != NULL)
        (void)stop(v, reason, "%s (the words are those of %s)", gate, v->rule->name);
    free(gate);
    free(all);
}

/* What a person says in a place where something is asked for, with all that it needs, in words that no rule knows. */
static const struct hm_alarm_rule *rule_of_fields(const struct looking *l)
{
    for (size_t i = 0; i < l->alarms->count && l->person; i++) {
        const struct hm_alarm_rule *rule = l->alarms->items[i];
        bool all = rule->people && rule->resolves == NULL && in_place(l, rule);
        size_t needed = 0;
        for (size_t k = 0; k < rule->n_fields && all; k++) {
            const struct hm_alarm_field *field = &rule->fields[k];
            struct hm_hit hit = {0};
            if (field->optional || field->find == NULL)
                continue;
            all = hm_finder_next(field->find, l->verdict->text, 0, &hit, NULL, NULL) == HM_OK;
            needed++;
        }
        if (all && needed > 0)
            return rule;
    }
    return NULL;
}

/* No rule's match is found: whether it stands in what does not count, else which rule comes nearest, and how near. */
static void find_nearest(const struct looking *l)
{
    struct hm_alarm_verdict *v = l->verdict;
    char *all = hm_alarm_flatten_all(l->message);
    const struct hm_alarm_rule *shown = rule_of(l->alarms, all);
    const struct hm_alarm_rule *near = shown == NULL ? hm_alarm_nearest(l->alarms, v->text) : NULL;
    free(all);
    if (shown != NULL) {
        v->rule = shown;
        (void)stop(
            v, "no-anchor",
            "the words are those of %s, but they stand only in what does not count: shared, unfurled, quoted or struck out, or "
            "a person's attachments",
            shown->name);
    } else if (near != NULL) {
        char *failing = hm_alarm_failing(near->match_text, text_for(l, near));
        v->rule = near;
        (void)stop(v, "no-anchor", "no rule's match is found in the text; the nearest is %s: %s", near->name,
                   failing != NULL ? failing : "-");
        free(failing);
    } else if ((v->rule = rule_of_fields(l)) != NULL) {
        (void)stop(v, "no-anchor", "no rule's match is found in the text; all fields of %s are there, but not its words",
                   v->rule->name);
    }
}

static void try_rules(const struct looking *l)
{
    struct trial trial = {STAGE_NOTHING, SIZE_MAX};
    (void)stop(l->verdict, "no-anchor", "no rule's match is found in the text");
    for (size_t i = 0; i < l->alarms->count; i++)
        if (l->alarms->items[i]->resolves == NULL)
            try_rule(l, l->alarms->items[i], &trial);
    if (l->verdict->kind == HM_ALARM_NONE && trial.stage == STAGE_NOTHING && l->around->explain)
        find_nearest(l);
}

/* ---------------------------------------------------------------------------------------------------------------------------- */

/* "1700000000.000100" → "2023-11-14" */
static void set_day(struct looking *l)
{
    enum { DAY_LEN = 10 };
    int64_t seconds = 0;
    const char *ts = str(l, "ts");
    char *whole = hm_xstrndup(ts, strcspn(ts, "."));
    if (hm_parse_i64(whole, 0, 99999999999, &seconds)) {
        (void)hm_format_time(seconds * 1000, l->day);
        l->day[DAY_LEN] = '\0';
    }
    free(whole);
}

static void judge(const struct looking *l)
{
    if (!l->around->bare && !(gate_shape(l) && gate_origin(l)))
        return;
    if (!gate_known(l) || is_notice(l))
        return;
    if (l->around->edited)
        (void)stop(l->verdict, "gate:edited", "an edited message starts nothing");
    else
        try_rules(l);
}

void hm_alarm_judge(const struct hm_alarms *alarms, const json_t *message, const struct hm_alarm_around *around,
                    struct hm_alarm_verdict *ret_verdict)
{
    struct hm_alarm_verdict *v = ret_verdict;
    *v = (struct hm_alarm_verdict){
        .why = hm_xstrdup(""),
        .found = hm_json_obj_new(),
        .values = hm_json_obj_new(),
        .assumed = hm_json_obj_new(),
        .key = hm_xstrdup(""),
    };
    struct looking l = {.alarms = alarms, .message = message, .around = around, .verdict = v};
    l.bot = str(&l, "bot_id");
    l.app = str(&l, "app_id");
    l.person = l.bot[0] == '\0' && strcmp(str(&l, "subtype"), "bot_message") != 0 && !around->bare;
    l.channel = str(&l, "channel");
    if (l.channel[0] == '\0' && around->channel != NULL)
        l.channel = around->channel;
    set_day(&l);
    v->text = hm_alarm_flatten(message, l.person);
    l.said = around->bare ? hm_alarm_flatten(message, true) : NULL;
    judge(&l);
    if (around->explain && v->kind == HM_ALARM_NONE && v->rule == NULL && hm_starts_with(v->reason, "gate:"))
        name_words(&l);
    if (v->kind == HM_ALARM_MATCH)
        hm_json_set_str(v->values, "sender", l.person ? str(&l, "user") : l.bot);
    free(l.said);
}

void hm_alarm_verdict_done(struct hm_alarm_verdict *verdict)
{
    struct hm_alarm_verdict *v = verdict;
    free(v->why);
    free(v->text);
    free(v->key);
    json_decref(v->found);
    json_decref(v->values);
    json_decref(v->assumed);
    *v = (struct hm_alarm_verdict){0};
}
