"""What the plugin makes of tests of a bug; each test here runs a pytest session of its own."""

import dataclasses
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from scenarios.lab import doctor
from scenarios.lab.finding import load
from scenarios.lab.hunt import hunt
from scenarios.lab.pytest_plugin import disagreement
from scenarios.lab.scenario import Exhausted, Finds, Holds
from scenarios.lab.verify import FRESH
from simulations.choices import Deviation, Plan
from tests.scenarios.lab.pytest_plugin.sessions import EACH
from tests.scenarios.lab.toy import SCENARIO

pytest_plugins = ["pytester"]


class TestEachVariant:
    def test_passes_where_it_is_what_it_says_and_errors_stay_errors(self, session):
        result = session("-v")
        result.assert_outcomes(passed=5, failed=1)
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(
            [
                "*::test_each?toy-as-shipped? PASSED*",
                "*::test_each?toy-twice? PASSED*",
                "*::test_each?toy-alarmed? PASSED*",
                "*::test_each?toy-fixed? PASSED*",
                "*::test_each?toy-likely? PASSED*",
                "*::test_each?toy-broken? FAILED*",
                "E*TypeError: a bug in the world's own code",
                "E*raised by the world of toy itself, not by a property*",
            ]
        )

    def test_is_told_of_in_the_summary(self, session):
        result = session("-k", "not broken")
        result.stdout.fnmatch_lines(
            [
                "*= heisenlab =*",
                "bug  verdict  search runs  minimising  minimal  folk fixes  fixes   hidden input",
                "toy  found * least    2 broken    2 hold  who spills",
                "",
                "toy",
                "    everything nominal, except: b spills at step 1",
                "    heisenlab replay .pytest_cache/d/heisenlab/toy-as-shipped.json",
                "    folk fixes broken: twice, alarmed",
                "    fixes that hold, exhausted at 2 deviations: fixed",
                "    fixes in which nothing was found: likely (50 runs)",
                "",
                f"3 findings replayed identically: {FRESH}",
            ],
            consecutive=True,
        )

    def test_leaves_a_verified_finding_where_the_printed_command_says(self, verified_session, pytester):
        verified_session("-k", "as-shipped")
        finding = load(pytester.path / ".pytest_cache/d/heisenlab/toy-as-shipped.json")
        assert finding.plan == SCENARIO.variant().expect.least
        assert finding.verified == FRESH

    def test_is_selected_by_the_name_of_its_bug(self, session):
        tests = EACH + "\n\n@pytest.mark.bug('toy')\ndef test_other(lab): pass\n\ndef test_unmarked(): pass\n"
        result = session("-k", "toy", "--collect-only", "-q", tests=tests)
        result.stdout.fnmatch_lines(["*::test_each?toy-broken?", "*::test_other", "7/8 tests collected *"])

    def test_may_be_chosen_and_hunted_by_another_searcher(self, session):
        tests = """
            import pytest

            @pytest.mark.bug("toy")
            @pytest.mark.parametrize("searcher", ["random", "exhaustive"])
            @pytest.mark.parametrize("variant", ["as-shipped", "fixed"])
            def test_some(lab, variant, searcher):
                lab.check(variant, searcher=searcher)
        """
        result = session("-v", tests=tests)
        result.assert_outcomes(passed=4)
        result.stdout.fnmatch_lines(["toy (random)", "*toy-as-shipped-random.json", "toy (exhaustive)"])

    def test_is_not_checked_at_fewer_deviations_than_it_is_to_withstand(self, session):
        tests = """
            import pytest

            @pytest.mark.bug("toy")
            @pytest.mark.parametrize("deviations", [0, 1, 2])
            def test_bound(lab, deviations):
                lab.check("fixed", deviations=deviations)
        """
        result = session("--tb=line", tests=tests)
        result.assert_outcomes(passed=1, failed=2)
        result.stdout.fnmatch_lines(["*fixed is to be exhausted at 2 deviations; check it at no fewer"])

    def test_goes_by_the_seed_and_the_budget_of_the_command_line(self, session, pytester):
        tests = """
            import pytest

            @pytest.mark.bug("toy")
            def test_figures(lab):
                given = lab.check()
                assert (given.seed, given.budget) == (7, 400)
                own = lab.check(seed=3, budget=500)
                assert (own.seed, own.budget) == (3, 500)

            @pytest.mark.bug("toy")
            def test_holds(lab):
                assert lab.check("likely").search_runs == 400
        """
        session("--lab-seed=7", "--lab-budget=400", tests=tests).assert_outcomes(passed=2)

    def test_keeps_its_figures_for_junit(self, session, pytester):
        session("-k", "as-shipped or fixed", "--junit-xml=junit.xml")
        junit = (pytester.path / "junit.xml").read_text(encoding="utf-8")
        cases = {case.get("name"): case for case in ET.fromstring(junit).iter("testcase")}  # noqa: S314
        figures = {
            name: {each.get("name"): each.get("value") for each in case.iter("property")}
            for name, case in cases.items()
        }
        found = figures["test_each[toy-as-shipped]"]
        assert found["heisenlab.plan_in_words"] == "everything nominal, except: b spills at step 1"
        assert found["heisenlab.minimality"] == "least"
        assert int(found["heisenlab.search_runs"]) > 0
        assert figures["test_each[toy-fixed]"]["heisenlab.verdict"] == "exhausted"


