/* When to ping a connection and when to give it up (slack.md 1.8): a ping every 10 s; dead when nothing at all came for 30 s;
 * dead also when a ping is unanswered for 25 s though other frames come, because then one direction stalls. 5 s, as some SDKs
 * have it, cuts healthy connections. Pure: the times are handed in, so that the watch never waits for a read. */
#ifndef HM_SLACK_PULSE_H
#define HM_SLACK_PULSE_H

#include <stdbool.h>
#include <stdint.h>

struct hm_pulse_opts {
    int64_t ping_ms, pong_ms, silence_ms;
};

struct hm_pulse {
    struct hm_pulse_opts opts;
    int64_t last_frame_at; /* of any kind that we are told about */
    int64_t next_ping_at;
    int64_t unanswered_since; /* when the oldest ping went out that no pong has followed; 0: none */
};

enum hm_pulse_verdict { HM_PULSE_FINE, HM_PULSE_PING, HM_PULSE_SILENT, HM_PULSE_NO_PONG, HM_PULSE_NR };

/* now_ms: monotonic, above 0. */
void hm_pulse_init(struct hm_pulse *pulse, const struct hm_pulse_opts *opts, int64_t now_ms);
void hm_pulse_frame(struct hm_pulse *pulse, int64_t now_ms);
/* A pong; it is a frame as well. */
void hm_pulse_pong(struct hm_pulse *pulse, int64_t now_ms);
/* HM_PULSE_PING: send one now (it counts as sent). SILENT and NO_PONG: the connection is dead. */
enum hm_pulse_verdict hm_pulse_check(struct hm_pulse *pulse, int64_t now_ms);
/* When hm_pulse_check() has something to say next. */
int64_t hm_pulse_next(const struct hm_pulse *pulse);

#endif
