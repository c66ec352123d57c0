/* Questions about datasets that need more than a list: which of them failed, which raw datasets belong to a series, where a
 * dataset lies for Databricks. One query each, and the thinking here instead of in recipes. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/pattern.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "handlers/http_answer.h"
#include "handlers/metapod.h"

enum { NAME_LEN_MAX = 200, OTHERS_MAX = 50 };

static enum hm_verdict odd(struct hm_outcome *out, const char *what)
{
    return hm_outcome_fail(out, HM_VERDICT_PERMANENT, "Metapod's answer is not as expected: %s", what);
}

static enum hm_code ask_datasets(const struct hm_backend *backend, const json_t *args, const char *inside, struct hm_request *req,
                                 struct hm_err *err)
{
    json_t *variables = hm_json_obj_new();
    hm_json_set_str(variables, "transaction", hm_json_get_str(args, "transaction", ""));
    return hm_metapod_ask(backend, "", inside, variables, req, err);
}

/* OK with the datasets (a new reference), each with id, name and committed of the right type. */
static enum hm_verdict read_datasets(const struct hm_backend *backend, const json_t *args, const struct hm_answer *answer,
                                     json_t **ret_datasets, struct hm_outcome *out)
{
    json_t *data = NULL, *transaction = NULL;
    *ret_datasets = NULL;
    enum hm_verdict verdict = hm_metapod_read(backend, args, answer, &data, &transaction, out);
    json_t *datasets = verdict == HM_VERDICT_OK ? hm_json_get_arr(transaction, "datasets") : NULL;
    if (verdict == HM_VERDICT_OK && datasets == NULL)
        verdict = odd(out, "the transaction has no list of datasets");
    size_t committed = 0;
    for (size_t i = 0; i < json_array_size(datasets) && verdict == HM_VERDICT_OK; i++) {
        const json_t *dataset = json_array_get(datasets, i);
        if (!hm_is_uuid(hm_json_get_str(dataset, "id", "")) || hm_json_get_str(dataset, "name", NULL) == NULL ||
            !json_is_boolean(json_object_get(dataset, "committed")))
            verdict = odd(out, "a dataset in the list has no id, name or committed");
        committed += json_is_true(json_object_get(dataset, "committed")) ? 1 : 0;
    }
    if (verdict == HM_VERDICT_OK)
        verdict = hm_metapod_check_count(transaction, committed, out);
    if (verdict == HM_VERDICT_OK)
        *ret_datasets = json_incref(datasets);
    json_decref(data);
    return verdict;
}

static bool has_text(const json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (hm_streq(json_string_value(json_array_get(list, i)), text))
            return true;
    return false;
}

static void add_once(json_t *list, const char *text)
{
    if (!has_text(list, text))
        hm_json_add(list, hm_json_str_new(text));
}

/* --- metapod.failures ------------------------------------------------------------------------------------------------------- */

