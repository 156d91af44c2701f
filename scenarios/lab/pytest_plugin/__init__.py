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
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from scenarios.lab import catalogue, doctor
from scenarios.lab.pytest_plugin import watchdog
from scenarios.lab.pytest_plugin.replay import SAID, ReplayFile, ReplayItem, load_for_session, raise_property
from scenarios.lab.pytest_plugin.summary import AS_SHIPPED, Row, minimality, render, wrap
from scenarios.lab.pytest_plugin.watchdog import VIGIL, Vigil
from scenarios.lab.scenario import Exhausted, Finds, Holds, Scenario, Variant
from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import TracebackType

    from scenarios.lab.finding import Finding
    from scenarios.lab.hunt import Hunt
    from scenarios.lab.searchers import Tally

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
_FAILED: Final = "VERIFICATION FAILED"
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
        "--lab-seed",
        type=_from(0),
        default=0,
        metavar="N",
        help="seed of each hunt that names none itself, from 0 (default 0)",
    )
    group.addoption(
        "--lab-budget",
        type=_from(1),
        metavar="N",
        help="runs that the search of each hunt may take that names no budget itself, from 1",
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
    config.pluginmanager.register(watchdog, "heisenlab-watchdog")
    if file := config.getoption("lab_replay"):
        replayed = (config.invocation_params.dir / file).resolve()
        config.pluginmanager.register(_Replay(replayed, load_for_session(replayed)), "heisenlab-replay")
        config.args = [str(replayed)]


@dataclass(frozen=True, eq=False)  # pytest keeps its plugins in sets
class _Replay:
    """Makes one finding the only test of a session."""

    path: Path
    finding: Finding

    def pytest_ignore_collect(self, collection_path: Path) -> bool:
        """Look only at the file, and at it also in a folder that is passed over as a rule."""
        return collection_path != self.path and collection_path not in self.path.parents

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Make the test."""
        if file_path != self.path:
            return None
        scenario = catalogue.get(self.finding.scenario)
        hide = parent.config.getoption("no_spoilers")
        shown = _shown(scenario, scenario.variant(self.finding.variant), hide=hide)
        return ReplayFile.from_parent(parent, path=file_path, finding=self.finding, shown=shown, hide=hide)


def _scenario_modules() -> list[str]:
    ours = [f"scenarios.{name.replace('-', '_')}" for name in catalogue.names()]
    return [*ours, *(entry.value.partition(":")[0] for entry in entry_points(group=catalogue.GROUP))]


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


def _name_of(node: pytest.Item) -> str | None:
    """Return the name of the scenario that a test is marked with, without importing it."""
    marker = node.get_closest_marker(_MARKER)
    if marker is None or not marker.args:
        return None
    named = marker.args[0]
    return named.name if isinstance(named, Scenario) else str(named)


def _bug_of(node: pytest.Item) -> _Bug | None:
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
    scenario = named if isinstance(named, Scenario) else catalogue.get(str(named))
    finds = marker.kwargs.get("finds")
    known = [check.__name__ for check in scenario.properties]
    if finds is not None and finds not in known:
        raise LabError(f"{scenario.name} has no property {finds!r}; it has {', '.join(known)}")
    return _Bug(scenario, finds)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test of each variant where a test of a bug asks for `lab` and `variant`."""
    if not {"lab", "variant"} <= set(metafunc.fixturenames):
        return
    if any("variant" in _arguments(mark) for mark in metafunc.definition.iter_markers("parametrize")):
        return
    try:
        bug = _bug_of(metafunc.definition)
    except LabError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    if bug is None:
        return
    hide = metafunc.config.getoption("no_spoilers")
    metafunc.parametrize(
        "variant",
        [variant.name for variant in bug.scenario.variants],
        ids=[_shown(bug.scenario, variant, hide=hide) for variant in bug.scenario.variants],
    )


def _arguments(parametrize: pytest.Mark) -> list[str]:
    names = parametrize.args[0] if parametrize.args else parametrize.kwargs.get("argnames", ())
    return [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)


def _shown(scenario: Scenario, variant: Variant, *, hide: bool) -> str:
    if not hide or variant.name == AS_SHIPPED:
        return f"{scenario.name}-{variant.name}"
    return f"{scenario.name}-repair-{scenario.variants.index(variant)}"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let `-k` select a test by the name of its bug."""
    if name := _name_of(item):
        item.extra_keyword_matches.add(name)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Look up the bug of a test, once; refuse a marker that is not used as it should be."""
    try:
        item.stash[_BUG] = _bug_of(item)
    except LabError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Keep a vigil while a test of a bug runs."""
    name = _name_of(item)
    if name is None:
        return (yield)
    vigil = item.stash[VIGIL] = Vigil(name)
    try:
        return (yield)
    finally:
        vigil.running = False


@pytest.fixture
def lab(request: pytest.FixtureRequest) -> Lab:
    """Hunts the bug that the test is marked with, with the options of the command line."""
    bug = request.node.stash[_BUG]
    if bug is None:
        pytest.fail('mark a test that uses lab with @pytest.mark.bug("its-scenario")', pytrace=False)
    named = bug.scenario.name in catalogue.names() and catalogue.get(bug.scenario.name) is bug.scenario
    return Lab(bug.scenario, named, request.config.stash[_SESSION], request.node)


@dataclass(frozen=True)
class Lab:
    """What the fixture `lab` is. Its two methods hunt; `check` also judges.

    Attributes:
        scenario: The scenario of the test's marker.
        catalogued: Whether any process can get this very scenario by its name.
    """

    scenario: Scenario
    catalogued: bool
    _session: _Session = field(repr=False)
    _item: pytest.Item = field(repr=False)

    def check(self, variant: str = AS_SHIPPED, **options: Any) -> Hunt:
        """Hunt, and fail unless the variant comes to what its `expect` says.

        As shipped and folk fixes must be found, by the documented property, at the documented least plan. A
        fix must be exhausted; where another searcher is named, nothing may be found in it but what lies
        beyond the number of deviations that it is to withstand.

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
            bound, asked = chosen.expect.deviations, options.get("deviations")
            if asked is not None and asked < bound:
                raise LabError(f"{variant} is to be exhausted at {bound} deviations; check it at no fewer")
        if isinstance(chosen.expect, Holds) and self._session.budget is None:
            options = {"budget": chosen.expect.runs, **options}
        hunt = self._hunt(chosen, options)
        complaint = disagreement(chosen, hunt)
        kept = self._keep(chosen, hunt, as_expected=complaint is None)
        if complaint is not None:
            pytest.fail(self._told(complaint, kept), pytrace=False)
        if hunt.finding is not None and self._session.show_bugs:
            from scenarios.lab.verify import replay_of  # noqa: PLC0415  (as in `_hunt`)

            outcome = replay_of(self.scenario, hunt.finding)
            raise_property(self.scenario, hunt.finding, outcome, hide=self._session.hide)
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
        vigil = self._item.stash.setdefault(VIGIL, Vigil(self.scenario.name, running=False))
        theirs = options.get("watch")

        def watch(tally: Tally) -> None:
            vigil.tally = tally
            if theirs is not None:
                theirs(tally)

        given = {
            "seed": session.seed,
            "budget": session.budget,
            "verify": session.in_worker and not self.catalogued,
            **options,
            "watch": watch,
        }
        session.scenarios[self._item.nodeid] = self.scenario
        with vigil.hunting(self._shown(variant)):
            return hunt(self.scenario, variant.name, **given)

    def _keep(self, variant: Variant, hunt: Hunt, *, as_expected: bool) -> Row:
        session = self._session
        kept = Row(
            test=self._item.nodeid,
            scenario=self.scenario.name,
            catalogued=self.catalogued,
            variant=variant.name,
            shown=self._shown(variant),
            position=self.scenario.variants.index(variant),
            kind=variant.kind,
            hidden_input=self.scenario.hidden_input,
            hunt=hunt.to_json(),
            withstands=variant.expect.deviations if isinstance(variant.expect, Exhausted) else None,
            finding=hunt.finding.to_json() if hunt.finding else None,
            as_expected=as_expected,
        )
        self._item.stash.setdefault(_KEPT, []).append(kept)
        session.save(kept)
        told = {name: kept.hunt[name] for name in _FIGURES if not (session.hide and name in _TELLING)}
        if hunt.finding is not None:
            told["minimality"] = minimality(kept.hunt, spoilers=not session.hide)
        self._item.user_properties.extend(
            (f"heisenlab.{name}", value) for name, value in told.items() if value is not None
        )
        return kept

    def _shown(self, variant: Variant) -> str:
        return _shown(self.scenario, variant, hide=self._session.hide)

    def _told(self, complaint: str, kept: Row) -> str:
        if self._session.hide:
            return f"{kept.shown} is not what is documented of it; run without --no-spoilers to see in what"
        return "\n".join(filter(None, [f"{kept.shown}: {complaint}", self._session.command(kept)]))


def disagreement(variant: Variant, hunt: Hunt) -> str | None:
    """Return in what a hunt came to something else than its variant is expected to come to, or None."""
    expect, finding = variant.expect, hunt.finding
    if isinstance(expect, Finds):
        return _not_as_documented(variant, expect, hunt)
    if finding is not None and not _beyond(variant, len(finding.plan)):
        return f"the {variant.kind} broke: {finding.plan_in_words} ({finding.by}: {finding.message})"
    if isinstance(expect, Exhausted) and hunt.searcher == "exhaustive" and hunt.verdict == "gave up":
        return (
            f"not proved: {hunt.says}, but every plan of at most {expect.deviations} deviations was to be "
            f"run; give it a larger budget"
        )
    return None


def _beyond(variant: Variant, deviations: int) -> bool:
    """Return whether a plan of so many deviations lies beyond what the variant is said to withstand."""
    return isinstance(variant.expect, Exhausted) and deviations > variant.expect.deviations


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


@dataclass(eq=False)  # pytest keeps its plugins in sets
class _Session:
    """The options of a session, the rows of its hunts, and what became of verifying them."""

    config: pytest.Config
    rows: list[Row] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    scenarios: dict[str, Scenario] = field(default_factory=dict)  # by the test that hunted
    verified: str = ""

    def __post_init__(self) -> None:
        option = self.config.getoption
        self.show_bugs: bool = option("show_bugs")
        self.hide: bool = option("no_spoilers")
        self.seed: int = option("lab_seed")
        self.budget: int | None = option("lab_budget")
        self.in_worker = hasattr(self.config, "workerinput")

    def file(self, kept: Row) -> Path | None:
        """Return where the finding of a row is kept: under pytest's cache; None where there is none."""
        cache = getattr(self.config, "cache", None)
        searcher = kept.hunt["searcher"]
        parts = [kept.scenario, kept.variant, *([] if searcher == "hypothesis" else [searcher])]
        name = re.sub(r"[^\w.-]", "-", "-".join(parts))
        try:
            return Path(cache.mkdir("heisenlab"), f"{name}.json") if cache else None
        except OSError:
            return None

    def save(self, kept: Row, **changes: Any) -> None:
        """Save the finding of a row, if it has one and there is a place; else its command hunts again."""
        finding, path = kept.found(), self.file(kept)
        if finding is not None and path is not None:
            with suppress(LabError):
                replace(finding, **changes).save(path)

    def command(self, kept: Row) -> str:
        """Return what replays the finding of a row; an empty text where there is none or it is in doubt."""
        if kept.finding is None or doctor.problems(doctor.fingerprint()):
            return ""
        hunt = kept.hunt
        if not kept.catalogued:
            return shlex.join(["pytest", kept.test, "--show-bugs", "--lab-seed", str(hunt["seed"])])
        path = self.file(kept)
        if path is not None and path.exists():
            here = self.config.invocation_params.dir
            shown = path.relative_to(here) if path.is_relative_to(here) else path
            return shlex.join(["heisenlab", "replay", str(shown)])
        options = [f"--{name}={hunt[name]}" for name in ("variant", "searcher", "seed", "budget")]
        return shlex.join(["heisenlab", "hunt", kept.scenario, *options])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect the rows of a test, from whichever process it ran in."""
        self.rows += map(Row.loads, getattr(report, _ROWS, ()))
        self.said += getattr(report, SAID, ())

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
            how = verify([(self._scenario(kept), finding) for kept, finding in pending])
        except Exception as error:  # noqa: BLE001  (whatever it was, this session is not green)
            told = "run without --no-spoilers to see of what" if self.hide else str(error)
            self.verified = f"{_FAILED}: {told}"
            self._turn_red(session)
            return
        for (kept, _), verified in zip(pending, how, strict=True):
            self.save(kept, verified=verified)
        ways = dict.fromkeys(
            [*how, *(finding.verified for _, finding in found if finding.verified != NOT_YET)]
        )
        plural = "" if len(found) == 1 else "s"
        self.verified = f"{len(found)} finding{plural} replayed identically: {'; '.join(ways)}"

    def _scenario(self, kept: Row) -> Scenario:
        """Return the scenario of a row; a controller of pytest-xdist knows only the catalogue."""
        return self.scenarios.get(kept.test) or catalogue.get(kept.scenario)

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
        if not self.rows and not self.said:
            return
        terminalreporter.ensure_newline()
        terminalreporter.section("heisenlab")
        width = terminalreporter._tw.fullwidth  # noqa: SLF001  (the width that pytest itself goes by)
        for line in render(self.rows, width, spoilers=not self.hide, replay=self.command):
            terminalreporter.write_line(line)
        for said in self.said:
            terminalreporter.write_line(said)
        failed = self.verified.startswith(_FAILED)
        for line in wrap(self.verified, width):
            terminalreporter.write_line(line, red=failed)


_BUG: Final = pytest.StashKey[_Bug | None]()
_SESSION: Final = pytest.StashKey[_Session]()
_KEPT: Final = pytest.StashKey[list[Row]]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach the rows of a test, and turn a demonstration of a bug that was expected into a pass."""
    report = yield
    if kept := item.stash.get(_KEPT, None):
        setattr(report, _ROWS, [each.dumps() for each in kept])
        kept.clear()
    if call.when != "call":
        return report
    if isinstance(item, ReplayItem):
        setattr(report, SAID, list(item.said))
    bug = item.stash[_BUG]
    if not report.skipped and bug is not None and bug.finds is not None:
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
