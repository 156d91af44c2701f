"""What `heisenlab record` prints: a verdict when the job ends, and with `show` the whole run."""

from __future__ import annotations

import contextlib
import math
import shlex
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from simulations.live.recorder import recording as recordings
from simulations.live.recorder.ending import duration
from simulations.live.recorder.evidence import size
from simulations.live.recorder.log import LogError
from simulations.live.recorder.reruns import Comparison, compare, pattern
from simulations.live.recorder.verdict import Judged, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from simulations.live.recorder.recording import Recording

COMPARED_MAX: Final = 50
"""How many runs of a folder are compared at most: the newest."""

PLOT_WIDTH: Final = 60
_SHOWN_MAX: Final = 4
_COMMAND_MAX: Final = 300
_RUNNERS_UP_MAX: Final = 2
_BARS: Final = "▁▂▃▄▅▆▇█"
_BARS_ASCII: Final = "_.:-=+*#"


@dataclass(frozen=True)
class Report:
    """Everything about a run that is printed.

    Attributes:
        recording: The run.
        verdict: How and why it ended.
        comparison: The run beside the earlier ones of the same command.
    """

    recording: Recording
    verdict: Verdict
    comparison: Comparison


def report(folder: Path) -> Report:
    """Read a run, or the newest run of a folder, and judge it.

    Raises:
        LogError: there is none that can be read.
    """
    recording = _newest_readable(folder)
    newest = recording.folder
    others = (
        recordings.runs(newest.parent) if newest.parent.is_dir() and newest.name.isdecimal() else [newest]
    )
    earlier = [each for each in others if each.name < newest.name][-COMPARED_MAX + 1 :]
    alike = []
    for each in earlier:
        try:
            other = recordings.load(each, samples=False)
        except LogError:
            continue
        if other.command == recording.command:
            alike.append(other)
    comparison = compare([*alike, recording])
    verdict = judge(recording, recordings.present(recording), pattern(comparison))
    return Report(recording, verdict, comparison)


def _newest_readable(folder: Path) -> Recording:
    """Pass over a log without a record, which a recorder leaves that was killed as it began."""
    *older, newest = recordings.runs(folder)
    try:
        return recordings.load(newest)
    except LogError:
        for run in reversed(older):
            with contextlib.suppress(LogError):
                return recordings.load(run)
        raise


def to_json(found: Report) -> dict[str, Any]:
    """Return a report as JSON-able data."""
    recording, verdict = found.recording, found.verdict
    ending = verdict.ending
    return {
        "schema": 1,
        "folder": str(recording.folder),
        "command": list(recording.command),
        "ending": {
            "how": ending.how,
            "words": ending.words,
            "at_ms": ending.at_ms,
            "local_time": recording.local(ending.at_ms),
            "status": ending.status,
            "signal": ending.signal or None,
            "out_of_memory": ending.oom,
            "cpu_limit_s": ending.cpu_limit_s or None,
            "sender": None
            if ending.sender is None
            else {**ending.sender.__dict__, "words": str(ending.sender)},
            "recorder_killed": ending.recorder_killed,
        },
        "suspects": [
            {
                "name": each.suspect.name,
                "words": each.suspect.words,
                "probability": round(each.probability, 4),
                "for": each.speaks_for,
                "against": each.speaks_against,
                "ask": each.suspect.ask,
            }
            for each in verdict.suspects
        ],
        "untold": verdict.untold,
        "last_lines": verdict.last_lines,
        "samples": len(recording.samples),
        "last_sample": recording.samples.at(-1)._asdict() if len(recording.samples) else None,
        "left_behind": recording.data("end").get("left_behind") or [],
        "damage": {"lines": recording.damage.lines, "torn_bytes": recording.damage.torn_bytes},
        "runs": {
            "count": found.comparison.runs,
            "ended_well": found.comparison.ended_well,
            "deaths": len(found.comparison.deaths),
            "shared": [each.__dict__ for each in found.comparison.shared],
            "advice": found.comparison.advice,
        },
    }


