/* nu, as far as the cookbook goes: cache bust stack, ser cycle, ser curl (programs_curl.c), ser ssh (status, restart, log),
 * registry list-images, datainfra hausmeister dataset-successors, datainfra ec2 scale_down, sec generate certificate, datainfra
 * sabesp -- …. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "house.h"

enum { MS = 1000, INACTIVE = 3, NO_UNIT = 4 };

/* "--env E --suffix S --region R" in any order, all of them, nothing else up to "--" or the end. */
static bool read_place(const char *const **words)
{
    unsigned seen = 0;
    while (**words != NULL && !hm_streq(**words, "--")) {
        if (hm_house_option(words, "--env") != NULL)
            seen |= 1U;
        else if (hm_house_option(words, "--suffix") != NULL)
            seen |= 2U;
        else if (hm_house_option(words, "--region") != NULL)
            seen |= 4U;
        else
            return false;
    }
    return seen == 7U;
}

static void cycle(struct hm_world *world, const char *const *words, struct hm_house_end *end)
{
    const char *service = hm_house_word(&words);
    if (service == NULL || !read_place(&words) || *words != NULL) {
        hm_house_usage(end, "nu ser cycle SERVICE --env ENV --suffix SUFFIX --region REGION");
        return;
    }
    hm_world_count_effect(world, "nu ser cycle", service, true);
    if (hm_streq(service, "mesos-master"))
        hm_house_cycle_masters(world);
    else if (hm_streq(service, "mesos-on-demand"))
        hm_house_lose_tasks(world);
    hm_strbuf_addf(end->out, "Cycling %s\nDone.\n", service);
}

/* "Sat 2026-11-28 18:00:01 UTC" */
static char *systemd_time(int64_t ms)
{
    char text[60];
    struct tm tm;
    time_t seconds = (time_t)(ms / MS);
    (void)gmtime_r(&seconds, &tm);
    (void)strftime(text, sizeof text, "%a %Y-%m-%d %H:%M:%S UTC", &tm);
    return hm_xstrdup(text);
}

static json_t *unit_of(json_t *state, const char *name)
{
    return hm_json_get_obj(hm_json_get_obj(state, "units"), name);
}

static void show_unit(const json_t *unit, const char *name, struct hm_house_end *end)
{
    const char *state = hm_json_get_str(unit, "state", "active");
    bool active = hm_streq(state, "active");
    hm_strbuf_addf(
        end->out,
        "* %s.service - %s\n     Loaded: loaded (/lib/systemd/system/%s.service; enabled)\n     Active: %s (%s) since %s; 3min "
        "ago\n   Main PID: 1234 (java)\n",
        name, name, name, state, active ? "running" : "dead", hm_json_get_str(unit, "since", "Fri 2026-11-27 01:00:00 UTC"));
    end->status = active ? 0 : INACTIVE;
}

static void restart_unit(struct hm_world *world, json_t *unit, const char *name)
{
    char *since = systemd_time(hm_world_now_ms(world));
    hm_json_set_str(unit, "since", since);
    hm_json_set_str(unit, "state", "active");
    hm_world_count_effect(world, "nu ser ssh restart", name, true);
    if (hm_streq(name, "aurora-scheduler")) {
        hm_house_restart_scheduler(world);
        hm_house_orphan(world, "Aurora");
    }
    free(since);
}

static bool begins(const char *const *words, const char *const *with)
{
    for (; *with != NULL; words++, with++)
        if (!hm_streq(*words, *with))
            return false;
    return true;
}

static void ssh(struct hm_world *world, json_t *state, const char *const *words, struct hm_house_end *end)
{
    static const char *const status[] = {"sudo", "systemctl", "status", "--no-pager", "--lines=0", NULL};
    static const char *const restart[] = {"sudo", "systemctl", "restart", NULL};
    static const char *const log[] = {"journalctl", "-n", "50", "--no-pager", "-u", NULL};
    const char *service = hm_house_word(&words);
    if (service == NULL || !read_place(&words) || !hm_house_flag(&words, "--") || *words == NULL) {
        hm_house_usage(end, "nu ser ssh SERVICE --suffix SUFFIX --env ENV --region REGION -- COMMAND");
        return;
    }
    size_t n = 0;
    while (words[n] != NULL)
        n++;
    json_t *unit = unit_of(state, words[n - 1]);
    if (unit == NULL) {
        hm_strbuf_addf(end->errors, "Unit %s.service could not be found.\n", words[n - 1]);
        end->status = NO_UNIT;
    } else if (begins(words, status) && n == 6) {
        show_unit(unit, words[5], end);
    } else if (begins(words, restart) && n == 4) {
        restart_unit(world, unit, words[3]);
    } else if (begins(words, log) && n == 6) {
        hm_strbuf_addf(end->out, "Nov 28 18:00:00 %s[1234]: I1128 starting\nNov 28 18:00:01 %s[1234]: I1128 ready\n", words[5],
                       words[5]);
    } else {
        hm_strbuf_adds(end->errors, "command not found\n");
        end->status = 127;
    }
}

