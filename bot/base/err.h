/* Errors: a code for the program, a sentence for the person.
 *
 * Functions that can fail return enum hm_code (HM_OK is 0) or a pointer that may be NULL, and fill the struct hm_err that
 * they are handed last. Callers add context on the way up with hm_err_wrap(), so that the reader sees
 * "retract 5a5d411b: POST http://…: HTTP 502". Only the edges (log, Slack, CLI) show it. No allocation on the error path. */
#ifndef HM_BASE_ERR_H
#define HM_BASE_ERR_H

#include <stdarg.h>

/* What the caller should do about it; the message says what happened. */
enum hm_code {
    HM_OK = 0,
    HM_EINVAL,    /* the input is wrong: tell the person who gave it */
    HM_ENOTFOUND, /* it does not exist */
    HM_EPERM,     /* not allowed to this person or with this token */
    HM_ECONFLICT, /* somebody else was first, or the state moved on */
    HM_ETOOBIG,   /* over a ceiling */
    HM_EIO,       /* the outside failed; trying again may help */
    HM_EUNKNOWN,  /* sent, and nobody knows whether it happened: never repeat by itself */
    HM_EENV,      /* the surroundings are not right (file, database, token): tell the operator */
    HM_EBUG,      /* our own mistake */
    HM_CODE_NR
};

enum { HM_ERR_MAX = 512 };

struct hm_err {
    enum hm_code code;
    char msg[HM_ERR_MAX]; /* UTF-8, cut with "…" when longer; "" when there was no error */
};

/* Sets code and message. err may be NULL. Returns code, so that `return hm_err_set(err, HM_EIO, …);` works. */
enum hm_code hm_err_set(struct hm_err *err, enum hm_code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the message that err already has; keeps and returns its code. err may be NULL (returns HM_EBUG then). */
enum hm_code hm_err_wrap(struct hm_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Back to "no error". */
void hm_err_clear(struct hm_err *err);

/* The code's short name ("invalid", "io", …) for logs and JSON; never NULL. */
const char *hm_code_name(enum hm_code code);

/* For functions whose result must be looked at. */
#define HM_MUST __attribute__((warn_unused_result))

#endif
