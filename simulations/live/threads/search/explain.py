"""A finding in words: what happened, side by side, which accesses conflicted, and who waits for whom."""

from __future__ import annotations

import operator
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from simulations.live.threads.control.provenance import library
from simulations.live.threads.control.touching import LOCKING, Touching
from simulations.live.threads.report import Told
from simulations.live.threads.search.plans import place_of
from simulations.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.choices import Plan
    from simulations.live.threads.control.accesses import Touch
    from simulations.live.threads.control.failures import Failure
    from simulations.live.threads.control.run import Run
    from simulations.live.threads.control.sites import Site
    from simulations.live.threads.control.tasks import Task
    from simulations.live.threads.search.plans import Asked, Place
    from simulations.live.threads.search.reduction import Beginning

LINES_MAX: Final = 60
"""How many rows of lanes are shown; of a longer run the beginning and the end."""


SPINS_MAX: Final = 1_000
"""How many of the last things that each thread did are looked at to show what goes round and round."""


class Moment(NamedTuple):
    """One thing that a thread did which another thread could notice.

    Attributes:
        step: The step of the run.
        time: Virtual time in nanoseconds.
        place: Where the thread stood.
        doing: What it did, in few words.
        touches: What it touched.
        own: Whether a line of the program did it, not one of the standard library.
    """

    step: int
    time: int
    place: Place
    doing: str
    touches: tuple[Touch, ...]
    own: bool = True


class Story(NamedTuple):
    """What happened in a run.

    Attributes:
        failure: How it failed; None if it did not.
        asked: Every choice.
        moments: What the threads did to what they share.
        plan: What was not nominal.
        threads: The threads of the steps that another thread could notice, in order.
        epoch: How often the focus had been chosen, on which the numbers of the steps depend.
    """

    failure: Failure | None
    asked: Sequence[Asked]
    moments: Sequence[Moment]
    plan: Plan
    threads: Beginning
    epoch: int


class Witness:
    """Writes down what each thread does, in the order in which it is done.

    Attributes:
        moments: What was done.
        passed: Whether the run has ended without a failure.
    """

    __slots__ = ("_run", "moments", "passed")

    def __init__(self, run: Run) -> None:
        self._run = run
        self.moments: list[Moment] = []
        self.passed = False

    def ends(self, failure: Failure | None) -> None:
        """Take note of how the run has ended."""
        self.passed = failure is None

    def access(self, task: Task, site: Site | None, touches: list[Touch], touching: Touching) -> None:
        """Take note of an access: a sink."""
        run = self._run
        if touching is Touching.TRIES or touching is Touching.LETS_GO:
            return
        with run.outside():
            place = place_of(task, site)
            doing = place.operation
            if touching in LOCKING and site is not None and site.kind == "with" and place.direct:
                doing = f"{touching} {site.name or site.expression}".strip()
            own = place.direct and (site is None or library(site.code.co_filename) is None)
            self.moments.append(Moment(run.step, run.now, place, doing, tuple(touches), own))

    def shared(self) -> list[Moment]:
        """Return what touched an object that two threads touched, and at least one changed."""
        threads: dict[int, set[str]] = {}
        written: set[int] = set()
        for moment in self.moments:
            for stamp, _, writes in moment.touches:
                threads.setdefault(stamp, set()).add(moment.place.thread)
                if writes:
                    written.add(stamp)
        return [
            moment
            for moment in self.moments
            if any(stamp in written and len(threads[stamp]) > 1 for stamp, _, _ in moment.touches)
            and moment.place.file
        ]

    def spinning(self) -> list[Moment]:
        """Return what the threads did at last, each thing once: of a livelock, what goes round and round."""
        counts: dict[str, int] = {}
        seen: dict[tuple[str, int, str], tuple[int, Moment]] = {}
        for index, moment in reversed(list(enumerate(self.moments))):
            thread = moment.place.thread
            counts[thread] = counts.get(thread, 0) + 1
            if moment.place.file and counts[thread] <= SPINS_MAX:
                seen[thread, moment.place.line, moment.doing] = (index, moment)
        return [moment for _, moment in sorted(seen.values(), key=operator.itemgetter(0))]


