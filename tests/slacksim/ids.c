/* splitmix64: small, fast, and the same on every machine. Nothing here is a secret; the simulator hands all of it out. */
#include "ids.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

void sim_ids_init(struct sim_ids *ids, uint64_t seed)
{
    const struct hm_clock *real = hm_clock_real();

    ids->counter = 0;
    ids->state = seed;
    if (seed == 0) {
        real->random_bytes(real->arg, &ids->state, sizeof(ids->state));
    }
}

uint64_t sim_ids_u64(struct sim_ids *ids)
{
    uint64_t z = (ids->state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

const char *sim_ids_uuid(struct sim_ids *ids, char *buf)
{
    uint64_t a = sim_ids_u64(ids);
    uint64_t b = sim_ids_u64(ids);

    (void)snprintf(buf, SIM_ID_MAX, "%08" PRIx64 "-%04" PRIx64 "-4%03" PRIx64 "-%04" PRIx64 "-%012" PRIx64, a >> 32,
                   (a >> 16) & 0xffff, a & 0xfff, 0x8000 | ((b >> 48) & 0x3fff), b & UINT64_C(0xffffffffffff));
    return buf;
}

static size_t fill(struct sim_ids *ids, const char *alphabet, uint64_t alphabet_len, size_t n, char *buf, size_t at)
{
    size_t i = 0;

    for (i = 0; i < n && at + 1 < SIM_ID_MAX; i++) {
        buf[at++] = alphabet[sim_ids_u64(ids) % alphabet_len];
    }
    buf[at] = '\0';
    return at;
}

const char *sim_ids_upper(struct sim_ids *ids, const char *prefix, size_t n, char *buf)
{
    size_t at = 0;

    for (; prefix[at] != '\0' && at + 1 < SIM_ID_MAX; at++) {
        buf[at] = prefix[at];
    }
    (void)fill(ids, "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", 34, n, buf, at);
    return buf;
}

const char *sim_ids_mixed(struct sim_ids *ids, size_t n, char *buf)
{
    (void)fill(ids, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", 62, n, buf, 0);
    return buf;
}

const char *sim_ids_trigger(struct sim_ids *ids, char *buf)
{
    uint64_t a = sim_ids_u64(ids);
    uint64_t b = sim_ids_u64(ids);

    ids->counter++;
    (void)snprintf(buf, SIM_ID_MAX, "%013" PRIu64 ".%08" PRIu64 ".%016" PRIx64 "%016" PRIx64,
                   UINT64_C(1000000000000) + ids->counter, a % 100000000, a, b);
    return buf;
}
