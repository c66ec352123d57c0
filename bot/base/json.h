/* jansson, with what we need everywhere: strict parsing, typed getters that never crash on foreign data, canonical text.
 * Names say who owns: `…_get` borrows, `…_new` is a new reference, a parameter called `stolen_…` is taken over. */
#ifndef HM_BASE_JSON_H
#define HM_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Parses one JSON value: duplicate keys, trailing bytes, invalid UTF-8 and more than 2048 levels are errors; text longer than
 * `max` bytes is HM_ETOOBIG. Returns a new reference or NULL with err set (position and reason). */
HM_MUST json_t *hm_json_parse_new(const char *text, size_t len, size_t max, struct hm_err *err);

/* Canonical text: keys sorted, no spaces. The caller frees. Never NULL (out of memory aborts). */
char *hm_json_text(const json_t *value);

/* Borrowed; `fallback` when obj is not an object, the key is missing or the value has another type. */
const char *hm_json_get_str(const json_t *obj, const char *key, const char *fallback);
int64_t hm_json_get_int(const json_t *obj, const char *key, int64_t fallback);
bool hm_json_get_bool(const json_t *obj, const char *key, bool fallback);
json_t *hm_json_get_obj(const json_t *obj, const char *key); /* NULL when there is none */
json_t *hm_json_get_arr(const json_t *obj, const char *key); /* NULL when there is none */
/* Walks "a.b.c" through objects and "a.0.b" through arrays; NULL when a part is missing; "" is value itself. */
json_t *hm_json_get_path(const json_t *value, const char *path);

/* A new string from bytes that may be malformed UTF-8, where json_string() would return NULL: cleaned first. NULL s gives null.
 */
HM_MUST json_t *hm_json_str_new(const char *s);
HM_MUST json_t *hm_json_strn_new(const char *s, size_t len);
HM_MUST json_t *hm_json_obj_new(void);
HM_MUST json_t *hm_json_arr_new(void);

/* Set a key (cleaned when it is malformed UTF-8) or append; abort on out of memory. stolen_value: any new reference, never NULL.
 */
void hm_json_set(json_t *obj, const char *key, json_t *stolen_value);
void hm_json_set_str(json_t *obj, const char *key, const char *s); /* cleaned; NULL s is stored as null */
void hm_json_set_int(json_t *obj, const char *key, int64_t n);
void hm_json_set_bool(json_t *obj, const char *key, bool b);
void hm_json_add(json_t *arr, json_t *stolen_value);

#endif
