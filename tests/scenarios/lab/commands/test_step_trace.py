"""The command `heisenlab step` in the worlds that have no debugger of their own."""

import io
import json

import pytest

from scenarios.lab.catalogue import get
from scenarios.lab.commands import main
from scenarios.lab.commands.step import choose
from scenarios.lab.commands.step_trace import LINES_MAX, TracePrompt, timeline
from scenarios.lab.execution import replayed
from scenarios.lab.finding import decode_input, load
from simulations.choices import Plan

WORLDS = ("stale-cache", "truncated-pointer", "vanishing-job")
DOCUMENTED = choose("stale-cache")
OUTCOME = replayed(DOCUMENTED.scenario, DOCUMENTED.variant, DOCUMENTED.given, DOCUMENTED.plan)
(DEVIATED,) = (point for point in OUTCOME.chooser.points if point.option)
PAUSE = f"    *  reader after database.read: {DOCUMENTED.scenario.phrase(DEVIATED)}"
OPENING = [
    "stale-cache / as-shipped: everything nominal, except: " + PAUSE.partition(": ")[2],
    "before the first of 7 events",
]
FIRST = [
    "    ?  start: nominal, of 2 answers",
    "    1       0  reader  store.get  price -> None",
]
SECOND = [
    "    ?  reader waits for database.read: nominal, of 2 answers",
    "    ?  writer waits for database.write: nominal, of 2 answers",
    "    2       5  reader  database.read  price -> 0 0",
]
THIRD = [PAUSE, "    3       5  writer  database.write  price 1 -> 1"]
FAILS = f"fails: cache_agrees_with_database: {OUTCOME.failure.message}"


@pytest.fixture
def step(monkeypatch, capsys):
    """Runs the command with lines coming through a pipe; returns the exit code and what was printed."""

    def stepped(*lines, arguments=("stale-cache",)):
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        status = main(["step", *arguments])
        return status, capsys.readouterr().out.splitlines()

    return stepped


def test_choices_stand_before_the_event_that_they_led_to(step):
    assert step("step", "s 2") == (0, [*OPENING, *FIRST, *SECOND, *THIRD])


def test_back_shows_the_event_before_again(step):
    assert step("step 3", "back", "b 2")[1][2 + 7 :] == [*SECOND, OPENING[1]]


def test_goto_goes_either_way(step):
    assert step("goto 2", "goto 1", "g 0") == (0, [*OPENING, *FIRST, *SECOND, *FIRST, OPENING[1]])


def test_find_and_rewind_look_into_events_and_choices(step):
    status, lines = step("find pauses", "rewind store.get", "find store.get")
    assert lines[2:] == [*FIRST, *SECOND, *THIRD, *FIRST, "! no 'store.get' in that direction"]
    assert status == 2


def test_until_goes_to_a_time(step):
    assert step("until 3") == (0, [*OPENING, *FIRST, *SECOND])
    assert step("until 6")[1][-1] == "! no event from here on is at time 6 or later"


def test_the_end_says_what_fails(step):
    status, lines = step("goto 7", "verdict")
    assert (status, lines[-2:]) == (0, [f"the run is over; {FAILS}", FAILS])


def test_the_nominal_run_holds(step):
    status, lines = step("plan", "choices", "verdict", arguments=("stale-cache", "--nominal"))
    assert status == 0
    assert lines[0] == "stale-cache / as-shipped: everything nominal"
    assert lines[2:4] == ["everything nominal", "input: r w"]
    assert lines[4].endswith("questions were answered nominally")
    assert lines[5] == "every property holds"


def test_choices_names_what_was_not_nominal(step):
    assert step("choices")[1][2:] == [f"{PAUSE}, after event 2", "4 of 5 questions were answered nominally"]


def test_list_shows_all_or_some(step):
    assert step("list 1 2")[1][2:] == [*FIRST, *SECOND]
    lines = step("list")[1][2:]
    assert lines[: len(FIRST)] == FIRST
    assert lines[-1].startswith("    7 ")


