"""`heisenlab test`: the tests of the scenarios in a pytest session, from a checkout or from the wheel."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

# Where this is run, there may be a project with a `scenarios` package, a conftest and options of its own: the
# folder is kept off the path, and what stands in it out of the session.
_PYTEST = (
    *("-P", "-m", "pytest", "--noconftest", "-o", "addopts="),
    *("-p", "scenarios.lab.pytest_plugin", "--pyargs", "scenarios"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command; those that it does not know are for pytest."""
    parser.description = "run the tests of the scenarios; further arguments go to pytest"
    parser.add_argument("--json", action="store_true", help="print one JSON value")
    parser.set_defaults(remaining=())


def run(args: argparse.Namespace) -> int:
    """Run the tests and return pytest's exit code."""
    return run_tests(args.remaining, as_json=args.json)


def run_tests(arguments: Sequence[str] = (), *, as_json: bool = False) -> int:
    """Run `pytest --pyargs scenarios` with the plugin of the laboratory and return pytest's exit code.

    Args:
        arguments: Further arguments for pytest.
        as_json: Print one JSON object with the exit code and each test's outcome and figures, and send what
            pytest prints to the standard error.
    """
    command = [sys.executable, *_PYTEST, *arguments]
    if not as_json:
        return subprocess.run(command).returncode
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        done = subprocess.run([*command, f"--junit-xml={report}"], stdout=sys.stderr)
        tests = _tests(report) if report.exists() else []
    print(json.dumps({"exit_code": done.returncode, "tests": tests}, indent=2))
    return done.returncode


def _tests(report: Path) -> list[dict[str, Any]]:
    tests = []
    for case in ET.parse(report).iter("testcase"):  # noqa: S314  (pytest has just written it for us)
        outcome = next(
            (child.tag for child in case if child.tag in {"failure", "error", "skipped"}), "passed"
        )
        figures = {each.get("name"): each.get("value") for each in case.iter("property")}
        name = f"{case.get('classname')}::{case.get('name')}"
        tests.append({"test": name, "outcome": outcome, "figures": figures})
    return tests
