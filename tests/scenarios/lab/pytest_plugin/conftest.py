"""A pytest session of its own for each test, with the plugin and the toy scenario."""

import pytest

from scenarios.lab import doctor, verify
from tests.scenarios.lab.pytest_plugin.sessions import EACH, PLUGIN


@pytest.fixture
def session(verified_session, monkeypatch):
    """As `verified_session`, but takes every replay in a fresh interpreter for identical, which is faster."""
    monkeypatch.setattr(verify, "in_fresh_interpreters", lambda jobs: [])
    return verified_session


@pytest.fixture
def verified_session(pytester, toy_installed, monkeypatch):
    """Runs a test file in a session with the plugin, the toy in the catalogue, and nothing doubtful."""
    monkeypatch.setattr(doctor, "problems", lambda of: [])
    monkeypatch.setenv("COLUMNS", "160")

    def run(*arguments, tests=EACH, plugin=PLUGIN):
        pytester.makepyfile(test_office=tests)
        return pytester.runpytest_inprocess(*plugin, *arguments)

    return run


@pytest.fixture
def reports(session, pytester):
    """As `session`, but returns the report of each test by its name."""

    def run(*arguments, tests):
        pytester.makepyfile(test_office=tests)
        recorded = pytester.inline_run(*PLUGIN, *arguments)
        return {
            report.nodeid.partition("::")[2]: report
            for report in recorded.getreports("pytest_runtest_logreport")
            if report.when == "call" or report.outcome != "passed"
        }

    return run
