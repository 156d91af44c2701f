"""What the hunts of a pytest session came to, as rows that travel between processes and as text."""

from __future__ import annotations

import dataclasses
import json
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.finding import Finding, from_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

AS_SHIPPED: Final = "as-shipped"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One hunt of a session.

    Attributes:
        test: The node id of the test that hunted.
        scenario: The name of the scenario.
        catalogued: Whether the scenario can be had by its name.
        variant: The name of the variant.
        shown: How reports call the two; it does not give a fix away where spoilers are hidden.
        position: The place of the variant in its scenario.
        kind: As shipped, folk fix, or fix.
        hidden_input: The input that nobody recorded.
        withstands: The number of deviations that the variant is to be exhausted at, or None.
        hunt: The hunt as `Hunt.to_json` gives it.
        finding: The finding as `Finding.to_json` gives it, or None.
        as_expected: Whether the hunt came to what the variant is expected to come to.
    """

    test: str
    scenario: str
    catalogued: bool
    variant: str
    shown: str
    position: int
    kind: str
    hidden_input: str
    withstands: int | None
    hunt: dict[str, Any]
    finding: dict[str, Any] | None
    as_expected: bool

    def dumps(self) -> str:
        """Return the row as a text that any channel carries."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def loads(cls, text: str) -> Row:
        """Read what `dumps` wrote."""
        return cls(**json.loads(text))

    def found(self) -> Finding | None:
        """Return the finding of the hunt, or None."""
        return None if self.finding is None else from_json(self.finding)


_HEADINGS: Final = ("bug", "verdict", "search", "minimising", "minimality", "hidden input")
_FIGURES: Final = frozenset({2, 3})
_GAP: Final = "  "
_INDENT: Final = "    "


def render(rows: Sequence[Row], width: int, *, spoilers: bool, replay: Callable[[Row], str]) -> list[str]:
    """Return the lines that a terminal shows: a row per bug, its least plan, how to replay it.

    Hunts of one bug by one searcher share a row, since they are to end in one and the same finding.

    Args:
        rows: The hunts of the session.
        width: Columns of the terminal; where the table does not fit, each figure gets a line of its own. A
            command is never broken, so that it can be copied.
        spoilers: Whether causes and fixes are shown.
        replay: Returns the command that replays the finding of a row, or an empty text.
    """
    rows = sorted(rows, key=lambda row: (row.scenario, row.position))  # they come in as tests end
    bugs: dict[str, list[Row]] = {}
    for row in rows:
        if row.kind == "as shipped":
            searcher = row.hunt["searcher"]
            name = row.scenario if searcher == "hypothesis" else f"{row.scenario} ({searcher})"
            bugs.setdefault(name, []).append(row)
    cells = [_cells(name, hunts, spoilers=spoilers) for name, hunts in bugs.items()]
    widths = [max(map(len, column)) for column in zip(_HEADINGS, *cells, strict=True)]
    table = sum(widths) + len(_GAP) * (len(widths) - 1) <= width
    lines = [_line(_HEADINGS, widths)] if table and bugs else []
    for hunts, values in zip(bugs.values(), cells, strict=True):
        if table:
            lines.append(_line(values, widths))
        else:
            lines += _one_below_the_other(values, width)
        if spoilers:
            for said in dict.fromkeys(row.hunt["plan_in_words"] or row.hunt["says"] for row in hunts):
                lines += wrap(said, width, _INDENT)
        lines += [_INDENT + command for command in {replay(row): None for row in hunts} if command]
    for name in dict.fromkeys(row.scenario for row in rows):
        lines += _repairs(name, [row for row in rows if row.scenario == name], width, spoilers=spoilers)
    return lines


def _cells(name: str, hunts: Sequence[Row], *, spoilers: bool) -> tuple[str, ...]:
    found = [row.hunt for row in hunts if row.finding is not None]
    return (
        name,
        hunts[0].hunt["verdict"] if len(hunts) == 1 else f"found {len(found)} of {len(hunts)}",
        _range([row.hunt["search_runs"] for row in hunts]),
        _range([hunt["minimising_runs"] for hunt in found]),
        ", ".join(dict.fromkeys(minimality(hunt, spoilers=spoilers) for hunt in found)) or "-",
        hunts[0].hidden_input if spoilers else "(hidden)",
    )


def minimality(hunt: dict[str, Any], *, spoilers: bool) -> str:
    """Return in what sense a plan is minimal; labels tell where the cause is, so they may be hidden."""
    of: str = hunt["minimality"]
    kept, over, _ = of.partition(" over labels")
    return of if spoilers else kept + over


def _range(numbers: Sequence[int]) -> str:
    if not numbers:
        return "-"
    least, most = min(numbers), max(numbers)
    return _runs(most) if least == most else f"{least} to {_runs(most)}"


def _one_below_the_other(values: Sequence[str], width: int) -> list[str]:
    pairs = zip(_HEADINGS, values, strict=True)
    lines = [
        wrap(f"{heading}: {value}", width, "" if heading == "bug" else _INDENT) for heading, value in pairs
    ]
    return [line for wrapped in lines for line in wrapped]


def _runs(number: int) -> str:
    return f"{number} run{'' if number == 1 else 's'}"


def _line(values: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        value.rjust(width) if column in _FIGURES else value.ljust(width)
        for column, (value, width) in enumerate(zip(values, widths, strict=True))
    ]
    return _GAP.join(padded).rstrip()


def wrap(text: str, width: int, indent: str = "") -> list[str]:
    """Break a text into the lines of a terminal, at spaces only."""
    return textwrap.wrap(
        text,
        max(width, 20),
        initial_indent=indent,
        subsequent_indent=indent + _INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _repairs(scenario: str, rows: Sequence[Row], width: int, *, spoilers: bool) -> list[str]:
    """Say what became of the repairs of one scenario, each counted once however often it was hunted."""
    fates: dict[str, dict[str, None]] = {}
    for row in rows:
        if row.kind != "as shipped":
            runs = f" ({_runs(row.hunt['search_runs'])})" if row.hunt["verdict"] == "gave up" else ""
            fates.setdefault(_fate(row), {})[row.variant + runs if spoilers else row.shown] = None
    said = [f"{fate}: {', '.join(names) if spoilers else len(names)}" for fate, names in fates.items()]
    return wrap(f"{scenario}: {'; '.join(said)}", width) if said else []


def _fate(row: Row) -> str:
    if not row.as_expected:
        return "NOT AS DOCUMENTED"
    if row.kind == "folk fix":
        return "folk fixes broken"
    if row.hunt["verdict"] == "gave up":
        return "fixes in which nothing was found"
    bound = f"{row.withstands} deviation{'' if row.withstands == 1 else 's'}"
    if row.hunt["verdict"] == "exhausted":
        return f"fixes that hold, exhausted at {bound}"
    return f"fixes that break beyond the {bound} that they are exhausted at"
