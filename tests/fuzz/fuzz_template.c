/* Any text as a template, and any text as a value in one: whatever is inserted stays a value. For Slack no < or > and no bare &
 * comes out of it, and no backtick; in a JSON string it reads back as itself; in a URL only what RFC 3986 leaves alone. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/mem.h"
#include "recipe/template.h"
#include "target.h"

static char *render(const char *template, enum hm_sink sink, const json_t *scope)
{
    struct hm_err err = {0};
    struct hm_template *tpl = hm_template_parse(template, &err);
    HM_ASSERT((tpl != NULL) == (err.msg[0] == '\0'));
    char *text = tpl != NULL ? hm_template_render(tpl, sink, scope, &err) : NULL;
    HM_ASSERT((text != NULL) == (err.msg[0] == '\0'));
    hm_template_free(tpl);
    return text;
}

static void check_mrkdwn(const char *template, const json_t *scope, size_t ticks)
{
    char *text = render(template, HM_SINK_MRKDWN, scope);
    HM_ASSERT(text != NULL);
    size_t seen = 0;
    for (const char *p = text; *p != '\0'; p++) {
        HM_ASSERT(*p != '<' && *p != '>');
        HM_ASSERT(*p != '&' || strncmp(p, "&amp;", 5) == 0 || strncmp(p, "&lt;", 4) == 0 || strncmp(p, "&gt;", 4) == 0);
        seen += *p == '`' ? 1 : 0;
    }
    HM_ASSERT(seen == ticks);
    free(text);
}

static void check_value(const json_t *scope, const char *value)
{
    check_mrkdwn("${v}", scope, 0);
    check_mrkdwn("`${v}` *${v}*", scope, 2);
    check_mrkdwn("```\n${v}\n```", scope, 6);

    char *text = render("[\"${v}\"]", HM_SINK_JSON, scope);
    json_t *list = text != NULL ? json_loads(text, 0, NULL) : NULL;
    HM_ASSERT(list != NULL && json_array_size(list) == 1);
    HM_ASSERT(strcmp(json_string_value(json_array_get(list, 0)), value) == 0);
    json_decref(list);
    free(text);

    text = render("${v}", HM_SINK_URL, scope);
    HM_ASSERT(text != NULL);
    for (const char *p = text; *p != '\0'; p++)
        HM_ASSERT(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%", *p) != NULL);
    free(text);

    text = render("${v}", HM_SINK_PLAIN, scope);
    HM_ASSERT(text != NULL && strcmp(text, value) == 0);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = hm_xstrndup((const char *)data, size);
    json_t *scope = hm_json_obj_new();
    hm_json_set_str(scope, "v", text);
    for (unsigned sink = 0; sink < HM_SINK_NR; sink++)
        free(render(text, (enum hm_sink)sink, scope));
    check_value(scope, hm_json_get_str(scope, "v", ""));

    struct hm_err err = {0};
    json_t *tree = hm_json_obj_new();
    hm_json_set_str(tree, "k", text);
    struct hm_args_template *args = hm_args_template_new(tree, &err);
    HM_ASSERT((args != NULL) == (err.msg[0] == '\0'));
    json_t *made = args != NULL ? hm_args_render_new(args, scope, &err) : NULL;
    HM_ASSERT((made != NULL) == (err.msg[0] == '\0'));
    json_decref(made);
    hm_args_template_free(args);
    json_decref(tree);
    json_decref(scope);
    free(text);
    return 0;
}
