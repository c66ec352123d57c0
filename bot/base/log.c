/* Logging: see log.h. A line is built in memory and written with one write(), so that lines of two threads do not mix. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/strbuf.h"

enum { LINE_MAX_BYTES = 4000 };

static const struct {
    const char *word;
    int syslog;
} levels[HM_LOG_NR] = {
    [HM_LOG_ERROR] = {"error", 3},
    [HM_LOG_WARN] = {"warn", 4},
    [HM_LOG_INFO] = {"info", 6},
    [HM_LOG_DEBUG] = {"debug", 7},
};

static atomic_int threshold = HM_LOG_INFO;

void hm_log_set_level(enum hm_log_level level)
{
    atomic_store(&threshold, (int)level);
}

int hm_log_parse_level(const char *word, enum hm_log_level *ret_level)
{
    for (int i = 0; i < HM_LOG_NR; i++) {
        if (strcmp(word, levels[i].word) == 0) {
            *ret_level = (enum hm_log_level)i;
            return 0;
        }
    }
    return -1;
}

static void add_escaped(struct hm_strbuf *line, const char *s)
{
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if (c < 0x20 || c == 0x7f)
            hm_strbuf_addf(line, "\\x%02x", c);
        else
            hm_strbuf_addc(line, *s);
    }
}

void hm_log(enum hm_log_level level, const char *ctx, const char *fmt, ...)
{
    if ((int)level > atomic_load(&threshold))
        return;

    struct hm_strbuf text;
    struct hm_strbuf line;
    va_list ap;
    hm_strbuf_init(&text, LINE_MAX_BYTES);
    hm_strbuf_init(&line, (size_t)5 * LINE_MAX_BYTES);
    va_start(ap, fmt);
    hm_strbuf_addv(&text, fmt, ap);
    va_end(ap);
    hm_strbuf_addf(&line, "<%d>%s ", levels[level].syslog, levels[level].word);
    add_escaped(&line, ctx);
    hm_strbuf_adds(&line, ": ");
    add_escaped(&line, hm_strbuf_str(&text));
    hm_strbuf_adds(&line, text.failed ? "…\n" : "\n");
    ssize_t written = write(STDERR_FILENO, hm_strbuf_str(&line), line.len);
    (void)written; /* nobody to tell */
    hm_strbuf_done(&text);
    hm_strbuf_done(&line);
}
