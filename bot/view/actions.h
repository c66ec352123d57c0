/* The reference of actions: what each takes and gives, out of the handlers' own tables. `hausmeister actions` prints it, and
 * docs/actions.md holds it (test_reference.c keeps them the same). Pure. */
#ifndef HM_VIEW_ACTIONS_H
#define HM_VIEW_ACTIONS_H

/* Markdown; the caller frees. name: one action, or all of a handler; NULL = all there are. NULL when nothing bears the name. */
char *hm_actions_text(const char *name);

#endif
