"""A block of text on a page loses nothing by being laid out, and a table is told from what is none."""

import html
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("sphinx", reason="the pages need the extra 'docs'")
from docs.blocks import NARROW, columns_of, laid_out

COMPARED = """\
searcher    half by  95 % by  of all the plans
hypothesis  65       195      whatever Hypothesis draws of them
random      126      544      what chance draws of them
"""
COUNTED = """\
isolate, one run   right 1.000    15.0 runs
isolate, two runs  right 0.852   143.1 runs
isolate, rates     right 0.852   143.1 runs
"""
ONE_ROW = """\
when        who  what
2026-11-29  you  hunt it
"""
HUNT = """\
plan        everything nominal
fails       a property: with  two spaces in it
minimality  least
"""
TEXTS = st.lists(st.text(st.sampled_from("ab <&=│\u2581"), max_size=90), min_size=1).map("\n".join)


def page(text, language="console", prompt=""):
    lines = "\n".join(f'<span class="go">{html.escape(line)}</span>' for line in text.splitlines())
    return (
        f'<div class="columns-90 highlight-{language} notranslate"><div class="highlight"><pre><span></span>'
        f"{prompt}{lines}\n</pre></div>\n</div>"
    )


def read(laid):
    return html.unescape(re.sub("<[^>]*>", "", laid))


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (COMPARED, [0, 12, 21, 30]),
        (COUNTED, [0, 19, 33]),
        (ONE_ROW, [0, 12, 17]),
        (HUNT, [0]),
        ("a  b  c", [0]),
        ("words of two lines that\nare not in any columns", [0]),
    ],
)
def test_where_the_columns_of_a_table_begin(text, columns):
    assert columns_of(text.splitlines()) == columns


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault
@given(TEXTS, st.sampled_from(["console", "text", "python"]))
def test_what_is_read_stays_the_same(text, language):
    assert read(laid_out(page(text, language))) == read(page(text, language))


def test_only_a_table_wider_than_a_telephone_is_cut_into_cells():
    assert max(map(len, COMPARED.splitlines())) > NARROW
    assert laid_out(page(COMPARED)).count('class="in-column"') == 12
    assert "in-column" not in laid_out(page(COUNTED) + page(COMPARED, "python"))


def test_a_command_is_no_row_of_the_table_below_it():
    prompt = '<span class="gp">$ </span>heisenlab  compare  all\n'
    assert '<span class="rows"><span class="line"><span class="in-column" data-head="searcher">' in laid_out(
        page(COMPARED, prompt=prompt)
    )


def test_a_table_that_fits_on_no_telephone_is_stacked_there_and_one_that_fits_nowhere_always():
    words = "  ".join(["abcdefghij"] * 6)
    assert 'class="rows stacked"' in laid_out(page(f"{words}\n{words}"))
    long = "  ".join([*["abcdefghij"] * 6, "word " * 40])
    assert 'class="rows records"' in laid_out(page(f"{words}\n{long}"))


def test_a_wrapped_line_of_code_goes_on_further_in_than_it_begins():
    assert 'style="--hang:8"' in laid_out(page("    return  # why", "python"))
    assert 'style="--hang:12"' in laid_out(page("    return  # why"))


def test_a_ruler_may_be_cut_off():
    ruler = "=" * 30 + " FAILURES " + "=" * 30
    assert 'class="line ruler"' in laid_out(page(f"{ruler}\n{'=' * 70}"))
    assert "ruler" not in laid_out(page("== a == b"))
