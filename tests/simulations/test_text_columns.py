"""Columns of text are aligned as a terminal shows them."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from simulations.text_columns import aligned, columns

# Letters, ideographs, a syllable, a full-width letter, an emoji; accents that stand on what is before them.
texts = st.text(st.sampled_from("ab1é漢字한\uff21🙂か\u0301\u0323"), max_size=8)


@given(texts)
def test_a_text_takes_the_columns_of_a_terminal(text):
    assert columns(text) == cell_len(text)


@given(st.lists(st.tuples(texts, texts, st.just("|")), min_size=1, max_size=5), st.integers(1, 4))
def test_a_column_begins_at_one_place_in_all_lines(rows, gap):
    assert len({cell_len(line) for line in aligned(rows, gap=gap)}) == 1
