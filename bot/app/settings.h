/* hausmeister.cfg: the configuration, checked completely and immutable once loaded.
 *
 * Happy path: hm_settings_load() reads the file, then the recipes it names. Failure: all findings, as file:line, in the diags;
 * and NULL. Secrets are only named here; they are read when they are used. */
#ifndef HM_APP_SETTINGS_H
#define HM_APP_SETTINGS_H

#include <jansson.h>
#include <stddef.h>

#include "alarm/alarm.h"
#include "base/diag.h"
#include "handlers/handler.h"
#include "recipe/recipe.h"

/* Who may do something: people by id, and one user group of Slack. */
struct hm_role {
    char *name;
    char **users;    /* NULL-terminated */
    char *usergroup; /* "S0RED", or NULL */
};

/* How people learn that a gate waits for them. */
enum hm_notify_way {
    HM_NOTIFY_NONE,
    HM_NOTIFY_THREAD, /* a mention under the card */
    HM_NOTIFY_DIRECT, /* a direct message to each */
};

struct hm_settings {
    unsigned refs; /* who holds them: the bot, pools, requests under way, rehearsals */
    char *file;
    char *dir; /* what relative paths are relative to */
    struct {
        char *api_url;   /* with a trailing slash; $SLACK_API_URL overrides */
        char *app_token; /* secret references */
        char *bot_token;
        char *command;       /* "/hausmeister" */
        char *channel;       /* where runs without a thread of their own are shown; NULL = where they were asked for */
        char *audit_channel; /* NULL = none */
        enum hm_notify_way notify;
        char *ca;
        unsigned speed; /* times Slack's limits; more than 1 only with a simulator */
        char *team;     /* our workspace, for `match`, which asks nobody; NULL = not told */
    } slack;
    char *journal_path;        /* absolute or relative to the working directory: ready for open() */
    int64_t keep_envelopes_ms; /* how long what Slack delivered is kept once it was handled */
    char *http_listen;         /* NULL = no HTTP server */
    struct hm_role *roles;
    size_t n_roles;
    struct hm_backend *backends;
    size_t n_backends;
    json_t *environments; /* {name: {field: plain value}}: the places that recipes of one kind work in */
    json_t *known;        /* {key: {field: value}}: what holds until an alarm remembers something newer */
    json_t *channels;     /* {name: [id, …]}: what alarm rules call them */
    json_t *senders;      /* {name: [bot or app id, …]} */
    char *cookbook;       /* the address of the cookbook that recipes' `doc` are sections of, or NULL */
    char *runbook;        /* the address of the on-call runbook that alarms' `runbook` are sections of, or NULL */
    struct hm_recipes recipes;
    struct hm_alarms alarms;
};

/* NULL when anything was found. */
struct hm_settings *hm_settings_load(const char *file, struct hm_diags *diags);
/* The journal's path of a configuration, whatever else is wrong in it: only the group `journal` is looked at. The caller frees;
 * NULL with findings in diags. */
char *hm_settings_journal_path(const char *file, struct hm_diags *diags);
/* One more holder. */
const struct hm_settings *hm_settings_ref(const struct hm_settings *borrowed);
/* One holder less; the last one takes them with him. NULL is fine. */
void hm_settings_free(const struct hm_settings *held);
/* How many there are in this process: more than two means that something of an earlier configuration is still under way. */
unsigned hm_settings_alive(void);

/* NULL when there is none. */
const struct hm_backend *hm_settings_backend(const struct hm_settings *settings, const char *name);
const struct hm_role *hm_settings_role(const struct hm_settings *settings, const char *name);

#endif
