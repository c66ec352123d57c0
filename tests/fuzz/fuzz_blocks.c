/* The builder as a little machine: each input byte chooses a part, what follows up to the next NUL is its text. Whatever comes
 * out keeps Slack's limits (support/block_limits.c, written apart from the builder), and escaped text holds no syntax. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "slack/blocks.h"
#include "slack/escape.h"
#include "support/block_limits.h"
#include "target.h"

static void add_part(struct hm_blocks *b, size_t what, const char *text)
{
    const char *const texts[] = {text, text, "x"};
    const struct hm_confirm confirm = {text, text, text, "No", HM_STYLE_DANGER};
    const struct hm_button buttons[] = {{text, "hm.a", "v", HM_STYLE_PRIMARY, &confirm},
                                        {"B", "hm.a", text, HM_STYLE_DEFAULT, NULL}};
    switch (what % 8) {
    case 0:
        (void)hm_blocks_header(b, text);
        break;
    case 1:
        (void)hm_blocks_section(b, text);
        break;
    case 2:
        (void)hm_blocks_fields(b, texts, 3);
        break;
    case 3:
        (void)hm_blocks_context(b, texts, 2);
        break;
    case 4:
        (void)hm_blocks_preformatted(b, text, what * 16);
        break;
    case 5:
        (void)hm_blocks_actions(b, buttons, 2);
        break;
    case 6:
        hm_blocks_reserve(b, what / 8, what * 40);
        break;
    default:
        for (size_t i = 0; i < what; i++)
            (void)hm_blocks_divider(b);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[256] = "";
    char *text = hm_xmalloc(size + 1);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';

    struct hm_slack_message m;
    struct hm_blocks *b = hm_blocks_new(HM_SURFACE_MESSAGE, text, 0);
    hm_blocks_where(b, text);
    for (size_t at = 0; at < size; at += 1 + strlen(text + at)) {
        size_t what = (unsigned char)text[at];
        if (what != 0)
            add_part(b, what, text + at + 1);
    }
    hm_blocks_finish(b, text, &m);
    HM_ASSERT(hm_limits_message(m.text, m.blocks, why, sizeof why));
    hm_slack_message_done(&m);

    struct hm_strbuf escaped;
    hm_strbuf_init(&escaped, SIZE_MAX / 2);
    hm_slack_escape_mrkdwn(&escaped, text);
    HM_ASSERT(strpbrk(hm_strbuf_str(&escaped), "<>`") == NULL);
    hm_strbuf_done(&escaped);
    free(text);
    return 0;
}
