/* hausmeister runs and audit: reading the journal, also while a bot writes it, and also when recipes, alarms or backends of the
 * configuration are faulty: that is when somebody wants to know what was running. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "journal/journal.h"

enum { MAX_LISTED = 200 };

/* Opens the configured journal; NULL when it can not (and said so, with the exit code). */
static struct hm_journal_reader *open_journal(const struct hm_cli *cli, int *ret_exit)
{
    struct hm_err err = {0};
    struct hm_diags diags;
    hm_diags_init(&diags);
    char *path = hm_settings_journal_path(cli->config, &diags);
    hm_cli_print_findings(cli, &diags);
    hm_diags_done(&diags);
    *ret_exit = HM_EXIT_NO;
    if (path == NULL)
        return NULL;
    struct hm_journal_reader *reader = hm_journal_reader_open(path, &err);
    if (reader == NULL)
        *ret_exit = hm_cli_fail(HM_EXIT_ENV, "%s", err.msg);
    free(path);
    return reader;
}

/* ---- runs ------------------------------------------------------------------------------------------------------------ */

struct listing {
    struct hm_journal_reader *reader;
    json_t *out; /* --json: an array; else NULL */
    size_t count;
};

enum { STATUS_MAX = 24 };

static bool read_status(void *arg, const struct hm_event_row *row)
{
    (void)snprintf(arg, STATUS_MAX, "%s", hm_json_get_str(row->data, "status", "over"));
    return false;
}

/* "going", or how the run ended; "over" when the journal does not tell. */
static void status_of(const struct listing *listing, const struct hm_run_row *row, char ret_status[STATUS_MAX])
{
    struct hm_err err = {0};
    (void)snprintf(ret_status, STATUS_MAX, "%s", row->open ? "going" : "over");
    if (!row->open && hm_journal_last_event(listing->reader, row->run_id, "run.finished", read_status, ret_status, &err) != HM_OK)
        (void)snprintf(ret_status, STATUS_MAX, "over");
}

static bool list_run(void *arg, const struct hm_run_row *row)
{
    struct listing *listing = arg;
    char started[HM_TIME_MAX];
    char status[STATUS_MAX];
    listing->count++;
    (void)hm_format_time(row->started_ms, started);
    status_of(listing, row, status);
    if (listing->out == NULL) {
        (void)printf("%-10s %-9s %s  %-28s %-12s %lld events\n", row->run_id, status, started, row->recipe, row->requester,
                     (long long)row->events);
        return true;
    }
    json_t *run = hm_json_obj_new();
    hm_json_set_str(run, "run", row->run_id);
    hm_json_set_str(run, "recipe", row->recipe);
    hm_json_set_str(run, "requester", row->requester);
    hm_json_set_bool(run, "going", row->open);
    hm_json_set_str(run, "status", status);
    hm_json_set_str(run, "started", started);
    hm_json_set_int(run, "events", row->events);
    hm_json_add(listing->out, run);
    return true;
}

static bool list_event(void *arg, const struct hm_event_row *row)
{
    struct listing *listing = arg;
    char at[HM_TIME_MAX];
    listing->count++;
    (void)hm_format_time(row->wall_ms, at);
    if (listing->out == NULL) {
        char *data = hm_json_text(row->data);
        (void)printf("%4lld  %s  %-16s %s\n", (long long)row->seq, at, row->type, data);
        free(data);
        return true;
    }
    json_t *event = hm_json_obj_new();
    hm_json_set_int(event, "seq", row->seq);
    hm_json_set_str(event, "at", at);
    hm_json_set_str(event, "type", row->type);
    hm_json_set(event, "data", json_incref(hm_unconst(row->data)));
    hm_json_set_str(event, "hash", row->hash);
    hm_json_add(listing->out, event);
    return true;
}

