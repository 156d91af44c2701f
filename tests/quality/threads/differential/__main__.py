"""The campaign: `python -m tests.quality.threads.differential --programs 2000 --seed 1 --seconds 600`.

Prints how many comparisons ended how. A wrong verdict is shown with the smallest program that Hypothesis
shrinks it to, and makes the exit status 1. With `--keep-going` wrong verdicts are counted, and the smallest
of each kind and layout is shown as it was drawn.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Final

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.quality.threads.differential.compare import Outcome, Verdict, compare
from tests.quality.threads.differential.interpreter import TooLarge
from tests.quality.threads.differential.programs import STEPS_MAX, programs
from tests.quality.threads.differential.source import LAYOUTS, Layout, render

if TYPE_CHECKING:
    from tests.quality.threads.differential.syntax import Program

PROGRESS_EVERY: Final = 100
SECONDS_A_PROGRAM: Final = 3.0


class DisagreementError(AssertionError):
    """The explorer said what is not so."""


@dataclass
class Tally:
    """What has been tried so far: how each comparison ended, schedules, and the smallest wrong programs."""

    until: float
    began: float = field(default_factory=monotonic)
    ended: Counter[Verdict] = field(default_factory=Counter)
    layouts: Counter[Layout] = field(default_factory=Counter)
    why: Counter[str] = field(default_factory=Counter)
    schedules: int = 0
    too_large: int = 0
    wrong: dict[tuple[Verdict, Layout], tuple[Program, Outcome]] = field(default_factory=dict)

    def add(self, program: Program, layout: Layout, outcome: Outcome) -> None:
        """Count a comparison."""
        self.ended[outcome.verdict] += 1
        self.layouts[layout] += 1
        self.schedules += outcome.schedules
        if outcome.verdict in (Verdict.GAVE_UP, Verdict.REFUSED):
            self.why["".join("N" if letter.isdigit() else letter for letter in outcome.detail)[:160]] += 1
        if outcome.verdict.wrong:
            key = outcome.verdict, layout
            if key not in self.wrong or len(repr(program)) < len(repr(self.wrong[key][0])):
                self.wrong[key] = program, outcome
        if self.tried % PROGRESS_EVERY == 0:
            sys.stderr.write(self.line() + "\n")

    @property
    def tried(self) -> int:
        """How many programs were compared."""
        return sum(self.ended.values())

    def line(self) -> str:
        """Return the figures on one line."""
        counts = ", ".join(f"{verdict.value}: {count}" for verdict, count in self.ended.most_common())
        seconds = monotonic() - self.began
        rate = self.tried / seconds if seconds else 0.0
        return f"{self.tried} programs, {self.schedules} schedules, {seconds:.0f} s, {rate:.1f}/s; {counts}"


def main(arguments: list[str] | None = None) -> int:
    """Run the campaign; return 1 if a verdict was wrong."""
    options = _parsed(arguments)
    tally = Tally(monotonic() + options.seconds)
    layouts = tuple(options.layout or LAYOUTS)

    @seed(options.seed)
    @settings(
        max_examples=options.programs,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(programs(options.steps), st.sampled_from(layouts))
    def campaign(program: Program, layout: Layout) -> None:
        if monotonic() > tally.until and (options.keep_going or not tally.wrong):
            return
        try:
            outcome = compare(
                program, layout, schedules_max=options.schedules, seconds_max=options.seconds_a_program
            )
        except TooLarge:
            tally.too_large += 1
            return
        tally.add(program, layout, outcome)
        if outcome.verdict.wrong and not options.keep_going:
            raise DisagreementError(_described(program, layout, outcome))

    status = 0
    try:
        campaign()
    except DisagreementError as error:
        _say(f"WRONG (shrunk)\n{error}")
        status = 1
    if options.keep_going:
        for (_, layout), (program, outcome) in tally.wrong.items():
            _say(f"WRONG\n{_described(program, layout, outcome)}")
        status = 1 if tally.wrong else 0
    _print_figures(tally)
    return status


def _parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.quality.threads.differential", description=__doc__)
    parser.add_argument("--programs", type=int, default=2_000, help="how many programs to try")
    parser.add_argument("--seed", type=int, default=0, help="chooses the programs")
    parser.add_argument("--seconds", type=float, default=600.0, help="no program is begun after so long")
    parser.add_argument(
        "--layout", action="append", choices=LAYOUTS, help="only this layout; can be repeated"
    )
    parser.add_argument("--steps", type=int, default=STEPS_MAX, help="accesses of a program, at most")
    parser.add_argument("--schedules", type=int, default=3_000, help="schedules of a program, at most")
    parser.add_argument("--seconds-a-program", type=float, default=SECONDS_A_PROGRAM, help="then it gives up")
    parser.add_argument(
        "--keep-going", action="store_true", help="count wrong verdicts instead of shrinking one"
    )
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _described(program: Program, layout: Layout, outcome: Outcome) -> str:
    source = render(program, layout)
    library = f"# library\n{source.library}\n# main\n" if source.library else ""
    return f"layout {layout}: {outcome.verdict.value}\n{outcome.detail}\n{program}\n{library}{source.main}"


def _print_figures(tally: Tally) -> None:
    _say(tally.line())
    _say(", ".join(f"{layout}: {count}" for layout, count in sorted(tally.layouts.items())))
    if tally.too_large:
        _say(f"{tally.too_large} programs were too large for the interpreter")
    for why, count in tally.why.most_common(12):
        _say(f"  {count} x {why}")


if __name__ == "__main__":
    sys.exit(main())
