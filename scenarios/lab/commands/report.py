"""`heisenlab report`."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.commands.command import DONE, UsageError, file_name
from scenarios.lab.commands.pictures import check_target
from scenarios.lab.files import read_at_most
from scenarios.lab.finding import load, write_whole
from scenarios.lab.finding_fields import check_depth
from scenarios.lab.method.report import finding_sheets
from simulations.address_space.picture import Cut, tracks
from simulations.address_space.space import Region
from simulations.drawing.page import report_page
from simulations.drawing.sheet import Lines, Sheet
from simulations.errors import LabError
from simulations.terminal_text import printable, shortened, shown

if TYPE_CHECKING:
    import argparse

    from simulations.drawing.marks import Tracks

_BEGINS: Final = b"<!doctype html>"
"""How a report begins; a file that begins otherwise is not overwritten."""
_EXPLORATION: Final = frozenset({"verdict", "schedules", "says", "lanes", "runs"})
"""What the JSON of an exploration holds, among other things."""
_MEMORY: Final = frozenset({"filling", "programs", "crashes", "says"})
"""What the JSON of a memory report holds, among other things."""
_BYTES_MAX: Final = 16 * 1024 * 1024
_FALLS_MAX: Final = 20
"""How many truncated pointers are drawn; what is said names them all."""
_DAMAGED: Final = (ValueError, TypeError, KeyError, OverflowError)
"""What comes of a file in which something else stands than the lab writes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "file",
        type=file_name,
        metavar="RESULT",
        help="a finding (hunt -o), an exploration (threads run --json), a memory report "
        "(memory run --report), or the folder of a recording (record)",
    )
    parser.add_argument(
        "-o", "--output", type=file_name, metavar="FILE", default="report.html", help="default: report.html"
    )
    parser.add_argument("--force", action="store_true", help="overwrite FILE, whatever it holds")
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def run(args: argparse.Namespace) -> int:
    """Write a page about a result that stands alone.

    Raises:
        LabError: the result cannot be read, or the page cannot be written.
    """
    begins = None if args.force else _BEGINS
    check_target(
        args.output,
        begins,
        f"cannot write {shown(args.output)}",
        "holds something else than a report; it is left as it is: name another file, or add --force",
    )
    title, sheets = _read(args.file, no_spoilers=args.no_spoilers)
    text = report_page(title, *sheets)
    write_whole(Path(args.output), text)
    if args.json:
        print(json.dumps({"title": title, "file": args.output, "bytes": len(text.encode())}, indent=2))
    else:
        print(printable(f"{args.output}: {title}"))
    return DONE


def _read(name: str, *, no_spoilers: bool) -> tuple[str, tuple[Sheet, ...]]:
    """Return the title and the sheets of a result.

    Raises:
        UsageError: the report of a finding shows what is to be hidden.
        LabError: it is none, or cannot be read.
    """
    if Path(name).is_dir():
        from simulations.live.recorder import report  # noqa: PLC0415  (a finding needs no recorder)

        found = report(name)
        return f"The end of {shortened(shlex.join(found.recording.command))}", (found.sheet(),)
    data = _json(name)
    if data.keys() >= _EXPLORATION:
        return _exploration(data, name)
    if data.keys() >= _MEMORY:
        return _memory(data, name)
    finding = load(name)
    if no_spoilers:
        raise UsageError("the report of a finding shows its cause: leave out --no-spoilers (or its variable)")
    return f"{finding.scenario} / {finding.variant}: {finding.by} fails", finding_sheets(
        finding, saved_as=name
    )


def _json(name: str) -> dict[str, Any]:
    """Return what a file of JSON holds; nothing where it is none, of which `load` has more to say."""
    try:
        data = json.loads(read_at_most(name, _BYTES_MAX, "a result"))
        check_depth(data)
    except (LabError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _memory(data: dict[str, Any], name: str) -> tuple[str, tuple[Sheet, ...]]:
    try:
        explained = [(crash, why) for crash in data["crashes"] for why in crash["explanations"]]
        pictures = tuple(_fall(crash, why, data["programs"]) for crash, why in explained[:_FALLS_MAX])
        command = shlex.join(map(str, data["command"]))
    except _DAMAGED as error:
        raise LabError(f"{shown(name)} is no memory report that can be read; run it again") from error
    sheet = Sheet(blocks=(Lines(str(data["says"]), wrap=True),), pictures=pictures)
    return f"Memory of {shortened(command)}", (sheet,)


def _fall(crash: dict[str, Any], why: dict[str, Any], programs: list[dict[str, Any]]) -> Tracks:
    """Return the address space of a process that crashed, with the pointer and what it was cut to."""
    filled = [span for each in programs if each["pid"] == crash["pid"] for span in each["filled"]]
    start, end = (int(str(side), 16) for side in why["region"])
    regions = [
        Region(int(str(low), 16), int(str(high), 16) - int(str(low), 16), "filler", "filler")
        for low, high in filled
    ]
    regions.append(Region(start, end - start, str(why["region_name"])))
    outcome = f"{crash['signal']}, {why['cut']}"
    cut = Cut(int(str(why["original"]), 16), int(str(why["value"]), 16), str(why["region_name"]), outcome)
    drawn = tracks(regions, cut=cut, title=f"The pointer that {crash['program']} truncated")
    return replace(drawn, said=("Of what is mapped only the filler and where the pointer leads are drawn.",))


def _exploration(data: dict[str, Any], name: str) -> tuple[str, tuple[Sheet, ...]]:
    from simulations.live.threads.picture import exploration_sheet, runs_from_json  # noqa: PLC0415  (as above)

    try:
        sheet = exploration_sheet(str(data["says"]), str(data["lanes"]), runs_from_json(data["runs"]))
        title = f"{data['verdict']} after {int(data['schedules'])} schedules"
    except _DAMAGED as error:
        raise LabError(f"{shown(name)} is no exploration that can be read; explore again") from error
    plan = Lines(json.dumps(data.get("plan")), "The plan, for simulations.live.threads.replay:", wrap=True)
    return f"Exploration of threads: {title}", (sheet, Sheet(title="Replay", blocks=(plan,)))
