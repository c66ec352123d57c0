/* Cases: how an alarm begins, repeats, is taken, ends; as JSON and back; its card. */
#include "alarm/case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "support/block_limits.h"
#include "support/block_text.h"
#include "support/golden.h"
#include "unit.h"
#include "view/alarm_card.h"

#define NOW 1795867200000

static const char rule_text[] =
    "name = \"bad\"; title = \"A dataset is bad\"; doc = \"The book\"; channels = [ \"C0A\" ]; from = [ \"B0A\" ];\n"
    "match = \"bad (?<id>[^ ]+)\"; fields = ( { name = \"id\"; type = \"string\"; }, { name = \"tx\"; type = \"string\"; find = "
    "\"tx=(?<tx>[a-z0-9]+){{end}}\"; optional = true; },\n"
    "  { name = \"where\"; type = \"string\"; find = \"at (?<where>x){{end}}\"; optional = true; aside = true; },\n"
    "  { name = \"env\"; type = \"string\"; of = [ \"where\" ]; assume = \"br\"; map = ( { like = \"x\"; is = \"mx\"; } ); } );\n"
    "dedupe = { key = \"${id}\"; for = \"2h\"; }; ignore_older = \"1h\"; say = \"It is ${id}.\";\n"
    "offers = ( { recipe = \"mend\"; label = \"Mend it\"; with = { id = \"${id}\"; }; style = \"primary\"; },\n"
    "  { recipe = \"drop\"; label = \"Drop it\"; with = { id = \"${id}\"; tx = \"${tx}\"; }; style = \"danger\"; } );\n"
    "auto = ( { recipe = \"look\"; with = { id = \"${id}\"; }; } );\n"
    "remember = ( { key = \"etl\"; fields = { tx = \"${tx}\"; id = \"${id}\"; }; before = \"etl-before\"; changes = \"id\"; } );";

static struct hm_alarms alarms;
static int64_t ends; /* runs end one after the other */

static int load_rule(void **state)
{
    (void)state;
    struct hm_diags diags;
    hm_diags_init(&diags);
    alarms.items = hm_xcalloc(1, sizeof(struct hm_alarm_rule *));
    alarms.items[0] = hm_alarm_parse("bad.cfg", rule_text, NULL, &diags);
    alarms.count = 1;
    if (alarms.items[0] == NULL)
        fail_msg("%s", diags.items[0].text);
    hm_diags_done(&diags);
    return 0;
}

static int free_rule(void **state)
{
    (void)state;
    hm_alarms_done(&alarms);
    return 0;
}

static void count_up(void *arg, char ret_nonce[HM_CASE_NONCE_MAX])
{
    int *n = arg;
    (void)snprintf(ret_nonce, HM_CASE_NONCE_MAX, "%016d", ++*n);
}

static struct hm_case *begin(const char *text, int64_t at_ms, bool late)
{
    struct hm_alarm_verdict v;
    int n = 0;
    json_t *message =
        json_pack("{s:s, s:s, s:s, s:s}", "text", text, "channel", "C0A", "bot_id", "B0A", "ts", "1795867200.000100");
    const struct hm_alarm_around around = {0};
    hm_alarm_judge(&alarms, message, &around, &v);
    assert_int_equal(v.kind, HM_ALARM_MATCH);
    const struct hm_case_order order = {.id = "a-222222",
                                        .channel = "C0A",
                                        .ts = "1795867200.000100",
                                        .at_ms = at_ms,
                                        .now_ms = NOW,
                                        .late = late,
                                        .nonce = count_up,
                                        .arg = &n};
    struct hm_case *c = hm_case_begin(&v, &order);
    hm_alarm_verdict_done(&v);
    json_decref(message);
    return c;
}

/* What the shell says of an offer's run. */
static bool went(struct hm_case *c, size_t offer, const char *run_id, const char *status, const char *said)
{
    const struct hm_case_run_news news = {
        .run_id = run_id, .status = status, .said = said, .ended_ms = status != NULL ? NOW + ++ends : 0};
    return hm_case_run(c, &c->offers[offer], &news);
}

