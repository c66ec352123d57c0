/* The tables that blockkit.c walks: one spec per object type, one line per field. */
#ifndef SLACKSIM_BLOCKKIT_SPEC_H
#define SLACKSIM_BLOCKKIT_SPEC_H

#include <stdbool.h>
#include <stddef.h>

enum sim_bk_kind {
    BK_STR,   /* string of min..max characters */
    BK_PLAIN, /* plain_text object of 1..max characters */
    BK_TEXT,  /* plain_text or mrkdwn object of 1..max characters */
    BK_BOOL,
    BK_INT,     /* integer in min..max */
    BK_ENUM,    /* string; one of the words in `words`, separated by spaces */
    BK_URL,     /* http(s) URL of at most max characters */
    BK_DATE,    /* YYYY-MM-DD */
    BK_TIME,    /* HH:mm */
    BK_STRINGS, /* array of min..max strings */
    BK_TEXTS,   /* array of min..max text objects of at most 2000 characters each */
    BK_OPTIONS, /* array of min..max options */
    BK_OPTION,  /* one option, also present among the options */
    BK_GROUPS,  /* array of min..max option groups */
    BK_CONFIRM,
    BK_ELEMENT,  /* one element allowed in `where` */
    BK_ELEMENTS, /* array of min..max elements allowed in `where` */
    BK_BLOCKS,   /* array of min..max blocks (container) */
    BK_RICH,     /* array of rich text parts */
    BK_TABLE,    /* rows of cells */
    BK_CARDS,    /* array of card blocks */
    BK_ANY
};

enum sim_bk_where {
    AT_SECTION = 1 << 4,
    AT_ACTIONS = 1 << 5,
    AT_INPUT = 1 << 6,
    AT_CONTEXT = 1 << 7,
    AT_CONTEXT_ACTIONS = 1 << 8,
    AT_CARD = 1 << 9
};

struct sim_bk_field {
    const char *name; /* NULL ends the list */
    enum sim_bk_kind kind;
    bool required;
    long min, max;
    const char *words;
    unsigned where;
};

struct sim_bk_spec {
    const char *type; /* NULL ends the list */
    unsigned where;   /* sim_surface bits for blocks, sim_bk_where bits for elements */
    const struct sim_bk_field *fields;
    const char *one_of; /* fields of which at least one must be there, separated by spaces; NULL: no such rule */
};

extern const struct sim_bk_spec sim_bk_blocks[];
extern const struct sim_bk_spec sim_bk_elements[];
/* The spec of a type; NULL when unknown. */
const struct sim_bk_spec *sim_bk_find(const struct sim_bk_spec *list, const char *type);

#endif
