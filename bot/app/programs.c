/* One call of a CLI backend: see programs.h.
 *
 * The values of its secrets are known here, so whatever the program prints is searched for them before anybody sees it: the
 * answer as a whole, the lines for the card one by one (a secret does not span lines; only whole lines are shown).
 *
 * A request with a remedy is up to three processes: when the first could not resolve a host's name, so that nothing has left, the
 * remedy is run once, whatever comes of it, and then the first once more, whose end is the answer. */
#include "app/programs.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "handlers/argv_answer.h"
#include "io/process_env.h"

enum {
    SECRET_MIN = 6, /* a shorter one can not be told from ordinary text */
    TAIL_BYTES = 1500,
    TAIL_LINES = 12,
    LINE_MAX_BYTES = 4096
};

struct run {
    struct hm_processes *processes;
    const struct hm_backend *backend;
    const char *dir;
    struct hm_request req; /* kept as far as it has a remedy */
    enum { FIRST, REMEDY, AGAIN } turn;
    struct hm_send send;
    bool misfit;    /* the request is none for this backend */
    char **secrets; /* NULL-terminated; wiped at the end */
    struct hm_strbuf tail;
    char lines[2][LINE_MAX_BYTES]; /* of stdout and of stderr, not ended yet */
    size_t line_len[2];
};

/* ---- secrets --------------------------------------------------------------------------------------------------------- */

static void remember_secret(struct run *run, const char *value)
{
    size_t n = 0;
    if (strlen(value) < SECRET_MIN)
        return;
    while (run->secrets[n] != NULL)
        n++;
    run->secrets = hm_xreallocarray(run->secrets, n + 2, sizeof *run->secrets);
    run->secrets[n] = hm_xstrdup(value);
    run->secrets[n + 1] = NULL;
}

/* text with every secret replaced. The caller frees. */
static char *scrubbed(const struct run *run, const char *text, size_t len, size_t *ret_len)
{
    static const char instead[] = "[secret]";
    char *out = hm_xmalloc(len * 2 + 1); /* a secret of SECRET_MIN bytes or more grows to 8: less than double */
    size_t n = 0;
    for (size_t i = 0; i < len;) {
        size_t hit = 0;
        for (char **s = run->secrets; *s != NULL && hit == 0; s++)
            if (strlen(*s) <= len - i && memcmp(text + i, *s, strlen(*s)) == 0)
                hit = strlen(*s);
        if (hit == 0) {
            out[n++] = text[i++];
            continue;
        }
        memcpy(out + n, instead, sizeof instead - 1);
        n += sizeof instead - 1;
        i += hit;
    }
    out[n] = '\0';
    *ret_len = n;
    return out;
}

static char **environment(void *arg, struct hm_err *err)
{
    struct run *run = arg;
    char **env = hm_process_env_new();
    const char *name = NULL;
    const json_t *value = NULL;
    if (run->misfit) {
        (void)hm_err_set(err, HM_EENV, "backend %s was configured anew and is reached in another way now", run->backend->name);
        hm_process_env_free(env);
        return NULL;
    }
    json_object_foreach(run->backend->env, name, value)
    {
        const char *text = json_string_value(value);
        char *secret = NULL;
        if (!hm_secret_ref_ok(text)) {
            hm_process_env_set(&env, name, text);
            continue;
        }
        if (hm_secret_read(text, run->dir, &secret, err) != HM_OK) {
            (void)hm_err_wrap(err, "%s of backend %s", name, run->backend->name);
            hm_process_env_free(env);
            return NULL;
        }
        hm_process_env_set(&env, name, secret);
        remember_secret(run, secret);
        hm_secret_free(secret);
    }
    return env;
}

/* ---- the tail -------------------------------------------------------------------------------------------------------- */

/* Keeps the last TAIL_LINES whole lines, in at most TAIL_BYTES. */
static void cut_tail(struct hm_strbuf *tail)
{
    const char *text = hm_strbuf_str(tail);
    size_t from = tail->len;
    size_t lines = 0;
    while (from > 0 && tail->len - from < TAIL_BYTES) {
        if (text[from - 1] == '\n' && from < tail->len && ++lines == TAIL_LINES)
            break;
        from--;
    }
    if (from > 0 && text[from - 1] != '\n') { /* in the middle of a line: from the next one on, if there is one */
        const char *next = memchr(text + from, '\n', tail->len - from);
        if (next != NULL && next[1] != '\0')
            from = (size_t)(next + 1 - text);
    }
    char *kept = hm_xstrdup(text + from);
    hm_strbuf_reset(tail);
    hm_strbuf_adds(tail, kept);
    free(kept);
}

