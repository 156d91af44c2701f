"""What is called in front of an instruction that another thread could notice.

There are two ways to watch a program. *Observing* looks at every access and tells a sink what it touched. The
*fast* way calls only where threads may be switched, where a primitive is at work, and where the program has
not been before; the rest runs at the speed of the interpreter.
"""

from __future__ import annotations

import bisect
import heapq
from _thread import get_ident
from types import BuiltinFunctionType, FunctionType, MethodDescriptorType, MethodType, WrapperDescriptorType
from typing import TYPE_CHECKING, Any, Final

from simulations.live.threads.control import accesses
from simulations.live.threads.control.touching import Touching

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulations.live.threads.control.accesses import Touch
    from simulations.live.threads.control.points import Points
    from simulations.live.threads.control.primitives import Primitives
    from simulations.live.threads.control.sites import Site

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
    """Makes the functions that are called from rewritten code."""

    def __init__(self, points: Points, primitives: Primitives) -> None:
        self._points = points
        self._run = points.run
        self._primitives = primitives

    def observing(self, site: Site, space: dict[str, Any] | None) -> Callable[..., Any]:
        """Return the hook that looks at every access of a site."""
        if site.kind == "call":
            return lambda function: self._observe_call(site, function)
        if site.kind == "with":
            return lambda manager: self._observe_with(site, manager)
        if site.kind == "switch":
            return lambda: self._points.switch(site)
        run = self._run

        def observe(*operands: Any) -> None:
            if run.mute or get_ident() != run.ident:
                return
            if self._points.everywhere and not accesses.touched(site, operands, space, self._points.stamps):
                site.note_run()
                return
            if self._points.granularity != "gil":
                self._points.pass_point(site)
            self._points.tell(site, accesses.touched(site, operands, space, self._points.stamps))

        return observe

    def after_call(self, site: Site) -> Callable[[], None]:
        """Return the hook behind a call: this interpreter may switch there if it was not a call of Python."""

        def after() -> None:
            if site.verb is Touching.CALLS_C:
                self._points.switch(site)

        return after

    def _observe_with(self, site: Site, manager: Any) -> Any:
        run = self._run
        if get_ident() != run.ident:
            return manager
        site.note_run()
        guard = self._primitives.guard(manager, site)
        if guard is None:
            return manager
        site.note_primitive()
        return guard

    def _observe_call(self, site: Site, function: Any) -> Any:
        run = self._run
        if get_ident() != run.ident:
            return function
        if self._points.granularity == "gil":
            python = type(function) is FunctionType or (
                type(function) is MethodType and type(function.__func__) is FunctionType
            )
            quick = type(function) is not MethodType and function.__hash__ and function in _NEVER_SWITCHES
            site.set_verb(Touching.CALLS if python or quick else Touching.CALLS_C)
            if python:
                self._points.switch(site)
        site.name_after(function)
        controlled = self._primitives.controlled(function, site)
        if controlled is not None:
            site.note_run()
            site.note_primitive()
            return controlled
        if run.mute:
            return function
        site.note_run()
        owner = accesses.owner_of(function)
        if owner is not None:
            touches = accesses.method(*owner, self._points.stamps)
            if touches:
                site.set_writes(writes=touches[0][2])
            self._at_call(site, touches)
            return function
        return self._observe_function(site, function)

    def _at_call(self, site: Site, touches: list[Touch]) -> None:
        if self._points.everywhere and not touches:
            return
        if self._points.granularity != "gil":
            self._points.pass_point(site)
        self._points.tell(site, touches)

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
                        args[0], str(args[1]), self._points.stamps, writes=name != "__getattribute__"
                    ),
                )
            return self._through(
                site, function, lambda args: accesses.method(args[0], name, self._points.stamps)
            )
        if function in _READERS or function in _WRITERS:
            writes = function in _WRITERS
            return self._through(
                site,
                function,
                lambda args: [
                    touch
                    for arg in args
                    for touch in (
                        accesses.whole(arg, self._points.stamps, writes=writes)
                        or (accesses.method(arg, "__next__", self._points.stamps) if function is next else [])
                    )
                ],
            )
        if function in _ATTRIBUTE_READERS or function in _ATTRIBUTE_WRITERS:
            writes = function in _ATTRIBUTE_WRITERS
            return self._through(
                site,
                function,
                lambda args: accesses.attribute(args[0], args[1], self._points.stamps, writes=writes),
            )
        self._at_call(site, [])
        return function

    def _through(
        self, site: Site, function: Callable[..., Any], touches: Callable[[tuple[Any, ...]], list[Touch]]
    ) -> Callable[..., Any]:
        def through(*args: Any, **kwargs: Any) -> Any:
            seen = touches(args) if args else []
            site.set_writes(writes=any(writes for _, _, writes in seen))
            self._at_call(site, seen)
            return function(*args, **kwargs)

        return through

    def first_time(self, site: Site) -> Callable[[], None]:
        """Return the hook of a site which has not been run under observation."""
        run = self._run

        def first_time() -> None:
            if not run.mute and get_ident() == run.ident:
                self._points.is_news(site)

        return first_time

    def call(self, site: Site, *, observed: bool) -> Callable[[Any], Any]:
        """Return the hook of a call of a primitive, or of a call that has not been run under observation."""
        run = self._run
        controlled = self._primitives.controlled
        point = run.point(site, writes=site.writes) if site.focus and observed else None

        def call(function: Any) -> Any:
            if get_ident() != run.ident:
                return function
            if not site.hot and not run.mute:
                self._points.is_news(site)
            replacement = controlled(function, site)
            if replacement is not None:
                site.note_primitive()
                site.name_after(function)
                return replacement
            if point is not None:
                point()
            return function

        return call

    def enter(self, site: Site) -> Callable[[Any], Any]:
        """Return the hook of a `with` statement."""
        run = self._run
        guard = self._primitives.guard

        def enter(manager: Any) -> Any:
            if get_ident() != run.ident:
                return manager
            if not site.hot and not run.mute:
                self._points.is_news(site)
            return guard(manager, site) or manager

        return enter
