/* S3: HEAD of an object, and a copy that S3 makes by itself, so that a private key never comes here.
 *
 * Happy path: HEAD /bucket/key → ETag, Last-Modified, Content-Length; PUT /bucket/key with X-Amz-Copy-Source → CopyObjectResult.
 * Failure modes: an error may come inside a 200 (S3 answers before the copy is made); a bucket of another region answers 301; a
 * missing object is a 403 to keys that may not list the bucket. Answers to HEAD have no body, so no error code either.
 *
 * The copy is HM_EFFECT_IDEMPOTENT: it copies exactly the version that was looked at (its ETag, as a condition), and only when
 * that is newer than the moment from which on it must be and than what it overwrites. Its probe compares ETags, which are those
 * of the content for objects that were neither uploaded in parts nor encrypted with a KMS key; others are for a person. */
#include "handlers/s3.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "handlers/aws.h"
#include "handlers/http_request.h"

enum { BUCKET_MAX_LEN = 63, KEY_MAX_LEN = 1000, ETAG_MAX_LEN = 100 };

/* ---- names ---------------------------------------------------------------------------------------------------------------- */

static bool bucket_ok(const char *bucket)
{
    size_t len = strlen(bucket);
    return len >= 3 && len <= BUCKET_MAX_LEN && strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789.-") == len &&
           strstr(bucket, "..") == NULL && strchr(".-", bucket[0]) == NULL && strchr(".-", bucket[len - 1]) == NULL;
}

/* Printable ASCII in non-empty parts, none of them "." or "..": nothing on the way may make another key of it. */
static bool key_ok(const char *key)
{
    size_t len = strlen(key);
    if (len == 0 || len > KEY_MAX_LEN)
        return false;
    for (size_t i = 0; i < len; i++)
        if (key[i] <= ' ' || key[i] > '~')
            return false;
    for (const char *part = key;; part++) {
        size_t n = strcspn(part, "/");
        if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
            return false;
        part += n;
        if (*part == '\0')
            return true;
    }
}

static enum hm_code check_object(const json_t *args, const char *bucket_key, const char *key_key, struct hm_err *err)
{
    const char *bucket = hm_json_get_str(args, bucket_key, ""), *key = hm_json_get_str(args, key_key, "");
    if (!bucket_ok(bucket))
        return hm_err_set(err, HM_EINVAL, "%s: \"%.70s\" is no name of a bucket", bucket_key, bucket);
    if (!key_ok(key))
        return hm_err_set(err, HM_EINVAL, "%s: \"%.70s\" is no key of an object (no spaces, no empty parts, no \"..\")", key_key,
                          key);
    return HM_OK;
}

/* "/bucket/key", each part encoded; the caller frees. */
static char *object_path(const char *bucket, const char *key)
{
    struct hm_strbuf path;
    hm_strbuf_init(&path, 4 * (size_t)KEY_MAX_LEN);
    hm_strbuf_addf(&path, "/%s", bucket);
    while (*key != '\0') {
        size_t n = strcspn(key, "/");
        char *part = hm_xstrndup(key, n);
        char *encoded = hm_url_encode(part);
        hm_strbuf_addf(&path, "/%s", encoded);
        free(encoded);
        free(part);
        key += n + (key[n] == '/' ? 1 : 0);
    }
    return hm_strbuf_take(&path);
}

/* What came instead of a plain answer: HEAD has no body that could say more. */
static enum hm_verdict judge_status(const struct hm_http_asked *asked, const struct hm_answer *answer, struct hm_outcome *out)
{
    char *region = hm_answer_header(answer, "x-amz-bucket-region");
    enum hm_verdict verdict = HM_VERDICT_PERMANENT;
    if (answer->status == 404)
        verdict = hm_outcome_fail(out, HM_VERDICT_NOT_FOUND, "S3 has no %s", asked->thing);
    else if (answer->status == 301 || answer->status == 307 || (answer->status == 400 && region != NULL))
        verdict = hm_outcome_fail(out, HM_VERDICT_PERMANENT,
                                  "the bucket of %s is in region %.40s, not in that of backend %s; nothing was done",
                                  asked->thing, region != NULL ? region : "(not told)", asked->backend->name);
    else if (answer->status == 403)
        verdict = hm_outcome_fail(
            out, HM_VERDICT_PERMANENT,
            "S3 does not show %s to the keys of backend %s: they may not, or it does not exist and they may not list "
            "the bucket",
            asked->thing, asked->backend->name);
    else
        verdict = hm_http_judge(asked, answer, out);
    free(region);
    return verdict;
}

/* ---- an object ------------------------------------------------------------------------------------------------------------ */

