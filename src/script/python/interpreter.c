/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/python/interpreter.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "script/python/runtime.h"

/* The engine opens this module, and with it CPython's library, for itself; extension modules are
 * not linked with that library, and find its symbols only among everybody's. */
static void publish_symbols(void)
{
    Dl_info info;

    if (dladdr(SLOT(Py_InitializeFromConfig), &info) != 0 && info.dli_fname != NULL)
        dlopen(info.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD);
}

static PyStatus initialize(PyConfig *config, const char *program)
{
    PyStatus status = PyConfig_SetBytesString(config, &config->program_name, program);

    if (!PyStatus_Exception(status))
        status = Py_InitializeFromConfig(config);
    return status;
}

/* UTF-8 whatever the locale, which stays the process's own. */
static PyStatus preinitialize(void)
{
    PyPreConfig config;

    PyPreConfig_InitPythonConfig(&config);
    config.parse_argv = 0;
    config.configure_locale = 0;
    config.coerce_c_locale = 0;
    config.utf8_mode = 1;
    return Py_PreInitialize(&config);
}

/* CPython finds a virtual environment by the place of its program, without which it would take any
 * python3 of PATH for itself. */
static PyStatus start(void)
{
    const char *environment = getenv("VIRTUAL_ENV");
    char program[4096] = PYTHON_PROGRAM;
    PyStatus status = preinitialize();

    if (PyStatus_Exception(status))
        return status;
    if (environment != NULL && environment[0] != '\0')
        snprintf(program, sizeof program, "%s/bin/python", environment);
    PyConfig config;

    PyConfig_InitPythonConfig(&config);
    config.install_signal_handlers = 0;
    config.parse_argv = 0;
    status = initialize(&config, program);
    PyConfig_Clear(&config);
    return status;
}

static int redirect(const char *name, int fd)
{
    PyObject *file = PyFile_FromFd(fd, "<stdout>", "w", 1, "utf-8", "backslashreplace", NULL, 0);
    const int status = file == NULL ? -1 : PySys_SetObject(name, file);

    Py_XDECREF(file);
    return status;
}

int interpreter_start(int print_fd, struct err *err)
{
    publish_symbols();
    const PyStatus status = start();

    if (PyStatus_Exception(status))
        return err_set(err, "Cannot start Python: %s.",
                       status.err_msg != NULL ? status.err_msg : "it wants to exit");
    if (redirect("stdout", print_fd) == 0 && redirect("__stdout__", print_fd) == 0)
        return 0;
    Py_DECREF(runtime_take_exception());
    interpreter_stop();
    return err_set(err, "Cannot start Python: it cannot print to descriptor %d.", print_fd);
}

void interpreter_stop(void)
{
    Py_FinalizeEx();
}
