"""A finding as a bug report in Markdown, and as a regression test; what it holds is data, and quoted."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Final, NamedTuple

from scenarios.lab.catalogue import get
from scenarios.lab.execution import execute
from scenarios.lab.finding import decode_input
from scenarios.lab.replay import Result, replay
from simulations.choices import nominal
from simulations.drawing.marks import Cell, Table
from simulations.drawing.sheet import Sheet, sheet_text
from simulations.text_columns import aligned
from simulations.trace import first_difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.lab.finding import Finding
    from scenarios.lab.replay import Replay
    from scenarios.lab.scenario import Scenario
    from simulations.trace import Event, Parting, Trace

BEFORE, AFTER, LAST = 4, 12, 4
"""How many events are shown before the runs part, from there on, and at the end."""
EQUAL: Final = "The two traces are equal; what differs is not in them."
_LANES_MAX: Final = 6
_CELL_MAX: Final = 40


def explain(finding: Finding, *, saved_as: str, scenario: Scenario | None = None) -> str:
    """Return a finding as Markdown for a bug report.

    Args:
        finding: The finding.
        saved_as: Where it is, for the command that replays it.
        scenario: The scenario, where the catalogue does not have it.

    Raises:
        LabError: it cannot be replayed by this version.
    """
    scenario = scenario or get(finding.scenario)
    again = replay(finding, scenario)
    given = decode_input(scenario, finding.input)
    usual = execute(scenario, scenario.variant(finding.variant), given, nominal()).run.trace
    failing = again.outcome.run.trace
    parting = first_difference(failing, usual)
    facts = [
        f"- **{fact.name}**: {', '.join(map(_code if fact.literal else _plain, fact.values))}"
        for fact in facts_of(finding, scenario, again)
    ]
    lines = [
        f"# {_plain(scenario.title)}: {_code(finding.by)} fails",
        "",
        _plain(finding.message),
        "",
        *facts,
        "",
        "## Where it parts from the nominal run",
        "",
        *_parting(parting, scenario),
        "",
        "## What happened around it",
        "",
        _fenced(sheet_text(Sheet(blocks=(around(failing, parting, scenario),))).split("\n")),
        "",
        "## What it was found with",
        "",
        _fenced(aligned(fingerprint_rows(finding), gap=2)),
        "",
        "## Replay",
        "",
        _fenced([f"$ {replay_command(saved_as)}"]),
        "",
        f"The trace must have the digest {_code(finding.digest)}.",
    ]
    return "\n".join(lines) + "\n"


class Fact(NamedTuple):
    """What is to be said of a finding: a name, and values, which may have to be taken literally."""

    name: str
    values: tuple[str, ...]
    literal: bool = False


def facts_of(finding: Finding, scenario: Scenario, again: Replay) -> list[Fact]:
    """Return what is to be said of a finding.

    Args:
        finding: The finding.
        scenario: Its scenario.
        again: The finding, run again here.
    """
    return [
        Fact("hidden input", (scenario.hidden_input,)),
        Fact("plan", (finding.plan_in_words,)),
        Fact("minimality", (finding.minimality,)),
        Fact("scenario and variant", (finding.scenario, finding.variant), literal=True),
        Fact("input", (json.dumps(finding.input),), literal=True),
        Fact("verified", (finding.verified,)),
        Fact("now", (_again(again),)),
    ]


def replay_command(saved_as: str) -> str:
    """Return the command that replays a finding, given where it is."""
    return f"heisenlab replay {shlex.quote(saved_as)}"


def around(trace: Trace, parting: Parting | None, scenario: Scenario) -> Table:
    """Return what happened around the event at which a trace parts from another, side by side."""
    header, rows = _lanes(trace, parting.position if parting else 0, scenario)
    return Table(
        title="What happened around it", header=header, rows=tuple(tuple(map(Cell, row)) for row in rows)
    )


def _again(again: Replay) -> str:
    if again.result is Result.IDENTICAL:
        return "reproduced, identical to the finding"
    changed = "; ".join(again.changed) or "nothing that the fingerprint shows"
    said = "fails with another trace" if again.result is Result.DIFFERS else "holds"
    return f"{said}; changed since it was found: {changed}"


def _parting(parting: Parting | None, scenario: Scenario) -> list[str]:
    if parting is None:
        return [EQUAL]
    return [
        f"At event {parting.position}, counted from 0:",
        "",
        _fenced(aligned(parting_rows(parting, scenario), gap=2)),
    ]


def parting_rows(parting: Parting, scenario: Scenario) -> list[tuple[str, str]]:
    """Return the events in which a run and the nominal run differ first."""
    return [("this run", _event(parting.left, scenario)), ("nominal run", _event(parting.right, scenario))]


def _event(event: Event | None, scenario: Scenario) -> str:
    return "(it has ended)" if event is None else event.said_at(scenario.moment(event.time))


def _lanes(trace: Trace, position: int, scenario: Scenario) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the head and the rows of the events around a position, a column for each actor as it appears."""
    events = trace.events
    start, end = max(0, position - BEFORE), min(len(events), position + AFTER)
    shown = [*range(start, end), *range(max(end, len(events) - LAST), len(events))]
    actors = [*dict.fromkeys(events[place].actor for place in shown)]
    rows: list[tuple[str, ...]]
    if len(actors) > _LANES_MAX:
        rows = [
            (scenario.moment(events[place].time), events[place].actor, _did(events[place])) for place in shown
        ]
        header: tuple[str, ...] = ("time", "actor", "")
    else:
        rows = [
            (
                scenario.moment(events[place].time),
                *(_did(events[place]) if actor == events[place].actor else "" for actor in actors),
            )
            for place in shown
        ]
        header = ("time", *actors)
    if shown and shown[-1] - shown[0] >= len(shown):
        rows.insert(end - start, ("...", *[""] * (len(header) - 1)))
    return header, rows or [("(no events)", *[""] * (len(header) - 1))]


