"""What happened in a run: events, their digest, and the first event at which two runs part."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Detail", "Event", "Parting", "Scalar", "Trace", "first_difference", "followed"]

Scalar: TypeAlias = str | int | float | bool | None
"""A value that JSON can hold."""
Detail: TypeAlias = Scalar | tuple[Scalar, ...]
"""The detail of an event, a scalar or a flat tuple of scalars."""


class Event(NamedTuple):
    """One thing that happened.

    Attributes:
        time: Virtual time, an integer in the unit of the world (clocks, ticks, milliseconds).
        actor: Who did it, such as `cpu1` or `reader`.
        action: What was done, such as `mode` or `grant`.
        detail: A scalar or a flat tuple of scalars; finite floats only.
    """

    time: int
    actor: str
    action: str
    detail: Detail = None

    def __str__(self) -> str:
        return self.said_at(f"{self.time:>6}")

    def said_at(self, moment: str) -> str:
        """Return the event as a line that begins with its time as a person says it."""
        detail = self.detail if isinstance(self.detail, tuple) else (self.detail,)
        words = [moment, self.actor, self.action]
        return "  ".join(words if self.detail is None else [*words, " ".join(map(str, detail))])


_FOLLOWED: ContextVar[list[Event] | None] = ContextVar("_FOLLOWED", default=None)


class Trace:
    """The events of one run, in the order in which they happened."""

    __slots__ = ("_events",)

    def __init__(self) -> None:
        followed = _FOLLOWED.get()
        self._events: list[Event] = [] if followed is None else followed
        if followed is not None:
            _FOLLOWED.set(None)

    def record(self, time: int, actor: str, action: str, detail: Detail = None) -> None:
        """Append an event; `time` is in the unit of the world."""
        self._events.append(Event(time, actor, action, detail))

    def extend(self, events: Iterable[Event]) -> None:
        """Append events that were recorded elsewhere, in their order."""
        self._events.extend(events)

    @property
    def events(self) -> Sequence[Event]:
        """The events so far."""
        return self._events

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events)

    def digest(self) -> str:
        """Return the SHA-256 of all events, in hexadecimal.

        It depends on the events alone: not on the process, the hash seed, the time zone, the platform or the
        version of Python.

        Raises:
            ValueError: a detail holds a float that is not finite.
            TypeError: an event holds what is neither a scalar nor a tuple of scalars.
        """
        digest = hashlib.sha256()
        for event in self._events:
            digest.update(_canonical(event))
        return digest.hexdigest()


@contextmanager
def followed() -> Iterator[Sequence[Event]]:
    """Yield the events of the trace that is made next, while they are recorded.

    A run makes its trace itself, and returns it when it is over; this shows how far it is at each question.
    """
    events: list[Event] = []
    token = _FOLLOWED.set(events)
    try:
        yield events
    finally:
        _FOLLOWED.reset(token)


def _canonical(event: Event) -> bytes:
    return _ENCODER.encode(event).encode("ascii") + b"\n"


_ENCODER: Final = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"))


class Parting(NamedTuple):
    """Where two traces part.

    Attributes:
        position: The place, from 0, of the first event that differs.
        left: What the first trace has there; None if it has ended already.
        right: What the second trace has there; None if it has ended already.
    """

    position: int
    left: Event | None
    right: Event | None

    def __str__(self) -> str:
        def show(event: Event | None) -> str:
            return "(the trace has ended)" if event is None else str(event).strip()

        return f"the traces part at event {self.position}: {show(self.left)} | {show(self.right)}"


def first_difference(left: Trace, right: Trace) -> Parting | None:
    """Return where two traces part, or None if they are equal."""
    for index, (ours, theirs) in enumerate(zip(left, right, strict=False)):
        if _canonical(ours) != _canonical(theirs):  # 1, 1.0 and True are equal, but not the same event
            return Parting(index, ours, theirs)
    shorter = min(len(left), len(right))
    if len(left) == len(right):
        return None
    at = left.events[shorter] if len(left) > shorter else None
    to = right.events[shorter] if len(right) > shorter else None
    return Parting(shorter, at, to)
