"""`heisenlab memory`: where a process's memory lies, and a run in which a cut pointer shows itself."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from simulations.live.memory.errors import RefusedError
from simulations.live.memory.filling import DEFAULT_LIMIT, RESERVE, Filling, Kind
from simulations.live.memory.launch import REFUSED_STATUS, Options, become, check_system, write_report
from simulations.live.memory.layout import (
    GIB,
    TOP,
    Region,
    Span,
    bytes_mapped,
    gaps,
    parse_size,
    picture,
    read_layout,
    size_words,
)
from simulations.live.memory.report import report_json, report_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.live.memory.report import Report

SESSION_LIMIT_VARIABLE = "HEISENLAB_FILL_LOW"
"""Environment variable: the plugin `scenarios.lab.adaptors.memory` fills below so many bytes for the whole
session."""

_DESCRIPTION = """\
Show the address space of a process, or run a program with the low part of its address space filled, so that
a pointer truncated to 32 bits crashes at its first use, every time.
"""

_EPILOG = """\
examples:
  heisenlab memory map 4242
  heisenlab memory run --fill 4G -- ./myprogram document.xml
  heisenlab memory run --squeeze 2G -- ./myprogram document.xml
  heisenlab memory run --follow -- make check
  heisenlab memory pytest -- tests/
