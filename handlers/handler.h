/* The handler interface: what one backend system can do, as data and pure functions.
 *
 * An action turns validated arguments into a request and an answer into a result. It never does I/O: the same struct hm_request
 * is shown in the plan, hashed into the approval and, byte for byte, sent. Happy path: request() → (sent by io/) → response()
 * says HM_VERDICT_OK with a JSON result. Failure modes are verdicts, not errors: see enum hm_verdict. */
#ifndef HM_HANDLERS_HANDLER_H
#define HM_HANDLERS_HANDLER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strbuf.h"

/* What an action does to the world; decides what a crash or a time-out may do (docs/guarantees.md). */
enum hm_effect {
    HM_EFFECT_READ,       /* changes nothing: repeat freely */
    HM_EFFECT_IDEMPOTENT, /* repeating it changes nothing more */
    HM_EFFECT_ONCE,       /* never repeated by itself */
    HM_EFFECT_NR
};

/* "read", "idempotent", "once". */
const char *hm_effect_name(enum hm_effect effect);
/* False when the word is none of the three. */
bool hm_effect_parse(const char *word, enum hm_effect *ret_effect);

enum hm_arg_type { HM_ARG_STRING, HM_ARG_UUID, HM_ARG_INT, HM_ARG_BOOL, HM_ARG_LIST, HM_ARG_OBJECT, HM_ARG_NR };

struct hm_arg_spec {
    const char *name;
    enum hm_arg_type type;
    bool required;
    const char *help; /* one line for docs/actions.md and error messages */
};

/* Arguments of which one stands for another, so that none of them is required by itself. The loader refuses a recipe that gives
 * none (or too many) of them; what comes out empty when it runs is for request() to refuse. */
struct hm_arg_choice {
    const char *const *ways; /* names of arguments, "env+service" being a way that takes both; ends with NULL */
    enum hm_choose { HM_CHOOSE_ANY, HM_CHOOSE_ONE, HM_CHOOSE_ONE_OR_NONE } choose; /* ANY: one or more */
};

enum hm_field_type {
    HM_FIELD_TEXT,
    HM_FIELD_NUMBER,
    HM_FIELD_BOOL,
    HM_FIELD_LIST,
    HM_FIELD_OBJECT,
    HM_FIELD_ANY, /* what it is, is the matter of others: a column of somebody's query */
    HM_FIELD_NR
};

/* A field of a result, of an object in it, or of each item of a list in it. The loader refuses recipes that read another one. */
struct hm_field_spec {
    const char *name; /* "*" = every other name, too: the keys are the backend's matter, as labels are */
    enum hm_field_type type;
    bool always;                        /* it is in every result; else it may be null or missing */
    const char *help;                   /* a few words for docs/actions.md */
    const struct hm_field_spec *fields; /* OBJECT: its fields; LIST: those of each item, NULL = the items are plain values; ends
                                           with name == NULL */
};

/* For `fields` (result.c): an object that holds whatever somebody else put there, and one whose values are texts. */
extern const struct hm_field_spec hm_fields_open[], hm_fields_texts[];

struct hm_auth;

/* A configured instance of a handler. Owned by the settings; immutable while they live. */
struct hm_backend {
    char *name;       /* as recipes say `on = "…"` */
    char *handler;    /* which handler */
    char *url;        /* HTTP: base URL without a trailing slash; http only to loopback. NULL for a handler of programs */
    char *program;    /* ARGV: absolute path of the executable, argv[0] of every request; else NULL */
    char *dir;        /* ARGV: working directory, absolute; NULL = / */
    json_t *env;      /* ARGV: {NAME: value or secret reference}, what the program's environment has besides PATH, HOME and LANG;
                         values are read by app/ when it is started. Never NULL for a handler of programs */
    json_t *settings; /* handler-specific settings, an object (never NULL) */
    json_t *headers;  /* extra headers, an object of strings (never NULL) */
    struct hm_auth *auth; /* app/auth.h's matter, or NULL: credentials are added at sending time, so that no plan, digest or
                             journal row ever holds one */
    char *ca;             /* absolute paths or NULL */
    char *client_cert;
    char *client_key;
    char *proxy;        /* URL or NULL */
    int64_t timeout_ms; /* for one request */
    int64_t settle_ms;  /* hm_action.settle_ms of all its actions; 0 = each its own */
    double rate_per_s;  /* at most this many requests start per second; 0 = no limit */
    unsigned max_connections;
};

enum hm_request_kind { HM_REQUEST_HTTP, HM_REQUEST_ARGV };

