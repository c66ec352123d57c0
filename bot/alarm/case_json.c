/* Cases as JSON and back: see case.h. What is NULL, zero or empty is left out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alarm/case.h"
#include "base/json.h"
#include "base/mem.h"

static void put_str(json_t *obj, const char *key, const char *s)
{
    if (s != NULL)
        hm_json_set_str(obj, key, s);
}

static void put_int(json_t *obj, const char *key, int64_t n)
{
    if (n != 0)
        hm_json_set_int(obj, key, n);
}

static void put_bool(json_t *obj, const char *key, bool b)
{
    if (b)
        hm_json_set_bool(obj, key, b);
}

static void put_value(json_t *obj, const char *key, const json_t *value)
{
    if (json_object_size(value) > 0 || json_array_size(value) > 0)
        hm_json_set(obj, key, json_deep_copy(value));
}

static json_t *offer_json_new(const struct hm_case_offer *o)
{
    json_t *obj = hm_json_obj_new();
    put_str(obj, "nonce", o->nonce);
    put_str(obj, "recipe", o->recipe);
    put_str(obj, "label", o->label);
    put_str(obj, "style", o->style);
    put_value(obj, "with", o->with);
    put_bool(obj, "unasked", o->unasked);
    put_str(obj, "taken_by", o->taken_by);
    put_str(obj, "key", o->key);
    put_int(obj, "taken_ms", o->taken_ms);
    put_str(obj, "run", o->run_id);
    put_str(obj, "status", o->status);
    put_str(obj, "said", o->said);
    put_int(obj, "run_ended_ms", o->ended_ms);
    put_int(obj, "run_seq", o->run_seq);
    put_bool(obj, "looks", o->looks);
    put_bool(obj, "each", o->each);
    put_bool(obj, "added", o->added);
    put_bool(obj, "again", o->again);
    return obj;
}

json_t *hm_case_json_new(const struct hm_case *c)
{
    json_t *obj = hm_json_obj_new();
    json_t *offers = hm_json_arr_new();
    put_str(obj, "id", c->id);
    put_str(obj, "rule", c->rule);
    put_str(obj, "title", c->title);
    put_str(obj, "doc", c->doc);
    put_str(obj, "link", c->link);
    put_str(obj, "key", c->key);
    put_str(obj, "channel", c->channel);
    put_str(obj, "ts", c->ts);
    put_int(obj, "at_ms", c->at_ms);
    put_int(obj, "seen_ms", c->seen_ms);
    put_int(obj, "last_ms", c->last_ms);
    put_int(obj, "group_ms", c->group_ms);
    put_int(obj, "count", (int64_t)c->count);
    put_bool(obj, "late", c->late);
    put_bool(obj, "silent", c->silent);
    put_value(obj, "values", c->values);
    put_value(obj, "assumed", c->assumed);
    put_value(obj, "facts", c->facts);
    put_str(obj, "say", c->say);
    put_value(obj, "remembered", c->remembered);
    put_str(obj, "taken", c->taken);
    put_int(obj, "end", (int64_t)c->end);
    put_int(obj, "ended_ms", c->ended_ms);
    put_str(obj, "ended_why", c->ended_why);
    put_int(obj, "grouped", (int64_t)c->grouped);
    put_value(obj, "grouped_keys", c->grouped_keys);
    put_str(obj, "card_ts", c->card_ts);
    put_str(obj, "card_channel", c->card_channel);
    put_str(obj, "digest", c->digest);
    put_str(obj, "mark", c->mark);
    put_bool(obj, "marked", c->marked);
    put_value(obj, "unmark", c->unmark);
    put_int(obj, "version", c->version);
    put_int(obj, "seq", c->seq);
    for (size_t i = 0; i < c->n_offers; i++)
        hm_json_add(offers, offer_json_new(&c->offers[i]));
    hm_json_set(obj, "offers", offers);
    return obj;
}

/* ---- and back ---------------------------------------------------------------------------------------------------------------
 */

static char *get_str(const json_t *obj, const char *key)
{
    return hm_xstrdup_null(hm_json_get_str(obj, key, NULL));
}

static char *need_str(const json_t *obj, const char *key)
{
    return hm_xstrdup(hm_json_get_str(obj, key, ""));
}

