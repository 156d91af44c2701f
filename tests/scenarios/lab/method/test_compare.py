import dataclasses
import json
import math

import pytest

from scenarios.lab.method.campaign import Processes
from scenarios.lab.method.compare import Kind, compare
from simulations.choices import exhaustive, random
from simulations.errors import LabError
from simulations.intervals import runs_needed, wilson
from tests.scenarios.lab import toy
from tests.scenarios.lab.toy import SCENARIO

SMALL = {"hunts": 12, "runs": 1200, "budget": 200}


@pytest.fixture(scope="module")
def serial():
    return compare(SCENARIO, **SMALL)


def row(comparison, name):
    return next(each for each in comparison.rows if each.searcher == name)


def test_a_scenario_of_another_distribution_is_compared_by_name(toy_installed, serial):
    assert compare("toy", **SMALL).rows[-1].needed == serial.rows[-1].needed


def test_the_figures_are_the_same_for_any_number_of_workers(serial):
    pooled = compare(SCENARIO, **SMALL, pool=Processes(2))
    assert pooled.digest == serial.digest
    for one, other in zip(serial.rows, pooled.rows, strict=True):
        times = {"cpu_s": None, "minimising_cpu_s": None}
        assert dataclasses.replace(one, **times) == dataclasses.replace(other, **times)


@pytest.mark.parametrize("cut", [1, 3, 6])
def test_a_comparison_goes_on_where_it_was_interrupted(tmp_path, serial, cut):
    def interrupts(done, total):
        if done == cut:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(SCENARIO, **SMALL, state=tmp_path / "state", watch=interrupts)
    assert compare(SCENARIO, **SMALL, state=tmp_path / "state").digest == serial.digest


def test_another_seed_gives_other_figures(serial):
    assert compare(SCENARIO, **SMALL, seed=1000).digest != serial.digest


def test_what_goes_in_order_is_certain_and_counted_to_the_run(serial):
    in_order = row(serial, "exhaustive")
    upto = 0
    for k in (0, 1):
        for errands in SCENARIO.ladder:
            for stains in failures(errands, k):
                upto += 1
                if stains:
                    assert (in_order.kind, in_order.needed.value) == (Kind.IN_ORDER, upto)
                    assert in_order.needed.exact
                    assert in_order.within.value == 1
                    return


def failures(errands, k):
    """Whether each run of a plan of k deviations fails."""
    office = SCENARIO.variant().system
    runs = exhaustive(lambda chooser: toy.run(office, errands, chooser), k)
    return [ran.result.stains > 0 for ran in runs if len(ran.chooser.plan) == k]


def test_independent_runs_are_one_fixed_number_and_everything_follows_from_their_rate(serial):
    drawn = row(serial, "random")
    assert (drawn.kind, drawn.runs, drawn.hunts) == (Kind.INDEPENDENT, 1200, 0)
    assert (drawn.rate.low, drawn.rate.high) == wilson(drawn.found, 1200)
    assert drawn.needed.value == runs_needed(drawn.found / 1200)
    assert drawn.needed.high == runs_needed(drawn.rate.low)
    assert drawn.within.value == pytest.approx(1 - (1 - drawn.rate.value) ** 200)
    assert drawn.share_by(1) == pytest.approx(drawn.rate.value)


def test_the_rate_is_that_of_the_noise_model(serial):
    # b spills at each step from 1 on with 0.1; the ladder has 0 to 4 steps. False alarm: 1 in 10,000.
    exact = sum(1 - 0.9 ** max(0, steps - 1) for steps in range(5)) / 5
    sigma = math.sqrt(exact * (1 - exact) / 1200)
    assert abs(row(serial, "random").rate.value - exact) < 4 * sigma
    assert row(serial, "random").drawn_by == "noise model 'clumsy'"


