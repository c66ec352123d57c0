/* The grammar of libconfig, as a little machine that is fed one token at a time. Inside of cfg_scan.c.
 *
 * libconfig's own parser says "syntax error" and a line that is often the next one, and it leaks the string that it was reading;
 * so a text gets there only after it has passed here, with a sentence that says what is missing where. */
#ifndef HM_BASE_CFG_SYNTAX_H
#define HM_BASE_CFG_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

enum hm_cfg_token {
    HM_CFG_TOKEN_KEY,
    HM_CFG_TOKEN_EQUALS, /* = or : */
    HM_CFG_TOKEN_STRING,
    HM_CFG_TOKEN_SCALAR, /* a number, true, false */
    HM_CFG_TOKEN_OPEN,
    HM_CFG_TOKEN_CLOSE,
    HM_CFG_TOKEN_COMMA,
    HM_CFG_TOKEN_SEMICOLON,
    HM_CFG_TOKEN_OTHER, /* a character that means nothing */
    HM_CFG_TOKEN_END
};

enum { HM_CFG_DEPTH_CEILING = 64 };

struct hm_cfg_syntax {
    const char *file;
    struct hm_diags *diags;
    size_t max_depth;
    bool failed;     /* a finding was made; nothing more is looked at */
    bool in_string;  /* the last token was a string: one that follows belongs to it */
    const char *key; /* the newest */
    size_t key_len;
    size_t depth;
    struct {
        char closer; /* '\0' for the file itself */
        int line;
        int want; /* what may come next */
    } levels[HM_CFG_DEPTH_CEILING + 1];
};

void hm_cfg_syntax_init(struct hm_cfg_syntax *syntax, const char *file, size_t max_depth, struct hm_diags *diags);
/* text: the token as it stands in the file. */
void hm_cfg_syntax_feed(struct hm_cfg_syntax *syntax, enum hm_cfg_token token, const char *text, size_t len, int line);

#endif
