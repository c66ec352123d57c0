/* The scan of a frame against jansson: what one takes the other takes, and the fields are the same; on envelopes as Slack sends
 * them, on thousands of mutilated ones and on every oddity of JSON. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "slack/scan.h"

static uint64_t rng = 88172645463325252U;

static uint32_t random_below(uint32_t n)
{
    rng = rng * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)((rng >> 33) % n);
}

/* ---- the same by a tree ---- */

static void key_of(const json_t *frame, char *buf, size_t size)
{
    static const struct {
        const char *type, *prefix, *id;
    } rules[] = {{"events_api", "ev", "event_id"}, {"slash_commands", "cmd", "trigger_id"}, {"interactive", "act", "trigger_id"}};
    const char *id = hm_json_get_str(frame, "envelope_id", "");

    (void)snprintf(buf, size, id[0] != '\0' ? "env:%s" : "%s", id);
    for (size_t i = 0; i < HM_ARRAY_LEN(rules) && id[0] != '\0'; i++) {
        const char *inner = hm_json_get_str(hm_json_get_obj(frame, "payload"), rules[i].id, "");
        if (strcmp(hm_json_get_str(frame, "type", ""), rules[i].type) == 0 && inner[0] != '\0')
            (void)snprintf(buf, size, "%s:%s", rules[i].prefix, inner);
    }
}

static void compare_fields(const struct hm_scan *scan, const json_t *frame)
{
    const char *type = hm_json_get_str(frame, "type", "");
    char key[600];

    assert_string_equal(scan->envelope_id, hm_json_get_str(frame, "envelope_id", ""));
    if (strlen(type) < HM_SCAN_TYPE_MAX)
        assert_string_equal(scan->type, type);
    assert_int_equal(scan->accepts_response_payload, hm_json_get_bool(frame, "accepts_response_payload", false));
    assert_int_equal(scan->retry_attempt, hm_json_get_int(frame, "retry_attempt", 0));
    key_of(frame, key, sizeof(key));
    assert_string_equal(scan->dedupe_key, key);
}

/* An id that is too long, or a raw NUL: jansson loses one behind a number, here it is refused wherever it stands. */
static bool may_be_refused(const json_t *frame, const char *text, size_t len)
{
    const json_t *payload = hm_json_get_obj(frame, "payload");
    return strlen(hm_json_get_str(frame, "envelope_id", "")) >= HM_SCAN_ID_MAX ||
           strlen(hm_json_get_str(payload, "event_id", "")) >= HM_SCAN_ID_MAX ||
           strlen(hm_json_get_str(payload, "trigger_id", "")) >= HM_SCAN_ID_MAX || memchr(text, '\0', len) != NULL;
}

/* The last value of a key that is there twice can not be compared: the scan refuses it, or jansson does. */
static void compare(const char *text, size_t len)
{
    struct hm_scan scan;
    struct hm_err err;
    json_error_t why;
    json_t *loose = json_loadb(text, len, JSON_DECODE_ANY, &why);
    json_t *strict = json_loadb(text, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &why);
    bool ok = hm_scan_frame(text, len, &scan, &err) == HM_OK;

    if (ok && !json_is_object(loose))
        fail_msg("taken, but jansson says %s: %.*s", why.text, (int)len, text);
    if (ok && strict != NULL)
        compare_fields(&scan, strict);
    if (!ok && json_is_object(strict) && !may_be_refused(strict, text, len))
        fail_msg("refused (%s), but jansson takes it: %.*s", err.msg, (int)len, text);
    json_decref(loose);
    json_decref(strict);
}

static void compare_text(const char *text)
{
    compare(text, strlen(text));
}

/* ---- examples ---- */

#define COMMAND                                                                                                                  \
    "{\"envelope_id\":\"dbdd0ef3-1543-4f94-bfb4-133d0e6c1545\",\"type\":\"slash_commands\",\"accepts_response_payload\":true,"   \
    "\"payload\":{\"token\":\"x\",\"team_id\":\"T111\",\"command\":\"/hausmeister\",\"text\":\"retract 42 in <#C012|x> \\u00e4 " \
    "\xc3\xa4 \\ud83d\\ude00\",\"trigger_id\":\"111.222.xxx\",\"event_id\":\"not ours\"}}"

