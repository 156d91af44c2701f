"""The clocked machine, held against a second writing of the reference model and against its own promises."""

from itertools import product

import pytest

from simulations.choices import Deviation, Plan, drawn, exhaustive, nominal, random, replay
from simulations.errors import LabError, PlanError
from simulations.mode_machine import variants
from simulations.mode_machine.encodings import ENCODINGS, NATURAL, ONE_HOT, Mode, decode
from simulations.mode_machine.environment import ROUGH, UNSYNCHRONISED, in_words, noise_model
from simulations.mode_machine.netlist import next_mode, synthesise
from simulations.mode_machine.system import (
    Processor,
    State,
    incidents_at,
    lost_processors,
    power_cycle,
    power_on,
    press_reset,
    run,
    step,
)
from simulations.mode_machine.variants import SOURCES, System
from simulations.mode_machine.workload import LETTERS, Command, Workload, typical_workload

QUIET = System(noise=())
SYSTEMS = {name: value for name, value in vars(variants).items() if isinstance(value, System)}


def everyone(commands):
    return Workload((commands,) * 3)


def upset(processor, bit, clock):
    return Deviation(f"cpu{processor}.bit{bit}", clock, 1)


# The reference model, written down a second time, from its words.


def reference(mode, letter):
    if letter == "R":
        return "INIT"
    if mode == "INIT":
        return "IDLE"
    if mode == "STEP":
        return "HALT"
    return {"G": "RUN", "S": "STEP", "H": "HALT", ".": mode}[letter]


def test_next_mode_is_the_reference_model():
    for mode, command in product(Mode, Command):
        assert next_mode(mode, command).name == reference(mode.name, LETTERS[command])


@pytest.mark.parametrize("encoding", ENCODINGS, ids=lambda encoding: encoding.name)
def test_without_noise_every_encoding_runs_the_reference_model(encoding):
    workload = typical_workload(clocks=300, seed=3)
    ran = run(System(encoding=encoding), workload, nominal())
    for lane, processor in zip(workload.lanes, ran.final.processors, strict=True):
        mode = "INIT"
        for letter in lane:
            mode = reference(mode, letter)
        assert decode(encoding, processor.code).name == mode
    assert ran.incidents == ()


def test_each_flip_flop_and_each_command_is_asked_about_once_a_clock_in_this_order():
    chooser = nominal()
    run(System(), everyone("."), chooser)
    bits = [f"cpu{number}.bit{bit}" for number in range(3) for bit in range(3)]
    commands = [f"cpu{number}.command" for number in range(3)]
    latches = [f"cpu{number}.latch0" for number in range(3)]  # INIT to IDLE is 000 to 001
    assert [point.label for point in chooser.points] == [*bits, *commands, *latches]


def test_questions_carry_their_clock_and_options():
    chooser = nominal()
    run(System(), everyone("..."), chooser)
    asked = [point for point in chooser.points if point.label == "cpu1.command"]
    assert [(point.time, point.occurrence, point.options) for point in asked] == [
        (0, 0, 5),
        (1, 1, 5),
        (2, 2, 5),
    ]


@pytest.mark.parametrize("source", SOURCES)
def test_only_the_sources_of_the_system_are_asked(source):
    chooser = nominal()
    run(System(noise=(source,)), everyone("..H"), chooser)
    kind = {"upset": "bit", "glitch": "command", "metastable": "latch"}[source]
    assert chooser.asked
    assert all(f".{kind}" in point.label for point in chooser.points)


def test_a_system_without_noise_asks_nothing():
    chooser = nominal()
    run(QUIET, everyone("..GSH.R"), chooser)
    assert chooser.asked == 0


def test_a_synchroniser_leaves_nothing_metastable():
    chooser = nominal()
    run(System(synchroniser=True, noise=("metastable",)), everyone("..GSH.R"), chooser)
    assert chooser.asked == 0


def test_the_least_plan_of_the_shipped_machine():
    ran = run(System(), everyone("..."), replay(Plan([upset(0, 2, 1)])))
    assert [str(event).split() for event in ran.trace if event.actor == "cpu0"] == [
        ["0", "cpu0", "mode", "INIT"],
        ["1", "cpu0", "mode", "IDLE"],
        ["1", "cpu0", "upset", "101", "?101"],
        ["2", "cpu0", "mode", "?101"],
    ]
    assert lost_processors(ran.system, press_reset(ran.system, ran.final)) == (0,)
    assert lost_processors(ran.system, power_cycle(ran.system, ran.final)) == ()


