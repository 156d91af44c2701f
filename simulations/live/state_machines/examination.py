"""The probes: each writes one value into a fresh machine and sends every event."""

from __future__ import annotations

from collections import deque
from collections.abc import MutableSequence, MutableSet
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict, Unpack

from simulations.live.state_machines.adaptors import Adaptor, Field, adapt
from simulations.live.state_machines.report import Answer, Probe, Report, Verdict
from simulations.live.state_machines.stored_codes import (
    Coding,
    SubjectError,
    coding_of,
    detached,
    far_codes,
    name_of,
    refuse_unless_over,
    same,
    show_code,
    show_value,
    unused_codes,
    word_at,
    word_of,
)
from simulations.terminal_text import raised, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from simulations.live.state_machines.adaptors import Send
    from simulations.live.state_machines.stored_codes import Word

STATES_MAX: Final = 256
"""More states than this are taken for a counter in the wrong field."""

VALUES_MAX: Final = 64
"""After this number of values that are no state, the way back counts as undecided."""

PATIENCE: Final = 8


class Options(TypedDict, total=False):
    """How to examine a machine; all optional, except what the machine does not tell by itself.

    Attributes:
        width: The bits of the stored field. None takes the fewest that hold the codes in use.
        field: Where the state is stored, such as `mode`, `hw.mode`, `regs[0]`, or a `Field` of your own. Name
            the private field behind a property that validates: a flipped bit does not call the setter.
        states: An Enum class, or what the field may hold. `transitions` and `python-statemachine` tell.
        events: The names of methods, or a mapping from names to functions of the machine:
            `{"load": operator.methodcaller("load", 3)}`. The two libraries tell; the `to_...` triggers that
            `transitions` adds by itself are left out.
        reset: The event that is meant to bring the machine back; it need not be among the events.
        coding: From each state to its code, or `"text"` for the bits of the text itself. None: a whole number
            or an Enum member with a whole value is its own code, bytes are; other states are numbered.
        decode: What the field holds for a code, where that is not the bare number; may raise.
        patience: How often each event is sent in a row before it counts as no way back, from 1.
    """

    width: int | None
    field: str | Field | None
    states: Iterable[object] | None
    events: Iterable[str] | Mapping[str, Send] | None
    reset: str | None
    coding: Mapping[Any, int] | Literal["text"] | None
    decode: Callable[[int], object] | None
    patience: int


@dataclass(frozen=True)
class Case:
    """One value to write into a stored state.

    Attributes:
        state: The state the machine is in before.
        bit: The bit that flips, 0 being the least significant; None where the whole code is written.
        code: The bits afterwards.
        id: A short name, such as `RUN-bit2`.
    """

    state: str
    bit: int | None
    code: int
    id: str


@dataclass(frozen=True)
class Examination:
    """A machine that is ready to be examined: see `prepare`.

    Attributes:
        factory: Makes a fresh machine.
        adaptor: How to read, write and drive it.
        initial: What the field of a fresh machine holds.
        coding: The codes of the field.
        reset: The event that is meant to bring the machine back, if one was named.
        patience: How often each event is sent in a row.
        paths: From the name of each state to events that lead there; None where no events were found that do.
        honest: From the name of each state to what each event does there, when nothing was flipped.
    """

    factory: Callable[[], Any]
    adaptor: Adaptor
    initial: object
    coding: Coding
    reset: str | None
    patience: int
    paths: Mapping[str, tuple[str, ...] | None]
    honest: Mapping[str, tuple[Answer, ...]]


@dataclass(frozen=True)
class _Unreadable:
    """What stands for the value of a field that raised when it was read."""

    error: str

    def __repr__(self) -> str:
        return f"unreadable: {self.error}"


