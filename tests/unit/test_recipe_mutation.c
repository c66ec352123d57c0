/* Mutants of every shipped recipe: one mistake each, such as a tired person makes or a merge leaves behind. None may load, and
 * each must be found at its line, with a sentence that says what it is. The mistakes are made in the text, at every place where
 * they can be made, so a recipe that is shipped tomorrow is tested too. (The release build looks at all of them; builds with
 * sanitizers, in which each takes ten times as long, at a tenth.) */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cfg.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "handler_backends.h"
#include "handlers/result.h"
#include "recipe/recipe.h"

enum { ANYWHERE = -1, WHOLE_FILE = 1 };
enum { MAX_PAIRS = 2000, TEXT_MAX = 300000, SHOWN = 20 };

/* One `key = value;` of the text. */
struct pair {
    size_t key, key_len;
    size_t value, value_len;
    int line;
    int parent;   /* the pair in whose value it stands, or -1 */
    size_t group; /* the { before it, or SIZE_MAX at the top */
};

struct subject {
    const char *file; /* short */
    char *text;
    const struct hm_recipe *recipe; /* as it is shipped */
    struct pair pairs[MAX_PAIRS];
    int n_pairs;
    const char *kind; /* of mistake */
    unsigned mutants, survivors;
};

static const char *const roles[] = {"hausmeister"};
static struct hm_names names; /* set by main() */
static unsigned every = 1;    /* HM_MUTANT_STEP: only each so-many-th mutant is looked at, where looking is slow */

/* ---- reading the text ------------------------------------------------------------------------------------------------ */

static bool is_word(char c)
{
    return c != '\0' && strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", c) != NULL;
}

/* Past blanks and comments. */
static size_t past_blanks(const char *text, size_t at)
{
    for (;;) {
        at += strspn(text + at, " \t\n");
        if (text[at] != '#' && !(text[at] == '/' && text[at + 1] == '/'))
            return at;
        at += strcspn(text + at, "\n");
    }
}

static size_t past_string(const char *text, size_t at)
{
    for (at++; text[at] != '"'; at++) {
        assert_true(text[at] != '\0');
        if (text[at] == '\\')
            at++;
    }
    return at + 1;
}

static int line_of(const char *text, size_t at)
{
    int line = 1;
    for (size_t i = 0; i < at; i++)
        line += text[i] == '\n' ? 1 : 0;
    return line;
}

static size_t read_value(struct subject *s, size_t at, int parent);

/* The pairs of a group, to its } or the end of the text. */
static size_t read_group(struct subject *s, size_t at, int parent, size_t group)
{
    for (at = past_blanks(s->text, at); s->text[at] != '\0' && s->text[at] != '}'; at = past_blanks(s->text, at)) {
        if (s->text[at] == ';' || s->text[at] == ',') {
            at++;
            continue;
        }
        assert_true(s->n_pairs < MAX_PAIRS);
        int index = s->n_pairs++;
        struct pair *pair = &s->pairs[index];
        *pair = (struct pair){.key = at, .line = line_of(s->text, at), .parent = parent, .group = group};
        while (is_word(s->text[at]))
            at++;
        pair->key_len = at - pair->key;
        assert_true(pair->key_len > 0);
        at = past_blanks(s->text, at);
        assert_int_equal(s->text[at], '=');
        pair->value = past_blanks(s->text, at + 1);
        at = read_value(s, pair->value, index);
        pair->value_len = at - pair->value;
    }
    return at;
}

static size_t read_value(struct subject *s, size_t at, int parent)
{
    const char *text = s->text;
    if (text[at] == '{') {
        at = read_group(s, at + 1, parent, at);
        assert_int_equal(text[at], '}');
        return at + 1;
    }
    if (text[at] == '(' || text[at] == '[') {
        char end = text[at] == '(' ? ')' : ']';
        for (at = past_blanks(text, at + 1); text[at] != end; at = past_blanks(text, at))
            at = text[at] == ',' ? at + 1 : read_value(s, at, parent);
        return at + 1;
    }
    if (text[at] == '"') {
        size_t end = past_string(text, at);
        while (text[past_blanks(text, end)] == '"') /* neighbours are one */
            end = past_string(text, past_blanks(text, end));
        return end;
    }
    assert_true(is_word(text[at]));
    while (is_word(text[at]))
        at++;
    return at;
}

