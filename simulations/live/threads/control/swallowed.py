"""Interruptions that Python swallows: they are kept, and raised where they can be.

What is raised in a destructor or in the callback of a weak reference goes nowhere: Python says "Exception
ignored in" and goes on, see `sys.unraisablehook` in its manual. Where that is Ctrl-C, or what the handler of
a signal raised, such as the alarm of a test, the one who asked would wait for ever.
"""

from __future__ import annotations

import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from simulations.live.threads.control.carriers import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, ModuleType, TracebackType


class Swallowed:
    """Keeps the first interruption that Python swallowed while this stands in for what it does then."""

    def __init__(self) -> None:
        self._error: BaseException | None = None
        self._usual: Callable[[Any], object] = sys.unraisablehook

    def stand_ins(self) -> Iterator[tuple[ModuleType, str, object]]:
        """Yield what stands in for what: module, name, and the function."""
        self._usual = sys.unraisablehook
        yield sys, "unraisablehook", self._take

    def _take(self, unraisable: Any) -> None:
        error = unraisable.exc_value
        if isinstance(error, Stopped):
            return  # ours; the thread is interrupted again until it has ended
        main = threading.current_thread() is threading.main_thread()
        if main and (isinstance(error, KeyboardInterrupt) or _by_a_handler(unraisable.exc_traceback)):
            self._error = self._error or error
        else:
            self._usual(unraisable)

    def raise_it(self) -> None:
        """Raise what was swallowed, if something was."""
        error, self._error = self._error, None
        if error is not None:
            raise error


def _by_a_handler(trace: TracebackType | None) -> bool:
    """Return whether the handler of a signal raised what has this traceback."""
    codes = _handlers() if trace is not None else frozenset()
    while trace is not None:
        if trace.tb_frame.f_code in codes:
            return True
        trace = trace.tb_next
    return False


def _handlers() -> frozenset[CodeType]:
    """Return the code of the handlers of signals that are written in Python."""
    handlers = map(signal.getsignal, signal.valid_signals())
    functions = (getattr(handler, "__func__", handler) for handler in handlers)
    return frozenset(code for one in functions if (code := getattr(one, "__code__", None)) is not None)