static const struct hm_arg_spec object_args[] = {
    {"bucket", HM_ARG_STRING, true, "the bucket's name"},
    {"key", HM_ARG_STRING, true, "the object's key, without a leading slash"},
    {"newer_than", HM_ARG_STRING, false, "a moment, like 2020-05-01 18:52:43+00:00; then the result tells whether it is newer"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code object_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                   struct hm_request *req, struct hm_err *err)
{
    int64_t ms = 0;
    const char *newer_than = hm_json_get_str(args, "newer_than", "");
    (void)cursor;
    if (check_object(args, "bucket", "key", err) != HM_OK)
        return HM_EINVAL;
    if (newer_than[0] != '\0' && !hm_parse_time(newer_than, &ms))
        return hm_err_set(err, HM_EINVAL, "newer_than: \"%.60s\" is no moment like 2020-05-01 18:52:43+00:00", newer_than);
    char *path = object_path(hm_json_get_str(args, "bucket", ""), hm_json_get_str(args, "key", ""));
    hm_request_begin(req, backend, "HEAD", "%s", path);
    free(path);
    return HM_OK;
}

static bool etag_ok(const char *etag)
{
    size_t len = strlen(etag);
    if (len < 3 || len > ETAG_MAX_LEN || etag[0] != '"' || etag[len - 1] != '"')
        return false;
    return strspn(etag + 1, "0123456789abcdefABCDEF-") == len - 2;
}

/* "s3://bucket/key"; the caller frees. */
static char *thing_new(const json_t *args, const char *bucket_key, const char *key_key)
{
    return hm_xasprintf("s3://%s/%s", hm_json_get_str(args, bucket_key, ""), hm_json_get_str(args, key_key, ""));
}

/* Whether the ETag is a hash of the content: not of an upload in parts, and not of an object encrypted with a KMS key. */
static bool comparable(const struct hm_answer *answer, const char *etag)
{
    char *encryption = hm_answer_header(answer, "x-amz-server-side-encryption");
    bool is_hash = strchr(etag, '-') == NULL && (encryption == NULL || !hm_starts_with(encryption, "aws:kms"));
    free(encryption);
    return is_hash;
}

static enum hm_verdict object_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                       const struct hm_answer *answer, struct hm_outcome *out)
{
    char *thing = thing_new(args, "bucket", "key");
    const struct hm_http_asked asked = {.backend = backend, .system = "S3", .thing = thing};
    enum hm_verdict verdict = HM_VERDICT_OK;
    (void)cursor;
    if (answer->status != 200 || hm_http_is_page(answer)) {
        verdict = answer->status == 200 ? hm_http_odd(&asked, out, "it is a web page") : judge_status(&asked, answer, out);
        if (verdict == HM_VERDICT_OK)
            verdict = hm_http_odd(&asked, out, "a HEAD is answered with 200 or refused");
        free(thing);
        return verdict;
    }
    char *etag = hm_answer_header(answer, "ETag"), *changed = hm_answer_header(answer, "Last-Modified");
    char *length = hm_answer_header(answer, "Content-Length");
    char *modified = hm_aws_time(changed);
    int64_t size = -1, at = 0, limit = 0;
    if (etag == NULL || !etag_ok(etag) || modified == NULL) {
        verdict = hm_http_odd(&asked, out, "it has no ETag or no Last-Modified");
    } else {
        const char *newer_than = hm_json_get_str(args, "newer_than", "");
        out->result = hm_json_obj_new();
        hm_json_set_str(out->result, "bucket", hm_json_get_str(args, "bucket", ""));
        hm_json_set_str(out->result, "key", hm_json_get_str(args, "key", ""));
        hm_json_set_str(out->result, "etag", etag);
        hm_json_set_bool(out->result, "comparable", comparable(answer, etag));
        hm_json_set_str(out->result, "modified", modified);
        if (length != NULL && hm_parse_i64(length, 0, INT64_MAX, &size))
            hm_json_set_int(out->result, "size", size);
        if (newer_than[0] != '\0')
            hm_json_set_bool(out->result, "newer",
                             hm_parse_time(modified, &at) && hm_parse_time(newer_than, &limit) && at > limit);
    }
    free(modified);
    free(length);
    free(changed);
    free(etag);
    free(thing);
    return verdict;
}

