/* Requests through `nu ser curl`: see nu_curl.h. */
#include "handlers/nu_curl.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/argv_answer.h"

enum { STATUS_DIGITS = 3, STATUS_MIN = 100, STATUS_MAX = 599 };

static void add_setting(struct hm_request *req, const struct hm_backend *backend, const char *option, const char *setting)
{
    const char *value = hm_json_get_str(backend->settings, setting, "");
    if (value[0] == '\0')
        return;
    hm_request_add_word(req, option);
    hm_request_add_word(req, value);
}

void hm_nu_curl_request(const struct hm_backend *backend, const char *service, const char *method, const char *path,
                        json_t *stolen_body, struct hm_request *req)
{
    static const char *const bust[] = {"cache", "bust", "stack"};
    hm_request_add_word(req, backend->program);
    hm_request_add_word(req, "ser");
    hm_request_add_word(req, "curl");
    hm_request_add_word(req, method);
    add_setting(req, backend, "--env", "nu_env");
    add_setting(req, backend, "--country", "nu_country");
    hm_request_add_word(req, hm_json_get_str(backend->settings, "nu_prototype", "global"));
    hm_request_add_word(req, service);
    hm_request_add_word(req, path);
    if (stolen_body != NULL) {
        char *text = hm_json_text(stolen_body);
        char *word = hm_xasprintf("-d%s", text); /* one word, as the cookbook writes it */
        hm_request_add_word(req, word);
        free(word);
        free(text);
        json_decref(stolen_body);
    }
    /* What comes after -- is curl's: the status as a last line, because nu's exit status does not tell it. */
    hm_request_add_word(req, "--");
    hm_request_add_word(req, "-w");
    hm_request_add_word(req, "\\n%{http_code}\\n");
    hm_request_add_remedy_word(req, backend->program);
    for (size_t i = 0; i < HM_ARRAY_LEN(bust); i++)
        hm_request_add_remedy_word(req, bust[i]);
}

/* The status on the last line, and how long the text before it is; -1 when there is none. */
static int last_status(const char *text, size_t len, size_t *ret_before)
{
    while (len > 0 && isspace((unsigned char)text[len - 1]) != 0)
        len--;
    if (len < STATUS_DIGITS || (len > STATUS_DIGITS && text[len - STATUS_DIGITS - 1] != '\n'))
        return -1;
    int status = 0;
    for (size_t i = len - STATUS_DIGITS; i < len; i++) {
        if (isdigit((unsigned char)text[i]) == 0)
            return -1;
        status = status * 10 + (text[i] - '0');
    }
    *ret_before = len - STATUS_DIGITS > 0 ? len - STATUS_DIGITS - 1 : 0;
    return status >= STATUS_MIN && status <= STATUS_MAX ? status : -1;
}

enum hm_verdict hm_nu_curl_answer(const struct hm_http_asked *asked, const struct hm_answer *answer, struct hm_answer *ret_http,
                                  char **ret_body, struct hm_outcome *out)
{
    size_t before = 0;
    *ret_body = NULL;
    *ret_http = *answer;
    if (asked->backend->program == NULL)
        return HM_VERDICT_OK;
    int status = last_status(answer->body, answer->body_len, &before);
    if (status > 0) {
        *ret_body = hm_xstrndup(answer->body, before);
        ret_http->status = status;
        ret_http->body = *ret_body;
        ret_http->body_len = strlen(*ret_body);
        ret_http->content_type = "";
        ret_http->location = "";
        ret_http->retry_after_s = -1;
        return HM_VERDICT_OK;
    }
    if (hm_argv_unresolved(answer))
        return hm_outcome_fail(out, HM_VERDICT_PERMANENT,
                               "nu could not resolve the host of %s, nor after one `nu cache bust stack`; nothing was sent",
                               asked->system);
    const struct hm_argv_asked ran = {.command = "nu ser curl", .effect = HM_EFFECT_ONCE};
    if (answer->status != 0)
        return hm_argv_judge(&ran, answer, out);
    return hm_outcome_fail(out, HM_VERDICT_MAYBE,
                           "`nu ser curl` ended without the HTTP status of %s; it may have happened or not", asked->system);
}
