"""The instrument on machines of the libraries transitions and python-statemachine."""

import asyncio
import enum
import operator
import subprocess
import sys

import pytest

from simulations.live.state_machines import Field, SubjectError, Verdict, examine
from tests.simulations.live.state_machines.controller import NAMES, verdicts

TRANSITIONS = [
    ["boot", "INIT", "IDLE"],
    ["go", ["IDLE", "HALT"], "RUN"],
    ["step", ["IDLE", "RUN", "HALT"], "STEP"],
    ["halt", ["IDLE", "RUN", "STEP"], "HALT"],
    ["reset", "*", "INIT"],
]

FLIPS_BY_CODE = """\
flip in  bit     lands in      verdict      reset helps  what happens
INIT     0       IDLE          wrong state  -            silently
INIT     1       RUN           wrong state  -            silently
INIT     2       HALT          wrong state  -            silently
IDLE     0       INIT          wrong state  -            silently
IDLE     1       STEP          wrong state  -            silently
IDLE     2       ?101          dead end     no           every event: {error}
RUN      0       STEP          wrong state  -            silently
RUN      1       INIT          wrong state  -            silently
RUN      2       ?110          dead end     no           every event: {error}
STEP     0       RUN           wrong state  -            silently
STEP     1       IDLE          wrong state  -            silently
STEP     2       ?111          dead end     no           every event: {error}
HALT     0 to 1  unused codes  dead end     no           every event: {error}
HALT     2       INIT          wrong state  -            silently

unused codes, 3 in all: 3 dead end (3 with an error)
single flips, 15 in all: 5 dead end (5 with an error), 10 wrong state
tried: every event at every value that events led to, each up to 8 times in a row"""


def transitions_machine(**options):
    core = pytest.importorskip("transitions", reason="the library transitions is not installed")
    return lambda: core.Machine(**{"states": NAMES, "transitions": TRANSITIONS, "initial": "INIT", **options})


def test_transitions_takes_any_value_and_then_every_trigger_fails_even_one_from_everywhere():
    report = examine(transitions_machine(), width=3, reset="reset")
    head = """\
transitions.Machine.state: 5 states in 3 bits (INIT 000, IDLE 001, RUN 010, STEP 011, HALT 100)
events: boot, go, step, halt, reset; reset: reset

unused code       verdict   reset helps  what happens
?101 to ?111 (3)  dead end  no           every event: ValueError

"""
    assert str(report) == head + FLIPS_BY_CODE.format(error="ValueError")
    assert report.codes[1].answers[4].message == "ValueError: State '0b110' is not a registered state."


def python_statemachine():
    library = pytest.importorskip("statemachine", reason="the library python-statemachine is not installed")

    class Modes(library.StateMachine):
        INIT = library.State(initial=True, value=0)
        IDLE = library.State(value=1)
        RUN = library.State(value=2)
        STEP = library.State(value=3)
        HALT = library.State(value=4)
        boot = INIT.to(IDLE)
        go = IDLE.to(RUN) | HALT.to(RUN)
        step = IDLE.to(STEP) | RUN.to(STEP) | HALT.to(STEP)
        halt = IDLE.to(HALT) | RUN.to(HALT) | STEP.to(HALT)
        reset = INIT.to(INIT) | IDLE.to(INIT) | RUN.to(INIT) | STEP.to(INIT) | HALT.to(INIT)

    return Modes


def test_python_statemachine_raises_a_bare_key_error_once_its_model_holds_no_state():
    report = examine(python_statemachine(), width=3, reset="reset")
    head = """\
python-statemachine Modes.model.state: 5 states in 3 bits (INIT 000, IDLE 001, RUN 010, STEP 011, HALT 100)
events: boot, go, step, halt, reset; reset: reset

unused code       verdict   reset helps  what happens
?101 to ?111 (3)  dead end  no           every event: KeyError

"""
    assert str(report) == head + FLIPS_BY_CODE.format(error="KeyError")
    assert report.codes[1].answers[0].message == "KeyError: 6"


def test_python_statemachine_refuses_the_value_at_its_own_setter():
    setter = Field(
        "current_state_value",
        operator.attrgetter("current_state_value"),
        lambda machine, value: setattr(machine, "current_state_value", value),
    )
    report = examine(python_statemachine(), width=3, field=setter)
    assert [(probe.verdict, probe.refused, probe.held) for probe in report.codes] == [
        (Verdict.REFUSED, f"InvalidStateValue: {code} is not a valid state value.", "INIT")
        for code in (5, 6, 7)
    ]
    assert [probe.verdict for probe in report.flips].count(Verdict.REFUSED) == 5
    assert [probe.verdict for probe in report.flips].count(Verdict.WRONG_STATE) == 10


