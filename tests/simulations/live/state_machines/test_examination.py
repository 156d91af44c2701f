"""The instrument on state machines of the user's own, written by hand."""

import itertools
import json
import operator
import sys
import typing
from dataclasses import dataclass, field

import pytest

from simulations.live.state_machines import Field, SubjectError, Verdict, examine, field_at
from tests.simulations.live.state_machines.controller import NAMES, OWN, Controller, Mode, verdicts


def test_a_machine_without_a_default_branch_hangs_silently():
    report = examine(Controller, **OWN)
    assert verdicts(report) == dict.fromkeys(("?101", "?110", "?111"), Verdict.DEAD_END)
    assert {probe.reset_helps for probe in report.codes} == {False}
    assert all(answer.error is None for probe in report.codes for answer in probe.answers)
    found = [probe.verdict for probe in report.flips]
    assert (found.count(Verdict.DEAD_END), found.count(Verdict.WRONG_STATE)) == (5, 10)


def test_a_reset_that_is_not_decoded_helps():
    class Wired(Controller):
        def reset(self):
            self.mode = Mode.INIT

    report = examine(Wired, **OWN)
    assert {probe.verdict for probe in report.codes} == {Verdict.ONLY_RESET}
    assert {(probe.reset_helps, probe.way_back) for probe in report.codes} == {(True, ("reset",))}


def test_a_default_branch_recovers_and_says_by_which_event():
    class Guarded(Controller):
        def take(self, command):
            if self.mode not in self.next_modes and command == "halt":
                self.mode = Mode.INIT
            super().take(command)

    report = examine(Guarded, **OWN)
    assert {(probe.verdict, probe.way_back, probe.reset_helps) for probe in report.codes} == {
        (Verdict.RECOVERS, ("halt",), False)
    }


def test_a_way_back_through_other_unused_codes_is_found():
    class Ladder(Controller):
        def step(self):
            if self.mode >= 5:
                self.mode = self.mode + 1 if self.mode < 7 else Mode.HALT
            super().step()

    report = examine(Ladder, **OWN)
    assert [probe.way_back for probe in report.codes] == [("step",) * 3, ("step",) * 2, ("step",)]
    assert [answer.held for answer in report.codes[0].answers] == ["?101", "?101", "?110", "?101", "?101"]


def test_the_shortest_way_back_of_those_found_is_told():
    class Slow(Controller):
        strikes = 0

        def boot(self):
            self.strikes += 1
            if self.strikes == 3:
                self.mode = Mode.INIT

        def halt(self):
            self.mode = Mode.HALT

    assert examine(Slow, **OWN).codes[0].way_back == ("halt",)


def test_a_watchdog_that_counts_is_waited_for_as_long_as_the_patience_says():
    class Watched(Controller):
        strikes = 0

        def take(self, command):
            self.strikes = self.strikes + 1 if self.mode not in self.next_modes else 0
            if self.strikes == 4:
                self.mode = Mode.INIT
            super().take(command)

    assert examine(Watched, **OWN).codes[0].way_back == ("boot",) * 4
    impatient = examine(Watched, patience=3, **OWN)
    assert impatient.codes[0].verdict is Verdict.DEAD_END
    assert "each up to 3 times in a row" in str(impatient)


def test_values_without_end_are_not_called_a_dead_end():
    class Counting(Controller):
        def go(self):
            self.mode = self.mode + 1 if self.mode > 4 else Mode.RUN

    report = examine(Counting, **OWN)
    assert {probe.verdict for probe in report.codes} == {Verdict.UNDECIDED}


def test_a_property_that_validates_refuses_and_the_field_behind_it_does_not():
    class Careful(Controller):
        @property
        def mode(self):
            return self._mode

        @mode.setter
        def mode(self, value):
            self._mode = Mode(value)

    report = examine(Careful, **OWN)
    assert {probe.verdict for probe in report.codes} == {Verdict.REFUSED}
    assert report.codes[1].refused == "ValueError: 6 is not a valid Mode"
    below = examine(Careful, **{**OWN, "field": "_mode"})
    assert {probe.verdict for probe in below.codes} == {Verdict.DEAD_END}


