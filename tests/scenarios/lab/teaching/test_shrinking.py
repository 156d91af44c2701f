"""What Hypothesis ran is seen whole, in its own order, each time alike; the test watched stays as it was."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import Phase, assume, example, find, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import FailedHealthCheck
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from scenarios.lab.teaching.shrinking import SHOWN_MAX, Example, Watched, tries, watch
from simulations.drawing.text import lines
from simulations.errors import LabError


def above(limit):
    @given(st.integers(0, 10_000), st.booleans())
    def test(number, flag):
        assume(number != 3)
        assert number < limit

    return test


class Cache(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.stored, self.cached, self.read = 0, None, None

    @rule()
    @precondition(lambda self: self.cached is None and self.read is None)
    def read_database(self):
        self.read = self.stored

    @rule()
    @precondition(lambda self: self.read is not None)
    def fill_cache(self):
        self.cached, self.read = self.read, None

    @rule(value=st.integers(1, 9))
    def write(self, value):
        self.stored, self.cached = value, None

    @invariant()
    def fresh(self):
        assert self.cached in {None, self.stored}


@pytest.mark.parametrize("limit", [0, 1, 7, 100, 9_999])
def test_the_test_cases_that_are_kept_fall_to_the_least(limit):
    watched = watch(above(limit))
    ranks = [each.rank for each in watched.kept]
    assert ranks == sorted(set(ranks), reverse=True)
    assert watched.least == f"number={limit}, flag=False"
    assert [each.number for each in watched.examples] == list(range(1, len(watched.examples) + 1))
    assert all(each.failed and each.valid for each in watched.kept)
    later = watched.examples[watched.kept[-1].number :]
    assert not [each for each in later if each.failed and each.rank < ranks[-1]]
    assert watched.failure.startswith("AssertionError")
    assert f"number={limit}," in watched.failure


def test_it_is_the_same_each_time_and_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    test = above(100)
    assert watch(test) == watch(test)
    assert list(Path().iterdir()) == []


def test_the_steps_of_a_state_machine_are_its_rules():
    watched = watch(Cache)
    assert watched.least == "read_database(), write(value=1), fill_cache()"
    assert any(not each.valid for each in watched.examples)
    assert repr(watched).endswith(f"to {watched.least}")


def test_what_calls_find_is_watched_too():
    before = settings.get_current_profile_name()
    watched = [watch(lambda: find(st.integers(0), lambda number: number >= 77)) for _ in range(2)]
    assert watched[0] == watched[1]
    assert watched[0].least == "v=77"
    assert settings.get_current_profile_name() == before


def test_the_settings_of_the_test_hold_and_stay():
    once = settings(max_examples=11, deadline=7_000, phases=[Phase.generate])(above(10_001))
    watched = watch(once)
    assert len([each for each in watched.examples if each.valid]) == 11
    assert watched.kept == ()
    assert watched.least == watched.failure == ""
    assert repr(watched) == f"{len(watched.examples)} test cases, none failed"
    assert once._hypothesis_internal_use_settings.max_examples == 11
    assert once._hypothesis_internal_use_settings.deadline == timedelta(seconds=7)


@pytest.mark.parametrize("limit", [5, 20_000])
def test_explicit_examples_are_counted_apart(limit):
    watched = watch(example(10, True)(above(limit)))
    assert watched.explicit == 1
    assert watched.kept == ()
    if limit == 5:
        assert repr(watched) == "1 explicit, 0 test cases, the explicit one failed"
        assert "Failing explicit example" in watched.failure
        assert repr(watched) in "\n".join(lines(watched.picture()))
    else:
        assert repr(watched) == f"1 explicit, {len(watched.examples)} test cases, none failed"


def test_it_is_drawn_with_its_words_and_escaped():
    @given(st.text(min_size=1, alphabet="<&"))
    def test(text):
        assert "&" not in text

    watched = watch(test)
    assert "text='&amp;'" in watched._repr_mimebundle_()["image/svg+xml"]
    drawn = "\n".join(lines(watched.picture()))
    assert f"{watched.kept[-1].number}: text='&'" in drawn
    assert f"{len(watched.kept)} were kept" in drawn


@pytest.mark.parametrize("kept", [0, 1, 2, 8, 9, 40])
def test_a_picture_spells_out_the_first_the_last_and_few_between(kept):
    examples = tuple(
        Example(
            number, str(number), "shrink", failed=True, valid=True, kept=True, choices=1, rank=99 - number
        )
        for number in range(1, kept + 1)
    )
    said = Watched(examples, "").picture().said
    if not kept:
        assert said == ("0 test cases, none failed",)
        return
    assert len(said) == min(kept, SHOWN_MAX)
    assert said[:1] == tuple(f"{each.number}: {each.words}" for each in examples[:1])
    assert said[-1:] == tuple(f"{each.number}: {each.words}" for each in examples[-1:])


@pytest.mark.parametrize(
    ("nothing", "says"),
    [
        pytest.param(lambda: None, "is it decorated with @given", id="no test"),
        pytest.param(lambda: 1 / 0, "ZeroDivisionError: division by zero", id="an error before"),
    ],
)
def test_what_runs_no_hypothesis_is_said(nothing, says):
    with pytest.raises(LabError, match=says):
        watch(nothing)


@pytest.mark.parametrize("number", range(4))
def test_tries_count_to_the_first_that_fails(number):
    test = seed(number)(above(5_000))
    before = test.hypothesis.inner_test
    assert tries(test) == tries(test) == watch(test).kept[0].number
    assert test.hypothesis.inner_test is before


def test_what_does_not_fail_takes_no_number_of_tries_and_what_cannot_run_is_raised():
    assert tries(above(10_001)) is None
    with pytest.raises(LabError, match="decorate it with @given"):
        tries(lambda: None)
    with pytest.raises(FailedHealthCheck):
        tries(given(st.integers())(lambda number: assume(number != number)))  # noqa: PLR0124
