/* Child processes against a program that does exactly what each test needs. What matters most: nothing outlives a step, nothing
 * of ours leaks into a child, and every child is answered for exactly once. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "io/process.h"
#include "io/process_env.h"

enum { MAX_ENDS = 40, LONG_MS = 100000 };

struct end {
    unsigned times;
    enum hm_transport transport;
    int status;
    char *body, *errors, *problem;
    size_t body_len;
};

struct rig {
    uv_loop_t loop;
    struct hm_processes *all;
    struct end ends[MAX_ENDS];
    unsigned n_ends, awaited;
    bool inside_start, closed;
    struct hm_strbuf seen; /* what on_output was told */
    size_t seen_total;
    struct hm_process *cancel_at_output;
    struct hm_process *cancel_at_end;
};

static struct rig *rig;

static void on_done(void *arg, const struct hm_http_result *r)
{
    struct end *e = arg;
    assert_false(rig->inside_start);
    assert_int_equal(e->times++, 0);
    e->transport = r->answer.transport;
    e->status = r->answer.status;
    e->body = hm_xmemdup(r->answer.body, r->answer.body_len + 1);
    e->body_len = r->answer.body_len;
    e->errors = hm_xstrdup(r->answer.errors);
    e->problem = hm_xstrdup(r->answer.problem);
    assert_int_equal(r->answer.retry_after_s, -1);
    assert_true(r->duration_ms >= 0 && r->queued_ms >= 0);
    rig->n_ends++;
    if (rig->cancel_at_end != NULL)
        hm_process_cancel(rig->cancel_at_end);
    rig->cancel_at_end = NULL;
    if (rig->n_ends == rig->awaited)
        uv_stop(&rig->loop);
}

static void on_output(void *arg, bool is_errors, const char *data, size_t len)
{
    const struct end *e = arg;
    assert_int_equal(e->times, 0);
    rig->seen_total += len;
    if (!is_errors)
        hm_strbuf_add(&rig->seen, data, len);
    if (rig->cancel_at_output != NULL)
        hm_process_cancel(rig->cancel_at_output);
    rig->cancel_at_output = NULL;
}

/* words: after the program, NULL-terminated; opts may be NULL. */
static struct hm_process *start(unsigned slot, const char *const *words, const struct hm_process_opts *opts)
{
    char *argv[12] = {hm_unconst(HM_CHILD)};
    struct hm_process_opts o = opts != NULL ? *opts : (struct hm_process_opts){0};
    for (size_t i = 0; words != NULL && words[i] != NULL; i++)
        argv[i + 1] = hm_unconst(words[i]);
    if (o.argv == NULL)
        o.argv = argv;
    if (o.timeout_ms == 0)
        o.timeout_ms = LONG_MS;
    if (o.grace_ms == 0)
        o.grace_ms = LONG_MS;
    o.on_output = on_output;
    o.on_done = on_done;
    o.arg = &rig->ends[slot];
    rig->inside_start = true;
    struct hm_process *process = hm_process_start(rig->all, &o);
    rig->inside_start = false;
    return process;
}

static const struct end *await(unsigned n)
{
    rig->awaited = n;
    if (rig->n_ends < n)
        (void)uv_run(&rig->loop, UV_RUN_DEFAULT);
    assert_int_equal(rig->n_ends, n);
    return &rig->ends[n - 1];
}

#define WORDS(...)                                                                                                               \
    (const char *const[])                                                                                                        \
    {                                                                                                                            \
        __VA_ARGS__, NULL                                                                                                        \
    }

static const struct end *run(const char *const *words, const struct hm_process_opts *opts)
{
    unsigned slot = rig->n_ends;
    (void)start(slot, words, opts);
    return await(slot + 1);
}

static int set_up(void **state)
{
    rig = hm_xcalloc(1, sizeof *rig);
    *state = rig;
    /* Orphans come to us, so that a test can wait for them. */
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    assert_int_equal(uv_loop_init(&rig->loop), 0);
    rig->all = hm_processes_new(&rig->loop, hm_clock_real(), 4);
    hm_strbuf_init(&rig->seen, 10000);
    return 0;
}

static void on_closed(void *arg)
{
    struct rig *r = arg;
    assert_false(r->closed);
    r->closed = true;
}

