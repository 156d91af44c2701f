"""The lab journal: whole lines from many writers, damaged ones said, and never a file that nobody named."""

import json
import multiprocessing
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.lab.commands import main
from scenarios.lab.hunt import hunt
from scenarios.lab.method.journal import VARIABLE, append, entry, read
from tests.scenarios.lab import toy

pytestmark = pytest.mark.usefixtures("toy_installed")


def write(path, who):
    for number in range(50):
        append(path, entry(f"{who} {number}", "x" * 2000, command="c"))


def test_lines_of_several_writers_are_whole(tmp_path):
    path = tmp_path / "journal"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write, args=(path, who)) for who in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    kept = read(path)
    assert kept.damaged == ()
    assert sorted(each.what for each in kept.entries) == sorted(f"{w} {n}" for w in "ab" for n in range(50))


@settings(deadline=None)
@given(what=st.text(), outcome=st.text(), prediction=st.none() | st.text(), cut=st.integers(1, 60))
def test_what_is_written_is_read_and_a_line_that_is_cut_short_spoils_no_other(
    tmp_path_factory, what, outcome, prediction, cut
):
    path = tmp_path_factory.mktemp("journal") / "journal"
    new = entry(what, outcome, command="c", prediction=prediction)
    append(path, new)
    append(path, new)
    os.truncate(path, path.stat().st_size - cut)
    append(path, new)
    kept = read(path)
    assert kept.entries[0] == kept.entries[-1] == new
    assert (len(kept.entries), kept.damaged) == ((2, (2,)) if cut > 1 else (3, ()))


def test_it_is_written_where_the_system_has_neither_locks_nor_pread(tmp_path, monkeypatch):
    """As on Windows: also the second line, and one after a line that was cut short."""
    monkeypatch.setattr("scenarios.lab.method.journal.fcntl", None)
    monkeypatch.delattr(os, "pread")
    new = entry("what", "outcome", command="c")
    for _ in range(2):
        append(tmp_path / "journal", new)
    with (tmp_path / "journal").open("a") as file:
        file.write("cut")
    append(tmp_path / "journal", new)
    assert read(tmp_path / "journal").entries == (new,) * 3


def test_a_hunt_writes_where_the_user_says_and_nowhere_else(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    main(["hunt", "toy"])
    assert [*tmp_path.iterdir()] == []
    main(["hunt", "toy", "--journal", "a", "--prediction", "it's b"])
    monkeypatch.setenv(VARIABLE, "b")
    main(["hunt", "toy", "--variant", "fixed", "--searcher", "exhaustive"])
    capsys.readouterr()
    assert main(["journal", "a", "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["entries"]
    assert (one["what"], one["prediction"]) == ("hunt toy / as-shipped", "it's b")
    assert one["command"] == """heisenlab hunt toy --journal a --prediction 'it'"'"'s b'"""
    assert one["outcome"].startswith("found: everything nominal, except: b spills at step 1")
    assert main(["journal"]) == 0
    assert "exhausted: every plan of at most 2 deviations holds" in capsys.readouterr().out


@pytest.mark.parametrize(("command", "outcome"), [("causality", "All choices"), ("isolate", "The cause:")])
def test_an_experiment_with_a_finding_is_written_down(tmp_path, capsys, command, outcome):
    hunt(toy.SCENARIO, "as-shipped", searcher="exhaustive", verify=False).finding.save(tmp_path / "f.json")
    journal = tmp_path / "journal"
    assert main([command, str(tmp_path / "f.json"), "--journal", str(journal), "--prediction", "p"]) == 0
    (one,) = read(journal).entries
    assert (one.what, one.prediction) == (f"{command} toy / as-shipped", "p")
    assert outcome in one.outcome
    assert "\n" not in one.outcome


def test_damaged_lines_are_said_and_left_out(tmp_path, capsys):
    path = tmp_path / "journal"
    append(path, entry("one", "x", command="c"))
    with path.open("ab") as file:
        file.write(b'{"format": "heisenlab journal"}\n\xff\n[]\n\n' + b"[" * 100_000 + b"\n")
    append(path, entry("two", "x", command="c"))
    assert main(["journal", str(path)]) == 0
    captured = capsys.readouterr()
    assert f"lines 2, 3, 4, 6 of {path} are damaged" in captured.err
    assert "one" in captured.out
    assert "two" in captured.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["journal"], f"name a journal, or set {VARIABLE}"),
        (["journal", "nowhere"], "cannot read nowhere"),
        (["journal", "picture"], "picture is no journal"),
        (["hunt", "toy", "--journal", "no/where"], "cannot write no/where"),
        (["hunt", "toy", "--prediction", "x"], "name it with --journal"),
    ],
)
def test_what_cannot_be_done_is_2_before_the_hunt(tmp_path, monkeypatch, capsys, arguments, says):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    (tmp_path / "picture").write_bytes(b"\x89PNG\n" * 1000)
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert says in captured.err
