"""The hooks through which pytest collects, runs and reports the tests of a bug."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from scenarios.lab import catalogue, doctor
from scenarios.lab.interrupts import delivered
from scenarios.lab.pytest_plugin import covered, demonstrations, shown_bugs, watchdog
from scenarios.lab.pytest_plugin.fixture import KEPT
from scenarios.lab.pytest_plugin.marker import BUG, bug_of, name_of, shown
from scenarios.lab.pytest_plugin.options import Options
from scenarios.lab.pytest_plugin.replay import Replay, ReplayItem, load_for_session
from scenarios.lab.pytest_plugin.session import ROWS, SAID, SESSION, Session
from scenarios.lab.pytest_plugin.watchdog import PROGRESS, Progress
from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Generator

_COMMIT_DIGITS: Final = 12


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, have the scenarios' asserts rewritten, and begin to keep rows."""
    config.addinivalue_line(
        "markers",
        "bug(scenario, *, finds=None): the test is about this bug of the laboratory (a name or a Scenario); "
        "with finds=PROPERTY it passes when it fails with that property's own failure, and only then",
    )
    pytest.register_assert_rewrite(*(name for name in _scenario_modules() if name not in sys.modules))
    session = Session(config, Options.of(config))
    if session.options.hide and config.option.collectonly:
        config.option.verbose = min(config.option.verbose, 0)  # or the docstrings of tests are printed
    config.stash[SESSION] = session
    interrupts = ExitStack()
    interrupts.enter_context(delivered(endings=False))  # Hypothesis has a callback of the garbage collector
    config.add_cleanup(interrupts.close)
    config.pluginmanager.register(session, "heisenlab-session")
    config.pluginmanager.register(watchdog, "heisenlab-watchdog")
    if session.options.show_bugs and not session.options.hide:
        config.pluginmanager.register(shown_bugs, "heisenlab-shown-bugs")
        if config.option.tbstyle == "auto":
            config.option.tbstyle = "short"  # arguments are worlds and laboratories, in front of what matters
        config.option.force_short_summary = True  # on a build server each message would be printed twice
    if session.options.replay:
        replayed = (config.invocation_params.dir / session.options.replay).resolve()
        config.pluginmanager.register(Replay(replayed, load_for_session(replayed)), "heisenlab-replay")
        config.args = [str(replayed)]


def _scenario_modules() -> list[str]:
    ours = [f"scenarios.{name.replace('-', '_')}" for name in catalogue.names()]
    return [*ours, *(entry.value.partition(":")[0] for entry in entry_points(group=catalogue.GROUP))]


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say which code is under test, and what makes that doubtful."""
    code = doctor.fingerprint()
    version = code["installed"] or code["source"] or "of unknown version"
    dirty = " (dirty)" if code["dirty"] else ""
    commit = f", commit {code['commit'][:_COMMIT_DIGITS]}{dirty}" if code["commit"] else ""
    folder = Path(code["paths"]["scenarios"]).parent
    hypothesis, seed = code["versions"]["hypothesis"], config.stash[SESSION].options.seed
    return [
        f"heisenlab: {version}{commit}, from {folder}, Hypothesis {hypothesis}, seed {seed}",
        *(f"heisenlab: doubtful: {problem}" for problem in doctor.problems(code)),
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test of each variant where a test of a bug asks for `lab` and `variant`."""
    if not {"lab", "variant"} <= set(metafunc.fixturenames):
        return
    if any("variant" in _arguments(mark) for mark in metafunc.definition.iter_markers("parametrize")):
        return
    try:
        bug = bug_of(metafunc.definition)
    except LabError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    if bug is None:
        return
    hide = metafunc.config.stash[SESSION].options.hide
    metafunc.parametrize(
        "variant",
        [variant.name for variant in bug.scenario.variants],
        ids=[shown(bug.scenario, variant, hide=hide) for variant in bug.scenario.variants],
    )


def _arguments(parametrize: pytest.Mark) -> list[str]:
    names = parametrize.args[0] if parametrize.args else parametrize.kwargs.get("argnames", ())
    return [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let `-k` select a test by the name of its bug; count the tests of its file."""
    session = item.config.stash[SESSION]
    if name := name_of(item):
        item.extra_keyword_matches.add(name)
        session.about_bugs.add(item.path)
    session.collected[item.path] += 1
    item.stash[covered.NUMBER] = session.collected[item.path]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Hide the names of tests where causes are hidden; `-k` has chosen by their own names before."""
    session = config.stash[SESSION]
    if session.options.hide:
        covered.cover(items, session.about_bugs)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Look up the bug of a test, once; refuse a marker that is not used as it should be."""
    try:
        item.stash[BUG] = bug_of(item)
    except LabError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Keep the progress of a test of a bug while it runs."""
    name = name_of(item)
    if name is None:
        return (yield)
    progress = item.stash[PROGRESS] = Progress(name)
    try:
        return (yield)
    finally:
        progress.running = False


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach the rows of a test, and turn a demonstration of a bug that was expected into a pass."""
    report = yield
    if kept := item.stash.get(KEPT, None):
        setattr(report, ROWS, [each.dumps() for each in kept])
        kept.clear()
    if call.when != "call":
        _covered(item, call, report)
        return report
    if isinstance(item, ReplayItem):
        setattr(report, SAID, list(item.said))
    bug = item.stash[BUG]
    if not report.skipped and bug is not None and bug.finds is not None:
        demonstrations.judge(bug, bug.finds, item.config.stash[SESSION].options, call, report)
    _covered(item, call, report)
    return report


def _covered(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    if item.stash.get(covered.COVERED, False):
        covered.cover_failure(call, report)
