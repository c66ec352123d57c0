/* A check in progress, for blockkit.c (blocks, elements, views) and blockkit_parts.c (texts, options, rich text, tables). */
#ifndef SLACKSIM_BLOCKKIT_CHECK_H
#define SLACKSIM_BLOCKKIT_CHECK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"
#include "blockkit.h"

struct sim_bk_check {
    json_t *errors;
    struct hm_strbuf at; /* the JSON pointer */
    json_t *block_ids;   /* seen so far */
    json_t *action_ids;  /* seen so far in this block */
    enum sim_surface surface;
    int depth;
    int tables;
};

/* Notes a finding at the place where the check is. */
void sim_bk_complain(struct sim_bk_check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Go down one level of the JSON pointer; the return value goes to sim_bk_up(). */
size_t sim_bk_down(struct sim_bk_check *c, const char *key);
size_t sim_bk_down_at(struct sim_bk_check *c, size_t index);
void sim_bk_up(struct sim_bk_check *c, size_t len);

/* Is word one of the words, which are separated by spaces? */
bool sim_bk_word_in(const char *words, const char *word);
/* "0000-00-00": digits where the shape has 0. */
bool sim_bk_shape_ok(const char *s, const char *shape);

void sim_bk_check_string(struct sim_bk_check *c, json_t *value, long min, long max);
void sim_bk_check_keys(struct sim_bk_check *c, json_t *obj, const char *allowed);
void sim_bk_check_text(struct sim_bk_check *c, json_t *value, bool mrkdwn_too, long max);
/* False: no array, or too long to look into. */
bool sim_bk_check_array(struct sim_bk_check *c, json_t *value, long min, long max);
void sim_bk_check_options(struct sim_bk_check *c, json_t *options, long min, long max);
void sim_bk_check_groups(struct sim_bk_check *c, json_t *groups, long max);
void sim_bk_check_confirm(struct sim_bk_check *c, json_t *confirm);
/* The initial option must be one of the element's options. */
void sim_bk_check_initial(struct sim_bk_check *c, json_t *element, json_t *initial);
void sim_bk_check_rich_part(struct sim_bk_check *c, json_t *part);
void sim_bk_check_table(struct sim_bk_check *c, json_t *rows, long min, long max);

#endif