/* The same of one that only looks. */
static void looked(struct hm_case *c, size_t offer, const char *run_id, const char *status)
{
    const struct hm_case_run_news news = {
        .run_id = run_id, .status = status, .looks = true, .ended_ms = status != NULL ? NOW + ++ends : 0};
    (void)hm_case_run(c, &c->offers[offer], &news);
}

static void assert_unmark(const struct hm_case *c, const char *names)
{
    struct hm_strbuf all;
    size_t i = 0;
    const json_t *name = NULL;
    hm_strbuf_init(&all, 200);
    json_array_foreach(c->unmark, i, name) hm_strbuf_addf(&all, "%s%s", i > 0 ? " " : "", json_string_value(name));
    assert_string_equal(hm_strbuf_str(&all), names);
    hm_strbuf_done(&all);
}

/* There and back again gives the same bytes. */
static void assert_kept(const struct hm_case *c)
{
    json_t *json = hm_case_json_new(c);
    struct hm_case *copy = hm_case_of_json(json);
    assert_non_null(copy);
    json_t *again = hm_case_json_new(copy);
    char *a = hm_json_text(json);
    char *b = hm_json_text(again);
    assert_string_equal(a, b);
    free(a);
    free(b);
    json_decref(json);
    json_decref(again);
    hm_case_free(copy);
}

static void test_begins(void **state)
{
    (void)state;
    struct hm_case *c = begin("bad d1 tx=t1", NOW - 5000, false);
    assert_int_equal(c->n_offers, 3);
    assert_string_equal(c->key, "d1");
    assert_true(c->offers[0].unasked);
    assert_false(c->offers[1].unasked);
    assert_false(c->late);
    assert_string_equal(hm_json_get_str(c->offers[2].with, "tx", ""), "t1");
    assert_kept(c);
    hm_case_free(c);

    c = begin("bad d1", NOW - 5000, true); /* out of history: what starts by itself becomes a button */
    assert_true(c->late);
    assert_int_equal(c->n_offers, 3);
    assert_false(c->offers[2].unasked);
    assert_null(json_object_get(c->offers[1].with, "tx"));
    hm_case_free(c);

    c = begin("bad d1", NOW - 3600001, false); /* older than ignore_older */
    assert_true(c->late);
    hm_case_free(c);
}

static void test_repeats(void **state)
{
    (void)state;
    struct hm_case *c = begin("bad d1", NOW, false);
    assert_true(hm_case_takes(c, "bad", "C0A", "d1", NOW + 7200000));
    assert_false(hm_case_takes(c, "bad", "C0A", "d1", NOW + 7200001));
    assert_false(hm_case_takes(c, "bad", "C0A", "d2", NOW));
    assert_false(hm_case_takes(c, "bad", "C0B", "d1", NOW));
    assert_false(hm_case_takes(c, "worse", "C0A", "d1", NOW));
    hm_case_repeat(c, NOW + 1000);
    assert_int_equal(c->count, 2);
    assert_int_equal(c->last_ms, NOW + 1000);

    struct hm_case_offer *offer = hm_case_offer(c, c->offers[1].nonce);
    hm_case_take(offer, "U1", "7", NOW);
    assert_true(hm_case_busy(c));
    assert_true(hm_case_takes(c, "bad", "C0A", "d1", NOW)); /* while it is being mended */
    assert_true(went(c, 1, "r-1", NULL, NULL));
    assert_false(went(c, 1, "r-1", NULL, NULL));
    assert_null(c->mark);
    assert_true(went(c, 1, "r-1", "done", "All is well."));
    assert_string_equal(c->mark, "white_check_mark");
    assert_false(hm_case_takes(c, "bad", "C0A", "d1", NOW)); /* mended: again is news */
    assert_kept(c);

    struct hm_case_offer *second = hm_case_offer(c, c->offers[2].nonce);
    hm_case_take(second, "U1", "8", NOW);
    c->marked = true;
    assert_true(went(c, 2, "r-2", "failed", NULL));
    assert_string_equal(c->mark, "warning");
    assert_unmark(c, "white_check_mark");
    assert_false(c->marked);
    hm_case_free(c);
}

