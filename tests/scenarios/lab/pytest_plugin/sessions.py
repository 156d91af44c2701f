"""The test files that the sessions run, and how they load the plugin."""

EACH = """
import pytest

@pytest.mark.bug("toy")
def test_each(lab, variant):
    lab.check(variant)
"""

PLUGIN = ("-p", "scenarios.lab.pytest_plugin", "-W", "error", "-o", "strict=true")

DEMONSTRATIONS = """
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.scenarios.lab.toy import Day, nobody_is_alarmed, nothing_is_stained

stains = pytest.mark.bug("toy", finds="nothing_is_stained")
quick = settings(database=None, deadline=None, derandomize=True)

@stains
def test_plain():
    nothing_is_stained(Day(None, 1, 0))

@stains
@quick
@given(st.integers(0, 9))
def test_given(stains):
    nothing_is_stained(Day(None, max(0, stains - 3), 0))

@stains
@quick
@given(st.integers(0, 9))
def test_two_failures_of_the_property(stains):
    if stains > 5:
        nothing_is_stained(Day(None, stains, 0))
    if stains > 2:
        nothing_is_stained(Day(None, stains, 0))

class Office(RuleBasedStateMachine):
    stains = 0

    @rule()
    def spill(self):
        self.stains += 1

    @invariant()
    def clean(self):
        nothing_is_stained(Day(None, max(0, self.stains - 2), 0))

TestMachine = Office.TestCase
TestMachine.settings = quick
TestMachine.pytestmark = [stains]

@stains
def test_wrong_other_property():
    nobody_is_alarmed(Day(None, 0, 1))

@stains
def test_wrong_assertion_outside_the_property():
    assert 0, "1 stains"

@stains
@quick
@given(st.integers(0, 9))
def test_wrong_two_failures_of_which_one_is_another(stains):
    if stains > 5:
        nothing_is_stained(Day(None, stains, 0))
    if stains > 2:
        nobody_is_alarmed(Day(None, stains, 1))

@stains
def test_wrong_no_failure():
    nothing_is_stained(Day(None, 0, 0))

seen = []

@stains
@quick
@given(st.integers(0, 9))
def test_wrong_flaky(stains):
    seen.append(stains)
    nothing_is_stained(Day(None, int(len(seen) == 3), 0))

@stains
@quick
@given(st.integers().filter(lambda number: False))
def test_wrong_health_check(stains):
    nothing_is_stained(Day(None, 1, 0))

@stains
def test_wrong_error():
    raise TypeError("a bug in the world")

@stains
def test_wrong_exit():
    raise SystemExit(0)

@stains
def test_skipped():
    pytest.skip("for a reason")
"""
