"""The input of the address space: which documents a user opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from simulations.address_space.space import KIB, MIB
from simulations.choices import SEED_MAX, substream
from simulations.terminal_text import shown

__all__ = ["Session", "long_session"]

DOCUMENTS_MAX: Final = 100_000
"""How many documents a session may open."""


DOCUMENT_KIB_MAX: Final = 64 << 20
"""The largest document, in KiB: 64 GiB."""


@dataclass(frozen=True)
class Session:
    """What a user does: open documents one after the other; beyond a number of them, one is closed first.

    Attributes:
        documents: Their sizes in KiB, each from 1 to 2^26; 1 to 100,000 of them.
        open_max: How many are open at once, 1 to 100,000; None means that none is closed.
        lag: How many documents later a pointer is used, if its document is not closed before; 0 to 100,000.
        seed: Decides which document is closed, and where a random policy puts mappings; -2^64 to 2^64.

    Raises:
        ValueError: a figure is no whole number or lies outside its range.
    """

    documents: tuple[int, ...]
    open_max: int | None = None
    lag: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.documents, tuple) or not 1 <= len(self.documents) <= DOCUMENTS_MAX:
            raise ValueError(
                f"give a tuple of the sizes of 1 to {DOCUMENTS_MAX} documents, not {shown(self.documents)}"
            )
        for size in self.documents:
            _check("the size of a document in KiB", size, 1, DOCUMENT_KIB_MAX)
        if self.open_max is not None:
            _check("open_max", self.open_max, 1, DOCUMENTS_MAX)
        _check("lag", self.lag, 0, DOCUMENTS_MAX)
        _check("seed", self.seed, -SEED_MAX, SEED_MAX)


def _check(name: str, value: object, low: int, high: int) -> None:
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"{name} is a whole number from {low} to {high}, not {shown(value)}")


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
