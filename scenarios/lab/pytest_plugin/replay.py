"""A finding as a pytest test: red while its bug is there, green when it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from scenarios.lab import catalogue
from scenarios.lab.pytest_plugin.marker import shown
from simulations.errors import LabError
from simulations.terminal_text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from scenarios.lab.execution import Outcome
    from scenarios.lab.finding import Finding
    from scenarios.lab.scenario import Scenario


def raise_property(scenario: Scenario, finding: Finding, outcome: Outcome, *notes: str, hide: bool) -> None:
    """Raise the failing property's own error for a run of a finding.

    Args:
        scenario: The scenario.
        finding: The finding.
        outcome: Its run, in which a property failed.
        notes: What else to say.
        hide: Whether causes are hidden; then only the property and what it saw are shown.
    """
    __tracebackhide__ = True
    failure = outcome.failure
    if failure is None:
        return
    if hide:
        pytest.fail("\n".join([f"{failure.by}: {failure.message}", *notes]), pytrace=False)
    check = next(check for check in scenario.properties if check.__name__ == failure.by)
    try:
        check(outcome.run)
    except AssertionError as error:
        words = f"{finding.plan_in_words} ({finding.minimality}; input {finding.input})"
        for note in (words, *notes):
            error.add_note(printable(note))
        raise


def load_for_session(path: Path) -> Finding:
    """Read the finding that a session is to replay.

    Raises:
        pytest.UsageError: it cannot be read, or its scenario or variant is unknown.
    """
    from scenarios.lab.finding import load  # noqa: PLC0415  (most sessions with the plugin replay nothing)

    try:
        finding = load(path)
        catalogue.get(finding.scenario).variant(finding.variant)
    except LabError as error:
        raise pytest.UsageError(f"--lab-replay: {error}") from None
    return finding


@dataclass(frozen=True, eq=False)  # pytest keeps its plugins in sets
class Replay:
    """Makes one finding the only test of a session.

    Attributes:
        path: The file of the finding, resolved.
        finding: What it holds.
    """

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
        name = shown(scenario, scenario.variant(self.finding.variant), hide=hide)
        return ReplayFile.from_parent(parent, path=file_path, finding=self.finding, shown=name, hide=hide)


class ReplayFile(pytest.File):
    """The file of a finding; made by `from_parent(parent, path=..., finding=..., shown=..., hide=...)`."""

    def __init__(self, *, finding: Finding, shown: str, hide: bool, **options: Any) -> None:
        super().__init__(**options)
        self.finding, self.shown, self.hide = finding, shown, hide

    def collect(self) -> Iterator[pytest.Item]:
        """Yield the one test."""
        yield ReplayItem.from_parent(self, name=self.shown, finding=self.finding, hide=self.hide)


class ReplayItem(pytest.Item):
    """The replay of a finding."""

    def __init__(self, *, finding: Finding, hide: bool, **options: Any) -> None:
        super().__init__(**options)
        self.finding, self.hide = finding, hide
        self.said: Sequence[str] = ()
        self.add_marker(pytest.mark.bug(finding.scenario))

    def runtest(self) -> None:
        """Replay; raise the property's own error where one fails."""
        from scenarios.lab.replay import replay  # noqa: PLC0415  (as above)

        __tracebackhide__ = True
        scenario = catalogue.get(self.finding.scenario)
        result = replay(self.finding, scenario)
        self.user_properties.append(("heisenlab.replay", result.result.value))
        if result.result == "holds":
            self.said = [f"{self.name}: no property fails any more at this plan", *result.changed]
        elif result.result == "differs":
            parted = "the run is not the recorded one, though a property fails"
            raise_property(scenario, self.finding, result.outcome, parted, *result.changed, hide=self.hide)
        else:
            raise_property(scenario, self.finding, result.outcome, hide=self.hide)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show an error of the laboratory, such as a plan that does not fit any more, in one line."""
        if isinstance(excinfo.value, LabError):
            return f"this finding cannot be replayed: {excinfo.value}"
        if not self.config.getoption("fulltrace") and not isinstance(excinfo.value, pytest.fail.Exception):
            excinfo.traceback = excinfo.traceback.cut(path=__file__).filter(excinfo)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return how reports call the test."""
        return self.path, None, f"replay of {self.name}"
