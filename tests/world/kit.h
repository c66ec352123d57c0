/* What the stand-ins have in common: passwords, paths, forms, queries, bodies, times. */
#ifndef HM_WORLD_KIT_H
#define HM_WORLD_KIT_H

#include "world.h"

/* config.bearer is NULL or the request has it. Else answers 401 and returns false. */
bool hm_kit_authorized(const json_t *config, const struct hm_world_request *req, struct hm_world_answer *ans);

/* "a=b&c=%20d" (a form's body or a query) as an object of texts; a name that is there twice keeps its last value. New reference;
 * NULL when an escape is none. */
HM_MUST json_t *hm_kit_form_new(const char *text, size_t len);

/* 2026-11-28T03:00:00[.mmm]Z or +00:00 in milliseconds; -1 when it is no such time. */
int64_t hm_kit_time_ms(const char *text);

/* {"error": message} with a status. */
void hm_kit_refuse(struct hm_world_answer *ans, int status, const char *message);

/* The path's segments, without the slashes: ["pipelines", "dagao", "812"]. New reference. */
json_t *hm_kit_segments_new(const char *path);
/* Segment i, or "" when there are fewer. */
const char *hm_kit_segment(const json_t *segments, size_t i);
/* True when segments are these; "*" stands for any one. words ends with NULL. */
bool hm_kit_path_is(const json_t *segments, const char *const *words);
/* The value of a name in a query "a=b&c=d", decoded; NULL when it is not there. The caller frees. */
char *hm_kit_query(const char *query, const char *name);
/* How many items of a list a page has: what the query asks for under `name`, `usual` when it does not, and never more than
 * config.page. */
int64_t hm_kit_page_size(const json_t *config, const char *query, const char *name, int64_t usual);
/* The items of a list from `from` on, at most `size`. Stolen list, new reference; *ret_more: there are more behind them. */
json_t *hm_kit_page_new(json_t *stolen_list, int64_t from, int64_t size, bool *ret_more);
/* A whole number of the query, 0 when it is not there. */
int64_t hm_kit_query_int(const char *query, const char *name);
/* True when config.bearer is null, or the request has it; else it has been answered with 401 and a JSON message. scheme:
 * "Bearer". */
bool hm_kit_let_in(const json_t *config, const char *scheme, const struct hm_world_request *req, struct hm_world_answer *ans);
/* The request's body as a JSON object (new reference); NULL, answered with 400 or 415, when it is none. */
json_t *hm_kit_body_new(const struct hm_world_request *req, struct hm_world_answer *ans);
/* {"message": text} under this status. */
void hm_kit_say(struct hm_world_answer *ans, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The first object of a list whose member `key` is this text; borrowed; NULL when there is none. */
json_t *hm_kit_find(const json_t *list, const char *key, const char *value);
/* A deep copy of state, or an empty object for NULL, with the members of `lists` (ends with NULL) made lists where they are not,
 * and "config" an object. */
json_t *hm_kit_state_copy(const json_t *state, const char *const *lists);

#endif
