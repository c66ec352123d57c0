/* Texts that are numbers: see value.h. */
#include "handlers/value.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { DIGITS_MAX = 64 };

json_t *hm_value_number_new(const char *text)
{
    int64_t whole = 0;
    char *end = NULL;
    if (text == NULL || text[0] == '\0' || strlen(text) > DIGITS_MAX || text[strspn(text, "0123456789+-.eE")] != '\0')
        return json_null();
    if (hm_parse_i64(text, INT64_MIN, INT64_MAX, &whole))
        return json_integer(whole);
    errno = 0;
    double value = strtod(text, &end);
    return *end == '\0' && errno == 0 && isfinite(value) ? json_real(value) : json_null();
}