def test_a_setter_that_repairs_is_told_from_one_that_refuses():
    class Clamped(Controller):
        @property
        def mode(self):
            return self._mode

        @mode.setter
        def mode(self, value):
            self._mode = value if value in self.next_modes else Mode.INIT

    report = examine(Clamped, **OWN)
    assert {(probe.verdict, probe.held) for probe in report.codes} == {(Verdict.REPAIRED, "INIT")}


def test_a_field_that_raises_when_read_is_no_state_and_not_the_end():
    class Decoded(Controller):
        @property
        def mode(self):
            return Mode(self.register)

        @mode.setter
        def mode(self, value):
            self.register = int(value)

        def reset(self):
            self.mode = Mode.INIT

    report = examine(Decoded, **OWN)
    assert {probe.verdict for probe in report.codes} == {Verdict.ONLY_RESET}
    assert report.codes[0].held == "unreadable: ValueError: 5 is not a valid Mode"


def test_a_shadow_copy_makes_a_wrong_state_show():
    class Shadowed(Controller):
        @property
        def mode(self):
            return self.register

        @mode.setter
        def mode(self, value):
            self.register = value
            self.shadow = 7 - value

        def take(self, command):
            if self.register + self.shadow != 7:
                raise RuntimeError("the mode and its shadow differ")
            super().take(command)

    report = examine(Shadowed, **{**OWN, "field": "register"})
    found = [probe.verdict for probe in report.flips]
    assert (found.count(Verdict.SHOWS), found.count(Verdict.WRONG_STATE)) == (10, 0)
    assert str(report.flips[0]) == (
        "flip of bit 0 in INIT gives IDLE: wrong, shows; "
        "boot, go, step, halt: RuntimeError; not as in an honest IDLE"
    )


@dataclass
class Registers:
    raw: bytearray = field(default_factory=lambda: bytearray(4))


@pytest.mark.parametrize("path", ["hw.raw[2]", "view['mode']", "bank[1].raw[0]", "['mode']"])
def test_a_register_is_found_by_its_path(path):
    class Board:
        def __init__(self):
            self.hw = Registers()
            self.view = {"mode": 0}
            self.bank = [Registers(), Registers()]
            self.field = field_at(path)

        def __getitem__(self, key):
            return self.view[key]

        def __setitem__(self, key, value):
            self.view[key] = value

        def go(self):
            self.field.write(self, {0: 1, 1: 0}.get(self.field.read(self), 3))

    report = examine(Board, field=path, states=[0, 1], width=2, events=["go"])
    assert report.field == path
    assert verdicts(report) == {"?10": Verdict.DEAD_END, "?11": Verdict.DEAD_END}
    assert [answer.held for answer in report.codes[0].answers] == ["?11"]


class Wire:
    """Two bytes, of which 1 and 2 are states."""

    def __init__(self):
        self.register = b"\x00\x01"

    def go(self):
        self.register = {b"\x00\x01": b"\x00\x02", b"\x00\x02": b"\x00\x01"}.get(self.register, self.register)


def test_whole_bytes_are_codes():
    report = examine(Wire, field="register", states=[b"\x00\x01", b"\x00\x02"], events=["go"])
    assert report.width == 16
    assert {probe.verdict for probe in report.flips} == {Verdict.DEAD_END}
    assert report.flips[-1].held == r"b'\x80\x02'"
    assert (report.untried, len(report.flips)) == (2**16 - 2 - 30, 32)  # two codes are hit twice


class Mapped:
    """A register that others see through a name of their own, as memory is; `go` repairs what it sees."""

    def __init__(self):
        self.register = bytearray(b"\x01")
        self.seen = self.register

    def go(self):
        self.seen[0] = {1: 2, 2: 1}.get(self.seen[0], 1)


def test_a_bytearray_is_struck_in_place():
    report = examine(Mapped, field="register", states=[b"\x01", bytearray(b"\x02")], events=["go"])
    assert {probe.verdict for probe in report.flips} == {Verdict.RECOVERS}


