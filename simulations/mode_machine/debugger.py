"""A single-step debugger that also steps back.

It takes any run of the machine, shows the state at the beginning of each clock, goes back and forth, stops
where a condition becomes true, says what last wrote a register, and lets you intervene: flip a bit, press the
reset button, cut the power. Each intervention forks the timeline. A flip is recorded as a deviation of the
plan, and a reset as commands of the workload, so that what you did is a run like any other:

    debugger = Debugger(System(), Workload(("..", "..", "..")))
    debugger.step()
    debugger.flip(1, 2)
    print(debugger.lanes(last=5))
    run(debugger.system, debugger.workload, replay(debugger.plan))  # the same again

Going back is replaying: a state is kept every `SNAPSHOT_CLOCKS` clocks, and the rest is run anew. As in every
debugger of this kind, the known future is dropped by a change to the past; the answer to each change says so.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from simulations.choices import Chooser, Deviation, Plan, drawn, nominal
from simulations.mode_machine.encodings import show
from simulations.mode_machine.environment import in_words, upset_label
from simulations.mode_machine.registers import Condition, condition_of, read, registers
from simulations.mode_machine.system import RESET_CLOCKS, State, power_cycle, power_on, step
from simulations.mode_machine.timeline import (
    NOTHING,
    Answer,
    DebuggerError,
    Timeline,
    padded,
    point_of,
    timeline,
)
from simulations.mode_machine.workload import CLOCKS_MAX, Workload, received
from simulations.text_columns import aligned
from simulations.trace import Event, Trace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simulations.mode_machine.variants import System

__all__ = ["SNAPSHOT_CLOCKS", "Debugger", "said"]

SNAPSHOT_CLOCKS: Final = 4
"""The distance of kept states: a step back runs at most this number of clocks anew."""

SEARCH_CLOCKS_MAX: Final = 1_000
"""How far beyond the end of the workload a search goes; without commands nothing new happens for long."""

LANE_CLOCKS_MAX: Final = 20
"""How many clocks of lanes are shown unless more are asked for."""

_PADDING_CLOCKS: Final = 64


@dataclass(frozen=True)
class Fork:
    """What a change did.

    Attributes:
        clock: Where the new timeline leaves the old one.
        what: The change, in words.
        dropped_clocks: How many clocks of the old timeline had been seen after that; they are not valid now.
        dropped: Later answers of the environment to questions that the new timeline does not ask.
    """

    clock: int
    what: str
    dropped_clocks: int
    dropped: tuple[str, ...]

    def __str__(self) -> str:
        lines = [self.what]
        if self.dropped_clocks:
            lines.append(
                f"the timeline forks at clock {self.clock}: {self.dropped_clocks} known clocks are dropped"
            )
        lines += [f"no longer asked, and dropped from the plan: {words}" for words in self.dropped]
        return "\n".join(lines)


@dataclass(frozen=True)
class Stop:
    """Where a search stopped.

    Attributes:
        clock: The clock it stopped at.
        found: Whether what was searched for was found.
        why: In words.
    """

    clock: int
    found: bool
    why: str

    def __str__(self) -> str:
        return f"clock {self.clock}: {self.why}"


@dataclass(frozen=True)
class Change:
    """The last time that a register changed.

    Attributes:
        clock: The first clock at whose beginning it held the new value.
        register: Its name.
        before: The old value.
        after: The new value.
        by: What wrote it.
    """

    clock: int
    register: str
    before: str | int
    after: str | int
    by: str

    def __str__(self) -> str:
        return f"{self.register} went from {self.before} to {self.after} at clock {self.clock}: {self.by}"


class Debugger:
    """A position in a timeline, and the means to move and to intervene.

    Args:
        system: The machine.
        workload: The commands.
        plan: What the environment does; of any run of this machine with this workload.
        power_cycles: The clocks at whose beginning the flip-flops are cleared.

    Attributes:
        clock: The clock that comes next; 0 is just after power-on.

    Raises:
        PlanError: the plan does not fit the machine and the workload.
        LabError: the workload does not fit the machine, or a clock is none.
    """

    def __init__(
        self, system: System, workload: Workload, plan: Plan = NOTHING, power_cycles: Sequence[int] = ()
    ) -> None:
        self.clock = 0
        self._timeline = timeline(system, workload, plan, power_cycles)
        self._watched: list[str] = []
        self._known = 0
        self._snapshots = [power_on(self.system)]
        self._block: tuple[State, ...] = ()
        self._loaded = -1
        self._prepare()

    def _prepare(self) -> None:
        """Index the answers and lay out the commands of the timeline."""
        self._answers: dict[int, list[Answer]] = {}
        for answer in self._timeline.answers:
            self._answers.setdefault(answer.clock, []).append(answer)
        self._commands: list[tuple[int, ...]] = []

    # Where we are

    @property
    def system(self) -> System:
        """The machine."""
        return self._timeline.system

    @property
    def workload(self) -> Workload:
        """The commands, resets that were pressed included."""
        return self._timeline.workload

    @property
    def timeline(self) -> Timeline:
        """All that the present run depends on."""
        return self._timeline

    @property
    def state(self) -> State:
        """The state at the beginning of the present clock."""
        return self._state_at(self.clock)

    @property
    def plan(self) -> Plan:
        """What the environment does in the present timeline; runs it up to the last answer."""
        asked: Counter[str] = Counter()
        deviations = []
        last = max(self._answers, default=-1)
        for clock in range(last + 1):
            chooser = self._chooser(clock)
            self._next(self._state_at(clock), chooser)
            for point in chooser.points:
                if point.option:
                    deviations.append(Deviation(point.label, asked[point.label], point.option))
                asked[point.label] += 1
        return Plan(deviations)

    @property
    def in_words(self) -> str:
        """The plan in words, and when the power was cut."""
        answers = [in_words(point_of(answer)) for answer in self._timeline.answers]
        answers += [f"the power is cut at clock {clock}" for clock in self._timeline.power_cycles]
        return f"everything nominal, except: {'; '.join(answers)}" if answers else "everything nominal"

    def events(self, clock: int | None = None) -> tuple[Event, ...]:
        """Return what happened in a clock, by default in the last one.

        Args:
            clock: 0 or more; the events of clock 3 lead to the state at clock 4.
        """
        clock = self.clock - 1 if clock is None else self._checked(clock)
        if not 0 <= clock < CLOCKS_MAX:
            return ()
        trace = Trace()
        self._next(self._state_at(clock), trace=trace)
        cut = clock + 1 in self._timeline.power_cycles
        return (*trace.events, *([Event(clock + 1, "power", "cycle")] if cut else []))

    # Moving

    def step(self, clocks: int = 1) -> State:
        """Go forward.

        Args:
            clocks: 1 or more.
        """
        return self.goto(self.clock + _positive(clocks))

    def back(self, clocks: int = 1) -> State:
        """Go back.

        Args:
            clocks: 1 or more, but not beyond power-on.
        """
        return self.goto(self.clock - _positive(clocks))

    def goto(self, clock: int) -> State:
        """Go to the beginning of a clock, before or after the present one.

        Raises:
            DebuggerError: the clock lies before power-on, or too far off.
        """
        state = self._state_at(self._checked(clock))
        self.clock = clock
        self._known = max(self._known, clock)
        return state

    def run_until(self, condition: Condition | str | None = None, *, clocks: int | None = None) -> Stop:
        """Go forward to where a condition becomes true: where it holds and did not hold a clock before.

        A condition that holds already is therefore not met again at once. Where nothing is found, stay.

        Args:
            condition: A function of a state, or a text: see `registers.condition_of`. None stops where a
                watched register changes.
            clocks: How far to look; by default to the end of the workload and `SEARCH_CLOCKS_MAX` beyond.
        """
        far = max(self.clock, self.workload.clocks) + SEARCH_CLOCKS_MAX
        last = min(far if clocks is None else self.clock + _positive(clocks), CLOCKS_MAX)
        found = self._search(condition, iter(range(self.clock + 1, last + 1)))
        return found or Stop(self.clock, found=False, why=f"nothing found up to clock {last}")

    def back_until(self, condition: Condition | str | None = None) -> Stop:
        """Go back to where a condition became true. Where nothing is found, stay.

        Args:
            condition: As for `run_until`. One that holds from power-on became true at clock 0.
        """
        found = self._search(condition, iter(range(self.clock - 1, -1, -1)))
        return found or Stop(self.clock, found=False, why="nothing found back to power-on")

    def _search(self, condition: Condition | str | None, clocks: Iterator[int]) -> Stop | None:
        if condition is None and not self._watched:
            raise DebuggerError("say until when, or watch a register first")
        holds = condition_of(self.system, condition) if isinstance(condition, str) else condition
        name = condition if isinstance(condition, str) else "the condition"
        for clock in clocks:
            state = self._state_at(clock)
            earlier = self._state_at(clock - 1) if clock else None
            why = None
            if holds is not None:
                if holds(state) and not (earlier is not None and holds(earlier)):
                    why = f"{name} became true"
            elif earlier is not None:
                changes = [self._difference(register, earlier, state) for register in self._watched]
                why = "; ".join(change for change in changes if change)
            if why:
                self.goto(clock)
                return Stop(clock, found=True, why=why)
        return None

    def _difference(self, register: str, earlier: State, later: State) -> str:
        before, after = (read(self.system, state, register) for state in (earlier, later))
        return f"{register} went from {before} to {after}" if before != after else ""

    # Looking

    def lanes(self, first: int | None = None, last: int | None = None) -> str:
        """Return the modes as text, a lane for each processor, with a mark under the present clock.

        Args:
            first: The clock to begin at; by default `LANE_CLOCKS_MAX` clocks before the last.
            last: The clock to end at; by default the last that has been seen.
        """
        last = self._known if last is None else self._checked(last)
        first = max(0, last - LANE_CLOCKS_MAX + 1) if first is None else self._checked(first)
        if first > last:
            raise DebuggerError(f"lanes go from a clock to a later one, not from {first} to {last}")
        states = [self._state_at(clock) for clock in range(first, last + 1)]
        names = [name for name in registers(self.system) if name.endswith((".mode", ".owner"))]
        rows = [["clock", *(str(clock) for clock in range(first, last + 1))]]
        rows += [
            [name.split(".")[0], *(str(read(self.system, state, name)) for state in states)] for name in names
        ]
        rows += [["", *("^" if state.clock == self.clock else "" for state in states)]]
        return "\n".join(aligned(rows, gap=1))

    def table(self, first: int = 0, last: int | None = None) -> str:
        """Return a row for each clock: modes, who has the bus, and what happens in it.

        Args:
            first: The clock to begin at.
            last: The clock to end at; by default the last that has been seen.
        """
        last = self._known if last is None else self._checked(last)
        names = [name for name in registers(self.system) if name.endswith((".mode", ".owner"))]
        rows = [["", "clock", *(name.split(".")[0] for name in names), "what happens in it"]]
        for clock in range(self._checked(first), last + 1):
            state = self._state_at(clock)
            here = ">" if clock == self.clock else ""
            events = "; ".join(
                said(event) for event in self.events(clock) if event.action not in ("mode", "grant")
            )
            rows.append([here, str(clock), *(str(read(self.system, state, name)) for name in names), events])
        return "\n".join(aligned(rows, gap=1))

    # Watching

    def watch(self, register: str) -> str | int:
        """Watch a register, and return what it holds; `run_until()` and `back_until()` stop at its changes.

        Args:
            register: Such as `cpu1.mode`: see `registers.registers`.
        """
        value = read(self.system, self.state, register)
        if register not in self._watched:
            self._watched.append(register)
        return value

    def unwatch(self, register: str) -> None:
        """Watch a register no longer."""
        if register not in self._watched:
            raise DebuggerError(
                f"{register} is not watched; watched: {', '.join(self._watched) or 'nothing'}"
            )
        self._watched.remove(register)

    @property
    def watched(self) -> dict[str, str | int]:
        """The watched registers and what they hold."""
        return {register: read(self.system, self.state, register) for register in self._watched}

    def last_change(self, register: str) -> Change | None:
        """Find out when a register last changed before the present clock, and what wrote it.

        Args:
            register: Such as `cpu1.mode`: see `registers.registers`.

        Returns:
            The change; None if it still holds what it held at power-on.
        """
        after = read(self.system, self.state, register)
        for clock in range(self.clock, 0, -1):
            before = read(self.system, self._state_at(clock - 1), register)
            if before != after:
                return Change(clock, register, before, after, self._writer(clock - 1, register))
        return None

    def _writer(self, clock: int, register: str) -> str:
        """Say what wrote a register at the end of a clock."""
        if clock + 1 in self._timeline.power_cycles:
            return "the power cycle"
        actor, _, what = register.partition(".")
        if what not in ("mode", "code"):
            return "the arbiter" if actor == "bus" else f"what happened in clock {clock}"
        answers = [
            in_words(point_of(answer))
            for answer in self._answers.get(clock, ())
            if answer.label.startswith(f"{actor}.")
        ]
        events = [event for event in self.events(clock) if event.actor == actor]
        told = [f"the command {event.detail}" for event in events if event.action == "command"]
        rest = {"watchdog": "the watchdog", "alarm": "the recovery"}
        others = [rest[event.action] for event in events if event.action in rest]
        return "; ".join([*answers, *others] or told) or "the state machine itself, without a command"

    # Intervening

    def flip(self, processor: int, bit: int) -> Fork:
        """Upset a flip-flop in the clock that comes next; if it is upset there already, take that back.

        Args:
            processor: The number of the processor.
            bit: The bit of its mode register, 0 being the least significant.

        Raises:
            DebuggerError: there is no such flip-flop, or upsets are not among the noise of the machine.
        """
        encoding = self.system.encoding
        if not 0 <= processor < self.system.processors:
            raise DebuggerError(
                f"there is no cpu{processor}; there are cpu0 to cpu{self.system.processors - 1}"
            )
        if not 0 <= bit < encoding.bits:
            raise DebuggerError(f"there is no bit {bit}; the mode register has bits 0 to {encoding.bits - 1}")
        if "upset" not in self.system.noise:
            raise DebuggerError("upsets are not among the noise of this machine, so no plan could hold one")
        self._checked(self.clock + 1)
        answer = Answer(self.clock, upset_label(processor, bit), 1)
        answers = set(self._timeline.answers)
        code = self.state.processors[processor].code
        if answer in answers:
            what = f"bit {bit} of cpu{processor} is not upset at clock {self.clock} any more"
        else:
            what = (
                f"bit {bit} of cpu{processor} is upset at clock {self.clock}: "
                f"{show(encoding, code)} becomes {show(encoding, code ^ 1 << bit)}"
            )
        return self._fork(what, answers=tuple(sorted(answers ^ {answer})), until=self.clock + 1)

    def press_reset(self, clocks: int = RESET_CLOCKS) -> Fork:
        """Tell every processor RESET for some clocks, from the one that comes next; step to see what it does.

        Args:
            clocks: For how long, 1 or more.
        """
        end = self._checked(self.clock + _positive(clocks))
        longer = padded(self.workload, end)
        reset = "R" * clocks
        lanes = tuple(lane[: self.clock] + reset + lane[end:] for lane in longer.lanes)
        what = f"every processor is told RESET in the clocks {self.clock} to {end - 1}"
        if self.system.synchroniser:
            what += " (two flip-flops later: the synchroniser delays every command)"
        return self._fork(what, workload=Workload(lanes), until=end)

    def power_cycle(self) -> Fork:
        """Clear all flip-flops at the beginning of the present clock.

        Raises:
            DebuggerError: power comes on here anyway.
        """
        if self.clock == 0 or self.clock in self._timeline.power_cycles:
            raise DebuggerError(f"power comes on at clock {self.clock} already; step first")
        cycles = tuple(sorted({*self._timeline.power_cycles, self.clock}))
        return self._fork(
            f"the power is cut and comes back at clock {self.clock}", power_cycles=cycles, until=self.clock
        )

    def _fork(
        self,
        what: str,
        *,
        workload: Workload | None = None,
        answers: tuple[Answer, ...] | None = None,
        power_cycles: tuple[int, ...] | None = None,
        until: int = 0,
    ) -> Fork:
        """Go over to another timeline that is equal to the present one before the present clock."""
        old = self._timeline
        self._timeline = Timeline(
            old.system,
            padded(old.workload if workload is None else workload, until),
            old.answers if answers is None else answers,
            old.power_cycles if power_cycles is None else power_cycles,
        )
        del self._snapshots[max(1, -(-self.clock // SNAPSHOT_CLOCKS)) :]
        self._loaded = -1
        self._prepare()
        dropped_clocks, self._known = self._known - self.clock, self.clock
        return Fork(self.clock, what, dropped_clocks, self._drop_unasked())

    def _drop_unasked(self) -> tuple[str, ...]:
        """Drop later answers that are no longer asked for, and return them in words.

        They made no difference, so nothing needs to be run again.
        """
        dropped = []
        for clock in sorted(clock for clock in self._answers if clock >= self.clock):
            chooser = self._chooser(clock)
            self._next(self._state_at(clock), chooser)
            answered = {deviation.label for deviation in chooser.plan}
            dropped += [answer for answer in self._answers[clock] if answer.label not in answered]
        if dropped:
            kept = tuple(answer for answer in self._timeline.answers if answer not in dropped)
            self._timeline = replace(self._timeline, answers=kept)
            self._prepare()
        return tuple(in_words(point_of(answer)) for answer in dropped)

    # Running

    def _state_at(self, clock: int) -> State:
        number, offset = divmod(clock, SNAPSHOT_CLOCKS)
        while len(self._snapshots) <= number:
            self._load(len(self._snapshots) - 1)
            self._snapshots.append(self._next(self._block[-1]))
        self._load(number)
        return self._block[offset]

    def _load(self, number: int) -> None:
        """Run the clocks from one snapshot to the next and keep their states."""
        if self._loaded == number:
            return
        states = [self._snapshots[number]]
        while len(states) < SNAPSHOT_CLOCKS and states[-1].clock < CLOCKS_MAX:
            states.append(self._next(states[-1]))
        self._block, self._loaded = tuple(states), number

    def _next(self, state: State, chooser: Chooser | None = None, trace: Trace | None = None) -> State:
        clock = state.clock
        if clock >= len(self._commands):
            longer = padded(self.workload, min(2 * clock + _PADDING_CLOCKS, CLOCKS_MAX))
            self._commands = received(self.system, longer)
        following = step(self.system, state, self._commands[clock], chooser or self._chooser(clock), trace)
        return power_cycle(self.system, following) if clock + 1 in self._timeline.power_cycles else following

    def _chooser(self, clock: int) -> Chooser:
        """Return who answers in one clock; each label is asked once in it, so the occurrence is 0."""
        answers = self._answers.get(clock)
        if answers is None:
            return nominal()
        return drawn(Deviation(answer.label, 0, answer.option) for answer in answers)

    def _checked(self, clock: int) -> int:
        if type(clock) is not int or not 0 <= clock <= CLOCKS_MAX:
            raise DebuggerError(f"a clock is a whole number from 0 (power-on) to {CLOCKS_MAX}, not {clock!r}")
        return clock


def said(event: Event) -> str:
    """Say an event in a few words, without its time."""
    detail = event.detail[-1] if isinstance(event.detail, tuple) else event.detail  # last: what it is read as
    return f"{event.actor} {event.action} {detail or ''}".rstrip()


def _positive(clocks: int) -> int:
    if type(clocks) is not int or clocks < 1:
        raise DebuggerError(f"a number of clocks is a whole number from 1, not {clocks!r}")
    return clocks