/* ---- a mutant -------------------------------------------------------------------------------------------------------- */

static bool key_is(const struct subject *s, int index, const char *key)
{
    const struct pair *pair = index >= 0 ? &s->pairs[index] : NULL;
    return pair != NULL && pair->key_len == strlen(key) && strncmp(s->text + pair->key, key, pair->key_len) == 0;
}

/* One of the fragments, parted by |, is in the text. */
static bool says(const char *text, const char *fragments)
{
    if (fragments[0] == '\0')
        return text[0] != '\0';
    while (*fragments != '\0') {
        size_t len = strcspn(fragments, "|");
        char *one = hm_xstrndup(fragments, len);
        bool found = strstr(text, one) != NULL;
        free(one);
        if (found)
            return true;
        fragments += len + (fragments[len] == '|' ? 1 : 0);
    }
    return false;
}

static void show_survivor(const struct subject *s, const char *mutant, int line, const char *said, const struct hm_diags *diags)
{
    if (s->survivors > SHOWN)
        return;
    size_t at = 0;
    for (int i = 1; i < line; i++)
        at += strcspn(mutant + at, "\n") + 1;
    print_error("%s: %s: line %d should be said to be wrong (%s):\n    %.*s\n", s->file, s->kind, line, said,
                (int)strcspn(mutant + at, "\n"), mutant + at);
    for (size_t i = 0; i < diags->count; i++)
        print_error("  found: %d: %s\n", diags->items[i].line, diags->items[i].text);
    if (diags->count == 0)
        print_error("  it loads\n");
}

/* The text with [at, at + len) replaced must not load. line: where that must be found; ANYWHERE: at some line; WHOLE_FILE: at
 * the first, because what is missing has no place. What is replaced keeps its line breaks. */
static void mutate(struct subject *s, size_t at, size_t len, const char *instead, int line, const char *said)
{
    struct hm_diags diags;
    struct hm_strbuf mutant;
    bool found = false;
    if (++s->mutants % every != 0)
        return;
    hm_strbuf_init(&mutant, TEXT_MAX);
    hm_strbuf_add(&mutant, s->text, at);
    hm_strbuf_adds(&mutant, instead);
    for (size_t i = at; i < at + len; i++)
        if (s->text[i] == '\n')
            hm_strbuf_addc(&mutant, '\n');
    hm_strbuf_adds(&mutant, s->text + at + len);
    hm_diags_init(&diags);
    struct hm_recipe *recipe = hm_recipe_parse(s->file, hm_strbuf_str(&mutant), &names, &diags);
    for (size_t i = 0; i < diags.count && !found; i++)
        found = (line == ANYWHERE ? diags.items[i].line > 0 : diags.items[i].line == line) && says(diags.items[i].text, said);
    if (recipe != NULL || !found) {
        s->survivors++;
        show_survivor(s, hm_strbuf_str(&mutant), line > 0 ? line : line_of(s->text, at), said, &diags);
    }
    hm_recipe_free(recipe);
    hm_diags_done(&diags);
    hm_strbuf_done(&mutant);
}

static void mutate_value(struct subject *s, int index, const char *instead, const char *said)
{
    const struct pair *pair = &s->pairs[index];
    mutate(s, pair->value, pair->value_len, instead, pair->line, said);
}

/* ---- the steps ------------------------------------------------------------------------------------------------------- */

/* The pair of a step's own key, or -1: those whose parent is `steps`. */
static int pair_of(const struct subject *s, size_t group, const char *key)
{
    for (int i = 0; i < s->n_pairs; i++)
        if (s->pairs[i].group == group && key_is(s, i, key))
            return i;
    return -1;
}

/* Calls with each step's { and its number. */
static void each_step(struct subject *s, void (*visit)(struct subject *s, size_t group, const struct hm_step *step))
{
    size_t n = 0;
    for (int i = 0; i < s->n_pairs; i++) {
        if (!key_is(s, i, "id") || !key_is(s, s->pairs[i].parent, "steps") || s->pairs[s->pairs[i].parent].parent != -1)
            continue;
        visit(s, s->pairs[i].group, &s->recipe->steps[n++]);
    }
    assert_int_equal(n, s->recipe->n_steps);
}

