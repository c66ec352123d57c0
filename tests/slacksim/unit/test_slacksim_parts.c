/* WebSocket framing, rate limits, forms, typed text, knobs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "form.h"
#include "knobs.h"
#include "ratelimit.h"
#include "state.h"
#include "strmap.h"
#include "typed.h"
#include "ws.h"

static void test_accept_key(void **state)
{
    char accept[SIM_WS_ACCEPT_MAX];

    (void)state;
    sim_ws_accept("dGhlIHNhbXBsZSBub25jZQ==", accept); /* the example of RFC 6455 */
    assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void test_frames(void **state)
{
    /* "Hello", masked: the example of RFC 6455 */
    uint8_t hello[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58};
    uint8_t unmasked[] = {0x81, 0x01, 'x'};
    uint8_t reserved[] = {0xc1, 0x80, 0, 0, 0, 0};
    uint8_t long_ping[] = {0x89, 0xfe, 0x00, 0x7e};
    uint8_t huge[] = {0x81, 0xff, 0, 0, 0, 0, 0x10, 0, 0, 0};
    struct sim_ws_frame frame;
    uint16_t code = 0;
    const char *why = NULL;
    size_t n = 0;

    (void)state;
    for (n = 0; n < sizeof(hello); n++) {
        assert_int_equal(sim_ws_parse(hello, n, &frame, &code, &why), 0);
    }
    assert_int_equal(sim_ws_parse(hello, sizeof(hello), &frame, &code, &why), sizeof(hello));
    assert_int_equal(frame.len, 5);
    assert_memory_equal(frame.data, "Hello", 5);
    assert_int_equal(sim_ws_parse(unmasked, sizeof(unmasked), &frame, &code, &why), -1);
    assert_int_equal(code, 1002);
    assert_int_equal(sim_ws_parse(reserved, sizeof(reserved), &frame, &code, &why), -1);
    assert_int_equal(sim_ws_parse(long_ping, sizeof(long_ping), &frame, &code, &why), -1);
    assert_int_equal(sim_ws_parse(huge, sizeof(huge), &frame, &code, &why), -1);
    assert_int_equal(code, 1009);
}

static void test_headers(void **state)
{
    uint8_t h[SIM_WS_HEADER_MAX];

    (void)state;
    assert_int_equal(sim_ws_header(SIM_WS_TEXT, true, 125, h), 2);
    assert_int_equal(h[1], 125);
    assert_int_equal(sim_ws_header(SIM_WS_TEXT, false, 126, h), 4);
    assert_int_equal(h[0], 1);
    assert_int_equal(sim_ws_header(SIM_WS_TEXT, true, 65535, h), 4);
    assert_int_equal(sim_ws_header(SIM_WS_TEXT, true, 65536, h), 10);
    assert_int_equal(h[7], 1);
}

static void test_rates(void **state)
{
    struct sim_limits *l = sim_limits_new();
    int64_t t = 1000000;
    int i = 0;

    (void)state;
    for (i = 0; i < 20; i++) {
        assert_int_equal(sim_limits_take(l, "m", 20, 1, t + i), 0);
    }
    assert_int_equal(sim_limits_take(l, "m", 20, 1, t + 20), 60);
    assert_int_equal(sim_limits_take(l, "other", 20, 1, t), 0);
    assert_int_equal(sim_limits_take(l, "m", 20, 0, t), 0);
    assert_int_equal(sim_limits_take(l, "m", 20, 1, t + 60000000), 0);
    for (i = 0; i < SIM_POST_BURST; i++) {
        assert_int_equal(sim_limits_take_post(l, "C1", 1, t), 0);
    }
    assert_int_equal(sim_limits_take_post(l, "C1", 1, t), 1);
    assert_int_equal(sim_limits_take_post(l, "C1", 1, t + 1000000), 0);
    assert_int_equal(sim_limits_take_post(l, "C1", 1, t + 1000001), 1);
    sim_limits_free(l);
}

static void test_forms(void **state)
{
    json_t *form = sim_form_parse_new("a=1+2&b=%7B%22x%22%3A1%7D&empty=&=skip&c%20d=%zz&last");

    (void)state;
    assert_string_equal(hm_json_get_str(form, "a", ""), "1 2");
    assert_string_equal(hm_json_get_str(form, "b", ""), "{\"x\":1}");
    assert_string_equal(hm_json_get_str(form, "empty", "?"), "");
    assert_string_equal(hm_json_get_str(form, "c d", ""), "%zz");
    assert_string_equal(hm_json_get_str(form, "last", "?"), "");
    assert_int_equal(json_object_size(form), 5);
    json_decref(form);
}

static void test_strmap(void **state)
{
    struct sim_strmap *map = sim_strmap_new();
    int values[1000];
    char key[16];
    int i = 0;

    (void)state;
    for (i = 0; i < 1000; i++) {
        (void)snprintf(key, sizeof(key), "k%d", i);
        sim_strmap_set(map, key, &values[i]);
    }
    assert_int_equal(sim_strmap_len(map), 1000);
    assert_ptr_equal(sim_strmap_get(map, "k777"), &values[777]);
    assert_ptr_equal(sim_strmap_take(map, "k777"), &values[777]);
    assert_null(sim_strmap_get(map, "k777"));
    assert_null(sim_strmap_take(map, "k777"));
    assert_int_equal(sim_strmap_len(map), 999);
    sim_strmap_free(map);
}