def print_verdict(found: Report) -> None:
    """Print the verdict in a few lines on the standard error, as the job ends."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    ending, folder = found.verdict.ending, found.recording.folder
    console.print(f"[bold]heisenlab record:[/] {_printable(ending.words)}")
    left_behind = [("still runs", words) for words in _left_behind(found.recording)[:_SHOWN_MAX]]
    if ending.status == 0:
        _print_facts(console, [*left_behind, ("log", str(folder))])
        return
    facts = [*_last_facts(found), *left_behind]
    for rank, each in enumerate(found.verdict.suspects[: 1 + _RUNNERS_UP_MAX]):
        facts.append(("suspects" if rank == 0 else "", _suspect_line(each)))
        if rank == 0:
            facts += [("", f"  for: {words}") for words in each.speaks_for[:_SHOWN_MAX]]
            facts += [("", f"  against: {words}") for words in each.speaks_against[:_SHOWN_MAX]]
            facts.append(("", f"  ask: {each.suspect.ask}"))
    facts += [("not told", words) for words in found.verdict.untold]
    facts += [("shared", each.words) for each in found.comparison.shared]
    facts += [("next", words) for words in found.comparison.advice]
    facts.append(("log", f"{folder} (heisenlab record show {shlex.quote(str(folder))})"))
    _print_facts(console, facts)


def _suspect_line(each: Judged) -> str:
    return f"{_percent(each.probability):>5}  {each.suspect.words}"


def _percent(probability: float) -> str:
    """Never 0 or 100: the weights are rough, and no evidence is that good."""
    if probability < 0.01:
        return "<1 %"
    return ">99 %" if probability > 0.99 else f"{probability * 100:.0f} %"


def _last_facts(found: Report) -> list[tuple[str, str]]:
    recording, lines = found.recording, found.verdict.last_lines
    facts = []
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
    after_the_end = recording.last("end") is not None and len(processes) > 1
    candidates = range(len(processes) - after_the_end)
    return next((index for index in reversed(candidates) if processes[index]), None)


def print_report(found: Report) -> None:
    """Print and plot a run on the standard output."""
    console = Console(highlight=False, soft_wrap=True)
    recording, ending = found.recording, found.verdict.ending
    start = recording.data("start")
    unknown = "unknown: the first record is damaged"
    facts = [
        ("command", " ".join(shlex.join(recording.command).split())[:_COMMAND_MAX] or unknown),
        ("host", f"{start.get('host', 'unknown')}, Linux {start.get('kernel', '?')}"),
        ("started", recording.local(0) if start else unknown),
        (
            "ended" if ending.how != "running" else "until now",
            recording.local(ending.at_ms) if start else unknown,
        ),
        ("verdict", ending.words),
        *_last_facts(found),
    ]
    end = recording.data("end")
    if "peak_kb" in end:
        spent, peak = recordings.number(end, "cpu_ms"), size(recordings.number(end, "peak_kb"))
        facts.append(
            ("used in all", f"{duration(spent)} of CPU time; {peak} resident in its largest process")
        )
    facts += [("left behind", words) for words in _left_behind(recording)]
    facts += [("kernel log", words) for words in recordings.texts(end, "kernel")]
    damage = recording.damage
    if damage.lines:
        facts.append(("damage", f"{damage.lines} damaged line{'s' * (damage.lines > 1)} left out"))
    if damage.torn_bytes:
        facts.append(("damage", f"the last line is torn after {damage.torn_bytes} bytes and left out"))
    lost = sum(each.data for each in recording.all("lost") if isinstance(each.data, int))
    if lost:
        facts.append(("lost", f"{lost} samples that the disk did not take"))
    _print_facts(console, facts)
    _plot(console, recording)
    _print_events(console, recording)
    if found.verdict.last_lines:
        console.print("\n[bold]last lines[/]")
        for line in found.verdict.last_lines:
            console.print(f"  {_printable(line)}")
    _print_suspects(console, found.verdict.suspects)
    closing = [("not told", words) for words in found.verdict.untold]
    closing += [("runs", _runs_line(found.comparison))] * (found.comparison.runs > 1)
    closing += [("shared", each.words) for each in found.comparison.shared]
    closing += [("next", words) for words in found.comparison.advice]
    if closing:
        console.print()
        _print_facts(console, closing)


def _left_behind(recording: Recording) -> list[str]:
    left = recording.data("end").get("left_behind")
    if not isinstance(left, list):
        return []
    return [f"pid {each.get('pid')}: {each.get('command')}" for each in left if isinstance(each, dict)]


def _runs_line(comparison: Comparison) -> str:
    return (
        f"{comparison.runs} of this command up to this one: {comparison.ended_well} ended well, "
        f"{len(comparison.deaths)} did not"
    )


def _print_facts(console: Console, facts: Sequence[tuple[str, str]]) -> None:
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        console.print(f"  [bold]{escape(name)}[/]{' ' * (width - len(name))}  {_printable(value)}")


def _printable(words: str) -> str:
    """Escape markup, and replace what would steer a terminal: a log may hold anything."""
    return escape(
        "".join(each if each.isprintable() or each == "\n" else "\N{REPLACEMENT CHARACTER}" for each in words)
    )


def _print_suspects(console: Console, suspects: Sequence[Judged]) -> None:
    if not suspects:
        return
    console.print()
    if console.is_terminal:
        table = Table("", "suspect", "for", "against")
        for each in suspects:
            table.add_row(
                _percent(each.probability),
                escape(each.suspect.words),
                _printable("\n".join(each.speaks_for)),
                _printable("\n".join(each.speaks_against)),
            )
        Console(highlight=False).print(table)
    else:
        console.print("suspects")
        for each in suspects:
            console.print(f"  {escape(_suspect_line(each))}")
            for words in each.speaks_for:
                console.print(f"           for: {_printable(words)}")
            for words in each.speaks_against:
                console.print(f"           against: {_printable(words)}")
    console.print(f"  ask first: {escape(suspects[0].suspect.ask)}")
    console.print("  (priors and weights are assumptions: the order is worth more than the percentages)")


def _print_events(console: Console, recording: Recording) -> None:
    rows = [
        (duration(each.time), each.kind, _event_words(each.data))
        for each in recording.events
        if each.kind in ("signal", "clock", "limits", "cgroup", "takeover", "fault", "lost", "exec")
    ]
    children = len(recording.all("child"))
    if not rows and not children:
        return
    console.print("\n[bold]events[/]")
    for when, kind, words in rows:
        console.print(f"  {when:>14}  {kind:<8}  {_printable(words)}")
    if children:
        unnoted = recordings.number(recording.data("end"), "unnoted")
        more = (
            f" ({unnoted} more changes were not noted one by one, to keep the log small)" if unnoted else ""
        )
        console.print(f"  {children} processes noted{more}")


def _event_words(data: object) -> str:
    if not isinstance(data, dict):
        return str(data)
    return ", ".join(f"{key} {value}" for key, value in data.items() if value not in (None, ""))


def _plot(console: Console, recording: Recording) -> None:
    samples = recording.samples
    if len(samples) < 2:
        return
    columns = samples.columns
    encodable = (sys.stdout.encoding or "").lower().startswith("utf")
    bars = _BARS if encodable else _BARS_ASCII
    seconds = [at / 1000 for at in samples.times]
    curves: list[tuple[str, list[float], Callable[[float], str]]] = [
        ("memory", [float(each) for each in columns["rss_kb"]], lambda peak: size(round(peak))),
        ("processors", _rates(seconds, columns["cpu_ms"], 1 / 1000), lambda peak: f"{peak:.2f}"),
        ("processes", [float(each) for each in columns["processes"]], lambda peak: f"{peak:.0f}"),
        ("lines/s", _rates(seconds, columns["lines"], 1.0), lambda peak: f"{peak:.1f}"),
        ("written/s", _rates(seconds, columns["write_kb"], 1.0), lambda peak: size(round(peak))),
    ]
    console.print(f"\n[bold]over {duration(samples.times[-1])}[/], at most:")
    for name, values, words in curves:
        line = sparkline(seconds, values, bars)
        console.print(f"  {name:<10}  {line}  {words(max(values))}")


def _rates(seconds: Sequence[float], totals: Sequence[int], factor: float) -> list[float]:
    rates = [0.0]
    for index in range(1, len(totals)):
        elapsed = max(0.05, seconds[index] - seconds[index - 1])
        rates.append(max(0.0, (totals[index] - totals[index - 1]) * factor / elapsed))
    return rates


def sparkline(seconds: Sequence[float], values: Sequence[float], bars: str, width: int = PLOT_WIDTH) -> str:
    """Draw values over time; each character is the largest value of its share of the time, blank if none."""
    end = max(seconds[-1], 1e-9)
    buckets = [-1.0] * width
    for at, value in zip(seconds, values, strict=True):
        place = min(width - 1, int(at / end * width))
        buckets[place] = max(buckets[place], value)
    peak = max(*values, 1e-9)
    top = len(bars) - 1
    return "".join(" " if each < 0 else bars[min(top, math.ceil(each / peak * top))] for each in buckets)
