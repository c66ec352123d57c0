/* Child processes: see process.h.
 *
 *   QUEUED ─► RUNNING ─► EXITED ─► CLOSING ─► freed
 *      │         └─► STOPPING ─► KILLED ─┘ ▲
 *      └─────────────────────────────────────┘ could not be started, or cancelled before
 *
 * RUNNING, STOPPING and KILLED wait for the exit and for the ends of both pipes, under a timer: time-out, grace, and patience
 * with a process that even KILL does not end at once. EXITED waits for the pipes alone: something that left the group may hold
 * them open. */
#include "io/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "io/process_env.h"
#include "io/timer.h"

enum {
    DEFAULT_TIMEOUT_MS = 60000,
    DEFAULT_GRACE_MS = 5000,
    END_GRACE_MS = 1000,   /* when we end ourselves */
    KILLED_WAIT_MS = 5000, /* a process in the middle of a disk operation ends when that is over */
    DRAIN_MS = 1000,
    MAX_QUEUE = 20000,
    CHUNK = 65536,
};
static const size_t default_max_output = 1UL << 20;
static const size_t default_max_errors = 1UL << 14;

enum stage { STAGE_QUEUED, STAGE_RUNNING, STAGE_STOPPING, STAGE_KILLED, STAGE_EXITED, STAGE_CLOSING };

/* The end of a stream: at most twice max bytes are held, and max of them shown. */
struct tail {
    char *data;
    size_t len, max;
    uint64_t dropped;
};

struct stream {
    struct hm_process *owner;
    uv_pipe_t pipe;
    bool open;
    bool is_errors;
    struct tail tail;
};

struct hm_process {
    struct hm_process *next, **link; /* link: what points to this one */
    struct hm_processes *all;
    struct hm_process_opts opts; /* argv and dir are copies */
    enum stage stage;
    enum hm_transport transport; /* ANSWER until something else is known */
    char *problem;
    uv_process_t uv;
    struct stream out, errors;
    unsigned open_handles;
    struct hm_timer *timer;
    int64_t queued_ms, started_ms;
    int status;
    bool has_uv; /* uv is a handle: it was tried to spawn it */
    bool exited;
};

struct hm_processes {
    uv_loop_t *loop;
    const struct hm_clock *clock;
    unsigned max_running, running;
    size_t count;
    struct hm_process *first, **end; /* in order of their start */
    struct hm_timer *kick;           /* the next turn: starts whose turn it is, ends what was cancelled in the queue */
    char *chunk;                     /* what is read goes through here */
    void (*on_closed)(void *arg);
    void *closed_arg;
    bool closing;
};

/* ---- the end of a stream --------------------------------------------------------------------------------------------- */

static void tail_cut(struct tail *tail)
{
    if (tail->len <= tail->max)
        return;
    size_t cut = tail->len - tail->max;
    memmove(tail->data, tail->data + cut, tail->max);
    tail->len = tail->max;
    tail->dropped += cut;
}

static void tail_add(struct tail *tail, const char *data, size_t len)
{
    if (len > tail->max) {
        tail->dropped += len - tail->max;
        data += len - tail->max;
        len = tail->max;
    }
    if (tail->data == NULL)
        tail->data = hm_xmalloc(2 * tail->max + 1);
    if (tail->len + len > 2 * tail->max)
        tail_cut(tail);
    memcpy(tail->data + tail->len, data, len);
    tail->len += len;
}

/* NUL-terminated; *ret_len without the NUL. The caller frees. */
static char *tail_take(struct tail *tail, size_t *ret_len)
{
    tail_cut(tail);
    char *mark = tail->dropped > 0 ? hm_xasprintf("[the first %" PRIu64 " bytes were cut off]\n", tail->dropped) : hm_xstrdup("");
    size_t before = strlen(mark);
    char *text = hm_xmalloc(before + tail->len + 1);
    memcpy(text, mark, before);
    if (tail->len > 0)
        memcpy(text + before, tail->data, tail->len);
    text[before + tail->len] = '\0';
    *ret_len = before + tail->len;
    free(mark);
    HM_FREE(tail->data);
    return text;
}

/* ---- the end of a child ---------------------------------------------------------------------------------------------- */

static void unlink_process(struct hm_process *p)
{
    *p->link = p->next;
    if (p->next != NULL)
        p->next->link = p->link;
    else
        p->all->end = p->link;
    p->all->count--;
}

