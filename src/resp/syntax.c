/* SPDX-License-Identifier: BSD-3-Clause */
#include "resp/syntax.h"

#include <stdint.h>

enum byte_class {
    OTHER,
    CR,
    DIGIT,
    SIGN,
    DOT,
    LETTER_A,
    LETTER_E,
    LETTER_F,
    LETTER_I,
    LETTER_N,
    LETTER_T,
    CLASSES /* how many there are */
};

/* clang-format off */
static const uint8_t classes[256] = {
    ['\r'] = CR, ['+'] = SIGN, ['-'] = SIGN, ['.'] = DOT,
    ['0'] = DIGIT, ['1'] = DIGIT, ['2'] = DIGIT, ['3'] = DIGIT, ['4'] = DIGIT,
    ['5'] = DIGIT, ['6'] = DIGIT, ['7'] = DIGIT, ['8'] = DIGIT, ['9'] = DIGIT,
    ['a'] = LETTER_A, ['e'] = LETTER_E, ['E'] = LETTER_E, ['f'] = LETTER_F,
    ['i'] = LETTER_I, ['n'] = LETTER_N, ['t'] = LETTER_T,
};

/* What is not in the table is SYNTAX_NOWHERE. */
static const uint8_t places[SYNTAX_ENDED][CLASSES] = {
    [SYNTAX_DOUBLE] = {[SIGN] = SYNTAX_DOUBLE_SIGN, [DIGIT] = SYNTAX_WHOLE,
                       [LETTER_I] = SYNTAX_I, [LETTER_N] = SYNTAX_N},
    [SYNTAX_DOUBLE_SIGN] = {[DIGIT] = SYNTAX_WHOLE, [LETTER_I] = SYNTAX_I, [LETTER_N] = SYNTAX_N},
    [SYNTAX_WHOLE] = {[DIGIT] = SYNTAX_WHOLE, [DOT] = SYNTAX_POINT, [LETTER_E] = SYNTAX_EXPONENT,
                      [CR] = SYNTAX_ENDED},
    [SYNTAX_POINT] = {[DIGIT] = SYNTAX_FRACTION},
    [SYNTAX_FRACTION] = {[DIGIT] = SYNTAX_FRACTION, [LETTER_E] = SYNTAX_EXPONENT,
                         [CR] = SYNTAX_ENDED},
    [SYNTAX_EXPONENT] = {[SIGN] = SYNTAX_EXPONENT_SIGN, [DIGIT] = SYNTAX_EXPONENT_DIGITS},
    [SYNTAX_EXPONENT_SIGN] = {[DIGIT] = SYNTAX_EXPONENT_DIGITS},
    [SYNTAX_EXPONENT_DIGITS] = {[DIGIT] = SYNTAX_EXPONENT_DIGITS, [CR] = SYNTAX_ENDED},
    [SYNTAX_I] = {[LETTER_N] = SYNTAX_IN},
    [SYNTAX_IN] = {[LETTER_F] = SYNTAX_ENDING},
    [SYNTAX_N] = {[LETTER_A] = SYNTAX_NA},
    [SYNTAX_NA] = {[LETTER_N] = SYNTAX_ENDING},
    [SYNTAX_BIG] = {[SIGN] = SYNTAX_BIG_SIGN, [DIGIT] = SYNTAX_BIG_DIGITS},
    [SYNTAX_BIG_SIGN] = {[DIGIT] = SYNTAX_BIG_DIGITS},
    [SYNTAX_BIG_DIGITS] = {[DIGIT] = SYNTAX_BIG_DIGITS, [CR] = SYNTAX_ENDED},
    [SYNTAX_BOOLEAN] = {[LETTER_T] = SYNTAX_TRUE, [LETTER_F] = SYNTAX_ENDING},
    [SYNTAX_TRUE] = {[CR] = SYNTAX_ENDED},
    [SYNTAX_ENDING] = {[CR] = SYNTAX_ENDED},
};
/* clang-format on */

enum syntax_place syntax_next(enum syntax_place place, char byte)
{
    return (enum syntax_place)places[place][classes[(unsigned char)byte]];
}
