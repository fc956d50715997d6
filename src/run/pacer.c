/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/pacer.h"

#include <stdlib.h>

#include "base/clock.h"

/* Of one sample: as long as the waits of a few thousand requests a second, which are those that a
 * margin is for, and long enough for a processor to fall asleep. */
#define SLEEP_NS (UINT64_C(200) * CLOCK_NS_PER_US)

#define CALIBRATION_MAX_NS (UINT64_C(100) * CLOCK_NS_PER_MS)

static int compare(const void *a, const void *b)
{
    const uint64_t *one = a, *other = b;

    return (*one > *other) - (*one < *other);
}

uint64_t pacer_margin_ns(uint64_t *lags_ns, unsigned count)
{
    if (count == 0)
        return PACER_MARGIN_MAX_NS;
    qsort(lags_ns, count, sizeof *lags_ns, compare);
    const uint64_t p99_ns = lags_ns[(count * 99 + 99) / 100 - 1];
    if (p99_ns < PACER_MARGIN_MIN_NS)
        return PACER_MARGIN_MIN_NS;
    return p99_ns < PACER_MARGIN_MAX_NS ? p99_ns : PACER_MARGIN_MAX_NS;
}

void pacer_calibrate(struct pacer *pacer, struct loop *loop)
{
    uint64_t lags_ns[PACER_SAMPLES];
    unsigned count = 0;
    uint64_t now_ns = clock_now_ns();
    const uint64_t end_ns = now_ns + CALIBRATION_MAX_NS - SLEEP_NS;

    while (count < PACER_SAMPLES && now_ns < end_ns) {
        const uint64_t deadline_ns = now_ns + SLEEP_NS;

        now_ns = loop_turn(loop, deadline_ns);
        if (loop->awake_ns < deadline_ns) /* it was woken for something */
            continue;
        /* the turn's time may be that of its deadline, however late the loop woke up */
        now_ns = loop->awake_ns;
        lags_ns[count++] = now_ns - deadline_ns;
    }
    pacer->margin_ns = pacer_margin_ns(lags_ns, count);
}