struct hm_header {
    char *name;
    char *value;
};

/* One request, complete but for credentials. All strings are owned. */
struct hm_request {
    enum hm_request_kind kind;
    char *method; /* HTTP: "GET", "POST" … */
    char *url;    /* HTTP: absolute, every inserted value percent-encoded */
    struct hm_header *headers;
    size_t n_headers;
    char *body; /* HTTP: NULL = none; "" = an empty body is sent (Content-Length: 0) */
    size_t body_len;
    char **argv; /* ARGV: NULL-terminated vector */
    /* ARGV: what is run, once, when the program could not resolve a host's name (hm_argv_unresolved(): so nothing was sent); then
     * argv is run once more, and that is the answer. NULL = nothing. It is part of the plan and of the digest. */
    char **remedy;
};

void hm_request_init(struct hm_request *req);
void hm_request_done(struct hm_request *req);
/* *to need not be initialised before; all of it is owned. */
void hm_request_copy(struct hm_request *to, const struct hm_request *from);
void hm_request_add_header(struct hm_request *req, const char *name, const char *value);
/* Appends one word to the argv vector; the request becomes an ARGV one. The word stays one word, whatever is in it. */
void hm_request_add_word(struct hm_request *req, const char *word);
/* Appends one word to the remedy of an ARGV request. */
void hm_request_add_remedy_word(struct hm_request *req, const char *word);
/* {"kind":"http","method":…,"url":…,"headers":{…},"body":…} or {"kind":"argv","argv":[…],"remedy":[…]}: what the plan shows and
 * the journal keeps. A new reference. */
HM_MUST json_t *hm_request_json_new(const struct hm_request *req);
/* SHA-256 hex of everything in the request, in order. */
void hm_request_digest(const struct hm_request *req, char ret_hex[65]);

/* How the transport ended. */
enum hm_transport {
    HM_TRANSPORT_ANSWER,   /* an HTTP answer or an exit status came */
    HM_TRANSPORT_NOT_SENT, /* proven: nothing left (refused, DNS, TLS handshake, no such program) */
    HM_TRANSPORT_TIMEOUT,  /* no answer in time: nobody knows */
    HM_TRANSPORT_BROKEN,   /* connection lost after something was sent: nobody knows */
    HM_TRANSPORT_TOO_BIG,  /* the answer passed its ceiling; it was cut off: the effect has probably happened */
    HM_TRANSPORT_NR
};

/* What came back. Borrowed by response(); body is NUL-terminated but may hold NULs. */
struct hm_answer {
    enum hm_transport transport;
    int status;       /* HTTP status, or exit status (128 + signal when killed) */
    const char *body; /* HTTP body or stdout; never NULL */
    size_t body_len;
    const char *errors;       /* ARGV: the end of stderr; else "" */
    const char *content_type; /* "" when absent */
    const char *location;     /* redirect target of a 3xx, "" when absent (never followed for writes) */
    int64_t retry_after_s;    /* -1 when absent */
    const char *headers;      /* HTTP: further headers, a line "Name: value\n" each; NULL or "" = none. Read them with: */
    const char *problem;      /* transport != ANSWER: one sentence ("connection refused by 127.0.0.1:7001") */
};

/* The value of an answer's header, by its name in any case; NULL when there is none. The first when it came several times. A
 * copy; the caller frees. */
char *hm_answer_header(const struct hm_answer *answer, const char *name);

enum hm_verdict {
    HM_VERDICT_OK,        /* done; result is set */
    HM_VERDICT_MORE,      /* done so far; one more request (pages, polls): `cursor` is set and handed to request() again */
    HM_VERDICT_RETRYABLE, /* the backend said no and did nothing; trying again may help (429, 503 with proof) */
    HM_VERDICT_PERMANENT, /* the backend said no and did nothing; trying again will not help */
    HM_VERDICT_NOT_FOUND, /* the thing does not exist; nothing was done */
    HM_VERDICT_MAYBE,     /* it may or may not have happened (time-out, reset, 500, 502-504 on a write) */
    HM_VERDICT_NR
};
const char *hm_verdict_name(enum hm_verdict verdict);

/* What response() hands back. Init with {0}; the caller drops the references and clears err. */
struct hm_outcome {
    json_t *result;    /* OK: new reference, an object */
    json_t *cursor;    /* MORE: new reference; all that request() needs for the next page, and what was gathered so far */
    struct hm_err err; /* every other verdict: a sentence for the person */
    int64_t wait_ms;   /* RETRYABLE: the backend's own wish (Retry-After); MORE: before the next request, when the backend still
                          works at it; 0 = none */
};