static const struct hm_arg_spec failures_args[] = {
    {"transaction", HM_ARG_UUID, true, "the Metapod transaction"},
    {"among", HM_ARG_LIST, false, "names of failed tasks: only what belongs to one of them"},
    {"all", HM_ARG_BOOL, false, "true: what belongs to none of them as well, as when the run is over"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static enum hm_code failures_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                     struct hm_request *req, struct hm_err *err)
{
    (void)cursor;
    return ask_datasets(backend, args, "datasets(committed: ONLY_UNCOMMITTED) { id name committed }", req, err);
}

/* "fx-model" of "model/fx-model-avro": what the kinds and formats of one thing have in common. NULL when the name is not of this
 * kind. Caller frees. */
static char *stem_of(const char *name, const char *kind)
{
    static const char *const formats[] = {"-avro", "-parquet", "-csv-gz", "-csv", "-json", "-json-gz"};
    if (!hm_starts_with(name, kind) || name[strlen(kind)] == '\0')
        return NULL;
    char *stem = hm_xstrdup(name + strlen(kind));
    for (size_t i = 0; i < HM_ARRAY_LEN(formats); i++)
        if (hm_ends_with(stem, formats[i]) && strlen(stem) > strlen(formats[i])) {
            stem[strlen(stem) - strlen(formats[i])] = '\0';
            break;
        }
    return stem;
}

/* A task is called like what it computes: a dataset's with "itaipu-" before it, a model's as it is, and not always so. */
static bool is_task_of(const char *task, const char *stem)
{
    static const char before[] = "itaipu-";
    return task != NULL &&
           (strcmp(task, stem) == 0 || (hm_starts_with(task, before) && strcmp(task + strlen(before), stem) == 0));
}

static bool is_among(const json_t *tasks, const char *stem)
{
    bool found = tasks == NULL;
    for (size_t i = 0; i < json_array_size(tasks) && !found; i++)
        found = is_task_of(json_string_value(json_array_get(tasks, i)), stem);
    return found;
}

/* Of the tasks that belong to it, the one that is called like a dataset's or like a model's, else any; null when there is none.
 */
static json_t *task_new(const json_t *tasks, const char *stem, bool dataset)
{
    const char *found = NULL;
    for (size_t i = 0; i < json_array_size(tasks) && stem != NULL; i++) {
        const char *task = json_string_value(json_array_get(tasks, i));
        if (is_task_of(task, stem) && (found == NULL || (strcmp(task, stem) != 0) == dataset))
            found = task;
    }
    return found != NULL ? hm_json_str_new(found) : json_null();
}

/* The tasks that belong to none of the stems. */
static json_t *strangers_new(const json_t *tasks, const json_t *const lists[], size_t n_lists)
{
    json_t *strangers = hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(tasks); i++) {
        const char *task = json_string_value(json_array_get(tasks, i));
        bool known = task == NULL;
        for (size_t l = 0; l < n_lists && !known; l++)
            for (size_t k = 0; k < json_array_size(lists[l]) && !known; k++)
                known = is_task_of(task, json_string_value(json_array_get(lists[l], k)));
        if (!known)
            hm_json_add(strangers, hm_json_str_new(task));
    }
    return strangers;
}

static json_t *stems_new(const json_t *datasets, const char *kind, const json_t *tasks)
{
    json_t *stems = hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(datasets); i++) {
        const json_t *dataset = json_array_get(datasets, i);
        char *stem =
            json_is_true(json_object_get(dataset, "committed")) ? NULL : stem_of(hm_json_get_str(dataset, "name", ""), kind);
        if (stem != NULL && is_among(tasks, stem))
            add_once(stems, stem);
        free(stem);
    }
    return stems;
}

/* "KIND/" and the first of the stems, or null. */
static json_t *first_new(const char *kind, const json_t *stems, const json_t *else_stems)
{
    const char *stem = json_string_value(json_array_get(stems, 0));
    if (stem == NULL)
        stem = json_string_value(json_array_get(else_stems, 0));
    return stem != NULL ? json_sprintf("%s%s", kind, stem) : json_null();
}

/* A regular expression of the stems in quotes, as a list in Python names them; null when there are none. *ret_all: false when
 * there are more than fit, or one that would be more than a name in a pattern: who does not find anything has not looked for all
 * then. */
static json_t *pattern_new(const json_t *const lists[], size_t n_lists, bool *ret_all)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    struct hm_strbuf pattern;
    hm_strbuf_init(&pattern, HM_PATTERN_MAX - 1);
    *ret_all = true;
    for (size_t l = 0; l < n_lists; l++) {
        for (size_t i = 0; i < json_array_size(lists[l]); i++) {
            const char *stem = json_string_value(json_array_get(lists[l], i));
            if (stem[strspn(stem, plain)] == '\0' && pattern.len + strlen(stem) + 20 < HM_PATTERN_MAX)
                hm_strbuf_addf(&pattern, "%s%s", pattern.len == 0 ? "['\"](" : "|", stem);
            else
                *ret_all = false;
        }
    }
    if (pattern.len == 0)
        return json_null();
    hm_strbuf_adds(&pattern, ")['\"]");
    json_t *text = hm_json_str_new(hm_strbuf_str(&pattern));
    hm_strbuf_done(&pattern);
    return text;
}

