/* Checks that several groups of the configuration need: see settings_parts.h. */
#include "app/settings_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/suggest.h"
#include "base/text.h"

bool hm_settings_filled_in(const struct hm_cfg_node *node)
{
    static const char mark[] = "FILL IN";
    bool filled = true;
    const char *text = hm_cfg_string(node);
    if (text != NULL && hm_starts_with(text, mark)) {
        hm_cfg_add_here(node, "fill it in%s", text + strlen(mark));
        filled = false;
    }
    for (size_t i = 0; i < hm_cfg_count(node); i++)
        filled = hm_settings_filled_in(hm_cfg_at(node, i)) && filled;
    return filled;
}

char *hm_settings_text(struct hm_cfg_node *group, const char *key, enum hm_cfg_need need, size_t max)
{
    return hm_xstrdup_null(hm_cfg_get_str(group, key, need, max));
}

void hm_settings_check_id(const struct hm_cfg_node *node, const char *id, const char *initials)
{
    if (id == NULL || (id[0] != '\0' && strchr(initials, id[0]) != NULL && id[1] != '\0' &&
                       strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == strlen(id)))
        return;
    if (initials[1] == '\0')
        hm_cfg_add_here(node, "\"%.60s\" is no id of Slack; such an id begins with %s, like %sABC123", id, initials, initials);
    else
        hm_cfg_add_here(node, "\"%.60s\" is no id of Slack; such an id begins with %c or %c, like %cABC123", id, initials[0],
                        initials[1], initials[0]);
}

char *hm_settings_id(struct hm_cfg_node *group, const char *key, enum hm_cfg_need need, const char *initials)
{
    char *id = hm_settings_text(group, key, need, 32);
    if (id != NULL)
        hm_settings_check_id(hm_cfg_get(group, key, HM_CFG_OPTIONAL), id, initials);
    return id;
}

/* "evn:NAME" is a slip of the pen. What may be the secret itself is not said again. */
static void say_no_ref(const struct hm_cfg_node *node, const char *ref)
{
    char path[200];
    char meant[40];
    char scheme[16] = "";
    struct hm_suggest s;
    size_t len = strcspn(ref, ":");
    if (ref[len] == ':' && len + 1 < sizeof scheme)
        memcpy(scheme, ref, len + 1);
    hm_suggest_init(&s, scheme);
    hm_suggest_try(&s, "env:");
    hm_suggest_try(&s, "file:");
    hm_suggest_try(&s, "credential:");
    (void)hm_cfg_path(node, path, sizeof path);
    if (scheme[0] != '\0' && s.best != NULL && s.distance > 0)
        hm_cfg_add(node, "%s: no secret is named with \"%s\"%s", path, scheme, hm_suggest_text(&s, meant, sizeof meant));
    else
        hm_cfg_add(node, "%s must not hold the secret itself: write env:NAME, file:PATH or credential:NAME", path);
}

char *hm_settings_secret(struct hm_cfg_node *group, const char *key, enum hm_cfg_need need)
{
    char *ref = hm_settings_text(group, key, need, HM_SETTINGS_TEXT);
    if (ref != NULL && !hm_secret_ref_ok(ref)) {
        say_no_ref(hm_cfg_get(group, key, HM_CFG_OPTIONAL), ref);
        HM_FREE(ref);
    }
    return ref;
}

/* True when the part of a URL behind "http://" or "https://" names this machine. */
static bool is_here(const char *host)
{
    static const char *const loopback[] = {"127.0.0.1", "localhost", "[::1]"};
    for (size_t i = 0; i < HM_ARRAY_LEN(loopback); i++) {
        size_t len = strlen(loopback[i]);
        if (strncmp(host, loopback[i], len) == 0 && (host[len] == '\0' || host[len] == ':' || host[len] == '/'))
            return true;
    }
    return false;
}

bool hm_settings_url_is_here(const char *url)
{
    const char *slashes = strstr(url, "://");
    return slashes != NULL && is_here(slashes + 3);
}

static bool url_ok(const char *url)
{
    if (hm_starts_with(url, "https://"))
        return url[8] != '\0';
    return hm_starts_with(url, "http://") && is_here(url + 7);
}

void hm_settings_check_url(const struct hm_cfg_node *group, const char *key, const char *url)
{
    char path[200];
    if (url == NULL || url_ok(url))
        return;
    bool given = hm_cfg_has(group, key); /* else it is a variable of the environment */
    hm_cfg_add(group, "%s%s%s \"%s\" is neither https:// nor http:// to this machine (127.0.0.1, [::1], localhost)",
               given ? hm_cfg_path(group, path, sizeof path) : "", given ? "." : "", key, url);
}
