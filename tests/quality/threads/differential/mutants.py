"""Defects put into the explorer, to see that the differential test notices them.

All names of the explorer's insides that the differential test depends on stand in this file.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from simulations.live.threads.control import accesses
from simulations.live.threads.control.points import Points
from simulations.live.threads.control.touching import Touching
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
def a_release_goes_unnoticed() -> Iterator[None]:
    """That a lock was released is not written down."""
    did: Callable[..., None] = Points.did

    def deaf(self: Points, site: Any, thing: Any, touching: Touching) -> None:
        if touching is not Touching.RELEASES:
            did(self, site, thing, touching)

    with patch.object(Points, "did", deaf):
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
    a_release_goes_unnoticed,
    a_schedule_is_left_out,
)
