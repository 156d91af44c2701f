"""`heisenlab learn`."""

from __future__ import annotations

import json
import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from scenarios.lab.commands.command import DONE, file_path
from scenarios.lab.commands.display import print_line
from scenarios.lab.commands.export import removed_unless_done, write_new
from scenarios.lab.teaching import material
from scenarios.lab.teaching.copies import LESSONS, copies
from simulations.errors import LabError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Write the lessons, the demonstrations and the slides into a folder. What is there already is never "
        "overwritten. Students get notebooks without outputs and solutions, with cells to complete."
    )
    parser.add_argument(
        "folder", type=file_path, nargs="?", default=Path("heisenlab-course"), metavar="DIR", help="where to"
    )
    parser.add_argument(
        "--teacher", action="store_true", help="with outputs, with solutions, and with all cells completed"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def run(args: argparse.Namespace) -> int:
    """Write the files, and say how to open the first of them."""
    found = copies(teacher=args.teacher)
    written = write_course(args.folder, found)
    if args.json:
        data = {"folder": str(args.folder), "teacher": args.teacher, "files": [*found]}
        print(json.dumps(data, indent=2))
        return DONE
    print_line(f"wrote {len(written)} files to {args.folder}")
    for number, name in enumerate(LESSONS):
        if f"notebooks/{name}.ipynb" in found:
            print_line(f"  lesson {number}: notebooks/{name}.ipynb")
    print_line(f"  demonstrations: {', '.join(sorted(material.demos()))}")
    print()
    where = args.folder
    for name, command, path in (
        ("open the first lesson", "jupyter lab", _first(found, "notebooks/*.ipynb", "ten_minutes")),
        ("see a red property test", "pytest", _first(found, "demos/*.py", "given")),
        ("show the slides", "npx @marp-team/marp-cli --preview", _first(found, "talk.md", "talk")),
    ):
        if path is not None:
            print_line(f"{name + ':':<24} {command} {shlex.quote(str(where / path))}")
    if find_spec("jupyterlab") is None:
        print("\nThe lessons are notebooks, and JupyterLab is not here: pip install jupyterlab")
    return DONE


def _first(paths: Sequence[str] | dict[str, str], kind: str, stem: str) -> str | None:
    """Return the path of a kind with this stem; where there is none, the first of that kind."""
    fitting = [path for path in paths if Path(path).match(kind)]
    return next((path for path in fitting if Path(path).stem == stem), fitting[0] if fitting else None)


def write_course(folder: Path, files: dict[str, str]) -> list[Path]:
    """Write files into a folder, all of them or none.

    Raises:
        LabError: one of them is there already, or cannot be written.
    """
    targets = {folder / path: text for path, text in files.items()}
    there = [path for path in targets if path.exists()]
    if there:
        raise LabError(f"{there[0]} exists and is left as it is; name a folder that does not exist yet")
    above = {parent for path in targets for parent in path.parents if not parent.exists()}
    folders = sorted(above, key=lambda parent: len(parent.parts))
    made: list[Path] = []
    with removed_unless_done(made):
        try:
            for new in folders:
                new.mkdir()
                made.append(new)
        except OSError as error:
            raise LabError(f"cannot make {folder}: {error.strerror}; name another folder") from error
        for path, text in targets.items():
            write_new(path, text)
            made.append(path)
    return [*targets]
