/* Mesos: the table of its actions, the settings of a backend of it, and how the leading master's own address becomes a URL. */
#include "handlers/mesos.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/http_request.h"

enum { OCTETS = 4, OCTET_MAX = 255, PREFIX_MAX = 32, PORT_MAX = 65535, ID_MAX = 200, TEXT_MAX = 64 };

/* "10.130.1.61", or that and more up to `end`, one of the characters in ends. False when it is no IPv4 address. */
static bool read_ipv4(const char *text, const char *ends, uint32_t *ret_address, const char **ret_rest)
{
    uint32_t address = 0;
    const char *p = text;
    for (int i = 0; i < OCTETS; i++) {
        unsigned octet = 0;
        size_t digits = strspn(p, "0123456789");
        if (digits == 0 || digits > 3 || (digits > 1 && p[0] == '0'))
            return false;
        for (size_t d = 0; d < digits; d++)
            octet = octet * 10 + (unsigned)(p[d] - '0');
        p += digits;
        if (octet > OCTET_MAX || (i < OCTETS - 1 && *p++ != '.'))
            return false;
        address = address << 8 | octet;
    }
    if (*p != '\0' && strchr(ends, *p) == NULL)
        return false;
    *ret_address = address;
    *ret_rest = p;
    return true;
}

/* "10.130.1.61:5050" */
static bool read_address(const char *text, uint32_t *ret_ip, uint32_t *ret_port)
{
    const char *rest = NULL;
    return read_ipv4(text, ":", ret_ip, &rest) && *rest == ':' && hm_parse_u32(rest + 1, PORT_MAX, ret_port) && *ret_port > 0;
}

char *hm_mesos_address(const char *pid)
{
    uint32_t ip = 0, port = 0;
    const char *at = pid != NULL ? strchr(pid, '@') : NULL;
    if (at == NULL || strlen(at) > TEXT_MAX || !read_address(at + 1, &ip, &port))
        return NULL;
    return hm_xstrdup(at + 1);
}

bool hm_mesos_says_no_leader(const struct hm_answer *answer)
{
    return answer->status == 503 && !hm_http_is_page(answer) && strcasestr(answer->body, "no leader") != NULL;
}

bool hm_mesos_id_ok(const char *id)
{
    size_t len = strlen(id);
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    return len > 0 && len <= ID_MAX && strspn(id, allowed) == len && strchr("._-", id[0]) == NULL;
}

/* networks: "10.130.0.0/16", several with spaces between. 1 inside one of them, 0 outside of all, -1 when one is not understood.
 */
static int inside(const char *networks, uint32_t ip)
{
    int found = 0;
    const char *p = networks + strspn(networks, " ");
    while (*p != '\0') {
        uint32_t net = 0, bits = PREFIX_MAX;
        const char *rest = NULL;
        char number[3] = "";
        if (!read_ipv4(p, "/ ", &net, &rest))
            return -1;
        if (*rest == '/') {
            size_t len = strspn(rest + 1, "0123456789");
            if (len == 0 || len > 2 || (rest[1 + len] != ' ' && rest[1 + len] != '\0'))
                return -1;
            memcpy(number, rest + 1, len);
            if (!hm_parse_u32(number, PREFIX_MAX, &bits))
                return -1;
            rest += 1 + len;
        }
        uint32_t mask = bits == 0 ? 0 : UINT32_MAX << (PREFIX_MAX - bits);
        if ((net & mask) == (ip & mask))
            found = 1;
        p = rest + strspn(rest, " ");
    }
    return found;
}

static enum hm_code check_leader(const struct hm_backend *backend, const char *leader, struct hm_err *err)
{
    uint32_t ip = 0, port = 0;
    const char *networks = hm_json_get_str(backend->settings, "masters", "");
    int64_t usual = hm_json_get_int(backend->settings, "leader_port", 5050);
    if (!read_address(leader, &ip, &port))
        return hm_err_set(err, HM_EINVAL, "leader: \"%.60s\" is not an address like 10.130.1.61:5050", leader);
    int found = inside(networks, ip);
    if (found < 0)
        return hm_err_set(err, HM_EENV, "backend %s: masters \"%.100s\" is not understood; write networks like \"10.130.0.0/16\"",
                          backend->name, networks);
    if (found == 0)
        return hm_err_set(err, HM_EINVAL,
                          "the leading master says that it is %s, which is outside of `masters` of backend %s (%s)", leader,
                          backend->name, networks[0] != '\0' ? networks : "not set");
    if (port != usual)
        return hm_err_set(err, HM_EINVAL,
                          "the leading master says that it is %s, but `leader_port` of backend %s is %lld: nothing is sent there",
                          leader, backend->name, (long long)usual);
    return HM_OK;
}

enum hm_code hm_mesos_base(const struct hm_backend *backend, const json_t *args, bool required, char **ret_base,
                           struct hm_err *err)
{
    const char *leader = hm_json_get_str(args, "leader", "");
    const char *scheme = hm_json_get_str(backend->settings, "leader_scheme", "http");
    if (leader[0] == '\0' && !required) {
        *ret_base = hm_xstrdup(backend->url);
        return HM_OK;
    }
    enum hm_code code = check_leader(backend, leader, err);
    if (code != HM_OK)
        return code;
    if (!hm_streq(scheme, "http") && !hm_streq(scheme, "https"))
        return hm_err_set(err, HM_EENV, "backend %s: leader_scheme must be \"http\" or \"https\", not \"%.40s\"", backend->name,
                          scheme);
    bool loopback = hm_starts_with(leader, "127.");
    if (hm_streq(scheme, "http") && !loopback && backend->auth != NULL)
        return hm_err_set(err, HM_EENV,
                          "backend %s has credentials, which must not go to the leading master in clear: set leader_scheme = "
                          "\"https\"",
                          backend->name);
    *ret_base = hm_xasprintf("%s://%s%s", scheme, leader, hm_json_get_str(backend->settings, "leader_path", ""));
    return HM_OK;
}

void hm_mesos_get(struct hm_request *req, const struct hm_backend *backend, const char *base, const char *path)
{
    req->kind = HM_REQUEST_HTTP;
    req->method = hm_xstrdup("GET");
    req->url = hm_xasprintf("%s%s", base, path);
    hm_request_add_backend_headers(req, backend);
}

static const struct hm_action *const actions[] = {
    &hm_mesos_leader, &hm_mesos_frameworks, &hm_mesos_agents, &hm_mesos_framework, &hm_mesos_teardown, NULL,
};

/* masters: the networks in which the masters live, "10.130.0.0/16 10.131.0.0/16". leader_port: 5050 when left out. leader_scheme:
 * "http" (default) or "https". leader_path: before /master/…, for a leader behind something; "" when left out. leader_from:
 * "state" (default: GET /master/state, which any Mesos has and which can be large) or "api" (POST /api/v1, since Mesos 1.0). */
static const char *const settings[] = {"masters", "leader_port", "leader_scheme", "leader_path", "leader_from", NULL};
static const struct hm_setting_words setting_words[] = {{"leader_from", {"state", "api", NULL}}, {NULL, {NULL}}};

const struct hm_handler hm_mesos_handler = {
    .name = "mesos",
    .title = "Mesos: masters, frameworks, agents",
    .actions = actions,
    .settings = settings,
    .words = setting_words,
};
