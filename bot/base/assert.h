/* HM_ASSERT: always on (CMake's RelWithDebInfo defines NDEBUG, which would remove assert()).
 * For our own mistakes only; never for anything that came from Slack, a backend, a file or a person. */
#ifndef HM_BASE_ASSERT_H
#define HM_BASE_ASSERT_H

_Noreturn void hm_assert_failed(const char *expr, const char *file, int line, const char *func);

#define HM_ASSERT(expr) ((expr) ? (void)0 : hm_assert_failed(#expr, __FILE__, __LINE__, __func__))

#endif
