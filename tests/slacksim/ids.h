/* Ids in Slack's shapes, from one generator: with a seed they are the same in each run, without one they are unpredictable. */
#ifndef SLACKSIM_IDS_H
#define SLACKSIM_IDS_H

#include <stddef.h>
#include <stdint.h>

struct sim_ids {
    uint64_t state;
    uint64_t counter; /* for ids that must only be unique */
};

/* seed 0 takes one from the system. */
void sim_ids_init(struct sim_ids *ids, uint64_t seed);
uint64_t sim_ids_u64(struct sim_ids *ids);

enum { SIM_ID_MAX = 64 };
/* All write into buf[SIM_ID_MAX] and return it. */
const char *sim_ids_uuid(struct sim_ids *ids, char *buf);
/* prefix + n characters of 0-9A-Z, e.g. "V0" + 9. */
const char *sim_ids_upper(struct sim_ids *ids, const char *prefix, size_t n, char *buf);
/* n characters of 0-9a-zA-Z */
const char *sim_ids_mixed(struct sim_ids *ids, size_t n, char *buf);
/* "<13 digits>.<12 digits>.<32 hex>" */
const char *sim_ids_trigger(struct sim_ids *ids, char *buf);

#endif
