/* A recipe: a runbook as data. Loaded from one file, checked completely, immutable afterwards.
 *
 * Happy path: hm_recipe_load() → struct hm_recipe. Failure: every finding lands in the diags with file and line; a recipe with a
 * finding does not exist. The rule that matters most: an effectful step that no `approve` step dominates does not load, unless
 * the recipe says ungated = "<why>". */
#ifndef HM_RECIPE_RECIPE_H
#define HM_RECIPE_RECIPE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "handlers/handler.h"
#include "recipe/expr.h"
#include "recipe/template.h"

enum hm_param_type {
    HM_PARAM_STRING,
    HM_PARAM_UUID,
    HM_PARAM_INT,
    HM_PARAM_BOOL,
    HM_PARAM_REGEX,   /* PCRE2, must compile */
    HM_PARAM_CHOICE,  /* one of `choices` */
    HM_PARAM_DATE,    /* YYYY-MM-DD */
    HM_PARAM_DATASET, /* dataset/x, model/x, archive/x, series/x, series-raw/x, series-contract/x, contract-…/x, policy/x */
    HM_PARAM_USER,    /* somebody in Slack: U… or W… */
    HM_PARAM_NR
};

struct hm_param {
    char *name;
    enum hm_param_type type;
    char *help;
    bool optional;                /* may stay without a value (null) */
    struct hm_template *fallback; /* `default`; may use ${known.…}; NULL = none */
    char **choices;               /* CHOICE; NULL-terminated. Of an environment without settings to ask: empty, anything goes */
    bool is_environment;          /* CHOICE among the environments of the settings; `environ` holds the chosen one's fields */
    char *pattern;                /* STRING: PCRE2 the whole value must match, or NULL */
    int64_t min, max;             /* INT */
    size_t max_len;               /* STRING: scalars; default 200 */
    struct hm_param_list *list;   /* STRING, UUID, DATASET: what a form offers; NULL = nothing */
};

enum hm_step_kind { HM_STEP_DO, HM_STEP_APPROVE, HM_STEP_ASK, HM_STEP_MANUAL, HM_STEP_SAY, HM_STEP_OFFER, HM_STEP_NR };
enum hm_on_error { HM_ON_ERROR_STOP, HM_ON_ERROR_CONTINUE, HM_ON_ERROR_ASK };

/* One condition with a sentence. */
struct hm_clause {
    struct hm_expr *when;
    struct hm_template *say; /* NULL = none */
};

/* What a `do`, a `verify` or a `probe` calls. */
struct hm_call_spec {
    const struct hm_action *action;
    struct hm_template *on; /* backend's name; NULL = the handler's name */
    struct hm_args_template *with;
};

/* Where the values of a param come from: a read that is made when somebody fills in the form, before there is a run. */
struct hm_param_list {
    struct hm_call_spec call;          /* a READ action */
    char **needs;                      /* the roots that all its texts use: params, "environ", "known"; NULL-terminated */
    char *from;                        /* the field of its result that is the list */
    struct hm_template *value, *label; /* of one `item`; label NULL = the value */
    bool others;                       /* a value that is not in the list is taken too */
};

struct hm_step {
    char *id;
    enum hm_step_kind kind;
    char *title; /* what the card shows; NULL = made from the kind */
    int line;

    /* modifiers of every kind */
    struct hm_expr *when; /* NULL = always; false = skipped */

