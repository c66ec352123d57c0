/* Findings in files: all are collected and shown, not only the first, each as "file:line: what, where, what to do". */
#ifndef HM_BASE_DIAG_H
#define HM_BASE_DIAG_H

#include <stddef.h>

struct hm_diag {
    char *file;
    int line; /* 0 = the file as a whole */
    char *at; /* "file:line", or "file" alone: what stands before the text wherever it is shown */
    char *text;
};

struct hm_diags {
    struct hm_diag *items;
    size_t count;
    size_t dropped; /* findings beyond the ceiling of 500 */
};

void hm_diags_init(struct hm_diags *diags);
void hm_diags_done(struct hm_diags *diags);
void hm_diags_add(struct hm_diags *diags, const char *file, int line, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Takes the last finding back, for one that says it better; its text, which the caller frees. There must be one. */
char *hm_diags_take_last(struct hm_diags *diags);

#endif
