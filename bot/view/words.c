/* Small pieces of Slack text: see words.h. */
#include "view/words.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "slack/escape.h"

enum { VALUE_MAX = 80, ID_MAX = 40, LINE_MAX_CHARS = 200, REQUEST_MAX = 1 << 20 };

/* Slack's ids are capital letters and digits; nothing else may stand between < and >. */
static bool is_id(const char *id, const char *first)
{
    size_t len = strlen(id);
    return len > 1 && len <= 30 && strchr(first, id[0]) != NULL && strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == len;
}

static void add_code_cut(struct hm_strbuf *out, const char *text, size_t max)
{
    struct hm_strbuf cut;
    char *clean = hm_slack_clean(text);
    hm_strbuf_init(&cut, SIZE_MAX / 2);
    (void)hm_slack_cut_label(&cut, clean, max);
    hm_slack_add_code(out, hm_strbuf_str(&cut));
    hm_strbuf_done(&cut);
    free(clean);
}

static void add_odd_id(struct hm_strbuf *out, const char *id)
{
    add_code_cut(out, id, ID_MAX);
}

void hm_word_user(struct hm_strbuf *out, const char *user)
{
    if (user == NULL || user[0] == '\0')
        hm_strbuf_adds(out, "somebody");
    else if (is_id(user, "UW"))
        hm_strbuf_addf(out, "<@%s>", user);
    else
        add_odd_id(out, user);
}

void hm_word_channel(struct hm_strbuf *out, const char *channel)
{
    if (channel == NULL || channel[0] == '\0')
        hm_strbuf_adds(out, "somewhere");
    else if (is_id(channel, "CGD"))
        hm_strbuf_addf(out, "<#%s>", channel);
    else
        add_odd_id(out, channel);
}

/* RFC 3339 "2026-11-23T01:02:03.456Z", of which the fallbacks take what they show. */
static void add_date(struct hm_strbuf *out, int64_t at_ms, const char *format, size_t from, size_t len)
{
    char rfc[HM_TIME_MAX];
    (void)hm_format_time(at_ms, rfc);
    rfc[10] = ' ';
    hm_strbuf_addf(out, "<!date^%lld^%s|%.*s UTC>", (long long)(at_ms / 1000), format, (int)len, rfc + from);
}

void hm_word_time(struct hm_strbuf *out, int64_t at_ms)
{
    add_date(out, at_ms, "{time}", 11, 5);
}

void hm_word_time_s(struct hm_strbuf *out, int64_t at_ms)
{
    add_date(out, at_ms, "{time_secs}", 11, 8);
}

void hm_word_moment(struct hm_strbuf *out, int64_t at_ms)
{
    add_date(out, at_ms, "{date_short_pretty}, {time}", 0, 16);
}

void hm_word_time_near(struct hm_strbuf *out, int64_t at_ms, int64_t from_ms)
{
    static const int64_t near_ms = (int64_t)12 * 60 * 60 * 1000;
    int64_t apart = at_ms > from_ms ? at_ms - from_ms : from_ms - at_ms;
    if (apart < near_ms)
        hm_word_time(out, at_ms);
    else
        hm_word_moment(out, at_ms);
}

void hm_word_duration(struct hm_strbuf *out, int64_t ms)
{
    char text[40];
    hm_strbuf_adds(out, hm_format_duration(ms, text, sizeof text));
}

void hm_word_count(struct hm_strbuf *out, size_t n, const char *one, const char *many)
{
    hm_slack_add_count(out, n);
    hm_strbuf_addc(out, ' ');
    hm_strbuf_adds(out, n == 1 ? one : many);
}

void hm_word_roles(struct hm_strbuf *out, char *const *roles)
{
    if (roles == NULL || roles[0] == NULL) {
        hm_strbuf_adds(out, "anybody");
        return;
    }
    hm_strbuf_adds(out, "role ");
    for (size_t i = 0; roles[i] != NULL; i++) {
        if (i > 0)
            hm_strbuf_adds(out, roles[i + 1] == NULL ? " or " : ", ");
        hm_slack_add_code(out, roles[i]);
    }
}

void hm_word_plain(struct hm_strbuf *out, const char *plain, size_t max)
{
    struct hm_strbuf cut;
    char *clean = hm_slack_clean(plain);
    hm_strbuf_init(&cut, SIZE_MAX / 2);
    (void)hm_slack_cut_label(&cut, clean, max);
    hm_slack_escape_line(out, hm_strbuf_str(&cut));
    hm_strbuf_done(&cut);
    free(clean);
}