def test_a_clock_earlier_the_same_upset_gives_halt_which_is_a_mode():
    ran = run(System(), everyone("..."), replay(Plan([upset(0, 2, 0)])))
    assert ran.final.processors[0].code == NATURAL.words[Mode.HALT]


def test_an_upset_that_leads_to_the_same_next_mode_is_masked():
    ran = run(System(), everyone("."), replay(Plan([upset(0, 0, 0)])))  # INIT is taken for IDLE, and stays
    assert ran.incidents == ()
    assert ran.final == run(System(), everyone("."), nominal()).final


def test_two_upsets_of_one_register_in_one_clock_add_up():
    ran = run(System(), everyone(".."), replay(Plan([upset(1, 1, 1), upset(1, 2, 1)])))
    assert ran.final.processors[1].code == 0b111


def test_a_glitch_replaces_the_command_for_one_clock():
    ran = run(
        System(), everyone("..."), replay(Plan([Deviation("cpu0.command", 1, 1)]))
    )  # GO instead of NONE
    assert [event.detail for event in ran.trace if event.action == "glitch"] == ["GO"]
    assert ran.final.processors[0].code == NATURAL.words[Mode.RUN]
    wrong = ran.first("wrong mode")
    assert (wrong.clock, wrong.processor, wrong.seen, wrong.expected) == (1, 0, "RUN", "IDLE")


def test_a_metastable_change_latches_any_mixture_of_old_and_new():
    # STEP 011 to HALT 100: every flip-flop differs, so any of the eight codes may come of it.
    system = System(noise=("metastable",), processors=1)
    runs = exhaustive(lambda chooser: run(system, Workload((".S.",)), chooser), 3)
    ends = {
        ran.result.final.processors[0].code
        for ran in runs
        if all(point.time == 2 for point in ran.chooser.points if point.option)
    }
    assert ends == set(range(8))


# What the policies do with a code that is no mode.


@pytest.mark.parametrize("policy", ["hold", "raise"])
@pytest.mark.parametrize("code", [0b101, 0b110, 0b111])
def test_hold_and_raise_stay_for_ever_whatever_is_commanded(policy, code):
    system = System(unused=policy, processors=1, noise=())
    for command in Command:
        state = State(0, (Processor(code, int(Mode.IDLE), 0, 0),), 0)
        assert step(system, state, (command,), nominal()).processors[0].code == code


def test_raise_says_so_in_every_clock_and_hold_never():
    def alarms(policy):
        plan = replay(Plan([upset(0, 2, 1)]))
        trace = run(System(unused=policy), everyone("....."), plan).trace
        return [event.time for event in trace if event.action == "alarm"]

    assert alarms("raise") == [1, 2, 3, 4]
    assert alarms("hold") == []


def test_recover_goes_to_init_with_one_alarm():
    ran = run(variants.RECOVERY, everyone("....."), replay(Plan([upset(0, 2, 1)])))
    assert [(event.time, event.detail) for event in ran.trace if event.action == "alarm"] == [(1, "?101")]
    assert [event.detail for event in ran.trace if event.actor == "cpu0" and event.action == "mode"] == [
        "INIT",
        "IDLE",
        "INIT",
        "IDLE",
    ]
    assert ran.incidents == ()  # it is where it should be, given that the alarm was heard


def test_do_not_care_leads_to_code_zero_and_tells_nobody():
    ran = run(System(unused="dont_care"), everyone("..."), replay(Plan([upset(0, 2, 1)])))
    assert ran.final.processors[0].code == NATURAL.words[Mode.IDLE]  # 101, 000 which is INIT, 001
    assert ran.first("wrong mode").seen == "INIT"
    assert not [event for event in ran.trace if event.action == "alarm"]


