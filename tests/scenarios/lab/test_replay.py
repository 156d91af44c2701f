import dataclasses

import pytest

from scenarios.lab import replay as replay_module
from scenarios.lab.hunt import hunt
from scenarios.lab.replay import bisect_verdict, replay
from simulations.choices import Deviation, Plan
from simulations.errors import LabError, PlanError
from tests.scenarios.lab import toy
from tests.scenarios.lab.toy import SCENARIO, Office


@pytest.fixture(scope="module")
def finding():
    return hunt(SCENARIO, verify=False).finding


def version(**changes):
    """The toy as another version of its code would have it."""
    variant = dataclasses.replace(SCENARIO.variant(), system=Office(**changes))
    return dataclasses.replace(SCENARIO, variants=(variant, *SCENARIO.variants[1:]))


def test_of_the_same_code_is_identical(finding):
    result = replay(finding, SCENARIO)
    assert (result.result, result.digest, result.changed) == ("identical", finding.digest, [])


def test_of_repaired_code_holds_and_says_what_changed_in_the_fingerprint(finding):
    before = {**finding.fingerprint, "python": "3.11.0", "versions": {"simpy": "4.0"}}
    result = replay(dataclasses.replace(finding, fingerprint=before), version(spills_matter=False))
    assert result.result == "holds"
    assert any(line.startswith("python: was 3.11.0, is ") for line in result.changed)
    assert any(line.startswith("versions.simpy: was 4.0, is ") for line in result.changed)
    assert not any(line.startswith("paths") for line in result.changed)


def test_with_another_trace_differs(finding):
    def chatty(system, errands, chooser):
        day = toy.run(system, errands, chooser)
        day.trace.record(9, "radio", "plays")
        return day

    result = replay(finding, toy.with_run(chatty))
    assert result.result == "differs"
    assert result.outcome.failure.by == finding.by


def test_of_a_plan_that_does_not_fit_names_what_does_not(finding):
    other = dataclasses.replace(finding, plan=Plan([Deviation("d.cup", 0, 1)]))
    with pytest.raises(PlanError, match=r"d\.cup at occurrence 0, .*the run asked a\.cup, b\.cup, c\.cup"):
        replay(other, SCENARIO)


def test_of_a_scenario_or_variant_that_is_gone_says_so(finding):
    with pytest.raises(LabError, match="no scenario 'toy'"):
        replay(finding)
    with pytest.raises(LabError, match="no variant 'old'"):
        replay(dataclasses.replace(finding, variant="old"), SCENARIO)


class TestBisect:
    def test_finds_the_plan_as_it_stands(self, finding):
        assert bisect_verdict(finding, SCENARIO) == (True, 1)

    def test_searches_around_a_plan_whose_keys_have_moved(self, finding):
        def renamed(system, errands, chooser):
            class Renaming:
                def pick(self, label, options, *, forced=False):
                    return chooser.pick(label.replace("cup", "mug"), options, forced=forced)

                def at(self, time):
                    chooser.at(time)

            return toy.run(system, errands, Renaming())

        found, runs = bisect_verdict(finding, toy.with_run(renamed))
        assert found
        assert runs > 1

    def test_calls_a_repaired_version_clean(self, finding):
        found, runs = bisect_verdict(finding, version(spills_matter=False))
        assert not found
        assert runs == 1 + 1 + 6 * 2  # the plan, nothing, and each cup of the two steps twice

    def test_does_not_take_another_propertys_failure_for_the_bug(self, finding):
        alarmed = dataclasses.replace(finding, variant="alarmed")
        assert bisect_verdict(alarmed, SCENARIO)[0] is False

    def test_stops_at_its_bound(self, finding, monkeypatch):
        monkeypatch.setattr(replay_module, "BISECT_RUNS_MAX", 5)
        assert bisect_verdict(finding, version(spills_matter=False)) == (False, 5)
