/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/cpu_list.h"

#include <stdbool.h>

/* A list that is being read. */
struct reading {
    struct cpu_list list;
    cpu_set_t seen;
    const char *at; /* what has not been read */
    const char *option;
};

static int refuse(const struct reading *reading, struct err *err)
{
    return err_set(err, "--%s must be a list of CPUs such as 0-3,8, not \"%s\".", reading->option,
                   reading->list.text);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int read_number(struct reading *reading, unsigned *number, struct err *err)
{
    const char *begin = reading->at;

    if (!is_digit(*begin))
        return refuse(reading, err);
    *number = 0;
    for (; is_digit(*reading->at); reading->at++)
        if (*number < CPU_SETSIZE)
            *number = *number * 10 + (unsigned)(*reading->at - '0');
    if (*number < CPU_SETSIZE)
        return 0;
    return err_set(err, "--%s names CPU %.*s, but the highest number is %d.", reading->option,
                   (int)(reading->at - begin), begin, CPU_SETSIZE - 1);
}

static int add_range(struct reading *reading, unsigned first, unsigned last, struct err *err)
{
    if (first > last)
        return err_set(err, "--%s has a range that runs backwards: %u-%u.", reading->option, first,
                       last);
    for (unsigned cpu = first; cpu <= last; cpu++) {
        if (CPU_ISSET(cpu, &reading->seen))
            return err_set(err, "--%s names CPU %u twice.", reading->option, cpu);
        CPU_SET(cpu, &reading->seen);
        reading->list.cpus[reading->list.count++] = (uint16_t)cpu;
    }
    return 0;
}

/* A number, or two with a dash between them. */
static int read_item(struct reading *reading, struct err *err)
{
    unsigned first = 0, last;

    int rc = read_number(reading, &first, err);
    if (rc < 0)
        return rc;
    last = first;
    if (*reading->at == '-') {
        reading->at++;
        rc = read_number(reading, &last, err);
    }
    return rc < 0 ? rc : add_range(reading, first, last, err);
}

int cpu_list_read(struct cpu_list *list, const char *text, const char *option, struct err *err)
{
    struct reading reading = {.list.text = text, .at = text, .option = option};

    for (;;) {
        const int rc = read_item(&reading, err);

        if (rc < 0)
            return rc;
        if (*reading.at == '\0')
            break;
        if (*reading.at++ != ',')
            return refuse(&reading, err);
    }
    *list = reading.list;
    return 0;
}
