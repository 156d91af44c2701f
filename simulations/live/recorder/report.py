"""The result of a recorded run: as data, as text, and as JSON.

The text is made of parts; `str` of a report joins them, and the command prints the same parts in bold and,
at a terminal, the suspects as a table.
"""

from __future__ import annotations

import contextlib
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from simulations.drawing.displayed import Displayed
from simulations.live.recorder.codec import as_json, kind
from simulations.live.recorder.ending import How
from simulations.live.recorder.judgement import Judged, Verdict, verdict
from simulations.live.recorder.log import LogError, is_run_name
from simulations.live.recorder.plot import BARS, BARS_ASCII, PLOT_WIDTH, curves
from simulations.live.recorder.present import present
from simulations.live.recorder.quantities import duration, percent, size
from simulations.live.recorder.recording import Recording, load, runs
from simulations.live.recorder.records import (
    CgroupMoved,
    Child,
    ClockStep,
    Event,
    Fault,
    Limits,
    Lost,
    NotStarted,
    SignalSeen,
    Takeover,
)
from simulations.live.recorder.reruns import Comparison, compare, pattern
from simulations.terminal_text import printable, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from simulations.drawing.marks import Picture
    from simulations.drawing.sheet import Sheet
    from simulations.live.recorder.ending import Ending

COMPARED_MAX: Final = 50
"""How many runs of a folder are compared at most: the newest."""

_SCHEMA: Final = 1
_SHOWN_MAX: Final = 4
_COMMAND_MAX: Final = 300
_RUNNERS_UP_MAX: Final = 2
_UNKNOWN: Final = "unknown: the first record is damaged"
_SHOWN_EVENTS: Final = (
    SignalSeen,
    ClockStep,
    Limits,
    CgroupMoved,
    Takeover,
    Fault,
    Lost,
    NotStarted,
)

Fact = tuple[str, str]
"""A name and what there is to say under it."""


@dataclass(frozen=True)
class Part:
    """A part of a report.

    Attributes:
        title: Its first line; empty if it has none.
        facts: Names and values, printed as two columns.
        lines: Lines below them.
    """

    title: str
    facts: tuple[Fact, ...] = ()
    lines: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.facts or self.lines)

    def __str__(self) -> str:
        width = max((len(name) for name, _ in self.facts), default=0)
        facts = (f"  {name:<{width}}  {printable(value)}" for name, value in self.facts)
        lines = (f"  {printable(line)}" for line in self.lines)
        return "\n".join([*([printable(self.title)] if self.title else []), *facts, *lines])


