/* The one libwebsockets context of a process, on a foreign libuv loop. Measured traps this file keeps away from the rest: the
 * uv plug-in must be installed, close needs two lws_context_destroy() calls with the loop turning in between. */
#ifndef HM_IO_LWS_LOOP_H
#define HM_IO_LWS_LOOP_H

#include <libwebsockets.h>
#include <uv.h>

#include "base/err.h"

/* NULL with err set when the uv plug-in (Debian: libwebsockets-evlib-uv) is missing or lws can not start. lws's own messages go
 * to hm_log at warn and worse. */
struct lws_context *hm_lws_loop_new(uv_loop_t *loop, struct hm_err *err);
/* The loop that was handed to hm_lws_loop_new(). */
uv_loop_t *hm_lws_loop_uv(struct lws_context *ctx);
/* Begins the close; call uv_run() until it returns, then hm_lws_loop_free(). */
void hm_lws_loop_close(struct lws_context *ctx);
void hm_lws_loop_free(struct lws_context *ctx);

#endif