void hm_word_value(struct hm_strbuf *out, const json_t *value)
{
    char *json = json_is_string(value) ? NULL : hm_json_text(value);
    add_code_cut(out, json != NULL ? json : json_string_value(value), VALUE_MAX);
    free(json);
}

char *hm_word_permalink(const char *workspace_url, const char *channel, const char *ts)
{
    if (workspace_url == NULL || channel == NULL || ts == NULL || workspace_url[0] == '\0' || channel[0] == '\0' || ts[0] == '\0')
        return NULL;
    size_t seconds = strcspn(ts, ".");
    return hm_xasprintf("%sarchives/%s/p%.*s%s", workspace_url, channel, (int)seconds, ts,
                        ts[seconds] == '.' ? ts + seconds + 1 : "");
}

const char *hm_word_step(const struct hm_step *step)
{
    if (step->title != NULL)
        return step->title;
    switch (step->kind) {
    case HM_STEP_DO:
        return step->call.action != NULL ? step->call.action->title : step->id;
    case HM_STEP_APPROVE:
        return "Approval";
    case HM_STEP_ASK:
        return "Question";
    case HM_STEP_MANUAL:
        return "Done by hand";
    case HM_STEP_SAY:
        return "Message";
    case HM_STEP_OFFER:
        return "What next";
    case HM_STEP_NR:
        break;
    }
    return step->id;
}

/* ---- requests -----------------------------------------------------------------------------------------------------------------
 */

static bool may_hold_credential(const char *header)
{
    static const char *const words[] = {"auth", "cookie", "token", "secret", "key", "password", "credential", "signature"};
    for (size_t i = 0; i < HM_ARRAY_LEN(words); i++)
        if (strcasestr(header, words[i]) != NULL)
            return true;
    return false;
}

static void add_http(struct hm_strbuf *out, const json_t *request)
{
    const char *name = NULL;
    json_t *value = NULL;
    const char *body = hm_json_get_str(request, "body", NULL);
    hm_strbuf_addf(out, "%s %s", hm_json_get_str(request, "method", "?"), hm_json_get_str(request, "url", "?"));
    json_object_foreach(json_object_get(request, "headers"), name, value)
    {
        const char *text = json_string_value(value);
        hm_strbuf_addf(out, "\n%s: %s", name, may_hold_credential(name) ? "(not shown)" : text != NULL ? text : "?");
    }
    if (body == NULL)
        return;
    hm_strbuf_adds(out, body[0] != '\0' ? "\n\n" : "\n\n(empty body)");
    hm_strbuf_adds(out, body);
}

/* An argument that a reader could misread gets quotes: shell-like, though no shell ever sees it. */
static void add_argument(struct hm_strbuf *out, const char *arg)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./:=@,+%";
    if (arg[0] != '\0' && strspn(arg, plain) == strlen(arg)) {
        hm_strbuf_adds(out, arg);
        return;
    }
    hm_strbuf_addc(out, '\'');
    for (; *arg != '\0'; arg++) {
        if (*arg == '\'')
            hm_strbuf_adds(out, "'\\''");
        else
            hm_strbuf_addc(out, *arg);
    }
    hm_strbuf_addc(out, '\'');
}

static void add_command(struct hm_strbuf *out, const json_t *argv)
{
    size_t i = 0;
    json_t *arg = NULL;
    json_array_foreach(argv, i, arg)
    {
        if (i > 0)
            hm_strbuf_addc(out, ' ');
        add_argument(out, json_is_string(arg) ? json_string_value(arg) : "?");
    }
}

char *hm_word_request(const json_t *request)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, REQUEST_MAX);
    const json_t *argv = hm_json_get_arr(request, "argv"), *remedy = hm_json_get_arr(request, "remedy");
    if (argv == NULL)
        add_http(&out, request);
    else
        add_command(&out, argv);
    if (remedy != NULL) {
        hm_strbuf_adds(&out, "\nOnly if it can not resolve a host's name: ");
        add_command(&out, remedy);
        hm_strbuf_adds(&out, "\nand then the first once more.");
    }
    return hm_strbuf_take(&out);
}

void hm_word_request_line(struct hm_strbuf *out, const json_t *request)
{
    char *text = hm_word_request(request);
    text[strcspn(text, "\n")] = '\0';
    add_code_cut(out, text, LINE_MAX_CHARS);
    free(text);
}