def of(variant, **changes):
    return dataclasses.replace(SCENARIO.variant(variant), **changes)


def hunted(variant, **options):
    scenario = dataclasses.replace(SCENARIO, variants=(variant,))
    return disagreement(variant, hunt(scenario, variant.name, verify=False, **options))


OTHER = Finds("nothing_is_stained", Plan([Deviation("b.cup", 2, 1)]))


class TestSomethingElseThanDocumented:
    def test_is_nothing_where_all_is_as_documented(self):
        assert hunted(of("as-shipped")) is None
        assert hunted(of("fixed"), searcher="exhaustive") is None
        assert hunted(of("twice", expect=Exhausted(1), kind="fix")) is None  # two are needed to break it

    @pytest.mark.parametrize(
        ("variant", "options", "says"),
        [
            (
                of("fixed", expect=OTHER, kind="as shipped"),
                {"budget": 30},
                "detection was lost: nothing found in",
            ),
            (
                of("fixed", expect=OTHER, kind="folk fix"),
                {"budget": 30},
                "the folk fix was not broken: nothing",
            ),
            (of("as-shipped", expect=OTHER), {}, "another least plan than documented: .*b spills at step 1"),
            (
                of("alarmed", expect=OTHER),
                {},
                r"another property fails than documented: nobody_is_alarmed \(1 alarms\), not nothing_is_st",
            ),
            (of("twice", expect=OTHER), {"minimising_budget": 3}, "another least plan than documented"),
            (of("twice", expect=Exhausted(2), kind="fix"), {}, "the fix broke: everything nominal, except: "),
            (
                of("as-shipped", expect=Exhausted(1), kind="fix"),
                {},
                "the fix broke: everything nominal, except: ",
            ),
            (
                of("as-shipped", expect=Holds(9), kind="fix"),
                {},
                "the fix broke: everything nominal, except: ",
            ),
            (
                of("fixed"),
                {"searcher": "exhaustive", "budget": 20},
                "not proved: nothing found in 20 runs.* at most 2 deviations .*larger budget",
            ),
        ],
    )
    def test_is_said(self, variant, options, says):
        complaint = hunted(variant, **options)
        assert complaint is not None
        with pytest.raises(ValueError, match=says):
            raise ValueError(complaint)

    def test_is_a_plan_that_is_right_but_not_known_to_be_least(self):
        found = hunt(SCENARIO, verify=False)
        doubtful = dataclasses.replace(found.finding, minimality="1-minimal")
        complaint = disagreement(of("as-shipped"), dataclasses.replace(found, finding=doubtful))
        assert complaint is not None
        assert "minimising gave up" in complaint

    def test_fails_the_test_with_the_command_that_replays_it(self, session):
        tests = """
            import dataclasses, pytest
            from scenarios.lab.scenario import Exhausted
            from tests.scenarios.lab.toy import SCENARIO

            WRONG = dataclasses.replace(SCENARIO.variants[0], kind="fix", expect=Exhausted(1))
            SCENARIO = dataclasses.replace(SCENARIO, name="mended", variants=(WRONG,))

            @pytest.mark.bug(SCENARIO)
            def test_fix(lab):
                lab.check()
        """
        result = session(tests=tests)
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(
            [
                "mended-as-shipped: the fix broke: everything nominal, except: b spills at step 1 *",
                "pytest test_office.py::test_fix --show-bugs --lab-seed 0",
                "    NOT AS DOCUMENTED: as-shipped",
            ]
        )