@pytest.mark.parametrize("held", [Mode, int, operator.attrgetter("name")], ids=["member", "value", "name"])
def test_an_enum_names_the_states_of_a_field_that_holds_members_values_or_names(held):
    class Lamp:
        def __init__(self):
            self.mode = held(Mode.RUN)

        def go(self):
            pass

    report = examine(Lamp, field="mode", states=Mode, width=3, events=["go"])
    assert report.codes[0].state == "RUN"
    assert [name for name, _ in report.states] == NAMES


def _breaks():
    yield 1
    raise OSError("the disk is gone")


@pytest.mark.parametrize("given", ["states", "events"])
@pytest.mark.parametrize(
    ("values", "said"),
    [
        (itertools.count, "more than 4096"),
        (lambda: itertools.repeat("go"), "more than 4096"),
        (_breaks, "cannot be gone through: OSError: the disk is gone"),
        (lambda: 5, "not 5"),
    ],
    ids=["count", "repeat", "raises", "number"],
)
def test_states_and_events_that_do_not_end_or_break_are_one_clear_sentence(given, values, said):
    arguments = {"states": [b"\x01", b"\x02"], "events": ["go"], given: values()}
    with pytest.raises(SubjectError, match=said):
        examine(Mapped, field="register", **arguments)


def test_texts_flip_in_their_own_bits():
    class Door:
        def __init__(self):
            self.state = "open"

        def push(self):
            self.state = {"open": "shut", "shut": "open"}[self.state]

    report = examine(Door, field="state", states=["open", "shut"], coding="text", events=["push"])
    by_bit = {probe.bit: probe for probe in report.flips if probe.state == "open"}
    assert len(report.flips) == 64
    assert by_bit[0].held == "'opeo'"
    assert by_bit[31].held == r"'\udcefpen'"
    assert {probe.verdict for probe in report.flips} == {Verdict.DEAD_END}


def test_a_coding_of_ones_own_and_a_decoder_that_corrects():
    triple = {mode: (mode << 6) | (mode << 3) | mode for mode in Mode}

    def vote(code):
        a, b, c = code >> 6, code >> 3 & 7, code & 7
        word = (a & b) | (a & c) | (b & c)
        return Mode(word)

    report = examine(Controller, **{**OWN, "width": 9}, coding=triple, decode=vote)
    assert {probe.verdict for probe in report.flips} == {Verdict.REPAIRED}
    refused = [probe for probe in report.codes if probe.verdict is Verdict.REFUSED]
    assert refused
    assert all(probe.refused.startswith("ValueError") for probe in refused)


def test_events_with_arguments_are_sent_as_given():
    class Loader(Controller):
        def load(self, mode):
            self.mode = mode

    report = examine(
        Loader,
        **{**OWN, "events": {"go": Controller.go, "load halt": operator.methodcaller("load", Mode.HALT)}},
    )
    assert {probe.way_back for probe in report.codes} == {("load halt",)}


def test_slots_and_exits_are_no_obstacle():
    class Tight:
        __slots__ = ("mode",)

        def __init__(self):
            self.mode = 0

        def go(self):
            if self.mode > 1:
                sys.exit("invalid mode")
            self.mode ^= 1

    report = examine(Tight, field="mode", states=[0, 1], width=2, events=["go"])
    assert report.codes[0].answers[0].message == "SystemExit: invalid mode"


@dataclass(frozen=True)
class Frozen:
    mode: int = 0

    def go(self):
        pass


def test_a_frozen_field_refuses_everything():
    report = examine(Frozen, field="mode", states=[0], events=["go"], width=1)
    assert report.codes[0].refused == "FrozenInstanceError: cannot assign to field 'mode'"


def test_ctrl_c_is_not_a_finding():
    class Interrupted(Controller):
        def go(self):
            if self.mode > 4:
                raise KeyboardInterrupt
            super().go()

    with pytest.raises(KeyboardInterrupt):
        examine(Interrupted, **OWN)


def test_each_probe_has_a_machine_of_its_own():
    struck = []  # kept, so that no two machines share an address
    mode = field_at("mode")
    counted = Field(
        "mode", mode.read, lambda machine, value: (struck.append(machine), mode.write(machine, value))
    )
    examine(Controller, **{**OWN, "field": counted})
    assert len({id(machine) for machine in struck}) == len(struck) > 100


