"""What is called in front of an instruction that another thread could notice.

There are two ways to watch a program. *Observing* looks at every access and tells a sink what it touched. The
*fast* way calls only where threads may be switched, where a primitive is at work, and where the program has
not
been before; the rest runs at the speed of the interpreter.
"""

from __future__ import annotations

import bisect
import heapq
import threading
from _thread import get_ident
from types import BuiltinFunctionType, FunctionType, MethodDescriptorType, MethodType, WrapperDescriptorType
from typing import TYPE_CHECKING, Any, Final, Literal

from simulations.live.threads.control import accesses
from simulations.live.threads.control.accesses import Stamps, Touch
from simulations.live.threads.control.primitives import Primitives

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulations.live.threads.control.scheduler import Scheduler, Task
    from simulations.live.threads.control.sites import Site

Granularity = Literal["sync", "access", "gil"]

Sink = "Callable[[Task, Site | None, list[Touch], str], None]"

_READERS: Final = frozenset(
    {
        len,
        sorted,
        sum,
        min,
        max,
        any,
        all,
        iter,
        list,
        dict,
        tuple,
        set,
        frozenset,
        enumerate,
        zip,
        map,
        filter,
        repr,
        str,
        reversed,
    }
)
_WRITERS: Final = frozenset(
    {
        next,
        heapq.heappush,
        heapq.heappop,
        heapq.heapify,
        heapq.heapreplace,
        heapq.heappushpop,
        bisect.insort_left,
        bisect.insort_right,
    }
)
_ATTRIBUTE_READERS: Final = frozenset({getattr, hasattr})
_ATTRIBUTE_WRITERS: Final = frozenset({setattr, delattr})
_NEVER_SWITCHES: Final = frozenset({len, isinstance, type, str, tuple, list.append})


