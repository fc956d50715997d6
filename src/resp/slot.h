/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * slot: which of a cluster's slots a key belongs to.
 *
 * CRC16 of the key, modulo 16384. If the key holds a '{' with a '}' after it and something between
 * the first of each, that hash tag stands for the whole key, so that keys can be kept together. The
 * first '{' decides alone: in "{}{a}" nothing is looked for beyond "{}", and all of it is hashed.
 *
 * Algorithm: https://valkey.io/topics/cluster-spec/ (CRC16/XMODEM: polynomial 1021 hex, from 0).
 */
#ifndef RESP_SLOT_H
#define RESP_SLOT_H

#include <stdint.h>

#include "base/str.h"

enum { SLOT_COUNT = 16384 };

/* A key that comes in pieces. Zeroed, nothing of it has been seen. */
struct slot_hash {
    uint16_t whole; /* the CRC of all bytes so far */
    uint16_t tag;   /* ... of those after the first '{' */
    uint8_t stage;
};

void slot_hash_add(struct slot_hash *hash, struct str piece);
uint16_t slot_hash_end(const struct slot_hash *hash);

/* The slot of a key: 0..SLOT_COUNT-1. */
uint16_t resp_slot(struct str key);

#endif