static int run_runs(const struct hm_cli *cli)
{
    struct hm_err err = {0};
    int exit_code = HM_EXIT_OK;
    if (cli->n_words > 1)
        return hm_cli_fail(HM_EXIT_USAGE, "runs takes at most one argument, a run's id");
    struct hm_journal_reader *reader = open_journal(cli, &exit_code);
    if (reader == NULL)
        return exit_code;

    struct listing listing = {.reader = reader, .out = cli->json ? hm_json_arr_new() : NULL};
    const char *run_id = cli->n_words == 1 ? cli->words[0] : NULL;
    enum hm_code code = run_id != NULL ? hm_journal_events(reader, run_id, false, list_event, &listing, &err)
                                       : hm_journal_runs(reader, false, MAX_LISTED, list_run, &listing, &err);
    exit_code = HM_EXIT_OK;
    if (code != HM_OK)
        exit_code = hm_cli_fail(hm_cli_exit_of(code), "%s", err.msg);
    else if (run_id != NULL && listing.count == 0)
        exit_code = hm_cli_fail(HM_EXIT_NO, "the journal has no run \"%s\"; `hausmeister runs` lists them", run_id);
    else if (listing.out != NULL)
        hm_cli_print_json(listing.out);
    else if (listing.count == 0)
        (void)puts("no runs yet");
    if (code == HM_OK && run_id == NULL && listing.count == MAX_LISTED)
        (void)fprintf(stderr, "only the newest %d runs are listed\n", (int)MAX_LISTED);
    json_decref(listing.out);
    hm_journal_reader_free(reader);
    return exit_code;
}

const struct hm_command hm_cmd_runs = {
    .name = "runs",
    .usage = "--config FILE [--json] [RUN]",
    .help = "lists the newest runs, or all events of one",
    .needs_config = true,
    .takes = HM_TAKES_JSON,
    .run = run_runs,
};

/* ---- audit ----------------------------------------------------------------------------------------------------------- */

static int verify(struct hm_journal_reader *reader)
{
    struct hm_err err = {0};
    struct hm_audit audit = {0};
    enum hm_code code = hm_journal_audit(reader, &audit, &err);
    if (code != HM_OK)
        return hm_cli_fail(hm_cli_exit_of(code), "%s", err.msg);
    if (audit.broken_at != 0)
        return hm_cli_fail(HM_EXIT_NO, "the chain is broken at event %lld: %s", (long long)audit.broken_at, audit.problem);
    (void)printf("ok: %llu events, head %s\n", (unsigned long long)audit.rows, audit.head);
    return HM_EXIT_OK;
}

static bool export_event(void *arg, const struct hm_event_row *row)
{
    char at[HM_TIME_MAX];
    json_t *event = hm_json_obj_new();
    size_t *count = arg;
    (*count)++;
    hm_json_set_int(event, "id", row->id);
    hm_json_set_str(event, "run", row->run_id);
    hm_json_set_int(event, "seq", row->seq);
    hm_json_set_str(event, "at", hm_format_time(row->wall_ms, at));
    hm_json_set_str(event, "type", row->type);
    hm_json_set(event, "data", json_incref(hm_unconst(row->data)));
    hm_json_set_str(event, "hash", row->hash);
    char *line = hm_json_text(event);
    (void)puts(line);
    free(line);
    json_decref(event);
    return true;
}

static int run_audit(const struct hm_cli *cli)
{
    struct hm_err err = {0};
    int exit_code = HM_EXIT_OK;
    bool exporting = cli->n_words == 1 && strcmp(cli->words[0], "export") == 0;
    if (!exporting && (cli->n_words != 1 || strcmp(cli->words[0], "verify") != 0))
        return hm_cli_fail(HM_EXIT_USAGE, "write: audit verify, or: audit export");
    struct hm_journal_reader *reader = open_journal(cli, &exit_code);
    if (reader == NULL)
        return exit_code;

    exit_code = HM_EXIT_OK;
    if (exporting) {
        size_t count = 0;
        enum hm_code code = hm_journal_events(reader, NULL, false, export_event, &count, &err);
        if (code != HM_OK)
            exit_code = hm_cli_fail(hm_cli_exit_of(code), "%s", err.msg);
    } else {
        exit_code = verify(reader);
    }
    hm_journal_reader_free(reader);
    return exit_code;
}

const struct hm_command hm_cmd_audit = {
    .name = "audit",
    .usage = "--config FILE verify|export",
    .help = "recomputes the journal's hash chain, or prints it as JSON lines",
    .needs_config = true,
    .run = run_audit,
};
