"""Where causes are hidden, no command and no test tells the cause or a fix of any scenario."""

import ast
import dataclasses
import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest

import scenarios
from scenarios.lab.catalogue import catalogue, get
from scenarios.lab.commands import COMMANDS, main
from scenarios.lab.commands.command import Spoilers
from scenarios.lab.covered import NO_SPOILERS
from scenarios.lab.execution import in_words, replayed
from scenarios.lab.finding import encode_input
from scenarios.lab.hunt import hunt
from scenarios.lab.method.journal import append, entry
from scenarios.lab.scenario import Finds
from simulations.drawing.sheet import sheet_text
from simulations.errors import PlanError

FOLDER = Path(scenarios.__file__).parent

ARGUMENTS = {
    "list": ["", "--json"],
    "show": ["NAME", "NAME --json"],
    "hunt": [
        "NAME --searcher exhaustive",
        "NAME --searcher exhaustive --json",
        "NAME --searcher plain --seeds 1",
        "NAME --searcher exhaustive --seeds 1 --json",
        "NAME --variant FIX --searcher exhaustive --deviations 1",
        "NAME --variant FIX --searcher exhaustive --deviations 1 --json",
        "NAME --budget 1",
    ],
    "replay": ["FILE", "FILE --json", "FILE --bisect", "FILE --trace"],
    "compare": ["NAME --hunts 1 --runs 9 --budget 99 --searcher random --searcher plain"],
    "causality": ["FILE"],
    "isolate": ["FILE"],
    "step": ["NAME", "NAME FILE", "NAME --json"],
    "assumptions": ["NAME", "NAME --json"],
    "explain": ["FILE", "FILE --json"],
    "export": ["FILE", "FILE --json"],
    "report": ["FILE", "FILE --json"],
    "mark": ["FILE", "FILE --json", "WORSE", "WORSE --json"],
    "journal": ["JOURNAL", "JOURNAL --json"],
}
"""What is typed after a command; the words in capitals stand for those of a scenario."""

OF_THE_USER = {"docs", "doctor", "learn", "new", "threads", "machine", "memory", "record"}
"""Commands that know no scenario of the catalogue."""

ELSEWHERE = {
    "test": "asked of pytest below",
    "bisect": "refused for a story, below",
    "demo": "a demonstration of a feature is shown whole",
}

CASES = [(name, typed) for name, forms in ARGUMENTS.items() for typed in forms]


def spread(text):
    return " ".join(text.split())


def phrases(scenario, variant):
    """Return the words and the labels of the documented least plan of a variant."""
    for given in scenario.ladder:
        try:
            chooser = replayed(scenario, variant, given, variant.expect.least).chooser
        except PlanError:
            continue
        answered = [point for point in chooser.points if point.option]
        return [
            in_words(scenario, chooser),
            *map(scenario.phrase, answered),
            *(each.label for each in answered),
        ]
    return []


@functools.cache
def telling(name):
    """Return the texts that give a scenario away, without those that its story itself tells."""
    scenario = get(name)
    story = scenario.story
    texts = [scenario.hidden_input, scenario.question, story.root_cause, story.lesson]
    texts += [each.statement for each in scenario.assumptions]
    for variant in scenario.variants:
        texts.append(variant.summary)
        if isinstance(variant.expect, Finds):
            texts += phrases(scenario, variant)
    texts += [variant.name for variant in scenario.variants[1:]]
    claims = [f"{check.__name__} {check.__doc__}" for check in scenario.properties]
    told = spread(
        " ".join([scenario.name, scenario.title, story.who, story.symptom, story.believed, *claims])
    )
    return {text for text in map(spread, texts) if not re.search(rf"\b{re.escape(text)}\b", told)}


