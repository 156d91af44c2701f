"""Watch Hypothesis search and shrink: every test case that it runs, and which of them it keeps.

Hypothesis makes a test case from a sequence of choices. Of two failing ones it keeps the one with fewer
choices, or at the same number the one whose first differing choice is simpler (`shortlex` order). So the test
cases that it keeps form a line that only falls, and it ends at the failing one that is printed.
"""

from __future__ import annotations

import ast
import inspect
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.drawn_constants import only_its_own_constants
from simulations.drawing.marks import Axis, Chart, Point, Series, Shape
from simulations.drawing.pictured import Pictured
from simulations.errors import LabError
from simulations.terminal_text import shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hypothesis import settings

__all__ = ["Example", "Watched", "tries", "watch"]

WORDS_MAX: Final = 80
"""The length of a test case in words."""
SHOWN_MAX: Final = 8
"""How many of the test cases that were kept a picture spells out."""
_PROFILE: Final = "heisenlab, watched"
"""The name under which Hypothesis knows the settings of what is watched."""
_SETTINGS: Final = "_hypothesis_internal_use_settings"
"""Where Hypothesis keeps the settings of a test; there is no public way to add some to those it has."""


@dataclass(frozen=True)
class Example:
    """A test case that Hypothesis ran.

    Attributes:
        number: Its place in the order in which they were run, from 1.
        words: Its arguments, or the steps of a state machine, as code.
        phase: `generate` while Hypothesis looks for a failure, then `shrink`, in the end `explain`.
        failed: Whether the test failed with it.
        valid: Whether it was run to its end; `assume`, a filter, or a shorter failing one can end it before.
        kept: Whether it was the simplest failing one until then.
        choices: How many choices Hypothesis made for it.
        rank: How many different test cases of the whole search are simpler.
    """

    number: int
    words: str
    phase: str
    failed: bool
    valid: bool
    kept: bool
    choices: int
    rank: int


@dataclass(frozen=True, repr=False)
class Watched(Pictured):
    """What Hypothesis did with a test.

    Attributes:
        examples: The test cases that Hypothesis made, in the order in which they were run.
        failure: The error of the simplest one, and what Hypothesis says of it; empty where none failed.
        explicit: How many of `@example` were run before; where one of them fails, Hypothesis makes none.
    """

    examples: tuple[Example, ...]
    failure: str
    explicit: int = 0

    @property
    def kept(self) -> tuple[Example, ...]:
        """The failing test cases of which each was the simplest until then."""
        return tuple(example for example in self.examples if example.kept)

    @property
    def least(self) -> str:
        """The simplest failing test case, in words; empty where none failed."""
        return self.kept[-1].words if self.kept else ""

    def __repr__(self) -> str:
        ran = f"{len(self.examples)} test cases"
        if self.explicit:
            ran = f"{self.explicit} explicit, {ran}"
        if not self.kept:
            return f"{ran}, {'the explicit one failed' if self.failure else 'none failed'}"
        return f"{ran}, {len(self.kept)} kept, from {self.kept[0].words} to {self.least}"

    def picture(self) -> Chart:
        """Return the test cases as dots, and those that were kept as a line that falls."""
        kept = self.kept
        series = (
            self._dots("passed", [each for each in self.examples if each.valid and not each.failed]),
            self._dots("was not run to its end", [each for each in self.examples if not each.valid]),
            self._dots("failed", [each for each in self.examples if each.failed]),
            Series(
                name="the simplest that fails",
                points=tuple(Point(each.number, each.rank) for each in kept)
                + ((Point(len(self.examples), kept[-1].rank),) if kept else ()),
                detail=f"{len(kept)} were kept",
            ),
        )
        most = max((each.rank for each in self.examples), default=0)
        return Chart(
            title="Every test case that Hypothesis ran",
            x=Axis(
                label="test case",
                low=0,
                high=len(self.examples) + 1,
                ticks=_ticks(len(self.examples)),
            ),
            y=Axis(
                label="how many that were run are simpler",
                low=0,
                high=most + 1,
                ticks=_ticks(most),
            ),
            series=tuple(each for each in series if each.points),
            said=tuple(f"{each.number}: {each.words}" for each in _some(kept)) or (repr(self),),
        )

    def _dots(self, name: str, examples: list[Example]) -> Series:
        points = tuple(Point(each.number, each.rank) for each in examples)
        return Series(name=name, points=points, shape=Shape.POINTS, detail=str(len(points)))


