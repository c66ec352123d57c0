/* The front door. Happy path: count → no fault → the system answers → reply. With a fault: perform it now, or wait (timer, hold,
 * for ever) as a job of the list below. Failure mode: the client goes away while its request waits; a request that had still to
 * be applied is then applied at its time all the same, as a real server would do it. */
#include "front.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

enum { LOG_MAX = 10000 };

enum next_step {
    NEXT_PERFORM, /* hand it to the system, then answer */
    NEXT_ANSWER,  /* send what is in `ans` */
    NEXT_NEVER,
};

/* A request that waits. */
struct job {
    struct hm_front *front;
    struct job *prev, *next;
    struct hm_http_exchange *x; /* NULL once the client has gone */
    uv_timer_t timer;
    bool timed, held;
    enum next_step then;
    char *method, *path, *query, *body, *content_type, *authorization, *accept, *headers;
    size_t body_len;
    struct hm_world_answer ans;
};

struct hm_front {
    uv_loop_t *loop;
    struct hm_world *world;
    struct hm_faults *faults;
    struct job *first, *last;
    size_t open_timers;
    bool closing;
    json_t *log;
};

struct hm_front *hm_front_new(uv_loop_t *loop, struct hm_world *world)
{
    struct hm_front *front = hm_xcalloc(1, sizeof(*front));
    front->loop = loop;
    front->world = world;
    front->faults = hm_faults_new();
    front->log = hm_json_arr_new();
    return front;
}

static void front_free(struct hm_front *front)
{
    hm_faults_free(front->faults);
    json_decref(front->log);
    free(front);
}

struct hm_world *hm_front_world(struct hm_front *front)
{
    return front->world;
}

struct hm_faults *hm_front_faults(struct hm_front *front)
{
    return front->faults;
}

json_t *hm_front_log_new(const struct hm_front *front)
{
    return json_deep_copy(front->log);
}

void hm_front_forget_log(struct hm_front *front)
{
    (void)json_array_clear(front->log);
}

/* --- jobs --------------------------------------------------------------------------------------------------------------- */

static void job_free(struct job *job)
{
    free(job->method);
    free(job->path);
    free(job->query);
    free(job->body);
    free(job->content_type);
    free(job->authorization);
    free(job->accept);
    free(job->headers);
    hm_world_answer_done(&job->ans);
    free(job);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct job *job = handle->data;
    struct hm_front *front = job->front;
    job_free(job);
    front->open_timers--;
    if (front->closing && front->open_timers == 0)
        front_free(front);
}

static struct job *job_new(struct hm_front *front, struct hm_http_exchange *x, const struct hm_world_request *req)
{
    struct job *job = hm_xcalloc(1, sizeof(*job));
    job->front = front;
    job->x = x;
    job->method = hm_xstrdup(req->method);
    job->path = hm_xstrdup(req->path);
    job->query = hm_xstrdup(req->query);
    job->body = hm_xcalloc(1, req->body_len + 1);
    memcpy(job->body, req->body, req->body_len);
    job->body_len = req->body_len;
    job->content_type = hm_xstrdup(req->content_type);
    job->authorization = hm_xstrdup(req->authorization);
    job->accept = hm_xstrdup(req->accept);
    job->headers = hm_xstrdup(req->headers);
    hm_http_set_user(x, job);
    job->prev = front->last;
    if (front->last != NULL)
        front->last->next = job;
    else
        front->first = job;
    front->last = job;
    return job;
}

/* Takes it off the list; the memory goes at once, or with the timer's handle. */
static void job_end(struct job *job)
{
    struct hm_front *front = job->front;
    if (job->prev != NULL)
        job->prev->next = job->next;
    else
        front->first = job->next;
    if (job->next != NULL)
        job->next->prev = job->prev;
    else
        front->last = job->prev;
    if (job->timed)
        uv_close((uv_handle_t *)&job->timer, on_timer_closed);
    else
        job_free(job);
}

static void reply(struct hm_http_exchange *x, const struct hm_world_answer *ans)
{
    hm_http_reply(x, ans->status, ans->content_type, ans->headers, ans->body, ans->body_len);
}

static void job_go_on(struct job *job)
{
    const struct hm_world_request req = {
        .method = job->method,
        .path = job->path,
        .query = job->query,
        .body = job->body,
        .body_len = job->body_len,
        .content_type = job->content_type,
        .authorization = job->authorization,
        .accept = job->accept,
        .headers = job->headers,
    };
    if (job->then == NEXT_PERFORM)
        hm_world_handle(job->front->world, &req, &job->ans);
    if (job->x != NULL)
        reply(job->x, &job->ans);
    job_end(job);
}

