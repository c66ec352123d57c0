/* main() of a fuzz target in a build without libFuzzer: runs the target over the files of the folders (or the files) that it is
 * given, whole and cut short at every byte, each copy in a heap block of exactly its size so that ASan sees a read past the
 * end. Prints how many inputs ran; a missing folder is an empty one, no argument at all is an error. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "target.h"

enum { SEED_MAX = 1 << 20, CUT_MAX = 2048 };

static size_t inputs;

static void run_one(const char *data, size_t size)
{
    uint8_t *copy = hm_xmemdup(data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    inputs++;
}

static int replay_file(const char *path)
{
    FILE *f = fopen(path, "re");
    if (f == NULL) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    char *data = hm_xmalloc(SEED_MAX);
    size_t size = fread(data, 1, SEED_MAX, f);
    (void)fclose(f);
    (void)fprintf(stderr, "%s: %zu bytes\n", path, size);
    run_one(data, size);
    for (size_t cut = 0; cut < size && cut < CUT_MAX; cut++)
        run_one(data, cut);
    free(data);
    return 0;
}

static int replay_folder(const char *path)
{
    int rc = 0;
    DIR *dir = opendir(path);
    if (dir == NULL) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return errno == ENOENT ? 0 : -1;
    }
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (entry->d_name[0] == '.')
            continue;
        char *file = hm_xasprintf("%s/%s", path, entry->d_name);
        if (replay_file(file) != 0)
            rc = -1;
        free(file);
    }
    (void)closedir(dir);
    return rc;
}

int main(int argc, char **argv)
{
    int rc = argc > 1 ? 0 : 2;

    run_one("", 0);
    for (int i = 1; i < argc; i++) {
        struct stat st;
        int failed = stat(argv[i], &st) == 0 && S_ISREG(st.st_mode) ? replay_file(argv[i]) : replay_folder(argv[i]);
        if (failed != 0)
            rc = 1;
    }
    (void)fprintf(stderr, "%zu inputs\n", inputs);
    return rc;
}
