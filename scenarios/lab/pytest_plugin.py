"""The laboratory in pytest: a bug that is found passes, a bug that is lost fails.

The tests of a scenario need no import from here. One test for each variant, with ids such as
`invalid-mode-as-shipped`, so that `-k invalid-mode` selects them::

    @pytest.mark.bug("invalid-mode")
    def test_each_variant_is_what_it_says(lab, variant):
        lab.check(variant)

`lab.check` hunts and fails unless the variant comes to what its `expect` says; it takes the options of
`scenarios.lab.hunt.hunt`, such as `searcher="random"`, and returns the `Hunt`.

A test that shows the bug by other means, such as `@given` or the `TestCase` of a state machine, passes when
it fails with that property's own failure, and only then::

    @pytest.mark.bug("invalid-mode", finds="every_mode_is_valid")
    @given(...)
    def test_noise_leads_to_a_mode_that_does_not_exist(plan):
        every_mode_is_valid(run(...))

    TestModes = Modes.TestCase
    TestModes.pytestmark = [pytest.mark.bug("invalid-mode", finds="every_mode_is_valid")]

The property must be called itself, as `SCENARIO.properties` holds it: an `AssertionError` that did not pass
through it, a time-out, an error of the world, or Hypothesis's own complaints stay what they are. If such a
test does not fail, it is reported as failed: detection was lost. With `--show-bugs` the failures are let
through. Names of test functions are always shown, also with `--no-spoilers`; name them for what is seen.

In place of a name `bug` takes a `Scenario`, for one that is in no catalogue. There is no `pytest11` entry
point, since it would break projects with a `scenarios` folder of their own: name this module in
`pytest_plugins` of your root `conftest.py`, or use `-p scenarios.lab.pytest_plugin`.
"""

from __future__ import annotations

import argparse
import inspect
import re
import shlex
import sys
from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from scenarios.lab import catalogue, doctor
from scenarios.lab.pytest_summary import AS_SHIPPED, Row, render, row
from scenarios.lab.scenario import Exhausted, Finds, Holds, Scenario, Variant
from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import TracebackType

    from scenarios.lab.finding import Finding
    from scenarios.lab.hunt import Hunt

_MARKER: Final = "bug"
_ROWS: Final = "heisenlab_rows"
"""The attribute of a report that carries its rows, from a worker of pytest-xdist to the controller, too."""

_FIGURES: Final = (
    "scenario",
    "variant",
    "verdict",
    "searcher",
    "seed",
    "search_runs",
    "minimising_runs",
    "minimality",
    "deviations",
    "plan_in_words",
    "digest",
)
_TELLING: Final = frozenset({"variant", "plan_in_words"})


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the laboratory, in a group of their own."""
    group = parser.getgroup("heisenlab", "the laboratory for bugs that nobody could reproduce")
    group.addoption(
        "--show-bugs",
        action="store_true",
        help="let the failing properties through, as red tests raised at the least plan",
    )
    group.addoption(
        "--no-spoilers", action="store_true", help="hide causes and fixes, for a class that looks for them"
    )
    group.addoption(
        "--lab-seed", type=_from(0), default=0, metavar="N", help="seed of every hunt, from 0 (default 0)"
    )
    group.addoption(
        "--lab-budget",
        type=_from(1),
        metavar="N",
        help="runs that the search of each hunt may take, from 1 (default: what each usually needs)",
    )
    group.addoption(
        "--lab-replay",
        metavar="FILE",
        help="run nothing but the finding in this file: red while its bug is there, green when it holds",
    )


def _from(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isascii() or not text.isdigit() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least}")
        return int(text)

    return number


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, have the scenarios' asserts rewritten, and begin to keep rows."""
    config.addinivalue_line(
        "markers",
        "bug(scenario, *, finds=None): the test is about this bug of the laboratory (a name or a Scenario); "
        "with finds=PROPERTY it passes when it fails with that property's own failure, and only then",
    )
    pytest.register_assert_rewrite(*(name for name in _scenario_modules() if name not in sys.modules))
    session = _Session(config)
    config.stash[_SESSION] = session
    config.pluginmanager.register(session, "heisenlab-session")


