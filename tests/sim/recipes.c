/* The recipes of the stories, in several configurations, and what people type. See sim.h.
 *
 * Configurations: half of them call the backend at another URL; of the four sets of recipes, the second differs in a comment only
 * (so that every approval is void and nothing else changes), the third in what the steps do and lock, and from the fourth some
 * are gone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "model_channel.h"
#include "sim.h"

enum { SETS = 4 };

#define HEAD(name)    "name = \"" name "\"; title = \"T\"; doc = \"D\"; who = [ \"hausmeister\" ]; timeout = \"6h\";\n"
#define PARAM         "params = ( { name = \"id\"; type = \"string\"; help = \"which\"; } );\n"
#define GATE(more)    "{ id = \"gate\"; approve = \"Turn ${id} off?\"; by = [ \"hausmeister\" ]; expires = \"2h\"; " more "},\n"
#define LOOK          "{ id = \"look\"; do = \"fake.get\"; with = { id = \"${id}\"; }; },\n"
#define WRITE(action) "{ id = \"write\"; do = \"" action "\"; with = { id = \"${id}\"; }; }"
#define EACH(action, more)                                                                                                       \
    "params = ();\nsteps = ( { id = \"list\"; do = \"fake.list\"; },\n"                                                          \
    "{ id = \"gate\"; approve = \"All ${count(list.items)}?\"; by = [ \"hausmeister\" ]; expires = \"2h\"; },\n"                 \
    "{ id = \"write\"; foreach = \"list.items\"; as = \"thing\"; do = \"" action "\"; with = { id = \"${thing.id}\"; }; " more   \
    " } );"

static const char *const texts[] = {
    HEAD("once") PARAM "steps = (" LOOK GATE("") WRITE("fake.once") ");",
    HEAD("idem") PARAM "steps = (" LOOK GATE("") WRITE("fake.idem") ");",
    HEAD("blind") PARAM "steps = (" LOOK GATE("") WRITE("fake.blind") ");",
    HEAD("plain") PARAM "steps = (" GATE("self = true;") WRITE("fake.plain") ");",
    HEAD("typed") PARAM "steps = (" GATE("typed = \"${id}\"; need = 2; ") WRITE("fake.once") ");",
    HEAD("glass") PARAM "steps = (" LOOK GATE("break_glass = true;") WRITE("fake.once") ");",
    HEAD("brief") PARAM
    "steps = ( { id = \"gate\"; approve = \"Now?\"; by = [ \"hausmeister\" ]; expires = \"1m\"; },\n" WRITE("fake.once") ");",
    HEAD("again") PARAM
    "steps = (" GATE("") "{ id = \"write\"; do = \"fake.once\"; with = { id = \"${id}\"; }; retry = { tries = 3; wait = "
                         "\"2s\"; }; } );",
    HEAD("verified") PARAM "steps = (" LOOK GATE("") "{ id = \"write\"; do = \"fake.once\"; with = { id = \"${id}\"; };"
                                                     "  verify = { do = \"fake.get\"; with = { id = \"${id}\"; }; expect = \"not "
                                                     "verify.on\"; every = \"2s\"; within = \"10s\"; }; },\n"
                                                     "{ id = \"end\"; say = \"`${id}` is off: ${write.ok}.\"; } );",
    HEAD("stops") PARAM "steps = ( { id = \"look\"; do = \"fake.get\"; with = { id = \"${id}\"; };"
                        " stop_if = { when = \"not look.on\"; say = \"${id} is off already.\"; }; },\n" GATE("")
                            WRITE("fake.once") ");",
    HEAD("each") EACH("fake.once", "parallel = 2; on_error = \"continue\";"),
    HEAD("every") EACH("fake.idem", "parallel = 3; retry = { tries = 2; wait = \"1s\"; };"),
    HEAD("blindly") EACH("fake.blind", "parallel = 2; on_error = \"continue\";"),
    HEAD("locked") PARAM "lock = \"thing/${id}\";\nsteps = (" LOOK GATE("") WRITE("fake.once") ");",
    HEAD("twice") PARAM "steps = (" GATE("")
        WRITE("fake.once") ",\n"
                           "{ id = \"gate2\"; approve = \"And the other?\"; by = [ \"hausmeister\" ]; expires = \"2h\"; },\n"
                           "{ id = \"other\"; do = \"fake.blind\"; with = { id = \"${id}-2\"; }; } );",
    HEAD("ungated") "ungated = \"it is only a switch\";\n" PARAM "steps = (" WRITE("fake.idem") ");",
    HEAD("pick") "params = ();\nsteps = ( { id = \"list\"; do = \"fake.list\"; }, { id = \"which\"; ask = { question = "
                 "\"Which?\"; from = "
                 "\"list.items\"; label = \"thing ${item.id}\"; expires = \"2h\"; }; },\n"
                 "{ id = \"gate\"; approve = \"Off: ${which.id}?\"; by = [ \"hausmeister\" ]; expires = \"2h\"; },\n"
                 "{ id = \"write\"; do = \"fake.once\"; with = { id = \"${which.id}\"; }; } );",
    HEAD("picks") "params = ();\nsteps = ( { id = \"list\"; do = \"fake.list\"; }, { id = \"which\"; ask = { question = "
                  "\"Which?\"; from = "
                  "\"list.items\"; label = \"thing ${item.id}\"; many = true; expires = \"30m\"; }; },\n"
                  "{ id = \"gate\"; approve = \"Off: ${count(which)}?\"; by = [ \"hausmeister\" ]; expires = \"2h\"; },\n"
                  "{ id = \"write\"; foreach = \"which\"; as = \"thing\"; do = \"fake.once\"; with = { id = \"${thing.id}\"; }; "
                  "on_error "
                  "= \"continue\"; } );",
    HEAD("form") "params = ();\nsteps = ( { id = \"form\"; ask = { question = \"Say\"; expires = \"2h\"; fields = ( { name = "
                 "\"amount\"; "
                 "type = \"int\"; help = \"n\"; min = 1; max = 9; }, { name = \"note\"; type = \"string\"; help = \"why\"; "
                 "optional = "
                 "true; } ); }; },\n{ id = \"end\"; say = \"${form.amount} ${form.note}\"; } );",
    HEAD("by-hand") PARAM "steps = ( { id = \"hand\"; manual = \"Pull the plug of ${id}.\"; evidence = true; say = \"by "
                          "${hand.by}\"; },\n" GATE("") WRITE("fake.once") ");",
    HEAD("what-now") PARAM
    "steps = (" GATE("") "{ id = \"write\"; do = \"fake.once\"; with = { id = \"${id}\"; }; on_error = \"ask\"; },\n"
                         "{ id = \"end\"; say = \"write was ok: ${write.ok}\"; } );",
    HEAD("each-what-now") EACH("fake.idem", "parallel = 2; on_error = \"ask\";"),
    HEAD("offers") PARAM
    "steps = ( { id = \"look\"; do = \"fake.get\"; with = { id = \"${id}\"; }; },\n"
    "{ id = \"next\"; offer = ( { recipe = \"by-hand\"; label = \"By hand: ${id}\"; with = { id = \"${id}\"; }; },"
    " { recipe = \"form\"; label = \"Form\"; when = \"not look.on\"; }, { recipe = \"once\"; label = \"Off\"; with "
    "= { id = \"${id}\"; }; } ); } );",
    HEAD("pages") "params = ();\nsteps = ( { id = \"read\"; do = \"fake.pages\"; say = \"page ${read.page}\"; } );",
    HEAD("until") PARAM "steps = ( { id = \"wait\"; do = \"fake.get\"; with = { id = \"${id}\"; };"
                        " until = { when = \"not wait.on\"; every = \"5s\"; within = \"20s\"; }; } );",
};

static const char *const alarm_texts[] = {
    "name = \"thing-on\"; title = \"A thing is on\"; channels = [ \"" SIM_WATCHED "\" ]; from = [ \"B0MONITOR\" ];\n"
    "match = \"\\\\AALARM (?<id>x[0-9]){{end}} is on\";\n"
    "fields = ( { name = \"id\"; type = \"string\"; } );\n"
    "dedupe = { key = \"${id}\"; for = \"10m\"; };\n"
    "say = ( { say = \"`${id}` is on.\"; } );\n"
    "offers = ( { recipe = \"once\"; label = \"Off: ${id}\"; with = { id = \"${id}\"; }; },\n"
    "  { recipe = \"ungated\"; label = \"Off at once\"; with = { id = \"${id}\"; }; },\n"
    "  { recipe = \"idem\"; label = \"Off, which?\"; }, { recipe = \"pages\"; label = \"Look\"; } );\n"
    "auto = ( { recipe = \"until\"; with = { id = \"${id}\"; }; } );\n"
    "remember = ( { key = \"last\"; fields = { id = \"${id}\"; }; } );\n",
    "name = \"thing-off\"; title = \"A thing is off again\"; channels = [ \"" SIM_WATCHED "\" ]; from = [ \"B0MONITOR\" ];\n"
    "match = \"\\\\AOK (?<id>x[0-9]){{end}} is off\";\n"
    "fields = ( { name = \"id\"; type = \"string\"; } );\n"
    "dedupe = { key = \"${id}\"; for = \"10m\"; };\n"
    "resolves = [ \"thing-on\" ];\n",
};

static struct hm_settings configs[SIM_CONFIGS];
static struct hm_settings watching[SIM_CONFIGS]; /* the same with alarms */
static struct hm_alarm_rule *rules[HM_ARRAY_LEN(alarm_texts)];
static struct hm_backend backends[2];
static char role_name[] = "hausmeister";
static struct hm_role roles[] = {{.name = role_name}};
static struct hm_recipe *parsed[SETS][HM_ARRAY_LEN(texts)];

