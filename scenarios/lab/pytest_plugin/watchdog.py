"""pytest-timeout as the outer watchdog of hunts, with words of its own.

pytest-timeout ends a test with pytest's `Failed`. Hypothesis takes that for a failing example wherever it
interrupts its own code, shrinks it, and calls it flaky. So while a test of a bug runs, `Watchdog` is raised
in its place, which Hypothesis lets pass; and should anything swallow that, too, the report still says what
happened, since a test that the watchdog ended has no verdict.
"""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from scenarios.lab.searchers import Tally


class Watchdog(BaseException):
    """The time of a test is over. This is no verdict about its bug.

    Common causes: the budget of runs is larger than the timeout allows; the machine is slow; a run of the
    world never ends.
    """


@dataclass
class Progress:
    """What is known of a test while it runs.

    Attributes:
        bug: The name of its bug.
        hunted: What it hunts at the moment, or None.
        tally: The runs of that hunt so far.
        running: Whether the test itself runs, and not what tears it down.
        ended_by: What the watchdog said when it ended the test; empty while it has not.
    """

    bug: str
    hunted: str | None = None
    tally: Tally | None = None
    running: bool = True
    ended_by: str = ""

    def count(self, tally: Tally) -> None:
        """Take note of the runs so far."""
        self.tally = tally

    @contextmanager
    def hunting(self, hunted: str) -> Iterator[None]:
        """Know, inside the block, that something is hunted.

        Raises:
            Watchdog: it was raised in the block and swallowed there, by a world that catches everything.
        """
        self.hunted, self.tally = hunted, None
        try:
            yield
        finally:
            self.hunted = None
        if self.ended_by:
            raise Watchdog(self.ended_by)

    def says(self, seconds: float) -> str:
        """Return the words for a test that is ended after `seconds` seconds."""
        ended = f"the watchdog (pytest-timeout, {seconds:g} s) ended"
        way_out = "this is no verdict: raise the timeout (--timeout, @pytest.mark.timeout)"
        if self.hunted is None:
            return f"{ended} a test of {self.bug}; {way_out} or look for a run that never ends"
        phase = {"search": "the search", "minimise": "minimising"}
        when = (
            f"during {phase[self.tally.phase]}, in run {self.tally.runs}"
            if self.tally
            else "before its first run"
        )
        return (
            f"{ended} the hunt of {self.hunted} {when}; {way_out}, lower --lab-budget, or look for a run "
            f"that never ends"
        )


PROGRESS: Final = pytest.StashKey[Progress]()
"""Where a test that is being run keeps its progress; set by the plugin for tests of a bug."""


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> Generator[None, object, object]:
    """Put our words in place of those of pytest-timeout, which has just set its timer."""
    result = yield
    if item.get_closest_marker("bug") is None or not hasattr(item, "cancel_timeout"):
        return result
    if settings.method == "signal" and threading.current_thread() is threading.main_thread():
        _by_signal(item, settings)
    else:
        _by_thread(item, settings)
    return result


def _by_signal(item: pytest.Item, settings: Any) -> None:
    theirs = signal.getsignal(signal.SIGALRM)
    if not callable(theirs):
        return
    expire: Callable[..., Any] = theirs

    def ours(signum: int, frame: object) -> None:
        __tracebackhide__ = True
        try:
            expire(signum, frame)
        except pytest.fail.Exception:
            progress = item.stash.get(PROGRESS, None)
            # While a test is set up or torn down, pytest goes on only after failures that it knows.
            if progress is None or not progress.running:
                raise
            progress.ended_by = progress.says(settings.timeout)
            raise Watchdog(progress.ended_by) from None

    signal.signal(signal.SIGALRM, ours)


def _by_thread(item: Any, settings: Any) -> None:
    timeout = item.config.pluginmanager.get_plugin("timeout")
    item.cancel_timeout()

    def expire() -> None:
        progress = item.stash.get(PROGRESS, None)
        if (
            progress is not None
            and progress.running
            and (settings.disable_debugger_detection or not timeout.is_debugging())
        ):
            _say(item.config, progress.says(settings.timeout))
        timeout.timeout_timer(item, settings)  # shows the stacks and ends the process

    timer = threading.Timer(settings.timeout, expire)
    timer.name = f"{__name__} {item.nodeid}"

    def cancel() -> None:
        timer.cancel()
        timer.join()

    item.cancel_timeout = cancel
    timer.start()


def _say(config: pytest.Config, words: str) -> None:
    """Say something in the last moment of a process: past the capture, and past xdist in its worker."""
    capture = config.pluginmanager.get_plugin("capturemanager")
    if capture is not None:
        capture.suspend_global_capture(in_=True)
    if hasattr(config, "workerinput"):
        print(words, file=sys.__stderr__, flush=True)
    else:
        terminal = config.get_terminal_writer()
        terminal.line()
        terminal.line(words)
        terminal.flush()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Keep a test red that the watchdog ended, whatever became of the exception on its way."""
    report = yield
    progress = item.stash.get(PROGRESS, None)
    if progress is None or not progress.ended_by or call.when != "call":
        return report
    if call.excinfo is None or not isinstance(call.excinfo.value, Watchdog):
        report.longrepr = progress.ended_by
    report.outcome = "failed"
    return report
