/* The watch over one connection: see pulse.h. */
#include "slack/pulse.h"

void hm_pulse_init(struct hm_pulse *pulse, const struct hm_pulse_opts *opts, int64_t now_ms)
{
    pulse->opts = *opts;
    pulse->last_frame_at = now_ms;
    pulse->next_ping_at = now_ms + opts->ping_ms;
    pulse->unanswered_since = 0;
}

void hm_pulse_frame(struct hm_pulse *pulse, int64_t now_ms)
{
    pulse->last_frame_at = now_ms;
}

void hm_pulse_pong(struct hm_pulse *pulse, int64_t now_ms)
{
    pulse->last_frame_at = now_ms;
    pulse->unanswered_since = 0;
}

enum hm_pulse_verdict hm_pulse_check(struct hm_pulse *pulse, int64_t now_ms)
{
    if (now_ms - pulse->last_frame_at >= pulse->opts.silence_ms)
        return HM_PULSE_SILENT;
    if (pulse->unanswered_since != 0 && now_ms - pulse->unanswered_since >= pulse->opts.pong_ms)
        return HM_PULSE_NO_PONG;
    if (now_ms < pulse->next_ping_at)
        return HM_PULSE_FINE;
    pulse->next_ping_at = now_ms + pulse->opts.ping_ms;
    if (pulse->unanswered_since == 0)
        pulse->unanswered_since = now_ms;
    return HM_PULSE_PING;
}

int64_t hm_pulse_next(const struct hm_pulse *pulse)
{
    int64_t next = pulse->next_ping_at;
    int64_t silent_at = pulse->last_frame_at + pulse->opts.silence_ms;
    if (silent_at < next)
        next = silent_at;
    if (pulse->unanswered_since != 0 && pulse->unanswered_since + pulse->opts.pong_ms < next)
        next = pulse->unanswered_since + pulse->opts.pong_ms;
    return next;
}
