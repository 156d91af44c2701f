"""The world: a program opens and closes documents, and now and then a pointer to one takes the old path.

What is recorded of such a program in the field is its input, the session. Where its memory lands is not
recorded, and the environment decides it. Time is the number of documents opened so far.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from simulations.address_space.allocator import Allocator
from simulations.address_space.cuts import cut_named
from simulations.address_space.environment import land, takes_old_path
from simulations.address_space.space import KIB, Filled, Region, Space
from simulations.choices import substream
from simulations.drawing.displayed import DisplayedByWorld
from simulations.trace import Trace

if TYPE_CHECKING:
    from simulations.address_space.variants import System
    from simulations.address_space.workload import Session
    from simulations.choices import Chooser

__all__ = ["Run", "run"]

Outcome: TypeAlias = Literal["right", "silent", "crash"]


START_UP: Final = 4 * KIB
"""Bytes that a program has allocated before code inside it can fill the gaps."""


class Use(NamedTuple):
    """A document was used through a pointer that had taken the old path.

    Attributes:
        time: How many documents had been opened.
        document: The number of the document that was meant.
        address: Where it is.
        came_back: What the old path made of its address.
        outcome: `right`, `silent` (other memory was read) or `crash`.
        victim: Whose memory it was; empty where there is none.
    """

    time: int
    document: int
    address: int
    came_back: int
    outcome: Outcome
    victim: str


@dataclass(frozen=True)
class Run(DisplayedByWorld):
    """What happened.

    Attributes:
        trace: Every document opened, closed, refused, and every use by the old path.
        uses: The uses by the old path; after a crash there are no more.
        refused: How many documents could not be opened.
        regions: The address space at the first use that was not right, or else at the end.
        filled: The result of the filling; None where nothing was filled.
        highest: The end of the highest document that was opened, in bytes; 0 where none was.
    """

    trace: Trace
    uses: tuple[Use, ...]
    refused: int
    regions: tuple[Region, ...]
    filled: Filled | None
    highest: int

    def __repr__(self) -> str:
        return f"<Run of {len(self.regions)} regions: {self.outcome}; {len(self.trace)} events>"

    @property
    def wrong(self) -> Use | None:
        """The first use that was not right, or None."""
        return next((use for use in self.uses if use.outcome != "right"), None)

    @property
    def outcome(self) -> Outcome:
        """The outcome of the run: that of the first use that was not right, or `right`."""
        return self.wrong.outcome if self.wrong else "right"


@dataclass
class _Program:
    """The state of a run."""

    system: System
    session: Session
    chooser: Chooser
    trace: Trace = field(default_factory=Trace)
    uses: list[Use] = field(default_factory=list)
    addresses: dict[int, int] = field(default_factory=dict)
    due: dict[int, list[int]] = field(default_factory=dict)
    waiting: dict[int, int] = field(default_factory=dict)
    regions: tuple[Region, ...] = ()
    refused: int = 0
    highest: int = 0

    def __post_init__(self) -> None:
        self.space = Space(self.system.layout, self.session.seed)
        self.allocator = Allocator(self.space, self._mapping, reserve=self.system.reserve)
        self.cut = cut_named(self.system.cut)
        self.filled = self._fill(self.system.fill_below) if self.system.fill_below else None

    def _fill(self, limit: int) -> Filled:
        if self.system.filled != "at start":
            self.allocator.allocate(START_UP, "start-up")
        filled = self.space.fill(limit)
        if self.system.filled == "from inside, drained":
            self.allocator.drain(limit)
        return filled

    def _mapping(self, size: int, name: str) -> Region | None:
        return land(self.chooser, self.space, self.system.landings, size, name)

    def open(self, now: int, kib: int) -> bool:
        """Open document number `now`; return False where it is refused."""
        address = None
        if kib <= self.system.document_kib_max:
            address = self.allocator.allocate(kib * KIB, f"document {now}")
        if address is None:
            self.refused += 1
            self.trace.record(now, f"document {now}", "refused", kib)
            return False
        self.addresses[now] = address
        self.highest = max(self.highest, address + kib * KIB)
        self.trace.record(now, f"document {now}", "open", (kib, address))
        if takes_old_path(self.chooser):
            self.due.setdefault(now + self.session.lag, []).append(now)
            self.waiting[now] = now + self.session.lag
        return True

    def use(self, now: int, document: int) -> bool:
        """Use a document by the old path; return False where the program has crashed."""
        del self.waiting[document]
        address = self.addresses[document]
        by_handle = self.system.keeps == "handle"
        came_back = self.addresses.get(self.cut(document), 0) if by_handle else self.cut(address)
        victim = "" if came_back == address else self.allocator.owner(came_back)
        outcome: Outcome = "right" if came_back == address else "crash" if victim is None else "silent"
        if outcome != "right" and not self.regions:
            self.regions = self.space.regions
        self.uses.append(Use(now, document, address, came_back, outcome, victim or ""))
        self.trace.record(now, f"document {document}", f"use {outcome}", (address, came_back, victim or ""))
        return outcome != "crash"

    def close(self, now: int, document: int) -> bool:
        """Close a document, using its pointer first where that is due later; False where that crashed."""
        if document in self.waiting:
            self.due[self.waiting[document]].remove(document)
            if not self.use(now, document):
                return False
        address = self.addresses.pop(document)
        self.allocator.release(address)
        self.trace.record(now, f"document {document}", "close")
        return True


def run(system: System, session: Session, chooser: Chooser) -> Run:
    """Run a program through a session.

    Args:
        system: The program and its space.
        session: What the user does.
        chooser: Answers where a mapping lands and which path a pointer takes.

    Raises:
        LabError: the layout makes no sense.
    """
    program = _Program(system, session, chooser)
    _live(program, session)
    return Run(
        trace=program.trace,
        uses=tuple(program.uses),
        refused=program.refused,
        regions=program.regions or program.space.regions,
        filled=program.filled,
        highest=program.highest,
    )


def _live(program: _Program, session: Session) -> None:
    """Open and close until the session is over or the program has crashed."""
    closing = substream(session.seed, "closing")
    opened: list[int] = []
    open_max = session.open_max or len(session.documents)
    for now, kib in enumerate(session.documents):
        program.chooser.at(now)
        if len(opened) >= open_max and not program.close(now, opened.pop(closing.randrange(len(opened)))):
            return
        if program.open(now, kib):
            opened.append(now)
        for document in program.due.pop(now, []):
            if not program.use(now, document):
                return
    for document in [document for due in program.due.values() for document in due]:
        if not program.use(len(session.documents), document):
            return
