"""What the front page shows of printed output; `python -m tests.docs.printed` writes it into the page anew.

A Python block under a comment such as `<!-- account.py -->` is a program, and the text block behind it is
what the program prints. The first text block, and the picture of a terminal, are the summary of
`pytest scenarios/`. Numbers are left out of comparisons: how many runs a search takes, and how long, differs
from version to version of Hypothesis and from machine to machine.
"""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
README: Final = ROOT / "README.md"
PICTURE: Final = ROOT / "docs/images/pytest_scenarios.svg"
COLUMNS: Final = 100


class Program(NamedTuple):
    """A program that the page shows, and what the page says that it prints."""

    name: str
    source: str
    shown: str


_PROGRAM: Final = re.compile(
    r"<!-- (?P<name>\w+\.py) -->\n```python\n(?P<source>.*?)```\n.*?```text\n(?P<shown>.*?)```", re.DOTALL
)
_SUMMARY: Final = re.compile(r"```text\n(=+ heisenlab =+\n.*?)```", re.DOTALL)


def programs(page: str) -> Iterator[Program]:
    """Yield the programs of a page, each with what is shown behind it."""
    for match in _PROGRAM.finditer(page):
        yield Program(**match.groupdict())


def output_of(program: Program) -> str:
    """Run a program in a folder of its own and return what it prints."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, program.name).write_text(program.source, encoding="utf-8")
        command = [sys.executable, program.name]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def summary_of_scenarios() -> str:
    """Run `pytest scenarios/` and return its summary, in the colours of a terminal."""
    environment = {**os.environ, "COLUMNS": str(COLUMNS)}
    environment.pop("PYTEST_ADDOPTS", None)
    command = [sys.executable, "-m", "pytest", "scenarios/", "--color=yes"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(done.stdout)
    lines = done.stdout.splitlines(keepends=True)
    start = next(index for index, line in enumerate(lines) if " heisenlab " in line)
    return "".join(lines[start:])


def plain(text: str) -> str:
    """Return a text without its colours."""
    return Text.from_ansi(text).plain.rstrip() + "\n"


def without_numbers(text: str) -> list[str]:
    """Return the lines of a text with every number, ruler and run of blanks reduced to its kind."""
    timed = re.sub(r" \(\d+:\d\d:\d\d\)", "", text)  # pytest adds it from a minute on
    lines = (re.sub(r"[\d.]+", "N", line) for line in timed.splitlines() if line.strip())
    return [re.sub(r"=+", "=", re.sub(r"\s+", " ", line)).strip() for line in lines]


def picture_of(text: str) -> str:
    """Return a terminal with a text in it, as SVG."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        console.print(Text.from_ansi(f"$ pytest scenarios/\n{text}"))
    svg = console.export_svg(title="pytest scenarios/", unique_id="pytest-scenarios")
    # No foreign host is asked for a font: the page must look the same without a network.
    return re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)


def text_in(picture: str) -> str:
    """Return the text that stands in the picture of a terminal, line by line."""
    lines: dict[float, str] = {}
    for match in re.finditer(r"<text [^>]*?y=\"([\d.]+)\"[^>]*?line-\d+[^>]*>([^<]*)</text>", picture):
        height = float(match.group(1))
        lines[height] = lines.get(height, "") + html.unescape(match.group(2)).replace("\xa0", " ")
    return "\n".join(text for _, text in sorted(lines.items()))


def main() -> None:
    """Write what a run prints today into the page and the picture."""
    page = README.read_text(encoding="utf-8")
    for match in reversed([*_PROGRAM.finditer(page)]):
        start, end = match.span("shown")
        page = page[:start] + output_of(Program(**match.groupdict())) + page[end:]
    summary = summary_of_scenarios()
    page = _SUMMARY.sub(lambda _: f"```text\n{plain(summary)}```", page)
    README.write_text(page, encoding="utf-8")
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(picture_of(summary), encoding="utf-8")


def summary_shown(page: str) -> str:
    """Return the summary of `pytest scenarios/` that a page shows."""
    match = _SUMMARY.search(page)
    assert match is not None, "the page shows no summary of pytest scenarios/"
    return match.group(1)


if __name__ == "__main__":
    main()
