/* Logging: one line per event to stderr, with journald's <N> prefixes. Control bytes are escaped, so foreign text can not forge
 * a line. Secrets never: callers pass names, not values. Only the edges log; library code sets hm_err. */
#ifndef HM_BASE_LOG_H
#define HM_BASE_LOG_H

enum hm_log_level { HM_LOG_ERROR, HM_LOG_WARN, HM_LOG_INFO, HM_LOG_DEBUG, HM_LOG_NR };

/* Lines above this level are dropped; HM_LOG_INFO at start. */
void hm_log_set_level(enum hm_log_level level);
/* "error" "warn" "info" "debug"; returns 0, or -1 for another word. */
int hm_log_parse_level(const char *word, enum hm_log_level *ret_level);

/* Writes "<6>info ctx: message", the message cut with "…" at 4000 bytes. ctx: who it is about ("slack", "run r-7k2m", "journal").
 */
void hm_log(enum hm_log_level level, const char *ctx, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
