/* The Web API: one call being answered, and the table of methods. */
#ifndef SLACKSIM_WEBAPI_H
#define SLACKSIM_WEBAPI_H

#include "sim.h"

struct sim_call {
    struct sim *sim;
    struct sim_req *req;
    const char *method;
    json_t *args;          /* an object, whatever the content type was; JSON-valued form fields are parsed */
    json_t *out;           /* the answer; "ok" and "error" are added at the end */
    json_t *messages;      /* response_metadata.messages, or NULL */
    int64_t retry_after_s; /* with the error "ratelimited" */
};

/* Does the work. NULL: ok; otherwise Slack's error word. */
typedef const char *(*sim_method_fn)(struct sim_call *call);

enum sim_tier { SIM_TIER_1, SIM_TIER_2, SIM_TIER_3, SIM_TIER_4, SIM_TIER_POST, SIM_TIER_MANY };

struct sim_method {
    const char *name;
    sim_method_fn fn;
    enum sim_tier tier;
    const char *scopes; /* any one of them, separated by spaces; "" none */
    bool app_token;     /* wants xapp-, not xoxb- */
};

/* Ends with a NULL name. */
extern const struct sim_method sim_methods_chat[], sim_methods_conversations[], sim_methods_people[], sim_methods_views[],
    sim_methods_files[];

/* POST or GET /api/<method>. */
void sim_webapi_on_request(struct sim *sim, struct sim_req *req);

/* Arguments; NULL or the fallback when absent. Numbers and booleans may come as strings (forms). */
const char *sim_arg_str(const struct sim_call *call, const char *key);
int64_t sim_arg_int(const struct sim_call *call, const char *key, int64_t fallback);
bool sim_arg_bool(const struct sim_call *call, const char *key, bool fallback);
/* The channel argument; sets *ret_error to channel_not_found when there is none (private ones only when the bot is in it). */
struct sim_channel *sim_arg_channel(const struct sim_call *call, const char **ret_error);
bool sim_bot_in(const struct sim *sim, const struct sim_channel *c);
/* [offset, offset + limit) of `all` goes to out[key]; cursors as Slack has them. NULL or "invalid_cursor", "invalid_limit". */
const char *sim_page(struct sim_call *call, const char *key, json_t *stolen_all, int64_t default_limit, int64_t max_limit);

#endif
