/* Judging a recipe test: what it expects against what came of it; and the same test with crashes against the one without. See
 * recipe_test.h.
 *
 * With a crash the requests may differ in what is harmless: reads are repeated, an idempotent effect is sent again, the question
 * whether something happened is asked. What must not differ: the end and its text, the lines said, which effects were sent, how
 * often each `once` took effect, and what was read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/recipe_test_stage.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

enum { OUT_MAX = 60000, CRASHES_SHOWN = 3, CARD_SHOWN_MAX = 8000, LINES_MAX = 3000 };

/* ---- lists of lines and their difference ----------------------------------------------------------------------------- */

struct lines {
    char **items;
    size_t count;
};

static struct lines lines_new(void)
{
    return (struct lines){.items = hm_xcalloc(1, sizeof(char *))};
}

static void add_line(struct lines *lines, char *stolen)
{
    lines->items = hm_xreallocarray(lines->items, lines->count + 1, sizeof(char *));
    lines->items[lines->count++] = stolen;
}

static void free_lines(struct lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        free(lines->items[i]);
    free(lines->items);
    *lines = (struct lines){0};
}

typedef bool (*fits_fn)(const void *arg, size_t expected, size_t got);

/* How many lines the ends of both lists, from (i, j) on, have in common: at [i * (m + 1) + j]. The caller frees. */
static unsigned short *common_lines(size_t n, size_t m, fits_fn fits, const void *arg)
{
    unsigned short *best = hm_xcalloc((n + 1) * (m + 1), sizeof *best);
    for (size_t i = n; i-- > 0;) {
        for (size_t j = m; j-- > 0;) {
            unsigned short skip_e = best[(i + 1) * (m + 1) + j];
            unsigned short skip_g = best[i * (m + 1) + j + 1];
            unsigned short both = fits(arg, i, j) ? (unsigned short)(best[(i + 1) * (m + 1) + j + 1] + 1) : 0;
            unsigned short most = skip_e > skip_g ? skip_e : skip_g;
            best[i * (m + 1) + j] = both > most ? both : most;
        }
    }
    return best;
}

/* Prints both lists as one: "-" for what is missing, "+" for what is too much (longest common subsequence). */
static void add_difference(struct hm_strbuf *out, const struct lines *expected, const struct lines *got, fits_fn fits,
                           const void *arg)
{
    size_t n = expected->count < LINES_MAX ? expected->count : LINES_MAX;
    size_t m = got->count < LINES_MAX ? got->count : LINES_MAX;
    unsigned short *best = common_lines(n, m, fits, arg);
    size_t i = 0;
    size_t j = 0;
    while (i < n || j < m) {
        bool same = i < n && j < m && fits(arg, i, j) && best[i * (m + 1) + j] == best[(i + 1) * (m + 1) + j + 1] + 1;
        bool missing = !same && i < n && (j == m || best[(i + 1) * (m + 1) + j] >= best[i * (m + 1) + j + 1]);
        hm_strbuf_addf(out, "    %c %.500s\n", same ? ' ' : missing ? '-' : '+', missing ? expected->items[i] : got->items[j]);
        i += same || missing ? 1 : 0;
        j += same || !missing ? 1 : 0;
    }
    free(best);
}

/* ---- what came of a play --------------------------------------------------------------------------------------------- */

static struct lines requests_of(const struct hm_test_play *play)
{
    struct lines lines = lines_new();
    for (size_t i = 0; i < play->n_sent; i++)
        add_line(&lines, hm_xstrdup(play->sent[i].name));
    return lines;
}

/* The lines that steps have said, in order. */
static struct lines said_of(const struct hm_test_play *play)
{
    struct lines lines = lines_new();
    for (size_t i = 0; i < play->n_journal; i++) {
        const struct hm_event *event = &play->journal[i].event;
        const char *said = event->type == HM_EV_STEP_FINISHED ? hm_json_get_str(event->data, "said", NULL) : NULL;
        if (said != NULL)
            add_line(&lines, hm_xstrdup(said));
    }
    return lines;
}

