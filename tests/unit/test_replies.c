/* Every text that one person gets alone: one golden file with all of them, and no foreign text that becomes syntax. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "support/golden.h"
#include "view/replies.h"
#include "view_runs.h"

static const char *const reply_names[] = {
    [HM_REPLY_NONE] = "none",
    [HM_REPLY_VOTED] = "voted",
    [HM_REPLY_APPROVED] = "approved",
    [HM_REPLY_REJECTED] = "rejected",
    [HM_REPLY_OWN] = "own",
    [HM_REPLY_NOT_IN_ROLE] = "not in role",
    [HM_REPLY_ROLE_UNKNOWN] = "role unknown",
    [HM_REPLY_OUTSIDER] = "outsider",
    [HM_REPLY_TWICE] = "twice",
    [HM_REPLY_ALREADY] = "already",
    [HM_REPLY_EXPIRED] = "expired",
    [HM_REPLY_STALE] = "stale",
    [HM_REPLY_NEED_TYPED] = "need typed",
    [HM_REPLY_WRONG_TYPED] = "wrong typed",
    [HM_REPLY_NEED_REASON] = "need reason",
    [HM_REPLY_NO_GLASS] = "no glass",
    [HM_REPLY_RUN_OVER] = "run over",
    [HM_REPLY_SETTLED] = "settled",
    [HM_REPLY_CANCELLED] = "cancelled",
    [HM_REPLY_NOT_STORED] = "not stored",
    [HM_REPLY_BROKEN] = "broken",
    [HM_REPLY_ANSWERED] = "answered",
    [HM_REPLY_WAS_ANSWERED] = "was answered",
    [HM_REPLY_BAD_ANSWER] = "bad answer",
    [HM_REPLY_OFFER_TAKEN] = "offer taken",
    [HM_REPLY_OFFER_GONE] = "offer gone",
    [HM_REPLY_REOPENED] = "reopened",
    [HM_REPLY_NONE_FAILED] = "none failed",
    [HM_REPLY_ROLE_FULL] = "role full",
    [HM_REPLY_TAKEN] = "taken",
    [HM_REPLY_IS_YOURS] = "is yours",
    [HM_REPLY_TAKE_VOTED] = "take voted",
};

static const char *const notice_names[] = {
    [HM_NOTICE_UNKNOWN_RECIPE] = "unknown recipe",
    [HM_NOTICE_UNKNOWN_WORD] = "unknown word",
    [HM_NOTICE_BAD_PARAM] = "bad param",
    [HM_NOTICE_MAY_NOT_START] = "may not start",
    [HM_NOTICE_ROLE_UNKNOWN] = "role unknown",
    [HM_NOTICE_OUTSIDER] = "outsider",
    [HM_NOTICE_TEAM_UNKNOWN] = "team unknown",
    [HM_NOTICE_BOT] = "bot",
    [HM_NOTICE_BUSY] = "busy",
    [HM_NOTICE_STARTED] = "started",
    [HM_NOTICE_NO_CHANNEL] = "no channel",
    [HM_NOTICE_MOVED] = "moved",
    [HM_NOTICE_NO_RUN] = "no run",
    [HM_NOTICE_JOURNAL_DOWN] = "journal down",
    [HM_NOTICE_SLACK_TROUBLE] = "slack trouble",
    [HM_NOTICE_STOPPING] = "stopping",
    [HM_NOTICE_LATE] = "late",
    [HM_NOTICE_FORM_EXPIRED] = "form expired",
    [HM_NOTICE_NOT_YET] = "not yet",
    [HM_NOTICE_DRY_BUSY] = "dry busy",
    [HM_NOTICE_FORM_LATE] = "form late",
    [HM_NOTICE_FORM_BUTTON] = "form button",
    [HM_NOTICE_HOLDING] = "holding",
    [HM_NOTICE_HELD] = "held",
    [HM_NOTICE_RESUMED] = "resumed",
    [HM_NOTICE_NOT_HELD] = "not held",
    [HM_NOTICE_NO_CONTROL] = "no control",
    [HM_NOTICE_STOP_WHAT] = "stop what",
    [HM_NOTICE_WHICH_RUN] = "which run",
    [HM_NOTICE_TOO_MUCH] = "too much",
    [HM_NOTICE_RECIPE_GONE] = "recipe gone",
};

static void add(struct hm_strbuf *out, const char *title, const char *name, const char *variant, char *stolen_text)
{
    hm_strbuf_addf(out, "%s: %s%s\n  %s\n\n", title, name, variant, stolen_text);
    free(stolen_text);
}

static struct hm_reply reply_of(enum hm_reply_kind kind, const struct hm_step *step)
{
    return (struct hm_reply){.kind = kind,
                             .who = "U0BEN",
                             .when_ms = view_t0 + 60000,
                             .have = 1,
                             .need = 2,
                             .decision = HM_GATE_APPROVED,
                             .status = HM_RUN_DONE,
                             .step = step,
                             .typed = "318"};
}

static void add_replies(struct hm_strbuf *out)
{
    struct view_run *v = view_run_bulk_new(3);
    const struct hm_run *run = view_run_get(v);
    const struct hm_step *gate = &run->recipe->steps[VIEW_GATE];
    for (enum hm_reply_kind kind = HM_REPLY_NONE; kind < HM_REPLY_NR; kind++) {
        struct hm_reply reply = reply_of(kind, gate);
        add(out, "click", reply_names[kind], "", hm_reply_text(&reply, run));
    }
    for (enum hm_decision decision = HM_GATE_REJECTED; decision <= HM_GATE_VOIDED; decision++) {
        static const char *const variants[] = {
            [HM_GATE_REJECTED] = ", rejected", [HM_GATE_EXPIRED] = ", expired", [HM_GATE_VOIDED] = ", void"};
        struct hm_reply reply = reply_of(HM_REPLY_ALREADY, gate);
        reply.decision = decision;
        reply.who[0] = '\0';
        add(out, "click", "already", variants[decision], hm_reply_text(&reply, run));
    }
    struct hm_reply reply = reply_of(HM_REPLY_OWN, gate);
    (void)snprintf(reply.who, sizeof reply.who, "%s", run->requester);
    add(out, "click", "own", ", he asked for it", hm_reply_text(&reply, run));
    reply = reply_of(HM_REPLY_STALE, NULL);
    add(out, "click", "stale", ", no such run", hm_reply_text(&reply, NULL));
    reply = reply_of(HM_REPLY_BROKEN, NULL);
    view_set(&view_run_get(v)->broken, "run r-7k2m, event 7 (gate.opened): gate gate opened *twice*");
    add(out, "click", "broken", ", with why", hm_reply_text(&reply, run));
    view_set(&view_run_get(v)->broken, NULL);
    add(out, "click", "broken", ", no run", hm_reply_text(&reply, NULL));
    reply = reply_of(HM_REPLY_NOT_IN_ROLE, NULL);
    add(out, "click", "not in role", ", no gate", hm_reply_text(&reply, run));
    reply = reply_of(HM_REPLY_RUN_OVER, NULL);
    reply.when_ms = 0;
    add(out, "click", "run over", ", no run", hm_reply_text(&reply, NULL));
    reply = reply_of(HM_REPLY_VOTED, gate);
    reply.need = 4;
    add(out, "click", "voted", ", more than one left", hm_reply_text(&reply, run));
    view_run_get(v)->effect_started = true;
    reply = reply_of(HM_REPLY_REJECTED, gate);
    add(out, "click", "rejected", ", half done", hm_reply_text(&reply, run));
    view_run_free(v);
}

static struct hm_notice notice_of(enum hm_notice_kind kind, const struct hm_recipe *recipe)
{
    return (struct hm_notice){.kind = kind,
                              .command = "/hausmeister",
                              .word = kind == HM_NOTICE_NO_RUN ? "r-9999" : "retrackt",
                              .detail = kind == HM_NOTICE_BAD_PARAM
                                            ? "dataset \"5a5d\" is no uuid, like 0b1c2d3e-4f50-4a61-8b72-93a4b5c6d7e8"
                                            : "not_in_channel",
                              .suggestion = "retract",
                              .channel = "C0OPS",
                              .run_id = "r-7k2m",
                              .recipe = recipe,
                              .when_ms = view_t0};
}

static void add_notices(struct hm_strbuf *out)
{
    struct view_run *v = view_run_new();
    for (enum hm_notice_kind kind = HM_NOTICE_UNKNOWN_RECIPE; kind < HM_NOTICE_NR; kind++) {
        struct hm_notice notice = notice_of(kind, view_run_recipe(v));
        add(out, "notice", notice_names[kind], "", hm_notice_text(&notice));
    }
    struct hm_notice notice = notice_of(HM_NOTICE_UNKNOWN_RECIPE, NULL);
    notice.suggestion = NULL;
    add(out, "notice", "unknown recipe", ", nothing like it", hm_notice_text(&notice));
    notice = notice_of(HM_NOTICE_JOURNAL_DOWN, NULL);
    notice.detail = NULL;
    add(out, "notice", "journal down", ", no detail", hm_notice_text(&notice));
    for (int i = 0; i < 2; i++) {
        notice = notice_of(i == 0 ? HM_NOTICE_FORM_EXPIRED : HM_NOTICE_FORM_LATE, NULL);
        notice.detail = NULL;
        add(out, "notice", notice_names[notice.kind], ", for the time", hm_notice_text(&notice));
    }
    notice = notice_of(HM_NOTICE_BUSY, view_run_recipe(v));
    notice.run_id = NULL;
    notice.detail = "run r-7k2m is at it already (lock metapod/x).";
    add(out, "notice", "busy", ", in words", hm_notice_text(&notice));
    view_run_free(v);
}

static void test_golden(void **state)
{
    (void)state;
    struct hm_strbuf out;
    hm_strbuf_init(&out, 100000);
    add_replies(&out);
    add_notices(&out);
    assert_true(hm_golden_matches("view/replies.txt", hm_strbuf_str(&out)));
    hm_strbuf_done(&out);
}

/* Short, without an exclamation mark, and whole sentences. */
static void test_tone(void **state)
{
    (void)state;
    struct hm_strbuf out;
    hm_strbuf_init(&out, 100000);
    add_replies(&out);
    add_notices(&out);
    char *text = hm_strbuf_take(&out);
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        assert_true(strlen(line) < 420);
        for (const char *p = strchr(line, '!'); p != NULL; p = strchr(p + 1, '!'))
            assert_true(p > line && p[-1] == '<'); /* of a <!date> alone */
        if (line[0] == ' ')
            assert_true(line[strlen(line) - 1] == '.');
    }
    free(text);
}

