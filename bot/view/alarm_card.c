/* The card of an alarm: see alarm_card.h. */
#include "view/alarm_card.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "slack/escape.h"
#include "view/card.h"
#include "view/words.h"

enum { BUTTON_ROOM = 450, OFFERS_MAX = 20, VALUE_MAX = 120, SAID_MAX = 1200, NOTE_MAX = 200 };

static const char *symbol(const struct hm_case *c)
{
    if (c->end == HM_CASE_OVER)
        return ":white_check_mark:";
    if (c->end == HM_CASE_EXPIRED)
        return ":hourglass:";
    return c->grouped > 0 ? ":ocean:" : c->n_offers == 0 && json_array_size(c->remembered) > 0 ? ":memo:" : ":rotating_light:";
}

/* A value in a code span; a list with commas. */
static void add_value(struct hm_strbuf *out, const json_t *value)
{
    size_t i = 0;
    const json_t *one = NULL;
    if (!json_is_array(value)) {
        hm_word_value(out, value);
        return;
    }
    json_array_foreach(value, i, one)
    {
        hm_strbuf_adds(out, i > 0 ? ", " : "");
        hm_word_value(out, one);
    }
}

static void add_with(struct hm_strbuf *out, const json_t *with)
{
    const char *name = NULL;
    const json_t *value = NULL;
    bool first = true;
    json_object_foreach(hm_unconst(with), name, value)
    {
        hm_strbuf_adds(out, first ? "" : ", ");
        hm_slack_escape_line(out, name);
        hm_strbuf_addc(out, ' ');
        add_value(out, value);
        first = false;
    }
}

/* ---- the head ---------------------------------------------------------------------------------------------------------------
 */

static void add_title(struct hm_strbuf *out, const struct hm_case *c)
{
    hm_strbuf_addf(out, "%s *", symbol(c));
    hm_slack_escape_line(out, c->title);
    hm_strbuf_adds(out, "*");
    if (c->count > 1) {
        hm_strbuf_adds(out, " · ");
        hm_slack_add_count(out, (size_t)c->count);
        hm_strbuf_adds(out, " times, the last at ");
        hm_word_time(out, c->last_ms);
    }
    if (c->grouped > 0) {
        hm_strbuf_adds(out, " · ");
        hm_slack_add_count(out, (size_t)c->grouped);
        hm_strbuf_adds(out, " without a card");
    }
}

static void add_facts(struct hm_strbuf *out, const struct hm_case *c)
{
    size_t i = 0;
    const json_t *fact = NULL;
    json_array_foreach(c->facts, i, fact)
    {
        const char *name = json_string_value(json_array_get(fact, 0));
        hm_strbuf_adds(out, i == 0 ? "\n" : " · ");
        hm_slack_escape_line(out, name);
        hm_strbuf_addc(out, ' ');
        add_value(out, json_array_get(fact, 1));
        if (json_object_get(c->assumed, name) != NULL)
            hm_strbuf_adds(out, " (assumed: the message does not say)");
    }
}

static void add_head(struct hm_blocks *blocks, const struct hm_case *c)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    add_title(&out, c);
    add_facts(&out, c);
    (void)hm_blocks_section(blocks, hm_strbuf_str(&out));
    (void)hm_blocks_section(blocks, c->say);
    hm_strbuf_done(&out);
}

static void add_grouped(struct hm_blocks *blocks, const struct hm_case *c)
{
    struct hm_strbuf out;
    size_t i = 0;
    uint64_t named = 0;
    const json_t *row = NULL;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    json_array_foreach(c->grouped_keys, i, row)
    {
        const char *key = json_string_value(json_array_get(row, 1));
        uint64_t n = (uint64_t)json_integer_value(json_array_get(row, 2));
        named += n;
        hm_strbuf_adds(&out, i > 0 ? "\n• " : "• ");
        hm_word_plain(&out, json_string_value(json_array_get(row, 0)), VALUE_MAX);
        if (key != NULL && key[0] != '\0') {
            hm_strbuf_addc(&out, ' ');
            hm_word_value(&out, json_array_get(row, 1));
        }
        if (n > 1) {
            hm_strbuf_adds(&out, " · ");
            hm_slack_add_count(&out, (size_t)n);
            hm_strbuf_adds(&out, " times");
        }
    }
    if (c->grouped > named) {
        hm_strbuf_adds(&out, "\n• and ");
        hm_slack_add_count(&out, (size_t)(c->grouped - named));
        hm_strbuf_adds(&out, " more");
    }
    (void)hm_blocks_section(blocks, hm_strbuf_str(&out));
    hm_strbuf_done(&out);
}

/* ---- what was done ------------------------------------------------------------------------------------------------------------
 */

/* Somebody looked, which mends nothing. */
static bool only_looked(const struct hm_case_offer *o)
{
    return o->looks && !o->unasked && o->status != NULL;
}

