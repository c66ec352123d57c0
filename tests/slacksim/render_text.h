/* Messages, threads and views as plain text that a person reads and a test searches. Pure. */
#ifndef SLACKSIM_RENDER_TEXT_H
#define SLACKSIM_RENDER_TEXT_H

#include <jansson.h>

#include "base/strbuf.h"
#include "state.h"

enum { SIM_RENDER_MAX = 1024 * 1024 };

/* What a message shows (without its author), one line per line, each with `indent` in front. */
void sim_render_message(const struct sim_state *s, const json_t *msg, const char *indent, struct hm_strbuf *out);
/* Author line and message; ephemerals say who sees them. */
void sim_render_entry(const struct sim_state *s, const struct sim_msg *m, const char *indent, struct hm_strbuf *out);
/* A whole thread: parent, replies, ephemerals seen by user ("*": all). */
void sim_render_thread(const struct sim_state *s, const struct sim_channel *c, const char *root_ts, const char *user,
                       struct hm_strbuf *out);
void sim_render_channel(const struct sim_state *s, const struct sim_channel *c, const char *user, struct hm_strbuf *out);
void sim_render_view(const struct sim_state *s, const json_t *view, struct hm_strbuf *out);

#endif
