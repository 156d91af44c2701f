"""`heisenlab new`: what it makes is green, and nothing of the user's is overwritten."""

import json
import subprocess
import sys

import pytest

from scenarios.lab.commands import main
from scenarios.lab.method.skeleton import files_of
from simulations.errors import LabError


@pytest.fixture
def made(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["new", "lost-payment", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    folder = tmp_path / "lost-payment"
    assert (
        sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == data["files"]
    )
    return folder


def test_its_tests_are_green_and_its_entry_point_is_found(made):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=made, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout
    # As `pip install -e` does, without a network: metadata beside the package.
    metadata = made / "lost_payment-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: lost-payment\nVersion: 0.1.0\n")
    project = (made / "pyproject.toml").read_text()
    assert 'lost-payment = "lost_payment:SCENARIO"' in project
    (metadata / "entry_points.txt").write_text(
        "[heisenlab.scenarios]\nlost-payment = lost_payment:SCENARIO\n"
    )
    command = [sys.executable, "-m", "scenarios.lab.commands", "hunt", "lost-payment", "--json"]
    done = subprocess.run(command, cwd=made, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["minimality"] == "least"


def test_its_notebook_runs_and_its_code_is_clean(made, monkeypatch, capsys):
    monkeypatch.syspath_prepend(made)
    names = {}
    for cell in json.loads((made / "lesson.ipynb").read_text())["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    assert "holds" in capsys.readouterr().out
    for name in ("lost_payment", "lost_payment.world"):
        sys.modules.pop(name, None)
    ruff = pytest.importorskip("ruff", reason="needs the extra 'test'")
    command = [ruff.find_ruff_bin(), "check", "--isolated", "--line-length", "110", "."]
    done = subprocess.run(command, cwd=made, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["", "Lost", "lost_payment", "-x", "x-", "a--b", "../x", "1x", "lost\n"])
def test_a_name_that_does_not_do_is_refused(name):
    with pytest.raises(LabError, match="is no name of a scenario"):
        files_of(name)


def test_a_name_that_is_too_long_for_a_file_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["new", "x" * 65]) == 2
    assert main(["new", "x" * 300]) == 2
    assert capsys.readouterr().err.count("\n") == 2
    assert main(["new", "x" * 64]) == 0


@pytest.mark.parametrize("name", ["invalid-mode", "json", "class", "simulations", "pytest"])
def test_a_name_that_is_taken_is_refused(name):
    with pytest.raises(LabError, match="already; choose another name"):
        files_of(name)


def test_nothing_is_overwritten(made, capsys):
    before = {path: path.read_bytes() for path in made.rglob("*") if path.is_file()}
    assert main(["new", "lost-payment"]) == 2
    assert main(["new", "other", "--at", str(made / "README.md")]) == 2
    assert main(["new", "other", "--at", str(made / "no" / "where")]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 3
    assert captured.err.count("is left as it is") == 2
    assert {path: path.read_bytes() for path in made.rglob("*") if path.is_file()} == before
