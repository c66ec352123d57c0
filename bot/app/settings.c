/* hausmeister.cfg: see settings.h. */
#include "app/settings.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/auth.h"
#include "app/settings_parts.h"
#include "base/cfg.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/suggest.h"
#include "base/text.h"
#include "io/http_server.h"
#include "io/process_env.h"
#include "slack/web_api.h"
#include "view/commands.h"

static unsigned alive; /* hm_settings_alive() */

static const int64_t longest_timeout_ms = 3600000;
static const int64_t day_ms = 24 * 3600000LL;

/* A path as open() needs it. */
static char *resolve(const struct hm_settings *settings, const char *path)
{
    return path[0] == '/' ? hm_xstrdup(path) : hm_xasprintf("%s/%s", settings->dir, path);
}

static char *copy_path(struct hm_settings *settings, struct hm_cfg_node *group, const char *key)
{
    const char *path = hm_cfg_get_str(group, key, HM_CFG_OPTIONAL, PATH_MAX);
    return path != NULL ? resolve(settings, path) : NULL;
}

/* Slack's limits are Slack's: only a simulator on this machine may have others. */
static unsigned read_speed(struct hm_cfg_node *slack, const char *url)
{
    unsigned speed = (unsigned)hm_cfg_get_int(slack, "speed", 1, 1, HM_WEB_SPEED_MAX);
    if (speed > 1 && !hm_settings_url_is_here(url))
        hm_cfg_add(slack, "speed = %u is for a simulator on this machine; %s has the limits that Slack documents: leave it out",
                   speed, url);
    return speed;
}

/* It becomes a link in Slack's markup, so nothing may be in it that would end one. */
static char *read_address(struct hm_cfg_node *root, const char *key)
{
    char *url = hm_xstrdup_null(hm_cfg_get_str(root, key, HM_CFG_OPTIONAL, 500));
    if (url == NULL || (hm_is_web_address(url) && strpbrk(url, " <>|\n\t") == NULL))
        return url;
    hm_cfg_add(root, "%s \"%s\" is no address; write https://… without spaces, <, > and |", key, url);
    free(url);
    return NULL;
}

static enum hm_notify_way read_notify(struct hm_cfg_node *slack)
{
    static const char *const words[] = {[HM_NOTIFY_NONE] = "none", [HM_NOTIFY_THREAD] = "thread", [HM_NOTIFY_DIRECT] = "direct"};
    const char *word = hm_cfg_get_str(slack, "notify", HM_CFG_OPTIONAL, 20);
    for (size_t i = 0; i < HM_ARRAY_LEN(words); i++)
        if (word != NULL && strcmp(word, words[i]) == 0)
            return (enum hm_notify_way)i;
    if (word != NULL)
        hm_cfg_add(slack, "notify \"%s\" is no way to tell people of a gate; write \"thread\", \"direct\" or \"none\"", word);
    return HM_NOTIFY_THREAD;
}

static void read_slack(struct hm_settings *settings, struct hm_cfg_node *root)
{
    struct hm_cfg_node *slack = hm_cfg_get_group(root, "slack", HM_CFG_REQUIRED);
    if (slack == NULL)
        return;
    const char *from_env = getenv("SLACK_API_URL");
    const char *url = hm_cfg_get_str(slack, "api_url", HM_CFG_OPTIONAL, HM_SETTINGS_URL);
    if (from_env != NULL && from_env[0] != '\0')
        url = from_env;
    if (url == NULL)
        url = "https://slack.com/api/";
    hm_settings_check_url(slack, from_env != NULL && from_env[0] != '\0' ? "SLACK_API_URL" : "api_url", url);
    settings->slack.api_url = hm_ends_with(url, "/") ? hm_xstrdup(url) : hm_xasprintf("%s/", url);
    settings->slack.speed = read_speed(slack, url);
    settings->slack.app_token = hm_settings_secret(slack, "app_token", HM_CFG_REQUIRED);
    settings->slack.bot_token = hm_settings_secret(slack, "bot_token", HM_CFG_REQUIRED);
    settings->slack.command = hm_settings_text(slack, "command", HM_CFG_OPTIONAL, 32);
    settings->slack.channel = hm_settings_id(slack, "channel", HM_CFG_OPTIONAL, "CG");
    settings->slack.audit_channel = hm_settings_id(slack, "audit_channel", HM_CFG_OPTIONAL, "CG");
    settings->slack.notify = read_notify(slack);
    settings->slack.ca = copy_path(settings, slack, "ca");
    settings->slack.team = hm_settings_text(slack, "team", HM_CFG_OPTIONAL, 32);
    if (settings->slack.command == NULL)
        settings->slack.command = hm_xstrdup("/hausmeister");
    if (settings->slack.command[0] != '/')
        hm_cfg_add(slack, "command \"%s\" must begin with a slash", settings->slack.command);
    hm_cfg_finish(slack);
}

