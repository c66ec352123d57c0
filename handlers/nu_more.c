/* nu, further commands: images in the registry, successors of a dataset, scaling machines down, a service's certificate. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/argv_answer.h"
#include "handlers/http_answer.h"
#include "handlers/nu.h"

enum { MAX_LINES = 5000, NAME_MAX_BYTES = 200, OUTPUT_MAX_BYTES = 4 * 1024 * 1024 };

/* ---- registry list-images ------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec images_args[] = {
    {"image", HM_ARG_STRING, true, "which image, like nu-itaipu"},
    {"tag", HM_ARG_STRING, false, "a tag to look for"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code images_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                   struct hm_request *req, struct hm_err *err)
{
    static const char *const words[] = {"registry", "list-images", NULL};
    static const struct hm_nu_part parts[] = {{NULL, "image"}, {NULL, NULL}};
    (void)cursor;
    enum hm_code code = hm_nu_begin(backend, words, req, err);
    return code == HM_OK ? hm_nu_add(req, parts, args, err) : code;
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("._-", c) != NULL;
}

/* The tag stands in the text as a word of its own. */
static bool has_word(const char *text, const char *word)
{
    size_t len = strlen(word);
    if (len == 0)
        return false;
    for (const char *p = strstr(text, word); p != NULL; p = strstr(p + 1, word)) {
        bool begins = p == text || !is_word_char(p[-1]);
        bool ends = p[len] == '\0' || !is_word_char(p[len]);
        if (begins && ends)
            return true;
    }
    return false;
}

static enum hm_verdict images_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                       const struct hm_answer *answer, struct hm_outcome *out)
{
    static const struct hm_argv_asked asked = {.command = "nu registry list-images", .effect = HM_EFFECT_READ};
    (void)backend;
    (void)cursor;
    enum hm_verdict verdict = hm_argv_judge(&asked, answer, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    bool found = has_word(answer->body, hm_json_get_str(args, "tag", ""));
    if (!found && hm_argv_was_cut(answer)) {
        json_decref(out->result);
        out->result = NULL;
        return hm_outcome_fail(out, HM_VERDICT_PERMANENT,
                               "`nu registry list-images` printed more than is kept, and the tag is not in the end of it");
    }
    hm_json_set_str(out->result, "tag", hm_json_get_str(args, "tag", ""));
    hm_json_set_bool(out->result, "found", found);
    return HM_VERDICT_OK;
}

static const struct hm_field_spec list_images_fields[] = {
    {"tag", HM_FIELD_TEXT, true, "the tag", NULL},
    {"found", HM_FIELD_BOOL, true, "it stands in the whole output as a word of its own", NULL},
    HM_ARGV_RESULT_FIELDS,
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_nu_list_images = {
    .name = "nu.list-images",
    .title = "List the images of a repository",
    .doc = "What nu prints is not documented; registry.tags asks the registry itself.",
    .effect = HM_EFFECT_READ,
    .args = images_args,
    .result = list_images_fields,
    .request = images_request,
    .response = images_response,
};

/* ---- dataset-successors ---------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec successors_args[] = {
    {"transaction", HM_ARG_UUID, true, "the Metapod transaction"},
    {"dataset", HM_ARG_STRING, true, "name of the dataset, like dataset/fx-model"},
    {NULL, HM_ARG_STRING, false, NULL},
};

/* "dataset/x": begins with a small letter, has a slash, and nothing but what names are made of. */
static bool dataset_ok(const char *name, size_t len)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-/";
    return len > 0 && len <= NAME_MAX_BYTES && name[0] >= 'a' && name[0] <= 'z' && memchr(name, '/', len) != NULL &&
           strspn(name, allowed) >= len && name[len - 1] != '/';
}

static enum hm_code successors_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                       struct hm_request *req, struct hm_err *err)
{
    static const char *const words[] = {"datainfra", "hausmeister", "dataset-successors", NULL};
    const char *name = hm_json_get_str(args, "dataset", "");
    const char *transaction = hm_json_get_str(args, "transaction", "");
    (void)cursor;
    if (!hm_is_uuid(transaction))
        return hm_err_set(err, HM_EINVAL, "transaction: \"%.60s\" is not a UUID", transaction);
    if (!dataset_ok(name, strlen(name)) || strstr(name, "..") != NULL)
        return hm_err_set(err, HM_EINVAL, "dataset: \"%.80s\" is not a name like dataset/fx-model", name);
    enum hm_code code = hm_nu_begin(backend, words, req, err);
    if (code != HM_OK)
        return code;
    hm_request_add_word(req, transaction);
    hm_request_add_word(req, name);
    return HM_OK;
}