def examine(factory: Callable[[], Any], **options: Unpack[Options]) -> Report:
    """Write every unused code and every single flip into the stored state, and report what came of each.

    Args:
        factory: Makes a fresh machine in its initial state; called for each event of each probe.
        options: See `Options`.

    Raises:
        SubjectError: the machine cannot be examined as it was given; the message says what to change.
    """
    examination = prepare(factory, **options)
    coding, adaptor = examination.coding, examination.adaptor
    probes = [probe(examination, case) for case in cases(examination)]
    return Report(
        kind=adaptor.kind,
        field=adaptor.field.name,
        width=coding.width,
        states=tuple((word.state, word.code) for word in coding.words),
        events=tuple(adaptor.events),
        reset=examination.reset,
        patience=examination.patience,
        unreached=tuple(state for state, path in examination.paths.items() if path is None),
        untried=far_codes(coding),
        codes=tuple(done for done in probes if done.bit is None),
        flips=tuple(done for done in probes if done.bit is not None),
    )


def cases(examination: Examination) -> tuple[Case, ...]:
    """Return all there is to write: the unused codes in order, then the flips by state and bit."""
    coding = examination.coding
    initial = next(word for word in coding.words if same(word.value, examination.initial))
    whole = (
        Case(initial.state, None, code, f"code-{show_code(code, coding.width)[1:]}")
        for code in unused_codes(coding)
    )
    flips = (
        Case(word.state, bit, word.code ^ (1 << bit), f"{word.state}-bit{bit}")
        for word in coding.words
        for bit in range(word.bits)
    )
    return (*whole, *flips)


def prepare(factory: Callable[[], Any], **options: Unpack[Options]) -> Examination:
    """Get to know a machine, flipping nothing: its codes, its states, what each event does in each.

    Args:
        factory: Makes a fresh machine in its initial state.
        options: See `Options`.

    Raises:
        SubjectError: the machine cannot be examined as it was given; the message says what to change.
    """
    unknown = sorted(options.keys() - Options.__annotations__.keys())
    if unknown:
        raise SubjectError(f"there is no option {unknown[0]}; there are {', '.join(Options.__annotations__)}")
    patience, reset = options.get("patience", PATIENCE), options.get("reset")
    if type(patience) is not int or patience < 1:
        raise SubjectError(f"an event is sent at least once, not {shown(patience)} times")
    sample, other = _two_fresh(factory)
    adaptor = adapt(
        sample,
        field=options.get("field"),
        states=options.get("states"),
        events=options.get("events"),
        reset=reset,
    )
    if adaptor.owner(sample) is adaptor.owner(other):
        raise SubjectError("two fresh machines share one model; make the model inside the factory too")
    initial = detached(adaptor.field.read(sample))
    nothing = Coding(1, (), lambda *_: None)
    bare = Examination(factory, adaptor, initial, nothing, reset, patience, {}, {})
    reached = _reach(bare)
    states = adaptor.states or {_configuration(value): value for value, _ in reached}
    coding = coding_of(
        states,
        width=options.get("width"),
        coding=options.get("coding"),
        decode=options.get("decode"),
    )
    if word_of(coding, initial) is None:
        raise SubjectError(f"a fresh machine holds {shown(initial)}, which is not among {', '.join(states)}")
    paths = {
        state: next((path for found, path in reached if same(found, value)), None)
        for state, value in states.items()
    }
    known = replace(bare, coding=coding, paths=paths)
    honest = {word.state: _honest(known, word) for word in coding.words}
    _refuse_mistakes(honest)
    return replace(known, honest=honest)


def probe(examination: Examination, case: Case) -> Probe:
    """Write one value into the stored state of a fresh machine and see what comes of it."""
    coding, there = examination.coding, word_at(examination.coding, case.code)
    machine, refused = _struck(examination, case)
    held = _read(examination, machine)
    done = Probe(
        state=case.state,
        bit=case.bit,
        code=case.code,
        lands_in=there.state if there else show_code(case.code, coding.width),
        held=show_value(coding, held),
        verdict=Verdict.REFUSED,
        refused=refused,
    )
    if refused is not None:
        return done
    word = word_of(coding, held)
    if word is not None and (there is None or word.state == case.state):
        return replace(done, verdict=Verdict.REPAIRED)
    answers = tuple(_answer(examination, case, event) for event in examination.adaptor.events)
    if word is not None:
        differs = _essence(answers) != _essence(examination.honest[word.state])
        return replace(done, verdict=Verdict.SHOWS if differs else Verdict.WRONG_STATE, answers=answers)
    return _search(examination, case, replace(done, answers=answers))


