"""`heisenlab new`."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from scenarios.lab.commands.command import DONE, file_path
from scenarios.lab.commands.display import print_line
from scenarios.lab.method.skeleton import new

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("name", metavar="NAME", help="lower case with hyphens, such as lost-update")
    parser.add_argument(
        "--at", type=file_path, metavar="DIR", help="a folder that does not exist yet; default: ./NAME"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def run(args: argparse.Namespace) -> int:
    """Write the files of a new scenario and say what to do with them."""
    folder = args.at or Path(args.name)
    files = new(args.name, folder)
    if args.json:
        print(json.dumps({"name": args.name, "folder": str(folder), "files": files}, indent=2))
        return DONE
    for path in files:
        print_line(f"wrote {folder / path}")
    where = shlex.quote(str(folder))
    print()
    print_line(f"run it:     cd {where} && pytest")
    print_line(f"install it: pip install -e {where} && heisenlab hunt {args.name}")
    return DONE