/* Frees it once the last handle is closed. */
static void release(struct hm_process *p)
{
    struct hm_processes *all = p->all;
    if (p->open_handles > 0 || p->stage != STAGE_CLOSING)
        return;
    unlink_process(p);
    for (char **arg = hm_unconst(p->opts.argv); *arg != NULL; arg++)
        free(*arg);
    free(hm_unconst(p->opts.argv));
    free(hm_unconst(p->opts.dir));
    free(p);
    hm_timer_start(all->kick, 0);
}

static void on_process_closed(uv_handle_t *handle)
{
    struct hm_process *p = handle->data;
    p->open_handles--;
    release(p);
}

static void on_stream_closed(uv_handle_t *handle)
{
    const struct stream *stream = handle->data;
    stream->owner->open_handles--;
    release(stream->owner);
}

static void close_stream(struct stream *stream)
{
    if (!stream->open)
        return;
    stream->open = false;
    uv_close((uv_handle_t *)&stream->pipe, on_stream_closed);
}

/* Tells how it ended and closes what is open. */
static void finish(struct hm_process *p)
{
    bool began = p->started_ms != 0;
    int64_t now_ms = hm_mono_ms(p->all->clock);
    size_t body_len = 0;
    size_t errors_len = 0;
    char *body = tail_take(&p->out.tail, &body_len);
    char *errors = tail_take(&p->errors.tail, &errors_len);
    const struct hm_http_result result = {
        .answer = {.transport = p->transport,
                   .status = p->status,
                   .body = body,
                   .body_len = body_len,
                   .errors = errors,
                   .content_type = "",
                   .location = "",
                   .retry_after_s = -1,
                   .problem = p->problem != NULL ? p->problem : ""},
        .duration_ms = began ? now_ms - p->started_ms : 0,
        .queued_ms = (began ? p->started_ms : now_ms) - p->queued_ms,
    };
    if (began)
        p->all->running--;
    p->stage = STAGE_CLOSING;
    p->opts.on_done(p->opts.arg, &result);
    free(body);
    free(errors);
    HM_FREE(p->problem);
    hm_timer_free(p->timer);
    close_stream(&p->out);
    close_stream(&p->errors);
    if (p->has_uv)
        uv_close((uv_handle_t *)&p->uv, on_process_closed);
    release(p);
}

static void set_problem(struct hm_process *p, enum hm_transport transport, char *stolen_problem)
{
    p->transport = transport;
    free(p->problem);
    p->problem = stolen_problem;
}

/* The whole group, its leader or what that left behind. */
static void signal_group(const struct hm_process *p, int signum)
{
    if (p->uv.pid > 1)
        (void)kill(-p->uv.pid, signum);
}

/* ---- while it runs --------------------------------------------------------------------------------------------------- */

static void look_for_end(struct hm_process *p)
{
    if (p->exited && !p->out.open && !p->errors.open)
        finish(p);
}

static void on_exit_of_child(uv_process_t *uv, int64_t exit_status, int term_signal)
{
    struct hm_process *p = uv->data;
    p->exited = true;
    p->status = term_signal != 0 ? 128 + term_signal : (int)exit_status;
    signal_group(p, SIGKILL);
    p->stage = STAGE_EXITED;
    hm_timer_start(p->timer, DRAIN_MS);
    look_for_end(p);
}

static void on_timer(void *arg)
{
    struct hm_process *p = arg;
    char took[32];
    switch (p->stage) {
    case STAGE_RUNNING:
        set_problem(p, HM_TRANSPORT_TIMEOUT,
                    hm_xasprintf("%s did not end within %s and was stopped", p->opts.argv[0],
                                 hm_format_duration(p->opts.timeout_ms, took, sizeof took)));
        signal_group(p, SIGTERM);
        p->stage = STAGE_STOPPING;
        hm_timer_start(p->timer, p->opts.grace_ms);
        break;
    case STAGE_STOPPING:
        signal_group(p, SIGKILL);
        p->stage = STAGE_KILLED;
        hm_timer_start(p->timer, KILLED_WAIT_MS);
        break;
    case STAGE_KILLED:
    case STAGE_EXITED:
        finish(p);
        break;
    case STAGE_QUEUED:
    case STAGE_CLOSING:
        break;
    }
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
    const struct stream *stream = handle->data;
    (void)suggested;
    *ret_buf = uv_buf_init(stream->owner->all->chunk, CHUNK);
}

