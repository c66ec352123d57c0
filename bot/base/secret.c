/* Secrets by reference: see secret.h. */
#include "base/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { SECRET_MAX = 16384 };

bool hm_secret_ref_ok(const char *ref)
{
    static const char *const prefixes[] = {"env:", "file:", "credential:"};
    for (size_t i = 0; i < HM_ARRAY_LEN(prefixes); i++)
        if (hm_starts_with(ref, prefixes[i]))
            return ref[strlen(prefixes[i])] != '\0';
    return false;
}

static enum hm_code take_checked(const char *ref, const char *text, char **ret_secret, struct hm_err *err)
{
    size_t len = strnlen(text, SECRET_MAX + 1);
    if (len > SECRET_MAX)
        return hm_err_set(err, HM_ETOOBIG, "%s is longer than %d bytes", ref, (int)SECRET_MAX);
    if (len > 0 && text[len - 1] == '\n')
        len--;
    if (len == 0)
        return hm_err_set(err, HM_EENV, "%s is empty", ref);
    *ret_secret = hm_xstrndup(text, len);
    return HM_OK;
}

static enum hm_code read_file(const char *ref, const char *path, char **ret_secret, struct hm_err *err)
{
    char buf[SECRET_MAX + 2]; /* one byte over the ceiling is read, to tell "full" from "too long" */
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return hm_err_set(err, HM_EENV, "%s: cannot open %s: %s", ref, path, strerror(errno));
    (void)setvbuf(f, NULL, _IONBF, 0); /* no copy of the secret in stdio's buffer */
    size_t got = fread(buf, 1, SECRET_MAX + 1, f);
    bool failed = ferror(f) != 0;
    enum hm_code code = HM_OK;
    (void)fclose(f);
    buf[got] = '\0';
    if (failed)
        code = hm_err_set(err, HM_EENV, "%s: cannot read %s", ref, path);
    else if (strlen(buf) != got)
        code = hm_err_set(err, HM_EENV, "%s: %s holds a NUL byte; a secret is text", ref, path);
    else
        code = take_checked(ref, buf, ret_secret, err);
    explicit_bzero(buf, sizeof buf);
    return code;
}

enum hm_code hm_secret_read(const char *ref, const char *base_dir, char **ret_secret, struct hm_err *err)
{
    *ret_secret = NULL;
    if (hm_starts_with(ref, "env:")) {
        const char *value = getenv(ref + 4);
        if (value == NULL)
            return hm_err_set(err, HM_EENV, "%s: the environment variable %s is not set", ref, ref + 4);
        return take_checked(ref, value, ret_secret, err);
    }
    if (!hm_starts_with(ref, "file:") && !hm_starts_with(ref, "credential:"))
        return hm_err_set(err, HM_EINVAL, "a secret must be written as env:NAME, file:PATH or credential:NAME");

    const char *name = strchr(ref, ':') + 1;
    const char *dir = base_dir;
    if (hm_starts_with(ref, "credential:")) {
        if (strchr(name, '/') != NULL)
            return hm_err_set(err, HM_EINVAL, "%s: a credential is a name, not a path; use file: for a path", ref);
        dir = getenv("CREDENTIALS_DIRECTORY");
        if (dir == NULL)
            return hm_err_set(err, HM_EENV, "%s: CREDENTIALS_DIRECTORY is not set (LoadCredential= in the unit)", ref);
    }
    char *path = name[0] == '/' ? hm_xstrdup(name) : hm_xasprintf("%s/%s", dir, name);
    enum hm_code code = read_file(ref, path, ret_secret, err);
    free(path);
    return code;
}

void hm_secret_free(char *secret)
{
    if (secret == NULL)
        return;
    explicit_bzero(secret, strlen(secret));
    free(secret);
}
