/* The words of recipe tests: what docs/recipe-tests.md lists is what the loader takes. */
#include <stdlib.h>
#include <string.h>

#include "app/recipe_test.h"
#include "base/cfg.h"
#include "base/mem.h"
#include "unit.h"

static char *play_paragraph(void)
{
    struct hm_diags diags;
    size_t len = 0;
    hm_diags_init(&diags);
    char *text = hm_cfg_read_text(HM_SOURCE_DIR "/docs/recipe-tests.md", &len, &diags);
    assert_non_null(text);
    const char *from = strstr(text, "**play**");
    const char *to = from != NULL ? strstr(from, "\n\n") : NULL;
    if (to == NULL)
        fail_msg("docs/recipe-tests.md has no paragraph **play**");
    char *paragraph = to != NULL ? hm_xstrndup(from, (size_t)(to - from)) : NULL;
    free(text);
    hm_diags_done(&diags);
    return paragraph;
}

/* As a word of its own, between blanks or in backticks. */
static void assert_lists(const char *text, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word))
        if (at > text && strchr(" `\n", at[-1]) != NULL && strchr(" `\n", at[len]) != NULL)
            return;
    fail_msg("docs/recipe-tests.md does not name \"%s\"", word);
}

static void test_clicks_and_replies(void **state)
{
    (void)state;
    char *text = play_paragraph();
    size_t named = 0;
    for (int kind = 0; kind < HM_INPUT_NR; kind++) {
        const char *name = hm_recipe_test_click_name((enum hm_input_kind)kind);
        if (strcmp(name, "?") != 0)
            assert_lists(text, name);
        named += strcmp(name, "?") != 0 ? 1 : 0;
    }
    for (int kind = 0; kind < HM_REPLY_NR; kind++) {
        const char *name = hm_recipe_test_reply_name((enum hm_reply_kind)kind);
        if (strcmp(name, "?") != 0)
            assert_lists(text, name);
        named += strcmp(name, "?") != 0 ? 1 : 0;
    }
    assert_true(named > 30);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_clicks_and_replies)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