@pytest.mark.parametrize("searcher", ["hypothesis", "plain"])
def test_a_hunt_counts_once_and_all_are_minimised_to_the_least_plan(serial, searcher):
    hunted = row(serial, searcher)
    assert (hunted.kind, hunted.hunts, hunted.found) == (Kind.HUNTS, 12, 12)
    assert (hunted.within.value, hunted.least) == (1, 1)
    assert hunted.within.low == pytest.approx(wilson(12, 12)[0])
    assert [step.runs for step in hunted.curve] == sorted({step.runs for step in hunted.curve})
    assert hunted.curve[-1].share == pytest.approx(1)
    assert math.isinf(hunted.needed.high)  # twelve hunts cannot show that 95 % find it


@pytest.fixture(scope="module")
def clean():
    return compare(SCENARIO, "fixed", hunts=4, runs=1200, budget=60)


class TestACleanVariant:
    def test_0_of_n_runs_excludes_a_rate(self, clean):
        rate = row(clean, "random").rate
        assert (rate.value, rate.low, rate.high) == (0, 0, pytest.approx(1 - 0.05 ** (1 / 1200)))

    def test_0_of_n_hunts_excludes_a_probability_of_detection(self, clean):
        within = row(clean, "plain").within
        assert (within.value, within.high) == (0, pytest.approx(1 - 0.05 ** (1 / 4)))

    def test_what_was_gone_through_is_a_proof(self, clean):
        assert row(clean, "exhaustive").exhausted
        beyond = compare(SCENARIO, "fixed", searchers=["exhaustive"], deviations=9)
        assert not row(beyond, "exhaustive").exhausted

    def test_it_is_json(self, clean):
        data = json.loads(json.dumps(clean.to_json(), allow_nan=False))
        assert data["digest"] == clean.digest
        assert data["rows"][0]["needed"] == {"value": None, "low": None, "high": None}


def test_a_searcher_that_has_nothing_more_to_propose_never_finds_it():
    silent = toy.with_run(lambda _system, _given, _chooser: toy.Day(toy.Trace(), 0, 0))
    (hunted,) = compare(silent, searchers=["hypothesis"], hunts=3, budget=100).rows
    assert (hunted.found, hunted.curve) == (0, ())
    assert hunted.runs < 3 * 100


def test_drivers_and_a_stress_test_of_the_scenario_stand_beside_the_others():
    own = dataclasses.replace(
        SCENARIO,
        drivers={"half": lambda seed: random(dataclasses.replace(SCENARIO.noise, rates={"*": 0.5}), seed)},
        stress=lambda runs: (2, runs - 1),
    )
    comparison = compare(own, searchers=["half", "stress"], runs=300)
    driven, stressed = comparison.rows
    assert (driven.drawn_by, driven.runs, driven.found > 100) == ("driver 'half'", 300, True)
    assert (stressed.kind, stressed.runs, stressed.found) == (Kind.UNCONTROLLED, 299, 2)
    luckier = dataclasses.replace(own, stress=lambda runs: (5, runs))
    other = compare(luckier, searchers=["half", "stress"], runs=300)
    assert other.digest == comparison.digest
    with pytest.raises(LabError, match="there is no stress test of toy / fixed"):
        compare(own, "fixed", searchers=["stress"])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"budget": 0}, "budget is a whole number from 1"),
        ({"hunts": 0}, "hunts is a whole number from 1"),
        ({"runs": 0}, "runs is a whole number from 1"),
        ({"seed": -1}, "seed is a whole number from 0"),
        ({"searchers": []}, "no searcher to compare"),
        ({"searchers": ["luck"]}, "no searcher 'luck'; there are hypothesis, random, plain, exhaustive"),
        ({"searchers": ["stress"]}, "no stress test of toy"),
        ({"variant": "fix"}, "toy has no variant 'fix'"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, says):
    with pytest.raises(LabError, match=says):
        compare(SCENARIO, **options)


def test_a_scenario_that_other_processes_cannot_import_needs_no_pool():
    with pytest.raises(LabError, match="cannot be imported by other processes"):
        compare(toy.with_run(toy.run), pool=Processes(2))
