"""A real `git bisect run` over versions of the laboratory itself."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scenarios.lab.hunt import hunt

ROOT = Path(__file__).parents[3]
SHIPPED = "AS_SHIPPED: Final = System()"
REPAIRED = 'AS_SHIPPED: Final = System(unused="recover")'


@pytest.fixture
def history(tmp_path):
    """A git repository: repaired twice, one that does not import, repaired, then broken three times."""
    if shutil.which("git") is None:
        pytest.skip("git is not on the path")
    repository = tmp_path / "lab"
    for package in ("simulations", "scenarios"):
        shutil.copytree(ROOT / package, repository / package, ignore=shutil.ignore_patterns("__pycache__"))
    variants = repository / "simulations/mode_machine/variants.py"
    text = variants.read_text()
    assert SHIPPED in text
    repaired = text.replace(SHIPPED, REPAIRED)
    versions = [repaired, repaired, "this is no Python", repaired, text, text, text]

    def git(*arguments):
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
        command = ["git", *identity, *arguments]
        return subprocess.run(command, cwd=repository, check=True, capture_output=True, text=True).stdout

    git("init", "-q")
    commits = []
    for number, version in enumerate(versions):
        variants.write_text(f"{version}\nVERSION = {number}\n")
        git("add", ".")
        git("commit", "-qm", f"version {number}")
        commits.append(git("rev-parse", "HEAD").strip())
    return git, commits


def test_git_bisect_names_the_commit_that_brought_the_bug(history, tmp_path):
    git, commits = history
    path = tmp_path / "finding.json"
    hunt("invalid-mode", verify=False).finding.save(path)
    git("bisect", "start", commits[-1], commits[0])
    said = git(
        "bisect",
        "run",
        sys.executable,
        "-B",
        "-m",
        "scenarios.lab.commands",
        "replay",
        "--bisect",
        str(path),
    )
    assert f"{commits[4]} is the first bad commit" in said