/* Sets a key of the step: its value when it has the key, else right after the {. The line of the key is where it is to be found.
 */
static void set_in_step(struct subject *s, size_t group, const char *key, const char *value, const char *said)
{
    int index = pair_of(s, group, key);
    if (index >= 0) {
        mutate_value(s, index, value, said);
        return;
    }
    char *added = hm_xasprintf("{ %s = %s;", key, value);
    mutate(s, group, 1, added, line_of(s->text, group), said);
    free(added);
}

static size_t end_of_group(const struct subject *s, size_t group)
{
    struct subject *scratch = hm_xcalloc(1, sizeof *scratch);
    scratch->text = s->text;
    size_t end = read_value(scratch, group, -1);
    free(scratch);
    return end;
}

/* ---- the mistakes ---------------------------------------------------------------------------------------------------- */

/* Where the loss of a gate shows: at the effect, or, when an earlier gate takes its place, at whatever that one does not do for.
 */
static int line_of_loss(const struct subject *s, const struct hm_step *gate, const struct hm_step *effect)
{
    for (size_t i = 0; &s->recipe->steps[i] != gate; i++)
        if (s->recipe->steps[i].kind == HM_STEP_APPROVE)
            return ANYWHERE;
    return effect->line;
}

static void drop_gate(struct subject *s, size_t group, const struct hm_step *step)
{
    if (step->kind != HM_STEP_APPROVE)
        return;
    for (size_t i = 0; i < s->recipe->n_steps; i++) {
        const struct hm_step *effect = &s->recipe->steps[i];
        if (effect->kind != HM_STEP_DO || effect->effect == HM_EFFECT_READ || &s->recipe->steps[effect->gate] != step)
            continue;
        char *instead = hm_xasprintf("{ id = \"%s\"; say = \"Go.\"; }", step->id);
        /* The last two: an earlier gate takes its place, and does not do. */
        mutate(s, group, end_of_group(s, group) - group, instead, line_of_loss(s, step, effect),
               "no approve step comes before it|guards nothing|gets its value after gate|is passed over when its");
        free(instead);
    }
}

static void gate_only_sometimes(struct subject *s, size_t group, const struct hm_step *step)
{
    if (step->kind != HM_STEP_APPROVE)
        return;
    char *when = hm_xasprintf("\"given.%s\"", s->recipe->params[0].name);
    for (size_t i = 0; i < s->recipe->n_steps; i++) {
        const struct hm_step *effect = &s->recipe->steps[i];
        bool guarded = effect->kind == HM_STEP_DO && effect->effect != HM_EFFECT_READ && &s->recipe->steps[effect->gate] == step;
        if (guarded && step->when == NULL) {
            char *added = hm_xasprintf("{ when = %s;", when);
            mutate(s, group, 1, added, line_of_loss(s, step, effect),
                   "is passed over when its `when` is false|gets its value after gate");
            free(added);
        }
    }
    free(when);
}

static void laxer_effect(struct subject *s, size_t group, const struct hm_step *step)
{
    if (step->kind != HM_STEP_DO || step->call.action->effect == HM_EFFECT_READ)
        return;
    set_in_step(s, group, "effect", "\"read\"", "is laxer than what");
    if (step->call.action->effect == HM_EFFECT_ONCE)
        set_in_step(s, group, "effect", "\"idempotent\"", "is laxer than what");
    set_in_step(s, group, "effect", "\"harmless\"", "harmless");
}

static void later_step(struct subject *s, size_t group, const struct hm_step *step)
{
    const struct hm_step *last = &s->recipe->steps[s->recipe->n_steps - 1];
    if (step == last)
        return;
    char *when = hm_xasprintf("\"%s.ok\"", last->id);
    set_in_step(s, group, "when", when, "comes later");
    free(when);
    when = hm_xasprintf("\"%s.ok\"", step->id);
    set_in_step(s, group, "when", when, "has no value yet here|has no value");
    free(when);
}

static void never_reached(struct subject *s, size_t group, const struct hm_step *step)
{
    (void)step;
    set_in_step(s, group, "when", "\"1 == 2\"", "is always false");
    set_in_step(s, group, "when", "\"true\"", "is always true");
    if (step->kind == HM_STEP_DO)
        set_in_step(s, group, "stop_if", "{ when = \"1 == 1\"; say = \"x\"; }", "is always true");
}