def _scenario_modules() -> list[str]:
    ours = [f"scenarios.{name.replace('-', '_')}" for name in catalogue.names()]
    return [*ours, *(entry.module for entry in entry_points(group=catalogue.GROUP))]


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say which code is under test, and what makes that doubtful."""
    of = doctor.fingerprint()
    version = of["installed"] or of["source"] or "of unknown version"
    commit = f", commit {of['commit'][:12]}{' (dirty)' if of['dirty'] else ''}" if of["commit"] else ""
    folder = Path(of["paths"]["scenarios"]).parent
    seed = config.getoption("lab_seed")
    lines = [
        f"heisenlab: {version}{commit}, from {folder}, Hypothesis {of['versions']['hypothesis']}, seed {seed}"
    ]
    return [*lines, *(f"heisenlab: doubtful: {problem}" for problem in doctor.problems(of))]


@dataclass(frozen=True)
class _Bug:
    """What the marker says."""

    scenario: Scenario
    finds: str | None


def _name_of(node: pytest.Item | Any) -> str | None:
    """Return the name of the scenario that a test is marked with, without importing it."""
    marker = node.get_closest_marker(_MARKER)
    if marker is None or not marker.args:
        return None
    named = marker.args[0]
    return named.name if isinstance(named, Scenario) else str(named)


def _bug_of(node: pytest.Item | Any) -> _Bug | None:
    """Return what a test is marked with.

    Raises:
        LabError: the marker is not used as it should be, or there is no such scenario or property.
    """
    marker = node.get_closest_marker(_MARKER)
    if marker is None:
        return None
    if len(marker.args) != 1 or set(marker.kwargs) - {"finds"}:
        raise LabError('the marker is used as bug("invalid-mode") or bug("invalid-mode", finds="property")')
    named = marker.args[0]
    scenario = named if isinstance(named, Scenario) else catalogue.get(named)
    finds = marker.kwargs.get("finds")
    known = [check.__name__ for check in scenario.properties]
    if finds is not None and finds not in known:
        raise LabError(f"{scenario.name} has no property {finds!r}; it has {', '.join(known)}")
    return _Bug(scenario, finds)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test of each variant where a test of a bug asks for `lab` and `variant`."""
    if not {"lab", "variant"} <= set(metafunc.fixturenames):
        return
    if any("variant" in str(mark.args[0]) for mark in metafunc.definition.iter_markers("parametrize")):
        return
    try:
        bug = _bug_of(metafunc.definition)
    except LabError as error:
        pytest.fail(str(error), pytrace=False)
    if bug is None:
        return
    hide = metafunc.config.getoption("no_spoilers")
    metafunc.parametrize(
        "variant",
        [variant.name for variant in bug.scenario.variants],
        ids=[_shown(bug.scenario, variant, hide=hide) for variant in bug.scenario.variants],
    )


def _shown(scenario: Scenario, variant: Variant, *, hide: bool) -> str:
    if not hide or variant.name == AS_SHIPPED:
        return f"{scenario.name}-{variant.name}"
    return f"{scenario.name}-repair-{scenario.variants.index(variant)}"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let `-k` select a test by the name of its bug."""
    if name := _name_of(item):
        item.extra_keyword_matches.add(name)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse a marker that is not used as it should be."""
    try:
        _bug_of(item)
    except LabError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def lab(request: pytest.FixtureRequest) -> Lab:
    """Hunts the bug that the test is marked with, with the options of the command line."""
    bug = _bug_of(request.node)
    if bug is None:
        pytest.fail('mark a test that uses lab with @pytest.mark.bug("its-scenario")', pytrace=False)
    return Lab(bug.scenario, request.config.stash[_SESSION], request.node)


