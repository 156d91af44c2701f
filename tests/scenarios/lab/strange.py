"""A scenario of a distribution whose every free text steers a terminal, up to the labels of its choices."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from tests.scenarios.lab import toy

if TYPE_CHECKING:
    from simulations.choices import Chooser

HOSTILE: Final = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e\u2066\u200b\u2060\ufeff\u2028\r\x08\x7f\U000e0041[red]"


def run(office: toy.Office, errands: toy.Errands, chooser: Chooser) -> toy.Day:
    """Run the toy, and ask and record something hostile."""
    day = toy.run(office, errands, chooser)
    day.trace.record(9, HOSTILE, HOSTILE, HOSTILE)
    chooser.pick(HOSTILE, ("a", HOSTILE))
    return day


def nothing_is_stained(day: toy.Day) -> None:
    """Nothing is ever stained."""
    assert not day.stains, HOSTILE


def hostile(value: Any, *kept: str) -> Any:
    """Return a dataclass with every text in it replaced, but for the named ones."""
    texts = [each.name for each in dataclasses.fields(value) if isinstance(getattr(value, each.name), str)]
    return dataclasses.replace(value, **{name: HOSTILE for name in texts if name not in kept})


SCENARIO: Final = dataclasses.replace(
    hostile(toy.SCENARIO),
    name="strange",
    story=hostile(toy.STORY),
    variants=tuple(hostile(each, "name") for each in toy.SCENARIO.variants if each.name != "broken"),
    run=run,
    phrase=lambda point: HOSTILE,
    properties=(nothing_is_stained, *toy.SCENARIO.properties[1:]),
)