def trace_of(moments: Sequence[Moment], failure: Failure | None) -> Trace:
    """Return the run as a trace: what lines of the program did to what the threads share, and how it ended.

    What differs between versions of Python is left out: what the standard library does inside a call, how an
    access is named, and how often a line does the same in a row.
    """
    trace = Trace()
    lines = (_line(moment) for moment in moments if moment.own)
    for line, _ in groupby(lines):
        trace.record(*line)
    if failure is not None:
        kind, error = failure.signature
        trace.record(moments[-1].time if moments else 0, failure.thread or "check", kind.value, error or None)
    return trace


def _line(moment: Moment) -> tuple[int, str, str, tuple[str, str, str]]:
    place = moment.place
    does = "changes" if any(writes for _, _, writes in moment.touches) else "reads"
    return moment.time, place.thread, does, (place.file, place.function, place.text)


def conflicts(moments: Sequence[Moment], asked: Sequence[Asked]) -> list[tuple[Moment, Moment]]:
    """Return the pairs of conflicting accesses whose order a switch decided.

    For each switch they are the first access that the paused thread makes when it goes on, and the last
    conflicting one that another thread made while it was paused.
    """
    pairs = []
    for choice in asked:
        if not choice.chosen or choice.forced:
            continue
        paused = choice.place.thread
        after = [moment for moment in moments if moment.step >= choice.step]
        own = next((index for index, moment in enumerate(after) if moment.place.thread == paused), len(after))
        before = [moment for moment in moments if moment.step < choice.step and moment.place.thread == paused]
        meanwhile = after[:own]
        for mine in (*reversed(before), *after[own : own + 1]):
            theirs = next((other for other in reversed(meanwhile) if _conflict(mine, other)), None)
            if theirs is not None:
                pairs.append((mine, theirs))
                break
    return pairs


def _conflict(one: Moment, other: Moment) -> bool:
    return any(
        stamp == stamp2 and (writes or writes2) and (part == part2 or part is None or part2 is None)
        for stamp, part, writes in one.touches
        for stamp2, part2, writes2 in other.touches
    )


class Row(NamedTuple):
    """A row of the lanes.

    Attributes:
        thread: Whose lane it stands in.
        text: What stands there.
        doing: What was done in that line of the source.
        to: Of a pause, the thread that goes on.
    """

    thread: str
    text: str
    doing: tuple[str, ...] = ()
    to: str = ""

    def __str__(self) -> str:
        return f"{self.text}  [{', '.join(self.doing)}]" if self.doing else self.text


