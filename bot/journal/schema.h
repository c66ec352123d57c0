/* The tables and how older files become the present one.
 *
 * A file is ours when its application_id says so; its user_version is the number of migrations it has had. Each migration is one
 * SQL text, run in one transaction together with the new user_version and a row in the table `migrations`: it happens wholly or
 * not at all. Never change a migration that was shipped: add one. */
#ifndef HM_JOURNAL_SCHEMA_H
#define HM_JOURNAL_SCHEMA_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { HM_SCHEMA_APPLICATION_ID = 0x484d4a31 }; /* "HMJ1" */

/* What this program knows: hm_schema_steps[n] leads from version n to n + 1. */
extern const char *const hm_schema_steps[];
extern const size_t hm_schema_version; /* how many there are */

/* HM_OK when db is ours and has exactly `version`; *ret_found is its version (0 for an empty file). HM_EENV when it belongs to
 * another program, is newer than known, or is not SQLite. An older one is HM_ENOTFOUND. */
HM_MUST enum hm_code hm_schema_check(sqlite3 *db, size_t version, size_t *ret_found, struct hm_err *err);

/* Brings db from whatever it is to `version` (steps[0..version)); nothing to do is fine. The steps are a parameter so that a test
 * can bring its own. HM_EENV as above, or when a step fails: the file is as before then. */
HM_MUST enum hm_code hm_schema_migrate(sqlite3 *db, const char *const *steps, size_t version, int64_t wall_ms,
                                       struct hm_err *err);

/* SQLite's quick_check, for files small enough that nobody notices (see schema.c). HM_EENV when the file is damaged. */
HM_MUST enum hm_code hm_schema_quick_check(sqlite3 *db, struct hm_err *err);

#endif
