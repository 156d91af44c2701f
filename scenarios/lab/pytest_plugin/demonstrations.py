"""Tests that show a bug by other means: green by the property's own failure, and only by that."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    import pytest

    from scenarios.lab.pytest_plugin.marker import Bug
    from scenarios.lab.pytest_plugin.options import Options


def judge(
    bug: Bug, finds: str, options: Options, call: pytest.CallInfo[None], report: pytest.TestReport
) -> None:
    """Turn the report of a demonstration round, unless something else went wrong than was expected.

    Args:
        bug: What the test is marked with.
        finds: The property that it is to make fail.
        options: Whether failures are shown, and causes hidden.
        call: The call of the test; a failure that was expected is taken out of it.
        report: Its report.
    """
    if call.excinfo is None:
        if report.passed:
            report.outcome = "failed"
            report.longrepr = f"detection was lost: {finds} of {bug.scenario.name} was to fail, and did not"
        return
    failure = _own_failure(call.excinfo.value, bug, finds)
    if failure is None:
        return
    if options.show_bugs:
        if options.hide:
            report.longrepr = f"{finds}: {(str(failure) or 'does not hold').splitlines()[0]}"
            report.sections = []
        return
    report.outcome = "passed"
    report.longrepr = None
    report.user_properties.append(("heisenlab.demonstrates", finds))
    if options.hide:
        report.sections = []
    call.excinfo = None  # or a debugger would stop at what was expected


def _own_failure(error: BaseException, bug: Bug, finds: str) -> AssertionError | None:
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
