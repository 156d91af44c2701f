"""`heisenlab export`."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from scenarios.lab.catalogue import get
from scenarios.lab.commands.command import DONE, file_name
from scenarios.lab.commands.display import print_line
from scenarios.lab.finding import load
from scenarios.lab.method.explain import export, name_of_test
from simulations.errors import LabError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("file", type=file_name, metavar="FINDING", help="a finding, as written by hunt -o")
    parser.add_argument(
        "-o", "--output", type=file_name, metavar="FILE", help="a new file; default: print the test"
    )
    parser.add_argument(
        "--variant", metavar="V", help="the variant that the test runs; default: the finding's"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def run(args: argparse.Namespace) -> int:
    """Print or write a finding as a regression test."""
    finding = load(args.file)
    get(finding.scenario).variant(args.variant or finding.variant)
    text = export(finding, variant=args.variant)
    if args.output:
        write_new(Path(args.output), text)
    if args.json:
        name = f"test_{name_of_test(finding)}"
        print(json.dumps({"name": name, "file": args.output, "test": text}, indent=2))
    elif args.output:
        print_line(f"wrote {args.output}; run it with pytest {args.output}")
    else:
        print(text, end="")
    return DONE


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet, whole or not at all.

    Raises:
        LabError: it is there, or cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file, removed_unless_done([path]):
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise LabError(f"{path} exists and is left as it is; name another file") from error
    except OSError as error:
        raise LabError(f"cannot write {path}: {error.strerror}; name another file") from error


@contextmanager
def removed_unless_done(made: Sequence[Path]) -> Iterator[None]:
    """Remove files and folders where what makes them does not come to its end.

    Args:
        made: Those that were made so far, each folder before what is in it.
    """
    try:
        yield
    except BaseException:
        for path in reversed(made):
            with suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
        raise
