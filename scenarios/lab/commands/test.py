"""`heisenlab test`: the tests of the scenarios in a pytest session, from a checkout or from the wheel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

# Where this is run, there may be a project with a `scenarios` package, a conftest and options of its own: the
# folder is kept off the path, and what stands in it out of the session.
_PYTEST = (*("--noconftest", "-o", "addopts=", "-p", "scenarios.lab.pytest_plugin", "--pyargs", "scenarios"),)


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
    if not as_json:
        return session([*_PYTEST, *arguments], output=None)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        status = session([*_PYTEST, *arguments, f"--junit-xml={report}"], output=sys.stderr)
        tests = _tests(report) if report.exists() else []
    print(json.dumps({"exit_code": status, "tests": tests}, indent=2))
    return status


def session(
    arguments: Sequence[str],
    *,
    output: TextIO | None,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> int:
    """Run pytest in an interpreter that ends when this one does, and return its exit code.

    Args:
        arguments: Those of pytest.
        output: Where it prints; None means the standard output.
        folder: The folder it runs in; None means the current one.
        environment: Its environment variables; None means those of this process.
    """
    theirs, ours = os.pipe() if os.name == "posix" else (-1, -1)
    passed = (theirs,) if os.name == "posix" else ()
    command = [sys.executable, "-P", "-c", _START, str(theirs), *arguments]
    try:
        with subprocess.Popen(command, stdout=output, pass_fds=passed, cwd=folder, env=environment) as pytest:
            try:
                return pytest.wait()
            except KeyboardInterrupt:
                with suppress(subprocess.TimeoutExpired):
                    pytest.wait(_SUMMARY_SECONDS_MAX)  # Ctrl-C reaches it, too, and it has a summary to print
                pytest.kill()
                raise
    finally:
        for descriptor in (theirs, ours)[: 2 * len(passed)]:
            os.close(descriptor)


_START: Final = "import sys; from scenarios.lab.start import pytest_session; sys.exit(pytest_session())"
_SUMMARY_SECONDS_MAX: Final = 10.0


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
