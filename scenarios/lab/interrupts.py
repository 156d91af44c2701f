"""Ctrl-C and the signals that ask a process to end: they always arrive, as one kind of exception.

Python raises `KeyboardInterrupt` wherever the main thread is. Where that is a callback of the garbage
collector (Hypothesis has one), a destructor or a weak reference's callback, nothing can be raised from it:
Python prints "Exception ignored in" and goes on as if nobody had asked (`sys.unraisablehook` in its manual).
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from _thread import interrupt_main, start_new_thread
from contextlib import contextmanager, suppress
from time import sleep
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_AGAIN_AFTER_SECONDS: Final = 0.005
"""How long a callback that nothing can be raised from is given to be over."""


class Terminated(KeyboardInterrupt):
    """A signal other than Ctrl-C asked the process to end, such as SIGTERM.

    Attributes:
        number: The number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)  # whoever raises an error anew, as SimPy does, makes it of these
        self.number = number

    def __str__(self) -> str:
        return signal.Signals(self.number).name


@contextmanager
def delivered(*, endings: bool) -> Iterator[None]:
    """Let no interrupt vanish while this is entered; a signal that is ignored stays ignored.

    Args:
        endings: Whether SIGTERM and SIGHUP raise `Terminated`, so that what is open is closed, and the end of
            a child is noticed; not for a command that treats signals itself.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = sys.unraisablehook

    def hook(unraisable: Any) -> None:
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            start_new_thread(_again, (getattr(unraisable.exc_value, "number", signal.SIGINT),))
        else:
            usual(unraisable)

    sys.unraisablehook = hook
    caught = [number for number in _ENDINGS if endings and signal.getsignal(number) == signal.SIG_DFL]
    for number in caught:
        signal.signal(number, _terminate)
    ignored = [each for each in _CHILDREN if endings and signal.getsignal(each) == signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)
        for number in caught:
            signal.signal(number, signal.SIG_DFL)
        sys.unraisablehook = usual


_ENDINGS: Final = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
)  # Windows has no SIGHUP


_CHILDREN: Final = tuple(getattr(signal, name) for name in ("SIGCHLD",) if hasattr(signal, name))
"""Where it is ignored, as may be inherited, the system keeps no exit status: each seems to end well."""


@contextmanager
def held_back(*numbers: signal.Signals) -> Iterator[None]:
    """Hold signals back, where the system can; a program that is started meanwhile holds them back, too.

    Args:
        numbers: Which; none are Ctrl-C and all that ask a process to end.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers or (signal.SIGINT, *_ENDINGS))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_when_closed(descriptor: int) -> None:
    """End this process at once when the other end of a pipe is closed, as by the end of its owner.

    Args:
        descriptor: The end to read of a pipe on which nothing arrives.
    """
    start_new_thread(_watch, (descriptor,))


def _watch(descriptor: int) -> None:
    with suppress(OSError):
        while os.read(descriptor, 1):
            pass
    os._exit(1)


def _terminate(number: int, frame: object) -> None:
    del frame
    raise Terminated(number)


def _again(number: int) -> None:
    """Send the main thread a signal once more; in a thread of its own."""
    sleep(_AGAIN_AFTER_SECONDS)
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, number)  # also ends a wait of the main thread
    else:
        interrupt_main(signal.Signals(number))
