"""`heisenlab threads`: the thread schedules of the user's own program."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Final

from scenarios.lab.commands.command import DONE, FOUND, GAVE_UP
from scenarios.lab.commands.display import afterwards, complain
from scenarios.lab.commands.pictures import add_picture_arguments, check_pictures, save_pictures
from scenarios.lab.commands.user_code import attribute, guarded, load
from simulations.errors import LabError
from simulations.live.threads import explore
from simulations.live.threads.picture import schedules
from simulations.terminal_text import printable_lines

if TYPE_CHECKING:
    from simulations.live.threads import Exploration

_STATUSES: Final = {"found": FOUND, "exhausted": DONE, "gave up": GAVE_UP}

_EPILOG: Final = """\
FILE.py defines, at its top level or in a class NAME:
  setup()        makes the state that the threads share, anew for each schedule
  workers        a list of functions, or a mapping from names to functions: each gets a thread and the state
  check(state)   returns False or raises when the end is wrong; may be left out

exit codes: 0 exhausted (no schedule fails), 1 found, 2 usage, 3 gave up

examples:
  heisenlab threads run account.py
  heisenlab threads run races.py::LostUpdate --searcher exhaustive --preemptions 2
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand and its arguments."""
    commands = parser.add_subparsers(dest="threads_command", required=True, metavar="COMMAND")
    purpose = "search for a schedule under which a program fails, minimise it, explain it"
    explored = commands.add_parser(
        "run",
        help=purpose,
        description=purpose,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    explored.add_argument("program", type=_program, metavar="FILE.py[::NAME]", help="the program to explore")
    explored.add_argument(
        "--searcher",
        default="portfolio",
        metavar="S",
        help="portfolio, random, pct or exhaustive; default: portfolio",
    )
    explored.add_argument(
        "--granularity",
        default="access",
        metavar="G",
        help="where threads may be switched: access, sync (at locks, queues, ... only) or gil (where this "
        "interpreter switches); default: access",
    )
    explored.add_argument(
        "--max-schedules", type=int, default=1_000, metavar="N", help="give up after N; default: 1000"
    )
    explored.add_argument("--seconds", type=float, metavar="S", help="give up after S seconds")
    explored.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the search; default: 0")
    explored.add_argument(
        "--preemptions", type=int, metavar="N", help="run every schedule of at most N preemptions"
    )
    add_picture_arguments(explored)
    explored.add_argument("--json", action="store_true", help="print one JSON value")


def run(args: argparse.Namespace) -> int:
    """Explore the program and print the exploration.

    Raises:
        LabError: there is no such program, it cannot be imported, or it cannot be explored.
    """
    if args.searcher == "replay":
        raise LabError("the searcher replay needs a plan: use simulations.live.threads.replay in Python")
    check_pictures(args)
    path, name = args.program
    # What the program itself prints must not stand between the braces of the JSON.
    with redirect_stdout(sys.stderr if args.json else sys.stdout):
        program, where = load(path), path
        if name:
            program, where = attribute(program, name, path), f"{path}::{name}"
        exploration = explore(
            guarded(attribute(program, "setup", where), "setup"),
            attribute(program, "workers", where),
            getattr(program, "check", None),
            searcher=args.searcher,
            granularity=args.granularity,
            max_schedules=args.max_schedules,
            max_preemptions=args.preemptions,
            seconds=args.seconds,
            seed=args.seed,
        )
    with afterwards(lambda: _draw(args, exploration)):
        print(json.dumps(exploration.to_json(), indent=2) if args.json else printable_lines(str(exploration)))
    return _STATUSES[exploration.verdict]


def _draw(args: argparse.Namespace, exploration: Exploration) -> None:
    if exploration.runs:
        save_pictures(args, schedules(exploration.runs), exploration.sheet())
    elif args.svg or args.png or args.html:
        complain("nothing was found, so there is nothing to draw")


def _program(words: str) -> tuple[str, str]:
    """Return the path and the name, which may be empty."""
    path, _, name = words.partition("::")
    if not path.endswith(".py"):
        raise argparse.ArgumentTypeError(f"{path!r} does not end in .py")
    return path, name
