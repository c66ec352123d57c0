/* In which list of a source file does a line stand? `policy_models = [ … ]` in Python is what recipes ask about; anything that
 * gives a name to brackets is taken: NAME = [ … ], ( … ) or { … }, on one line or several, also NAME += …, NAME: TYPE = … and
 * NAME = set( … ). It reads line by line, in order, and knows nothing else of the language. */
#ifndef HM_HANDLERS_CODE_LIST_H
#define HM_HANDLERS_CODE_LIST_H

#include <stddef.h>

enum { HM_CODE_LIST_NAME_MAX = 80 };

/* Begin with {0}. */
struct hm_code_list {
    char name[HM_CODE_LIST_NAME_MAX]; /* of the list that the last line stands in; "" when in none */
    int depth;                        /* brackets that are open after it */
};

/* Takes the next line, without its newline. */
void hm_code_list_line(struct hm_code_list *list, const char *line);

#endif
