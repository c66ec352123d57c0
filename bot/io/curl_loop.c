/* curl on uv: see curl_loop.h.
 *
 * Happy path: curl asks for sockets (uv_poll) and for one timer → each event goes into curl_multi_socket_action() → every
 * completion is read off. Measured trap: the last completion of all comes when no transfer is running any more, so the messages
 * are read after every call, whatever it says about running transfers.
 * Failure modes: curl's own; a socket that uv can not watch is a mistake of ours and ends the process. */
#include "io/curl_loop.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/assert.h"
#include "base/mem.h"

enum { KEPT_CONNECTIONS = 64 /* idle ones, over all pools */ };

struct watched_socket {
    LIST_ENTRY(watched_socket) link;
    uv_poll_t uv;
    struct hm_curl_loop *owner;
    curl_socket_t fd;
};

struct hm_curl_loop {
    uv_loop_t *loop;
    CURLM *multi;
    CURLSH *share;
    uv_timer_t timer;
    LIST_HEAD(, watched_socket) sockets;
    void (*on_done)(void *arg, CURL *easy, CURLcode rc);
    void *arg;
    bool closing;
    unsigned open_handles; /* uv handles whose close callback has not run */
    void (*on_closed)(void *arg);
};

static void drain(struct hm_curl_loop *l)
{
    CURLMsg *msg = NULL;
    int left = 0;

    while (l->multi != NULL && (msg = curl_multi_info_read(l->multi, &left)) != NULL) {
        if (msg->msg == CURLMSG_DONE)
            l->on_done(l->arg, msg->easy_handle, msg->data.result);
    }
}

static void on_timer(uv_timer_t *uv)
{
    struct hm_curl_loop *l = uv->data;
    int running = 0;
    (void)curl_multi_socket_action(l->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    drain(l);
}

static void on_socket_event(uv_poll_t *uv, int status, int events)
{
    struct watched_socket *s = uv->data;
    struct hm_curl_loop *l = s->owner; /* s may go during the call */
    int running = 0;
    int what = status < 0 ? CURL_CSELECT_ERR : 0;

    if ((events & UV_READABLE) != 0)
        what |= CURL_CSELECT_IN;
    if ((events & UV_WRITABLE) != 0)
        what |= CURL_CSELECT_OUT;
    (void)curl_multi_socket_action(l->multi, s->fd, what, &running);
    drain(l);
}

static void handle_gone(struct hm_curl_loop *l)
{
    l->open_handles--;
    if (l->closing && l->open_handles == 0)
        l->on_closed(l->arg);
}

static void on_socket_closed(uv_handle_t *uv)
{
    struct watched_socket *s = uv->data;
    struct hm_curl_loop *l = s->owner;
    free(s);
    handle_gone(l);
}

static void on_timer_closed(uv_handle_t *uv)
{
    handle_gone(uv->data);
}

static void unwatch(struct watched_socket *s)
{
    LIST_REMOVE(s, link);
    (void)uv_poll_stop(&s->uv);
    uv_close((uv_handle_t *)&s->uv, on_socket_closed);
}

static struct watched_socket *watch(struct hm_curl_loop *l, curl_socket_t fd)
{
    struct watched_socket *s = hm_xcalloc(1, sizeof(*s));
    s->owner = l;
    s->fd = fd;
    s->uv.data = s;
    HM_ASSERT(uv_poll_init_socket(l->loop, &s->uv, fd) == 0);
    l->open_handles++;
    LIST_INSERT_HEAD(&l->sockets, s, link);
    (void)curl_multi_assign(l->multi, fd, s);
    return s;
}

static int on_curl_wants_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct hm_curl_loop *l = arg;
    struct watched_socket *s = socket_arg;
    int events = 0;
    (void)easy;

    if (what == CURL_POLL_REMOVE) {
        if (s != NULL) {
            (void)curl_multi_assign(l->multi, fd, NULL);
            unwatch(s);
        }
        return 0;
    }
    if (s == NULL)
        s = watch(l, fd);
    if (what != CURL_POLL_OUT)
        events |= UV_READABLE;
    if (what != CURL_POLL_IN)
        events |= UV_WRITABLE;
    return uv_poll_start(&s->uv, events, on_socket_event) == 0 ? 0 : -1;
}

static int on_curl_wants_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct hm_curl_loop *l = arg;
    (void)multi;

    if (timeout_ms < 0)
        return uv_timer_stop(&l->timer);
    uv_update_time(l->loop);
    return uv_timer_start(&l->timer, on_timer, (uint64_t)timeout_ms, 0);
}

struct hm_curl_loop *hm_curl_loop_new(uv_loop_t *loop, void (*on_done)(void *arg, CURL *easy, CURLcode rc), void *arg)
{
    struct hm_curl_loop *l = hm_xcalloc(1, sizeof(*l));

    l->loop = loop;
    l->on_done = on_done;
    l->arg = arg;
    l->multi = curl_multi_init();
    l->share = curl_share_init();
    if (l->multi == NULL || l->share == NULL)
        abort(); /* out of memory, as in hm_xmalloc() */
    LIST_INIT(&l->sockets);
    HM_ASSERT(uv_timer_init(loop, &l->timer) == 0);
    l->timer.data = l;
    l->open_handles = 1;
    (void)curl_share_setopt(l->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    (void)curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, on_curl_wants_socket);
    (void)curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l);
    (void)curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, on_curl_wants_timer);
    (void)curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l);
    (void)curl_multi_setopt(l->multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS);
    return l;
}

void hm_curl_loop_close(struct hm_curl_loop *l, void (*on_closed)(void *arg))
{
    struct watched_socket *s = NULL;

    /* curl first, while its callbacks still find their handles */
    (void)curl_multi_cleanup(l->multi);
    l->multi = NULL;
    l->on_closed = on_closed;
    l->closing = true;
    while ((s = LIST_FIRST(&l->sockets)) != NULL)
        unwatch(s);
    uv_close((uv_handle_t *)&l->timer, on_timer_closed);
}

void hm_curl_loop_free(struct hm_curl_loop *l)
{
    if (l == NULL)
        return;
    HM_ASSERT(l->closing && l->open_handles == 0);
    (void)curl_share_cleanup(l->share);
    free(l);
}

CURLMcode hm_curl_loop_add(struct hm_curl_loop *l, CURL *easy)
{
    return curl_multi_add_handle(l->multi, easy);
}

void hm_curl_loop_remove(struct hm_curl_loop *l, CURL *easy)
{
    (void)curl_multi_remove_handle(l->multi, easy);
}

CURLSH *hm_curl_loop_share(struct hm_curl_loop *l)
{
    return l->share;
}
