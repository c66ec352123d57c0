/* The bot: everything wired together on one loop. `hausmeister run`.
 *
 *   hm_bot_new()  settings, tokens, journal, restore
 *      │
 *   hm_bot_run()  RUNNING ── SIGTERM/SIGINT ──► CLOSING SOCKET ─► DRAINING ─► CLOSING HTTP ─► CLOSING JOURNAL ─► CLOSING LOOP
 *      │             └─ SIGHUP: reload                (close frames)  (cards, commits)
 *   hm_bot_free()
 *
 * Ends within 5 s of the first signal, whatever hangs: what was not done is in the journal and goes on at the next start. */
#ifndef HM_APP_BOT_H
#define HM_APP_BOT_H

#include <stdbool.h>

#include "app/settings.h"
#include "base/err.h"

struct hm_bot;

/* Takes settings over (also on failure). Opens everything and begins to restore it; connects nowhere yet. NULL with err set. */
struct hm_bot *hm_bot_new(struct hm_settings *settings, struct hm_err *err);
/* Connects and serves until a signal ends it. Returns when everything is closed; false when it ended by itself, because the
 * journal could not be read (the log says so). */
bool hm_bot_run(struct hm_bot *bot);
void hm_bot_free(struct hm_bot *bot);

#endif