def on_a_larger_input(scenario, finding):
    """Return the finding with the largest input of the ladder at which its plan still fails."""
    for given in reversed(scenario.ladder):
        try:
            outcome = replayed(scenario, scenario.variant(finding.variant), given, finding.plan)
        except PlanError:
            continue
        if outcome.failure is not None and outcome.failure.by == finding.by:
            return dataclasses.replace(finding, input=encode_input(given))
    return finding


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Return the words of a scenario: its name, a fix, a finding, a journal that says what it is."""
    kept = {}

    def words(name):
        if name not in kept:
            folder = tmp_path_factory.mktemp(name)
            finding = hunt(name, searcher="exhaustive", verify=False).finding
            finding.save(folder / "found.json")
            fix = next(each.name for each in get(name).variants if each.kind == "fix")
            journal = str(folder / "log.jsonl")
            append(Path(journal), entry("hunt", finding.plan_in_words, command="heisenlab hunt"))
            worse = on_a_larger_input(get(name), finding)
            worse.save(folder / "worse.json")
            kept[name] = {
                "WORSE": str(folder / "worse.json"),
                "NAME": name,
                "FIX": fix,
                "FILE": str(folder / "found.json"),
                "JOURNAL": journal,
            }
        return kept[name]

    return words


@pytest.mark.parametrize("name", catalogue())
@pytest.mark.parametrize(("command", "typed"), CASES, ids=lambda value: value)
def test_no_command_tells_the_cause(name, command, typed, given, capsys):
    words = given(name)
    capsys.readouterr()
    arguments = [words.get(word, word) for word in typed.split()]
    status = main([command, *arguments, "--no-spoilers"])
    captured = capsys.readouterr()
    said = spread(captured.out + captured.err)
    hidden = telling(name) - {*arguments}
    assert [text for text in hidden if re.search(rf"(?<![\w-]){re.escape(text)}(?![\w-])", said)] == []
    if next(each for each in COMMANDS if each.name == command).spoilers is Spoilers.ALL:
        assert status == 2
        assert captured.out == ""


def test_no_story_is_bisected_before_a_class(capsys):
    assert main(["bisect", "stale-cache", "--no-spoilers"]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.endswith("with --no-spoilers no story is bisected: it shows what fails, and since when\n")


def test_every_command_is_asked():
    assert {each.name for each in COMMANDS} <= {*ARGUMENTS, *OF_THE_USER, *ELSEWHERE}


@pytest.mark.parametrize("name", catalogue())
def test_what_is_hidden_is_shown_without_the_option(name, given, capsys):
    """Else the test above could not fail."""
    words = given(name)
    for command, *arguments in (["show", name, "--reveal"], ["hunt", name, "--searcher", "exhaustive"]):
        main([command, *arguments])
    main(["replay", words["FILE"]])
    said = spread(capsys.readouterr().out)
    shown = [text for text in telling(name) if text in said]
    assert len(shown) > len(get(name).variants)


@pytest.mark.parametrize("command", [["list"], ["show", "stale-cache"]])
def test_list_and_show_cover_until_they_are_asked(command, capsys, monkeypatch):
    main(command)
    covered = capsys.readouterr().out
    main([*command, "--no-spoilers"])
    assert capsys.readouterr().out == covered
    assert get("stale-cache").hidden_input not in covered
    assert main([*command, "--reveal"]) == 0
    assert get("stale-cache").hidden_input in capsys.readouterr().out
    monkeypatch.setenv(NO_SPOILERS, "1")
    assert main([*command, "--reveal"]) == 2


def test_the_variable_stands_for_the_option(capsys, monkeypatch):
    monkeypatch.setenv(NO_SPOILERS, "1")
    assert main(["step", "stale-cache"]) == 2
    assert "with --no-spoilers there is no step" in capsys.readouterr().err


@pytest.mark.parametrize("name", catalogue())
def test_no_display_of_a_scenario_tells_the_cause(name):
    said = spread(f"{get(name)!r} {sheet_text(get(name).sheet())}")
    assert [text for text in telling(name) if text in said] == []


@pytest.mark.parametrize("chosen", [[], ["-v"], ["-k", "test_it or helps"]], ids=" ".join)
def test_no_name_and_no_docstring_of_a_test_is_shown(chosen, monkeypatch):
    files = sorted(FOLDER.glob("*/test_*.py"))
    options = ["-p", "no:cacheprovider", "--collect-only", *chosen]
    monkeypatch.setenv(NO_SPOILERS, "1")
    command = [sys.executable, "-m", "pytest", *options, *files]
    done = subprocess.run(command, cwd=FOLDER.parent, capture_output=True, text=True)
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    told = [
        node.name
        for node in nodes
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name.lower().startswith("test")
    ]
    told += [
        (ast.get_docstring(node) or "").partition("\n")[0] for node in nodes if isinstance(node, ast.Module)
    ]
    assert done.returncode == 0, done.stdout
    assert "<Function test-" in done.stdout
    assert len(told) > 2 * len(files)
    assert [text for text in told if re.search(rf"(?<!\w){re.escape(text)}(?!\w)", done.stdout)] == []
