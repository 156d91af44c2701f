"""The bench in other layouts: where code lives, and what things are called, changes no verdict.

    python -m tests.quality.threads.layouts [NAME ...]

prints for each program, and for its repaired twin, whether all layouts give the same verdict, kind of
failure, number of preemptions and sense in which the schedule is least. The layouts are the source of the
bench as it stands, split over two modules; inside a function; as a notebook cell, with no file; as one cell
with the frame of the bench; and with attributes of the shared state that are called like methods of
primitives.
"""

from __future__ import annotations

import ast
import linecache
import sys
from itertools import count
from pathlib import Path
from textwrap import indent
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simulations.live.threads import explore
from tests.quality.threads import bench
from tests.quality.threads.thread_programs import MODULES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.quality.threads.bench import Program

HOSTILE: Final = (
    *("release", "acquire", "_shutdown", "_is_owned", "_after_fork", "wait", "notify", "put", "join"),
    *("locked", "submit", "result", "_release_save", "_python_exit", "task_done", "sleep", "run", "start"),
    *("is_set", "_set_tstate_lock", "_at_fork_reinit", "cancel", "notify_all", "qsize", "_acquire_restore"),
)
"""Names that the standard library uses for what a scheduler has to treat with care."""
SCHEDULES_MAX: Final = 300
MINIMISE_MAX: Final = 400
NUMBERS: Final = count()


class Judged(NamedTuple):
    """What was said about a program; the words of a person stand in none of it."""

    verdict: str
    kind: str | None
    preemptions: int
    least: str


def judged(program: Program, *, fixed: bool) -> Judged:
    """Explore a program, or its repaired twin."""
    made = program.make(fixed)
    result = explore(
        made.setup, made.workers, made.check, max_schedules=SCHEDULES_MAX, minimise_max=MINIMISE_MAX
    )
    kind = None if result.failure is None else str(result.failure.kind)
    return Judged(result.verdict, kind, result.preemptions, result.minimality)


def as_it_stands(text: str) -> str:
    """Leave the source as it is."""
    return text


def nested(text: str) -> str:
    """Put all of it into a function."""
    inner = indent(text, "    ")
    return f"def build():\n{inner}\n    return PROGRAMS\n\n\nPROGRAMS = build()\n"


def in_one_cell(text: str) -> str:
    """Put the frame of the bench into the same cell."""
    frame = Path(bench.__file__).read_text().replace("from __future__ import annotations\n", "")
    kept = [line for line in text.splitlines() if not line.startswith("from tests.quality.threads.bench")]
    return "from __future__ import annotations\n" + frame + "\n".join(kept) + "\n"


def with_hostile_names(text: str) -> str:
    """Rename the attributes of shared state that the module itself names."""
    tree = ast.parse(text)
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Box"
    ]
    own = sorted({keyword.arg for call in calls for keyword in call.keywords if keyword.arg})
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names = dict(zip(own, (name for name in HOSTILE if name not in used), strict=False))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            node.attr = names.get(node.attr, node.attr)
    for call in calls:
        for keyword in call.keywords:
            keyword.arg = names.get(keyword.arg or "", keyword.arg)
    return ast.unparse(tree)


LAYOUTS: Final[dict[str, Callable[[str], str]]] = {
    "nested": nested,
    "cell": as_it_stands,
    "one cell": in_one_cell,
    "hostile names": with_hostile_names,
}


def programs_in(layout: str) -> Iterator[Program]:
    """Yield the programs of the bench, defined anew in a layout; code has no file, as in a notebook."""
    for module in MODULES:
        text = LAYOUTS[layout](Path(module.__file__).read_text())
        name = f"<{layout} {next(NUMBERS)}>"
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        space: dict[str, Any] = vars(ModuleType("__main__"))
        exec(compile(text, name, "exec"), space)
        yield from space["PROGRAMS"]


def main() -> int:
    """Print the figures; return 1 if a verdict differs."""
    wanted = set(sys.argv[1:])
    here = {program.name: program for module in MODULES for program in module.PROGRAMS}
    there = {layout: {program.name: program for program in programs_in(layout)} for layout in LAYOUTS}
    different = tried = 0
    for name, program in here.items():
        if wanted and name not in wanted:
            continue
        for fixed in (False, True):
            expected = judged(program, fixed=fixed)
            found = {layout: judged(there[layout][name], fixed=fixed) for layout in LAYOUTS}
            others = {layout: one for layout, one in found.items() if one != expected}
            tried += len(LAYOUTS)
            different += len(others)
            twin = ", repaired" if fixed else ""
            sys.stdout.write(f"{name}{twin}: {expected.verdict}; {others or 'the same everywhere'}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{tried} comparisons, {different} differ\n")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
