/* Any bytes through the scan of a Socket Mode frame: what it takes jansson takes, and finds the same id. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "slack/scan.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hm_scan scan;
    struct hm_err err;
    json_error_t why;
    char *exact = hm_xmalloc(size > 0 ? size : 1); /* of its exact size: a read behind it is seen */
    if (size > 0)
        memcpy(exact, data, size);
    json_t *loose = json_loadb(exact, size, 0, &why);
    json_t *strict = json_loadb(exact, size, JSON_REJECT_DUPLICATES, &why);

    if (hm_scan_frame(exact, size, &scan, &err) == HM_OK) {
        if (!json_is_object(loose))
            abort();
        if (strict != NULL && strcmp(scan.envelope_id, hm_json_get_str(strict, "envelope_id", "")) != 0)
            abort();
    }
    json_decref(loose);
    json_decref(strict);
    free(exact);
    return 0;
}
