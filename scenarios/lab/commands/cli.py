"""The command `heisenlab`.

Exit codes: 0 done, or the property holds (exhausted); 1 found, reproduced, or a problem of the installation;
2 usage or unreadable file; 3 gave up; 130 interrupted; 128 an internal error. `replay --bisect` is made for
`git bisect run`: 0 clean, 1 bug, 125 cannot be judged.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.lab.searchers import Tally

# Nothing of the engine is imported above: a version in which it does not import must end in an exit status of
# this module's, not in Python's 1, which would read as "found".

DONE: Final = 0
FOUND: Final = 1
USAGE: Final = 2
GAVE_UP: Final = 3
CANNOT_JUDGE: Final = 125
INTERNAL: Final = 128
INTERRUPTED: Final = 130

_COMMAND_MODULES: Final[tuple[str, ...]] = ("step", "memory", "record")
"""Modules of `scenarios.lab` that add a command of their own: `add_parser(subparsers)` and `run(args)`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; never raises.

    Args:
        argv: The arguments; None means those of the process.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    bisecting = "--bisect" in arguments
    try:
        parser = _parser()
        args, rest = parser.parse_known_args(arguments)
        if rest and args.command != "test":
            parser.error(f"unrecognized arguments: {' '.join(rest)}")
        if args.command == "test":
            args.pytest_arguments = rest
        status: int = args.run(args)
        sys.stdout.flush()
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else USAGE
        return CANNOT_JUDGE if bisecting and status == USAGE else status
    except KeyboardInterrupt:
        return _complain("interrupted; that is no verdict", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # nobody reads on; exit without a complaint
        return DONE
    except BaseException as error:  # noqa: BLE001  (a traceback must not end in exit code 1)
        return _failed(error, bisecting=bisecting)
    return status


def _failed(error: BaseException, *, bisecting: bool) -> int:
    if bisecting:
        return _complain(f"cannot judge this version: {error or type(error).__name__}", CANNOT_JUDGE)
    names = {kind.__name__ for kind in type(error).__mro__}  # by name, since an import may be what has failed
    if "NondeterminismError" in names:
        return _complain(str(error), INTERNAL)
    if "LabError" in names:
        return _complain(str(error), USAGE)
    traceback.print_exception(error)
    return _complain("this is an error in the laboratory or in a world, and no verdict", INTERNAL)


def _complain(message: str, status: int) -> int:
    print(f"heisenlab: {message}", file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="heisenlab",
        description="A laboratory for bugs that nobody could reproduce.",
        epilog="exit codes: 0 done or holds, 1 found or reproduced, 2 usage or unreadable file, 3 gave up, "
        "128 and more internal error",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    command = _add(commands, "list", "the scenarios, a line each", _list)

    command = _add(commands, "show", "the story of a scenario, its properties and variants", _show)
    command.add_argument("name", metavar="NAME", help="such as invalid-mode")

    command = _add(commands, "hunt", "search a bug, minimise it, verify it", _hunt)
    command.add_argument("name", metavar="NAME", help="such as invalid-mode")
    command.add_argument("--variant", default="as-shipped", metavar="V", help="default: as-shipped")
    command.add_argument(
        "--searcher", default="hypothesis", metavar="S", help="hypothesis, random or exhaustive"
    )
    command.add_argument("--seed", type=int, default=0, metavar="N", help="default: 0")
    command.add_argument("--budget", type=int, metavar="N", help="runs that the search may take")
    command.add_argument("--deviations", type=int, metavar="K", help="deviations that a plan may have")
    command.add_argument("-o", "--output", metavar="FILE", help="save the finding")

    command = _add(commands, "replay", "run a finding again", _replay)
    command.add_argument("file", metavar="FILE", help="what hunt -o wrote")
    command.add_argument("--trace", action="store_true", help="print every event")
    command.add_argument(
        "--bisect",
        action="store_true",
        help="for git bisect run: 0 clean, 1 bug, 125 cannot be judged; searches around the plan where it "
        "does not apply as it stands",
    )

    _add(
        commands, "test", "run the scenarios' tests, installed or not; further arguments go to pytest", _test
    )
    _add(commands, "doctor", "is the code under test the code you think it is?", _doctor)
    for module in _COMMAND_MODULES:
        import_module(f"scenarios.lab.commands.{module}").add_parser(commands)
    return parser


def _add(commands: Any, name: str, purpose: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=purpose, description=purpose, allow_abbrev=False
    )
    parser.add_argument("--json", action="store_true", help="print one JSON value")
    parser.set_defaults(run=run)
    return parser


def _print_json(value: object) -> None:
    print(json.dumps(value, indent=2))


def _list(args: argparse.Namespace) -> int:
    from scenarios.lab.catalogue import catalogue  # noqa: PLC0415
    from scenarios.lab.commands import display  # noqa: PLC0415  (see above; so in every command)

    scenarios = catalogue().values()
    if args.json:
        _print_json([display.summary(scenario) for scenario in scenarios])
    else:
        display.print_catalogue(list(scenarios))
    return DONE


def _show(args: argparse.Namespace) -> int:
    from scenarios.lab.catalogue import get  # noqa: PLC0415
    from scenarios.lab.commands import display  # noqa: PLC0415

    scenario = get(args.name)
    if args.json:
        _print_json(display.whole(scenario))
    else:
        display.print_scenario(scenario)
    return DONE


def _hunt(args: argparse.Namespace) -> int:
    from scenarios.lab.commands import display  # noqa: PLC0415
    from scenarios.lab.finding import check_writable  # noqa: PLC0415
    from scenarios.lab.hunt import hunt  # noqa: PLC0415

    if args.output:
        check_writable(args.output)
    last: list[Tally] = []
    try:
        with display.progress(f"{args.name} / {args.variant}") as watch:

            def watched(tally: Tally) -> None:
                last[:] = [tally]
                watch(tally)

            result = hunt(
                args.name,
                args.variant,
                searcher=args.searcher,
                seed=args.seed,
                budget=args.budget,
                deviations=args.deviations,
                watch=watched,
            )
    except KeyboardInterrupt:
        so_far = f"after {last[0].runs} runs to {last[0].phase}" if last else "before the first run"
        return _complain(f"interrupted {so_far}; that is no verdict", INTERRUPTED)
    if result.finding and args.output:
        result.finding.save(args.output)
    if args.json:
        _print_json(result.to_json())
    else:
        display.print_hunt(result, args.output)
    return {"found": FOUND, "exhausted": DONE, "gave up": GAVE_UP}[result.verdict]


def _replay(args: argparse.Namespace) -> int:
    from scenarios.lab.commands import display  # noqa: PLC0415
    from scenarios.lab.finding import load  # noqa: PLC0415
    from scenarios.lab.replay import bisect_verdict, replay  # noqa: PLC0415

    finding = load(args.file)
    if args.bisect:
        found, runs = bisect_verdict(finding)
        if args.json:
            _print_json({"found": found, "by": finding.by, "runs": runs})
        else:
            print(f"{finding.by} {'fails' if found else 'holds'} ({runs} runs)")
        return FOUND if found else DONE
    result = replay(finding)
    if args.json:
        data = result.to_json()
        if args.trace:
            data["trace"] = list(result.outcome.run.trace)
        _print_json(data)
    else:
        display.print_replay(finding, result, with_trace=args.trace)
    return DONE if result.result == "holds" else FOUND


def _test(args: argparse.Namespace) -> int:
    from scenarios.lab.commands.session import run_tests  # noqa: PLC0415

    return run_tests(args.pytest_arguments, as_json=args.json)


def _doctor(args: argparse.Namespace) -> int:
    from scenarios.lab.commands import display  # noqa: PLC0415
    from scenarios.lab.doctor import fingerprint, instrument_problems, problems  # noqa: PLC0415

    found = fingerprint()
    wrong = [*problems(found), *instrument_problems()]
    if args.json:
        _print_json({**found, "problems": wrong})
    else:
        display.print_fingerprint(found, wrong)
    return FOUND if wrong else DONE


if __name__ == "__main__":
    sys.exit(main())
