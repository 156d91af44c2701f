"""A finding in words: what happened, side by side, which accesses conflicted, and who waits for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from simulations.live.threads.search.plans import place_of
from simulations.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.live.threads.control.accesses import Touch
    from simulations.live.threads.control.scheduler import Failure, Scheduler, Task
    from simulations.live.threads.control.sites import Site
    from simulations.live.threads.search.plans import Asked, Place

LINES_MAX: Final = 60
"""How many rows of lanes are shown; of a longer run the beginning and the end."""


class Moment(NamedTuple):
    """One thing that a thread did which another thread could notice."""

    step: int
    time: int
    place: Place
    verb: str
    touches: tuple[Touch, ...]


class Witness:
    """Writes down what each thread does, in the order in which it is done."""

    __slots__ = ("_run", "moments")

    def __init__(self, run: Scheduler) -> None:
        self._run = run
        self.moments: list[Moment] = []

    def access(self, task: Task, site: Site | None, touches: list[Touch], verb: str) -> None:
        """See `Hooks.sink`."""
        run = self._run
        ident, run.ident = run.ident, -1
        if verb != "tries":
            place = place_of(task, site)
            self.moments.append(Moment(run.step, run.now, place, verb, tuple(touches)))
        run.ident = ident

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


def doing(moment: Moment) -> str:
    """Say what was done, in few words."""
    operation = moment.place.operation
    if moment.verb in ("acquires", "releases", "fails to acquire") and not operation.startswith("calls "):
        return f"{moment.verb} {operation.partition(' ')[2]}".strip()
    return operation


def trace_of(moments: Sequence[Moment], failure: Failure | None) -> Trace:
    """Return the run as a trace: what the threads did to what they share, and how it ended."""
    trace = Trace()
    for moment in moments:
        place = moment.place
        trace.record(moment.time, place.thread, doing(moment), (place.file, place.function, place.text))
    if failure is not None:
        kind, error = failure.signature
        trace.record(moments[-1].time if moments else 0, failure.thread or "check", kind, error or None)
    return trace


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


def lanes(moments: Sequence[Moment], asked: Sequence[Asked], threads: Sequence[str]) -> str:
    """Return the run with a column for each thread, one row for each thing that was done."""
    rows = _rows(moments, asked)
    names = [name for name in threads if any(name == row[0] for row in rows)]
    if not names:
        return "no thread did anything that another could notice"
    width = max(24, min(58, 150 // len(names)))
    lines = ["  ".join(name[:width].ljust(width) for name in names).rstrip()]
    lines.append("  ".join("-" * width for _ in names))
    shown = rows
    if len(rows) > LINES_MAX:
        half = LINES_MAX // 2
        shown = [*rows[:half], ("", f"... {len(rows) - 2 * half} more ..."), *rows[-half:]]
    for thread, text in shown:
        cell = names.index(thread) if thread in names else 0
        lines.append(("  ".join([" " * width] * cell) + ("  " if cell else "") + _cut(text, width)).rstrip())
    return "\n".join(lines)


def _rows(moments: Sequence[Moment], asked: Sequence[Asked]) -> list[tuple[str, str]]:
    """What happened, one row each; neighbours of one line are drawn together."""
    pauses = [(choice.step, choice) for choice in asked if choice.chosen and not choice.forced]
    rows: list[tuple[str, str]] = []
    last = None
    for moment in moments:
        while pauses and pauses[0][0] <= moment.step:
            _, choice = pauses.pop(0)
            rows.append((choice.place.thread, f"~~ paused: {choice.options[choice.chosen]} goes on ~~"))
            last = None
        place = moment.place
        key = (place.thread, place.line, place.function)
        if key == last:
            thread, text = rows[-1]
            rows[-1] = (thread, f"{text}, {doing(moment)}" if doing(moment) not in text else text)
        else:
            rows.append((place.thread, f"{place.line}: {place.text}  [{doing(moment)}"))
        last = key
    return [(thread, text + "]" if "  [" in text else text) for thread, text in rows]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def mermaid(moments: Sequence[Moment], asked: Sequence[Asked], threads: Sequence[str]) -> str:
    """Return the run as a Mermaid sequence diagram."""
    rows = _rows(moments, asked)[:LINES_MAX]
    names = [name for name in threads if any(name == row[0] for row in rows)]
    lines = ["sequenceDiagram"]
    lines += [f"    participant T{index} as {_escape(name)}" for index, name in enumerate(names)]
    for thread, text in rows:
        index = names.index(thread)
        lines.append(f"    Note over T{index}: {_escape(text)}")
    for choice in asked:
        if choice.chosen and not choice.forced and choice.options[choice.chosen] in names:
            lines += _arrow(lines, names, choice)
    return "\n".join(lines)


def _arrow(lines: list[str], names: Sequence[str], choice: Asked) -> list[str]:
    """Turn the note of a pause into an arrow to whoever goes on."""
    if choice.place.thread not in names:
        return []
    paused, to = names.index(choice.place.thread), names.index(choice.options[choice.chosen])
    note = f"    Note over T{paused}: {_escape(f'~~ paused: {choice.options[choice.chosen]} goes on ~~')}"
    if note in lines:
        lines[lines.index(note)] = f"    T{paused}-->>T{to}: paused, {_escape(names[to])} goes on"
    return []


def _escape(text: str) -> str:
    return (
        text.replace("#", "#35;")
        .replace(";", "#59;")
        .replace("<", "#lt;")
        .replace(">", "#gt;")
        .replace('"', "#quot;")
    )


def conflict_text(moments: Sequence[Moment], asked: Sequence[Asked], failure: Failure) -> str:
    """Say which accesses conflicted, or who waits for whom."""
    if failure.blocked:
        return waits(failure)
    lines = []
    for mine, theirs in conflicts(moments, asked):
        lines.append("Conflict:")
        lines += [
            f"  {moment.place.thread} {doing(moment)} at {moment.place.file}:{moment.place.line} in "
            f"{moment.place.function}: {moment.place.text}"
            for moment in sorted((mine, theirs), key=moments.index)
        ]
    return "\n".join(lines)


def waits(failure: Failure) -> str:
    """Say who waits for whom in a deadlock."""
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
