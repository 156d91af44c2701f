import dataclasses
import json
from itertools import combinations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.lab.hunt import hunt
from scenarios.lab.method.isolate import Outcome, isolate
from scenarios.lab.method.isolate_finding import isolate_finding
from scenarios.lab.method.sequential import Rates, sequential_test
from simulations.errors import LabError
from tests.scenarios.lab import toy
from tests.scenarios.lab.toy import SCENARIO

FACTORS = ["a", "b", "c", "d", "e", "f"]


def fails_with(causes, signature="bug"):
    return lambda present: signature if any(cause <= present for cause in causes) else None


def minimal(sets):
    return {each for each in sets if not any(other < each for other in sets)}


CAUSES = st.lists(
    st.frozensets(st.sampled_from(FACTORS), min_size=1, max_size=4), min_size=1, max_size=3
).map(minimal)


@settings(deadline=None)
@given(CAUSES, st.booleans())
def test_every_independent_cause_is_named_and_nothing_else(causes, expensive):
    result = isolate(FACTORS, fails_with(causes), deterministic=True, expensive=expensive)
    assert (set(result.causes), result.complete) == (causes, True)
    assert result.runs == 2 + sum(each.runs for each in result.experiments) or expensive


@pytest.mark.parametrize("size", [1, 2, 3])
def test_one_cause_takes_one_run_for_each_factor_and_one_for_the_named_set_alone(size):
    for cause in combinations(FACTORS, size):
        result = isolate(FACTORS, fails_with([frozenset(cause)]), deterministic=True)
        assert result.causes == (frozenset(cause),)
        assert result.runs == 2 + len(FACTORS) + 1
        assert [each.confirmed for each in result.experiments] == [
            *(each in cause for each in FACTORS),
            True,
        ]


def test_the_signature_is_that_of_the_first_failure_with_everything_in_place():
    assert (
        isolate(FACTORS, fails_with([frozenset("ab")], "SIGKILL"), deterministic=True).signature == "SIGKILL"
    )


def test_another_failure_is_not_the_failure():
    def run(present):
        return "bug" if {"a", "b"} <= present else "out of memory" if "c" in present else None

    result = isolate(FACTORS, run, deterministic=True)
    assert result.causes == (frozenset("ab"),)


def flaky(causes, rate, other, seed, unrelated="bug"):
    rng = Random(seed)

    def run(present):
        if any(cause <= present for cause in causes) and rng.random() < rate:
            return "bug"
        return unrelated if rng.random() < other else None

    return run


def test_a_flaky_cause_is_named_too_and_the_rates_with_it():
    # Fixed seeds; the share that is right, and how many runs it takes, is measured in tests/quality.
    right = 0
    for seed in range(20):
        result = isolate(FACTORS, flaky([frozenset("ade")], 0.9, 0.02, seed), signature="bug")
        right += result.causes == (frozenset("ade"),)
        assert result.with_cause > 0.6
        assert result.without < 0.3
    assert right >= 19


def test_an_unrelated_failure_says_nothing_and_costs_a_run():
    run = flaky([frozenset("ad")], 0.95, 0.4, 1, unrelated="disk full")
    result = isolate(FACTORS, run, signature="bug")
    assert result.causes == (frozenset("ad"),)


def test_what_the_assumption_of_the_expensive_search_does_not_hold_is_found_all_the_same():
    """Four factors are more than it considers: the named set does not fail on its own, and so is not said."""
    result = isolate(FACTORS, fails_with([frozenset("abcd")]), deterministic=True, expensive=True)
    assert result.causes == (frozenset("abcd"),)


def test_the_expensive_search_copes_with_a_flaky_job():
    right = 0
    for seed in range(5):
        run = flaky([frozenset("bf")], 0.9, 0.02, seed)
        right += isolate(FACTORS, run, expensive=True).causes == (frozenset("bf"),)
    assert right == 5  # fixed seeds


@pytest.mark.parametrize("end", ["never", "always", "flaky alike"])
def test_where_the_ends_do_not_differ_there_is_nothing_to_look_for(end):
    rng = Random(0)
    run = {
        "never": lambda _: None,
        "always": lambda _: "bug",
        "flaky alike": lambda _: "bug" if rng.random() < 0.5 else None,
    }[end]
    for deterministic in (True, False):
        if end != "flaky alike" or not deterministic:
            with pytest.raises(LabError, match="no difference to look for"):
                isolate(FACTORS, run, signature="bug", deterministic=deterministic)


