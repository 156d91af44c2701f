"""Strike a bit: three processors on a bus, with their flip-flops, the reset button and the plug.

A state is a variant, the clock that is looked at, and what was `done`: strikes `f<clock>.<processor>.<bit>`,
resets `r<clock>` and power cycles `p<clock>`, with commas between them.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from itertools import groupby, product
from typing import TYPE_CHECKING, Final, NamedTuple

from scenarios.invalid_mode import SCENARIO
from scenarios.lab.execution import replayed as run_again
from simulations.choices import Deviation, drawn
from simulations.drawing.marks import Kind, Look, Span, Spot, Tone, Track, Tracks
from simulations.drawing.page import fragment
from simulations.errors import LabError
from simulations.mode_machine.debugger import Debugger
from simulations.mode_machine.encodings import Mode
from simulations.mode_machine.encodings import show as mode_of
from simulations.mode_machine.environment import upset_label
from simulations.mode_machine.picture import diagram
from simulations.mode_machine.registers import read
from simulations.mode_machine.system import incidents_at, lost_processors, step
from simulations.mode_machine.workload import Workload, received

from . import elements, replayed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scenarios.lab.scenario import Variant

    from .elements import State

CLOCKS: Final = 16
COMMANDS: Final = Workload(("....G....H......", "......G.....H...", "................"))
_FIRST: Final = 2
"""The clock that is looked at in the beginning: by then every processor is idle."""
_KEYS: Final = ("qwe", "asd", "zxc")
"""For each processor the keys of its flip-flops, from the left."""
_KINDS: Final = (
    Kind(" ", "nothing", Look.BLANK),
    Kind("=", "in the mode that it should be in", Look.SOLID),
    Kind("#", "in another mode, and nobody was told", Look.DARK),
    Kind("?", "in a code that is no mode", Look.HATCHED),
    Kind("|", "the clock that you look at", Look.LINE),
    Kind("R", "reset pressed", Look.DIAMOND),
    Kind("P", "power off and on", Look.DOT),
    Kind("x", "a flip-flop struck", Look.CROSS),
)
_RIGHT, _WRONG, _NO_MODE, _NOW, _RESET, _POWER, _STRUCK = range(1, 8)


class Done(NamedTuple):
    """Something that was done to the machine.

    Attributes:
        clock: When.
        kind: `f` a flip-flop struck, `r` reset pressed, `p` power off and on.
        processor: Which one, of a strike.
        bit: Which one, of a strike.
    """

    clock: int
    kind: str
    processor: int = 0
    bit: int = 0

    def __str__(self) -> str:
        where = f".{self.processor}.{self.bit}" if self.kind == "f" else ""
        return f"{self.kind}{self.clock}{where}"


def done_in(text: str) -> tuple[Done, ...]:
    """Read what was done.

    Raises:
        LabError: it is nothing that can be done.
    """
    found = []
    for each in filter(None, text.split(",")):
        match = re.fullmatch(r"([frp])(\d{1,3})(?:\.(\d)\.(\d))?", each)
        if match is None or (match[1] == "f") != (match[3] is not None) or int(match[2]) >= CLOCKS:
            raise LabError(
                f"{each} is no strike f<clock>.<processor>.<bit>, reset r<clock> or power p<clock>"
            )
        found.append(Done(int(match[2]), match[1], int(match[3] or 0), int(match[4] or 0)))
    return tuple(sorted(found))


def played(variant: Variant, done: Sequence[Done]) -> Debugger:
    """Return the machine after all that was done to it.

    Raises:
        DebuggerError: it cannot be done.
    """
    debugger = Debugger(variant.system, COMMANDS)
    for each in done:
        debugger.goto(each.clock)
        if each.kind == "f":
            debugger.flip(each.processor, each.bit)
        elif each.kind == "r":
            debugger.press_reset(1)
        else:
            debugger.power_cycle()
    return debugger


def show(state: State) -> str:
    """Return the page in a state, as HTML.

    Args:
        state: `variant`, `clock` and `done`.
    """
    variant = SCENARIO.variant(state.get("variant", "as-shipped"))
    clock = max(0, min(CLOCKS - 1, int(state.get("clock", _FIRST))))
    done = done_in(state.get("done", ""))
    debugger = played(variant, done)
    debugger.goto(clock)
    parts = [elements.paragraph(f"{variant.kind}: {variant.summary}"), _says(debugger)]
    parts.append(_flip_flops(variant, debugger, done))
    parts.append(_buttons(variant, clock, done))
    parts.append(fragment(_picture(debugger, done)))
    parts.append(_state_machine(variant.name))
    parts.append(_replay(variant, debugger, done))
    return "".join(parts)


def _says(debugger: Debugger) -> str:
    incidents = incidents_at(debugger.system, debugger.state)
    if not incidents:
        return elements.says(f"Clock {debugger.clock}: every processor is where it should be.", Tone.GOOD)
    said = "; ".join(_wrong(debugger, each.processor) for each in incidents)
    return elements.says(f"Clock {debugger.clock}: {said}.", Tone.BAD)


def _wrong(debugger: Debugger, processor: int) -> str:
    mode, expected = (
        read(debugger.system, debugger.state, f"cpu{processor}.{what}") for what in ("mode", "expected")
    )
    if processor in lost_processors(debugger.system, debugger.state):
        return f"cpu{processor} is in {mode}, which is no mode"
    return (
        f"cpu{processor} is in {mode} and should be in {expected}"
        if mode != expected
        else (f"cpu{processor} waits for the bus in vain")
    )


def fatal_strikes(debugger: Debugger, done: Sequence[Done]) -> set[Done]:
    """Return the strikes of a flip-flop in this clock that leave its processor in a code that is no mode.

    Where it is struck in that clock already, what counts is to leave that out.

    Args:
        debugger: The machine, at the clock.
        done: What was done to it.
    """
    system, state, clock = debugger.system, debugger.state, debugger.clock
    told = received(system, debugger.workload)[clock]
    struck = {(each.processor, each.bit) for each in done if each.kind == "f" and each.clock == clock}
    fatal = set()
    for strike in product(range(system.processors), range(system.encoding.bits)):
        upset = (Deviation(upset_label(*each), 0, 1) for each in sorted(struck ^ {strike}))
        if strike[0] in lost_processors(system, step(system, state, told, drawn(upset))):
            fatal.add(Done(clock, "f", *strike))
    return fatal


@lru_cache(maxsize=8)
def _state_machine(name: str) -> str:
    drawn = fragment(diagram(SCENARIO.variant(name).system))
    return f"<details><summary>Its state machine</summary>\n{drawn}</details>\n"


def _flip_flops(variant: Variant, debugger: Debugger, done: tuple[Done, ...]) -> str:
    encoding, clock = variant.system.encoding, debugger.clock
    rows, fatal = [], len(fatal_strikes(debugger, done))
    for number, processor in enumerate(debugger.state.processors):
        links = []
        for rank, bit in enumerate(reversed(range(encoding.bits))):
            strike = Done(clock, "f", number, bit)
            after = tuple(sorted(Counter(done) - Counter([strike]))) if strike in done else (*done, strike)
            keys = _KEYS[number] if number < len(_KEYS) else ""
            links.append(
                elements.move(
                    f"bit {bit} is {processor.code >> bit & 1}",
                    _state(variant, clock + (strike not in done), after),
                    key=keys[rank] if rank < len(keys) else "",
                    chosen=strike in done,
                )
            )
        title = f"cpu{number} {mode_of(encoding, processor.code)}"
        rows.append(f"<h2>{elements.text(title)}</h2>\n{elements.moves(f'flip-flops of cpu{number}', links)}")
    every = len(debugger.state.processors) * encoding.bits
    return "".join(rows) + elements.paragraph(
        f"Strike a flip-flop: of these {every}, {fatal} would leave a processor in a code that is no mode."
    )


def _buttons(variant: Variant, clock: int, done: tuple[Done, ...]) -> str:
    links = []
    if clock:
        links.append(elements.move("a clock back", _state(variant, clock - 1, done), key="ArrowLeft"))
    if clock < CLOCKS - 1:
        links.append(elements.move("a clock on", _state(variant, clock + 1, done), key="ArrowRight"))
        for kind, label in (("r", "press reset"), ("p", "pull the plug, and put it back")):
            each = Done(clock, kind)
            if each not in done and (clock or kind == "r"):
                following = clock + (kind == "r")
                links.append(elements.move(label, _state(variant, following, (*done, each)), key=kind))
    links.append(elements.move("nothing done", {"variant": variant.name}, key="n"))
    return elements.moves("the machine", links)


def _state(variant: Variant, clock: int, done: Sequence[Done]) -> State:
    said = ",".join(str(each) for each in sorted(done))
    return {"variant": variant.name, "clock": str(min(clock, CLOCKS - 1)), "done": said}


def _picture(debugger: Debugger, done: Sequence[Done]) -> Tracks:
    here = debugger.clock
    states = [debugger.goto(clock) for clock in range(CLOCKS)]
    debugger.goto(here)
    tracks = []
    for number in range(debugger.system.processors):
        modes = [mode_of(debugger.system.encoding, state.processors[number].code) for state in states]
        kinds = [
            _NO_MODE
            if number in lost_processors(debugger.system, state)
            else _RIGHT
            if mode == Mode(state.processors[number].expected).name
            else _WRONG
            for mode, state in zip(modes, states, strict=True)
        ]
        changed = [clock for clock in range(CLOCKS) if not clock or modes[clock] != modes[clock - 1]]
        spots = [
            Spot(each.clock + 0.5, _STRUCK) for each in done if each.kind == "f" and each.processor == number
        ]
        spots += [Spot(each.clock + 0.5, _RESET) for each in done if each.kind == "r"]
        spots += [Spot(each.clock, _POWER) for each in done if each.kind == "p"]
        tracks.append(
            Track(
                label=f"cpu{number}",
                low=0,
                high=CLOCKS,
                spans=tuple(_spans(kinds)),
                spots=(Spot(here, _NOW), *spots),
                ticks=tuple((clock, modes[clock]) for clock in changed),
            )
        )
    return Tracks(title=f"{CLOCKS} clocks, from power-on", kinds=_KINDS, tracks=tuple(tracks))


def _spans(kinds: Sequence[int]) -> Iterator[Span]:
    """Yield what is drawn of the kinds of all clocks: a stretch for each kind that stays."""
    for kind, clocks in groupby(range(len(kinds)), key=kinds.__getitem__):
        first, *rest = clocks
        yield Span(first, first + len(rest) + 1, kind)


def _replay(variant: Variant, debugger: Debugger, done: Sequence[Done]) -> str:
    if any(each.kind == "p" for each in done):
        return elements.paragraph(
            "A plan holds noise, the input commands. The plug is neither, so that no line replays this run."
        )
    workload, plan = debugger.workload, debugger.plan
    outcome = run_again(SCENARIO, variant, workload, plan)
    judged = outcome.failure.message if outcome.failure else "every property holds"
    rows = [("what was done", debugger.in_words), ("judged after all clocks", judged)]
    line = replayed.command(SCENARIO, variant, workload, plan)
    return elements.facts(rows) + elements.natively(line, outcome.run.trace.digest())


def _form() -> str:
    names = [variant.name for variant in SCENARIO.variants if "upset" in variant.system.noise]
    options = "".join(f"<option>{elements.text(name)}</option>" for name in names)
    return (
        f'<label>The machine <select name="variant" data-change>{options}</select></label>\n'
        + elements.slider("The clock:", "clock", CLOCKS - 1, _FIRST)
    )


PAGE: Final = elements.Page(
    name="strike",
    title="Strike a bit",
    sentences=(
        "Three processors keep their mode in three flip-flops each, and five modes leave three codes over.",
        "A particle strikes one flip-flop in one clock, and you say which and when.",
        "Then press reset and see whether it helps, pull the plug, and go back and forth in time.",
    ),
    try_this="While cpu0 is idle, find the flip-flop that no reset repairs; then choose another machine.",
    form=_form(),
)