static void read_journal(struct hm_settings *settings, struct hm_cfg_node *root)
{
    struct hm_cfg_node *journal = hm_cfg_get_group(root, "journal", HM_CFG_REQUIRED);
    if (journal == NULL)
        return;
    const char *engine = hm_cfg_get_str(journal, "engine", HM_CFG_OPTIONAL, 20);
    if (engine != NULL && strcmp(engine, "sqlite") != 0)
        hm_cfg_add_here(hm_cfg_get(journal, "engine", HM_CFG_OPTIONAL), "\"%s\" is not in this build; write \"sqlite\"", engine);
    const char *path = hm_cfg_get_str(journal, "path", HM_CFG_REQUIRED, PATH_MAX);
    if (path != NULL)
        settings->journal_path = resolve(settings, path);
    /* Slack delivers again for hours; less than a day would let a late envelope pass for a new one. */
    int64_t keep_ms = hm_cfg_get_duration(journal, "keep_envelopes", HM_CFG_OPTIONAL, day_ms, 365 * day_ms);
    settings->keep_envelopes_ms = keep_ms > 0 ? keep_ms : 7 * day_ms;
    hm_cfg_finish(journal);
}

static void read_http(struct hm_settings *settings, struct hm_cfg_node *root)
{
    struct hm_cfg_node *http = hm_cfg_get_group(root, "http", HM_CFG_OPTIONAL);
    if (http == NULL)
        return;
    struct hm_err err = {0};
    settings->http_listen = hm_settings_text(http, "listen", HM_CFG_REQUIRED, 100);
    if (settings->http_listen != NULL && hm_http_check_listen(settings->http_listen, &err) != HM_OK)
        hm_cfg_add(http, "%s", err.msg);
    hm_cfg_finish(http);
}

static void read_roles(struct hm_settings *settings, struct hm_cfg_node *root)
{
    struct hm_cfg_node *roles = hm_cfg_get_group(root, "roles", HM_CFG_OPTIONAL);
    if (roles == NULL)
        return;
    settings->roles = hm_xcalloc(hm_cfg_count(roles), sizeof settings->roles[0]);
    for (size_t i = 0; i < hm_cfg_count(roles); i++) {
        const char *name = hm_cfg_name(hm_cfg_at(roles, i));
        struct hm_cfg_node *group = hm_cfg_get_group(roles, name, HM_CFG_REQUIRED);
        if (group == NULL)
            continue;
        struct hm_role *role = &settings->roles[settings->n_roles++];
        role->name = hm_xstrdup(name);
        role->users = hm_cfg_get_strings(group, "users", HM_CFG_OPTIONAL);
        for (char **user = role->users; *user != NULL; user++)
            hm_settings_check_id(hm_cfg_get(group, "users", HM_CFG_OPTIONAL), *user, "UW");
        role->usergroup = hm_settings_id(group, "usergroup", HM_CFG_OPTIONAL, "S");
        if (role->users[0] == NULL && role->usergroup == NULL)
            hm_cfg_add(group, "role %s has neither users nor a usergroup: nobody could ever be in it", name);
        hm_cfg_finish(group);
    }
}

