/* Recipe tests: what a recipe does, told in a text file beside it, and checked without any network, clock or Slack.
 *
 * A test says what was asked for, how the backends answer, who clicks what, and what must come of it: the requests in order, the
 * lines that are said, the end. It is played with the real recipe, handlers and run core over a journal in memory. Then it is
 * played again with a crash before and after every write to that journal, with what was under way arrived or not, and must end
 * the same: the same end, the same lines, the same effects, no `once` performed twice (docs/recipe-tests.md has the format).
 *
 * Happy path: hm_recipe_test_load() → hm_recipe_test_run() → passed. Failure: findings of the file with file:line; differences as
 * text for a person. */
#ifndef HM_APP_RECIPE_TEST_H
#define HM_APP_RECIPE_TEST_H

#include "app/settings.h"
#include "run/decide.h"

/* One recorded answer. */
struct hm_test_answer {
    char *to;        /* "POST /api/graphql" (path and query below the backend's url), or argv: "nu cache bust stack" */
    char *has;       /* what the request's body must hold, or NULL */
    char *after;     /* only once a request of this name has taken effect; such answers go before those without; NULL = always */
    char *after_has; /* and its body held this, or NULL */
    unsigned times;  /* used up after so many; 0 = never */
    enum hm_transport transport;
    int status;
    char *body, *errors, *content_type, *headers;
    int64_t retry_after_s;
    bool applied; /* the request, if it changes something, has done so (whatever came back) */
    int line;
};

/* One thing that happens when the run waits for somebody. */
struct hm_test_move {
    int64_t wait_ms; /* time passes; else a click: */
    enum hm_input_kind kind;
    char *user;
    char *typed;  /* APPROVE */
    char *reason; /* REJECT, DONE (evidence), break-glass */
    bool glass;
    char **choose; /* CHOOSE: what the chosen items are called; NULL-terminated; NULL = fill */
    json_t *fill;  /* CHOOSE: {field: value}; else NULL */
    int reply;     /* enum hm_reply_kind that the click must get, or -1 */
    int line;
};

/* A request that must have been made. */
struct hm_test_request {
    char *to;
    char *has; /* or NULL */
};

struct hm_recipe_test {
    char *name; /* of its file, without .cfg */
    char *file;
    char *title;
    const struct hm_recipe *recipe;
    char *given;     /* words as after the recipe's name in Slack */
    char *requester; /* user id */
    json_t *known;
    json_t *roles; /* {role: [user]}, or NULL: everybody is in every role */
    bool crash_everywhere;
    struct hm_test_answer *answers;
    size_t n_answers;
    struct hm_test_move *moves;
    size_t n_moves;
    struct {
        struct hm_test_request *requests;
        size_t n_requests;
        char **said; /* fragments of the lines said, one per line, in order; NULL = not looked at */
        size_t n_said;
        char **card; /* fragments of the last card */
        size_t n_card;
        char **shown; /* fragments of any card on the way */
        size_t n_shown;
        char *refused; /* the words do not start a run: a fragment of what the person is told; else NULL */
        char *end;     /* a status' name, or "waiting" */
        char *text;    /* fragment of the last line, or NULL */
    } expect;
};

/* settings: borrowed by the test. NULL and findings when the file is not right. */
struct hm_recipe_test *hm_recipe_test_load(const char *file, const struct hm_settings *settings, struct hm_diags *diags);
void hm_recipe_test_free(struct hm_recipe_test *test);

/* As the files call them. */
const char *hm_recipe_test_click_name(enum hm_input_kind kind);
const char *hm_recipe_test_reply_name(enum hm_reply_kind kind);

struct hm_recipe_verdict {
    bool passed;
    unsigned plays;   /* in all, with and without crashes */
    char *difference; /* what was not as expected; several lines; "" when passed. The caller frees */
};
void hm_recipe_test_run(const struct hm_recipe_test *test, const struct hm_settings *settings,
                        struct hm_recipe_verdict *ret_verdict);

#endif
