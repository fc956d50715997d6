/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * syntax: the form of the lines of which a reader wants no more than that they are in order: null
 * (_), boolean (#), double (,) and big number ((). A finite automaton, so that a line may be cut
 * anywhere and be of any length.
 *
 * Protocol: https://valkey.io/topics/protocol/; beside it "+inf" and a signed "nan" are in order,
 * as printf has written them for older servers.
 */
#ifndef RESP_SYNTAX_H
#define RESP_SYNTAX_H

/* How far a line was read. */
enum syntax_place {
    SYNTAX_NOWHERE, /* the byte cannot be there */
    SYNTAX_DOUBLE,  /* a double begins, after its type */
    SYNTAX_DOUBLE_SIGN,
    SYNTAX_WHOLE,
    SYNTAX_POINT,
    SYNTAX_FRACTION,
    SYNTAX_EXPONENT,
    SYNTAX_EXPONENT_SIGN,
    SYNTAX_EXPONENT_DIGITS,
    SYNTAX_I, /* of "inf" */
    SYNTAX_IN,
    SYNTAX_N, /* of "nan" */
    SYNTAX_NA,
    SYNTAX_BIG, /* a big number begins */
    SYNTAX_BIG_SIGN,
    SYNTAX_BIG_DIGITS,
    SYNTAX_BOOLEAN, /* a boolean begins */
    SYNTAX_TRUE,
    SYNTAX_ENDING, /* nothing but the CR may come: also where a null begins */
    SYNTAX_ENDED,  /* the CR was read */
};

/* Where the line is after one more byte. `place` is neither SYNTAX_NOWHERE nor SYNTAX_ENDED. */
enum syntax_place syntax_next(enum syntax_place place, char byte);

#endif
