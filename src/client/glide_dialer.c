/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/glide_dialer.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

struct glide_dialer {
    struct glide_library library;
    struct glide_inbox *inbox; /* not touched any more once `quit` is set */
    struct glide_client_type type;
    char *request; /* owned */
    size_t len;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t asked;
    struct glide_dial *dial; /* to be made; NULL: none */
    bool quit;
};

static void release(struct glide_dialer *dialer)
{
    pthread_mutex_destroy(&dialer->mutex);
    pthread_cond_destroy(&dialer->asked);
    free(dialer->request);
    free(dialer);
}

/* The library's words, without the newline that some end in. */
static char *take_error(const struct glide_connection *connection)
{
    if (connection && connection->client)
        return NULL;
    char *error =
        mem_copy_text(connection && connection->error ? connection->error : "no reason was given");
    error[strcspn(error, "\n")] = '\0';
    return error;
}

static struct glide_dial make_client(const struct glide_dialer *dialer)
{
    const struct glide_library *library = &dialer->library;
    struct glide_dial made = {.note.dial = true, .began_ns = clock_now_ns()};
    const struct glide_connection *connection = library->create_client(
        (const uint8_t *)dialer->request, dialer->len, &dialer->type, NULL, NULL, 0);

    made.ended_ns = clock_now_ns();
    made.client = connection ? connection->client : NULL;
    made.error = take_error(connection);
    if (connection)
        library->free_connection(connection);
    return made;
}

/* Waits until there is something to do. Returns whether that is a client to be made. */
static bool wait_for_work(struct glide_dialer *dialer)
{
    while (!dialer->dial && !dialer->quit)
        pthread_cond_wait(&dialer->asked, &dialer->mutex);
    return dialer->dial != NULL;
}

static void *dial_all(void *argument)
{
    struct glide_dialer *dialer = argument;

    pthread_mutex_lock(&dialer->mutex);
    while (wait_for_work(dialer)) {
        pthread_mutex_unlock(&dialer->mutex);
        struct glide_dial made = make_client(dialer);
        pthread_mutex_lock(&dialer->mutex);
        if (dialer->quit) { /* nobody waits for this thread, which was busy when it was told */
            pthread_mutex_unlock(&dialer->mutex);
            if (made.client)
                dialer->library.close_client(made.client);
            free(made.error);
            release(dialer);
            return NULL;
        }
        *dialer->dial = made;
        glide_inbox_put(dialer->inbox, &dialer->dial->note);
        dialer->dial = NULL;
    }
    pthread_mutex_unlock(&dialer->mutex);
    return NULL;
}

int glide_dialer_start(struct glide_dialer **slot, const struct glide_dialer_setup *setup,
                       struct err *err)
{
    struct glide_dialer *dialer = mem_zalloc(1, sizeof *dialer);

    dialer->library = *setup->library;
    dialer->inbox = setup->inbox;
    dialer->type = setup->type;
    dialer->request = setup->request;
    dialer->len = setup->len;
    pthread_mutex_init(&dialer->mutex, NULL);
    pthread_cond_init(&dialer->asked, NULL);
    errno = pthread_create(&dialer->thread, NULL, dial_all, dialer);
    if (errno == 0) {
        *slot = dialer;
        return 0;
    }
    const int rc = err_sys(err, "Could not start a thread");
    release(dialer);
    return rc;
}

void glide_dialer_ask(struct glide_dialer *dialer, struct glide_dial *dial)
{
    pthread_mutex_lock(&dialer->mutex);
    assert(!dialer->dial);
    dialer->dial = dial;
    pthread_cond_signal(&dialer->asked);
    pthread_mutex_unlock(&dialer->mutex);
}

void glide_dialer_stop(struct glide_dialer **slot)
{
    struct glide_dialer *dialer = *slot;

    *slot = NULL;
    if (!dialer)
        return;
    pthread_mutex_lock(&dialer->mutex);
    const pthread_t thread = dialer->thread;
    const bool busy = dialer->dial != NULL;
    dialer->quit = true;
    pthread_cond_signal(&dialer->asked);
    pthread_mutex_unlock(&dialer->mutex);
    if (busy) {
        pthread_detach(thread);
        return;
    }
    pthread_join(thread, NULL);
    release(dialer);
}
