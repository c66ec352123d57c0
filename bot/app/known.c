/* Remembered values: see known.h. */
#include "app/known.h"

#include <unistd.h>

#include "base/json.h"
#include "journal/journal.h"

static bool overlay_one(void *arg, const char *key, const json_t *value)
{
    hm_json_set(arg, key, json_deep_copy(value));
    return true;
}

void hm_known_overlay(struct hm_settings *settings)
{
    struct hm_err err = {0};
    struct hm_journal_reader *reader =
        access(settings->journal_path, R_OK) == 0 ? hm_journal_reader_open(settings->journal_path, &err) : NULL;
    if (reader == NULL)
        return;
    enum hm_code code = hm_journal_values(reader, HM_KNOWN_SPACE, overlay_one, settings->known, &err);
    (void)code;
    hm_journal_reader_free(reader);
}
