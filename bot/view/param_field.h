/* A param as a field of a form: for the forms that start a recipe and for the dialogs that ask for fields. */
#ifndef HM_VIEW_PARAM_FIELD_H
#define HM_VIEW_PARAM_FIELD_H

#include "recipe/recipe.h"
#include "slack/blocks.h"

struct hm_param_field {
    const struct hm_param *param;
    const char *initial; /* as a person would write it, or NULL */
    const char *no_list; /* why the param's list can not be had, or NULL: it is offered in a select that asks for it */
    const char *first;   /* the field that its list waits for, or NULL */
    const char *found;   /* what a message speaks of, several of which could be meant; plain text, or NULL */
    bool told;           /* as in slack/form.h */
};
/* The field may stay empty when the param is optional or has a default. */
void hm_param_field(struct hm_blocks *blocks, const struct hm_param_field *of);

#endif
