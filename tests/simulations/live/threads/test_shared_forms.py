"""Whatever two threads share, and in whichever form they read and write it: the race is found.

No audit runs here, since its random schedules would find what the proof misses.
"""

import gc
import linecache
import logging
import os
import sys
import warnings

import pytest

from simulations.live.threads import explore
from tests.simulations.live.threads.shared_forms import KINDS, LAYOUTS, pairs, source

PROGRAMS = [
    (name, read, write, LAYOUTS[number % len(LAYOUTS)])
    for name, kind in KINDS.items()
    for number, (read, write) in enumerate(pairs(kind))
]


pytestmark = pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")


@pytest.fixture(autouse=True)
def process(tmp_path, monkeypatch, no_audit):
    """Give back what of a process the programs change, and let no audit help."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHARED_FORM", "0")
    mask, interval = os.umask(0o22), sys.getswitchinterval()
    with warnings.catch_warnings():
        yield
    gc.collect()
    os.umask(mask)
    sys.setswitchinterval(interval)
    sys.modules.pop("shared_forms_of_a_box", None)
    logging.getLogger("shared form").setLevel(logging.NOTSET)


def explored(program, folder, *, locked):
    name, read, write, layout = program
    text = source(KINDS[name], read, write, layout=layout, locked=locked)
    path = f"<{name}>"
    linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
    space = {"__name__": "__main__" if layout == "main" else "program", "FOLDER": str(folder)}
    exec(compile(text, path, "exec"), space)
    alone = space["State"]()
    space["worker"](alone)
    space["worker"](alone)
    assert space["check"](alone)
    return explore(
        space["State"], [space["worker"]] * 2, space["check"], max_schedules=100, minimise_max=0, seconds=20
    )


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: f"{program[0]}: {program[1]} {program[2]}")
def test_a_lost_update_is_found_in_whichever_form(program, tmp_path):
    result = explored(program, tmp_path, locked=False)
    assert result.verdict == "found", str(result)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: f"{program[0]}: {program[1]} {program[2]}")
def test_what_is_locked_is_right_in_whichever_form(program, tmp_path):
    result = explored(program, tmp_path, locked=True)
    assert result.verdict in {"exhausted", "gave up"}, str(result)
