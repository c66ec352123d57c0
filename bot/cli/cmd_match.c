/* hausmeister match: what a message would mean. Text, a message, an event or a whole envelope in a file or on stdin; which rule
 * recognises it, its fields and offers on stdout, or why none does. Nothing is connected to, nothing started. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alarm/follow.h"
#include "alarm/judge.h"
#include "app/known.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/suggest.h"
#include "base/text.h"
#include "cli/cli.h"

enum { INPUT_MAX = 1 << 20, READ_SIZE = 65536 };

/* All of the file, or of stdin ("-"); NULL when it can not be read or is too long. Caller frees. */
static char *read_input(const char *path, size_t *ret_len, struct hm_err *err)
{
    struct hm_strbuf in;
    bool named = strcmp(path, "-") != 0;
    FILE *file = named ? fopen(path, "re") : stdin;
    if (file == NULL) {
        (void)hm_err_set(err, HM_ENOTFOUND, "%s; a text itself comes on standard input: echo 'the text' | hausmeister match …",
                         strerror(errno));
        return NULL;
    }
    char *chunk = hm_xmalloc(READ_SIZE);
    size_t n = 0;
    hm_strbuf_init(&in, INPUT_MAX);
    while ((n = fread(chunk, 1, READ_SIZE, file)) > 0)
        hm_strbuf_add(&in, chunk, n);
    free(chunk);
    if (ferror(file) != 0)
        (void)hm_err_set(err, HM_EIO, "%s", strerror(errno));
    else if (in.failed)
        (void)hm_err_set(err, HM_ETOOBIG, "longer than %d bytes", INPUT_MAX);
    if (named)
        (void)fclose(file); /* it was read only */
    *ret_len = in.len;
    char *text = hm_strbuf_take(&in);
    if (err->code == HM_OK)
        return text;
    free(text);
    return NULL;
}

/* The message inside an envelope, a payload or an event; else the event that is there in its place (a deletion, a reaction),
 * which the gates have a word for; borrowed; NULL when there is neither. */
static const json_t *message_in(const json_t *root)
{
    static const char *const paths[] = {"payload.event", "event", ""};
    static const char *const marks[] = {"text", "blocks", "attachments", "message"};
    for (size_t i = 0; i < HM_ARRAY_LEN(paths); i++) {
        const json_t *found = hm_json_get_path(root, paths[i]);
        for (size_t k = 0; json_is_object(found) && k < HM_ARRAY_LEN(marks); k++)
            if (json_object_get(found, marks[k]) != NULL)
                return found;
    }
    for (size_t i = 0; i < HM_ARRAY_LEN(paths); i++) {
        const json_t *found = hm_json_get_path(root, paths[i]);
        if (hm_json_get_str(found, "event_ts", hm_json_get_str(found, "ts", NULL)) != NULL &&
            hm_json_get_str(found, "type", NULL) != NULL)
            return found;
    }
    return NULL;
}

/* How stdin begins: JSON, something that could be meant as JSON, or text. A text may begin like "[FIRING:1] …" or "{'log': …". */
enum look { LOOK_TEXT, LOOK_PERHAPS, LOOK_JSON };

static enum look look_at(const char *text)
{
    const char *first = text + strspn(text, " \t\r\n");
    const char *next = first + (*first != '\0' ? 1 : 0);
    next += strspn(next, " \t\r\n");
    if (*first == '{')
        return *next == '"' || *next == '}' || *next == '\0' ? LOOK_JSON : LOOK_PERHAPS;
    if (*first == '[')
        return *next != '\0' && strchr("{[\"]", *next) != NULL ? LOOK_JSON : LOOK_TEXT;
    return LOOK_TEXT;
}

/* The line ends of Windows are line ends, too. */
static json_t *text_message_new(const char *text, size_t len)
{
    struct hm_strbuf lines;
    hm_strbuf_init(&lines, INPUT_MAX);
    for (size_t i = 0; i < len; i++)
        if (text[i] != '\r' || i + 1 == len || text[i + 1] != '\n')
            hm_strbuf_addc(&lines, text[i]);
    char *clean = hm_utf8_clean(hm_strbuf_str(&lines), lines.len);
    hm_strbuf_done(&lines);
    json_t *message = hm_json_obj_new();
    hm_json_set_str(message, "text", clean);
    free(clean);
    return message;
}

/* What is given in place of one message. */
static const char *why_none(const json_t *root)
{
    if (json_is_array(root))
        return "a list; give one message, not several";
    if (hm_json_get_arr(root, "messages") != NULL)
        return "this is an answer of conversations.history; give one of its messages";
    return "there is no message in it: it needs text, blocks or attachments";
}

