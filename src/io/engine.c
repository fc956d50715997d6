/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/engine.h"

#include <errno.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define FIELD(member) offsetof(struct engine_config, member)

/* clang-format off */
const struct option_spec engine_options[] = {
    {.name = "io", .group = OPTION_ADVANCED, .read = option_read_choice, .offset = FIELD(choice),
     .initial = "auto", .value = "ENGINE", .choices = "auto|epoll|uring",
     .help = "how bytes are moved: auto, epoll or uring"},
    {0},
};
/* clang-format on */

static void use(struct engine *engine, const struct loop_ops *ops, const char *mode)
{
    engine->ops = ops;
    if (mode[0])
        snprintf(engine->name, sizeof engine->name, "%s (%s)", ops->name, mode);
    else
        snprintf(engine->name, sizeof engine->name, "%s", ops->name);
}

/* Makes a loop and lets it go. Returns 0 or a negative errno. */
static int try(struct engine *engine, const struct loop_ops *ops, struct err *err)
{
    const struct loop_setup setup = {.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                                     .channels = 1};
    struct loop *loop;

    if (setup.wake_fd < 0)
        return err_sys(err, "Could not make an eventfd");
    const int rc = ops->create(&loop, &setup, err);
    if (rc == 0) {
        use(engine, ops, loop->mode);
        loop_destroy(&loop);
    }
    close(setup.wake_fd);
    return rc;
}

static int try_uring(struct engine *engine, struct err *err)
{
#if HAVE_URING
    return try(engine, &loop_uring, err);
#else
    (void)engine;
    (void)try;
    err_set(err, "This program was built without liburing.");
    return -ENOSYS;
#endif
}

const char *engine_library(void)
{
    return URING_LIBRARY;
}

void engine_choose(struct engine *engine, const struct engine_config *config)
{
    struct err err;

    *engine = (struct engine){0};
    use(engine, &loop_epoll, "");
    if (config->choice == ENGINE_EPOLL || try_uring(engine, &err) == 0)
        return;
    snprintf(engine->note, sizeof engine->note, "epoll is used instead of io_uring: %s", err.text);
}
