"""What a notebook shows of the results of the lab."""

import html
import re
import subprocess
import sys
from dataclasses import replace

import pytest

import scenarios
from scenarios.lab.commands import main
from scenarios.lab.covered import NO_SPOILERS
from scenarios.lab.execution import replayed
from scenarios.lab.finding import decode_input
from scenarios.lab.method.report import finding_sheets
from scenarios.lab.pictures import nearest_passing, pictures_of
from scenarios.lab.scenario import Finds
from simulations.address_space.space import LINUX, Space
from simulations.choices import Plan
from simulations.drawing.marks import FAILS, NEAREST
from simulations.live import state_machines
from simulations.live.memory import Filling
from simulations.live.memory.report import Report as MemoryReport
from simulations.live.threads import explore
from tests.scenarios.lab import toy

SCENARIOS = scenarios.catalogue()
LINE_MAX = 240


@pytest.fixture(scope="module")
def hunts():
    return {name: each.hunt(searcher="exhaustive", verify=False) for name, each in SCENARIOS.items()}


def shown(thing):
    """Return the text and the HTML that a notebook gets."""
    bundle = thing._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    return bundle["text/plain"], bundle["text/html"]


def is_one_line(words):
    return "\n" not in words and 0 < len(words) <= LINE_MAX


def words_of(markup):
    """Return the text of a piece of HTML without what is clicked open, and without spaces."""
    seen = re.sub(r"<details>.*?</details>|<style>.*?</style>|<svg.*?</svg>", "", markup, flags=re.DOTALL)
    return "".join(html.unescape(re.sub(r"<[^>]*>", "", seen)).split())


def test_what_a_notebook_shows_of_a_hunt_is_what_the_command_prints(hunts, capsys):
    assert main(["hunt", "invalid-mode", "--searcher", "exhaustive"]) == 1
    printed = capsys.readouterr().out.splitlines()
    text, markup = shown(SCENARIOS["invalid-mode"].hunt(searcher="exhaustive"))
    assert text.splitlines() == printed[:-1]
    assert printed[-1].startswith("time ")
    assert words_of(markup).startswith("".join(text.split()))


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_covers_its_hidden_input_and_never_shows_its_cause(name):
    scenario = SCENARIOS[name]
    text, markup = shown(scenario)
    for words in (repr(scenario), text, html.unescape(markup)):
        for secret in (scenario.story.root_cause, scenario.story.lesson):
            assert secret not in words
        for variant in scenario.variants:
            assert variant.summary not in words
    for words in (repr(scenario), text):
        assert scenario.hidden_input not in words
        assert scenario.question not in words
    assert scenario.hidden_input in html.unescape(markup)
    assert "".join(scenario.hidden_input.split()) not in words_of(markup)
    assert scenario.story.symptom in text


@pytest.mark.parametrize("name", SCENARIOS)
def test_where_causes_are_hidden_nothing_of_a_hunt_tells_one(name, hunts, monkeypatch):
    scenario, hunt = SCENARIOS[name], hunts[name]
    secrets = {
        hunt.finding.plan_in_words,
        scenario.hidden_input,
        scenario.question,
        scenario.story.root_cause,
    }
    open_words = "".join(html.unescape(word) for thing in (hunt, scenario) for word in shown(thing))
    assert any(secret in open_words for secret in secrets)
    monkeypatch.setenv(NO_SPOILERS, "1")
    for thing in (scenario, hunt, hunt.finding):
        for words in (repr(thing), *map(html.unescape, shown(thing))):
            assert not any(secret in words for secret in secrets)
            assert "<svg" not in words
    assert "(hidden)" in shown(hunt)[0]


def test_a_catalogue_is_a_table_without_the_hidden_inputs():
    text, markup = shown(SCENARIOS)
    assert len(text.splitlines()) == 1 + len(SCENARIOS)
    assert not any(each.hidden_input in text + html.unescape(markup) for each in SCENARIOS.values())


