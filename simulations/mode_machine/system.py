"""Processors on one bus, clock by clock.

In one clock, in this order: flip-flops are upset; commands are replaced; the arbiter hands the bus on; each
processor goes to its next mode, and each flip-flop latches the new value, or keeps the old. A warm reset is a
command that the state machine itself must decode. A power cycle clears the flip-flops.

The bus belongs to one processor at a time. An owner in a known mode releases it at the end of a clock, and
the arbiter grants it to the next processor that asks, round and round; if none asks it stays parked. An
owner in no known mode releases nothing, and all others starve: one bad register looks like a dead machine.

A `State` is immutable, so a copy costs nothing: to find out what a reset would do, press it on the
state at hand, and still have that state.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from simulations.drawing.displayed import DisplayedByWorld
from simulations.errors import LabError
from simulations.mode_machine.encodings import Mode, show
from simulations.mode_machine.environment import REPLACEMENTS, glitch_label, latch_label, upset_label
from simulations.mode_machine.netlist import Fate, Netlist, synthesise
from simulations.mode_machine.variants import WATCHDOG_CLOCKS, System
from simulations.mode_machine.workload import Command, Workload, received
from simulations.terminal_text import shortened
from simulations.trace import Event, Trace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.choices import Chooser

__all__ = ["RESET_CLOCKS", "Run", "lost_processors", "power_cycle", "power_on", "press_reset", "run", "step"]

RESET_CLOCKS: Final = 8
"""For how long the reset button is held: longer than any watchdog needs."""


class Processor(NamedTuple):
    """The state of one processor.

    Attributes:
        code: What its mode register holds.
        expected: The mode in which it would be without noise, given what has been announced: an observer who
            sees an alarm or a watchdog clear it knows that it starts again from INIT.
        waited: For how many clocks it has asked for the bus in vain; counted up to one more than
            `System.grant_clocks_max`.
        lost: For how many clocks its watchdog has seen no known mode; 0 without a watchdog.
    """

    code: int
    expected: int
    waited: int
    lost: int


class State(NamedTuple):
    """The state of the machine at the beginning of a clock.

    Attributes:
        clock: The number of clocks since the run began.
        processors: Each processor.
        owner: The number of the processor that has the bus.
    """

    clock: int
    processors: tuple[Processor, ...]
    owner: int


Kind = Literal["unused code", "wrong mode", "starved"]


class Incident(NamedTuple):
    """The first time that something went wrong with a processor, and in which way.

    Attributes:
        clock: The clock at whose end it showed.
        processor: The number of the processor.
        kind: `unused code`: the register holds no mode. `wrong mode`: a known mode, but not the expected one,
            and nobody was told. `starved`: it has waited for the bus longer than promised.
        seen: What its register is read as.
        expected: The name of the expected mode.
        owner: Who has the bus.
    """

    clock: int
    processor: int
    kind: Kind
    seen: str
    expected: str
    owner: int

    def __str__(self) -> str:
        subject = f"at the end of clock {self.clock} cpu{self.processor}"
        if self.kind == "unused code":
            return f"{subject} is in {self.seen}, which is no mode"
        if self.kind == "wrong mode":
            return f"{subject} is in {self.seen} where it should be in {self.expected}, and nobody was told"
        return f"{subject}, in {self.seen}, has waited for the bus too long; cpu{self.owner} has it"


@dataclass(frozen=True)
class Run(DisplayedByWorld):
    """What happened in a run.

    Attributes:
        system: The machine.
        workload: The commands.
        trace: The events; empty if none were wanted.
        final: The state at the end.
        incidents: The first of each kind for each processor, in the order in which they showed.
    """

    system: System
    workload: Workload
    trace: Trace
    final: State
    incidents: tuple[Incident, ...]

    def __repr__(self) -> str:
        seen = ", ".join(map(str, self.incidents)) or "nothing happens"
        return shortened(f"<Run of {self.workload.clocks} clocks: {seen}; {len(self.trace)} events>")

    def first(self, kind: Kind) -> Incident | None:
        """Return the first incident of a kind, or None."""
        return next((incident for incident in self.incidents if incident.kind == kind), None)


def run(system: System, workload: Workload, chooser: Chooser, *, trace: bool = True) -> Run:
    """Switch the machine on and let it run through a workload.

    Args:
        system: The machine.
        workload: One lane of commands for each processor.
        chooser: Answers whether there is noise; asked once a clock and flip-flop, see `environment`.
        trace: Whether to record what happens.

    Raises:
        LabError: the workload does not fit the machine.
    """
    commands = received(system, workload)
    wired = _wire(system)
    recorder = Trace()
    start = power_on(system)
    if trace:
        for number, processor in enumerate(start.processors):
            recorder.record(0, f"cpu{number}", "mode", show(system.encoding, processor.code))
        recorder.record(0, "bus", "grant", f"cpu{start.owner}")
    incidents: dict[tuple[int, Kind], Incident] = {}
    node = _node(wired, start.processors, start.owner)
    for clock, told in enumerate(commands):
        node = _clock(wired, node, clock, told, chooser, trace=recorder if trace else None)
        if node.troubled:
            for incident in incidents_at(system, State(clock + 1, node.processors, node.owner)):
                incidents.setdefault((incident.processor, incident.kind), incident)
    final = State(workload.clocks, node.processors, node.owner)
    return Run(system, workload, recorder, final, tuple(incidents.values()))


def power_on(system: System) -> State:
    """Return the state after power-on: every processor in INIT, the bus parked at the first."""
    processor = Processor(system.encoding.words[Mode.INIT], int(Mode.INIT), 0, 0)
    return State(0, (processor,) * system.processors, 0)


def power_cycle(system: System, state: State) -> State:
    """Return the state after the flip-flops have been cleared; the clock goes on."""
    return power_on(system)._replace(clock=state.clock)


def step(
    system: System, state: State, commands: Sequence[int], chooser: Chooser, trace: Trace | None = None
) -> State:
    """Return the state one clock later.

    Args:
        system: The machine.
        state: The state at the beginning of the clock.
        commands: The command to each processor; see `system.received`.
        chooser: Answers whether there is noise in this clock.
        trace: Where to record what happens, if anywhere.

    Raises:
        LabError: there is not one command for each processor.
    """
    if len(commands) != system.processors or not all(0 <= command < len(Command) for command in commands):
        raise LabError(
            f"give {system.processors} commands, one a processor, each from 0 to {len(Command) - 1}, "
            f"not {list(commands)}"
        )
    wired = _wire(system)
    node = _node(wired, state.processors, state.owner)
    node = _clock(wired, node, state.clock, tuple(commands), chooser, trace=trace)
    return State(state.clock + 1, node.processors, node.owner)


def press_reset(system: System, state: State, *, clocks: int = RESET_CLOCKS) -> State:
    """Return the state after every processor has been given RESET for some clocks, without noise.

    Args:
        system: The machine.
        state: The state when the button is pressed; it stays as it is.
        clocks: For how long it is held, from 0.

    Raises:
        LabError: the number of clocks is negative.
    """
    if clocks < 0:
        raise LabError(f"a reset is held for 0 or more clocks, not {clocks}")
    wired = _wire(system)
    told = (int(Command.RESET),) * system.processors
    node = _node(wired, state.processors, state.owner)
    for _ in range(clocks):
        node, _ = _settled(wired, node, told, told)
    return State(state.clock + clocks, node.processors, node.owner)


def lost_processors(system: System, state: State) -> tuple[int, ...]:
    """Return the numbers of the processors whose register holds no mode."""
    modes = synthesise(system).mode
    return tuple(n for n, processor in enumerate(state.processors) if modes[processor.code] is None)


def incidents_at(system: System, state: State) -> tuple[Incident, ...]:
    """Return everything that is wrong in a state that ends a clock."""
    modes, patience = synthesise(system).mode, system.grant_clocks_max()
    found = []
    for number, processor in enumerate(state.processors):
        mode = modes[processor.code]
        kinds: list[Kind] = []
        if mode is None:
            kinds.append("unused code")
        elif mode != processor.expected:
            kinds.append("wrong mode")
        if processor.waited > patience:
            kinds.append("starved")
        seen, expected = show(system.encoding, processor.code), Mode(processor.expected).name
        found += [Incident(state.clock - 1, number, kind, seen, expected, state.owner) for kind in kinds]
    return tuple(found)


_Commands: TypeAlias = tuple[int, ...]


class _Questions(NamedTuple):
    """Questions about flip-flops: for each a label, and the bit that is the other way round if it deviates.

    The bits of all registers stand side by side in one number.
    """

    labels: tuple[str, ...]
    bits: tuple[int, ...]

    def ask(self, chooser: Chooser) -> int:
        """Ask them all, and return the bits that deviate."""
        return sum(self.bits[place] for place in chooser.deviating(self.labels))


class _Node:
    """A state without its clock, and where it was found to lead.

    The nodes that a run meets are kept, each with its ways on. They are the memory of a pure function: they
    make a run fast, and no run different.

    Attributes:
        processors: Each processor.
        owner: Who has the bus.
        troubled: Whether anything is wrong in it.
        ways: For the commands told, or (heard, told) where they differ, the next node and the questions
            about what the flip-flops latch on the way.
        told_of: For the commands told, what a clock without noise leaves in the trace, as if it were clock 0.
    """

    __slots__ = ("owner", "processors", "told_of", "troubled", "ways")

    def __init__(self, processors: tuple[Processor, ...], owner: int, *, troubled: bool) -> None:
        self.processors = processors
        self.owner = owner
        self.troubled = troubled
        self.ways: dict[_Commands | tuple[_Commands, _Commands], tuple[_Node, _Questions]] = {}
        self.told_of: dict[_Commands, Sequence[Event]] = {}


_NODES_MAX: Final = 4_000
_WAYS_MAX: Final = 250


class _Wired(NamedTuple):
    """A system made ready to run.

    Attributes:
        netlist: The state machine of its processors.
        upsets: The questions about upsets, the same in every clock.
        glitches: The labels of the questions about commands.
        latches: The questions about mode changes, of which a clock asks some.
        nodes: The states met so far, without their clock.
    """

    netlist: Netlist
    upsets: _Questions
    glitches: tuple[str, ...]
    latches: _Questions
    nodes: dict[tuple[tuple[Processor, ...], int], _Node]


@lru_cache(maxsize=32)
def _wire(system: System) -> _Wired:
    width, noise = system.encoding.bits, system.noise
    places = [(number, bit) for number in range(system.processors) for bit in range(width)]
    bits = tuple(1 << number * width + bit for number, bit in places)
    upsets = _Questions(tuple(upset_label(*place) for place in places), bits)
    latches = _Questions(tuple(latch_label(*place) for place in places), bits)
    nothing = _Questions((), ())
    return _Wired(
        synthesise(system),
        upsets=upsets if "upset" in noise else nothing,
        glitches=tuple(map(glitch_label, range(system.processors))) if "glitch" in noise else (),
        latches=latches if "metastable" in noise and not system.synchroniser else nothing,
        nodes={},
    )


def _node(wired: _Wired, processors: tuple[Processor, ...], owner: int) -> _Node:
    """Return the node of a state."""
    node = wired.nodes.get((processors, owner))
    if node is None:
        if len(wired.nodes) >= _NODES_MAX:
            wired.nodes.clear()
        modes, patience = wired.netlist.mode, wired.netlist.system.grant_clocks_max()
        troubled = any(
            modes[code] != expected or waited > patience for code, expected, waited, _ in processors
        )
        node = wired.nodes[processors, owner] = _Node(processors, owner, troubled=troubled)
    return node


def _clock(
    wired: _Wired, before: _Node, clock: int, told: _Commands, chooser: Chooser, *, trace: Trace | None
) -> _Node:
    """Return the node one clock later."""
    node, heard = before, told
    if wired.netlist.system.noise:
        chooser.at(clock)
        struck = wired.upsets.ask(chooser)
        if struck:
            node = _flipped(wired, node, struck)
        if wired.glitches:
            heard = tuple(map(chooser.pick, wired.glitches, [REPLACEMENTS[sent] for sent in told]))
    settled, latches = _settled(wired, node, heard, told)
    after = settled
    if latches.labels:
        kept = latches.ask(chooser)
        if kept:
            after = _flipped(wired, settled, kept)
    if trace is None:
        return after
    if node is not before or after is not settled or heard != told:
        _record(wired.netlist, trace, clock, (before, node, settled, after), told=told, heard=heard)
        return after
    events = before.told_of.get(told)
    if events is None:
        quiet = Trace()
        _record(wired.netlist, quiet, 0, (before, node, settled, after), told=told, heard=heard)
        if len(before.told_of) >= _WAYS_MAX:
            before.told_of.clear()
        events = before.told_of[told] = quiet.events
    trace.extend([Event(clock + time, actor, action, detail) for time, actor, action, detail in events])
    return after


def _flipped(wired: _Wired, node: _Node, bits: int) -> _Node:
    """Return the node in which the given bits, of all registers side by side, are the other way round."""
    width = wired.netlist.system.encoding.bits
    flipped = tuple(
        processor._replace(code=processor.code ^ (bits >> number * width & (1 << width) - 1))
        for number, processor in enumerate(node.processors)
    )
    return _node(wired, flipped, node.owner)


def _settled(wired: _Wired, node: _Node, heard: _Commands, told: _Commands) -> tuple[_Node, _Questions]:
    """Return where a node leads by the commands heard and told, and the mode changes on the way."""
    key = told if heard == told else (heard, told)
    way = node.ways.get(key)
    if way is None:
        if len(node.ways) >= _WAYS_MAX:
            node.ways.clear()
        way = node.ways[key] = _settle(wired, node, heard, told)
    return way


def _settle(wired: _Wired, node: _Node, heard: _Commands, told: _Commands) -> tuple[_Node, _Questions]:
    netlist, processors = wired.netlist, node.processors
    owner = next_owner(netlist, [processor.code for processor in processors], node.owner)
    following = tuple(
        next_processor(netlist, processor, granted=owner == number, heard=heard[number], told=told[number])
        for number, processor in enumerate(processors)
    )
    width, asked = netlist.system.encoding.bits, 0
    for number, (old, new) in enumerate(zip(processors, following, strict=True)):
        # Only a mode that is read takes the command, and so its timing, into the next one.
        if netlist.mode[old.code] is not None:
            asked |= (old.code ^ new.code) << number * width
    latches = [(label, bit) for label, bit in zip(*wired.latches, strict=True) if bit & asked]
    labels, bits = zip(*latches, strict=True) if latches else ((), ())
    return _node(wired, following, owner), _Questions(labels, bits)


def next_owner(netlist: Netlist, codes: Sequence[int], owner: int) -> int:
    """Return who has the bus at the end of a clock.

    Args:
        netlist: The state machine of the processors.
        codes: What the mode registers hold during the clock.
        owner: Who has the bus at its beginning.
    """
    if netlist.mode[codes[owner]] is None:
        return owner
    for ahead in range(1, len(codes)):
        number = (owner + ahead) % len(codes)
        if netlist.requests[codes[number]]:
            return number
    return owner


def next_processor(
    netlist: Netlist, processor: Processor, *, granted: bool, heard: int, told: int
) -> Processor:
    """Return a processor one clock later, if all its flip-flops latch.

    Args:
        netlist: Its state machine.
        processor: The processor during the clock, after any upset.
        granted: Whether it has the bus at the end of the clock.
        heard: The command that reaches its decoder.
        told: The command that was meant for it.
    """
    system = netlist.system
    code, expected, waited, lost = processor
    fate = netlist.fate[code]
    following = netlist.next_mode[told][expected]
    waits = netlist.requests[code] and not granted
    waited = min(waited + 1, system.grant_clocks_max() + 1) if waits else 0
    lost = lost + 1 if system.watchdog != "none" and fate is not Fate.KNOWN else 0
    if lost == WATCHDOG_CLOCKS:
        if system.watchdog == "power_on_clear":
            return Processor(system.encoding.words[Mode.INIT], int(Mode.INIT), waited, 0)
        heard, lost = int(Command.RESET), 0
    if fate is Fate.RECOVERED:
        following = int(Mode.INIT)
    return Processor(netlist.next_code[heard][code], following, waited, lost)


def _record(
    netlist: Netlist,
    trace: Trace,
    clock: int,
    nodes: tuple[_Node, _Node, _Node, _Node],
    *,
    told: _Commands,
    heard: _Commands,
) -> None:
    """Record a clock, given its node before, after the upsets, as it should settle, and as it was latched.

    What it ends with stands at the time of the next clock, since it is seen from then on.
    """
    system, (before, struck, settled, after) = netlist.system, nodes
    encoding, width = system.encoding, system.encoding.bits
    for number, (old, hit) in enumerate(zip(before.processors, struck.processors, strict=True)):
        actor = f"cpu{number}"
        if told[number]:
            trace.record(clock, actor, "command", Command(told[number]).name)
        if old.code != hit.code:
            trace.record(clock, actor, "upset", (f"{hit.code:0{width}b}", show(encoding, hit.code)))
        if heard[number] != told[number]:
            trace.record(clock, actor, "glitch", Command(heard[number]).name)
        if netlist.fate[hit.code] in (Fate.ALARM, Fate.RECOVERED):
            trace.record(clock, actor, "alarm", show(encoding, hit.code))
        lost = netlist.mode[hit.code] is None
        if lost and system.watchdog != "none" and hit.lost == WATCHDOG_CLOCKS - 1:
            trace.record(clock, actor, "watchdog", system.watchdog)
    for number, (meant, new) in enumerate(zip(settled.processors, after.processors, strict=True)):
        if meant.code != new.code:
            trace.record(
                clock, f"cpu{number}", "metastable", (f"{new.code:0{width}b}", show(encoding, new.code))
            )
    for number, (old, new) in enumerate(zip(before.processors, after.processors, strict=True)):
        if old.code != new.code:
            trace.record(clock + 1, f"cpu{number}", "mode", show(encoding, new.code))
    if before.owner != after.owner:
        trace.record(clock + 1, "bus", "grant", f"cpu{after.owner}")
