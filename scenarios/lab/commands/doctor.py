"""`heisenlab doctor`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from scenarios.lab.commands.command import DONE, FOUND
from scenarios.lab.commands.display import print_facts
from scenarios.lab.doctor import fingerprint, problems
from simulations.live import threads

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from scenarios.lab.doctor import Fingerprint


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def run(args: argparse.Namespace) -> int:
    """Print what identifies the code under test, and what is wrong with it."""
    code = fingerprint()
    wrong = [*problems(code), *([reason] if (reason := threads.refusal()) else [])]
    if args.json:
        print(json.dumps({**code, "problems": wrong}, indent=2))
    else:
        _print(code, wrong)
    return FOUND if wrong else DONE


def _print(code: Fingerprint, wrong: Sequence[str]) -> None:
    dirty = {True: ", with uncommitted changes", False: ", clean", None: ""}[code["dirty"]]
    facts = [
        *((f"{package} from", path) for package, path in code["paths"].items()),
        ("python", f"{code['python']} ({code['implementation']}, {code['platform']})"),
        (
            "heisenlab",
            f"installed {code['installed'] or 'no'}, source {code['source'] or 'not in a checkout'}",
        ),
        ("commit", f"{code['commit'] or 'not in a git checkout of heisenlab'}{dirty}"),
        *((name, version or "missing") for name, version in code["versions"].items()),
        *(("problem", line) for line in wrong),
    ]
    print_facts(facts)
    if not wrong:
        print("\nno problem found")
