import dataclasses
import json
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import FailedHealthCheck

from scenarios.lab.commands import main
from scenarios.lab.execution import execute, in_words
from scenarios.lab.finding import load
from scenarios.lab.hunt import hunt
from scenarios.lab.searchers import Tally
from scenarios.lab.verdict import NOTHING, Coverage, Minimality, Verdict
from scenarios.lab.verify import FRESH, IN_PROCESS, NOT_YET
from simulations import choices
from simulations.choices import Plan
from simulations.errors import LabError, NondeterminismError
from tests.scenarios.lab import toy
from tests.scenarios.lab.toy import SCENARIO, Errands

SEARCHERS = ["hypothesis", "random", "plain", "exhaustive"]


@pytest.mark.parametrize("searcher", SEARCHERS)
@pytest.mark.parametrize("variant", ["as-shipped", "twice", "alarmed"])
def test_a_bug_is_found_and_minimised_to_the_documented_least_plan(searcher, variant):
    for seed in range(5):
        result = hunt(SCENARIO, variant, searcher=searcher, seed=seed, verify=False, budget=20_000)
        expect = SCENARIO.variant(variant).expect
        assert result.verdict == "found"
        assert result.finding.plan == expect.least
        assert result.finding.by == expect.by
        assert result.finding.minimality == "least"
        assert 1 <= result.search_runs <= result.budget


def test_the_least_input_of_the_ladder_is_found_with_the_least_plan():
    assert hunt(SCENARIO, verify=False).finding.input == {"steps": 2}
    assert hunt(SCENARIO, "twice", verify=False).finding.input == {"steps": 3}


def test_the_plan_is_said_in_the_words_of_the_world():
    finding = hunt(SCENARIO, verify=False).finding
    assert finding.plan_in_words == "everything nominal, except: b spills at step 1"


def test_searching_and_minimising_are_counted_apart():
    watched = []
    result = hunt(SCENARIO, verify=False, watch=lambda tally: watched.append((tally.phase, tally.runs)))
    assert watched[: result.search_runs] == [("search", 1 + run) for run in range(result.search_runs)]
    assert len(watched) == result.search_runs + result.minimising_runs
    assert watched[-1] == ("minimise", result.minimising_runs)


def test_an_exhaustive_search_that_finds_needs_no_minimising():
    result = hunt(SCENARIO, searcher="exhaustive", verify=False)
    assert result.minimising_runs == 0
    assert result.finding.minimality == "least"


def test_a_fix_is_exhausted_and_says_what_that_covers():
    result = hunt(SCENARIO, "fixed", searcher="exhaustive")
    assert result.verdict == "exhausted"
    assert "every plan of at most 2 deviations" in result.says
    assert "6 labels" in result.says
    assert "all 5 inputs up to Errands(steps=4)" in result.says
    plans = sum(
        len(list(choices.exhaustive(lambda chooser, s=steps: toy.run(toy.Office(), Errands(s), chooser), 2)))
        for steps in range(5)
    )
    assert result.search_runs == plans  # each plan was run once
    assert result.finding is None
    assert result.rate_below is None


def test_an_exhaustive_search_without_budget_gives_up():
    result = hunt(SCENARIO, "fixed", searcher="exhaustive", budget=20)
    assert (result.verdict, result.search_runs) == ("gave up", 20)


def test_random_search_that_gives_up_says_what_that_proves():
    result = hunt(SCENARIO, "fixed", searcher="random", budget=600)
    assert (result.verdict, result.rate_below) == ("gave up", pytest.approx(1 - 0.05 ** (1 / 600)))
    assert "below 0.005 with 95 % confidence" in result.says


def test_hypothesis_that_gives_up_claims_no_rate():
    result = hunt(SCENARIO, "fixed", budget=60)
    assert (result.verdict, result.rate_below) == ("gave up", None)
    assert result.says == f"nothing found in {result.search_runs} runs"


def test_a_world_that_asks_nothing_ends_the_search_early():
    silent = toy.with_run(lambda _system, _given, _chooser: toy.Day(toy.Trace(), 0, 0))
    assert hunt(silent).verdict == "gave up"


def test_a_nominal_failure_is_found_with_the_empty_plan():
    always = toy.with_run(lambda _system, _given, _chooser: toy.Day(toy.Trace(), 1, 0))
    for searcher in SEARCHERS:
        finding = hunt(always, searcher=searcher).finding
        assert finding.plan == Plan()
        assert finding.plan_in_words == "everything nominal"


class TestVerification:
    def test_is_by_two_fresh_interpreters(self):
        assert hunt(SCENARIO).finding.verified == FRESH

    def test_of_a_scenario_that_cannot_be_imported_is_in_process_and_says_so(self):
        local = toy.with_run(toy.run)
        assert hunt(local).finding.verified == IN_PROCESS

    def test_can_be_put_off(self):
        assert hunt(SCENARIO, verify=False).finding.verified == NOT_YET

    def test_catches_a_world_whose_trace_depends_on_something_else(self):
        runs = []

        def drifting(system, errands, chooser):
            runs.append(1)
            day = toy.run(system, errands, chooser)
            day.trace.record(0, "clock", "reads", len(runs))
            return day

        with pytest.raises(NondeterminismError, match="does not replay in this process"):
            hunt(toy.with_run(drifting))