def test_an_optimised_recovery_never_runs():
    kept, removed = synthesise(variants.RECOVERY), synthesise(variants.RECOVERY_OPTIMISED_AWAY)
    shipped = synthesise(variants.AS_SHIPPED)
    assert removed.next_code == shipped.next_code != kept.next_code
    assert removed.fate == shipped.fate != kept.fate


# Watchdogs.


def modes_of_cpu0(system, plan, clocks=8):
    ran = run(system, everyone("." * clocks), replay(plan))
    return ran, [event.detail for event in ran.trace if event.actor == "cpu0" and event.action == "mode"]


def test_a_watchdog_through_the_decoder_fires_again_and_again_and_is_useless():
    ran, modes = modes_of_cpu0(variants.RESET_WATCHDOG, Plan([upset(0, 2, 1)]), clocks=10)
    assert modes == ["INIT", "IDLE", "?101"]
    assert [event.time for event in ran.trace if event.action == "watchdog"] == [4, 8]


def test_a_watchdog_beside_the_state_machine_works():
    ran, modes = modes_of_cpu0(variants.POWER_ON_WATCHDOG, Plan([upset(0, 2, 1)]))
    assert modes == ["INIT", "IDLE", "?101", "INIT", "IDLE"]
    assert [(event.time, event.detail) for event in ran.trace if event.action == "watchdog"] == [
        (4, "power_on_clear")
    ]
    assert ran.first("wrong mode") is None


# The bus.


def test_the_bus_goes_round_among_those_who_ask():
    ran = run(QUIET, everyone("GG......"), nominal())
    owners = [event.detail for event in ran.trace if event.action == "grant"]
    assert owners == ["cpu0", "cpu1", "cpu2", "cpu0", "cpu1", "cpu2", "cpu0"]


def test_nobody_who_does_not_ask_is_granted_the_bus():
    ran = run(QUIET, Workload(("........", ".G......", "........")), nominal())
    assert [event.detail for event in ran.trace if event.action == "grant"] == ["cpu0", "cpu1"]


def test_a_lost_owner_starves_the_others_and_a_lost_bystander_does_not():
    workload = everyone(".G" + "." * 14)
    owner_lost = run(System(), workload, replay(Plan([upset(0, 2, 2)])))
    assert owner_lost.first("starved").owner == 0
    assert {incident.processor for incident in owner_lost.incidents if incident.kind == "starved"} == {1, 2}
    bystander_lost = run(System(), workload, replay(Plan([upset(1, 2, 2)])))
    assert bystander_lost.first("unused code").processor == 1
    assert bystander_lost.first("starved") is None


def test_a_warm_reset_does_not_give_the_bus_back_and_a_power_cycle_does():
    lost = run(System(), everyone(".G......"), replay(Plan([upset(0, 2, 2)])))
    after = press_reset(lost.system, lost.final)
    assert (after.owner, lost_processors(lost.system, after)) == (0, (0,))
    after = power_cycle(lost.system, lost.final)
    for _ in range(6):
        after = step(lost.system, after, (Command.GO,) * 3, nominal())
    assert incidents_at(lost.system, after) == ()


# Runs and steps are one machine.


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_run_is_its_steps(name):
    system = SYSTEMS[name]
    for seed in range(5):
        workload = typical_workload(clocks=40, seed=seed)
        whole, stepped = random(ROUGH, seed), random(ROUGH, seed)
        ran = run(system, workload, whole, trace=False)
        state = power_on(system)
        for told in zip(*workload.lanes, strict=True):
            state = step(system, state, [LETTERS.index(letter) for letter in told], stepped)
        assert state == ran.final
        assert stepped.plan == whole.plan


@pytest.mark.parametrize("name", SYSTEMS)
def test_tracing_changes_nothing_but_the_trace(name):
    system = SYSTEMS[name]
    for seed in range(5):
        workload = typical_workload(clocks=40, seed=seed)
        traced = run(system, workload, random(UNSYNCHRONISED, seed))
        silent = run(system, workload, random(UNSYNCHRONISED, seed), trace=False)
        assert (traced.final, traced.incidents) == (silent.final, silent.incidents)
        assert len(traced.trace)
        assert not len(silent.trace)


