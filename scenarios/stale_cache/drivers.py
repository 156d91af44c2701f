"""Two further ways of looking for it: threads with random priorities, and real threads under stress."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from simulations.cache.variants import System
from simulations.choices import Chooser, substream

if TYPE_CHECKING:
    from collections.abc import Sequence

QUESTIONS: Final = 12
"""About how many questions a run asks. The priority changes at one of them."""
STRESS_S_MAX: Final = 60.0

T = TypeVar("T")


class Priorities(Chooser):
    """The thread with the highest priority goes on; at random questions the present one gets the lowest.

    PCT: Burckhardt, Kothari, Musuvathi, Nagarakatte, *A randomized scheduler with probabilistic guarantees of
    finding bugs*, ASPLOS 2010. It finds a bug that needs d ordering constraints with a probability of at
    least 1/(n k^(d-1)) for n threads and k questions.

    Args:
        depth: The number d of constraints, from 1; one less is the number of changes.
        seed: Any integer.
    """

    __slots__ = ("_changes", "_priority", "_rng")

    def __init__(self, depth: int, seed: int) -> None:
        super().__init__()
        self._rng = substream(seed, "priorities")
        self._changes = [self._rng.randrange(QUESTIONS) for _ in range(depth - 1)]
        self._priority: dict[str, float] = {}

    def pick(self, label: str, options: Sequence[T], *, forced: bool = False) -> T:
        """See `Chooser`. The options are threads; the first is the present one, unless it is forced."""
        names = [str(getattr(option, "name", option)) for option in options]
        for name in names:
            self._priority.setdefault(name, self._rng.random())
        if not forced and self.asked in self._changes:
            self._priority[names[0]] = -1.0 - self.asked
        option = max(range(len(names)), key=lambda place: self._priority[names[place]])
        self._note(label, len(options), option, forced=forced)
        return options[option]


def stress(runs: int) -> tuple[int, int]:
    """Run the service as shipped with real threads; see `simulations.cache.stress`.

    Args:
        runs: How often, from 1. It stops after a minute.

    Returns:
        How many runs ended with an old value in the cache, and how many there were.
    """
    from simulations.cache.stress import stress as stressed  # noqa: PLC0415  (it needs real threads)

    result = stressed(System(database_ms=0), seconds=STRESS_S_MAX, runs_max=runs)
    return result.stale, result.runs
