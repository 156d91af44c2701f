"""The campaign: `python -m tests.quality.threads.differential --programs 2000 --seed 1`.

A wrong verdict is shown with its program, and makes the exit status 1; `--seed S --only N` shows it again.
The budget of a program is a number of schedules; seconds are only there to end what hangs.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections import Counter
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Final

from tests.quality.threads.differential.campaign import SCHEDULES_MAX, SMALL, Campaign, Compared
from tests.quality.threads.differential.compare import Verdict
from tests.quality.threads.differential.source import LAYOUTS, Layout, render

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PROGRESS_EVERY: Final = 100
WHY_MAX: Final = 12


@dataclass
class Tally:
    """What has been tried so far: how each comparison ended, and with how many schedules."""

    began: float = field(default_factory=monotonic)
    ended: Counter[Verdict] = field(default_factory=Counter)
    layouts: Counter[Layout] = field(default_factory=Counter)
    why: Counter[str] = field(default_factory=Counter)
    schedules: int = 0
    too_large: int = 0
    wrong: list[Compared] = field(default_factory=list)

    def add(self, compared: Compared) -> None:
        """Count a comparison."""
        outcome = compared.outcome
        if outcome is None:
            self.too_large += 1
            return
        self.ended[outcome.verdict] += 1
        self.layouts[compared.layout] += 1
        self.schedules += outcome.schedules
        if outcome.verdict in (Verdict.GAVE_UP, Verdict.REFUSED):
            self.why["".join("N" if letter.isdigit() else letter for letter in outcome.detail)[:160]] += 1
        if outcome.verdict.wrong:
            self.wrong.append(compared)
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
    layouts = tuple(options.layout or LAYOUTS)
    until = monotonic() + options.seconds
    campaign = Campaign(options.seed, options.schedules, layouts, until, small=options.small)
    numbers = options.only or range(len(SMALL) if options.small else options.programs)
    tally = Tally()
    for compared in _in_processes(campaign, numbers, options.processes):
        tally.add(compared)
        if compared.outcome is not None and compared.outcome.verdict.wrong:
            chosen = "--small" if options.small else f"--seed {options.seed}"
            _say(f"WRONG, {chosen} --only {compared.number}\n{_described(campaign, compared)}")
    _print_figures(tally)
    return 1 if tally.wrong else 0


def _in_processes(campaign: Campaign, numbers: Sequence[int], processes: int) -> Iterator[Compared]:
    if processes == 1 or len(numbers) == 1:
        yield from filter(None, map(campaign.compared, numbers))
        return
    # A worker is a fresh interpreter, since a fork would take the locks of threads along.
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from filter(None, pool.imap_unordered(campaign.compared, numbers, chunksize=4))


def _parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.quality.threads.differential", description=__doc__)
    parser.add_argument("--programs", type=int, default=2_000, help="how many programs to try")
    parser.add_argument(
        "--only", type=int, action="append", metavar="N", help="only the program of this number"
    )
    parser.add_argument(
        "--small", action="store_true", help="all programs of a small scope in their place, each once"
    )
    parser.add_argument("--seed", type=int, default=0, help="chooses the programs")
    parser.add_argument("--seconds", type=float, default=3_600.0, help="no program is begun after so long")
    parser.add_argument(
        "--layout", action="append", choices=LAYOUTS, help="only this layout; can be repeated"
    )
    parser.add_argument(
        "--schedules", type=int, default=SCHEDULES_MAX, help="schedules of a program, at most"
    )
    parser.add_argument("--processes", type=int, default=2, help="how many programs are tried side by side")
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _described(campaign: Campaign, compared: Compared) -> str:
    program, layout = campaign.program(compared.number)
    source = render(program, layout)
    library = f"# library\n{source.library}\n# main\n" if source.library else ""
    outcome = compared.outcome
    said = f"{outcome.verdict.value}\n{outcome.detail}" if outcome is not None else ""
    return f"layout {layout}: {said}\n{program}\n{library}{source.main}"


def _print_figures(tally: Tally) -> None:
    _say(tally.line())
    _say(", ".join(f"{layout}: {count}" for layout, count in sorted(tally.layouts.items())))
    if tally.too_large:
        _say(f"{tally.too_large} programs were too large for the interpreter")
    for why, count in tally.why.most_common(WHY_MAX):
        _say(f"  {count} x {why}")


if __name__ == "__main__":
    sys.exit(main())
