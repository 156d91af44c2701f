"""The form of a lesson, over a notebook as data: each rule yields the places that break it, with the way out.

`test_notebook_form.py` applies them to the notebooks, and shows that each of them finds a planted violation.

A cell that the student completes has the tag `yours`; the next code, `check`, asserts something about it. The
last code cell has the tag `claims` and asserts what the prose says. What a cell with the tag `varies` prints
depends on the machine, so it is not compared. A cell with the tag `live` needs a real machine, and is not run
where a lesson runs in a browser. The solution of an exercise stands in a cell with the tag `solution`.
"""

from __future__ import annotations

import ast
import html
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTEBOOKS: Final = Path(__file__).parents[2] / "docs/notebooks"
COLUMNS_MAX: Final = 88
IMPORT_LINES_MAX: Final = 5
CELL_LINES_MAX: Final = 35

SECTIONS: Final = (
    "You will be able to",
    "Look",
    "The story",
    "The hidden input",
    "Hypothesis by hand",
    "The hunt",
    "Shrinking, watched",
    "Folk fixes",
    "The proof of the fix",
    "What caused it",
    "Your own code",
    "Take home",
    "Exercises",
    "Background",
    "Next",
)
IN_EVERY_LESSON: Final = frozenset(
    {"You will be able to", "Look", "Take home", "Exercises", "Background", "Next"}
)
STORIES: Final = frozenset({"stale_cache", "invalid_mode", "truncated_pointer", "vanishing_job"})
"""The lessons that have all sections; the others leave out what makes no sense for them."""

PLUMBING: Final = frozenset(
    {"IPython", "contextlib", "inspect", "io", "json", "matplotlib", "os", "subprocess"}
)
TAGS: Final = frozenset({"yours", "check", "claims", "solution", "varies", "live"})
BEGINS, ENDS = "# your turn", "# until here"
HEAD: Final = re.compile(r"^# .+\n\n\*\*Prerequisites:\*\* .+ \*\*Minutes:\*\* \d+\.?\n", re.DOTALL)
EXERCISE: Final = re.compile(r"^### (\d+)\. (Read|Change|Build): \S")


@dataclass(frozen=True)
class Lesson:
    """A notebook.

    Attributes:
        name: The name of its file.
        cells: Its cells, as they stand in the file, with their text in one piece.
        solutions: The text of each file of solutions, by its name.
    """

    name: str
    cells: tuple[Any, ...]
    solutions: dict[str, str]

    def tagged(self, tag: str) -> list[int]:
        """Return the numbers of the cells with a tag."""
        return [number for number, cell in enumerate(self.cells) if tag in tags(cell)]


def tags(cell: Any) -> list[str]:
    """Return the tags of a cell."""
    found: list[str] = cell["metadata"].get("tags", [])
    return found


def is_code(cell: Any) -> bool:
    """Return whether a cell holds code."""
    return bool(cell["cell_type"] == "code")


def shown(text: str) -> str:
    """Return the cell that shows a file of a solution."""
    return f"<details><summary>Solution</summary>\n\n```python\n{text.strip()}\n```\n\n</details>"


def sections(lesson: Lesson) -> Iterator[str]:
    """The sections have their names and their order, and none is missing."""
    found = [
        line.removeprefix("## ").strip()
        for cell in lesson.cells
        if not is_code(cell)
        for line in cell["source"].splitlines()
        if line.startswith("## ")
    ]
    for name in found:
        if name not in SECTIONS:
            yield f"section {name!r} is none of the form; a heading inside a section begins with ###"
    known = [name for name in found if name in SECTIONS]
    if known != sorted(set(known), key=SECTIONS.index):
        yield f"the sections stand in another order, or twice: {known}"
    needed = SECTIONS if lesson.name in STORIES else IN_EVERY_LESSON
    for name in sorted(set(needed) - set(known), key=SECTIONS.index):
        yield f"section {name!r} is missing"


def head(lesson: Lesson) -> Iterator[str]:
    """Prerequisites and minutes stand in a line below the title."""
    if not HEAD.match(lesson.cells[0]["source"] + "\n"):
        yield "it must begin with '# Title', an empty line, '**Prerequisites:** ... **Minutes:** N'"


def imports(lesson: Lesson) -> Iterator[str]:
    """There are few lines of imports, and none of plumbing."""
    lines = 0
    for number, cell in enumerate(lesson.cells):
        if not is_code(cell):
            continue
        for node in ast.walk(ast.parse(cell["source"])):
            if not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            lines += (node.end_lineno or node.lineno) - node.lineno + 1
            names = (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in node.names]
            )
            for name in names:
                if name.partition(".")[0] in PLUMBING:
                    yield f"cell {number} imports {name}: a lesson needs no plumbing"
    if lines > IMPORT_LINES_MAX:
        yield f"{lines} lines of imports, at most {IMPORT_LINES_MAX}"