def lanes(moments: Sequence[Moment], asked: Sequence[Asked], threads: Sequence[str]) -> str:
    """Return the run with a column for each thread, one row for each thing that was done."""
    rows = _rows(moments, asked)
    names = [name for name in threads if any(name == row.thread for row in rows)]
    if not names:
        return "no thread did anything that another could notice"
    width = max(24, min(58, 150 // len(names)))
    lines = ["  ".join(name[:width].ljust(width) for name in names).rstrip()]
    lines.append("  ".join("-" * width for _ in names))
    shown = rows
    if len(rows) > LINES_MAX:
        half = LINES_MAX // 2
        shown = [*rows[:half], Row("", f"... {len(rows) - 2 * half} more ..."), *rows[-half:]]
    for row in shown:
        cell = names.index(row.thread) if row.thread in names else 0
        lines.append((" " * (width + 2) * cell + _cut(str(row), width)).rstrip())
    return "\n".join(lines)


def _rows(moments: Sequence[Moment], asked: Sequence[Asked]) -> list[Row]:
    """Return what happened, one row each; neighbours of one line are drawn together.

    Where threads were in several files, a lane says in which it goes on.
    """
    pauses = [choice for choice in asked if choice.chosen and not choice.forced]
    rows: list[Row] = []
    last = None
    several = len({moment.place.file for moment in moments}) > 1
    within: dict[str, str] = {}
    for moment in moments:
        while pauses and pauses[0].step <= moment.step:
            choice = pauses.pop(0)
            to = choice.options[choice.chosen]
            rows.append(Row(choice.place.thread, f"~~ paused: {to} goes on ~~", to=to))
            last = None
        place = moment.place
        key = (place.thread, place.file, place.line, place.function)
        if several and within.get(place.thread) != place.file:
            rows.append(Row(place.thread, f"in {place.file}:"))
            within[place.thread] = place.file
        if key != last:
            rows.append(Row(place.thread, f"{place.line}: {place.text}"))
        if moment.doing not in rows[-1].doing:
            rows[-1] = rows[-1]._replace(doing=(*rows[-1].doing, moment.doing))
        last = key
    return rows


def told(
    moments: Sequence[Moment], asked: Sequence[Asked], threads: Sequence[str], failure: Failure | None
) -> Told | None:
    """Return the run in lanes; None where no thread did anything that another could notice.

    Args:
        moments: What the threads did to what they share.
        asked: Every choice.
        threads: Their names, in order; one that is not among them comes last.
        failure: How it failed; None if it did not.
    """
    rows = _rows(moments, asked)
    busy = [row.thread for row in rows]
    names = [name for name in dict.fromkeys([*threads, *busy]) if name in busy]
    if not names:
        return None
    steps = [(names.index(row.thread), str(row)) for row in rows]
    if len(rows) > LINES_MAX:
        half = LINES_MAX // 2
        steps = [*steps[:half], (0, f"... {len(rows) - 2 * half} more ..."), *steps[-half:]]
    return Told(tuple(names), tuple(steps), failure.summary if failure else "")


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def mermaid(moments: Sequence[Moment], asked: Sequence[Asked], threads: Sequence[str]) -> str:
    """Return the run as a Mermaid sequence diagram."""
    rows = _rows(moments, asked)[:LINES_MAX]
    names = [name for name in threads if any(name == row.thread for row in rows)]
    lines = ["sequenceDiagram"]
    lines += [f"    participant T{index} as {_escape(name)}" for index, name in enumerate(names)]
    for row in rows:
        index = names.index(row.thread)
        if row.to in names:
            lines.append(f"    T{index}-->>T{names.index(row.to)}: paused, {_escape(row.to)} goes on")
        else:
            lines.append(f"    Note over T{index}: {_escape(str(row))}")
    return "\n".join(lines)


def _escape(text: str) -> str:
    return (
        text.replace("#", "#35;")
        .replace(";", "#59;")
        .replace("<", "#lt;")
        .replace(">", "#gt;")
        .replace('"', "#quot;")
    )


def conflict_text(moments: Sequence[Moment], asked: Sequence[Asked], failure: Failure) -> str:
    """Return which accesses conflicted, or who waits for whom."""
    if failure.blocked:
        return waits(failure)
    lines = []
    for mine, theirs in conflicts(moments, asked):
        lines.append("Conflict:")
        lines += [
            f"  {moment.place.thread} {moment.doing} at {moment.place.file}:{moment.place.line} in "
            f"{moment.place.function}: {moment.place.text}"
            for moment in sorted((mine, theirs), key=moments.index)
        ]
    return "\n".join(lines)


def waits(failure: Failure) -> str:
    """Return who waits for whom in a deadlock."""
    lines = []
    for item in failure.blocked:
        holder = f", which {item.holder} holds" if item.holder is not None else ""
        lines.append(f"{item.thread} {item.doing}{holder}, at {item.where}")
    holders = {item.thread: item.holder for item in failure.blocked}
    for start in holders:
        cycle = [start]
        while (following := holders.get(cycle[-1])) is not None and following not in cycle:
            cycle.append(following)
        if following == start:
            lines.append("Cycle: " + " -> ".join([*cycle, start]))
            break
    return "\n".join(lines)
