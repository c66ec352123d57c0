/* Who is in which role: see roles.h. */
#include "app/roles.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/timer.h"

enum { REFRESH_MS = 5 * 60 * 1000, RETRY_MS = 20 * 1000, TOO_OLD_MS = 30 * 60 * 1000 };

struct group {
    struct hm_roles *roles;
    char *id;
    json_t *users;    /* array of ids; NULL before the first answer */
    int64_t fresh_ms; /* monotonic time of the newest answer */
    bool asked;
    bool wanted; /* named in the settings */
};

struct hm_roles {
    struct hm_web_api *api;
    const struct hm_clock *clock;
    const struct hm_settings *settings;
    struct hm_timer *timer;
    struct group **groups; /* each on the heap: an answer under way keeps its address */
    size_t n_groups;
    void (*on_fresh)(void *arg);
    void *arg;
};

static void on_users(void *arg, const struct hm_web_answer *answer)
{
    struct group *group = arg;
    json_t *users = hm_json_get_arr(answer->body, "users");
    group->asked = false;
    if (answer->code != HM_OK || users == NULL) {
        hm_log(HM_LOG_WARN, "roles", "the members of user group %s can not be read: %s", group->id,
               answer->code != HM_OK ? answer->sentence : "Slack's answer holds no list");
        hm_timer_start(group->roles->timer, RETRY_MS);
        return;
    }
    json_incref(users);
    json_decref(group->users);
    group->users = users;
    group->fresh_ms = hm_mono_ms(group->roles->clock);
    if (group->roles->on_fresh != NULL)
        group->roles->on_fresh(group->roles->arg);
}

static void ask(struct group *group)
{
    if (group->asked || !group->wanted)
        return;
    json_t *args = hm_json_obj_new();
    hm_json_set_str(args, "usergroup", group->id);
    group->asked = true;
    hm_web_call(group->roles->api, "usergroups.users.list", HM_WEB_BOT, args, on_users, group);
}

static void on_timer(void *arg)
{
    struct hm_roles *roles = arg;
    hm_roles_refresh(roles, NULL);
    hm_timer_start(roles->timer, REFRESH_MS);
}

struct hm_roles *hm_roles_new(uv_loop_t *loop, struct hm_web_api *api, const struct hm_clock *clock, void (*on_fresh)(void *arg),
                              void *arg)
{
    struct hm_roles *roles = hm_xcalloc(1, sizeof *roles);
    roles->api = api;
    roles->clock = clock;
    roles->on_fresh = on_fresh;
    roles->arg = arg;
    roles->timer = hm_timer_new(loop, on_timer, roles);
    hm_timer_start(roles->timer, REFRESH_MS);
    return roles;
}

void hm_roles_free(struct hm_roles *roles)
{
    if (roles == NULL)
        return;
    hm_timer_free(roles->timer);
    for (size_t i = 0; i < roles->n_groups; i++) {
        json_decref(roles->groups[i]->users);
        free(roles->groups[i]->id);
        free(roles->groups[i]);
    }
    free(roles->groups);
    free(roles);
}

static struct group *find_group(const struct hm_roles *roles, const char *id)
{
    for (size_t i = 0; i < roles->n_groups; i++)
        if (strcmp(roles->groups[i]->id, id) == 0)
            return roles->groups[i];
    return NULL;
}

void hm_roles_use(struct hm_roles *roles, const struct hm_settings *settings)
{
    roles->settings = settings;
    for (size_t i = 0; i < roles->n_groups; i++)
        roles->groups[i]->wanted = false;
    for (size_t i = 0; i < settings->n_roles; i++) {
        const char *id = settings->roles[i].usergroup;
        struct group *group = id != NULL ? find_group(roles, id) : NULL;
        if (id == NULL)
            continue;
        if (group == NULL) {
            group = hm_xcalloc(1, sizeof *group);
            group->roles = roles;
            group->id = hm_xstrdup(id);
            roles->groups = hm_xreallocarray(roles->groups, roles->n_groups + 1, sizeof(void *));
            roles->groups[roles->n_groups++] = group;
        }
        group->wanted = true;
        ask(group);
    }
}

void hm_roles_refresh(struct hm_roles *roles, const char *usergroup)
{
    for (size_t i = 0; i < roles->n_groups; i++)
        if (usergroup == NULL || strcmp(roles->groups[i]->id, usergroup) == 0)
            ask(roles->groups[i]);
}

static enum hm_member in_group(const struct hm_roles *roles, const char *id, const char *user)
{
    const struct group *group = find_group(roles, id);
    size_t i = 0;
    const json_t *member = NULL;
    if (group == NULL || group->users == NULL || hm_mono_ms(roles->clock) - group->fresh_ms > TOO_OLD_MS)
        return HM_MEMBER_UNKNOWN;
    json_array_foreach(group->users, i, member)
    {
        if (json_is_string(member) && strcmp(json_string_value(member), user) == 0)
            return HM_MEMBER_YES;
    }
    return HM_MEMBER_NO;
}

bool hm_roles_known(const struct hm_roles *roles)
{
    for (size_t i = 0; i < roles->n_groups; i++)
        if (roles->groups[i]->wanted && roles->groups[i]->users == NULL)
            return false;
    return true;
}

json_t *hm_roles_users_new(const struct hm_roles *roles, const char *role)
{
    json_t *users = hm_json_arr_new();
    const struct hm_role *found = roles->settings != NULL ? hm_settings_role(roles->settings, role) : NULL;
    const struct group *group = found != NULL && found->usergroup != NULL ? find_group(roles, found->usergroup) : NULL;
    for (char **listed = found != NULL ? found->users : NULL; listed != NULL && *listed != NULL; listed++)
        hm_json_add(users, hm_json_str_new(*listed));
    if (group != NULL && group->users != NULL)
        (void)json_array_extend(users, group->users);
    return users;
}

enum hm_member hm_roles_member(const struct hm_roles *roles, const char *role, const char *user)
{
    const struct hm_role *found = roles->settings != NULL ? hm_settings_role(roles->settings, role) : NULL;
    if (found == NULL)
        return HM_MEMBER_NO;
    for (char **listed = found->users; *listed != NULL; listed++)
        if (strcmp(*listed, user) == 0)
            return HM_MEMBER_YES;
    return found->usergroup != NULL ? in_group(roles, found->usergroup, user) : HM_MEMBER_NO;
}
