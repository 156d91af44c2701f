"""The result of a run in a bent address space: as data, as text, as JSON."""

from __future__ import annotations

import os
import shlex
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from simulations.drawing.displayed import Displayed
from simulations.live.memory.layout import size_words
from simulations.terminal_text import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.live.memory.crash import Crash, Explanation
    from simulations.live.memory.filling import Filling
    from simulations.live.memory.layout import Span

SCHEMA: Final = 1
_PROGRAMS_SHOWN_MAX: Final = 5
_COMMAND_WORDS_MAX: Final = 120


@dataclass(frozen=True)
class Program:
    """One program image that was started, and what was taken from it at its exec.

    Attributes:
        pid: Its process.
        path: Its file.
        filled: The gaps that were filled.
        left_open: Those that were not: no mapping was left for them, or the kernel refused.
        miss: Chance that a pointer cut to 32 bits falls on usable low memory; it means something after a
            `fill`.
        microseconds: What the fill took, of the wall clock.
    """

    pid: int
    path: str
    filled: tuple[Span, ...]
    left_open: tuple[Span, ...]
    miss: float
    microseconds: int


@dataclass(frozen=True)
class Report(Displayed):
    """The end of a run.

    Attributes:
        command: The words that were run.
        filling: What was asked for.
        status: As `os.waitpid` gives it; None where the instrument let the program go.
        programs: Every program image that was filled, in the order of their exec.
        crashes: Faults that ended a process, or that it survived though they look like a truncated pointer.
        unfilled: Names of programs started by the command that were neither filled nor watched.
        notes: Other things a reader should know, one sentence each.
    """

    command: tuple[str, ...]
    filling: Filling
    status: int | None
    programs: tuple[Program, ...]
    crashes: tuple[Crash, ...]
    unfilled: tuple[str, ...]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return shortened(f"<Report {report_lines(self)[0]}; crashes: {len(self.crashes)}>")

    def __str__(self) -> str:
        return "\n".join(report_lines(self))


def status_words(status: int | None) -> str:
    """Return a wait status in words."""
    if status is None:
        return "let go"
    if os.WIFSIGNALED(status):
        return f"killed by {signal_name(os.WTERMSIG(status))}"
    return f"exit status {os.WEXITSTATUS(status)}"


def signal_name(number: int) -> str:
    """Return the name of a signal, such as `SIGSEGV` for 11; real-time signals by their number."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def report_lines(report: Report) -> list[str]:
    """Return the report as plain text."""
    lines = [f"{_command_words(report.command)}: {status_words(report.status)}; {report.filling}"]
    if report.filling.kind != "plain":
        # The last image of each process, without the wrappers that it was before.
        last = list({program.pid: program for program in report.programs}.values())
        lines += [_program_line(program, report.filling) for program in last[:_PROGRAMS_SHOWN_MAX]]
        more = len(last) - _PROGRAMS_SHOWN_MAX
        if more > 0:
            lines.append(f"  and {more} more programs")
    if report.unfilled:
        names = ", ".join(dict.fromkeys(report.unfilled))
        lines.append(
            f"  started but not filled or watched: {len(report.unfilled)} ({names}); --follow fills them too"
        )
    lines += [f"  note: {note}" for note in report.notes]
    for crash in report.crashes:
        lines += crash_lines(crash)
    return lines


def _command_words(command: Sequence[str]) -> str:
    """Return the command in one line, shortened: it may hold a whole script."""
    words = " ".join(shlex.join(command).split())
    return words if len(words) <= _COMMAND_WORDS_MAX else f"{words[: _COMMAND_WORDS_MAX - 4]} ..."


def _program_line(program: Program, filling: Filling) -> str:
    size = size_words(sum(gap.size for gap in program.filled))
    gaps = f"{len(program.filled)} gap{'s' * (len(program.filled) != 1)}"
    line = f"  {Path(program.path).name} (pid {program.pid}): {gaps} filled, {size}, no memory used"
    if program.left_open:
        line += (
            f"; {len(program.left_open)} left open, {size_words(sum(gap.size for gap in program.left_open))}"
        )
    line += f"; {program.microseconds / 1000:.1f} ms"
    if filling.kind == "fill":
        line += f"; chance to miss a pointer cut to 32 bits {percent(program.miss)}"
    return line


def crash_lines(crash: Crash) -> list[str]:
    """Return one crash as plain text."""
    address = "unknown, not reported by the processor" if crash.address is None else f"{crash.address:#x}"
    rows = [("address", address + (", inside the filler" if crash.in_filler else ""))]
    for explanation in crash.explanations:
        rows += explanation_rows(explanation)
    if crash.hint:
        rows.append(("note", crash.hint))
    rows.append(("instruction", crash.instruction))
    rows += [("called from" if index == 0 else "", line) for index, line in enumerate(crash.callers)]
    rows += [("Python" if index == 0 else "", line) for index, line in enumerate(crash.python)]
    survived = ", survived," if crash.survived else ""
    title = f"{crash.signal}{survived} in {Path(crash.program).name} (pid {crash.pid})"
    return [title, *(f"  {name:<12} {text}" for name, text in rows)]


def explanation_rows(explanation: Explanation) -> list[tuple[str, str]]:
    """Return an explanation as rows of a name and a text."""
    region = explanation.region
    return [
        ("cause", str(explanation)),
        ("points into", f"{region.name} {region.span} {region.permissions}"),
        (
            "coincidence",
            f"a random value would be explained with probability {percent(explanation.coincidence)}",
        ),
    ]


def percent(chance: float) -> str:
    """Return a probability in words: two significant digits of a percentage."""
    return "0 %" if chance == 0 else f"{chance * 100:.2g} %"


def report_json(report: Report) -> dict[str, Any]:
    """Return the report as JSON values; addresses are hexadecimal strings."""
    status = report.status
    return {
        "schema": SCHEMA,
        "command": list(report.command),
        "filling": {"kind": report.filling.kind, "size": report.filling.size},
        "exit_status": os.WEXITSTATUS(status) if status is not None and os.WIFEXITED(status) else None,
        "signal": signal_name(os.WTERMSIG(status)) if status is not None and os.WIFSIGNALED(status) else None,
        "programs": [
            {
                "pid": program.pid,
                "path": program.path,
                "filled": _spans(program.filled),
                "left_open": _spans(program.left_open),
                "miss_chance": program.miss,
                "microseconds": program.microseconds,
            }
            for program in report.programs
        ],
        "crashes": [crash_json(crash) for crash in report.crashes],
        "unfilled": list(report.unfilled),
        "notes": list(report.notes),
        "says": "\n".join(report_lines(report)),
    }


def crash_json(crash: Crash) -> dict[str, Any]:
    """Return one crash as JSON values."""
    return {
        "pid": crash.pid,
        "program": crash.program,
        "signal": crash.signal,
        "code": crash.code,
        "address": None if crash.address is None else hex(crash.address),
        "in_filler": crash.in_filler,
        "instruction": crash.instruction,
        "callers": list(crash.callers),
        "explanations": [
            {
                "value": hex(item.value),
                "source": item.source,
                "cut": item.cut,
                "original": hex(item.original),
                "region": [hex(item.region.span.start), hex(item.region.span.end)],
                "region_name": item.region.name,
                "coincidence": item.coincidence,
            }
            for item in crash.explanations
        ],
        "python": list(crash.python),
        "hint": crash.hint,
        "survived": crash.survived,
    }


def _spans(spans: Sequence[Span]) -> list[list[str]]:
    return [[hex(span.start), hex(span.end)] for span in spans]