/* Somebody looked: the alarm is not mended, and the same again is no news. */
static void test_looking_mends_nothing(void **state)
{
    (void)state;
    struct hm_case *c = begin("bad d1", NOW, false);
    hm_case_take(&c->offers[1], "U1", "7", NOW);
    looked(c, 1, "r-1", NULL);
    assert_null(c->mark);
    looked(c, 1, "r-1", "done");
    assert_string_equal(c->mark, HM_MARK_LOOKED);
    assert_true(hm_case_takes(c, "bad", "C0A", "d1", NOW));
    assert_true(hm_case_offers_open(c));
    looked(c, 1, "r-1", "stopped"); /* it has found that there is nothing more to be seen */
    assert_string_equal(c->mark, HM_MARK_LOOKED);
    looked(c, 1, "r-1", "failed");
    assert_string_equal(c->mark, HM_MARK_FAILED);
    looked(c, 1, "r-1", "done");
    assert_string_equal(c->mark, HM_MARK_LOOKED);

    hm_case_take(&c->offers[2], "U1", "8", NOW); /* what mends, or does not, says more than any look, before or after it */
    (void)went(c, 2, "r-2", "done", NULL);
    assert_string_equal(c->mark, HM_MARK_MENDED);
    assert_unmark(c, HM_MARK_FAILED " " HM_MARK_LOOKED);
    looked(c, 1, "r-1", "failed");
    assert_string_equal(c->mark, HM_MARK_MENDED);
    (void)went(c, 2, "r-2", "failed", NULL);
    looked(c, 1, "r-1", "done");
    assert_string_equal(c->mark, HM_MARK_FAILED);
    assert_unmark(c, HM_MARK_LOOKED " " HM_MARK_MENDED);
    assert_kept(c);
    hm_case_free(c);
}

static void test_nothing_to_do(void **state)
{
    (void)state;
    struct hm_case *c = begin("bad d1", NOW, false);
    hm_case_take(&c->offers[1], "U1", "7", NOW);
    (void)went(c, 1, "r-1", "stopped", NULL);
    assert_string_equal(c->mark, HM_MARK_FAILED);
    hm_case_free(c);
}

/* The last run that was to mend it counts; a reaction that was replaced has to go, whatever was not asked for yet. */
static void test_a_later_run_moves_the_mark(void **state)
{
    (void)state;
    struct hm_case *c = begin("bad d1", NOW, false);
    hm_case_take(&c->offers[1], "U1", "7", NOW);
    (void)went(c, 1, "r-1", "partial", NULL);
    assert_string_equal(c->mark, HM_MARK_FAILED);
    (void)went(c, 1, "r-1", NULL, NULL); /* once more for what failed */
    assert_string_equal(c->mark, HM_MARK_FAILED);
    (void)went(c, 1, "r-1", "done", NULL);
    assert_string_equal(c->mark, HM_MARK_MENDED);
    assert_unmark(c, HM_MARK_FAILED);

    hm_case_take(&c->offers[2], "U1", "8", NOW);
    (void)went(c, 2, "r-2", "rejected", NULL);
    assert_string_equal(c->mark, HM_MARK_FAILED); /* it stands already */
    assert_unmark(c, HM_MARK_MENDED);
    hm_case_unmarked(c, HM_MARK_MENDED);
    assert_unmark(c, "");

    json_t *params = json_pack("{s:s, s:n}", "id", "d1", "tx");
    struct hm_case_follower again = {
        .nonce = "f1", .recipe = "drop", .title = "Drop a dataset", .user = "U2", .params = params, .at_ms = NOW};
    assert_string_equal(hm_case_add(c, &again)->label, "Drop it");
    assert_true(c->offers[3].again && c->offers[3].added);
    assert_true(hm_case_busy(c));
    (void)went(c, 3, "r-3", "failed", NULL);
    assert_string_equal(c->mark, HM_MARK_FAILED);
    again.nonce = "f2"; /* what only follows from it: another recipe */
    again.recipe = "scrub";
    assert_string_equal(hm_case_add(c, &again)->label, "Drop a dataset");
    assert_false(c->offers[4].again);
    (void)went(c, 4, "r-4", "done", NULL);
    assert_string_equal(c->mark, HM_MARK_MENDED);
    assert_ptr_equal(hm_case_offer(c, "f2"), &c->offers[4]);
    (void)went(c, 3, "r-3", "stopped", NULL); /* who comes too late finds nothing to do */
    assert_string_equal(c->mark, HM_MARK_MENDED);
    (void)went(c, 3, "r-3", "expired", NULL);
    assert_string_equal(c->mark, HM_MARK_FAILED);
    (void)went(c, 4, "r-4", "done", NULL);
    assert_kept(c);
    while (hm_case_has_room(c))
        (void)hm_case_add(c, &again);
    assert_int_equal(c->n_offers, 3 + HM_CASE_ADDED_MAX);
    json_decref(params);
    hm_case_free(c);
}