static void same_id(struct subject *s, size_t group, const struct hm_step *step)
{
    const struct hm_step *first = &s->recipe->steps[0];
    if (step == first)
        return;
    char *id = hm_xasprintf("\"%s\"", first->id);
    int index = pair_of(s, group, "id");
    mutate(s, s->pairs[index].value, s->pairs[index].value_len, id, line_of(s->text, group), "an earlier step has this id too");
    free(id);
}

static void no_kind(struct subject *s, size_t group, const struct hm_step *step)
{
    char *instead = hm_xasprintf("{ id = \"%s\"; title = \"x\"; }", step->id);
    mutate(s, group, end_of_group(s, group) - group, instead, line_of(s->text, group), "it does nothing");
    free(instead);
    bool is_text = step->kind == HM_STEP_SAY || step->kind == HM_STEP_MANUAL; /* another text would do as well */
    set_in_step(s, group, is_text ? "approve" : "manual", "\"x\"", "");
}

/* The pair stands in an object that is an argument itself: what may be in it is the action's own matter, which says so when it is
 * asked. */
static bool is_in_object_arg(const struct subject *s, int index)
{
    int object = s->pairs[index].parent;
    return object >= 0 && key_is(s, s->pairs[object].parent, "with");
}

/* The pair is a param that an offer fills in: whether the other recipe has it is found out when all recipes are there
 * (test_shipped_recipes). */
static bool is_in_offer(const struct subject *s, int index)
{
    int with = s->pairs[index].parent;
    return with >= 0 && key_is(s, with, "with") && key_is(s, s->pairs[with].parent, "offer");
}

static void misspelt_keys(struct subject *s)
{
    for (int i = 0; i < s->n_pairs; i++) {
        const struct pair *pair = &s->pairs[i];
        if (is_in_object_arg(s, i) || is_in_offer(s, i))
            continue;
        char *word = hm_xasprintf("%.*s%c", (int)pair->key_len, s->text + pair->key, s->text[pair->key + pair->key_len - 1]);
        char *said = hm_xasprintf("\"%s\"", word);
        mutate(s, pair->key, pair->key_len, word, pair->line, said);
        free(said);
        free(word);
    }
}

/* The pair is an argument under `with` that the action declares a number. */
static bool is_number_arg(const struct subject *s, int index)
{
    int with = s->pairs[index].parent;
    int call = key_is(s, with, "with") ? pair_of(s, s->pairs[with].group, "do") : -1;
    if (call < 0)
        return false;
    char *name = hm_xstrndup(s->text + s->pairs[call].value + 1, s->pairs[call].value_len - 2);
    const struct hm_action *action = hm_action_find(name);
    free(name);
    bool number = false;
    for (const struct hm_arg_spec *arg = action != NULL ? action->args : NULL; arg != NULL && arg->name != NULL; arg++)
        number = number || (key_is(s, index, arg->name) && arg->type == HM_ARG_INT);
    return number;
}

static void wrong_types(struct subject *s)
{
    for (int i = 0; i < s->n_pairs; i++) {
        char first = s->text[s->pairs[i].value];
        if (is_in_object_arg(s, i) || is_in_offer(s, i))
            continue;
        bool is_known = key_is(s, i, "default") && strncmp(s->text + s->pairs[i].value, "\"${", 3) == 0;
        if (is_known) /* the param may be a number */
            continue;
        bool text = first == '"' || first == '{' || first == '(' || first == '[';
        const char *said = key_is(s, i, "stop_if") ? "write {" : key_is(s, i, "expect") ? "must be|write a condition" : "must be";
        mutate_value(s, i, text && !is_number_arg(s, i) ? "7" : "\"seven\"", said);
    }
}

static void keys_twice(struct subject *s)
{
    for (int i = 0; i < s->n_pairs; i++) {
        const struct pair *pair = &s->pairs[i];
        size_t len = pair->value + pair->value_len - pair->key;
        if (memchr(s->text + pair->key, '\n', len) != NULL)
            continue;
        char *twice = hm_xasprintf("%.*s; %.*s", (int)len, s->text + pair->key, (int)len, s->text + pair->key);
        mutate(s, pair->key, len, twice, pair->line, "set twice");
        free(twice);
    }
}

