"""The repository of a story: one commit brings the bug, and the others do not."""

import json
import shutil
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.lab.commands import bisect_story, main
from scenarios.lab.method import story_repository
from scenarios.lab.method.story_repository import (
    COMMITS,
    HIGH,
    LOW,
    StoryRepository,
    history_of,
    make,
    stress,
)
from simulations.errors import LabError

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not on the path")


@settings(deadline=None)
@given(st.integers(0, 10_000), st.floats(0.001, 0.5))
def test_a_history_has_one_culprit_and_innocent_commits_that_change_the_rate(seed, rate):
    versions, culprit = history_of("x", seed=seed, rate=rate)
    assert len(versions) == COMMITS
    assert [each.buggy for each in versions] == [number >= culprit for number in range(COMMITS)]
    rates = [1 - (1 - rate) ** each.rounds for each in versions]
    assert min(rates) >= LOW
    assert rates[-1] >= HIGH
    assert len({each.rounds for each in versions[culprit:]}) > 1
    assert len({each.questions for each in versions}) > 1
    assert sum(not each.imports for each in versions) == 3
    assert all(versions[number].imports for number in range(culprit - 2, culprit + 3))


@needs_git
def test_the_same_seed_makes_the_same_repository_and_a_replay_judges_its_versions(tmp_path):
    first, second = (make("invalid-mode", tmp_path / name, seed=3) for name in "ab")
    assert first.commits == second.commits
    for number in (first.culprit - 1, first.culprit):
        git = ["git", "-C", str(first.folder), "checkout", "-q", first.commits[number]]
        subprocess.run(git, check=True)
        replay = [
            sys.executable,
            "-B",
            "-m",
            "scenarios.lab.commands",
            "replay",
            "--bisect",
            str(first.finding),
        ]
        done = subprocess.run(replay, cwd=first.folder, capture_output=True)
        assert done.returncode == (number >= first.culprit)
    given_ = json.loads(first.finding.read_text())["input"]
    arguments = ("invalid-mode", first.versions[-1], given_, first.by)
    assert sum(stress(*arguments, seed) is not None for seed in range(20)) >= 12
    good = ("invalid-mode", first.versions[first.culprit - 1], given_, first.by)
    assert all(stress(*good, seed) is None for seed in range(20))


@needs_git
@pytest.mark.timeout(300)  # dozens of runs of a program
def test_the_command_shows_three_bisections_of_one_repository(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(bisect_story, "PLAIN_TRIALS", 100)
    monkeypatch.setattr(bisect_story, "CONFIDENCE", 0.6)
    for module in (bisect_story, story_repository):  # every run starts a program
        monkeypatch.setattr(module, "COMMITS", 24)
    assert main(["bisect", "invalid-mode", "--at", str(tmp_path / "r"), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["replay"] == {"commit": data["culprit"], "right": True}
    assert data["plain"]["innocent_in"] > 50
    assert data["flake_aware"]["posterior"] >= 0.6
    assert data["flake_aware"]["runs"] > 5


def test_what_is_being_done_stands_in_a_pipe_while_it_is_done(tmp_path, capsys, monkeypatch):
    """Each bisection takes its time: what it is, and what was found before, is printed before it begins."""
    versions, culprit = history_of("x", seed=1, rate=0.1)
    commits = tuple(f"{number:040}" for number in range(COMMITS))
    finding = tmp_path / "finding.json"
    made = StoryRepository(versions, culprit, "by", {}, 0.1, tmp_path, commits, finding)
    seen = []

    def named(*_):
        seen.append(capsys.readouterr().out)
        if len(seen) == 2:
            raise LabError("the end")
        return commits[culprit]

    monkeypatch.setattr(bisect_story, "make", lambda *_, **options: made)
    monkeypatch.setattr(bisect_story, "git_bisect_run", named)
    assert main(["bisect", "x"]) == 2
    assert [line.split()[0] for line in seen[0].splitlines() if line] == ["repository", "the", "stress", "$"]
    assert seen[0].endswith("$ git bisect run heisenlab replay --bisect finding.json\n")
    assert [line.split()[0] for line in seen[1].splitlines()] == [commits[culprit][:12], "$"]


def test_a_folder_that_holds_something_is_left_alone(tmp_path, capsys):
    (tmp_path / "x").touch()
    assert main(["bisect", "invalid-mode", "--at", str(tmp_path)]) == 2
    assert main(["bisect", "no-such-story"]) == 2
    assert main(["bisect", "invalid-mode", "--seed", "-1"]) == 2
    assert capsys.readouterr().err.count("\n") == 3
    with pytest.raises(LabError, match="is not an empty folder"):
        make("invalid-mode", tmp_path / "x")
