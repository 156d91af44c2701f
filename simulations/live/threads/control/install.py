"""Finds the functions that the workers run, and puts their rewritten code in place meanwhile."""

from __future__ import annotations

import functools
import gc
import threading
from contextlib import suppress
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    WrapperDescriptorType,
)
from typing import TYPE_CHECKING, Any, Final, Literal

from simulations.live.threads.control.classes import calls_unseen
from simulations.live.threads.control.hooks import jumping
from simulations.live.threads.control.kinds import forget_types
from simulations.live.threads.control.provenance import Origin, is_untouched, library, origin
from simulations.live.threads.control.rewrite import Body, Call, put_together, take_apart
from simulations.live.threads.control.sites import Site, binds_method, entries, sites_of
from simulations.live.threads.control.stamps import attributes_of
from simulations.live.threads.control.standard_library import refusal
from simulations.live.threads.control.tracing import Known
from simulations.live.threads.errors import ThreadsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import FrameType

    from simulations.live.threads.control.hooks import Hooks
    from simulations.live.threads.control.points import Granularity, Points

Mode = Literal["observe", "watch", "fast"]

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


class Function:
    """A function's code, taken apart, with its sites; and the code objects that stand inside it."""

    __slots__ = ("body", "code", "observed", "sites", "space", "step")

    def __init__(self, code: CodeType, space: dict[str, Any], *, observed: bool, step: bool) -> None:
        self.code = code
        self.space = space
        self.observed = observed
        self.step = step
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
        found: The code that ran without being watched, with its globals.
        known: The code that is watched, or is not to be.
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
        self._mode: Mode = "observe"
        self._rewritten: set[int] = set()
        self._passed: set[int] = set()
        self._once: set[CodeType] = set()
        self._unwatched: dict[str, None] = {}
        self._atomic: dict[str, None] = {}
        self._types: set[type] = set()
        self._kinds: set[type] = set()
        self._built: dict[CodeType, CodeType] = {}
        self._observing: dict[Granularity, dict[CodeType, CodeType]] = {}
        self._settled: dict[CodeType, CodeType] = {}
        self.known = Known()
        self.found: dict[CodeType, dict[str, Any]] = {}
        self._sites: list[Site] = []

    @property
    def sites(self) -> list[Site]:
        """Every site of every watched function, from where the standard library was called, and the ends."""
        ends = self._points.ends
        return [*self._sites, *self._hooks.steps.sites.values(), ends.site, ends.asking]

    def begin(self, roots: Iterable[Callable[..., Any]]) -> None:
        """Start from the workers, and what they name.

        Whatever they call is put under control when it is called for the first time.
        """
        for root in roots:
            for function in _mentioned(root):
                self._add_owner(function)
        self._hooks.connect(self.reached, self.rewritten)

    def reached(self, thing: Any) -> bool:
        """Put under control what is about to be called; return whether nothing but its call can be seen."""
        kind = type(thing)
        if kind in self._kinds:
            return False
        if kind is MethodType:
            thing = thing.__func__
            kind = type(thing)
        if kind is FunctionType:
            if id(thing.__code__) in self._passed:
                return False
            code = self._owners[id(thing)][1] if id(thing) in self._owners else thing.__code__
            if self._scope is None and origin(code) is Origin.TOOL:
                self._atomic[str(thing.__module__)] = None
                return True
            known = id(thing) in self._owners or id(thing.__code__) in self._rewritten
            if not known:
                with self._points.run.outside():  # what it takes to rewrite code is not part of the run
                    if self._add_owner(thing):
                        thing.__code__ = self._build(thing.__code__, self._mode)
            if id(thing.__code__) in self._rewritten:
                self._passed.add(id(thing.__code__))
            return False
        if kind is MethodType:
            return self.reached(thing.__func__)
        if kind in (BuiltinFunctionType, MethodWrapperType, MethodDescriptorType, WrapperDescriptorType):
            return False
        seen = thing if issubclass(kind, type) else kind
        if kind is functools.partial or seen not in self._types:
            self._types.add(seen)
            if calls_unseen(seen):
                self._points.stamps.hinder(f"operators on {seen.__qualname__} call something in C")
            for function in _functions_in(thing):
                self.reached(function)
        # Each class, and each partial function, leads to functions of its own.
        if seen is kind and not issubclass(kind, (type, functools.partial)):
            self._kinds.add(kind)
        return False

    def rewritten(self, code: CodeType, space: dict[str, Any]) -> CodeType:
        """Return code that is about to be executed, under control."""
        self._learn(code, space)
        return self._build(code, self._mode)

    @property
    def hindrances(self) -> tuple[str, ...]:
        """What ran in a thread without being under control, in all runs so far."""
        return tuple(self._unwatched)

    @property
    def atomic(self) -> tuple[str, ...]:
        """What was taken for a single step, in all runs so far."""
        names = dict.fromkeys((*self._atomic, *self._hooks.steps.taken))
        return tuple(f"the body of functions of {name}" for name in names)

    def meet(self, frame: FrameType) -> None:
        """Note a function that runs without being watched, if a thread under control runs it."""
        if not self._points.run.mine():
            return
        code = frame.f_code
        if is_untouched(code, frame.f_globals):
            self.known.add(code)
        else:
            self.found[code] = frame.f_globals

    def adopt(self) -> bool:
        """Watch what `meet` has found from now on; return whether the run says nothing for this reason.

        Code for which there is no function, such as that of a generator which was begun before, or of an
        imported module, may run once. Where it runs again it stands in the way of a proof.
        """
        spaces, self.found = self.found, {}
        if not spaces:
            return False
        owned = set()
        for code, space in spaces.items():
            # To look through all objects takes as long as several runs.
            function = _found_by_name(code, space)
            if function is not None and self._add_owner(function):
                owned.add(code)
        found = spaces.keys() - owned
        files = {code.co_filename for code in found}
        for thing in gc.get_objects() if found else ():
            if type(thing) is not FunctionType or thing.__code__.co_filename not in files:
                continue
            if id(thing) not in self._owners:
                inside = {code for code in _codes(thing.__code__) if code in found}
                if inside and self._add_owner(thing):
                    owned |= inside
        again = bool(owned)
        for code in spaces.keys() - owned:
            if code in self._once:
                self._unwatched[
                    f"{code.co_filename}:{code.co_firstlineno} in {code.co_qualname} ran before"
                ] = None
                self.known.add(code)
            else:
                self._once.add(code)
                again = True
        return again

    def _add_owner(self, function: FunctionType) -> bool:
        code = function.__code__
        if id(function) in self._owners or id(code) in self._rewritten:
            return False
        if is_untouched(code, function.__globals__):
            return False
        self._owners[id(function)] = (function, code)
        self._learn(code, function.__globals__)
        return True

    def _learn(self, code: CodeType, space: dict[str, Any]) -> None:
        # Only what is swapped is known. The code inside it is swapped for functions that are yet to be made;
        # one that was made before, or is made by a frame that runs already, has the old code and is traced.
        for inner in _codes(code):
            if inner in self._functions:
                continue
            step = self._scope is None and origin(inner) is Origin.STEP
            function = Function(inner, space, observed=self._observed(inner, space), step=step)
            self._functions[inner] = function
            sites = [*function.sites, *(site.exit for site in function.sites if site.exit is not None)]
            for site in sites:
                site.set_focus(focus=self._points.everywhere)
            self._sites += sites

    def _observed(self, code: CodeType, space: dict[str, Any]) -> bool:
        """Return whether all accesses of a function count, or only its operations on primitives."""
        if self._scope is not None:
            return self._in_scope(space)
        return origin(code) is Origin.PROGRAM

    def is_step(self, frame: FrameType) -> bool:
        """Return whether a frame is part of what is taken for one step, or out of scope."""
        if self._scope is None:
            return origin(frame.f_code) is Origin.STEP
        return not self._in_scope(frame.f_globals)

    def _in_scope(self, space: dict[str, Any]) -> bool:
        name = str(space.get("__name__", ""))
        return self._scope is None or any(name == part or name.startswith(f"{part}.") for part in self._scope)

    def install(self, mode: Mode) -> None:
        """Put rewritten code in place."""
        self._mode = mode
        # Under observation every site has its hook, whatever it has been seen to do.
        always = mode == "observe" and self._points.granularity != "sync"
        self._built = self._observing.setdefault(self._points.granularity, {}) if always else {}
        self.known.for_now.clear()
        self.known.for_now.update(id(code) for code, built in self._built.items() if code is built)
        for function, code in self._owners.values():
            function.__code__ = self._settled.get(code) or self._build(code, mode)

    def restore(self) -> None:
        """Put back the code that the user wrote, and let go of the rewritten one.

        A code object is nothing that the collector looks into, so a cycle through the hooks among its
        constants would stay for ever.
        """
        for function, code in self._owners.values():
            function.__code__ = code
        self.known, self._built, self._settled, self._observing = Known(), {}, {}, {}
        self._owners, self._types, self._kinds = {}, set(), set()
        forget_types()
        self._hooks.connect()

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
        if function.step and self._points.granularity != "sync":
            enter = Call(self._hooks.step(code), after=True)
            for index in entries(function.body):
                calls[index] = [enter, *calls.get(index, ())]
        unbound: frozenset[int] = frozenset()
        if any(call.replaces for here in calls.values() for call in here):
            unbound = frozenset(
                instruction.index for instruction in function.body.instructions if binds_method(instruction)
            )
        if calls or constants != code.co_consts:
            built = put_together(function.body, calls, unbound=unbound, constants=constants)
        else:
            built = self._built[code] = code
            self.known.for_now.add(id(code))
            return built
        self._built[code] = built
        if not function.observed:
            self._settled[code] = built  # only operations on primitives count in it, whatever the mode
        self._rewritten.add(id(built))
        self.known.add(built)
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
        after = site.kind == "resume" or (site.kind == "switch" and site.name == "RESUME")
        if mode == "observe" or (mode == "watch" and (site.focus or site.sync or not site.hot)):
            hook = hooks.observing(site)
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
            point = self._points.run.baton.point(site, writes=site.writes)
            operands = site.operands if site.kind == "switch" else ()
            yield site.index, Call(jumping(site, point) if operands else point, operands, after=after)
        elif not site.hot:
            yield site.index, Call(hooks.first_time(site), after=after)


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield a code object and everything that is defined inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _found_by_name(code: CodeType, space: dict[str, Any]) -> FunctionType | None:
    """Return the function or method of a module that has this code, if it stands where it was defined."""
    thing: Any = None
    for part in code.co_qualname.split("."):
        thing = space.get(part)
        space = vars(thing) if issubclass(type(thing), type) else {}
    return thing if type(thing) is FunctionType and thing.__code__ is code else None


