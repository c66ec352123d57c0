/* The datagrams to the service manager. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/notify.h"

static int bind_socket(const char *name, size_t name_len)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    memcpy(addr.sun_path, name, name_len);
    assert_int_equal(bind(fd, (const struct sockaddr *)&addr, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name_len)), 0);
    return fd;
}

static void expect_datagram(int fd, const char *want)
{
    char buf[64] = "";
    ssize_t n = recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT);
    assert_int_equal(n, (ssize_t)strlen(want));
    assert_string_equal(buf, want);
}

static void test_path(void **state)
{
    char dir[] = "/tmp/hm-notify-XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(dir));
    char *path = hm_xasprintf("%s/s", dir);
    int fd = bind_socket(path, strlen(path) + 1);
    assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
    assert_true(hm_notify("READY=1"));
    expect_datagram(fd, "READY=1");
    assert_true(hm_notify("STOPPING=1\nSTATUS=bye"));
    expect_datagram(fd, "STOPPING=1\nSTATUS=bye");
    assert_int_equal(close(fd), 0);
    assert_false(hm_notify("WATCHDOG=1")); /* nobody there any more */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
    assert_false(hm_notify("WATCHDOG=1"));
    free(path);
}

static void test_abstract(void **state)
{
    char name[64];
    (void)state;
    int len = snprintf(name, sizeof(name), "@hm-notify-%ld", (long)getpid());
    char raw[64];
    memcpy(raw, name, (size_t)len);
    raw[0] = '\0';
    int fd = bind_socket(raw, (size_t)len);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
    assert_true(hm_notify("READY=1"));
    expect_datagram(fd, "READY=1");
    assert_int_equal(close(fd), 0);
}

static void test_no_manager(void **state)
{
    static const char *const bad[] = {"", "/", "@", "relative", "vsock:2:1234"};
    char too_long[300];
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(bad); i++) {
        assert_int_equal(setenv("NOTIFY_SOCKET", bad[i], 1), 0);
        assert_false(hm_notify("READY=1"));
    }
    memset(too_long, 'a', sizeof(too_long));
    too_long[0] = '/';
    too_long[sizeof(too_long) - 1] = '\0';
    assert_int_equal(setenv("NOTIFY_SOCKET", too_long, 1), 0);
    assert_false(hm_notify("READY=1"));
    assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
    assert_false(hm_notify("READY=1"));
}

static void test_watchdog(void **state)
{
    char *self = hm_xasprintf("%ld", (long)getpid());
    (void)state;
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("WATCHDOG_PID");
    assert_int_equal(hm_notify_watchdog_ms(), 0);
    assert_int_equal(setenv("WATCHDOG_USEC", "30000000", 1), 0);
    assert_int_equal(hm_notify_watchdog_ms(), 15000);
    assert_int_equal(setenv("WATCHDOG_PID", self, 1), 0);
    assert_int_equal(hm_notify_watchdog_ms(), 15000);
    assert_int_equal(setenv("WATCHDOG_PID", "1", 1), 0);
    assert_int_equal(hm_notify_watchdog_ms(), 0);
    assert_int_equal(setenv("WATCHDOG_PID", self, 1), 0);
    assert_int_equal(setenv("WATCHDOG_USEC", "30s", 1), 0);
    assert_int_equal(hm_notify_watchdog_ms(), 0);
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("WATCHDOG_PID");
    free(self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path),
        cmocka_unit_test(test_abstract),
        cmocka_unit_test(test_no_manager),
        cmocka_unit_test(test_watchdog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
