/* Batches: see batch.h for the layout and journal.h for what each operation means.
 *
 * An operation in the buffer: one struct op_head, then for each text its length (size_t; SIZE_MAX = no value), its bytes and a
 * NUL. Unaligned, so everything goes through memcpy. Nothing here can fail but for out of memory, which ends the process. */
#include "journal/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/mem.h"

struct op_head {
    int64_t number, at_ms;
    uint8_t kind;
    uint8_t flag;
};

enum { FIRST_SLACK = 64 }; /* room behind the first operation: most batches have one or are followed by a small one */

static const size_t no_text = SIZE_MAX;

struct hm_batch *hm_batch_new(void)
{
    return hm_xcalloc(1, sizeof(struct hm_batch));
}

void hm_batch_free(struct hm_batch *batch)
{
    if (batch == NULL)
        return;
    free(batch->buf);
    free(batch->error);
    free(batch);
}

static void make_room(struct hm_batch *batch, size_t more)
{
    size_t need = 0;
    bool overflow = __builtin_add_overflow(batch->len, more, &need);
    HM_ASSERT(!overflow && need < SIZE_MAX / 4);
    if (need <= batch->cap)
        return;
    batch->cap = batch->cap == 0 ? need + FIRST_SLACK : need * 2;
    batch->buf = hm_xreallocarray(batch->buf, batch->cap, 1);
}

static void put_bytes(struct hm_batch *batch, const void *data, size_t len)
{
    memcpy(batch->buf + batch->len, data, len);
    batch->len += len;
}

static void add_op(struct hm_batch *batch, const struct hm_op *op)
{
    struct op_head head;
    memset(&head, 0, sizeof head); /* padding too: the bytes are copied as they are */
    head.number = op->number;
    head.at_ms = op->at_ms;
    head.kind = (uint8_t)op->kind;
    head.flag = op->flag ? 1 : 0;

    size_t size = sizeof head;
    for (size_t i = 0; i < HM_OP_TEXTS; i++)
        size += sizeof(size_t) + (op->text[i].s != NULL ? op->text[i].len + 1 : 0);
    make_room(batch, size);

    put_bytes(batch, &head, sizeof head);
    for (size_t i = 0; i < HM_OP_TEXTS; i++) {
        const struct hm_text *text = &op->text[i];
        put_bytes(batch, text->s != NULL ? &text->len : &no_text, sizeof no_text);
        if (text->s != NULL) {
            put_bytes(batch, text->s, text->len);
            put_bytes(batch, "", 1);
        }
    }
    batch->bare_inbox = batch->ops == 0 && op->kind == HM_OP_INBOX;
    batch->ops++;
}

bool hm_batch_next_op(const struct hm_batch *batch, size_t *offset, struct hm_op *ret_op)
{
    if (*offset >= batch->len)
        return false;

    struct op_head head;
    const char *at = batch->buf + *offset;
    memcpy(&head, at, sizeof head);
    at += sizeof head;
    ret_op->number = head.number;
    ret_op->at_ms = head.at_ms;
    ret_op->kind = (enum hm_op_kind)head.kind;
    ret_op->flag = head.flag != 0;
    for (size_t i = 0; i < HM_OP_TEXTS; i++) {
        struct hm_text *text = &ret_op->text[i];
        memcpy(&text->len, at, sizeof text->len);
        at += sizeof text->len;
        text->s = text->len != no_text ? at : NULL;
        if (text->s != NULL)
            at += text->len + 1;
        else
            text->len = 0;
    }
    *offset = (size_t)(at - batch->buf);
    return true;
}

void hm_batch_fail(struct hm_batch *batch, enum hm_code code, const char *error)
{
    free(batch->error);
    batch->error = hm_xstrdup(error);
    batch->result = (struct hm_put_result){.code = code, .error = batch->error, .wall_ms = batch->wall_ms};
}

static struct hm_text text_of(const char *s)
{
    return (struct hm_text){s, s != NULL ? strlen(s) : 0};
}

void hm_batch_inbox(struct hm_batch *batch, const char *dedupe_key, const char *type, const char *text, size_t len)
{
    HM_ASSERT(dedupe_key != NULL && type != NULL && (text != NULL || len == 0));
    add_op(batch,
           &(struct hm_op){.kind = HM_OP_INBOX, .text = {text_of(dedupe_key), text_of(type), {text != NULL ? text : "", len}}});
}

void hm_batch_inbox_done(struct hm_batch *batch, int64_t inbox_id)
{
    add_op(batch, &(struct hm_op){.kind = HM_OP_INBOX_DONE, .number = inbox_id});
}

void hm_batch_inbox_prune(struct hm_batch *batch, int64_t before_ms)
{
    add_op(batch, &(struct hm_op){.kind = HM_OP_INBOX_PRUNE, .number = before_ms});
}

/* op: with its flag, number and time. */
static void add_event(struct hm_batch *batch, struct hm_op op, const char *id, const char *type, json_t *stolen_data)
{
    HM_ASSERT(id != NULL && id[0] != '\0' && type != NULL && type[0] != '\0');
    HM_ASSERT(op.number >= 1 && json_is_object(stolen_data));
    char *data = hm_json_text(stolen_data);
    op.kind = HM_OP_EVENT;
    op.text[0] = text_of(id);
    op.text[1] = text_of(type);
    op.text[2] = text_of(data);
    add_op(batch, &op);
    free(data);
    json_decref(stolen_data);
}

void hm_batch_event(struct hm_batch *batch, const char *run_id, int64_t expected_seq, const char *type, int64_t at_ms,
                    json_t *stolen_data)
{
    add_event(batch, (struct hm_op){.number = expected_seq, .at_ms = at_ms}, run_id, type, stolen_data);
}

void hm_batch_note(struct hm_batch *batch, const char *id, int64_t expected_seq, const char *type, json_t *stolen_data)
{
    add_event(batch, (struct hm_op){.flag = true, .number = expected_seq}, id, type, stolen_data);
}

void hm_batch_run(struct hm_batch *batch, const char *run_id, const char *recipe, const char *requester, bool open)
{
    HM_ASSERT(run_id != NULL && run_id[0] != '\0' && recipe != NULL && requester != NULL);
    add_op(batch,
           &(struct hm_op){.kind = HM_OP_RUN, .flag = open, .text = {text_of(run_id), text_of(recipe), text_of(requester)}});
}

void hm_batch_recipe_text(struct hm_batch *batch, const char *sha256, const char *text)
{
    HM_ASSERT(sha256 != NULL && strlen(sha256) == 64 && text != NULL);
    add_op(batch, &(struct hm_op){.kind = HM_OP_RECIPE_TEXT, .text = {text_of(sha256), text_of(text)}});
}

static void add_value(struct hm_batch *batch, enum hm_op_kind kind, const char *space, const char *key, json_t *stolen_value)
{
    HM_ASSERT(space != NULL && key != NULL);
    char *value = stolen_value != NULL ? hm_json_text(stolen_value) : NULL;
    add_op(batch, &(struct hm_op){.kind = kind, .text = {text_of(space), text_of(key), text_of(value)}});
    free(value);
    json_decref(stolen_value);
}

void hm_batch_set(struct hm_batch *batch, const char *space, const char *key, json_t *stolen_value)
{
    add_value(batch, HM_OP_SET, space, key, stolen_value);
}

void hm_batch_claim(struct hm_batch *batch, const char *space, const char *key, json_t *stolen_value)
{
    HM_ASSERT(stolen_value != NULL);
    add_value(batch, HM_OP_CLAIM, space, key, stolen_value);
}