def _did(event: Event) -> str:
    detail = event.detail if isinstance(event.detail, tuple) else (event.detail,)
    words = " ".join([event.action, *(str(each) for each in detail if each is not None)])
    return words if len(words) <= _CELL_MAX else f"{words[: _CELL_MAX - 3]}..."


def fingerprint_rows(finding: Finding) -> list[tuple[str, str]]:
    """Return the code and the machine that a finding was found with, as names and values."""
    taken = finding.fingerprint
    versions = taken.get("versions")
    rows = [
        (key, taken[key])
        for key in ("python", "platform", "installed", "source", "commit", "dirty")
        if key in taken
    ]
    rows += [*versions.items()] if isinstance(versions, dict) else []
    return [(str(key), str(value)) for key, value in rows] or [("unknown", "")]


def _plain(text: str) -> str:
    """Return text of which Markdown makes nothing but text, on one line."""
    return re.sub(r"([\\`*_{}\[\]<>#|!~&])", r"\\\1", " ".join(str(text).split()))


def _code(text: str) -> str:
    """Return text as code within a line; its fence is longer than any in the text."""
    text = " ".join(str(text).split())
    fence = "`" * (_longest(text) + 1)
    space = " " if text.startswith("`") or text.endswith("`") or not text else ""
    return f"{fence}{space}{text}{space}{fence}"


def _fenced(lines: Sequence[str]) -> str:
    text = "\n".join(lines)
    fence = "`" * max(3, _longest(text) + 1)
    return f"{fence}text\n{text}\n{fence}"


def _longest(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


_TEST: Final = '''\
"""A regression test, made from a finding of heisenlab by `heisenlab export`.

It is red while the failure is there and green when it is gone. The plan of the finding is tried first, as far
as it still applies, then every plan of as many deviations. Name the variant that holds the repair in VARIANT,
or leave it where the repair changes the variant itself.
"""

import json
from dataclasses import replace

from scenarios.lab.finding import from_json
from scenarios.lab.replay import bisect_verdict

VARIANT = {variant}
FINDING = (
{finding}
)


def test_{name}():
    finding = replace(from_json(json.loads(FINDING)), variant=VARIANT)
    found, runs = bisect_verdict(finding)
    assert not found, f"{{finding.by}} fails: {{finding.plan_in_words}} ({{runs}} runs)"
'''
_PIECE: Final = 90


def export(finding: Finding, *, variant: str | None = None) -> str:
    """Return a finding as a pytest module that needs only the laboratory.

    Whatever the finding holds gets into it as one JSON text in ASCII, in quotes; names become letters.

    Args:
        finding: The finding.
        variant: The variant that the test runs; None means that of the finding.
    """
    text = json.dumps(finding.to_json(), ensure_ascii=True)
    pieces = [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]
    return _TEST.format(
        variant=ascii(variant or finding.variant),
        finding="\n".join(f"    {piece!r}" for piece in pieces),
        name=name_of_test(finding),
    )


def name_of_test(finding: Finding) -> str:
    """Return what names the test of a finding: letters, digits and underscores."""
    words = re.sub(r"[^a-z0-9]+", "_", f"{finding.scenario} {finding.by}".lower(), flags=re.ASCII).strip("_")
    return words or "finding"