static int tear_down(void **state)
{
    (void)state;
    if (!rig->closed)
        hm_processes_close(rig->all, on_closed, rig);
    (void)uv_run(&rig->loop, UV_RUN_DEFAULT);
    assert_true(rig->closed);
    assert_int_equal(hm_processes_count(rig->all), 0);
    assert_int_equal(uv_loop_close(&rig->loop), 0);
    hm_processes_free(rig->all);
    for (size_t i = 0; i < MAX_ENDS; i++) {
        free(rig->ends[i].body);
        free(rig->ends[i].errors);
        free(rig->ends[i].problem);
    }
    hm_strbuf_done(&rig->seen);
    free(rig);
    /* Nothing is left: no child of ours, no orphan. */
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    return 0;
}

/* ---- how it ends ------------------------------------------------------------------------------------------------------ */

static void test_exit_status(void **state)
{
    static const int codes[] = {0, 1, 3, 255};
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(codes); i++) {
        char code[8];
        (void)snprintf(code, sizeof code, "%d", codes[i]);
        const struct end *e = run(WORDS("exit", code), NULL);
        assert_int_equal(e->transport, HM_TRANSPORT_ANSWER);
        assert_int_equal(e->status, codes[i]);
        assert_string_equal(e->body, "out\n");
        assert_string_equal(e->errors, "err\n");
        assert_string_equal(e->problem, "");
    }
}

static void test_killed_by_a_signal(void **state)
{
    (void)state;
    const struct end *e = run(WORDS("signal", "9"), NULL);
    assert_int_equal(e->transport, HM_TRANSPORT_ANSWER);
    assert_int_equal(e->status, 128 + SIGKILL);
    e = run(WORDS("signal", "15"), NULL);
    assert_int_equal(e->status, 128 + SIGTERM);
}

static void test_what_cannot_be_started(void **state)
{
    static const struct {
        const char *program, *dir, *said;
    } cases[] = {
        {"/nonexistent/program", NULL, "no such file"},
        {"/etc/passwd", NULL, "permission denied"},
        {"/etc", NULL, "permission denied"},
        {HM_CHILD "/under-a-file", NULL, "not a directory"},
        {"relative", NULL, "absolute"},
        {HM_CHILD, "/nonexistent/folder", "no such file"},
    };
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        char *argv[] = {hm_unconst(cases[i].program), hm_unconst("exit"), hm_unconst("0"), NULL};
        const struct hm_process_opts opts = {.argv = argv, .dir = cases[i].dir};
        const struct end *e = run(NULL, &opts);
        assert_int_equal(e->transport, HM_TRANSPORT_NOT_SENT);
        assert_non_null(strstr(e->problem, cases[i].said));
        assert_non_null(strstr(e->problem, cases[i].program));
        assert_string_equal(e->body, "");
    }
}

/* ---- what it is given ------------------------------------------------------------------------------------------------- */

static void test_words_go_as_they_are(void **state)
{
    (void)state;
    const struct end *e = run(WORDS("words", "a b", "", "$HOME;`id`|x>y*", "--", "ü\n'\""), NULL);
    assert_string_equal(e->body, "<a b>\n<>\n<$HOME;`id`|x>y*>\n<-->\n<ü\n'\">\n");
}

static void test_no_descriptor_of_ours(void **state)
{
    int pipes[2];
    (void)state;
    int file = open("/etc/passwd", O_RDONLY); /* as a careless library would: without O_CLOEXEC */
    assert_true(file > 2);
    assert_int_equal(pipe(pipes), 0);
    const struct end *e = run(WORDS("fds"), NULL);
    assert_string_equal(e->body, "0 /dev/null\n1 pipe\n2 pipe\n");
    assert_int_equal(close(file) + close(pipes[0]) + close(pipes[1]), 0);
}

static void test_input_is_empty(void **state)
{
    (void)state;
    assert_int_equal(run(WORDS("stdin"), NULL)->status, 0);
}

static void test_group_session_and_folder(void **state)
{
    (void)state;
    assert_string_equal(run(WORDS("ids"), NULL)->body, "group own, session own, in /\n");
    const struct hm_process_opts opts = {.dir = "/usr"};
    assert_string_equal(run(WORDS("ids"), &opts)->body, "group own, session own, in /usr\n");
}

static char **env_with_secret(void *arg, struct hm_err *err)
{
    char **env = hm_process_env_new();
    (void)err;
    hm_process_env_set(&env, "TOKEN", arg);
    hm_process_env_set(&env, "PATH", "/only/here");
    hm_process_env_set(&env, "TOKEN", "the newer one");
    return env;
}