/* "20/s", "30/min": requests per second; 0 when there is none. */
static double read_rate(struct hm_cfg_node *group)
{
    static const struct {
        const char *suffix;
        double seconds;
    } units[] = {{"/s", 1}, {"/min", 60}, {"/h", 3600}};
    const char *text = hm_cfg_get_str(group, "rate", HM_CFG_OPTIONAL, 30);
    if (text == NULL)
        return 0;
    for (size_t i = 0; i < HM_ARRAY_LEN(units); i++) {
        uint32_t n = 0;
        if (!hm_ends_with(text, units[i].suffix))
            continue;
        char *number = hm_xstrndup(text, strlen(text) - strlen(units[i].suffix));
        bool ok = hm_parse_u32(number, 1000000, &n) && n > 0;
        free(number);
        if (ok)
            return (double)n / units[i].seconds;
    }
    hm_cfg_add(group, "rate \"%s\": write a whole number and /s, /min or /h, like \"20/s\"", text);
    return 0;
}

static json_t *read_object(struct hm_cfg_node *group, const char *key)
{
    struct hm_cfg_node *node = hm_cfg_get_group(group, key, HM_CFG_OPTIONAL);
    return node != NULL ? hm_cfg_json_new(node) : hm_json_obj_new();
}

static void check_headers(const struct hm_cfg_node *group, const json_t *headers)
{
    const char *name = NULL;
    const json_t *value = NULL;
    json_object_foreach(hm_unconst(headers), name, value)
    {
        const char *text = json_string_value(value);
        if (text == NULL || strpbrk(text, "\r\n") != NULL)
            hm_cfg_add(group, "header %s must be one line of text", name);
        if (strcasecmp(name, "authorization") == 0)
            hm_cfg_add(group, "no Authorization among the headers: name the secret under auth = { bearer = \"env:…\"; }");
    }
}

/* Else it would be told when the first action is needed, or never: 1 is no text, and would pass for what is left out. */
static void check_words(const struct hm_cfg_node *group, const struct hm_setting_words *of, const json_t *given)
{
    char path[200];
    struct hm_strbuf words;
    const char *text = json_string_value(given);
    hm_strbuf_init(&words, 400);
    for (size_t i = 0; of->words[i] != NULL; i++) {
        if (text != NULL && hm_streq(of->words[i], text))
            given = NULL;
        hm_strbuf_addf(&words, "%s\"%s\"", i == 0 ? "" : " or ", of->words[i]);
    }
    if (given != NULL) {
        char *said = json_dumps(given, JSON_ENCODE_ANY);
        hm_cfg_add(group, "%s.settings.%s must be %s, not %.60s", hm_cfg_path(group, path, sizeof path), of->key,
                   hm_strbuf_str(&words), said);
        free(said);
    }
    hm_strbuf_done(&words);
}

static void check_handler_settings(const struct hm_cfg_node *group, const struct hm_handler *handler, const json_t *given)
{
    const char *key = NULL;
    const json_t *value = NULL;
    json_object_foreach(hm_unconst(given), key, value)
    {
        bool known = false;
        for (const char *const *allowed = handler->settings; allowed != NULL && *allowed != NULL && !known; allowed++)
            known = strcmp(*allowed, key) == 0;
        if (!known)
            hm_cfg_add(group, "handler %s knows no setting \"%s\"", handler->name, key);
    }
    for (const struct hm_setting_words *of = handler->words; of != NULL && of->key != NULL; of++)
        if (json_object_get(given, of->key) != NULL)
            check_words(group, of, json_object_get(given, of->key));
}

/* A path that stays the same file wherever the program is started: absolute. */
static char *copy_absolute(struct hm_settings *settings, struct hm_cfg_node *group, const char *key, enum hm_cfg_need need)
{
    char here[PATH_MAX];
    const char *text = hm_cfg_get_str(group, key, need, PATH_MAX);
    if (text == NULL)
        return NULL;
    char *path = resolve(settings, text);
    if (path[0] == '/')
        return path;
    char *absolute = getcwd(here, sizeof here) != NULL ? hm_xasprintf("%s/%s", here, path) : NULL;
    if (absolute == NULL)
        hm_cfg_add(group, "%s: the working directory can not be told; write an absolute path", key);
    free(path);
    return absolute;
}

