"""Paste your class: what is explored is a program that the command line explores just so."""

import textwrap

import pytest

from docs.play.python import paste
from simulations.drawing.marks import Tone
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
COUNTER = """\
class Counter:
    def __init__(self):
        self.value = 0

    def add(self):
        value = self.value
        self.value = value + 1
"""
COUNTING = {
    "code": COUNTER,
    "setup": "Counter",
    "workers": "Counter.add, Counter.add, Counter.add",
    "check": "state.value == 3",
}


@pytest.mark.parametrize("state", [{}, COUNTING])
def test_the_digest_is_that_of_the_command_line_on_the_file_to_take_home(state, tmp_path):
    page = Reading(paste.show(state))
    assert page.says[0].startswith(Tone.BAD)
    assert page.digest == natively(page, tmp_path)


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
