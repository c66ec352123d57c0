/* Any bytes as JSON: what is accepted survives being written and read again, unchanged. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hm_err err = {0};
    json_t *value = hm_json_parse_new((const char *)data, size, 2048, &err);
    HM_ASSERT((value != NULL) == (err.code == HM_OK));
    if (value == NULL)
        return 0;
    char *text = hm_json_text(value);
    json_t *again = hm_json_parse_new(text, strlen(text), SIZE_MAX, &err);
    HM_ASSERT(again != NULL);
    char *text_again = hm_json_text(again);
    HM_ASSERT(strcmp(text, text_again) == 0);
    (void)hm_json_get_path(value, "a.0.b");
    free(text_again);
    json_decref(again);
    free(text);
    json_decref(value);
    return 0;
}
