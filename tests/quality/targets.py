"""How often a target finds the death at hour 70, and how often the shape of the strategy does.

`python -m tests.quality.targets --seeds 200 --examples 900` prints the table of
`docs/guide/demonstrations.md`: searches that found it, of all, with a Wilson interval at 95 %. The job, the
death and the strategies are those of `docs/demos/bad_target.py` and `docs/demos/strategy_shape.py`.
"""

from __future__ import annotations

import argparse
import runpy
from random import Random
from statistics import median
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from hypothesis import HealthCheck, Phase, find, settings, target
from hypothesis.errors import NoSuchExample

from scenarios.lab.drawn_constants import only_its_own_constants
from scenarios.lab.teaching import material
from simulations.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Callable

_BAD: Final = runpy.run_path(str(material.demos()["bad_target"]))
_SHAPE: Final = runpy.run_path(str(material.demos()["strategy_shape"]))


def died_at_70(week: dict[str, int]) -> bool:
    """Whether the reaper ends the job between hour 69 and hour 71, before anything else does."""
    first = min(week, key=lambda end: week[end])
    return first == "reaper" and 69 <= week[first] <= 71


class Search(NamedTuple):
    """A way to search: a strategy, and a score for `target`; None scores nothing."""

    weeks: Any
    score: Callable[[dict[str, int]], float] | None = None


SEARCHES: Final = {
    "no target": Search(_BAD["weeks"]),
    "hours survived": Search(_BAD["weeks"], lambda week: min(week.values())),
    "hours missing": Search(_BAD["weeks"], lambda week: -_BAD["missing"](week)),
    "shape, no target": Search(_SHAPE["shaped"]),
}


def examples_until_found(search: Search, *, examples: int, seed: int) -> int | None:
    """Return the number of examples up to the first death at hour 70; None if there was none.

    Args:
        search: How to search.
        examples: The greatest number of examples.
        seed: Seeds the search.
    """
    ran = 0

    def found(week: dict[str, int]) -> bool:
        nonlocal ran
        ran += 1
        if search.score is not None:
            target(search.score(week))
        return died_at_70(week)

    phases = (Phase.generate, Phase.target)
    chosen = settings(
        max_examples=examples,
        phases=phases,
        database=None,
        deadline=None,
        suppress_health_check=[*HealthCheck],
    )
    try:
        with only_its_own_constants():
            find(search.weeks, found, settings=chosen, random=Random(seed))
    except NoSuchExample:
        return None
    return ran


def main() -> None:
    """Print a row for each search."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--examples", type=int, default=900)
    parser.add_argument("--searches", nargs="+", choices=SEARCHES, default=[*SEARCHES], metavar="NAME")
    args = parser.parse_args()
    for name in args.searches:
        search = SEARCHES[name]
        ran = [examples_until_found(search, examples=args.examples, seed=seed) for seed in range(args.seeds)]
        found = [number for number in ran if number is not None]
        low, high = wilson(len(found), args.seeds)
        middle = f"{median(found):.0f}" if found else "-"
        share = f"{len(found)} of {args.seeds}"
        print(f"| {name} | {share} | {low:.0%} to {high:.0%} | {middle} |", flush=True)  # noqa: T201  (a script)


if __name__ == "__main__":
    main()
