/* Block Kit, with a budget: the one way by which messages and views are made. Pure.
 *
 * Whatever goes in, what comes out keeps Slack's limits: 50 blocks a message (100 a view), the lengths of every text, label,
 * value and id (10 % below what Slack documents, because nobody says what a "character" is there), and a sum for the whole
 * message. That sum is not documented; messages of 11,341 and of 13,172 characters of text have been refused (bolt-js #2509,
 * #2867), so the budget of 10,000 counts the blocks' whole JSON.
 *
 * Happy path: new → section, fields, context, preformatted, actions … → finish. What does not fit is cut with a note that says
 * how much is missing, or left out, and then the last line of the message says so and where to read the rest. Important parts
 * that come late (the buttons) are kept room for with hm_blocks_reserve().
 *
 * mrkdwn parameters are Slack's syntax and are taken as they are: foreign text must have gone through escape.h. Plain parameters
 * (header, preformatted, labels, confirm texts) take any bytes. */
#ifndef HM_SLACK_BLOCKS_H
#define HM_SLACK_BLOCKS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum hm_surface { HM_SURFACE_MESSAGE, HM_SURFACE_MODAL, HM_SURFACE_HOME, HM_SURFACE_NR };

enum {
    HM_BLOCKS_TEXT_MAX = 2700,     /* of Slack's 3,000, in a section or a preformatted block */
    HM_BLOCKS_MESSAGE_MAX = 10000, /* JSON of all blocks of a message */
    HM_BLOCKS_VIEW_MAX = 50000,    /* of a view; Slack refuses 250 kB */
    HM_BLOCKS_FALLBACK_MAX = 3000  /* a message's `text`; chat.update refuses more than 4,000 */
};

struct hm_blocks;

/* id_prefix: begins every block_id ("r-7k2m.12"); Slack wants new ids when a message is edited, so it should hold a number that
 * changes with the content; 100 bytes of it are used. budget: in JSON characters; 0 = the surface's own. */
struct hm_blocks *hm_blocks_new(enum hm_surface surface, const char *id_prefix, size_t budget);
void hm_blocks_free(struct hm_blocks *blocks);

/* Where a reader finds what was cut, a short mrkdwn sentence ("`/hausmeister show r-7k2m` has it all."). Copied. Before the
 * first part. */
void hm_blocks_where(struct hm_blocks *blocks, const char *mrkdwn);
/* Until the next call, leave this many blocks and characters free for what comes later. (0, 0) gives it back. */
void hm_blocks_reserve(struct hm_blocks *blocks, size_t n_blocks, size_t characters);
/* Characters that a part added now could use, about. */
size_t hm_blocks_room(const struct hm_blocks *blocks);

/* Each returns true when everything is shown; false when it was cut or left out. Blank text adds nothing and is true. */

bool hm_blocks_header(struct hm_blocks *blocks, const char *plain);
/* A text longer than one section may hold goes on in the next one, parted at a line break (unless it holds a code fence). */
bool hm_blocks_section(struct hm_blocks *blocks, const char *mrkdwn);
bool hm_blocks_fields(struct hm_blocks *blocks, const char *const *mrkdwn, size_t n);
/* Small grey text: n elements. */
bool hm_blocks_context(struct hm_blocks *blocks, const char *const *mrkdwn, size_t n);
bool hm_blocks_divider(struct hm_blocks *blocks);
/* Shown exactly, in a fixed-width font, nothing parsed: requests, bodies, logs. At most max characters (0 = as much as fits),
 * over several blocks when needed. */
bool hm_blocks_preformatted(struct hm_blocks *blocks, const char *plain, size_t max);

enum hm_style { HM_STYLE_DEFAULT, HM_STYLE_PRIMARY, HM_STYLE_DANGER };

struct hm_confirm {
    const char *title, *text; /* plain; at most 90 and 270 characters are shown */
    const char *yes, *no;     /* plain; 27 */
    enum hm_style style;
};

struct hm_button {
    const char *label; /* plain; 67 at most, about 30 are shown */
    /* What a click brings back. A second button of the same id in one row gets "#2" behind it; hm_slack_request_parse() takes it
     * off again. */
    const char *action_id;
    const char *value; /* at most 1,800; a longer one is left out with its button, it can not be cut */
    enum hm_style style;
    const struct hm_confirm *confirm; /* NULL = none */
};
bool hm_blocks_actions(struct hm_blocks *blocks, const struct hm_button *buttons, size_t n);

/* ---- the result -------------------------------------------------------------------------------------------------------------
 */

struct hm_slack_message {
    char *text;     /* for notifications and old clients; mrkdwn, never empty */
    json_t *blocks; /* an array, never empty */
    bool shortened; /* something is not shown */
};
void hm_slack_message_done(struct hm_slack_message *message);

/* Frees blocks. fallback: one sentence, mrkdwn. */
void hm_blocks_finish(struct hm_blocks *blocks, const char *fallback, struct hm_slack_message *ret_message);

/* A section with an element at its side (taken over in any case); the text is cut to one section. */
bool hm_blocks_section_with(struct hm_blocks *blocks, const char *mrkdwn, json_t *stolen_accessory);
/* The same with a button; false also when the button is left out. */
bool hm_blocks_section_button(struct hm_blocks *blocks, const char *mrkdwn, const struct hm_button *button);

/* ---- for form.c, which makes views out of the same parts
 * -------------------------------------------------------------------------- */

/* Adds a finished block if the budget allows; taken over in any case. The caller has kept the limits inside the block. */
bool hm_blocks_put(struct hm_blocks *blocks, json_t *stolen_block);
/* A plain_text object of one line, cut to max characters; "–" for a blank text. */
HM_MUST json_t *hm_blocks_plain_new(const char *plain, size_t max);
/* Frees blocks, returns its array with the closing note. */
HM_MUST json_t *hm_blocks_take_new(struct hm_blocks *blocks);
/* What there is so far; borrowed, not to be changed. */
const json_t *hm_blocks_get_list(const struct hm_blocks *blocks);
/* Remembers that something is not shown. */
void hm_blocks_shortened(struct hm_blocks *blocks);

#endif
