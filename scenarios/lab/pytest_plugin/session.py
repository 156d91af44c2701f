"""A session: the rows of its hunts, where their findings are kept, and their verification at its end."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from scenarios.lab import catalogue, doctor
from scenarios.lab.pytest_plugin.rows import Row
from scenarios.lab.pytest_plugin.summary import render, wrap
from simulations.errors import LabError
from simulations.terminal_text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.lab.finding import Finding
    from scenarios.lab.pytest_plugin.options import Options
    from scenarios.lab.scenario import Scenario

ROWS: Final = "heisenlab_rows"
"""The attribute of a report that carries its rows, from a worker of pytest-xdist to the controller, too."""

SAID: Final = "heisenlab_said"
"""The attribute of a report that carries what a replay has to say though it is green."""


class Fate(Enum):
    """The result of verifying the findings of a session."""

    NOTHING = "there was nothing to verify"
    CUT_SHORT = "the session was cut short"
    IDENTICAL = "each finding replayed identically"
    FAILED = "a replay differed, or could not be run"


@dataclass(frozen=True)
class Verification:
    """How the findings of a session were verified.

    Attributes:
        fate: The result.
        findings: How many findings were replayed.
        ways: How that was done, each way once.
        error: What went wrong; empty where nothing did.
    """

    fate: Fate
    findings: int = 0
    ways: tuple[str, ...] = ()
    error: str = ""

    def __str__(self) -> str:
        match self.fate:
            case Fate.NOTHING:
                return ""
            case Fate.CUT_SHORT:
                return "not verified: the session was cut short"
            case Fate.FAILED:
                return f"VERIFICATION FAILED: {self.error}"
            case Fate.IDENTICAL:
                plural = "" if self.findings == 1 else "s"
                return f"{self.findings} finding{plural} replayed identically: {'; '.join(self.ways)}"


@dataclass(eq=False)  # pytest keeps its plugins in sets
class Session:
    """What is known of a session while it lasts; a plugin of pytest, in each of its processes.

    Attributes:
        config: The configuration of pytest.
        options: What the command line says.
        rows: The hunts of all processes; in a worker of pytest-xdist its own.
        said: What replays have to say though they are green.
        scenarios: The scenario of each test that hunted in this process, by its node id.
        collected: How many tests each file has, as far as they are collected.
        about_bugs: The files that hold a test of a bug.
        verification: How the findings were verified.
    """

    config: pytest.Config
    options: Options
    rows: list[Row] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    scenarios: dict[str, Scenario] = field(default_factory=dict)
    collected: Counter[Path] = field(default_factory=Counter)
    about_bugs: set[Path] = field(default_factory=set)
    verification: Verification = field(default=Verification(Fate.NOTHING))

    @property
    def in_worker(self) -> bool:
        """Whether this is a worker of pytest-xdist."""
        return hasattr(self.config, "workerinput")

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
        """Save the finding of a row, if it has one and there is a place; else its command hunts again.

        Args:
            kept: The row.
            changes: Fields of the finding that have changed since.
        """
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
            shows = "--show-folk-fixes" if kept.kind == "folk fix" else "--show-bugs"
            return shlex.join(["pytest", kept.test, shows, "--lab-seed", str(hunt["seed"])])
        path = self.file(kept)
        if path is not None and path.exists():
            here = self.config.invocation_params.dir
            shown = path.relative_to(here) if path.is_relative_to(here) else path
            return shlex.join(["heisenlab", "replay", str(shown)])
        options = [f"--{name}={hunt[name]}" for name in ("variant", "searcher", "seed", "budget")]
        return shlex.join(["heisenlab", "hunt", kept.scenario, *options])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect the rows of a test, from whichever process it ran in."""
        self.rows += map(Row.loads, getattr(report, ROWS, ()))
        self.said += getattr(report, SAID, ())

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Replay all findings of the session together, in two fresh interpreters."""
        found = [(kept, finding) for kept in self.rows if (finding := kept.found())]
        if self.in_worker or not found:
            return
        if exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
            self.verification = self._verify(found)
        else:
            self.verification = Verification(Fate.CUT_SHORT)
        if self.verification.fate is Fate.FAILED:
            self._turn_red(session)

    def _verify(self, found: Sequence[tuple[Row, Finding]]) -> Verification:
        from scenarios.lab.verify import NOT_YET, verify  # noqa: PLC0415  (few sessions verify anything)

        pending = [(kept, finding) for kept, finding in found if finding.verified == NOT_YET]
        try:
            how = verify([(self._scenario(kept), finding) for kept, finding in pending])
        except Exception as error:  # noqa: BLE001  (whatever it was, this session is not green)
            hidden = "run without --no-spoilers to see of what"
            return Verification(Fate.FAILED, error=hidden if self.options.hide else str(error))
        for (kept, _), verified in zip(pending, how, strict=True):
            self.save(kept, verified=verified)
        before = [finding.verified for _, finding in found if finding.verified != NOT_YET]
        return Verification(Fate.IDENTICAL, len(found), tuple(dict.fromkeys([*how, *before])))

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
            longrepr=str(self.verification),
            when="teardown",
        )
        self.config.hook.pytest_runtest_logreport(report=report)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show the table of bugs and what belongs to each."""
        if not self.rows and not self.said:
            return
        terminalreporter.ensure_newline()
        terminalreporter.section("heisenlab")
        width = terminalreporter._tw.fullwidth  # noqa: SLF001  (the width that pytest itself goes by)
        for line in render(self.rows, width, spoilers=not self.options.hide, replay=self.command):
            terminalreporter.write_line(printable(line))
        for said in self.said:
            terminalreporter.write_line(printable(said))
        if self.verification.fate is not Fate.NOTHING:
            terminalreporter.line("")
        failed = self.verification.fate is Fate.FAILED
        for line in wrap(str(self.verification), width):
            terminalreporter.write_line(printable(line), red=failed)


SESSION: Final = pytest.StashKey[Session]()
"""Where a configuration keeps its session."""
