/* Any text as the words of a slash command: it gives values for params that exist, or a sentence; what is accepted is accepted
 * again, unchanged. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "recipe/recipe.h"
#include "target.h"

static const char recipe_text[] =
    "name = \"x\"; title = \"x\"; params = (\n"
    "{ name = \"note\"; type = \"string\"; help = \"h\"; optional = true; },\n"
    "{ name = \"id\"; type = \"uuid\"; help = \"h\"; optional = true; },\n"
    "{ name = \"only\"; type = \"regex\"; help = \"h\"; default = \".*\"; },\n"
    "{ name = \"n\"; type = \"int\"; help = \"h\"; optional = true; min = -5; },\n"
    "{ name = \"env\"; type = \"choice\"; help = \"h\"; choices = [ \"foz\", \"cantareira\" ]; default = \"foz\"; },\n"
    "{ name = \"sure\"; type = \"bool\"; help = \"h\"; optional = true; },\n"
    "{ name = \"day\"; type = \"date\"; help = \"h\"; optional = true; },\n"
    "{ name = \"dataset\"; type = \"dataset\"; help = \"h\"; optional = true; },\n"
    "{ name = \"word\"; type = \"string\"; help = \"h\"; optional = true; pattern = \"(a|b)*c\"; } );\n"
    "steps = ( { id = \"end\"; say = \"x\"; } );\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hm_err err = {0};
    struct hm_diags diags;
    hm_diags_init(&diags);
    struct hm_recipe *recipe = hm_recipe_parse("x", recipe_text, NULL, &diags);
    HM_ASSERT(recipe != NULL);
    char *words = hm_xstrndup((const char *)data, size);
    json_t *scope = hm_json_obj_new();

    json_t *raw = hm_params_parse_new(recipe, words, &err);
    HM_ASSERT((raw != NULL) == (err.msg[0] == '\0'));
    json_t *given = NULL;
    json_t *values = raw != NULL ? hm_params_check_new(recipe, raw, scope, &given, &err) : NULL;
    HM_ASSERT((values != NULL) == (err.msg[0] == '\0'));
    HM_ASSERT(hm_utf8_valid(err.msg, strlen(err.msg)));
    if (values != NULL) {
        HM_ASSERT(json_object_size(values) == recipe->n_params);
        json_t *again = hm_params_check_new(recipe, values, scope, NULL, &err);
        HM_ASSERT(again != NULL && json_equal(values, again) == 1);
        json_decref(again);
    }
    json_decref(given);
    json_decref(values);
    json_decref(raw);
    json_decref(scope);
    free(words);
    hm_recipe_free(recipe);
    hm_diags_done(&diags);
    return 0;
}