def _some(kept: tuple[Example, ...]) -> tuple[Example, ...]:
    """Return the first and the last of those that were kept, and some between."""
    if len(kept) <= SHOWN_MAX:
        return kept
    return tuple(kept[round(place * (len(kept) - 1) / (SHOWN_MAX - 1))] for place in range(SHOWN_MAX))


def _ticks(most: int) -> tuple[tuple[float, str], ...]:
    step = next(step for step in (10**n * k for n in range(9) for k in (1, 2, 5)) if most <= 8 * step)
    return tuple((value, f"{value:,}") for value in range(0, most + 1, step))


@dataclass(frozen=True)
class _Seen:
    """A test case, as Hypothesis reported it."""

    words: str
    phase: str
    failed: bool
    valid: bool
    order: tuple[Any, ...]
    choices: int


def watch(test: Callable[[], object]) -> Watched:
    """Run a test of Hypothesis, and return what was run on the way.

    It keeps the settings of the test and adds what a lesson needs: the same test cases each time, no
    deadline, and nothing kept on disk. A failure of the test is the result, and is not raised.

    Args:
        test: A function with `@given`, a `RuleBasedStateMachine`, or a function without arguments that runs
            Hypothesis inside, such as one that calls `find`.

    Raises:
        LabError: Hypothesis ran nothing.
    """
    # Late, as every import of Hypothesis in the lab: a replay does without.
    from hypothesis.internal import observability  # noqa: PLC0415  (see above)

    seen: list[_Seen] = []
    explicit = 0
    unsaid = _unsaid(test)

    def hear(observation: Any) -> None:
        nonlocal explicit
        if observation.type != "test_case":
            return
        if observation.metadata.phase is not None:
            seen.append(_reported(observation, unsaid))
        elif not seen:  # behind them it is the simplest failing one once more, to print it
            explicit += 1

    failure = ""
    before = observability.OBSERVABILITY_CHOICES, observability.OBSERVABILITY_COLLECT_COVERAGE
    observability.OBSERVABILITY_CHOICES, observability.OBSERVABILITY_COLLECT_COVERAGE = True, False
    try:
        with only_its_own_constants(), _classroom(), observability.with_observability_callback(hear):
            failure = _failure_of(_for_a_lesson(test))
    finally:
        observability.OBSERVABILITY_CHOICES, observability.OBSERVABILITY_COLLECT_COVERAGE = before
    if not seen and not explicit:
        why = failure or "is it decorated with @given?"
        raise LabError(f"Hypothesis ran nothing in {getattr(test, '__name__', test)}: {why}")
    return Watched(_examples(seen), failure, explicit)


def tries(test: Any) -> int | None:
    """Return how many test cases Hypothesis makes until the first that fails; None where none does.

    It costs less than `watch`: nothing is shrunk or kept. The settings are those of `watch`; `@seed` gives
    another search.

    Args:
        test: A function with `@given`.

    Raises:
        LabError: it is none.
        Exception: what Hypothesis raises where it cannot run the test.
    """
    from hypothesis import Phase, settings  # noqa: PLC0415  (see above)
    from hypothesis.errors import HypothesisException  # noqa: PLC0415  (see above)

    if not hasattr(test, "hypothesis"):
        raise LabError(f"{getattr(test, '__name__', test)} is no test of Hypothesis: decorate it with @given")
    inner, said = test.hypothesis.inner_test, getattr(test, _SETTINGS)
    made, first = 0, None

    @wraps(inner)
    def counted(*arguments: Any, **named: Any) -> None:
        nonlocal made, first
        made += 1
        try:
            inner(*arguments, **named)
        except HypothesisException:  # of `assume`, among others
            raise
        except Exception:
            first = first or made
            raise

    phases = set(said.phases) - {Phase.shrink, Phase.explain}
    test.hypothesis.inner_test = counted
    setattr(test, _SETTINGS, settings(_settings(said), phases=sorted(phases, key=list(Phase).index)))
    try:
        with only_its_own_constants():
            test()
    except Exception:
        if first is None:
            raise
    finally:
        test.hypothesis.inner_test = inner
        setattr(test, _SETTINGS, said)
    return first


