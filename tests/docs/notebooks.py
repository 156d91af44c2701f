"""Notebooks are read, run and written here; `python -m tests.docs.notebooks NAME...` writes one anew.

It runs in a clean kernel in an empty folder, and shows what stands in `docs/notebooks/solutions`.
"""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

from tests.docs.notebook_form import EXERCISE, NOTEBOOKS, Lesson, is_code, shown, tags


def read(path: Path) -> Lesson:
    """Return a notebook as a lesson, with the solutions that there are."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        cell["source"] = "".join(cell["source"])
        for output in cell.get("outputs", []):
            if "text" in output:
                output["text"] = "".join(output["text"])
            for kind, said in output.get("data", {}).items():
                output["data"][kind] = "".join(said) if isinstance(said, list) else said
    return Lesson(path.stem, tuple(cells), solutions())


def solutions() -> dict[str, str]:
    """Return the text of each file of solutions, by its name."""
    files = sorted((NOTEBOOKS / "solutions").glob("*.py"))
    return {path.stem: path.read_text(encoding="utf-8") for path in files}


def run(path: Path, folder: Path) -> Any:
    """Return a notebook with the output of a run in a clean kernel, in a folder.

    Raises:
        CellExecutionError: a cell failed.
    """
    import nbclient
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        coalesce_streams=True,  # where a slow machine cuts a stream in two is no difference
        record_timing=False,
    )
    client.execute()
    return notebook


def write(path: Path) -> None:
    """Run a notebook, and write it with its output and the solutions of its exercises."""
    import nbformat

    with tempfile.TemporaryDirectory() as folder:
        notebook = run(path, Path(folder))
    known = solutions()
    for cell, after in zip(notebook.cells, notebook.cells[1:], strict=False):
        found = EXERCISE.match(cell["source"])
        if found and not is_code(cell) and "solution" in tags(after):
            after["source"] = shown(known[f"{path.stem}_{found[1]}"])
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    nbformat.write(notebook, path)


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # what the Jupyter packages warn of is not ours to mend
    for name in sys.argv[1:]:
        write(NOTEBOOKS / f"{name}.ipynb")
