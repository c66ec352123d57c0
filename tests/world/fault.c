/* Faults: a list in the order they were set; the first that matches and is not used up wins. */
#include "fault.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

enum { MEBIBYTE = 1 << 20, OVERSIZED_BYTES = 16 * MEBIBYTE, OVERSIZED_MAX = 256 * MEBIBYTE };

static const char *const names[HM_FAULT_NR] = {
    "status",     "slow",       "hold",    "hang",      "drop", "apply-status", "apply-slow",
    "apply-hang", "apply-drop", "garbage", "oversized", "html", "content-type",
};

struct hm_faults {
    struct hm_fault *list;
    size_t count;
    int64_t last_id;
};

const char *hm_fault_name(enum hm_fault_what what)
{
    return (unsigned)what < HM_FAULT_NR ? names[what] : "?";
}

bool hm_fault_applies(enum hm_fault_what what)
{
    switch (what) {
    case HM_FAULT_APPLY_STATUS:
    case HM_FAULT_APPLY_SLOW:
    case HM_FAULT_APPLY_HANG:
    case HM_FAULT_APPLY_DROP:
    case HM_FAULT_GARBAGE:
    case HM_FAULT_OVERSIZED:
    case HM_FAULT_CONTENT_TYPE:
        return true;
    case HM_FAULT_STATUS:
    case HM_FAULT_SLOW:
    case HM_FAULT_HOLD:
    case HM_FAULT_HANG:
    case HM_FAULT_DROP:
    case HM_FAULT_HTML:
    case HM_FAULT_NR:
        return false;
    }
    return false;
}

struct hm_faults *hm_faults_new(void)
{
    return hm_xcalloc(1, sizeof(struct hm_faults));
}

void hm_faults_free(struct hm_faults *faults)
{
    if (faults == NULL)
        return;
    (void)hm_faults_remove(faults, 0);
    free(faults->list);
    free(faults);
}

static enum hm_code read_spec(json_t *spec, struct hm_fault *fault, struct hm_err *err)
{
    static const char *const known[] = {"what", "method", "prefix",   "times", "skip",         "status",
                                        "ms",   "bytes",  "location", "body",  "content_type", "retry_after"};
    const char *key;
    json_t *value;
    const char *what = hm_json_get_str(spec, "what", "");
    size_t i = 0;

    while (i < HM_FAULT_NR && !hm_streq(names[i], what))
        i++;
    if (i == HM_FAULT_NR)
        return hm_err_set(err, HM_EINVAL, "\"what\" must be one of the faults in the README, not \"%s\"", what);
    json_object_foreach(spec, key, value)
    {
        size_t k = 0;
        while (k < HM_ARRAY_LEN(known) && !hm_streq(known[k], key))
            k++;
        if (k == HM_ARRAY_LEN(known))
            return hm_err_set(err, HM_EINVAL, "a fault has no \"%s\"", key);
    }
    fault->what = (enum hm_fault_what)i;
    fault->json = json_deep_copy(spec);
    fault->method = hm_json_get_str(fault->json, "method", "*");
    fault->prefix = hm_json_get_str(fault->json, "prefix", "/");
    fault->status = (int)hm_json_get_int(spec, "status", 500);
    fault->ms = hm_json_get_int(spec, "ms", 1000);
    fault->bytes = hm_json_get_int(spec, "bytes", OVERSIZED_BYTES);
    fault->skip = hm_json_get_int(spec, "skip", 0);
    fault->left = hm_streq(hm_json_get_str(spec, "times", ""), "always") ? -1 : hm_json_get_int(spec, "times", 1);
    if (fault->status < 200 || fault->status > 599 || fault->ms < 0 || fault->bytes < 0 || fault->bytes > OVERSIZED_MAX)
        return hm_err_set(err, HM_EINVAL, "status, ms or bytes is out of range");
    return HM_OK;
}

int64_t hm_faults_add(struct hm_faults *faults, json_t *spec, struct hm_err *err)
{
    struct hm_fault fault;
    memset(&fault, 0, sizeof(fault));
    if (read_spec(spec, &fault, err) != HM_OK) {
        json_decref(fault.json);
        return -1;
    }
    fault.id = ++faults->last_id;
    faults->list = hm_xreallocarray(faults->list, faults->count + 1, sizeof(*faults->list));
    faults->list[faults->count++] = fault;
    return fault.id;
}

bool hm_faults_remove(struct hm_faults *faults, int64_t id)
{
    size_t kept = 0;
    for (size_t i = 0; i < faults->count; i++) {
        if (id == 0 || faults->list[i].id == id)
            json_decref(faults->list[i].json);
        else
            faults->list[kept++] = faults->list[i];
    }
    bool removed = kept < faults->count;
    faults->count = kept;
    return removed;
}

json_t *hm_faults_json_new(const struct hm_faults *faults)
{
    json_t *list = hm_json_arr_new();
    for (size_t i = 0; i < faults->count; i++) {
        json_t *fault = json_deep_copy(faults->list[i].json);
        hm_json_set_int(fault, "id", faults->list[i].id);
        hm_json_set_int(fault, "hits", faults->list[i].hits);
        hm_json_set_int(fault, "left", faults->list[i].left);
        hm_json_add(list, fault);
    }
    return list;
}

const struct hm_fault *hm_faults_match(struct hm_faults *faults, const char *method, const char *path)
{
    for (size_t i = 0; i < faults->count; i++) {
        struct hm_fault *fault = &faults->list[i];
        if (fault->left == 0 || !hm_starts_with(path, fault->prefix))
            continue;
        if (!hm_streq(fault->method, "*") && !hm_streq(fault->method, method))
            continue;
        if (fault->skip > 0) {
            fault->skip--;
            continue;
        }
        if (fault->left > 0)
            fault->left--;
        fault->hits++;
        return fault;
    }
    return NULL;
}
