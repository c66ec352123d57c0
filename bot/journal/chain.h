/* The hash chain over all event rows.
 *
 * hash(row) = SHA-256 over, in this order: hash of the row before, id, run_id, seq, type, data, wall_ms. Each field is preceded
 * by its length in bytes (8 bytes, big endian); numbers are written in decimal. The row before the first one has 64 zeros.
 * Anybody can recompute it with another tool; that is the point. */
#ifndef HM_JOURNAL_CHAIN_H
#define HM_JOURNAL_CHAIN_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

struct hm_chain; /* reusable hashing state; one thread at a time */

/* The columns of one row. Lengths are given, not measured: bytes behind a NUL count too. */
struct hm_chain_row {
    int64_t id, seq, wall_ms;
    const char *run_id, *type, *data;
    size_t run_id_len, type_len, data_len;
};

extern const char hm_chain_start[HM_SHA256_HEX]; /* 64 zeros */

struct hm_chain *hm_chain_new(void);
void hm_chain_free(struct hm_chain *chain);
/* previous: the hash of the row before, 64 hex digits. ret_hex may be the same buffer. */
void hm_chain_hash(struct hm_chain *chain, const char *previous, const struct hm_chain_row *row, char ret_hex[HM_SHA256_HEX]);

#endif