class Hooks:
    """Makes the functions that are called from rewritten code.

    Attributes:
        granularity: Where threads may be switched.
        sink: Told of every access while observing.
        news: Sites that were run for the first time since the focus was chosen.
        everywhere: Whether every access is a point, so that what touches nothing need not be one.
    """

    def __init__(self, run: Scheduler) -> None:
        self.run = run
        self.primitives = Primitives(run, self)
        self.granularity: Granularity = "access"
        self.sink: Callable[[Task, Site | None, list[Touch], str], None] | None = None
        self.stamps = Stamps()
        self.news: set[Site] = set()
        self.everywhere = False

    # -- what primitives report -----------------------------------------------------------------------------

    def at_primitive(self, site: Site, thing: object, *, tries: bool = False) -> None:
        """A point in front of an operation on a primitive."""
        run = self.run
        site.sync = True
        if run.mute or self.granularity == "gil":
            return
        if tries and self.sink is not None and thing is not None:
            self.sink(run.current, site, [(self.stamps.of(thing), "tried", False)], "tries")
        if site.focus:
            run.step = step = run.step + 1
            run.turn_ends = step + run.turn_max
            if step >= run.bound:
                run.look(site)

    def did(self, site: Site | None, thing: object, verb: str) -> None:
        """An operation on a primitive that has been done."""
        if self.sink is not None and not self.run.mute:
            if site is not None:
                site.hot = True
            writes = not verb.startswith("reads")
            self.sink(self.run.current, site, [(self.stamps.of(thing), None, writes)], verb)

    # -- observing ------------------------------------------------------------------------------------------

    def observing(self, site: Site, space: dict[str, Any] | None) -> Callable[..., Any]:
        """Return the hook that looks at every access of a site."""
        if site.kind == "call":
            return lambda function: self._observe_call(site, function)
        if site.kind == "with":
            return lambda manager: self._observe_with(site, manager)
        if site.kind == "switch":
            return lambda: self._switch(site)
        run = self.run

        def observe(*operands: Any) -> None:
            if run.mute or get_ident() != run.ident:
                return
            if self.everywhere and not accesses.touched(site, operands, space, self.stamps):
                site.hot = True
                if operands and isinstance(operands[0], threading.local):
                    run.fresh = True
                return
            if self.granularity != "gil":
                self._point(site)
            self._tell(site, accesses.touched(site, operands, space, self.stamps))

        return observe

    def _point(self, site: Site) -> None:
        site.hot = True
        if site.focus:
            run = self.run
            run.step = step = run.step + 1
            if site.writes:
                run.turn_ends = step + run.turn_max
            if step >= run.bound:
                run.look(site)

    def _tell(self, site: Site, touches: list[Touch]) -> None:
        if touches and self.sink is not None:
            self.sink(self.run.current, site, touches, site.verb)

    def _switch(self, site: Site) -> None:
        """A place at which this interpreter may really switch threads."""
        run = self.run
        if run.mute or get_ident() != run.ident:
            return
        run.current.switched = site
        site.writes = True
        self._point(site)

    def after_call(self, site: Site) -> Callable[[], None]:
        """Return the hook behind a call: this interpreter may switch there if it was not a call of Python."""

        def after() -> None:
            if site.verb == "calls C":
                self._switch(site)

        return after

    def _observe_with(self, site: Site, manager: Any) -> Any:
        run = self.run
        if get_ident() != run.ident:
            return manager
        site.hot = True
        guard = self.primitives.guard(manager, site)
        if guard is None:
            return manager
        site.sync = True
        return guard

    def _observe_call(self, site: Site, function: Any) -> Any:
        run = self.run
        if get_ident() != run.ident:
            return function
        if self.granularity == "gil":
            python = type(function) is FunctionType or (
                type(function) is MethodType and type(function.__func__) is FunctionType
            )
            quick = type(function) is not MethodType and function.__hash__ and function in _NEVER_SWITCHES
            site.verb = "calls" if python or quick else "calls C"
            if python:
                self._switch(site)
        if not site.name:
            site.name = getattr(function, "__name__", "") or type(function).__name__
        controlled = self.primitives.controlled(function, site)
        if controlled is not None:
            site.hot = site.sync = True
            return controlled
        if run.mute:
            return function
        site.hot = True
        owner = accesses.owner_of(function)
        if owner is not None:
            touches = accesses.method(*owner, self.stamps)
            if touches:
                site.writes = touches[0][2]
            self._at_call(site, touches)
            return function
        return self._observe_function(site, function)

    def _at_call(self, site: Site, touches: list[Touch]) -> None:
        if self.everywhere and not touches:
            return
        if self.granularity != "gil":
            self._point(site)
        self._tell(site, touches)

    def _observe_function(self, site: Site, function: Any) -> Any:
        """A function that is not written in Python: what it touches are its arguments."""
        kind = type(function)
        if not issubclass(kind, (BuiltinFunctionType, type, MethodDescriptorType, WrapperDescriptorType)):
            self._at_call(site, [])
            return function
        if kind is MethodDescriptorType or kind is WrapperDescriptorType:
            name = function.__name__
            if name in {"__setattr__", "__getattribute__", "__delattr__"}:
                return self._through(
                    site,
                    function,
                    lambda args: accesses.attribute(
                        args[0], str(args[1]), self.stamps, writes=name != "__getattribute__"
                    ),
                )
            return self._through(site, function, lambda args: accesses.method(args[0], name, self.stamps))
        if function in _READERS or function in _WRITERS:
            writes = function in _WRITERS
            return self._through(
                site,
                function,
                lambda args: [
                    touch
                    for arg in args
                    for touch in (
                        accesses.whole(arg, self.stamps, writes=writes)
                        or (accesses.method(arg, "__next__", self.stamps) if function is next else [])
                    )
                ],
            )
        if function in _ATTRIBUTE_READERS or function in _ATTRIBUTE_WRITERS:
            writes = function in _ATTRIBUTE_WRITERS
            return self._through(
                site, function, lambda args: accesses.attribute(args[0], args[1], self.stamps, writes=writes)
            )
        self._at_call(site, [])
        return function

    def _through(
        self, site: Site, function: Callable[..., Any], touches: Callable[[tuple[Any, ...]], list[Touch]]
    ) -> Callable[..., Any]:
        def through(*args: Any, **kwargs: Any) -> Any:
            seen = touches(args) if args else []
            site.writes = any(writes for _, _, writes in seen)
            self._at_call(site, seen)
            return function(*args, **kwargs)

        return through

    # -- the fast way ---------------------------------------------------------------------------------------

    def point(self, site: Site) -> Callable[[], None]:
        """Return the hook of a site at which threads may be switched."""
        run = self.run
        look = run.look
        if site.writes:

            def write_point() -> None:
                if run.mute or get_ident() != run.ident:
                    return
                run.step = step = run.step + 1
                run.turn_ends = step + run.turn_max
                if step >= run.bound:
                    look(site)

            return write_point

        def read_point() -> None:
            if run.mute or get_ident() != run.ident:
                return
            run.step = step = run.step + 1
            if step >= run.bound:
                look(site)

        return read_point

    def first_time(self, site: Site) -> Callable[[], None]:
        """Return the hook of a site which has not been run under observation."""
        run = self.run

        def first_time() -> None:
            if not run.mute and get_ident() == run.ident:
                self.news.add(site)

        return first_time

    def call(self, site: Site, *, observed: bool) -> Callable[[Any], Any]:
        """Return the hook of a call of a primitive, or of a call that has not been run under observation."""
        run = self.run
        controlled = self.primitives.controlled
        point = self.point(site) if site.focus and observed else None

        def call(function: Any) -> Any:
            if get_ident() != run.ident:
                return function
            if not site.hot and not run.mute:
                self.news.add(site)
            replacement = controlled(function, site)
            if replacement is not None:
                site.sync = True
                if not site.name:
                    site.name = getattr(function, "__name__", "")
                return replacement
            if point is not None:
                point()
            return function

        return call

    def enter(self, site: Site) -> Callable[[Any], Any]:
        """Return the hook of a `with` statement."""
        run = self.run
        guard = self.primitives.guard

        def enter(manager: Any) -> Any:
            if get_ident() != run.ident:
                return manager
            if not site.hot and not run.mute:
                self.news.add(site)
            return guard(manager, site) or manager

        return enter