/* Of several entries each mends its own: what failed for one is not mended by another's run. */
static void test_each_part_counts(void **state)
{
    (void)state;
    struct hm_case *c = begin("bad d1", NOW, false);
    for (size_t i = 1; i <= 2; i++) {
        c->offers[i].each = true;
        hm_case_take(&c->offers[i], "U1", "7", NOW);
    }
    free(c->offers[2].recipe);
    c->offers[2].recipe = hm_xstrdup("mend");
    hm_json_set_str(c->offers[2].with, "id", "d2");
    (void)went(c, 1, "r-1", "failed", NULL);
    (void)went(c, 2, "r-2", "done", NULL);
    assert_string_equal(c->mark, HM_MARK_FAILED);
    (void)went(c, 1, "r-1", "done", NULL);
    assert_string_equal(c->mark, HM_MARK_MENDED);
    (void)went(c, 1, "r-1", "failed", NULL);
    assert_kept(c);
    assert_true(hm_case_finish(c, HM_CASE_OVER, NULL, NOW + ++ends)); /* whatever was tried */
    assert_string_equal(c->mark, HM_MARK_MENDED);
    looked(c, 2, "r-3", "failed");
    assert_string_equal(c->mark, HM_MARK_MENDED);
    hm_case_free(c);
}

/* News that is heard late is of before what was tried meanwhile. */
static void test_late_news(void **state)
{
    (void)state;
    static const struct {
        const char *status;
        int64_t over_ms; /* of the end of the run */
        const char *mark;
    } rows[] = {
        {"failed", -1000, HM_MARK_FAILED}, {"rejected", -1, HM_MARK_FAILED}, {"failed", 0, HM_MARK_MENDED},
        {"failed", 1000, HM_MARK_MENDED},  {"done", -1000, HM_MARK_MENDED},  {"stopped", -1000, HM_MARK_MENDED},
        {"stopped", 1000, HM_MARK_MENDED},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(rows); i++) {
        struct hm_case *c = begin("bad d1", NOW, false);
        hm_case_take(&c->offers[1], "U1", "7", NOW);
        (void)went(c, 1, "r-1", rows[i].status, NULL);
        assert_true(hm_case_finish(c, HM_CASE_OVER, "[OK] bad d1", c->offers[1].ended_ms + rows[i].over_ms));
        assert_string_equal(c->mark, rows[i].mark);
        looked(c, 2, "r-2", "done");
        assert_string_equal(c->mark, rows[i].mark);
        hm_case_free(c);
    }
}

