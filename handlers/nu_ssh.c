/* nu ser ssh: the state of a service's unit, its last log lines, restarting it.
 *
 * In the documents nu ser ssh is interactive; here the command to run follows in the same words, after "--" (setting
 * ssh_before_command). There are four commands and no others; what a person may choose is the service, and that from a list. The
 * log is never followed (-f would not return).
 *
 * Restarting is HM_EFFECT_ONCE with a probe: the unit says since when it runs, so a later time than before proves that it was
 * restarted. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/argv_answer.h"
#include "handlers/nu.h"

enum { INACTIVE = 3 /* systemctl status of a unit that does not run */, WORD_MAX = 60 };

static const char *const units[] = {"aurora-scheduler", "airflow", "mesos-master", NULL};
static const char *const restartable[] = {"aurora-scheduler", "airflow", "mesos-master", NULL};

static const struct hm_arg_spec unit_args[] = {
    {"service", HM_ARG_STRING, true, "aurora-scheduler, airflow or mesos-master"},
    {"env", HM_ARG_STRING, true, "environment, like cantareira"},
    {"suffix", HM_ARG_STRING, true, "stack, like stable"},
    {"region", HM_ARG_STRING, true, "AWS region, like us-east-1"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static const struct hm_arg_spec status_args[] = {
    {"service", HM_ARG_STRING, true, "aurora-scheduler, airflow or mesos-master"},
    {"env", HM_ARG_STRING, true, "environment, like cantareira"},
    {"suffix", HM_ARG_STRING, true, "stack, like stable"},
    {"region", HM_ARG_STRING, true, "AWS region, like us-east-1"},
    {"before", HM_ARG_STRING, false, "since when it ran at an earlier look, to be told whether it was restarted"},
    {NULL, HM_ARG_STRING, false, NULL},
};

/* `nu ser ssh SERVICE … -- COMMAND… SERVICE AFTER…` */
/* NOLINTNEXTLINE(readability-function-size): the parts of one command, in their order */
static enum hm_code ssh_request(const struct hm_backend *backend, const json_t *args, const char *const *allowed,
                                const char *const *command, const char *const *after, struct hm_request *req, struct hm_err *err)
{
    static const char *const words[] = {"ser", "ssh", NULL};
    static const struct hm_nu_part parts[] = {
        {NULL, "service"}, {"--suffix", "suffix"}, {"--env", "env"}, {"--region", "region"}, {NULL, NULL}};
    const char *service = hm_json_get_str(args, "service", "");
    const char *before = hm_json_get_str(backend->settings, "ssh_before_command", "--");
    const char *const *known = allowed;
    while (*known != NULL && !hm_streq(*known, service))
        known++;
    if (*known == NULL)
        return hm_err_set(err, HM_EINVAL, "service: \"%.60s\" is none that this may be done to", service);
    enum hm_code code = hm_nu_begin(backend, words, req, err);
    if (code == HM_OK)
        code = hm_nu_add(req, parts, args, err);
    if (code != HM_OK)
        return code;
    if (before[0] != '\0')
        hm_request_add_word(req, before);
    for (; *command != NULL; command++)
        hm_request_add_word(req, *command);
    hm_request_add_word(req, service);
    for (; *after != NULL; after++)
        hm_request_add_word(req, *after);
    return HM_OK;
}

/* ---- status --------------------------------------------------------------------------------------------------------------- */

static enum hm_code status_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                   struct hm_request *req, struct hm_err *err)
{
    static const char *const command[] = {"sudo", "systemctl", "status", "--no-pager", "--lines=0", NULL};
    static const char *const after[] = {NULL};
    (void)cursor;
    return ssh_request(backend, args, units, command, after, req, err);
}

/* What stands after `label` in one of the text's lines, up to the line's end or one of `ends`; "" when no line has it. The caller
 * frees. */
static char *field(const char *text, const char *label, const char *ends)
{
    for (const char *line = text; line != NULL && *line != '\0';) {
        const char *start = line + strspn(line, " \t");
        if (hm_starts_with(start, label)) {
            start += strlen(label);
            start += strspn(start, " ");
            size_t len = strcspn(start, "\n");
            size_t cut = strcspn(start, ends);
            return hm_utf8_clean(start, cut < len ? cut : len);
        }
        line = strchr(line, '\n');
        line = line != NULL ? line + 1 : NULL;
    }
    return hm_xstrdup("");
}

/* "active (running) since Sat 2026-11-28 18:00:01 UTC; 3min ago" */
static void read_active(const char *active, const char *before, json_t *result)
{
    size_t word = strcspn(active, " ");
    char *state = hm_xstrndup(active, word < WORD_MAX ? word : WORD_MAX);
    const char *since = strstr(active, " since ");
    char *when = since != NULL ? hm_xstrndup(since + strlen(" since "), strcspn(since + strlen(" since "), ";")) : hm_xstrdup("");
    bool runs = hm_streq(state, "active");
    hm_json_set_bool(result, "active", runs);
    hm_json_set_str(result, "state", state);
    hm_json_set_str(result, "since", when);
    hm_json_set_bool(result, "restarted", runs && before[0] != '\0' && when[0] != '\0' && !hm_streq(before, when));
    free(when);
    free(state);
}

static enum hm_verdict status_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                       const struct hm_answer *answer, struct hm_outcome *out)
{
    static const struct hm_argv_asked asked = {.command = "nu ser ssh … systemctl status", .effect = HM_EFFECT_READ};
    struct hm_answer fine = *answer;
    (void)backend;
    (void)cursor;
    char *active = field(answer->body, "Active:", "");
    if (answer->status == INACTIVE && active[0] != '\0') /* it was asked and it answered */
        fine.status = 0;
    enum hm_verdict verdict = hm_argv_judge(&asked, &fine, out);
    if (verdict == HM_VERDICT_OK) {
        hm_json_set_str(out->result, "service", hm_json_get_str(args, "service", ""));
        read_active(active[0] != '\0' ? active : "unknown", hm_json_get_str(args, "before", ""), out->result);
    }
    free(active);
    return verdict;
}

