/* Chained buckets, FNV-1a, doubled when full. */
#include "strmap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct entry {
    struct entry *next;
    char *key;
    void *value;
};

struct sim_strmap {
    struct entry **buckets;
    size_t buckets_nr; /* a power of two */
    size_t len;
};

static size_t hash(const char *key)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (; *key != '\0'; key++) {
        h = (h ^ (unsigned char)*key) * UINT64_C(0x100000001b3);
    }
    return (size_t)h;
}

struct sim_strmap *sim_strmap_new(void)
{
    struct sim_strmap *map = hm_xcalloc(1, sizeof(*map));

    map->buckets_nr = 64;
    map->buckets = hm_xcalloc(map->buckets_nr, sizeof(struct entry *));
    return map;
}

void sim_strmap_free(struct sim_strmap *map)
{
    size_t i = 0;

    if (map == NULL) {
        return;
    }
    for (i = 0; i < map->buckets_nr; i++) {
        while (map->buckets[i] != NULL) {
            struct entry *e = map->buckets[i];

            map->buckets[i] = e->next;
            free(e->key);
            free(e);
        }
    }
    free(map->buckets);
    free(map);
}

static struct entry **find(const struct sim_strmap *map, const char *key)
{
    struct entry **at = &map->buckets[hash(key) & (map->buckets_nr - 1)];

    while (*at != NULL && strcmp((*at)->key, key) != 0) {
        at = &(*at)->next;
    }
    return at;
}

void *sim_strmap_get(const struct sim_strmap *map, const char *key)
{
    struct entry *e = key != NULL ? *find(map, key) : NULL;

    return e != NULL ? e->value : NULL;
}

static void grow(struct sim_strmap *map)
{
    size_t nr = map->buckets_nr * 2;
    struct entry **buckets = hm_xcalloc(nr, sizeof(struct entry *));
    size_t i = 0;

    for (i = 0; i < map->buckets_nr; i++) {
        while (map->buckets[i] != NULL) {
            struct entry *e = map->buckets[i];
            struct entry **to = &buckets[hash(e->key) & (nr - 1)];

            map->buckets[i] = e->next;
            e->next = *to;
            *to = e;
        }
    }
    free(map->buckets);
    map->buckets = buckets;
    map->buckets_nr = nr;
}

void sim_strmap_set(struct sim_strmap *map, const char *key, void *value)
{
    struct entry **at = find(map, key);

    if (*at == NULL) {
        if (map->len >= map->buckets_nr) {
            grow(map);
            at = find(map, key);
        }
        *at = hm_xcalloc(1, sizeof(**at));
        (*at)->key = hm_xstrdup(key);
        map->len++;
    }
    (*at)->value = value;
}

void *sim_strmap_take(struct sim_strmap *map, const char *key)
{
    struct entry **at = find(map, key);
    struct entry *e = *at;
    void *value = NULL;

    if (e != NULL) {
        *at = e->next;
        value = e->value;
        free(e->key);
        free(e);
        map->len--;
    }
    return value;
}

size_t sim_strmap_len(const struct sim_strmap *map)
{
    return map->len;
}

void sim_strmap_each(const struct sim_strmap *map, void (*fn)(const char *key, void *value, void *arg), void *arg)
{
    size_t i = 0;
    const struct entry *e = NULL;

    for (i = 0; i < map->buckets_nr; i++) {
        for (e = map->buckets[i]; e != NULL; e = e->next) {
            fn(e->key, e->value, arg);
        }
    }
}
