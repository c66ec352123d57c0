/* A hash map from strings to pointers. Keys are copied, values are the caller's. */
#ifndef SLACKSIM_STRMAP_H
#define SLACKSIM_STRMAP_H

#include <stddef.h>

struct sim_strmap;

struct sim_strmap *sim_strmap_new(void);
/* Frees keys and map, not the values. */
void sim_strmap_free(struct sim_strmap *map);
void *sim_strmap_get(const struct sim_strmap *map, const char *key); /* NULL when absent */
void sim_strmap_set(struct sim_strmap *map, const char *key, void *value);
void *sim_strmap_take(struct sim_strmap *map, const char *key); /* removes; NULL when absent */
size_t sim_strmap_len(const struct sim_strmap *map);
/* Calls fn for each entry, in no order; fn must not change the map. */
void sim_strmap_each(const struct sim_strmap *map, void (*fn)(const char *key, void *value, void *arg), void *arg);

#endif
