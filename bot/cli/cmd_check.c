/* hausmeister check, version, manifest: what can be said without connecting to anything. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/auth.h"
#include "app/slack_token.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "cli/cli.h"
#include "io/process_env.h"
#include "slack/manifest.h"

/* What `run` would trip over first: it makes the journal where there is none, but not the folder. */
static bool journal_can_be_written(const struct hm_cli *cli, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *dir = slash == NULL ? hm_xstrdup(".") : slash == path ? hm_xstrdup("/") : hm_xstrndup(path, (size_t)(slash - path));
    bool there = access(path, F_OK) == 0;
    bool ok = true;
    if (access(dir, F_OK) != 0)
        ok = hm_cli_fail(HM_EXIT_NO, "%s: journal.path: there is no folder %s (%s): make it, for the user that the bot runs as",
                         cli->config, dir, strerror(errno)) == HM_EXIT_OK;
    else if (access(dir, W_OK | X_OK) != 0) /* SQLite keeps its log and lock beside the file */
        ok = hm_cli_fail(HM_EXIT_NO, "%s: journal.path: %s can not be written by this user (%s)", cli->config, dir,
                         strerror(errno)) == HM_EXIT_OK;
    else if (there && access(path, R_OK | W_OK) != 0)
        ok = hm_cli_fail(HM_EXIT_NO, "%s: journal.path: %s can not be read and written by this user (%s)", cli->config, path,
                         strerror(errno)) == HM_EXIT_OK;
    free(dir);
    return ok;
}

/* Of Slack's tokens what can be read here, which need not be the machine that the bot runs on. */
static bool tokens_are_right(const struct hm_cli *cli, const struct hm_settings *settings)
{
    bool ok = true;
    for (int which = 0; which < HM_SLACK_TOKEN_NR; which++) {
        struct hm_err err = {0};
        char *token = NULL;
        if (hm_slack_token_read(settings, (enum hm_slack_token)which, &token, &err) == HM_EINVAL) {
            (void)hm_cli_fail(HM_EXIT_NO, "%s: %s", cli->config, err.msg);
            ok = false;
        }
        hm_secret_free(token);
    }
    return ok;
}

/* https://metapod.example.com: nobody's, by RFC 2606. */
static bool is_example(const char *url)
{
    static const char *const names[] = {"example.com", "example.org", "example.net"};
    const char *host = url != NULL ? strstr(url, "://") : NULL;
    if (host == NULL)
        return false;
    char *name = hm_xstrndup(host + 3, strcspn(host + 3, ":/"));
    bool found = false;
    for (size_t i = 0; i < HM_ARRAY_LEN(names); i++)
        found = found || hm_ends_with(name, names[i]);
    free(name);
    return found;
}

/* No finding: who copies config/hausmeister.cfg may well begin with one system of many. */
static void note_examples(const struct hm_settings *settings)
{
    struct hm_strbuf names;
    hm_strbuf_init(&names, 4000);
    for (size_t i = 0; i < settings->n_backends; i++)
        if (is_example(settings->backends[i].url))
            hm_strbuf_addf(&names, " %s", settings->backends[i].name);
    if (names.len > 0)
        (void)printf("note: the address of these backends is still an example's (example.com):%s\n", hm_strbuf_str(&names));
    hm_strbuf_done(&names);
}

static void add_unset(struct hm_strbuf *names, const char *ref)
{
    if (ref == NULL || !hm_starts_with(ref, "env:") || getenv(ref + 4) != NULL || !hm_process_env_name_ok(ref + 4))
        return;
    char *name = hm_xasprintf(" %s", ref + 4);
    const char *there = strstr(hm_strbuf_str(names), name);
    if (there == NULL || (there[strlen(name)] != '\0' && there[strlen(name)] != ' '))
        hm_strbuf_adds(names, name);
    free(name);
}

/* No finding: this need not be the machine that the bot runs on. */
static void note_unset(const struct hm_settings *settings)
{
    struct hm_strbuf names;
    hm_strbuf_init(&names, 4000);
    add_unset(&names, settings->slack.app_token);
    add_unset(&names, settings->slack.bot_token);
    for (size_t i = 0; i < settings->n_backends; i++) {
        const struct hm_auth *auth = settings->backends[i].auth;
        const char *key = NULL;
        json_t *value = NULL;
        add_unset(&names, auth != NULL ? auth->user : NULL);
        add_unset(&names, auth != NULL ? auth->secret : NULL);
        add_unset(&names, auth != NULL ? auth->session : NULL);
        json_object_foreach(settings->backends[i].env, key, value) add_unset(&names, json_string_value(value));
    }
    if (names.len > 0)
        (void)printf("note: these variables are not set here; where the bot runs they must be:%s\n", hm_strbuf_str(&names));
    hm_strbuf_done(&names);
}

static int run_check(const struct hm_cli *cli)
{
    size_t findings = 0;
    struct hm_settings *settings = hm_cli_settings(cli, &findings);
    if (settings == NULL)
        return hm_cli_fail(HM_EXIT_NO, "%s: %zu finding%s; the bot does not start with %s", cli->config, findings,
                           findings == 1 ? "" : "s", findings == 1 ? "it" : "them");
    bool tokens = tokens_are_right(cli, settings);
    if (!journal_can_be_written(cli, settings->journal_path) || !tokens) {
        hm_settings_free(settings);
        return HM_EXIT_NO;
    }
    (void)printf("%s: ok, %zu recipe%s, %zu alarm%s, %zu backend%s, %zu role%s\n", cli->config, settings->recipes.count,
                 settings->recipes.count == 1 ? "" : "s", settings->alarms.count, settings->alarms.count == 1 ? "" : "s",
                 settings->n_backends, settings->n_backends == 1 ? "" : "s", settings->n_roles,
                 settings->n_roles == 1 ? "" : "s");
    note_examples(settings);
    note_unset(settings);
    hm_settings_free(settings);
    return HM_EXIT_OK;
}

const struct hm_command hm_cmd_check = {
    .name = "check",
    .usage = "--config FILE",
    .help = "checks the configuration, recipes and alarms",
    .needs_config = true,
    .no_words = true,
    .run = run_check,
};

static int run_version(const struct hm_cli *cli)
{
    (void)cli;
    (void)printf("hausmeister %s\n", HM_VERSION);
    return HM_EXIT_OK;
}

const struct hm_command hm_cmd_version = {
    .name = "version",
    .usage = "",
    .help = "says which version this is",
    .needs_config = false,
    .no_words = true,
    .run = run_version,
};

static int run_manifest(const struct hm_cli *cli)
{
    struct hm_err err = {0};
    struct hm_settings *settings = hm_cli_settings(cli, NULL);
    if (settings == NULL)
        return HM_EXIT_NO;
    json_t *manifest = hm_slack_manifest_new("hausmeister", settings->slack.command, &err);
    hm_settings_free(settings);
    if (manifest == NULL)
        return hm_cli_fail(HM_EXIT_NO, "manifest: %s", err.msg);
    hm_cli_print_json(manifest);
    json_decref(manifest);
    return HM_EXIT_OK;
}

const struct hm_command hm_cmd_manifest = {
    .name = "manifest",
    .usage = "--config FILE",
    .help = "prints the Slack app manifest for this configuration",
    .needs_config = true,
    .no_words = true,
    .run = run_manifest,
};
