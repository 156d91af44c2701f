"""The figures of the page about bisecting. `python -m tests.quality.method.bisect_figures` prints them.

Three measurements: real `git bisect run heisenlab replay --bisect` on repositories of the stories; the
posterior against a simulated oracle, whose versions fail at rates that are given; plain bisection against the
same oracle.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from scenarios.lab.commands.bisect_story import git_bisect_run
from scenarios.lab.method.flaky_bisect import Evidence, Versions, believe, next_version
from scenarios.lab.method.plain_bisect import plain_bisection
from scenarios.lab.method.story_repository import make
from simulations.choices import substream
from simulations.intervals import wilson

if TYPE_CHECKING:
    from random import Random

VERSIONS = 129
RUNS_MAX = 5000
STORIES = ("invalid-mode", "stale-cache", "truncated-pointer", "vanishing-job")


def constant(rate):
    def rates(rng):
        culprit = rng.randrange(1, VERSIONS)
        return [0.0] * culprit + [rate] * (VERSIONS - culprit), (culprit,)

    return rates


def changing(first, then):
    """An innocent commit after the culprit changes the rate."""

    def rates(rng):
        culprit = rng.randrange(1, VERSIONS - 1)
        innocent = rng.randrange(culprit + 1, VERSIONS)
        low, high = [first] * (innocent - culprit), [then] * (VERSIONS - innocent)
        return [0.0] * culprit + low + high, (culprit,)

    return rates


def of_its_own(rng):
    culprit = rng.randrange(1, VERSIONS)
    return [0.0] * culprit + [rng.random() for _ in range(VERSIONS - culprit)], (culprit,)


def with_a_flake(rates_of, share):
    """Every version, a good one too, fails in another way in a share of its runs."""

    def rates(rng):
        of_the_bug, answer = rates_of(rng)
        return [1 - (1 - rate) * (1 - share) for rate in of_the_bug], answer

    return rates


FLAKE = 0.02
CASES = {
    "1 throughout": constant(1.0),
    ".5 throughout": constant(0.5),
    ".25 throughout": constant(0.25),
    ".1 throughout": constant(0.1),
    ".05 throughout": constant(0.05),
    ".03 throughout": constant(0.03),
    ".25, raised to .9": changing(0.25, 0.9),
    ".1, raised to .9": changing(0.1, 0.9),
    ".9, lowered to .25": changing(0.9, 0.25),
    ".05, raised to .5": changing(0.05, 0.5),
    "one of its own each": of_its_own,
    "no change: .3 everywhere": lambda _: ([0.3] * VERSIONS, (0,)),
    "no change: never": lambda _: ([0.0] * VERSIONS, ()),
    ".5, another failure in .02, no signature": with_a_flake(constant(0.5), FLAKE),
    ".5, another failure in .02, signature": constant(0.5),
}
NO_VERDICT = {".5, another failure in .02, signature": FLAKE}
"""In which share of the runs the output of another failure does not match the signature."""


def aware(rates, rng: Random, confidence: float = 0.95, *, no_verdict: float = 0.0):
    """Return the suspects of a flake-aware bisection, and the runs it took."""
    evidence, present, runs = Evidence(Versions.in_a_line(len(rates))), len(rates) - 1, 0
    while True:
        runs += 1
        if rng.random() < no_verdict:
            continue
        fails = rng.random() < rates[present]
        evidence.add(present, failed=fails, passed=not fails)
        belief = believe(evidence)
        suspects = belief.suspects(evidence)
        if suspects.probability >= confidence or runs >= RUNS_MAX:
            return suspects.versions, runs
        present = next_version(evidence, belief, present)


def measured(case: str, trials: int, seed: int):
    """Return how often the flake-aware and the plain bisection are right, and the runs of the first."""
    rng, right, runs, plain = substream(seed, case), 0, [], 0
    for trial in range(trials):
        rates, answer = CASES[case](rng)
        named, spent = aware(rates, rng, no_verdict=NO_VERDICT.get(case, 0.0))
        right += named == answer
        runs.append(spent)
        plain += (plain_bisection(rates, trial),) == answer
    return right, runs, plain


def share(count: int, trials: int) -> str:
    low, high = wilson(count, trials)
    return f"{count / trials:.3f} [{low:.3f}, {high:.3f}]"


def replayed(seed: int) -> bool:
    """Return whether git names the right commit in a repository, with a replay as its test."""
    with tempfile.TemporaryDirectory() as folder:
        made = make(STORIES[seed % len(STORIES)], Path(folder, "repository"), seed=seed)
        command = (sys.executable, "-B", "-m", "scenarios.lab.commands", "replay", "--bisect")
        return git_bisect_run(made, (*command, str(made.finding))) == made.commits[made.culprit]


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--repositories", type=int, default=20)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--case", choices=CASES, action="append")
    args = parser.parse_args()
    right = 0
    for done in range(args.repositories):
        right += replayed(done)
        say(f"git bisect run heisenlab replay --bisect: right in {right} of {done + 1}")
    if not args.trials:
        return
    say("rate of the bad versions | flake-aware right | runs | plain right")
    for case in args.case or CASES:
        right, runs, plain = measured(case, args.trials, args.seed)
        aware_right, plain_right = share(right, args.trials), share(plain, args.trials)
        say(f"{case} | {aware_right} | {statistics.mean(runs):.0f} | {plain_right}")


if __name__ == "__main__":
    main()