static void missing_keys(struct subject *s)
{
    static const char *const needed[] = {"name", "title", "steps", "type", "help", "id", "by", "do", "expect"};
    for (int i = 0; i < s->n_pairs; i++) {
        const struct pair *pair = &s->pairs[i];
        bool is_needed = false;
        for (size_t n = 0; n < HM_ARRAY_LEN(needed) && !is_needed; n++)
            is_needed = key_is(s, i, needed[n]);
        if (!is_needed || (key_is(s, i, "title") && pair->parent >= 0) || key_is(s, pair->parent, "with"))
            continue;
        if (key_is(s, i, "expect") && !key_is(s, pair->parent, "verify")) /* a step needs none */
            continue;
        size_t len = pair->value + pair->value_len - pair->key;
        len += s->text[pair->key + len] == ';' ? 1 : 0;
        char *said =
            hm_xasprintf("\"%.*s\" is missing|it does nothing|give it an id|needs id|makes no sense on a step of kind say",
                         (int)pair->key_len, s->text + pair->key);
        bool other_kind = key_is(s, i, "do") && pair_of(s, pair->group, "say") >= 0; /* then it is taken for a `say` */
        int line = pair->group == SIZE_MAX ? WHOLE_FILE : other_kind ? ANYWHERE : line_of(s->text, pair->group);
        mutate(s, pair->key, len, "", line, said);
        free(said);
    }
}

static void unknown_words(struct subject *s)
{
    static const struct {
        const char *key, *said;
    } words[] = {{"do", "there is no action"}, {"type", "there is no type"},  {"by", "have no role"},
                 {"who", "have no role"},      {"on", "there is no backend"}, {"expires", "duration"},
                 {"timeout", "duration"},      {"wait", "duration"},          {"every", "duration"},
                 {"within", "duration"},       {"on_not_found", "is one of"}};
    for (int i = 0; i < s->n_pairs; i++) {
        for (size_t w = 0; w < HM_ARRAY_LEN(words); w++) {
            const struct pair *pair = &s->pairs[i];
            const char *quote = key_is(s, i, words[w].key) ? memchr(s->text + pair->value, '"', pair->value_len) : NULL;
            bool is_made =
                quote != NULL && pair->value_len > 2 && memmem(s->text + pair->value, pair->value_len, "${", 2) != NULL;
            if (quote == NULL || (is_made && key_is(s, i, "on"))) /* which backend it will be is known when it runs */
                continue;
            size_t at = past_string(s->text, (size_t)(quote - s->text)) - 1;
            mutate(s, at, 0, "x", pair->line, words[w].said);
        }
    }
}

/* ${name…} → ${namee…}: in every string, at every place. */
static void unknown_names(struct subject *s)
{
    for (int i = 0; i < s->n_pairs; i++) {
        const struct pair *pair = &s->pairs[i];
        for (size_t at = pair->value; s->text[pair->value] == '"' && at + 2 < pair->value + pair->value_len; at++) {
            if (strncmp(s->text + at, "${", 2) != 0 || s->text[at - 1] == '$')
                continue;
            size_t end = at + 2;
            while (is_word(s->text[end]))
                end++;
            if (end == at + 2 || s->text[end] == '(' || (end == at + 5 && strncmp(s->text + at + 2, "not", 3) == 0))
                continue;
            mutate(s, end, 0, "q", pair->line, "there is no|can only use");
        }
    }
}

/* What the action declares after `path` is a map, whose keys are somebody else's matter: there a misspelt one can not be known.
 */
static bool is_open(const struct subject *s, const char *path, size_t len)
{
    const struct hm_field_spec *fields = NULL;
    size_t at = strcspn(path, ".");
    for (size_t i = 0; i < s->recipe->n_steps; i++)
        if (s->recipe->steps[i].kind == HM_STEP_DO && strlen(s->recipe->steps[i].id) == at &&
            strncmp(s->recipe->steps[i].id, path, at) == 0)
            fields = s->recipe->steps[i].call.action->result;
    for (at++; at < len; at += strcspn(path + at, ".") + 1) {
        size_t part = strcspn(path + at, ".");
        if (strspn(path + at, "0123456789") == part)
            continue;
        const struct hm_field_spec *field = hm_field_find(fields, path + at, part);
        fields = field != NULL ? field->fields : NULL;
    }
    return hm_field_find(fields, "", 0) != NULL;
}

