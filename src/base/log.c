/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/log.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

static const char *const level_names[] = {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"};

const struct option_spec log_options[] = {
    {
        .name = "log-level",
        .group = OPTION_OUTPUT,
        .read = option_read_choice,
        .offset = offsetof(struct log_config, level),
        .initial = "OFF",
        .value = "LEVEL",
        .help = "log to stderr from this level: DEBUG, INFO, WARNING, ERROR, CRITICAL or OFF",
        .choices = "DEBUG|INFO|WARNING|ERROR|CRITICAL|OFF",
    },
    {
        .name = "debug",
        .group = OPTION_OUTPUT,
        .read = option_read_switch,
        .offset = offsetof(struct log_config, debug),
        .help = "the same as --log-level DEBUG",
    },
    {0},
};

void log_write(const struct log_config *config, enum log_level level, const char *format, ...)
{
    assert(level < LOG_OFF);
    if (!config->debug && level < config->level)
        return;

    struct timespec now;
    struct tm local;
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &local);

    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "%02d:%02d:%02d.%03ld %s %s\n", local.tm_hour, local.tm_min, local.tm_sec,
            now.tv_nsec / 1000000, level_names[level], text);
}
