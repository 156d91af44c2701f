"""The single-step debugger: going back is the same as a fresh run, a fork is a run like any other."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulations.choices import Deviation, Plan, random, replay
from simulations.errors import PlanError
from simulations.mode_machine.debugger import SNAPSHOT_CLOCKS, Debugger, DebuggerError
from simulations.mode_machine.encodings import ONE_HOT
from simulations.mode_machine.environment import noise_model
from simulations.mode_machine.registers import RegisterError, condition_of, read, registers
from simulations.mode_machine.system import power_cycle, power_on, run, step
from simulations.mode_machine.variants import System
from simulations.mode_machine.workload import CLOCKS_MAX, Workload, received, typical_workload

QUIET = Workload(("." * 30,) * 3)
BUSY = Workload(("..G......", "...S.....", ".....H..G"))
ROUGH = noise_model("rough", upset=0.02, glitch=0.05, latch=0.2)


def rough_run(seed, clocks=60, **system):
    """A run with much noise of all sources, and the plan it came to."""
    machine = System(**system)
    workload = typical_workload(clocks=clocks, seed=seed)
    chooser = random(ROUGH, seed)
    run(machine, workload, chooser, trace=False)
    return machine, workload, chooser.plan


def fresh_states(system, workload, plan, power_cycles=()):
    """The states of a run without a debugger."""
    chooser, states = replay(plan), [power_on(system)]
    for commands in received(system, workload):
        following = step(system, states[-1], commands, chooser)
        cut = following.clock in power_cycles
        states.append(power_cycle(system, following) if cut else following)
    chooser.finish()
    return states


# Moving


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 999),
    synchroniser=st.booleans(),
    walk=st.lists(st.integers(0, 60), min_size=1, max_size=30),
)
def test_wherever_one_goes_the_state_is_that_of_a_fresh_run(seed, synchroniser, walk):
    system, workload, plan = rough_run(seed, synchroniser=synchroniser)
    fresh = fresh_states(system, workload, plan)
    debugger = Debugger(system, workload, plan)
    for clock in walk:
        assert debugger.goto(clock) == fresh[clock] == debugger.state
        if clock:
            assert debugger.back() == fresh[clock - 1]
            assert debugger.step() == fresh[clock]


CLOCK = st.integers(0, 59)
INTERVENTIONS = st.lists(
    st.one_of(
        st.tuples(CLOCK, st.just("flip"), st.integers(0, 2), st.integers(0, 2)),
        st.tuples(CLOCK, st.just("press_reset"), st.integers(1, 5)),
        st.tuples(CLOCK, st.just("power_cycle")),
    ),
    max_size=6,
)


def intervene(debugger, interventions, done=lambda: None):
    """Do things by hand, each at its clock; what cannot be done there is left out."""
    for clock, intervention, *arguments in interventions:
        debugger.goto(clock)
        with suppress(DebuggerError):
            getattr(debugger, intervention)(*arguments)
        done()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 999), interventions=INTERVENTIONS)
def test_a_fork_is_a_run_like_any_other(seed, interventions):
    system, workload, plan = rough_run(seed)
    debugger = Debugger(system, workload, plan)
    intervene(debugger, interventions)
    recorded = Plan.from_json(json.loads(json.dumps(debugger.plan.to_json())))
    cycles = debugger.timeline.power_cycles
    fresh = fresh_states(system, debugger.workload, recorded, cycles)
    assert [debugger.goto(state.clock) for state in fresh] == fresh
    if not cycles:
        assert run(system, debugger.workload, replay(recorded)).final == fresh[-1]
    assert Debugger(system, debugger.workload, recorded, cycles).timeline == debugger.timeline


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 999), interventions=INTERVENTIONS)
def test_a_fork_leaves_the_past_as_it_was(seed, interventions):
    debugger = Debugger(*rough_run(seed))
    for intervention in interventions:
        past = [debugger.goto(clock) for clock in range(intervention[0])]
        intervene(debugger, [intervention])
        assert [debugger.goto(clock) for clock in range(intervention[0])] == past


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 999),
    start=CLOCK,
    text=st.sampled_from(
        ["unused", "wrong", "starved", "cpu1.mode == RUN", "cpu0.waited > 0", "bus.owner != cpu0"]
    ),
)
def test_a_search_finds_what_looking_at_every_clock_finds(seed, start, text):
    debugger = Debugger(*rough_run(seed))
    holds = condition_of(debugger.system, text)
    truth = [holds(debugger.goto(clock)) for clock in range(61)]
    became = [clock for clock in range(61) if truth[clock] and not (clock and truth[clock - 1])]
    debugger.goto(start)
    forth = debugger.run_until(text, clocks=60 - start) if start < 60 else None
    assert (forth.clock if forth and forth.found else None) == min(
        (c for c in became if c > start), default=None
    )
    debugger.goto(start)
    back = debugger.back_until(text)
    assert (back.clock if back.found else None) == max((c for c in became if c < start), default=None)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 999), clock=CLOCK, data=st.data())
def test_the_last_change_is_the_last_one_there_is(seed, clock, data):
    debugger = Debugger(*rough_run(seed))
    register = data.draw(st.sampled_from(registers(debugger.system)))
    held = [read(debugger.system, debugger.goto(at), register) for at in range(clock + 1)]
    changed = [at for at in range(1, clock + 1) if held[at] != held[at - 1]]
    change = debugger.last_change(register)
    assert (change and change.clock) == (changed[-1] if changed else None)
    if change:
        assert (change.before, change.after) == (held[changed[-1] - 1], held[clock])


def test_the_plan_of_an_untouched_run_is_the_plan_it_was_given():
    for seed in range(20):
        system, workload, plan = rough_run(seed)
        assert Debugger(system, workload, plan).plan == plan


def test_steps_count_and_go_beyond_the_end_without_commands():
    debugger = Debugger(System(), Workload(("..", "..", "G.")))
    debugger.step(50)
    assert (debugger.clock, debugger.state.clock) == (50, 50)
    assert debugger.workload.clocks == 2
    debugger.back(49)
    assert read(debugger.system, debugger.state, "cpu2.mode") == "IDLE"


@pytest.mark.parametrize("clocks", [0, -1, True, 1.5])
def test_a_step_of_no_clocks_is_refused(clocks):
    debugger = Debugger(System(), QUIET)
    with pytest.raises(DebuggerError, match="whole number from 1"):
        debugger.step(clocks)
    assert debugger.clock == 0


@pytest.mark.parametrize("clock", [-1, CLOCKS_MAX + 1, "3"])
def test_a_clock_that_is_none_is_refused_and_nothing_moves(clock):
    debugger = Debugger(System(), QUIET)
    debugger.goto(7)
    with pytest.raises(DebuggerError, match="from 0 \\(power-on\\)"):
        debugger.goto(clock)
    assert debugger.clock == 7


def test_the_last_clock_of_all_can_be_looked_at_but_not_left(monkeypatch):
    monkeypatch.setattr("simulations.mode_machine.debugger.CLOCKS_MAX", 16)
    debugger = Debugger(System(), BUSY)
    debugger.goto(16)
    assert debugger.table().splitlines()[-1].startswith("> 16")
    assert not debugger.run_until("unused").found
    for beyond in (debugger.step, lambda: debugger.flip(0, 0), debugger.press_reset):
        with pytest.raises(DebuggerError, match="to 16, not"):
            beyond()
    debugger.power_cycle()
    assert debugger.back().clock == 15


def test_going_back_beyond_power_on_is_refused():
    debugger = Debugger(System(), QUIET)
    debugger.step(3)
    with pytest.raises(DebuggerError, match="not -1"):
        debugger.back(4)


def test_a_plan_that_does_not_fit_is_refused():
    with pytest.raises(PlanError, match=r"cpu7\.bit0"):
        Debugger(System(), QUIET, Plan([Deviation("cpu7.bit0", 0, 1)]))


# Stopping


def struck():
    """cpu1 has the bus when it is lost at clock 4; from clock 5 on cpu0 asks for it in vain."""
    workload = Workload(("....G....", ".G.......", "........."))
    return Debugger(System(), workload, Plan([Deviation("cpu1.bit2", 3, 1)]))


def test_it_stops_where_a_condition_becomes_true_and_not_there_again():
    debugger = struck()
    stop = debugger.run_until("unused")
    assert (stop.found, stop.clock, debugger.clock) == (True, 4, 4)
    assert str(stop) == "clock 4: unused became true"
    again = debugger.run_until("unused")
    assert (again.found, debugger.clock) == (False, 4)
    assert "nothing found up to clock 1009" in str(again)


def test_it_stops_backwards_where_the_condition_became_true():
    debugger = struck()
    debugger.goto(200)
    assert debugger.back_until("unused").clock == 4
    assert not debugger.back_until("unused").found
    assert debugger.clock == 4
    assert debugger.back_until("cpu1.mode == INIT").clock == 0


def test_starvation_is_found_beyond_the_end_of_the_workload():
    debugger = struck()
    stop = debugger.run_until("starved")
    waited = debugger.system.grant_clocks_max() + 1
    assert (stop.found, debugger.state.processors[0].waited) == (True, waited)
    assert stop.clock == 5 + waited


def test_a_condition_is_any_function_of_a_state():
    debugger = struck()
    assert debugger.run_until(lambda state: state.owner == 1).clock == 3
    assert str(debugger.back_until(lambda state: state.clock == 1)) == "clock 1: the condition became true"


def test_a_search_looks_no_further_than_it_is_told():
    debugger = struck()
    assert not debugger.run_until("unused", clocks=3).found
    assert debugger.clock == 0
    assert debugger.run_until("unused", clocks=4).clock == 4


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("cpu1.mode == ?110", 4),
        ("cpu1.mode != INIT", 1),
        ("cpu1.mode == run", 2),
        ("cpu1.code>4", 4),
        ("cpu0.waited >= 2", 7),
        ("bus.owner == cpu1", 3),
        (" unused ", 4),
    ],
)
def test_conditions_can_be_said_in_words(text, clock):
    assert struck().run_until(text).clock == clock


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not understood"),
        ("cpu1.mode = RUN", "is not understood"),
        ("cpu9.mode == RUN", "no register 'cpu9.mode'"),
        ("cpu1.mode == FLY", "is never FLY; it is one of"),
        ("cpu1.mode == ?010", "is never"),
        ("cpu1.mode < RUN", "compare it by == or !="),
        ("cpu1.waited == RUN", "is a number"),
        ("bus.owner == cpu3", "is one of cpu0, cpu1, cpu2"),
        ("__import__('os')", "is not understood"),
    ],
)
def test_a_condition_that_makes_no_sense_is_refused(text, message):
    with pytest.raises(RegisterError) as caught:
        condition_of(System(), text)
    assert message in str(caught.value)


# Watching


def test_watched_registers_stop_the_run_in_both_directions():
    debugger = struck()
    assert debugger.watch("cpu1.mode") == "INIT"
    stops = [debugger.run_until() for _ in range(5)]
    assert [stop.clock for stop in stops] == [1, 2, 4, 4, 4]
    assert [stop.found for stop in stops] == [True, True, True, False, False]
    assert stops[2].why == "cpu1.mode went from RUN to ?110"
    debugger.goto(100)
    assert [debugger.back_until().clock for _ in range(3)] == [4, 2, 1]
    assert debugger.watched == {"cpu1.mode": "IDLE"}
    debugger.unwatch("cpu1.mode")
    with pytest.raises(DebuggerError, match="watch a register first"):
        debugger.run_until()
    with pytest.raises(DebuggerError, match="watched: nothing"):
        debugger.unwatch("cpu1.mode")


UNASKED = "the state machine itself, without a command"


@pytest.mark.parametrize(
    ("system", "clock", "register", "change"),
    [
        ({}, 9, "cpu1.mode", "RUN to ?110 at clock 4: bit 2 of cpu1 is upset at clock 3"),
        ({}, 3, "cpu1.mode", "IDLE to RUN at clock 2: the command GO"),
        ({}, 1, "cpu1.mode", f"INIT to IDLE at clock 1: {UNASKED}"),
        ({}, 9, "cpu1.code", "2 to 6 at clock 4: bit 2 of cpu1 is upset at clock 3"),
        ({}, 9, "bus.owner", "cpu0 to cpu1 at clock 3: the arbiter"),
        ({}, 7, "cpu0.waited", "1 to 2 at clock 7: what happened in clock 6"),
        ({"watchdog": "power_on_clear"}, 7, "cpu1.mode", "?110 to INIT at clock 7: the watchdog"),
        ({"unused": "recover"}, 5, "cpu1.mode", f"INIT to IDLE at clock 5: {UNASKED}"),
    ],
)
def test_last_change_finds_the_writer(system, clock, register, change):
    debugger = Debugger(System(**system), struck().workload, struck().plan)
    debugger.goto(clock)
    assert str(debugger.last_change(register)) == f"{register} went from {change}"


REPLACED = "the command to cpu0 is replaced (by the other number 1) at clock 2"


def test_last_change_names_a_replaced_command_and_a_late_flip_flop():
    plan = Plan([Deviation("cpu0.command", 2, 1), Deviation("cpu2.latch0", 1, 1)])
    debugger = Debugger(System(), Workload(("....", "....", "..S.")), plan)
    debugger.goto(4)
    assert [str(debugger.last_change(f"cpu{number}.mode")) for number in (0, 2)] == [
        f"cpu0.mode went from IDLE to RUN at clock 3: {REPLACED}",
        "cpu2.mode went from STEP to ?101 at clock 4: bit 0 of cpu2 latches its old value at clock 3",
    ]


def test_a_register_that_never_changed_has_no_last_change():
    debugger = struck()
    assert debugger.last_change("cpu0.lost") is None
    debugger.goto(20)
    assert debugger.last_change("cpu0.lost") is None


def test_a_register_that_does_not_exist_is_refused_with_those_that_do():
    debugger = struck()
    for ask in (debugger.watch, debugger.last_change):
        with pytest.raises(
            RegisterError, match=r"no register 'cpu1.speed'; there are cpu0.mode, .*bus.owner"
        ):
            ask("cpu1.speed")
    assert len(registers(debugger.system)) == 16


# Intervening


def test_a_flip_forks_the_timeline_and_drops_the_known_future():
    debugger = Debugger(System(), BUSY)
    debugger.goto(9)
    debugger.goto(1)
    fork = debugger.flip(1, 2)
    assert fork.what == "bit 2 of cpu1 is upset at clock 1: IDLE becomes ?101"
    assert (fork.clock, fork.dropped_clocks, fork.dropped) == (1, 8, ())
    assert "the timeline forks at clock 1: 8 known clocks are dropped" in str(fork)
    assert debugger.plan == Plan([Deviation("cpu1.bit2", 1, 1)])
    debugger.step(8)
    assert read(debugger.system, debugger.state, "cpu1.mode") == "?101"
    assert debugger.in_words == "everything nominal, except: bit 2 of cpu1 is upset at clock 1"


def test_what_was_dropped_is_not_known_any_more():
    debugger = Debugger(System(), BUSY)
    debugger.goto(9)
    debugger.goto(1)
    assert debugger.flip(1, 2).dropped_clocks == 8
    assert debugger.flip(1, 1).dropped_clocks == 0
    assert debugger.lanes().splitlines()[0] == "clock 0    1"


@pytest.mark.parametrize("clock", range(SNAPSHOT_CLOCKS - 1, SNAPSHOT_CLOCKS + 2))
def test_the_power_is_cut_where_one_stands_and_not_before(clock):
    debugger = Debugger(System(), BUSY, Plan([Deviation("cpu1.bit2", 1, 1)]))
    debugger.goto(clock)
    debugger.power_cycle()
    held = [read(debugger.system, debugger.goto(at), "cpu1.mode") for at in (clock - 1, clock, clock + 1)]
    assert held == ["?101", "INIT", "IDLE"]


def test_a_second_flip_of_the_same_bit_takes_the_first_back():
    debugger = Debugger(System(), BUSY)
    before = [debugger.goto(clock) for clock in range(10)]
    debugger.goto(1)
    debugger.flip(1, 2)
    assert "any more" in debugger.flip(1, 2).what
    assert debugger.plan == Plan()
    assert [debugger.goto(clock) for clock in range(10)] == before


def test_a_flip_at_the_end_makes_the_workload_long_enough_to_hold_it():
    debugger = Debugger(System(), Workload(("..", "..", "..")))
    debugger.goto(40)
    debugger.flip(0, 2)
    assert debugger.workload.clocks == 41
    final = run(debugger.system, debugger.workload, replay(debugger.plan)).final
    assert final == debugger.goto(41)


def test_answers_that_nobody_asks_for_any_more_are_dropped_and_named():
    # cpu0 latches an old bit when it goes to RUN at clock 2; if it is lost before, it never goes there.
    workload = Workload(("..G..", ".....", "....."))
    debugger = Debugger(System(), workload, Plan([Deviation("cpu0.latch1", 0, 1)]))
    debugger.goto(1)
    fork = debugger.flip(0, 2)
    assert fork.dropped == ("bit 1 of cpu0 latches its old value at clock 2",)
    assert debugger.plan == Plan([Deviation("cpu0.bit2", 1, 1)])


@pytest.mark.parametrize(
    ("processor", "bit", "message"),
    [
        (3, 0, "no cpu3; there are cpu0 to cpu2"),
        (-1, 0, "no cpu-1"),
        (0, 3, "no bit 3"),
        (0, -1, "no bit -1"),
    ],
)
def test_a_flip_flop_that_does_not_exist_is_refused(processor, bit, message):
    debugger = Debugger(System(), BUSY)
    with pytest.raises(DebuggerError, match=message):
        debugger.flip(processor, bit)
    assert debugger.plan == Plan()


def test_a_machine_that_is_never_asked_about_upsets_cannot_be_flipped():
    debugger = Debugger(System(noise=("metastable",)), BUSY)
    with pytest.raises(DebuggerError, match="no plan could hold one"):
        debugger.flip(0, 0)


def test_the_story_reset_does_not_help_and_the_power_switch_does():
    debugger = Debugger(System(), BUSY)
    debugger.step()
    debugger.flip(1, 2)
    debugger.goto(9)
    assert debugger.press_reset().what == "every processor is told RESET in the clocks 9 to 16"
    debugger.step(8)
    assert [read(debugger.system, debugger.state, f"cpu{n}.mode") for n in range(3)] == [
        "INIT",
        "?101",
        "INIT",
    ]
    assert debugger.workload.lanes[0][9:17] == "R" * 8
    fork = debugger.power_cycle()
    assert fork.what == "the power is cut and comes back at clock 17"
    assert read(debugger.system, debugger.state, "cpu1.mode") == "INIT"
    assert str(debugger.last_change("cpu1.mode")).endswith("at clock 17: the power cycle")
    debugger.back()
    assert read(debugger.system, debugger.state, "cpu1.mode") == "?101"
    again = Debugger(debugger.system, debugger.workload, debugger.plan, debugger.timeline.power_cycles)
    assert [again.goto(clock) for clock in range(30)] == [debugger.goto(clock) for clock in range(30)]
    assert again.timeline == debugger.timeline


def test_power_comes_on_once_at_a_time():
    debugger = Debugger(System(), BUSY)
    with pytest.raises(DebuggerError, match="at clock 0 already"):
        debugger.power_cycle()
    debugger.step(SNAPSHOT_CLOCKS)
    debugger.power_cycle()
    with pytest.raises(DebuggerError, match="already"):
        debugger.power_cycle()
    with pytest.raises(DebuggerError, match="the power is cut at clocks from 1 to 9"):
        Debugger(System(), BUSY, power_cycles=[10])


def test_a_reset_behind_a_synchroniser_says_that_it_comes_late():
    debugger = Debugger(System(synchroniser=True), BUSY)
    debugger.step()
    assert "the synchroniser delays" in debugger.press_reset(clocks=1).what
    assert run(debugger.system, debugger.workload, replay(debugger.plan)).final == debugger.goto(9)


# Looking


def test_lanes_show_the_modes_and_where_we_are():
    debugger = struck()
    debugger.goto(6)
    debugger.goto(4)
    assert (
        debugger.lanes()
        == """\