@dataclass(frozen=True)
class Lab:
    """What the fixture `lab` is. Its two methods hunt; `check` also judges.

    Attributes:
        scenario: The scenario of the test's marker.
    """

    scenario: Scenario
    _session: _Session = field(repr=False)
    _item: pytest.Item = field(repr=False)

    def check(self, variant: str = AS_SHIPPED, **options: Any) -> Hunt:
        """Hunt, and fail unless the variant comes to what its `expect` says.

        As shipped and folk fixes must be found, by the documented property, at the documented least plan. A
        fix must be exhausted (where another searcher is named: not be found in).

        Args:
            variant: The name of a variant.
            options: Those of `scenarios.lab.hunt.hunt`. The searcher is `exhaustive` where a variant is
                expected to be exhausted, else `hypothesis`; seed and budget are those of the command line.

        Raises:
            LabError: an option makes no sense, or there is no such variant.
            AssertionError: with `--show-bugs`, the failing property's own, at the least plan.
        """
        __tracebackhide__ = True
        chosen = self.scenario.variant(variant)
        if isinstance(chosen.expect, Exhausted):
            options = {"searcher": "exhaustive", **options}
        if isinstance(chosen.expect, Holds) and self._session.budget is None:
            options = {"budget": chosen.expect.runs, **options}
        hunt = self._hunt(chosen, options)
        complaint = disagreement(chosen, hunt)
        self._keep(chosen, hunt, as_expected=complaint is None)
        if complaint is not None:
            pytest.fail(self._told(complaint, chosen, hunt), pytrace=False)
        if hunt.finding is not None and self._session.show_bugs:
            self._session.show(self.scenario, hunt.finding)
        return hunt

    def hunt(self, variant: str = AS_SHIPPED, **options: Any) -> Hunt:
        """Hunt with the seed and the budget of the command line, and judge nothing.

        Args:
            variant: The name of a variant.
            options: Those of `scenarios.lab.hunt.hunt`.
        """
        chosen = self.scenario.variant(variant)
        hunt = self._hunt(chosen, options)
        self._keep(chosen, hunt, as_expected=disagreement(chosen, hunt) is None)
        return hunt

    def _hunt(self, variant: Variant, options: dict[str, Any]) -> Hunt:
        from scenarios.lab.hunt import hunt  # noqa: PLC0415  (most sessions with this plugin hunt nothing)

        session = self._session
        given = {"seed": session.seed, "verify": session.must_verify_at_once(self.scenario), **options}
        if session.budget is not None:
            given.setdefault("budget", session.budget)
        return hunt(self.scenario, variant.name, **given)

    def _keep(self, variant: Variant, hunt: Hunt, *, as_expected: bool) -> None:
        session = self._session
        kept = row(self.scenario, variant, self._shown(variant), hunt, as_expected=as_expected)
        self._item.stash.setdefault(_KEPT, []).append(kept)
        session.save(kept)
        for name in _FIGURES:
            value = kept.hunt[name]
            if value is not None and not (session.hide and name in _TELLING):
                self._item.user_properties.append((f"heisenlab.{name}", value))

    def _shown(self, variant: Variant) -> str:
        return _shown(self.scenario, variant, hide=self._session.hide)

    def _told(self, complaint: str, variant: Variant, hunt: Hunt) -> str:
        if self._session.hide:
            return f"{self._shown(variant)} is not what is documented of it; details are hidden"
        command = self._session.command(hunt) if hunt.finding else ""
        return f"{self._shown(variant)}: {complaint}" + (f"\n{command}" if command else "")


def disagreement(variant: Variant, hunt: Hunt) -> str | None:
    """Return in what a hunt came to something else than its variant is expected to come to, or None."""
    expect, finding = variant.expect, hunt.finding
    if isinstance(expect, Finds):
        return _not_as_documented(variant, expect, hunt)
    if finding is not None:
        return f"the {variant.kind} broke: {finding.plan_in_words} ({finding.by}: {finding.message})"
    if isinstance(expect, Exhausted) and hunt.searcher == "exhaustive" and hunt.verdict != "exhausted":
        return (
            f"not proved: {hunt.says}, but every plan of at most {expect.deviations} deviations was to be "
            f"run; give it a larger budget"
        )
    return None


def _not_as_documented(variant: Variant, expect: Finds, hunt: Hunt) -> str | None:
    finding = hunt.finding
    if finding is None:
        lost = "detection was lost" if variant.kind == "as shipped" else "the folk fix was not broken"
        return f"{lost}: {hunt.says}; documented is that {expect.by} fails at {expect.least}"
    if finding.by != expect.by:
        return (
            f"another property fails than documented: {finding.by} ({finding.message}), not {expect.by}, at "
            f"{finding.plan_in_words}"
        )
    if finding.plan != expect.least:
        return (
            f"another least plan than documented: {finding.plan!r} ({finding.plan_in_words}, "
            f"{finding.minimality}), not {expect.least!r}"
        )
    if not finding.minimality.startswith("least"):
        return f"minimising gave up: the plan is only {finding.minimality}; give it a larger budget"
    return None