static const char *const frames[] = {
    COMMAND,
    "{\"payload\":{\"event\":{\"type\":\"message\",\"event_id\":\"inner\",\"blocks\":[{\"envelope_id\":\"no\"},[[]],{}]},\"event_"
    "id\":"
    "\"Ev01\",\"event_time\":1605853844},\"type\":\"events_api\",\"retry_reason\":\"timeout\",\"retry_attempt\":2,"
    "\"accepts_response_payload\":false,\"envelope_id\":\"e-1\"}",
    "{\"envelope_id\":\"e-2\",\"type\":\"interactive\",\"payload\":{\"type\":\"block_actions\",\"trigger_id\":\"1.2.3\","
    "\"actions\":[{"
    "\"trigger_id\":\"inner\"}]}}",
    "{\"envelope_id\":\"e-3\",\"type\":\"interactive\",\"payload\":{\"type\":\"view_closed\",\"view\":{}}}",
    "{\"envelope_id\":\"e-4\",\"type\":\"something_new\",\"payload\":{\"trigger_id\":\"1\",\"event_id\":\"2\"}}",
    "{\"envelope_id\":\"e-5\",\"type\":\"events_api\",\"payload\":{\"type\":\"app_rate_limited\",\"minute_rate_limited\":"
    "1518467820}}",
    "{\"type\":\"hello\",\"num_connections\":1,\"debug_info\":{\"host\":\"applink-x\",\"build_number\":999,"
    "\"approximate_connection_time\":18060},\"connection_info\":{\"app_id\":\"A111\"}}",
    "{\"type\":\"disconnect\",\"reason\":\"warning\",\"debug_info\":{\"host\":\"wss-111.slack.com\"}}",
    "{\"\\u0065nvelope_id\":\"\\u0061\\\"\\\\\\/\\b\\f\\n\\r\\t\\u20ac\\ud83d\\ude00\",\"t\\u0079pe\":\"slash_commands\","
    "\"payload\":{\"trigger\\u005fid\":\"x\"}}",
    "{}",
};

struct expected {
    enum hm_scan_kind kind;
    const char *key;
};

static void test_examples(void **state)
{
    (void)state;
    static const struct expected expected[] = {
        {HM_SCAN_ENVELOPE, "cmd:111.222.xxx"},
        {HM_SCAN_ENVELOPE, "ev:Ev01"},
        {HM_SCAN_ENVELOPE, "act:1.2.3"},
        {HM_SCAN_ENVELOPE, "env:e-3"},
        {HM_SCAN_ENVELOPE, "env:e-4"},
        {HM_SCAN_ENVELOPE, "env:e-5"},
        {HM_SCAN_HELLO, ""},
        {HM_SCAN_DISCONNECT, ""},
        {HM_SCAN_ENVELOPE, "cmd:x"},
        {HM_SCAN_OTHER, ""},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(frames); i++) {
        struct hm_scan scan;
        struct hm_err err;
        assert_int_equal(hm_scan_frame(frames[i], strlen(frames[i]), &scan, &err), HM_OK);
        assert_int_equal(scan.kind, expected[i].kind);
        assert_string_equal(scan.dedupe_key, expected[i].key);
        compare_text(frames[i]);
    }

    struct hm_scan scan;
    assert_int_equal(hm_scan_frame(frames[1], strlen(frames[1]), &scan, NULL), HM_OK);
    assert_int_equal(scan.retry_attempt, 2);
    assert_string_equal(scan.retry_reason, "timeout");
    assert_false(scan.accepts_response_payload);
    assert_int_equal(hm_scan_frame(frames[8], strlen(frames[8]), &scan, NULL), HM_OK);
    assert_string_equal(scan.envelope_id, "a\"\\/\b\f\n\r\t\xe2\x82\xac\xf0\x9f\x98\x80");
}

static void test_twice_is_bad(void **state)
{
    (void)state;
    static const char *const twice[] = {
        "{\"envelope_id\":\"a\",\"envelope_id\":\"b\"}",
        "{\"envelope_id\":\"a\",\"\\u0065nvelope_id\":\"b\"}",
        "{\"type\":\"a\",\"envelope_id\":\"a\",\"type\":1}",
        "{\"payload\":{},\"payload\":{}}",
        "{\"payload\":{\"trigger_id\":\"a\",\"trigger_id\":\"a\"}}",
        "{\"payload\":{\"event_id\":null,\"event_id\":\"a\"}}",
        "{\"retry_attempt\":1,\"retry_attempt\":2}",
        "{\"accepts_response_payload\":false,\"accepts_response_payload\":true}",
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(twice); i++) {
        struct hm_scan scan;
        struct hm_err err;
        assert_int_equal(hm_scan_frame(twice[i], strlen(twice[i]), &scan, &err), HM_EINVAL);
        assert_non_null(strstr(err.msg, "twice"));
        compare_text(twice[i]);
    }
    /* The same words on other levels are something else. */
    compare_text("{\"payload\":{\"payload\":{\"trigger_id\":\"x\"},\"type\":\"t\",\"envelope_id\":\"y\"},\"envelope_id\":\"z\"}");
    compare_text("{\"payload\":[{\"trigger_id\":\"x\"}],\"envelope_id\":\"z\",\"type\":\"slash_commands\"}");
    compare_text("{\"x\":{\"trigger_id\":\"x\"},\"envelope_id\":\"z\",\"type\":\"slash_commands\"}");
}

