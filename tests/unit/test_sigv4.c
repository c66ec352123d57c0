/* AWS signatures: all 38 cases of the published signing test suite (awslabs/aws-c-auth, v4, header signatures: inputs and the
 * signatures that must come out), the two worked examples of the S3 manual, and what is put on a request. */
#include "io/sigv4.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "unit.h"

enum { AS_IS = 1, BODY_HASH = 2, TOKEN = 4, TOKEN_UNSIGNED = 8, SHORT_TOKEN = 16 };
#define HOST "Host:example.amazonaws.com"

static const struct vector {
    const char *name, *method, *path, *query;
    const char *headers; /* "Name:value" lines */
    const char *body;
    unsigned flags;
    const char *signature;
} vectors[] = {
    {"get-header-key-duplicate", "GET", "/", "", HOST "\nMy-Header1:value2\nMy-Header1:value2\nMy-Header1:value1", "", 0,
     "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
    {"get-header-value-multiline", "GET", "/", "", HOST "\nMy-Header1:value1   value2      value3", "", 0,
     "cfd34249e4b1c8d6b91ef74165d41a32e5fab3306300901bb65a51a73575eefd"},
    {"get-header-value-order", "GET", "/", "",
     HOST "\nMy-Header1:value4\nMy-Header1:value1\nMy-Header1:value3\nMy-Header1:value2", "", 0,
     "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
    {"get-header-value-trim", "GET", "/", "", HOST "\nMy-Header1: value1\nMy-Header2: \"a   b   c\"", "", 0,
     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    {"get-relative-normalized", "GET", "/example/..", "", HOST, "", 0,
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-relative-relative-normalized", "GET", "/example1/example2/../..", "", HOST, "", 0,
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-relative-relative-unnormalized", "GET", "/example1/example2/../..", "", HOST, "", AS_IS,
     "dc33e0856fd4baca4d7aa2146c38958283844764f38c74252a333df5e613003b"},
    {"get-relative-unnormalized", "GET", "/example/..", "", HOST, "", AS_IS,
     "eca7ead57bb5aa5c8e28007acd4ff04e1ff9a0ff3b237ec1554a184887ff9282"},
    {"get-slash-dot-slash-normalized", "GET", "/./", "", HOST, "", 0,
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-slash-dot-slash-unnormalized", "GET", "/./", "", HOST, "", AS_IS,
     "68714168e6557f8f2de0ef956fc24dc2593a4bd2961f8df51898d8a134695145"},
    {"get-slash-normalized", "GET", "//", "", HOST, "", 0, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-slash-pointless-dot-normalized", "GET", "/./example", "", HOST, "", 0,
     "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
    {"get-slash-pointless-dot-unnormalized", "GET", "/./example", "", HOST, "", AS_IS,
     "beb03f223f7deae4146464f06e29eebbee9c8afbe15c290cf07aa8b119e14cff"},
    {"get-slash-unnormalized", "GET", "//", "", HOST, "", AS_IS,
     "c88bcd3d312d75078c0cd961d6deae3f4c754924b01669efcfcb439fd5e5b76e"},
    {"get-slashes-normalized", "GET", "//example//", "", HOST, "", 0,
     "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
    {"get-slashes-unnormalized", "GET", "//example//", "", HOST, "", AS_IS,
     "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5"},
    {"get-space-normalized", "GET", "/example space/", "", HOST, "", 0,
     "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
    {"get-space-unnormalized", "GET", "/example space/", "", HOST, "", AS_IS,
     "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
    {"get-unreserved", "GET", "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "", HOST, "", 0,
     "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
    {"get-utf8", "GET", "/\xe1\x88\xb4", "", HOST, "", 0, "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
    {"get-vanilla", "GET", "/", "", HOST, "", 0, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-vanilla-empty-query-key", "GET", "/", "Param1=value1", HOST, "", 0,
     "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
    {"get-vanilla-query", "GET", "/", "", HOST, "", 0, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-vanilla-query-order-encoded", "GET", "/", "Param-3=Value3&Param=Value2&%E1%88%B4=Value1", HOST, "", 0,
     "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
    {"get-vanilla-query-order-key-case", "GET", "/", "Param2=value2&Param1=value1", HOST, "", 0,
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"get-vanilla-query-unreserved", "GET", "/",
     "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~"
     "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
     HOST, "", 0, "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
    {"get-vanilla-utf8-query", "GET", "/",
     "\xe1\x88\xb4"
     "=bar",
     HOST, "", 0, "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
    {"get-vanilla-with-session-token", "GET", "/", "", HOST, "", SHORT_TOKEN,
     "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"},
    {"post-header-key-case", "POST", "/", "", HOST, "", 0, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"post-header-key-sort", "POST", "/", "", HOST "\nMy-Header1:value1", "", 0,
     "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
    {"post-header-value-case", "POST", "/", "", HOST "\nMy-Header1:VALUE1", "", 0,
     "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
    {"post-sts-header-after", "POST", "/", "", HOST, "", TOKEN_UNSIGNED,
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"post-sts-header-before", "POST", "/", "", HOST, "", TOKEN,
     "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"},
    {"post-vanilla", "POST", "/", "", HOST, "", 0, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"post-vanilla-empty-query-value", "POST", "/", "Param1=value1", HOST, "", 0,
     "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
    {"post-vanilla-query", "POST", "/", "Param1=value1", HOST, "", 0,
     "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
    {"post-x-www-form-urlencoded", "POST", "/", "",
     "Content-Type:application/x-www-form-urlencoded\nHost:example.amazonaws.com\nContent-Length:13", "Param1=value1", BODY_HASH,
     "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b"},
    {"post-x-www-form-urlencoded-parameters", "POST", "/", "",
     "Content-Type:application/x-www-form-urlencoded; charset=utf-8\nHost:example.amazonaws.com\nContent-Length:13",
     "Param1=value1", BODY_HASH, "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422"},
};

static const char short_token[] = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
static const char token[] =
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/"
    "qkPpKPi/"
    "kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+"
    "xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

static const struct hm_sigv4_keys keys = {.access_key = "AKIDEXAMPLE",
                                          .secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                                          .region = "us-east-1",
                                          .service = "service"};

static void add_lines(struct hm_request *req, const char *lines)
{
    while (*lines != '\0') {
        size_t len = strcspn(lines, "\n");
        char *line = hm_xstrndup(lines, len);
        size_t name_len = strcspn(line, ":");
        assert_int_equal(line[name_len], ':');
        line[name_len] = '\0';
        hm_request_add_header(req, line, line + name_len + 1);
        free(line);
        lines += len + (lines[len] == '\n');
    }
}

static void test_vectors(void **state)
{
    (void)state;
    assert_int_equal(HM_ARRAY_LEN(vectors), 38);
    for (size_t i = 0; i < HM_ARRAY_LEN(vectors); i++) {
        const struct vector *v = &vectors[i];
        char payload[HM_SHA256_HEX];
        struct hm_request req; /* its headers */
        struct hm_sigv4_result result = {0};
        hm_request_init(&req);
        add_lines(&req, v->headers);
        hm_sha256_hex(v->body, strlen(v->body), payload);
        hm_request_add_header(&req, "X-Amz-Date", "20150830T123600Z");
        if ((v->flags & BODY_HASH) != 0)
            hm_request_add_header(&req, "x-amz-content-sha256", payload);
        if ((v->flags & TOKEN) != 0)
            hm_request_add_header(&req, "X-Amz-Security-Token", token);
        if ((v->flags & SHORT_TOKEN) != 0)
            hm_request_add_header(&req, "X-Amz-Security-Token", short_token);
        const struct hm_sigv4_parts parts = {.method = v->method,
                                             .path = v->path,
                                             .query = v->query,
                                             .headers = req.headers,
                                             .n_headers = req.n_headers,
                                             .path_as_is = (v->flags & AS_IS) != 0,
                                             .date = "20150830T123600Z",
                                             .payload = payload};
        hm_sigv4_compute(&keys, &parts, &result);
        if (strcmp(result.signature, v->signature) != 0)
            fail_msg("%s: signature %s of\n%s", v->name, result.signature, result.canonical);
        hm_sigv4_result_done(&result);
        hm_request_done(&req);
    }
}

static void make(struct hm_request *req, const char *method, const char *url, const char *body)
{
    hm_request_init(req);
    req->method = hm_xstrdup(method);
    req->url = hm_xstrdup(url);
    if (body != NULL) {
        req->body = hm_xstrdup(body);
        req->body_len = strlen(body);
    }
}

static const char *value_of(const struct hm_request *req, const char *name)
{
    for (size_t i = 0; i < req->n_headers; i++)
        if (strcmp(req->headers[i].name, name) == 0)
            return req->headers[i].value;
    return NULL;
}

static const int64_t may_24_2013 = 1369353600000;

/* "Examples: Signature Calculations" of the Amazon S3 API reference. */
static void test_s3_examples(void **state)
{
    static const struct hm_sigv4_keys s3 = {.access_key = "AKIAIOSFODNN7EXAMPLE",
                                            .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                                            .region = "us-east-1",
                                            .service = "s3"};
    struct hm_request req, headers;
    (void)state;
    make(&req, "GET", "https://examplebucket.s3.amazonaws.com/test.txt", NULL);
    hm_request_add_header(&req, "Range", "bytes=0-9");
    hm_request_init(&headers);
    assert_int_equal(hm_sigv4_sign(&s3, &req, may_24_2013, &headers, NULL), HM_OK);
    assert_string_equal(value_of(&headers, "Authorization"),
                        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
                        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
                        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    hm_request_done(&headers);
    hm_request_done(&req);

    make(&req, "PUT", "https://examplebucket.s3.amazonaws.com:443/test%24file.text", "Welcome to Amazon S3.");
    hm_request_add_header(&req, "Date", "Fri, 24 May 2013 00:00:00 GMT");
    hm_request_add_header(&req, "x-amz-storage-class", "REDUCED_REDUNDANCY");
    hm_request_add_header(&req, "Accept", "*/*"); /* not signed */
    assert_int_equal(hm_sigv4_sign(&s3, &req, may_24_2013 + 999, &headers, NULL), HM_OK);
    assert_string_equal(value_of(&headers, "Authorization"),
                        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
                        "SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class, "
                        "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
    assert_string_equal(value_of(&headers, "Host"), "examplebucket.s3.amazonaws.com");
    hm_request_done(&headers);
    hm_request_done(&req);
}

static void test_headers_of_a_request(void **state)
{
    static const struct {
        const char *url, *host;
    } hosts[] = {{"http://127.0.0.1:8080", "127.0.0.1:8080"},
                 {"http://127.0.0.1:80/?a=b#c", "127.0.0.1"},
                 {"http://[::1]:443/x", "[::1]:443"},
                 {"https://EC2.us-east-1.amazonaws.com?x", "ec2.us-east-1.amazonaws.com"}};
    struct hm_sigv4_keys with_token = keys;
    (void)state;
    with_token.session_token = "t0ken";
    for (size_t i = 0; i < HM_ARRAY_LEN(hosts); i++) {
        struct hm_request req, headers;
        make(&req, "POST", hosts[i].url, "");
        hm_request_init(&headers);
        assert_int_equal(hm_sigv4_sign(i == 0 ? &with_token : &keys, &req, may_24_2013, &headers, NULL), HM_OK);
        assert_string_equal(value_of(&headers, "Host"), hosts[i].host);
        assert_string_equal(value_of(&headers, "X-Amz-Date"), "20130524T000000Z");
        assert_string_equal(value_of(&headers, "X-Amz-Content-Sha256"),
                            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        if (i == 0) {
            assert_string_equal(value_of(&headers, "X-Amz-Security-Token"), "t0ken");
            const char *authorization = value_of(&headers, "Authorization");
            assert_non_null(strstr(authorization != NULL ? authorization : "", "x-amz-date;x-amz-security-token, "));
        } else {
            assert_null(value_of(&headers, "X-Amz-Security-Token"));
        }
        hm_request_done(&headers);
        hm_request_done(&req);
    }
}

static void test_queries_are_canonical(void **state)
{
    /* the two spellings of each line are one request */
    static const char *const same[][2] = {{"b=2&a=1", "a=1&b=2"},    {"a=%2f", "a=%2F"},   {"a=/", "a=%2F"},
                                          {"location", "location="}, {"a=b=c", "a=b%3Dc"}, {"a-b=1&a=2", "a=2&a-b=1"},
                                          {"a=2&a=1", "a=1&a=2"},    {"x=%zz", "x=%25zz"}, {"&a=1&&b=2&", "a=1&b=2"}};
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(same); i++) {
        char signatures[2][HM_SHA256_HEX];
        for (size_t k = 0; k < 2; k++) {
            struct hm_sigv4_result result = {0};
            const struct hm_sigv4_parts parts = {
                .method = "GET", .path = "/", .query = same[i][k], .date = "20150830T123600Z", .payload = ""};
            hm_sigv4_compute(&keys, &parts, &result);
            memcpy(signatures[k], result.signature, HM_SHA256_HEX);
            hm_sigv4_result_done(&result);
        }
        assert_string_equal(signatures[0], signatures[1]);
    }
}

static void test_refusals(void **state)
{
    static const char *const ours[] = {"host", "X-Amz-Date", "x-amz-content-sha256", "X-AMZ-SECURITY-TOKEN", "Authorization"};
    struct hm_request req, headers;
    struct hm_err err = {0};
    (void)state;
    hm_request_init(&headers);
    for (size_t i = 0; i < HM_ARRAY_LEN(ours); i++) {
        make(&req, "GET", "https://x/", NULL);
        hm_request_add_header(&req, ours[i], "x");
        assert_int_equal(hm_sigv4_sign(&keys, &req, 0, &headers, &err), HM_EINVAL);
        assert_non_null(strstr(err.msg, ours[i]));
        hm_request_done(&req);
    }
    make(&req, "GET", "https:///path", NULL);
    assert_int_equal(hm_sigv4_sign(&keys, &req, 0, &headers, &err), HM_EINVAL);
    assert_int_equal(headers.n_headers, 0);
    hm_request_done(&req);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_s3_examples),
        cmocka_unit_test(test_headers_of_a_request),
        cmocka_unit_test(test_queries_are_canonical),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
