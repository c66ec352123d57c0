/* Small frames that wait to be written, one behind the other in one block of memory, each with the room in front of it that
 * lws_write() wants for its header: nothing is copied again, and an ack costs no allocation. */
#ifndef HM_SLACK_OUTBOX_H
#define HM_SLACK_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>

enum { HM_OUTBOX_MAX = 4 * 1024 * 1024 }; /* bytes, with the room */

/* All zero is empty. */
struct hm_outbox {
    char *buf;
    size_t at, len, cap;
    size_t frames;
};

void hm_outbox_done(struct hm_outbox *box);
/* Copies text. False when the box is full. */
bool hm_outbox_add(struct hm_outbox *box, const char *text, size_t len);
/* The oldest frame's text, with LWS_PRE writable bytes before it; NULL: the box is empty. Valid until the next call. */
unsigned char *hm_outbox_first(const struct hm_outbox *box, size_t *ret_len);
/* Drops the oldest frame. */
void hm_outbox_pop(struct hm_outbox *box);

#endif
