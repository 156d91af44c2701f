"""Gives threads a hash by their number, so that a set of them has the same order in each run.

`ThreadPoolExecutor` keeps its threads in a set and joins them in its order, which is that of their addresses:
the same schedule would not do the same again.
"""

from __future__ import annotations

import threading
from itertools import count
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_NUMBER: Final = "_number_in_run"


class ThreadOrder:
    """Between `start` and `stop`, threads made anew have hashes in the order in which they are made."""

    def __init__(self) -> None:
        self._numbers: Iterator[int] = count(1)
        self._older: frozenset[int] = frozenset()

    def start(self) -> None:
        """Number threads from now on."""
        # Those that exist already may stand in sets and dictionaries by the hash that they have.
        self._older = frozenset(map(id, threading._dangling))  # type: ignore[attr-defined]  # noqa: SLF001  (lists all)

        def number(thread: threading.Thread) -> int:
            return self._number(thread)

        threading.Thread.__hash__ = number  # type: ignore[method-assign,assignment]

    def stop(self) -> None:
        """Let threads have the hashes that they had; once done, it is done."""
        if "__hash__" in vars(threading.Thread):
            del threading.Thread.__hash__

    def begin(self) -> None:
        """Start a run: number the threads from 1 again."""
        self._numbers = count(1)

    def _number(self, thread: threading.Thread) -> int:
        if id(thread) in self._older:
            return object.__hash__(thread)
        own: int | None = thread.__dict__.get(_NUMBER)
        if own is None:
            own = thread.__dict__[_NUMBER] = next(self._numbers)
        return own
