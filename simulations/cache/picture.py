"""Pictures of a run, as text: the clients side by side, and a Mermaid sequence diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from simulations.cache.system import Run
    from simulations.trace import Event

_MARGIN: Final = 2
_SERVERS: Final = ("database", "store")


def _said(event: Event) -> str:
    """Say what happened: `database.read price -> 0`, or `reads 0`."""
    detail = event.detail if isinstance(event.detail, tuple) else (event.detail,)
    return " ".join([event.action, *map(str, detail)]).removesuffix(" -> None")


def lanes(run: Run) -> str:
    """Return a column for each client, and a row for each request and each result, with the time in ms."""
    names = run.workload.names
    rows = [(str(event.time), names.index(event.actor), _said(event)) for event in run.trace]
    widths = [
        max([len(name), *(len(text) for _, lane, text in rows if lane == number)])
        for number, name in enumerate(names)
    ]
    gap = " " * _MARGIN
    lines = [gap.join(["  ms", *(name.ljust(width) for name, width in zip(names, widths, strict=True))])]
    for time, lane, text in rows:
        cells = [(text if number == lane else "").ljust(width) for number, width in enumerate(widths)]
        lines.append(gap.join([time.rjust(4), *cells]))
    lines.append(f"in the end: cache {run.cached}, database {run.stored}")
    return "\n".join(line.rstrip() for line in lines)


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
