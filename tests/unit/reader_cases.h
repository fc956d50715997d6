/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reader_cases: what is a reply and what is not, for the tests of the reader.
 */
#ifndef READER_CASES_H
#define READER_CASES_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "resp/reader.h"

/* As STR(), for tables. */
#define TEXT(literal)                                                                              \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

static const struct valid {
    struct str wire;
    enum resp_kind kind;
    int64_t number;
    struct str text;
} valid[] = {
    {TEXT("+OK\r\n"), RESP_SIMPLE, 0, TEXT("OK")},
    {TEXT("+PONG\r\n"), RESP_SIMPLE, 0, TEXT("PONG")},
    {TEXT("+\r\n"), RESP_SIMPLE, 0, TEXT("")},
    {TEXT("+a\0b\r\n"), RESP_SIMPLE, 0, TEXT("a\0b")},
    {TEXT("-ERR no such thing\r\n"), RESP_ERROR, 0, TEXT("ERR no such thing")},
    {TEXT("-\r\n"), RESP_ERROR, 0, TEXT("")},
    {TEXT("!20\r\nSYNTAX invalid\r\nline\r\n"), RESP_ERROR, 0, TEXT("SYNTAX invalid\r\nline")},
    {TEXT("!0\r\n\r\n"), RESP_ERROR, 0, TEXT("")},
    {TEXT(":1\r\n"), RESP_INTEGER, 1, TEXT("")},
    {TEXT(":0\r\n"), RESP_INTEGER, 0, TEXT("")},
    {TEXT(":-0\r\n"), RESP_INTEGER, 0, TEXT("")},
    {TEXT(":+7\r\n"), RESP_INTEGER, 7, TEXT("")},
    {TEXT(":007\r\n"), RESP_INTEGER, 7, TEXT("")},
    {TEXT(":-42\r\n"), RESP_INTEGER, -42, TEXT("")},
    {TEXT(":999999999999999999\r\n"), RESP_INTEGER, INT64_C(999999999999999999), TEXT("")},
    {TEXT(":9223372036854775807\r\n"), RESP_INTEGER, INT64_MAX, TEXT("")},
    {TEXT(":-9223372036854775808\r\n"), RESP_INTEGER, INT64_MIN, TEXT("")},
    {TEXT("$3\r\nxxx\r\n"), RESP_BULK, 3, TEXT("")},
    {TEXT("$0\r\n\r\n"), RESP_BULK, 0, TEXT("")},
    {TEXT("$4\r\n\r\n\r\n\r\n"), RESP_BULK, 4, TEXT("")},
    {TEXT("$0000000000000000002\r\nab\r\n"), RESP_BULK, 2, TEXT("")},
    {TEXT("$13\r\n\0\0$1\r\n-ERR a\n\r\n"), RESP_BULK, 13, TEXT("")},
    {TEXT("=15\r\ntxt:Some string\r\n"), RESP_BULK, 15, TEXT("")},
    {TEXT("$-1\r\n"), RESP_NULL, 0, TEXT("")},
    {TEXT("*-1\r\n"), RESP_NULL, 0, TEXT("")},
    {TEXT("_\r\n"), RESP_NULL, 0, TEXT("")},
    {TEXT("#t\r\n"), RESP_BOOLEAN, 1, TEXT("")},
    {TEXT("#f\r\n"), RESP_BOOLEAN, 0, TEXT("")},
    {TEXT(",1.23\r\n"), RESP_DOUBLE, 0, TEXT("")},
    {TEXT(",10\r\n"), RESP_DOUBLE, 0, TEXT("")},
    {TEXT(",-0.5e-300\r\n"), RESP_DOUBLE, 0, TEXT("")},
    {TEXT(",+1E+20\r\n"), RESP_DOUBLE, 0, TEXT("")},
    {TEXT(",5e7\r\n"), RESP_DOUBLE, 0, TEXT("")},
    {TEXT(",inf\r\n"), RESP_DOUBLE, 0, TEXT("")},
    {TEXT(",-inf\r\n"), RESP_DOUBLE, 0, TEXT("")},
    {TEXT(",nan\r\n"), RESP_DOUBLE, 0, TEXT("")},
    {TEXT(",-nan\r\n"), RESP_DOUBLE, 0, TEXT("")},
    {TEXT("(3492890328409238509324850943850943825024385\r\n"), RESP_BIG_NUMBER, 0, TEXT("")},
    {TEXT("(-1\r\n"), RESP_BIG_NUMBER, 0, TEXT("")},
    {TEXT("(+1\r\n"), RESP_BIG_NUMBER, 0, TEXT("")},
    {TEXT("*0\r\n"), RESP_ARRAY, 0, TEXT("")},
    {TEXT("*2\r\n$5\r\nhello\r\n:1\r\n"), RESP_ARRAY, 2, TEXT("")},
    {TEXT("*3\r\n*1\r\n*0\r\n$-1\r\n*2\r\n+a\r\n-b\r\n"), RESP_ARRAY, 3, TEXT("")},
    {TEXT("*9\r\n_\r\n#f\r\n,1\r\n(1\r\n!1\r\ne\r\n=5\r\ntxt:a\r\n%1\r\n+a\r\n~1\r\n:1\r\n"
          ">1\r\n:2\r\n:3\r\n"),
     RESP_ARRAY, 9, TEXT("")},
    {TEXT("%0\r\n"), RESP_MAP, 0, TEXT("")},
    {TEXT("%2\r\n+first\r\n:1\r\n+second\r\n*1\r\n:2\r\n"), RESP_MAP, 2, TEXT("")},
    {TEXT("~2\r\n+a\r\n+b\r\n"), RESP_SET, 2, TEXT("")},
    {TEXT(">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n"), RESP_PUSH, 2, TEXT("")},
    {TEXT("|1\r\n+ttl\r\n:3600\r\n+OK\r\n"), RESP_SIMPLE, 0, TEXT("OK")},
    {TEXT("|1\r\n+ttl\r\n:3600\r\n-ERR\r\n"), RESP_ERROR, 0, TEXT("ERR")},
    {TEXT("|0\r\n|0\r\n:5\r\n"), RESP_INTEGER, 5, TEXT("")},
    {TEXT("|2\r\n+a\r\n%1\r\n+b\r\n,0.1\r\n+c\r\n*0\r\n!2\r\nno\r\n"), RESP_ERROR, 0, TEXT("no")},
    {TEXT("|1\r\n|1\r\n+a\r\n+b\r\n+c\r\n|1\r\n+d\r\n+e\r\n:1\r\n*2\r\n|1\r\n+f\r\n:2\r\n:3\r\n"
          "+g\r\n"),
     RESP_ARRAY, 2, TEXT("")},
    {TEXT("*1\r\n|1\r\n+ttl\r\n:3600\r\n-ERR\r\n"), RESP_ARRAY, 1, TEXT("")},
    {TEXT("%1\r\n|1\r\n+a\r\n+b\r\n+k\r\n|0\r\n+v\r\n"), RESP_MAP, 1, TEXT("")},
};

