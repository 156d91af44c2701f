"""The options of the laboratory on the command line of pytest."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.lab.covered import NO_SPOILERS

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from scenarios.lab.scenario import Kind


@dataclass(frozen=True)
class Options:
    """What the command line says.

    Attributes:
        show_bugs: Whether failing properties are let through, as red tests: those of what shipped.
        show_folk_fixes: Whether those of folk fixes are let through as well.
        hide: Whether causes and fixes are hidden.
        seed: The seed of each hunt that names none itself, from 0.
        budget: The runs of each search that names none itself, from 1; None means what the searcher needs.
        replay: The finding to replay in place of all tests, as it was given; None means the tests.
    """

    show_bugs: bool
    show_folk_fixes: bool
    hide: bool
    seed: int
    budget: int | None
    replay: str | None

    @classmethod
    def of(cls, config: pytest.Config) -> Options:
        """Return the options of a session."""
        option = config.getoption
        return cls(
            show_bugs=option("show_bugs") or option("show_folk_fixes"),
            show_folk_fixes=option("show_folk_fixes"),
            hide=option("no_spoilers"),
            seed=option("lab_seed"),
            budget=option("lab_budget"),
            replay=option("lab_replay"),
        )

    def shows(self, kind: Kind) -> bool:
        """Return whether the failing property of a variant is let through.

        Args:
            kind: That of the variant.
        """
        return self.show_bugs and (self.show_folk_fixes or kind != "folk fix")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the laboratory, in a group of their own."""
    group = parser.getgroup("heisenlab", "the laboratory for bugs that nobody could reproduce")
    group.addoption(
        "--show-bugs",
        action="store_true",
        help="let the failing properties of what shipped through, as red tests; Hypothesis's reports first",
    )
    group.addoption(
        "--show-folk-fixes",
        action="store_true",
        help="as --show-bugs, and let those of folk fixes through, too",
    )
    group.addoption(
        "--no-spoilers",
        action="store_true",
        default=bool(os.environ.get(NO_SPOILERS)),
        help="hide causes, fixes and the names of tests, for a class that looks for them; "
        f"also by {NO_SPOILERS}=1",
    )
    group.addoption(
        "--lab-seed",
        type=_from(0),
        default=0,
        metavar="N",
        help="seed of each hunt that names none itself, from 0 (default 0)",
    )
    group.addoption(
        "--lab-budget",
        type=_from(1),
        metavar="N",
        help="runs that the search of each hunt may take that names no budget itself, from 1",
    )
    group.addoption(
        "--lab-replay",
        metavar="FILE",
        help="run nothing but the finding in this file: red while its bug is there, green when it holds",
    )


def _from(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isascii() or not text.isdigit() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least}")
        return int(text)

    return number
