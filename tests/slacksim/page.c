/* Only the files of the list exist: no path of a request ever reaches the file system. */
#include "page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"

enum { FILE_MAX = 4 * 1024 * 1024 };

static const struct {
    const char *path, *file, *type;
} files[] = {
    {"/", "index.html", "text/html; charset=utf-8"},
    {"/style.css", "style.css", "text/css; charset=utf-8"},
    {"/blocks.css", "blocks.css", "text/css; charset=utf-8"},
    {"/app.js", "app.js", "text/javascript; charset=utf-8"},
    {"/blocks.js", "blocks.js", "text/javascript; charset=utf-8"},
    {"/mrkdwn.js", "mrkdwn.js", "text/javascript; charset=utf-8"},
    {"/messages.js", "messages.js", "text/javascript; charset=utf-8"},
    {"/modal.js", "modal.js", "text/javascript; charset=utf-8"},
    {"/emoji.js", "emoji.js", "text/javascript; charset=utf-8"},
    {"/listbox.js", "listbox.js", "text/javascript; charset=utf-8"},
    {"/composer.js", "composer.js", "text/javascript; charset=utf-8"},
};

static bool read_file(const char *dir, const char *name, struct hm_strbuf *out)
{
    char *path = hm_xasprintf("%s/%s", dir, name);
    FILE *f = fopen(path, "rbe");
    char chunk[16384];
    size_t n = 0;

    free(path);
    if (f == NULL) {
        return false;
    }
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0) {
        hm_strbuf_add(out, chunk, n);
    }
    (void)fclose(f);
    return !out->failed;
}

void sim_page_on_request(struct sim *sim, struct sim_req *req)
{
    struct hm_strbuf text;
    size_t i = 0;

    hm_strbuf_init(&text, FILE_MAX);
    for (i = 0; i < HM_ARRAY_LEN(files); i++) {
        if (strcmp(files[i].path, req->path) == 0 && read_file(sim->opts.page_dir, files[i].file, &text)) {
            sim_http_reply(req, 200, files[i].type, NULL, hm_strbuf_str(&text), text.len);
            hm_strbuf_done(&text);
            return;
        }
    }
    hm_strbuf_done(&text);
    sim_http_reply(req, 404, "text/plain", NULL, "not found", 9);
}