static void list_images(const json_t *state, const char *const *words, struct hm_house_end *end)
{
    const char *image = hm_house_word(&words);
    const json_t *tags = image != NULL ? hm_json_get_arr(hm_json_get_obj(state, "images"), image) : NULL;
    if (tags == NULL || *words != NULL) {
        hm_strbuf_addf(end->errors, "no image %s\n", image != NULL ? image : "?");
        end->status = 1;
    }
    for (size_t i = 0; i < json_array_size(tags); i++)
        hm_strbuf_addf(end->out, "quay.io/nubank/%s:%s\n", image, json_string_value(json_array_get(tags, i)));
}

static void successors(const json_t *state, const char *const *words, struct hm_house_end *end)
{
    const char *transaction = hm_house_word(&words), *dataset = hm_house_word(&words);
    const json_t *names = dataset != NULL ? hm_json_get_arr(hm_json_get_obj(state, "successors"), dataset) : NULL;
    if (dataset == NULL || !hm_is_uuid(transaction) || *words != NULL)
        hm_house_usage(end, "nu datainfra hausmeister dataset-successors TRANSACTION DATASET");
    for (size_t i = 0; end->status == 0 && i < json_array_size(names); i++)
        hm_strbuf_addf(end->out, "%s\n", json_string_value(json_array_get(names, i)));
}

static void scale_down(struct hm_world *world, const char *const *words, struct hm_house_end *end)
{
    const char *env = hm_house_word(&words), *suffix = hm_house_word(&words), *job = hm_house_word(&words);
    if (env == NULL || suffix == NULL || job == NULL || *words != NULL) {
        hm_house_usage(end, "nu datainfra ec2 scale_down ENV SUFFIX JOB");
        return;
    }
    hm_world_count_effect(world, "nu ec2 scale_down", job, true);
    hm_strbuf_addf(end->out, "Terminating instances of %s\n", job);
}

static void certificate(struct hm_world *world, const char *const *words, struct hm_house_end *end)
{
    const char *service = hm_house_word(&words);
    if (service == NULL || *words != NULL) {
        hm_house_usage(end, "nu sec generate certificate SERVICE");
        return;
    }
    hm_house_certificate(world, service);
    hm_world_count_effect(world, "nu sec generate certificate", service, true);
    hm_strbuf_addf(end->out, "Certificate of %s generated.\n", service);
}

void hm_house_nu(struct hm_world *world, json_t *state, const char *const *words, struct hm_house_end *end)
{
    enum { BUST, CYCLE, CURL, SSH, IMAGES, SUCCESSORS, SCALE_DOWN, CERTIFICATE, SABESP, N_COMMANDS };
    static const char *const commands[N_COMMANDS][4] = {
        [BUST] = {"cache", "bust", "stack"},
        [CYCLE] = {"ser", "cycle"},
        [CURL] = {"ser", "curl"},
        [SSH] = {"ser", "ssh"},
        [IMAGES] = {"registry", "list-images"},
        [SUCCESSORS] = {"datainfra", "hausmeister", "dataset-successors"},
        [SCALE_DOWN] = {"datainfra", "ec2", "scale_down"},
        [CERTIFICATE] = {"sec", "generate", "certificate"},
        [SABESP] = {"datainfra", "sabesp", "--"},
    };
    int which = 0;
    while (which < N_COMMANDS && !begins(words, commands[which]))
        which++;
    for (size_t i = 0; which < N_COMMANDS && commands[which][i] != NULL; i++)
        words++;
    switch (which) {
    case BUST:
        hm_world_count_effect(world, "nu cache bust", "stack", true);
        hm_house_nu_bust(state);
        hm_strbuf_adds(end->out, "busted\n");
        break;
    case CYCLE:
        cycle(world, words, end);
        break;
    case CURL:
        hm_house_nu_curl(world, state, words, end);
        break;
    case SSH:
        ssh(world, state, words, end);
        break;
    case IMAGES:
        list_images(state, words, end);
        break;
    case SUCCESSORS:
        successors(state, words, end);
        break;
    case SCALE_DOWN:
        scale_down(world, words, end);
        break;
    case CERTIFICATE:
        certificate(world, words, end);
        break;
    case SABESP:
        hm_house_sabesp(world, state, words, end);
        break;
    default:
        hm_house_usage(end, "nu COMMAND …");
        break;
    }
}
