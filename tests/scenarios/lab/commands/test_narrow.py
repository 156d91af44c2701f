"""On a terminal of any width, what a command prints has every word whole and every curve on one line."""

import dataclasses
import importlib
import io
import re
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from scenarios.lab.commands import assumptions, display, main
from scenarios.lab.hunt import hunt
from scenarios.lab.scenario import Assumption
from tests.scenarios.lab.toy import SCENARIO
from tests.simulations.live.recorder import written as w

WIDE = 400
NARROW = (40, 60, 80)
FRAME = "│┃┏┓┗┛┡┩└┘├┤┬┴┼╇━─"
BLOCKS = "▁▂▃▄▅▆▇█"
CURVE = re.compile(f"[{BLOCKS}][{BLOCKS} ]*")
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
LONG = "a_folder_whose_name_is_longer_than_forty_columns_and_not_to_be_cut"
SPACED = "a folder/finding.json"

CLERKS = "no-more-than-three-clerks-are-in-the-office-on-any-day"
MODE = "mode_that_the_controller_has_stored_now"

PROGRAM = f"""
class AnAccountWhoseNameIsLongerThanFortyColumns:
    def __init__(self):
        self.balance_in_the_currency_of_the_customer = 100

    def deposit(self):
        seen = self.balance_in_the_currency_of_the_customer
        self.balance_in_the_currency_of_the_customer = seen + 50

setup = AnAccountWhoseNameIsLongerThanFortyColumns
workers = {{"the_first_of_two_clerks_who_deposit_money": setup.deposit, "second_clerk": setup.deposit}}

def check(account):
    return account.balance_in_the_currency_of_the_customer == 200

class Valve:
    def __init__(self):
        self.{MODE} = "shut"

    def go(self):
        other = {{"shut": "open", "open": "shut"}}
        self.{MODE} = other[self.{MODE}]
"""

ASSUMING = dataclasses.replace(
    SCENARIO,
    variants=SCENARIO.variants[:2],
    assumptions=(Assumption(CLERKS, "There are no more than three clerks.", why_not="No run shows it."),),
)

COMMANDS = {
    "list": (["list", "--reveal"], ["invalid-mode", "truncated-pointer"]),
    "show": (["show", "invalid-mode", "--reveal"], ["as-shipped"]),
    "show covered": (["show", "invalid-mode"], ["invalid-mode"]),
    "show of the toy": (
        ["show", "toy", "--reveal"],
        ["nothing_is_stained", "as-shipped", "nobody_is_alarmed"],
    ),
    "hunt": (["hunt", "toy", "-o", SPACED], ["nothing_is_stained", f"'{SPACED}'", "{digest}"]),
    "hunt that finds nothing": (["hunt", "toy", "--variant", "likely", "--budget", "5"], ["toy", "likely"]),
    "replay": (["replay", "{finding}", "--trace"], ["{digest}", "nothing_is_stained"]),
    "step": (["step", "toy"], ["nothing_is_stained", "b.cup"]),
    "compare": (
        ["compare", "toy", "--hunts", "2", "--runs", "20", "--budget", "20", "--workers", "1"],
        ["hypothesis", "exhaustive", "as-shipped"],
    ),
    "causality": (["causality", "{finding}", "--resamples", "5"], ["P(bug)"]),
    "isolate": (["isolate", "{finding}"], ["steps=2"]),
    "assumptions": (["assumptions", "toy"], [CLERKS]),
    "journal": (["journal", "journal.jsonl"], ["as-shipped", f"'{SPACED}'"]),
    "doctor": (["doctor"], [str(Path(display.__file__).parents[2])]),
    "threads": (["threads", "run", "program.py"], ["the_first_of_two_clerks_who_deposit_money"]),
    "machine": (
        [
            "machine",
            "examine",
            "program.py:Valve",
            "--field",
            MODE,
            "--states",
            "shut,open",
            "--events",
            "go",
        ],
        [MODE],
    ),
}
if sys.platform == "linux":
    COMMANDS["memory"] = (["memory", "map"], ["[stack]"])
    COMMANDS["record"] = (["record", "show", "recorded"], [f"/{LONG}/job.log"])


ENGINE = {
    "assumptions": "ledger",
    "causality": "causality",
    "doctor": "fingerprint",
    "hunt": "hunt",
    "isolate": "isolate_finding",
}
"""The function of each command that takes the time; its result is printed at every width."""

ONLY_IN_A_TABLE = {"suspect", "against"}
"""Titles of columns that `record show` does without where it prints a list."""


