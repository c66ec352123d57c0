/* What a person types becomes what Slack sends: mentions resolved, entities escaped, rich text built. Pure. */
#ifndef SLACKSIM_TYPED_H
#define SLACKSIM_TYPED_H

#include <jansson.h>
#include <stdbool.h>

#include "state.h"

/* "hey @ben see #ops & https://x" -> "hey <@U0BEN> see <#C0OPS|ops> &amp; <https://x>"; with_names: "<@U0BEN|ben>" as slash
 * commands with should_escape have it. The caller frees. */
char *sim_typed_to_wire(const struct sim_state *s, const char *typed, bool with_names);

/* Wire text -> [ rich_text block ] as Slack's composer sends it. */
json_t *sim_rich_blocks_new(const char *wire, const char *block_id);

/* &amp; &lt; &gt; -> & < >; the caller frees. */
char *sim_unescape(const char *s, size_t len);

#endif
