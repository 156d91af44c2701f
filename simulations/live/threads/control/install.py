"""Finds the functions that the workers run, and puts their rewritten code in place meanwhile."""

from __future__ import annotations

import dis
import functools
import gc
import sys
import sysconfig
import threading
from types import CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final, Literal

from simulations.live.threads.control.frames import OURS
from simulations.live.threads.control.rewrite import Body, Call, put_together, take_apart
from simulations.live.threads.control.sites import Site, binds_method, sites_of
from simulations.live.threads.control.standard_library import refusal
from simulations.live.threads.errors import ThreadsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import FrameType

    from simulations.live.threads.control.hooks import Hooks
    from simulations.live.threads.control.points import Points

Mode = Literal["observe", "watch", "fast"]

_STANDARD: Final = sysconfig.get_paths()["stdlib"]
_SITE_PACKAGES: Final = ("site-packages", "dist-packages")
_PRIMITIVE_MODULES: Final = (
    "threading",
    "queue",
    "concurrent.futures._base",
    "concurrent.futures.thread",
    "functools",
)
_OBSERVED_STANDARD: Final = ("functools", "collections", "sched")
_NEVER: Final = (
    "hypothesis",
    "pytest",
    "_pytest",
    "pluggy",
    "coverage",
    "_pydevd_bundle",
    "pydevd",
    "debugpy",
    "simulations.live.threads",
)
_NEVER_FUNCTIONS: Final = frozenset(
    {"_is_owned", "_set_tstate_lock", "_shutdown", "_python_exit", "_after_fork", "__repr__"}
)
"""Functions of the standard library that run while the interpreter, not the program, is at work."""
_BLOCKING_NAMES: Final = frozenset(
    {
        "acquire",
        "release",
        "sleep",
        "wait",
        "join",
        "_wait_for_tstate_lock",
        "_acquire_restore",
        "_release_save",
        "_start_new_thread",
        "start_new_thread",
        "_start_joinable_thread",
        "monotonic",
        "_time",
        "time",
        "is_done",
        "put",
        "get",
        "put_nowait",
        "get_nowait",
        "__enter__",
        "__exit__",
        "locked",
        "_flag",
        "perf_counter",
    }
)
"""What a function mentions that may block.

In the files of the workers such functions are rewritten before the first run, since a thread that blocks for
real ends it. This only saves a run: any other function is found by `Installer.trace` when it is first called.
"""
_WITH: Final = ("BEFORE_WITH", "LOAD_SPECIAL")
_UNLOCKED: Final = "_flag"
_FLAG_USERS: Final = frozenset(
    function.__code__
    for function in (
        threading.Event.is_set,
        threading.Event.set,
        threading.Event.clear,
        threading.Event.wait,
    )
)
"""What reads or writes the flag of an event, in part without its lock."""
_THREAD_START: Final = threading.Thread.start.__code__


def _works_on_primitive(code: CodeType, site: Site) -> bool:
    if site.kind == "with":
        return code is not _THREAD_START
    return site.kind == "attribute" and site.name == _UNLOCKED and code in _FLAG_USERS


def _standard(path: str) -> bool:
    """Return whether a file belongs to the standard library."""
    return path.startswith(_STANDARD) and not any(part in path for part in _SITE_PACKAGES)


class Function:
    """A function's code, taken apart, with its sites; and the code objects that stand inside it."""

    __slots__ = ("body", "code", "observed", "sites", "space")

    def __init__(self, code: CodeType, space: dict[str, Any] | None, *, observed: bool) -> None:
        self.code = code
        self.space = space
        self.observed = observed
        self.body: Body = take_apart(code)
        self.sites = [
            site
            for site in sites_of(self.body)
            if observed or site.kind == "call" or _works_on_primitive(code, site)
        ]
        if not observed:
            for site in self.sites:
                site.note_primitive()
                site.note_run()


