"""Whatever a thread reads and another one writes, in whichever form: both ends are seen.

A lost update also shows in the order of the two writes, so it says nothing about the reads; here one only
reads. No audit runs, since its random schedules would find what the proof misses.
"""

import builtins
import gc
import importlib.util
import linecache
import locale
import logging
import os
import sys
import time

import pytest

from simulations.live.threads import explore
from tests.simulations.live.threads import outside_forms, read_forms
from tests.simulations.live.threads.read_forms import source

FORMS = read_forms.FORMS | outside_forms.FORMS
UNSEEN = read_forms.UNSEEN | outside_forms.UNSEEN

pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed file:ResourceWarning", "ignore:unclosed database:ResourceWarning"
)


@pytest.fixture(autouse=True)
def process(tmp_path, monkeypatch, no_audit):
    """Give back what of a process the programs change, and let no audit help."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("READ_FORM", "0")
    monkeypatch.setattr(builtins, "READ_FORM", 0, raising=False)
    monkeypatch.setitem(sys.modules, "read_forms_of_a_module", None)
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(logging, "raiseExceptions", False)
    mask, digits, region = os.umask(0o22), sys.get_int_max_str_digits(), locale.setlocale(locale.LC_ALL)
    zone = os.environ.get("TZ")
    yield
    gc.collect()
    os.umask(mask)
    sys.set_int_max_str_digits(digits)
    locale.setlocale(locale.LC_ALL, region)
    monkeypatch.setenv("TZ", zone or "") if zone else monkeypatch.delenv("TZ", raising=False)
    time.tzset()


def made(name, folder, *, locked):
    form = FORMS[name]
    if "numpy" in form.prelude and importlib.util.find_spec("numpy") is None:
        pytest.skip("numpy is not installed")
    text = source(form, locked=locked)
    path = f"<{name}>"
    linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
    space = {"__name__": "program", "FOLDER": str(folder)}
    exec(compile(text, path, "exec"), space)
    return space


def after(space, *workers):
    state = space["State"]()
    for worker in workers:
        space[worker](state)
    return state.seen


@pytest.mark.parametrize("name", FORMS)
def test_what_is_read_before_and_after_it_is_written_is_seen(name, tmp_path):
    space = made(name, tmp_path, locked=False)
    expected = {after(space, "reads"), after(space, "writes", "reads")}
    assert len(expected) == 2
    seen = set()
    order = ["reads", "writes"] if len(name) % 2 else ["writes", "reads"]
    result = explore(
        space["State"],
        [space[worker] for worker in order],
        lambda state: seen.add(state.seen),
        max_schedules=50,
        minimise_max=0,
        seconds=20,
    )
    if name in UNSEEN:
        assert result.verdict == "gave up", str(result)
        assert result.coverage.hindrances
    else:
        assert expected <= seen, str(result)
