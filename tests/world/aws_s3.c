/* S3, path style: HEAD and GET of an object, and PUT with a copy source.
 *
 * State: {"config": keys (aws.h), and "copy_error": a code that a copy ends with, inside a 200; "objects": [{"bucket", "key",
 * "content", "modified"}]}. The ETag is a hash of the content. GET is there so that a test can see that nobody uses it. */
#include <stdlib.h>
#include <string.h>

#include "aws.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "house.h"
#include "kit.h"

enum { MAX_XML = 1024 * 1024, ETAG_DIGITS = 32 };

struct s3 {
    json_t *state;
};

static void *s3_new(const json_t *state, struct hm_err *err)
{
    static const char *const lists[] = {"objects", NULL};
    struct s3 *s3 = hm_xcalloc(1, sizeof *s3);
    (void)err;
    s3->state = hm_kit_state_copy(state, lists);
    return s3;
}

static void s3_free(void *system)
{
    struct s3 *s3 = system;
    json_decref(s3->state);
    free(s3);
}

static json_t *s3_state_new(void *system)
{
    return json_deep_copy(((struct s3 *)system)->state);
}

static void fail(struct hm_world_answer *ans, int status, const char *code)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, MAX_XML);
    hm_strbuf_addf(&out,
                   "<?xml version='1.0' encoding='UTF-8'?>\n<Error><Code>%s</Code><Message>%s, says the world</Message>"
                   "<RequestId>world</RequestId></Error>",
                   code, code);
    hm_world_answer_xml(ans, status, &out);
}

/* The object at "/bucket/key", not encoded; NULL. */
static json_t *find(const struct s3 *s3, const char *path)
{
    json_t *objects = hm_json_get_arr(s3->state, "objects");
    for (size_t i = 0; i < json_array_size(objects); i++) {
        json_t *object = json_array_get(objects, i);
        char *name = hm_xasprintf("/%s/%s", hm_json_get_str(object, "bucket", ""), hm_json_get_str(object, "key", ""));
        bool same = hm_streq(name, path);
        free(name);
        if (same)
            return object;
    }
    return NULL;
}

/* With the quotes; the caller frees. */
static char *etag_of(const json_t *object)
{
    char hash[HM_SHA256_HEX];
    const char *content = hm_json_get_str(object, "content", "");
    hm_sha256_hex(content, strlen(content), hash);
    return hm_xasprintf("\"%.*s\"", (int)ETAG_DIGITS, hash);
}

static void show(const json_t *object, struct hm_world_answer *ans)
{
    int64_t modified = 0;
    const char *content = hm_json_get_str(object, "content", "");
    (void)hm_parse_time(hm_json_get_str(object, "modified", ""), &modified);
    char *etag = etag_of(object), *date = hm_world_http_date(modified);
    hm_world_answer_text(ans, 200, "%s", content);
    free(ans->content_type);
    ans->content_type = hm_xstrdup("application/octet-stream");
    ans->headers = hm_xasprintf("ETag: %s\r\nLast-Modified: %s\r\n", etag, date);
    free(date);
    free(etag);
}

/* The source is encoded in its header. */
static char *copy_source(const struct hm_world_request *req)
{
    char *header = hm_header_line(req->headers, "x-amz-copy-source");
    char *query = header != NULL ? hm_xasprintf("s=%s", header) : NULL;
    char *source = query != NULL ? hm_kit_query(query, "s") : NULL;
    free(query);
    free(header);
    return source;
}

/* The object at "/bucket/key" has this content now; whether that changed it. */
static bool put(struct s3 *s3, struct hm_world *world, const char *path, const char *content)
{
    char now[HM_TIME_MAX];
    const char *slash = strchr(path + 1, '/');
    json_t *target = find(s3, path);
    if (target == NULL) {
        target = hm_json_obj_new();
        hm_json_set(target, "bucket", hm_json_strn_new(path + 1, (size_t)(slash - path - 1)));
        hm_json_set_str(target, "key", slash + 1);
        hm_json_add(hm_json_get_arr(s3->state, "objects"), target);
    }
    bool changed = !hm_streq(hm_json_get_str(target, "content", NULL), content);
    hm_json_set_str(target, "content", content);
    hm_json_set_str(target, "modified", hm_format_time(hm_world_now_ms(world), now));
    return changed;
}

