"""How the instrument reads, writes and drives a state machine that it did not make.

Three kinds are known, by what they offer and without importing their libraries: a machine of `transitions`
(or a model that belongs to one), a machine of `python-statemachine`, and any other object, of which the
field, the states and the events must be named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, EnumType
from functools import partial
from itertools import islice
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from simulations.live.state_machines.stored_codes import (
    ASYNCHRONOUS,
    CODES_MAX,
    SubjectError,
    name_of,
    refuse_unless_over,
    same,
)
from simulations.terminal_text import raised, shown

_T = TypeVar("_T")

Send: TypeAlias = Callable[[Any], object]
"""Sends one event to a machine."""


@dataclass(frozen=True)
class Field:
    """Where a machine keeps its state.

    Attributes:
        name: Stands in reports.
        read: Returns what the field of a machine holds.
        write: Puts a value there, as a flipped bit would: past every check that it can get past.
    """

    name: str
    read: Callable[[Any], object]
    write: Callable[[Any, object], object]


@dataclass(frozen=True)
class Adaptor:
    """A kind of machine, as the instrument sees it.

    Attributes:
        kind: Stands in reports.
        owner: Returns the object that holds the state; two fresh machines must not share it.
        field: Where the state is.
        states: From the name of each state to what the field holds in it; None where only running it tells.
        events: From the name of each event to what sends it.
    """

    kind: str
    owner: Callable[[Any], object]
    field: Field
    states: Mapping[str, object] | None
    events: Mapping[str, Send]


def adapt(
    sample: Any,
    *,
    field: str | Field | None = None,
    states: Iterable[object] | None = None,
    events: Iterable[str] | Mapping[str, Send] | None = None,
    reset: str | None = None,
) -> Adaptor:
    """Return the adaptor for machines like this one.

    Args:
        sample: A machine, in its initial state.
        field: Where the state is: an attribute, also with dots and indices (`hw.regs[0]`), or a `Field`.
        states: What the field may hold: an Enum class, or the values.
        events: The names of methods (of events, for the two libraries), or a mapping from names to functions
            of the machine; `operator.methodcaller("load", 3)` sends an event with arguments.
        reset: The event that is meant to bring the machine back.

    Raises:
        SubjectError: something is missing, or does not exist.
    """
    known = _transitions(sample) or _python_statemachine(sample)
    found = known or _plain(sample)
    if field is not None:
        found = replace(found, field=field if isinstance(field, Field) else field_at(field))
    if isinstance(field, Field) and not (isinstance(field.name, str) and field.name):
        raise SubjectError(
            f"a Field has a name, which stands in reports, such as Field('mode', read, write); "
            f"this one has {shown(field.name)}"
        )
    if isinstance(field, Field) and not (callable(field.read) and callable(field.write)):
        raise SubjectError(
            f"a Field has two functions, read(machine) and write(machine, value); that of {field.name} has "
            f"{shown(field.read)} and {shown(field.write)}"
        )
    if not found.field.name:
        raise SubjectError(f"say which field holds the state: field='...'; the machine has {_fields(sample)}")
    try:
        initial = found.field.read(sample)
    except Exception as error:  # any error of the user's own property
        raise SubjectError(
            f"the field {found.field.name} of a fresh machine cannot be read, "
            f"{raised(error)}; the machine has {_fields(sample)}"
        ) from error
    refuse_unless_over(f"the read of the field {found.field.name}", initial)
    if states is not None:
        found = replace(found, states=_named(states, initial))
    send = _send_of(found, sample)
    if events is not None:
        found = replace(found, events=_events(events, send))
    if not found.events:
        has = "the machine declares none" if known else f"the machine has {_methods(sample)}"
        raise SubjectError(f"say which events to send: events=[...]; {has}")
    if reset is not None and reset not in found.events:
        found = replace(found, events={**found.events, reset: send(reset)})
    return found


def field_at(path: str) -> Field:
    """Return the field at a path such as `mode`, `hw.mode`, `regs[0]`, `row['state']` or `['state']`.

    A bytearray is written in place, so that every other holder of it sees the flip.

    Raises:
        SubjectError: the path has another form.
    """
    dotted = path if str(path).startswith("[") else f".{path}"
    if not isinstance(path, str) or not re.fullmatch(rf"(?:{_STEP})+", dotted):
        raise SubjectError(
            f"a field is a path such as mode, hw.mode, regs[0] or row['state'], not {shown(path)}"
        )
    steps = [_step(*found) for found in re.findall(_STEP, dotted)]

    def walk(machine: Any, path: list[_Step]) -> Any:
        here = machine
        for step in path:
            here = here[step.key] if step.indexed else getattr(here, str(step.key))
        return here

    def write(machine: Any, value: object) -> None:
        present = walk(machine, steps)
        holder, last = walk(machine, steps[:-1]), steps[-1]
        if isinstance(present, bytearray) and isinstance(value, bytes | bytearray):
            present[:] = value
        elif last.indexed:
            holder[last.key] = value
        else:
            setattr(holder, str(last.key), value)

    return Field(path, lambda machine: walk(machine, steps), write)


class _Step(NamedTuple):
    key: str | int
    indexed: bool


_STEP: Final = r"\.([^\W\d]\w*)|\[(-?\d+)\]|\[['\"]([^'\"\]]*)['\"]\]"


def _step(attribute: str, index: str, key: str) -> _Step:
    if attribute:
        return _Step(attribute, indexed=False)
    return _Step(int(index) if index else key, indexed=True)


def _named(states: Iterable[object], initial: object) -> dict[str, object]:
    """Name the states, in the form in which the field holds them: members, their values, or their names."""
    if isinstance(states, str) or not isinstance(states, Iterable):
        raise SubjectError(f"states is an Enum class or a list of values, not {shown(states)}")
    values = _all_of("states", states)
    forms: list[list[object]] = [values]
    if all(isinstance(value, Enum) for value in values) and not isinstance(initial, Enum):
        forms = [
            [value.value for value in values if isinstance(value, Enum)],
            [value.name for value in values if isinstance(value, Enum)],
            values,
        ]
    form = next((form for form in forms if any(same(held, initial) for held in form)), None)
    if form is None and isinstance(initial, Enum) and values and not isinstance(values[0], Enum):
        kind = type(initial).__name__
        raise SubjectError(
            f"the field holds members of the Enum {kind}, such as {kind}.{initial.name}, and the states are "
            f"{', '.join(map(name_of, values)) or 'none'}: give the class itself as the states "
            f"(--states-from {kind})"
        )
    if form is None:
        of = f" of {states.__name__}" if isinstance(states, EnumType) else ""
        raise SubjectError(
            f"a fresh machine holds {shown(initial)}, which is not among the states{of}: "
            f"{', '.join(map(name_of, values)) or 'none'}; is this the right field?"
        )
    named = {name_of(value): held for value, held in zip(values, form, strict=True)}
    if len(named) < len(values):
        raise SubjectError(f"two states have one name among {', '.join(map(name_of, values))}")
    return named


def _all_of(what: str, given: Iterable[_T]) -> list[_T]:
    """Return what an iterable gives; it may raise, and need not end."""
    try:
        values = list(islice(given, CODES_MAX + 1))
    except Exception as error:
        raise SubjectError(f"the {what} cannot be gone through: {raised(error)}") from error
    if len(values) > CODES_MAX:
        raise SubjectError(
            f"more than {CODES_MAX} {what} are given, or without an end; give a list of those there are"
        )
    return values


def _events(events: Iterable[str] | Mapping[str, Send], send: Callable[[str], Send]) -> dict[str, Send]:
    if isinstance(events, str) or not isinstance(events, Iterable):
        what = "the text " if isinstance(events, str) else ""
        raise SubjectError(f"events is a list of names or a mapping, not {what}{shown(events)}")
    if not isinstance(events, Mapping):
        return {name: send(name) for name in _all_of("events", events)}
    for name, action in events.items():
        if not isinstance(name, str):
            raise SubjectError(f"the name of an event is a text, not {shown(name)}")
        if not callable(action):
            raise SubjectError(
                f"the event {name} must map to a function of the machine, not {shown(action)}; "
                f"use operator.methodcaller('{name}', ...)"
            )
    return dict(events)


def _send_of(adaptor: Adaptor, sample: Any) -> Callable[[str], Send]:
    """Return what turns the name of an event into what sends it, and refuses a name that is none."""

    def send(name: str) -> Send:
        if isinstance(name, str) and name in adaptor.events:
            return adaptor.events[name]
        if not isinstance(name, str) or not callable(getattr(sample, name, None)):
            known = ", ".join(adaptor.events) or _methods(sample)
            raise SubjectError(f"the machine has no event {shown(name)}; it has {known}")
        return partial(_call, name)

    return send


def _call(name: str, machine: Any) -> object:
    return getattr(machine, name)()


def _plain(sample: Any) -> Adaptor:
    return Adaptor(type(sample).__name__, lambda machine: machine, Field("", _nowhere, _nowhere), None, {})


def _nowhere(*_: object) -> None:
    raise SubjectError("the field is not known")


def _transitions(sample: Any) -> Adaptor | None:
    """Adapt a `transitions` machine, or a model that one drives; hierarchical and locked ones too."""
    machine = _transitions_machine(sample)
    if machine is None:
        return None
    if machine is sample and len(machine.models) != 1:
        raise SubjectError(
            f"the transitions machine has {len(machine.models)} models; let the factory return one of them"
        )

    def driver(subject: Any) -> Any:
        return _transitions_machine(subject)

    def model(subject: Any) -> Any:
        return driver(subject).models[0] if driver(subject) is subject else subject

    def send(name: str, subject: Any) -> object:
        found = driver(subject)
        if hasattr(found, "trigger_event"):  # hierarchical
            return found.trigger_event(model(subject), name)
        return found.events[name].trigger(model(subject))

    attribute = machine.model_attribute
    names = _transitions_states(machine)
    prefix = "to_" if attribute == "state" else f"to_{attribute}_"
    automatic = {prefix + name for name in names} if machine.auto_transitions else set()
    declared = machine.get_nested_triggers() if hasattr(machine, "get_nested_triggers") else machine.events
    return Adaptor(
        f"transitions.{type(machine).__name__}",
        model,
        Field(
            attribute,
            lambda subject: getattr(model(subject), attribute),
            lambda subject, value: setattr(model(subject), attribute, value),
        ),
        _transitions_stored(machine, names),
        {name: partial(send, name) for name in dict.fromkeys(declared) if name not in automatic},
    )


def _transitions_machine(sample: Any) -> Any:
    """Return the machine itself, or the one whose `trigger` the model was given; None if there is none."""
    if hasattr(type(sample), "get_model_state") and hasattr(type(sample), "get_triggers"):
        return sample
    for given in getattr(sample, "__dict__", {}).values():
        machine = getattr(given.func, "__self__", None) if isinstance(given, partial) else None
        if hasattr(type(machine), "get_model_state") and hasattr(type(machine), "get_triggers"):
            return machine
    return None


def _transitions_states(machine: Any) -> tuple[str, ...]:
    nested = hasattr(machine, "get_nested_state_names")
    return tuple(machine.get_nested_state_names() if nested else machine.states)


def _transitions_stored(machine: Any, names: tuple[str, ...]) -> dict[str, object] | None:
    """Return what the model holds in each state; a nested state with an initial child never is."""
    stored: dict[str, object] = {}
    for name in names:
        state = machine.get_state(name)
        entered = getattr(state, "initial", None)
        if isinstance(entered, list | tuple):
            return None  # parallel: the model holds lists of names, and only running it tells which
        if not entered:
            stored[name] = state.value if isinstance(state.value, Enum) else name
    return stored


def _python_statemachine(sample: Any) -> Adaptor | None:
    """Adapt a `python-statemachine` machine; values are written into the model, below the setter."""
    if not (hasattr(type(sample), "states_map") and hasattr(type(sample), "configuration_values")):
        return None
    if type(getattr(sample, "_engine", None)).__name__ == "AsyncEngine":
        raise SubjectError(f"{type(sample).__name__} has asynchronous callbacks; {ASYNCHRONOUS}")

    def write(machine: Any, value: object) -> None:
        setattr(machine.model, machine.state_field, value)

    own = {event.id for event in sample.events}
    internal = {name for name in own if re.match(r"(done|error)[._]", name)}
    flat = all(state.is_atomic for state in sample.states_map.values())
    return Adaptor(
        f"python-statemachine {type(sample).__name__}",
        lambda machine: machine.model,
        Field(
            f"model.{sample.state_field}", lambda machine: getattr(machine.model, machine.state_field), write
        ),
        {state.id: value for value, state in sample.states_map.items()} if flat else None,
        {
            event.id: partial(_send_named, event.id)
            for event in sample.events
            if event.id not in internal  # the machine raises these itself
        },
    )


def _send_named(name: str, machine: Any) -> object:
    return machine.send(name)


def _fields(sample: Any) -> str:
    names = [*getattr(sample, "__dict__", {}), *getattr(type(sample), "__slots__", ())]
    return "the fields " + ", ".join(map(str, names)) if names else "no fields of its own"


def _methods(sample: Any) -> str:
    names = [
        name
        for name in dir(type(sample))
        if not name.startswith("_") and callable(getattr(type(sample), name, None))
    ]
    return "the methods " + ", ".join(names) if names else "no public methods"
