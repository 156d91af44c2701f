from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from simulations.cache.consistency import not_linearizable
from simulations.cache.system import Operation


def operation(client, kind, value, called, returned):
    return Operation(client, kind, value, called, returned)


def test_a_read_may_come_before_or_after_a_write_that_overlaps_it():
    for value in (0, 1):
        assert not_linearizable([operation("w", "w", 1, 0, 4), operation("r", "r", value, 1, 3)]) is None


def test_a_read_after_a_write_sees_it():
    history = [operation("w", "w", 1, 0, 1), operation("r", "r", 0, 2, 3)]
    assert not_linearizable(history) == "r reads 0, which no order explains after: w writes 1"


def test_what_one_client_has_seen_another_does_not_unsee():
    write = operation("w", "w", 1, 0, 9)
    history = [write, operation("a", "r", 1, 1, 2), operation("b", "r", 0, 3, 4)]
    assert not_linearizable(history) == "b reads 0, which no order explains after: a reads 1"
    assert not_linearizable([write, operation("a", "r", 0, 1, 2), operation("b", "r", 1, 3, 4)]) is None


def test_a_value_that_nobody_wrote_is_never_explained():
    assert (
        not_linearizable([operation("r", "r", 7, 0, 1)])
        == "r reads 7, which no order explains after: nothing"
    )


@st.composite
def histories(draw):
    times = draw(st.permutations(range(8)))
    operations = []
    for number in range(4):
        called, returned = sorted(times[2 * number : 2 * number + 2])
        operations.append(
            operation(str(number), draw(st.sampled_from("rw")), draw(st.integers(0, 2)), called, returned)
        )
    return operations


def explained_by_brute_force(history):
    for order in permutations(history):
        if any(
            later.returned < earlier.called for place, earlier in enumerate(order) for later in order[place:]
        ):
            continue
        value, right = 0, True
        for step in order:
            right = right and (step.kind == "w" or step.value == value)
            value = step.value
        if right:
            return True
    return False


@settings(database=None, deadline=None, derandomize=True, max_examples=400)
@given(histories())
def test_it_agrees_with_brute_force_over_all_orders(history):
    assert (not_linearizable(history) is None) == explained_by_brute_force(history)