clock 0    1    2    3    4    5    6
cpu0  INIT IDLE IDLE IDLE IDLE RUN  RUN
cpu1  INIT IDLE RUN  RUN  ?110 ?110 ?110
cpu2  INIT IDLE IDLE IDLE IDLE IDLE IDLE
bus   cpu0 cpu0 cpu0 cpu1 cpu1 cpu1 cpu1
                          ^"""
    )
    assert debugger.lanes(3, 4).splitlines()[2] == "cpu1  RUN  ?110"
    with pytest.raises(DebuggerError, match="not from 4 to 3"):
        debugger.lanes(4, 3)


def test_the_table_says_what_happens_in_each_clock():
    debugger = struck()
    debugger.goto(5)
    debugger.power_cycle()
    assert (
        debugger.table()
        == """\
  clock cpu0 cpu1 cpu2 bus  what happens in it
  0     INIT INIT INIT cpu0
  1     IDLE IDLE IDLE cpu0 cpu1 command GO
  2     IDLE RUN  IDLE cpu0
  3     IDLE RUN  IDLE cpu1 cpu1 upset ?110
  4     IDLE ?110 IDLE cpu1 cpu0 command GO; power cycle
> 5     INIT INIT INIT cpu0"""
    )


def test_events_are_those_of_the_trace():
    system, workload, plan = rough_run(5)
    debugger = Debugger(system, workload, plan)
    seen = [event for clock in range(workload.clocks) for event in debugger.events(clock)]
    start = [event for event in run(system, workload, replay(plan)).trace if event.time == 0][:4]
    assert [*start, *seen] == list(run(system, workload, replay(plan)).trace)
    assert debugger.events() == ()


def test_wide_registers_are_shown_and_flipped_like_narrow_ones():
    debugger = Debugger(System(encoding=ONE_HOT), BUSY)
    debugger.step()
    assert debugger.flip(2, 4).what == "bit 4 of cpu2 is upset at clock 1: IDLE becomes ?10010"
