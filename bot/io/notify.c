/* sd_notify by hand: see notify.h. */
#include "io/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"

/* A path, or '@' for the abstract namespace (there the first byte is NUL and the length counts). */
static bool fill_address(const char *name, struct sockaddr_un *addr, socklen_t *ret_len)
{
    size_t len = strlen(name);

    if ((name[0] != '/' && name[0] != '@') || len < 2 || len >= sizeof(addr->sun_path))
        return false;
    memset(addr, 0, sizeof(*addr));
    addr->sun_family = AF_UNIX;
    memcpy(addr->sun_path, name, len);
    if (name[0] == '@')
        addr->sun_path[0] = '\0';
    *ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (name[0] == '/' ? 1 : 0));
    return true;
}

bool hm_notify(const char *state)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un addr;
    socklen_t addr_len = 0;
    ssize_t n = -1;

    if (name == NULL || !fill_address(name, &addr, &addr_len))
        return false;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    do {
        n = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&addr, addr_len);
    } while (n < 0 && errno == EINTR);
    (void)close(fd);
    return n >= 0;
}

int64_t hm_notify_watchdog_ms(void)
{
    const char *usec = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");
    int64_t value = 0;

    /* Set for another process: a parent's environment that we inherited. */
    if (pid != NULL && (!hm_parse_i64(pid, 1, INT64_MAX, &value) || value != (int64_t)getpid()))
        return 0;
    if (usec == NULL || !hm_parse_i64(usec, 1, INT64_MAX, &value))
        return 0;
    return value / 1000 / 2 > 0 ? value / 1000 / 2 : 1;
}
