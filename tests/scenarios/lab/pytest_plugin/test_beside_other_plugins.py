"""The plugin beside the plugins that people have: no warning of theirs is an error of ours."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

_ROOT = Path(__file__).parents[4]

TESTS = """
import random
import pytest
from hypothesis import given, settings, strategies as st
from tests.scenarios.lab.toy import SCENARIO, Day, nothing_is_stained

@pytest.mark.bug(SCENARIO)
@pytest.mark.parametrize("name", ["as-shipped", "twice", "fixed"])
def test_each(lab, name):
    random.random()  # whatever state a plugin has left, or finds, a hunt is the same
    hunted = lab.check(name)
    assert (name, hunted.search_runs, hunted.minimising_runs) in RUNS

@pytest.mark.bug(SCENARIO, finds="nothing_is_stained")
@settings(database=None, deadline=None, derandomize=True)
@given(st.integers(0, 9))
def test_demonstration(stains):
    nothing_is_stained(Day(None, max(0, stains - 3), 0))
"""

PLUGINS = {
    "pytest_asyncio": [],
    "pytest_randomly": [],
    "anyio": [],
    "xdist": ["-n2"],
    "pytest_cov": ["--cov=scenarios.lab.pytest_plugin"],
}


@pytest.fixture
def run(pytester, monkeypatch):
    """Runs the toy's tests in a process of its own, under this project's configuration of pytest."""
    from scenarios.lab.hunt import hunt
    from scenarios.lab.scenario import Exhausted
    from tests.scenarios.lab.toy import SCENARIO

    runs = []
    for name in ("as-shipped", "twice", "fixed"):
        searcher = "exhaustive" if isinstance(SCENARIO.variant(name).expect, Exhausted) else "hypothesis"
        hunted = hunt(SCENARIO, name, searcher=searcher, verify=False)
        runs.append((name, hunted.search_runs, hunted.minimising_runs))
    pytester.makepyfile(test_office=f"RUNS = {runs!r}\n{TESTS}")
    configuration = (_ROOT / "pyproject.toml").read_text(encoding="utf-8")
    pytester.path.joinpath("pyproject.toml").write_text(configuration, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(_ROOT), *filter(None, sys.path)]))

    def run(*arguments):
        return pytester.runpytest_subprocess(
            "-p", "scenarios.lab.pytest_plugin", "test_office.py", *arguments
        )

    return run


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_session_is_green_and_its_hunts_are_the_same(run, plugin):
    if importlib.util.find_spec(plugin) is None:
        pytest.skip(f"{plugin} is not installed here, so that nothing can be said about it")
    result = run(*PLUGINS[plugin])
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["2 findings replayed identically: *"])


def test_a_session_is_green_beside_all_that_are_installed(run):
    installed = [plugin for plugin in PLUGINS if importlib.util.find_spec(plugin) is not None]
    if len(installed) < 2:
        pytest.skip("fewer than two of these plugins are installed here")
    result = run(*(option for plugin in installed for option in PLUGINS[plugin]))
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["2 findings replayed identically: *"])


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_and_the_seed_of_a_random_order_change_no_verdict(run, seed):
    if importlib.util.find_spec("pytest_randomly") is None:
        pytest.skip("pytest-randomly is not installed here, so that no order is random")
    run(f"--randomly-seed={seed}").assert_outcomes(passed=4)