static void check_env(const struct hm_cfg_node *group, const json_t *env)
{
    const char *name = NULL;
    const json_t *value = NULL;
    json_object_foreach(hm_unconst(env), name, value)
    {
        if (!hm_process_env_name_ok(name))
            hm_cfg_add(group, "env: \"%s\" is not the name of a variable", name);
        if (!json_is_string(value))
            hm_cfg_add(group, "env: %s must be text, or env:NAME, file:PATH or credential:NAME", name);
    }
}

static void read_program(struct hm_settings *settings, struct hm_cfg_node *group, struct hm_backend *backend)
{
    backend->program = copy_absolute(settings, group, "program", HM_CFG_REQUIRED);
    backend->dir = copy_absolute(settings, group, "dir", HM_CFG_OPTIONAL);
    backend->env = read_object(group, "env");
    check_env(group, backend->env);
}

/* What only a backend has that is a program. */
static void read_program_backend(struct hm_settings *settings, struct hm_cfg_node *group, struct hm_backend *backend)
{
    read_program(settings, group, backend);
    backend->headers = hm_json_obj_new();
}

/* What only a backend that is reached over HTTP has. */
static void read_http_backend(struct hm_settings *settings, struct hm_cfg_node *group, enum hm_by_program by_program,
                              struct hm_backend *backend)
{
    if (by_program != HM_BY_PROGRAM_NEVER && hm_cfg_get(group, "program", HM_CFG_OPTIONAL) != NULL)
        read_program(settings, group, backend);
    bool needs_url = backend->program == NULL || by_program != HM_BY_PROGRAM_ALL;
    backend->url = hm_settings_text(group, "url", needs_url ? HM_CFG_REQUIRED : HM_CFG_OPTIONAL, HM_SETTINGS_URL);
    if (backend->url != NULL || needs_url)
        hm_settings_check_url(group, "url", backend->url);
    for (size_t len = backend->url != NULL ? strlen(backend->url) : 0; len > 0 && backend->url[len - 1] == '/'; len--)
        backend->url[len - 1] = '\0';
    backend->auth = hm_auth_read(group);
    backend->headers = read_object(group, "headers");
    check_headers(group, backend->headers);
    backend->ca = copy_path(settings, group, "ca");
    backend->client_cert = copy_path(settings, group, "client_cert");
    backend->client_key = copy_path(settings, group, "client_key");
    backend->proxy = hm_settings_text(group, "proxy", HM_CFG_OPTIONAL, HM_SETTINGS_URL);
    backend->rate_per_s = read_rate(group);
    backend->max_connections = (unsigned)hm_cfg_get_int(group, "max_connections", 10, 1, 100);
}

static void no_handler(const struct hm_cfg_node *group, const char *name)
{
    char meant[120];
    struct hm_suggest s;
    struct hm_strbuf names;
    hm_suggest_init(&s, name);
    hm_strbuf_init(&names, 1000);
    for (size_t i = 0; hm_handlers[i] != NULL; i++) {
        hm_suggest_try(&s, hm_handlers[i]->name);
        hm_strbuf_addf(&names, "%s%s", i > 0 ? " " : "", hm_handlers[i]->name);
    }
    (void)hm_suggest_text(&s, meant, sizeof meant);
    hm_cfg_add(group, "there is no handler \"%s\"%s%s%s", name, meant, meant[0] == '\0' ? "; there are " : "",
               meant[0] == '\0' ? hm_strbuf_str(&names) : "");
    hm_strbuf_done(&names);
}

static void read_backend(struct hm_settings *settings, struct hm_cfg_node *group, const char *name)
{
    struct hm_backend *backend = &settings->backends[settings->n_backends++];
    backend->name = hm_xstrdup(name);
    backend->handler = hm_settings_text(group, "handler", HM_CFG_REQUIRED, 40);
    const struct hm_handler *handler = backend->handler != NULL ? hm_handler_find(backend->handler) : NULL;
    if (backend->handler != NULL && handler == NULL)
        no_handler(group, backend->handler);
    if (handler != NULL && handler->kind == HM_REQUEST_ARGV)
        read_program_backend(settings, group, backend);
    else
        read_http_backend(settings, group, handler != NULL ? handler->by_program : HM_BY_PROGRAM_NEVER, backend);
    backend->settings = read_object(group, "settings");
    backend->timeout_ms = hm_cfg_get_duration(group, "timeout", HM_CFG_OPTIONAL, 30000, longest_timeout_ms);
    backend->settle_ms = hm_cfg_get_duration(group, "settle", HM_CFG_OPTIONAL, 0, longest_timeout_ms);
    if (handler != NULL)
        check_handler_settings(group, handler, backend->settings);
    hm_cfg_finish(group);
}

