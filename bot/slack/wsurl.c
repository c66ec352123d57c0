/* WebSocket URLs: see wsurl.h. */
#include "slack/wsurl.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/text.h"

static enum hm_code refuse(struct hm_err *err, const char *why)
{
    return hm_err_set(err, HM_EINVAL, "the WebSocket URL that Slack gave is not usable: %s", why);
}

static bool local_name(const char *host)
{
    struct in_addr v4;
    if (strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0)
        return true;
    return inet_pton(AF_INET, host, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

/* "[::1]:80" or "host:80" or either without the port, up to `end`. */
static bool parse_host(const char *at, const char *end, struct hm_wsurl *out)
{
    const char *host = at;
    const char *host_end = NULL;
    char port[8] = "";

    if (*at == '[') {
        host = at + 1;
        host_end = memchr(host, ']', (size_t)(end - host));
        at = host_end != NULL ? host_end + 1 : end;
    } else {
        host_end = memchr(at, ':', (size_t)(end - at));
        at = host_end = host_end != NULL ? host_end : end;
    }
    if (host_end == NULL || host_end == host || (size_t)(host_end - host) >= sizeof(out->host))
        return false;
    memcpy(out->host, host, (size_t)(host_end - host));
    out->host[host_end - host] = '\0';
    if (at == end)
        return true;
    if (*at != ':' || (size_t)(end - at) > sizeof(port))
        return false;
    memcpy(port, at + 1, (size_t)(end - at) - 1);
    uint32_t number = 0;
    if (!hm_parse_u32(port, 65535, &number) || number == 0)
        return false;
    out->port = (int)number;
    return true;
}

enum hm_code hm_wsurl_parse(const char *url, struct hm_wsurl *ret_url, struct hm_err *err)
{
    memset(ret_url, 0, sizeof(*ret_url));
    if (strlen(url) >= HM_WSURL_MAX)
        return refuse(err, "too long");
    for (const char *c = url; *c != '\0'; c++)
        if (*c <= ' ' || *c >= 0x7f || strchr("\"<>\\^`{|}#", *c) != NULL)
            return refuse(err, "characters that a URL can not have");

    ret_url->tls = hm_starts_with(url, "wss://");
    if (!ret_url->tls && !hm_starts_with(url, "ws://"))
        return refuse(err, "neither wss:// nor ws://");
    ret_url->port = ret_url->tls ? 443 : 80;

    const char *host = strstr(url, "//") + 2;
    const char *path = host + strcspn(host, "/?");
    if (memchr(host, '@', (size_t)(path - host)) != NULL)
        return refuse(err, "a user part");
    if (!parse_host(host, path, ret_url))
        return refuse(err, "host or port malformed");
    if (!ret_url->tls && !local_name(ret_url->host))
        return refuse(err, "ws:// is only for this machine; wss:// is needed");
    if (*path != '/')
        ret_url->path[0] = '/';
    memcpy(ret_url->path + strlen(ret_url->path), path, strlen(path) + 1);
    return HM_OK;
}

bool hm_wsurl_is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof(v4));
        return (ntohl(v4.sin_addr.s_addr) >> 24) == 127;
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof(v6));
        return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
    }
    return false;
}
