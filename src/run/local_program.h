/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * local_program: which program is the Valkey of a throwaway server.
 *
 * Without one named, it is the first on PATH of valkey-server, redis-server, valkey-check-rdb and
 * redis-check-rdb. The latter two are the server's own file, which looks at the name it is run
 * under: a system with nothing but the tools' package has them.
 */
#ifndef RUN_LOCAL_PROGRAM_H
#define RUN_LOCAL_PROGRAM_H

#include "base/err.h"

struct local_program {
    char *file;       /* owned; absolute */
    const char *name; /* borrowed; what it is run as */
};

/*
 * `asked` is a name on PATH or a path, NULL to search. Returns 0, or a negative errno with a
 * sentence: -ENOENT no such program, -EACCES not executable. Release with local_program_deinit in
 * either case.
 */
int local_program_find(struct local_program *program, const char *asked, struct err *err);
void local_program_deinit(struct local_program *program);

#endif
