/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compiler: makes a shared object from a file in C by the system's compiler.
 *
 * $CC, perhaps with arguments, or the first of cc, gcc and clang on PATH; no shell is involved. The
 * public headers come from the program itself, so nothing need be installed. What the compiler says
 * goes to stderr as it comes. The object is memory with a descriptor: no file is left over, however
 * the program ends.
 */
#ifndef SCRIPT_C_COMPILER_H
#define SCRIPT_C_COMPILER_H

#include "base/err.h"

/*
 * Compiles `file`. Returns the descriptor of the object, which the caller closes, or a negative
 * errno with a sentence: the file cannot be read, there is no compiler, or it found an error, the
 * first of which is named.
 */
int compiler_run(const char *file, struct err *err);

#endif
