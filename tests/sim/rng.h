/* The story's only source of chance: splitmix64. Everything random in a story comes out of one of these, in one order, so that
 * the seed is the story. */
#ifndef HM_SIM_RNG_H
#define HM_SIM_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t state;
};

static inline uint64_t rng_next(struct rng *rng)
{
    uint64_t z = (rng->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* 0 … n-1; n > 0. */
static inline size_t rng_below(struct rng *rng, size_t n)
{
    return (size_t)(((rng_next(rng) >> 32) * (uint64_t)n) >> 32);
}

/* lowest … highest, both included. */
static inline int64_t rng_between(struct rng *rng, int64_t lowest, int64_t highest)
{
    return lowest + (int64_t)rng_below(rng, (size_t)(highest - lowest + 1));
}

static inline bool rng_percent(struct rng *rng, unsigned percent)
{
    return rng_below(rng, 100) < percent;
}

#endif
