"""What an operation does to what it touches."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Touching(StrEnum):
    """What an operation does to what it touches; the value is the verb that says so."""

    READS = "reads"
    WRITES = "writes"
    CALLS = "calls"
    CALLS_C = "calls C"
    SWITCHES = "switches"
    RUNS = "runs"
    ACQUIRES = "acquires"
    FAILS = "fails to acquire"
    TRIES = "tries"
    RELEASES = "releases"
    LOOKS_AT = "looks at"
    PUTS = "puts into"
    GETS = "gets from"
    WAKES = "wakes up"
    READS_TIME = "reads the time of"
    STARTS = "starts"
    JOINS = "has seen the end of"
    ENDS = "ends"
    LETS_GO = "lets go of"

    # As fast as that of the verb: every access of an enumerated run is hashed.
    __hash__ = str.__hash__

    @property
    def changes(self) -> bool:
        """Whether another thread could notice that it was done."""
        return self not in _READING


# To look at a primitive, and to fail to take one, count as changes: that keeps more orders apart than needed.
_READING: Final = frozenset({Touching.READS, Touching.READS_TIME, Touching.TRIES})
LOCKING: Final = frozenset({Touching.ACQUIRES, Touching.FAILS, Touching.RELEASES})
"""What is done to a lock."""