class _Account:
    def __init__(self):
        self.balance = 100

    def withdraw(self):
        if self.balance >= 80:
            self.balance = self.balance - 80


class _Valve:
    """Two codes of a field of two bits, and nothing that leads back from the others."""

    def __init__(self):
        self.state = 0

    def turn(self):
        self.state = {0: 1, 1: 0}[self.state]


def _things(hunts):
    yield SCENARIOS
    yield Space(LINUX)
    for name, each in hunts.items():
        scenario, finding = SCENARIOS[name], each.finding
        given = decode_input(scenario, finding.input)
        yield from (scenario, each, finding, finding.plan)
        yield replayed(scenario, scenario.variant(), given, finding.plan).run
        yield replayed(scenario, scenario.variant(), given, Plan()).run
    yield explore(_Account, [_Account.withdraw] * 2, lambda account: account.balance >= 0)
    yield state_machines.examine(_Valve, field="state", states=[0, 1], events=["turn"], width=2)
    yield MemoryReport(("sh", "-c", "a\nb"), Filling("plain", 0), 0, (), (), (), ("<b>",))


def test_the_repr_of_a_result_is_one_line_and_a_notebook_shows_its_text(hunts):
    for thing in _things(hunts):
        assert is_one_line(repr(thing)), thing
        text, markup = shown(thing)
        assert text
        if not isinstance(thing, type(SCENARIOS["invalid-mode"])):
            drawn = any(getattr(block, "drawn", False) for block in thing.sheet().blocks)
            assert "<svg" in markup if drawn else "".join(text.split()) in words_of(markup), thing
        assert "<script" not in markup


def test_text_of_a_file_is_escaped(hunts):
    finding = replace(hunts["invalid-mode"].finding, message="<script>x</script>&\x1b[2J", by="<b>")
    for thing in (finding, replace(hunts["invalid-mode"], finding=finding)):
        text, markup = shown(thing)
        assert "<script>x</script>&\\x1b[2J" in text
        assert "<script" not in markup
        assert "<b>" not in markup
        assert "&lt;script&gt;x&lt;/script&gt;&amp;\\x1b[2J" in markup
        assert "\x1b" not in repr(thing)


def test_nothing_that_draws_is_imported_before_something_is_shown():
    code = (
        "import sys, scenarios; scenarios.get('stale-cache'); import simulations.live.threads; "
        "print([name for name in sys.modules if name.startswith('simulations.drawing.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['simulations.drawing.displayed']"


def test_a_world_without_pictures_shows_its_trace_beside_the_nearest_run_that_passes():
    hunt = toy.SCENARIO.hunt(searcher="exhaustive", verify=False)
    finding, variant = hunt.finding, toy.SCENARIO.variant()
    given = decode_input(toy.SCENARIO, finding.input)
    outcome = replayed(toy.SCENARIO, variant, given, finding.plan)
    (lanes,) = pictures_of(toy.SCENARIO, variant, given, finding.plan, outcome)
    assert [run.title for run in lanes.runs] == [FAILS, NEAREST]
    assert len(lanes.runs[0].steps) == len(outcome.run.trace)
    assert finding.pictures() == ()  # the catalogue does not have it
    sheets = finding_sheets(finding, saved_as="x.json", scenario=toy.SCENARIO)
    assert any(lanes in sheet.pictures for sheet in sheets)


def test_where_every_neighbour_fails_a_run_is_shown_alone():
    always = replace(toy.SCENARIO, properties=(_fails,), variants=(_failing(toy.SCENARIO),))
    given = always.ladder[0]
    outcome = replayed(always, always.variant(), given, Plan())
    assert nearest_passing(always, always.variant(), given, Plan()) is None
    (lanes,) = pictures_of(always, always.variant(), given, Plan(), outcome)
    assert [run.title for run in lanes.runs] == [FAILS]


def _fails(run):
    """Nothing is right."""
    raise AssertionError("nothing is right")


def _failing(scenario):
    return replace(scenario.variant(), expect=Finds("_fails", Plan()), properties=None)