static struct sim_state *state_new(void)
{
    json_t *config =
        json_loads("{\"team\":{\"id\":\"T0\"},\"app\":{\"bot_user\":\"UB\",\"bot_id\":\"BB\"},"
                   "\"users\":[{\"id\":\"UB\",\"name\":\"bot\"},{\"id\":\"U1\",\"name\":\"ana\"}],\"bots\":[{\"id\":\"BB\"}],"
                   "\"usergroups\":[{\"id\":\"S1\",\"handle\":\"red\",\"users\":[\"U1\"]}],"
                   "\"channels\":[{\"id\":\"C1\",\"name\":\"ops\",\"members\":[\"U1\"]}]}",
                   0, NULL);
    struct sim_state *s = sim_state_new(config, NULL);

    assert_non_null(s);
    json_decref(config);
    return s;
}

static void test_typed(void **state)
{
    struct sim_state *s = state_new();
    char *text = sim_typed_to_wire(s, "@ana, a@ana #ops #nope @red <b> & http://x.org/?a=1&b=2.", false);
    json_t *rich = NULL;

    (void)state;
    assert_string_equal(text, "<@U1>, a@ana <#C1|ops> #nope <!subteam^S1|@red> &lt;b&gt; &amp; <http://x.org/?a=1&amp;b=2.>");
    free(text);
    text = sim_typed_to_wire(s, "@ANA", true);
    assert_string_equal(text, "<@U1|ana>");
    free(text);
    rich = sim_rich_blocks_new("*hi* <@U1> `a_b` ```x &lt; y```", "b1");
    assert_string_equal(json_string_value(hm_json_get_path(rich, "0.elements.0.elements.2.user_id")) != NULL
                            ? json_string_value(hm_json_get_path(rich, "0.elements.0.elements.2.user_id"))
                            : "?",
                        "U1");
    assert_string_equal(json_string_value(hm_json_get_path(rich, "0.elements.1.elements.0.text")), "x < y");
    json_decref(rich);
    sim_state_free(s);
}

static struct sim_msg *add(struct sim_channel *c, const char *text, const char *thread_ts)
{
    json_t *msg = hm_json_obj_new();
    char ts[SIM_TS_MAX];

    hm_json_set_str(msg, "text", text);
    hm_json_set_str(msg, "user", "U1");
    hm_json_set_str(msg, "ts", sim_channel_next_ts(c, 1700000000000000, ts));
    if (thread_ts != NULL) {
        hm_json_set_str(msg, "thread_ts", thread_ts);
    }
    return sim_channel_add(c, msg, NULL);
}

static void test_threads(void **state)
{
    struct sim_state *s = state_new();
    struct sim_channel *c = sim_state_channel(s, "#ops");
    struct sim_msg *root = add(c, "root", NULL);
    struct sim_msg *reply = add(c, "reply", root->ts);
    char ts[SIM_TS_MAX];

    (void)state;
    assert_string_equal(root->ts, "1700000000.000000");
    assert_string_equal(reply->ts, "1700000000.000001");
    assert_true(sim_msg_is_reply(reply));
    assert_false(sim_msg_is_reply(root));
    assert_int_equal(hm_json_get_int(root->json, "reply_count", 0), 1);
    assert_ptr_equal(sim_channel_find(c, "1700000000.000001"), reply);
    assert_ptr_equal(sim_channel_remove(c, root), root); /* a tombstone, for the sake of the reply */
    assert_string_equal(hm_json_get_str(root->json, "subtype", ""), "tombstone");
    memcpy(ts, reply->ts, sizeof(ts));
    assert_null(sim_channel_remove(c, reply));
    assert_null(sim_channel_find(c, ts));
    assert_int_equal(hm_json_get_int(root->json, "reply_count", 0), 0);
    assert_true(sim_ts_ok(ts));
    assert_false(sim_ts_ok("1700000000.00001"));
    assert_false(sim_ts_ok("170000000000001.0"));
    sim_state_free(s);
}

static void test_knobs(void **state)
{
    struct sim_knobs k;
    struct sim_nasty n;
    json_t *good = json_loads("{\"ack_ms\":5,\"time_scale\":2,\"retry_s\":[1,2.5]}", 0, NULL);
    json_t *bad = json_loads("{\"ack_ms\":7,\"no_such\":1}", 0, NULL);
    json_t *faults = json_loads("{\"api\":{\"m\":{\"n\":2,\"after_calls\":1,\"error\":\"x\"}}}", 0, NULL);

    (void)state;
    sim_knobs_init(&k, 1);
    assert_int_equal(sim_knobs_set(&k, good, NULL), HM_OK);
    assert_int_equal(k.ack_ms, 5);
    assert_int_equal(k.retries_nr, 2);
    assert_int_equal(sim_knobs_set(&k, bad, NULL), HM_EINVAL);
    assert_int_equal(k.ack_ms, 5);
    sim_nasty_init(&n);
    assert_int_equal(sim_nasty_set(&n, faults, NULL), HM_OK);
    assert_null(sim_nasty_fault(&n, "m"));
    assert_non_null(sim_nasty_fault(&n, "m"));
    assert_null(sim_nasty_fault(&n, "other"));
    assert_non_null(sim_nasty_fault(&n, "m"));
    assert_null(sim_nasty_fault(&n, "m"));
    sim_nasty_done(&n);
    json_decref(good);
    json_decref(bad);
    json_decref(faults);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accept_key), cmocka_unit_test(test_frames),  cmocka_unit_test(test_headers),
        cmocka_unit_test(test_rates),      cmocka_unit_test(test_forms),   cmocka_unit_test(test_strmap),
        cmocka_unit_test(test_typed),      cmocka_unit_test(test_threads), cmocka_unit_test(test_knobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
