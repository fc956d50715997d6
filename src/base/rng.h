/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rng: randomness as a pure function.
 *
 * A draw is a hash of (seed, stream, index) and there is no generator with state: a request that
 * is rendered twice draws the same numbers, and a run draws the same numbers however it is split
 * over processes and threads. Streams keep the draws of one request apart.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

#include "base/wide.h"

enum rng_stream {
    RNG_KEY,     /* which key a request touches */
    RNG_START,   /* where a rotated sequence begins */
    RNG_BACKOFF, /* the jitter of a reconnect */
    RNG_SCRIPT,  /* what a custom command draws */
};

/* The finaliser of splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom generators). */
static inline uint64_t rng_mix(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    x ^= x >> 31;
    return x;
}

/* 64 uniform bits for (seed, stream, index): splitmix64's sequence, entered anywhere. */
static inline uint64_t rng_draw(uint64_t seed, enum rng_stream stream, uint64_t index)
{
    const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);
    const uint64_t base = rng_mix(seed + ((uint64_t)stream + 1) * golden);

    return rng_mix(base + (index + 1) * golden);
}

/* Maps 64 uniform bits to 0..range-1 (Lemire's multiply-high; its bias is below range/2^64). */
static inline uint64_t rng_below(uint64_t bits, uint64_t range)
{
    return (uint64_t)(((wide_uint)bits * range) >> 64);
}

#endif
