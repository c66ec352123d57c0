/* A backend for each handler, named like it, and the shipped environments, for tests that load the shipped recipes: what is added
 * is there by itself. */
#ifndef HM_TESTS_UNIT_HANDLER_BACKENDS_H
#define HM_TESTS_UNIT_HANDLER_BACKENDS_H

#include "base/cfg.h"
#include "base/json.h"
#include "base/mem.h"
#include "handlers/handler.h"

enum { HANDLER_BACKENDS_MAX = 64 };

/* Pointers that stay valid; *ret_count of them. */
static inline const struct hm_backend *const *handler_backends(size_t *ret_count)
{
    static struct hm_backend backends[HANDLER_BACKENDS_MAX];
    static const struct hm_backend *list[HANDLER_BACKENDS_MAX];
    size_t n = 0;
    for (; hm_handlers[n] != NULL && n < HANDLER_BACKENDS_MAX; n++) {
        backends[n].name = hm_unconst(hm_handlers[n]->name);
        backends[n].handler = hm_unconst(hm_handlers[n]->name);
        list[n] = &backends[n];
    }
    *ret_count = n;
    return list;
}

/* Those of config/hausmeister.cfg; a new reference. */
static inline json_t *shipped_environments(void)
{
    struct hm_diags diags;
    hm_diags_init(&diags);
    struct hm_cfg *cfg = hm_cfg_open_file(HM_SOURCE_DIR "/config/hausmeister.cfg", &diags);
    struct hm_cfg_node *group = cfg != NULL ? hm_cfg_get_group(hm_cfg_root(cfg), "environments", HM_CFG_OPTIONAL) : NULL;
    json_t *environments = group != NULL ? hm_cfg_json_new(group) : hm_json_obj_new();
    hm_cfg_close(cfg);
    hm_diags_done(&diags);
    return environments;
}

#endif
