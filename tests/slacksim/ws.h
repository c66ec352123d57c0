/* WebSocket framing, the server's side (RFC 6455): pure. Bytes in, frames out, and frames to bytes. */
#ifndef SLACKSIM_WS_H
#define SLACKSIM_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

enum sim_ws_opcode {
    SIM_WS_CONTINUATION = 0,
    SIM_WS_TEXT = 1,
    SIM_WS_BINARY = 2,
    SIM_WS_CLOSE = 8,
    SIM_WS_PING = 9,
    SIM_WS_PONG = 10
};

enum { SIM_WS_FRAME_MAX = 1024 * 1024 };

struct sim_ws_frame {
    bool fin;
    uint8_t opcode;
    const uint8_t *data; /* unmasked; inside the buffer that was parsed */
    size_t len;
};

/* Looks for one whole frame at the start of data, unmasking it in place. Returns the bytes it takes; 0: more are needed; -1: the
 * client broke the protocol: *ret_code (1002, 1009) and *ret_why say how. */
int64_t sim_ws_parse(uint8_t *data, size_t len, struct sim_ws_frame *ret_frame, uint16_t *ret_code, const char **ret_why);

enum { SIM_WS_HEADER_MAX = 10 };
/* The header of an unmasked frame; returns its length. */
size_t sim_ws_header(uint8_t opcode, bool fin, size_t len, uint8_t ret_header[SIM_WS_HEADER_MAX]);

/* Sec-WebSocket-Accept for a key, into buf[29]. */
enum { SIM_WS_ACCEPT_MAX = 29 };
void sim_ws_accept(const char *key, char buf[SIM_WS_ACCEPT_MAX]);

#endif