/* A case of a version that knew one reaction to be taken away. */
static void test_one_reaction_of_an_earlier_version(void **state)
{
    (void)state;
    json_t *old = json_pack("{s:s, s:s, s:s, s:s}", "id", "a-222222", "ts", "1.000001", "mark", "warning", "unmark", "eyes");
    struct hm_case *c = hm_case_of_json(old);
    assert_unmark(c, "eyes");
    hm_case_free(c);
    json_decref(old);
}

static void test_runs_find_their_offer(void **state)
{
    (void)state;
    struct hm_case *c = begin("bad d1", NOW, false);
    assert_null(hm_case_offer_of_run(c, "r-1"));
    hm_case_take(hm_case_offer(c, c->offers[1].nonce), "U1", "7", NOW);
    assert_null(hm_case_offer_of_run(c, "r-1")); /* it may be anybody's: what a run was started by, the run says */
    (void)went(c, 1, "r-1", NULL, NULL);
    c->offers[1].run_seq = 5;
    assert_ptr_equal(hm_case_offer_of_run(c, "r-1"), &c->offers[1]);
    assert_null(hm_case_offer_of_run(c, "r-2"));
    assert_kept(c);
    json_t *json = hm_case_json_new(c);
    struct hm_case *copy = hm_case_of_json(json);
    assert_int_equal(copy->offers[1].run_seq, 5);
    hm_case_free(copy);
    json_decref(json);
    hm_case_untake(&c->offers[1]);
    assert_false(hm_case_busy(c));
    assert_null(hm_case_offer(c, ""));
    assert_null(hm_case_offer(c, "nonsense"));

    /* Typed in the thread: only what is free, and the same in all that the alarm says. */
    json_t *params = json_pack("{s:s, s:n}", "id", "d1", "tx");
    assert_ptr_equal(hm_case_offer_like(c, "mend", params), &c->offers[1]);
    assert_null(hm_case_offer_like(c, "look", params)); /* it starts that by itself */
    hm_json_set_str(params, "id", "d2");
    assert_null(hm_case_offer_like(c, "mend", params));
    json_decref(params);
    hm_case_free(c);
}

static void test_ends(void **state)
{
    (void)state;
    struct hm_case *c = begin("bad d1", NOW, false);
    assert_true(hm_case_finish(c, HM_CASE_OVER, "[OK] bad d1", NOW + 1));
    assert_false(hm_case_finish(c, HM_CASE_EXPIRED, NULL, NOW + 2));
    assert_false(hm_case_offers_open(c));
    assert_false(hm_case_takes(c, "bad", "C0A", "d1", NOW + 3));
    assert_string_equal(c->mark, "white_check_mark");
    assert_kept(c);
    hm_case_free(c);
    assert_null(hm_case_of_json(NULL));
    json_t *foreign = json_pack("{s:s, s:s, s:i}", "id", "a", "ts", "1", "end", 9);
    assert_null(hm_case_of_json(foreign));
    json_decref(foreign);
}

static void remember(json_t *known, const char *text, const char *ts, bool changes)
{
    struct hm_case *c = begin(text, NOW, false);
    assert_int_equal(hm_case_remember(known, c->remembered, ts, NULL), changes);
    hm_case_free(c);
}

static void test_remembers(void **state)
{
    (void)state;
    json_t *known = hm_json_obj_new();
    remember(known, "bad monday tx=t1", "1795867200.000100", true);
    assert_null(json_object_get(known, "etl-before"));
    remember(known, "bad monday tx=t2", "1795867201.000100", true);
    assert_null(json_object_get(known, "etl-before")); /* the same day */
    remember(known, "bad tuesday tx=t3", "1795867202.000100", true);
    assert_string_equal(json_string_value(hm_json_get_path(known, "etl.tx")), "t3");
    assert_string_equal(json_string_value(hm_json_get_path(known, "etl-before.tx")), "t2");
    remember(known, "bad monday tx=t1", "1795867200.000100", false); /* late news is no news */
    remember(known, "bad tuesday tx=t3", "1795867202.000100", false);
    assert_string_equal(json_string_value(hm_json_get_path(known, "etl.tx")), "t3");
    json_decref(known);
}

