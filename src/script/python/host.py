# SPDX-License-Identifier: BSD-3-Clause
"""What the host of custom commands does in Python: it loads the file, and explains what goes wrong in it.

It also stands in for what a custom command imports: the module glide, when it is not installed, and what of asyncio
needs an event loop, of which there is none.
"""
import functools
import importlib.util
import os
import sys
from importlib.machinery import PathFinder

import _valkey_polyglot as native

FILE = "custom_commands"  # the name that the file has as a module


class Refusal(Exception):
    """A sentence for the user, about the file as a whole."""


class Config(dict):
    """The settings of a run, by key or by attribute."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


# Loading


def load(path, config):
    """Loads the file, calls what prepares it, and returns its `execute`."""
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        raise Refusal(f"Cannot read {path}: {error.strerror}.") from None
    instance = make_instance(import_file(path), path, config["custom_command_args"])
    execute = getattr(instance, "execute", None)
    if not callable(execute):
        raise Refusal(f"{path}: the class CustomCommands has no method execute(self, client).")
    init = getattr(instance, "init", None)
    if callable(init):
        finish(init(Config(config)), path)
    sys.stdout.flush()
    collect_garbage_once()
    return execute


def import_file(path):
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    sys.argv = [path]
    spec = importlib.util.spec_from_file_location(FILE, path)
    if spec is None:
        raise Refusal(f"{path}: the name of a Python file ends in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[FILE] = module
    spec.loader.exec_module(module)
    return module


def make_instance(module, path, text):
    made_of = getattr(module, "CustomCommands", None)
    if not callable(made_of):
        raise Refusal(f"{path} has no class CustomCommands.")
    return made_of(text) if takes_text(made_of) else made_of()


def takes_text(made_of):
    """Whether the class can be given the custom command's arguments."""
    code = getattr(getattr(made_of, "__init__", None), "__code__", None)
    return code is not None and (code.co_argcount > 1 or bool(code.co_flags & 0x04))


def finish(outcome, path):
    """Runs an `init` that is a coroutine, which has nothing to wait for."""
    if not hasattr(outcome, "send"):
        return
    try:
        outcome.send(None)
    except StopIteration:
        return
    outcome.close()
    raise Refusal(f"{path}: init cannot await anything: no client is there yet, and no event loop.")


def collect_garbage_once():
    """What was made until now stays, and need not be looked through again."""
    import gc

    gc.collect()
    gc.freeze()


def end():
    """The other way round, for CPython to find it when it ends."""
    import gc

    gc.unfreeze()


# Explaining


def explain(error, path):
    """One sentence about why the file could not be loaded; the traceback goes to stderr."""
    if isinstance(error, Refusal):
        return str(error)
    if isinstance(error, SyntaxError) and error.filename:
        return f"{shown(error.filename, path)}, line {error.lineno}: {error.msg}."
    trace = without_host(error.__traceback__)
    if trace is not None:
        import traceback

        sys.stdout.flush()
        traceback.print_exception(type(error), error, trace)
    return f"{place_of(error, path) or path}: {summary(error)}.{hint(error)}"


def shown(name, path):
    """The file as the user called it."""
    return path if name == os.path.abspath(path) else name


def hint(error):
    """A virtual environment of another version is as good as none."""
    folder = os.environ.get("VIRTUAL_ENV")
    if not folder or not isinstance(error, ImportError):
        return ""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if os.path.isdir(os.path.join(folder, "lib", f"python{version}")):
        return ""
    return f" (VIRTUAL_ENV has no packages for Python {version}, which this program runs.)"


def summary(error):
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def without_host(trace):
    """A traceback from the user's own code on; None if it is not in there."""
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith((__file__, "<frozen importlib")):
        trace = trace.tb_next
    return trace


def place_of(error, path=None):
    """File and line of the innermost frame, of the user's file if it is named and among them."""
    place = None
    trace = without_host(error.__traceback__)
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if path is None or place is None or name == os.path.abspath(path):
            place = f"{name if path is None else shown(name, path)}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return place


told = set()


def describe(error):
    """Why an execution failed: with its traceback the first time that this is seen, then as one line."""
    place = place_of(error)
    if (type(error), place) in told:
        return f"{summary(error)} ({place})" if place else summary(error)
    told.add((type(error), place))
    import traceback

    return "".join(traceback.format_exception(type(error), error, error.__traceback__)).rstrip()


# The module glide


