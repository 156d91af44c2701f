"""Pictures of a run and of a state machine, as text: lanes, a table, a Mermaid diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulations.drawing.sheet import Lines, Sheet
from simulations.errors import LabError
from simulations.mode_machine.encodings import Mode, show, unused
from simulations.mode_machine.netlist import next_mode, synthesise
from simulations.mode_machine.workload import Command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simulations.mode_machine.system import Run
    from simulations.mode_machine.variants import System

__all__ = ["lanes", "sheet", "state_diagram"]


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


def sheet(run: Run) -> Sheet:
    """Return what is shown of a run."""
    return Sheet(blocks=(Lines(lanes(run) if len(run.trace) else repr(run)),))


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


def state_diagram(system: System) -> str:
    """Return the state machine of a processor as Mermaid text.

    The unused codes stand apart, as an island: what leads to it is noise, and whether anything leads out
    depends on the system. Of more than `_UNUSED_SHOWN_MAX` unused codes only some are drawn, and it says so.
    """
    netlist, encoding = synthesise(system), system.encoding
    lines = ["stateDiagram-v2", "    direction LR", "    [*] --> INIT: power on"]
    for mode in Mode:
        commands: dict[Mode, list[str]] = {}
        for command in Command:
            commands.setdefault(next_mode(mode, command), []).append(command.name)
        for after, names in commands.items():
            lines.append(f"    {mode.name} --> {after.name}: {', '.join(names)}")
    codes = unused(encoding)
    shown = codes[:_UNUSED_SHOWN_MAX]
    if not shown:
        return "\n".join(lines)
    lines.append('    state "codes that are no mode" as island {')
    lines += [f'        state "{show(encoding, code)}" as u{code}' for code in shown]
    if len(codes) > len(shown):
        lines.append(f'        state "and {len(codes) - len(shown)} more" as more')
    lines.append("    }")
    for code in shown:
        following = netlist.next_code[Command.NONE][code]
        if following == code:
            lines.append(f"    u{code} --> u{code}: any command, RESET too")
        elif netlist.mode[following] is None:
            lines.append(f"    u{code} --> u{following}: any command")
        else:
            lines.append(f"    u{code} --> {show(encoding, following)}: any command")
    return "\n".join(lines)


_UNUSED_SHOWN_MAX: Final = 8
