/* Frames in waiting: see outbox.h. In memory: length (4 bytes), LWS_PRE bytes, text; and so on. */
#include "slack/outbox.h"

#include <libwebsockets.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"

enum { HEAD = LWS_PRE + sizeof(uint32_t) };

void hm_outbox_done(struct hm_outbox *box)
{
    free(box->buf);
    memset(box, 0, sizeof(*box));
}

bool hm_outbox_add(struct hm_outbox *box, const char *text, size_t len)
{
    size_t need = HEAD + len;
    uint32_t len32 = (uint32_t)len;

    if (len > HM_OUTBOX_MAX || box->len - box->at + need > HM_OUTBOX_MAX)
        return false;
    if (box->cap - box->len < need) {
        box->cap = (box->len + need) * 2;
        box->buf = hm_xreallocarray(box->buf, box->cap, 1);
    }
    char *frame = box->buf + box->len;
    memcpy(frame, &len32, sizeof(len32));
    memset(frame + sizeof(len32), 0, LWS_PRE);
    memcpy(frame + HEAD, text, len);
    box->len += need;
    box->frames++;
    return true;
}

static size_t first_len(const struct hm_outbox *box)
{
    uint32_t len = 0;
    memcpy(&len, box->buf + box->at, sizeof(len));
    return len;
}

unsigned char *hm_outbox_first(const struct hm_outbox *box, size_t *ret_len)
{
    if (box->frames == 0)
        return NULL;
    *ret_len = first_len(box);
    return (unsigned char *)box->buf + box->at + HEAD;
}

void hm_outbox_pop(struct hm_outbox *box)
{
    HM_ASSERT(box->frames > 0);
    box->at += HEAD + first_len(box);
    box->frames--;
    if (box->frames == 0) {
        box->at = box->len = 0;
    } else if (box->at > box->cap / 2) {
        memmove(box->buf, box->buf + box->at, box->len - box->at);
        box->len -= box->at;
        box->at = 0;
    }
}
