"""The results of the hunts of a session, as rows that travel between processes."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, Final

from scenarios.lab.finding import Finding, from_json

AS_SHIPPED: Final = "as-shipped"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One hunt of a session.

    Attributes:
        test: The node id of the test that hunted.
        scenario: The name of the scenario.
        catalogued: Whether the catalogue has the scenario under its name.
        variant: The name of the variant.
        shown: How reports call the two; it does not give a fix away where spoilers are hidden.
        position: The place of the variant in its scenario.
        kind: As shipped, folk fix, or fix.
        hidden_input: The input that nobody recorded.
        withstands: The number of deviations that the variant is to be exhausted at, or None.
        hunt: The hunt as `Hunt.to_json` gives it.
        finding: The finding as `Finding.to_json` gives it, or None.
        as_expected: Whether the result is the one that the variant is expected to have.
    """

    test: str
    scenario: str
    catalogued: bool
    variant: str
    shown: str
    position: int
    kind: str
    hidden_input: str
    withstands: int | None
    hunt: dict[str, Any]
    finding: dict[str, Any] | None
    as_expected: bool

    def dumps(self) -> str:
        """Return the row as a text that any channel carries."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def loads(cls, text: str) -> Row:
        """Read what `dumps` wrote."""
        return cls(**json.loads(text))

    def found(self) -> Finding | None:
        """Return the finding of the hunt, or None."""
        return None if self.finding is None else from_json(self.finding)
