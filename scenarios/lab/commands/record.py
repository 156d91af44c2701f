"""`heisenlab record`: the flight recorder of a real long job, from the command line.

The exit status is the job's own; where a signal ended the job, the recorder ends by the same signal, so that
the program that started it sees what it would have seen without it. 2 is a usage error, before the job began.
Nothing else keeps the job from running: what cannot be recorded is a warning.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scenarios.lab.commands.command import UsageError, file_path
from simulations.errors import LabError
from simulations.terminal_text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.live.recorder import Options, Recorded

ATTEMPTS_MAX: Final = 1000

_EPILOG: Final = """\
heisenlab record show DIR    prints and plots the newest run in DIR, and compares all of them
                             (to record a command that is called show, write -- before it)

The log is DIR/0001/log, DIR/0002/log, ...: one record a line, with its checksum. It holds command lines and
the last lines of output, and only its owner may read it; --redact keeps a text out of it. What cannot be
recorded is said in one line, and the job runs all the same. Needs Linux; show works everywhere.
"""
_SHOW_SECRETS_HELP: Final = (
    "print passwords, tokens and keys as they were recorded, which is hidden otherwise"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = "Run a command, sample it and its children, and say how and why it ended."
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.usage = "heisenlab record [options] -- CMD [ARG ...]\n       heisenlab record show [--json] DIR"
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="where the runs are kept; default: record-CMD"
    )
    parser.add_argument(
        "--log", type=Path, metavar="FILE", help="the job's log file, if it writes one beside its output"
    )
    parser.add_argument(
        "--interval", type=float, default=1.0, metavar="S", help="seconds between samples; default: 1"
    )
    parser.add_argument(
        "--until-success", type=int, default=1, metavar="N", help="rerun a failing job, at most N runs"
    )
    parser.add_argument(
        "--inherit",
        action="store_true",
        help="do not look at the output at all (for full-screen programs)",
    )
    parser.add_argument(
        "--trace-signals",
        action="store_true",
        help="ask the kernel who sends signals; needs root and tracefs",
    )
    parser.add_argument(
        "--redact",
        action="append",
        default=[],
        metavar="PATTERN",
        help="do not write down what this regular expression matches in a command line or a line of output; "
        "may be given several times",
    )
    parser.add_argument("--show-secrets", action="store_true", help=_SHOW_SECRETS_HELP)
    parser.add_argument("--quiet", action="store_true", help="do not print the verdict when the job ends")
    parser.add_argument(
        "--json",
        action="store_true",
        help="print the verdict as JSON (on the standard error: the output is the job's)",
    )
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="-- CMD", help="the command to run")


def run(args: argparse.Namespace) -> int:
    """Record a command, or show what was recorded; return the exit status.

    Where a signal ended the job, this does not return: the process ends by that signal.

    Raises:
        LabError: the options, the folder or the system do not allow it.
    """
    words: list[str] = args.words
    if words[:1] == ["show"]:
        return _show(words[1:], args)
    if sys.platform != "linux":
        raise LabError(
            f"heisenlab record needs Linux, and this is {sys.platform}: run it, and the job, in a container "
            "or in WSL; heisenlab record show reads a recording here, too"
        )
    command = words[1:] if words[:1] == ["--"] else words
    if not command:
        raise UsageError("name the command to run: heisenlab record -o DIR -- CMD")
    if not 1 <= args.until_success <= ATTEMPTS_MAX:
        raise UsageError(f"--until-success {args.until_success} is out of range; choose 1 to {ATTEMPTS_MAX}")
    from simulations.live import recorder  # noqa: PLC0415  (needs a POSIX system, the parser does not)
    from simulations.live.recorder import output  # noqa: PLC0415  (as above)

    options = recorder.Options(
        interval_s=args.interval,
        log=_absolute(args.log) if args.log else None,
        output=output.INHERIT if args.inherit else output.AUTO,
        trace_signals=args.trace_signals,
        redact=tuple(args.redact),
    )
    folder = args.output or Path(f"record-{Path(command[0]).name}")
    status = _record(command, folder, options, args)
    return _end_alike(-status) if status < 0 else status


def _absolute(path: Path) -> Path:
    """Return an absolute path, or the path itself where the current folder has been removed."""
    try:
        return path.absolute()
    except OSError:
        return path


def _record(command: Sequence[str], folder: Path, options: Options, args: argparse.Namespace) -> int:
    from simulations.live.recorder import launch  # noqa: PLC0415  (as above)
    from simulations.live.recorder.supervisor import (  # noqa: PLC0415  (as above)
        NOT_EXECUTABLE,
        NOT_FOUND,
        NothingStartedError,
        supervise,
    )

    status, runs = 0, []
    for attempt in range(1, args.until_success + 1):
        try:
            recorded = supervise(command, folder, options, _warn)
        except NothingStartedError as error:
            return launch.run_in_place(command, error, _warn)
        status = recorded.status
        runs.append(recorded)
        if not args.quiet:
            _report(recorded, args, alone=args.until_success == 1)
        ended = recorded.asked_to_end or status in (0, NOT_EXECUTABLE, NOT_FOUND)
        if ended or attempt == args.until_success:
            break
    if args.until_success > 1 and not args.quiet:
        _report_series(runs, args)
    return status


def _say(words: str) -> None:
    """Write to the standard error; a terminal that is gone must not change the status."""
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    with contextlib.suppress(OSError):
        os.write(2, (words + "\n").encode(encoding, errors="backslashreplace"))


def _warn(words: str) -> None:
    _say(f"heisenlab record: warning: {printable(words)}")


def _report(recorded: Recorded, args: argparse.Namespace, *, alone: bool) -> None:
    """Print the verdict; whatever goes wrong here, the status is the job's."""
    try:
        if recorded.folder is None:
            return
        from scenarios.lab.commands import record_display  # noqa: PLC0415  (rich is not needed until now)
        from simulations.live import recorder  # noqa: PLC0415  (as above)

        if recorded.mid_line:  # as after a progress bar
            _say("")
        found = recorder.report(recorded.folder, show_secrets=args.show_secrets)
        if args.json:
            _say(json.dumps(found.to_json()))
        else:
            record_display.print_verdict(found, alone=alone, passed_on=recorded.status)
    except Exception as error:  # noqa: BLE001  (whatever it is)
        _warn(f"no verdict can be printed: {str(error) or type(error).__name__}")


