"""The blob that Hypothesis prints reproduces the failure, in this version and with this strategy only."""

import hypothesis
import pytest
from hypothesis import given, reproduce_failure, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException

from scenarios.lab.teaching.blob import blob_in, failure_of
from simulations.errors import LabError

AMOUNTS = st.integers(0, 5000)


def below(limit, *decorators, strategy=AMOUNTS, print_blob=True):
    @settings(print_blob=print_blob, database=None, deadline=None)
    @given(strategy)
    def test(amount):
        assert amount < limit, f"{amount} is not below {limit}"

    for decorator in decorators:
        test = decorator(test)
    return test


@pytest.mark.parametrize("limit", [1, 300, 4999])
def test_a_blob_reproduces_the_failure(limit):
    failure = failure_of(below(limit))
    version, blob = blob_in(failure)
    assert version == hypothesis.__version__
    again = failure_of(below(limit, reproduce_failure(version, blob)))
    assert (type(again), str(again).splitlines()[0]) == (AssertionError, f"{limit} is not below {limit}")


def test_a_blob_is_of_one_version_and_one_strategy():
    version, blob = blob_in(failure_of(below(300)))
    older = failure_of(below(300, reproduce_failure("6.0.0", blob)))
    other = failure_of(below(300, reproduce_failure(version, blob), strategy=st.floats(0, 5000)))
    assert isinstance(older, HypothesisException)
    assert isinstance(other, HypothesisException)


def test_where_there_is_no_blob_the_way_out_is_said():
    assert failure_of(below(6000)) is None
    with pytest.raises(LabError, match="print_blob=True"):
        blob_in(failure_of(below(300, print_blob=False)))
