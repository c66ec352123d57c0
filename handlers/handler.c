/* What all handlers share: words for enums, requests, looking actions up. */
#include "handlers/handler.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

static const char *const effect_names[HM_EFFECT_NR] = {"read", "idempotent", "once"};

const char *hm_effect_name(enum hm_effect effect)
{
    return (unsigned)effect < HM_EFFECT_NR ? effect_names[effect] : "?";
}

bool hm_effect_parse(const char *word, enum hm_effect *ret_effect)
{
    for (size_t i = 0; i < HM_EFFECT_NR; i++) {
        if (!hm_streq(word, effect_names[i]))
            continue;
        *ret_effect = (enum hm_effect)i;
        return true;
    }
    return false;
}

const char *hm_verdict_name(enum hm_verdict verdict)
{
    static const char *const names[HM_VERDICT_NR] = {"ok", "more", "retryable", "permanent", "not-found", "maybe"};
    return (unsigned)verdict < HM_VERDICT_NR ? names[verdict] : "?";
}

void hm_request_init(struct hm_request *req)
{
    memset(req, 0, sizeof(*req));
}

static void free_words(char **words)
{
    for (char **word = words; word != NULL && *word != NULL; word++)
        free(*word);
    free(words);
}

void hm_request_done(struct hm_request *req)
{
    if (req == NULL)
        return;
    free(req->method);
    free(req->url);
    for (size_t i = 0; i < req->n_headers; i++) {
        free(req->headers[i].name);
        free(req->headers[i].value);
    }
    free(req->headers);
    free(req->body);
    free_words(req->argv);
    free_words(req->remedy);
    hm_request_init(req);
}

void hm_request_copy(struct hm_request *to, const struct hm_request *from)
{
    hm_request_init(to);
    to->kind = from->kind;
    to->method = hm_xstrdup_null(from->method);
    to->url = hm_xstrdup_null(from->url);
    for (size_t i = 0; i < from->n_headers; i++)
        hm_request_add_header(to, from->headers[i].name, from->headers[i].value);
    if (from->body != NULL) {
        to->body = hm_xcalloc(1, from->body_len + 1);
        memcpy(to->body, from->body, from->body_len);
        to->body_len = from->body_len;
    }
    for (char **word = from->argv; word != NULL && *word != NULL; word++)
        hm_request_add_word(to, *word);
    for (char **word = from->remedy; word != NULL && *word != NULL; word++)
        hm_request_add_remedy_word(to, *word);
}

void hm_request_add_header(struct hm_request *req, const char *name, const char *value)
{
    req->headers = hm_xreallocarray(req->headers, req->n_headers + 1, sizeof(*req->headers));
    req->headers[req->n_headers].name = hm_xstrdup(name);
    req->headers[req->n_headers].value = hm_xstrdup(value);
    req->n_headers++;
}

static char **with_word(char **words, const char *word)
{
    size_t n = 0;
    while (words != NULL && words[n] != NULL)
        n++;
    words = hm_xreallocarray(words, n + 2, sizeof(*words));
    words[n] = hm_xstrdup(word);
    words[n + 1] = NULL;
    return words;
}

void hm_request_add_word(struct hm_request *req, const char *word)
{
    req->kind = HM_REQUEST_ARGV;
    req->argv = with_word(req->argv, word);
}

void hm_request_add_remedy_word(struct hm_request *req, const char *word)
{
    req->remedy = with_word(req->remedy, word);
}

static json_t *words_json_new(char **words)
{
    json_t *json = hm_json_arr_new();
    for (char **word = words; word != NULL && *word != NULL; word++)
        hm_json_add(json, hm_json_str_new(*word));
    return json;
}

json_t *hm_request_json_new(const struct hm_request *req)
{
    json_t *json = hm_json_obj_new();
    if (req->kind == HM_REQUEST_ARGV) {
        hm_json_set_str(json, "kind", "argv");
        hm_json_set(json, "argv", words_json_new(req->argv));
        if (req->remedy != NULL)
            hm_json_set(json, "remedy", words_json_new(req->remedy));
        return json;
    }
    json_t *headers = hm_json_obj_new();
    for (size_t i = 0; i < req->n_headers; i++)
        hm_json_set_str(headers, req->headers[i].name, req->headers[i].value);
    hm_json_set_str(json, "kind", "http");
    hm_json_set_str(json, "method", req->method);
    hm_json_set_str(json, "url", req->url);
    hm_json_set(json, "headers", headers);
    hm_json_set(json, "body", req->body != NULL ? hm_json_strn_new(req->body, req->body_len) : json_null());
    return json;
}

void hm_request_digest(const struct hm_request *req, char ret_hex[65])
{
    struct hm_sha256 *hash = hm_sha256_new();

    hm_sha256_add_field(hash, req->kind == HM_REQUEST_ARGV ? "argv" : "http");
    hm_sha256_add_field(hash, req->method);
    hm_sha256_add_field(hash, req->url);
    for (size_t i = 0; i < req->n_headers; i++) {
        hm_sha256_add_field(hash, req->headers[i].name);
        hm_sha256_add_field(hash, req->headers[i].value);
    }
    hm_sha256_add_field(hash, NULL); /* end of the headers */
    hm_sha256_add_field(hash, req->body != NULL ? "body" : NULL);
    if (req->body != NULL)
        hm_sha256_add(hash, req->body, req->body_len); /* its length is what remains: argv and a body do not go together */
    for (char **arg = req->argv; arg != NULL && *arg != NULL; arg++)
        hm_sha256_add_field(hash, *arg);
    if (req->remedy != NULL)
        hm_sha256_add_field(hash, NULL); /* end of the words */
    for (char **arg = req->remedy; arg != NULL && *arg != NULL; arg++)
        hm_sha256_add_field(hash, *arg);
    hm_sha256_take(hash, ret_hex);
}

const struct hm_handler *hm_handler_find(const char *name)
{
    for (const struct hm_handler *const *handler = hm_handlers; *handler != NULL; handler++)
        if (hm_streq((*handler)->name, name))
            return *handler;
    return NULL;
}

const struct hm_action *hm_action_find(const char *name)
{
    for (const struct hm_handler *const *handler = hm_handlers; *handler != NULL; handler++)
        for (const struct hm_action *const *action = (*handler)->actions; *action != NULL; action++)
            if (hm_streq((*action)->name, name))
                return *action;
    return NULL;
}

void hm_choice_text(const struct hm_arg_choice *choice, const char *quote, struct hm_strbuf *out)
{
    for (size_t i = 0; choice->ways[i] != NULL; i++) {
        hm_strbuf_addf(out, "%s%s", i == 0 ? "" : " or ", quote);
        for (const char *p = choice->ways[i]; *p != '\0'; p++) {
            if (*p == '+')
                hm_strbuf_addf(out, "%s and %s", quote, quote);
            else
                hm_strbuf_addc(out, *p);
        }
        hm_strbuf_adds(out, quote);
    }
}

char *hm_url_encode(const char *s)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out = hm_xmalloc(3 * strlen(s) + 1);
    char *p = out;

    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr("-._~", c) != NULL) {
            *p++ = (char)c;
            continue;
        }
        *p++ = '%';
        *p++ = hex[c >> 4];
        *p++ = hex[c & 15];
    }
    *p = '\0';
    return out;
}

char *hm_answer_header(const struct hm_answer *answer, const char *name)
{
    return hm_header_line(answer->headers, name);
}