static void on_read(uv_stream_t *uv, ssize_t n, const uv_buf_t *buf)
{
    struct stream *stream = uv->data;
    struct hm_process *p = stream->owner;
    if (n > 0) {
        tail_add(&stream->tail, buf->base, (size_t)n);
        if (p->opts.on_output != NULL && p->stage != STAGE_CLOSING)
            p->opts.on_output(p->opts.arg, stream->is_errors, buf->base, (size_t)n);
    } else if (n < 0) { /* the end, or a broken pipe: there is nothing more to come */
        close_stream(stream);
        look_for_end(p);
    }
}

/* ---- the beginning --------------------------------------------------------------------------------------------------- */

/* Libraries open descriptors too, and not all of them think of it. */
static void close_all_on_exec(void)
{
    if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
        return;
    DIR *dir = opendir("/proc/self/fd"); /* a kernel before 5.11 */
    if (dir == NULL)
        return;
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        int64_t fd = 0;
        if (hm_parse_i64(entry->d_name, STDERR_FILENO + 1, INT32_MAX, &fd))
            (void)fcntl((int)fd, F_SETFD, FD_CLOEXEC);
    }
    (void)closedir(dir);
}

/* A real pipe, not the pair of sockets that libuv makes by itself: a script may want to open /dev/stderr, and a socket can not be
 * opened. Returns the child's end, or an error of libuv. */
static int open_stream(struct hm_process *p, struct stream *stream)
{
    uv_file ends[2];
    (void)uv_pipe_init(p->all->loop, &stream->pipe, 0);
    stream->pipe.data = stream;
    stream->open = true;
    p->open_handles++;
    int rc = uv_pipe(ends, UV_NONBLOCK_PIPE, 0);
    if (rc != 0)
        return rc;
    rc = uv_pipe_open(&stream->pipe, ends[0]);
    if (rc != 0) {
        (void)close(ends[0]);
        (void)close(ends[1]);
        return rc;
    }
    return ends[1];
}

static int spawn(struct hm_process *p, char **env)
{
    int out = open_stream(p, &p->out);
    int errors = open_stream(p, &p->errors);
    int rc = out < 0 ? out : errors;
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_IGNORE}, /* libuv opens /dev/null */
        {.flags = UV_INHERIT_FD, .data.fd = out},
        {.flags = UV_INHERIT_FD, .data.fd = errors},
    };
    uv_process_options_t options = {
        .exit_cb = on_exit_of_child,
        .file = p->opts.argv[0],
        .args = hm_unconst(p->opts.argv),
        .env = env,
        .cwd = p->opts.dir,
        .flags = UV_PROCESS_DETACHED, /* setsid(): its own session and group */
        .stdio_count = 3,
        .stdio = stdio,
    };
    if (out >= 0 && errors >= 0) {
        close_all_on_exec();
        p->has_uv = true;
        p->open_handles++;
        rc = uv_spawn(p->all->loop, &p->uv, &options);
    }
    if (out >= 0)
        (void)close(out);
    if (errors >= 0)
        (void)close(errors);
    return rc;
}

static void start_now(struct hm_process *p)
{
    struct hm_err err = {0};
    int rc = UV_EINVAL;
    char **env = p->opts.env != NULL ? p->opts.env(p->opts.env_arg, &err) : hm_process_env_new();

    if (env == NULL)
        set_problem(p, HM_TRANSPORT_NOT_SENT, hm_xasprintf("%s was not started: %s", p->opts.argv[0], err.msg));
    else if (p->opts.argv[0][0] != '/')
        set_problem(p, HM_TRANSPORT_NOT_SENT, hm_xasprintf("%s was not started: its path must be absolute", p->opts.argv[0]));
    else if ((rc = spawn(p, env)) != 0)
        set_problem(p, HM_TRANSPORT_NOT_SENT,
                    hm_xasprintf("%s could not be started in %s: %s", p->opts.argv[0], p->opts.dir, uv_strerror(rc)));
    hm_process_env_free(env);
    if (rc != 0) {
        finish(p);
        return;
    }
    p->started_ms = hm_mono_ms(p->all->clock);
    p->all->running++;
    p->stage = STAGE_RUNNING;
    hm_timer_start(p->timer, p->opts.timeout_ms);
    (void)uv_read_start((uv_stream_t *)&p->out.pipe, on_room, on_read);
    (void)uv_read_start((uv_stream_t *)&p->errors.pipe, on_room, on_read);
}

