/* Alarm rules: what a message in a watched channel means, who may say it, and what it offers. Loaded from one file each, checked
 * completely, immutable afterwards; docs/alarms.md is the reference.
 *
 * Happy path: hm_alarms_load_dir() → hm_alarms_link() → hm_alarm_judge() (judge.h) per message → follow.h for what follows.
 * Failure: every finding lands in the diags with file and line; a rule with a finding does not exist.
 *
 * A rule with `resolves` raises nothing: its message is the news that an alarm is over (or, with keeps_open, that somebody has
 * taken it), and is looked at before all others. */
#ifndef HM_ALARM_ALARM_H
#define HM_ALARM_ALARM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/finder.h"
#include "base/pattern.h"
#include "recipe/recipe.h"
#include "recipe/settable.h"

/* One line of a derived field's `map`. */
struct hm_alarm_map {
    struct hm_pattern *like; /* the whole value */
    char *is;
};

struct hm_alarm_field {
    struct hm_param param;  /* name, type, limits */
    struct hm_finder *find; /* NULL = a group of `match` (or of another field's find), or derived */
    char *find_text;        /* as written, for telling which part of it fails */
    bool optional;
    bool many;  /* all that are found, as a list */
    bool aside; /* only for other fields: not shown, not part of what was found */
    bool lower; /* made small before it is used */
    char **of;  /* derived: from the first of these fields that has a value; NULL-terminated; NULL = not derived */
    struct hm_alarm_map *map;
    size_t n_map;
    char *fallback; /* derived: what is assumed when none of them has a value; NULL = nothing */
};

/* A sentence, when its condition holds (NULL = always). */
struct hm_alarm_clause {
    struct hm_expr *when;
    struct hm_template *say;
};

struct hm_alarm_start {
    char *recipe;
    struct hm_template *label;     /* NULL for `auto` */
    struct hm_args_template *with; /* NULL = nothing */
    struct hm_expr *when;
    struct hm_expr *each; /* one offer for each entry of this list, which is `item` then; NULL = one */
    bool primary, danger;
    int line;
};

struct hm_alarm_memory {
    struct hm_expr *when;
    char *key;
    struct hm_args_template *fields;
    char *before;  /* the key under which the values so far are kept, … */
    char *changes; /* … when this field of them changes; both NULL = not kept */
};

/* Where it names a remembered value. Whether something ever sets that one only all rules together tell. */
struct hm_alarm_naming {
    char *path;  /* "known.etl.transaction" */
    char *where; /* "offers[1].when" */
    int line;
};

struct hm_alarm_rule {
    char *name, *title;
    char *doc;                     /* where more is said, in words; NULL = not told */
    char *link;                    /* the address of that, safe inside Slack's <…|…>; NULL = not known */
    char **channels, **from;       /* as written; NULL-terminated */
    char **channel_ids, **senders; /* ids; senders: bot and app ids */
    bool people;                   /* from has "people" */
    struct hm_finder *match;
    char *match_text;          /* as written, for "which rule is the nearest", and which part of it fails */
    struct hm_finder **unless; /* a sentence with a match in which one of these is found is not looked at; fields.c on titles */
    size_t n_unless;
    struct hm_alarm_field *fields;
    size_t n_fields;
    struct hm_template *key; /* of dedupe; NULL = the rule's name alone */
    int64_t group_ms;        /* dedupe.for */
    int64_t ignore_older_ms;
    struct hm_alarm_clause *say;
    size_t n_say;
    struct hm_alarm_start *offers, *autos;
    size_t n_offers, n_autos;
    struct hm_alarm_memory *memories;
    size_t n_memories;
    struct hm_alarm_naming *namings; /* of remembered values, in its texts and conditions */
    size_t n_namings;
    char **resolves; /* rules' names or "*"; NULL = this is an alarm */
    bool keeps_open;
    char *file;
};

/* What a rule may name; from the settings. {name: [id, …]}; NULL = names are not checked and stand for themselves. */
struct hm_alarm_names {
    const json_t *channels;
    const json_t *senders;
    const char *cookbook, *runbook; /* addresses; NULL = not known */
};

/* Parses and checks text (as if read from `file`). NULL when anything was found. Pure but for diags. */
struct hm_alarm_rule *hm_alarm_parse(const char *file, const char *text, const struct hm_alarm_names *names,
                                     struct hm_diags *diags);
void hm_alarm_rule_free(struct hm_alarm_rule *rule);
/* The field of this name, or NULL. */
const struct hm_alarm_field *hm_alarm_field(const struct hm_alarm_rule *rule, const char *name, size_t len);

/* All *.cfg of the folders, sorted by name of the rule; duplicates are findings. */
struct hm_alarms {
    struct hm_alarm_rule **items;
    size_t count;
};
void hm_alarms_load_dir(struct hm_alarms *alarms, const char *dir, const struct hm_alarm_names *names, struct hm_diags *diags);
/* Adds to keys ({key: {field: true}}, of the settings' known) what the rules remember; true when one remembers anything. */
bool hm_alarms_settable(const struct hm_alarms *alarms, json_t *keys);
/* Checks between rules and recipes: offers give params that exist; auto gives all that is needed, and starts nothing that changes
 * anything or asks; resolves names rules; known.… names what something sets
 * (NULL = not judged). */
void hm_alarms_link(const struct hm_alarms *alarms, const struct hm_recipes *recipes, const struct hm_settable *known,
                    struct hm_diags *diags);
void hm_alarms_done(struct hm_alarms *alarms);
const struct hm_alarm_rule *hm_alarms_find(const struct hm_alarms *alarms, const char *name);
/* True when some rule listens in this channel. */
bool hm_alarms_watch(const struct hm_alarms *alarms, const char *channel_id);
/* True when id is one of the NULL-terminated ids. */
bool hm_alarm_has(char *const *ids, const char *id);

#endif