def _mentioned(root: Any) -> Iterator[FunctionType]:
    """Yield the functions of a root, and those of the user that they name or hold, whatever calls them."""
    left: list[Any] = [root]
    seen: set[int] = set()
    while left:
        for function in _functions_in(left.pop()):
            if id(function) in seen:
                continue
            seen.add(id(function))
            yield function
            if library(function.__code__.co_filename) is not None:
                continue
            space = function.__globals__
            named = [
                space[name] for code in _codes(function.__code__) for name in code.co_names if name in space
            ]
            for cell in function.__closure__ or ():
                with suppress(ValueError):
                    named.append(cell.cell_contents)
            left += [thing for thing in named if callable(thing)]


def _functions_in(thing: Any) -> Iterator[FunctionType]:
    """Yield the Python functions that calling something leads to at once."""
    kind = type(thing)
    if issubclass(kind, functools.partial):
        yield from _functions_in(thing.func)
        for arg in (*thing.args, *thing.keywords.values()):
            if callable(arg):
                yield from _functions_in(arg)
    elif issubclass(kind, MethodType):
        yield from _functions_in(thing.__func__)
    elif issubclass(kind, FunctionType):
        yield thing
        if hasattr(thing, "__wrapped__"):
            yield from _functions_in(thing.__wrapped__)
    elif issubclass(kind, (staticmethod, classmethod)):
        yield from _functions_in(thing.__func__)
    elif issubclass(kind, property):
        for part in (thing.fget, thing.fset, thing.fdel):
            if part is not None:
                yield from _functions_in(part)
    elif issubclass(kind, type):
        for base in thing.__mro__:
            for value in vars(base).values():
                if isinstance(value, (FunctionType, staticmethod, classmethod, property)):
                    yield from _functions_in(value)
    else:
        space: Any = attributes_of(thing)  # to ask for an attribute might run code of the program
        if space is not None and "__wrapped__" in space:
            yield from _functions_in(space["__wrapped__"])
        for base in kind.__mro__:
            for value in vars(base).values():
                if isinstance(value, (FunctionType, staticmethod, classmethod, property)):
                    yield from _functions_in(value)
