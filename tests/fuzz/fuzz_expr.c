/* Any text as an expression: what parses can be evaluated (to a value or a sentence), gives the same value twice, and names only
 * paths that stand in it. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "recipe/expr.h"
#include "target.h"

static const char scope_text[] = "{\"a\":1,\"b\":\"x\",\"c\":[1,\"x\",null],\"d\":{\"e\":[{\"f\":2.5}],\"g-h\":true},\"n\":null}";

static void on_path(void *arg, const char *root, const char *path)
{
    const char *text = arg;
    HM_ASSERT(root[0] != '\0' && hm_starts_with(path, root) && strstr(text, path) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hm_err err = {0};
    char *text = hm_xstrndup((const char *)data, size);
    struct hm_expr *expr = hm_expr_parse(text, &err);
    HM_ASSERT((expr != NULL) == (err.code == HM_OK) && (expr != NULL) == (err.msg[0] == '\0'));
    if (expr != NULL) {
        bool holds = false;
        json_t *scope = hm_json_parse_new(scope_text, strlen(scope_text), 1000, &err);
        json_t *value = hm_expr_eval_new(expr, scope, &err);
        json_t *again = hm_expr_eval_new(expr, scope, &err);
        HM_ASSERT((value != NULL) == (err.msg[0] == '\0'));
        HM_ASSERT(value == NULL ? again == NULL : json_equal(value, again) == 1);
        HM_ASSERT((hm_expr_true(expr, scope, &holds, &err) == HM_OK) == (value != NULL));
        hm_expr_paths(expr, on_path, text);
        json_decref(value);
        json_decref(again);
        json_decref(scope);
    }
    hm_expr_free(expr);
    free(text);
    return 0;
}
