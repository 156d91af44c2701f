"""The Markov chain and the simulated machine, held against each other with a known rate of false alarms.

Null hypothesis of each test: the mean life of simulated processors is the exact mean. It is rejected where
the sample mean lies more than 3.9 standard errors away, which for so many runs happens to 1 in 10,000 true
hypotheses; the seeds are fixed, so a test that passes once passes always.
"""

from fractions import Fraction
from math import sqrt
from statistics import fmean, stdev

import pytest

from simulations.choices import random
from simulations.mode_machine.analysis import (
    mean_clocks_to_hang,
    mean_clocks_to_wrong_mode,
    metastable_unused,
    simulated_clocks_to_hang,
)
from simulations.mode_machine.encodings import GRAY, NATURAL, ONE_HOT, PARITY, SPREAD, Encoding
from simulations.mode_machine.environment import UNSYNCHRONISED, noise_model
from simulations.mode_machine.system import run
from simulations.mode_machine.variants import System
from simulations.mode_machine.workload import typical_workload

RUNS = 3_000
Z = 3.9
WITHOUT_ZERO = Encoding("without 000", 3, (1, 2, 3, 4, 5))

CASES = [
    (NATURAL, "hold", Fraction(1, 20)),
    (NATURAL, "raise", Fraction(1, 5)),
    (GRAY, "hold", Fraction(1, 20)),
    (SPREAD, "hold", Fraction(1, 20)),
    (ONE_HOT, "hold", Fraction(1, 50)),
    (PARITY, "hold", Fraction(1, 50)),
    (WITHOUT_ZERO, "dont_care", Fraction(1, 20)),
]


@pytest.mark.parametrize(
    ("encoding", "unused", "p"), CASES, ids=lambda value: str(getattr(value, "name", value))
)
def test_simulated_lives_have_the_exact_mean(encoding, unused, p):
    lives = simulated_clocks_to_hang(encoding, unused, p, runs=RUNS, seed=2)
    mean, exact = fmean(lives), float(mean_clocks_to_hang(encoding, unused, p))
    assert abs(mean - exact) <= Z * stdev(lives) / sqrt(RUNS), f"{mean:.2f} simulated, {exact:.2f} exact"


def test_the_test_would_notice_another_model():
    # The same lives against the chain of another noise: the power that the test above has.
    lives = simulated_clocks_to_hang(NATURAL, "hold", Fraction(1, 20), runs=RUNS, seed=2)
    other = float(mean_clocks_to_hang(NATURAL, "hold", Fraction(1, 15)))
    assert abs(fmean(lives) - other) > Z * stdev(lives) / sqrt(RUNS)


def test_simulated_times_to_a_silent_wrong_mode_have_the_exact_mean():
    p = Fraction(1, 20)
    system = System(unused="recover", processors=1, noise=("upset",))
    noise = noise_model("upsets", upset=p)
    times = []
    for seed in range(2_000):
        workload = typical_workload(clocks=250, seed=seed, processors=1)
        wrong = run(system, workload, random(noise, seed), trace=False).first("wrong mode")
        assert wrong is not None, "a run is too short to be counted; make it longer"
        times.append(wrong.clock + 1)
    exact = float(mean_clocks_to_wrong_mode(NATURAL, "recover", p))
    assert abs(fmean(times) - exact) <= Z * stdev(times) / sqrt(len(times)), f"{fmean(times)}, {exact}"


def test_unsynchronised_commands_alone_end_in_an_unused_code():
    # No upset, no glitch. The chance of one mode change is known exactly; a day's work makes it a certainty.
    assert metastable_unused(NATURAL) == Fraction(3, 26)
    system = System(processors=1, noise=("metastable",))
    lost = sum(
        run(
            system,
            typical_workload(clocks=200, seed=seed, processors=1),
            random(UNSYNCHRONISED, seed),
            trace=False,
        ).first("unused code")
        is not None
        for seed in range(100)
    )
    assert lost == 100
