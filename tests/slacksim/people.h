/* What people do, on the page or through the control API: each makes the envelopes that Slack would make. */
#ifndef SLACKSIM_PEOPLE_H
#define SLACKSIM_PEOPLE_H

#include "sim.h"

/* One thing somebody does. Answer it exactly once: sim_do_ok(), sim_do_fail() or sim_do_send(). */
struct sim_do {
    struct sim *sim;
    struct sim_req *req;
    json_t *body;     /* borrowed */
    const char *user; /* checked */
    bool wait;        /* ?wait=ack */
};

/* Ends with a NULL name. */
struct sim_deed {
    const char *name; /* the last part of /_sim/<name> */
    void (*fn)(struct sim_do *d);
};
extern const struct sim_deed sim_deeds_messages[], sim_deeds_actions[], sim_deeds_views[];

/* False: no such deed. */
bool sim_people_on_request(struct sim *sim, struct sim_req *req, const char *name, json_t *body);

void sim_do_ok(struct sim_do *d, json_t *stolen_reply); /* NULL: just {"ok":true} */
void sim_do_fail(struct sim_do *d, const char *error, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

enum sim_act { SIM_ACT_SLASH, SIM_ACT_ACTION, SIM_ACT_SUBMIT, SIM_ACT_SUGGEST, SIM_ACT_OTHER, SIM_ACT_NR };

struct sim_sending {
    enum sim_act act;
    const char *type; /* of the envelope */
    bool accepts;
    json_t *stolen_payload;
    const char *channel; /* or NULL */
    const char *view_id; /* or NULL */
    const char *text;    /* slash: the command line, for in_channel answers */
};
/* Sends the envelope and answers the request, at once or when it is settled. */
void sim_do_send(struct sim_do *d, const struct sim_sending *sending);

/* The payload of a slash command; text in wire form. */
json_t *sim_slash_payload_new(struct sim *sim, const struct sim_channel *c, const char *user, const char *command,
                              const char *text);

/* Body fields. NULL after having failed the deed. */
struct sim_channel *sim_do_channel(struct sim_do *d);
/* The message of channel and ts that the user can see. */
struct sim_msg *sim_do_message(struct sim_do *d, struct sim_channel *c);

#endif
