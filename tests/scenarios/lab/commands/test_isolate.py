import json

import pytest

from scenarios.lab.commands import main
from scenarios.lab.hunt import hunt
from tests.scenarios.lab.toy import SCENARIO


@pytest.fixture
def file(toy_installed, tmp_path):
    path = tmp_path / "finding.json"
    hunt(SCENARIO, "twice", searcher="exhaustive", verify=False).finding.save(path)
    return str(path)


def test_the_table_and_what_it_says(file, capsys):
    assert main(["isolate", file]) == 0
    out = capsys.readouterr().out
    assert "needed: b spills at step 2" in out
    assert "The cause: b spills at step 1; b spills at step 2; input steps=3; variant twice." in out
    assert "Not part of any: this interpreter." in out
    assert out.count("rejected") == 1


def test_json_and_the_expensive_search_end_in_the_same_cause(file, capsys):
    causes = []
    for options in ([], ["--expensive"]):
        assert main(["isolate", file, "--json", *options]) == 0
        causes.append(json.loads(capsys.readouterr().out)["causes"])
    assert causes[0] == causes[1]


def test_a_file_that_is_no_finding_is_one_line(tmp_path, capsys):
    (tmp_path / "x").write_text("{}")
    assert main(["isolate", str(tmp_path / "x")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