@contextmanager
def _classroom() -> Iterator[None]:
    """Let the same settings hold for tests that are made inside, such as by `find`."""
    from hypothesis import settings  # noqa: PLC0415  (see above)

    before = settings.get_current_profile_name()
    settings.register_profile(_PROFILE, _settings(settings.default))
    settings.load_profile(_PROFILE)
    try:
        yield
    finally:
        settings.load_profile(before)


def _is_machine(test: Any) -> bool:
    from hypothesis.stateful import RuleBasedStateMachine  # noqa: PLC0415  (see above)

    return inspect.isclass(test) and issubclass(test, RuleBasedStateMachine)


def _for_a_lesson(test: Any) -> Callable[[], object]:
    from hypothesis import settings  # noqa: PLC0415  (see above)
    from hypothesis.stateful import run_state_machine_as_test  # noqa: PLC0415  (see above)

    if _is_machine(test):
        return lambda: run_state_machine_as_test(test, settings=_settings(test.TestCase.settings))
    said = getattr(test, _SETTINGS, None)

    def run() -> None:
        setattr(test, _SETTINGS, _settings(said or settings.default))
        try:
            test()
        finally:
            if said is None:
                delattr(test, _SETTINGS)
            else:
                setattr(test, _SETTINGS, said)

    return run


def _settings(said: Any) -> settings:
    from hypothesis import Verbosity, settings  # noqa: PLC0415  (see above)

    return settings(
        said,
        database=None,
        deadline=None,
        derandomize=True,
        print_blob=False,
        report_multiple_bugs=False,
        verbosity=Verbosity.normal,
    )


def _failure_of(run: Callable[[], object]) -> str:
    try:
        run()
    except Exception as error:  # noqa: BLE001  (whatever the student's test raises is what is watched)
        said = f"{type(error).__name__}: {error}".rstrip(": ")
        return "\n".join([said, *getattr(error, "__notes__", ())])
    return ""


def _reported(observation: Any, unsaid: frozenset[str]) -> _Seen:
    from hypothesis.internal.conjecture.shrinker import sort_key  # noqa: PLC0415  (see above)

    nodes = observation.metadata.choice_nodes
    return _Seen(
        words=_words(observation.representation, unsaid),
        phase=observation.metadata.phase,
        failed=observation.status == "failed",
        valid=observation.status != "gave_up",
        order=sort_key(nodes),
        choices=len(nodes),
    )


def _examples(seen: list[_Seen]) -> tuple[Example, ...]:
    ranks = {order: rank for rank, order in enumerate(sorted({each.order for each in seen}))}
    examples: list[Example] = []
    best: tuple[Any, ...] | None = None
    for number, each in enumerate(seen, 1):
        kept = each.failed and (best is None or each.order < best)
        if kept:
            best = each.order
        examples.append(
            Example(
                number=number,
                words=each.words,
                phase=each.phase,
                failed=each.failed,
                valid=each.valid,
                kept=kept,
                choices=each.choices,
                rank=ranks[each.order],
            )
        )
    return tuple(examples)


def _unsaid(test: Any) -> frozenset[str]:
    """Return the names of the steps of a state machine that are no rules: its invariants and its end."""
    if not _is_machine(test):
        return frozenset()
    return frozenset({"teardown", *(each.function.__name__ for each in test().invariants)})


def _words(code: str, unsaid: frozenset[str]) -> str:
    """Return the arguments of a call, or the calls of a program, in one line."""
    try:
        body = ast.parse(code).body
    except SyntaxError:  # a value whose representation is no code
        return shortened(" ".join(code.split()), WORDS_MAX)
    values = [each.value for each in body if isinstance(each, ast.Expr | ast.Assign)]
    calls = [each for each in values if isinstance(each, ast.Call)]
    if len(body) == len(calls) == 1:
        given = [ast.unparse(each) for each in (*calls[0].args, *calls[0].keywords)]
        return shortened(", ".join(given), WORDS_MAX)
    steps = [ast.unparse(each).partition(".")[2] for each in calls if isinstance(each.func, ast.Attribute)]
    words = ", ".join(step for step in steps if step.partition("(")[0] not in unsaid)
    return shortened(words, WORDS_MAX)
