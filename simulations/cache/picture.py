"""Pictures of a run, as text: the clients side by side, and a Mermaid sequence diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulations.drawing.sheet import Lines, Sheet
from simulations.text_columns import aligned

if TYPE_CHECKING:
    from simulations.cache.system import Run
    from simulations.trace import Event

__all__ = ["lanes", "sheet"]

_MARGIN: Final = 2
_SERVERS: Final = ("database", "store")


def _said(event: Event) -> str:
    """Say what happened: `database.read price -> 0`, or `reads 0`."""
    detail = event.detail if isinstance(event.detail, tuple) else (event.detail,)
    return " ".join([event.action, *map(str, detail)]).removesuffix(" -> None")


def lanes(run: Run) -> str:
    """Return a column for each client, and a row for each request and each result, with the time in ms."""
    names = run.workload.names
    rows = [
        [f"{event.time:4}", *(_said(event) if name == event.actor else "" for name in names)]
        for event in run.trace
    ]
    lines = aligned([["  ms", *names], *rows], gap=_MARGIN)
    return "\n".join([*lines, f"in the end: cache {run.cached}, database {run.stored}"])


def sheet(run: Run) -> Sheet:
    """Return what is shown of a run."""
    return Sheet(blocks=(Lines(lanes(run)),))


def sequence_diagram(run: Run) -> str:
    """Return the run as a Mermaid sequence diagram: who asks which server for what, and the answer."""
    lines = ["sequenceDiagram"]
    lines += [f"    participant {name}" for name in (*run.workload.names, "store", "database")]
    for event in run.trace:
        server, _, request = event.action.partition(".")
        if server in _SERVERS:
            asked, _, answer = _said(event).removeprefix(f"{event.action} ").partition(" -> ")
            lines.append(f"    {event.actor}->>{server}: {request} {asked}")
            if answer:
                lines.append(f"    {server}-->>{event.actor}: {answer}")
        else:
            lines.append(f"    Note over {event.actor}: {_said(event)}")
    lines.append(f"    Note over store,database: cache {run.cached}, database {run.stored}")
    return "\n".join(lines)