class TestOnlyAPropertysOwnFailureIsABug:
    """Whatever else ends a run leaves the hunt as what it is: never as found, never as holds."""

    @pytest.mark.parametrize("searcher", SEARCHERS)
    def test_an_error_in_the_worlds_own_code(self, searcher):
        with pytest.raises(TypeError, match="a bug in the world's own code") as caught:
            hunt(SCENARIO, "broken", searcher=searcher)
        assert "raised by the world of toy itself, not by a property" in caught.value.__notes__[0]

    @pytest.mark.parametrize("searcher", SEARCHERS)
    def test_an_assertion_in_the_worlds_own_code(self, searcher):
        def asserts(system, errands, chooser):
            assert not chooser.pick("a.cup", (0, 1)), "not a property's"
            return toy.run(system, errands, chooser)

        with pytest.raises(AssertionError, match="not a property's"):
            hunt(toy.with_run(asserts), "fixed", searcher=searcher)

    @pytest.mark.parametrize("searcher", SEARCHERS)
    def test_an_error_in_a_property(self, searcher):
        def nothing_is_stained(day):
            raise KeyError("not an assertion")

        odd = dataclasses.replace(SCENARIO, properties=(nothing_is_stained, toy.nobody_is_alarmed))
        with pytest.raises(KeyError) as caught:
            hunt(odd, searcher=searcher)
        assert "which may only assert" in caught.value.__notes__[0]

    @pytest.mark.parametrize("searcher", SEARCHERS)
    @pytest.mark.parametrize("leaving", [KeyboardInterrupt, SystemExit, pytest.fail.Exception, GeneratorExit])
    def test_an_interrupt_or_a_watchdog(self, searcher, leaving):
        def interrupted(system, errands, chooser):
            day = toy.run(system, errands, chooser)
            if chooser.plan:
                raise leaving("out of time")
            return day

        with pytest.raises(leaving):
            hunt(toy.with_run(interrupted), "fixed", searcher=searcher)

    def test_a_health_check_of_hypothesis(self):
        picky = dataclasses.replace(
            SCENARIO, inputs=lambda: st.integers().filter(lambda _: False).map(Errands)
        )
        with pytest.raises(FailedHealthCheck):
            hunt(picky, "fixed")

    def test_python_without_asserts_is_refused(self, tmp_path):
        import subprocess
        import sys

        code = "from tests.scenarios.lab.toy import SCENARIO; SCENARIO.hunt()"
        done = subprocess.run([sys.executable, "-O", "-c", code], capture_output=True, text=True)
        assert "removes asserts" in done.stderr


class TestInputs:
    """Hypothesis may draw inputs that are not on the ladder."""

    def test_a_failure_that_shows_on_the_ladder_is_least_there(self):
        wide = dataclasses.replace(SCENARIO, inputs=lambda: st.integers(20, 40).map(Errands))
        finding = hunt(wide, verify=False).finding
        assert (finding.minimality, finding.input) == ("least", {"steps": 2})

    def test_a_failure_that_does_not_is_shrunk_by_hypothesis_and_least_at_its_input(self):
        short = dataclasses.replace(
            SCENARIO, inputs=lambda: st.integers(0, 40).map(Errands), ladder=(Errands(0), Errands(1))
        )
        for seed in range(5):
            finding = hunt(short, seed=seed, verify=False).finding
            assert (finding.minimality, finding.input) == ("least at this input", {"steps": 2})
            assert finding.plan == SCENARIO.variant().expect.least

    def test_a_budget_that_is_too_small_for_the_ladder_is_admitted(self):
        finding = hunt(SCENARIO, "twice", verify=False, minimising_budget=400, seed=3).finding
        assert finding.minimality == "least over labels b.cup"
        tiny = hunt(SCENARIO, "twice", verify=False, minimising_budget=1, seed=3).finding
        assert tiny.minimality == "1-minimal"
        assert len(tiny.plan) == 2

    @settings(suppress_health_check=[HealthCheck.nested_given], max_examples=5, deadline=None)
    @given(st.integers(0, 3))
    def test_a_hunt_inside_a_given_test_works_when_that_test_allows_nesting(self, seed):
        assert hunt(SCENARIO, seed=seed, verify=False).verdict == "found"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"searcher": "luck"}, "no searcher 'luck'; there are hypothesis, random, plain, exhaustive"),
        ({"budget": 0}, "budget is a whole number from 1, not 0"),
        ({"budget": 2.5}, "budget is a whole number"),
        ({"seed": -1}, "seed is a whole number from 0"),
        ({"deviations": -1}, "deviations is a whole number from 0"),
        ({"minimising_budget": 0}, "minimising_budget is a whole number from 1"),
        ({"variant": "fix"}, "toy has no variant 'fix'; it has as-shipped, twice, alarmed"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, says):
    with pytest.raises(LabError, match=says):
        hunt(SCENARIO, **options)


