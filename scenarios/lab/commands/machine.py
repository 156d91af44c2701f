"""`heisenlab machine`: what the user's own state machine does when its stored state is not a state."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.commands.command import DONE, FOUND, GAVE_UP
from scenarios.lab.commands.user_code import attribute, guarded, load
from simulations.live.state_machines import Verdict, examine
from simulations.terminal_text import printable_lines

if TYPE_CHECKING:
    from simulations.live.state_machines import Report

_EPILOG: Final = """\
MODULE is the name of a module or the path of a file that ends in .py; FACTORY, in it, is a class or a
function that makes a fresh machine. Machines of transitions and python-statemachine know their field, states
and events; for an object of your own, name them.

exit codes: 0 every probe is refused, repaired, led back, or lands in another state; 1 a probe is a dead end;
2 usage; 3 no probe is a dead end, but some are undecided

examples:
  heisenlab machine examine valve.py:make_valve --width 2 --reset reset
  heisenlab machine examine motor:Controller --field mode --states-from Mode --events go,halt --width 8
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand and its arguments."""
    commands = parser.add_subparsers(dest="machine_command", required=True, metavar="COMMAND")
    purpose = "write every unused code and every single bit flip into the stored state, and send every event"
    examined = commands.add_parser(
        "examine",
        help=purpose,
        description=purpose,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    examined.add_argument("factory", type=_factory, metavar="MODULE:FACTORY", help="makes a fresh machine")
    examined.add_argument(
        "--width", type=int, metavar="N", help="bits of the stored field; default: as few as hold the states"
    )
    examined.add_argument(
        "--field", metavar="F", help="where the state is stored, such as mode, hw.mode or regs[0]"
    )
    states = examined.add_mutually_exclusive_group()
    states.add_argument(
        "--states", metavar="A,B,...", help="what the field may hold: texts, or numbers if all of them are"
    )
    states.add_argument(
        "--states-from", metavar="NAME", help="an Enum class or a collection of states in MODULE"
    )
    examined.add_argument("--events", metavar="A,B,...", help="the names of methods without arguments")
    examined.add_argument("--reset", metavar="R", help="the event that is meant to bring the machine back")
    examined.add_argument(
        "--patience", type=int, metavar="N", help="send each event N times in a row; default: 8"
    )
    examined.add_argument("--json", action="store_true", help="print one JSON value")


def run(args: argparse.Namespace) -> int:
    """Examine the machine and print the report.

    Raises:
        LabError: there is no such factory, or the machine cannot be examined as it was given.
    """
    target, name = args.factory
    # What the machine itself prints must not stand between the braces of the JSON.
    with redirect_stdout(sys.stderr if args.json else sys.stdout):
        module = load(target)
        factory = guarded(attribute(module, name, target), name)
        states = _states(args.states)
        if args.states_from is not None:
            states = attribute(module, args.states_from, target)
        options = {
            "width": args.width,
            "field": args.field,
            "states": states,
            "events": None if args.events is None else args.events.split(","),
            "reset": args.reset,
            "patience": args.patience,
        }
        report = examine(factory, **{key: value for key, value in options.items() if value is not None})
    print(json.dumps(report.to_json(), indent=2) if args.json else printable_lines(str(report)))
    return _status(report)


def _factory(words: str) -> tuple[str, str]:
    """Return the module and the name in it."""
    target, _, name = words.rpartition(":")
    if not target or not name:
        raise argparse.ArgumentTypeError(f"{words!r} is not MODULE:FACTORY, such as valve.py:make_valve")
    return target, name


def _states(words: str | None) -> list[Any] | None:
    if words is None:
        return None
    states = words.split(",")
    try:
        return [int(state, base=0) for state in states]
    except ValueError:
        return [*states]


def _status(report: Report) -> int:
    verdicts = {probe.verdict for probe in (*report.codes, *report.flips)}
    if Verdict.DEAD_END in verdicts:
        return FOUND
    return GAVE_UP if Verdict.UNDECIDED in verdicts else DONE
