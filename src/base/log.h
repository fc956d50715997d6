/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * log: what the program says beside its results, on stderr.
 *
 * Lines are "HH:MM:SS.mmm LEVEL text". Only the main thread logs; workers put their texts on the
 * board. At level LOG_OFF nothing is written: errors that a user must see do not pass through here.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/option.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR, LOG_CRITICAL, LOG_OFF };

struct log_config {
    enum log_level level; /* lines below it are not written */
    bool debug;           /* --debug: the same as --log-level DEBUG */
};

extern const struct option_spec log_options[];

/* Writes one line to stderr if `level` is at least the configured one. */
void log_write(const struct log_config *config, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