static void read_backends(struct hm_settings *settings, struct hm_cfg_node *root)
{
    struct hm_cfg_node *backends = hm_cfg_get_group(root, "backends", HM_CFG_OPTIONAL);
    if (backends == NULL)
        return;
    settings->backends = hm_xcalloc(hm_cfg_count(backends), sizeof settings->backends[0]);
    for (size_t i = 0; i < hm_cfg_count(backends); i++) {
        const char *name = hm_cfg_name(hm_cfg_at(backends, i));
        struct hm_cfg_node *group = hm_cfg_get_group(backends, name, HM_CFG_REQUIRED);
        if (group != NULL)
            read_backend(settings, group, name);
    }
}

/* One id, or a list of them; initials: what they begin with. */
static json_t *read_ids(struct hm_cfg_node *group, const char *name, const char *initials)
{
    json_t *list = hm_json_arr_new();
    struct hm_cfg_node *node = hm_cfg_get(group, name, HM_CFG_REQUIRED);
    bool one = hm_cfg_type(node) == HM_CFG_STRING;
    char **ids = NULL;
    if (one) {
        ids = hm_xcalloc(2, sizeof(char *));
        ids[0] = hm_xstrdup(hm_cfg_string(node));
    } else {
        ids = hm_cfg_get_strings(group, name, HM_CFG_REQUIRED);
    }
    for (char **id = ids; *id != NULL; id++) {
        hm_settings_check_id(node, *id, initials);
        hm_json_add(list, hm_json_str_new(*id));
    }
    hm_cfg_strings_free(ids);
    return list;
}

/* {name = "C…"; name = [ "C…", … ]; }: names that alarm rules use, so that ids stand in one place. */
static json_t *read_names(struct hm_cfg_node *root, const char *key, const char *initials)
{
    json_t *names = hm_json_obj_new();
    struct hm_cfg_node *group = hm_cfg_get_group(root, key, HM_CFG_OPTIONAL);
    for (size_t i = 0; group != NULL && i < hm_cfg_count(group); i++) {
        const char *name = hm_cfg_name(hm_cfg_at(group, i));
        hm_json_set(names, name, read_ids(group, name, initials));
    }
    if (group != NULL)
        hm_cfg_finish(group);
    return names;
}

static void load_alarms(struct hm_settings *settings, char *const *dirs, struct hm_diags *diags)
{
    const struct hm_alarm_names names = {settings->channels, settings->senders, settings->cookbook, settings->runbook};
    for (; *dirs != NULL; dirs++) {
        char *dir = resolve(settings, *dirs);
        hm_alarms_load_dir(&settings->alarms, dir, &names, diags);
        free(dir);
    }
}

/* known = { etl = { transaction = "…"; }; … }: groups of values. */
static json_t *read_known(struct hm_cfg_node *root)
{
    json_t *known = read_object(root, "known"), *fields = NULL;
    const struct hm_cfg_node *node = hm_cfg_get(root, "known", HM_CFG_OPTIONAL);
    const char *key = NULL;
    json_object_foreach(known, key, fields)
    {
        if (!json_is_object(fields))
            hm_cfg_add_here(node, "%s must be a group { field = value; … }", key);
    }
    return known;
}

