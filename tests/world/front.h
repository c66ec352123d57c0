/* The world's front door: takes each request off the HTTP server, applies the faults in force, hands it to its system or to the
 * control API, and keeps what must wait. */
#ifndef HM_WORLD_FRONT_H
#define HM_WORLD_FRONT_H

#include <uv.h>

#include "fault.h"
#include "io/http_server.h"
#include "world.h"

struct hm_front;

struct hm_front *hm_front_new(uv_loop_t *loop, struct hm_world *world);
/* Forgets the requests that wait (the HTTP server closes their connections) and begins the close of its timers; the memory goes
 * when the loop has turned. */
void hm_front_close(struct hm_front *front);

/* For struct hm_http_server_opts; arg is the front. */
void hm_front_on_request(void *arg, struct hm_http_exchange *x, const struct hm_http_seen *seen);
void hm_front_on_gone(void *arg, struct hm_http_exchange *x);

/* What the control API needs (control.c). */
struct hm_world *hm_front_world(struct hm_front *front);
struct hm_faults *hm_front_faults(struct hm_front *front);
/* Lets every held request go on, in the order they came; returns how many. */
size_t hm_front_release(struct hm_front *front);
/* Closes every connection that waits, without an answer. */
void hm_front_drop_waiting(struct hm_front *front);
size_t hm_front_waiting(const struct hm_front *front);
/* The last 10,000 requests, oldest first: method, path, query, body, content_type, accept, authorization, headers, fault, time.
 * New reference. */
json_t *hm_front_log_new(const struct hm_front *front);
void hm_front_forget_log(struct hm_front *front);

/* Requests under /_world/ (control.c). */
void hm_control_handle(struct hm_front *front, const struct hm_world_request *req, struct hm_world_answer *ans);

#endif