static void on_timer(uv_timer_t *timer)
{
    job_go_on(timer->data);
}

static void job_start_timer(struct job *job, int64_t ms)
{
    job->timed = true;
    job->timer.data = job;
    job->front->open_timers++;
    (void)uv_timer_init(job->front->loop, &job->timer);
    job->timer.data = job;
    (void)uv_timer_start(&job->timer, on_timer, (uint64_t)ms, 0);
}

size_t hm_front_release(struct hm_front *front)
{
    size_t n = 0;
    for (struct job *job = front->first, *next; job != NULL; job = next) {
        next = job->next;
        if (!job->held)
            continue;
        job_go_on(job);
        n++;
    }
    return n;
}

size_t hm_front_waiting(const struct hm_front *front)
{
    size_t n = 0;
    for (const struct job *job = front->first; job != NULL; job = job->next)
        n++;
    return n;
}

void hm_front_drop_waiting(struct hm_front *front)
{
    for (struct job *job = front->first, *next; job != NULL; job = next) {
        next = job->next;
        if (job->x != NULL)
            hm_http_drop(job->x);
        job_end(job);
    }
}

void hm_front_close(struct hm_front *front)
{
    if (front == NULL)
        return;
    for (struct job *job = front->first, *next; job != NULL; job = next) {
        next = job->next;
        job_end(job);
    }
    front->closing = true;
    if (front->open_timers == 0)
        front_free(front);
}

void hm_front_on_gone(void *arg, struct hm_http_exchange *x)
{
    struct job *job = hm_http_user(x);
    (void)arg;
    if (job == NULL)
        return;
    job->x = NULL;
    if (job->then == NEXT_NEVER)
        job_end(job);
}

/* --- faults ------------------------------------------------------------------------------------------------------------- */

static void answer_status(const struct hm_fault *fault, struct hm_world_answer *ans)
{
    char *headers = NULL;
    const char *location = hm_json_get_str(fault->json, "location", NULL);
    int64_t retry_after = hm_json_get_int(fault->json, "retry_after", -1);
    if (location != NULL)
        headers = hm_xasprintf("Location: %s\r\n", location);
    else if (retry_after >= 0)
        headers = hm_xasprintf("Retry-After: %lld\r\n", (long long)retry_after);
    hm_world_answer_text(ans, fault->status, "%s", hm_json_get_str(fault->json, "body", "A fault of the world.\n"));
    free(ans->content_type);
    ans->content_type = hm_xstrdup(hm_json_get_str(fault->json, "content_type", "text/plain"));
    ans->headers = headers;
}

static void answer_oversized(const struct hm_fault *fault, struct hm_world_answer *ans)
{
    char *pad = hm_xmalloc((size_t)fault->bytes + 1);
    json_t *body = hm_json_obj_new();
    memset(pad, 'x', (size_t)fault->bytes);
    pad[fault->bytes] = '\0';
    hm_json_set_str(body, "data", pad);
    free(pad);
    hm_world_answer_json(ans, 200, "application/json", body);
}

/* Replaces what the system answered (if it was asked) by what the fault wants. */
static void spoil(const struct hm_fault *fault, struct hm_world_answer *ans)
{
    static const char garbage[] = "\x1f\x8b\x08\xff{\"data\": {\"transaction\": \xfe";
    switch (fault->what) {
    case HM_FAULT_STATUS:
    case HM_FAULT_APPLY_STATUS:
        answer_status(fault, ans);
        break;
    case HM_FAULT_GARBAGE:
        hm_world_answer_text(ans, 200, "%s", "");
        free(ans->body);
        ans->body = hm_xmemdup(garbage, sizeof(garbage));
        ans->body_len = sizeof(garbage) - 1;
        break;
    case HM_FAULT_OVERSIZED:
        answer_oversized(fault, ans);
        break;
    case HM_FAULT_HTML:
        hm_world_answer_text(ans, 200, "%s",
                             "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in.</body></html>\n");
        free(ans->content_type);
        ans->content_type = hm_xstrdup("text/html");
        break;
    case HM_FAULT_CONTENT_TYPE:
        free(ans->content_type);
        ans->content_type = hm_xstrdup(hm_json_get_str(fault->json, "content_type", "text/html"));
        break;
    case HM_FAULT_SLOW:
    case HM_FAULT_HOLD:
    case HM_FAULT_HANG:
    case HM_FAULT_DROP:
    case HM_FAULT_APPLY_SLOW:
    case HM_FAULT_APPLY_HANG:
    case HM_FAULT_APPLY_DROP:
    case HM_FAULT_NR:
        break;
    }
}