@pytest.mark.parametrize(
    ("mark", "says"),
    [
        ('bug("toyy")', "there is no scenario 'toyy'; did you mean toy?"),
        ("bug()", 'the marker is used as bug("invalid-mode") or *'),
        ('bug("toy", by="x")', 'the marker is used as bug("invalid-mode") or *'),
        ('bug("toy", finds="x")', "toy has no property 'x'; it has nothing_is_stained, nobody_is_alarmed"),
    ],
)
def test_a_marker_that_makes_no_sense_is_one_line(session, mark, says):
    marked = f"@pytest.mark.{mark}\ndef "
    tests = f"import pytest\n\n{marked}test_one(): pass\n\n{marked}test_two(lab, variant): pass"
    result = session(tests=tests)
    result.stdout.fnmatch_lines([says])
    assert result.ret != 0


def test_lab_without_a_marker_says_what_to_do(session):
    result = session(tests="def test_it(lab): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(['mark a test that uses lab with @pytest.mark.bug("its-scenario")'])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--lab-seed", "x"], "*argument --lab-seed: 'x' is not a whole number from 0"),
        (["--lab-seed=-1"], "*argument --lab-seed: '-1' is not a whole number from 0"),
        (["--lab-budget", "0"], "*argument --lab-budget: '0' is not a whole number from 1"),
        (
            ["--lab-replay", "gone.json"],
            "ERROR: --lab-replay: cannot read *gone.json: No such file or directory",
        ),
        (
            ["--lab-replay", "test_office.py"],
            "ERROR: --lab-replay: *test_office.py is not a finding: it is not JSON",
        ),
    ],
)
def test_a_wrong_value_is_a_usage_error_in_one_line(session, arguments, says):
    result = session(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([says])
    assert "Traceback" not in result.stderr.str()


class TestReplay:
    @pytest.fixture
    def saved(self, session, pytester):
        """Saves the finding of the toy with some of its fields changed."""
        finding = hunt(SCENARIO, verify=False).finding

        def save(**changes):
            folder = pytester.mkdir(".hidden")
            dataclasses.replace(finding, **changes).save(folder / "finding.json")
            return ".hidden/../.hidden/finding.json"

        return save

    def test_is_the_only_test_and_red_while_the_bug_is_there(self, session, saved):
        result = session("--lab-replay", saved())
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(
            [
                "*= FAILURES =*",
                "*_ replay of toy-as-shipped _*",
                "*def nothing_is_stained(day: Day)*",
                "E*AssertionError: 1 stains",
                "E*everything nominal, except: b spills at step 1 *",
            ]
        )
        assert "pluggy" not in result.stdout.str().partition("FAILURES")[2]

    def test_is_green_when_the_property_holds(self, session, saved):
        file = saved(plan=Plan([Deviation("a.cup", 1, 1)]))
        result = session("--lab-replay", file)
        result.assert_outcomes(passed=1)
        result.stdout.fnmatch_lines(["toy-as-shipped: no property fails any more at this plan"])

    def test_says_so_where_another_run_fails(self, session, saved):
        result = session("--lab-replay", saved(digest="0" * 64))
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["E*the run is not the recorded one, though a property fails"])

    def test_is_red_in_one_line_where_the_plan_does_not_fit(self, session, saved):
        result = session("--lab-replay", saved(plan=Plan([Deviation("b.cup", 9, 1)])))
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(
            ["this finding cannot be replayed: *b.cup at occurrence 9, which was never *"]
        )

    def test_of_an_unknown_scenario_or_variant_is_a_usage_error(self, session, saved):
        result = session("--lab-replay", saved(scenario="gone"))
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines(["ERROR: --lab-replay: there is no scenario 'gone'; *"])

    def test_hides_the_cause_from_a_class(self, session, saved):
        result = session("--lab-replay", saved(), "--no-spoilers")
        result.stdout.fnmatch_lines(["nothing_is_stained: 1 stains"])
        assert "b spills" not in result.stdout.str()


