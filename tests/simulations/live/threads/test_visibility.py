"""Nothing that two threads share is invisible: however it is touched, and wherever the code lives."""

import importlib.util
import linecache
import sys

import pytest

from simulations.live.threads import explore
from tests.simulations.live.threads.visible_idioms import IDIOMS, source


def made(text, name):
    """Return the names that a program defines."""
    path = f"<{name}>"
    linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
    space = {"__name__": "program"}
    exec(compile(text, path, "exec"), space)
    return space


def needed(idiom):
    if "numpy" in idiom.imports and importlib.util.find_spec("numpy") is None:
        pytest.skip("numpy is not installed")


@pytest.mark.parametrize("name", IDIOMS)
def test_a_lost_update_is_found_however_it_is_written(name):
    idiom = IDIOMS[name]
    needed(idiom)
    space = made(source(idiom, locked=False), name)
    result = explore(space["State"], [space["worker"]] * 2, space["check"], max_schedules=300)
    assert result.verdict == "found", str(result)


@pytest.mark.parametrize("name", IDIOMS)
def test_the_same_under_a_lock_is_right(name):
    idiom = IDIOMS[name]
    needed(idiom)
    space = made(source(idiom, locked=True), name)
    result = explore(space["State"], [space["worker"]] * 2, space["check"], max_schedules=300)
    assert result.verdict in {"exhausted", "gave up"}, str(result)
