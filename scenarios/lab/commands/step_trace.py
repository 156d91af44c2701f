"""The prompt of `heisenlab step` for every world: back and forth through the events and choices of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from scenarios.lab.commands.prompt import Prompt, PromptError, interval, numbers
from scenarios.lab.execution import execute, in_words
from scenarios.lab.finding import encode_input
from simulations.choices import Chooser, replay
from simulations.trace import followed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.lab.execution import Failure
    from scenarios.lab.scenario import Scenario, Variant
    from simulations.choices import ChoicePoint, Plan
    from simulations.trace import Event

T = TypeVar("T")

LINES_MAX: Final = 60
"""How many lines a move prints at most; `list` prints any number."""


@dataclass(frozen=True)
class Choice:
    """A question that the run asked, and its answer.

    Attributes:
        point: The question.
        before: How many events had happened.
        words: The answer, in the words of the world where it was not nominal.
    """

    point: ChoicePoint
    before: int
    words: str

    def __str__(self) -> str:
        mark = "*" if self.point.option else "?"
        return f"{mark:>5}  {self.point.label}: {self.words}"


@dataclass(frozen=True)
class Timeline:
    """A run that is over, with its choices between the events where they were asked.

    Attributes:
        scenario: The scenario.
        variant: The variant that was run.
        given: The input.
        plan: What was not nominal.
        plan_in_words: The same in the words of the world.
        events: What happened.
        choices: What was asked, in order.
        failure: The property that fails, or None.
        digest: The digest of the events.
    """

    scenario: Scenario
    variant: Variant
    given: Any
    plan: Plan
    plan_in_words: str
    events: tuple[Event, ...]
    choices: tuple[Choice, ...]
    failure: Failure | None
    digest: str

    @property
    def verdict(self) -> str:
        """Whether a property fails, in one line."""
        return "every property holds" if self.failure is None else f"fails: {self._failed}"

    @property
    def _failed(self) -> str:
        return f"{self.failure.by}: {self.failure.message}" if self.failure else ""

    def lines(self, first: int, last: int) -> list[str]:
        """Return the events from one number to another, each below the choices that led to it.

        Args:
            first: A number from 1.
            last: A number up to that of the last event; that one brings the choices after it as well.
        """
        lines = []
        end = len(self.events)
        for number in range(first, last + 1):
            lines += [str(choice) for choice in self.choices if choice.before == number - 1]
            lines.append(f"{number:>5}  {self.events[number - 1]}".rstrip())
        if last == end:
            lines += [str(choice) for choice in self.choices if choice.before >= end]
        return lines

    def to_json(self) -> dict[str, Any]:
        """Return the whole run as JSON-able data."""
        return {
            "scenario": self.scenario.name,
            "variant": self.variant.name,
            "input": encode_input(self.given),
            "plan": self.plan.to_json(),
            "plan_in_words": self.plan_in_words,
            "events": [list(event) for event in self.events],
            "choices": [
                {
                    "label": choice.point.label,
                    "occurrence": choice.point.occurrence,
                    "options": choice.point.options,
                    "option": choice.point.option,
                    "time": choice.point.time,
                    "events_before": choice.before,
                    "words": choice.words,
                }
                for choice in self.choices
            ],
            "fails": self.failure and {"by": self.failure.by, "message": self.failure.message},
            "digest": self.digest,
        }


class _Placing(Chooser):
    """Answers as another chooser does, and notes after how many events it was asked."""

    __slots__ = ("_events", "_inner", "places")

    def __init__(self, inner: Chooser, events: Sequence[Event]) -> None:
        super().__init__()
        self._inner = inner
        self._events = events
        self.places: list[int] = []

    def pick(self, label: str, options: Sequence[T], *, forced: bool = False) -> T:
        self.places.append(len(self._events))
        return self._inner.pick(label, options, forced=forced)

    def allow(self, questions_max: int) -> None:
        self._inner.allow(questions_max)

    def at(self, time: int) -> None:
        self._inner.at(time)

    def finish(self) -> None:
        self._inner.finish()

    @property
    def plan(self) -> Plan:
        return self._inner.plan

    @property
    def points(self) -> Sequence[ChoicePoint]:
        return self._inner.points


def timeline(scenario: Scenario, variant: Variant, given: Any, plan: Plan) -> Timeline:
    """Run a plan and return what happened, with what was asked where.

    Raises:
        PlanError: the plan does not apply.
    """
    with followed() as events:
        chooser = _Placing(replay(plan), events)
        outcome = execute(scenario, variant, given, chooser)
    choices = (
        Choice(
            point, place, scenario.phrase(point) if point.option else f"nominal, of {point.options} answers"
        )
        for point, place in zip(chooser.points, chooser.places, strict=True)
    )
    trace = outcome.run.trace
    return Timeline(
        scenario=scenario,
        variant=variant,
        given=given,
        plan=plan,
        plan_in_words=in_words(scenario, chooser),
        events=tuple(trace),
        choices=tuple(choices),
        failure=outcome.failure,
        digest=trace.digest(),
    )


class TracePrompt(Prompt):
    """Reads commands and shows the events that they lead to.

    Args:
        run: The run to step through; the prompt begins before its first event.
    """

    help_notes = ("? marks a question that was answered nominally, * one that was not",)

    def __init__(self, run: Timeline) -> None:
        super().__init__()
        self._run = run
        self._at = 0

    def place(self) -> tuple[str, int]:
        """Return the number of events that have happened."""
        return "event", self._at

    def open(self) -> None:
        """Print the plan, and where the run begins."""
        self.say(f"{self._run.scenario.name} / {self._run.variant.name}: {self._run.plan_in_words}")
        self._show()

    # Commands; the first line of each docstring is what help prints

    def do_step(self, arg: str) -> None:
        """Go forward by one event, or by N: step [N]."""
        self._move(self._at + self._count("step [N]", arg))

    def do_back(self, arg: str) -> None:
        """Go back by one event, or by N: back [N]."""
        self._move(self._at - self._count("back [N]", arg))

    def do_goto(self, arg: str) -> None:
        """Go to where that many events have happened: goto EVENT."""
        self._move(*numbers("goto EVENT", arg, 1, 1))

    def do_find(self, arg: str) -> None:
        """Go forward to the next event or choice with a text in it: find TEXT."""
        self._search("find TEXT", arg, range(self._at + 1, len(self._run.events) + 1))

    def do_rewind(self, arg: str) -> None:
        """Go back to the last event or choice with a text in it: rewind TEXT."""
        self._search("rewind TEXT", arg, range(self._at - 1, 0, -1))

    def do_until(self, arg: str) -> None:
        """Go forward to the first event at a time or later: until TIME."""
        (time,) = numbers("until TIME", arg, 1, 1)
        for number in range(self._at + 1, len(self._run.events) + 1):
            if self._run.events[number - 1].time >= time:
                self._move(number)
                return
        raise PromptError(f"no event from here on is at time {time} or later")

    def do_list(self, arg: str) -> None:
        """Show all events with their choices, or those from FIRST to LAST: list [FIRST LAST]."""
        end = len(self._run.events)
        first, last = interval("list [FIRST LAST]", arg) or (1, end)
        if not 1 <= first <= last <= end and arg:
            raise PromptError(f"say two numbers from 1 to {end}, the lower one first, not {arg!r}")
        for line in self._run.lines(first, last):
            self.say(line)

    def do_choices(self, arg: str) -> None:
        """Show every question that was not answered nominally, and after which event: choices."""
        numbers("choices", arg, 0, 0)
        for choice in self._run.choices:
            if choice.point.option:
                self.say(f"{choice}, after event {choice.before}")
        nominal = sum(not choice.point.option for choice in self._run.choices)
        self.say(f"{nominal} of {len(self._run.choices)} questions were answered nominally")

    def do_plan(self, arg: str) -> None:
        """Say what the environment does in this run, and its input: plan."""
        numbers("plan", arg, 0, 0)
        self.say(self._run.plan_in_words)
        self.say(f"input: {self._run.given}")

    def do_verdict(self, arg: str) -> None:
        """Say which property fails at the end of the run: verdict."""
        numbers("verdict", arg, 0, 0)
        self.say(self._run.verdict)

    # What the commands share

    def _count(self, usage: str, arg: str) -> int:
        (count,) = numbers(usage, arg, 0, 1) or [1]
        if count < 1:
            raise PromptError(f"a number of events is a whole number from 1, not {count}")
        return count

    def _move(self, to: int) -> None:
        end = len(self._run.events)
        if not 0 <= to <= end:
            raise PromptError(f"an event is a whole number from 0 (nothing has happened) to {end}, not {to}")
        if to <= self._at:
            self._at = to
            self._show()
            return
        lines = self._run.lines(self._at + 1, to)
        self._at = to
        if len(lines) > LINES_MAX:
            self.say(f"... {len(lines) - LINES_MAX} lines; list shows them")
        for line in lines[-LINES_MAX:]:
            self.say(line)
        self._show_end()

    def _search(self, usage: str, text: str, numbers_to_try: range) -> None:
        if not text:
            raise PromptError(f"say {usage}")
        for number in numbers_to_try:
            if any(text in line for line in self._run.lines(number, number)):
                self._move(number)
                return
        raise PromptError(f"no {text!r} in that direction")

    def _show(self) -> None:
        """Show the event that happened last."""
        if not self._at:
            self.say(f"before the first of {len(self._run.events)} events")
        else:
            for line in self._run.lines(self._at, self._at):
                self.say(line)
        self._show_end()

    def _show_end(self) -> None:
        if self._at == len(self._run.events):
            self.say(f"the run is over; {self._run.verdict}")
