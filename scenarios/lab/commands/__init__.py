"""The command `heisenlab`: one table of commands, one file for each of them.

Exit codes: 0 done, or the property holds (exhausted); 1 found, reproduced, or a problem of the installation;
2 usage or unreadable file; 3 gave up; 130 interrupted, 143
ended by SIGTERM; 128 an internal error. `replay --bisect` is made for
`git bisect run`: 0 clean, 1 bug, 125 cannot be judged.

This module imports nothing of the engine, and only the chosen command's module, inside `main`: a version in
which something does not import must end in an exit code of this module's, not in Python's 1, which would read
as "found".
"""

from __future__ import annotations

import argparse
import errno
import os
import shlex
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from scenarios.lab.commands.command import (
    CANNOT_JUDGE,
    DONE,
    INTERNAL,
    USAGE,
    Command,
    CommandModule,
    Spoilers,
    UsageError,
    interrupted_by,
    interrupted_status,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS: Final = (
    Command("list", "list the scenarios", "list_scenarios", Spoilers.SOME),
    Command("show", "print the story, the properties and the variants of a scenario", "show", Spoilers.SOME),
    Command("hunt", "search for a bug, minimise it, verify it", "hunt", Spoilers.SOME),
    Command("replay", "run a finding again", "replay", Spoilers.SOME),
    Command("compare", "compare searchers: how likely each finds a bug, and how soon", "compare"),
    Command("causality", "say when in a failing run its bug was baked in", "causality", Spoilers.ALL),
    Command(
        "isolate",
        "change one variable at a time, and say which of them are the cause",
        "isolate",
        Spoilers.ALL,
    ),
    Command("step", "step back and forth through a run", "step", Spoilers.ALL),
    Command("test", "run the tests of the scenarios, installed or in a checkout", "test", Spoilers.PASSED_ON),
    Command(
        "demo",
        "show a demonstration: a file of one screen, its red test, what to look at",
        "demo",
        Spoilers.ALL,
    ),
    Command("doctor", "check that the code under test is the code that you mean", "doctor"),
    Command(
        "bisect",
        "name the commit that brought a failure, also one that is flaky",
        "bisect",
        Spoilers.SOME,
    ),
    Command(
        "assumptions",
        "check what a scenario takes for granted, and break it on purpose",
        "assumptions",
        Spoilers.ALL,
    ),
    Command("explain", "explain a finding in Markdown, for a bug report", "explain", Spoilers.ALL),
    Command("report", "write a page about a result, to be mailed", "report", Spoilers.SOME),
    Command("export", "write a finding as a regression test", "export", Spoilers.ALL),
    Command("new", "make a new scenario that runs green from the first minute", "new"),
    Command("learn", "write the lessons, the demonstrations and the slides into a folder", "learn"),
    Command("docs", "serve and open the site that was built, on this machine only", "docs"),
    Command("mark", "mark findings: does each reproduce, and is it least?", "mark", Spoilers.SOME),
    Command("journal", "show a lab journal", "journal", Spoilers.SOME),
    Command("threads", "explore the thread schedules of a program", "threads"),
    Command("machine", "examine what a state machine does with a corrupted state", "machine"),
    Command(
        "memory",
        "find pointers that a program truncates to 32 bits (Linux on x86-64)",
        "memory",
        treats_signals=True,
    ),
    Command("record", "record a long job, and say how and why it ended", "record", treats_signals=True),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; never raises.

    Args:
        argv: The arguments; None means those of the process.
    """
    arguments = sys.argv[1:] if argv is None else [*argv]
    name = next((word for word in arguments if not word.startswith("-")), None)
    bisecting = name == "replay" and "--bisect" in arguments
    try:
        status = _status_of(name, arguments)
        if sys.stdout is not None:  # the caller may have closed it
            sys.stdout.flush()
    except KeyboardInterrupt as error:
        return _complain(f"{interrupted_by(error)}; that is no verdict", interrupted_status(error))
    except BrokenPipeError:  # the reader has gone: exit without a complaint
        return DONE
    except BaseException as error:  # noqa: BLE001  (a traceback must not end in exit code 1)
        return _failed(error, bisecting=bisecting)
    finally:
        _discard_output()
    return CANNOT_JUDGE if bisecting and status == USAGE else status


def _status_of(name: str | None, arguments: Sequence[str]) -> int:
    """Return the status of the command, also where the parser of its arguments has said what is wrong."""
    try:
        return _run(name, arguments)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else USAGE


def _run(name: str | None, arguments: Sequence[str]) -> int:
    chosen = next((command for command in COMMANDS if command.name == name), None)
    parser, chosen_parser = _parsers(chosen)
    if chosen is None or chosen_parser is None:
        parser.parse_args(arguments)  # prints help or version, or says what is wrong
        return USAGE
    from scenarios.lab.covered import NO_SPOILERS  # noqa: PLC0415  (as the next)
    from scenarios.lab.interrupts import delivered  # noqa: PLC0415  (inside the guard, as all of the engine)

    with delivered(endings=not chosen.treats_signals):
        module = cast("CommandModule", import_module(f"{__name__}.{chosen.module}"))
        module.add_arguments(chosen_parser)
        if chosen.spoilers is not Spoilers.PASSED_ON:
            chosen_parser.add_argument(
                "--no-spoilers",
                action="store_true",
                default=bool(os.environ.get(NO_SPOILERS)),
                help=f"hide causes and fixes, for a class that looks for them; also by {NO_SPOILERS}=1",
            )
        args, remaining = parser.parse_known_args(arguments)
        args.typed = shlex.join(["heisenlab", *arguments])
        if "remaining" in args:
            args.remaining = remaining
        elif remaining:
            chosen_parser.error(_printable(f"unrecognized arguments: {' '.join(remaining)}"))
        if chosen.spoilers is Spoilers.ALL and args.no_spoilers:
            chosen_parser.error(f"with --no-spoilers there is no {chosen.name}: it says what the cause is")
        try:
            return module.run(args)
        except UsageError as error:
            chosen_parser.error(_printable(str(error)))


def _parsers(chosen: Command | None) -> tuple[argparse.ArgumentParser, argparse.ArgumentParser | None]:
    """Return the parser of `heisenlab`, and within it that of the chosen command, still without arguments."""
    parser = argparse.ArgumentParser(
        prog="heisenlab",
        description="A laboratory for bugs that nobody could reproduce.",
        epilog="exit codes: 0 done or holds, 1 found or reproduced, 2 usage or unreadable file, 3 gave up, "
        "128 and more internal error",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_PrintVersion, nargs=0, help="print the version and exit")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    chosen_parser = None
    for command in COMMANDS:
        subparser = subparsers.add_parser(
            command.name, help=command.help, description=command.help, allow_abbrev=False
        )
        if command == chosen:
            chosen_parser = subparser
    return parser, chosen_parser


class _PrintVersion(argparse.Action):
    """Look the version up only when it is asked for: that reads files."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib import metadata  # noqa: PLC0415  (would double the start of every other command)

        try:
            version = metadata.version("heisenlab")
        except metadata.PackageNotFoundError:
            version = "(not installed)"
        python = sys.version_info
        print(f"heisenlab {version}, Python {python.major}.{python.minor}.{python.micro}")
        parser.exit()


_OF_NAMES: Final = frozenset(
    {errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.EROFS}
)
"""What the system says of a name that the user gave, wherever it is looked at; not that nothing is there."""
_OF_ROOM: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM})
"""What the system says where it has no descriptor, process or memory left."""
_NAME_SHOWN_MAX: Final = 200