/* clang-format off */
/* None is the start of a reply; `used` bytes of it are. */
static const struct garbage {
    struct str wire;
    size_t used;
} garbage[] = {
    {TEXT("?1\r\n"), 0}, {TEXT("\r\n"), 0}, {TEXT("\0"), 0}, {TEXT("\xff"), 0},
    {TEXT("HTTP/1.1 400 Bad Request\r\n"), 0}, {TEXT("+OK\n"), 3}, {TEXT("+OK\r\r\n"), 4},
    {TEXT("+O\rK\r\n"), 3}, {TEXT("-a\nb\r\n"), 2}, {TEXT(":\r\n"), 1}, {TEXT(":-\r\n"), 2},
    {TEXT(":+-1\r\n"), 2}, {TEXT(":1-\r\n"), 2}, {TEXT(": 1\r\n"), 1}, {TEXT(":1 \r\n"), 2},
    {TEXT(":1.0\r\n"), 2}, {TEXT(":0x1\r\n"), 2}, {TEXT(":1\n"), 2}, {TEXT(":1\r\r"), 3},
    {TEXT(":9223372036854775808\r\n"), 21}, {TEXT(":-9223372036854775809\r\n"), 22},
    {TEXT(":18446744073709551616\r\n"), 20}, {TEXT(":00000000000000000001\r\n"), 20},
    {TEXT("$\r\n"), 1}, {TEXT("$-0\r\n"), 4}, {TEXT("$-2\r\n"), 4}, {TEXT("$-01\r\n"), 5},
    {TEXT("$-11\r\n"), 5}, {TEXT("$+1\r\n"), 4}, {TEXT("$?\r\n"), 1}, {TEXT("$1\r\nab\r\n"), 5},
    {TEXT("$2\r\na\r\n+OK\r\n"), 6}, {TEXT("$1\r\na\rb"), 6}, {TEXT("$0\r\na\r\n"), 4},
    {TEXT("$1\ra"), 3}, {TEXT("$1099511627777\r\n"), 15}, {TEXT("$9223372036854775807\r\n"), 21},
    {TEXT("$9999999999999999999\r\n"), 21}, {TEXT("$99999999999999999999\r\n"), 20},
    {TEXT("=-1\r\n"), 4}, {TEXT("=1099511627777\r\n"), 15}, {TEXT("!-1\r\n"), 4},
    {TEXT("!1099511627777\r\n"), 15}, {TEXT("!1\r\nab"), 5}, {TEXT("!0\r\nab"), 4},
    {TEXT("*-2\r\n"), 4}, {TEXT("*+1\r\n"), 4}, {TEXT("*?\r\n"), 1}, {TEXT("*4294967297\r\n"), 12},
    {TEXT("*9223372036854775807\r\n"), 21}, {TEXT("*1\r\n?"), 4}, {TEXT("*1\r\n*1\r\n:x"), 9},
    {TEXT("%-1\r\n"), 4}, {TEXT("%4294967297\r\n"), 12}, {TEXT("~-1\r\n"), 4},
    {TEXT("~4294967297\r\n"), 12}, {TEXT(">-1\r\n"), 4}, {TEXT(">4294967297\r\n"), 12},
    {TEXT("|-1\r\n"), 4}, {TEXT("|4294967297\r\n"), 12}, {TEXT("|1\r\n+a\r\n+b\r\n\r\n"), 12},
    {TEXT("_1\r\n"), 1}, {TEXT("_\n"), 1}, {TEXT("#\r\n"), 1}, {TEXT("#x\r\n"), 1},
    {TEXT("#tt\r\n"), 2}, {TEXT("#true\r\n"), 2}, {TEXT(",\r\n"), 1}, {TEXT(",-\r\n"), 2},
    {TEXT(",.5\r\n"), 1}, {TEXT(",5.\r\n"), 3}, {TEXT(",1e\r\n"), 3}, {TEXT(",1e+\r\n"), 4},
    {TEXT(",1.5.5\r\n"), 4}, {TEXT(",1,5\r\n"), 2}, {TEXT(",infinity\r\n"), 4},
    {TEXT(",in\r\n"), 3}, {TEXT(",1\n"), 2}, {TEXT("(\r\n"), 1}, {TEXT("(-\r\n"), 2},
    {TEXT("(1.5\r\n"), 2}, {TEXT("(12a\r\n"), 3},
};
/* clang-format on */

#endif
