"""Notices code that begins to run, so that what runs without being watched is known.

From Python 3.12 on `sys.monitoring` tells of it, and for code that is known it is told to be silent: then
there is no cost. Up to 3.11 a trace function is called for each call in its thread, and the interpreter looks
at each instruction. So the trace function is taken off while a hook is at work, which is most of the time.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from simulations.live.threads.control.frames import OURS
from simulations.live.threads.control.standard_library import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

P = ParamSpec("P")
R = TypeVar("R")

_MONITORING: Final[Any] = getattr(sys, "monitoring", None)
_TOOLS: Final = (4, 3)
"""The identifiers that no known kind of tool has."""
_TOOL: Final = "heisenlab"
_TRIES: Final = 100


class Known:
    """Code that need not be noticed, by its address.

    Attributes:
        for_good: It is watched, or there is nothing in it to be watched.
        for_now: There is nothing in it to be watched as long as the others are watched as they are.
    """

    __slots__ = ("_alive", "for_good", "for_now")

    def __init__(self) -> None:
        self.for_good: set[int] = set()
        self.for_now: set[int] = set()
        self._alive: list[CodeType] = []

    def add(self, code: CodeType) -> None:
        """Do not notice this code any more; it is kept alive, or another might get its address."""
        self.for_good.add(id(code))
        self._alive.append(code)


class Tracing:
    """Tells of each frame that a thread begins or takes up, unless its code is known.

    Args:
        known: What need not be told of.
        tell: Called with a frame.
    """

    def __init__(self, known: Known, tell: Callable[[FrameType], None]) -> None:
        self._known = known
        self._tell = tell
        self._tool: int | None = None
        self._before: Any = None

    def begin(self) -> Callable[[], None] | None:
        """Trace the calling thread; return what each other thread has to call, if anything."""
        if self._tool is None and _MONITORING is not None:
            self._monitor()
        if self._tool is not None:
            return None
        self._before = sys.gettrace()
        trace = self._tracer()
        set_trace(trace)
        return lambda: set_trace(trace)

    def end(self) -> None:
        """Trace the calling thread no more."""
        if self._tool is None:
            set_trace(self._before)

    def close(self) -> None:
        """Give back what the interpreter has lent; idempotent, also where it was interrupted."""
        if self._tool is not None and _MONITORING.get_tool(self._tool) == _TOOL:
            _MONITORING.set_events(self._tool, 0)
            for event in _events():
                _MONITORING.register_callback(self._tool, event, None)
            _MONITORING.free_tool_id(self._tool)
        self._tool = None
        self._known = Known()

    def _tracer(self) -> Callable[[FrameType, str, object], None]:
        for_good, for_now, tell = self._known.for_good, self._known.for_now, self._tell

        def trace(frame: FrameType, event: str, arg: object) -> None:  # noqa: ARG001  (the protocol has it)
            known = id(frame.f_code)
            if known not in for_good and known not in for_now:
                tell(frame)

        return trace

    def _monitor(self) -> None:
        free = [tool for tool in _TOOLS if _MONITORING.get_tool(tool) is None]
        if not free:
            return
        self._tool = tool = free[0]
        _MONITORING.use_tool_id(tool, _TOOL)
        for_good, for_now, tell = self._known.for_good, self._known.for_now, self._tell
        disable, ours = _MONITORING.DISABLE, OURS + os.sep

        def begins(code: CodeType, _: int) -> Any:
            known = id(code)
            if known in for_good or code.co_filename.startswith(ours):
                return disable
            if known not in for_now:
                tell(sys._getframe(1))  # noqa: SLF001  (nothing public does it)
            return None

        def throws(code: CodeType, offset: int, _: BaseException) -> None:
            begins(code, offset)

        events = _MONITORING.events
        for event in _events():
            _MONITORING.register_callback(tool, event, throws if event == events.PY_THROW else begins)
        _MONITORING.restart_events()  # what an earlier user of the tool was silent about is told again
        _MONITORING.set_events(tool, sum(_events()))


def _events() -> tuple[int, ...]:
    events = _MONITORING.events
    return events.PY_START, events.PY_RESUME, events.PY_THROW


def set_trace(function: Callable[..., Any] | None) -> None:
    """Set the trace function of the calling thread, also while another thread sets its own.

    CPython 3.11 refuses that once, which happens where an audit hook lets other threads run meanwhile.
    """
    for _ in range(_TRIES):
        try:
            sys.settrace(function)
        except RuntimeError:
            continue
        return
    sys.settrace(function)


HOOK_DEPTH: Final = 1 if VERSION >= (3, 12) else 2
"""How many frames below a quiet hook the code is that calls it."""


def quiet(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function that is not traced while it runs, where tracing costs so much that it matters."""
    if VERSION >= (3, 12):
        return function
    settrace = sys.settrace  # it is called twice by each hook, so what `set_trace` does is written out

    def quietly(*args: P.args, **kwargs: P.kwargs) -> R:
        trace = sys.gettrace()
        if trace is None:
            return function(*args, **kwargs)
        try:
            settrace(None)
        except RuntimeError:
            set_trace(None)
        try:
            return function(*args, **kwargs)
        finally:
            try:
                settrace(trace)
            except RuntimeError:
                set_trace(trace)

    return quietly
