/* The poster on the real Web API: see post_link.h. */
#include "slack/post_link.h"

#include <stdlib.h>

#include "base/mem.h"
#include "io/timer.h"

struct hm_post_link {
    struct hm_web_api *api;
    struct hm_timer *timer;
    struct hm_poster *poster;
};

static void link_call(void *arg, const char *method, json_t *stolen_args, hm_web_fn on_done, void *done_arg)
{
    struct hm_post_link *link = arg;
    hm_web_call(link->api, method, HM_WEB_BOT, stolen_args, on_done, done_arg);
}

static void link_respond(void *arg, const char *response_url, json_t *stolen_body, hm_web_fn on_done, void *done_arg)
{
    struct hm_post_link *link = arg;
    hm_web_respond(link->api, response_url, stolen_body, on_done, done_arg);
}

static void link_wake_in(void *arg, int64_t after_ms)
{
    struct hm_post_link *link = arg;
    hm_timer_start(link->timer, after_ms);
}

static void on_timer(void *arg)
{
    struct hm_post_link *link = arg;
    if (link->poster != NULL)
        hm_poster_turn(link->poster);
}

struct hm_post_link *hm_post_link_new(uv_loop_t *loop, struct hm_web_api *api, struct hm_poster_opts *opts)
{
    struct hm_post_link *link = hm_xcalloc(1, sizeof(*link));

    link->api = api;
    link->timer = hm_timer_new(loop, on_timer, link);
    if (opts->min_interval_ms <= 0)
        opts->min_interval_ms = HM_POST_INTERVAL_MS / (int64_t)hm_web_api_speed(api);
    if (opts->look_after_ms <= 0)
        opts->look_after_ms = HM_POST_LOOK_AFTER_MS / (int64_t)hm_web_api_speed(api);
    opts->slack = (struct hm_poster_slack){.call = link_call, .respond = link_respond, .wake_in = link_wake_in, .arg = link};
    return link;
}

void hm_post_link_attach(struct hm_post_link *link, struct hm_poster *poster)
{
    link->poster = poster;
    if (poster == NULL)
        hm_timer_stop(link->timer);
}

void hm_post_link_free(struct hm_post_link *link)
{
    if (link == NULL)
        return;
    hm_timer_free(link->timer);
    free(link);
}
