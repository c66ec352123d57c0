/* News of alarms that is kept for those that come late: what it costs in a flood, and what is said of that. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/watch_parts.h"
#include "base/json.h"
#include "capture.h"

enum { CEILING = 5000, MINUTE_MS = 60000 };

/* So many pieces of news, one each 10 ms from at_ms on. */
struct flood {
    struct hm_watch *watch;
    int64_t at_ms;
    int n;
};

static void pour(void *arg)
{
    const struct flood *flood = arg;
    json_t *message = hm_json_obj_new();
    for (int i = 0; i < flood->n; i++) {
        char ts[40];
        int64_t at_ms = flood->at_ms + 10 * (int64_t)i;
        (void)snprintf(ts, sizeof ts, "%lld.%03d000", (long long)(at_ms / 1000), (int)(at_ms % 1000));
        const struct hm_watch_said said = {.channel = "C0DI", .ts = ts, .at_ms = at_ms};
        hm_watch_keep_news(flood->watch, message, &said);
        hm_watch_keep_news(flood->watch, message, &said); /* the same once more */
    }
    json_decref(message);
}

/* How often it was said that some is not kept. */
static size_t warnings(struct flood *flood)
{
    size_t n = 0;
    size_t len = 0;
    char *text = hm_capture_stderr(pour, flood, &len);
    for (const char *p = strstr(text, "more than 5000 messages within 15 minutes"); p != NULL;
         p = strstr(p + 1, "more than 5000"))
        n++;
    free(text);
    return n;
}

static void test_a_flood_is_told_of_once(void **state)
{
    (void)state;
    struct hm_watch watch = {0};
    struct flood flood = {.watch = &watch, .at_ms = MINUTE_MS, .n = CEILING};
    TAILQ_INIT(&watch.heard);
    assert_int_equal(warnings(&flood), 0);
    assert_int_equal(watch.n_heard, CEILING);
    flood.at_ms += MINUTE_MS;
    flood.n = 10;
    assert_int_equal(warnings(&flood), 1);
    flood.at_ms += MINUTE_MS;
    assert_int_equal(warnings(&flood), 0);
    assert_int_equal(watch.n_heard, CEILING);

    hm_watch_forget_news(&watch, flood.at_ms + 15 * (int64_t)MINUTE_MS); /* all but the last ten are too old */
    assert_int_equal(watch.n_heard, 10);
    flood.at_ms += 20 * (int64_t)MINUTE_MS;
    flood.n = CEILING;
    assert_int_equal(warnings(&flood), 1); /* another flood */
    hm_watch_forget_news(&watch, INT64_MAX);
    assert_int_equal(watch.n_heard, 0);
    assert_true(TAILQ_EMPTY(&watch.heard));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_flood_is_told_of_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
