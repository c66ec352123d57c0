/* The lock file: see lockfile.h. It is also the first thing written in the journal's folder, so it is here that a missing or
 * read-only folder is noticed and explained. */
#include "journal/lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/mem.h"

static void explain_open(const char *journal_path, int why, struct hm_err *err)
{
    char *copy = hm_xstrdup(journal_path);
    const char *folder = dirname(copy);

    if (why == ENOENT)
        (void)hm_err_set(err, HM_EENV, "the journal's folder %s does not exist: make it, or set journal.path to another place",
                         folder);
    else if (why == ENOTDIR)
        (void)hm_err_set(err, HM_EENV, "%s is not a folder: set journal.path to a file in a folder that exists", folder);
    else if (why == EACCES || why == EROFS || why == EPERM)
        (void)hm_err_set(err, HM_EENV,
                         "cannot write in the journal's folder %s (%s): give this user the right to write there, or set "
                         "journal.path to another place",
                         folder, strerror(why));
    else
        (void)hm_err_set(err, HM_EENV, "cannot open %s.lock: %s", journal_path, strerror(why));
    free(copy);
}

static void explain_held(int fd, const char *journal_path, struct hm_err *err)
{
    char pid[24] = "";
    ssize_t len = pread(fd, pid, sizeof pid - 1, 0);
    pid[len > 0 ? (size_t)len : 0] = '\0';
    pid[strcspn(pid, "\n")] = '\0';
    if (pid[0] == '\0' || strspn(pid, "0123456789") != strlen(pid))
        memcpy(pid, "unknown", sizeof "unknown");
    (void)hm_err_set(err, HM_EENV,
                     "the journal %s is used by another hausmeister (pid %s): stop that one first, or give this one a "
                     "journal.path of its own",
                     journal_path, pid);
}

/* Only for the other one's message; on a full disk the lock itself must still work. */
static void write_pid(int fd)
{
    char pid[24];
    int len = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    int cut = ftruncate(fd, 0);
    ssize_t written = pwrite(fd, pid, (size_t)len, 0);
    (void)cut;
    (void)written;
}

int hm_lockfile_take(const char *journal_path, struct hm_err *err)
{
    char *path = hm_xasprintf("%s.lock", journal_path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0) {
        explain_open(journal_path, errno, err);
    } else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            explain_held(fd, journal_path, err);
        else
            (void)hm_err_set(err, HM_EENV, "cannot lock %s: %s", path, strerror(errno));
        (void)close(fd);
        fd = -1;
    } else {
        write_pid(fd);
    }
    free(path);
    return fd;
}

void hm_lockfile_drop(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}