    /* do */
    struct hm_call_spec call;
    enum hm_effect effect;          /* the action's, or the stricter one the recipe asked for */
    struct hm_args_template *probe; /* context for the action's probe; NULL = none */
    struct hm_expr *foreach;        /* NULL = one call */
    char *as;
    unsigned parallel; /* 1 when not given */
    enum hm_on_error on_error;
    bool not_found_ok; /* on_not_found = "continue": the step ends with ok = false, the run goes on */
    unsigned tries;    /* 1 = no retry */
    int64_t retry_wait_ms;
    int64_t timeout_ms;    /* of one call; 0 = the backend's */
    struct hm_expr *until; /* repeat the read until true */
    int64_t until_every_ms, until_within_ms;
    struct hm_template *until_say; /* shown when it did not become true in time */
    struct hm_clause expect;       /* .when must be true afterwards, else the step failed with .say */
    struct {
        struct hm_call_spec call; /* .action NULL = no verify; a READ action */
        struct hm_expr *when;     /* NULL = always */
        struct hm_expr *expect;   /* over `verify` */
        int64_t every_ms, within_ms;
        struct hm_template *say; /* shown when it did not hold */
    } verify;
    struct hm_clause *stop_if; /* looked at in order after the step; the first true one ends the run, quietly */
    size_t n_stop_if;
    struct hm_template *say; /* a line on the card when the step is done */
    struct hm_expr *file;    /* say: a list that comes as a file under the card; NULL = none */

    /* approve */
    struct hm_template *question;
    char **by; /* role names, NULL-terminated */
    unsigned need;
    bool each; /* `need` of every role of `by`, nobody for two of them; else `need` in all */
    int64_t expires_ms;
    struct hm_template *typed;  /* the approver types this; NULL = no */
    struct hm_expr *typed_when; /* NULL = always */
    bool self;
    bool break_glass;

    /* ask */
    struct {
        struct hm_template *question;
        struct hm_expr *from;      /* list to choose from; NULL = fields */
        struct hm_template *label; /* of one item (`item` in scope) */
        bool many;
        struct hm_param *fields;
        size_t n_fields;
        int64_t expires_ms;
    } ask;

    /* manual */
    struct hm_template *manual;
    int64_t manual_expires_ms; /* 0 = never */
    bool manual_goes_on;       /* when it expires the run goes on without anybody's word, instead of ending */
    bool evidence;             /* a text may be given with Done */

    /* offer */
    struct hm_offer {
        char *recipe;
        struct hm_template *label;
        struct hm_args_template *with;
        struct hm_expr *when;
    } * offers;
    size_t n_offers;

    /* filled in by the loader: index of the approve step that dominates this effectful step, or -1 */
    int gate;
};

struct hm_recipe {
    char *name, *title, *doc;
    char **who;               /* roles that may start it; NULL-terminated; empty = everybody */
    struct hm_template *lock; /* NULL = none */
    int64_t timeout_ms;       /* of the whole run, gates included */
    char *ungated;            /* why effects need no approval; NULL = they do */
    struct hm_param *params;
    size_t n_params;
    struct hm_step *steps;
    size_t n_steps;
    char *file;
    char *text;           /* the file, as loaded */
    char sha256[65];      /* of text */
    unsigned refs;        /* who holds it: the settings, runs, the recipe store */
    enum hm_effect worst; /* the strictest effect of all steps */
};

/* What a recipe may name; from the settings. */
struct hm_names {
    const char *const *roles;
    size_t n_roles;
    const struct hm_backend *const *backends;
    size_t n_backends;
    const json_t *environments;      /* {name: {field: value}}; NULL = none */
    const struct hm_settable *known; /* settable.h; NULL = not judged */
};

/* Parses and checks text (as if read from `file`). NULL when anything was found; findings go to diags. names may be NULL (then
 * roles and backends are not checked). Pure but for diags. */
struct hm_recipe *hm_recipe_parse(const char *file, const char *text, const struct hm_names *names, struct hm_diags *diags);
/* Parses a text that was loaded once, perhaps by an older version of the program: a run goes on with the text it began with. So
 * neither names nor what results hold are held against it. */
struct hm_recipe *hm_recipe_parse_again(const char *file, const char *text, struct hm_diags *diags);
/* Reads the file (at most 256 KiB) and parses. */
struct hm_recipe *hm_recipe_load(const char *file, const struct hm_names *names, struct hm_diags *diags);
/* One more holder; returns the recipe. NULL is fine in both. */
const struct hm_recipe *hm_recipe_ref(const struct hm_recipe *borrowed);
/* One holder less; the last one takes it with him. */
void hm_recipe_free(const struct hm_recipe *held);

