"""Hypothesis and pytest as a class needs them: the same on every machine, and short enough for a screen.

It is a plugin of pytest. On a command line, for any tests::

    pytest -p scenarios.lab.teaching.classroom test_mine.py

or in a `conftest.py`, where `--hypothesis-profile=classroom` then chooses the settings alone::

    pytest_plugins = ["scenarios.lab.teaching.classroom"]
"""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import settings

from simulations.tracebacks import only

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
    error, file = call.excinfo.value, str(item.path)
    own = only(call.excinfo.tb, lambda code: code.co_filename == file)
    call.excinfo = pytest.ExceptionInfo.from_exc_info((type(error), error, own))
