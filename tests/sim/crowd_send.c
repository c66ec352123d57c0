/* Envelopes for what people do, in Slack's form. See crowd_parts.h. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "crowd_parts.h"
#include "model_journal.h"
#include "view/card.h"
#include "view/dialog.h"

static void send_it(const char *user, enum envelope_kind kind, struct hm_strbuf *payload)
{
    unsigned id = ++sim->count.envelopes;
    struct envelope e = {
        .key = hm_xasprintf("%s:t%u", kind == SIM_COMMAND ? "cmd" : "act", id),
        .id = hm_xasprintf("e%u", id),
        .type = kind == SIM_COMMAND ? "slash_commands" : "interactive",
        .user = user,
        .kind = kind,
    };
    e.text = hm_xasprintf(
        "{\"envelope_id\":\"%s\",\"type\":\"%s\",\"accepts_response_payload\":true,\"payload\":{\"trigger_id\":\"t%u\","
        "\"api_app_id\":\"A0SIM\",\"response_url\":\"https://hooks/%s\",%s}}",
        e.id, e.type, id, user, hm_strbuf_str(payload));
    hm_strbuf_done(payload);
    slack_send_envelope(&e);
}

void crowd_type(const char *user, const char *channel, const char *text)
{
    struct hm_strbuf p;
    sim_tell("%s types /hausmeister %s", user, text);
    hm_strbuf_init(&p, 4000);
    hm_strbuf_addf(&p,
                   "\"command\":\"/hausmeister\",\"text\":\"%s\",\"team_id\":\"T0SIM\",\"user_id\":\"%s\",\"channel_id\":\"%s\"",
                   text, user, channel);
    send_it(user, SIM_COMMAND, &p);
}

void crowd_click(const char *user, const struct button *b)
{
    struct hm_strbuf p;
    sim->count.clicks++;
    sim_tell("%s clicks %s (%s)", user, b->action, b->value);
    hm_strbuf_init(&p, 4000);
    hm_strbuf_addf(&p,
                   "\"type\":\"block_actions\",\"team\":{\"id\":\"T0SIM\"},\"user\":{\"id\":\"%s\",\"team_id\":\"%s\"},"
                   "\"channel\":{\"id\":\"%s\"},\"container\":{\"message_ts\":\"%s\",\"channel_id\":\"%s\"},"
                   "\"actions\":[{\"action_id\":\"%s\",\"block_id\":\"b\",\"value\":\"%s\"}]",
                   user, sim_team_of(user), b->channel, b->ts, b->channel, b->action, b->value);
    send_it(user, SIM_CLICK, &p);
}

/* ---- dialogs
 * -------------------------------------------------------------------------------------------------------------------------------
 */

/* What must be typed for this dialog's gate. */
static const char *right_text(const char *value)
{
    char run_id[HM_CARD_RUN_ID_MAX];
    char nonce[HM_CARD_NONCE_MAX];
    if (!hm_card_parse_value(value, run_id, nonce))
        return "";
    const struct book_run *run = book_find(run_id);
    const struct hm_gate *gate = run != NULL ? hm_run_open_gate(run->state) : NULL;
    return gate != NULL && gate->typed != NULL ? gate->typed : "";
}

static void add_options(struct hm_strbuf *p, const json_t *element, bool many)
{
    const json_t *options = json_object_get(element, "options");
    size_t n = json_array_size(options);
    const json_t *one = n > 0 ? json_array_get(options, rng_below(&sim->rng, n)) : NULL;
    const char *value = hm_json_get_str(one, "value", "0");
    if (many && n > 1 && rng_percent(&sim->rng, 50))
        hm_strbuf_addf(p, "\"selected_options\":[{\"value\":\"%s\"},{\"value\":\"%s\"}]", value,
                       hm_json_get_str(json_array_get(options, 0), "value", "0"));
    else
        hm_strbuf_addf(p, many ? "\"selected_options\":[{\"value\":\"%s\"}]" : "\"selected_option\":{\"value\":\"%s\"}", value);
}

static void add_field(struct hm_strbuf *p, const json_t *view, const json_t *block, bool well)
{
    const json_t *element = json_object_get(block, "element");
    const char *name = hm_json_get_str(block, "block_id", "");
    const char *type = hm_json_get_str(element, "type", "");
    const char *text = "because";
    if (hm_streq(name, HM_FIELD_TYPED))
        text = right_text(hm_json_get_str(view, "private_metadata", ""));
    else if (hm_streq(type, "number_input"))
        text = "5";
    if (!well && rng_percent(&sim->rng, 30))
        text = rng_percent(&sim->rng, 50) ? "wrong" : "";
    hm_strbuf_addf(p, "\"%s\":{\"a\":{\"type\":\"%s\",", name, type);
    if (hm_streq(type, "static_select") || hm_streq(type, "multi_static_select"))
        add_options(p, element, type[0] == 'm');
    else
        hm_strbuf_addf(p, "\"value\":\"%s\"", text);
    hm_strbuf_adds(p, "}}");
}

void crowd_submit(struct dialog *d, bool well)
{
    struct hm_strbuf p;
    size_t i = 0;
    const json_t *block = NULL;
    const char *comma = "";
    const char *value = hm_json_get_str(d->view, "private_metadata", "");
    json_t *metadata = hm_json_str_new(value);
    char *quoted = json_dumps(metadata, JSON_ENCODE_ANY); /* it may be JSON itself */
    hm_strbuf_init(&p, 8000);
    hm_strbuf_addf(&p,
                   "\"type\":\"view_submission\",\"team\":{\"id\":\"T0SIM\"},\"user\":{\"id\":\"%s\",\"team_id\":\"%s\"},"
                   "\"view\":{\"id\":\"V1\",\"callback_id\":\"%s\",\"private_metadata\":%s,\"state\":{\"values\":{",
                   d->user, sim_team_of(d->user), hm_json_get_str(d->view, "callback_id", ""), quoted);
    free(quoted);
    json_decref(metadata);
    json_array_foreach(json_object_get(d->view, "blocks"), i, block)
    {
        if (!hm_streq(hm_json_get_str(block, "type", ""), "input"))
            continue;
        hm_strbuf_adds(&p, comma);
        add_field(&p, d->view, block, well);
        comma = ",";
    }
    hm_strbuf_adds(&p, "}}}");
    sim_tell("%s submits %s: %.150s", d->user, value, strstr(hm_strbuf_str(&p), "\"values\""));
    send_it(d->user, SIM_FORM, &p);
    json_decref(d->view);
}