def _report_series(runs: Sequence[Recorded], args: argparse.Namespace) -> None:
    """Print what the runs have in common; whatever goes wrong here, the status is the job's."""
    try:
        from scenarios.lab.commands import record_display  # noqa: PLC0415  (rich is not needed until now)
        from simulations.live.recorder.report import compare_runs, comparison_as_json  # noqa: PLC0415  (as above)

        folders = [each.folder for each in runs if each.folder is not None]
        compared = compare_runs(folders, show_secrets=args.show_secrets)
        if args.json:
            _say(json.dumps({"runs": comparison_as_json(compared)}))
        else:
            record_display.print_series(compared, len(runs) - len(folders))
    except Exception as error:  # noqa: BLE001  (whatever it is)
        _warn(f"no summary can be printed: {str(error) or type(error).__name__}")


def _show(words: Sequence[str], given: argparse.Namespace) -> int:
    parser = argparse.ArgumentParser(
        prog="heisenlab record show",
        description="Print and plot a recorded run, and compare all runs of the same command beside it.",
        allow_abbrev=False,
    )
    parser.add_argument("--json", action="store_true", default=given.json, help="print it as JSON")
    parser.add_argument(
        "--show-secrets", action="store_true", default=given.show_secrets, help=_SHOW_SECRETS_HELP
    )
    parser.add_argument("folder", type=file_path, metavar="DIR", help="a folder of runs, or one run in it")
    args = parser.parse_args(words)
    from scenarios.lab.commands import record_display  # noqa: PLC0415  (as above)
    from simulations.live import recorder  # noqa: PLC0415  (as above)

    found = recorder.report(args.folder, show_secrets=args.show_secrets)
    if args.json:
        print(json.dumps(found.to_json(), indent=2))
    else:
        record_display.print_report(found)
    return 0


def _end_alike(number: int) -> int:
    """End this process by a signal, without a second core dump."""
    import resource  # noqa: PLC0415  (not there on every system)
    import signal  # noqa: PLC0415  (as above)

    with contextlib.suppress(AttributeError, ValueError, OSError):  # it may be closed
        sys.stdout.flush()
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError, OSError):
        signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)
    return 128 + number
