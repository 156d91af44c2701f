"""One seed, one run, whatever was imported before."""

import json
import os
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers

from scenarios.lab.drawn_constants import only_its_own_constants
from scenarios.lab.hunt import hunt
from tests.scenarios.lab.toy import SCENARIO

ROOT = Path(__file__).parents[3]

HUNTS = """
import json, sys
sys.path.insert(0, sys.argv[2])
for module in json.loads(sys.argv[1]):
    __import__(module)
from scenarios.lab.hunt import hunt
runs = [
    hunt(name, seed=seed, verify=False, minimising_budget=1).search_runs
    for name in ("truncated-pointer",) for seed in (0, 1)
]
print(json.dumps(runs))
"""

IMPORTED_BEFORE = {
    "nothing": [],
    "another world": ["simulations.batch_job", "scenarios.vanishing_job"],
    "the user's own module": ["numbers_of_mine"],
}


def runs_after(imported, folder):
    (folder / "numbers_of_mine.py").write_text(f"NUMBERS = {[*range(1, 60)]}\n")
    done = subprocess.run(
        [sys.executable, "-c", HUNTS, json.dumps(imported), str(folder)],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_a_seed_gives_the_same_runs_whatever_was_imported_before(tmp_path):
    runs = {case: runs_after(modules, tmp_path) for case, modules in IMPORTED_BEFORE.items()}
    assert len({tuple(counts) for counts in runs.values()}) == 1, runs


ONE_OF_A_MODULE = 777_000_123


@pytest.fixture
def harvested(monkeypatch):
    """A module with a number of its own, as far as Hypothesis can tell."""
    found = providers.Constants(integers=providers.SortedSet([ONE_OF_A_MODULE]))
    monkeypatch.setattr(providers, "_get_local_constants", lambda: found)
    monkeypatch.setattr(providers, "CONSTANTS_CACHE", type(providers.CONSTANTS_CACHE)(16))


def draws_it():
    seen = []

    @seed(0)
    @settings(database=None, max_examples=100)
    @given(st.integers(0, 10**9))
    def example(number):
        seen.append(number)

    example()
    return ONE_OF_A_MODULE in seen


def test_the_inside_of_hypothesis_is_where_it_was(harvested):
    assert draws_it()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with only_its_own_constants():
            assert not draws_it()


def test_the_users_own_tests_get_their_constants_back(harvested):
    before = providers._get_local_constants, providers.CONSTANTS_CACHE
    with only_its_own_constants():
        with only_its_own_constants():
            assert not draws_it()
        assert not draws_it()
    assert draws_it()
    assert (providers._get_local_constants, providers.CONSTANTS_CACHE) == before


@pytest.mark.parametrize("leaving", [KeyboardInterrupt, ValueError])
def test_they_come_back_also_after_an_error(leaving):
    before = providers._get_local_constants
    with pytest.raises(leaving), only_its_own_constants():
        raise leaving
    assert providers._get_local_constants is before


def test_of_two_threads_the_last_to_end_puts_them_back():
    before = providers._get_local_constants
    entered, may_end = threading.Event(), threading.Event()

    def other():
        with only_its_own_constants():
            entered.set()
            may_end.wait(10)

    thread = threading.Thread(target=other)
    with only_its_own_constants():
        thread.start()
        assert entered.wait(10)
    assert providers._get_local_constants is not before
    may_end.set()
    thread.join()
    assert providers._get_local_constants is before


@pytest.mark.parametrize("missing", ["_get_local_constants", "CONSTANTS_CACHE", "Constants"])
def test_a_hypothesis_that_is_built_otherwise_is_said_and_the_hunt_goes_on(monkeypatch, missing):
    class Otherwise:
        def __getattr__(self, name):
            if name == missing:
                raise AttributeError(name)
            return getattr(providers, name)

    import hypothesis.internal.conjecture as package

    monkeypatch.setattr(package, "providers", Otherwise())
    with pytest.warns(RuntimeWarning, match="one seed may give other runs after other imports"):
        assert hunt(SCENARIO, verify=False).verdict == "found"