class Installer:
    """Knows which functions are watched, and swaps their code.

    Attributes:
        sites: Every site of every watched function.
    """

    def __init__(self, hooks: Hooks, points: Points, scope: Sequence[str] | None) -> None:
        reason = refusal(loaded=True)
        if reason is not None:
            raise ThreadsError(reason)
        self._hooks = hooks
        self._points = points
        self._scope = tuple(scope) if scope is not None else None
        self._functions: dict[CodeType, Function] = {}
        self._owners: dict[int, tuple[FunctionType, CodeType]] = {}
        self._known: set[int] = set()
        self._rewritten: set[int] = set()
        self._alive: list[CodeType] = []
        self._built: dict[CodeType, CodeType] = {}
        self._settled: dict[CodeType, CodeType] = {}
        self._by_file: dict[str, list[FunctionType]] = {}
        self.found: set[CodeType] = set()
        self.sites: list[Site] = []

    def begin(self, roots: Iterable[Callable[..., Any]]) -> None:
        """Start from the workers, and from what the standard library builds out of locks."""
        self._index()
        for name in _PRIMITIVE_MODULES:
            module = sys.modules.get(name)
            path = getattr(module, "__file__", None)
            if path is not None:
                self._add_blocking(path)
        for root in roots:
            for function in _functions_in(root):
                self._add_owner(function)
                self._add_blocking(function.__code__.co_filename)

    def trace(self, frame: FrameType, event: str, arg: object) -> None:  # noqa: ARG002  (the protocol has it)
        """Note a function that runs without being watched; a trace function."""
        code = frame.f_code
        if id(code) not in self._known:
            self._known.add(id(code))
            self._alive.append(code)
            if self._wanted(code, frame.f_globals):
                self.found.add(code)

    def adopt(self) -> bool:
        """Watch what `trace` has found from now on; return whether there was anything."""
        found, self.found = self.found, set()
        if not found:
            return False
        self._index()
        before = len(self._owners)
        files = {code.co_filename for code in found}
        for path in files:
            for function in self._by_file.get(path, ()):
                if any(code in found for code in _codes(function.__code__)):
                    self._add_owner(function)
            self._add_blocking(path)
        return len(self._owners) > before

    def _index(self) -> None:
        self._by_file = {}
        for thing in gc.get_objects():
            if type(thing) is FunctionType and id(thing) not in self._owners:
                self._by_file.setdefault(thing.__code__.co_filename, []).append(thing)

    def _add_blocking(self, path: str) -> None:
        for function in self._by_file.get(path, ()):
            if any(_may_block(code) for code in _codes(function.__code__)):
                self._add_owner(function)

    def _add_owner(self, function: FunctionType) -> None:
        code = function.__code__
        if id(function) in self._owners or id(code) in self._rewritten:
            return
        never = code.co_name in _NEVER_FUNCTIONS and _standard(code.co_filename)
        if never or not self._wanted(code, function.__globals__):
            return
        self._owners[id(function)] = (function, code)
        self._learn(code, function.__globals__)

    def _learn(self, code: CodeType, space: dict[str, Any]) -> None:
        # Only what is swapped is known. The code inside it is swapped for functions that are yet to be made;
        # one that was made before, or is made by a frame that runs already, has the old code and is traced.
        self._known.add(id(code))
        for inner in _codes(code):
            if inner in self._functions:
                continue
            function = Function(inner, space, observed=self._observed(inner, space))
            self._functions[inner] = function
            self.sites += function.sites
            self.sites += [site.exit for site in function.sites if site.exit is not None]

    def _wanted(self, code: CodeType, space: dict[str, Any]) -> bool:
        name = str(space.get("__name__", ""))
        named_tuple = code.co_filename == "<string>" and space.get("_tuple_new") is tuple.__new__
        if named_tuple or code.co_filename.startswith(("<frozen", OURS)):
            return False
        return not any(name == never or name.startswith(f"{never}.") for never in _NEVER)

    def _observed(self, code: CodeType, space: dict[str, Any]) -> bool:
        """Return whether all accesses of a function count, or only its operations on primitives."""
        name = str(space.get("__name__", ""))
        if self._scope is not None:
            return any(name == part or name.startswith(f"{part}.") for part in self._scope)
        if name in _OBSERVED_STANDARD:
            return True
        return not _standard(code.co_filename)

    def install(self, mode: Mode) -> None:
        """Put rewritten code in place."""
        self._built = {}
        for function, code in self._owners.values():
            function.__code__ = self._settled.get(code) or self._build(code, mode)

    def restore(self) -> None:
        """Put back the code that the user wrote, and let go of the rewritten one.

        A code object is nothing that the collector looks into, so a cycle through the hooks among its
        constants would stay for ever.
        """
        for function, code in self._owners.values():
            function.__code__ = code
        self._alive, self._built, self._settled = [], {}, {}

    def _build(self, code: CodeType, mode: Mode) -> CodeType:
        built = self._built.get(code) or self._settled.get(code)
        if built is not None:
            return built
        function = self._functions.get(code)
        constants = tuple(
            self._build(constant, mode) if isinstance(constant, CodeType) else constant
            for constant in code.co_consts
        )
        calls: dict[int, Sequence[Call]] = {}
        if function is None:
            return code
        for site in function.sites:
            for index, call in self._calls(site, mode, function):
                calls[index] = [*calls.get(index, ()), call]
        unbound: frozenset[int] = frozenset()
        if any(call.replaces for here in calls.values() for call in here):
            unbound = frozenset(
                instruction.index for instruction in function.body.instructions if binds_method(instruction)
            )
        if calls or constants != code.co_consts:
            built = put_together(function.body, calls, unbound=unbound, constants=constants)
        else:
            built = self._built[code] = code
            return built
        self._built[code] = built
        if not function.observed:
            self._settled[code] = built  # only operations on primitives count in it, whatever the mode
        self._known.add(id(built))
        self._rewritten.add(id(built))
        self._alive.append(built)
        return built

    def _calls(self, site: Site, mode: Mode, function: Function) -> Iterator[tuple[int, Call]]:
        hooks = self._hooks
        if not function.observed:
            mode = "fast"
        substitutes = site.kind in ("call", "with")
        if self._points.granularity == "sync" and not (substitutes or site.sync):
            return
        if site.kind == "switch" and self._points.granularity != "gil":
            return
        replaces = site.operands[0] if substitutes else 0
        if mode == "observe" or (mode == "watch" and (site.focus or site.sync or not site.hot)):
            hook = hooks.observing(site)
            after = site.kind == "switch" and site.name == "RESUME"
            yield site.index, Call(hook, site.operands, cell=site.cell, replaces=replaces, after=after)
            if site.kind == "call" and self._points.granularity == "gil":
                site.set_writes(writes=True)
                yield site.end, Call(hooks.after_call(site), after=True)
        elif mode == "watch":
            return
        elif substitutes and (site.sync or not site.hot):
            hook = hooks.call(site, observed=function.observed) if site.kind == "call" else hooks.enter(site)
            yield site.index, Call(hook, site.operands, replaces=replaces)
        elif site.sync and not substitutes:
            yield site.index, Call(hooks.observing(site), site.operands)
        elif site.focus:
            yield site.index, Call(self._points.run.point(site, writes=site.writes))
        elif not site.hot:
            yield site.index, Call(hooks.first_time(site))


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield a code object and everything that is defined inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _may_block(code: CodeType) -> bool:
    if not _BLOCKING_NAMES.isdisjoint(code.co_names):
        return True
    operations = code.co_code[::2]
    return any(dis.opmap[name] in operations for name in _WITH if name in dis.opmap)


def _functions_in(thing: Any) -> Iterator[FunctionType]:
    """Yield the Python functions that calling something leads to at once."""
    if isinstance(thing, functools.partial):
        yield from _functions_in(thing.func)
        for arg in (*thing.args, *thing.keywords.values()):
            if callable(arg):
                yield from _functions_in(arg)
    elif isinstance(thing, MethodType):
        yield from _functions_in(thing.__func__)
    elif isinstance(thing, FunctionType):
        yield thing
        if hasattr(thing, "__wrapped__"):
            yield from _functions_in(thing.__wrapped__)
    elif isinstance(thing, type):
        for value in vars(thing).values():
            if isinstance(value, FunctionType):
                yield value
    elif hasattr(type(thing), "__call__"):  # noqa: B004  (the call of the type is what runs)
        call = type(thing).__call__
        if isinstance(call, FunctionType):
            yield call