def _search(examination: Examination, case: Case, done: Probe) -> Probe:
    """Look for a way back from a value that is no state: first without the reset, then with it."""
    events, reset = list(examination.adaptor.events), examination.reset
    helps = None if reset is None else any(used for _, used in _sent(examination, case, (), reset))
    done = replace(done, reset_helps=helps)
    verdict = Verdict.RECOVERS
    way = _way_back(examination, case, [event for event in events if event != reset])
    if not isinstance(way, tuple) and reset is not None:
        verdict = Verdict.ONLY_RESET
        way = _way_back(examination, case, events)
    if isinstance(way, tuple):
        return replace(done, verdict=verdict, way_back=way)
    return replace(done, verdict=Verdict.DEAD_END if way == "none" else Verdict.UNDECIDED)


def _way_back(
    examination: Examination, case: Case, events: list[str]
) -> tuple[str, ...] | Literal["none", "undecided"]:
    """Try every event at every value that events lead to, breadth first."""
    machine, _ = _struck(examination, case)
    seen = [_read(examination, machine)]
    queue: deque[tuple[str, ...]] = deque([()])
    while queue:
        path, ways = queue.popleft(), []
        for event in events:
            for times, (held, used) in enumerate(_sent(examination, case, path, event), start=1):
                here = path + (event,) * times
                if used:
                    ways.append(here)
                elif not any(same(held, value) for value in seen):
                    seen.append(held)
                    queue.append(here)
        if ways:
            return min(ways, key=len)
        if len(seen) > VALUES_MAX:
            return "undecided"
    return "none"


def _sent(
    examination: Examination, case: Case, path: tuple[str, ...], event: str
) -> Iterator[tuple[object, bool]]:
    """Send one event up to `patience` times after a path; yield what the field holds, and if that is used."""
    machine, _ = _struck(examination, case)
    for name in path:
        _send(examination, machine, name)
    for _ in range(examination.patience):
        _send(examination, machine, event)
        held = _read(examination, machine)
        used = word_of(examination.coding, held) is not None
        yield held, used
        if used:
            return


def _struck(examination: Examination, case: Case) -> tuple[Any, str | None]:
    """Return a fresh machine with the value of the case written, and what was raised if it could not be."""
    coding = examination.coding
    word = next(word for word in coding.words if word.state == case.state)
    machine = _driven(examination, word)
    try:
        value = coding.decode(case.code, word.bits)
        result: object = examination.adaptor.field.write(machine, value)
    except (Exception, SystemExit) as error:  # noqa: BLE001  (what a setter or decoder raises is the finding)
        return machine, _in_words(error)
    refuse_unless_over("decode", value)
    refuse_unless_over(f"the write of the field {examination.adaptor.field.name}", result)
    return machine, None


def _driven(examination: Examination, word: Word) -> Any:
    """Return a fresh machine in a state: by events where some lead there, else written directly."""
    machine = _fresh(examination)
    path = examination.paths[word.state]
    if path is None:
        try:
            examination.adaptor.field.write(machine, detached(word.value))
        except (Exception, SystemExit) as error:
            raise SubjectError(
                f"no bare events lead to {word.state}, and it cannot be written either, "
                f"{_in_words(error)}; add an event that leads there, or give the field behind the check"
            ) from error
        return machine
    for event in path:
        _send(examination, machine, event)
    held = _read(examination, machine)
    if not same(held, word.value):
        raise SubjectError(
            f"the events {', '.join(path)} led to {word.state} once and to {shown(held)} now; the machine "
            f"must be deterministic: give it a fixed clock and seed in the factory"
        )
    return machine


def _reach(examination: Examination) -> list[tuple[object, tuple[str, ...]]]:
    """Find values that bare events lead to, breadth first, each with its path; all of them are states."""
    states = examination.adaptor.states
    reached: list[tuple[object, tuple[str, ...]]] = [(examination.initial, ())]
    for value, path in reached:  # grows while it is walked
        for event in examination.adaptor.events:
            machine = _fresh(examination)
            for name in path:
                _send(examination, machine, name)
            if not same(_read(examination, machine), value):
                continue  # not deterministic; `_driven` says so if it matters
            _send(examination, machine, event)
            held = _read(examination, machine)
            known = states is None or any(same(held, state) for state in states.values())
            if known and not any(same(held, old) for old, _ in reached):
                reached.append((held, (*path, event)))
        if len(reached) > STATES_MAX:
            raise SubjectError(
                f"more than {STATES_MAX} states; {examination.adaptor.field.name} looks like a counter, name "
                f"the states or another field"
            )
    return reached