def test_the_report_goes_through_json():
    report = examine(Controller, **OWN)
    data = json.loads(json.dumps(report.to_json()))
    assert data["codes"][1]["lands_in"] == "?110"
    assert data["codes"][1]["verdict"] == "dead end"
    assert data["codes"][1]["answers"][0] == {
        "event": "boot",
        "held": "?110",
        "used": False,
        "error": None,
        "message": None,
    }


def test_a_wide_field_says_what_it_did_not_try():
    report = examine(Controller, **{**OWN, "width": 32})
    assert len(report.flips) == 160
    assert report.codes == ()
    assert report.untried == 2**32 - 5 - 148  # 160 flips: 10 land on states, and two codes are hit twice
    assert f"not tried: {report.untried} unused codes" in str(report)
    assert "RUN      2 to 31  unused codes  dead end" in str(report)


def test_a_state_that_no_bare_event_reaches_is_written_and_said():
    report = examine(Controller, **{**OWN, "events": ["boot", "halt"]})
    assert report.unreached == ("RUN", "STEP")
    assert "since bare events do not lead there: RUN, STEP" in str(report)


# What cannot be examined says so in one line


class Awaiting(Controller):
    async def go(self):
        pass


class Needy(Controller):
    def load(self, amount):
        pass


LEAK = Controller()
READ = operator.attrgetter("mode")


async def later(*_):
    return Mode.INIT


async def later_one_by_one(machine):
    yield machine.go()


def one_by_one(machine):
    yield machine.go()


class Leaky(Controller):
    kept: typing.ClassVar = [Mode.INIT]

    @property
    def mode(self):
        return self.kept[0]

    @mode.setter
    def mode(self, value):
        pass

    def go(self):
        self.kept[0] = Mode.RUN


@pytest.mark.parametrize(
    ("factory", "change", "message"),
    [
        (Controller(), {}, "give a function that makes a fresh machine"),
        (lambda: LEAK, {}, "the same machine twice"),
        (Awaiting, {}, "the event go is asynchronous"),
        (Controller, {"feild": "mode"}, "no option feild; there are width, field"),
        (
            Controller,
            {"events": {"fly": operator.methodcaller("fly")}},
            "works in no state at all .AttributeError",
        ),
        (Needy, {"events": ["load"]}, "needs arguments .* operator.methodcaller"),
        (Leaky, {}, "something outlives the machine"),
        (Controller, {"field": None}, "say which field holds the state: .* the fields mode"),
        (Controller, {"field": "status"}, "the field status of a fresh machine cannot be read"),
        (Controller, {"field": "mode; import os"}, "a field is a path"),
        (Controller, {"field": 3}, "a field is a path"),
        (Controller, {"field": b"mode"}, "a field is a path"),
        (Controller, {"events": [3]}, "the machine has no event 3"),
        (Controller, {"events": [["go"]]}, "the machine has no event"),
        (Controller, {"reset": 3}, "the machine has no event 3"),
        (Controller, {"events": None, "reset": None}, "say which events to send: .* boot, go, halt"),
        (Controller, {"events": "go"}, "not the text 'go'"),
        (Controller, {"events": ["fly"]}, "no event 'fly'"),
        (Controller, {"reset": "fly"}, "no event 'fly'"),
        (Controller, {"events": {"go": "go"}}, "must map to a function"),
        (
            Controller,
            {"states": ["red", "green"]},
            "members of the Enum Mode, .* the states are red, green: give the class",
        ),
        (Controller, {"states": [0, 1, 2]}, "in IDLE|in 1 the event .* leads to"),
        (Controller, {"states": 5}, "states is an Enum class or a list of values"),
        (Controller, {"width": 2}, "the code of HALT is 4, which does not fit 2 bits"),
        (Controller, {"width": 0}, "1 to 4096 bits"),
        (Controller, {"width": "2"}, "a whole number, not '2'"),
        (Controller, {"width": True}, "a whole number, not True"),
        (Controller, {"patience": "3"}, "an event is sent at least once, not '3' times"),
        (Controller, {"field": Field("", lambda m: m.mode, setattr)}, "a Field has a name"),
        (Controller, {"field": Field(None, lambda m: m.mode, setattr)}, "a Field has a name"),
        (
            Controller,
            {"decode": lambda code: {}[code]},
            r"decode\(\d+\) raises KeyError: \d+, though that is",
        ),
        (Controller, {"field": Field("mode", None, setattr)}, "a Field has two functions, .* None and"),
        (Controller, {"field": Field("mode", lambda m: m.mode, None)}, "a Field has two functions"),
        (Controller, {"field": Field("mode", later, setattr)}, "the read of the field mode is asynchronous"),
        (Controller, {"field": Field("mode", READ, later)}, "the write of the field mode is asynchronous"),
        (Controller, {"decode": later}, "decode is asynchronous"),
        (Controller, {"decode": lambda code: later() if code > 4 else Mode(code)}, "decode is asynchronous"),
        (Controller, {"events": {1: operator.methodcaller("go")}}, "the name of an event is a text, not 1"),
        (Controller, {"events": {"go": later_one_by_one}}, "the event go is asynchronous"),
        (Controller, {"events": {"go": one_by_one}}, "the event go is a generator, of which nothing has run"),
        (Controller, {"patience": 0}, "at least once"),
        (Controller, {"coding": dict.fromkeys(Mode, 1)}, "INIT and IDLE have one code, 1"),
        (Controller, {"coding": {Mode.INIT: 0}}, r"gives IDLE the codes \[\]"),
        (Controller, {"coding": "gray"}, "or is 'text'"),
        (Controller, {"coding": "text"}, "texts and not empty"),
        (Controller, {"decode": lambda _: Mode.INIT}, r"decode\(1\) is not what the field holds in IDLE"),
        (
            Frozen,
            {"states": [0, 1], "events": ["go"], "reset": None},
            "no bare events lead to 1, and it cannot",
        ),
        (Controller, {"states": []}, "none; is this the right field"),
    ],
)
def test_what_cannot_be_examined_says_what_to_change(factory, change, message):
    with pytest.raises(SubjectError, match=message):
        examine(factory, **{**OWN, **change})


