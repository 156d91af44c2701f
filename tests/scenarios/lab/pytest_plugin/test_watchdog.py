"""What is no verdict stays none: each test runs a pytest session in a process of its own."""

import json
import os
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

_ROOT = str(Path(__file__).parents[4])

WORLDS = """
import dataclasses, signal, time
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from scenarios.lab.scenario import Exhausted
from tests.scenarios.lab.toy import SCENARIO, Day, Office, nothing_is_stained, run

def bug(world, name="toy"):
    return pytest.mark.bug(dataclasses.replace(SCENARIO, name=name, run=world))

def slow(office, errands, chooser):
    time.sleep(0.03)
    return run(Office(spills_matter=False), errands, chooser)
"""


@pytest.fixture
def run(pytester, monkeypatch):
    """Runs a test file in a process of its own, with the plugin."""
    monkeypatch.setenv("COLUMNS", "250")

    def run(tests, *arguments):
        if any(argument.startswith("-n") for argument in arguments):
            pytest.importorskip("xdist", reason="running in workers needs pytest-xdist")
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([_ROOT, *filter(None, sys.path)]))
        pytester.makepyfile(test_office=WORLDS + tests)
        return pytester.runpytest_subprocess("-p", "scenarios.lab.pytest_plugin", "-W", "error", *arguments)

    return run


TAKE_TOO_LONG = """
@bug(slow, "slow")
@pytest.mark.parametrize("searcher", ["hypothesis", "random", "exhaustive"])
@pytest.mark.timeout(0.7)
def test_hunt(lab, searcher):
    lab.check(searcher=searcher)

def endless(office, errands, chooser):
    while True:
        pass

@bug(endless, "endless")
@pytest.mark.timeout(0.7)
def test_endless(lab):
    lab.check()

swallowed = []

def swallowing(office, errands, chooser):
    try:
        time.sleep(0 if swallowed else 60)
    except BaseException as error:
        swallowed.append(error)
    return run(office, errands, chooser)

@bug(swallowing, "swallowing")
@pytest.mark.timeout(0.7)
def test_swallowed(lab):
    lab.check()

failed = []

def laborious(office, errands, chooser):
    day = run(office, errands, chooser)
    time.sleep(0.3 if failed else 0)
    failed.extend([True] * day.stains)
    return day

@bug(laborious, "laborious")
@pytest.mark.timeout(2)
def test_minimising(lab):
    lab.check(searcher="random")  # which is done with its search at once, also on a slow machine

@pytest.mark.bug(SCENARIO, finds="nothing_is_stained")
@pytest.mark.timeout(0.7)
@settings(database=None, deadline=None)
@given(st.integers())
def test_demonstration(number):
    time.sleep(0.05)

@st.composite
def endless_draw(draw):
    draw(st.integers())
    time.sleep(60)

@pytest.mark.bug(SCENARIO, finds="nothing_is_stained")
@pytest.mark.timeout(0.7)
@settings(database=None, deadline=None)
@given(endless_draw())
def test_draw(number):
    nothing_is_stained(Day(None, 1, 0))

class Endless(RuleBasedStateMachine):
    @rule()
    def wait(self):
        time.sleep(60)

TestEndless = Endless.TestCase
TestEndless.pytestmark = [pytest.mark.bug(SCENARIO, finds="nothing_is_stained"), pytest.mark.timeout(0.7)]

@pytest.mark.timeout(0.7)
def test_about_no_bug():
    time.sleep(60)

def test_afterwards():
    pass
"""


def test_the_watchdog_ends_what_takes_too_long_and_nothing_else(run):
    result = run(TAKE_TOO_LONG, "--tb=short", "-rf")
    result.assert_outcomes(passed=1, failed=10)
    no_verdict = "this is no verdict: raise the timeout (--timeout, @pytest.mark.timeout)"
    ended = "the watchdog (pytest-timeout, 0.7 s) ended"
    result.stdout.fnmatch_lines(
        [
            (
                f"E*{ended} the hunt of slow-as-shipped during the search, in run *; {no_verdict}, "
                "lower --lab-budget, or look for a run that never ends"
            ),
            "E*ended the hunt of endless-as-shipped during the search, in run 1; *",
            f"E*{ended} the hunt of swallowing-as-shipped during the search, in run 1; *",
            "E*(pytest-timeout, 2 s) ended the hunt of laborious-as-shipped during minimising, in run *",
            *[f"E*{ended} a test of toy; {no_verdict} *"] * 3,
        ]
    )
    result.stdout.fnmatch_lines(["E   Failed: Timeout (>0.7s) from pytest-timeout."])  # about no bug
    assert "= heisenlab =" not in result.stdout.str()  # no row, no verdict