/* environments = { cantareira = { dag = "prod-dagao"; … }; … }: groups of plain values. */
static json_t *read_environments(struct hm_cfg_node *root)
{
    json_t *environments = read_object(root, "environments"), *fields = NULL, *value = NULL;
    const struct hm_cfg_node *node = hm_cfg_get(root, "environments", HM_CFG_OPTIONAL);
    const char *name = NULL, *field = NULL;
    json_object_foreach(environments, name, fields)
    {
        if (!json_is_object(fields))
            hm_cfg_add_here(node, "%s must be a group { field = value; … }", name);
        json_object_foreach(fields, field, value)
        {
            if (json_is_object(value) || json_is_array(value))
                hm_cfg_add_here(node, "%s.%s must be a plain value", name, field);
        }
    }
    return environments;
}

/* The command would be understood, and the recipe never. */
static void check_recipe_names(const struct hm_recipes *recipes, struct hm_diags *diags)
{
    for (size_t i = 0; i < recipes->count; i++) {
        const struct hm_recipe *recipe = recipes->items[i];
        const struct hm_chat_command *command = hm_command_typed(recipe->name);
        if (command != NULL)
            hm_diags_add(diags, recipe->file, 1,
                         "name may not be \"%s\": who types that is understood to mean the bot's own \"%s\"; "
                         "take another",
                         recipe->name, command->usage);
    }
}

static void load_recipes(struct hm_settings *settings, char *const *dirs, const struct hm_settable *known, struct hm_diags *diags)
{
    const char **roles = hm_xcalloc(settings->n_roles, sizeof *roles);
    const struct hm_backend **backends = hm_xcalloc(settings->n_backends, sizeof(const void *));
    for (size_t i = 0; i < settings->n_roles; i++)
        roles[i] = settings->roles[i].name;
    for (size_t i = 0; i < settings->n_backends; i++)
        backends[i] = &settings->backends[i];
    struct hm_names names = {roles, settings->n_roles, backends, settings->n_backends, settings->environments, known};
    for (; *dirs != NULL; dirs++) {
        char *dir = resolve(settings, *dirs);
        hm_recipes_load_dir(&settings->recipes, dir, &names, diags);
        free(dir);
    }
    check_recipe_names(&settings->recipes, diags);
    hm_recipes_link(&settings->recipes, diags);
    free(backends);
    free(roles);
}

/* Recipes and alarms. The rules come first: what they remember is what recipes may name, unless one of them is missing. */
static void load_texts(struct hm_settings *settings, char *const *recipes, char *const *alarms, struct hm_diags *diags)
{
    size_t before = diags->count;
    struct hm_settable known = {.keys = json_deep_copy(settings->known)};
    load_alarms(settings, alarms, diags);
    known.whole = hm_alarms_settable(&settings->alarms, known.keys);
    load_recipes(settings, recipes, diags->count == before ? &known : NULL, diags);
    if (diags->count == before)
        hm_alarms_link(&settings->alarms, &settings->recipes, &known, diags);
    json_decref(known.keys);
}

static char *dir_of(const char *file)
{
    const char *slash = strrchr(file, '/');
    if (slash == NULL)
        return hm_xstrdup(".");
    return slash == file ? hm_xstrdup("/") : hm_xstrndup(file, (size_t)(slash - file));
}

/* Told where the configuration names it. */
static void check_folders(const struct hm_settings *settings, struct hm_cfg_node *root, const char *key, char *const *dirs)
{
    for (; *dirs != NULL; dirs++) {
        char *dir = resolve(settings, *dirs);
        if (access(dir, R_OK | X_OK) != 0)
            hm_cfg_add_here(hm_cfg_get(root, key, HM_CFG_OPTIONAL), "the folder %s can not be read: %s", dir, strerror(errno));
        free(dir);
    }
}