class SpitefulError(Exception):
    """An error that cannot say what it is."""

    def __str__(self):
        raise OSError


class Spite:
    """A value that can be neither compared nor shown."""

    def __eq__(self, *_):
        raise SpitefulError

    __repr__ = __bool__ = __eq__
    __hash__ = None


class Struck(Controller):
    def go(self):
        if self.mode not in list(Mode):
            raise SpitefulError("never said")


def test_values_and_errors_that_cannot_be_compared_or_shown_are_findings_too():
    report = examine(Struck, **OWN, decode=lambda code: Mode(code) if code <= Mode.HALT else Spite())
    shown = {probe.held for probe in report.codes}
    assert shown == {"<Spite, whose repr raises SpitefulError>"}
    assert "SpitefulError" in str(report)
    for change in ({"states": [Spite()]}, {"coding": Spite()}, {"patience": Spite()}):
        with pytest.raises(SubjectError):
            examine(Controller, **{**OWN, **change})


def test_what_a_machine_says_steers_no_terminal_and_has_an_end():
    hostile = "\x1b]0;owned\x07\u202e\n"

    class Rude(Controller):
        def go(self):
            raise ValueError(hostile + "x" * 10**6)

    shown = str(examine(Rude, **{**OWN, "events": {"go": Rude.go, hostile: Rude.boot}}))
    assert [line for line in shown.splitlines() if not line.isprintable()] == []
    assert len(shown) < 10**5


@pytest.mark.parametrize("size", [513, 100_000])
def test_states_that_take_more_bits_than_a_field_has_are_refused(size):
    class Wordy(Controller):
        def __init__(self):
            self.mode = "a" * size

    with pytest.raises(SubjectError, match=f"take {8 * size} bits; a field has 1 to 4096"):
        examine(Wordy, field="mode", states=["a" * size, "b"], events=["halt"], coding="text")


def test_a_machine_that_is_not_deterministic_is_told():
    flips = iter([True] + [False] * 10_000)

    class Moody(Controller):
        def go(self):
            if self.mode == Mode.IDLE and next(flips):
                self.mode = Mode.RUN

    with pytest.raises(SubjectError, match="must be deterministic"):
        examine(Moody, **{**OWN, "events": ["boot", "go"]})
