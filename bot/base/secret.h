/* Secrets come by reference: "env:NAME", "file:PATH" or "credential:NAME" (systemd's $CREDENTIALS_DIRECTORY). Never in clear. */
#ifndef HM_BASE_SECRET_H
#define HM_BASE_SECRET_H

#include <stdbool.h>

#include "base/err.h"

/* True when ref has one of the three forms; says nothing about whether it can be read. */
bool hm_secret_ref_ok(const char *ref);

/* Reads the secret; relative file paths are relative to base_dir. One trailing newline is dropped; empty, more than
 * 16 KiB and a NUL byte are errors. ret_secret: the caller frees it with hm_secret_free(). err names the reference, never the
 * value. */
HM_MUST enum hm_code hm_secret_read(const char *ref, const char *base_dir, char **ret_secret, struct hm_err *err);

/* Wipes, then frees. NULL is fine. */
void hm_secret_free(char *secret);

#endif
