"""What the documentation says in code is run, and what it names exists."""

import re
import sys
from pathlib import Path

import pytest

from scenarios.lab.commands import main
from scenarios.lab.hunt import hunt

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])


def code(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def test_the_scenario_that_the_guide_builds_behaves_as_it_says():
    names = {}
    for block in code(ROOT / "docs/guide/adding_a_scenario.md", "python"):
        exec(compile(block, "adding_a_scenario.md", "exec"), names)
    scenario = names["SCENARIO"]
    found = scenario.hunt().finding
    assert found.plan == scenario.variant().expect.least
    assert found.verified.startswith("in this process only")
    assert scenario.hunt("locked", searcher="exhaustive").verdict == "exhausted"


def test_the_test_that_the_guide_shows_passes():
    block = code(ROOT / "docs/guide/pytest.md", "python")[-1]
    names = {}
    exec(compile(block, "pytest.md", "exec"), names)
    names["test_every_seed_ends_in_the_same_finding"]()


def test_the_recorder_from_python_does_what_the_guide_says(tmp_path, monkeypatch, capfd):
    if sys.platform != "linux":
        pytest.skip("the recorder reads /proc")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for block in code(ROOT / "docs/guide/recorder.md", "python"):
        exec(compile(block, "recorder.md", "exec"), {})
    printed = capfd.readouterr().out
    assert "1 0001\nexited 1 ('test 87511 ok', 'MemoryError')\nmemory" in printed
    assert "its last lines speak of memory; it wrote last: 'MemoryError'" in printed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_names_exists(page, capsys):
    commands = set(re.findall(r"heisenlab (?!test-)([a-z]+)\b", "".join(code(page, "(?:console|sh|bash)"))))
    for command in commands:
        assert main([command, "--help"]) == 0, command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_links_to_is_there(page):
    for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_hunt_of_the_front_page_is_real():
    assert hunt("invalid-mode", verify=False).verdict == "found"


def test_the_front_page_shows_what_the_guide_and_the_session_print():
    page, guide = ((ROOT / name).read_text() for name in ("README.md", "docs/guide/state_machines.md"))
    assert code(ROOT / "README.md", "python")[-1] == code(ROOT / "docs/guide/state_machines.md", "python")[0]
    for line in code(ROOT / "README.md", "text")[-1].splitlines():
        assert line in guide
    assert hunt("invalid-mode", verify=False).finding.plan_in_words in page


def test_the_assumptions_that_the_guide_shows_are_kept_and_can_be_broken():
    from dataclasses import replace

    from scenarios.lab.method.assumptions import break_one, ledger

    names = {}
    for page in ("adding_a_scenario", "assumptions"):
        for block in code(ROOT / f"docs/guide/{page}.md", "python"):
            exec(compile(block, f"{page}.md", "exec"), names)
    scenario = replace(names["SCENARIO"], assumptions=(names["POSITIVE"], names["POWER"]))
    assert [row.standing for row in ledger(scenario)] == ["kept", "not checked"]
    assert "the payments add up to -20" in break_one(scenario, "positive").row.seen
