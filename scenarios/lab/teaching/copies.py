"""The copies of the material that `heisenlab learn` writes: for a teacher as it is, for students to complete.

A student's notebook has no outputs and no solutions, and in each cell that the student completes `...` stands
between the lines `# your turn` and `# until here`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.teaching import material

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LESSONS", "copies", "students_notebook"]

LESSONS: Final = (
    "ten_minutes",
    "stale_cache",
    "invalid_mode",
    "truncated_pointer",
    "vanishing_job",
    "how_it_shrinks",
    "which_searcher",
    "flaky_ci",
    "which_code",
    "your_own_world",
)
"""The names of the lessons in their order, from lesson 0."""

YOURS: Final = "yours"
"""The tag of a cell that the student completes."""
KEPT_BACK: Final = frozenset({"solution", "claims"})
"""The tags of cells that only the teacher has: solutions, and what the tests of the notebook assert."""
BEGINS: Final = "# your turn"
"""The comment behind which the student's own lines begin."""
ENDS: Final = "# until here"
"""The comment in front of which they end."""


def copies(*, teacher: bool) -> dict[str, str]:
    """Return the text of each file by its path in the folder of a course.

    Args:
        teacher: With outputs, solutions and completed cells; else as a student gets it.

    Raises:
        LabError: the installation has no material.
    """
    found = {f"demos/{name}.py": path.read_text("utf-8") for name, path in material.demos().items()}
    for name, path in material.notebooks().items():
        text = path.read_text("utf-8")
        found[f"notebooks/{name}.ipynb"] = text if teacher else _as_text(students_notebook(json.loads(text)))
    if teacher:
        for name, path in material.solutions().items():
            found[f"notebooks/solutions/{name}.py"] = path.read_text("utf-8")
    talk = material.talk()
    if talk is not None:
        found[talk.name] = talk.read_text("utf-8")
    return found


def students_notebook(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook as a student gets it; the one that is given stays as it is.

    Args:
        notebook: What `json.loads` returns for a notebook of version 4.
    """
    cells = [_students_cell(cell) for cell in notebook["cells"] if not KEPT_BACK & _tags(cell)]
    return {**notebook, "cells": cells}


def _students_cell(cell: dict[str, Any]) -> dict[str, Any]:
    if cell["cell_type"] != "code":
        return cell
    source = "".join(cell["source"])
    if YOURS in _tags(cell):
        source = "".join(_to_complete(source.splitlines(keepends=True)))
    return {**cell, "source": source.splitlines(keepends=True), "outputs": [], "execution_count": None}


def _to_complete(lines: list[str]) -> Iterator[str]:
    """Yield the lines of a cell with `...` in place of what the student writes."""
    theirs = False
    for line in lines:
        mark = line.strip()
        theirs = theirs and mark != ENDS
        if not theirs:
            yield line
        if mark == BEGINS:
            theirs = True
            yield f"{line[: len(line) - len(line.lstrip())]}...\n"


def _tags(cell: dict[str, Any]) -> set[str]:
    return set(cell["metadata"].get("tags", ()))


def _as_text(notebook: dict[str, Any]) -> str:
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