/* Names of what is neither a dataset nor a model, policies first; how many more there are, when there are too many to name. */
static json_t *others_new(const json_t *found)
{
    json_t *others = hm_json_arr_new();
    size_t count = 0;
    for (int policies = 1; policies >= 0; policies--) {
        for (size_t i = 0; i < json_array_size(found); i++) {
            const char *name = hm_json_get_str(json_array_get(found, i), "name", "");
            bool other = !hm_starts_with(name, "dataset/") && !hm_starts_with(name, "model/") && name[0] != '\0';
            if (!other || hm_starts_with(name, "policy/") != (policies == 1))
                continue;
            if (count++ < OTHERS_MAX)
                hm_json_add(others, hm_json_str_new(name));
        }
    }
    if (count > OTHERS_MAX)
        hm_json_add(others, json_sprintf("… and %zu more", count - OTHERS_MAX));
    return others;
}

/* Metapod counts what is committed, and nothing else. So of this list only its length can tell that somebody has cut it: ceilings
 * are round numbers. */
static bool is_round(size_t n)
{
    return n >= 100 && n % 100 == 0;
}

static enum hm_verdict failures_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                         const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *found = NULL;
    (void)cursor;
    enum hm_verdict verdict = read_datasets(backend, args, answer, &found, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    json_t *tasks = hm_json_get_arr(args, "among"), *models = hm_json_arr_new(), *both = hm_json_arr_new(),
           *datasets = hm_json_arr_new();
    const json_t *only = hm_json_get_bool(args, "all", false) ? NULL : tasks;
    json_t *model_stems = stems_new(found, "model/", only), *dataset_stems = stems_new(found, "dataset/", only);
    for (size_t i = 0; i < json_array_size(model_stems); i++) {
        const char *stem = json_string_value(json_array_get(model_stems, i));
        hm_json_add(has_text(dataset_stems, stem) ? both : models, hm_json_str_new(stem));
    }
    for (size_t i = 0; i < json_array_size(dataset_stems); i++)
        if (!has_text(model_stems, json_string_value(json_array_get(dataset_stems, i))))
            hm_json_add(datasets, json_incref(json_array_get(dataset_stems, i)));
    out->result = hm_json_obj_new();
    hm_json_set_int(out->result, "uncommitted", (int64_t)json_array_size(found));
    hm_json_set_bool(out->result, "maybe_cut", is_round(json_array_size(found)));
    hm_json_set_int(out->result, "count", (int64_t)(json_array_size(models) + json_array_size(both) + json_array_size(datasets)));
    const json_t *const all[] = {both, datasets, models};
    json_t *first = first_new("", both, json_array_size(datasets) > 0 ? datasets : models);
    bool is_dataset = json_array_size(both) + json_array_size(datasets) > 0;
    hm_json_set(out->result, "task", task_new(tasks, json_string_value(first), is_dataset));
    hm_json_set(out->result, "other_tasks", strangers_new(tasks, all, HM_ARRAY_LEN(all)));
    hm_json_set(out->result, "first", first);
    hm_json_set(out->result, "first_dataset", first_new("dataset/", both, datasets));
    hm_json_set(out->result, "first_model", first_new("", models, both));
    hm_json_set(out->result, "first_name",
                is_dataset ? first_new("dataset/", both, datasets) : first_new("model/", models, both));
    bool pattern_all = false;
    hm_json_set(out->result, "pattern", pattern_new(all, HM_ARRAY_LEN(all), &pattern_all));
    hm_json_set_bool(out->result, "pattern_all", pattern_all);
    hm_json_set(out->result, "others", others_new(found));
    hm_json_set(out->result, "models", models);
    hm_json_set(out->result, "both", both);
    hm_json_set(out->result, "datasets", datasets);
    json_decref(dataset_stems);
    json_decref(model_stems);
    json_decref(found);
    return verdict;
}