@dataclass(frozen=True)
class Report(Displayed):
    """Everything about a run that is worth printing; `str` of it is what `heisenlab record show` prints.

    Attributes:
        recording: The run.
        verdict: How and why it ended.
        comparison: The run beside the earlier ones of the same command.
    """

    recording: Recording
    verdict: Verdict
    comparison: Comparison

    def __str__(self) -> str:
        return self.in_words()

    def __repr__(self) -> str:
        return shortened(f"<Report {self.recording.folder}: {self.verdict.ending.words}>")

    def pictures(self) -> tuple[Picture, ...]:
        """Return its pictures: its memory over time, and who may have ended it."""
        from simulations.live.recorder import picture  # noqa: PLC0415  (only what is shown is drawn)

        ranked = self.verdict.suspects
        drawn = (picture.memory(self.recording), picture.posterior(ranked) if ranked else None)
        return tuple(each for each in drawn if each is not None)

    def sheet(self) -> Sheet:
        """Return what is shown of it: what is printed, and its pictures."""
        from simulations.drawing.sheet import Lines, Sheet  # noqa: PLC0415  (only what is shown is drawn)

        return Sheet(blocks=(Lines(str(self), wrap=True),), pictures=self.pictures())

    def in_words(self, *, ascii_only: bool = False) -> str:
        """Return the report as text.

        Args:
            ascii_only: Draw the curves with characters that every encoding has.
        """
        return "\n\n".join(str(part) for part in parts(self, ascii_only=ascii_only))

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON-able data."""
        recording, samples = self.recording, self.recording.samples
        return {
            "schema": _SCHEMA,
            "folder": str(recording.folder),
            "command": list(recording.command),
            "ending": _ending_as_json(self.verdict.ending, recording),
            "suspects": [
                {
                    "name": each.suspect.name,
                    "words": each.suspect.words,
                    "probability": round(each.probability, 4),
                    "for": list(each.speaks_for),
                    "against": list(each.speaks_against),
                    "ask": each.suspect.ask,
                }
                for each in self.verdict.suspects
            ],
            "unknown": list(self.verdict.unknown),
            "last_lines": list(self.verdict.last_lines),
            "samples": len(samples),
            "last_sample": samples.at(-1)._asdict() if len(samples) else None,
            "left_behind": [as_json(each) for each in (recording.end.left_behind if recording.end else ())],
            "damage": {"lines": recording.damage.lines, "torn_bytes": recording.damage.torn_bytes},
            "runs": comparison_as_json(self.comparison),
        }


def comparison_as_json(compared: Comparison) -> dict[str, Any]:
    """Return a comparison of runs as JSON-able data."""
    return {
        "count": compared.runs,
        "ended_well": compared.ended_well,
        "deaths": len(compared.deaths),
        "unknown": compared.unknown,
        "manners": dict(compared.manners),
        "asked": [each.value for each in compared.asked],
        "correction": "Holm",
        "shared": [
            {"what": each.what.value, "words": each.words, "chance": each.chance, "corrected": each.corrected}
            for each in compared.shared
        ],
        "advice": list(compared.advice),
    }


def _ending_as_json(ending: Ending, recording: Recording) -> dict[str, Any]:
    sender = ending.sender
    return {
        "how": ending.how.value,
        "words": ending.words,
        "at_ms": ending.at_ms,
        "local_time": recording.clock.local(ending.at_ms),
        "status": ending.status,
        "signal": ending.signal or None,
        "ended_well": ending.well if ending.is_known else None,
        "out_of_memory": ending.oom,
        "cpu_limit_s": ending.cpu_limit_s or None,
        "sender": sender
        and {
            "signal": sender.signal,
            "who": sender.who,
            "name": sender.name,
            "pid": sender.pid,
            "terminal": sender.terminal,
            "at_ms": sender.at_ms,
            "words": str(sender),
        },
        "recorder_killed": ending.recorder_killed,
    }


def report(folder: Path | str, *, show_secrets: bool = False) -> Report:
    """Read a run, or the newest run of a folder, judge it, and compare it with the earlier runs beside it.

    Args:
        folder: The folder of one run, or of several.
        show_secrets: Whether passwords, tokens and keys are shown as they were written; otherwise they are
            hidden, as far as they can be told from other words.

    Raises:
        LogError: there is none that can be read.
    """
    recording = load(folder, show_secrets=show_secrets)
    comparison = compare([*_earlier(recording, show_secrets=show_secrets), recording])
    judged = verdict(recording, present(recording), pattern(comparison))
    return Report(recording, judged, comparison)


def compare_runs(folders: Sequence[Path], *, show_secrets: bool = False) -> Comparison:
    """Compare runs; one that cannot be read is left out.

    Args:
        folders: The folder of each run, oldest first.
        show_secrets: As for `report`.
    """
    return compare(list(_readable(folders, show_secrets=show_secrets)))


def _earlier(recording: Recording, *, show_secrets: bool) -> list[Recording]:
    """Return the earlier runs of the same command beside a run, oldest first."""
    newest = recording.folder
    if not is_run_name(newest.name):
        return []
    beside = [each for each in runs(newest.parent) if int(each.name) < int(newest.name)]
    earlier = _readable(beside[-COMPARED_MAX + 1 :], show_secrets=show_secrets)
    return [each for each in earlier if each.command == recording.command]


def _readable(folders: Sequence[Path], *, show_secrets: bool) -> Iterator[Recording]:
    for folder in folders:
        with contextlib.suppress(LogError):
            yield load(folder, samples=False, show_secrets=show_secrets)


def series(compared: Comparison, unrecorded: int) -> Part:
    """Return what several runs have in common in a few lines, as it is printed when the last has ended.

    Args:
        compared: The runs that were recorded.
        unrecorded: How many more there were.
    """
    failed = len(compared.deaths) - compared.unknown
    facts: list[Fact] = []
    if compared.manners:
        counted = ", ".join(f"{words}: {number}" for words, number in compared.manners)
        facts.append(("how", counted))
    facts += _shared_facts(compared)
    if compared.asked and not any(each.chance is not None for each in compared.shared):
        asked = " and ".join(each.value for each in compared.asked)
        facts.append(("", f"nothing else that chance would not do as well (asked: {asked})"))
    more = f"; {unrecorded} more not recorded" if unrecorded else ""
    return Part(f"heisenlab record: {_counted(compared, failed)}{more}", tuple(facts))


def summary(found: Report, *, alone: bool = True) -> Part:
    """Return the verdict in a few lines, as it is printed when the job ends.

    Args:
        found: The report.
        alone: Whether it is to be compared with earlier runs; a series of runs is compared at its end.
    """
    recording, judged, folder = found.recording, found.verdict, found.recording.folder
    left_behind = [("still runs", words) for words in _left_behind(recording)[:_SHOWN_MAX]]
    title = f"heisenlab record: {judged.ending.words}"
    if judged.ending.well:
        return Part(title, (*left_behind, ("log", str(folder))))
    facts = [*_last_facts(recording), *left_behind]
    for rank, each in enumerate(judged.suspects[: 1 + _RUNNERS_UP_MAX]):
        facts.append(("suspects" if rank == 0 else "", _suspect_line(each)))
        if rank == 0:
            facts += [("", f"  for: {words}") for words in each.speaks_for[:_SHOWN_MAX]]
            facts += [("", f"  against: {words}") for words in each.speaks_against[:_SHOWN_MAX]]
            facts.append(("", f"  ask: {each.suspect.ask}"))
    facts += _closing_facts(found) if alone else _unknown_facts(found)
    facts.append(("log", f"{folder} (heisenlab record show {shlex.quote(str(folder))})"))
    return Part(title, tuple(facts))


def parts(found: Report, *, ascii_only: bool = False) -> list[Part]:
    """Return what there is to print of a run, in order; the suspects as text."""
    return [
        *opening(found, ascii_only=ascii_only),
        *([suspects(found.verdict.suspects)] if found.verdict.suspects else []),
        *closing(found),
    ]


def opening(found: Report, *, ascii_only: bool = False, width: int = PLOT_WIDTH) -> list[Part]:
    """Return the parts before the suspects: what was run, its curves, its events, its last lines.

    Args:
        found: The report.
        ascii_only: Draw the curves with characters that every encoding has.
        width: Characters of a curve.
    """
    recording = found.recording
    drawn = curves(recording.samples, BARS_ASCII if ascii_only else BARS, width)
    plotted = Part(f"over {duration(recording.samples.times[-1])}, at most:", lines=drawn) if drawn else None
    facts = Part("", (*_run_facts(recording, found.verdict.ending), *_log_facts(recording)))
    said = Part("last lines", lines=found.verdict.last_lines)
    return [part for part in (facts, plotted, _events(recording), said) if part]


def suspects(ranked: Sequence[Judged]) -> Part:
    """Return the suspects with the evidence for and against each."""
    lines = []
    for each in ranked:
        lines.append(_suspect_line(each))
        lines += [f"         for: {words}" for words in each.speaks_for]
        lines += [f"         against: {words}" for words in each.speaks_against]
    return Part("suspects", lines=(*lines, *advice(ranked)))


def advice(ranked: Sequence[Judged]) -> tuple[str, str]:
    """Return what to ask first, and how far to trust the order of the suspects."""
    return (
        f"ask first: {ranked[0].suspect.ask}",
        "(priors and weights are assumptions: the order is worth more than the percentages)",
    )


def closing(found: Report) -> list[Part]:
    """Return the parts after the suspects: what is unknown, and what the runs share."""
    part = Part("", tuple(_closing_facts(found)))
    return [part] if part else []


def _closing_facts(found: Report) -> list[Fact]:
    comparison = found.comparison
    return [
        *_unknown_facts(found),
        *([("runs", _runs_line(comparison))] if comparison.runs > 1 else []),
        *_shared_facts(comparison),
    ]


def _unknown_facts(found: Report) -> list[Fact]:
    return [("unknown", words) for words in found.verdict.unknown]


def _shared_facts(comparison: Comparison) -> list[Fact]:
    return [
        *(("shared", each.words) for each in comparison.shared),
        *(("next", words) for words in comparison.advice),
    ]


def _suspect_line(each: Judged) -> str:
    return f"{percent(each.probability):>5}  {each.suspect.words}"


def _run_facts(recording: Recording, ending: Ending) -> list[Fact]:
    start, end, clock = recording.start, recording.end, recording.clock
    began = start.wall_ms is not None
    facts = [
        ("command", " ".join(shlex.join(recording.command).split())[:_COMMAND_MAX] or _UNKNOWN),
        ("host", f"{start.host or 'unknown'}, Linux {start.kernel or '?'}"),
        ("started", clock.local(0) if began else _UNKNOWN),
        (
            "until now" if ending.how is How.RUNNING else "ended",
            clock.local(ending.at_ms) if began else _UNKNOWN,
        ),
        ("verdict", ending.words),
        *_last_facts(recording),
    ]
    if end and end.cpu_ms is not None and end.peak_kb is not None:
        spent, peak = duration(end.cpu_ms), size(end.peak_kb)
        facts.append(("used in all", f"{spent} of CPU time; {peak} resident in its largest process"))
    facts += [("left behind", words) for words in _left_behind(recording)]
    facts += [("kernel log", words) for words in (end.kernel if end else ())]
    return facts


def _log_facts(recording: Recording) -> list[Fact]:
    damage, facts = recording.damage, []
    if damage.lines:
        facts.append(("damage", f"{damage.lines} damaged line{'s' * (damage.lines > 1)} left out"))
    if damage.torn_bytes:
        facts.append(("damage", f"the last line is torn after {damage.torn_bytes} bytes and left out"))
    if recording.lost:
        facts.append(("lost", f"{recording.lost} samples that the disk did not take"))
    return facts


def _last_facts(recording: Recording) -> list[Fact]:
    lines, facts = recording.last_lines, []
    busy = _last_living(recording)
    if busy is not None:
        sample = recording.samples.at(busy)
        words = (
            f"{duration(recording.samples.times[busy])} after the start: {sample.processes} "
            f"process{'es' * (sample.processes != 1)}, {size(sample.rss_kb)} resident, "
            f"{duration(sample.cpu_ms)} of CPU time, threads {sample.threads}, open files {sample.files}; "
            f"host: load {sample.load / 100:.2f}, {size(sample.available_kb)} free"
        )
        facts.append(("last sample", words))
    if lines:
        facts.append(("wrote last", lines[-1]))
    return facts


def _last_living(recording: Recording) -> int | None:
    """Return the last sample with the job in it; the one after its end shows only what it left behind."""
    processes = recording.samples.columns["processes"]
    after_the_end = recording.end is not None and len(processes) > 1
    candidates = range(len(processes) - after_the_end)
    return next((index for index in reversed(candidates) if processes[index]), None)


def _left_behind(recording: Recording) -> list[str]:
    left = recording.end.left_behind if recording.end else ()
    return [f"pid {each.pid}: {each.command}" for each in left]


def _runs_line(comparison: Comparison) -> str:
    failed = len(comparison.deaths) - comparison.unknown
    return f"{comparison.runs} of this command up to this one: {_counted(comparison, failed)}"


def _counted(comparison: Comparison, failed: int) -> str:
    words = f"{failed} of {comparison.runs} runs failed, {comparison.ended_well} ended well"
    return words + (f", of {comparison.unknown} it is unknown" if comparison.unknown else "")


def _events(recording: Recording) -> Part:
    lines = [
        f"{duration(each.at_ms):>14}  {kind(each):<8}  {_event_words(each)}"
        for each in recording.events
        if isinstance(each, _SHOWN_EVENTS)
    ]
    children = sum(isinstance(each, Child) for each in recording.events)
    if children:
        unnoted = recording.end.unnoted if recording.end else None
        more = (
            f" ({unnoted} more changes were not noted one by one, to keep the log small)" if unnoted else ""
        )
        lines.append(f"{children} processes noted{more}")
    return Part("events", lines=tuple(lines))


def _event_words(event: Event) -> str:
    match event:
        case Fault(text=text):
            return text or ""
        case Lost(count=count):
            return str(count)
    return ", ".join(f"{key} {value}" for key, value in as_json(event).items() if value != "")
