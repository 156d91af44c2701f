"""The command `heisenlab step`: at a terminal, through a pipe, and as JSON."""

import argparse
import io
import json

import pytest

from scenarios.lab.commands import step as command
from scenarios.lab.commands import step_prompt
from scenarios.lab.finding import load
from scenarios.lab.replay import replay as replay_finding
from simulations.choices import Plan, replay
from simulations.errors import LabError
from simulations.mode_machine.debugger import Debugger
from simulations.mode_machine.system import run

START = "invalid-mode / as-shipped: everything nominal, except: bit 2 of cpu0 is upset at clock 1"


HELD = "cpu0 command RESET; cpu1 command RESET; cpu2 command RESET"


def parsed(*arguments):
    parser = argparse.ArgumentParser(prog="heisenlab")
    command.add_arguments(parser)
    return parser.parse_args(arguments)


def documented():
    """Returns the scenario of the mode machine, its variant as shipped, and a debugger at the beginning."""
    chosen = command.choose("invalid-mode")
    return chosen.scenario, chosen.variant, Debugger(chosen.variant.system, chosen.given, chosen.plan)


@pytest.fixture
def step(monkeypatch, capsys):
    """Runs the command with lines coming through a pipe; returns the exit code and what was printed."""

    def stepped(*lines, arguments=("invalid-mode",)):
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        args = parsed(*arguments)
        status = command.run(args)
        return status, capsys.readouterr().out.splitlines()

    return stepped


def test_without_commands_it_shows_where_it_begins(step):
    assert step() == (0, [START, "clock 0: cpu0 INIT, cpu1 INIT, cpu2 INIT, bus cpu0"])


def test_the_story_at_the_prompt(step):
    status, lines = step(
        "step 2",
        "lanes",
        "reset",
        "step 8",
        "changed cpu0.mode",
        "power",
        "rewind cpu0.mode == ?101",
        "lanes",
    )
    assert status == 0
    assert lines[2:] == [
        "clock 2: cpu0 ?101, cpu1 IDLE, cpu2 IDLE, bus cpu0  | cpu0 upset ?101",
        "clock 0    1    2",
        "cpu0  INIT IDLE ?101",
        "cpu1  INIT IDLE IDLE",
        "cpu2  INIT IDLE IDLE",
        "bus   cpu0 cpu0 cpu0",
        "                ^",
        "every processor is told RESET in the clocks 2 to 9",
        f"clock 10: cpu0 ?101, cpu1 INIT, cpu2 INIT, bus cpu0  | {HELD}",
        "cpu0.mode went from IDLE to ?101 at clock 2: bit 2 of cpu0 is upset at clock 1",
        "the power is cut and comes back at clock 10",
        f"clock 10: cpu0 INIT, cpu1 INIT, cpu2 INIT, bus cpu0  | {HELD}; power cycle",
        "clock 2: cpu0.mode == ?101 became true",
        "clock 2: cpu0 ?101, cpu1 IDLE, cpu2 IDLE, bus cpu0  | cpu0 upset ?101",
        "clock 0    1    2    3    4    5    6    7    8    9    10",
        "cpu0  INIT IDLE ?101 ?101 ?101 ?101 ?101 ?101 ?101 ?101 INIT",
        "cpu1  INIT IDLE IDLE INIT INIT INIT INIT INIT INIT INIT INIT",
        "cpu2  INIT IDLE IDLE INIT INIT INIT INIT INIT INIT INIT INIT",
        "bus   cpu0 cpu0 cpu0 cpu0 cpu0 cpu0 cpu0 cpu0 cpu0 cpu0 cpu0",
        "                ^",
    ]


