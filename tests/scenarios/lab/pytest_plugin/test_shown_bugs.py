"""What shows a bug: a test that demonstrates it, `--show-bugs`, and what `--no-spoilers` hides."""

import re
from pathlib import Path

import pytest

from tests.scenarios.lab.pytest_plugin.sessions import DEMONSTRATIONS, EACH

pytest_plugins = ["pytester"]


class TestADemonstration:
    def test_passes_by_the_propertys_own_failure_and_only_by_that(self, reports):
        seen = reports(tests=DEMONSTRATIONS)
        outcomes = {name: report.outcome for name, report in seen.items()}
        expected = {name: "failed" if "wrong" in name else "passed" for name in outcomes}
        assert outcomes == {**expected, "test_skipped": "skipped"}
        assert len(outcomes) == 13
        says = {name: str(report.longrepr) for name, report in seen.items()}
        assert (
            says["test_wrong_no_failure"]
            == "detection was lost: nothing_is_stained of toy was to fail, and did not"
        )
        assert "AssertionError: 1 alarms" in says["test_wrong_other_property"]
        assert "FlakyFailure" in says["test_wrong_flaky"]
        assert "FailedHealthCheck" in says["test_wrong_health_check"]
        assert "TypeError: a bug in the world" in says["test_wrong_error"]
        assert "SystemExit" in says["test_wrong_exit"]
        assert ("heisenlab.demonstrates", "nothing_is_stained") in seen["test_given"].user_properties

    def test_is_let_through_by_show_bugs(self, reports):
        seen = reports("--show-bugs", "-k", "not wrong", tests=DEMONSTRATIONS)
        outcomes = {name: report.outcome for name, report in seen.items()}
        assert outcomes == {**dict.fromkeys(outcomes, "failed"), "test_skipped": "skipped"}
        assert "test_given(\n" in str(seen["test_given"].longrepr)

    def test_does_not_stop_a_debugger(self, session):
        tests = DEMONSTRATIONS.partition("TestMachine")[0]
        session("--pdb", tests=tests).assert_outcomes(passed=3)


class TestShowBugs:
    def test_raises_the_property_at_the_least_plan_with_its_words(self, session):
        result = session("--show-bugs", "-k", "as-shipped or fixed")
        result.assert_outcomes(passed=1, failed=1)
        result.stdout.fnmatch_lines(
            [
                "*toy.py:*: in nothing_is_stained",
                "E*AssertionError: 1 stains",
                "E*everything nominal, except: b spills at step 1 (least; input {'steps': 2})",
            ]
        )
        assert "execution.py" not in result.stdout.str()

    @pytest.mark.parametrize(
        ("option", "shown"), [("--show-bugs", 1), ("--show-folk-fixes", 3)], ids=["as shipped", "folk fixes"]
    )
    def test_folk_fixes_are_shown_only_where_they_are_asked_for(self, session, option, shown):
        result = session(option, "-k", "not repair-5 and not likely and not broken")
        assert result.parseoutcomes()["failed"] == shown
        assert not [line for line in result.stdout.lines if "Lab(" in line or "Scenario(" in line]

    @pytest.mark.parametrize("where", ["at a desk", "on a build server"])
    def test_what_hypothesis_says_comes_first_and_once_without_a_frame_of_an_engine(
        self, session, where, monkeypatch
    ):
        if where == "on a build server":
            monkeypatch.setenv("CI", "true")
        tests = EACH + DEMONSTRATIONS.partition("@stains\ndef test_wrong")[0]
        result = session("--show-bugs", "-k", "plain or given or Machine or as-shipped", tests=tests)
        result.assert_outcomes(failed=4)
        printed = result.stdout.str()
        headed = re.findall(r"^_+ (\S+) _+$", printed, re.MULTILINE)
        assert headed == ["test_plain", "test_given", "TestMachine.runTest", "test_each[toy-as-shipped]"]
        assert printed.count("Failing test case") == 2
        frames = re.findall(r"^(\S+\.py):\d+: in ", printed, re.MULTILINE)
        assert {Path(frame).name for frame in frames} == {"test_office.py", "toy.py"}


class TestNoSpoilers:
    TELLING = ("twice", "alarmed", "likely", "fixed", "b spills", "who spills", "b.cup")

    def test_ids_and_summary_and_junit_give_nothing_away(self, session, pytester):
        result = session("--no-spoilers", "-v", "-rA", "-k", "not repair-5", "--junit-xml=junit.xml")
        result.assert_outcomes(passed=5)
        result.stdout.fnmatch_lines(
            [
                "*::test?toy-repair-1? PASSED*",
                "toy  found *least    2 broken    2 hold  (hidden)",
                "    heisenlab replay .pytest_cache/d/heisenlab/toy-as-shipped.json",
                "    folk fixes broken: 2",
                "    fixes that hold, exhausted at 2 deviations: 1",
                "    fixes in which nothing was found: 1",
            ]
        )
        told = result.stdout.str() + (pytester.path / "junit.xml").read_text(encoding="utf-8")
        assert not [word for word in self.TELLING if word in told]

    def test_neither_do_shown_bugs(self, session):
        tests = DEMONSTRATIONS.replace("Office(", "Desk(").replace("Office.", "Desk.") + EACH
        chosen = "plain or given or Machine or (test_each and not repair-5)"
        result = session("--no-spoilers", "--show-folk-fixes", "-k", chosen, tests=tests)
        result.assert_outcomes(failed=6, passed=2)
        result.stdout.fnmatch_lines(["nothing_is_stained: 1 stains"])
        told = result.stdout.str()
        telling = {*self.TELLING, "Failing test case"} - {"alarmed"}  # a word of the property's name, too
        assert not [word for word in telling if word in told]

    def test_nor_a_variant_that_is_not_as_documented(self, session):
        result = session("--no-spoilers", "-k", "repair-1", "--lab-budget=2")
        result.assert_outcomes(failed=1)
        assert not [word for word in self.TELLING if word in result.stdout.str()]
