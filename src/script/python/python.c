/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host of Python: drives a native coroutine in each place, without an event loop.
 *
 * An execution is a call of the user's `execute`, whose coroutine is resumed by send. What it
 * awaits is a command or a group of them, which comes up to here, goes to the engine as a step, and
 * gets the replies before the coroutine goes on.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "script/python/command.h"
#include "script/python/group.h"
#include "script/python/interpreter.h"
#include "script/python/watchdog.h"
#include "script/script.h"

struct place {
    PyObject *coroutine; /* owned; NULL: the place is free */
    PyObject *wait;      /* owned; what it waits for */
    PyObject *text;      /* owned; why the last one failed */
};

struct script {
    struct runtime runtime;
    struct watchdog *watchdog;   /* owned */
    atomic_uint_fast64_t *stays; /* the watchdog's */
    PyObject *execute;           /* owned; the user's, bound */
    struct place *places;        /* owned */
    unsigned count;
};

static enum script_status fail(struct script *script, struct place *place, struct script_step *step)
{
    PyObject *exception = runtime_take_exception();
    Py_ssize_t len = 0;
    const char *text = NULL;

    place->text = PyObject_CallMethod(script->runtime.host, "describe", "O", exception);
    Py_DECREF(exception);
    if (place->text != NULL)
        text = PyUnicode_AsUTF8AndSize(place->text, &len);
    if (text == NULL)
        PyErr_Clear();
    step->text = text == NULL ? STR("an exception that cannot be described")
                              : (struct str){text, (size_t)len};
    return SCRIPT_FAILED;
}

/* None is as good as True: who returns nothing has nothing to complain of. */
static enum script_status judge(struct script *script, struct place *place, PyObject *result,
                                struct script_step *step)
{
    const int truth = Py_IsNone(result) ? 1 : PyObject_IsTrue(result);

    Py_DECREF(result);
    if (truth < 0)
        return fail(script, place, step);
    step->text = STR("");
    return truth > 0 ? SCRIPT_OK : SCRIPT_FAILED;
}

static enum script_status run(struct script *script, struct place *place, struct script_step *step)
{
    PyObject *result;
    const PySendResult status = wait_drive(&script->runtime, place->coroutine, &result);

    if (status == PYGEN_NEXT) {
        place->wait = result;
        step->count = 0;
        step->bytes = wait_collect(result, &step->count);
        return SCRIPT_WAITS;
    }
    Py_CLEAR(place->coroutine);
    return status == PYGEN_RETURN ? judge(script, place, result, step) : fail(script, place, step);
}

static PyObject *call_execute(struct script *script)
{
    PyObject *arguments[] = {NULL, script->runtime.client};
    PyObject *made = PyObject_Vectorcall(script->execute, arguments + 1,
                                         1 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);

    if (made == NULL || PyCoro_CheckExact(made))
        return made;
    PyObject *iterator = wait_open(made);

    Py_DECREF(made);
    return iterator;
}

static enum script_status start(struct script *script, unsigned number,
                                const struct request *request, struct script_step *step)
{
    struct place *place = &script->places[number];
    enum script_status status;

    (void)request;
    watchdog_pass(script->stays);
    Py_CLEAR(place->text);
    place->coroutine = call_execute(script);
    status = place->coroutine != NULL ? run(script, place, step) : fail(script, place, step);
    watchdog_pass(script->stays);
    return status;
}

static void deliver_loss(struct script *script, PyObject *wait, const struct script_answer *answer)
{
    PyObject *error =
        runtime_make_error(&script->runtime, answer->timeout ? "TimeoutError" : "ConnectionError",
                           answer->text.ptr, answer->text.len);

    if (error == NULL)
        error = runtime_take_exception();
    wait_fail(wait, error);
    Py_DECREF(error);
}

static enum script_status resume(struct script *script, unsigned number,
                                 const struct script_answer *answer, struct script_step *step)
{
    struct place *place = &script->places[number];
    PyObject *wait = place->wait;

    watchdog_pass(script->stays);
    place->wait = NULL;
    if (answer->replies.len > 0)
        wait_deliver(wait, &(struct resp_cursor){answer->replies.ptr});
    else
        deliver_loss(script, wait, answer);
    Py_DECREF(wait);
    const enum script_status status = run(script, place, step);

    watchdog_pass(script->stays);
    return status;
}