@pytest.fixture
def place(toy_installed, tmp_path, monkeypatch):
    """The files that the commands read; returns the words that depend on the finding."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / LONG).mkdir()
    (tmp_path / SPACED).parent.mkdir()
    finding = hunt(SCENARIO, "as-shipped", searcher="exhaustive", verify=False).finding
    finding.save(tmp_path / LONG / "finding.json")
    (tmp_path / "program.py").write_text(PROGRAM)
    return {"digest": finding.digest, "finding": f"{LONG}/finding.json"}


@pytest.fixture
def printed(place, monkeypatch, capsys):
    """Runs a command as on a terminal; returns what it prints without the colours."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("TTY_COMPATIBLE", raising=False)
    monkeypatch.setattr(assumptions, "get", lambda _: ASSUMING)
    for name, function in ENGINE.items():
        module = importlib.import_module(f"scenarios.lab.commands.{name}")
        monkeypatch.setattr(module, function, once(getattr(module, function)))

    def run(words, columns):
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr("sys.stdin", io.StringIO("goto 99\nplan\nchoices\nverdict\n"))
        main([word.format(**place) for word in words])
        return ESCAPE.sub("", capsys.readouterr().out)

    return run


def once(function):
    """Return the function with its first result, whatever it is called with later."""
    results = []

    def called(*args, **options):
        if not results:
            results.append(function(*args, **options))
        return results[0]

    return called


def words_of(text):
    """Return what must stand whole: words with a letter or a long number in hexadecimal digits."""
    apart = text.translate(dict.fromkeys(map(ord, FRAME), " "))
    return {each for each in apart.split() if re.search(r"[A-Za-z]{2}|[0-9a-f]{12}", each)}


def curves_of(text):
    return [len(CURVE.findall(line)) for line in text.splitlines() if CURVE.search(line)]


def torn(wide, narrow):
    """Return the words that are whole in the wide text and not in the narrow one."""
    return words_of(wide) - words_of(narrow) - ONLY_IN_A_TABLE


@pytest.mark.parametrize("name", COMMANDS)
def test_no_word_is_cut_and_no_curve_wrapped(printed, place, tmp_path, capsys, name):
    words, expected = COMMANDS[name]
    if name == "journal":
        main(["hunt", "toy", "-o", SPACED, "--journal", "journal.jsonl"])
        capsys.readouterr()
    if name == "record":
        ended = (w.end(w.HOUR_MS, -9), w.tail(w.HOUR_MS, f"/{LONG}/job.log"))
        w.written(tmp_path / "recorded" / "0001", w.start(), *w.samples(w.HOUR_MS), *ended)
    wide = printed(words, WIDE)
    expected = [each.format(**place) for each in expected]
    assert [each for each in expected if each not in wide] == []
    for columns in NARROW:
        narrow = printed(words, columns)
        assert torn(wide, narrow) == set()
        assert [each for each in expected if each not in narrow] == []
        assert len(curves_of(narrow)) == len(curves_of(wide))


@pytest.mark.parametrize("name", ["list", "show", "compare"])
def test_a_table_that_wraps_words_and_curves_would_be_noticed(printed, monkeypatch, name):
    def folding(header, rows, _width, **_):
        table = Table()
        for title in header:
            table.add_column(title, overflow="fold")
        for row in rows:
            table.add_row(*row)
        return table

    words, _ = COMMANDS[name]
    wide = printed(words, WIDE)
    monkeypatch.setattr(display, "fitted_table", folding)
    narrow = printed(words, 60)
    assert torn(wide, narrow)
    assert name != "compare" or len(curves_of(narrow)) != len(curves_of(wide))


@example(rows=[["", "", " aaa界"]], width=21)
@example(rows=[["a界界 ", "", ""]], width=23)
@given(
    st.lists(st.lists(st.text("ab -\n界", max_size=30), min_size=3, max_size=3), min_size=1, max_size=4),
    st.integers(1, 120),
)
def test_a_table_fits_with_every_word_and_every_whole_line_or_there_is_none(rows, width):
    header = ("one", "two", "three")
    table = display.fitted_table(header, rows, width, whole=("two",))
    out = io.StringIO()
    if table is None:
        table, width = display.fitted_table(header, rows, WIDE, whole=("two",)), WIDE
        assert table is not None
    Console(file=out, width=width).print(table)
    lines = out.getvalue().splitlines()
    assert max(map(cell_len, lines)) <= width
    apart = out.getvalue().translate(dict.fromkeys(map(ord, FRAME), " ")).split()
    for row in rows:
        assert {word for cell in row for word in cell.split()} <= {*apart}
        assert all(any(line.rstrip() in each for each in lines) for line in row[1].split("\n"))


@pytest.mark.parametrize("columns", NARROW)
def test_facts_are_wrapped_between_words_and_only_a_long_word_overflows(monkeypatch, capsys, columns):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    display.print_facts([("prose", "a few words " * 20), ("path", f"is at /{LONG}/{LONG} or so")])
    lines = ESCAPE.sub("", capsys.readouterr().out).splitlines()
    assert len(lines) > 4
    assert [line.strip() for line in lines if len(line) > columns] == [f"/{LONG}/{LONG}"]