static const struct hm_field_spec unit_status_fields[] = {
    {"service", HM_FIELD_TEXT, true, "the service", NULL},
    {"active", HM_FIELD_BOOL, true, "whether it runs", NULL},
    {"state", HM_FIELD_TEXT, true, "systemd's word: active, inactive, failed …", NULL},
    {"since", HM_FIELD_TEXT, true, "the time as systemd writes it; empty when it says none", NULL},
    {"restarted", HM_FIELD_BOOL, true, "it runs since another time than `before`", NULL},
    HM_ARGV_RESULT_FIELDS,
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_nu_unit_status = {
    .name = "nu.unit-status",
    .title = "Look at a service's unit",
    .doc = "`systemctl status` over `nu ser ssh`.",
    .effect = HM_EFFECT_READ,
    .args = status_args,
    .result = unit_status_fields,
    .request = status_request,
    .response = status_response,
};

/* ---- the log -------------------------------------------------------------------------------------------------------------- */

static enum hm_code journal_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                    struct hm_request *req, struct hm_err *err)
{
    static const char *const command[] = {"journalctl", "-n", "50", "--no-pager", "-u", NULL};
    static const char *const after[] = {NULL};
    (void)cursor;
    return ssh_request(backend, args, units, command, after, req, err);
}

static enum hm_verdict journal_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                        const struct hm_answer *answer, struct hm_outcome *out)
{
    static const struct hm_argv_asked asked = {.command = "nu ser ssh … journalctl", .effect = HM_EFFECT_READ};
    (void)backend;
    (void)args;
    (void)cursor;
    return hm_argv_judge(&asked, answer, out);
}

static const struct hm_field_spec journal_fields[] = {
    HM_ARGV_RESULT_FIELDS,
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_nu_journal = {
    .name = "nu.journal",
    .title = "Read the last lines of a service's log",
    .doc = "The last 50 lines of `journalctl` over `nu ser ssh`.",
    .effect = HM_EFFECT_READ,
    .args = unit_args,
    .result = journal_fields,
    .request = journal_request,
    .response = journal_response,
};

/* ---- restart -------------------------------------------------------------------------------------------------------------- */

static enum hm_code restart_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                    struct hm_request *req, struct hm_err *err)
{
    static const char *const command[] = {"sudo", "systemctl", "restart", NULL};
    static const char *const after[] = {NULL};
    (void)cursor;
    return ssh_request(backend, args, restartable, command, after, req, err);
}

static enum hm_verdict restart_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                        const struct hm_answer *answer, struct hm_outcome *out)
{
    static const struct hm_argv_asked asked = {.command = "nu ser ssh … systemctl restart", .effect = HM_EFFECT_ONCE};
    (void)backend;
    (void)args;
    (void)cursor;
    return hm_argv_judge(&asked, answer, out);
}

static const struct hm_arg_spec restart_context[] = {
    {"before", HM_ARG_STRING, true, "since when it ran before, as nu.unit-status says it"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code restart_probe_args(const json_t *args, const json_t *context, json_t **ret_args, struct hm_err *err)
{
    const char *before = hm_json_get_str(context, "before", "");
    if (before[0] == '\0')
        return hm_err_set(err, HM_EINVAL, "probe: without `before`, since when it ran, nobody can tell");
    *ret_args = json_deep_copy(args);
    hm_json_set_str(*ret_args, "before", before);
    return HM_OK;
}

/* The same time as before proves nothing: systemd may still be stopping it. */
static enum hm_probe_says restart_probe_judge(const json_t *args, enum hm_verdict verdict, const json_t *result)
{
    (void)args;
    if (verdict != HM_VERDICT_OK)
        return HM_PROBE_CANNOT_TELL;
    return hm_json_get_bool(result, "restarted", false) ? HM_PROBE_APPLIED : HM_PROBE_NOT_YET;
}

const struct hm_action hm_nu_restart_unit = {
    .name = "nu.restart-unit",
    .title = "Restart a service's unit",
    .doc = "`sudo systemctl restart` over `nu ser ssh`. If nobody knows whether it happened, the unit is asked since when it "
           "runs; give `probe = { before = … }`, the `since` of a nu.unit-status before.",
    .effect = HM_EFFECT_ONCE,
    .args = unit_args,
    .result = journal_fields,
    .request = restart_request,
    .response = restart_response,
    .probe_action = "nu.unit-status",
    .probe_args = restart_probe_args,
    .probe_judge = restart_probe_judge,
    .probe_context = restart_context,
    .settle_ms = 120000, /* systemd stops a unit for 90 s before it kills it (DefaultTimeoutStopSec), and starts it then */
};