/* What an on_done starts anew comes with the next kick. */
static void on_kick(void *arg)
{
    struct hm_processes *all = arg;
    struct hm_process *next = NULL;
    for (struct hm_process *p = all->first; p != NULL; p = next) {
        next = p->next;
        if (p->stage != STAGE_QUEUED)
            continue;
        if (p->problem != NULL)
            finish(p);
        else if (all->running < all->max_running)
            start_now(p);
    }
    if (!all->closing || all->count > 0 || all->kick == NULL)
        return;
    hm_timer_free(all->kick);
    all->kick = NULL;
    all->on_closed(all->closed_arg);
}

/* ---------------------------------------------------------------------------------------------------------------------- */

struct hm_processes *hm_processes_new(uv_loop_t *loop, const struct hm_clock *clock, unsigned max_running)
{
    struct hm_processes *all = hm_xcalloc(1, sizeof *all);
    all->loop = loop;
    all->clock = clock;
    all->max_running = max_running > 0 ? max_running : 1;
    all->kick = hm_timer_new(loop, on_kick, all);
    all->chunk = hm_xmalloc(CHUNK);
    all->end = &all->first;
    return all;
}

void hm_processes_close(struct hm_processes *all, void (*on_closed)(void *arg), void *arg)
{
    all->closing = true;
    all->on_closed = on_closed;
    all->closed_arg = arg;
    for (struct hm_process *p = all->first; p != NULL; p = p->next) {
        if (p->opts.grace_ms > END_GRACE_MS)
            p->opts.grace_ms = END_GRACE_MS;
        hm_process_cancel(p);
    }
    hm_timer_start(all->kick, 0);
}

void hm_processes_free(struct hm_processes *all)
{
    if (all == NULL)
        return;
    free(all->chunk);
    free(all);
}

size_t hm_processes_count(const struct hm_processes *all)
{
    return all->count;
}

static char **copy_argv(char *const *argv)
{
    size_t n = 0;
    while (argv[n] != NULL)
        n++;
    char **copy = hm_xcalloc(n + 1, sizeof *copy);
    for (size_t i = 0; i < n; i++)
        copy[i] = hm_xstrdup(argv[i]);
    return copy;
}

struct hm_process *hm_process_start(struct hm_processes *all, const struct hm_process_opts *opts)
{
    struct hm_process *p = hm_xcalloc(1, sizeof *p);
    p->all = all;
    p->opts = *opts;
    p->opts.argv = copy_argv(opts->argv);
    p->opts.dir = hm_xstrdup(opts->dir != NULL ? opts->dir : "/");
    p->opts.timeout_ms = opts->timeout_ms > 0 ? opts->timeout_ms : DEFAULT_TIMEOUT_MS;
    p->opts.grace_ms = opts->grace_ms > 0 ? opts->grace_ms : DEFAULT_GRACE_MS;
    p->out = (struct stream){.owner = p, .tail.max = opts->max_output > 0 ? opts->max_output : default_max_output};
    p->errors =
        (struct stream){.owner = p, .is_errors = true, .tail.max = opts->max_errors > 0 ? opts->max_errors : default_max_errors};
    p->uv.data = p;
    p->queued_ms = hm_mono_ms(all->clock);
    p->timer = hm_timer_new(all->loop, on_timer, p);
    if (all->closing)
        set_problem(p, HM_TRANSPORT_NOT_SENT, hm_xasprintf("%s was not started: the program is ending", p->opts.argv[0]));
    else if (all->count >= MAX_QUEUE)
        set_problem(p, HM_TRANSPORT_NOT_SENT, hm_xasprintf("%s was not started: too many others are waiting", p->opts.argv[0]));

    p->link = all->end;
    *all->end = p;
    all->end = &p->next;
    all->count++;
    if (all->kick != NULL)
        hm_timer_start(all->kick, 0);
    return p;
}

void hm_process_cancel(struct hm_process *p)
{
    if (p->stage == STAGE_QUEUED) {
        set_problem(p, HM_TRANSPORT_NOT_SENT, hm_xasprintf("%s was cancelled before it was started", p->opts.argv[0]));
        hm_timer_start(p->all->kick, 0);
    } else if (p->stage == STAGE_RUNNING) {
        set_problem(p, HM_TRANSPORT_BROKEN, hm_xasprintf("%s was stopped before it had ended", p->opts.argv[0]));
        signal_group(p, SIGTERM);
        p->stage = STAGE_STOPPING;
        hm_timer_start(p->timer, p->opts.grace_ms);
    } else if (p->stage == STAGE_STOPPING) {
        hm_timer_start(p->timer, p->opts.grace_ms); /* it may be shorter now */
    }
}
