"""The programs on the page about the command do what it says."""

import re
import shlex
import sys

import pytest

from scenarios.lab.commands import main
from tests.docs.test_documentation import ROOT, code

COMMAND = ROOT / "docs/guide/command.md"


@pytest.mark.parametrize(("name", "block"), [("account", 0), ("valve", 1)])
def test_the_program_of_the_page_fails(tmp_path, monkeypatch, capsys, name, block):
    (tmp_path / f"{name}.py").write_text(code(COMMAND, "python")[block])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (line,) = re.findall(rf"^\$ heisenlab ([^#\n]* {name}\.py[^#\n]*)", COMMAND.read_text(), re.MULTILINE)
    assert main(shlex.split(line)) == 1
    assert ("check(state) returned False" if name == "account" else "dead end") in capsys.readouterr().out
    sys.modules.pop(name, None)
