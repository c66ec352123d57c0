/* The first look at a Socket Mode frame: what must be known before it is acknowledged, found in one pass over the bytes, without
 * building a JSON tree (a tree on this path doubles the cost of a message; it is built later, after the ack).
 *
 * The scan is a whole JSON parser in what it accepts: it says yes exactly when hm_json_parse_new() would, but for duplicate keys
 * (see below), and for top-level values that are not objects and NUL bytes, which it refuses. The text that it passed can be
 * parsed later without surprises. Pure; allocates nothing that depends on the sender but for absurdly long numbers. */
#ifndef HM_SLACK_SCAN_H
#define HM_SLACK_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum hm_scan_kind {
    HM_SCAN_ENVELOPE,   /* wants an ack: it has an envelope_id */
    HM_SCAN_HELLO,      /* {"type":"hello",…} */
    HM_SCAN_DISCONNECT, /* {"type":"disconnect",…} */
    HM_SCAN_OTHER,      /* JSON, but nothing that we know: to be logged */
    HM_SCAN_KIND_NR
};

enum {
    HM_SCAN_ID_MAX = 256,  /* envelope_id, event_id, trigger_id with their NUL; longer ones are an error */
    HM_SCAN_TYPE_MAX = 64, /* type and reason, cut when longer */
    HM_SCAN_KEY_MAX = 264, /* "cmd:" and an id */
    HM_SCAN_HOST_MAX = 64  /* hello's debug_info.host, cut when longer */
};

struct hm_scan {
    enum hm_scan_kind kind;
    char envelope_id[HM_SCAN_ID_MAX]; /* "" when absent */
    char type[HM_SCAN_TYPE_MAX];      /* "" when absent */
    /* The durable key: "ev:<event_id>" for events_api, "cmd:<trigger_id>" for slash_commands, "act:<trigger_id>" for interactive,
     * "env:<envelope_id>" for everything else and when the id is missing. "" when there is no envelope_id. */
    char dedupe_key[HM_SCAN_KEY_MAX];
    bool accepts_response_payload;
    int64_t retry_attempt;               /* 0 when absent; a retry is treated like a first delivery (it may be the only one) */
    char retry_reason[HM_SCAN_TYPE_MAX]; /* "" when absent */
};

/* HM_EINVAL: not JSON, not an object, malformed UTF-8, nested deeper than 2048, or one of the fields of struct hm_scan (also
 * payload, payload.event_id, payload.trigger_id) is there twice. Duplicates elsewhere are left to the later parser. A field
 * of another type than expected counts as absent. The message gives the position, never the text. */
HM_MUST enum hm_code hm_scan_frame(const char *text, size_t len, struct hm_scan *ret_scan, struct hm_err *err);

/* What a hello says; every field but `type` is optional there. */
struct hm_hello {
    int num_connections;            /* 0: not said */
    int64_t approximate_lifetime_s; /* 0: not said */
    char host[HM_SCAN_HOST_MAX];    /* "" */
    char app_id[HM_SCAN_HOST_MAX];  /* "" */
};
HM_MUST enum hm_code hm_scan_hello(const char *text, size_t len, struct hm_hello *ret_hello, struct hm_err *err);

/* The reason of a disconnect frame, "" when it gives none; cut when longer. */
HM_MUST enum hm_code hm_scan_disconnect(const char *text, size_t len, char ret_reason[HM_SCAN_TYPE_MAX], struct hm_err *err);

#endif
