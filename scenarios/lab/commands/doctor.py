"""`heisenlab doctor`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scenarios.lab import installation
from scenarios.lab.commands.command import DONE, FOUND, file_path
from scenarios.lab.commands.display import print_facts
from scenarios.lab.doctor import fingerprint, problems
from simulations.errors import LabError
from simulations.live import threads

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from scenarios.lab.doctor import Fingerprint


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    labels = ", ".join(installation.LABELS)
    parser.add_argument("--label", metavar="VARIABLE", help=f"the environment variable that says {labels}")
    parser.add_argument(
        "--lock", type=file_path, metavar="FILE", help="compare the installed versions with a lock file"
    )
    parser.add_argument("--newest", action="store_true", help="ask the index for a newer version (network)")
    parser.add_argument("--index", default=installation.INDEX, metavar="URL", help="the index; default: PyPI")
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def run(args: argparse.Namespace) -> int:
    """Print what identifies the code under test, and what is wrong with it."""
    code = fingerprint()
    wrong = [*problems(code), *(line for line in (threads.refusal(), threads.tracer()) if line)]
    wrong += installation.copies(sys.path)
    wrong += installation.stale_bytecode([Path(each) for each in code["paths"].values()])
    wrong += installation.edited()
    wrong += installation.beside_a_checkout(Path.cwd(), code["paths"])
    asked, more = _asked(args, code)
    wrong += more
    if args.json:
        print(json.dumps({**code, **asked, "problems": wrong}, indent=2))
    else:
        _print(code, asked, wrong)
    return FOUND if wrong else DONE


def _asked(args: argparse.Namespace, code: Fingerprint) -> tuple[dict[str, Any], list[str]]:
    """Return the facts that the user asks for, and what is wrong with them."""
    asked: dict[str, Any] = {}
    wrong: list[str] = []
    if args.label:
        asked["label"], more = installation.label(args.label, os.environ)
        wrong += more
    if args.lock:
        differ = installation.against_lock(args.lock)
        asked["lock"] = f"{args.lock}: {len(differ)} differences"
        wrong += differ
    if args.newest:
        try:
            asked["newest"] = newest = installation.newest(args.index)
        except LabError as error:
            asked["newest"] = f"not known: {error}"
        else:
            here = code["installed"] or code["source"]
            if here and installation.is_newer(newest, here):
                wrong.append(f"{newest} is out, here is {here}: run pip install --upgrade heisenlab")
    return asked, wrong


def _print(code: Fingerprint, asked: dict[str, Any], wrong: Sequence[str]) -> None:
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
        *((name, str(value)) for name, value in asked.items()),
        *(("problem", line) for line in wrong),
    ]
    print_facts(facts, wrap=False)
    if not wrong:
        print("\nno problem found")
