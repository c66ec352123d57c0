/* nu ser curl METHOD [--env ENV] [--country COUNTRY] PROTOTYPE SERVICE PATH [-dBODY] [-- -w FORMAT]: a request to another system
 * of this world, with nu's certificate (systems that want a bearer refuse it).
 *
 * State, in "programs": "names": {"stale": nu can not resolve hosts until its cache is busted, "for_good": nor then}. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "house.h"

enum { UNRESOLVED = 6 };

void hm_house_nu_bust(json_t *state)
{
    json_t *names = hm_json_get_obj(state, "names");
    if (names != NULL && !hm_json_get_bool(names, "for_good", false))
        hm_json_set_bool(names, "stale", false);
}

/* curl's format as far as it is used: "\n%{http_code}\n". */
static bool write_out(const char *format, int status, struct hm_house_end *end)
{
    if (format == NULL)
        return true;
    if (!hm_streq(format, "\\n%{http_code}\\n"))
        return false;
    hm_strbuf_addf(end->out, "\n%03d\n", status);
    return true;
}

void hm_house_nu_curl(struct hm_world *world, const json_t *state, const char *const *words, struct hm_house_end *end)
{
    static const char usage[] =
        "nu ser curl METHOD [--env ENV] [--country COUNTRY] PROTOTYPE SERVICE PATH [-dBODY] [-- -w FORMAT]";
    const char *method = hm_house_word(&words), *body = "", *format = NULL;
    while (hm_house_option(&words, "--env") != NULL || hm_house_option(&words, "--country") != NULL)
        continue;
    const char *prototype = hm_house_word(&words), *service = hm_house_word(&words), *path = hm_house_word(&words);
    if (*words != NULL && hm_starts_with(*words, "-d"))
        body = *words++ + 2;
    if (hm_house_flag(&words, "--"))
        format = hm_house_option(&words, "-w");
    if (method == NULL || prototype == NULL || service == NULL || path == NULL || path[0] != '/' || *words != NULL) {
        hm_house_usage(end, usage);
        return;
    }
    if (hm_json_get_bool(hm_json_get_obj(state, "names"), "stale", false)) {
        (void)write_out(format, 0, end);
        hm_strbuf_addf(end->errors, "curl: (6) Could not resolve host: prod-%s-%s.example.com\n", prototype, service);
        end->status = UNRESOLVED;
        return;
    }
    char *whole = hm_xasprintf("/%s%s", service, path);
    struct hm_world_answer ans = {0};
    const struct hm_world_request req = {.method = method,
                                         .path = whole,
                                         .query = "",
                                         .body = body,
                                         .body_len = strlen(body),
                                         .content_type = body[0] != '\0' ? "application/json" : "",
                                         .authorization = "",
                                         .accept = "*/*",
                                         .headers = ""};
    hm_world_handle(world, &req, &ans);
    hm_strbuf_add(end->out, ans.body, ans.body_len);
    if (!write_out(format, ans.status, end))
        hm_house_usage(end, usage);
    hm_world_answer_done(&ans);
    free(whole);
}