def _failed(error: BaseException, *, bisecting: bool) -> int:
    if bisecting:
        return _complain(f"cannot judge this version: {error or type(error).__name__}", CANNOT_JUDGE)
    names = {kind.__name__ for kind in type(error).__mro__}  # by name, since an import may be what has failed
    if "NondeterminismError" in names:
        return _complain(str(error), INTERNAL)
    if "LabError" in names:
        return _complain(str(error), USAGE)
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EDQUOT}:
        return _complain(f"cannot write: {error.strerror}; make room, or write elsewhere", USAGE)
    if isinstance(error, MemoryError) or getattr(error, "errno", None) in _OF_ROOM:
        why = getattr(error, "strerror", None) or "memory ran out"
        return _complain(f"{why}: end other programs, or raise the limit; that is no verdict", USAGE)
    if isinstance(error, FileNotFoundError) and _is_nowhere():
        return _complain("the current folder has been removed; change into another one", USAGE)
    if isinstance(error, FileNotFoundError) and error.filename is None:  # of `tempfile`
        return _complain(f"{error.strerror}; name one that can be written, with TMPDIR", USAGE)
    if isinstance(error, OSError) and error.errno in _OF_NAMES and isinstance(error.filename, str):
        name = error.filename[:_NAME_SHOWN_MAX]
        return _complain(f"cannot use {name}: {error.strerror}; name another file or folder", USAGE)
    with suppress(OSError):  # as below
        traceback.print_exception(error)
    return _complain("this is an error in the laboratory or in a world, and no verdict", INTERNAL)


def _is_nowhere() -> bool:
    try:
        os.getcwd()  # noqa: PTH109  (needs nothing of ours)
    except OSError:
        return True
    return False


def _complain(message: str, status: int) -> int:
    """Say something, where there is room for it, and return the status, which is settled in any case."""
    with suppress(OSError):
        print(f"heisenlab: {_printable(message)}", file=sys.stderr)
    return status


def _printable(message: str) -> str:
    try:
        from simulations.terminal_text import printable  # noqa: PLC0415  (most commands complain of nothing)
    except Exception:  # noqa: BLE001  (where it does not import, this has to be said all the same)
        return ascii(message)
    return printable(message)


def _discard_output() -> None:
    """Let what cannot be written go nowhere: the end of the process would say so, with its own status."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None:  # the caller has closed it
            continue
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
