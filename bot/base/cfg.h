/* Strict reading of libconfig files: hausmeister.cfg, recipes, alarms.
 *
 * libconfig alone is too kind: it takes any key, wraps integers above 2^31-1, follows @include, and forgets an unclosed comment.
 * Here the text is first scanned on its own (size, UTF-8, integers that do not fit, includes, brackets), then parsed, then
 * read through typed getters that remember which keys were asked for; hm_cfg_finish() turns every other key into a finding.
 *
 * Happy path: hm_cfg_open_file() → hm_cfg_root() → getters → hm_cfg_finish() on each group → hm_cfg_close().
 * Failure: every finding goes to the diags given at opening, as file:line; a getter that found something wrong returns its
 * "nothing" (NULL, the fallback), so that reading goes on and all findings come at once. Ask diags->count at the end.
 *
 * Everything borrowed from a node lives until hm_cfg_close(). */
#ifndef HM_BASE_CFG_H
#define HM_BASE_CFG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

struct hm_cfg;      /* one opened file */
struct hm_cfg_node; /* one setting in it: a group, a list or a scalar */

enum hm_cfg_type { HM_CFG_GROUP, HM_CFG_LIST, HM_CFG_STRING, HM_CFG_INT, HM_CFG_NUMBER, HM_CFG_BOOL, HM_CFG_TYPE_NR };

enum hm_cfg_need {
    HM_CFG_OPTIONAL = 0, /* may be missing */
    HM_CFG_REQUIRED = 1, /* a missing key is a finding */
    HM_CFG_EMPTY_OK = 2  /* may be added to either: "" is a value too (else it is a finding) */
};

enum { HM_CFG_MAX_BYTES = 256 * 1024, HM_CFG_MAX_DEPTH = 32 };

/* file: the name for findings. diags: borrowed, must outlive the cfg. NULL when the text can not be used at all. */
struct hm_cfg *hm_cfg_open_text(const char *file, const char *text, size_t len, struct hm_diags *diags);
/* Reads the file first. */
struct hm_cfg *hm_cfg_open_file(const char *path, struct hm_diags *diags);
void hm_cfg_close(struct hm_cfg *cfg);
struct hm_cfg_node *hm_cfg_root(struct hm_cfg *cfg);
/* Reads a whole file of at most HM_CFG_MAX_BYTES (NUL-terminated; the caller frees), NULL and a finding when it can not. */
char *hm_cfg_read_text(const char *path, size_t *ret_len, struct hm_diags *diags);

/* ---- one node -------------------------------------------------------------------------------------------------------------- */

enum hm_cfg_type hm_cfg_type(const struct hm_cfg_node *node);
const char *hm_cfg_type_name(enum hm_cfg_type type);     /* "a string", "a group { … }" … */
const char *hm_cfg_name(const struct hm_cfg_node *node); /* NULL for the root and in lists */
int hm_cfg_line(const struct hm_cfg_node *node);
size_t hm_cfg_count(const struct hm_cfg_node *node); /* members of a group or list; 0 for scalars */
struct hm_cfg_node *hm_cfg_at(const struct hm_cfg_node *node, size_t index);
const char *hm_cfg_string(const struct hm_cfg_node *node); /* NULL when it is not a string */
bool hm_cfg_truth(const struct hm_cfg_node *node);         /* true when it is the truth value true */
/* The subtree as JSON; a new reference. Everything in it counts as seen. */
json_t *hm_cfg_json_new(struct hm_cfg_node *node);
/* Where the node stands, for findings: `steps[find].retry`, or "the top level"; into buf; returns buf. An item of a list is
 * named by its id or name when it has one, else counted from 1. */
const char *hm_cfg_path(const struct hm_cfg_node *node, char *buf, size_t size);
/* A finding at the node's line; _here puts the node's path and a colon before it. */
void hm_cfg_add(const struct hm_cfg_node *node, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void hm_cfg_add_here(const struct hm_cfg_node *node, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- members of a group, by key; each marks the key as seen ------------------------------------------------------------- */

bool hm_cfg_has(const struct hm_cfg_node *group, const char *key); /* does not mark */
/* Any type. */
struct hm_cfg_node *hm_cfg_get(struct hm_cfg_node *group, const char *key, enum hm_cfg_need need);
struct hm_cfg_node *hm_cfg_get_group(struct hm_cfg_node *group, const char *key, enum hm_cfg_need need);
/* "( … )" or "[ … ]". */
struct hm_cfg_node *hm_cfg_get_list(struct hm_cfg_node *group, const char *key, enum hm_cfg_need need);
/* Borrowed; at most max characters. */
const char *hm_cfg_get_str(struct hm_cfg_node *group, const char *key, enum hm_cfg_need need, size_t max);
/* Within [min, max]; when missing, the fallback. */
int64_t hm_cfg_get_int(struct hm_cfg_node *group, const char *key, int64_t fallback, int64_t min, int64_t max);
bool hm_cfg_get_bool(struct hm_cfg_node *group, const char *key, bool fallback);
/* A string such as "15m", at most max_ms; when missing, the fallback. */
int64_t hm_cfg_get_duration(struct hm_cfg_node *group, const char *key, enum hm_cfg_need need, int64_t fallback_ms,
                            int64_t max_ms);
/* A list of strings, each not empty, none twice: copies, NULL-terminated, never NULL itself; the caller frees with
 * hm_cfg_strings_free(). */
char **hm_cfg_get_strings(struct hm_cfg_node *group, const char *key, enum hm_cfg_need need);
void hm_cfg_strings_free(char **strings);

/* Every key of the group that no getter asked for becomes a finding, with the nearest key that was asked for. */
void hm_cfg_finish(struct hm_cfg_node *group);

#endif
