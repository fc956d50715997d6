/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * writer: commands as RESP bytes, into memory that the caller has measured.
 *
 * A command is an array header followed by one bulk string an argument; RESP2 and RESP3 are alike
 * here. The writers return the place after what they wrote and never check for room: the *_MAX
 * bounds say how much is needed.
 */
#ifndef RESP_WRITER_H
#define RESP_WRITER_H

#include <stdint.h>

#include "base/str.h"

enum {
    RESP_NUMBER_MAX = 20,                  /* decimal digits of a uint64_t */
    RESP_HEADER_MAX = RESP_NUMBER_MAX + 3, /* "$<number>\r\n" */
    RESP_BULK_EXTRA = RESP_HEADER_MAX + 2, /* what a bulk needs beside its bytes */
};

/* Decimal digits, two at a time from a table. */
char *resp_write_number(char *at, uint64_t number);

/* How many digits resp_write_number writes. */
unsigned resp_number_digits(uint64_t number);

/* "*<arguments>\r\n" */
char *resp_write_array(char *at, uint64_t arguments);

/* "$<len>\r\n<bytes>\r\n" */
char *resp_write_bulk(char *at, struct str bytes);

#endif