/* The end's text, or what is waited for. */
static const char *text_of(const struct hm_test_play *play)
{
    const char *text = "";
    if (play->waits_for != NULL)
        return play->waits_for;
    for (size_t i = 0; i < play->n_journal; i++)
        if (play->journal[i].event.type == HM_EV_RUN_FINISHED)
            text = hm_json_get_str(play->journal[i].event.data, "text", "");
    return text;
}

/* ---- against what the test expects ----------------------------------------------------------------------------------- */

struct requests {
    const struct hm_recipe_test *test;
    const struct hm_test_play *play;
};

static bool request_fits(const void *arg, size_t expected, size_t got)
{
    const struct requests *r = arg;
    const struct hm_test_request *want = &r->test->expect.requests[expected];
    const struct hm_test_sent *sent = &r->play->sent[got];
    return strcmp(want->to, sent->name) == 0 && (want->has == NULL || strstr(sent->body, want->has) != NULL);
}

static void compare_requests(const struct hm_recipe_test *test, const struct hm_test_play *play, struct hm_strbuf *out)
{
    const struct requests both = {test, play};
    bool same = test->expect.n_requests == play->n_sent;
    for (size_t i = 0; i < play->n_sent && same; i++)
        same = request_fits(&both, i, i);
    if (same)
        return;
    struct lines expected = lines_new();
    struct lines got = requests_of(play);
    for (size_t i = 0; i < test->expect.n_requests; i++) {
        const struct hm_test_request *want = &test->expect.requests[i];
        add_line(&expected, want->has != NULL ? hm_xasprintf("%s (with \"%s\")", want->to, want->has) : hm_xstrdup(want->to));
    }
    hm_strbuf_adds(out, "  requests (- expected, + sent):\n");
    add_difference(out, &expected, &got, request_fits, &both);
    free_lines(&expected);
    free_lines(&got);
}

struct said {
    const struct lines *got;
    char **expected;
};

static bool said_fits(const void *arg, size_t expected, size_t got)
{
    const struct said *said = arg;
    return strstr(said->got->items[got], said->expected[expected]) != NULL;
}

static void compare_said(const struct hm_recipe_test *test, const struct hm_test_play *play, struct hm_strbuf *out)
{
    if (test->expect.said == NULL)
        return;
    struct lines got = said_of(play);
    struct lines expected = {.items = test->expect.said, .count = test->expect.n_said};
    const struct said both = {&got, test->expect.said};
    bool same = got.count == expected.count;
    for (size_t i = 0; i < expected.count && same; i++)
        same = said_fits(&both, i, i);
    if (!same) {
        hm_strbuf_adds(out, "  lines said (- expected, + said):\n");
        add_difference(out, &expected, &got, said_fits, &both);
    }
    free_lines(&got);
}

static void compare_fragments(char *const *fragments, size_t n, const char *text, const char *what, struct hm_strbuf *out)
{
    bool all = true;
    bool print = strlen(text) < CARD_SHOWN_MAX;
    for (size_t i = 0; i < n; i++) {
        if (strstr(text, fragments[i]) != NULL)
            continue;
        hm_strbuf_addf(out, "  %s: %s\n", what, fragments[i]);
        all = false;
    }
    for (const char *line = all || !print ? "" : text; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        hm_strbuf_addf(out, "    | %.*s\n", (int)len, line);
        line += len + (line[len] == '\n' ? 1 : 0);
    }
}

static void compare_end(const struct hm_recipe_test *test, const struct hm_test_play *play, struct hm_strbuf *out)
{
    const char *text = text_of(play);
    if (strcmp(play->end, test->expect.end) != 0)
        hm_strbuf_addf(out, "  end: expected %s, got %s%s%s\n", test->expect.end, play->end, text[0] != '\0' ? ": " : "", text);
    else if (test->expect.text != NULL && strstr(text, test->expect.text) == NULL)
        hm_strbuf_addf(out, "  end text: expected \"%s\" in it, got \"%s\"\n", test->expect.text, text);
}