static void take_value(json_t **value, const json_t *obj, const char *key)
{
    json_t *found = json_object_get(obj, key);
    if (found == NULL || json_typeof(found) != json_typeof(*value))
        return;
    json_decref(*value);
    *value = json_deep_copy(found);
}

static void read_offers(struct hm_case *c, const json_t *list)
{
    size_t i = 0;
    const json_t *obj = NULL;
    c->offers = hm_xcalloc(json_array_size(list) + 1, sizeof c->offers[0]);
    json_array_foreach(list, i, obj)
    {
        struct hm_case_offer *o = &c->offers[c->n_offers++];
        (void)snprintf(o->nonce, sizeof o->nonce, "%s", hm_json_get_str(obj, "nonce", ""));
        o->recipe = need_str(obj, "recipe");
        o->label = need_str(obj, "label");
        o->style = need_str(obj, "style");
        o->with = hm_json_obj_new();
        take_value(&o->with, obj, "with");
        o->unasked = hm_json_get_bool(obj, "unasked", false);
        o->taken_by = get_str(obj, "taken_by");
        o->key = get_str(obj, "key");
        o->taken_ms = hm_json_get_int(obj, "taken_ms", 0);
        o->run_id = get_str(obj, "run");
        o->status = get_str(obj, "status");
        o->said = get_str(obj, "said");
        o->ended_ms = hm_json_get_int(obj, "run_ended_ms", 0);
        o->run_seq = hm_json_get_int(obj, "run_seq", 0);
        o->looks = hm_json_get_bool(obj, "looks", false);
        o->each = hm_json_get_bool(obj, "each", false);
        o->added = hm_json_get_bool(obj, "added", false);
        o->again = hm_json_get_bool(obj, "again", false);
    }
}

struct hm_case *hm_case_of_json(const json_t *value)
{
    const json_t *obj = value;
    int64_t end = hm_json_get_int(obj, "end", 0);
    if (hm_json_get_str(obj, "id", NULL) == NULL || hm_json_get_str(obj, "ts", NULL) == NULL || end < 0 || end >= HM_CASE_END_NR)
        return NULL;
    struct hm_case *c = hm_case_new();
    (void)snprintf(c->id, sizeof c->id, "%s", hm_json_get_str(obj, "id", ""));
    c->rule = need_str(obj, "rule");
    c->title = need_str(obj, "title");
    c->doc = get_str(obj, "doc");
    c->link = get_str(obj, "link");
    c->key = need_str(obj, "key");
    c->channel = need_str(obj, "channel");
    c->ts = need_str(obj, "ts");
    c->at_ms = hm_json_get_int(obj, "at_ms", 0);
    c->seen_ms = hm_json_get_int(obj, "seen_ms", 0);
    c->last_ms = hm_json_get_int(obj, "last_ms", 0);
    c->group_ms = hm_json_get_int(obj, "group_ms", 0);
    c->count = (uint64_t)hm_json_get_int(obj, "count", 1);
    c->late = hm_json_get_bool(obj, "late", false);
    c->silent = hm_json_get_bool(obj, "silent", false);
    take_value(&c->values, obj, "values");
    take_value(&c->assumed, obj, "assumed");
    take_value(&c->facts, obj, "facts");
    c->say = need_str(obj, "say");
    take_value(&c->remembered, obj, "remembered");
    c->taken = get_str(obj, "taken");
    c->end = (enum hm_case_end)end;
    c->ended_ms = hm_json_get_int(obj, "ended_ms", 0);
    c->ended_why = get_str(obj, "ended_why");
    c->grouped = (uint64_t)hm_json_get_int(obj, "grouped", 0);
    take_value(&c->grouped_keys, obj, "grouped_keys");
    c->card_ts = get_str(obj, "card_ts");
    c->card_channel = get_str(obj, "card_channel");
    c->digest = get_str(obj, "digest");
    c->mark = get_str(obj, "mark");
    c->marked = hm_json_get_bool(obj, "marked", false);
    take_value(&c->unmark, obj, "unmark");
    if (hm_json_get_str(obj, "unmark", NULL) != NULL) /* one name, as earlier versions wrote it */
        hm_json_add(c->unmark, hm_json_str_new(hm_json_get_str(obj, "unmark", "")));
    c->version = hm_json_get_int(obj, "version", 0);
    c->seq = hm_json_get_int(obj, "seq", 0);
    read_offers(c, json_object_get(obj, "offers"));
    return c;
}
