/* Inside of the loader: what load.c, load_params.c, load_step.c, load_call.c and the lint files share. Of other rooms only
 * alarm/ includes this, whose files have fields that are typed like params, templates and conditions too.
 *
 * Loading walks the file once. Each expression and template that it meets leaves its names behind as refs, and itself as a note;
 * when all steps are known, lint_names.c asks of each ref whether its name exists at the place where it stands, and lint_types.c
 * of each note whether it can work with what is known of the values. */
#ifndef HM_RECIPE_LOAD_H
#define HM_RECIPE_LOAD_H

#include "base/cfg.h"
#include "recipe/recipe.h"

/* Names that may be used at a place, besides those that may be used everywhere. */
enum hm_scope_bits {
    HM_SCOPE_KNOWN = 1U << 0,   /* known.… */
    HM_SCOPE_PARAMS = 1U << 1,  /* params, given.…, run.… */
    HM_SCOPE_STEPS = 1U << 2,   /* earlier steps */
    HM_SCOPE_OWN = 1U << 3,     /* the step itself: after its call */
    HM_SCOPE_AS = 1U << 4,      /* the item of foreach */
    HM_SCOPE_VERIFY = 1U << 5,  /* the result of the verify read */
    HM_SCOPE_ITEM = 1U << 6,    /* the item of an ask's list */
    HM_SCOPE_FROZEN = 1U << 7,  /* part of the plan: must be known at the gate when the step changes something */
    HM_SCOPE_FULL = 1U << 8,    /* may not come out empty */
    HM_SCOPE_MRKDWN = 1U << 9,  /* stands in Slack */
    HM_SCOPE_FORM = 1U << 10,   /* wanted before there is a run: no run.… and no given.… */
    HM_SCOPE_ANSWER = 1U << 11, /* looked at as the answer comes: the step's own value is not over, and has no ok yet */

    HM_SCOPE_START = HM_SCOPE_KNOWN | HM_SCOPE_PARAMS,
    HM_SCOPE_BEFORE = HM_SCOPE_START | HM_SCOPE_STEPS,
    HM_SCOPE_AFTER = HM_SCOPE_BEFORE | HM_SCOPE_OWN,
    HM_SCOPE_CALL = HM_SCOPE_BEFORE | HM_SCOPE_AS
};

/* A name used somewhere. */
struct hm_ref {
    char *root;  /* "list" */
    char *path;  /* "list.datasets" */
    char *where; /* "steps[gate].approve" */
    int line;
    int step; /* index, -1 = outside the steps */
    unsigned scope;
    const struct hm_param_list *list; /* the one it stands in; NULL = none */
};

/* What the value of an expression is used for. */
enum hm_use {
    HM_USE_CONDITION, /* any value is true or false */
    HM_USE_LIST,
    HM_USE_TEXT, /* becomes a part of a text: a plain value */
    HM_USE_LINE, /* the same on the card: lists of plain values too */
    HM_USE_ARG   /* an argument that keeps its type */
};

/* An expression used somewhere. */
struct hm_note {
    const struct hm_expr *expr;
    const struct hm_cfg_node *node;
    enum hm_use use;
    enum hm_arg_type wanted; /* ARG: what the action wants; HM_ARG_NR = anything */
    int step;                /* these three as in hm_ref */
    unsigned scope;
    const struct hm_param_list *list;
};

struct hm_loader {
    struct hm_recipe *recipe;
    const struct hm_names *names; /* may be NULL */
    struct hm_diags *diags;
    bool again;                       /* the text was loaded once: what newer checks find is not held against it */
    int step;                         /* the one being read, -1 = none */
    const struct hm_param_list *list; /* the same */
    struct hm_ref *refs;
    size_t n_refs;
    struct hm_note *notes;
    size_t n_notes;
    struct hm_template **kept; /* those that nobody else keeps until the end */
    size_t n_kept;
};

/* ---- load.c: pieces of the format --------------------------------------------------------------------------------------- */

enum { HM_ID_MAX = 40, HM_LINE_MAX = 150, HM_TEXT_MAX = 2500, HM_EXPR_MAX = 2000 };

/* A name of a recipe, param or step: [a-z][a-z0-9]* parts joined by single dashes, no reserved word. NULL after a finding. */
char *hm_load_id(struct hm_cfg_node *group, const char *key);
/* NULL when the key is missing or after a finding. scope: enum hm_scope_bits. */
struct hm_template *hm_load_template(struct hm_loader *l, struct hm_cfg_node *group, const char *key, enum hm_cfg_need need,
                                     size_t max, unsigned scope);
/* A list: foreach, from. */
struct hm_expr *hm_load_expr(struct hm_loader *l, struct hm_cfg_node *group, const char *key, enum hm_cfg_need need,
                             unsigned scope);
/* A condition: one that can never change is a finding. */
struct hm_expr *hm_load_condition(struct hm_loader *l, struct hm_cfg_node *group, const char *key, enum hm_cfg_need need,
                                  unsigned scope);
/* `with`, `probe`: a group whose strings are templates. */
struct hm_args_template *hm_load_args(struct hm_loader *l, struct hm_cfg_node *group, const char *key, unsigned scope);
/* Roles, each known. NULL-terminated, never NULL. */
char **hm_load_roles(struct hm_loader *l, struct hm_cfg_node *group, const char *key, enum hm_cfg_need need);
/* What is kept while loading; not the recipe. */
void hm_loader_done(struct hm_loader *l);
/* Records the names that a template node uses, and what is wrong with it. */
void hm_load_note_template(struct hm_loader *l, const struct hm_cfg_node *node, const struct hm_template *tpl, unsigned scope);

/* ---- load_params.c ------------------------------------------------------------------------------------------------------ */

/* A list of params (or of an ask's fields); *ret_params may be NULL when it is empty. */
void hm_load_params(struct hm_loader *l, const struct hm_cfg_node *list, struct hm_param **ret_params, size_t *ret_count);
/* The keys type, choices, pattern, max_len, min and max of one. False after a finding about the type. */
bool hm_load_param_type(struct hm_cfg_node *group, struct hm_param *param);
void hm_load_params_free(struct hm_param *params, size_t count);

/* ---- load_step.c, load_call.c ------------------------------------------------------------------------------------------- */

void hm_load_step(struct hm_loader *l, struct hm_cfg_node *group, struct hm_step *step);
void hm_load_step_free(struct hm_step *step);
/* do, on, with of a step or of its verify; spec->action stays NULL after a finding. */
void hm_load_call(struct hm_loader *l, struct hm_cfg_node *group, unsigned scope, struct hm_call_spec *spec);
void hm_load_call_free(struct hm_call_spec *spec);
/* "a string", "a list" … */
const char *hm_arg_type_text(enum hm_arg_type type);
/* verify = { … } and probe = { … } of a step whose call is loaded. */
void hm_load_verify(struct hm_loader *l, struct hm_cfg_node *group, struct hm_step *step);
void hm_load_probe(struct hm_loader *l, struct hm_cfg_node *group, struct hm_step *step);

/* ---- lint.c, lint_names.c, lint_types.c: the rules between steps
 * ---------------------------------------------------------------------- */

/* Fills in each step's gate and the recipe's worst effect, and reports what does not fit together. */
void hm_lint(struct hm_loader *l);
/* Every ref names something that exists at its place. Needs the gates. */
void hm_lint_names(struct hm_loader *l);
/* Every note can work. */
void hm_lint_types(struct hm_loader *l);

#endif