static const struct hm_field_spec failures_fields[] = {
    {"both", HM_FIELD_LIST, true, "dataset and model are missing, so the dataset failed and took the model along", NULL},
    {"datasets", HM_FIELD_LIST, true, "only the dataset is missing", NULL},
    {"models", HM_FIELD_LIST, true, "only the model is missing", NULL},
    {"count", HM_FIELD_NUMBER, true, "of all three", NULL},
    {"first", HM_FIELD_TEXT, false, "one of them", NULL},
    {"first_dataset", HM_FIELD_TEXT, false, "a dataset, with its kind", NULL},
    {"first_model", HM_FIELD_TEXT, false, "one of which a model is missing", NULL},
    {"first_name", HM_FIELD_TEXT, false, "`first` with its kind", NULL},
    {"task", HM_FIELD_TEXT, false, "of `among`, the one that `first` belongs to", NULL},
    {"other_tasks", HM_FIELD_LIST, true, "those of `among` that belong to none of them", NULL},
    {"pattern", HM_FIELD_TEXT, false, "a regular expression that finds them in quotes", NULL},
    {"pattern_all", HM_FIELD_BOOL, true, "whether it holds all of them", NULL},
    {"others", HM_FIELD_LIST, true, "names of other kinds, policies first: the first 50 and how many more", NULL},
    {"uncommitted", HM_FIELD_NUMBER, true, "datasets that are not committed, of all kinds", NULL},
    {"maybe_cut", HM_FIELD_BOOL, true, "these are a round number, as of a list that ends at a ceiling", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_metapod_failures = {
    .name = "metapod.failures",
    .title = "Tell failed datasets from failed models",
    .doc = "Of what is not committed, by name without kind and format. While the run goes on much is only not done yet.",
    .effect = HM_EFFECT_READ,
    .args = failures_args,
    .result = failures_fields,
    .request = failures_request,
    .response = failures_response,
};

/* --- metapod.series-raw -------------------------------------------------------------------------------------------------------
 */

static const struct hm_arg_spec raw_args[] = {
    {"transaction", HM_ARG_UUID, true, "the Metapod transaction"},
    {"series", HM_ARG_STRING, true, "the series, such as series/direct-mail"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static bool is_series(const char *series)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    size_t len = strlen(series), head = strlen("series/");
    return hm_starts_with(series, "series/") && len > head && len <= NAME_LEN_MAX &&
           head + strspn(series + head, allowed) == len && series[head] != '-';
}

static enum hm_code raw_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                struct hm_request *req, struct hm_err *err)
{
    const char *series = hm_json_get_str(args, "series", "");
    (void)cursor;
    if (!is_series(series))
        return hm_err_set(err, HM_EINVAL, "series: \"%.80s\" is not a name like series/direct-mail", series);
    return ask_datasets(backend, args, "datasets(committed: ONLY_COMMITTED) { id name committed } " HM_METAPOD_COUNT, req, err);
}

/* What comes after "series-raw/<series>-": contract-avro, alt-version-12-parquet … Another series may begin with this one's name
 * and a dash (direct-mail, direct-mail-2), so the whole of it must fit. */
static bool is_raw_kind(const char *rest)
{
    static const char alt[] = "alt-version-";
    if (hm_starts_with(rest, "contract-")) {
        rest += strlen("contract-");
    } else if (hm_starts_with(rest, alt)) {
        size_t digits = strspn(rest + strlen(alt), "0123456789");
        rest += strlen(alt) + digits;
        if (digits == 0 || *rest != '-')
            return false;
        rest++;
    } else {
        return false;
    }
    return strcmp(rest, "avro") == 0 || strcmp(rest, "parquet") == 0;
}

static enum hm_verdict raw_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                    const struct hm_answer *answer, struct hm_outcome *out)
{
    json_t *found = NULL;
    (void)cursor;
    enum hm_verdict verdict = read_datasets(backend, args, answer, &found, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    char *prefix = hm_xasprintf("series-raw/%s-", hm_json_get_str(args, "series", "") + strlen("series/"));
    json_t *list = hm_json_arr_new(), *names = hm_json_arr_new(), *others = hm_json_arr_new();
    for (size_t i = 0; i < json_array_size(found); i++) {
        const json_t *dataset = json_array_get(found, i);
        const char *name = hm_json_get_str(dataset, "name", "");
        if (!hm_starts_with(name, prefix) || !json_is_true(json_object_get(dataset, "committed")))
            continue;
        bool fits = is_raw_kind(name + strlen(prefix));
        hm_json_add(fits ? names : others, hm_json_str_new(name));
        if (!fits)
            continue;
        json_t *item = hm_json_obj_new();
        hm_json_set_str(item, "id", hm_json_get_str(dataset, "id", ""));
        hm_json_set_str(item, "name", name);
        hm_json_add(list, item);
    }
    free(prefix);
    out->result = hm_json_obj_new();
    hm_json_set_int(out->result, "count", (int64_t)json_array_size(list));
    hm_json_set(out->result, "list", list);
    hm_json_set(out->result, "names", names);
    hm_json_set(out->result, "others", others);
    json_decref(found);
    return verdict;
}

static const struct hm_field_spec raw_fields[] = {
    {"id", HM_FIELD_TEXT, true, "its id", NULL},
    {"name", HM_FIELD_TEXT, true, "its name", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

static const struct hm_field_spec series_raw_fields[] = {
    {"list", HM_FIELD_LIST, true, "the datasets", raw_fields},
    {"names", HM_FIELD_LIST, true, "their names", NULL},
    {"count", HM_FIELD_NUMBER, true, "how many", NULL},
    {"others", HM_FIELD_LIST, true, "names that begin alike and are of something else, such as another series", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_metapod_series_raw = {
    .name = "metapod.series-raw",
    .title = "List the committed raw datasets of a series",
    .doc = "series-raw/<series>-contract-… and -alt-version-<n>-…, as avro and as parquet.",
    .effect = HM_EFFECT_READ,
    .args = raw_args,
    .result = series_raw_fields,
    .request = raw_request,
    .response = raw_response,
};

/* --- metapod.databricks-path ---------------------------------------------------------------------------------------------------
 */

static const struct hm_arg_spec path_args[] = {
    {"transaction", HM_ARG_UUID, true, "the Metapod transaction"},
    {"name", HM_ARG_STRING, true, "the dataset's name; its avro form is called …-avro"},
    {NULL, HM_ARG_STRING, false, NULL},
};

static const char *path_field(const struct hm_backend *backend)
{
    return hm_json_get_str(backend->settings, "path_field", "path");
}

static enum hm_code path_request(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                 struct hm_request *req, struct hm_err *err)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    const char *field = path_field(backend);
    (void)cursor;
    if (field[0] == '\0' || field[strspn(field, allowed)] != '\0') /* it becomes part of the query */
        return hm_err_set(err, HM_EENV, "backend %s: path_field must be the name of a field, not \"%.40s\"", backend->name,
                          field);
    json_t *variables = hm_json_obj_new(), *names = hm_json_arr_new();
    hm_json_add(names, hm_json_str_new(hm_json_get_str(args, "name", "")));
    hm_json_set_str(variables, "transaction", hm_json_get_str(args, "transaction", ""));
    hm_json_set(variables, "names", names);
    char *inside = hm_xasprintf("datasets(datasetNames: $names) { id name committed %s }", field);
    enum hm_code code = hm_metapod_ask(backend, ", $names: [String!]!", inside, variables, req, err);
    free(inside);
    return code;
}

/* The path below its mount; NULL when no mount is known for it. Caller frees. */
static char *mounted(const struct hm_backend *backend, const char *path)
{
    static const char usual_s3[] = "s3://nu-spark-metapod/", usual[] = "dbfs:/mnt/nu-spark-metapod/";
    json_t *mounts = hm_json_get_obj(backend->settings, "mounts"), *prefix = NULL;
    const char *mount = NULL;
    json_object_foreach(mounts, mount, prefix)
    {
        const char *s3 = json_string_value(prefix);
        if (s3 != NULL && s3[0] != '\0' && hm_ends_with(s3, "/") && hm_starts_with(path, s3))
            return hm_xasprintf("dbfs:/mnt/%s/%s", mount, path + strlen(s3));
    }
    return hm_starts_with(path, usual_s3) ? hm_xasprintf("%s%s", usual, path + strlen(usual_s3)) : NULL;
}

/* What is pasted into a notebook. The path stands in a Scala text, so nothing that ends one may be in it. */
static char *snippet(const char *name, const char *path)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/:=";
    if (path[strspn(path, allowed)] != '\0')
        return NULL;
    if (hm_ends_with(name, "-avro"))
        return hm_xasprintf("import com.databricks.spark.avro._\nval x = spark.read.avro(\"%s\")", path);
    return hm_xasprintf("val x = spark.read.parquet(\"%s\")", path);
}

static enum hm_verdict path_response(const struct hm_backend *backend, const json_t *args, const json_t *cursor,
                                     const struct hm_answer *answer, struct hm_outcome *out)
{
    const char *name = hm_json_get_str(args, "name", "");
    const json_t *dataset = NULL;
    json_t *found = NULL;
    (void)cursor;
    enum hm_verdict verdict = read_datasets(backend, args, answer, &found, out);
    if (verdict != HM_VERDICT_OK)
        return verdict;
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(found); i++)
        if (hm_streq(hm_json_get_str(json_array_get(found, i), "name", NULL), name)) {
            dataset = json_array_get(found, i);
            n++;
        }
    const json_t *path = json_object_get(dataset, path_field(backend));
    if (n != 1) {
        verdict = hm_outcome_fail(out, n == 0 ? HM_VERDICT_NOT_FOUND : HM_VERDICT_PERMANENT, "%s called %.120s in transaction %s",
                                  n == 0 ? "there is no dataset" : "there is more than one dataset", name,
                                  hm_json_get_str(args, "transaction", ""));
    } else if (path != NULL && !json_is_string(path) && !json_is_null(path)) {
        verdict = odd(out, "the path is no text");
    } else {
        const char *text = json_string_value(path);
        char *databricks = text != NULL ? mounted(backend, text) : NULL,
             *code = databricks != NULL ? snippet(name, databricks) : NULL;
        out->result = hm_json_obj_new();
        hm_json_set_str(out->result, "id", hm_json_get_str(dataset, "id", ""));
        hm_json_set_str(out->result, "name", name);
        hm_json_set(out->result, "committed", json_incref(json_object_get(dataset, "committed")));
        hm_json_set_str(out->result, "path", text);
        hm_json_set_str(out->result, "databricks", code != NULL ? databricks : NULL);
        hm_json_set_str(out->result, "snippet", code);
        free(code);
        free(databricks);
    }
    json_decref(found);
    return verdict;
}

static const struct hm_field_spec databricks_path_fields[] = {
    {"id", HM_FIELD_TEXT, true, "its id", NULL},
    {"name", HM_FIELD_TEXT, true, "its name", NULL},
    {"committed", HM_FIELD_BOOL, true, "whether it is committed", NULL},
    {"path", HM_FIELD_TEXT, false, "in S3", NULL},
    {"databricks", HM_FIELD_TEXT, false, "below its mount; null when none is known", NULL},
    {"snippet", HM_FIELD_TEXT, false, "what to paste into a notebook", NULL},
    {NULL, HM_FIELD_NR, false, NULL, NULL},
};

const struct hm_action hm_metapod_databricks_path = {
    .name = "metapod.databricks-path",
    .title = "Find where a dataset lies for Databricks",
    .doc = "Mounts: s3://nu-spark-metapod, and those of the setting.",
    .effect = HM_EFFECT_READ,
    .args = path_args,
    .result = databricks_path_fields,
    .request = path_request,
    .response = path_response,
};