static void test_oddities(void **state)
{
    (void)state;
    static const char *const values[] = {
        "",
        "0",
        "-0",
        "-",
        "01",
        "1.",
        ".1",
        "1.5",
        "-1.5e+10",
        "1e5",
        "1E",
        "1e+",
        "1e400",
        "-1e400",
        "1e-400",
        "+1",
        "0x10",
        "NaN",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "-9223372036854775809",
        "123456789012345678901234567890",
        "123456789012345678901234567890.0",
        "true",
        "tru",
        "truex",
        "false",
        "null",
        "nul",
        "\"",
        "\"a",
        "\"a\"",
        "\"\\",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u\"",
        "\"\\u12\"",
        "\"\\u123g\"",
        "\"\\u0000\"",
        "\"\\u0001\"",
        "\"\\ud83d\"",
        "\"\\ud83dx\"",
        "\"\\ud83d\\u0041\"",
        "\"\\ud83d\\ud83d\"",
        "\"\\ude00\"",
        "\"\\uD83D\\uDE00\"",
        "\"\x01\"",
        "\"\x1f\"",
        "\"\x7f\"",
        "\"\t\"",
        "\"\x80\"",
        "\"\xc3\"",
        "\"\xc3\xa4\"",
        "\"\xc0\xaf\"",
        "\"\xed\xa0\x80\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\xf0\x9f\x98\x80\"",
        "\"\xe2\x82\"",
        "\"\xff\"",
        "\"abcdefg\xc3\"",
        "\"abcdefgh\\\"ijklmnop\"",
        "[",
        "]",
        "[]",
        "[1",
        "[1,",
        "[1,]",
        "[,]",
        "[1 2]",
        "[1,2]",
        "[[[]]]",
        "[}",
        "{",
        "}",
        "{}",
        "{]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\":1 \"b\":2}",
        "{a:1}",
        "{\"a\":1}}",
        "{1:2}",
        "{\"a\" : [ { } , [ ] ] }",
        "/**/1",
        "'a'",
        "\xef\xbb\xbf{}",
        "{\"\\u0000\":1}",
        "{\"\":1}",
    };
    char text[400];
    for (size_t i = 0; i < HM_ARRAY_LEN(values); i++) {
        static const char *const around[] = {
            "%s",
            "{\"a\":%s}",
            "{\"envelope_id\":\"e\",\"retry_attempt\":%s,\"x\":1}",
            "{\"payload\":{\"trigger_id\":%s},\"type\":\"slash_commands\",\"envelope_id\":\"e\"}",
            "{\"envelope_id\":%s}",
            " [%s] ",
            " { \"type\" : %s } ",
            "{} %s",
            "{\"payload\":[%s,{}]}"};
        for (size_t k = 0; k < HM_ARRAY_LEN(around); k++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            (void)snprintf(text, sizeof(text), around[k], values[i]);
#pragma GCC diagnostic pop
            compare_text(text);
        }
    }
    compare("{\"a\":\"\0\"}", 10);
    compare("{}\0", 3);
    compare("\0", 1);
}

static void test_depth(void **state)
{
    (void)state;
    for (unsigned depth = 2040; depth < 2056; depth++) {
        for (int kind = 0; kind < 4; kind++) {
            struct hm_strbuf text;
            hm_strbuf_init(&text, (size_t)depth * 12 + 64);
            hm_strbuf_adds(&text, "{\"envelope_id\":\"e\",\"x\":");
            for (unsigned i = 0; i < depth; i++)
                hm_strbuf_adds(&text, (kind & 1) != 0 && i % 2 == 0 ? "{\"a\":" : "[");
            hm_strbuf_adds(&text, (kind & 2) != 0 ? "1" : "[]");
            for (unsigned i = depth; i > 0; i--)
                hm_strbuf_addc(&text, (kind & 1) != 0 && (i - 1) % 2 == 0 ? '}' : ']');
            hm_strbuf_addc(&text, '}');
            assert_false(text.failed);
            compare(text.s, text.len);
            hm_strbuf_done(&text);
        }
    }
}

