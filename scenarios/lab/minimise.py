"""From a failing run to the least one with the same signature.

A searcher brings whatever failing run it happened to find: ten deviations, most of them beside the point,
on an input that nobody would choose. This module turns it into the run that every other hunt of the same
bug ends in too. It does so without shrinking. It forgets nearly everything about the run it was given, and
looks for the bug again, from the bottom up.

Why not shrink? A shrinker starts at the failing run and takes steps down: drop a deviation, lower an
option, move one earlier. It ends where no step it knows leads further down, and where that is depends on
where it began. In a cache of three threads, 629 failing starts ended in 27 different places. None of them
is wrong; but two people with two seeds then hold two "minimal" cases, cannot tell whether they found one
bug or two, and a test cannot state which plan is to be expected. Enumerating cannot end in two places: the
runs below a given one are the same set for every hunt, and the first of them that fails is one run.

The order
---------

All runs of a variant are put into one line by three things, the first that differs deciding:

1. the number of deviations of the plan: what is explained by one unusual event is not explained by two;
2. the input, by its place on the scenario's ladder, which goes from small to large by the author's
   judgement;
3. the plan, by its sequence of (position at which the question was asked, option): the deviation that
   happens earlier is less, and among those at one position the lower option
   (`simulations.choices.Chooser.rank`).

Deviations come before inputs, so a large input on which one deviation is enough is less than a small one
which needs two. Within a number of deviations there are finitely many plans on each input and finitely many
inputs on the ladder, so everything below a run can be gone through. `simulations.choices.levels` does this
for one input, level by level, in order, without a duplicate and without a gap, also where a deviation makes
questions appear that the nominal run never asks: it extends a plan only after its last deviation, and
learns by running the plan what there is to deviate from.

The signature
-------------

"Fails in the same way" means that the same property is the first to fail, in the scenario's order
(`scenarios.lab.execution.execute`). Its name is the signature. The message is not part of it, since it
holds values, and those may change from run to run on the way down; neither is the trace. Without a
signature, minimising slips: looking for the least lost update, it would come to rest on some smaller and
less interesting failure, and the finding would not be about what was found.

What the result says
--------------------

`least`
    Every run below this one, on every input of the ladder, was run, and none fails in the same way. This is
    a statement about the variant, not about the hunt: any hunt that reaches it reaches the same run.
`least at this input`
    The failure does not show on the ladder, though the search drew an input on which it does. Every plan
    below this one was run at this input. Another hunt may end at another input.
`least over labels L`
    The budget did not suffice for all labels. Every plan below this one that deviates only at the labels L
    was run at this input; L are the labels at which the run that was found deviates.
`1-minimal`
    Not even that was affordable. If any one deviation is dropped, the failure is gone; a plan with fewer or
    earlier deviations may exist all the same.

How the budget is spent
-----------------------

First, single deviations are dropped while the run goes on failing. This is the greedy pass that was argued
against above, and here it is harmless: its result is used as a bound only. The enumeration ends at its
number of deviations, and each deviation fewer makes the enumeration shorter by a factor of about the number
of questions. It is not held to the budget, since it takes at most k(k+1)/2 runs for k deviations, and k is
small.

The ladder may then use half of the budget. If nothing on it fails, and the input is not on the ladder, the
searcher is asked to make the input smaller (Hypothesis does; runs that this takes are counted, too), the
run is made 1-minimal again, and all plans at this input may be run until three quarters of the budget are
spent. The rest goes to the plans over the labels of the run, which are usually a few out of many. Each
stage stops at its share; so a stage that gives up leaves something to the next, and the strongest statement
that can be afforded is the one that is made.

The order in which the stages are tried is the order of the strength of what they claim, not that of their
cost. In the laboratory's own scenarios the first stage answers every time: after about 16 runs for the
cache, 65 for the mode machine, and 1,500 for the batch job, whose least plan has three deviations. A world
in which every tie is a choice point needs many more; the remedy is in the world, not here: ask only where
the answer can make a difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from scenarios.lab.execution import Caught, caught
from scenarios.lab.searchers import Enumeration, on_the_ladder
from scenarios.lab.verdict import Minimality
from simulations.choices import drawn, exhaustive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scenarios.lab.execution import Outcome
    from scenarios.lab.searchers import Target

__all__ = ["MINIMISING_BUDGET", "Minimal", "minimise"]

MINIMISING_BUDGET: Final = 20_000
"""How many runs minimising may take unless the caller says otherwise."""


@dataclass(frozen=True)
class Minimal:
    """A failing run and in what sense it is minimal.

    Attributes:
        caught: The run.
        minimality: The sense.
        labels: The labels that were tried, where it is least over labels only.
    """

    caught: Caught
    minimality: Minimality
    labels: tuple[str, ...] = ()

    @property
    def in_words(self) -> str:
        """The sense in words, as a finding holds it."""
        return self.minimality.in_words(self.labels)


def minimise(
    target: Target,
    found: Caught,
    *,
    budget: int = MINIMISING_BUDGET,
    shrink: Callable[[], Caught] | None = None,
) -> Minimal:
    """Return the least failing run with the signature of the one that was found.

    Args:
        target: What to run; its tally must be in the phase of minimising.
        found: The failing run.
        budget: How many runs it may take, from 1: half for the ladder, a quarter for the input, a quarter for
            its labels. When it is spent, the best run so far is returned, and labelled as what it is.
        shrink: Makes the input smaller by other means, for where the failure does not show on the ladder.
    """
    best = _droppable(target, found)
    if least := _first(target, "ladder", _on_the_ladder, best, budget // 2):
        return Minimal(least, Minimality.LEAST)
    if best.given not in target.scenario.ladder:
        if shrink is not None:
            best = _droppable(target, shrink())
        if least := _first(target, "input", _at_input, best, budget * 3 // 4):
            return Minimal(least, Minimality.LEAST_AT_INPUT)
    labels = tuple(sorted({deviation.label for deviation in best.outcome.chooser.plan}))
    if least := _first(target, "labels", partial(_at_input, labels=labels), best, budget):
        return Minimal(least, Minimality.LEAST_OVER_LABELS, labels)
    return Minimal(best, Minimality.ONE_MINIMAL)


def _droppable(target: Target, found: Caught) -> Caught:
    """Drop deviations, one at a time, while the run still fails in the same way."""
    plan = found.outcome.chooser.plan
    for deviation in plan:
        outcome = target(found.given, drawn(plan.without(deviation)))
        if fewer := caught(found.given, outcome, found.failure.by):
            return _droppable(target, fewer)
    return found


def _reach(found: Caught) -> int:
    return len(found.outcome.chooser.deviated)


_Outcomes: TypeAlias = "Iterator[tuple[Any, Outcome]]"


def _on_the_ladder(target: Target, found: Caught, before: Enumeration) -> _Outcomes:
    """Run all plans that have at most as many deviations as the run that was found, on the whole ladder."""
    return chain.from_iterable(on_the_ladder(target, _reach(found), before))


def _at_input(
    target: Target, found: Caught, before: Enumeration, labels: Sequence[str] | None = None
) -> _Outcomes:
    """Run all plans that have at most as many deviations as the run that was found, at its input."""
    run = partial(target, found.given)
    for outcome, _ in exhaustive(run, _reach(found), labels=labels, passes=before.passes):
        yield found.given, outcome


def _first(
    target: Target,
    stage: str,
    outcomes: Callable[[Target, Caught, Enumeration], _Outcomes],
    like: Caught,
    budget: int,
) -> Caught | None:
    """Return the first run that fails in the same way; None if there is none or the budget is spent."""
    before = Enumeration(target.progress, stage, target.tally)
    if before.ended_before:
        return None
    for given, outcome in outcomes(target, like, before):
        if found := caught(given, outcome, like.failure.by):
            return found
        if target.tally.runs >= budget:
            break
        if len(outcome.chooser.deviated) == _reach(like):
            before.passed()
    before.ended()
    return None