def test_watches_are_shown_and_stop_the_run(step):
    status, lines = step("watch cpu1.mode", "until", "unwatch cpu1.mode", "until")
    assert status == 2
    assert lines[2:] == [
        "cpu1.mode is INIT",
        "clock 1: cpu1.mode went from INIT to IDLE",
        "clock 1: cpu0 IDLE, cpu1 IDLE, cpu2 IDLE, bus cpu0  | cpu1.mode = IDLE",
        "! say until when, or watch a register first",
    ]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("fly", "there is no command 'fly'; help lists them"),
        ("step x", "say step [N], not 'x'"),
        ("step 1 2", "say step [N], not '1 2'"),
        ("step 0", "a number of clocks is a whole number from 1, not 0"),
        ("step ²", "say step [N], not '²'"),
        ("step 99999999999999999999", "say step [N], not '99999999999999999999'"),
        ("goto", "say goto CLOCK, not ''"),
        ("goto 999999999", "a clock is a whole number from 0 (power-on) to 1000000, not 999999999"),
        ("back", "a clock is a whole number from 0 (power-on) to 1000000, not -1"),
        ("flip 1", "say flip CPU BIT, as in flip cpu1 2, not '1'"),
        ("flip 7 0", "there is no cpu7; there are cpu0 to cpu2"),
        ("flip cpu1 9", "there is no bit 9; the mode register has bits 0 to 2"),
        ("power", "power comes on at clock 0 already; step first"),
        ("lanes 3", "say lanes [FIRST LAST], not '3'"),
        ("lanes 3 1", "lanes go from a clock to a later one, not from 3 to 1"),
        ("table a b", "say table [FIRST LAST], not 'a b'"),
        ("save", "say save FILE"),
        ("save /nowhere/at/all", "/nowhere/at is not a folder; make it first, or name another file"),
        ("help fly", "there is no command 'fly'; help lists them"),
        ("unwatch cpu0.mode", "cpu0.mode is not watched; watched: nothing"),
        ("quit now", "say quit, not 'now'"),
    ],
)
def test_whatever_is_wrong_with_a_command_is_one_line_and_the_next_one_is_read(step, line, complaint):
    status, lines = step(line, "step")
    assert status == 2
    assert lines[2:] == [f"! {complaint}", "clock 1: cpu0 IDLE, cpu1 IDLE, cpu2 IDLE, bus cpu0"]


def test_help_lists_every_command_with_its_usage(step):
    _, lines = step("help", "help flip")
    listed = lines[2:-1]
    commands = [name.removeprefix("do_") for name in dir(step_prompt.StepPrompt) if name.startswith("do_")]
    assert [line.split()[0] for line in listed[: len(commands)]] == sorted(commands)
    assert (
        lines[-1] == "flip CPU BIT         Upset a bit in the clock that comes next; once more takes it back"
    )
    assert max(map(len, listed)) < 110


def test_short_names_and_quit(step):
    status, lines = step("s 2", "b", "?", "q", "step")
    assert status == 0
    assert lines[2].startswith("clock 2:")
    assert lines[3].startswith("clock 1:")
    assert lines[-1].startswith("short: s step")


def test_what_was_done_by_hand_can_be_saved_and_replayed(step, tmp_path):
    file = tmp_path / "by hand.json"
    status, lines = step(
        "step", "flip cpu2 2", f"save {file}", arguments=("invalid-mode", "--variant", "recovery")
    )
    assert (status, lines[-1]) == (
        2,
        "! no property fails on this timeline, so there is nothing to save as a finding",
    )
    assert not file.exists()

    status, lines = step("step", "flip cpu2 2", f"save {file}")
    assert status == 0
    assert lines[-1] == (
        f"saved, since reset_brings_every_processor_back fails; run it again with: heisenlab replay '{file}'"
    )
    finding = load(file)
    assert finding.plan == Plan([("cpu0.bit2", 1, 1), ("cpu2.bit2", 1, 1)])
    assert finding.verified.startswith("two fresh interpreters")
    assert replay_finding(finding).result == "identical"

    status, lines = step("until unused", arguments=("invalid-mode", str(file)))
    assert (
        lines[-1] == "clock 2: cpu0 ?101, cpu1 IDLE, cpu2 ?101, bus cpu0  | cpu0 upset ?101; cpu2 upset ?101"
    )
    status, lines = step("plan", arguments=("invalid-mode", str(file), "--variant", "recovery"))
    assert lines[-2].endswith("bit 2 of cpu0 is upset at clock 1; bit 2 of cpu2 is upset at clock 1")


def test_a_cut_of_the_power_is_not_saved(step, tmp_path):
    status, lines = step("step", "power", f"save {tmp_path / 'x.json'}")
    assert status == 2
    assert "the power was cut" in lines[-1]
    assert list(tmp_path.iterdir()) == []


