/* The programs of the house. The stand-ins in bin/ post their words here, POST /programs/NAME {"argv": […]}, and print and end as
 * the answer says: {"stdout", "stderr", "status"}. So a command changes the same world that the bot then looks at, its effects
 * are counted with all others, and the faults of the world are theirs too.
 *
 * State: {"tx_id": text, "images": {"nu-itaipu": ["c8574a9"]}, "successors": {"dataset/x": ["model/x"]},
 * "units": {"aurora-scheduler": {"since": text, "state": "active"}}}. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "house.h"

enum { MAX_WORDS = 100, MAX_OUTPUT = 100000, USAGE = 2 };

struct programs {
    json_t *state;
};

static const struct {
    const char *name;
    void (*run)(struct hm_world *world, json_t *state, const char *const *words, struct hm_house_end *end);
} programs[] = {{"nu", hm_house_nu}, {"sabesp", hm_house_sabesp}};

static void run(struct hm_world *world, struct programs *p, size_t which, const json_t *argv, struct hm_world_answer *ans)
{
    const char *words[MAX_WORDS + 1] = {NULL};
    struct hm_strbuf out, errors;
    struct hm_house_end end = {.out = &out, .errors = &errors};
    for (size_t i = 1; i < json_array_size(argv) && i <= MAX_WORDS; i++)
        words[i - 1] = json_string_value(json_array_get(argv, i)) != NULL ? json_string_value(json_array_get(argv, i)) : "";
    hm_strbuf_init(&out, MAX_OUTPUT);
    hm_strbuf_init(&errors, MAX_OUTPUT);
    programs[which].run(world, p->state, words, &end);
    json_t *body = hm_json_obj_new();
    hm_json_set_str(body, "stdout", hm_strbuf_str(&out));
    hm_json_set_str(body, "stderr", hm_strbuf_str(&errors));
    hm_json_set_int(body, "status", end.status);
    hm_world_answer_json(ans, 200, "application/json", body);
    hm_strbuf_done(&out);
    hm_strbuf_done(&errors);
}

static void programs_handle(void *system, struct hm_world *world, const struct hm_world_request *req, struct hm_world_answer *ans)
{
    struct programs *p = system;
    size_t which = 0;
    while (which < HM_ARRAY_LEN(programs) && !hm_streq(programs[which].name, req->path[0] == '/' ? req->path + 1 : ""))
        which++;
    json_t *body = hm_json_parse_new(req->body, req->body_len, MAX_OUTPUT, NULL);
    const json_t *argv = hm_json_get_arr(body, "argv");
    if (which == HM_ARRAY_LEN(programs))
        hm_world_answer_text(ans, 404, "No program is called %s.\n", req->path);
    else if (!hm_streq(req->method, "POST") || argv == NULL)
        hm_world_answer_text(ans, 400, "Post {\"argv\": […]}.\n");
    else
        run(world, p, which, argv, ans);
    json_decref(body);
}

static void programs_free(void *system)
{
    struct programs *p = system;
    json_decref(p->state);
    free(p);
}

static void *programs_new(const json_t *state, struct hm_err *err)
{
    struct programs *p = hm_xcalloc(1, sizeof *p);
    (void)err;
    p->state = json_is_object(state) ? json_deep_copy(state) : hm_json_obj_new();
    return p;
}

static json_t *programs_state_new(void *system)
{
    const struct programs *p = system;
    return json_deep_copy(p->state);
}

const struct hm_world_system hm_world_programs = {
    .name = "programs",
    .new = programs_new,
    .free = programs_free,
    .state_new = programs_state_new,
    .handle = programs_handle,
};

/* ---- what the programs have in common ---------------------------------------------------------------------------------------
 */

const char *hm_house_option(const char *const **words, const char *option)
{
    size_t len = strlen(option);
    const char *word = (*words)[0];
    if (word == NULL || strncmp(word, option, len) != 0)
        return NULL;
    if (word[len] == '=') {
        *words += 1;
        return word + len + 1;
    }
    if (word[len] != '\0' || (*words)[1] == NULL)
        return NULL;
    *words += 2;
    return (*words)[-1];
}

bool hm_house_flag(const char *const **words, const char *flag)
{
    if (!hm_streq((*words)[0], flag))
        return false;
    *words += 1;
    return true;
}

const char *hm_house_word(const char *const **words)
{
    const char *word = (*words)[0];
    if (word == NULL || word[0] == '-')
        return NULL;
    *words += 1;
    return word;
}

void hm_house_usage(struct hm_house_end *end, const char *what)
{
    hm_strbuf_addf(end->errors, "usage: %s\n", what);
    end->status = USAGE;
}
