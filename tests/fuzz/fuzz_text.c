/* Any bytes as text: cleaning gives valid UTF-8, every cut falls between two sequences, and the parsers keep their ranges. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "target.h"

static void check_cuts(const char *clean, size_t at)
{
    size_t len = strlen(clean);
    size_t prefix = hm_utf8_prefix(clean, at);
    HM_ASSERT(prefix <= at && prefix <= len && prefix + 4 > (at < len ? at : len));
    HM_ASSERT(hm_utf8_valid(clean, prefix));
    HM_ASSERT(hm_utf8_valid(clean, hm_utf8_take(clean, at)));

    struct hm_strbuf b;
    hm_strbuf_init(&b, at);
    hm_strbuf_addf(&b, "%s", clean);
    HM_ASSERT(b.failed == (len > at) && b.len == prefix);
    hm_strbuf_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *clean = hm_utf8_clean((const char *)data, size);
    char *text = hm_xstrndup((const char *)data, size);
    char buf[32];
    int64_t number = 0;
    struct hm_err err = {0};

    HM_ASSERT(hm_utf8_valid(clean, strlen(clean)));
    HM_ASSERT(hm_utf8_count(clean) <= size);
    check_cuts(clean, size / 2);
    check_cuts(clean, size);
    if (hm_parse_i64(text, -1000, 1000, &number))
        HM_ASSERT(number >= -1000 && number <= 1000);
    if (hm_parse_duration(text, &number, &err) == HM_OK)
        HM_ASSERT(number > 0 && hm_format_duration(number, buf, sizeof buf)[0] != '\0');
    (void)hm_is_uuid(text);
    HM_ASSERT(hm_edit_distance(text, clean, 5) <= 6);
    (void)hm_err_set(&err, HM_EIO, "%s", clean);
    HM_ASSERT(hm_utf8_valid(err.msg, strlen(err.msg)));
    free(text);
    free(clean);
    return 0;
}