@pytest.mark.parametrize("arguments", [(), ("--lab-replay=one/finding.json",)], ids=["tests", "replay"])
def test_folders_may_have_conftests_of_their_own(session, pytester, arguments):
    for folder in ("one", "tests"):
        pytester.mkdir(folder).joinpath("conftest.py").write_text("def pytest_runtest_setup(item): pass\n")
    pytester.path.joinpath("tests", "test_two.py").write_text("def test_two(): pass\n")
    unbroken = Plan([Deviation("a.cup", 1, 1)])
    finding = dataclasses.replace(hunt(SCENARIO, verify=False).finding, plan=unbroken)
    finding.save(pytester.path / "one" / "finding.json")
    session(*arguments, tests="def test_one(): pass").assert_outcomes(passed=1 if arguments else 2)


class TestVerification:
    TESTS = """
        import dataclasses, itertools, pytest
        from tests.scenarios.lab.toy import SCENARIO, run

        clock = itertools.count()

        def leaky(office, errands, chooser):
            day = run(office, errands, chooser)
            day.trace.record(0, "clock", "ticks", next(clock))
            return day

        @pytest.mark.bug(dataclasses.replace(SCENARIO, name="leaky", run=leaky))
        def test_leaky(lab):
            lab.check()
    """

    def test_that_fails_turns_the_session_red(self, session, pytester):
        result = session("--junit-xml=junit.xml", tests=self.TESTS)
        result.assert_outcomes(passed=1, errors=1)
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(
            ["VERIFICATION FAILED: leaky/as-shipped does not replay in this process: *"]
        )
        assert 'errors="1"' in (pytester.path / "junit.xml").read_text(encoding="utf-8")

    def test_that_fails_gives_no_variant_away(self, session):
        result = session("--no-spoilers", tests=self.TESTS)
        result.stdout.fnmatch_lines(["VERIFICATION FAILED: run without --no-spoilers to see of what"])


class TestTheReplayLine:
    def test_hunts_again_where_there_is_no_cache(self, session):
        result = session("-k", "as-shipped", "-p", "no:cacheprovider", "--lab-seed=5")
        result.stdout.fnmatch_lines(
            ["    heisenlab hunt toy --variant=as-shipped --searcher=hypothesis --seed=5 --budget=1000"]
        )

    def test_is_not_printed_where_it_is_in_doubt_which_code_ran(self, session, monkeypatch):
        monkeypatch.setattr(doctor, "problems", lambda of: ["something is odd"])
        result = session("-k", "as-shipped")
        result.assert_outcomes(passed=1, deselected=5)
        result.stdout.fnmatch_lines(["heisenlab: *, seed 0", "heisenlab: doubtful: something is odd"])
        assert "heisenlab replay" not in result.stdout.str()


def test_tests_that_are_about_no_bug_are_left_alone(session):
    tests = """
        import pytest

        @pytest.fixture(params=["mine"])
        def variant(request):
            return request.param

        def test_own_fixture(variant):
            assert variant == "mine"

        def test_own_failure():
            assert 0
    """
    result = session(tests=tests)
    result.assert_outcomes(passed=1, failed=1)
    assert "= heisenlab =" not in result.stdout.str()


def test_loading_the_plugin_imports_neither_hypothesis_nor_a_world():
    code = (
        "import sys, scenarios.lab.pytest_plugin; "
        "print(sorted({'hypothesis', 'simpy', 'rich', 'scenarios.lab.hunt'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
