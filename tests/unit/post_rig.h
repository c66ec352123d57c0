/* What the tests of message slots share: a pretended Slack that records calls until they are answered, a clock that only the test
 * moves, and an owner that writes down what it hears. */
#ifndef HM_TESTS_POST_RIG_H
#define HM_TESTS_POST_RIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strbuf.h"
#include "slack/post.h"

enum { MAX_CALLS = 400 };

struct call {
    char *method;
    json_t *args;
    hm_web_fn on_done; /* NULL: answered */
    void *arg;
};

extern struct call calls[MAX_CALLS];
extern unsigned n_calls;
extern struct hm_strbuf notes; /* "posted k C1 1.0;shown k;" … */
extern int64_t now_ms;
extern struct hm_poster *poster;
extern void (*in_posted)(const char *key); /* what the owner does in its callbacks */
extern void (*in_shown)(const char *key);
extern const char *newest; /* the text that the owner gives when it is asked, "asked k;"; NULL: nothing */

int set_up(void **state);
/* Answers what is under way after the poster has gone, as the Web API does at its end. */
int tear_down(void **state);

/* Moves the clock on, waking the poster whenever it asked for it. */
void advance(int64_t ms);
/* Ends call i; body: JSON text or NULL. */
void answer(unsigned i, enum hm_code code, const char *error, const char *body);
void answer_posted(unsigned i, const char *ts);

/* hm_poster_show() of {"text": text, "blocks": ["block"]}. */
void show(const char *key, const char *text, bool urgent);
/* {"text": text, "blocks": ["block"]} */
json_t *content_of(const char *text);
/* A slot whose message is at Slack, with the content "first". Uses one call. */
void post_one(const char *key, const char *channel, const char *ts);

json_t *parse(const char *text);
/* A string in the arguments of call i; "" when there is none. */
const char *arg_of(unsigned i, const char *path);
/* Call i is the last one so far, and this. */
void expect_call(unsigned i, const char *method, const char *text);
/* … and forgets the notes. */
void expect_notes(const char *want);

#endif
