/* docs/actions.md is what the tables of the handlers say. HM_UPDATE_GOLDEN=1 writes it anew. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cfg.h"
#include "base/diag.h"
#include "base/mem.h"
#include "handlers/handler.h"
#include "view/actions.h"

#define FILE_NAME HM_SOURCE_DIR "/docs/actions.md"

static void test_the_file(void **state)
{
    (void)state;
    size_t at = 0, line = 1, len = 0;
    struct hm_diags diags;
    char *text = hm_actions_text(NULL);
    if (getenv("HM_UPDATE_GOLDEN") != NULL) {
        FILE *file = fopen(FILE_NAME, "we");
        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
    }
    hm_diags_init(&diags);
    char *there = hm_cfg_read_text(FILE_NAME, &len, &diags);
    assert_non_null(there);
    for (; text[at] != '\0' && text[at] == there[at]; at++)
        line += text[at] == '\n' ? 1 : 0;
    if (text[at] != there[at])
        fail_msg("docs/actions.md:%zu is not what the tables say; HM_UPDATE_GOLDEN=1 writes it anew", line);
    hm_diags_done(&diags);
    free(there);
    free(text);
}

/* Every argument has its word for a person: it is all that the reference has about it. */
static void test_every_argument_is_explained(void **state)
{
    (void)state;
    for (size_t h = 0; hm_handlers[h] != NULL; h++)
        for (size_t a = 0; hm_handlers[h]->actions[a] != NULL; a++)
            for (const struct hm_arg_spec *arg = hm_handlers[h]->actions[a]->args; arg->name != NULL; arg++)
                if (arg->help == NULL || arg->help[0] == '\0')
                    fail_msg("%s: %s has no help", hm_handlers[h]->actions[a]->name, arg->name);
}

static void test_parts(void **state)
{
    (void)state;
    char *one = hm_actions_text("metapod.committed-count");
    assert_string_equal(one, "\n### metapod.committed-count\n\nCount the committed datasets of a transaction. Effect: read.\n"
                             "\nTakes:\n\n- `transaction` (uuid, required): the Metapod transaction\n"
                             "\nGives:\n\n- `count` (number): committed datasets\n");
    char *handler = hm_actions_text("registry");
    assert_non_null(strstr(handler, "### registry.tags\n"));
    assert_null(strstr(handler, "### metapod."));
    char *open = hm_actions_text("splunk.search");
    assert_non_null(strstr(open, "\n- `list` (list of objects): the rows, oldest first\n  - `time` (text, or null): "));
    assert_non_null(strstr(open, "\n  - any name (anything): each further field"));
    char *more = hm_actions_text("metapod.dataset");
    assert_non_null(strstr(more, "\n- and the plain fields that the backend's setting `dataset_fields` names\n"));
    char *probe = hm_actions_text("metapod.retract-dataset");
    assert_non_null(strstr(probe, "Effect: idempotent, with a probe. "));
    assert_non_null(strstr(probe, "\nIn `probe`:\n\n- `transaction` (uuid)"));
    assert_null(hm_actions_text("metapod.nothing"));
    free(one);
    free(handler);
    free(open);
    free(more);
    free(probe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_file), cmocka_unit_test(test_every_argument_is_explained),
                                       cmocka_unit_test(test_parts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
