/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * units: numbers as people write them, exactly.
 *
 * Readers take the whole text or nothing: a sign, a blank, rubbish after the number, a number that
 * does not fit, are refused. No floating point is involved: "0.1" is a tenth.
 */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A whole count with an optional suffix k, M or G (any case; powers of 1000): "10k" is 10000. */
bool units_read_count(const char *text, uint64_t *count);

/* A decimal with at most 6 decimals and an optional k, M, G, in millionths: "0.5" is 500000. */
bool units_read_micro(const char *text, uint64_t *micro);

/* A duration in ns: seconds unless followed by ms, s, m or h; at most 9 decimals; "1.5", "250ms".
 */
bool units_read_duration(const char *text, uint64_t *ns);

/* Writes `count` with its thousands separated by commas ("1,234") and returns `text`. */
char *units_write_count(uint64_t count, char *text, size_t size);

/* Writes millionths as a decimal without needless zeros ("0.5", "1000") and returns `text`. */
char *units_write_micro(uint64_t micro, char *text, size_t size);

#endif
