"""What a lesson does with a bug says the same as the engine."""

import pytest

import scenarios
from scenarios.lab.teaching import lesson
from scenarios.lab.verdict import Verdict
from simulations.choices import Deviation, Plan
from simulations.drawing.sheet import sheet_text
from simulations.errors import LabError, PlanError

PAUSE = ("reader after database.read", 0, 1)


@pytest.fixture(scope="module")
def bug():
    return scenarios.get("stale-cache")


@pytest.fixture(scope="module")
def found(bug):
    return bug.hunt(verify=False).finding


def test_a_finding_a_plan_and_deviations_are_played_alike(bug, found):
    played = [
        lesson.play(bug, found),
        lesson.play(bug, found.plan, given=bug.ladder[1]),
        lesson.play(bug, [PAUSE, ("nobody", 7, 1)], given=bug.ladder[1]),
    ]
    assert {run.trace.digest() for run in played} == {found.digest}


def test_without_a_plan_nothing_unusual_happens(bug):
    assert lesson.play(bug).trace.digest() == lesson.play(bug, Plan([])).trace.digest()
    assert lesson.play(bug, given=bug.ladder[0]).workload == bug.ladder[0]


def test_a_plan_that_does_not_fit_is_refused(bug, found):
    with pytest.raises(PlanError):
        lesson.play(bug, Plan([Deviation("nobody", 0, 1)]))
    with pytest.raises(LabError, match="the finding is of stale-cache, not of invalid-mode"):
        lesson.play(scenarios.get("invalid-mode"), found)


def test_folk_fixes_are_broken_and_fixes_proved(bug):
    broken, proved = lesson.break_folk_fixes(bug), lesson.prove_fixes(bug)
    assert {hunt.verdict for hunt in broken.hunts.values()} == {Verdict.FOUND}
    assert {hunt.verdict for hunt in proved.hunts.values()} == {Verdict.EXHAUSTED}
    named = {variant.name for variant in bug.variants if variant.kind != "as shipped"}
    assert {*broken.hunts, *proved.hunts} == named
    text = sheet_text(broken.sheet())
    for name, hunt in broken.hunts.items():
        assert f"✗ {name}" in text
        assert hunt.finding.plan_in_words in text
    assert "✓ leases" in sheet_text(proved.sheet())
    assert repr(broken).startswith("<Repairs of stale-cache: lock-around-fill: found, ")
