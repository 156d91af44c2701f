"""Runs demonstrations in folders of their own, and knows what they are to print.

`python -m tests.scenarios.lab.teaching.demos [NAME...]` writes what `heisenlab demo NAME` prints into
`docs/demos/expected`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple
from xml.etree import ElementTree as ET

from scenarios.lab.teaching.demonstrations import DEMONSTRATIONS
from tests.environment import neutral

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT: Final = Path(__file__).parents[4]
EXPECTED: Final = ROOT / "docs/demos/expected"
MADE_WITH: Final = EXPECTED / "made_with.txt"
CLASSROOM: Final = ("-p", "scenarios.lab.teaching.classroom")


class Outcome(NamedTuple):
    """What became of a test: `passed`, `skipped`, `failure` or `error`, and the report of a failure."""

    outcome: str
    report: str


def versions() -> str:
    """Return what the wording of a report depends on."""
    names = ("hypothesis", "pytest")
    return "".join(
        f"{name} {version}\n"
        for name, version in [
            ("python", "{}.{}".format(*sys.version_info)),
            *((name, metadata.version(name)) for name in names),
        ]
    )


def environment() -> dict[str, str]:
    """Return the environment in which the demonstrations were printed."""
    return {**neutral(), "COLUMNS": "88", "PYTHONDONTWRITEBYTECODE": "1"}


def session(
    folder: Path, sources: Mapping[str, str], *options: str, **variables: str
) -> dict[str, list[Outcome]]:
    """Run files in one session of pytest in a folder, and return the outcomes of their tests by file."""
    for name, text in sources.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    report = folder / "report.xml"
    names = [f"{name}.py" for name in sources]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junit-xml={report}"]
    subprocess.run(
        [*command, *options, *names], cwd=folder, env={**environment(), **variables}, capture_output=True
    )
    outcomes: dict[str, list[Outcome]] = {name: [] for name in sources}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314  (pytest has just written it)
        child = next(iter(case), None)
        outcome = Outcome("passed", "") if child is None else Outcome(child.tag, child.text or "")
        outcomes[case.attrib["classname"].partition(".")[0]].append(outcome)
    return outcomes


def shown(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `heisenlab demo` with arguments."""
    command = [sys.executable, "-m", "scenarios.lab.commands", "demo", *arguments]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)


def normal(text: str) -> str:
    """Return a printed text without the paths and durations of this machine."""
    text = re.sub(r"(?:/[^/\s]+)+/(\w+\.py)", r"…/\1", text)
    text = re.sub(r"(?<!\w)(?:[<~] ?)?[\d.]+(?:-[\d.]+)? ?(?:s|ms|seconds)\b(?: \(\S+\))?", "… s", text)
    return "\n".join(line.rstrip() for line in text.splitlines())


def failures(printed: str) -> str:
    """Return the reports of failures in what pytest prints, without the lines around them."""
    inside = printed.partition(" FAILURES =")[2].partition("\n")[2]
    return re.split(r"^=+ ", inside, maxsplit=1, flags=re.MULTILINE)[0].partition("\n")[2].strip()


def main(names: Iterable[str]) -> None:
    """Write what is printed, for all demonstrations or for those that are named."""
    EXPECTED.mkdir(exist_ok=True)
    for name in names or [each.name for each in DEMONSTRATIONS]:
        (EXPECTED / f"{name}.txt").write_text(normal(shown(name).stdout) + "\n", encoding="utf-8")
    MADE_WITH.write_text(versions(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