static void test_foreign_text(void **state)
{
    (void)state;
    static const char *const hostile[] = {"<!channel>", "`*<@U1>*`", "\xff\x01", "", "a\nb"};
    struct view_run *v = view_run_new();
    for (size_t i = 0; i < HM_ARRAY_LEN(hostile); i++) {
        for (enum hm_notice_kind kind = HM_NOTICE_UNKNOWN_RECIPE; kind < HM_NOTICE_NR; kind++) {
            struct hm_notice notice = notice_of(kind, i % 2 == 0 ? view_run_recipe(v) : NULL);
            notice.word = notice.detail = notice.suggestion = notice.channel = notice.run_id = hostile[i];
            char *text = hm_notice_text(&notice);
            assert_null(strstr(text, "<!channel>"));
            assert_null(strstr(text, "<@U1>"));
            assert_true(strlen(text) > 10);
            free(text);
        }
        for (enum hm_reply_kind kind = HM_REPLY_NONE; kind < HM_REPLY_NR; kind++) {
            struct hm_reply reply = reply_of(kind, NULL);
            memcpy(reply.who, hostile[i], strlen(hostile[i]) + 1);
            memcpy(reply.typed, hostile[i], strlen(hostile[i]) + 1);
            char *text = hm_reply_text(&reply, i % 2 == 0 ? view_run_get(v) : NULL);
            assert_null(strstr(text, "<!channel>"));
            assert_null(strstr(text, "<@U1>"));
            free(text);
        }
    }
    view_run_free(v);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_tone),
        cmocka_unit_test(test_foreign_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