static void test_storm(void **state)
{
    (void)state;
    const struct hm_case_order order = {.id = "a-333333", .channel = "C0A", .ts = "1.000001", .at_ms = NOW, .now_ms = NOW};
    struct hm_case *c = hm_case_storm(&order, 60);
    for (int i = 0; i < 300; i++) {
        char key[20];
        (void)snprintf(key, sizeof key, "d%d", i % 100);
        hm_case_group(c, "A dataset is bad", key, NOW + i);
    }
    assert_int_equal(c->grouped, 300);
    assert_int_equal(json_array_size(c->grouped_keys), HM_CASE_GROUPED_MAX);
    assert_int_equal(json_integer_value(json_array_get(json_array_get(c->grouped_keys, 0), 2)), 3);
    assert_false(hm_case_takes(c, "", "C0A", "", NOW));
    assert_kept(c);
    hm_case_free(c);
}

/* ---- the card ---------------------------------------------------------------------------------------------------------------
 */

static void show(struct hm_strbuf *all, const char *title, struct hm_case *c)
{
    struct hm_slack_message message = {0};
    hm_alarm_card_render(c, &message);
    char why[200];
    if (!hm_limits_message(message.text, message.blocks, why, sizeof why))
        fail_msg("%s: %s", title, why);
    char *text = hm_block_text(message.blocks);
    hm_strbuf_addf(all, "==== %s\n%s\n-- %s\n\n", title, text, message.text);
    free(text);
    hm_slack_message_done(&message);
    hm_case_free(c);
}

static void test_card(void **state)
{
    (void)state;
    struct hm_strbuf all;
    hm_strbuf_init(&all, 100000);
    show(&all, "open", begin("bad d1 tx=t1", NOW - 5000, false));
    show(&all, "late", begin("bad d1 tx=t1", NOW - 5000, true));
    show(&all, "hostile", begin("bad <!channel>*b*`c`&\xe2\x80\xae", NOW, false));

    struct hm_case *c = begin("bad d1 tx=t1", NOW, false);
    hm_case_take(&c->offers[0], "U0BOT", "auto", NOW);
    hm_case_repeat(c, NOW + 60000);
    c->taken = hm_xstrdup("ana <acknowledged> it");
    show(&all, "looking, repeated, taken", c);

    c = begin("bad d1 tx=t1", NOW, false);
    hm_case_take(&c->offers[0], "U0BOT", "auto", NOW);
    (void)went(c, 0, "r-1", "done", "It is `d1`.");
    hm_case_take(&c->offers[1], "U0ANA", "7", NOW);
    (void)went(c, 1, "r-2", NULL, NULL);
    show(&all, "one offer chosen", c);

    c = begin("bad d1 tx=t1", NOW, false);
    hm_case_take(&c->offers[1], "U0ANA", "7", NOW);
    (void)went(c, 1, "r-2", "rejected", NULL);
    (void)hm_case_finish(c, HM_CASE_OVER, "[OK] bad d1 <b>", NOW + 60000);
    show(&all, "over", c);

    c = begin("bad d1 tx=t1", NOW, false);
    json_t *params = json_pack("{s:s}", "id", "d1");
    struct hm_case_follower again = {
        .nonce = "f1", .recipe = "mend", .title = "Mend a dataset", .user = "U0BEN", .params = params, .at_ms = NOW};
    hm_case_take(&c->offers[1], "U0ANA", "7", NOW);
    (void)went(c, 1, "r-2", "failed", "It did not help.");
    (void)hm_case_add(c, &again);
    (void)went(c, 3, "r-3", "failed", "Nor now.");
    (void)hm_case_add(c, &again);
    (void)went(c, 4, "r-4", "done", "Now it did.");
    again.recipe = "scrub";
    again.title = "Scrub <it>";
    (void)hm_case_add(c, &again);
    (void)went(c, 5, "r-5", NULL, NULL);
    show(&all, "tried again", c);
    json_decref(params);

    c = begin("bad d1 tx=t1", NOW, false);
    hm_case_take(&c->offers[1], "U0ANA", "7", NOW);
    looked(c, 1, "r-2", "done");
    show(&all, "somebody looked", c);

    c = begin("bad d1", NOW, false);
    c->card_channel = hm_xstrdup("C0OPS");
    show(&all, "somewhere else", c);

    c = begin("bad d1 tx=t1", NOW, false);
    (void)hm_case_finish(c, HM_CASE_EXPIRED, "nobody did anything", NOW + 60000);
    show(&all, "expired", c);

    const struct hm_case_order order = {.id = "a-333333", .channel = "C0A", .ts = "1.000001", .at_ms = NOW, .now_ms = NOW};
    c = hm_case_storm(&order, 60);
    for (int i = 0; i < 200; i++) {
        char key[20];
        (void)snprintf(key, sizeof key, "d%d", i / 2);
        hm_case_group(c, "A dataset is bad", key, NOW + i);
    }
    show(&all, "storm", c);

    c = begin("bad d1 tx=t1", NOW, false);
    c->link = hm_xstrdup("https://wiki.example.com/book#the-book");
    assert_kept(c);
    show(&all, "a link to where more is said", c);
    assert_true(hm_golden_matches("view/alarm-card.txt", hm_strbuf_str(&all)));
    hm_strbuf_done(&all);
}