def test_what_a_run_remembers_makes_no_other_run_different():
    cold = System(encoding=ONE_HOT, unused="raise", watchdog="power_on_clear", processors=2)
    workload = typical_workload(clocks=60, seed=11, processors=2)
    first = run(cold, workload, random(ROUGH, 5))
    for seed in range(20):
        run(cold, typical_workload(clocks=60, seed=seed, processors=2), random(ROUGH, seed))
    again = run(cold, workload, random(ROUGH, 5))
    assert again.trace.digest() == first.trace.digest()


def test_different_deviations_leave_different_traces_even_where_nothing_comes_of_them():
    digests = {
        run(variants.CORRECTING, everyone(".."), drawn([upset(0, bit, 0)])).trace.digest() for bit in range(6)
    }
    assert len(digests) == 6


# Wrong input.


@pytest.mark.parametrize(
    ("lanes", "message"),
    [
        ((), "one lane a processor"),
        (("",), "one length from 1"),
        (("..", "."), "one length"),
        ((".X",), "lane 0 holds 'X'"),
        ((5,), "a tuple of lanes"),
        ("..", "a tuple of lanes"),
        (None, "a tuple of lanes"),
    ],
)
def test_a_workload_that_makes_no_sense_is_refused(lanes, message):
    with pytest.raises(ValueError, match=message):
        Workload(lanes)


def test_a_workload_must_fit_the_machine():
    with pytest.raises(LabError, match="2 lanes and the machine 3 processors"):
        run(System(), Workload(("..", "..")), nominal())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"unused": "pray"}, "unused is one of hold, dont_care, recover, raise, not 'pray'"),
        ({"watchdog": "cat"}, "watchdog is one of none, reset_command, power_on_clear, not 'cat'"),
        ({"noise": ("upset", "music")}, "noise is one of upset, glitch, metastable, not 'music'"),
        ({"processors": 0}, "1 to 8 processors, not 0"),
        ({"processors": 9}, "1 to 8 processors, not 9"),
    ],
)
def test_a_system_that_makes_no_sense_is_refused(fields, message):
    with pytest.raises(LabError, match=message):
        System(**fields)


@pytest.mark.parametrize("commands", [(), (0, 0), (0, 0, 5), (0, 0, -1)])
def test_commands_that_do_not_fit_are_refused(commands):
    with pytest.raises(LabError, match="give 3 commands, one a processor, each from 0 to 4, not"):
        step(System(), power_on(System()), commands, nominal())


def test_a_reset_is_not_held_for_less_than_no_time():
    with pytest.raises(LabError, match="0 or more clocks, not -1"):
        press_reset(System(), power_on(System()), clocks=-1)


def test_a_plan_for_another_encoding_does_not_apply():
    chooser = replay(Plan([Deviation("cpu0.bit4", 0, 1)]))
    run(System(), everyone(".."), chooser)
    with pytest.raises(PlanError, match=r"cpu0\.bit4"):
        chooser.finish()


def test_deviations_are_said_in_words():
    chooser = drawn([upset(0, 2, 1), Deviation("cpu1.command", 1, 3), Deviation("cpu2.latch0", 0, 1)])
    run(System(), everyone(".."), chooser)
    assert [in_words(point) for point in chooser.points if point.option] == [
        "bit 0 of cpu2 latches its old value at clock 0",
        "bit 2 of cpu0 is upset at clock 1",
        "the command to cpu1 is replaced (by the other number 3) at clock 1",
    ]


def test_a_noise_model_gives_each_source_its_probability():
    model = noise_model("mine", upset=0.25, glitch=0.5, latch=1.0)
    assert [model.rate(label) for label in ("cpu7.bit11", "cpu0.command", "cpu2.latch0")] == [0.25, 0.5, 1.0]


def test_the_typical_workload_has_the_frequencies_of_the_reference_model():
    # Null hypothesis: the frequencies are 60, 15, 10, 10 and 5 %. Chi-square with 4 degrees of freedom
    # exceeds 18.47 with probability 0.001; the seed is fixed.
    lane = typical_workload(clocks=20_000, seed=1, processors=1).lanes[0]
    expected = {".": 12_000, "G": 3_000, "S": 2_000, "H": 2_000, "R": 1_000}
    assert sum((lane.count(letter) - count) ** 2 / count for letter, count in expected.items()) < 18.47
