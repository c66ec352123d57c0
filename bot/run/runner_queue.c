/* Inputs that wait for their turn, and replies that wait for the commit. See runner_parts.h. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "run/runner_parts.h"

void hm_waiting_free(struct hm_waiting *w)
{
    for (size_t i = 0; i < HM_ARRAY_LEN(w->strings); i++)
        free(w->strings[i]);
    free(w);
}

void hm_slot_push(struct hm_slot *e, struct hm_waiting *w)
{
    *e->queue_tail = w;
    e->queue_tail = &w->next;
}

void hm_slot_push_first(struct hm_slot *e, enum hm_input_kind kind)
{
    struct hm_input in = {.kind = kind};
    struct hm_waiting *w = hm_waiting_new(&in);
    w->next = e->queue;
    e->queue = w;
    if (w->next == NULL)
        e->queue_tail = &w->next;
}

struct hm_waiting *hm_slot_pop(struct hm_slot *e)
{
    struct hm_waiting *w = e->queue;
    if (w == NULL)
        return NULL;
    e->queue = w->next;
    if (e->queue == NULL)
        e->queue_tail = &e->queue;
    return w;
}

struct hm_waiting *hm_waiting_new(const struct hm_input *in)
{
    struct hm_waiting *w = hm_xcalloc(1, sizeof *w);
    w->in = *in;
    if (in->answer != NULL) {
        w->answer = *in->answer;
        char *body = hm_xmalloc(in->answer->body_len + 1);
        memcpy(body, in->answer->body, in->answer->body_len);
        body[in->answer->body_len] = '\0';
        w->answer.body = w->strings[0] = body;
        w->answer.errors = w->strings[1] = hm_xstrdup(in->answer->errors);
        w->answer.content_type = w->strings[2] = hm_xstrdup(in->answer->content_type);
        w->answer.location = w->strings[3] = hm_xstrdup(in->answer->location);
        w->answer.problem = w->strings[4] = hm_xstrdup_null(in->answer->problem);
        w->answer.headers = w->strings[5] = hm_xstrdup_null(in->answer->headers);
        w->in.answer = &w->answer;
        return w;
    }
    w->in.user = w->strings[0] = hm_xstrdup_null(in->user);
    w->in.user_team = w->strings[1] = hm_xstrdup_null(in->user_team);
    w->in.nonce = w->strings[2] = hm_xstrdup_null(in->nonce);
    w->in.typed = w->strings[3] = hm_xstrdup_null(in->typed);
    w->in.reason = w->strings[4] = hm_xstrdup_null(in->reason);
    return w;
}

void hm_slot_push_kind(struct hm_slot *e, enum hm_input_kind kind)
{
    struct hm_input in = {.kind = kind};
    hm_slot_push(e, hm_waiting_new(&in));
}

void hm_slot_owe(struct hm_slot *e, const struct hm_reply *reply, const struct hm_recipe *recipe, hm_reply_fn on_reply, void *arg)
{
    if (on_reply == NULL)
        return;
    struct hm_owed *o = hm_xcalloc(1, sizeof *o);
    *o = (struct hm_owed){.reply = *reply, .recipe = hm_recipe_ref(recipe), .on_reply = on_reply, .arg = arg};
    *e->owed_tail = o;
    e->owed_tail = &o->next;
}

/* not_stored: the commit failed, whatever was decided is void. */
void hm_slot_pay(struct hm_slot *e, bool not_stored)
{
    struct hm_owed *o = e->owed;
    e->owed = NULL;
    e->owed_tail = &e->owed;
    while (o != NULL) {
        struct hm_owed *next = o->next;
        struct hm_reply sorry = {.kind = e->run->broken != NULL ? HM_REPLY_BROKEN : HM_REPLY_NOT_STORED};
        o->on_reply(o->arg, not_stored ? &sorry : &o->reply, e->run);
        hm_recipe_free(o->recipe);
        free(o);
        o = next;
    }
}

void hm_slot_drop_queues(struct hm_slot *e)
{
    struct hm_waiting *w = NULL;
    while ((w = hm_slot_pop(e)) != NULL)
        hm_waiting_free(w);
    while (e->owed != NULL) {
        struct hm_owed *o = e->owed;
        e->owed = o->next;
        hm_recipe_free(o->recipe);
        free(o);
    }
    e->owed_tail = &e->owed;
}