void hm_house_certificate(struct hm_world *world, const char *service)
{
    char now[HM_TIME_MAX];
    char *path = hm_xasprintf("/nu-keysets-br-prod/certificates/pri/services/%s.p12", service);
    char *content = hm_xasprintf("the key of %s: never to be seen", hm_format_time(hm_world_now_ms(world), now));
    (void)put(hm_world_system_of(world, "s3"), world, path, content);
    free(content);
    free(path);
}

static void overwrite(struct s3 *s3, struct hm_world *world, const char *path, const json_t *source, struct hm_world_answer *ans)
{
    struct hm_strbuf out;
    bool changed = put(s3, world, path, hm_json_get_str(source, "content", ""));
    const json_t *target = find(s3, path);
    hm_world_count_effect(world, "s3 copy", path, changed);
    char *etag = etag_of(target);
    hm_strbuf_init(&out, MAX_XML);
    hm_strbuf_addf(&out,
                   "<?xml version='1.0' encoding='UTF-8'?>\n<CopyObjectResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                   "<LastModified>%s</LastModified><ETag>%s</ETag></CopyObjectResult>",
                   hm_json_get_str(target, "modified", ""), etag);
    hm_world_answer_xml(ans, 200, &out);
    free(etag);
}

static void copy(struct s3 *s3, struct hm_world *world, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    const char *error = hm_json_get_str(hm_json_get_obj(s3->state, "config"), "copy_error", NULL);
    char *source_path = copy_source(req), *if_match = hm_header_line(req->headers, "x-amz-copy-source-if-match");
    char *directive = hm_header_line(req->headers, "x-amz-metadata-directive");
    const json_t *source = source_path != NULL ? find(s3, source_path) : NULL;
    char *etag = source != NULL ? etag_of(source) : NULL;
    const char *slash = strchr(req->path + 1, '/');
    if (source_path == NULL || req->body_len > 0)
        fail(ans, 501, "NotImplemented"); /* an upload */
    else if (slash == NULL || slash[1] == '\0' || slash == req->path + 1 ||
             (directive != NULL && !hm_streq(directive, "COPY") && !hm_streq(directive, "REPLACE")) ||
             hm_streq(source_path, req->path))
        fail(ans, 400, "InvalidRequest");
    else if (source == NULL)
        fail(ans, 404, "NoSuchKey");
    else if (if_match != NULL && !hm_streq(if_match, etag))
        fail(ans, 412, "PreconditionFailed");
    else if (error != NULL)
        fail(ans, 200, error);
    else
        overwrite(s3, world, req->path, source, ans);
    free(etag);
    free(directive);
    free(if_match);
    free(source_path);
}

static void s3_handle(void *system, struct hm_world *world, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    struct s3 *s3 = system;
    const char *problem = hm_world_aws_check(world, hm_json_get_obj(s3->state, "config"), "s3", req);
    const json_t *object = find(s3, req->path);
    if (problem != NULL)
        fail(ans, 403, hm_streq(problem, "InvalidClientTokenId") ? "InvalidAccessKeyId" : problem);
    else if (hm_streq(req->method, "PUT"))
        copy(s3, world, req, ans);
    else if (!hm_streq(req->method, "HEAD") && !hm_streq(req->method, "GET"))
        fail(ans, 405, "MethodNotAllowed");
    else if (object == NULL)
        fail(ans, 404, "NoSuchKey");
    else
        show(object, ans);
}

const struct hm_world_system hm_world_s3 = {"s3", s3_new, s3_free, s3_state_new, s3_handle};