struct hm_settings *hm_settings_load(const char *file, struct hm_diags *diags)
{
    size_t before = diags->count;
    struct hm_settings *settings = hm_xcalloc(1, sizeof *settings);
    settings->refs = 1;
    alive++;
    struct hm_cfg *cfg = hm_cfg_open_file(file, diags);
    char **dirs = NULL;
    char **alarm_dirs = NULL;
    settings->file = hm_xstrdup(file);
    settings->dir = dir_of(file);
    if (cfg != NULL && hm_settings_filled_in(hm_cfg_root(cfg))) { /* else what is not filled in is all there is to say */
        struct hm_cfg_node *root = hm_cfg_root(cfg);
        read_slack(settings, root);
        read_journal(settings, root);
        read_http(settings, root);
        read_roles(settings, root);
        read_backends(settings, root);
        settings->environments = read_environments(root);
        settings->known = read_known(root);
        settings->channels = read_names(root, "channels", "CG");
        settings->senders = read_names(root, "senders", "BA");
        alarm_dirs = hm_cfg_get_strings(root, "alarms", HM_CFG_OPTIONAL);
        settings->cookbook = read_address(root, "cookbook");
        settings->runbook = read_address(root, "runbook");
        dirs = hm_cfg_get_strings(root, "recipes", HM_CFG_REQUIRED);
        check_folders(settings, root, "alarms", alarm_dirs);
        check_folders(settings, root, "recipes", dirs);
        hm_cfg_finish(root);
    }
    if (diags->count == before && dirs != NULL)
        load_texts(settings, dirs, alarm_dirs, diags);
    hm_cfg_strings_free(dirs);
    hm_cfg_strings_free(alarm_dirs);
    hm_cfg_close(cfg);
    if (diags->count == before)
        return settings;
    hm_settings_free(settings);
    return NULL;
}

char *hm_settings_journal_path(const char *file, struct hm_diags *diags)
{
    size_t before = diags->count;
    struct hm_settings settings = {.dir = dir_of(file)};
    struct hm_cfg *cfg = hm_cfg_open_file(file, diags);
    if (cfg != NULL)
        read_journal(&settings, hm_cfg_root(cfg));
    hm_cfg_close(cfg);
    free(settings.dir);
    if (diags->count == before)
        return settings.journal_path;
    free(settings.journal_path);
    return NULL;
}

static void backend_done(struct hm_backend *backend)
{
    free(backend->name);
    free(backend->handler);
    free(backend->url);
    free(backend->program);
    free(backend->dir);
    json_decref(backend->env);
    json_decref(backend->settings);
    json_decref(backend->headers);
    hm_auth_free(backend->auth);
    free(backend->ca);
    free(backend->client_cert);
    free(backend->client_key);
    free(backend->proxy);
}

const struct hm_settings *hm_settings_ref(const struct hm_settings *borrowed)
{
    struct hm_settings *settings = hm_unconst(borrowed); /* the count is nobody's business but ours */
    settings->refs++;
    return settings;
}

unsigned hm_settings_alive(void)
{
    return alive;
}

void hm_settings_free(const struct hm_settings *held)
{
    struct hm_settings *settings = hm_unconst(held);
    if (settings == NULL || --settings->refs > 0)
        return;
    alive--;
    for (size_t i = 0; i < settings->n_backends; i++)
        backend_done(&settings->backends[i]);
    for (size_t i = 0; i < settings->n_roles; i++) {
        free(settings->roles[i].name);
        hm_cfg_strings_free(settings->roles[i].users);
        free(settings->roles[i].usergroup);
    }
    hm_alarms_done(&settings->alarms);
    hm_recipes_done(&settings->recipes);
    free(settings->backends);
    free(settings->roles);
    json_decref(settings->environments);
    json_decref(settings->known);
    json_decref(settings->channels);
    json_decref(settings->senders);
    free(settings->cookbook);
    free(settings->runbook);
    free(settings->file);
    free(settings->dir);
    free(settings->slack.api_url);
    free(settings->slack.app_token);
    free(settings->slack.bot_token);
    free(settings->slack.command);
    free(settings->slack.channel);
    free(settings->slack.audit_channel);
    free(settings->slack.ca);
    free(settings->slack.team);
    free(settings->journal_path);
    free(settings->http_listen);
    free(settings);
}

const struct hm_backend *hm_settings_backend(const struct hm_settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->n_backends; i++)
        if (strcmp(settings->backends[i].name, name) == 0)
            return &settings->backends[i];
    return NULL;
}

const struct hm_role *hm_settings_role(const struct hm_settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->n_roles; i++)
        if (strcmp(settings->roles[i].name, name) == 0)
            return &settings->roles[i];
    return NULL;
}
