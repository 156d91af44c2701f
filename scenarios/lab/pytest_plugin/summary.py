"""The summary of a session: a table that one look takes in, then the plan and the command of each bug."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.verdict import Minimality

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from scenarios.lab.pytest_plugin.rows import Row

_GAP: Final = "  "
_INDENT: Final = "    "
_WIDTH_MIN: Final = 20


class Column(Enum):
    """The columns of the table by their headings, in the order in which they stand."""

    BUG = "bug"
    VERDICT = "verdict"
    SEARCH = "search runs"
    MINIMISING = "minimising"
    MINIMAL = "minimal"
    FOLK_FIXES = "folk fixes"
    FIXES = "fixes"
    HIDDEN_INPUT = "hidden input"


_GIVEN_UP: Final = (
    Column.HIDDEN_INPUT,
    Column.MINIMAL,
    Column.MINIMISING,
    Column.SEARCH,
    Column.FIXES,
    Column.FOLK_FIXES,
    Column.VERDICT,
)
"""In which order columns leave a table that is too wide; what they hold then stands below it."""

_FIGURES: Final = frozenset({Column.SEARCH, Column.MINIMISING})


class Fate(Enum):
    """The result of hunting a repair, in the words of the summary."""

    DIFFERS = "NOT AS DOCUMENTED"
    BROKEN = "folk fixes broken"
    NOTHING_FOUND = "fixes in which nothing was found"
    EXHAUSTED = "fixes that hold, exhausted at {bound}"
    BREAKS_BEYOND = "fixes that break beyond the {bound} that they are exhausted at"


@dataclass(frozen=True)
class _Bug:
    """A line of the table: the hunts of one bug by one searcher, or a bug of which only repairs were hunted.

    Attributes:
        name: The name of the scenario, with the searcher where that is not the usual one.
        hunts: The hunts of what was shipped.
        repairs: The hunts of its repairs; they belong to the first line of a scenario.
    """

    name: str
    hunts: tuple[Row, ...]
    repairs: tuple[Row, ...]

    @property
    def hidden_input(self) -> str:
        """The input that nobody recorded."""
        return (*self.hunts, *self.repairs)[0].hidden_input


def render(rows: Sequence[Row], width: int, *, spoilers: bool, replay: Callable[[Row], str]) -> list[str]:
    """Return the lines that a terminal shows: the table, then for each bug what does not fit into one.

    Hunts of one bug by one searcher share a line, since they are to end in one and the same finding.

    Args:
        rows: The hunts of the session.
        width: Columns of the terminal. Where the table is too wide, some of its columns move below it. A
            command is never broken, so that it can be copied.
        spoilers: Whether causes and fixes are shown.
        replay: Returns the command that replays the finding of a row, or an empty text.
    """
    bugs = _bugs(rows)
    tables = [_cells(bug, spoilers=spoilers) for bug in bugs]
    columns = _fitting(tables, width)
    widths = {column: max(len(cells[column]) for cells in (_headings(), *tables)) for column in columns}
    lines = [_line(cells, widths) for cells in (_headings(), *tables)] if bugs else []
    for bug, cells in zip(bugs, tables, strict=True):
        lines.append("")
        moved = [column for column in Column if column not in columns and cells[column] != _NONE]
        if not spoilers:
            moved = [column for column in moved if column is not Column.HIDDEN_INPUT]
        said = "; ".join(f"{column.value}: {cells[column]}" for column in moved)
        lines += wrap(f"{bug.name} ({said})" if said else bug.name, width)
        lines += _details(bug, width, spoilers=spoilers, replay=replay)
    return lines


def _bugs(rows: Iterable[Row]) -> list[_Bug]:
    rows = sorted(rows, key=lambda row: (row.scenario, row.position))  # they come in as tests end
    bugs: list[_Bug] = []
    for scenario in dict.fromkeys(row.scenario for row in rows):
        shipped: dict[str, list[Row]] = {}
        repairs = []
        for row in rows:
            if row.scenario == scenario and row.kind == "as shipped":
                shipped.setdefault(row.hunt["searcher"], []).append(row)
            elif row.scenario == scenario:
                repairs.append(row)
        for searcher, hunts in (shipped or {"hypothesis": []}).items():
            name = scenario if searcher == "hypothesis" else f"{scenario} ({searcher})"
            bugs.append(_Bug(name, tuple(hunts), tuple(repairs)))
            repairs = []
    return bugs


_NONE: Final = "-"


def _headings() -> dict[Column, str]:
    return {column: column.value for column in Column}


def _cells(bug: _Bug, *, spoilers: bool) -> dict[Column, str]:
    found = [row.hunt for row in bug.hunts if row.finding is not None]
    folk = [row for row in bug.repairs if row.kind == "folk fix"]
    fixes = [row for row in bug.repairs if row.kind == "fix"]
    senses = dict.fromkeys(Minimality.read(hunt["minimality"]).value for hunt in found)
    return {
        Column.BUG: bug.name,
        Column.VERDICT: _verdict(bug.hunts),
        Column.SEARCH: _range([row.hunt["search_runs"] for row in bug.hunts]),
        Column.MINIMISING: _range([hunt["minimising_runs"] for hunt in found]),
        Column.MINIMAL: ", ".join(senses) or _NONE,
        Column.FOLK_FIXES: _count(folk, "broken"),
        Column.FIXES: _count(fixes, "hold"),
        Column.HIDDEN_INPUT: bug.hidden_input if spoilers else "(hidden)",
    }


def _verdict(hunts: Sequence[Row]) -> str:
    if not hunts:
        return _NONE
    found = sum(row.finding is not None for row in hunts)
    if len(hunts) == 1:
        return str(hunts[0].hunt["verdict"])
    return f"{found} found" if found == len(hunts) else f"{found} of {len(hunts)} found"


def _count(repairs: Sequence[Row], fate: str) -> str:
    """Say how many repairs did what is documented of them, each counted once however often it was hunted."""
    names = {row.variant for row in repairs}
    expected = len(names - {row.variant for row in repairs if not row.as_expected})
    if not names:
        return _NONE
    return f"{expected} {fate}" if expected == len(names) else f"{expected} of {len(names)} {fate}"


def _fitting(tables: Sequence[Mapping[Column, str]], width: int) -> list[Column]:
    """Return the columns for which there is room."""
    columns = list(Column)
    for given_up in _GIVEN_UP:
        widths = [max(len(cells[column]) for cells in (_headings(), *tables)) for column in columns]
        if sum(widths) + len(_GAP) * (len(widths) - 1) <= width:
            break
        columns.remove(given_up)
    return columns


def _line(cells: Mapping[Column, str], widths: Mapping[Column, int]) -> str:
    padded = [
        cells[column].rjust(width) if column in _FIGURES else cells[column].ljust(width)
        for column, width in widths.items()
    ]
    return _GAP.join(padded).rstrip()


def _details(bug: _Bug, width: int, *, spoilers: bool, replay: Callable[[Row], str]) -> list[str]:
    """Return each least plan of a bug in words with what replays it, then what became of the repairs."""
    lines: list[str] = []
    by_plan: dict[str, list[Row]] = {}
    for row in bug.hunts:
        plan = row.hunt["plan_in_words"] or row.hunt["says"]
        by_plan.setdefault(plan if spoilers else "", []).append(row)
    for plan, rows in by_plan.items():
        lines += wrap(plan, width, _INDENT)
        for labels in dict.fromkeys(_labels(row.hunt) for row in rows if row.finding is not None):
            lines += wrap(f"least over the labels {labels}", width, _INDENT) if labels and spoilers else []
        lines += [_INDENT + command for command in {replay(row): None for row in rows} if command]
    for fate, names in _repairs(bug.repairs, spoilers=spoilers).items():
        lines += wrap(f"{fate}: {', '.join(names) if spoilers else len(names)}", width, _INDENT)
    return lines


def _labels(hunt: Mapping[str, Any]) -> str:
    return Minimality.labels_in(hunt["minimality"])


def _repairs(repairs: Sequence[Row], *, spoilers: bool) -> dict[str, dict[str, None]]:
    """Return the repairs by what became of them."""
    fates: dict[str, dict[str, None]] = {}
    for row in repairs:
        fate = _fate(row)
        bound = f"{row.withstands} deviation{'' if row.withstands == 1 else 's'}"
        runs = f" ({_runs(row.hunt['search_runs'])})" if row.hunt["verdict"] == "gave up" else ""
        name = row.variant + runs if spoilers else row.shown
        fates.setdefault(fate.value.format(bound=bound), {})[name] = None
    return fates


def _fate(row: Row) -> Fate:
    if not row.as_expected:
        return Fate.DIFFERS
    if row.kind == "folk fix":
        return Fate.BROKEN
    by_verdict = {"gave up": Fate.NOTHING_FOUND, "exhausted": Fate.EXHAUSTED, "found": Fate.BREAKS_BEYOND}
    return by_verdict[row.hunt["verdict"]]


def minimality(hunt: Mapping[str, Any], *, spoilers: bool) -> str:
    """Return in what sense a plan is minimal; labels tell where the cause is, so they may be hidden."""
    text: str = hunt["minimality"]
    return text if spoilers else Minimality.read(text).value


def _range(numbers: Sequence[int]) -> str:
    if not numbers:
        return _NONE
    least, most = min(numbers), max(numbers)
    return str(most) if least == most else f"{least} to {most}"


def _runs(number: int) -> str:
    return f"{number} run{'' if number == 1 else 's'}"


def wrap(text: str, width: int, indent: str = "") -> list[str]:
    """Break a text into the lines of a terminal, at spaces only.

    Args:
        text: The text.
        width: Columns of the terminal; fewer than 20 count as 20.
        indent: What stands before the first line; the others are indented once more.
    """
    return textwrap.wrap(
        text,
        max(width, _WIDTH_MIN),
        initial_indent=indent,
        subsequent_indent=indent + _INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
