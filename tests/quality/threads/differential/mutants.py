"""Defects put into the explorer, to see that the differential test notices them.

All names of the explorer's insides that the differential test depends on stand in this file.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from simulations.live.threads.control import accesses
from simulations.live.threads.control.primitives import Primitives
from simulations.live.threads.search.reduction import Reduction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

SKIPPED: Final = 2
"""Which of the schedules after the first is left out."""


def items_do_not_conflict() -> AbstractContextManager[object]:
    """Reads and writes of items touch nothing."""
    return patch.object(accesses, "item", lambda *_, **__: [])


@contextmanager
def a_release_is_no_point() -> Iterator[None]:
    """Threads are never switched in front of the release of a lock."""
    release: Callable[..., None] = Primitives.release

    class Without:
        """The points of the explorer, but for those at primitives."""

        def __init__(self, points: Any) -> None:
            self._points = points

        def at_primitive(self, *_: object, **__: object) -> None:
            """Do nothing."""

        def __getattr__(self, name: str) -> Any:
            return getattr(self._points, name)

    def silent(self: Any, *arguments: Any) -> None:
        points = self._points
        self._points = Without(points)
        try:
            release(self, *arguments)
        finally:
            self._points = points

    with patch.object(Primitives, "release", silent):
        yield


@contextmanager
def a_schedule_is_left_out() -> Iterator[None]:
    """One of the schedules that an enumeration has to run is not run."""
    following: Callable[[Reduction], Any] = Reduction.following
    asked: dict[int, int] = {}

    def skipping(self: Reduction) -> Any:
        asked[id(self)] = asked.get(id(self), -1) + 1
        if asked[id(self)] == SKIPPED:
            following(self)
        return following(self)

    with patch.object(Reduction, "following", skipping):
        yield


MUTANTS: Final[tuple[Callable[[], AbstractContextManager[object]], ...]] = (
    items_do_not_conflict,
    a_release_is_no_point,
    a_schedule_is_left_out,
)
