"""The result of an examination: as data, as text, as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any, Final

from simulations.drawing.displayed import Displayed
from simulations.terminal_text import printable, shortened
from simulations.text_columns import aligned


class Verdict(StrEnum):
    """What came of a value that was written into the stored state."""

    REFUSED = "refused"
    """Writing it raised an error."""
    REPAIRED = "repaired"
    """It was accepted, but the field reads as a state at once."""
    RECOVERS = "recovers"
    """It is no state; some event other than the reset leads back to one."""
    ONLY_RESET = "only reset"
    """It is no state; of all that was tried, only what has the reset in it leads back to one."""
    DEAD_END = "dead end"
    """It is no state; no sequence of events that was tried leads back to one."""
    UNDECIDED = "undecided"
    """It is no state; events lead to ever new values, and none of those tried was one."""
    WRONG_STATE = "wrong state"
    """It is another state, and every event does what it does there: nothing can tell."""
    SHOWS = "wrong, shows"
    """It is another state, but some event does not do what it does there."""


@dataclass(frozen=True)
class Answer:
    """What one event did.

    Attributes:
        event: The event.
        held: What the field held afterwards: the name of a state, the bits of an unused code, or the value.
        used: Whether that is a state.
        error: The type of what was raised, or None.
        message: Type and message of what was raised, or None.
    """

    event: str
    held: str
    used: bool
    error: str | None
    message: str | None


@dataclass(frozen=True)
class Probe:
    """One value written into the stored state, and what came of it.

    Attributes:
        state: The state the machine was in before.
        bit: The bit that was flipped, 0 being the least significant; None where the whole code was written.
        code: The bits that were written, as a number.
        lands_in: The state with this code, or the bits of an unused one, such as `?110`.
        held: What the field held after the write.
        verdict: What came of it.
        refused: What was raised when it was written.
        answers: What each event did, each on a machine of its own; empty where the write was refused or
            repaired.
        way_back: Events that led back to a state.
        reset_helps: Whether the reset alone leads back; None where there is none, or no need of it.
    """

    state: str
    bit: int | None
    code: int
    lands_in: str
    held: str
    verdict: Verdict
    refused: str | None = None
    answers: tuple[Answer, ...] = ()
    way_back: tuple[str, ...] | None = None
    reset_helps: bool | None = None

    def __str__(self) -> str:
        what = f"flip of bit {self.bit} in {self.state}" if self.bit is not None else "the whole code"
        return f"{what} gives {self.lands_in}: {self.verdict}; {consequences(self)}"


@dataclass(frozen=True)
class Report(Displayed):
    """What became of every unused code and every single flip.

    Attributes:
        kind: What sort of machine it is.
        field: Where its state is stored.
        width: The bits of the field.
        states: Each state with its code.
        events: The events that were sent.
        reset: The event that is meant to bring the machine back.
        patience: How often each event was sent in a row.
        unreached: States to which no bare events lead; they were written directly before their flips.
        untried: Unused codes that were not tried, because the field is wide and they are not one flip away.
        codes: A probe for each unused code, written whole into a fresh machine.
        flips: A probe for each bit of each state.
    """

    kind: str
    field: str
    width: int
    states: tuple[tuple[str, int], ...]
    events: tuple[str, ...]
    reset: str | None
    patience: int
    unreached: tuple[str, ...]
    untried: int
    codes: tuple[Probe, ...]
    flips: tuple[Probe, ...]

    def __str__(self) -> str:
        return table(self)

    def __repr__(self) -> str:
        return shortened(f"<Report on {self.kind}.{self.field}: {'; '.join(_counts(self))}>")

    def to_json(self) -> dict[str, Any]:
        """Return the report as what `json.dumps` takes."""
        return asdict(self)


def consequences(probe: Probe) -> str:
    """Say in a few words what followed the write."""
    if probe.refused is not None:
        return probe.refused
    if probe.verdict is Verdict.REPAIRED:
        return f"reads {probe.held}"
    said = []
    if probe.way_back is not None:
        said.append(f"back by {', '.join(probe.way_back)}")
    raised: dict[str, list[str]] = {}
    for answer in probe.answers:
        if answer.error is not None:
            raised.setdefault(answer.error, []).append(answer.event)
    if probe.verdict is not Verdict.WRONG_STATE:
        for error, events in raised.items():
            who = "every event" if len(events) == len(probe.answers) else ", ".join(events)
            said.append(f"{who}: {error}")
    if probe.verdict is Verdict.SHOWS:
        said.append("not as in an honest " + probe.lands_in)
    return "; ".join(said) or "silently"


def table(report: Report) -> str:
    """Lay a report out as text: the unused codes, the flips, and what was and was not tried."""
    lines = [
        f"{report.kind}.{report.field}: {len(report.states)} states in {report.width} bits "
        f"({', '.join(f'{state} {code:0{report.width}b}' for state, code in report.states)})"
        if report.width <= _CODES_SHOWN_WIDTH_MAX
        else f"{report.kind}.{report.field}: {len(report.states)} states in {report.width} bits",
        f"events: {', '.join(report.events)}; reset: {report.reset or 'none named'}",
        "",
        *([*aligned([_CODE_HEADER, *_code_rows(report)], gap=2), ""] if report.codes else []),
        *aligned([_FLIP_HEADER, *_flip_rows(report)], gap=2),
        "",
        *_summary(report),
    ]
    return "\n".join(map(printable, lines))


_CODES_SHOWN_WIDTH_MAX: Final = 16
_COUNTED_BITS_MAX: Final = 64
_CODE_HEADER: Final = ("unused code", "verdict", "reset helps", "what happens")
_FLIP_HEADER: Final = ("flip in", "bit", "lands in", "verdict", "reset helps", "what happens")


def _code_rows(report: Report) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for (verdict, reset, what), group in groupby(report.codes, _outcome):
        probes = list(group)
        first, last = probes[0].lands_in, probes[-1].lands_in
        shown = first if first == last else f"{first} to {last} ({len(probes)})"
        rows.append((shown, verdict, reset, what))
    return rows


def _flip_rows(report: Report) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    used = {state for state, _ in report.states}
    for (state, lands_in, (verdict, reset, what)), group in groupby(
        report.flips,
        lambda probe: (probe.state, probe.lands_in if probe.lands_in in used else "", _outcome(probe)),
    ):
        probes = list(group)
        bits = str(probes[0].bit) if len(probes) == 1 else f"{probes[0].bit} to {probes[-1].bit}"
        where = lands_in or (probes[0].lands_in if len(probes) == 1 else "unused codes")
        rows.append((state, bits, where, verdict, reset, what))
    return rows


def _outcome(probe: Probe) -> tuple[str, str, str]:
    reset = "-" if probe.reset_helps is None else "yes" if probe.reset_helps else "no"
    return probe.verdict.value, reset, consequences(probe)


def _counts(report: Report) -> list[str]:
    """Return what became of the unused codes, if there are any, and of the flips."""

    def count(probes: tuple[Probe, ...]) -> str:
        found = Counter(probe.verdict for probe in probes)
        ends = [probe for probe in probes if probe.verdict is Verdict.DEAD_END]
        loud = sum(any(answer.error for answer in probe.answers) for probe in ends)
        notes = {Verdict.DEAD_END: f" ({loud or 'none'} with an error)"}
        return ", ".join(f"{found[one]} {one.value}{notes.get(one, '')}" for one in Verdict if found[one])

    codes = [f"unused codes, {len(report.codes)} in all: {count(report.codes)}"] if report.codes else []
    return [*codes, f"single flips, {len(report.flips)} in all: {count(report.flips)}"]


def _summary(report: Report) -> list[str]:
    lines = [
        *_counts(report),
        f"tried: every event at every value that events led to, each up to {report.patience} times in a row",
    ]
    if report.untried:
        bits = report.untried.bit_length()
        untried = report.untried if bits <= _COUNTED_BITS_MAX else f"more than 2^{bits - 1}"
        lines.append(f"not tried: {untried} unused codes that no single flip leads to")
    if report.unreached:
        lines.append(f"written directly, since bare events do not lead there: {', '.join(report.unreached)}")
    return lines
