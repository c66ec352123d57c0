/* Looking at stderr and at deaths: see capture.h. A file, not a pipe, so that no amount of text can block the writer. */
#include "capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "unit.h"

static char *read_back(FILE *f, size_t *ret_len)
{
    long size = 0;
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    size = ftell(f);
    assert_true(size >= 0);
    rewind(f);
    char *text = hm_xmalloc((size_t)size + 1);
    assert_int_equal(fread(text, 1, (size_t)size, f), (size_t)size);
    text[size] = '\0';
    *ret_len = (size_t)size;
    (void)fclose(f);
    return text;
}

char *hm_capture_stderr(void (*fn)(void *arg), void *arg, size_t *ret_len)
{
    FILE *f = tmpfile();
    assert_non_null(f);
    int kept = dup(STDERR_FILENO);
    assert_true(kept >= 0);
    assert_true(dup2(fileno(f), STDERR_FILENO) >= 0);
    fn(arg);
    (void)fflush(stderr);
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    (void)close(kept);
    return read_back(f, ret_len);
}

int hm_capture_death(void (*fn)(void *arg), void *arg, char **ret_text)
{
    static const struct rlimit no_core = {0, 0};
    FILE *f = tmpfile();
    assert_non_null(f);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)setrlimit(RLIMIT_CORE, &no_core);
        if (dup2(fileno(f), STDERR_FILENO) >= 0)
            fn(arg);
        _exit(0);
    }
    int status = 0;
    size_t len = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    *ret_text = read_back(f, &len);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}