/* The largest that can come: everything stays within Slack's limits, and the buttons are there. */
static void test_card_limits(void **state)
{
    (void)state;
    struct hm_slack_message message = {0};
    char *big = hm_xmalloc(6000);
    memset(big, 'x', 5999);
    big[5999] = '\0';
    struct hm_case *c = begin("bad d1 tx=t1", NOW, false);
    free(c->say);
    c->say = big;
    for (int i = 0; i < 30; i++) {
        json_t *fact = hm_json_arr_new();
        hm_json_add(fact, hm_json_str_new("a_rather_long_name_of_a_field"));
        hm_json_add(fact, hm_json_str_new(big));
        hm_json_add(c->facts, fact);
    }
    hm_case_take(&c->offers[0], "U0BOT", "auto", NOW);
    (void)went(c, 0, "r-1", "done", big);
    hm_alarm_card_render(c, &message);
    char why[200];
    if (!hm_limits_message(message.text, message.blocks, why, sizeof why))
        fail_msg("%s", why);
    char *text = hm_json_text(message.blocks);
    assert_non_null(strstr(text, "Mend it"));
    assert_non_null(strstr(text, HM_ACTION_ALARM));
    free(text);
    hm_slack_message_done(&message);
    hm_case_free(c);
}

static void test_refusals(void **state)
{
    (void)state;
    struct hm_case *c = begin("bad d1", NOW, false);
    char *gone = hm_alarm_card_refusal(NULL, NULL);
    assert_non_null(strstr(gone, "not known any more"));
    hm_case_take(&c->offers[1], "U0ANA", "7", NOW);
    char *taken = hm_alarm_card_refusal(c, &c->offers[1]);
    assert_non_null(strstr(taken, "<@U0ANA> chose *Mend it* already"));
    (void)hm_case_finish(c, HM_CASE_OVER, NULL, NOW);
    char *closed = hm_alarm_card_refusal(c, &c->offers[1]);
    assert_non_null(strstr(closed, "closed"));
    free(gone);
    free(taken);
    free(closed);
    hm_case_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_begins),
        cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_looking_mends_nothing),
        cmocka_unit_test(test_nothing_to_do),
        cmocka_unit_test(test_a_later_run_moves_the_mark),
        cmocka_unit_test(test_each_part_counts),
        cmocka_unit_test(test_late_news),
        cmocka_unit_test(test_one_reaction_of_an_earlier_version),
        cmocka_unit_test(test_runs_find_their_offer),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_remembers),
        cmocka_unit_test(test_storm),
        cmocka_unit_test(test_card),
        cmocka_unit_test(test_card_limits),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, load_rule, free_rule);
}
