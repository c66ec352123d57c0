/* See react.h. */
#include "react.h"

#include "base/json.h"
#include "base/text.h"

/* Index of a reaction by name; the array's size when there is none. */
static size_t find(const json_t *all, const char *name)
{
    size_t i = 0;

    while (i < json_array_size(all) && !hm_streq(hm_json_get_str(json_array_get(all, i), "name", NULL), name)) {
        i++;
    }
    return i;
}

static size_t find_user(const json_t *users, const char *user)
{
    size_t i = 0;

    while (i < json_array_size(users) && !hm_streq(json_string_value(json_array_get(users, i)), user)) {
        i++;
    }
    return i;
}

const char *sim_react_add(struct sim_msg *m, const char *user, const char *name)
{
    json_t *all = hm_json_get_arr(m->json, "reactions");
    json_t *reaction = json_array_get(all, find(all, name));
    json_t *users = hm_json_get_arr(reaction, "users");

    if (users != NULL && find_user(users, user) < json_array_size(users)) {
        return "already_reacted";
    }
    if (all == NULL) {
        all = hm_json_arr_new();
        hm_json_set(m->json, "reactions", all);
    }
    if (users == NULL) {
        reaction = hm_json_obj_new();
        users = hm_json_arr_new();
        hm_json_set_str(reaction, "name", name);
        hm_json_set(reaction, "users", users);
        hm_json_add(all, reaction);
    }
    hm_json_add(users, hm_json_str_new(user));
    hm_json_set_int(reaction, "count", (int64_t)json_array_size(users));
    return NULL;
}

const char *sim_react_remove(struct sim_msg *m, const char *user, const char *name)
{
    json_t *all = hm_json_get_arr(m->json, "reactions");
    size_t at = find(all, name);
    json_t *reaction = json_array_get(all, at);
    json_t *users = hm_json_get_arr(reaction, "users");
    size_t who = find_user(users, user);

    if (who >= json_array_size(users)) {
        return "no_reaction";
    }
    (void)json_array_remove(users, who);
    hm_json_set_int(reaction, "count", (int64_t)json_array_size(users));
    if (json_array_size(users) == 0) {
        (void)json_array_remove(all, at);
    }
    if (json_array_size(all) == 0) {
        (void)json_object_del(m->json, "reactions");
    }
    return NULL;
}