/* Text as a message; JSON as the message in it. A new reference, or NULL with err set. */
static json_t *read_message_new(const char *text, size_t len, bool *ret_bare, struct hm_err *err)
{
    enum look look = look_at(text);
    json_t *root = look != LOOK_TEXT ? hm_json_parse_new(text, len, INPUT_MAX, err) : NULL;
    *ret_bare = root == NULL;
    if (root == NULL && look == LOOK_JSON)
        return NULL;
    if (root == NULL) {
        if (look == LOOK_PERHAPS)
            (void)fprintf(stderr, "hausmeister: stdin: %s; taken for a text\n", err->msg);
        return text_message_new(text, len);
    }
    const json_t *found = message_in(root);
    json_t *message = found != NULL ? json_incref(hm_unconst(found)) : NULL;
    if (found == NULL)
        (void)hm_err_set(err, HM_EINVAL, "%s", why_none(root));
    json_decref(root);
    return message;
}

/* The id that --channel means; NULL when it is neither an id nor a name of the settings. */
static const char *channel_id(const struct hm_settings *settings, const char *name)
{
    const char *bare = name[0] == '#' ? name + 1 : name;
    const json_t *ids = json_object_get(settings->channels, bare);
    if (json_array_size(ids) > 0)
        return json_string_value(json_array_get(ids, 0));
    return (bare[0] == 'C' || bare[0] == 'G') && strspn(bare, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == strlen(bare) ? bare
                                                                                                                      : NULL;
}

static int no_channel(const struct hm_settings *settings, const char *word)
{
    char meant[120];
    struct hm_suggest s;
    const char *name = NULL;
    const json_t *ids = NULL;
    hm_suggest_init(&s, word[0] == '#' ? word + 1 : word);
    json_object_foreach(settings->channels, name, ids) hm_suggest_try(&s, name);
    return hm_cli_fail(HM_EXIT_USAGE, "--channel %s: the settings know no such channel; write its id, or a name of channels%s",
                       word, hm_suggest_text(&s, meant, sizeof meant));
}

/* ---- the answer ------------------------------------------------------------------------------------------------------------ */

static void add_follow(json_t *out, const struct hm_settings *settings, const struct hm_alarm_verdict *v)
{
    json_t *problems = hm_json_arr_new();
    json_t *scope = hm_alarm_scope_new(v->rule, v->values, settings->known);
    char *say = hm_alarm_say(v->rule, scope, problems);
    hm_json_set_str(out, "say", say);
    hm_json_set(out, "offers", hm_alarm_offers_new(v->rule, scope, problems));
    hm_json_set(out, "auto", hm_alarm_autos_new(v->rule, scope, problems));
    hm_json_set(out, "remember", hm_alarm_memories_new(v->rule, scope, problems));
    hm_json_set(out, "problems", problems);
    json_decref(scope);
    free(say);
}

static json_t *answer_new(const struct hm_settings *settings, const struct hm_alarm_verdict *v)
{
    json_t *out = hm_json_obj_new();
    const char *environment = hm_json_get_str(v->values, "environment", "-");
    const struct hm_alarm_rule *about = v->kind == HM_ALARM_RESOLVED ? v->about : v->rule;
    bool match = v->kind == HM_ALARM_MATCH;
    hm_json_set_str(out, "verdict", hm_alarm_kind_name(v->kind));
    hm_json_set_str(out, "alarm", v->kind != HM_ALARM_NONE && about != NULL ? about->name : "-");
    hm_json_set_str(out, "reason", v->reason[0] != '\0' ? v->reason : "-");
    hm_json_set_str(out, "why", v->why);
    hm_json_set_str(out, "nearest", v->kind == HM_ALARM_NONE && v->rule != NULL ? v->rule->name : "-");
    hm_json_set(out, "fields", json_incref(v->found));
    hm_json_set(out, "values", json_incref(v->values));
    hm_json_set_str(out, "environment", environment);
    hm_json_set(out, "assumed", json_incref(v->assumed));
    hm_json_set_str(out, "key", v->key);
    hm_json_set_str(out, "text", v->text);
    if (v->kind == HM_ALARM_RESOLVED)
        hm_json_set_str(out, "notice", v->rule->name);
    if (match)
        add_follow(out, settings, v);
    return out;
}

static void print_json_line(const char *label, const json_t *value)
{
    char *text = hm_json_text(value);
    (void)printf("%s: %s\n", label, text);
    free(text);
}

static void print_starts(const char *label, const json_t *list)
{
    size_t i = 0;
    const json_t *start = NULL;
    json_array_foreach(list, i, start)
    {
        char *with = hm_json_text(json_object_get(start, "with"));
        const char *title = hm_json_get_str(start, "label", "");
        (void)printf("%s: %s %s%s%s%s\n", label, hm_json_get_str(start, "recipe", ""), with, title[0] != '\0' ? " [" : "", title,
                     title[0] != '\0' ? "]" : "");
        free(with);
    }
}

static void print_lines(const json_t *out)
{
    static const char *const first[] = {"verdict", "alarm", "reason", "why", "nearest", "notice"};
    size_t i = 0;
    const json_t *one = NULL;
    for (size_t k = 0; k < HM_ARRAY_LEN(first); k++)
        if (json_object_get(out, first[k]) != NULL)
            (void)printf("%s: %s\n", first[k], hm_json_get_str(out, first[k], "-"));
    print_json_line("fields", json_object_get(out, "fields"));
    (void)printf("environment: %s%s\n", hm_json_get_str(out, "environment", "-"),
                 json_object_get(json_object_get(out, "assumed"), "environment") != NULL ? " (assumed)" : "");
    if (hm_json_get_str(out, "say", NULL) == NULL)
        return;
    (void)printf("key: %s\n", hm_json_get_str(out, "key", ""));
    print_starts("offer", json_object_get(out, "offers"));
    print_starts("auto", json_object_get(out, "auto"));
    json_array_foreach(json_object_get(out, "remember"), i, one)
    {
        char *fields = hm_json_text(json_object_get(one, "fields"));
        (void)printf("remember: %s %s\n", hm_json_get_str(one, "key", ""), fields);
        free(fields);
    }
    json_array_foreach(json_object_get(out, "problems"), i, one)(void) printf("left out: %s\n", json_string_value(one));
    if (hm_json_get_str(out, "say", "")[0] != '\0')
        (void)printf("say:\n%s\n", hm_json_get_str(out, "say", ""));
}

/* ---------------------------------------------------------------------------------------------------------------------------- */

/* An edit raises nothing, but can say that an alarm is over. */
static void judge_edit(const struct hm_settings *settings, const json_t *message, struct hm_alarm_around around, json_t *out)
{
    const json_t *inner = hm_json_get_obj(message, "message");
    struct hm_alarm_verdict v;
    if (!hm_streq(hm_json_get_str(message, "subtype", NULL), "message_changed") || inner == NULL)
        return;
    around.edited = true;
    around.channel = hm_json_get_str(message, "channel", around.channel);
    hm_alarm_judge(&settings->alarms, inner, &around, &v);
    hm_json_set_str(out, "edit", v.kind == HM_ALARM_RESOLVED ? v.rule->name : "-");
    hm_alarm_verdict_done(&v);
}

static int run_match(const struct hm_cli *cli)
{
    size_t len = 0;
    struct hm_alarm_around around = {.explain = true};
    struct hm_alarm_verdict verdict;
    struct hm_err err = {0};
    if (cli->n_words > 1)
        return hm_cli_fail(HM_EXIT_USAGE, "match reads one FILE or standard input: echo 'the text' | hausmeister match …");
    const char *path = cli->n_words == 1 ? cli->words[0] : "-";
    struct hm_settings *settings = hm_cli_settings(cli, NULL);
    if (settings == NULL)
        return HM_EXIT_NO;
    hm_known_overlay(settings);
    around.team = settings->slack.team;
    around.channel = cli->channel != NULL ? channel_id(settings, cli->channel) : NULL;
    if (cli->channel != NULL && around.channel == NULL) {
        int code = no_channel(settings, cli->channel);
        hm_settings_free(settings);
        return code;
    }
    if (strcmp(path, "-") == 0 && isatty(STDIN_FILENO) == 1)
        (void)fprintf(stderr, "Type or paste the text; Ctrl-D ends it.\n");
    char *text = read_input(path, &len, &err);
    json_t *message = text != NULL ? read_message_new(text, len, &around.bare, &err) : NULL;
    free(text);
    if (message == NULL) {
        hm_settings_free(settings);
        return hm_cli_fail(HM_EXIT_USAGE, "%s: %s", strcmp(path, "-") == 0 ? "stdin" : path, err.msg);
    }
    if (cli->channel != NULL)
        hm_json_set_str(message, "channel", around.channel);
    hm_alarm_judge(&settings->alarms, message, &around, &verdict);
    json_t *out = answer_new(settings, &verdict);
    judge_edit(settings, message, around, out);
    if (cli->json)
        hm_cli_print_json(out);
    else
        print_lines(out);
    int code = verdict.kind != HM_ALARM_NONE ? HM_EXIT_OK : HM_EXIT_NO;
    hm_alarm_verdict_done(&verdict);
    json_decref(out);
    json_decref(message);
    hm_settings_free(settings);
    return code;
}

const struct hm_command hm_cmd_match = {
    .name = "match",
    .usage = "--config FILE [--json] [--channel NAME] [FILE]",
    .help = "says which alarm a text or message (FILE, or standard input) is, and why",
    .needs_config = true,
    .takes = HM_TAKES_JSON | HM_TAKES_CHANNEL,
    .run = run_match,
};