@dataclass
class _Session:
    """The options of a session, the rows of its hunts, and what became of verifying them."""

    config: pytest.Config
    rows: list[Row] = field(default_factory=list)
    scenarios: dict[str, Scenario] = field(default_factory=dict)
    verified: str = ""
    folder: Path | None = None

    def __post_init__(self) -> None:
        option = self.config.getoption
        self.show_bugs: bool = option("show_bugs")
        self.hide: bool = option("no_spoilers")
        self.seed: int = option("lab_seed")
        self.budget: int | None = option("lab_budget")
        self.in_worker = hasattr(self.config, "workerinput")

    def must_verify_at_once(self, scenario: Scenario) -> bool:
        """Return whether the controller could not import a scenario at the end of the session."""
        self.scenarios[scenario.name] = scenario
        return self.in_worker and scenario.name not in catalogue.names()

    def file(self, scenario: str, variant: str, searcher: str) -> Path | None:
        """Return where a finding is kept: under pytest's cache; None where there is no cache."""
        cache = getattr(self.config, "cache", None)
        if cache is None:
            return None
        parts = [scenario, variant, *([] if searcher == "hypothesis" else [searcher])]
        name = re.sub(r"[^\w.-]", "-", "-".join(parts))
        return Path(cache.mkdir("heisenlab"), f"{name}.json")

    def save(self, kept: Row, **changes: str) -> None:
        """Save the finding of a row, if it has one and there is a place."""
        finding = kept.found()
        try:
            path = self.file(kept.scenario, kept.variant, kept.hunt["searcher"])
            if finding is not None and path is not None:
                replace(finding, **changes).save(path)  # type: ignore[arg-type]
        except (OSError, LabError):
            return  # the command then hunts again

    def command(self, hunt: Hunt) -> str:
        """Return the command that replays what a hunt found, or an empty text where that is in doubt."""
        return self._command(hunt.scenario, hunt.variant, hunt.searcher, hunt.seed)

    def command_of(self, kept: Row) -> str:
        """Return the command that replays the finding of a row, or an empty text."""
        if kept.finding is None:
            return ""
        hunt = kept.hunt
        return self._command(kept.scenario, kept.variant, hunt["searcher"], hunt["seed"])

    def _command(self, scenario: str, variant: str, searcher: str, seed: int) -> str:
        if doctor.problems(doctor.fingerprint()):
            return ""
        path = self.file(scenario, variant, searcher)
        if path is not None and path.exists():
            here = self.config.invocation_params.dir
            shown = path.relative_to(here) if path.is_relative_to(here) else path
            return shlex.join(["heisenlab", "replay", str(shown)])
        return shlex.join(
            ["heisenlab", "hunt", scenario, "--variant", variant, "--searcher", searcher, "--seed", str(seed)]
        )

    def show(self, scenario: Scenario, finding: Finding) -> None:
        """Raise the failing property's own error at the plan of a finding."""
        __tracebackhide__ = True
        from scenarios.lab.verify import replay_of  # noqa: PLC0415  (as above)

        outcome = replay_of(scenario, finding)
        if self.hide:
            pytest.fail(f"{finding.by}: {finding.message}", pytrace=False)
        check = next(check for check in scenario.properties if check.__name__ == finding.by)
        try:
            check(outcome.run)
        except AssertionError as error:
            error.add_note(f"{finding.plan_in_words} ({finding.minimality}; input {finding.input})")
            raise

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect the rows of a test, from whichever process it ran in."""
        self.rows += map(Row.loads, getattr(report, _ROWS, ()))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Replay all findings of the session together, in two fresh interpreters."""
        found = [(kept, finding) for kept in self.rows if (finding := kept.found())]
        if self.in_worker or not found:
            return
        if exitstatus not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
            self.verified = "not verified: the session was cut short"
            return
        from scenarios.lab.verify import NOT_YET, verify  # noqa: PLC0415  (as above)

        pending = [(kept, finding) for kept, finding in found if finding.verified == NOT_YET]
        try:
            how = verify([(self._scenario(finding.scenario), finding) for _, finding in pending])
        except Exception as error:  # noqa: BLE001  (whatever it was, this session is not green)
            self.verified = f"VERIFICATION FAILED: {error}"
            self._turn_red(session)
            return
        for (kept, _), verified in zip(pending, how, strict=True):
            self.save(kept, verified=verified)
        ways = dict.fromkeys(
            [*how, *(finding.verified for _, finding in found if finding.verified != NOT_YET)]
        )
        plural = "" if len(found) == 1 else "s"
        self.verified = f"{len(found)} finding{plural} replayed identically in {' and '.join(ways)}"

    def _scenario(self, name: str) -> Scenario:
        return self.scenarios.get(name) or catalogue.get(name)

    def _turn_red(self, session: pytest.Session) -> None:
        """Report the failure as an error of the session: in the terminal, in junit, in the exit code."""
        report = pytest.TestReport(
            nodeid="heisenlab verification",
            location=("heisenlab", None, "verification of all findings"),
            keywords={},
            outcome="failed",
            longrepr=self.verified,
            when="teardown",
        )
        self.config.hook.pytest_runtest_logreport(report=report)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show a row per bug."""
        if not self.rows:
            return
        terminalreporter.section("heisenlab")
        width = terminalreporter._tw.fullwidth  # noqa: SLF001  (the width that pytest itself goes by)
        for line in render(self.rows, width, spoilers=not self.hide, replay=self.command_of):
            terminalreporter.write_line(line)
        if self.verified:
            terminalreporter.write_line(self.verified, red=self.verified.startswith("VERIFICATION"))


_SESSION: Final = pytest.StashKey[_Session]()
_KEPT: Final = pytest.StashKey[list[Row]]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach the rows of a test, and turn a demonstration of a bug that was expected into a pass."""
    report = yield
    if call.when != "call":
        return report
    if kept := item.stash.get(_KEPT, None):
        setattr(report, _ROWS, [each.dumps() for each in kept])
    if report.skipped or item.get_closest_marker(_MARKER) is None:
        return report
    bug = _bug_of(item)
    if bug is not None and bug.finds is not None:
        _judge(bug, bug.finds, item.config.stash[_SESSION], call, report)
    return report


