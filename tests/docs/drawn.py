"""The pictures in the stories' pages; `python -m tests.docs.drawn` draws them anew.

Each is the documented least plan of the bug as shipped, beside the nearest run that passes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import scenarios
from scenarios.lab.execution import replayed
from scenarios.lab.pictures import pictures_of
from simulations.address_space import picture, variants
from simulations.address_space.system import run
from simulations.address_space.workload import Session
from simulations.choices import Deviation, drawn
from simulations.drawing.page import fragment
from simulations.errors import PlanError

if TYPE_CHECKING:
    from simulations.address_space.system import Run

IMAGES: Final = Path(__file__).parents[2] / "docs/images"


def stories() -> dict[Path, str]:
    """Return the pictures of each story as HTML, by the file that holds them."""
    found = {name.replace("-", "_"): _drawn(name) for name in scenarios.catalogue()}
    return {IMAGES / f"{name}.html": text for name, text in {**found, **_falls()}.items()}


def _drawn(name: str) -> str:
    scenario = scenarios.get(name)
    variant = scenario.variant()
    for given in scenario.ladder:
        try:
            outcome = replayed(scenario, variant, given, variant.expect.least)
        except PlanError:
            continue
        if outcome.failure:
            pictures = pictures_of(scenario, variant, given, variant.expect.least, outcome)
            return "".join(map(fragment, pictures))
    raise AssertionError(f"the documented plan of {name} fails on no input of its ladder")


def _falls() -> dict[str, str]:
    """Return where a truncated pointer comes down: in the memory of another, and in a filled gap."""
    unsigned = replace(variants.ON_THE_TEST_MACHINE, cut="unsigned-32")
    many, few = Session((64 * 1024,) * 71), Session((1024,) * 12)
    silent = run(unsigned, many, drawn([Deviation("path.document", 70, 1)]))
    filled_system = replace(unsigned, fill_below=variants.FILL_LIMIT)
    filled = run(filled_system, few, drawn([Deviation("path.document", 5, 1)]))
    return {
        "truncated_pointer_silent": _fall(silent, "Low memory is full: it reads another document"),
        "truncated_pointer_filled": _fall(filled, "Every gap is filled: it crashes at once"),
    }


def _fall(ran: Run, title: str) -> str:
    assert ran.wrong
    return fragment(picture.tracks(ran.regions, cut=picture.cut_of(ran.wrong), title=title))


def main() -> None:
    """Draw the pictures."""
    for path, text in stories().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
