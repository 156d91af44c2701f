"""The bounds of a run: in points, which are counted, and in virtual time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

STRICT_TURN: Final = 500
"""How many points a strict turn has."""
STACK_NEEDED: Final = 30
"""How many frames the scheduler may need to hand the baton on."""
WATCH_STEP: Final = 0.01
"""How often, in seconds, the main thread looks whether the holder of the baton is alive."""
COLLECT_EVERY: Final = 200
"""After this many runs the youngest garbage is collected."""
CLOSE_TRIES: Final = 100
"""How often what is undone at the end may be interrupted."""
LESSONS_MAX: Final = 20
"""How often a run that came to new places is looked at again, so that the focus may grow."""
TO_TELL: Final = 0.6
"""How much longer than its time, in seconds, a search may take to tell of what it found."""
IN_VAIN_MAX: Final = 2_000
"""After so many tries and looks in vain, by all threads together, a run is cut short; others had turns."""
NEVER: Final = 1 << 62
"""A step that no run comes to."""
START_OF_TIME: Final = 1_000_000_000
"""What the monotonic clock shows at the start of a run, in nanoseconds."""
EPOCH: Final = 1_600_000_000_000_000_000
"""What the wall clock shows when the monotonic clock shows 0, in nanoseconds."""
CLOCK_READS_FREE: Final = 1_000
"""After this many readings of a clock in one run each further one lets time pass."""
CLOCK_TICK: Final = 1_000_000
"""By how much, in nanoseconds."""


@dataclass(frozen=True)
class Limits:
    """When a thread must give way, and when a run has been too long.

    Attributes:
        turn_max: After this many points without a write or an operation on a primitive a thread that spins
            gives way; from 1.
        points_max: After this many points a run gets strict turns, and after as many again it is cut short;
            from 1.
    """

    turn_max: int = 1_000
    points_max: int = 50_000