@pytest.mark.parametrize("workers", [(), ("-n1",)], ids=["alone", "xdist"])
def test_the_watchdog_says_so_also_where_it_must_end_the_process(run, workers):
    tests = """
@bug(slow, "slow")
@pytest.mark.timeout(0.7, method="thread")
def test_hunt(lab):
    lab.check()
"""
    result = run(tests, *workers)
    assert result.ret != 0
    output = result.stdout.str() + result.stderr.str()
    assert "(pytest-timeout, 0.7 s) ended the hunt of slow-as-shipped during the search, in run " in output
    assert "found" not in output


def test_ctrl_c_ends_the_session_without_a_verdict(run):
    tests = """
def interrupted(office, errands, chooser):
    signal.raise_signal(signal.SIGINT)

@pytest.mark.bug(SCENARIO)
def test_before(lab):
    lab.check()

@bug(interrupted, "interrupted")
@pytest.mark.parametrize("searcher", ["hypothesis", "random", "exhaustive"])
def test_hunt(lab, searcher):
    lab.check(searcher=searcher)
"""
    result = run(tests)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["not verified: the session was cut short", "*! KeyboardInterrupt !*"])
    assert "interrupted  " not in result.stdout.str()


def test_an_error_in_a_world_and_a_health_check_stay_what_they_are(run):
    tests = """
def broken(office, errands, chooser):
    assert errands.steps < 3, "an assertion of the world itself"
    return run(office, errands, chooser)

@bug(broken)
@pytest.mark.parametrize("searcher", ["hypothesis", "random", "exhaustive"])
def test_world(lab, searcher):
    lab.check(searcher=searcher)

UNUSABLE = dataclasses.replace(SCENARIO, inputs=lambda: st.integers().filter(lambda number: False))

@pytest.mark.bug(UNUSABLE)
def test_health(lab):
    lab.check("fixed", searcher="hypothesis")
"""
    result = run(tests, "--tb=short", "-rf")
    result.assert_outcomes(failed=4)
    result.stdout.fnmatch_lines(
        [
            *["FAILED *test_world* - AssertionError: an assertion of the world itself"] * 3,
            "FAILED *test_health* - hypothesis.errors.FailedHealthCheck: *",
        ]
    )
    result.stdout.fnmatch_lines(["E*raised by the world of toy itself, not by a property: *"])
    assert "= heisenlab =" not in result.stdout.str()


def test_rows_of_all_workers_are_shown_and_verified_once(run, pytester, toy_installed):
    tests = """
HERE = dataclasses.replace(SCENARIO, name="here")

@pytest.mark.bug("toy")
def test_each(lab, variant):
    if variant != "broken":
        lab.check(variant)

@pytest.mark.bug(HERE)
def test_of_this_file(lab):
    lab.check()
"""
    result = run(tests, "-n2", "--junit-xml=junit.xml")
    result.assert_outcomes(passed=7)
    output = result.stdout.str()
    assert output.count("replayed identically:") == 1
    result.stdout.fnmatch_lines(
        ["4 findings replayed identically: two fresh interpreters with different hash *"]
    )
    assert "here  found" in output
    assert "toy   found" in output
    assert "folk fixes broken" in output
    assert 'name="heisenlab.search_runs"' in (pytester.path / "junit.xml").read_text(encoding="utf-8")
    saved = json.loads((pytester.path / ".pytest_cache/d/heisenlab/toy-as-shipped.json").read_text("utf-8"))
    assert saved["verified"].startswith("two fresh interpreters")
