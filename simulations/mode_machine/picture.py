"""Pictures of a run and of a state machine: as data, and as text: lanes and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulations.drawing.marks import FAILS, NEAREST, Cell, Diagram, Edge, Node, Table, Tone
from simulations.drawing.sheet import Lines, Sheet
from simulations.errors import LabError
from simulations.mode_machine.encodings import Mode, show, unused
from simulations.mode_machine.netlist import next_mode, synthesise
from simulations.mode_machine.workload import Command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simulations.mode_machine.system import Run
    from simulations.mode_machine.variants import System

_CLOCKS_SHOWN: Final = 12

__all__ = ["clocks", "diagram", "lanes", "pictures", "sheet"]


def history(run: Run) -> Mapping[str, Sequence[str]]:
    """Return what each processor, and the bus, was in at the beginning of each clock and at the end.

    Returns:
        From `cpu0`, `cpu1`, ... to names of modes or codes such as `?101`, and from `bus` to owners: one more
        entry than the run has clocks.

    Raises:
        LabError: the run has no trace.
    """
    if not len(run.trace):
        raise LabError("the run has no trace to draw; run it with trace=True")
    changes: dict[str, dict[int, str]] = {}
    for event in run.trace:
        if event.action in ("mode", "grant"):
            changes.setdefault(event.actor, {})[event.time] = str(event.detail)
    rows: dict[str, list[str]] = {}
    for actor in (*(f"cpu{number}" for number in range(run.system.processors)), "bus"):
        now = ""
        rows[actor] = []
        for clock in range(run.workload.clocks + 1):
            now = changes[actor].get(clock, now)
            rows[actor].append(now)
    return rows


def lanes(run: Run, *, first: int = 0, last: int | None = None) -> str:
    """Return one line for each processor and the bus, one column for each clock: `cpu1 IDLE IDLE STEP ?110`.

    Args:
        run: A run with a trace.
        first: The first clock to show, from 0.
        last: The last one; None means the end of the run.

    Raises:
        LabError: the run has no trace, or the clocks are not in it.
    """
    rows = history(run)
    last = run.workload.clocks if last is None else last
    if not 0 <= first <= last <= run.workload.clocks:
        raise LabError(
            f"clocks {first} to {last} are not in the run; it has clocks 0 to {run.workload.clocks}"
        )
    shown = {"clock": [str(clock) for clock in range(first, last + 1)]}
    shown |= {actor: list(row[first : last + 1]) for actor, row in rows.items()}
    width = max(len(cell) for row in shown.values() for cell in row)
    margin = max(map(len, shown))
    return "\n".join(
        f"{actor:<{margin}}  {' '.join(f'{cell:<{width}}' for cell in row)}".rstrip()
        for actor, row in shown.items()
    )


def clocks(run: Run, title: str) -> Table:
    """Return a run as a row for each processor and the bus, a column for each clock around what went wrong.

    Args:
        run: A run with a trace.
        title: What stands above it.

    Raises:
        LabError: the run has no trace.
    """
    rows = history(run)
    wrong = [incident.clock for incident in run.incidents]
    first = max(0, min([run.workload.clocks - _CLOCKS_SHOWN + 1, *(clock - 2 for clock in wrong)]))
    shown = range(first, min(run.workload.clocks, first + _CLOCKS_SHOWN - 1) + 1)

    def cell(words: str) -> Cell:
        is_no_mode = words not in Mode.__members__
        return Cell(words, Tone.BAD if is_no_mode else Tone.PLAIN)

    return Table(
        title=title,
        header=("clock", *map(str, shown)),
        rows=tuple(
            (Cell(actor), *(Cell(row[clock]) if actor == "bus" else cell(row[clock]) for clock in shown))
            for actor, row in rows.items()
        ),
        said=tuple(f"{str(incident)[0].upper()}{str(incident)[1:]}." for incident in run.incidents),
    )


def pictures(run: Run, beside: Run | None = None) -> tuple[Table | Diagram, ...]:
    """Return pictures of a run, alone, or as one that fails above one that passes, and its state machine.

    A run without a trace has none but its state machine.
    """
    if not len(run.trace):
        return (diagram(run.system),)
    if beside is None:
        return (clocks(run, "Clock by clock"), diagram(run.system))
    return (
        clocks(run, f"{Tone.BAD} {FAILS}"),
        clocks(beside, f"{Tone.GOOD} {NEAREST}"),
        diagram(run.system),
    )


def sheet(run: Run) -> Sheet:
    """Return what is shown of a run."""
    text = lanes(run) if len(run.trace) else repr(run)
    return Sheet(blocks=(Lines(text),), pictures=(diagram(run.system),))


def table(run: Run) -> str:
    """Return a Markdown table with one row a clock: modes, the owner of the bus, and what happened.

    Raises:
        LabError: the run has no trace.
    """
    rows = history(run)
    happened: dict[int, list[str]] = {}
    for event in run.trace:
        if event.action not in ("mode", "grant"):
            detail = (
                " ".join(map(str, event.detail)) if isinstance(event.detail, tuple) else str(event.detail)
            )
            happened.setdefault(event.time, []).append(f"{event.actor} {event.action} {detail}")
    lines = [
        f"| clock | {' | '.join(rows)} | what happens |",
        f"|{' --- |' * (len(rows) + 2)}",
    ]
    for clock in range(run.workload.clocks + 1):
        cells = " | ".join(row[clock] for row in rows.values())
        lines.append(f"| {clock} | {cells} | {'; '.join(happened.get(clock, []))} |")
    return "\n".join(lines)


def diagram(system: System) -> Diagram:
    """Return the state machine of a processor; the codes that are no mode stand apart, as an island.

    What leads to them is noise, and whether anything leads out depends on the system. Of more than
    `_UNUSED_SHOWN_MAX` such codes only some are drawn, and it says so.
    """
    netlist, encoding = synthesise(system), system.encoding
    codes = unused(encoding)
    shown = codes[:_UNUSED_SHOWN_MAX]
    more = [f"and {len(codes) - len(shown)} more"] if len(codes) > len(shown) else []
    names = [*(mode.name for mode in Mode), *(show(encoding, code) for code in shown), *more]
    edges = []
    for mode in Mode:
        commands: dict[Mode, list[str]] = {}
        for command in Command:
            commands.setdefault(next_mode(mode, command), []).append(command.name)
        edges += [
            Edge(names.index(mode.name), names.index(after.name), ", ".join(by))
            for after, by in commands.items()
        ]
    for code in shown:
        following = netlist.next_code[Command.NONE][code]
        by = "any command, RESET too" if following == code else "any command"
        after = show(encoding, following)  # of the codes that are not drawn, "and more" stands for each
        target = names.index(after) if after in names else len(names) - 1
        edges.append(Edge(names.index(show(encoding, code)), target, by))
    return Diagram(
        title="The state machine of a processor",
        nodes=tuple(Node(name, island=number >= len(Mode)) for number, name in enumerate(names)),
        edges=tuple(edges),
        island=_ISLAND,
        said=(f"Power on leads to {Mode.INIT.name}. No command leads to {_ISLAND}.",) if codes else (),
    )


_ISLAND: Final = "codes that are no mode"
_UNUSED_SHOWN_MAX: Final = 8