def glide():
    """The module glide that the file knows: the one that it imported, or else our own."""
    module = sys.modules.get("glide")
    if module is None or not hasattr(module, "RequestError"):
        module = importlib.util.module_from_spec(make_own_spec("glide"))
        module.__spec__.loader.exec_module(module)
        sys.modules["glide"] = module
    return module


def make_error(name, text):
    return getattr(glide(), name)(text)


class OwnGlide:
    """Loads our own glide, and its parts by the names that they have in the real one."""

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        if module.__name__ == "glide":
            exec(compile(native.glide_source, "valkey-polyglot/glide.py", "exec"), module.__dict__)
            return
        own = importlib.import_module("glide")
        module.__dict__.update((name, thing) for name, thing in vars(own).items() if not name.startswith("__"))


def make_own_spec(name):
    return importlib.util.spec_from_loader(name, OwnGlide(), is_package=True)


class OwnGlideFinder:
    """Comes last: what is installed is found before."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "glide":
            return make_own_spec(name)
        if name.startswith(("glide.", "glide_shared")) and is_own("glide"):
            return make_own_spec(name)
        return None


def is_own(name):
    module = sys.modules.get(name)
    return module is not None and isinstance(getattr(module.__spec__, "loader", None), OwnGlide)


# asyncio

REFUSED = ("create_task", "ensure_future", "sleep", "shield", "timeout", "to_thread", "wait", "wait_for", "TaskGroup")


class AsyncioFinder:
    """Finds asyncio, once, and changes it when it was loaded."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "asyncio":
            return None
        sys.meta_path.remove(AsyncioFinder)
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None:
            execute = spec.loader.exec_module
            spec.loader.exec_module = lambda module: (execute(module), change_asyncio(module))
        return spec


def change_asyncio(asyncio):
    """Within an event loop, such as one that `init` runs, all is as ever."""
    running = asyncio._get_running_loop

    def gather(*awaitables, return_exceptions=False):
        wanted = theirs if running() is not None else native.gather
        return wanted(*awaitables, return_exceptions=return_exceptions)

    def refuse(name, original):
        @functools.wraps(original, updated=())
        def refused(*arguments, **named):
            if running() is not None:
                return original(*arguments, **named)
            for argument in arguments:
                if hasattr(argument, "close"):
                    argument.close()
            raise RuntimeError(
                f"asyncio.{name} is not available in a custom command, which has no event loop: "
                "await commands of the client, and asyncio.gather of them"
            )

        return refused

    theirs = asyncio.gather
    asyncio.gather = functools.wraps(theirs)(gather)
    for name in REFUSED:
        if hasattr(asyncio, name):
            setattr(asyncio, name, refuse(name, getattr(asyncio, name)))


# Methods of the client that are no single command


def exec_batch(batch, raise_on_error, options=None):
    if not isinstance(batch, native.Batch):
        batch = translate(batch)
    return native.exec_batch(batch, raise_on_error)


def translate(foreign):
    """A batch of the real glide, which names commands by numbers of its own."""
    from glide_shared.request_type import RequestType

    batch = native.Batch(foreign.is_atomic)
    for number, arguments in foreign.commands:
        batch.custom_command([*words_of(RequestType.Name(number)), *arguments])
    return batch


CONTAINERS = ("CLIENT", "CLUSTER", "CONFIG", "FUNCTION", "LATENCY", "MEMORY", "OBJECT", "PUBSUB", "SCRIPT", "XGROUP", "XINFO")


def words_of(name):
    """The words of a command by its name in the real glide: ConfigGet, BitFieldReadOnly."""
    if name == "CustomCommand":
        return ()
    name = name.replace("ReadOnly", "_RO").upper()
    for container in CONTAINERS:
        if name.startswith(container) and name != container:
            return (container, name[len(container):])
    return (name,)


async def invoke_script(script, keys=None, args=None):
    """By its digest; a server that does not know it is told the script."""
    tail = [len(keys or ()), *(keys or ()), *(args or ())]
    send = native.client.custom_command
    try:
        return await send(["EVALSHA", script.get_hash(), *tail])
    except glide().RequestError as error:
        code = getattr(script, "code", None)
        if code is None or "NOSCRIPT" not in str(error):
            raise
    return await send(["EVAL", code, *tail])


native.methods["exec"] = exec_batch
native.methods["invoke_script"] = invoke_script
sys.meta_path.append(OwnGlideFinder)
if "asyncio" in sys.modules:
    change_asyncio(sys.modules["asyncio"])
else:
    sys.meta_path.insert(0, AsyncioFinder)
