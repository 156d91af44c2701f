"""The programs of a campaign, each known by a seed and a number.

Program number n of a seed is the same on every machine and in every process. Sizes and layouts go round, so
that a campaign has all of them.
"""

from __future__ import annotations

from random import Random
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.quality.threads.differential.compare import Outcome, compare
from tests.quality.threads.differential.interpreter import TooLarge
from tests.quality.threads.differential.programs import BYTES_MAX, contended, decoded
from tests.quality.threads.differential.small import small_programs

if TYPE_CHECKING:
    from tests.quality.threads.differential.source import Layout
    from tests.quality.threads.differential.syntax import Program

SECONDS_A_PROGRAM: Final = 60.0
SCHEDULES_MAX: Final = 400
SIZES: Final = (4, 5, 6, 6, 7, 8, 8, 10)
"""How many accesses a program makes, at most, in turn."""
SMALL: Final = tuple(program for _, program in small_programs())
CONTENDED_EVERY: Final = 10
"""Of so many rounds of sizes one is of programs that contend for a primitive and do little else."""


class Compared(NamedTuple):
    """How the comparison of one program ended; without an outcome it was too large for the interpreter."""

    number: int
    layout: Layout
    outcome: Outcome | None


class Campaign(NamedTuple):
    """What is compared: which programs, and for how long at most.

    Attributes:
        seed: Chooses the programs.
        schedules_max: How many schedules of a program are run, at most.
        layouts: The layouts, in turn.
        until: No program is begun after this time.
        small: Take the programs of the small scope; the seed chooses nothing then.
    """

    seed: int
    schedules_max: int
    layouts: tuple[Layout, ...]
    until: float
    small: bool = False

    def program(self, number: int) -> tuple[Program, Layout]:
        """Return a program, and the layout that it is run in."""
        if self.small:
            return SMALL[number], self.layouts[number % len(self.layouts)]
        data = Random(f"{self.seed}/{number}").randbytes(BYTES_MAX)
        # Sizes and layouts go round at different speeds, so that all pairs of them come.
        turn = number // len(SIZES)
        if turn % CONTENDED_EVERY == 0:
            return contended(data), self.layouts[(number + turn) % len(self.layouts)]
        return decoded(data, SIZES[number % len(SIZES)]), self.layouts[(number + turn) % len(self.layouts)]

    def compared(self, number: int) -> Compared | None:
        """Compare what the explorer and the interpreter say about a program; None where time is over."""
        if monotonic() > self.until:
            return None
        program, layout = self.program(number)
        try:
            outcome = compare(
                program, layout, schedules_max=self.schedules_max, seconds_max=SECONDS_A_PROGRAM
            )
        except TooLarge:
            return Compared(number, layout, None)
        return Compared(number, layout, outcome)
