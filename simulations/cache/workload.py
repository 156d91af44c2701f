"""What the clients do: the input, which is recorded."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from simulations.terminal_text import shown

__all__ = ["KEY", "Workload"]

READ: Final = "r"
WRITE: Final = "w"
THINK: Final = "."
LETTERS: Final = READ + WRITE + THINK
"""The steps of a client as they are written in a workload."""

KEY: Final = "price"
"""The one row that all clients read and write."""

THINK_MS: Final = 100
CLIENTS_MAX: Final = 8
STEPS_MAX: Final = 8


@dataclass(frozen=True)
class Workload:
    """What each client does, one after the other.

    Attributes:
        clients: For each of 1 to 8 clients a text with one letter a step, 1 to 8 of them: `r` reads the row,
            `w` writes it, `.` thinks for `THINK_MS`. Every write has a value of its own: the first client's
            first is 1, and so on.

    Raises:
        ValueError: there are no clients, or too many, or one has no steps, too many, or a strange one.
    """

    clients: tuple[str, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.clients, list | tuple) or not all(
            isinstance(steps, str) for steps in self.clients
        ):
            raise ValueError(
                f"give a tuple of texts, one for each client, such as 'rw', not {shown(self.clients)}"
            )
        object.__setattr__(self, "clients", tuple(self.clients))
        if not 1 <= len(self.clients) <= CLIENTS_MAX:
            raise ValueError(f"a workload has 1 to {CLIENTS_MAX} clients, not {len(self.clients)}")
        for steps in self.clients:
            if not 1 <= len(steps) <= STEPS_MAX:
                raise ValueError(f"a client does 1 to {STEPS_MAX} steps, not {len(steps)} ({shown(steps)})")
            strange = sorted(set(steps) - set(LETTERS))
            if strange:
                raise ValueError(
                    f"a client does {strange[0]!r}; a step is one of {' '.join(LETTERS)} (read, write, think)"
                )

    @property
    def names(self) -> tuple[str, ...]:
        """The clients by what they do: `reader`, `writer`, or `client` for who does both.

        The second of a kind is `reader2`, and so on.
        """
        seen: Counter[str] = Counter()
        names = []
        for steps in self.clients:
            name = "client" if READ in steps and WRITE in steps else "writer" if WRITE in steps else "reader"
            seen[name] += 1
            names.append(name if seen[name] == 1 else f"{name}{seen[name]}")
        return tuple(names)

    @property
    def values(self) -> tuple[tuple[int, ...], ...]:
        """For each client the values that it writes."""
        upcoming = iter(range(1, sum(steps.count(WRITE) for steps in self.clients) + 1))
        return tuple(tuple(next(upcoming) for _ in range(steps.count(WRITE))) for steps in self.clients)

    def __str__(self) -> str:
        return " ".join(self.clients)
