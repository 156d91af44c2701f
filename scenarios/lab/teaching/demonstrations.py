"""The demonstrations: what each shows, and how its repaired twin is made of it.

A demonstration is a file of at most twenty lines that fails as it stands. One line of it is followed by a
comment, `# fix: ...`: put in place of that line, it makes the twin, which passes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scenarios.lab.teaching import material
from simulations.errors import LabError

LINES_MAX: Final = 20
"""So many lines can be read from the last row of a lecture hall."""
_FIX: Final = "# fix: "


@dataclass(frozen=True)
class Demonstration:
    """One idea, shown by a test that fails.

    Attributes:
        name: The name of its file in `docs/demos`, without the ending.
        feature: What of Hypothesis, or of the laboratory, it shows.
        shows: What stands in the report of the failure on every version: the least example, or the reason.
        look: What to look at in the report.
        options: Further options for pytest.
    """

    name: str
    feature: str
    shows: str
    look: str
    options: tuple[str, ...] = ()

    def source(self) -> str:
        """Return the file as it ships."""
        return material.demos()[self.name].read_text(encoding="utf-8")

    def twin(self) -> str:
        """Return the repaired file: one line is another."""
        lines = self.source().splitlines(keepends=True)
        at = self._changed(lines)
        lines[at] = lines[at + 1].replace(_FIX, "", 1)
        return "".join(lines)

    def change(self) -> tuple[str, str]:
        """Return the line that the twin changes, as it ships and as it is then, without the indentation."""
        lines = self.source().splitlines()
        at = self._changed(lines)
        return lines[at].strip(), lines[at + 1].strip().removeprefix(_FIX)

    def idea(self) -> str:
        """Return the first line of the file: what it shows, in a sentence or two."""
        return self.source().splitlines()[0].strip('"')

    @staticmethod
    def _changed(lines: list[str]) -> int:
        (at,) = (number for number, line in enumerate(lines) if line.lstrip().startswith(_FIX))
        return at - 1


DEMONSTRATIONS: Final = (
    Demonstration(
        "given",
        "given",
        "mode=1,",
        "The one failing example out of some dozens that Hypothesis ran: mode 1 with bit 2 upset is 5, "
        "which is no mode. It is the simplest there is: no smaller mode and no smaller bit does it.",
    ),
    Demonstration(
        "state_machine",
        "RuleBasedStateMachine",
        "state.reader_fills_the_cache()",
        "The three calls are the story: read, write and delete, fill. Hypothesis wrote longer programs "
        "first and took away every call that was not needed.",
    ),
    Demonstration(
        "target",
        "target",
        "'reaper': 69,",
        "The score is the number of hours that are missing to the story. Hypothesis climbs up to zero, and "
        "then shrinks what it found. It takes one who knows what to look for: compare bad_target.",
    ),
    Demonstration(
        "bad_target",
        "target",
        "NoSuchExample",
        "Nothing was found. The score is how long the job lived, so Hypothesis spent its examples on "
        "making the job live longer: away from the bug. With 200 seeds this score finds it 28 times, no "
        "target at all 54 times.",
    ),
    Demonstration(
        "strategy_shape",
        "builds, sampled_from",
        "NoSuchExample",
        "Even the right target needs more than 100 examples where nine numbers are drawn at random. The "
        "twin draws a healthy week and a rule that platforms have: then there are 35 weeks in all.",
    ),
    Demonstration(
        "find",
        "find",
        "0x80000000",
        "The least value is 2 to the power of 31, so the pointer went through a signed number of 32 bits. "
        "Had it been unsigned, find would have returned 0x100000000.",
    ),
    Demonstration(
        "example",
        "example",
        "mine='plumless',",
        'It says "explicit example": the case was not searched. Random search would not find it in a '
        "year; the line keeps it from being forgotten.",
    ),
    Demonstration(
        "assume",
        "assume",
        "filtering out a lot of inputs",
        "No assertion has failed. Hypothesis gives up since nearly all its examples are thrown away. The "
        "twin sorts four different hours, so each example counts.",
    ),
    Demonstration(
        "explain",
        "Phase.explain",
        "or any other generated value",
        "Which processor it is does not matter; mode and bit do. The line under Explanation ran in "
        "failing examples only: the one that lets an invalid code stay.",
    ),
    Demonstration(
        "reproduce_failure",
        "reproduce_failure",
        "This failure is from 6.149.0",
        "The blob is refused by any version of Hypothesis but the one that wrote it. A plan of the "
        "laboratory names what is answered at which question, and depends on no version.",
    ),
    Demonstration(
        "database",
        "database",
        "assert 4294967296 == 0",
        "The second run began from zero again. With a database, its first example is the one on which the "
        "first run ended.",
    ),
    Demonstration(
        "event",
        "event",
        "{'finished'} == {'finished', 'killed'}",
        "The property passed in 100 examples, and the statistics say that all of them were of one kind: "
        "the job that is killed was never tried.",
        ("--hypothesis-show-statistics",),
    ),
    Demonstration(
        "threads",
        "explore",
        "1 preemption, 1 deviation; least",
        "The schedule in words, and the lines of both threads side by side: one is paused between the "
        "question whether there is enough and the withdrawal.",
    ),
    Demonstration(
        "threads_and_inputs",
        "holds_in_schedules",
        "yours=100,",
        "Two answers in one report: the least amounts, 1 and 100, and the least schedule, one pause.",
    ),
    Demonstration(
        "transitions_machine",
        "given, with the library transitions",
        "State 'unused code 11' is not a registered state",
        'The reset itself fails: "*" means every registered state, and a code that is no state is not '
        "one of them.",
    ),
    Demonstration(
        "truncated_pointer",
        "note",
        "0x100000000 became 0x0",
        "The least address that does not survive is 2 to the power of 32: below it everything works, and "
        "most programs live below it on a test machine.",
    ),
    Demonstration(
        "killed_job",
        "the recorder's first question",
        "(-9, ['hour 0'])",
        "The log ends in an ordinary line, and the status is -9. SIGKILL leaves a program no chance to "
        "say anything; SIGTERM, in the twin, does.",
    ),
)


def demonstration(name: str) -> Demonstration:
    """Return a demonstration by its name.

    Raises:
        LabError: there is none of that name; the message says which there are.
    """
    found = next((each for each in DEMONSTRATIONS if each.name == name), None)
    if found is None:
        names = ", ".join(each.name for each in DEMONSTRATIONS)
        raise LabError(f"there is no demonstration {name!r}; there are {names}")
    return found
