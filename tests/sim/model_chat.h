/* Inside of the model of Slack: shared by model_slack.c, model_chat.c and model_envelopes.c alone. */
#ifndef HM_SIM_MODEL_CHAT_H
#define HM_SIM_MODEL_CHAT_H

#include "model_slack.h"
#include "sim.h"

struct hm_web_api {
    int unused;
};
struct hm_socket {
    int unused;
};

enum call_method {
    CALL_POST,
    CALL_UPDATE,
    CALL_WHISPER,
    CALL_RESPOND,
    CALL_HISTORY,
    CALL_REPLIES,
    CALL_VIEW,
    CALL_AUTH,
    CALL_OPEN,
    CALL_REACT,
    CALL_UNREACT,
    CALL_OTHER
};
extern const char *const call_names[CALL_OTHER];

struct call {
    enum call_method method;
    json_t *args;
    hm_web_fn on_done;
    void *arg;
    bool done; /* Slack has dealt with it; the answer waits */
    enum hm_code code;
    const char *error;
    json_t *body;
};

struct late {
    json_t *args;
    int64_t until_ms;
};

struct slack {
    struct hm_web_api api;
    struct hm_socket socket;
    struct call *calls;
    size_t n_calls, cap_calls;
    struct late *late; /* posts that nobody waits for any more */
    size_t n_late;
    struct message *messages;
    size_t n_messages;
    struct dialog *dialogs;
    size_t n_dialogs;
    struct envelope *envelopes;
    size_t n_envelopes;
    unsigned told[SIM_PEOPLE];
    bool burying;
};

/* Slack does what the call says, and fills in its result. */
void slack_perform(struct call *call);
const struct envelope *slack_envelope_by_trigger(const char *trigger_id);
/* A person sees something that is for his eyes only. */
void slack_tell(const char *user);

#endif
