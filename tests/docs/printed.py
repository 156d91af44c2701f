"""What the front page shows of printed output; `python -m tests.docs.printed` writes it into the page anew.

A Python block under a comment such as `<!-- account.py -->` is a program, and the text block behind it is
what the program prints. The first text block, and the picture of a terminal, are the summary of
`pytest scenarios/`. Numbers are left out of comparisons: how many runs a search takes, and how long, differs
from version to version of Hypothesis and from machine to machine.

The pages in `SESSIONS` are typed into a shell from top to bottom. Each has a folder of its own. In it each
Python block with a name, of whichever page, is a file. A console block holds commands, and below each what it
prints: on a slide on a terminal of 88 columns, elsewhere into a pipe, where no line is broken, so that the
reader's browser breaks them.
"""

from __future__ import annotations

import html
import os
import pty
import re
import subprocess
import sys
import tempfile
from contextlib import suppress
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
SESSIONS: Final = ("lessons.md", "talk.md", "guide/teaching.md")
"""The pages below `docs` that are typed into a shell from top to bottom."""
SLIDES: Final = "talk.md"


class Program(NamedTuple):
    """A program that the page shows, and what the page says that it prints."""

    name: str
    source: str
    shown: str


_PROGRAM: Final = re.compile(
    r"<!-- (?P<name>\w+\.py) -->\n```python\n(?P<source>.*?)```\n.*?```text\n(?P<shown>.*?)```", re.DOTALL
)
_SUMMARY: Final = re.compile(r"```text\n(=+ heisenlab =+\n.*?)```", re.DOTALL)


class Step(NamedTuple):
    """A command of a page, which goes on after a backslash and `> `, and what it is shown to print."""

    command: str
    shown: str


_CONSOLE: Final = re.compile(r"```console\n(?P<typed>.*?)```", re.DOTALL)
_FILE: Final = re.compile(r"<!-- (?P<name>\w+\.py) -->\n```python\n(?P<source>.*?)```", re.DOTALL)
_VARIES: Final = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:+]+"  # when something was written
    r"|\d+\.\d+(?= ?s\b)"  # seconds
    r"|\d+ to \d+, half within \d+"
    r"|\d+(?= to search| to minimise| runs\b)"  # what a search of this Hypothesis takes
    r"|(?<=[ =])\d+\.\d+\.\d+\b"  # versions
)
_PYTEST: Final = 'pytest() { python -m pytest "$@"; }; '
"""That of this interpreter, whichever else is on the path."""
_ENDED_WELL: Final = frozenset({0, 1, 3})
"""Done, found, gave up. Whatever else a command of a page ends in, it was not meant to."""


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


def steps(page: str) -> list[Step]:
    """Return the commands of a page, each with what is shown below it."""
    typed = "".join(match["typed"] for match in _CONSOLE.finditer(page))
    parts = re.split(r"^\$ ", typed, flags=re.MULTILINE)[1:]
    return [Step(*re.split(r"(?<!\\)\n", part, maxsplit=1)) for part in parts]


def played(path: Path) -> Iterator[Step]:
    """Type the commands of a page into a shell, in a folder of their own; yield each with what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        for other in sessions():
            for match in _FILE.finditer(other.read_text(encoding="utf-8")):
                Path(folder, match["name"]).write_text(match["source"], encoding="utf-8")
        for step in steps(path.read_text(encoding="utf-8")):
            status, printed, complaints = _typed(step.command, folder, at_a_terminal=path.name == SLIDES)
            if status not in _ENDED_WELL or "Traceback" in complaints:
                raise AssertionError(f"{step.command} ended in {status}: {complaints or printed}")
            yield Step(step.command, plain(printed) if printed else "")


def _typed(command: str, folder: str, *, at_a_terminal: bool) -> tuple[int, str, str]:
    """Run a command into a pipe or at a terminal; return its status, what it printed and complained of."""
    ours, the_shells = pty.openpty() if at_a_terminal else os.pipe()
    with tempfile.TemporaryFile() as errors:
        shell = subprocess.Popen(
            ["bash", "-c", _PYTEST + command.replace("\n> ", "\n")],
            cwd=folder,
            env=_terminal(),
            stdin=subprocess.DEVNULL,
            stdout=the_shells,
            stderr=errors,
        )
        os.close(the_shells)
        pieces = []
        with suppress(OSError):  # Linux says so of a terminal where all that wrote have gone
            while piece := os.read(ours, 1 << 16):
                pieces.append(piece)
        os.close(ours)
        shell.wait()
        errors.seek(0)
        complaints = errors.read().decode()
    return shell.returncode, b"".join(pieces).decode().replace("\r\n", "\n"), complaints


def _terminal() -> dict[str, str]:
    """Return the environment of a terminal of 88 columns without colours, whose user is called you."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "HEISENLAB"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    looks = {"COLUMNS": "88", "LINES": "50", "TERM": "dumb", "NO_COLOR": "1"}
    looks |= {"LOGNAME": "you", "GIT_PAGER": "cat"}
    return {**kept, "PATH": path, **looks}


def comparable(text: str) -> list[str]:
    """Return the lines of what a command printed, without what differs from run to run."""
    return [re.sub(r"[ =_-]{2,}", " ", _VARIES.sub("N", line)).rstrip() for line in text.splitlines()]


def sessions() -> list[Path]:
    """Return the pages whose commands are run."""
    return [ROOT / "docs" / name for name in SESSIONS]


def rewritten(path: Path) -> str:
    """Return a page with what its commands print today; what differs in nothing that counts stays."""
    fresh = iter([*played(path)])

    def block(match: re.Match[str]) -> str:
        lines = ""
        for shown in steps(match[0]):
            step = next(fresh)
            kept = shown if comparable(shown.shown) == comparable(step.shown) else step
            lines += f"$ {step.command}\n{kept.shown}"
        return f"```console\n{lines}```"

    return _CONSOLE.sub(block, path.read_text(encoding="utf-8"))


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
    """Write what a run prints today into the pages and the picture; given names of pages, into those only."""
    for path in sessions():
        if len(sys.argv) == 1 or path.name in sys.argv[1:]:
            path.write_text(rewritten(path), encoding="utf-8")
    if len(sys.argv) > 1:
        return
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
