/* Views: modals with input fields, and the home tab, made from the same budgeted blocks. Pure. */
#ifndef HM_SLACK_FORM_H
#define HM_SLACK_FORM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "slack/blocks.h"

enum hm_form_kind {
    HM_FORM_TEXT,
    HM_FORM_LINES,
    HM_FORM_INT,
    HM_FORM_DATE,
    HM_FORM_CHOICE,
    HM_FORM_CHOICES,
    HM_FORM_SEARCH,
    HM_FORM_SEARCHES,
    HM_FORM_USER,
    HM_FORM_CHANNEL,
    HM_FORM_CHECKS,
    HM_FORM_NR
};

enum { HM_FORM_OPTION_MAX = 67 }; /* characters */

struct hm_form_option {
    const char *label; /* plain; HM_FORM_OPTION_MAX */
    const char *value; /* at most HM_FORM_OPTION_MAX; a longer one is left out, it can not be cut */
};

/* One field of a modal. Its value comes back in the request's `values` under `name`. SEARCH and SEARCHES (one, several) are
 * selects whose options Slack asks for while somebody types (HM_SLACK_SUGGESTION); what SEARCH begins with is shown as its value.
 * USER and CHANNEL are lists that Slack itself fills; CHANNEL begins with the one that is looked at when there is no initial.
 * CHECKS are boxes to tick, up to ten; the initial one is ticked. */
struct hm_form_field {
    const char *name;   /* becomes the block_id: unique in the view, at most 200 bytes */
    const char *action; /* the element's action_id; NULL = "value". When a view is updated, what stands in a field of the same
                           name and action stays in it */
    enum hm_form_kind kind;
    const char *label, *hint, *placeholder; /* plain; hint and placeholder may be NULL */
    const char *initial;                    /* NULL = none; left out when it is no legal value */
    bool optional;
    bool told;        /* each change of it comes as a HM_SLACK_CLICK whose `values` are those of the whole form */
    size_t max_len;   /* TEXT, LINES: 0 = 2,700 */
    int64_t min, max; /* INT: looked at when max > min */
    const struct hm_form_option *options; /* CHOICE, CHOICES: at least one; 100 are shown */
    size_t n_options;
};

/* False when the field is not in the form: no name or one that was used before, a choice without options, no room. */
bool hm_form_input(struct hm_blocks *blocks, const struct hm_form_field *field);

/* A line of text with a select beside it, whose options Slack asks for while somebody types; a choice comes at once as a
 * HM_SLACK_CLICK with this action_id. Also for messages. */
bool hm_form_picker(struct hm_blocks *blocks, const char *mrkdwn, const char *action_id, const char *placeholder);

struct hm_view_head {
    const char *callback_id;
    const char *title, *submit, *close; /* plain; 21 characters each; submit NULL = none (a view without inputs) */
    const char *private_metadata;       /* NULL = none; at most 3,000 bytes */
    bool notify_on_close;
};

/* Frees blocks. A new view object for views.open, push, update or publish (surface HM_SURFACE_HOME: title and buttons are left
 * out), or NULL with err set when the id or the metadata is too long. */
HM_MUST json_t *hm_form_view_new(struct hm_blocks *blocks, enum hm_surface surface, const struct hm_view_head *head,
                                 struct hm_err *err);

#endif
