/* The dial machine: decides when to ask for a URL, when to dial, when to close, how long to wait. Pure: state and event in,
 * actions out; the time and the randomness are handed in. The sockets themselves are somebody else's (wire.h); here they are
 * slots.
 *
 * There is one chain that works on the next connection, so there is never more than one dial under way and never more than one
 * timer that starts one (two chains is how one SDK doubled its sockets with every failure); and there are two slots of sockets,
 * so that a successor can say hello before the old one is let go, and a third can not exist. Drawing and table: dial.c. */
#ifndef HM_SLACK_DIAL_H
#define HM_SLACK_DIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The chain. */
enum hm_dial_state {
    HM_DIAL_OFF,      /* before the start and after the end */
    HM_DIAL_ASKING,   /* a fresh URL was asked for */
    HM_DIAL_DIALLING, /* a socket is on its way to its hello */
    HM_DIAL_WAITING,  /* until the retry timer */
    HM_DIAL_BLOCKED,  /* it is time to dial, but a socket has to end first */
    HM_DIAL_RESTING,  /* a connection serves, nothing to do */
    HM_DIAL_CLOSING,  /* for good: until the last socket has ended */
    HM_DIAL_STATE_NR
};

/* One socket, from the dial to its very end. */
enum hm_dial_phase {
    HM_DIAL_FREE,
    HM_DIAL_OPENING,  /* no hello yet */
    HM_DIAL_SERVING,  /* hello seen */
    HM_DIAL_DRAINING, /* its successor serves; it still receives and acknowledges */
    HM_DIAL_ENDING,   /* we have asked it to close */
    HM_DIAL_PHASE_NR
};

/* Named timers; each is a time or 0. */
enum hm_dial_timer {
    HM_DIAL_T_URL,     /* no answer about the URL: 30 s */
    HM_DIAL_T_HELLO,   /* no hello: 10 s after the dial */
    HM_DIAL_T_RETRY,   /* end of the back-off */
    HM_DIAL_T_HELD,    /* 30 s after a hello: only now is the back-off forgotten */
    HM_DIAL_T_REFRESH, /* 90 % of the announced life */
    HM_DIAL_T_DRAIN,   /* 15 s for the old one */
    HM_DIAL_T_NR
};

enum hm_dial_event {
    HM_DIAL_EV_START,
    HM_DIAL_EV_URL,      /* the URL is there */
    HM_DIAL_EV_NO_URL,   /* retry_after_ms */
    HM_DIAL_EV_FATAL,    /* a person has to mend the token or a setting */
    HM_DIAL_EV_HELLO,    /* epoch, lifetime_ms */
    HM_DIAL_EV_REFRESH,  /* epoch: disconnect "warning", "refresh_requested" or a reason that we do not know */
    HM_DIAL_EV_TOO_MANY, /* epoch: disconnect "too_many_websockets" */
    HM_DIAL_EV_DISABLED, /* epoch: disconnect "link_disabled" */
    HM_DIAL_EV_ENDED,    /* epoch: the socket is gone, whatever the cause; exactly once for every HM_DIAL_ACT_CONNECT */
    HM_DIAL_EV_TICK,     /* hm_dial_next() has come */
    HM_DIAL_EV_CLOSE,    /* for good */
    HM_DIAL_EV_NR
};

struct hm_dial_input {
    enum hm_dial_event event;
    int64_t now_ms;         /* monotonic, above 0 */
    uint32_t random;        /* uniform; the jitter */
    uint64_t epoch;         /* which socket; events of sockets that are not tracked any more are ignored */
    int64_t lifetime_ms;    /* HELLO: 0 = not said */
    int64_t retry_after_ms; /* NO_URL: 0 = not said */
};

enum hm_dial_act {
    HM_DIAL_ACT_ASK,     /* ask for a URL */
    HM_DIAL_ACT_CONNECT, /* dial the URL that the event brought, as `epoch` */
    HM_DIAL_ACT_CLOSE,   /* flush, close frame 1000, at most 2 s; without a handshake at once */
    HM_DIAL_ACT_CLOSED,  /* everything has ended */
    HM_DIAL_ACT_NR
};

enum { HM_DIAL_SLOTS = 2, HM_DIAL_OUT_MAX = HM_DIAL_SLOTS + 1 };

struct hm_dial_out {
    size_t n;
    struct {
        enum hm_dial_act act;
        uint64_t epoch;
    } todo[HM_DIAL_OUT_MAX];
};

struct hm_dial {
    enum hm_dial_state state;
    struct {
        enum hm_dial_phase phase;
        uint64_t epoch;
    } slot[HM_DIAL_SLOTS];
    int64_t due[HM_DIAL_T_NR];
    uint64_t last_epoch;
    unsigned fails;  /* dials that came to nothing since the last hello that was held */
    unsigned floods; /* too_many_websockets since then */
    bool held;       /* the serving connection has been held for 30 s */
    bool alone;      /* the next dial needs all sockets to be gone */
    bool fatal;      /* waiting because of something that a person must mend */
};

void hm_dial_init(struct hm_dial *dial);
void hm_dial_step(struct hm_dial *dial, const struct hm_dial_input *in, struct hm_dial_out *ret_out);
/* When the next HM_DIAL_EV_TICK is due; 0: no timer runs. */
int64_t hm_dial_next(const struct hm_dial *dial);

/* The epoch of the connection that serves; 0: none. */
uint64_t hm_dial_serving(const struct hm_dial *dial);
/* Sockets that exist. */
unsigned hm_dial_sockets(const struct hm_dial *dial);
/* "asking for a URL" … for a person. */
const char *hm_dial_state_text(enum hm_dial_state state);

#endif