static void play_fault(struct hm_front *front, struct hm_http_exchange *x, const struct hm_world_request *req,
                       const struct hm_fault *fault)
{
    struct hm_world_answer ans;
    struct job *job = NULL;

    memset(&ans, 0, sizeof(ans));
    if (hm_fault_applies(fault->what))
        hm_world_handle(front->world, req, &ans);
    switch (fault->what) {
    case HM_FAULT_DROP:
    case HM_FAULT_APPLY_DROP:
        hm_http_drop(x);
        break;
    case HM_FAULT_HANG:
    case HM_FAULT_APPLY_HANG:
        job_new(front, x, req)->then = NEXT_NEVER;
        break;
    case HM_FAULT_HOLD:
        job = job_new(front, x, req);
        job->then = NEXT_PERFORM;
        job->held = true;
        break;
    case HM_FAULT_SLOW:
        job = job_new(front, x, req);
        job->then = NEXT_PERFORM;
        job_start_timer(job, fault->ms);
        break;
    case HM_FAULT_APPLY_SLOW:
        job = job_new(front, x, req);
        job->then = NEXT_ANSWER;
        job->ans = ans;
        memset(&ans, 0, sizeof(ans));
        job_start_timer(job, fault->ms);
        break;
    case HM_FAULT_STATUS:
    case HM_FAULT_APPLY_STATUS:
    case HM_FAULT_GARBAGE:
    case HM_FAULT_OVERSIZED:
    case HM_FAULT_HTML:
    case HM_FAULT_CONTENT_TYPE:
        spoil(fault, &ans);
        reply(x, &ans);
        break;
    case HM_FAULT_NR:
        break;
    }
    hm_world_answer_done(&ans);
}

/* --- the door ----------------------------------------------------------------------------------------------------------- */

static void note(struct hm_front *front, const struct hm_world_request *req, const struct hm_fault *fault)
{
    char now[HM_TIME_MAX];
    json_t *line = hm_json_obj_new();
    hm_json_set_str(line, "time", hm_format_time(hm_wall_ms(hm_clock_real()), now));
    hm_json_set_str(line, "method", req->method);
    hm_json_set_str(line, "path", req->path);
    hm_json_set_str(line, "query", req->query);
    hm_json_set(line, "body", hm_json_strn_new(req->body, req->body_len));
    hm_json_set_str(line, "content_type", req->content_type);
    hm_json_set_str(line, "accept", req->accept);
    hm_json_set_str(line, "authorization", req->authorization);
    hm_json_set_str(line, "headers", req->headers);
    hm_json_set_str(line, "fault", fault != NULL ? hm_fault_name(fault->what) : NULL);
    if (json_array_size(front->log) >= LOG_MAX)
        (void)json_array_remove(front->log, 0);
    hm_json_add(front->log, line);
}

void hm_front_on_request(void *arg, struct hm_http_exchange *x, const struct hm_http_seen *seen)
{
    struct hm_front *front = arg;
    struct hm_world_answer ans;
    const struct hm_world_request req = {
        .method = seen->method,
        .path = seen->path,
        .query = seen->query,
        .body = seen->body,
        .body_len = seen->body_len,
        .content_type = seen->content_type,
        .authorization = seen->authorization,
        .accept = seen->accept,
        .headers = seen->headers,
    };

    memset(&ans, 0, sizeof(ans));
    if (hm_starts_with(req.path, "/_world")) {
        hm_control_handle(front, &req, &ans);
        reply(x, &ans);
        hm_world_answer_done(&ans);
        return;
    }
    hm_world_count_request(front->world, req.method, req.path);
    const struct hm_fault *fault = hm_faults_match(front->faults, req.method, req.path);
    note(front, &req, fault);
    if (fault != NULL) {
        play_fault(front, x, &req, fault);
        return;
    }
    hm_world_handle(front->world, &req, &ans);
    reply(x, &ans);
    hm_world_answer_done(&ans);
}
