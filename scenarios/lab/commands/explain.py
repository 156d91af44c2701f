"""`heisenlab explain`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from scenarios.lab.commands.command import DONE, file_name
from scenarios.lab.finding import load
from scenarios.lab.method.explain import explain
from simulations.terminal_text import printable_lines

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("file", type=file_name, metavar="FINDING", help="a finding, as written by hunt -o")
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def run(args: argparse.Namespace) -> int:
    """Print a finding as Markdown."""
    finding = load(args.file)
    text = explain(finding, saved_as=args.file)
    if args.json:
        print(json.dumps({"markdown": text, "finding": finding.to_json()}, indent=2))
    else:
        print(printable_lines(text), end="")
    return DONE