def _judge(
    bug: _Bug, finds: str, session: _Session, call: pytest.CallInfo[None], report: pytest.TestReport
) -> None:
    """Turn the report of a demonstration round, unless something else went wrong than was expected."""
    if call.excinfo is None:
        if report.passed:
            report.outcome = "failed"
            report.longrepr = f"detection was lost: {finds} of {bug.scenario.name} was to fail, and did not"
        return
    failure = _own_failure(call.excinfo.value, bug, finds)
    if failure is None:
        return
    if session.show_bugs:
        if session.hide:
            report.longrepr = f"{finds}: {(str(failure) or 'does not hold').splitlines()[0]}"
            report.sections = []
        return
    report.outcome = "passed"
    report.longrepr = None
    report.user_properties.append(("heisenlab.demonstrates", finds))
    if session.hide:
        report.sections = []
    call.excinfo = None  # or a debugger would stop at what was expected


def _own_failure(error: BaseException, bug: _Bug, finds: str) -> AssertionError | None:
    """Return the property's own failure, where the error is that and nothing else."""
    if type(error) is ExceptionGroup:  # Hypothesis came upon several; its complaints are of other types
        failures = [_own_failure(each, bug, finds) for each in error.exceptions]
        return failures[0] if all(failures) else None
    if not isinstance(error, AssertionError):
        return None
    check = next(check for check in bug.scenario.properties if check.__name__ == finds)
    code = getattr(inspect.unwrap(check), "__code__", None)
    return error if code in _codes(error.__traceback__) else None


def _codes(traceback: TracebackType | None) -> list[object]:
    codes: list[object] = []
    while traceback is not None:
        codes.append(traceback.tb_frame.f_code)
        traceback = traceback.tb_next
    return codes
