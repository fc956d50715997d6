/* SPDX-License-Identifier: BSD-3-Clause */
#include "stats/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static uint64_t beyond(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

void snapshot_init(struct snapshot *snapshot)
{
    *snapshot = (struct snapshot){.series = NULL};
}

/* Ends all series but the first `count`. */
static void truncate(struct snapshot *snapshot, unsigned count)
{
    while (snapshot->series_count > count)
        distribution_deinit(&snapshot->series[--snapshot->series_count].values);
}

void snapshot_deinit(struct snapshot *snapshot)
{
    truncate(snapshot, 0);
    free(snapshot->series);
    snapshot_init(snapshot);
}

void snapshot_clear(struct snapshot *snapshot)
{
    for (unsigned i = 0; i < snapshot->series_count; i++)
        distribution_clear(&snapshot->series[i].values);
    *snapshot = (struct snapshot){
        .series = snapshot->series,
        .series_count = snapshot->series_count,
    };
}

static struct series *find(const struct snapshot *snapshot, const char *name, enum measure measure)
{
    for (unsigned i = 0; i < snapshot->series_count; i++) {
        struct series *series = &snapshot->series[i];

        if (series->measure == measure && strncmp(series->name, name, SNAPSHOT_NAME_MAX) == 0)
            return series;
    }
    return NULL;
}

static void rename_series(struct series *series, const char *name, enum measure measure)
{
    const size_t len = strnlen(name, SNAPSHOT_NAME_MAX);

    memcpy(series->name, name, len);
    series->name[len] = '\0';
    series->measure = measure;
}

static struct series *append(struct snapshot *snapshot, const char *name, enum measure measure)
{
    assert(snapshot->series_count < SNAPSHOT_SERIES_MAX);
    snapshot->series =
        mem_resize(snapshot->series, snapshot->series_count + 1, sizeof *snapshot->series);
    struct series *series = &snapshot->series[snapshot->series_count++];

    rename_series(series, name, measure);
    distribution_init(&series->values);
    return series;
}

struct series *snapshot_series(struct snapshot *snapshot, const char *name, enum measure measure)
{
    struct series *series = find(snapshot, name, measure);

    if (series)
        return series;
    if (snapshot->series_count < SNAPSHOT_SERIES_MAX - MEASURE_KINDS)
        return append(snapshot, name, measure);

    /* The last places are kept for the "other" of each measure. */
    series = find(snapshot, SNAPSHOT_OTHER, measure);
    return series ? series : append(snapshot, SNAPSHOT_OTHER, measure);
}

void snapshot_add(struct snapshot *to, const struct snapshot *from)
{
    assert(to != from);
    to->time_ns = from->time_ns > to->time_ns ? from->time_ns : to->time_ns;
    to->issued += from->issued;
    for (unsigned i = 0; i < OUTCOME_KINDS; i++)
        to->errors[i] += from->errors[i];
    for (unsigned i = 0; i < EVENT_KINDS; i++)
        to->events[i] += from->events[i];
    for (unsigned i = 0; i < from->series_count; i++) {
        const struct series *series = &from->series[i];

        distribution_add(&snapshot_series(to, series->name, series->measure)->values,
                         &series->values);
    }
}

/* Sets series i of `to` to what series i of `now` holds beyond its namesake in `before`. */
static void subtract_series(struct snapshot *to, unsigned i, const struct snapshot *now,
                            const struct snapshot *before)
{
    const struct series *from = &now->series[i];
    const struct series *earlier = find(before, from->name, from->measure);

    if (i == to->series_count)
        append(to, from->name, from->measure);
    rename_series(&to->series[i], from->name, from->measure);
    if (earlier) {
        distribution_subtract(&to->series[i].values, &from->values, &earlier->values);
        return;
    }
    distribution_clear(&to->series[i].values);
    distribution_add(&to->series[i].values, &from->values);
}

void snapshot_subtract(struct snapshot *to, const struct snapshot *now,
                       const struct snapshot *before)
{
    assert(to != now && to != before);
    to->time_ns = now->time_ns;
    to->issued = beyond(now->issued, before->issued);
    for (unsigned i = 0; i < OUTCOME_KINDS; i++)
        to->errors[i] = beyond(now->errors[i], before->errors[i]);
    for (unsigned i = 0; i < EVENT_KINDS; i++)
        to->events[i] = beyond(now->events[i], before->events[i]);
    truncate(to, now->series_count);
    for (unsigned i = 0; i < now->series_count; i++)
        subtract_series(to, i, now, before);
}

void snapshot_merge_measure(const struct snapshot *snapshot, enum measure measure,
                            struct distribution *to)
{
    distribution_clear(to);
    for (unsigned i = 0; i < snapshot->series_count; i++)
        if (snapshot->series[i].measure == measure)
            distribution_add(to, &snapshot->series[i].values);
}

uint64_t snapshot_ok(const struct snapshot *snapshot)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < snapshot->series_count; i++)
        if (snapshot->series[i].measure == MEASURE_RESPONSE)
            count += snapshot->series[i].values.total;
    return count;
}

uint64_t snapshot_failed(const struct snapshot *snapshot)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < OUTCOME_KINDS; i++)
        count += snapshot->errors[i];
    return count;
}

uint64_t snapshot_unanswered(const struct snapshot *snapshot)
{
    return beyond(snapshot->issued, snapshot_ok(snapshot) + snapshot_failed(snapshot));
}
