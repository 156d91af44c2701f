"""Paste your class: what is explored is a program that the command line explores just so."""

import re
import textwrap

import pytest

from docs.play.python import paste
from simulations.drawing.marks import Tone
from simulations.errors import LabError
from simulations.live.threads.search import portfolio
from tests.docs.play import pasted, sites
from tests.docs.play.reading import Reading, natively

LOCKED = """\
import threading


class Account:
    def __init__(self):
        self.balance, self.lock = 100, threading.Lock()

    def withdraw(self):
        with self.lock:
            if self.balance >= 60:
                self.balance -= 60
"""
CLEAR = "class Account:\n    balance = 0\n\n    def withdraw(self):\n        return 1\n"


@pytest.mark.parametrize("state", [{}, pasted.LOST_UPDATE])
def test_the_digest_is_that_of_the_command_line_on_the_file_to_take_home(state, tmp_path):
    page = Reading(paste.show(state))
    assert page.says[0].startswith(Tone.BAD)
    assert page.digest == natively(page, tmp_path)
    conflict = page.html.partition("<dt>conflict</dt><dd>")[2].partition("</dd>")[0]
    assert [" pasted.py:" in line for line in conflict.split("\n")] == [True, True]


@pytest.mark.parametrize("state", [{}, {"code": LOCKED}])
def test_the_file_to_take_home_is_a_test_that_says_the_same(state, tmp_path):
    page = Reading(paste.show(state))
    space = {}
    (tmp_path / "pasted.py").write_text(page.listing)
    exec(compile(page.listing, tmp_path / "pasted.py", "exec"), space)
    if state:
        space["test_every_schedule"]()
    else:
        with pytest.raises(AssertionError, match=r"withdraw pauses at pasted.py:8"):
            space["test_every_schedule"]()


def test_a_lock_leaves_no_schedule_and_is_no_finding():
    page = Reading(paste.show({"code": LOCKED}))
    assert page.says[0].startswith(Tone.GOOD)
    assert page.command == ""


@pytest.mark.parametrize("native", [True, False])
def test_of_a_proof_the_page_says_whether_it_was_audited(monkeypatch, native):
    monkeypatch.setattr(portfolio, "NATIVE", native)
    page = Reading(paste.show({"code": LOCKED}))
    assert page.says[0].startswith(Tone.GOOD)
    assert ("audited by" in page.html) == native
    assert ("not run here" in page.html) != native
    assert "not run here" not in paste.show({})


def test_code_that_was_pasted_with_its_indentation_is_taken():
    indented = Reading(paste.show({"code": textwrap.indent(paste._CODE, "    ")}))
    assert indented.digest == Reading(paste.show({})).digest


def test_where_nothing_is_at_stake_the_page_does_not_praise_it():
    page = Reading(paste.show({"code": CLEAR}))
    assert not page.says[0].startswith(Tone.GOOD)
    assert "nothing was at stake" in page.says[0]


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ({"code": "class Account"}, SyntaxError),
        ({"setup": "Nobody"}, NameError),
        ({"check": ")"}, SyntaxError),
    ],
)
def test_what_is_no_program_is_said_as_python_says_it(state, error):
    with pytest.raises(error):
        paste.show(state)


def test_a_place_without_threads_says_in_one_sentence_what_it_takes(monkeypatch):
    monkeypatch.setattr(paste, "can_run_threads", lambda: False)
    with pytest.raises(
        LabError, match=r"^to explore schedules takes a browser that can park a thread \(JSPI"
    ):
        paste.show({})


def test_what_has_no_schedule_has_no_line_and_no_digest():
    page = Reading(paste.show(pasted.TICKETS_OF_A_GENERATOR))
    assert bool(page.digest) == bool(page.command)


def test_a_search_ends_before_a_page_takes_it_for_an_endless_loop():
    shell = (sites.ROOT / "docs" / "play" / "shell.js").read_text(encoding="utf-8")
    silent_ms = int(re.search(r"SILENT_MS = ([\d_]+);", shell)[1])
    assert silent_ms >= paste.SECONDS_MAX * 2000