@pytest.mark.parametrize(
    ("factors", "options", "says"),
    [
        ([], {}, "one or more different names"),
        (["a", "a"], {}, "one or more different names"),
        (FACTORS, {"error": 0.5}, "error is above 0 and below 0.5"),
        (FACTORS, {"runs_max": 0}, "runs_max is from 1"),
        (FACTORS, {"runs_max": 5}, "5 runs were not enough"),
        (FACTORS, {"rates": (0.1, 0.9)}, "the first the larger one"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(factors, options, says):
    with pytest.raises(LabError, match=says):
        isolate(factors, fails_with([frozenset("a")]), **options)


def test_it_is_json():
    result = isolate(FACTORS, fails_with([frozenset("ba")]), deterministic=True)
    data = json.loads(json.dumps(result.to_json()))
    assert data["causes"] == [["a", "b"]]
    assert data["experiments"][0]["outcome"] == Outcome.PASSES.value


@pytest.mark.parametrize(("rate", "fails"), [(0.9, True), (0.02, False)])
def test_the_sequential_test_keeps_its_error_rate(rate, fails):
    # H0: it errs at most once in 100, Wald's bound. 12 or more of 400 are a false alarm once in 1,000.
    rates = Rates()
    rates.count(with_cause=True, failed=900, runs=1000)
    rates.count(with_cause=False, failed=20, runs=1000)
    rng = Random(1)
    wrong = sum(
        sequential_test(lambda: rng.random() < rate, rates, error=0.01).fails is not fails for _ in range(400)
    )
    assert wrong < 12


def test_a_test_that_cannot_be_decided_ends_and_says_so():
    tested = sequential_test(lambda: None, Rates(), error=0.01, runs_max=4)
    assert (tested.runs, tested.decided) == (4, False)


class TestAFinding:
    @pytest.fixture
    def finding(self, toy_installed):
        return hunt(SCENARIO, searcher="exhaustive", verify=False).finding

    def test_deviation_input_variant_and_environment_are_told_apart(self, finding):
        result = isolate_finding(finding)
        assert result.factors == (
            "b spills at step 1",
            "input steps=2",
            "variant as-shipped",
            "this interpreter",
        )
        assert result.causes == (frozenset(result.factors[:3]),)
        assert [each.change for each in result.experiments] == [
            "without it",
            "input steps=1 instead",
            "variant fixed instead",
            "a fresh interpreter with another hash seed instead",
            "all others away",
        ]

    def test_what_does_not_matter_is_rejected(self, finding):
        plan = dataclasses.replace(
            finding, input={"steps": 3}, plan=type(finding.plan)([*finding.plan, ("a.cup", 0, 1)])
        )
        result = isolate_finding(plan)
        assert "a spills at step 0" in result.factors
        assert "a spills at step 0" not in result.causes[0]

    def test_two_deviations_of_which_either_is_enough_are_two_causes(self, finding):
        local = toy.with_run(toy.run)
        either = dataclasses.replace(
            finding, input={"steps": 3}, plan=type(finding.plan)([("b.cup", 1, 1), ("b.cup", 2, 2)])
        )
        causes = isolate_finding(either, local).causes
        assert {frozenset(each for each in cause if each.startswith("b ")) for cause in causes} == {
            frozenset({"b spills at step 1"}),
            frozenset({"b drops it at step 2"}),
        }

    def test_of_a_scenario_that_cannot_be_imported_the_environment_is_left_out(self):
        local = toy.with_run(toy.run)
        found = hunt(local, searcher="exhaustive", verify=False).finding
        assert "this interpreter" not in isolate_finding(found, local).factors

    def test_a_finding_of_another_scenario_is_refused(self, finding):
        with pytest.raises(LabError, match="the finding is of the scenario toy, not of other"):
            isolate_finding(finding, dataclasses.replace(SCENARIO, name="other"))


def other_failure_without(factor, causes):
    """A job that cannot run at all without one factor, and fails in another way."""

    def run(present):
        if factor not in present:
            return "cannot start"
        return "bug" if any(cause <= present for cause in causes) else None

    return run


@pytest.mark.parametrize("options", [{"deterministic": True}, {"rates": (0.9, 0.02)}])
def test_another_failure_in_place_of_the_one_in_question_decides_nothing(options):
    factors = [f"f{number}" for number in range(6)]
    run = other_failure_without("f5", [{"f0", "f1"}])
    result = isolate(factors, run, signature="bug", **options)
    assert result.causes == (frozenset({"f0", "f1", "f5"}),)
    assert not result.complete
    assert [each.hypothesis for each in result.experiments if not each.decided] == ["needed: f5"]
    assert result.runs < 60
    said = " ".join(result.conclusions())
    assert "Not decided" in said
    assert "needed: f5 (without it)" in said
    assert "no other cause" not in said


def test_a_job_that_never_tells_without_the_factors_is_refused_with_the_reason():
    with pytest.raises(LabError, match="leave out the factors without which it cannot run"):
        isolate(["a", "b"], lambda present: "bug" if present == {"a", "b"} else "no config")


def test_what_a_job_raises_comes_with_the_factors_that_were_away():
    def run(present):
        if "b" not in present:
            raise RuntimeError("boom")
        return "bug" if "a" in present else None

    with pytest.raises(RuntimeError, match="boom") as raised:
        isolate(["a", "b"], run, deterministic=True)
    assert "without: a; b" in raised.value.__notes__[0]


@given(st.lists(st.frozensets(st.sampled_from("abcdef"), min_size=1, max_size=3), min_size=1, max_size=3))
def test_no_cause_holds_another(causes):
    result = isolate(list("abcdef"), lambda present: "bug" if any(c <= present for c in causes) else None)
    assert not any(one < other for one in result.causes for other in result.causes)
    assert "text/html" in result._repr_mimebundle_()
