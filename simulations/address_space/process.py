"""The world: a program opens and closes documents, and now and then a pointer to one takes the old path.

What is recorded of such a program in the field is its input, the session. Where its memory lands is not
recorded, and the environment decides it. Time is the number of documents opened so far.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from simulations.address_space.allocator import Allocator
from simulations.address_space.cuts import cut_named
from simulations.address_space.environment import ANYWHERE, AS_TESTED, land, takes_old_path
from simulations.address_space.space import GIB, KIB, MIB, WINDOWS, Filled, Layout, Region, Space
from simulations.choices import substream
from simulations.errors import LabError
from simulations.trace import Trace

if TYPE_CHECKING:
    from simulations.choices import Chooser

Outcome: TypeAlias = Literal["right", "silent", "crash"]

DOCUMENTS_MAX: Final = 100_000
"""How many documents a session may open."""

START_UP: Final = 4 * KIB
"""Bytes that a program has allocated before anybody inside it can fill the gaps."""

DOCUMENT_KIB_MAX: Final = 64 << 20
"""The largest document, in KiB: 64 GiB."""


@dataclass(frozen=True)
class Session:
    """What a user does: open documents one after the other; beyond a number of them, one is closed first.

    Attributes:
        documents: Their sizes in KiB, each from 1 to 2^26; 1 to 100,000 of them.
        open_max: How many are open at once, at least 1; None means that none is closed.
        lag: A pointer is used so many documents after it was made, or when its document is closed.
        seed: Decides which document is closed, and where a random policy puts mappings.

    Raises:
        ValueError: a figure lies outside its range.
    """

    documents: tuple[int, ...]
    open_max: int | None = None
    lag: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= len(self.documents) <= DOCUMENTS_MAX:
            raise ValueError(f"a session opens 1 to {DOCUMENTS_MAX} documents, not {len(self.documents)}")
        for size in self.documents:
            if not 1 <= size <= DOCUMENT_KIB_MAX:
                raise ValueError(f"a document has 1 to {DOCUMENT_KIB_MAX} KiB, not {size}")
        if self.open_max is not None and self.open_max < 1:
            raise ValueError(f"at least 1 document is open at once, not {self.open_max}")
        if self.lag < 0:
            raise ValueError(f"a pointer is used 0 or more documents later, not {self.lag}")


MEAN_KIB: Final = 4 * MIB // KIB
"""The mean size of a document of a long session, in KiB."""


def long_session(live: int, *, churn: int = 500, lag: int = 5, seed: int = 0) -> Session:
    """Return a session that fills memory up to a size and then opens and closes documents.

    Args:
        live: Bytes that are open at once, about; at least 4 MiB.
        churn: How many documents are opened after that.
        lag: As of `Session`.
        seed: Decides the sizes, which are even between 64 KiB and 8 MiB, and what `Session` decides by it.
    """
    open_max = max(1, live // (MEAN_KIB * KIB))
    rng = substream(seed, "sizes")
    sizes = tuple(64 * rng.randrange(1, 2 * MEAN_KIB // 64) for _ in range(open_max + churn))
    return Session(sizes, open_max=open_max, lag=lag, seed=seed)


@dataclass(frozen=True)
class System:
    """The program, and the space in which it runs.

    Attributes:
        cut: The name of what happens to a pointer on the old path.
        keeps: Whether the field on the old path keeps a `pointer` or a `handle`, the number of an entry in
            a table.
        layout: The shape of the address space.
        landings: Where the environment may put a mapping: the first so many of `environment.ANYWHERE`.
        fill_below: Fill all gaps below this address, in bytes; 0 for no filling.
        filled: When: `at start`, before the program has any memory; `from inside`, when its allocator has an
            arena already, which holds free low memory that no gap shows; or `from inside, drained`, when that
            is taken, too.
        document_kib_max: The program refuses larger documents.
        reserve: Bytes of a heap reserved in low memory that serves documents while they fit; 0 for none.

    Raises:
        LabError: there is no such cut, or a figure or an answer makes no sense.
    """

    cut: str = "signed-32"
    keeps: Literal["pointer", "handle"] = "pointer"
    layout: Layout = WINDOWS
    landings: tuple[str, ...] = AS_TESTED
    fill_below: int = 0
    filled: Literal["at start", "from inside", "from inside, drained"] = "at start"
    document_kib_max: int = DOCUMENT_KIB_MAX
    reserve: int = 0

    def __post_init__(self) -> None:
        cut_named(self.cut)
        if self.keeps not in {"pointer", "handle"}:
            raise LabError(f"the field keeps a pointer or a handle, not {self.keeps!r}")
        if self.filled not in {"at start", "from inside", "from inside, drained"}:
            raise LabError(f"a space is filled at start, or from inside, drained or not; not {self.filled!r}")
        if not self.landings or self.landings != ANYWHERE[: len(self.landings)]:
            raise LabError(f"landings are the first so many of {ANYWHERE}, not {self.landings}")
        for name in ("fill_below", "document_kib_max", "reserve"):
            if getattr(self, name) < 0:
                raise LabError(f"{name} is 0 or more, not {getattr(self, name)}")


FILL_LIMIT: Final = 6 * GIB
"""Where to stop filling. Lowest first, the program's next pointers are the limit and a little more; cut to
32 bits they fall to 2 GiB and a little more, above all islands. At a limit of 4 GiB they would fall onto
the image."""


class Use(NamedTuple):
    """A document was used through a pointer that had taken the old path.

    Attributes:
        time: How many documents had been opened.
        document: The number of the document that was meant.
        address: Where it is.
        came_back: What the old path made of its address.
        outcome: `right`, `silent` (somebody else's memory was read) or `crash`.
        victim: Whose memory it was; empty where there is none.
    """

    time: int
    document: int
    address: int
    came_back: int
    outcome: Outcome
    victim: str


@dataclass(frozen=True)
class Run:
    """What happened.

    Attributes:
        trace: Every document opened, closed, refused, and every use by the old path.
        uses: The uses by the old path; after a crash there are no more.
        refused: How many documents could not be opened.
        regions: The address space at the first use that was not right, or else at the end.
        filled: What filling came to; None where nothing was filled.
        highest: The end of the highest document that was opened, in bytes; 0 where none was.
    """

    trace: Trace
    uses: tuple[Use, ...]
    refused: int
    regions: tuple[Region, ...] = field(repr=False)
    filled: Filled | None
    highest: int

    @property
    def wrong(self) -> Use | None:
        """The first use that was not right, or None."""
        return next((use for use in self.uses if use.outcome != "right"), None)

    @property
    def outcome(self) -> Outcome:
        """What the run came to: the outcome of the first use that was not right, or `right`."""
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
