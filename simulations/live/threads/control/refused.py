"""What a thread under control may not do, refused as soon as it tries."""

from __future__ import annotations

import asyncio.events
import os
import sys
from typing import TYPE_CHECKING, Any, Final

from simulations.live.threads.errors import ThreadsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simulations.live.threads.control.scheduler import Scheduler

FORK: Final = (
    "a worker, a set-up or a check forked, and the child would have threads that never run; start the "
    "process outside of explore, or with the start method `spawn`"
)
LOOP: Final = (
    "an event loop was run in a worker, a set-up or a check, and its tasks are not controlled yet; call what "
    "they share from plain threads"
)
FORKS: Final = tuple(getattr(os, name) for name in ("fork", "forkpty") if hasattr(os, name))
_TRACE: Final = (
    "a worker, a set-up or a check set a function that watches what runs (sys.settrace, sys.setprofile, "
    "sys.monitoring), and explore itself watches in that way; run without it"
)
_WATCHING: Final = (
    (sys, ("settrace", "setprofile", "_settraceallthreads", "_setprofileallthreads")),
    (getattr(sys, "monitoring", None), ("use_tool_id", "set_events", "set_local_events")),
)
REFUSED: Final[dict[object, str]] = {
    **dict.fromkeys(FORKS, FORK),
    **{
        function: _TRACE
        for module, names in _WATCHING
        for name in names
        if (function := getattr(module, name, None)) is not None
    },
}
"""What is refused, with the message, wherever it is called from code that is under control."""
IMPORTS: Final = sys.modules["_frozen_importlib"]
"""The module whose `_find_and_load` the interpreter calls for every module that is not imported yet."""


def stand_ins(run: Scheduler) -> Iterator[tuple[Any, str, Any]]:
    """Yield what takes the place of which attribute while a program is under control: module, name, value.

    An import is one step: a thread that was paused in it would keep the lock of the module.
    """
    for fork in FORKS:
        yield os, fork.__name__, refusing(run, fork, FORK)
    for module in (asyncio, asyncio.events):
        yield module, "new_event_loop", refusing(run, module.new_event_loop, LOOP)
    yield asyncio.events, "_set_running_loop", _refusing_loop(run, asyncio.events._set_running_loop)  # noqa: SLF001  (every event loop calls it)
    yield IMPORTS, "_find_and_load", _in_one_step(run, IMPORTS._find_and_load)  # noqa: SLF001  (no other place sees every import)


def refusing(run: Scheduler, function: Callable[..., Any], message: str) -> Callable[..., Any]:
    """Return a function that ends the run where a thread under control calls it."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        if run.mine():
            run.abandon(ThreadsError(message))
        return function(*args, **kwargs)

    return refuse


def _refusing_loop(run: Scheduler, function: Callable[[Any], None]) -> Callable[[Any], None]:
    def refuse(loop: Any) -> None:
        if loop is not None and run.mine():
            run.abandon(ThreadsError(LOOP))
        function(loop)

    return refuse


def _in_one_step(run: Scheduler, find_and_load: Callable[..., Any]) -> Callable[..., Any]:
    def load(*args: Any) -> Any:
        if not run.mine():
            return find_and_load(*args)
        with run.muted():
            return find_and_load(*args)

    return load