def test_execution_judges_by_the_first_property_in_the_scenarios_order():
    plan = Plan([choices.Deviation("b.cup", 1, 1), choices.Deviation("b.alarm", 0, 1)])
    office = dataclasses.replace(SCENARIO.variant(), properties=None)
    outcome = execute(SCENARIO, office, Errands(2), choices.replay(plan))
    assert (outcome.failure.by, outcome.failure.message) == ("nothing_is_stained", "1 stains")
    assert in_words(SCENARIO, outcome.chooser).endswith("b spills at step 1; b raises the alarm at step 1")


class TestCoverage:
    def test_a_proof_covers_the_whole_ladder_up_to_the_bound(self):
        covered = hunt(SCENARIO, "fixed", searcher="exhaustive", deviations=1).coverage
        assert (covered.deviations, covered.inputs, covered.complete) == (1, SCENARIO.ladder, True)
        nominal = choices.nominal()
        SCENARIO.run(SCENARIO.variant("fixed").system, SCENARIO.ladder[-1], nominal)
        assert set(nominal.questions) <= set(covered.labels)

    def test_a_budget_that_ends_in_the_middle_leaves_what_was_gone_through(self):
        proof = hunt(SCENARIO, "fixed", searcher="exhaustive", deviations=1)
        stopped = hunt(SCENARIO, "fixed", searcher="exhaustive", deviations=2, budget=proof.search_runs + 1)
        assert stopped.verdict is Verdict.GAVE_UP
        assert stopped.coverage == dataclasses.replace(proof.coverage, complete=False)

    def test_a_bug_at_one_deviation_leaves_the_nominal_runs_covered(self):
        covered = hunt(SCENARIO, searcher="exhaustive", verify=False).coverage
        assert (covered.deviations, covered.complete) == (0, False)

    @pytest.mark.parametrize("searcher", ["hypothesis", "random", "plain"])
    def test_a_search_that_samples_covers_nothing(self, searcher):
        assert hunt(SCENARIO, "fixed", searcher=searcher, budget=50).coverage == NOTHING == Coverage()


@pytest.mark.parametrize("sense", Minimality)
def test_the_sense_in_which_a_finding_is_minimal_is_read_back_from_its_words(sense):
    labels = ("a b", "least, c") if sense is Minimality.LEAST_OVER_LABELS else ()
    assert Minimality.read(sense.in_words(labels)) is sense
    others = {Minimality.ONE_MINIMAL, Minimality.BY_HAND, Minimality.INTERRUPTED}
    assert sense.is_least == (sense not in others)


@pytest.mark.parametrize("text", ["", "leastwise", "least over", "2-minimal"])
def test_words_that_state_no_sense_are_refused(text):
    with pytest.raises(LabError, match=r"a finding is least, least at this input, .*, not"):
        Minimality.read(text)


def test_a_hunt_as_json_holds_plain_texts():
    flat = hunt(SCENARIO, verify=False).to_json()
    assert {type(flat[key]) for key in ("verdict", "minimality", "says", "searcher")} == {str}


def test_a_tally_starts_anew_with_each_phase():
    tally = Tally()
    tally.count()
    tally.start("minimise", 5)
    assert (tally.phase, tally.runs, tally.limit) == ("minimise", 0, 5)


class TestScenario:
    def test_must_have_what_its_variants_name(self):
        with pytest.raises(
            LabError, match="names the property no_such; the scenario has nobody_is_alarmed, no"
        ):
            dataclasses.replace(
                SCENARIO, variants=(dataclasses.replace(SCENARIO.variant(), properties=("no_such",)),)
            )

    def test_must_have_inputs_properties_and_variants(self):
        with pytest.raises(LabError, match="at least one input, one property and one variant"):
            dataclasses.replace(SCENARIO, ladder=())

    def test_must_not_have_two_variants_of_one_name(self):
        with pytest.raises(LabError, match="two variants of one name"):
            dataclasses.replace(SCENARIO, variants=(SCENARIO.variant(), SCENARIO.variant()))


@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("/nonexistent/python", "no fresh interpreter can be started: No such file or directory"),
        ("/dev/null", "no fresh interpreter can be started: Permission denied"),
        ("false", "a fresh interpreter could not replay (exit status 1): no output"),
    ],
)
def test_where_no_replay_is_possible_a_finding_is_not_lost(program, says, monkeypatch, tmp_path, capsys):
    """As for want of processes or memory, after a hunt of hours: it is printed and saved as not verified."""
    monkeypatch.setattr("scenarios.lab.verify.sys.executable", shutil.which(program) or program)
    saved = str(tmp_path / "out.json")
    assert main(["hunt", "truncated-pointer", "--searcher", "random", "-o", saved, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["verified"] == load(saved).verified == f"{NOT_YET}: {says}"