"""

_EXIT_STATUS = (
    "Exit status: the command's own; 2 when it was refused; 127 and 126 where a shell returns them."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands and their arguments."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="memory_command", required=True, metavar="COMMAND")
    mapped = commands.add_parser("map", help="the layout of a live process: picture, regions, gaps")
    mapped.add_argument("pid", nargs="?", type=int, metavar="PID", help="a process; this one when left out")
    mapped.add_argument("--json", action="store_true", help="print it as JSON")

    started = commands.add_parser(
        "run",
        help="run a command with part of its address space taken away",
        usage="heisenlab memory run [--fill SIZE | --squeeze SIZE | ...] [option ...] -- CMD ...",
        description="Run a command with part of its address space taken away before its first instruction.",
        epilog=_EXIT_STATUS,
        allow_abbrev=False,
    )
    _add_filling(started)
    started.add_argument(
        "--detach", action="store_true", help="let go after the fill: for debuggers, explains no crash"
    )
    started.add_argument(
        "words", nargs=argparse.REMAINDER, metavar="-- CMD ...", help="the command and its arguments"
    )

    tested = commands.add_parser(
        "pytest",
        help="run a test-suite with part of its address space taken away",
        usage="heisenlab memory pytest [--fill SIZE | --squeeze SIZE | ...] [option ...] -- [ARG ...]",
        description="Run `python -m pytest` with part of its address space taken away.",
        epilog=_EXIT_STATUS,
        allow_abbrev=False,
    )
    _add_filling(tested)
    tested.add_argument(
        "--in-process",
        action="store_true",
        help="fill from inside, where ptrace is not allowed; only --fill, no report",
    )
    tested.add_argument("words", nargs=argparse.REMAINDER, metavar="-- ARG ...", help="arguments of pytest")


def _add_filling(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument(
        "--fill",
        metavar="SIZE",
        help="fill every gap below SIZE (the default, with 4G): a cut pointer crashes",
    )
    kinds.add_argument(
        "--squeeze", metavar="SIZE", help="fill every gap above SIZE: the bug hides, as on an old system"
    )
    kinds.add_argument(
        "--story", metavar="SIZE", help="leave SIZE of low memory, which is used first, then high memory"
    )
    kinds.add_argument("--plain", action="store_true", help="fill nothing, only explain crashes")
    parser.add_argument(
        "--follow", action="store_true", help="also fill the programs that the command starts"
    )
    parser.add_argument(
        "--reserve",
        type=int,
        default=RESERVE,
        metavar="N",
        help=f"mappings left to each program (default {RESERVE})",
    )
    parser.add_argument(
        "--no-python-line",
        action="store_true",
        help="do not set PYTHONFAULTHANDLER, which tells the line of a crash in Python",
    )
    parser.add_argument(
        "--report", metavar="FILE", help="write the report there, as JSON, instead of to standard error"
    )
    parser.add_argument(
        "--json", action="store_true", help="print the report to standard error as one line of JSON"
    )


def run(args: argparse.Namespace) -> int:
    """Do what the parsed arguments ask for.

    Returns:
        The exit status, where this process has not become the command.
    """
    try:
        if args.memory_command == "map":
            return _map(args)
        if args.memory_command == "pytest":
            return _pytest(args)
        return _run(args)
    except RefusedError as refusal:
        return _refuse(str(refusal))


def _refuse(problem: str) -> int:
    sys.stderr.write(f"heisenlab: {problem}\n")
    return REFUSED_STATUS


def _run(args: argparse.Namespace) -> int:
    command = args.words[1:] if args.words[:1] == ["--"] else args.words
    if not command:
        return _refuse(
            "no command to run: write it after two dashes, as in `heisenlab memory run -- ./program`"
        )
    if args.detach and args.follow:
        return _refuse("--detach lets go of the command before it starts children: leave out one of the two")
    return _become(args, command, detach=args.detach, follow=args.follow)


def _pytest(args: argparse.Namespace) -> int:
    words = args.words[1:] if args.words[:1] == ["--"] else args.words
    if not args.in_process:
        command = [sys.executable, "-m", "pytest", *words]
        return _become(args, command, detach=False, follow=args.follow)
    filling = _filling(args)
    if filling.kind != "fill":
        return _refuse("--in-process can only --fill: libraries and heap of this process are where they are")
    check_system()
    environment = {**os.environ, SESSION_LIMIT_VARIABLE: str(filling.size)}
    command = [sys.executable, "-m", "pytest", "-p", "scenarios.lab.adaptors.memory", *words]
    return os.execve(sys.executable, command, environment)  # noqa: S606 - the tests take the place of this command


def _become(args: argparse.Namespace, command: Sequence[str], *, detach: bool, follow: bool) -> int:
    filling = _filling(args)
    if args.reserve < 0:
        return _refuse(
            f"--reserve {args.reserve} is negative: give the number of mappings to leave, such as {RESERVE}"
        )
    target = Path(args.report).resolve() if args.report else None
    if target is not None and not _is_writable(target):
        return _refuse(
            f"cannot write the report to {target}: name a file in a folder that exists and is yours"
        )
    options = Options(
        follow=follow, detach=detach, reserve=args.reserve, python_lines=not args.no_python_line
    )

    def report(result: Report) -> None:
        if target is not None:
            write_report(result, target)
        else:
            _print_report(result, as_json=args.json)

    return become(command, filling, options, report=report)


def _is_writable(path: Path) -> bool:
    if path.is_dir():
        return False
    return os.access(path if path.exists() and not path.is_file() else path.parent, os.W_OK)


def _filling(args: argparse.Namespace) -> Filling:
    kinds: tuple[Kind, ...] = ("fill", "squeeze", "story")
    for kind in kinds:
        text = getattr(args, kind)
        if text is not None:
            try:
                return Filling(kind, parse_size(text))
            except ValueError as error:
                raise RefusedError(f"--{kind}: {error}") from None
    return Filling("plain", 0) if args.plain else Filling("fill", DEFAULT_LIMIT)


def _print_report(report: Report, *, as_json: bool) -> None:
    """Print a report in one piece, so that nothing comes between its lines."""
    if as_json:
        text = json.dumps(report_json(report)) + "\n"
    else:
        text = "".join(
            f"{line if line.startswith(' ') else _heading(line)}\n" for line in report_lines(report)
        )
    with contextlib.suppress(OSError):  # the terminal or the pipe may be gone, and with it whoever would read
        os.write(2, text.encode(errors="backslashreplace"))


def _heading(line: str) -> str:
    """The first line of a paragraph: said to be ours, since it stands among the lines of the command."""
    bold, end = ("\033[1m", "\033[0m") if os.isatty(2) and "NO_COLOR" not in os.environ else ("", "")
    return f"{bold}heisenlab: {line}{end}"


def _map(args: argparse.Namespace) -> int:
    regions = read_layout(args.pid)
    if args.json:
        pid = os.getpid() if args.pid is None else args.pid
        sys.stdout.write(json.dumps(_map_json(pid, regions), indent=1) + "\n")
        return 0
    sys.stdout.write("\n".join(picture(regions)) + "\n\n")
    if sys.stdout.isatty():
        _print_table(regions)
    else:
        for row in _map_rows(regions):
            sys.stdout.write("{:>14}  {:>14}  {:>10}  {:<4}  {}".format(*row).rstrip() + "\n")
    sys.stdout.write("\n" + "".join(f"{line}\n" for line in _low_lines(regions)))
    return 0


def _low_lines(regions: Sequence[Region]) -> list[str]:
    """How much lies below the two lines at which 32 bits end."""
    lines = []
    for end in (2 * GIB, 4 * GIB):
        low = Span(0, end)
        sizes = [gap.size for gap in gaps(regions, low)]
        usable = size_words(bytes_mapped(regions, low, usable_only=True))
        lines.append(
            f"below {size_words(end)}: {usable} usable, {size_words(bytes_mapped(regions, low))} mapped; "
            f"{len(sizes)} gap{'s' * (len(sizes) != 1)}, the largest {size_words(max(sizes, default=0))}"
        )
    return lines


def _map_rows(regions: Sequence[Region]) -> list[tuple[str, str, str, str, str]]:
    """Regions and the gaps between them, as texts."""
    free = [Region(gap, "", 0, "(gap)") for gap in gaps(regions, Span(0, TOP))]
    return [
        (
            f"{region.span.start:x}",
            f"{region.span.end:x}",
            size_words(region.span.size),
            region.permissions,
            region.path if region.usable else region.name,
        )
        for region in sorted([*regions, *free], key=lambda region: region.span.start)
    ]


def _print_table(regions: Sequence[Region]) -> None:
    from rich.console import Console  # noqa: PLC0415 - would double the start of `memory run`, which prints no table
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table("start", "end", "size", "access", "what", box=None, header_style="bold")
    table.columns[-1].overflow = "fold"
    for column in table.columns[:3]:
        column.justify = "right"
    for row in _map_rows(regions):
        table.add_row(*(Text(cell) for cell in row), style="dim" if row[-1] == "(gap)" else None)
    Console().print(table)


def _map_json(pid: int, regions: Sequence[Region]) -> dict[str, object]:
    return {
        "pid": pid,
        "regions": [
            {
                "start": hex(region.span.start),
                "end": hex(region.span.end),
                "permissions": region.permissions,
                "path": region.path,
            }
            for region in regions
        ],
        "gaps": [[hex(gap.start), hex(gap.end)] for gap in gaps(regions, Span(0, TOP))],
        "usable_bytes_below": {
            "2G": bytes_mapped(regions, Span(0, 2 * GIB), usable_only=True),
            "4G": bytes_mapped(regions, Span(0, 4 * GIB), usable_only=True),
        },
    }