static const struct hm_field_spec object_fields[] = {
    {"bucket", HM_FIELD_TEXT, true, "the bucket", NULL},
    {"key", HM_FIELD_TEXT, true, "the key", NULL},
    {"etag", HM_FIELD_TEXT, true, "the version, with its quotes", NULL},
    {"comparable", HM_FIELD_BOOL, true, "whether equal content has an equal etag", NULL},
    {"modified", HM_FIELD_TEXT, true, "like 2026-11-22T14:38:02Z", NULL},
    {"size", HM_FIELD_NUMBER, false, "bytes, when S3 says so", NULL},
    {"newer", HM_FIELD_BOOL, false, "with `newer_than`: whether it is", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_s3_object = {
    .name = "s3.object",
    .title = "Look at an object, not into it",
    .doc = "The object's content is never fetched.",
    .effect = HM_EFFECT_READ,
    .args = object_args,
    .result = object_fields,
    .request = object_request,
    .response = object_response,
};

/* ---- a copy --------------------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec copy_args[] = {
    {"from_bucket", HM_ARG_STRING, true, "bucket of the object that is copied"},
    {"from_key", HM_ARG_STRING, true, "its key"},
    {"from_etag", HM_ARG_STRING, true, "its etag, as s3.object told: no other version is copied"},
    {"from_modified", HM_ARG_STRING, true, "its modified, as s3.object told"},
    {"bucket", HM_ARG_STRING, true, "bucket of the object that is overwritten"},
    {"key", HM_ARG_STRING, true, "its key"},
    {"modified", HM_ARG_STRING, false, "its modified, when it exists: what is copied must be newer"},
    {"newer_than", HM_ARG_STRING, true, "a moment: what is copied must be newer, too"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code check_times(const json_t *args, struct hm_err *err)
{
    static const char *const limits[] = {"newer_than", "modified"};
    const char *from = hm_json_get_str(args, "from_modified", "");
    int64_t from_ms = 0;
    if (!hm_parse_time(from, &from_ms))
        return hm_err_set(err, HM_EINVAL, "from_modified: \"%.60s\" is no moment", from);
    for (size_t i = 0; i < HM_ARRAY_LEN(limits); i++) {
        const char *limit = hm_json_get_str(args, limits[i], "");
        int64_t limit_ms = 0;
        if (i > 0 && limit[0] == '\0')
            continue;
        if (!hm_parse_time(limit, &limit_ms))
            return hm_err_set(err, HM_EINVAL, "%s: \"%.60s\" is no moment", limits[i], limit);
        if (from_ms <= limit_ms)
            return hm_err_set(err, HM_EINVAL, "what would be copied is of %.40s, which is not newer than %.40s (%s)", from, limit,
                              i == 0 ? "the moment that it must be newer than" : "what would be overwritten");
    }
    return HM_OK;
}

static enum hm_code copy_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                 struct hm_request *req, struct hm_err *err)
{
    const char *etag = hm_json_get_str(args, "from_etag", "");
    (void)cursor;
    if (check_object(args, "from_bucket", "from_key", err) != HM_OK || check_object(args, "bucket", "key", err) != HM_OK ||
        check_times(args, err) != HM_OK)
        return HM_EINVAL;
    if (!etag_ok(etag))
        return hm_err_set(err, HM_EINVAL, "from_etag: \"%.60s\" is no ETag", etag);
    char *from = object_path(hm_json_get_str(args, "from_bucket", ""), hm_json_get_str(args, "from_key", ""));
    char *to = object_path(hm_json_get_str(args, "bucket", ""), hm_json_get_str(args, "key", ""));
    if (hm_streq(from, to)) {
        (void)hm_err_set(err, HM_EINVAL, "an object can not be copied over itself");
    } else {
        hm_request_begin(req, backend, "PUT", "%s", to);
        hm_request_add_header(req, "X-Amz-Copy-Source", from);
        hm_request_add_header(req, "X-Amz-Copy-Source-If-Match", etag);
        hm_request_add_header(req, "X-Amz-Metadata-Directive", "COPY");
        hm_request_set_empty(req);
    }
    bool ok = req->url != NULL;
    free(to);
    free(from);
    return ok ? HM_OK : HM_EINVAL;
}

/* The answer's body: CopyObjectResult is done, Error is not, whatever the status said. */
static enum hm_verdict judge_copy(const struct hm_http_asked *asked, const struct hm_answer *answer, const struct hm_xml *xml,
                                  struct hm_outcome *out)
{
    const struct hm_xml_node *root = hm_xml_root(xml);
    const char *etag = hm_xml_text(root, "ETag"), *code = hm_xml_text(root, "Code"), *message = hm_xml_text(root, "Message");
    if (hm_streq(hm_xml_name(root), "Error")) {
        struct hm_answer as_error = *answer;
        if (answer->status == 200) /* then the status is the error's own, which only the code tells */
            as_error.status = hm_streq(code, "InternalError") ? 500 : 400;
        if (hm_streq(code, "PreconditionFailed"))
            return hm_outcome_fail(out, HM_VERDICT_PERMANENT,
                                   "S3 copied nothing: what was to be copied is not the version that was looked at");
        if (hm_streq(code, "NoSuchKey"))
            return hm_outcome_fail(out, HM_VERDICT_NOT_FOUND, "S3 copied nothing: there is no %s", asked->thing);
        if (hm_streq(code, "NoSuchBucket"))
            return hm_outcome_fail(out, HM_VERDICT_NOT_FOUND, "S3 copied nothing: one of the two buckets does not exist");
        return hm_aws_judge(asked, &as_error, code != NULL ? code : "", message != NULL ? message : "", out);
    }
    if (answer->status != 200 || !hm_streq(hm_xml_name(root), "CopyObjectResult") || etag == NULL || !etag_ok(etag))
        return answer->status == 200 ? hm_http_odd(asked, out, "it is no result of a copy") : hm_http_judge(asked, answer, out);
    char *modified = hm_aws_time(hm_xml_text(root, "LastModified"));
    out->result = hm_json_obj_new();
    hm_json_set_str(out->result, "etag", etag);
    hm_json_set_str(out->result, "modified", modified);
    free(modified);
    return HM_VERDICT_OK;
}

static enum hm_verdict copy_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                     const struct hm_answer *answer, struct hm_outcome *out)
{
    char *thing = thing_new(args, "from_bucket", "from_key");
    const struct hm_http_asked asked = {.backend = backend, .system = "S3", .thing = thing, .write = true};
    (void)cursor;
    struct hm_xml *xml = hm_http_is_page(answer) ? NULL : hm_xml_parse(answer->body, answer->body_len, NULL);
    enum hm_verdict verdict = HM_VERDICT_OK;
    if (xml != NULL)
        verdict = judge_copy(&asked, answer, xml, out);
    else
        verdict = answer->status >= 200 && answer->status < 300 ? hm_http_odd(&asked, out, "it is no result of a copy")
                                                                : judge_status(&asked, answer, out);
    hm_xml_free(xml);
    free(thing);
    return verdict;
}

static enum hm_code copy_probe_args(const json_t *args, const json_t *context, json_t **ret_args, struct hm_err *err)
{
    (void)context;
    (void)err;
    *ret_args = hm_json_obj_new();
    hm_json_set_str(*ret_args, "bucket", hm_json_get_str(args, "bucket", ""));
    hm_json_set_str(*ret_args, "key", hm_json_get_str(args, "key", ""));
    return HM_OK;
}

/* An ETag with a dash is of an upload in parts: not a hash of the content. */
static enum hm_probe_says copy_probe_judge(const json_t *args, enum hm_verdict verdict, const json_t *result)
{
    const char *from = hm_json_get_str(args, "from_etag", "");
    if (verdict == HM_VERDICT_NOT_FOUND)
        return HM_PROBE_NOT_APPLIED;
    if (verdict != HM_VERDICT_OK)
        return HM_PROBE_CANNOT_TELL;
    if (hm_streq(hm_json_get_str(result, "etag", ""), from))
        return HM_PROBE_APPLIED;
    /* Still the very object that was there before. */
    if (hm_streq(hm_json_get_str(result, "modified", ""), hm_json_get_str(args, "modified", "?")))
        return HM_PROBE_NOT_APPLIED;
    return HM_PROBE_CANNOT_TELL;
}

static const struct hm_field_spec copy_fields[] = {
    {"etag", HM_FIELD_TEXT, true, "of the copy", NULL},
    {"modified", HM_FIELD_TEXT, true, "of the copy", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_s3_copy = {
    .name = "s3.copy",
    .title = "Copy an object over another, inside S3",
    .doc = "Only the version that was looked at, and only if it is newer than newer_than and than what it overwrites. The "
           "content does not pass through here.",
    .effect = HM_EFFECT_IDEMPOTENT,
    .args = copy_args,
    .result = copy_fields,
    .request = copy_request,
    .response = copy_response,
    .probe_action = "s3.object",
    .probe_args = copy_probe_args,
    .probe_judge = copy_probe_judge,
};

/* ---- the handler ---------------------------------------------------------------------------------------------------------- */

static const struct hm_action *const actions[] = {&hm_s3_object, &hm_s3_copy, NULL};
static const char *const settings[] = {NULL};

const struct hm_handler hm_s3_handler = {
    .name = "s3",
    .title = "Amazon S3: objects",
    .actions = actions,
    .settings = settings,
};
