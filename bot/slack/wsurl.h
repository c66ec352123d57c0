/* A WebSocket URL taken apart. It carries a ticket: no error text ever repeats it. */
#ifndef HM_SLACK_WSURL_H
#define HM_SLACK_WSURL_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/err.h"

enum { HM_WSURL_MAX = 2048 };

struct hm_wsurl {
    bool tls;
    int port;
    char host[256];          /* without brackets */
    char path[HM_WSURL_MAX]; /* "/link/?ticket=…" */
};

/* "wss://host[:port]/path?query"; "ws://" only when the host is "localhost", 127.… or [::1]. No user part, no fragment, printable
 * ASCII only. HM_EINVAL otherwise. */
HM_MUST enum hm_code hm_wsurl_parse(const char *url, struct hm_wsurl *ret_url, struct hm_err *err);

/* 127.0.0.0/8 or ::1: what a name has to resolve to for ws://. */
bool hm_wsurl_is_loopback(const struct sockaddr *address);

#endif