static void test_long_ids(void **state)
{
    (void)state;
    static const char *const formats[] = {"{\"envelope_id\":\"%s\"}", "{\"envelope_id\":\"e\",\"type\":\"%s\"}",
                                          "{\"envelope_id\":\"e\",\"payload\":{\"trigger_id\":\"%s\"},\"type\":\"interactive\"}"};
    char id[400];
    char text[600];
    for (size_t len = 50; len < 300; len++) {
        for (size_t k = 0; k < HM_ARRAY_LEN(formats); k++) {
            for (size_t i = 0; i < len; i++)
                id[i] = "\xe2\x82\xac"[i % 3];
            id[len - len % 3] = '\0';
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            (void)snprintf(text, sizeof(text), formats[k], id);
#pragma GCC diagnostic pop
            compare_text(text);
            struct hm_scan scan;
            if (hm_scan_frame(text, strlen(text), &scan, NULL) == HM_OK) {
                assert_true(strlen(scan.type) < HM_SCAN_TYPE_MAX);
                char *again = hm_xasprintf("\"%s\"", scan.type); /* cut, but not inside a character */
                json_t *string = json_loads(again, JSON_DECODE_ANY, NULL);
                assert_non_null(string);
                json_decref(string);
                free(again);
            }
        }
    }
}

/* ---- mutations ---- */

/* One change of text into out (size bytes); returns the new length. */
static size_t mutate(const char *text, size_t len, char *out, size_t size)
{
    static const char *const pieces[] = {"\"",
                                         "\\",
                                         "{",
                                         "}",
                                         "[",
                                         "]",
                                         ",",
                                         ":",
                                         "\\u00e4",
                                         "\\ud83d",
                                         "0",
                                         "-",
                                         ".",
                                         "e",
                                         "true",
                                         " ",
                                         "\xc3\xa4",
                                         "\xff",
                                         "\"envelope_id\":",
                                         "\"payload\":{",
                                         "\"type\":\"events_api\"",
                                         "\\u0000"};
    size_t at = random_below((uint32_t)len + 1);
    size_t gone = 0;
    const char *piece = "";
    char byte[2] = {0};

    switch (random_below(3)) {
    case 0: /* another byte */
        gone = at < len ? 1 : 0;
        byte[0] = (char)(1 + random_below(255));
        piece = byte;
        break;
    case 1: /* some gone */
        gone = random_below(9);
        gone = gone < len - at ? gone : len - at;
        break;
    default: /* a piece in between */
        piece = pieces[random_below(HM_ARRAY_LEN(pieces))];
        break;
    }
    return (size_t)snprintf(out, size, "%.*s%s%.*s", (int)at, text, piece, (int)(len - at - gone), text + at + gone);
}

static void test_mutations(void **state)
{
    (void)state;
    char one[2048];
    char two[2048];
    for (int i = 0; i < 100000; i++) {
        const char *frame = frames[random_below(HM_ARRAY_LEN(frames))];
        size_t len = mutate(frame, strlen(frame), one, sizeof(one));
        compare(one, len);
        len = mutate(one, len, two, sizeof(two));
        compare(two, len);
    }
}

static void test_every_prefix(void **state)
{
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(frames); i++)
        for (size_t len = 0; len <= strlen(frames[i]); len++)
            compare(frames[i], len);
}

/* ---- generated: valid by construction, keys in any order, at any depth ---- */

static void generate(json_t *into, int depth);

static json_t *generate_array(int depth)
{
    json_t *arr = json_array();
    for (uint32_t n = random_below(3); n > 0; n--) {
        json_t *object = json_object();
        generate(object, depth);
        hm_json_add(arr, object);
    }
    return arr;
}

