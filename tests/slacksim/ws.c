/* Strict as RFC 6455 asks of a server: client frames are masked, control frames short and whole, no reserved bits. */
#include "ws.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int64_t broken(uint16_t code, const char *why, uint16_t *ret_code, const char **ret_why)
{
    *ret_code = code;
    *ret_why = why;
    return -1;
}

static bool opcode_known(uint8_t opcode)
{
    return opcode <= SIM_WS_BINARY || (opcode >= SIM_WS_CLOSE && opcode <= SIM_WS_PONG);
}

int64_t sim_ws_parse(uint8_t *data, size_t len, struct sim_ws_frame *ret_frame, uint16_t *ret_code, const char **ret_why)
{
    size_t at = 2;
    uint64_t n = 0;
    size_t i = 0;

    if (len < 2) {
        return 0;
    }
    ret_frame->fin = (data[0] & 0x80) != 0;
    ret_frame->opcode = data[0] & 0x0f;
    n = data[1] & 0x7f;
    if ((data[0] & 0x70) != 0 || !opcode_known(ret_frame->opcode)) {
        return broken(1002, "reserved bit or opcode", ret_code, ret_why);
    }
    if ((data[1] & 0x80) == 0) {
        return broken(1002, "client frame not masked", ret_code, ret_why);
    }
    if (ret_frame->opcode >= SIM_WS_CLOSE && (n > 125 || !ret_frame->fin)) {
        return broken(1002, "control frame too long or fragmented", ret_code, ret_why);
    }
    if (n >= 126) {
        size_t bytes = n == 126 ? 2 : 8;

        if (len < at + bytes) {
            return 0;
        }
        for (n = 0, i = 0; i < bytes; i++) {
            n = (n << 8) | data[at + i];
        }
        at += bytes;
    }
    if (n > SIM_WS_FRAME_MAX) {
        return broken(1009, "frame over 1 MiB", ret_code, ret_why);
    }
    if (len < at + 4 + n) {
        return 0;
    }
    for (i = 0; i < n; i++) {
        data[at + 4 + i] ^= data[at + (i & 3)];
    }
    ret_frame->data = data + at + 4;
    ret_frame->len = (size_t)n;
    return (int64_t)(at + 4 + n);
}

size_t sim_ws_header(uint8_t opcode, bool fin, size_t len, uint8_t ret_header[SIM_WS_HEADER_MAX])
{
    size_t i = 0;

    ret_header[0] = (uint8_t)((fin ? 0x80 : 0) | opcode);
    if (len < 126) {
        ret_header[1] = (uint8_t)len;
        return 2;
    }
    if (len < 65536) {
        ret_header[1] = 126;
        ret_header[2] = (uint8_t)(len >> 8);
        ret_header[3] = (uint8_t)(len & 0xff);
        return 4;
    }
    ret_header[1] = 127;
    for (i = 0; i < 8; i++) {
        ret_header[2 + i] = (uint8_t)(((uint64_t)len >> (56 - 8 * i)) & 0xff);
    }
    return SIM_WS_HEADER_MAX;
}

void sim_ws_accept(const char *key, char buf[SIM_WS_ACCEPT_MAX])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_len = 0;
    char *text = hm_xasprintf("%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);

    buf[0] = '\0';
    if (EVP_Digest(text, strlen(text), digest, &digest_len, EVP_sha1(), NULL) == 1 && digest_len == 20) {
        (void)EVP_EncodeBlock((unsigned char *)buf, digest, 20);
    }
    free(text);
}
