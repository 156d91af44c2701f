"""Every state that the machine can reach: a proof, or a shortest counterexample.

Breadth first over the states without their clock, so that it holds for runs of any length: in each clock
every processor may be given any command, and the noise may deviate anywhere, but a bounded number of times.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product, repeat
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from simulations.choices import Deviation, Plan, drawn
from simulations.errors import LabError
from simulations.mode_machine.environment import (
    REPLACEMENTS,
    glitch_label,
    in_words,
    latch_label,
    upset_label,
)
from simulations.mode_machine.netlist import synthesise
from simulations.mode_machine.system import (
    Processor,
    State,
    incidents_at,
    lost_processors,
    next_owner,
    next_processor,
    power_on,
    press_reset,
    run,
)
from simulations.mode_machine.workload import LETTERS, Command, Workload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from simulations.mode_machine.netlist import Netlist
    from simulations.mode_machine.variants import System

__all__ = ["BUS_IS_GRANTED", "RESET_HELPS", "model_check"]


@dataclass(frozen=True)
class Claim:
    """Something that must be true of every reachable state.

    Attributes:
        name: What is claimed.
        holds: Whether it is true of a state.
        waits: Whether it looks at how long processors have waited for the bus.
        twin: Whether it looks at the mode in which a processor should be. What no claim looks at is left out
            of the states, of which there are then fewer.
    """

    name: str
    holds: Callable[[System, State], bool]
    waits: bool = False
    twin: bool = False


def _reset_helps(system: System, state: State) -> bool:
    return not lost_processors(system, press_reset(system, state))


def _bus_is_granted(system: System, state: State) -> bool:
    return all(processor.waited <= system.grant_clocks_max() for processor in state.processors)


def _no_silent_wrong_mode(system: System, state: State) -> bool:
    return all(incident.kind != "wrong mode" for incident in incidents_at(system, state))


RESET_HELPS: Final = Claim(
    "after the reset command has been held, every processor is in a mode", _reset_helps
)
"""The claim that the reset command leads out of every state that can be reached."""

BUS_IS_GRANTED: Final = Claim(
    "no processor waits for the bus longer than promised", _bus_is_granted, waits=True
)
"""The claim that no processor waits for the bus for more than `System.grant_clocks_max` clocks."""

NO_SILENT_WRONG_MODE: Final = Claim(
    "no processor is in a wrong mode unannounced", _no_silent_wrong_mode, twin=True
)


@dataclass(frozen=True)
class Counterexample:
    """A shortest run to a state that breaks a claim.

    Attributes:
        claim: The claim.
        workload: The commands; its length is the number of clocks.
        plan: The deviations.
        plan_in_words: The same in words.
        state: The state at the end.
    """

    claim: Claim
    workload: Workload
    plan: Plan
    plan_in_words: str
    state: State


@dataclass(frozen=True)
class Checked:
    """The result of a model check.

    Attributes:
        system: The machine.
        claims: What was claimed of each of its states.
        deviations: How many times the noise could deviate.
        states: How many states were reached, each with what was left of the deviations.
        transitions: How many ways from state to state were followed; ways that differ in nothing but the
            commands count once.
        clocks: After how many clocks there was no new state, or the counterexample.
        counterexample: None if the claims hold, everywhere and for ever.
    """

    system: System
    claims: tuple[Claim, ...]
    deviations: int
    states: int
    transitions: int
    clocks: int
    counterexample: Counterexample | None

    def __str__(self) -> str:
        searched = f"{self.states:,} states, {self.transitions:,} transitions"
        bound = f"at most {self.deviations} deviation{'s' * (self.deviations != 1)}"
        if self.counterexample is None:
            return (
                f"holds in every reachable state: {searched}, {bound}, any commands, any number of clocks "
                f"(nothing new after {self.clocks})"
            )
        return (
            f"broken after {self.clocks} clocks, not before: {self.counterexample.claim.name}; commands "
            f"{self.counterexample.workload}; {self.counterexample.plan_in_words} ({searched}, {bound})"
        )


class _How(NamedTuple):
    """How a processor went on: the command told, the one heard, and the bits that were not latched."""

    told: int
    heard: int
    kept: int


_Place: TypeAlias = tuple[tuple[Processor, ...], int, int]
"""Processors, owner, deviations left."""

_Option: TypeAlias = tuple[Processor, int, _How]
"""Where one processor can go, the deviations that this takes, and how it goes."""

_Way: TypeAlias = tuple[tuple[int, ...], tuple[_Option, ...]]
"""The upsets of each processor, and what each did then."""


def model_check(
    system: System,
    *,
    deviations: int = 1,
    claims: tuple[Claim, ...] = (RESET_HELPS,),
    states_max: int = 1_000_000,
) -> Checked:
    """Visit every state that the machine can reach from power-on.

    Args:
        system: The machine; its sources of noise are those that may deviate.
        deviations: How many times the noise may deviate in all, 0 or more.
        claims: What must be true of every state at the end of a clock.
        states_max: Give up above this number of states.

    Raises:
        LabError: there are more states than that.
    """
    waits, twin = any(claim.waits for claim in claims), any(claim.twin for claim in claims)
    successors = _Successors(system, waits=waits, twin=twin)
    start = power_on(system)
    first: _Place = (start.processors, start.owner, deviations)
    parents: dict[_Place, tuple[_Place, _Way] | None] = {first: None}
    frontier, transitions, clocks = [first], 0, 0
    while frontier:
        clocks += 1
        following = []
        for place in frontier:
            for reached, way in successors.of(place):
                transitions += 1
                if reached in parents:
                    continue
                parents[reached] = (place, way)
                following.append(reached)
                state = State(clocks, reached[0], reached[1])
                broken = next((claim for claim in claims if not claim.holds(system, state)), None)
                if broken is not None:
                    example = _counterexample(system, broken, parents, reached)
                    transitions += successors.repeated
                    return Checked(system, claims, deviations, len(parents), transitions, clocks, example)
        if len(parents) > states_max:
            raise LabError(
                f"more than {states_max:,} states after {clocks} clocks; raise states_max, or ask about "
                f"fewer processors or deviations"
            )
        frontier = following
    transitions += successors.repeated
    return Checked(system, claims, deviations, len(parents), transitions, clocks, None)


class _Successors:
    """The ways on from a place, with what the processors do on their own remembered.

    Attributes:
        repeated: How many transitions were left out, since they lead to where others have led already.
    """

    def __init__(self, system: System, *, waits: bool, twin: bool) -> None:
        self._netlist: Netlist = synthesise(system)
        self._waits = waits
        self._twin = twin
        self.repeated = 0
        self._transitions: dict[_Place, int] = {}
        self._upsets_of: dict[int, list[tuple[tuple[int, ...], int]]] = {}
        self._ways_on: dict[tuple[Processor, bool, int], list[_Option]] = {}

    def of(self, place: _Place) -> Iterator[tuple[_Place, _Way]]:
        """Return the places one clock later, each with one way that leads there.

        Where it goes on depends on the processors after the upsets, on whom the bus is granted and on the
        deviations left. What is alike in all three is alike in what follows, and is gone through once.
        """
        processors, owner, left = place
        for masks, upsets in self._upsets(len(processors), left):
            struck = processors
            if upsets:
                struck = tuple(
                    processor._replace(code=processor.code ^ mask)
                    for processor, mask in zip(processors, masks, strict=True)
                )
            granted = next_owner(self._netlist, [processor.code for processor in struck], owner)
            budget = left - upsets
            alike = (struck, granted, budget)
            if alike in self._transitions:
                self.repeated += self._transitions[alike]
                continue
            options = [
                self._each(processor, granted=number == granted, budget=budget)
                for number, processor in enumerate(struck)
            ]
            # Nearly all ways cost nothing; three products side by side cost less than taking one apart.
            ends = [[after for after, _, _ in ways] for ways in options]
            costs = [[cost for _, cost, _ in ways] for ways in options]
            totals = map(sum, product(*costs)) if budget else repeat(0)
            transitions = 0
            for after, cost, chosen in zip(product(*ends), totals, product(*options), strict=False):
                if cost <= budget:
                    transitions += 1
                    yield (after, granted, budget - cost), (masks, chosen)
            self._transitions[alike] = transitions

    def _upsets(self, processors: int, left: int) -> list[tuple[tuple[int, ...], int]]:
        """Return the upsets that one clock may bring, a mask for each processor, with their number."""
        if left not in self._upsets_of:
            system = self._netlist.system
            most = left if "upset" in system.noise else 0
            places = [
                (number, 1 << bit) for number in range(processors) for bit in range(system.encoding.bits)
            ]
            found = self._upsets_of[left] = []
            for upsets in range(most + 1):
                for chosen in combinations(places, upsets):
                    masks = [0] * processors
                    for number, bit in chosen:
                        masks[number] |= bit
                    found.append((tuple(masks), upsets))
        return self._upsets_of[left]

    def _each(self, processor: Processor, *, granted: bool, budget: int) -> list[_Option]:
        """Return where one processor can go, with the least deviations that it takes, and how it goes."""
        key = (processor, granted, budget)
        if key not in self._ways_on:
            found: dict[Processor, tuple[int, _How]] = {}
            for told, heard in product(Command, repeat=2):
                cost = int(told != heard)
                if cost > budget or (cost and "glitch" not in self._netlist.system.noise):
                    continue
                following = next_processor(self._netlist, processor, granted=granted, heard=heard, told=told)
                for kept in self._latched(processor, following, budget - cost):
                    reached = self._seen(following._replace(code=following.code ^ kept))
                    total = cost + kept.bit_count()
                    if reached not in found or total < found[reached][0]:
                        found[reached] = (total, _How(told, heard, kept))
            self._ways_on[key] = [(reached, *how) for reached, how in found.items()]
        return self._ways_on[key]

    def _latched(self, before: Processor, after: Processor, budget: int) -> list[int]:
        """Return the sets of flip-flops that may keep their old value."""
        system = self._netlist.system
        metastable = "metastable" in system.noise and not system.synchroniser
        if not metastable or self._netlist.mode[before.code] is None:
            return [0]
        differing = before.code ^ after.code
        subsets = (kept for kept in range(differing + 1) if not kept & ~differing)
        return [kept for kept in subsets if kept.bit_count() <= budget]

    def _seen(self, processor: Processor) -> Processor:
        """Leave out what no claim looks at."""
        return Processor(
            processor.code,
            processor.expected if self._twin else 0,
            processor.waited if self._waits else 0,
            processor.lost,
        )


def _counterexample(
    system: System, claim: Claim, parents: dict[_Place, tuple[_Place, _Way] | None], last: _Place
) -> Counterexample:
    """Return the way from power-on to a place as commands and a plan, replayed on the machine itself."""
    ways: list[_Way] = []
    place = last
    while (step := parents[place]) is not None:
        place, way = step
        ways.append(way)
    ways.reverse()
    workload = Workload(
        tuple("".join(LETTERS[way[1][number][2].told] for way in ways) for number in range(system.processors))
    )
    deviations: list[Deviation] = []
    for clock, way in enumerate(ways):
        for label, option in _answers(system, way[0], [how for _, _, how in way[1]]):
            chooser = drawn(deviations)
            run(system, workload, chooser, trace=False)
            deviations += [
                Deviation(label, point.occurrence, option)
                for point in chooser.points
                if point.label == label and point.time == clock
            ]
    chooser = drawn(deviations)
    final = run(system, workload, chooser, trace=False).final
    words = "; ".join(in_words(point) for point in chooser.points if point.option)
    return Counterexample(claim, workload, chooser.plan, words or "everything nominal", final)


def _answers(system: System, masks: Sequence[int], how: Sequence[_How]) -> Iterator[tuple[str, int]]:
    """Return the labels that deviate in a clock, with their options, in the order in which they are asked."""
    bits = range(system.encoding.bits)
    for number, mask in enumerate(masks):
        yield from ((upset_label(number, bit), 1) for bit in bits if mask >> bit & 1)
    for number, (told, heard, _) in enumerate(how):
        if told != heard:
            yield glitch_label(number), REPLACEMENTS[told].index(heard)
    for number, (_, _, kept) in enumerate(how):
        yield from ((latch_label(number, bit), 1) for bit in bits if kept >> bit & 1)