static void generate(json_t *into, int depth)
{
    static const char *const keys[] = {
        "envelope_id",  "type", "payload",        "event_id", "trigger_id", "retry_attempt", "accepts_response_payload",
        "retry_reason", "x",    "\xc3\xa4\"\\\n", ""};
    static const char *const words[] = {"events_api", "slash_commands",   "interactive", "hello",
                                        "",           "\xf0\x9f\x98\x80", "a\"b\\c\x01"};
    for (uint32_t n = random_below(8); n > 0; n--) {
        const char *key = keys[random_below(HM_ARRAY_LEN(keys))];
        json_t *value = NULL;
        switch (random_below(depth > 0 ? 7 : 5)) {
        case 0:
            value = json_integer((json_int_t)random_below(1000) - 500);
            break;
        case 1:
            value = json_boolean(random_below(2) != 0);
            break;
        case 2:
            value = json_null();
            break;
        case 3:
            value = json_real((double)random_below(1000) / 7);
            break;
        case 4:
            value = json_string(words[random_below(HM_ARRAY_LEN(words))]);
            break;
        case 5:
            value = json_object();
            generate(value, depth - 1);
            break;
        default:
            value = generate_array(depth - 1);
            break;
        }
        hm_json_set(into, key, value);
    }
}

static void test_generated(void **state)
{
    (void)state;
    static const size_t styles[] = {0, JSON_COMPACT, JSON_INDENT(3), JSON_ENSURE_ASCII, JSON_ESCAPE_SLASH};
    for (int i = 0; i < 20000; i++) {
        json_t *object = json_object();
        generate(object, 4);
        char *text = json_dumps(object, styles[random_below(HM_ARRAY_LEN(styles))]);
        assert_non_null(text);
        compare_text(text);
        free(text);
        json_decref(object);
    }
}

/* ---- the rare frames ---- */

static void test_hello(void **state)
{
    (void)state;
    struct hm_hello hello;
    assert_int_equal(hm_scan_hello(frames[6], strlen(frames[6]), &hello, NULL), HM_OK);
    assert_int_equal(hello.num_connections, 1);
    assert_int_equal(hello.approximate_lifetime_s, 18060);
    assert_string_equal(hello.host, "applink-x");
    assert_string_equal(hello.app_id, "A111");
    static const char *const strange[] = {
        "{\"type\":\"hello\"}",
        "{\"type\":\"hello\",\"num_connections\":\"1\",\"debug_info\":[],\"connection_info\":null}",
        "{\"type\":\"hello\",\"num_connections\":-4,\"debug_info\":{\"approximate_connection_time\":-1,\"host\":7}}",
        "{\"type\":\"hello\",\"num_connections\":99999999999,\"debug_info\":{\"approximate_connection_time\":99999999999999}}",
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(strange); i++) {
        assert_int_equal(hm_scan_hello(strange[i], strlen(strange[i]), &hello, NULL), HM_OK);
        assert_int_equal(hello.num_connections, 0);
        assert_int_equal(hello.approximate_lifetime_s, 0);
        assert_string_equal(hello.host, "");
    }
    assert_int_equal(hm_scan_hello("{", 1, &hello, NULL), HM_EINVAL);
}

static void test_disconnect(void **state)
{
    (void)state;
    char reason[HM_SCAN_TYPE_MAX];
    assert_int_equal(hm_scan_disconnect(frames[7], strlen(frames[7]), reason, NULL), HM_OK);
    assert_string_equal(reason, "warning");
    assert_int_equal(hm_scan_disconnect("{\"reason\":5}", 12, reason, NULL), HM_OK);
    assert_string_equal(reason, "");
    assert_int_equal(hm_scan_disconnect("{", 1, reason, NULL), HM_EINVAL);
}

/* Printed, not judged. */
static void test_how_fast(void **state)
{
    (void)state;
    char text[1600];
    struct hm_scan scan;
    struct timespec from;
    struct timespec to;
    size_t len = (size_t)snprintf(text, sizeof(text), "%.*s", (int)strlen(COMMAND) - 2, COMMAND);
    while (len < 1450)
        len += (size_t)snprintf(text + len, sizeof(text) - len, ",\"field_%zu\":\"some <https://text|text> of it\"", len);
    len += (size_t)snprintf(text + len, sizeof(text) - len, "}}");
    (void)clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = 0; i < 20000; i++)
        assert_int_equal(hm_scan_frame(text, len, &scan, NULL), HM_OK);
    (void)clock_gettime(CLOCK_MONOTONIC, &to);
    double ns = (double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec);
    print_message("%zu bytes: %.2f us\n", len, ns / 20000 / 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),     cmocka_unit_test(test_twice_is_bad), cmocka_unit_test(test_oddities),
        cmocka_unit_test(test_depth),        cmocka_unit_test(test_long_ids),     cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_every_prefix), cmocka_unit_test(test_generated),    cmocka_unit_test(test_hello),
        cmocka_unit_test(test_disconnect),   cmocka_unit_test(test_how_fast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