def room(lesson: Lesson) -> Iterator[str]:
    """Code and what it prints fit into the column, and a cell on the screen."""
    for number, cell in enumerate(lesson.cells):
        if not is_code(cell):
            continue
        lines = cell["source"].splitlines()
        if len(lines) > CELL_LINES_MAX:
            yield f"cell {number} has {len(lines)} lines, at most {CELL_LINES_MAX}"
        printed = [line for output in cell["outputs"] for line in printed_by(output).splitlines()]
        for line in (*lines, *printed):
            if len(line) > COLUMNS_MAX:
                yield f"cell {number} has {len(line)} columns, at most {COLUMNS_MAX}: {line}"


def printed_by(output: Any) -> str:
    """Return the text of an output that stands in columns; that of a table in HTML is broken into lines."""
    data = output.get("data", {})
    if "text/html" in data:
        return html.unescape("\n".join(re.findall("<pre>(.*?)</pre>", data["text/html"], re.DOTALL)))
    return str(output.get("text") or data.get("text/plain") or "")


def turns(lesson: Lesson) -> Iterator[str]:
    """What the student writes is marked, and the next cell checks it."""
    for number, cell in enumerate(lesson.cells):
        for tag in tags(cell):
            if tag not in TAGS:
                yield f"cell {number} has the tag {tag!r}; there are {', '.join(sorted(TAGS))}"
        lines = [line.strip() for line in cell["source"].splitlines()]
        marks = [line for line in lines if line in {BEGINS, ENDS}]
        if "yours" in tags(cell) or (marks and is_code(cell)):
            if "yours" not in tags(cell) or marks != [BEGINS, ENDS]:
                yield f"cell {number}: one {BEGINS!r}, one {ENDS!r}, and the tag 'yours' belong together"
            elif not any(lines[lines.index(BEGINS) + 1 : lines.index(ENDS)]):
                yield f"cell {number}: nothing stands between {BEGINS!r} and {ENDS!r}"
            after = next((each for each in lesson.cells[number + 1 :] if is_code(each)), None)
            if after is None or "check" not in tags(after):
                yield f"the code after cell {number} must check what the student wrote: tag 'check'"
    if lesson.name in STORIES and not lesson.tagged("yours"):
        yield "the student writes nothing: no cell has the tag 'yours'"


def claims(lesson: Lesson) -> Iterator[str]:
    """What the prose says is asserted: in the cells that check, and in the last ones."""
    code = [number for number, cell in enumerate(lesson.cells) if is_code(cell)]
    if not code or "claims" not in tags(lesson.cells[code[-1]]):
        yield "the last code cell must have the tag 'claims'"
    for number in sorted({*lesson.tagged("claims"), *lesson.tagged("check")}):
        tree = ast.parse(lesson.cells[number]["source"])
        if not any(isinstance(node, ast.Assert) for node in ast.walk(tree)):
            yield f"cell {number} asserts nothing"


def exercises(lesson: Lesson) -> Iterator[str]:
    """Exercises are numbered, of three kinds, and each has the solution that stands in its file."""
    numbers, kinds = [], set()
    for place, cell in enumerate(lesson.cells):
        found = EXERCISE.match(cell["source"])
        if is_code(cell) or not found:
            continue
        numbers.append(int(found[1]))
        kinds.add(found[2])
        name = f"{lesson.name}_{found[1]}"
        after = lesson.cells[place + 1 : place + 2]
        if name not in lesson.solutions:
            yield f"exercise {found[1]} has no solution: docs/notebooks/solutions/{name}.py"
        elif (
            not after
            or "solution" not in tags(after[0])
            or after[0]["source"] != shown(lesson.solutions[name])
        ):
            yield (
                f"cell {place + 1} must have the tag 'solution' and show solutions/{name}.py: "
                f"python -m tests.docs.notebooks {lesson.name} writes it"
            )
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"exercises are numbered from 1, not {numbers}"
    if kinds != {"Read", "Change", "Build"}:
        yield f"the exercises are {sorted(kinds)}; there must be Read, Change and Build"
    ours = {name for name in lesson.solutions if name.rpartition("_")[0] == lesson.name}
    for name in sorted(ours - {f"{lesson.name}_{number}" for number in numbers}):
        yield f"solutions/{name}.py solves no exercise"


def live(lesson: Lesson) -> Iterator[str]:
    """Where no cell with the tag `live` runs, the others run all the same: no name is missing."""
    bound: dict[str, set[bool]] = {}
    used: list[tuple[int, str]] = []
    for number, cell in enumerate(lesson.cells):
        if not is_code(cell):
            continue
        alive = "live" in tags(cell)
        for name in names_bound(ast.parse(cell["source"])):
            bound.setdefault(name, set()).add(alive)
        if not alive:
            nodes = ast.walk(ast.parse(cell["source"]))
            used += [(number, node.id) for node in nodes if isinstance(node, ast.Name)]
    for number, name in used:
        if bound.get(name) == {True}:
            yield f"cell {number} uses {name}, which only a cell with the tag 'live' makes"


def names_bound(tree: ast.Module) -> Iterator[str]:
    """Yield each name that a cell binds, at whatever depth: rather one too many."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]


RULES: Final = (sections, head, imports, room, turns, claims, exercises, live)
