/* Watching channels for alarms: a message that a rule recognises becomes a case, with a card in its own thread.
 *
 * Happy path: message → judged (alarm/judge.h) → a case, committed together with "this message was seen" and its envelope's end →
 * the card is posted, the unasked reads start. A message of the same alarm joins its case and is counted; the news that it is
 * over closes it. After a gap the channels' history is read through the same path, and starts nothing by itself. Failure: what
 * could not be committed is tried again, and its envelope stays open meanwhile; what Slack does not take is the poster's business
 * (slack/post.h).
 *
 * Everything is in the journal: spaces "alarm" (cases), "alarm-seen" (messages), "alarm-run" (runs of offers), "alarm-watermark"
 * (how far each channel was read), "known" (what alarms remember); what happened to a case also as events under its id, in the
 * chain. */
#ifndef HM_APP_WATCH_H
#define HM_APP_WATCH_H

#include <uv.h>

#include "alarm/case.h"
#include "app/intake.h"
#include "app/settings.h"
#include "run/runner.h"
#include "slack/web_api.h"

struct hm_watch;
struct hm_home_alarm;

/* The journal's space for the runs of offers: "<case>.<nonce>" → {run, seq}. Each is written with the events of the run that the
 * case must hear of (its begin, its end, that it was taken up again), seq being the newest of them: what the case had not noted
 * when the process died, it notes at the next start. */
#define HM_WATCH_RUNS_SPACE "alarm-run"

/* All borrowed. */
struct hm_watch_opts {
    uv_loop_t *loop;
    struct hm_journal *journal;
    const char *journal_path;
    struct hm_web_api *api;
    struct hm_intake *intake;
    struct hm_runner *runner;
    const struct hm_clock *clock;
};

struct hm_watch *hm_watch_new(const struct hm_watch_opts *opts);
/* Shows and starts nothing any more. Call before the web API is freed, and hm_watch_free() after it. */
void hm_watch_stop(struct hm_watch *watch);
void hm_watch_free(struct hm_watch *watch);
/* settings: borrowed until the next use. */
void hm_watch_use(struct hm_watch *watch, const struct hm_settings *settings);
/* Who we are, once Slack has said so; what came before that is judged then. Copied. */
void hm_watch_identity(struct hm_watch *watch, const char *bot_user, const char *bot_id, const char *team);
/* At start, before the runs are restored: what is remembered, and the cases with their cards. */
HM_MUST enum hm_code hm_watch_restore(struct hm_watch *watch, struct hm_err *err);
/* … and after it: which runs belong to which case, and what was to be started. */
void hm_watch_restored(struct hm_watch *watch);
/* Slack can not reach us any more, or can again: then what the channels said meanwhile is read. */
void hm_watch_connected(struct hm_watch *watch, bool connected);
/* What Slack delivered could not be stored, and Slack may not deliver it again: the channels are read back as after a gap. */
void hm_watch_missed(struct hm_watch *watch);

/* {key: {field: value}}: the settings' known, with what alarms remembered over it. Always the same object, changed in place. */
const json_t *hm_watch_known(const struct hm_watch *watch);

/* A message, an edit or a mention. False: none of ours, nothing was done; else hm_intake_done() follows. */
bool hm_watch_message(struct hm_watch *watch, int64_t inbox_id, const struct hm_slack_request *req);
/* hm_runner_io.changed. */
void hm_watch_run(struct hm_watch *watch, const struct hm_run *run);

/* The case of an offer's button; NULL when it is not known any more. *ret_offer: NULL when it has no such offer. Borrowed. */
const struct hm_case *hm_watch_offer(struct hm_watch *watch, const char *case_id, const char *nonce,
                                     const struct hm_case_offer **ret_offer);
/* Whether this click may take the offer: nobody has, and the alarm is open; or the very same click (key) did before a restart. */
bool hm_watch_free_for(const struct hm_case *c, const struct hm_case_offer *offer, const char *key);
typedef void (*hm_watch_taken_fn)(void *arg, enum hm_code code, const char *problem);
struct hm_watch_click {
    const char *user;
    const char *key; /* of the click: the same before and after a restart */
    hm_watch_taken_fn on_taken;
    void *arg;
};
/* Takes it; on_taken once that is committed (or could not be). The offer is hm_watch_free_for(). */
void hm_watch_take(struct hm_watch *watch, const char *case_id, const char *nonce, const struct hm_watch_click *click);

/* It is free again: what it was taken for did not begin. */
void hm_watch_release(struct hm_watch *watch, const char *case_id, const char *nonce);

/* What a run that follows from this one of an alarm (it is tried again, or was offered by it) bears as hm_run_order.alarm, so
 * that it counts for the alarm, too; caller frees. NULL: the run is no alarm's that is still known. */
char *hm_watch_follow_new(const struct hm_watch *watch, const char *run_id);

/* True when everything is committed and Slack shows all that it should. */
bool hm_watch_settled(const struct hm_watch *watch);

/* changed: called whenever hm_watch_home() may give something else; NULL = nobody wants to know. */
void hm_watch_on_changed(struct hm_watch *watch, void (*changed)(void *arg), void *arg);
/* hm_people_alarms(): the newest cases for the Home tab. watch: the struct hm_watch. */
size_t hm_watch_home(void *arg, struct hm_home_alarm *ret_alarms, size_t most);

struct hm_watch_stats {
    uint64_t seen, raised, repeated, grouped, resolved, caught_up;
    size_t open;
};
void hm_watch_stats(const struct hm_watch *watch, struct hm_watch_stats *ret_stats);

#endif