static void add_line(struct run *run, size_t stream)
{
    size_t len = 0;
    char *line = scrubbed(run, run->lines[stream], run->line_len[stream], &len);
    char *clean = hm_utf8_clean(line, len);
    hm_strbuf_adds(&run->tail, clean);
    hm_strbuf_addc(&run->tail, '\n');
    cut_tail(&run->tail);
    run->line_len[stream] = 0;
    free(clean);
    free(line);
}

static void on_output(void *arg, bool is_errors, const char *data, size_t len)
{
    struct run *run = arg;
    size_t stream = is_errors ? 1 : 0;
    bool more = false;
    for (size_t i = 0; i < len; i++) {
        bool end = data[i] == '\n' || data[i] == '\r'; /* a progress bar redraws its line */
        if (!end)
            run->lines[stream][run->line_len[stream]++] = data[i];
        if ((end && run->line_len[stream] > 0) || run->line_len[stream] == LINE_MAX_BYTES) {
            add_line(run, stream);
            more = true;
        }
    }
    if (more && run->send.on_tail != NULL)
        run->send.on_tail(run->send.arg, hm_strbuf_str(&run->tail));
}

/* ---------------------------------------------------------------------------------------------------------------------- */

static void start(struct run *run, char *const *argv);

/* The next process of a request with a remedy; false when this was the last. */
static bool go_on(struct run *run, const struct hm_answer *answer)
{
    if (run->turn == FIRST && run->req.remedy != NULL && hm_argv_unresolved(answer)) {
        run->turn = REMEDY;
        start(run, run->req.remedy);
    } else if (run->turn == REMEDY && answer->transport == HM_TRANSPORT_ANSWER) {
        run->turn = AGAIN;
        start(run, run->req.argv);
    } else {
        return false;
    }
    return true;
}

static void on_done(void *arg, const struct hm_http_result *result)
{
    struct run *run = arg;
    struct hm_http_result clean = *result;
    size_t errors_len = 0;
    if (go_on(run, &result->answer))
        return;
    if (run->turn == REMEDY) /* it hung, or was stopped: the first has sent nothing, and is not run again */
        clean.answer.transport = HM_TRANSPORT_NOT_SENT;
    char *body = scrubbed(run, result->answer.body, result->answer.body_len, &clean.answer.body_len);
    char *errors = scrubbed(run, result->answer.errors, strlen(result->answer.errors), &errors_len);
    clean.answer.body = body;
    clean.answer.errors = errors;
    run->send.on_done(run->send.arg, &clean);
    free(body);
    free(errors);
    hm_process_env_free(run->secrets);
    hm_strbuf_done(&run->tail);
    hm_request_done(&run->req);
    free(run);
}

static void start(struct run *run, char *const *argv)
{
    const struct hm_process_opts opts = {
        .argv = argv,
        .dir = run->backend->dir,
        .timeout_ms = run->send.timeout_ms > 0 ? run->send.timeout_ms : run->backend->timeout_ms,
        .env = environment,
        .env_arg = run,
        .on_output = on_output,
        .on_done = on_done,
        .arg = run,
    };
    (void)hm_process_start(run->processes, &opts);
}

void hm_program_run(struct hm_processes *processes, const struct hm_backend *backend, const char *dir,
                    const struct hm_request *req, const struct hm_send *send)
{
    static char nothing[] = "The request";
    char *const no_words[] = {nothing, NULL};
    struct run *run = hm_xcalloc(1, sizeof *run);
    *run = (struct run){.processes = processes, .backend = backend, .dir = dir, .send = *send};
    run->misfit = req->kind != HM_REQUEST_ARGV || backend->program == NULL || req->argv == NULL || req->argv[0] == NULL;
    run->secrets = hm_xcalloc(1, sizeof *run->secrets);
    hm_strbuf_init(&run->tail, 4 * TAIL_BYTES + 3 * LINE_MAX_BYTES);
    hm_request_init(&run->req);
    if (req->remedy != NULL)
        hm_request_copy(&run->req, req);
    start(run, run->misfit ? no_words : req->argv);
}
