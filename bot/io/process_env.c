/* The environment of a child process: see process_env.h. */
#include "io/process_env.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "base/secret.h"

enum { NAME_MAX_LEN = 100 };

bool hm_process_env_name_ok(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    size_t len = strlen(name);
    if (len == 0 || len > NAME_MAX_LEN || strchr(letters, name[0]) == NULL)
        return false;
    return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789") == len;
}

static size_t count_of(char *const *env)
{
    size_t n = 0;
    while (env[n] != NULL)
        n++;
    return n;
}

void hm_process_env_set(char ***env, const char *name, const char *value)
{
    HM_ASSERT(hm_process_env_name_ok(name));
    size_t len = strlen(name);
    size_t n = count_of(*env);
    char *entry = hm_xasprintf("%s=%s", name, value);
    for (size_t i = 0; i < n; i++) {
        if (strncmp((*env)[i], name, len) != 0 || (*env)[i][len] != '=')
            continue;
        hm_secret_free((*env)[i]);
        (*env)[i] = entry;
        return;
    }
    *env = hm_xreallocarray(*env, n + 2, sizeof **env);
    (*env)[n] = entry;
    (*env)[n + 1] = NULL;
}

char **hm_process_env_new(void)
{
    static const struct {
        const char *name, *fallback;
    } base[] = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}, {"HOME", "/"}, {"LANG", "C.UTF-8"}};
    char **env = hm_xcalloc(1, sizeof *env);
    for (size_t i = 0; i < HM_ARRAY_LEN(base); i++) {
        const char *value = getenv(base[i].name);
        hm_process_env_set(&env, base[i].name, value != NULL && value[0] != '\0' ? value : base[i].fallback);
    }
    return env;
}

void hm_process_env_free(char **env)
{
    for (size_t i = 0; env != NULL && env[i] != NULL; i++)
        hm_secret_free(env[i]);
    free(env);
}