/* A later try of the same is there. */
static bool was_tried_again(const struct hm_case *c, const struct hm_case_offer *o)
{
    for (const struct hm_case_offer *later = o + 1; later < c->offers + c->n_offers; later++)
        if (later->again && strcmp(later->recipe, o->recipe) == 0 && json_equal(later->with, o->with))
            return true;
    return false;
}

static const char *outcome_mark(const struct hm_case_offer *o)
{
    if (o->status == NULL)
        return ":hourglass_flowing_sand: ";
    if (only_looked(o) && (strcmp(o->status, "done") == 0 || strcmp(o->status, "stopped") == 0))
        return ":eyes: ";
    return strcmp(o->status, "done") == 0 ? ":white_check_mark: " : ":warning: ";
}

static void add_outcome(struct hm_strbuf *out, const struct hm_case_offer *o)
{
    if (o->run_id != NULL) {
        hm_strbuf_adds(out, " · run ");
        hm_slack_add_code(out, o->run_id);
    }
    if (o->status == NULL)
        hm_strbuf_adds(out, o->run_id != NULL ? " is under way" : " is being started");
    else
        hm_strbuf_addf(out, ": *%s*%s", o->status, only_looked(o) ? ", it only looked" : "");
    if (o->said != NULL && o->said[0] != '\0') {
        hm_strbuf_adds(out, "\n");
        (void)hm_slack_cut_mrkdwn(out, o->said, SAID_MAX);
    }
}

static void add_done(struct hm_blocks *blocks, const struct hm_case *c)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    for (size_t i = 0; i < c->n_offers; i++) {
        const struct hm_case_offer *o = &c->offers[i];
        if (o->taken_by == NULL || (o->again && o->status != NULL && was_tried_again(c, o))) /* of many tries the last */
            continue;
        hm_strbuf_adds(&out, out.len > 0 ? "\n" : "");
        hm_strbuf_adds(&out, o->unasked ? ":mag: Looked by itself: " : outcome_mark(o));
        if (o->unasked) {
            hm_slack_add_code(&out, o->recipe);
        } else {
            hm_word_user(&out, o->taken_by);
            hm_strbuf_adds(&out, o->again ? " started again *" : o->added ? " went on with *" : " chose *");
            hm_slack_escape_line(&out, o->label);
            hm_strbuf_adds(&out, "* at ");
            hm_word_time(&out, o->taken_ms);
        }
        add_outcome(&out, o);
    }
    (void)hm_blocks_section(blocks, hm_strbuf_str(&out));
    hm_strbuf_done(&out);
}

static void add_notes(struct hm_blocks *blocks, const struct hm_case *c)
{
    struct hm_strbuf out;
    size_t i = 0;
    const json_t *memory = NULL;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    if (c->late) {
        hm_strbuf_adds(&out, ":hourglass: It is from ");
        hm_word_moment(&out, c->at_ms);
        hm_strbuf_adds(&out, " and was seen later: nothing was started by itself. Look whether it still holds.");
    }
    json_array_foreach(c->remembered, i, memory)
    {
        hm_strbuf_adds(&out, out.len > 0 ? "\n" : "");
        hm_strbuf_adds(&out, "Remembered as `known.");
        hm_slack_escape_code(&out, hm_json_get_str(memory, "key", ""));
        hm_strbuf_adds(&out, "`: ");
        add_with(&out, json_object_get(memory, "fields"));
    }
    if (c->taken != NULL) {
        hm_strbuf_adds(&out, out.len > 0 ? "\n" : "");
        hm_strbuf_adds(&out, ":eyes: ");
        hm_word_plain(&out, c->taken, NOTE_MAX);
    }
    const char *const texts[] = {hm_strbuf_str(&out)};
    if (out.len > 0)
        (void)hm_blocks_context(blocks, texts, 1);
    hm_strbuf_done(&out);
}

/* ---- what can be done ---------------------------------------------------------------------------------------------------------
 */

static bool is_button(const struct hm_case_offer *o)
{
    return o->taken_by == NULL && !o->unasked;
}

static void add_offer_lines(struct hm_blocks *blocks, const struct hm_case *c)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    for (size_t i = 0; i < c->n_offers; i++) {
        const struct hm_case_offer *o = &c->offers[i];
        if (!is_button(o))
            continue;
        hm_strbuf_adds(&out, out.len > 0 ? "\n• *" : "• *");
        hm_slack_escape_line(&out, o->label);
        hm_strbuf_adds(&out, "*: ");
        hm_slack_add_code(&out, o->recipe);
        hm_strbuf_adds(&out, json_object_size(o->with) > 0 ? " with " : "");
        add_with(&out, o->with);
    }
    (void)hm_blocks_section(blocks, hm_strbuf_str(&out));
    hm_strbuf_done(&out);
}

