/* SPDX-License-Identifier: BSD-3-Clause */
#include "resp/writer.h"

/* 00 to 99: two digits by one copy. */
static const char pairs[] = "00010203040506070809"
                            "10111213141516171819"
                            "20212223242526272829"
                            "30313233343536373839"
                            "40414243444546474849"
                            "50515253545556575859"
                            "60616263646566676869"
                            "70717273747576777879"
                            "80818283848586878889"
                            "90919293949596979899";

/* The powers of ten that a uint64_t holds. */
static const uint64_t powers[] = {
    UINT64_C(1),
    UINT64_C(10),
    UINT64_C(100),
    UINT64_C(1000),
    UINT64_C(10000),
    UINT64_C(100000),
    UINT64_C(1000000),
    UINT64_C(10000000),
    UINT64_C(100000000),
    UINT64_C(1000000000),
    UINT64_C(10000000000),
    UINT64_C(100000000000),
    UINT64_C(1000000000000),
    UINT64_C(10000000000000),
    UINT64_C(100000000000000),
    UINT64_C(1000000000000000),
    UINT64_C(10000000000000000),
    UINT64_C(100000000000000000),
    UINT64_C(1000000000000000000),
    UINT64_C(10000000000000000000),
};

unsigned resp_number_digits(uint64_t number)
{
    /* 0 has as many digits as 1, and one may ask for the highest bit of 1. */
    const uint64_t some = number | 1;
    const unsigned bits = 64 - (unsigned)__builtin_clzll(some);

    /* 1233 / 4096 is a little over log10(2): the digits less one, or one too many. */
    const unsigned guess = bits * 1233 >> 12;

    return guess + (some >= powers[guess]);
}

/* The divisor is a constant, which compilers turn into a multiplication. */
char *resp_write_number(char *at, uint64_t number)
{
    /* Most lengths, and nothing to divide. */
    if (number < 10) {
        *at = (char)('0' + number);
        return at + 1;
    }

    char *const end = at + resp_number_digits(number);
    char *front = end;

    while (number >= 10) {
        const uint64_t pair = number % 100;

        /* Of an odd number of digits the last one is left over, of an even one nothing is. */
        number /= 100;
        front -= 2;
        memcpy(front, pairs + 2 * pair, 2);
    }
    if (front > at)
        *at = (char)('0' + number);
    return end;
}

static char *write_line_end(char *at)
{
    memcpy(at, "\r\n", 2);
    return at + 2;
}

char *resp_write_array(char *at, uint64_t arguments)
{
    *at = '*';
    return write_line_end(resp_write_number(at + 1, arguments));
}

char *resp_write_bulk(char *at, struct str bytes)
{
    *at = '$';
    at = write_line_end(resp_write_number(at + 1, bytes.len));
    if (bytes.len > 0)
        memcpy(at, bytes.ptr, bytes.len);
    return write_line_end(at + bytes.len);
}