/* "  " before each line. */
static void add_problems(const struct hm_test_play *play, struct hm_strbuf *out)
{
    for (const char *line = hm_strbuf_str(&play->problems); *line != '\0';) {
        size_t len = strcspn(line, "\n");
        hm_strbuf_addf(out, "  %.*s\n", (int)len, line);
        line += len + (line[len] == '\n' ? 1 : 0);
    }
}

static void compare_with_test(const struct hm_recipe_test *test, const struct hm_test_play *play, struct hm_strbuf *out)
{
    add_problems(play, out);
    if (test->expect.refused != NULL || play->refused != NULL) {
        if (play->refused == NULL)
            hm_strbuf_addf(out, "  expected that the words are refused (\"%s\"), but a run was started\n", test->expect.refused);
        else if (test->expect.refused == NULL)
            hm_strbuf_addf(out, "  the words were refused: %s\n", play->refused);
        else if (strstr(play->refused, test->expect.refused) == NULL)
            hm_strbuf_addf(out, "  refused: expected \"%s\" in it, got \"%s\"\n", test->expect.refused, play->refused);
        return;
    }
    compare_requests(test, play, out);
    compare_said(test, play, out);
    compare_end(test, play, out);
    compare_fragments(test->expect.card, test->expect.n_card, play->last_card != NULL ? play->last_card : "",
                      "the last card does not say", out);
    compare_fragments(test->expect.shown, test->expect.n_shown, hm_strbuf_str(&play->cards), "no card says", out);
}

/* ---- with a crash against without ------------------------------------------------------------------------------------ */

static int compare_text(const void *a, const void *b)
{
    char *const *x = a;
    char *const *y = b;
    return strcmp(*x, *y);
}

enum kind { KIND_EFFECTS, KIND_ONCE_APPLIED, KIND_READS, KIND_NR };

/* Sorted; each once, but how often a `once` took effect counts. The bodies belong to them. */
static struct lines set_of(const struct hm_test_play *play, enum kind kind)
{
    struct lines all = lines_new();
    struct lines set = lines_new();
    for (size_t i = 0; i < play->n_sent; i++) {
        const struct hm_test_sent *sent = &play->sent[i];
        bool effect = sent->effect != HM_EFFECT_READ;
        bool wanted = kind == KIND_EFFECTS        ? effect && sent->arrived
                      : kind == KIND_ONCE_APPLIED ? sent->effect == HM_EFFECT_ONCE && sent->applied
                                                  : !effect && sent->ticket.purpose != HM_FOR_PROBE;
        if (wanted)
            add_line(&all, hm_xasprintf("%s%s%s", sent->name, sent->body[0] != '\0' ? " " : "", sent->body));
    }
    if (all.count > 0)
        qsort(all.items, all.count, sizeof(char *), compare_text);
    for (size_t i = 0; i < all.count; i++) {
        bool repeated = kind != KIND_ONCE_APPLIED && i > 0 && strcmp(all.items[i], all.items[i - 1]) == 0;
        if (!repeated)
            add_line(&set, hm_xstrdup(all.items[i]));
    }
    free_lines(&all);
    return set;
}

struct pair {
    const struct lines *expected, *got;
};

static bool same_line(const void *arg, size_t expected, size_t got)
{
    const struct pair *pair = arg;
    return strcmp(pair->expected->items[expected], pair->got->items[got]) == 0;
}

static void compare_lines(const char *title, const struct lines *expected, const struct lines *got, struct hm_strbuf *out)
{
    const struct pair pair = {expected, got};
    bool same = expected->count == got->count;
    for (size_t i = 0; i < expected->count && same; i++)
        same = same_line(&pair, i, i);
    if (same)
        return;
    hm_strbuf_addf(out, "  %s (- without the crash, + with it):\n", title);
    add_difference(out, expected, got, same_line, &pair);
}