/* What a look says about a request whose answer was lost. A system may still be at work on it, so "not there" is a word about
 * now: it is looked again, and only an idempotent request is sent again for it. Under HM_EFFECT_ONCE no look ever proves that
 * nothing happened: when settle_ms have passed and nothing was seen, a person is asked. */
enum hm_probe_says {
    HM_PROBE_APPLIED,
    HM_PROBE_NOT_APPLIED, /* the thing is as it was before: an idempotent request may be sent again */
    HM_PROBE_NOT_YET,     /* nothing of it is seen, and that proves nothing: look again until settle_ms have passed, then ask */
    HM_PROBE_CANNOT_TELL  /* looking again will not help: ask */
};

/* For actions that do not say settle_ms. */
enum { HM_SETTLE_DEFAULT_MS = 60000 };

struct hm_action {
    const char *name;  /* "metapod.retract-dataset": handler, dot, verb-noun */
    const char *title; /* "Retract the committed information of a dataset" */
    const char *doc;   /* what else there is to say, for docs/actions.md; NULL = nothing */
    enum hm_effect effect;
    const struct hm_arg_spec *args;     /* ends with name == NULL */
    const struct hm_arg_choice *choice; /* among them; NULL = none */
    const struct hm_field_spec *result; /* the fields of its result; ends with name == NULL. NULL only in tests: any */
    const char *more_fields;            /* the backend's setting that names further fields, between blanks; NULL = none */

    /* Builds the request. args: validated object. cursor: NULL at first, later what response() gave with MORE. */
    enum hm_code (*request)(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                            struct hm_request *ret_req, struct hm_err *err);

    /* Judges the answer. Only called with transport == ANSWER; the run core judges the other transports by effect. Called by
     * hm_action_response() (result.h). */
    enum hm_verdict (*response)(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                const struct hm_answer *answer, struct hm_outcome *ret_out);

    /* Settles an unknown call by reading: the name of a READ action to call and its arguments (new reference) into *ret_args,
     * then judge() over that action's result. All NULL when there is no way to tell. `context` is the step's `probe` object
     * from the recipe, rendered (may be NULL): what the action itself can not know, such as the transaction to look in. */
    const char *probe_action;
    enum hm_code (*probe_args)(const json_t *args, const json_t *context, json_t **ret_args, struct hm_err *err);
    enum hm_probe_says (*probe_judge)(const json_t *args, enum hm_verdict verdict, const json_t *result);
    const struct hm_arg_spec *probe_context; /* what `context` may hold; ends with name == NULL; NULL = nothing */

    /* How long after its answer was lost the system may still carry the request out: a documented limit of its own where there is
     * one. 0 = HM_SETTLE_DEFAULT_MS. A backend's `settle` goes before it. */
    int64_t settle_ms;

    bool silent; /* what its program prints may be a secret: it is not shown while it runs, and response() keeps none of it */
};

/* Whether an HTTP handler's backend may have a `program` too: nu, through which its writes go then (nu_curl.h). */
enum hm_by_program {
    HM_BY_PROGRAM_NEVER,
    HM_BY_PROGRAM_WRITES, /* reads still need the url */
    HM_BY_PROGRAM_ALL     /* there are only writes: no url is needed */
};

/* A key of a backend's `settings` that may hold these texts only. */
struct hm_setting_words {
    const char *key;
    const char *words[4]; /* ends with NULL */
};

struct hm_handler {
    const char *name; /* "metapod" */
    const char *title;
    enum hm_request_kind kind;              /* of all its requests: decides which keys its backends have */
    const struct hm_action *const *actions; /* ends with NULL */
    const char *const *settings;            /* keys allowed in a backend's `settings` group; ends with NULL */
    const struct hm_setting_words *words;   /* ends with a NULL key; NULL = none */
    enum hm_by_program by_program;          /* HTTP only */
};

/* All handlers; ends with NULL. */
extern const struct hm_handler *const hm_handlers[];

/* NULL when there is none of that name. */
const struct hm_handler *hm_handler_find(const char *name);
const struct hm_action *hm_action_find(const char *name);

/* "name or env and service", each name between `quote`s. */
void hm_choice_text(const struct hm_arg_choice *choice, const char *quote, struct hm_strbuf *out);

/* Percent-encodes one URL path segment or query value: everything but A-Z a-z 0-9 - . _ ~ (RFC 3986 section 2.3). Caller frees.
 */
char *hm_url_encode(const char *s);

#endif
