/* Ephemeral messages: see whisper.h.
 *
 * Happy path: chat.postEphemeral. Failure modes: refused or certainly not done → the response_url, if there is one; unknown →
 * left at that, because the same whisper twice would only puzzle. */
#include "slack/whisper.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "slack/post_build.h"

struct whisper {
    struct hm_poster_slack slack;
    char *thread_ts;
    char *response_url; /* NULL: none, or used */
    char *user;         /* for a direct message; NULL: not wanted, or tried */
    json_t *content;
    void (*on_done)(void *arg, enum hm_code code, const char *sentence);
    void *arg;
};

static void on_answer(void *arg, const struct hm_web_answer *a);

/* The conversation with the person is open: the words are posted there. */
static void on_open(void *arg, const struct hm_web_answer *a)
{
    struct whisper *w = arg;
    const char *channel = json_string_value(hm_json_get_path(a->body, "channel.id"));
    if (a->code == HM_OK && channel == NULL) { /* nobody was told anything */
        const struct hm_web_answer nowhere = {.code = HM_EIO, .error = "", .sentence = "Slack's answer names no conversation"};
        on_answer(w, &nowhere);
        return;
    }
    if (a->code != HM_OK) {
        on_answer(w, a);
        return;
    }
    json_t *args = json_deep_copy(w->content);
    hm_json_set_str(args, "channel", channel);
    w->slack.call(w->slack.arg, "chat.postMessage", args, on_answer, w);
}

static void say_directly(struct whisper *w)
{
    json_t *args = hm_json_obj_new();
    hm_json_set_str(args, "users", w->user);
    free(w->user);
    w->user = NULL;
    w->slack.call(w->slack.arg, "conversations.open", args, on_open, w);
}

static void on_answer(void *arg, const struct hm_web_answer *a)
{
    struct whisper *w = arg;
    bool refused = a->code == HM_EPERM || a->code == HM_ENOTFOUND || a->code == HM_EINVAL;

    if (a->code != HM_OK && w->response_url != NULL) { /* perhaps it was shown: twice is better than never */
        char *url = w->response_url;
        w->response_url = NULL;
        w->slack.respond(w->slack.arg, url, hm_post_response_new(w->thread_ts, w->content), on_answer, w);
        free(url);
        return;
    }
    if (refused && w->user != NULL) {
        say_directly(w);
        return;
    }
    if (w->on_done != NULL)
        w->on_done(w->arg, a->code, a->sentence);
    json_decref(w->content);
    free(w->thread_ts);
    free(w->response_url);
    free(w->user);
    free(w);
}

void hm_whisper_send(const struct hm_poster_slack *slack, const struct hm_whisper *to, json_t *stolen_content,
                     void (*on_done)(void *arg, enum hm_code code, const char *sentence), void *arg)
{
    struct whisper *w = hm_xcalloc(1, sizeof(*w));

    w->slack = *slack;
    w->thread_ts = hm_xstrdup_null(to->thread_ts);
    w->response_url = hm_xstrdup_null(to->response_url);
    w->content = stolen_content;
    w->user = to->direct ? hm_xstrdup(to->user) : NULL;
    w->on_done = on_done;
    w->arg = arg;
    if (to->channel[0] == '\0' && w->user != NULL) {
        say_directly(w);
        return;
    }
    slack->call(slack->arg, "chat.postEphemeral",
                hm_post_ephemeral_args_new(to->channel, to->user, to->thread_ts, stolen_content), on_answer, w);
}
