"""The environment of the clients: a chooser says which of them goes on; and its answers in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulations.choices import ChoicePoint
    from simulations.live.threads.control.chosen import ChosenEvent, ChosenLock, ChosenThreads
    from simulations.trace import Trace

__all__ = ["in_words"]

T = TypeVar("T")


class Controlled:
    """A `servers.Platform` under a chooser, which records what the servers do.

    Args:
        threads: The clients, one of which runs at a time.
        trace: Where each request goes, with its arguments and its answer.
    """

    def __init__(self, threads: ChosenThreads, trace: Trace) -> None:
        self._threads = threads
        self._trace = trace

    @property
    def now_ms(self) -> int:
        """The virtual time in milliseconds."""
        return self._threads.now_ms

    def call(self, request: str, operation: Callable[..., T], *args: Any, wait_ms: int = 0) -> T:
        """Return the answer to a request that arrives after `wait_ms`; the chooser is asked there."""
        if wait_ms:
            self._threads.sleep(wait_ms, request)
            self._threads.after(request)
        else:
            self._threads.before(request)
        answer = operation(*args)
        shown = answer if isinstance(answer, tuple) else (answer,)
        self._trace.record(self.now_ms, self._threads.running, request, (*args, "->", *shown))
        return answer

    def sleep(self, ms: int, what: str) -> None:
        """Wait for `ms` milliseconds."""
        self._threads.sleep(ms, what)

    def poll(self, ms: int, what: str) -> None:
        """Wait for `ms` milliseconds, so long that every pause of another thread is over."""
        self._threads.sleep(ms, what, long=True)

    def lock(self, name: str) -> ChosenLock:
        """Return a new lock."""
        return self._threads.lock(name)

    def event(self, name: str) -> ChosenEvent:
        """Return a new event."""
        return self._threads.event(name)


_DONE: Final = {
    "store.get": "it has asked the cache",
    "store.set": "it has filled the cache",
    "store.add": "it has filled the cache",
    "store.set_if_newer": "it has filled the cache",
    "store.set_with_lease": "it has filled the cache",
    "store.get_or_lease": "it has asked the cache",
    "store.delete": "it has deleted the cache entry",
    "database.read": "it has read the database",
    "database.write": "it has written the database",
    "its last step": "a step",
}


def in_words(point: ChoicePoint) -> str:
    """Say an answer that was not nominal: "the reader pauses after it has read the database, ..."."""
    if point.label == "start":
        return f"client number {point.option + 1} starts first"
    thread, kind, what = (*point.label.split(" ", 2), "")[:3]
    if kind == "after":
        first = (
            ""
            if point.options == 2
            else f", and the {_ORDINALS[point.option - 1]} of the others goes on first"
        )
        return f"the {thread} pauses after {_DONE.get(what, what)} until nobody else can go on{first}"
    when = f"when the {thread} has ended" if kind == "ends" else f"when the {thread} waits {what}"
    return f"{when}, the {_ORDINALS[point.option]} in line goes on first"


_ORDINALS: Final = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