def test_a_long_move_shows_its_end(monkeypatch, capsys):
    chosen = choose("invalid-mode")
    run = timeline(chosen.scenario, chosen.variant, chosen.scenario.ladder[-1], Plan())
    end = len(run.events)
    whole = run.lines(1, end)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"goto {end}\n"))
    assert TracePrompt(run).run() == 0
    _, _, left_out, *shown, over = capsys.readouterr().out.splitlines()
    assert left_out == f"... {len(whole) - LINES_MAX} lines; list shows them"
    assert shown == whole[-LINES_MAX:]
    assert over == "the run is over; every property holds"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("fly", "there is no command 'fly'; help lists them"),
        ("step x", "say step [N], not 'x'"),
        ("step 0", "a number of events is a whole number from 1, not 0"),
        ("back", "an event is a whole number from 0 (nothing has happened) to 7, not -1"),
        ("goto 8", "an event is a whole number from 0 (nothing has happened) to 7, not 8"),
        ("goto", "say goto EVENT, not ''"),
        ("find", "say find TEXT"),
        ("rewind", "say rewind TEXT"),
        ("until", "say until TIME, not ''"),
        ("list 2", "say list [FIRST LAST], not '2'"),
        ("list 2 1", "say two numbers from 1 to 7, the lower one first, not '2 1'"),
        ("choices 1", "say choices, not '1'"),
        ("help fly", "there is no command 'fly'; help lists them"),
    ],
)
def test_a_mistake_is_one_line_and_the_next_command_is_read(step, line, complaint):
    assert step(line, "step") == (2, [*OPENING, f"! {complaint}", *FIRST])


def test_help_has_the_form_of_the_other_prompt(step):
    lines = step("help")[1][2:]
    assert "step [N]             Go forward by one event, or by N" in lines
    assert lines[-1].startswith("short: s step")
    assert max(map(len, lines)) < 110


@pytest.mark.parametrize("name", WORLDS)
def test_every_variant_of_every_world_goes_forth_and_back(step, name):
    for variant in get(name).variants:
        status, lines = step("step", "back", "list", arguments=(name, "--variant", variant.name))
        assert status == 0
        assert lines[1] in lines[2:]


@pytest.mark.parametrize("name", WORLDS)
def test_json_is_the_whole_run(step, name):
    status, lines = step(arguments=(name, "--json"))
    data = json.loads("\n".join(lines))
    scenario = get(name)
    given, plan = decode_input(scenario, data["input"]), Plan.from_json(data["plan"])
    outcome = replayed(scenario, scenario.variant(), given, plan)
    assert status == 0
    assert plan == scenario.variant().expect.least
    assert data["digest"] == outcome.run.trace.digest()
    assert data["events"] == json.loads(json.dumps(outcome.run.trace.events))
    assert data["fails"] == {"by": outcome.failure.by, "message": outcome.failure.message}
    points = [(point.label, point.option, point.time) for point in outcome.chooser.points]
    assert [(each["label"], each["option"], each["time"]) for each in data["choices"]] == points
    places = [each["events_before"] for each in data["choices"]]
    assert places == sorted(places)
    assert places[-1] <= len(data["events"])


def test_a_finding_is_stepped_as_it_was_found(step, tmp_path):
    path = tmp_path / "finding.json"
    assert main(["hunt", "truncated-pointer", "-o", str(path)]) == 1
    status, lines = step("verdict", arguments=("truncated-pointer", str(path)))
    finding = load(path)
    assert status == 0
    assert lines[-2:] == ["before the first of 2 events", f"fails: {finding.by}: {finding.message}"]


def test_a_finding_and_the_nominal_run_do_not_go_together(capsys):
    assert main(["step", "stale-cache", "finding.json", "--nominal"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("usage: heisenlab step")
    assert "leave out FINDING or --nominal" in err
