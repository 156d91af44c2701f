"""`--svg`, `--png` and `--html` of the commands that draw their result."""

import json
import sys

import pytest

from scenarios.lab.commands import main
from scenarios.lab.hunt import hunt
from tests.scenarios.lab.toy import SCENARIO


@pytest.fixture
def finding(toy_installed, tmp_path):
    path = tmp_path / "finding.json"
    hunt(SCENARIO, "twice", searcher="exhaustive", verify=False).finding.save(path)
    return str(path)


COMMANDS = {
    "causality": "b spills at step 2: +",
    "isolate": "✓ still fails",
    "compare": "drawn label first",
}


def typed(command, finding):
    if command == "compare":
        return [command, "toy", "--hunts", "2", "--runs", "20", "--budget", "20", "--workers", "1"]
    return [command, finding]


@pytest.mark.parametrize("command", COMMANDS)
def test_it_draws_beside_what_it_prints(command, finding, tmp_path, capsys):
    svg, page = tmp_path / "a.svg", tmp_path / "a.html"
    given = [*typed(command, finding), "--json", "--svg", str(svg), "--html", str(page)]
    assert main(given) == 0
    json.loads(capsys.readouterr().out)
    assert COMMANDS[command] in svg.read_text()
    assert page.read_text().startswith("<!doctype html>")
    assert main(given) == 0  # a picture is drawn over


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", ["svg", "html"])
def test_what_cannot_be_drawn_is_said_before_the_work_and_nothing_is_lost(
    command, kind, finding, tmp_path, capsys
):
    other = tmp_path / "other"
    other.write_text("something else")
    for file in (str(other), str(tmp_path), str(tmp_path / "no" / "a"), "a\0"):
        assert main([*typed(command, finding), f"--{kind}", file]) == 2
        said = capsys.readouterr()
        assert not said.out
        assert said.err.count("\n") == 1
        assert "a picture" in said.err or "cannot draw" in said.err
    assert other.read_text() == "something else"


def test_a_png_without_the_extra_is_one_line(finding, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "cairosvg", None)
    assert main(["isolate", finding, "--png", str(tmp_path / "a.png")]) == 2
    assert "pip install heisenlab[report]" in capsys.readouterr().err
