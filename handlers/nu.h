/* nu, the house command line. Every command is an action of its own; its arguments become single words of an argv vector, never a
 * shell's text. */
#ifndef HM_HANDLERS_NU_H
#define HM_HANDLERS_NU_H

#include "handlers/handler.h"

extern const struct hm_handler hm_nu_handler;

/* In nu_ssh.c. */
extern const struct hm_action hm_nu_unit_status;
extern const struct hm_action hm_nu_restart_unit;
extern const struct hm_action hm_nu_journal;
/* In nu_more.c. */
extern const struct hm_action hm_nu_list_images;
extern const struct hm_action hm_nu_dataset_successors;
extern const struct hm_action hm_nu_scale_down;
extern const struct hm_action hm_nu_generate_certificate;

/* An argument that becomes a word, behind its option (NULL = none). Lists of them end with arg == NULL. */
struct hm_nu_part {
    const char *option, *arg;
};

/* nu.c: the program and the command's fixed words (ends with NULL). */
HM_MUST enum hm_code hm_nu_begin(const struct hm_backend *backend, const char *const *words, struct hm_request *req,
                                 struct hm_err *err);
/* Appends each part; all must be there, and be plain words (hm_argv_word_ok()). */
HM_MUST enum hm_code hm_nu_add(struct hm_request *req, const struct hm_nu_part *parts, const json_t *args, struct hm_err *err);

#endif