/* CPython runs `finally` blocks of a coroutine that is dropped. What they raise is nobody's. */
static void drop(struct place *place)
{
    Py_CLEAR(place->text);
    Py_CLEAR(place->wait);
    if (place->coroutine == NULL)
        return;
    PyObject *closed = PyCoro_CheckExact(place->coroutine)
                           ? PyObject_CallMethod(place->coroutine, "close", NULL)
                           : Py_NewRef(Py_None);

    if (closed == NULL)
        PyErr_Clear();
    Py_XDECREF(closed);
    Py_CLEAR(place->coroutine);
}

static void cancel(struct script *script, unsigned number)
{
    watchdog_pass(script->stays);
    drop(&script->places[number]);
    watchdog_pass(script->stays);
}

/* `init` gets these; 0 where an option was not given. */
static PyObject *make_config(const struct script_setup *setup)
{
    const struct keyspace_config *keys = setup->keys;

    return Py_BuildValue("{s:z,s:K,s:K,s:K,s:O,s:K,s:I,s:I,s:I}", "custom_command_args",
                         setup->config->args, "data_size", (unsigned long long)setup->data_bytes,
                         "keyspace_offset", (unsigned long long)keys->offset, "random_keyspace",
                         (unsigned long long)keys->random, "use_sequential",
                         keys->sequential > 0 ? Py_True : Py_False, "sequential_keyspacelen",
                         (unsigned long long)keys->sequential, "worker", setup->worker, "workers",
                         setup->workers, "clients", setup->clients);
}

/* Puts the sentence that Python made of an exception into `err`. */
static int explain(struct script *script, const char *file, struct err *err)
{
    PyObject *exception = runtime_take_exception();
    PyObject *sentence =
        script->runtime.host == NULL
            ? PyObject_Str(exception)
            : PyObject_CallMethod(script->runtime.host, "explain", "Os", exception, file);
    const char *text = sentence == NULL ? NULL : PyUnicode_AsUTF8(sentence);

    err_set(err, "%s", text != NULL ? text : "The custom command cannot be loaded.");
    Py_XDECREF(sentence);
    Py_DECREF(exception);
    PyErr_Clear();
    return -EINVAL;
}

static int load(struct script *script, const struct script_setup *setup, struct err *err)
{
    if (runtime_init(&script->runtime) != 0)
        return explain(script, setup->config->file, err);
    PyObject *config = make_config(setup);

    if (config != NULL)
        script->execute =
            PyObject_CallMethod(script->runtime.host, "load", "sO", setup->config->file, config);
    Py_XDECREF(config);
    return script->execute != NULL ? 0 : explain(script, setup->config->file, err);
}

static void destroy(struct script **slot)
{
    struct script *script = *slot;

    if (script == NULL)
        return;
    watchdog_pass(script->stays);
    for (unsigned i = 0; i < script->count; i++)
        drop(&script->places[i]);
    watchdog_pass(script->stays);
    watchdog_stop(script->watchdog);
    Py_CLEAR(script->execute);
    runtime_clear(&script->runtime);
    interpreter_stop();
    watchdog_destroy(&script->watchdog);
    runtime_deinit(&script->runtime);
    free(script->places);
    free(script);
    *slot = NULL;
}

static int create(struct script **slot, const struct script_setup *setup, struct err *err)
{
    const int started = interpreter_start(setup->print_fd, err);

    if (started != 0)
        return started;
    struct script *script = mem_zalloc(1, sizeof *script);

    script->places = mem_zalloc(setup->places, sizeof *script->places);
    script->count = setup->places;
    script->watchdog = watchdog_create(setup->config->timeout_ns);
    script->stays = watchdog_stays(script->watchdog);
    watchdog_pass(script->stays);
    const int status = load(script, setup, err);

    watchdog_pass(script->stays);
    if (status != 0)
        destroy(&script);
    *slot = script;
    return status;
}

static const char *library(void)
{
    return "CPython " PY_VERSION;
}

const struct script_host script_module = {
    .version = SCRIPT_HOST_VERSION,
    .name = "Python",
    .create = create,
    .destroy = destroy,
    .start = start,
    .resume = resume,
    .cancel = cancel,
    .library = library,
};