/* One path of an expression, at every field of it. Returns what follows it. */
static size_t misspell_path(struct subject *s, size_t at, int line)
{
    size_t root = at;
    while (is_word(s->text[at]))
        at++;
    bool is_known = at - root == 5 && strncmp(s->text + root, "known", 5) == 0; /* what alarms remember is not to be known */
    while (s->text[at] == '.' && is_word(s->text[at + 1])) {
        size_t field = ++at;
        while (is_word(s->text[at]))
            at++;
        if (strspn(s->text + field, "0123456789") < at - field && !is_known && !is_open(s, s->text + root, field - root))
            mutate(s, at, 0, "q", line, "gives no field|there is no");
    }
    return at;
}

/* An expression up to `end`, or to the } of its ${; returns where it ends. What stands in quotes is no path. */
static size_t misspell_expression(struct subject *s, size_t at, size_t end, int line)
{
    bool quoted = false;
    while (at < end && (quoted || s->text[at] != '}')) {
        quoted = quoted != (s->text[at] == '\'' || s->text[at] == '"');
        at = !quoted && is_word(s->text[at]) ? misspell_path(s, at, line) : at + 1;
    }
    return at;
}

/* a.list.0.name → a.listq.0.name, a.list.0.nameq: in the texts' ${…} and in expressions. */
static void misspelt_fields(struct subject *s)
{
    static const char *const expressions[] = {"when", "expect", "typed_when", "foreach", "from", "file"};
    for (int i = 0; i < s->n_pairs; i++) {
        const struct pair *pair = &s->pairs[i];
        size_t end = pair->value + pair->value_len;
        bool is_expression = false;
        for (size_t e = 0; e < HM_ARRAY_LEN(expressions); e++)
            is_expression = is_expression || (key_is(s, i, expressions[e]) && !key_is(s, pair->parent, "with"));
        if (s->text[pair->value] != '"')
            continue;
        if (key_is(s, i, "from") && key_is(s, pair->parent, "list")) /* of a param: a field of what is read for it */
            mutate(s, end - 1, 0, "q", pair->line, "gives no list");
        else if (is_expression)
            (void)misspell_expression(s, pair->value + 1, end - 1, pair->line);
        for (size_t at = pair->value; !is_expression && at < end; at++)
            if (strncmp(s->text + at, "${", 2) == 0 && s->text[at - 1] != '$')
                at = misspell_expression(s, at + 2, end, pair->line);
    }
}

static void broken_texts(struct subject *s)
{
    static const char *const expressions[] = {"when", "expect", "typed_when", "until", "foreach"};
    for (int i = 0; i < s->n_pairs; i++) {
        const struct pair *pair = &s->pairs[i];
        if (s->text[pair->value] != '"')
            continue;
        for (size_t e = 0; e < HM_ARRAY_LEN(expressions); e++)
            if (key_is(s, i, expressions[e]) && !key_is(s, pair->parent, "with"))
                mutate(s, pair->value + pair->value_len - 1, 0, " ==", pair->line, "character");
        for (size_t at = pair->value; at + 2 < pair->value + pair->value_len; at++) {
            const char *end = strncmp(s->text + at, "${", 2) == 0 ? strchr(s->text + at, '}') : NULL;
            if (end != NULL)
                mutate(s, (size_t)(end - s->text), 1, "", pair->line, "closing }|character");
        }
    }
}

static void wrapping_numbers(struct subject *s)
{
    for (int i = 0; i < s->n_pairs; i++) {
        if (strchr("0123456789", s->text[s->pairs[i].value]) == NULL)
            continue;
        mutate_value(s, i, "4294967297", "does not fit");
        if (key_is(s, s->pairs[i].parent,
                   "with")) /* an action's own argument: what it may be, the action says when it is asked */
            continue;
        if (key_is(s, i, "min") || key_is(s, i, "max")) /* of an int param: any number */
            continue;
        mutate_value(s, i, "-1", "must be");
        mutate_value(s, i, "4294967297L", "must be");
    }
}

