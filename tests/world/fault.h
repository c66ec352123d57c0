/* Faults: what the world does wrong on demand. A fault is meant for requests of one method under one path prefix, the next
 * `times` of them or all. Set through the control API; README.md has the list and what each is good for. */
#ifndef HM_WORLD_FAULT_H
#define HM_WORLD_FAULT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum hm_fault_what {
    HM_FAULT_STATUS,       /* that status; nothing is applied */
    HM_FAULT_SLOW,         /* wait, then apply and answer */
    HM_FAULT_HOLD,         /* wait for /_world/release, then apply and answer */
    HM_FAULT_HANG,         /* never answer; nothing is applied */
    HM_FAULT_DROP,         /* close the connection; nothing is applied */
    HM_FAULT_APPLY_STATUS, /* apply, then answer that status */
    HM_FAULT_APPLY_SLOW,   /* apply, wait, then answer */
    HM_FAULT_APPLY_HANG,   /* apply, never answer */
    HM_FAULT_APPLY_DROP,   /* apply, then close the connection */
    HM_FAULT_GARBAGE,      /* apply, then answer 200 with bytes that are no JSON and no text */
    HM_FAULT_OVERSIZED,    /* apply, then answer 200 with a very long JSON body */
    HM_FAULT_HTML,         /* apply nothing, answer 200 with an HTML sign-in page, as a proxy in between would */
    HM_FAULT_CONTENT_TYPE, /* apply and answer as always, under another content type */
    HM_FAULT_NR
};

struct hm_fault {
    int64_t id;
    enum hm_fault_what what;
    const char *method, *prefix; /* borrowed from `json` */
    int status;
    int64_t ms;    /* slow */
    int64_t bytes; /* oversized */
    int64_t skip;  /* let this many matching requests pass first */
    int64_t left;  /* -1 = for ever */
    int64_t hits;
    json_t *json; /* as it was given */
};

struct hm_faults;

struct hm_faults *hm_faults_new(void);
void hm_faults_free(struct hm_faults *faults);
/* Returns the fault's id, or -1 with err set. */
int64_t hm_faults_add(struct hm_faults *faults, json_t *spec, struct hm_err *err);
/* id 0 = all. False when there was none. */
bool hm_faults_remove(struct hm_faults *faults, int64_t id);
json_t *hm_faults_json_new(const struct hm_faults *faults);
/* The first fault in force for the request, counted down; NULL = none. Valid until the next call. */
const struct hm_fault *hm_faults_match(struct hm_faults *faults, const char *method, const char *path);

bool hm_fault_applies(enum hm_fault_what what); /* the request is performed before the fault shows */
const char *hm_fault_name(enum hm_fault_what what);

#endif
