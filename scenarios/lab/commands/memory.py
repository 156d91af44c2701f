"""`heisenlab memory`: the address space of a process, and programs run with part of theirs filled."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scenarios.lab.closed_streams import leave_closed
from scenarios.lab.commands.command import DONE, file_name
from scenarios.lab.commands.display import print_line
from simulations.live.memory.errors import RefusedError
from simulations.live.memory.filling import (
    DEFAULT_LIMIT,
    RESERVE,
    SESSION_LIMIT_VARIABLE,
    Filling,
    Kind,
)
from simulations.live.memory.launch import become, check_system, write_report
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
from simulations.live.memory.options import Options
from simulations.live.memory.report import crash_lines, report_json, report_lines
from simulations.terminal_text import printable, shown
from simulations.text_columns import aligned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.live.memory.report import Report

_DESCRIPTION: Final = """\
Show the address space of a process, or run a program with the low part of its address space filled, so that
a pointer truncated to 32 bits crashes at its first use, every time.
"""

_EPILOG: Final = """\
examples:
  heisenlab memory map 4242
  heisenlab memory run --fill 4G -- ./myprogram document.xml
  heisenlab memory run --squeeze 2G -- ./myprogram document.xml
  heisenlab memory run --follow -- make check
  heisenlab memory pytest -- tests/
