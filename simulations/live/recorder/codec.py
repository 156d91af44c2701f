"""Records of a log as JSON, and back: the names of the attributes are the keys.

Nothing here knows a single record: the declared types of the attributes say what is accepted. `parse` never
raises, whatever a log holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Annotated, Any, Final, TypeGuard, get_args, get_origin, get_type_hints

from simulations.live.recorder.log import Json, Record
from simulations.live.recorder.records import (
    CgroupMoved,
    Child,
    ClockStep,
    End,
    Event,
    Fault,
    Gone,
    Grown,
    Job,
    LastLine,
    LastLines,
    Limits,
    Lost,
    NotStarted,
    SignalSeen,
    Start,
    Takeover,
    WitnessReady,
)

TEXT_CHARACTERS_MAX: Final = 4000
ITEMS_MAX: Final = 1000
"""How much of a text and of a sequence is read: the recorder writes no longer ones."""

INTEGER_MAX: Final = 2**53
"""No integer in a log is as large: what is, is damage."""

_CLASSES: Final[Mapping[str, type[Event]]] = {
    "start": Start,
    "job": Job,
    "exec": NotStarted,
    "witness": WitnessReady,
    "takeover": Takeover,
    "signal": SignalSeen,
    "clock": ClockStep,
    "limits": Limits,
    "cgroup": CgroupMoved,
    "child": Child,
    "gone": Gone,
    "grown": Grown,
    "line": LastLine,
    "tail": LastLines,
    "fault": Fault,
    "lost": Lost,
    "end": End,
}
_KINDS: Final = {each: kind for kind, each in _CLASSES.items()}
_BARE: Final = (LastLine, Fault, Lost)
"""Records whose data are the value of their one field, without its name."""

_TIME: Final = "at_ms"


def kind(event: Event) -> str:
    """Return the kind of a record, the word under which it stands in the log."""
    return _KINDS[type(event)]


def to_record(event: Event) -> Record:
    """Return an event as a record of the log; what is unknown is left out."""
    data = as_json(event)
    return Record(event.at_ms, kind(event), next(iter(data.values()), None) if type(event) in _BARE else data)


def as_json(value: Any) -> dict[str, Json]:
    """Return the known fields of a record, but its time, as JSON-able data."""
    named = {each.name: _plain(getattr(value, each.name)) for each in fields(value) if each.name != _TIME}
    return {name: plain for name, plain in named.items() if plain is not None}


def _plain(value: Any) -> Json:
    if is_dataclass(value):
        return as_json(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    plain: Json = value
    return plain


def parse(record: Record) -> Event | None:
    """Return what a record says, or None if its kind is unknown. Never raises."""
    wanted = _CLASSES.get(record.kind)
    if wanted is None:
        return None
    data = {fields(wanted)[0].name: record.data} if wanted in _BARE else record.data
    event: Event = replace(_read(wanted, data), at_ms=record.time)
    return event


def _read(wanted: Any, data: object) -> Any:
    known = data if isinstance(data, Mapping) else {}
    return wanted(**{name: _fit(hint, known[name]) for name, hint in _hints(wanted).items() if name in known})


@cache
def _hints(wanted: type) -> Mapping[str, Any]:
    hints = get_type_hints(wanted, include_extras=True)
    return {name: hint for name, hint in hints.items() if name != _TIME}


def _fit(hint: Any, value: object) -> Any:
    """Return a value of JSON as the declared type, or what stands for "unknown" where it is another."""
    origin = get_origin(hint)
    if origin is Annotated:  # an `Amount`
        found = _fit(get_args(hint)[0], value)
        return None if found is not None and found < 0 else found
    if origin is UnionType:
        return None if value is None else _fit(get_args(hint)[0], value)
    if origin is tuple:
        return _fit_all(get_args(hint), value)
    if is_dataclass(hint):
        return _read(hint, value) if isinstance(value, Mapping) else None
    if hint is float:
        return float(value) if isinstance(value, float) or is_whole(value) else None
    if hint is int:
        return value if is_whole(value) else None
    if issubclass(hint, StrEnum):
        return hint(value) if value in list(hint) else None
    if isinstance(value, str) and hint is str:
        return value[:TEXT_CHARACTERS_MAX]
    return value if type(value) is hint else None


def is_whole(value: object) -> TypeGuard[int]:
    """Tell whether a value of JSON is an integer of a size that can be computed with."""
    return type(value) is int and abs(value) < INTEGER_MAX


def _fit_all(hints: tuple[Any, ...], value: object) -> tuple[Any, ...] | None:
    """Return the items of a sequence that are of the declared type; of a pair both, or None."""
    items = value if isinstance(value, list) else []
    if hints[-1] is not Ellipsis:
        found = tuple(_fit(hint, each) for hint, each in zip(hints, items, strict=False))
        return found if len(found) == len(items) == len(hints) and None not in found else None
    return tuple(each for each in (_fit(hints[0], item) for item in items[:ITEMS_MAX]) if each is not None)
