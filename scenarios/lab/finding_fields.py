"""What a finding from a stranger may hold: every field typed and bounded before anything uses it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.verdict import Minimality
from simulations.choices import Plan
from simulations.errors import LabError
from simulations.terminal_text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEPTH_MAX: Final = 16
"""How deep lists and objects may lie in each other."""
NAME_MAX: Final = 200
"""The longest name, in characters: of a scenario, a variant, a property, a searcher, a label."""
MESSAGE_MAX: Final = 10_000
"""The longest message of a property, in characters."""
WORDS_MAX: Final = 1_000_000
"""The longest plan in words, in characters."""
DEVIATIONS_MAX: Final = 10_000
"""The largest number of deviations in a plan."""
COUNT_MAX: Final = 2**63 - 1
"""The largest number of runs, occurrence or option."""
SEED_MAX: Final = 2**64
"""The largest seed of a search."""

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class FieldError(LabError):
    """A field of a finding has another type, or lies outside its range."""


def check_depth(data: object) -> None:
    """Check that nothing lies deeper than `DEPTH_MAX`, which what walks through the data relies on.

    Raises:
        FieldError: something does.
    """
    layer = [data]
    for _ in range(DEPTH_MAX):
        layer = [
            inner
            for outer in layer
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not layer:
            return
    raise FieldError(f"lists and objects lie in each other more than {DEPTH_MAX} deep")


def checked(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a finding, the plan read.

    Args:
        body: A value for each field of `scenarios.lab.finding.Finding`.

    Raises:
        FieldError: a value has another type, or lies outside its range; the message names it.
    """
    return {name: _CHECKS[name](name, value) for name, value in body.items()}


def _text(most: int) -> Callable[[str, object], str]:
    def check(name: str, value: object) -> str:
        if not isinstance(value, str):
            raise FieldError(f"{name} is {shown(value)}, not a text")
        if len(value) > most:
            raise FieldError(f"{name} has {len(value)} characters, at most {most}: {shown(value)}")
        return value

    return check


def _number(most: int) -> Callable[[str, object], int]:
    def check(name: str, value: object) -> int:
        if type(value) is not int:
            raise FieldError(f"{name} is {shown(value)}, not a whole number")
        if not 0 <= value <= most:
            raise FieldError(f"{name} is {shown(value)}, not from 0 to {most}")
        return value

    return check


def _input(name: str, value: object) -> object:
    if not isinstance(value, dict):
        raise FieldError(f"{name} is {shown(value)}, not an object")
    return value


def _digest(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise FieldError(f"{name} is {shown(value)}, not a text")
    if not _DIGEST.fullmatch(value):
        raise FieldError(f"{name} is {shown(value)}, not 64 hexadecimal digits")
    return value


def _minimality(name: str, value: object) -> str:
    text = _text(WORDS_MAX)(name, value)
    try:
        Minimality.read(text)
    except LabError as error:
        raise FieldError(f"{name}: {error}") from error
    return text


def _plan(name: str, value: object) -> Plan:
    if isinstance(value, list) and len(value) > DEVIATIONS_MAX:
        raise FieldError(f"no usable {name}: {len(value)} deviations, at most {DEVIATIONS_MAX}")
    try:
        plan = Plan.from_json(value)
    except LabError as error:
        raise FieldError(f"no usable {name}: {error}") from error
    for label, occurrence, option in plan:
        _text(NAME_MAX)("a label of the plan", label)
        _number(COUNT_MAX)("an occurrence in the plan", occurrence)
        _number(COUNT_MAX)("an option in the plan", option)
    return plan


def _fingerprint(name: str, value: object) -> dict[str, Any]:
    """Check that a fingerprint is an object of scalars, lists of texts, and objects of those."""
    if not isinstance(value, dict):
        raise FieldError(f"{name} is {shown(value)}, not an object")
    for key, entry in value.items():
        inner = entry if isinstance(entry, dict) else {key: entry}
        for part in inner.values():
            texts = isinstance(part, list) and all(isinstance(text, str) for text in part)
            if not texts and not isinstance(part, str | int | bool | None):
                raise FieldError(f"{name}: {shown(key)} is {shown(entry)}, which no fingerprint holds")
    return value


_CHECKS: Final[dict[str, Callable[[str, Any], Any]]] = {
    "scenario": _text(NAME_MAX),
    "variant": _text(NAME_MAX),
    "input": _input,
    "plan": _plan,
    "plan_in_words": _text(WORDS_MAX),
    "by": _text(NAME_MAX),
    "message": _text(MESSAGE_MAX),
    "digest": _digest,
    "minimality": _minimality,
    "searcher": _text(NAME_MAX),
    "seed": _number(SEED_MAX),
    "search_runs": _number(COUNT_MAX),
    "minimising_runs": _number(COUNT_MAX),
    "verified": _text(NAME_MAX),
    "fingerprint": _fingerprint,
}
