/* What people ask of the bot: commands, mentions, clicks and forms become inputs of the runner; what must be said to one person
 * alone is said as an ephemeral message. An envelope is done when its outcome can be seen, or belongs to a run. */
#ifndef HM_APP_PEOPLE_H
#define HM_APP_PEOPLE_H

#include "app/backends.h"
#include "app/hold.h"
#include "app/intake.h"
#include "app/roles.h"
#include "app/settings.h"
#include "run/runner.h"
#include "slack/post.h"
#include "slack/request.h"

struct hm_people;
struct hm_home_alarm;

/* All borrowed. */
struct hm_people_opts {
    struct hm_runner *runner;
    struct hm_roles *roles;
    struct hm_intake *intake;
    struct hm_web_api *api;
    struct hm_poster *poster;
    struct hm_poster_slack slack; /* for what is said to one person alone */
    const struct hm_clock *clock;
    uv_loop_t *loop;
    struct hm_backends *backends; /* for --dry-run; NULL = not possible */
};

struct hm_people *hm_people_new(const struct hm_people_opts *opts);
/* Call after the web API is freed. */
void hm_people_free(struct hm_people *people);
/* The program is ending: what is being rehearsed or read is given up; the next start takes it up again. Before the backends are
 * closed.
 */
void hm_people_stop(struct hm_people *people);
/* settings: borrowed until the next use. */
void hm_people_use(struct hm_people *people, const struct hm_settings *settings);
/* The cards, and what stops everything; borrowed. Without them (NULL) cards of runs that are over stay as they are, and nothing
 * can be stopped or resumed. */
void hm_people_attach(struct hm_people *people, struct hm_cards *cards, struct hm_hold *hold);
/* The alarms, whose offers can be clicked on and which remember what is known; borrowed. Without them (NULL) there are none, and
 * known is what the settings say. */
struct hm_watch;
void hm_people_watch(struct hm_people *people, struct hm_watch *watch);
/* Who we are, once auth.test has said so. Copied. */
void hm_people_identity(struct hm_people *people, const char *bot_user, const char *team);
/* Where the Home tab learns of recent alarms: the newest first into ret_alarms, at most that many; returns how many. */
void hm_people_alarms(struct hm_people *people, size_t (*recent)(void *arg, struct hm_home_alarm *ret_alarms, size_t most),
                      void *arg);
/* A run, an alarm or what is stopped has changed: Home tabs that somebody looks at follow. */
void hm_people_changed(struct hm_people *people);

/* Handles one request; hm_intake_done() follows when its outcome is visible. stored_ms: when it was
 * journaled, if that was before a restart; else 0. */
void hm_people_handle(struct hm_people *people, int64_t inbox_id, const struct hm_slack_request *req, int64_t stored_ms);
/* A submitted form or the options of a search: the payload of its ack (JSON text, caller frees), or NULL to close the form. */
char *hm_people_submitted(struct hm_people *people, int64_t inbox_id, const struct hm_slack_request *req);

#endif
