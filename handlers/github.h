/* GitHub: what a file says, what stands between two branches, a pull request (docs.github.com/rest). Reads only: opening and
 * merging stays with people. */
#ifndef HM_HANDLERS_GITHUB_H
#define HM_HANDLERS_GITHUB_H

#include "handlers/handler.h"

extern const struct hm_handler hm_github_handler;

/* github_file.c: which lines of a file match */
extern const struct hm_action hm_github_file;

/* github_pull.c: a pull request and the checks of a commit */
extern const struct hm_action hm_github_pull;
extern const struct hm_action hm_github_checks;

/* --- shared (github.c) ----------------------------------------------------------------------------------------------------- */

/* args.repo is owner/name; args' key is a branch, tag or commit. */
HM_MUST enum hm_code hm_github_check_repo(const json_t *args, struct hm_err *err);
HM_MUST enum hm_code hm_github_check_ref(const json_t *args, const char *key, struct hm_err *err);
/* The headers that every request has. */
void hm_github_add_headers(struct hm_request *req, const char *accept);
/* True, with the verdict, when GitHub wants fewer requests. */
bool hm_github_is_rate_limit(const struct hm_answer *answer, enum hm_verdict *ret_verdict, struct hm_outcome *out);
/* At most `max` bytes of a text. New reference. */
json_t *hm_github_text_new(const char *text, size_t max);
/* OK with the list or object in *ret_json, or a verdict; a refusal for the rate limit may be tried again. */
enum hm_verdict hm_github_read_json(const struct hm_backend *backend, const char *thing, const struct hm_answer *answer,
                                    bool array, json_t **ret_json, struct hm_outcome *out);

#endif