static enum hm_verdict successors_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                           const struct hm_answer *answer, struct hm_outcome *out)
{
    static const struct hm_argv_asked asked = {.command = "nu datainfra hausmeister dataset-successors",
                                               .effect = HM_EFFECT_READ};
    (void)backend;
    (void)cursor;
    enum hm_verdict verdict = hm_argv_judge(&asked, answer, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    json_t *list = hm_json_arr_new();
    bool ok = answer->body_len <= OUTPUT_MAX_BYTES && strlen(answer->body) == answer->body_len;
    for (const char *p = answer->body; ok && *p != '\0';) {
        size_t line = strcspn(p, "\n");
        const char *name = p + strspn(p, " \t");
        size_t len = name < p + line ? line - (size_t)(name - p) : 0;
        while (len > 0 && strchr(" \t\r", name[len - 1]) != NULL)
            len--;
        /* One line that is no name, and nobody knows what the others mean: better no answer than "no successors". */
        ok = len == 0 || (dataset_ok(name, len) && json_array_size(list) < MAX_LINES);
        bool own =
            len == strlen(hm_json_get_str(args, "dataset", "")) && strncmp(name, hm_json_get_str(args, "dataset", ""), len) == 0;
        if (ok && len > 0 && !own)
            hm_json_add(list, hm_json_strn_new(name, len));
        p += line + (p[line] == '\n');
    }
    if (ok) {
        hm_json_set_int(out->result, "count", (int64_t)json_array_size(list));
        hm_json_set(out->result, "names", json_incref(list));
    } else {
        json_decref(out->result);
        out->result = NULL;
        verdict = hm_outcome_fail(out, HM_VERDICT_PERMANENT,
                                  "`nu datainfra hausmeister dataset-successors` printed something other than names of datasets");
    }
    json_decref(list);
    return verdict;
}

static const struct hm_field_spec dataset_successors_fields[] = {
    {"names", HM_FIELD_LIST, true, "what depends on it", NULL},
    {"count", HM_FIELD_NUMBER, true, "how many", NULL},
    HM_ARGV_RESULT_FIELDS,
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_nu_dataset_successors = {
    .name = "nu.dataset-successors",
    .title = "List what is computed from a dataset",
    .doc = "In the graph of the transaction itself; the dataset itself is not counted. Fails when a line of the output is no "
           "dataset's name.",
    .effect = HM_EFFECT_READ,
    .args = successors_args,
    .result = dataset_successors_fields,
    .request = successors_request,
    .response = successors_response,
};

/* ---- ec2 scale_down ---------------------------------------------------------------------------------------------------------
 */

static const struct hm_arg_spec scale_down_args[] = {
    {"env", HM_ARG_STRING, true, "environment, like cantareira"},
    {"suffix", HM_ARG_STRING, true, "stack, like stable"},
    {"job", HM_ARG_STRING, true, "whose machines"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code scale_down_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                       struct hm_request *req, struct hm_err *err)
{
    static const char *const words[] = {"datainfra", "ec2", "scale_down", NULL};
    static const struct hm_nu_part parts[] = {{NULL, "env"}, {NULL, "suffix"}, {NULL, "job"}, {NULL, NULL}};
    (void)cursor;
    enum hm_code code = hm_nu_begin(backend, words, req, err);
    return code == HM_OK ? hm_nu_add(req, parts, args, err) : code;
}

static enum hm_verdict scale_down_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                           const struct hm_answer *answer, struct hm_outcome *out)
{
    static const struct hm_argv_asked asked = {.command = "nu datainfra ec2 scale_down", .effect = HM_EFFECT_ONCE};
    (void)backend;
    (void)args;
    (void)cursor;
    return hm_argv_judge(&asked, answer, out);
}

static const struct hm_field_spec scale_down_fields[] = {
    HM_ARGV_RESULT_FIELDS,
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_nu_scale_down = {
    .name = "nu.scale-down",
    .title = "Take the machines of a job down",
    .doc = "Ends all machines of the job; Spot may start new ones, so twice is not the same as once. Fails when nu's tokens are "
           "old. When it fails or is stopped, a person must say whether it happened.",
    .effect = HM_EFFECT_ONCE,
    .args = scale_down_args,
    .result = scale_down_fields,
    .request = scale_down_request,
    .response = scale_down_response,
};

/* ---- sec generate certificate -----------------------------------------------------------------------------------------------
 */

static const struct hm_arg_spec certificate_args[] = {
    {"service", HM_ARG_STRING, true, "whose certificate, like aurora"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code certificate_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                        struct hm_request *req, struct hm_err *err)
{
    static const char *const words[] = {"sec", "generate", "certificate", NULL};
    static const struct hm_nu_part parts[] = {{NULL, "service"}, {NULL, NULL}};
    (void)cursor;
    enum hm_code code = hm_nu_begin(backend, words, req, err);
    return code == HM_OK ? hm_nu_add(req, parts, args, err) : code;
}

/* What it prints stays with nu: there may be a key in it. */
static enum hm_verdict certificate_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                            const struct hm_answer *answer, struct hm_outcome *out)
{
    static const struct hm_argv_asked asked = {.command = "nu sec generate certificate", .effect = HM_EFFECT_ONCE};
    struct hm_answer silent = *answer;
    (void)backend;
    (void)cursor;
    silent.body = silent.errors = "";
    silent.body_len = 0;
    enum hm_verdict verdict = hm_argv_judge(&asked, &silent, out);
    if (verdict == HM_VERDICT_OK)
        hm_json_set_str(out->result, "service", hm_json_get_str(args, "service", ""));
    return verdict;
}

static const struct hm_field_spec generate_certificate_fields[] = {
    {"service", HM_FIELD_TEXT, true, "the service", NULL},
    {"output", HM_FIELD_TEXT, true, "empty: what the program prints is not kept", NULL},
    {"status", HM_FIELD_NUMBER, true, "its exit status", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_nu_generate_certificate = {
    .name = "nu.generate-certificate",
    .title = "Generate a service's certificate",
    .doc = "`nu sec generate certificate`. Infosec must have made it possible before. When it fails or is stopped, a person must "
           "say whether it happened.",
    .effect = HM_EFFECT_ONCE,
    .args = certificate_args,
    .result = generate_certificate_fields,
    .request = certificate_request,
    .response = certificate_response,
    .silent = true,
};
