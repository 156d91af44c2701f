"""The example database: the next run begins with what failed in the last."""
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.database import InMemoryExampleDatabase

shared = InMemoryExampleDatabase()  # the default is a folder, .hypothesis
database = None
# fix: database = shared

def examples_of_a_run():
    ran = []
    @settings(database=database, deadline=None)
    @given(st.integers(0, 2**47))
    def test_a_pointer_fits_in_32_bits(pointer):
        ran.append(pointer)
        assert pointer < 2**32
    pytest.raises(AssertionError, test_a_pointer_fits_in_32_bits)
    return ran
def test_the_second_run_begins_with_the_failure_of_the_first():
    assert examples_of_a_run()[-1] == examples_of_a_run()[0]
