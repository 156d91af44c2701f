"""One hunt with many seeds, by the command; the same figures however it is done."""

import json

import pytest

from scenarios.lab.commands import main

pytestmark = pytest.mark.usefixtures("toy_installed")

HUNT = ["hunt", "toy", "--seeds", "12", "--json"]


def printed(capsys, *options):
    assert main([*HUNT, *options]) == 1
    return json.loads(capsys.readouterr().out)


def test_all_seeds_end_in_one_finding_and_what_was_done_is_kept_in_the_state_file(tmp_path, capsys):
    state = ["--workers", "1", "--state", str(tmp_path / "state")]
    data = printed(capsys, *state)
    assert data["verdicts"] == {"found": 12}
    assert [each["hunts"] for each in data["findings"]] == [12]
    assert len(data["search_runs"]) == 12
    assert data["found_95"][0] == pytest.approx(0.757, abs=0.001)
    lines = (tmp_path / "state").read_text().count("\n")
    assert printed(capsys, *state) == data
    assert (tmp_path / "state").read_text().count("\n") == lines


@pytest.mark.parametrize(
    ("options", "status"),
    [
        (["--variant", "fixed", "--searcher", "exhaustive"], 0),
        (["--variant", "fixed", "--searcher", "random", "--budget", "3"], 3),
        (["--variant", "none"], 2),
        (["--searcher", "none"], 2),
        (["--seeds", "0"], 2),
        (["-o", "finding.json"], 2),
    ],
)
def test_the_exit_code_is_that_of_a_hunt(capsys, options, status):
    assert main(["hunt", "toy", "--seeds", "2", "--workers", "1", *options]) == status
    assert "Traceback" not in capsys.readouterr().err


def test_a_cluster_is_for_many_hunts(capsys):
    assert main(["hunt", "toy", "--cluster", "local"]) == 2
    assert "add --seeds N" in capsys.readouterr().err


def test_a_cluster_gives_the_same_figures(capsys):
    pytest.importorskip("distributed", reason="a cluster needs the extra 'cluster'")
    here = ["hunt", "stale-cache", "--seeds", "2", "--json"]
    figures = []
    for options in (["--workers", "1"], ["--cluster", "local:1"]):
        assert main([*here, *options]) == 1
        figures.append(json.loads(capsys.readouterr().out))
    assert figures[0] == figures[1]
