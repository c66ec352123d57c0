/* The watch over a connection, and the WebSocket URL: two small pure parts of Socket Mode. */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "slack/pulse.h"
#include "slack/wsurl.h"

static const struct hm_pulse_opts usual = {.ping_ms = 10000, .pong_ms = 25000, .silence_ms = 30000};

/* Second by second: what the server does, and when the connection is given up (0: never, within 10 minutes). */
struct server {
    bool pongs, frames;
    int stops_after_s; /* 0: never */
    int dead_at_s;
    enum hm_pulse_verdict how;
    unsigned least_pings;
};

static void play(const struct server *server)
{
    struct hm_pulse pulse;
    unsigned pings = 0;

    hm_pulse_init(&pulse, &usual, 1000);
    for (int s = 1; s <= 600; s++) {
        int64_t now = 1000 + s * 1000;
        bool up = server->stops_after_s == 0 || s <= server->stops_after_s;
        if (server->frames && up && s % 7 == 0)
            hm_pulse_frame(&pulse, now);
        assert_true(hm_pulse_next(&pulse) > now - 1000);
        enum hm_pulse_verdict verdict = hm_pulse_check(&pulse, now);
        if (verdict == HM_PULSE_PING) {
            pings++;
            if (server->pongs && up)
                hm_pulse_pong(&pulse, now + 50);
        } else if (verdict != HM_PULSE_FINE) {
            assert_int_equal(s, server->dead_at_s);
            assert_int_equal(verdict, server->how);
            return;
        }
    }
    assert_int_equal(server->dead_at_s, 0);
    assert_true(pings >= server->least_pings);
}

static void test_servers(void **state)
{
    (void)state;
    static const struct server servers[] = {
        {.pongs = true, .frames = true, .least_pings = 59},
        {.pongs = true, .frames = false, .least_pings = 59},                        /* only pongs: healthy */
        {.pongs = false, .frames = false, .dead_at_s = 30, .how = HM_PULSE_SILENT}, /* nothing */
        {.pongs = false, .frames = true, .dead_at_s = 35, .how = HM_PULSE_NO_PONG}, /* a one-way stall */
        {.pongs = true, .frames = true, .stops_after_s = 100, .dead_at_s = 131, .how = HM_PULSE_SILENT},
    };
    for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++)
        play(&servers[i]);
}

static void test_next_is_when_there_is_something_to_say(void **state)
{
    (void)state;
    struct hm_pulse pulse;
    hm_pulse_init(&pulse, &usual, 5000);
    assert_int_equal(hm_pulse_next(&pulse), 15000);
    assert_int_equal(hm_pulse_check(&pulse, 14999), HM_PULSE_FINE);
    assert_int_equal(hm_pulse_check(&pulse, 15000), HM_PULSE_PING);
    assert_int_equal(hm_pulse_check(&pulse, 15000), HM_PULSE_FINE); /* once */
    assert_int_equal(hm_pulse_check(&pulse, 25000), HM_PULSE_PING);
    hm_pulse_frame(&pulse, 26000);
    assert_int_equal(hm_pulse_check(&pulse, 35000), HM_PULSE_PING);
    assert_int_equal(hm_pulse_next(&pulse), 40000); /* 25 s after the first unanswered ping */
    hm_pulse_pong(&pulse, 36000);
    assert_int_equal(hm_pulse_next(&pulse), 45000);
}

static void test_urls(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool ok, tls;
        int port;
        const char *host, *path;
    } rows[] = {
        {"wss://wss-primary.slack.com/link/?ticket=a-b&app_id=1", true, true, 443, "wss-primary.slack.com",
         "/link/?ticket=a-b&app_id=1"},
        {"wss://h:8443/x", true, true, 8443, "h", "/x"},
        {"wss://h", true, true, 443, "h", "/"},
        {"wss://h?x=1", true, true, 443, "h", "/?x=1"},
        {"ws://127.0.0.1:9/l?t=1", true, false, 9, "127.0.0.1", "/l?t=1"},
        {"ws://127.9.9.9/", true, false, 80, "127.9.9.9", "/"},
        {"ws://localhost/", true, false, 80, "localhost", "/"},
        {"ws://[::1]:70/", true, false, 70, "::1", "/"},
        {"ws://slack.com/", false, false, 0, NULL, NULL},
        {"ws://localhost.evil.com/", false, false, 0, NULL, NULL},
        {"ws://128.0.0.1/", false, false, 0, NULL, NULL},
        {"https://slack.com/", false, false, 0, NULL, NULL},
        {"wss://", false, false, 0, NULL, NULL},
        {"wss:///x", false, false, 0, NULL, NULL},
        {"wss://h:0/", false, false, 0, NULL, NULL},
        {"wss://h:65536/", false, false, 0, NULL, NULL},
        {"wss://h:-1/", false, false, 0, NULL, NULL},
        {"wss://h:/", false, false, 0, NULL, NULL},
        {"wss://h:1234567890/", false, false, 0, NULL, NULL},
        {"wss://[::1/", false, false, 0, NULL, NULL},
        {"wss://[::1]x/", false, false, 0, NULL, NULL},
        {"wss://user@h/", false, false, 0, NULL, NULL},
        {"wss://h/a b", false, false, 0, NULL, NULL},
        {"wss://h/a\r\nX: y", false, false, 0, NULL, NULL},
        {"wss://h/\xc3\xa4", false, false, 0, NULL, NULL},
        {"wss://h/#f", false, false, 0, NULL, NULL},
        {"", false, false, 0, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hm_wsurl url;
        struct hm_err err;
        bool ok = hm_wsurl_parse(rows[i].url, &url, &err) == HM_OK;
        if (ok != rows[i].ok)
            fail_msg("%s", rows[i].url);
        if (!ok) {
            assert_null(strstr(err.msg, "ticket"));
            continue;
        }
        assert_int_equal(url.tls, rows[i].tls);
        assert_int_equal(url.port, rows[i].port);
        assert_string_equal(url.host, rows[i].host);
        assert_string_equal(url.path, rows[i].path);
    }

    char longer[HM_WSURL_MAX + 20];
    struct hm_wsurl url;
    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    memcpy(longer, "wss://", 6);
    assert_int_equal(hm_wsurl_parse(longer, &url, NULL), HM_EINVAL);
}

static void test_loopback(void **state)
{
    (void)state;
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    assert_int_equal(inet_pton(AF_INET, "127.1.2.3", &v4.sin_addr), 1);
    assert_true(hm_wsurl_is_loopback((struct sockaddr *)&v4));
    assert_int_equal(inet_pton(AF_INET, "10.0.0.1", &v4.sin_addr), 1);
    assert_false(hm_wsurl_is_loopback((struct sockaddr *)&v4));
    assert_int_equal(inet_pton(AF_INET6, "::1", &v6.sin6_addr), 1);
    assert_true(hm_wsurl_is_loopback((struct sockaddr *)&v6));
    assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &v6.sin6_addr), 1);
    assert_false(hm_wsurl_is_loopback((struct sockaddr *)&v6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_servers),
        cmocka_unit_test(test_next_is_when_there_is_something_to_say),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