def _honest(examination: Examination, word: Word) -> tuple[Answer, ...]:
    answers = []
    for event in examination.adaptor.events:
        machine = _driven(examination, word)
        error = _send(examination, machine, event)
        answer = _answer_of(examination, machine, event, error)
        said = raised(error) if isinstance(error, TypeError) else ""
        if "required" in said and "argument" in said:
            raise SubjectError(
                f"the event {event} needs arguments ({said}); give it with them: "
                f"events={{'{event}': operator.methodcaller('{event}', ...), ...}}"
            )
        if not answer.used:
            raise SubjectError(
                f"in {word.state} the event {event} leads to {answer.held}, which is not among the states; "
                f"add it, or name the right field"
            )
        answers.append(answer)
    return tuple(answers)


def _refuse_mistakes(honest: Mapping[str, tuple[Answer, ...]]) -> None:
    """Refuse an event that works in no state for a reason that is a slip of the pen, not of the machine."""
    for answers in zip(*honest.values(), strict=True):
        if all(answer.error in ("AttributeError", "NameError", "TypeError") for answer in answers):
            raise SubjectError(
                f"the event {answers[0].event} works in no state at all ({answers[0].message}); is it sent "
                f"as the machine wants it?"
            )


def _answer(examination: Examination, case: Case, event: str) -> Answer:
    machine, _ = _struck(examination, case)
    return _answer_of(examination, machine, event, _send(examination, machine, event))


def _answer_of(examination: Examination, machine: Any, event: str, error: BaseException | None) -> Answer:
    held = _read(examination, machine)
    return Answer(
        event=event,
        held=show_value(examination.coding, held),
        used=word_of(examination.coding, held) is not None,
        error=None if error is None else type(error).__name__,
        message=None if error is None else _in_words(error),
    )


def _essence(answers: tuple[Answer, ...]) -> list[tuple[str | None, str]]:
    """Return what tells two states apart from outside; messages may name times and counts."""
    return [(answer.error, answer.held) for answer in answers]


def _two_fresh(factory: Callable[[], Any]) -> tuple[Any, Any]:
    if not callable(factory):
        raise SubjectError(
            f"give a function that makes a fresh machine (or the class), not a {type(factory).__name__}"
        )
    first, second = factory(), factory()
    if first is second:
        raise SubjectError("the factory gave the same machine twice; make it inside the function")
    return first, second


def _fresh(examination: Examination) -> Any:
    machine = examination.factory()
    held = _read(examination, machine)
    if not same(held, examination.initial):
        first = shown(examination.initial)
        raise SubjectError(
            f"a fresh machine holds {shown(held)}, the first one held {first}; something outlives the "
            f"machine (a class attribute, a global, a file): make it inside the factory"
        )
    return machine


def _read(examination: Examination, machine: Any) -> object:
    try:
        return detached(examination.adaptor.field.read(machine))
    except (Exception, SystemExit) as error:  # noqa: BLE001  (a property may raise on what is no state)
        return _Unreadable(_in_words(error))


def _send(examination: Examination, machine: Any, event: str) -> BaseException | None:
    """Send one event and return what it raised."""
    try:
        result = examination.adaptor.events[event](machine)
    except (Exception, SystemExit) as error:  # noqa: BLE001  (what the machine raises is the finding)
        return error
    refuse_unless_over(f"the event {event}", result)
    return None


def _in_words(error: BaseException) -> str:
    return raised(error, _MESSAGE_MAX)


_MESSAGE_MAX: Final = 160


def _configuration(value: object) -> str:
    """Name what a machine with nested or parallel states holds: the names of its active states."""
    if isinstance(value, MutableSequence | MutableSet):
        return "+".join(name_of(part) for part in value)
    return name_of(value)