static void add_buttons(struct hm_blocks *blocks, const struct hm_case *c)
{
    struct hm_button buttons[OFFERS_MAX];
    char *values[OFFERS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < c->n_offers && n < OFFERS_MAX; i++) {
        const struct hm_case_offer *o = &c->offers[i];
        if (!is_button(o))
            continue;
        values[n] = hm_card_value(c->id, o->nonce);
        buttons[n] = (struct hm_button){.label = o->label,
                                        .action_id = HM_ACTION_ALARM,
                                        .value = values[n],
                                        .style = strcmp(o->style, "primary") == 0  ? HM_STYLE_PRIMARY
                                                 : strcmp(o->style, "danger") == 0 ? HM_STYLE_DANGER
                                                                                   : HM_STYLE_DEFAULT};
        n++;
    }
    if (n > 0)
        (void)hm_blocks_actions(blocks, buttons, n);
    for (size_t i = 0; i < n; i++)
        free(values[i]);
}

static void add_end(struct hm_blocks *blocks, const struct hm_case *c)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    if (c->end == HM_CASE_OVER)
        hm_strbuf_adds(&out, ":white_check_mark: *Over* since ");
    else
        hm_strbuf_adds(&out, ":hourglass: Closed at ");
    hm_word_time(&out, c->ended_ms);
    if (c->ended_why != NULL) {
        hm_strbuf_adds(&out, ": ");
        hm_word_plain(&out, c->ended_why, NOTE_MAX);
    }
    const char *const texts[] = {hm_strbuf_str(&out)};
    (void)hm_blocks_context(blocks, texts, 1);
    hm_strbuf_done(&out);
}

static void add_foot(struct hm_blocks *blocks, const struct hm_case *c)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, SIZE_MAX / 2);
    hm_slack_add_code(&out, c->id);
    if (c->card_channel != NULL) {
        hm_strbuf_adds(&out, " · said in ");
        hm_word_channel(&out, c->channel);
        hm_strbuf_adds(&out, ", where this could not be posted");
    }
    if (c->rule[0] != '\0') {
        hm_strbuf_adds(&out, " · rule ");
        hm_slack_add_code(&out, c->rule);
    }
    if (c->doc != NULL) {
        hm_strbuf_adds(&out, " · see ");
        if (c->link != NULL)
            hm_strbuf_addf(&out, "<%s|", c->link);
        hm_slack_escape_line(&out, c->doc);
        hm_strbuf_adds(&out, c->link != NULL ? ">" : "");
    }
    const char *const texts[] = {hm_strbuf_str(&out)};
    (void)hm_blocks_context(blocks, texts, 1);
    hm_strbuf_done(&out);
}

/* -------------------------------------------------------------------------------------------------------------------------------
 */

void hm_alarm_card_render(const struct hm_case *c, struct hm_slack_message *ret_message)
{
    struct hm_strbuf text;
    char *prefix = hm_xasprintf("%s.%lld", c->id, (long long)c->version);
    struct hm_blocks *blocks = hm_blocks_new(HM_SURFACE_MESSAGE, prefix, 0);
    bool open = hm_case_offers_open(c);
    size_t rows = 2;
    for (size_t i = 0; i < c->n_offers && open; i++)
        rows += is_button(&c->offers[i]) ? 1 : 0;
    hm_blocks_reserve(blocks, 3, rows * BUTTON_ROOM);
    add_head(blocks, c);
    if (c->grouped > 0)
        add_grouped(blocks, c);
    add_notes(blocks, c);
    add_done(blocks, c);
    if (open)
        add_offer_lines(blocks, c);
    hm_blocks_reserve(blocks, 0, 0);
    if (open)
        add_buttons(blocks, c);
    else
        add_end(blocks, c);
    add_foot(blocks, c);

    hm_strbuf_init(&text, 2000);
    add_title(&text, c);
    add_facts(&text, c);
    hm_blocks_finish(blocks, hm_strbuf_str(&text), ret_message);
    hm_strbuf_done(&text);
    free(prefix);
}

char *hm_alarm_card_refusal(const struct hm_case *c, const struct hm_case_offer *offer)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, 2000);
    if (c == NULL) {
        hm_strbuf_adds(&out,
                       "This alarm is too old: its offers are not known any more. Nothing was started; start the recipe by its "
                       "name if it is still needed.");
    } else if (offer == NULL || c->end != HM_CASE_OPEN) {
        hm_strbuf_adds(&out, "This alarm is closed");
        if (c->end != HM_CASE_OPEN) {
            hm_strbuf_adds(&out, " since ");
            hm_word_time(&out, c->ended_ms);
        }
        hm_strbuf_adds(&out, ": its offers are closed too. Nothing was started.");
    } else {
        hm_word_user(&out, offer->taken_by);
        hm_strbuf_adds(&out, " chose *");
        hm_slack_escape_line(&out, offer->label);
        hm_strbuf_adds(&out, "* already, at ");
        hm_word_time(&out, offer->taken_ms);
        hm_strbuf_adds(&out, ". Nothing was started twice.");
    }
    return hm_strbuf_take(&out);
}
