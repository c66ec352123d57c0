/* Errors: see err.h. The message lives in the caller's struct; a too long one ends in "…". */
#include "base/err.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const char *const code_names[HM_CODE_NR] = {
    [HM_OK] = "ok",
    [HM_EINVAL] = "invalid",
    [HM_ENOTFOUND] = "not-found",
    [HM_EPERM] = "not-allowed",
    [HM_ECONFLICT] = "conflict",
    [HM_ETOOBIG] = "too-big",
    [HM_EIO] = "io",
    [HM_EUNKNOWN] = "unknown-outcome",
    [HM_EENV] = "environment",
    [HM_EBUG] = "bug",
};

static void mark_cut(char *msg, int wanted)
{
    static const char ellipsis[] = "…";

    if (wanted < HM_ERR_MAX)
        return;
    size_t keep = hm_utf8_prefix(msg, HM_ERR_MAX - sizeof ellipsis);
    memcpy(msg + keep, ellipsis, sizeof ellipsis);
}

enum hm_code hm_err_set(struct hm_err *err, enum hm_code code, const char *fmt, ...)
{
    if (err != NULL) {
        va_list ap;
        va_start(ap, fmt);
        int wanted = vsnprintf(err->msg, sizeof err->msg, fmt, ap);
        va_end(ap);
        err->code = code;
        mark_cut(err->msg, wanted);
    }
    return code;
}

enum hm_code hm_err_wrap(struct hm_err *err, const char *fmt, ...)
{
    if (err == NULL)
        return HM_EBUG;

    char cause[HM_ERR_MAX];
    char prefix[HM_ERR_MAX];
    va_list ap;
    memcpy(cause, err->msg, sizeof cause);
    va_start(ap, fmt);
    (void)vsnprintf(prefix, sizeof prefix, fmt, ap);
    va_end(ap);
    return hm_err_set(err, err->code, "%s: %s", prefix, cause);
}

void hm_err_clear(struct hm_err *err)
{
    if (err == NULL)
        return;
    err->code = HM_OK;
    err->msg[0] = '\0';
}

const char *hm_code_name(enum hm_code code)
{
    if ((unsigned)code >= HM_CODE_NR)
        return "unknown-code";
    return code_names[code];
}