/* All *.cfg of a folder, sorted by name of the recipe; duplicates are findings. */
struct hm_recipes {
    struct hm_recipe **items;
    size_t count;
};
void hm_recipes_load_dir(struct hm_recipes *recipes, const char *dir, const struct hm_names *names, struct hm_diags *diags);
/* Checks between recipes (offers name recipes and params that exist). */
void hm_recipes_link(const struct hm_recipes *recipes, struct hm_diags *diags);
void hm_recipes_done(struct hm_recipes *recipes);
const struct hm_recipe *hm_recipes_find(const struct hm_recipes *recipes, const char *name);

/* ---- params.h: values ------------------------------------------------------------------------------------------------ */

/* Validates and types what a person gave (object of strings or typed values), fills defaults (rendered with `scope`, which holds
 * `known`), and returns {name: value or null} with every param present. Errors name the param, what was wrong and what is
 * expected; HM_EINVAL. ret_given: {name: true} for those not defaulted (new reference; may be NULL to ignore). */
HM_MUST json_t *hm_params_check_new(const struct hm_recipe *recipe, const json_t *raw, const json_t *scope, json_t **ret_given,
                                    struct hm_err *err);
/* Words of a slash command after the recipe's name, as Slack sent them ("5a5d… transaction=3197…") → raw object for
 * hm_params_check_new(): positional words fill params in order, key=value by name; quotes ('…', "…", smart quotes) group; &amp;
 * and pasted <https://…|x>, <@U…|x>, <#C…|x> are undone. */
HM_MUST json_t *hm_params_parse_new(const struct hm_recipe *recipe, const char *words, struct hm_err *err);
/* The same, and --dry-run may stand anywhere among them (a phone makes a long dash of the two). When something is wrong it is
 * NULL, and *ret_understood (else NULL) a new object of what was understood nevertheless, before and behind it: a form begins
 * with that. *ret_dry_run is then true also for what only looks like --dry-run. */
HM_MUST json_t *hm_params_typed_new(const struct hm_recipe *recipe, const char *words, bool *ret_dry_run, json_t **ret_understood,
                                    struct hm_err *err);
/* The first word of what was typed, unwrapped in the same way (caller frees); *ret_rest: what follows it. */
char *hm_words_first(const char *text, const char **ret_rest);
/* Every value given fits, and what is missing is only what must be given: a form would ask for it. scope holds `known`. */
bool hm_params_lack(const struct hm_recipe *recipe, const json_t *raw, const json_t *scope);
/* The value of the param's default as a person would write it (caller frees), or NULL when it has none or none is known. */
char *hm_param_default_text(const struct hm_param *param, const json_t *scope);
/* The same for words that a shell has split already (NULL-terminated): nothing is unwrapped, quotes are part of the value. */
HM_MUST json_t *hm_params_words_new(const struct hm_recipe *recipe, char *const *words, struct hm_err *err);
/* "a uuid …", "one of a, b", "a whole number from 1 to 100" … into buf; for help and errors. */
const char *hm_param_type_text(const struct hm_param *param, char *buf, size_t size);
/* Its type would be told by a pattern, and its help says the same to people. */
bool hm_param_is_described(const struct hm_param *param);
/* hm_params_check_new() for any list of params: the fields of an `ask` step. */
HM_MUST json_t *hm_param_values_new(const struct hm_param *params, size_t n_params, const json_t *raw, const json_t *scope,
                                    json_t **ret_given, struct hm_err *err);
/* The texts of the list use this param, or fields of the environment that it names. */
bool hm_param_list_needs(const struct hm_param_list *list, const struct hm_param *param);
/* Some other param's list needs this one. */
bool hm_param_feeds_lists(const struct hm_recipe *recipe, const struct hm_param *param);
/* One value: checked, trimmed and typed; a new reference (null for "" and null), or NULL with err set. */
HM_MUST json_t *hm_param_value_new(const struct hm_param *param, const json_t *raw, struct hm_err *err);

#endif