def test_json_is_the_whole_run(step):
    status, lines = step("step", arguments=("invalid-mode", "--json"))
    data = json.loads("\n".join(lines))
    assert status == 0
    assert data["lanes"]["cpu0.mode"] == ["INIT", "IDLE", "?101"]
    assert data["lanes"]["bus.owner"] == ["cpu0"] * 3
    assert (data["plan"], data["clocks"]) == ([["cpu0.bit2", 1, 1]], 2)
    _, _, debugger = documented()
    trace = run(debugger.system, debugger.workload, replay(debugger.plan)).trace
    after_power_on = [event for event in trace if event.time > 0 or event.action not in ("mode", "grant")]
    assert data["events"] == json.loads(json.dumps(after_power_on))
    assert data["input"] == {"lanes": ["..", "..", ".."]}


def test_every_variant_can_be_stepped(step):
    scenario, _, _ = documented()
    for variant in scenario.variants:
        status, lines = step("step 30", "back 30", arguments=("invalid-mode", "--variant", variant.name))
        assert status == 0
        assert lines[1] == lines[3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("invalid-mod",), "did you mean invalid-mode"),
        (("invalid-mode", "--variant", "x"), "no variant 'x'"),
        (("invalid-mode", "/no/such/file"), "cannot read /no/such/file"),
    ],
)
def test_what_does_not_exist_is_one_error(step, arguments, message):
    with pytest.raises(LabError, match=message):
        step(arguments=arguments)


def test_a_truncated_finding_is_one_error(step, tmp_path):
    file = tmp_path / "cut.json"
    step("step", f"save {file}")
    file.write_text(file.read_text()[:100])
    with pytest.raises(LabError, match="it ends too early"):
        step(arguments=("invalid-mode", str(file)))


def test_a_finding_of_another_scenario_is_refused(step, tmp_path):
    file = tmp_path / "found.json"
    step("step", f"save {file}")
    with pytest.raises(LabError, match="is a finding of invalid-mode; say heisenlab step invalid-mode"):
        step(arguments=("stale-cache", str(file)))


# At a terminal


class Terminal(io.StringIO):
    def isatty(self):
        return True


def at_terminal(monkeypatch, capsys, *answers):
    """Runs the prompt at a terminal; an answer is a line, or the exception that the key raises."""
    prompts, upcoming = [], iter(answers)

    def asked(prompt):
        prompts.append(prompt)
        answer = next(upcoming)
        if isinstance(answer, str):
            return answer
        raise answer

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", asked)
    args = parsed("invalid-mode")
    status = command.run(args)
    return status, prompts, capsys.readouterr().out.splitlines()


def test_ctrl_d_leaves_and_a_mistake_at_a_terminal_is_no_failure(monkeypatch, capsys):
    status, prompts, lines = at_terminal(monkeypatch, capsys, "step", "fly", "", EOFError())
    assert (status, prompts) == (0, ["(0) ", "(1) ", "(1) ", "(1) "])
    assert lines[2] == "help lists the commands; Ctrl-D leaves"
    assert lines[-2:] == ["! there is no command 'fly'; help lists them", ""]


def test_ctrl_c_returns_to_the_prompt(monkeypatch, capsys):
    status, prompts, lines = at_terminal(monkeypatch, capsys, "step", KeyboardInterrupt(), "step", EOFError())
    assert (status, prompts) == (0, ["(0) ", "(1) ", "(1) ", "(2) "])
    assert "interrupted; still at clock 1, Ctrl-D leaves" in lines


def test_ctrl_c_in_a_long_search_leaves_everything_as_it_was(monkeypatch, capsys):
    def interrupted(self, condition):
        raise KeyboardInterrupt

    monkeypatch.setattr(Debugger, "run_until", interrupted)
    status, prompts, lines = at_terminal(monkeypatch, capsys, "step", "until starved", "step", EOFError())
    assert (status, prompts) == (0, ["(0) ", "(1) ", "(1) ", "(2) "])
    assert "! interrupted; still at clock 1" in lines


def test_completion_knows_the_commands():
    scenario, variant, debugger = documented()
    assert step_prompt.StepPrompt(scenario, variant, debugger).completenames("re") == ["reset", "rewind"]
