/* The hash chain: see chain.h. One OpenSSL context is kept and reused, which makes a row cost about a microsecond. */
#include "journal/chain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const char hm_chain_start[HM_SHA256_HEX] = "0000000000000000000000000000000000000000000000000000000000000000";

struct hm_chain {
    struct hm_sha256 *hash;
};

struct hm_chain *hm_chain_new(void)
{
    struct hm_chain *chain = hm_xcalloc(1, sizeof *chain);
    chain->hash = hm_sha256_new();
    return chain;
}

void hm_chain_free(struct hm_chain *chain)
{
    if (chain == NULL)
        return;
    hm_sha256_free(chain->hash);
    free(chain);
}

static void add_bytes(struct hm_chain *chain, const char *bytes, size_t len)
{
    unsigned char big_endian[8];
    for (size_t i = 0; i < sizeof big_endian; i++)
        big_endian[i] = (unsigned char)((uint64_t)len >> (56 - 8 * i));
    hm_sha256_add(chain->hash, big_endian, sizeof big_endian);
    hm_sha256_add(chain->hash, bytes, len);
}

static void add_number(struct hm_chain *chain, int64_t number)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%" PRId64, number);
    add_bytes(chain, text, (size_t)len);
}

void hm_chain_hash(struct hm_chain *chain, const char *previous, const struct hm_chain_row *row, char ret_hex[HM_SHA256_HEX])
{
    add_bytes(chain, previous, strlen(previous));
    add_number(chain, row->id);
    add_bytes(chain, row->run_id, row->run_id_len);
    add_number(chain, row->seq);
    add_bytes(chain, row->type, row->type_len);
    add_bytes(chain, row->data, row->data_len);
    add_number(chain, row->wall_ms);
    hm_sha256_finish(chain->hash, ret_hex);
}