"""

_EXIT_CODES: Final = (
    "exit codes: the command's own; 2 refused; 127 not found, 126 not executable, as in a shell"
)


@dataclass(frozen=True)
class Request:
    """A program to run with part of its address space filled.

    Attributes:
        command: The program and its arguments.
        filling: Which addresses to take from it.
        options: How to run and watch it.
        report_file: Where the report goes; None is the standard error.
        as_json: Whether the report on the standard error is JSON.
    """

    command: tuple[str, ...]
    filling: Filling
    options: Options
    report_file: Path | None
    as_json: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands and their arguments."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="memory_command", required=True, metavar="COMMAND")
    purpose = "print the address space of a live process: picture, regions, gaps"
    mapped = commands.add_parser("map", help=purpose, description=purpose, allow_abbrev=False)
    mapped.add_argument("pid", nargs="?", type=int, metavar="PID", help="a process; default: this one")
    mapped.add_argument("--json", action="store_true", help="print one JSON value")

    purpose = "run a command with part of its address space filled before its first instruction"
    started = commands.add_parser(
        "run",
        help=purpose,
        usage="heisenlab memory run [--fill SIZE | --squeeze SIZE | ...] [option ...] -- CMD ...",
        description=purpose,
        epilog=_EXIT_CODES,
        allow_abbrev=False,
    )
    _add_filling(started)
    started.add_argument(
        "--detach", action="store_true", help="stop watching after the fill: for debuggers; explains no crash"
    )
    started.add_argument(
        "words", nargs=argparse.REMAINDER, metavar="-- CMD ...", help="the command and its arguments"
    )

    purpose = "run python -m pytest with part of its address space filled"
    tested = commands.add_parser(
        "pytest",
        help=purpose,
        usage="heisenlab memory pytest [--fill SIZE | --squeeze SIZE | ...] [option ...] -- [ARG ...]",
        description=purpose,
        epilog=_EXIT_CODES,
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
        help="fill every gap below SIZE, so that a truncated pointer crashes; the default, with 4G",
    )
    kinds.add_argument(
        "--squeeze",
        metavar="SIZE",
        help="fill every gap above SIZE, so that the bug hides, as on an old system",
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
        help=f"leave N mappings to each program; default: {RESERVE}",
    )
    parser.add_argument(
        "--no-python-line",
        action="store_true",
        help="do not set PYTHONFAULTHANDLER, which makes Python print the line of a crash",
    )
    parser.add_argument("--report", type=file_name, metavar="FILE", help="write the report to FILE, as JSON")
    parser.add_argument(
        "--json", action="store_true", help="print the report to standard error as one line of JSON"
    )


def run(args: argparse.Namespace) -> int:
    """Print the map, or become the program.

    Returns:
        The exit code, where this process has not become the program.

    Raises:
        RefusedError: the request cannot be carried out, here or at all.
    """
    if args.memory_command == "map":
        return _map(args.pid, as_json=args.json)
    words = tuple(args.words[1:] if args.words[:1] == ["--"] else args.words)
    if args.memory_command == "run":
        if not words:
            raise RefusedError(
                "no command to run: write it after two dashes, as in `heisenlab memory run -- ./program`"
            )
        if args.detach and args.follow:
            raise RefusedError(
                "--detach lets go of the command before it starts children: leave out one of the two"
            )
        return _become(_request(args, words, detach=args.detach))
    if args.in_process:
        return _become_pytest_in_process(words, _filling(args))
    return _become(_request(args, (sys.executable, "-m", "pytest", *words), detach=False))


def _request(args: argparse.Namespace, command: tuple[str, ...], *, detach: bool) -> Request:
    filling = _filling(args)
    if args.reserve < 0:
        raise RefusedError(
            f"--reserve {args.reserve} is negative: give the number of mappings to leave, such as {RESERVE}"
        )
    report_file = None
    if args.report:
        from scenarios.lab.commands.pictures import check_target  # noqa: PLC0415  (knows how to draw)

        check_target(args.report, None, f"cannot write the report to {shown(args.report)}", "")
        report_file = Path(os.path.realpath(args.report))
    options = Options(
        follow=args.follow, detach=detach, reserve=args.reserve, python_lines=not args.no_python_line
    )
    return Request(command, filling, options, report_file, args.json)


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


def _become_pytest_in_process(words: Sequence[str], filling: Filling) -> int:
    if filling.kind != "fill":
        raise RefusedError(
            "--in-process can only --fill: libraries and heap of this process are where they are"
        )
    check_system()
    environment = {**os.environ, SESSION_LIMIT_VARIABLE: str(filling.size)}
    command = [sys.executable, "-m", "pytest", "-p", "scenarios.lab.adaptors.memory", *words]
    return os.execve(sys.executable, command, environment)  # noqa: S606  (the tests replace this command)


def _become(request: Request) -> int:
    def report(result: Report) -> None:
        if request.report_file is None:
            _print_report(result, as_json=request.as_json)
            return
        try:
            write_report(result, request.report_file)
        except OSError:
            _print_report(result, as_json=request.as_json)  # rather there than nowhere
            raise

    leave_closed()
    return become(request.command, request.filling, request.options, report=report)


def _print_report(report: Report, *, as_json: bool) -> None:
    """Print a report in one piece, so that nothing comes between its lines."""
    if as_json:
        lines = [json.dumps(report_json(report))]
    else:
        paragraphs = [report_lines(replace(report, crashes=())), *map(crash_lines, report.crashes)]
        lines = [
            line
            for heading, *rest in paragraphs
            for line in (_heading(printable(heading)), *map(printable, rest))
        ]
    text = "".join(f"{line}\n" for line in lines)
    with contextlib.suppress(OSError):  # the terminal or the pipe may be gone, and with it the reader
        os.write(2, text.encode(errors="backslashreplace"))


def _heading(line: str) -> str:
    """Return the first line of a paragraph, marked as ours: it stands among the lines of the command."""
    bold, end = ("\033[1m", "\033[0m") if os.isatty(2) and "NO_COLOR" not in os.environ else ("", "")
    return f"{bold}heisenlab: {line}{end}"


def _map(pid: int | None, *, as_json: bool) -> int:
    regions = read_layout(pid)
    if as_json:
        print(json.dumps(_map_json(os.getpid() if pid is None else pid, regions), indent=2))
        return DONE
    for line in (*picture(regions), ""):
        print_line(line)
    rows = [("start", "end", "size", "access", "what"), *_map_rows(regions)]
    for line in (*aligned(rows, gap=2), "", *_low_lines(regions)):
        print_line(line)
    return DONE


def _low_lines(regions: Sequence[Region]) -> list[str]:
    """Return how much lies below the two limits of 32 bits, signed and unsigned."""
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
    """Return the regions and the gaps between them as cells, the first three aligned to the right."""
    free = [Region(gap, "", 0, "(gap)") for gap in gaps(regions, Span(0, TOP))]
    return [
        (
            f"{region.span.start:>12x}",
            f"{region.span.end:>12x}",
            f"{size_words(region.span.size):>10}",
            region.permissions,
            region.path if region.usable else region.name,
        )
        for region in sorted([*regions, *free], key=lambda region: region.span.start)
    ]


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
