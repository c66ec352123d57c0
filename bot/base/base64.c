/* Base64: see base64.h. Written out instead of OpenSSL's EVP_EncodeBlock(): that knows one alphabet, takes int lengths, and its
 * decoder counts padding as data. */
#include "base/base64.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char for_urls[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static char *encode(const unsigned char *in, size_t len, const char *alphabet, bool pad)
{
    char *out = hm_xmalloc(4 * (len / 3 + 1) + 1);
    size_t n = 0;
    for (size_t i = 0; i < len; i += 3) {
        size_t have = len - i < 3 ? len - i : 3;
        uint32_t bits = (uint32_t)in[i] << 16;
        if (have > 1)
            bits |= (uint32_t)in[i + 1] << 8;
        if (have > 2)
            bits |= in[i + 2];
        for (size_t k = 0; k < 4; k++) {
            if (k <= have)
                out[n++] = alphabet[bits >> (18 - 6 * k) & 63];
            else if (pad)
                out[n++] = '=';
        }
    }
    out[n] = '\0';
    return out;
}

char *hm_base64(const void *data, size_t len)
{
    return encode(data, len, plain, true);
}

char *hm_base64url(const void *data, size_t len)
{
    return encode(data, len, for_urls, false);
}

/* 0 to 63, or -1. */
static int value_of(char c)
{
    const char *at = strchr(plain, c);
    if (at == NULL)
        at = strchr(for_urls, c);
    if (c == '\0' || at == NULL)
        return -1;
    return (int)(at - (strchr(plain, c) != NULL ? plain : for_urls));
}

char *hm_base64_decode(const char *text, size_t *ret_len)
{
    char *out = hm_xmalloc(strlen(text) / 4 * 3 + 4);
    size_t n = 0, chars = 0, pads = 0;
    uint32_t bits = 0;
    bool ok = true;

    for (; *text != '\0' && ok; text++) {
        if (*text == '\n' || *text == '\r')
            continue;
        if (*text == '=') {
            ok = ++pads <= 2;
            continue;
        }
        int value = value_of(*text);
        ok = value >= 0 && pads == 0;
        bits = bits << 6 | ((uint32_t)value & 63);
        if (++chars % 4 != 1)
            out[n++] = (char)(bits >> (6 - 2 * ((chars + 3) % 4)) & 255);
    }
    /* A lone character of a group of four says nothing; what is padded must come out even; no bits may be left over. */
    if (!ok || chars % 4 == 1 || (pads > 0 && (chars + pads) % 4 != 0) || (chars % 4 == 2 && (bits & 15) != 0) ||
        (chars % 4 == 3 && (bits & 3) != 0)) {
        free(out);
        return NULL;
    }
    out[n] = '\0';
    *ret_len = n;
    return out;
}
