"""Paste your class: explores the schedules of code that the reader of the page has typed.

A state is the code, what makes the shared state, what each thread calls, and the check. Together they are a
program as `heisenlab threads run` takes it, and under the same name its runs have the same digests.
"""

from __future__ import annotations

import platform
import textwrap
from typing import TYPE_CHECKING, Final

from simulations.drawing.marks import Tone
from simulations.drawing.page import fragment
from simulations.errors import LabError
from simulations.live.threads import Verdict, explore
from simulations.live.threads.picture import schedules

from . import NEEDS_THREADS, can_run_threads, elements, typed

if TYPE_CHECKING:
    from simulations.live.threads import Exploration

    from .elements import State

SECONDS_MAX: Final = 15
"""For how long schedules are searched, less than a page waits before it takes a run for an endless loop."""
_FILE: Final = "pasted.py"
_NOT_AUDITED: Final = (
    f"not run here. On a computer, heisenlab threads run {_FILE} audits this proof "
    "by random schedules that switch threads at any instruction."
)
_CODE: Final = """\
class Account:
    def __init__(self):
        self.balance = 100
        self.paid = []

    def withdraw(self):
        if self.balance >= 60:
            self.paid.append(self.receipt())
            self.balance -= 60

    def receipt(self):
        return "60 paid"
"""
_FIRST: Final = {
    "code": _CODE,
    "setup": "Account",
    "workers": "Account.withdraw, Account.withdraw",
    "check": "state.balance >= 0",
}


def _form() -> str:
    code = elements.text_as_it_is(_CODE)
    fields = [
        '<label for="code">Your code</label>\n',
        '<textarea id="code" name="code" rows="13" spellcheck="false" autocapitalize="off">',
        f"{code}</textarea>\n",
    ]
    for name, label in (
        ("setup", "What makes the shared state"),
        ("workers", "What each thread calls with it"),
        ("check", "What must be true of it in the end"),
    ):
        fields.append(
            f'<label>{label} <input name="{name}" size="34" spellcheck="false" autocapitalize="off" '
            f'value="{elements.text(_FIRST[name])}"></label>\n'
        )
    return (
        "".join(fields) + "<button>Explore its schedules</button> <small>Ctrl+Enter does the same</small>\n"
    )


PAGE: Final = elements.Page(
    name="paste",
    title="Paste your class",
    sentences=(
        "Two threads call a method of a class, and the lab runs their schedules until one breaks the check.",
        "What it shows is the least such schedule, beside the nearest one that passes.",
        "Nothing that you type leaves this page.",
    ),
    try_this="Put a threading.Lock around the body of withdraw, and explore again: no schedule is left.",
    form=_form(),
)


def program(state: State) -> str:
    """Return the program that a state describes, as a file that `heisenlab threads run` takes."""
    given = {name: state.get(name, first).strip() for name, first in _FIRST.items()}
    code = textwrap.dedent(state.get("code", _CODE)).strip("\n")
    return (
        f"{code}\n\n\n"
        f"setup = {given['setup']}\n"
        f"workers = [{given['workers']}]\n\n\n"
        f"def check(state):\n    return {given['check']}\n"
    )


def explored(source: str) -> Exploration:
    """Explore a program; where it takes long, the search ends after `SECONDS_MAX`.

    Args:
        source: As `program` returns it.

    Raises:
        LabError: no threads can run here.
        SyntaxError: it is no Python.
        ThreadsError: it cannot be explored.
        Exception: what its code raises outside of its threads.
    """
    if not can_run_threads():
        raise LabError(f"to explore schedules takes {NEEDS_THREADS}")
    program = typed.module(source, _FILE)
    return explore(program.setup, program.workers, program.check, seconds=SECONDS_MAX)


def show(state: State) -> str:
    """Return the page in a state, as HTML.

    Args:
        state: `code`, `setup`, `workers` and `check`; what is not given is as on the page at first.
    """
    source = program(state)
    result = explored(source)
    parts = [_verdict(result)]
    if result.runs:
        parts.append(fragment(schedules(result.runs)))
    if result.found:
        python = f"CPython {platform.python_version()}"
        parts.append(
            elements.facts(
                [
                    ("schedule", result.words),
                    ("how small", result.minimality),
                    ("conflict", result.conflict.removeprefix("Conflict:").strip()),
                    ("this interpreter", f"{python}: {result.possible}"),
                ]
            )
        )
    else:
        parts.append(elements.facts(_covered(result)))
    parts.append(f"<h2>To take home: {_FILE}</h2>\n{elements.listing(source + _test())}")
    parts.append(elements.paragraph(f"pytest {_FILE} is {'red' if result.found else 'green'}."))
    if result.digest:
        parts.append(elements.natively(f"heisenlab threads run {_FILE}", result.digest))
    nothing_else = elements.move("as it was at first", {}, key="r")
    return "".join([*parts, elements.moves("what now", [nothing_else])])


def _covered(result: Exploration) -> list[tuple[str, object]]:
    rows: list[tuple[str, object]] = [("covers", result.coverage)]
    if result.verdict is Verdict.EXHAUSTED and not result.coverage.audits:
        rows.append(("audit", _NOT_AUDITED))
    return rows


def _verdict(result: Exploration) -> str:
    if result.failure is not None:
        found = f"Schedule {result.schedules} of those tried breaks it: {result.failure.summary}."
        return elements.says(found, Tone.BAD)
    if result.verdict is Verdict.EXHAUSTED:
        tone = Tone.PLAIN if result.coverage.vacuous else Tone.GOOD
        return elements.says(f"No schedule breaks it: {result}.", tone)
    return elements.says(f"{result}.")


def _test() -> str:
    return (
        "\n\ndef test_every_schedule():\n"
        "    from simulations.live.threads import explore\n\n"
        "    explore(setup, workers, check).raise_if_found()\n"
    )