static char **no_env(void *arg, struct hm_err *err)
{
    (void)arg;
    (void)hm_err_set(err, HM_EENV, "env:NU_TOKEN is not set");
    return NULL;
}

static void test_environment(void **state)
{
    (void)state;
    assert_int_equal(setenv("HM_OURS", "secret", 1) + setenv("HOME", "/home/of/test", 1) + setenv("LANG", "", 1), 0);
    assert_int_equal(setenv("PATH", "/some:/path", 1), 0);
    assert_string_equal(run(WORDS("env"), NULL)->body, "PATH=/some:/path\nHOME=/home/of/test\nLANG=C.UTF-8\n");
    struct hm_process_opts opts = {.env = env_with_secret, .env_arg = hm_unconst("hush")};
    assert_string_equal(run(WORDS("env"), &opts)->body,
                        "PATH=/only/here\nHOME=/home/of/test\nLANG=C.UTF-8\nTOKEN=the newer one\n");

    opts.env = no_env;
    const struct end *e = run(WORDS("env"), &opts);
    assert_int_equal(e->transport, HM_TRANSPORT_NOT_SENT);
    assert_non_null(strstr(e->problem, "env:NU_TOKEN is not set"));
}

static void test_names_of_variables(void **state)
{
    static const struct {
        const char *name;
        bool ok;
    } cases[] = {{"A", true}, {"_x9", true}, {"", false}, {"9A", false}, {"A-B", false}, {"A=B", false}, {"Ä", false}};
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++)
        assert_int_equal(hm_process_env_name_ok(cases[i].name), cases[i].ok);
}

/* ---- time ------------------------------------------------------------------------------------------------------------- */

static void test_time_is_up(void **state)
{
    (void)state;
    const struct hm_process_opts opts = {.timeout_ms = 150};
    const struct end *e = run(WORDS("hang"), &opts);
    assert_int_equal(e->transport, HM_TRANSPORT_TIMEOUT);
    assert_non_null(strstr(e->problem, "did not end within"));
}

static void test_silent_and_hanging(void **state)
{
    (void)state;
    const struct hm_process_opts opts = {.timeout_ms = 150};
    const struct end *e = run(WORDS("close"), &opts);
    assert_int_equal(e->transport, HM_TRANSPORT_TIMEOUT);
}

/* Told to stop as soon as it has said that it is ready, so that no test depends on how fast that is. */
static const struct end *stop_when_ready(const char *word)
{
    const struct hm_process_opts opts = {.grace_ms = 50};
    rig->cancel_at_output = start(0, WORDS(word), &opts);
    return await(1);
}

static void test_ignores_term(void **state)
{
    (void)state;
    const struct end *e = stop_when_ready("stubborn");
    assert_int_equal(e->transport, HM_TRANSPORT_BROKEN);
    assert_int_equal(e->status, 128 + SIGKILL);
    assert_string_equal(e->body, "ready\n"); /* what it had said is kept */
}

static pid_t first_number(const char *text)
{
    int64_t pid = 0;
    char word[16] = "";
    (void)sscanf(text, "%15[0-9]", word);
    assert_true(hm_parse_i64(word, 2, INT32_MAX, &pid));
    return (pid_t)pid;
}