/* A bracket that a merge has eaten. Where the reader notices can not be said in advance, only that it does. */
static void lost_brackets(struct subject *s)
{
    for (size_t at = past_blanks(s->text, 0); s->text[at] != '\0'; at = past_blanks(s->text, at)) {
        if (s->text[at] == '"') {
            at = past_string(s->text, at);
            continue;
        }
        if (strchr("(){}[]=", s->text[at]) != NULL)
            mutate(s, at, 1, " ", ANYWHERE, "");
        at++;
    }
}

/* ---- all of them over all recipes ------------------------------------------------------------------------------------ */

struct mistake {
    const char *kind;
    void (*at_once)(struct subject *s);
    void (*at_step)(struct subject *s, size_t group, const struct hm_step *step);
};

static const struct mistake mistakes[] = {
    {"the gate is gone", NULL, drop_gate},
    {"the gate is passed over sometimes", NULL, gate_only_sometimes},
    {"the effect is laxer than the action's", NULL, laxer_effect},
    {"a later step is named", NULL, later_step},
    {"a step that is never reached", NULL, never_reached},
    {"two steps of one id", NULL, same_id},
    {"a step of no kind, or of two", NULL, no_kind},
    {"a misspelt key", misspelt_keys, NULL},
    {"a value of the wrong type", wrong_types, NULL},
    {"a key twice", keys_twice, NULL},
    {"a key is missing", missing_keys, NULL},
    {"an unknown word", unknown_words, NULL},
    {"an unknown name in a text", unknown_names, NULL},
    {"a misspelt field of a result", misspelt_fields, NULL},
    {"a broken text or expression", broken_texts, NULL},
    {"a number that does not fit", wrapping_numbers, NULL},
    {"a lost bracket", lost_brackets, NULL},
};

static void load(struct hm_recipes *recipes)
{
    struct hm_diags diags;
    hm_diags_init(&diags);
    hm_recipes_load_dir(recipes, HM_SOURCE_DIR "/config/recipes", &names, &diags);
    assert_int_equal(diags.count, 0);
    assert_true(recipes->count >= 4);
    hm_diags_done(&diags);
}

static void test_no_mutant_loads(void **state)
{
    struct hm_recipes recipes = {0};
    unsigned made[HM_ARRAY_LEN(mistakes)] = {0};
    unsigned survivors = 0;
    unsigned mutants = 0;
    (void)state;
    load(&recipes);
    for (size_t r = 0; r < recipes.count; r++) {
        const char *slash = strrchr(recipes.items[r]->file, '/');
        struct subject *s = hm_xcalloc(1, sizeof *s);
        s->file = slash + 1;
        s->recipe = recipes.items[r];
        s->text = hm_xstrdup(recipes.items[r]->text);
        (void)read_group(s, 0, -1, SIZE_MAX);
        assert_true(s->n_pairs > 10);
        for (size_t m = 0; m < HM_ARRAY_LEN(mistakes); m++) {
            unsigned before = s->mutants;
            s->kind = mistakes[m].kind;
            if (mistakes[m].at_once != NULL)
                mistakes[m].at_once(s);
            else
                each_step(s, mistakes[m].at_step);
            made[m] += s->mutants - before;
        }
        mutants += s->mutants;
        survivors += s->survivors;
        free(s->text);
        free(s);
    }
    for (size_t m = 0; m < HM_ARRAY_LEN(mistakes); m++) {
        print_message("%5u mutants: %s\n", made[m], mistakes[m].kind);
        assert_true(made[m] > 0);
    }
    print_message("%5u mutants in all, %u not found as they should be\n", mutants, survivors);
    assert_int_equal(survivors, 0);
    hm_recipes_done(&recipes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_mutant_loads)};
    uint32_t wanted = 1;
    if (getenv("HM_MUTANT_STEP") != NULL && hm_parse_u32(getenv("HM_MUTANT_STEP"), 1000, &wanted) && wanted > 0)
        every = wanted;
    names.roles = roles;
    names.n_roles = HM_ARRAY_LEN(roles);
    names.backends = handler_backends(&names.n_backends);
    json_t *environments = shipped_environments();
    names.environments = environments;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_decref(environments);
    return failed;
}