def test_transitions_model_attribute_initial_state_and_enum_states_are_found():
    core = pytest.importorskip("transitions", reason="the library transitions is not installed")

    class Valve(enum.Enum):
        SHUT = 1
        OPEN = 2

    class Plant:
        pass

    def make():
        plant = Plant()
        core.Machine(
            plant,
            states=Valve,
            initial=Valve.OPEN,
            transitions=[["turn", Valve.OPEN, Valve.SHUT], ["turn", Valve.SHUT, Valve.OPEN]],
            model_attribute="valve",
        )
        return plant

    report = examine(make, width=2)
    assert (report.field, report.states, report.events) == ("valve", (("SHUT", 1), ("OPEN", 2)), ("turn",))
    assert verdicts(report) == {"?00": Verdict.DEAD_END, "?11": Verdict.DEAD_END}
    assert report.codes[0].state == "OPEN"


def test_transitions_hierarchy_counts_what_the_model_can_hold():
    nesting = pytest.importorskip("transitions.extensions.nesting", reason="transitions is not installed")

    def make():
        return nesting.HierarchicalMachine(
            states=["off", {"name": "on", "initial": "slow", "children": ["slow", "fast"]}],
            initial="off",
            transitions=[["start", "off", "on"], ["faster", "on_slow", "on_fast"], ["stop", "*", "off"]],
        )

    report = examine(make, reset="stop")
    assert report.states == (("off", 0), ("on_slow", 1), ("on_fast", 2))
    assert verdicts(report) == {"?11": Verdict.DEAD_END}
    assert report.codes[0].reset_helps is False


def test_transitions_parallel_states_are_found_by_running():
    nesting = pytest.importorskip("transitions.extensions.nesting", reason="transitions is not installed")

    def make():
        return nesting.HierarchicalMachine(
            states=["off", {"name": "on", "parallel": ["fan", "pump"]}],
            initial="off",
            transitions=[["start", "off", "on"], ["stop", "on", "off"]],
        )

    assert examine(make, width=1).states == (("off", 0), ("on_fan+on_pump", 1))


def test_python_statemachine_state_field_and_nested_states_are_found():
    library = pytest.importorskip("statemachine", reason="the library python-statemachine is not installed")

    class Chart(library.StateChart):
        off = library.State(initial=True)

        class on(library.State.Compound):  # noqa: N801  # the name of a state
            slow = library.State(initial=True)
            fast = library.State()
            faster = slow.to(fast)

        start = off.to(on)
        stop = on.to(off)

    class Row:
        column = None

    report = examine(lambda: Chart(Row(), state_field="column"))
    assert report.field == "model.column"
    assert [state for state, _ in report.states] == ["off", "on+slow", "on+fast"]
    assert verdicts(report) == {"?11": Verdict.DEAD_END}


def test_guards_and_conditions_are_asked_as_the_machine_asks_them():
    calls = []
    make = transitions_machine(
        transitions=[*TRANSITIONS, ["jump", "IDLE", "HALT", lambda: calls.append(1) or True]]
    )
    assert "jump" in examine(make, width=3).events
    assert calls


def test_queued_machines_and_automatic_triggers():
    report = examine(transitions_machine(queued=True), width=3, reset="to_INIT")
    assert report.events == ("boot", "go", "step", "halt", "reset", "to_INIT")
    assert set(verdicts(report).values()) == {Verdict.DEAD_END}


def test_importing_the_instrument_imports_neither_library_nor_pytest():
    program = (
        "import sys, simulations.live.state_machines\n"
        "unwanted = {'transitions', 'statemachine', 'pytest', 'hypothesis'}\n"
        "print(sorted(unwanted & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_async_machines_of_both_libraries_are_refused():
    asyncio_machine = pytest.importorskip(
        "transitions.extensions.asyncio", reason="transitions is not installed"
    )
    library = pytest.importorskip("statemachine", reason="the library python-statemachine is not installed")

    class Slow(library.StateMachine):
        a = library.State(initial=True)
        b = library.State()
        go = a.to(b) | b.to(a)

        async def on_go(self):
            await asyncio.sleep(0)

    with pytest.raises(SubjectError, match="asynchronous"):
        examine(Slow)
    with pytest.raises(SubjectError, match="the event go is asynchronous"):
        examine(
            lambda: asyncio_machine.AsyncMachine(
                states=["a", "b"], initial="a", transitions=[["go", "a", "b"]]
            )
        )


def test_a_machine_of_many_models_or_a_shared_one_is_refused():
    core = pytest.importorskip("transitions", reason="the library transitions is not installed")

    class Model:
        pass

    with pytest.raises(SubjectError, match="has 2 models"):
        examine(lambda: core.Machine([Model(), Model()], states=NAMES, initial="INIT"))
    row = Model()
    with pytest.raises(SubjectError, match="share one model"):
        examine(lambda: core.Machine(row, states=NAMES, transitions=TRANSITIONS, initial="INIT"))
