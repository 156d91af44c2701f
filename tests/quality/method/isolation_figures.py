"""How often `isolate` is right, and after how many runs, beside naive delta debugging.

    python -m tests.quality.method.isolation_figures [TRIALS]

Twelve factors; the cause is drawn; a run fails with one rate where the cause is in place, and with another
for reasons of its own, with the same signature. Right is the exact set. "ddmin, any of 3" repeats each run
three times and takes any failure for a failure, as people do.
"""

from __future__ import annotations

import sys
from functools import partial
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from scenarios.lab.method.isolate import isolate
from simulations.errors import LabError
from simulations.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Callable

FACTORS = [f"f{number}" for number in range(12)]
FIRST_SEED = 10_000
"""The limits of `sequential` were chosen on seeds below 400, so these are others."""


class Figures(NamedTuple):
    """The share of trials that were right, and the mean number of runs."""

    right: float
    runs: float
    trials: int


def job(seed, rate, other, causes, size):
    """Return the causes of a trial, and its job."""
    rng = Random(seed)
    drawn = rng.sample(FACTORS, causes * size)
    found = [frozenset(drawn[start : start + size]) for start in range(0, len(drawn), size)]

    def run(present):
        if any(cause <= present for cause in found) and rng.random() < rate:
            return "bug"
        return "bug" if rng.random() < other else None

    return set(found), run


def ddmin(run: Callable[[frozenset[str]], bool]) -> frozenset[str]:
    """Delta debugging as published: Zeller, Hildebrandt, IEEE Transactions on Software Engineering 2002."""
    failing, parts, known = list(FACTORS), 2, {}

    def fails(some):
        key = frozenset(some)
        if key not in known:
            known[key] = run(key)
        return known[key]

    while len(failing) > 1:
        cuts = [len(failing) * part // parts for part in range(parts + 1)]
        subsets = [failing[start:end] for start, end in pairwise(cuts)]
        rests = [[each for each in failing if each not in subset] for subset in subsets]
        if (smaller := next(filter(fails, subsets), None)) is not None:
            failing, parts = smaller, 2
        elif parts > 2 and (smaller := next(filter(fails, rests), None)) is not None:
            failing, parts = smaller, parts - 1
        elif parts < len(failing):
            parts = min(len(failing), 2 * parts)
        else:
            break
    return frozenset(failing)


def naive(run, repeats):
    """Return what delta debugging names, and how many runs that took."""
    runs = 0

    def fails(present):
        nonlocal runs
        runs += repeats
        return sum(run(present) is not None for _ in range(repeats)) > 0

    return {ddmin(fails)}, runs


def ours(run, **options):
    """Return what `isolate` names, and how many runs that took."""
    try:
        result = isolate(FACTORS, run, signature="bug", **options)
    except LabError:
        return set(), 0
    return set(result.causes), result.runs


def measure(method, trials, *, rate=0.9, other=0.02, causes=1, size=3):
    """Run trials of a method."""
    right = runs = 0
    for seed in range(FIRST_SEED, FIRST_SEED + trials):
        truth, run = job(seed, rate, other, causes, size)
        named, spent = method(run)
        right += named == truth
        runs += spent
    return Figures(right / trials, runs / trials, trials)


ROWS = {
    "isolate, one run decides; exact": (partial(ours, deterministic=True), {"rate": 1, "other": 0}),
    "isolate, rates unknown; exact": (ours, {"rate": 1, "other": 0}),
    "isolate, rates unknown; .9, .02": (ours, {}),
    "isolate, rates known; .9, .02": (partial(ours, rates=(0.9, 0.02)), {}),
    "isolate, rates unknown; .5, .05": (ours, {"rate": 0.5, "other": 0.05}),
    "isolate, two causes of 2; .9, .02": (ours, {"causes": 2, "size": 2}),
    "ddmin; exact": (partial(naive, repeats=1), {"rate": 1, "other": 0}),
    "ddmin; .9, .02": (partial(naive, repeats=1), {}),
    "ddmin, any of 3; .9, .02": (partial(naive, repeats=3), {}),
    "ddmin, any of 7; .9, .02": (partial(naive, repeats=7), {}),
}
"""What is measured: the method, and the job."""


def _main() -> None:
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    rows = dict(ROWS)
    rows["isolate, expensive; .9, .02"] = (partial(ours, expensive=True), {})
    for name, (method, options) in rows.items():
        few = trials // 20 if "expensive" in name else trials
        figures = measure(method, few, **options)
        low, high = wilson(figures.right * few, few)
        sys.stdout.write(
            f"{name:36} right {figures.right:.3f} [{low:.3f}, {high:.3f}]  {figures.runs:6.1f} runs\n"
        )


if __name__ == "__main__":
    _main()