/* The orphan is dead, by KILL. Waits for it; nobody else can reap it. */
static void assert_killed(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void test_the_whole_family_goes(void **state)
{
    (void)state;
    const struct end *e = stop_when_ready("family");
    assert_int_equal(e->transport, HM_TRANSPORT_BROKEN);
    assert_killed(first_number(e->body));
}

static void test_time_is_up_for_a_stubborn_one(void **state)
{
    (void)state;
    const struct hm_process_opts opts = {.timeout_ms = 150, .grace_ms = 50};
    assert_int_equal(run(WORDS("stubborn"), &opts)->transport, HM_TRANSPORT_TIMEOUT);
}

static void test_what_is_left_behind_is_killed(void **state)
{
    (void)state;
    const struct end *e = run(WORDS("leave"), NULL);
    assert_int_equal(e->transport, HM_TRANSPORT_ANSWER);
    assert_int_equal(e->status, 0);
    assert_killed(first_number(e->body));
}

static void test_who_leaves_the_group_holds_nothing_up(void **state)
{
    (void)state;
    const struct end *e = run(WORDS("leave", "group"), NULL); /* it holds our pipes open for ever */
    assert_int_equal(e->transport, HM_TRANSPORT_ANSWER);
    assert_int_equal(e->status, 0);
    pid_t pid = first_number(e->body);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_killed(pid);
}

/* ---- output ----------------------------------------------------------------------------------------------------------- */

static void test_flood(void **state)
{
    (void)state;
    const struct hm_process_opts opts = {.max_output = 5000};
    const struct end *e = run(WORDS("flood", "3000000"), &opts);
    assert_int_equal(e->transport, HM_TRANSPORT_ANSWER);
    assert_int_equal(e->status, 0);
    assert_int_equal(rig->seen_total, 3000008);
    assert_true(hm_starts_with(e->body, "[the first 2995008 bytes were cut off]\n"));
    assert_true(hm_ends_with(e->body, "x\nthe end\n"));
    assert_int_equal(e->body_len, strlen("[the first 2995008 bytes were cut off]\n") + 5000);
}

static void test_output_of_exactly_the_ceiling(void **state)
{
    (void)state;
    const struct hm_process_opts opts = {.max_output = 2008};
    const struct end *e = run(WORDS("flood", "2000"), &opts);
    assert_int_equal(e->body_len, 2008);
    assert_true(hm_starts_with(e->body, "xxx"));
}

static void test_output_comes_as_it_is_written(void **state)
{
    (void)state;
    rig->cancel_at_output = start(0, WORDS("hang"), NULL); /* told while it runs: else this would never end */
    const struct end *e = await(1);
    assert_string_equal(hm_strbuf_str(&rig->seen), "ready\n");
    assert_int_equal(e->transport, HM_TRANSPORT_BROKEN);
    assert_int_equal(e->status, 128 + SIGTERM); /* asked nicely, and that was enough */
    assert_non_null(strstr(e->problem, "stopped"));
}

/* ---- turns, cancels, the end ------------------------------------------------------------------------------------------ */

static void test_waits_for_its_turn(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++)
        (void)start(i, WORDS("exit", "0"), NULL);
    (void)await(20);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(rig->ends[i].transport, HM_TRANSPORT_ANSWER);
}

static void test_cancelled_in_the_queue(void **state)
{
    struct hm_process *running[4];
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        running[i] = start(i, WORDS("hang"), NULL);
    struct hm_process *waiting = start(4, WORDS("exit", "0"), NULL);
    hm_process_cancel(waiting);
    (void)await(1);
    assert_int_equal(rig->ends[4].transport, HM_TRANSPORT_NOT_SENT);
    (void)start(5, WORDS("exit", "7"), NULL);
    rig->cancel_at_end = running[1]; /* from within another's on_done */
    hm_process_cancel(running[0]);
    (void)await(4);
    assert_int_equal(rig->ends[0].transport, HM_TRANSPORT_BROKEN);
    assert_int_equal(rig->ends[1].transport, HM_TRANSPORT_BROKEN);
    assert_int_equal(rig->ends[5].status, 7);
    hm_process_cancel(running[2]);
    hm_process_cancel(running[2]); /* twice is once */
    hm_process_cancel(running[3]);
    (void)await(6);
}

static void test_the_end_stops_all(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 6; i++)
        (void)start(i, WORDS("stubborn"), NULL);
    rig->awaited = 1;
    (void)uv_run(&rig->loop, UV_RUN_ONCE);
    hm_processes_close(rig->all, on_closed, rig);
    (void)start(6, WORDS("exit", "0"), NULL); /* too late */
    (void)uv_run(&rig->loop, UV_RUN_DEFAULT);
    (void)uv_run(&rig->loop, UV_RUN_DEFAULT);
    assert_int_equal(rig->n_ends, 7);
    assert_true(rig->closed);
    assert_int_equal(rig->ends[6].transport, HM_TRANSPORT_NOT_SENT);
    assert_int_equal(rig->ends[5].transport, HM_TRANSPORT_NOT_SENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_exit_status, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_killed_by_a_signal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_started, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_words_go_as_they_are, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_descriptor_of_ours, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_input_is_empty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_group_session_and_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_environment, set_up, tear_down),
        cmocka_unit_test(test_names_of_variables),
        cmocka_unit_test_setup_teardown(test_time_is_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_silent_and_hanging, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ignores_term, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_whole_family_goes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_time_is_up_for_a_stubborn_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_left_behind_is_killed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_leaves_the_group_holds_nothing_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_flood, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_output_of_exactly_the_ceiling, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_output_comes_as_it_is_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_waits_for_its_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cancelled_in_the_queue, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_end_stops_all, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
