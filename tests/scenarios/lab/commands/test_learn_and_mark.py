"""`heisenlab learn` writes a course and overwrites nothing; `heisenlab mark` marks what comes back."""

import dataclasses
import json
import re

import pytest

from scenarios.lab.commands import main
from scenarios.lab.hunt import hunt
from scenarios.lab.teaching import material
from simulations.choices import Deviation, Plan


class TestLearn:
    @pytest.mark.parametrize("options", [[], ["--teacher"]])
    def test_it_writes_all_of_the_material_and_says_how_to_begin(self, tmp_path, capsys, options):
        folder = tmp_path / "course"
        assert main(["learn", str(folder), *options]) == 0
        out = capsys.readouterr().out
        assert {path.stem for path in folder.glob("notebooks/*.ipynb")} == {*material.notebooks()}
        assert {path.stem for path in folder.glob("demos/*.py")} == {*material.demos()}
        assert (folder / "notebooks/solutions").exists() == bool(options)
        (lesson,) = re.findall(r"jupyter lab (\S+)", out)
        (demo,) = re.findall(r"pytest (\S+)", out)
        assert (tmp_path / lesson).is_file()
        assert (tmp_path / demo).is_file()

    @pytest.mark.parametrize("kind", ["*.ipynb", "*.py", "*.md"])
    def test_it_overwrites_nothing_and_then_writes_nothing(self, tmp_path, capsys, kind):
        assert main(["learn", str(tmp_path / "first"), "--teacher"]) == 0
        mine = next((tmp_path / "first").rglob(kind)).relative_to(tmp_path / "first")
        (tmp_path / "second" / mine).parent.mkdir(parents=True)
        (tmp_path / "second" / mine).write_text("my own notes")
        capsys.readouterr()
        assert main(["learn", str(tmp_path / "second"), "--teacher"]) == 2
        assert "is left as it is" in capsys.readouterr().err
        left = [path for path in (tmp_path / "second").rglob("*") if path.is_file()]
        assert [path.read_text() for path in left] == ["my own notes"]

    def test_its_json_names_what_was_written(self, tmp_path, capsys):
        assert main(["learn", str(tmp_path / "course"), "--json"]) == 0
        said = json.loads(capsys.readouterr().out)
        assert said["teacher"] is False
        assert all((tmp_path / "course" / path).is_file() for path in said["files"])


@pytest.fixture
def submissions(tmp_path, monkeypatch):
    """Return the names of files: one that is least, one that is not, one that holds, and one that is none."""
    monkeypatch.chdir(tmp_path)
    least = hunt("invalid-mode", searcher="exhaustive", verify=False).finding
    least.save("least.json")
    dataclasses.replace(least, plan=Plan([*least.plan, Deviation("cpu1.bit0", 0, 1)])).save("more.json")
    dataclasses.replace(least, plan=Plan()).save("holds.json")
    (tmp_path / "essay.json").write_text("It was the cosmic rays.")


@pytest.mark.usefixtures("submissions")
class TestMark:
    @pytest.mark.parametrize(
        ("files", "options", "status"),
        [
            (["least"], [], 0),
            (["least", "more"], [], 1),
            (["least", "holds"], [], 1),
            (["least"], ["--budget", "1"], 3),
            (["least", "essay", "more"], [], 2),
            (["nowhere"], [], 2),
        ],
    )
    def test_the_status_is_that_of_the_worst(self, capsys, files, options, status):
        paths = [f"{name}.json" for name in files]
        assert main(["mark", *paths, *options]) == status
        out = capsys.readouterr().out
        assert all(path in out for path in paths)
        assert main(["mark", *paths, *options, "--json"]) == status
        rows = json.loads(capsys.readouterr().out)
        assert [row["file"] for row in rows] == paths
        assert sum(row["full"] for row in rows) == (0 if options else files.count("least"))

    def test_a_file_that_cannot_be_used_keeps_no_other_from_its_mark(self, capsys):
        main(["mark", "essay.json", "least.json"])
        out = capsys.readouterr().out
        assert "cannot be used" in out
        assert "1 of 2 reproduce and are least" in out

    def test_a_lesser_run_is_said_unless_the_class_looks_for_it(self, capsys):
        main(["mark", "more.json"])
        assert "bit 2 of cpu0 is upset" in capsys.readouterr().out
        for options in (["--no-spoilers"], ["--no-spoilers", "--json"]):
            main(["mark", "more.json", *options])
            assert "bit 2" not in capsys.readouterr().out
