/* One libwebsockets context on a foreign libuv loop.
 *
 * Happy path: new → vhosts and client connections come and go → close → the caller turns the loop until it is empty → free.
 * Failure modes: the uv plug-in is a separate Debian package that no linker sees; lws then refuses to start, and the error says
 * which package is missing. */
#include "io/lws_loop.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "base/log.h"
#include "base/mem.h"

/* One read() may take a whole Socket Mode envelope; also the ceiling of the headers of one HTTP message. */
enum { SERVICE_BUFFER = 64 * 1024, HEADERS_MAX = 65535 };

/* lws allocates and zeroes two arrays with one slot per possible descriptor: 16 MB of resident memory under the 1,048,576 that
 * container runtimes like to allow. It is shown at most this many. */
enum { DESCRIPTORS_MAX = 16384 };

static void on_lws_log(int level, const char *line)
{
    size_t len = strlen(line);
    while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
        len--;
    /* What lws calls an error is as a rule a connection that went wrong, and is reported by whoever owns that connection. */
    hm_log((level & LLL_ERR) != 0 ? HM_LOG_WARN : HM_LOG_INFO, "lws", "%.*s", (int)len, line);
}

static void lower_descriptor_limit(struct rlimit *ret_old, int *ret_lowered)
{
    *ret_lowered = 0;
    if (getrlimit(RLIMIT_NOFILE, ret_old) != 0 || ret_old->rlim_cur <= DESCRIPTORS_MAX)
        return;
    struct rlimit low = {.rlim_cur = DESCRIPTORS_MAX, .rlim_max = ret_old->rlim_max};
    *ret_lowered = setrlimit(RLIMIT_NOFILE, &low) == 0;
}

struct lws_context *hm_lws_loop_new(uv_loop_t *loop, struct hm_err *err)
{
    void *loops[] = {loop};
    struct lws_context_creation_info info;
    struct rlimit old;
    int lowered;

    lws_set_log_level(LLL_ERR | LLL_WARN, on_lws_log);
    memset(&info, 0, sizeof(info));
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
                   LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME;
    info.foreign_loops = loops;
    info.gid = -1;
    info.uid = -1;
    info.pt_serv_buf_size = SERVICE_BUFFER;
    info.max_http_header_data2 = HEADERS_MAX;
    info.timeout_secs = 30; /* its own time-outs, such as a request body that never arrives */
    info.user = loop;       /* hm_lws_loop_uv() */

    lower_descriptor_limit(&old, &lowered);
    struct lws_context *ctx = lws_create_context(&info);
    if (lowered)
        (void)setrlimit(RLIMIT_NOFILE, &old);
    if (ctx == NULL) {
        (void)hm_err_set(err, HM_EENV, "libwebsockets does not start: is the package libwebsockets-evlib-uv installed?");
        return NULL;
    }
    /* Vhosts that are made later are then set up at once, not at the first event. */
    if (lws_protocol_init(ctx) != 0) {
        (void)hm_err_set(err, HM_EENV, "libwebsockets can not set up its protocols");
        hm_lws_loop_close(ctx);
        (void)uv_run(loop, UV_RUN_NOWAIT);
        hm_lws_loop_free(ctx);
        return NULL;
    }
    return ctx;
}

uv_loop_t *hm_lws_loop_uv(struct lws_context *ctx)
{
    return lws_context_user(ctx);
}

void hm_lws_loop_close(struct lws_context *ctx)
{
    if (ctx != NULL)
        lws_context_destroy(ctx);
}

void hm_lws_loop_free(struct lws_context *ctx)
{
    if (ctx != NULL)
        lws_context_destroy(ctx);
}