static void compare_plays(const struct hm_test_play *plain, const struct hm_test_play *crashed, struct hm_strbuf *out)
{
    static const char *const titles[KIND_NR] = {"effects", "`once` effects that happened", "reads"};
    add_problems(crashed, out);
    if (crashed->problems.len > 0)
        return;
    for (int kind = 0; kind < KIND_NR; kind++) {
        struct lines expected = set_of(plain, (enum kind)kind);
        struct lines got = set_of(crashed, (enum kind)kind);
        compare_lines(titles[kind], &expected, &got, out);
        free_lines(&expected);
        free_lines(&got);
    }
    struct lines expected = said_of(plain);
    struct lines got = said_of(crashed);
    compare_lines("lines said", &expected, &got, out);
    free_lines(&expected);
    free_lines(&got);
    if (strcmp(plain->end, crashed->end) != 0 || strcmp(text_of(plain), text_of(crashed)) != 0)
        hm_strbuf_addf(out, "  end: without the crash %s \"%s\", with it %s \"%s\"\n", plain->end, text_of(plain), crashed->end,
                       text_of(crashed));
}

/* All crashes at one write. Returns how many went wrong. */
static unsigned crash_at(const struct hm_test_play *plain, unsigned write, unsigned shown, struct hm_recipe_verdict *verdict,
                         struct hm_strbuf *out)
{
    static const char *const modes[HM_TEST_CRASH_NR] = {
        [HM_TEST_CRASH_BEFORE] = "before it, the requests under way not arrived",
        [HM_TEST_CRASH_BEFORE_ARRIVED] = "before it, the requests under way arrived",
        [HM_TEST_CRASH_AFTER] = "after it, the requests under way not arrived",
        [HM_TEST_CRASH_AFTER_ARRIVED] = "after it, the requests under way arrived",
    };
    unsigned wrong = 0;
    for (int mode = HM_TEST_CRASH_BEFORE; mode < HM_TEST_CRASH_NR; mode++) {
        struct hm_strbuf difference;
        struct hm_test_play *play = hm_test_play_new(plain->test, plain->settings);
        hm_strbuf_init(&difference, OUT_MAX);
        hm_test_play_run(play, (enum hm_test_crash)mode, write);
        verdict->plays++;
        compare_plays(plain, play, &difference);
        if (difference.len > 0 && shown + wrong++ < CRASHES_SHOWN)
            hm_strbuf_addf(out, "  with a crash at write %u of the journal (%s), %s:\n%s", write,
                           play->crashed_in != NULL ? play->crashed_in : "not reached", modes[mode], hm_strbuf_str(&difference));
        hm_strbuf_done(&difference);
        hm_test_play_free(play);
    }
    return wrong;
}

void hm_recipe_test_run(const struct hm_recipe_test *test, const struct hm_settings *settings,
                        struct hm_recipe_verdict *ret_verdict)
{
    struct hm_strbuf out;
    unsigned wrong = 0;
    struct hm_test_play *plain = hm_test_play_new(test, settings);
    hm_strbuf_init(&out, OUT_MAX);
    *ret_verdict = (struct hm_recipe_verdict){.plays = 1};
    hm_test_play_run(plain, HM_TEST_CRASH_NONE, 0);
    compare_with_test(test, plain, &out);
    bool sweep = test->crash_everywhere && out.len == 0;
    for (unsigned write = 1; sweep && write <= plain->writes; write++)
        wrong += crash_at(plain, write, wrong, ret_verdict, &out);
    if (wrong > CRASHES_SHOWN)
        hm_strbuf_addf(&out, "  and %u more %s differently\n", wrong - CRASHES_SHOWN,
                       hm_plural(wrong - CRASHES_SHOWN, "crash that ends", "crashes that end"));
    hm_test_play_free(plain);
    ret_verdict->passed = out.len == 0;
    ret_verdict->difference = hm_strbuf_take(&out);
}
