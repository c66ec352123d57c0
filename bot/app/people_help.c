/* Help, and what is said to a word that is neither a recipe nor a command: see people_parts.h.
 *
 * Happy path: a recipe or a command of that name → its help. Failure mode: there is none → the nearest of both is suggested. A
 * recipe that has a command's name is helped first: its name in the list of help leads nowhere else. */
#include <ctype.h>
#include <stdlib.h>

#include "app/people_parts.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "view/commands.h"
#include "view/help.h"
#include "view/start.h"

enum { REST_MAX = 200 };

static void say_all(struct hm_asker *asker)
{
    const struct hm_people *people = asker->people;
    const struct hm_recipes *recipes = &people->settings->recipes;
    struct hm_help_around around = {.command = hm_asker_command(asker), .cookbook = people->settings->cookbook};
    struct hm_slack_message message = {0};
    const struct hm_recipe **mine = hm_xcalloc(recipes->count + 1, sizeof(void *));
    size_t n = hm_people_may_start(people, asker->user, mine);
    around.others = recipes->count - n;
    for (size_t i = 0; i < recipes->count; i++)
        around.unsure = around.unsure || hm_people_in_any(people, recipes->items[i]->who, asker->user) == HM_MEMBER_UNKNOWN;
    hm_help_render(mine, n, &around, &message);
    free(mine);
    hm_say_message(asker, &message);
}

static void say_recipe(struct hm_asker *asker, const struct hm_recipe *recipe)
{
    const struct hm_people *people = asker->people;
    const struct hm_start_ref ref = {.recipe = recipe->name, .channel = asker->channel, .thread_ts = asker->card_thread};
    struct hm_slack_message message = {0};
    char *value = hm_start_ref_text(&ref, HM_START_REF_BUTTON);
    json_t *scope = hm_people_scope_new(people);
    const struct hm_help_around around = {.command = hm_asker_command(asker),
                                          .cookbook = people->settings->cookbook,
                                          .form_ref = value,
                                          .may = hm_people_in_any(people, recipe->who, asker->user) == HM_MEMBER_YES,
                                          .scope = scope};
    hm_help_recipe_render(recipe, &around, &message);
    json_decref(scope);
    free(value);
    hm_say_message(asker, &message);
}

static void say_command(struct hm_asker *asker, const struct hm_chat_command *command)
{
    hm_say_text(asker, hm_command_help(command, hm_asker_command(asker)));
}

/* The nearest recipe or command; one of the two is not NULL unless nothing is near. */
static const struct hm_chat_command *nearest(const struct hm_people *people, const char *word, const char **ret_recipe)
{
    size_t below = HM_PEOPLE_SLIPS + 1;
    const struct hm_chat_command *command = hm_command_nearest(word, &below);
    *ret_recipe = hm_people_nearest(people, word, command != NULL ? below : HM_PEOPLE_SLIPS + 1);
    return *ret_recipe == NULL ? command : NULL;
}

void hm_people_help(struct hm_asker *asker, const char *about)
{
    const struct hm_people *people = asker->people;
    const struct hm_recipe *recipe = about[0] != '\0' ? hm_recipes_find(&people->settings->recipes, about) : NULL;
    const char *near = NULL;
    if (about[0] == '\0') {
        say_all(asker);
        return;
    }
    if (recipe != NULL) {
        say_recipe(asker, recipe);
        return;
    }
    char *word = hm_xstrdup(about); /* a phone may have begun it with a capital */
    for (char *c = word; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    const struct hm_chat_command *command = nearest(people, word, &near);
    if (command != NULL) {
        say_command(asker, command);
    } else {
        char *meant = near != NULL ? hm_xasprintf("help %s", near) : NULL;
        hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_UNKNOWN_WORD, .word = about, .suggestion = meant});
        free(meant);
    }
    free(word);
}

void hm_people_unknown(struct hm_asker *asker, const char *word, const char *rest)
{
    const char *near = NULL;
    const struct hm_chat_command *command = nearest(asker->people, word, &near);
    if (command != NULL && command->usage[0] == '\0') { /* what else should be suggested? */
        say_command(asker, command);
        return;
    }
    if (command != NULL)
        near = command->name;
    char *meant = near != NULL
                      ? hm_xasprintf("%s%s%.*s", near, rest[0] != '\0' ? " " : "", (int)hm_utf8_prefix(rest, REST_MAX), rest)
                      : NULL;
    hm_say_notice(asker, (struct hm_notice){.kind = HM_NOTICE_UNKNOWN_WORD, .word = word, .suggestion = meant});
    free(meant);
}
