/* What the tests of child processes run: one small trick per word. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

static long number(const char *word)
{
    int64_t n = 0;
    return hm_parse_i64(word, 0, INT32_MAX, &n) ? (long)n : -1;
}

static void say(int fd, const char *text)
{
    size_t len = strlen(text);
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n <= 0)
            _exit(97);
        text += n;
        len -= (size_t)n;
    }
}

static void hang(void)
{
    for (;;)
        (void)pause();
}

static int print_words(char **words)
{
    for (; *words != NULL; words++)
        (void)printf("<%s>\n", *words);
    return 0;
}

/* Every descriptor but the one that lists them, and where it leads. */
static int print_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    if (dir == NULL)
        return 98;
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char path[300];
        char target[300];
        if (entry->d_name[0] == '.' || number(entry->d_name) == dirfd(dir))
            continue;
        (void)snprintf(path, sizeof path, "/proc/self/fd/%.200s", entry->d_name);
        ssize_t n = readlink(path, target, sizeof target - 1);
        target[n > 0 ? n : 0] = '\0';
        if (strncmp(target, "pipe:", 5) == 0 || strncmp(target, "socket:", 7) == 0)
            target[strcspn(target, ":")] = '\0';
        (void)printf("%s %s\n", entry->d_name, target);
    }
    (void)closedir(dir);
    return 0;
}

static int print_env(void)
{
    for (char **entry = environ; *entry != NULL; entry++)
        (void)printf("%s\n", *entry);
    return 0;
}

static int flood(const char *bytes)
{
    static char line[1000];
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    for (long left = number(bytes); left > 0; left -= (long)sizeof line)
        if (write(1, line, sizeof line) != (ssize_t)sizeof line)
            return 97;
    say(1, "the end\n");
    return 0;
}

/* A child of our own, in our group or out of it, that keeps our pipes open and never ends by itself. */
static int leave_behind(int leave_group)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (leave_group)
            (void)setsid();
        hang();
    }
    (void)printf("%d\n", (int)pid);
    return 0;
}

static int stdin_is_empty(void)
{
    char c = 0;
    return read(0, &c, 1) == 0 ? 0 : 96;
}

static int ids(void)
{
    char cwd[500];
    (void)printf("group %s, session %s, in %s\n", getpgrp() == getpid() ? "own" : "other",
                 getsid(0) == getpid() ? "own" : "other", getcwd(cwd, sizeof cwd));
    return 0;
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    const char *more = argc > 2 ? argv[2] : "";
    if (strcmp(word, "exit") == 0) {
        say(1, "out\n");
        say(2, "err\n");
        return (int)number(more);
    }
    if (strcmp(word, "signal") == 0)
        return raise((int)number(more));
    if (strcmp(word, "words") == 0)
        return print_words(argv + 2);
    if (strcmp(word, "fds") == 0)
        return print_fds();
    if (strcmp(word, "env") == 0)
        return print_env();
    if (strcmp(word, "flood") == 0)
        return flood(more);
    if (strcmp(word, "leave") == 0)
        return leave_behind(strcmp(more, "group") == 0);
    if (strcmp(word, "stdin") == 0)
        return stdin_is_empty();
    if (strcmp(word, "ids") == 0)
        return ids();
    if (strcmp(word, "close") == 0) {
        (void)close(1);
        (void)close(2);
        hang();
    }
    if (strcmp(word, "stubborn") == 0 || strcmp(word, "family") == 0) {
        (void)signal(SIGTERM, SIG_IGN);
        if (word[0] == 'f') { /* prints the pid of a child that ignores TERM too */
            pid_t pid = fork();
            if (pid == 0)
                hang();
            (void)printf("%d\n", (int)pid);
            (void)fflush(stdout);
        }
        say(1, "ready\n");
        hang();
    }
    if (strcmp(word, "hang") == 0) {
        say(1, "ready\n");
        hang();
    }
    return 99;
}