const char *const sim_people[SIM_PEOPLE] = {"U0ANA", "U0BEN", "U0CAM", "U0DAN", "U0EVE"};

const char *sim_team_of(const char *user)
{
    return strcmp(user, "U0EVE") == 0 ? "T0OTHER" : "T0SIM";
}

bool sim_is_entitled(const char *user)
{
    return strcmp(user, "U0ANA") == 0 || strcmp(user, "U0BEN") == 0 || strcmp(user, "U0CAM") == 0;
}

/* The text with the first `from` in it replaced. */
static char *replaced_new(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    if (at == NULL)
        return hm_xstrdup(text);
    return hm_xasprintf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

/* The text of one recipe in one of the sets; NULL: it is not in it. */
static char *text_new(size_t set, size_t index)
{
    if (set == 1)
        return hm_xasprintf("%s\n# with a comment\n", texts[index]);
    if (set == 2) { /* the first write becomes one of another kind, and all things share a lock */
        char *half = replaced_new(texts[index], "fake.once", "fake.idem");
        char *text = replaced_new(half, "thing/${id}", "all-things");
        free(half);
        return text;
    }
    if (set == 3 && index % 3 == 0)
        return NULL;
    return hm_xstrdup(texts[index]);
}

static struct hm_recipe *parse(const char *text)
{
    struct hm_diags diags;
    hm_diags_init(&diags);
    struct hm_recipe *recipe = hm_recipe_parse("sim.cfg", text, NULL, &diags);
    for (size_t i = 0; i < diags.count; i++)
        (void)fprintf(stderr, "%s:%d: %s\n", diags.items[i].file, diags.items[i].line, diags.items[i].text);
    hm_diags_done(&diags);
    if (recipe == NULL)
        sim_bug("a recipe does not load: %s", text);
    return recipe;
}

static void parse_alarms(void)
{
    struct hm_diags diags;
    const struct hm_alarms all = {rules, HM_ARRAY_LEN(alarm_texts)};
    hm_diags_init(&diags);
    for (size_t i = 0; i < HM_ARRAY_LEN(alarm_texts); i++)
        rules[i] = hm_alarm_parse("sim-alarm.cfg", alarm_texts[i], NULL, &diags);
    if (diags.count == 0)
        hm_alarms_link(&all, &configs[0].recipes, NULL, &diags);
    for (size_t i = 0; i < diags.count; i++)
        (void)fprintf(stderr, "%s:%d: %s\n", diags.items[i].file, diags.items[i].line, diags.items[i].text);
    if (diags.count > 0)
        sim_bug("a rule for alarms does not load");
    hm_diags_done(&diags);
    for (size_t i = 0; i < SIM_CONFIGS; i++) {
        watching[i] = configs[i];
        watching[i].alarms = all;
    }
}

static int by_name(const void *a, const void *b)
{
    struct hm_recipe *const *x = a;
    struct hm_recipe *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static void fill_set(size_t set, struct hm_recipes *recipes)
{
    recipes->items = hm_xcalloc(HM_ARRAY_LEN(texts), sizeof(void *));
    for (size_t i = 0; i < HM_ARRAY_LEN(texts); i++)
        if (parsed[set][i] != NULL)
            recipes->items[recipes->count++] = parsed[set][i];
    qsort(recipes->items, recipes->count, sizeof(void *), by_name);
}

void sim_recipes_init(void)
{
    static char name[] = "fake";
    static char command[] = "/hausmeister";
    static char channel[] = "C0OPS";
    static char audit[] = "C0AUDIT";
    static char journal[] = "the book";
    static char urls[][24] = {"http://127.0.0.1:1", "http://127.0.0.1:2"};
    for (size_t set = 0; set < SETS; set++) {
        for (size_t i = 0; i < HM_ARRAY_LEN(texts); i++) {
            char *text = text_new(set, i);
            parsed[set][i] = text != NULL ? parse(text) : NULL;
            free(text);
        }
    }
    for (size_t i = 0; i < 2; i++)
        backends[i] = (struct hm_backend){
            .name = name, .handler = name, .url = urls[i], .settings = hm_json_obj_new(), .headers = hm_json_obj_new()};
    for (size_t i = 0; i < SIM_CONFIGS; i++) {
        struct hm_settings *s = &configs[i];
        s->refs = 1;
        s->slack.command = command;
        s->slack.channel = channel;
        s->slack.audit_channel = audit;
        s->backends = &backends[i / SETS];
        s->n_backends = 1;
        s->roles = roles;
        s->n_roles = HM_ARRAY_LEN(roles);
        s->journal_path = journal;
        s->known = hm_json_obj_new();
        fill_set(i % SETS, &s->recipes);
    }
    parse_alarms();
}

void sim_recipes_done(void)
{
    for (size_t set = 0; set < SETS; set++)
        for (size_t i = 0; i < HM_ARRAY_LEN(texts); i++)
            hm_recipe_free(parsed[set][i]);
    for (size_t i = 0; i < HM_ARRAY_LEN(rules); i++)
        hm_alarm_rule_free(rules[i]);
    for (size_t i = 0; i < SIM_CONFIGS; i++) {
        free(configs[i].recipes.items);
        json_decref(configs[i].known);
    }
    for (size_t i = 0; i < 2; i++) {
        json_decref(backends[i].settings);
        json_decref(backends[i].headers);
    }
}

const struct hm_settings *sim_config(unsigned index)
{
    return sim->alarms ? &watching[index] : &configs[index];
}

const struct hm_recipe *sim_recipe_by_sha(void *arg, const char *sha256)
{
    (void)arg;
    for (size_t set = 0; set < SETS; set++)
        for (size_t i = 0; i < HM_ARRAY_LEN(texts); i++)
            if (parsed[set][i] != NULL && strcmp(parsed[set][i]->sha256, sha256) == 0)
                return parsed[set][i];
    return NULL;
}

size_t sim_recipe_count(void)
{
    return HM_ARRAY_LEN(texts);
}

char *sim_command_new(struct rng *rng, size_t recipe)
{
    static const char *const odd[] = {"", "help", "help once", "nonsense x1", "once", "cancel r-none", "once x1 x2 x3"};
    if (rng_percent(rng, 10))
        return hm_xstrdup(odd[rng_below(rng, HM_ARRAY_LEN(odd))]);
    const struct hm_recipe *r = parsed[0][recipe];
    return r->n_params == 0 ? hm_xstrdup(r->name) : hm_xasprintf("%s x%zu", r->name, 1 + rng_below(rng, 2));
}
