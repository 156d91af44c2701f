"""Hypothesis and pytest as a class needs them: the same on every machine, and short enough for a screen.

It is a plugin of pytest. On a command line, for any tests::

    pytest -p scenarios.lab.teaching.classroom test_mine.py

or in a `conftest.py`, where `--hypothesis-profile=classroom` then chooses the settings alone::

    pytest_plugins = ["scenarios.lab.teaching.classroom"]
"""

from __future__ import annotations

from types import TracebackType
from typing import Final

import pytest
from hypothesis import settings

PROFILE: Final = "classroom"
"""The name of the profile, for `--hypothesis-profile` and `settings.load_profile`."""

settings.register_profile(
    PROFILE,
    deadline=None,  # a slow or busy machine is no failure
    derandomize=True,  # all see the same examples
    database=None,  # nothing is left behind, and no run depends on the one before
    print_blob=False,  # a plan or the values themselves are what is passed on
)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Load the profile, which `--hypothesis-profile` overrides, and show tracebacks without the arguments.

    An argument is shown as its `repr`, up to some 200 characters of it, in front of what matters.
    """
    settings.load_profile(PROFILE)
    if config.option.tbstyle == "auto":
        config.option.tbstyle = "short"


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Keep of a traceback the lines of the test's own file, where there are any; the report is pytest's."""
    if call.excinfo is None or item.config.option.fulltrace:
        return
    frames, own = [], None
    traceback: TracebackType | None = call.excinfo.tb
    while traceback is not None:
        frames.append(traceback)
        traceback = traceback.tb_next
    for each in reversed(frames):
        if each.tb_frame.f_code.co_filename == str(item.path):
            own = TracebackType(own, each.tb_frame, each.tb_lasti, each.tb_lineno)
    if own is not None:
        call.excinfo = pytest.ExceptionInfo.from_exception(call.excinfo.value.with_traceback(own))
