/* Any bytes as a recipe file: a recipe or findings, never both and never neither; and whatever loads keeps the rule that matters
 * most: nothing that changes something comes without its gate, or without a reason why it needs none. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/cfg.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "recipe/recipe.h"
#include "target.h"

static void check_gates(const struct hm_recipe *r)
{
    HM_ASSERT(r->name != NULL && r->title != NULL && r->n_steps > 0);
    for (size_t i = 0; i < r->n_steps; i++) {
        const struct hm_step *step = &r->steps[i];
        HM_ASSERT(step->id != NULL && step->kind < HM_STEP_NR);
        if (step->kind != HM_STEP_DO)
            continue;
        HM_ASSERT(step->call.action != NULL && step->effect >= step->call.action->effect);
        if (step->effect == HM_EFFECT_READ)
            continue;
        HM_ASSERT(step->gate >= 0 || r->ungated != NULL);
        if (step->gate >= 0) {
            const struct hm_step *gate = &r->steps[step->gate];
            HM_ASSERT((size_t)step->gate < i && gate->kind == HM_STEP_APPROVE && gate->by[0] != NULL && gate->need > 0);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hm_diags diags;
    hm_diags_init(&diags);
    struct hm_cfg *cfg = hm_cfg_open_text("x", (const char *)data, size, &diags);
    HM_ASSERT((cfg != NULL) == (diags.count == 0));
    for (size_t i = 0; i < diags.count; i++) /* what our own grammar took, libconfig takes */
        HM_ASSERT(!hm_starts_with(diags.items[i].text, "can not be read from here on"));
    if (cfg != NULL)
        json_decref(hm_cfg_json_new(hm_cfg_root(cfg)));
    hm_cfg_close(cfg);
    hm_diags_done(&diags);

    char *text = hm_xstrndup((const char *)data, size);
    struct hm_recipe *recipe = hm_recipe_parse("x", text, NULL, &diags);
    HM_ASSERT((recipe != NULL) == (diags.count == 0));
    for (size_t i = 0; i < diags.count; i++)
        HM_ASSERT(diags.items[i].text[0] != '\0' && hm_utf8_valid(diags.items[i].text, strlen(diags.items[i].text)));
    if (recipe != NULL)
        check_gates(recipe);
    hm_recipe_free(recipe);
    hm_diags_done(&diags);
    free(text);
    return 0;
}
