import re
import sys
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simulations.drawing import lettering, palette
from simulations.drawing.canvas import NARROW, TAG, WIDTH
from simulations.drawing.lettering import EM
from simulations.drawing.marks import (
    Axis,
    Cell,
    Chart,
    Diagram,
    Edge,
    Fall,
    Kind,
    Lanes,
    Look,
    Node,
    Note,
    Point,
    Sequence,
    Series,
    Shape,
    Span,
    Spot,
    Step,
    Table,
    Tone,
    Track,
    Tracks,
    decades,
    lanes_beside,
)
from simulations.drawing.page import fragment, page
from simulations.drawing.pictured import Drawing
from simulations.drawing.png import png
from simulations.drawing.svg import Theme, svg
from simulations.drawing.text import lines, sparkline
from simulations.drawing.traces import trace_sequence
from simulations.errors import LabError
from simulations.trace import Trace

SPACE = "{http://www.w3.org/2000/svg}"
TEXTS = st.text(max_size=30) | st.sampled_from(
    ["", "W" * 150, "模" * 80, "</text><script>", "a\x00\ud800\x1b[2J\n&", "many words " * 20]
)
SHARES = st.floats(0, 1) | st.none()
POINTS = st.lists(st.builds(Point, st.floats(0, 50), st.floats(0, 1), SHARES, SHARES), max_size=12).map(
    lambda points: tuple(sorted(points, key=lambda point: point.x))
)
CHARTS = st.builds(
    Chart,
    title=TEXTS,
    x=st.builds(
        Axis,
        label=st.just("x"),
        low=st.just(0.0),
        high=st.just(50.0),
        ticks=st.lists(st.tuples(st.floats(0, 50), st.text("0123456789", max_size=12))).map(tuple),
    ),
    y=st.builds(
        Axis,
        label=st.just("y"),
        low=st.just(1e-9),
        high=st.just(1.0),
        log=st.booleans(),
        ticks=st.lists(st.tuples(st.floats(1e-9, 1), st.just("1.00e-9"))).map(tuple),
    ),
    series=st.lists(
        st.builds(
            Series,
            name=TEXTS,
            detail=TEXTS,
            points=POINTS,
            shape=st.sampled_from(Shape),
            censored=st.booleans(),
        ),
        max_size=4,
    ).map(tuple),
    notes=st.lists(st.builds(Note, st.floats(0, 50), TEXTS), max_size=15).map(tuple),
    said=st.lists(TEXTS, max_size=3).map(tuple),
)
TABLES = st.integers(1, 6).flatmap(
    lambda width: st.builds(
        Table,
        title=TEXTS,
        header=st.tuples(*[TEXTS] * width),
        rows=st.lists(st.tuples(*[st.builds(Cell, TEXTS, st.sampled_from(Tone))] * width), max_size=5).map(
            tuple
        ),
    )
)


TONES = st.sampled_from(Tone)
SEQUENCES = (st.integers(1, 4) | st.sampled_from([12, 13])).flatmap(
    lambda lanes: st.builds(
        Sequence,
        title=TEXTS,
        tone=st.sampled_from(Tone),
        lanes=st.tuples(*[TEXTS] * lanes),
        steps=st.lists(
            st.builds(
                Step,
                st.integers(0, lanes - 1),
                TEXTS,
                st.text("0123456789", max_size=6),
                st.sampled_from(Tone),
            ),
            max_size=6,
        ).map(tuple),
        ended=TEXTS,
        unit=st.sampled_from(["", "ms"]),
    )
)
LANES = st.one_of(
    st.builds(lanes_beside, TEXTS, SEQUENCES, SEQUENCES),
    st.builds(Lanes, title=TEXTS, runs=st.tuples(SEQUENCES), said=st.lists(TEXTS, max_size=2).map(tuple)),
)
KINDS = tuple(Kind(sign, f"kind {sign}", look) for sign, look in zip(".abcdefgh", Look, strict=True))
ENDS = st.tuples(st.floats(-10, 60), st.floats(-10, 60)).map(sorted)
SHARE = st.floats(0, 1)
TRACKS = st.lists(
    st.builds(
        Track,
        label=TEXTS,
        low=st.just(0),
        high=st.integers(1, 1 << 47),
        spans=st.lists(ENDS.map(lambda ends: Span(ends[0], ends[1] + 1, kind=3))).map(tuple),
        spots=st.lists(st.builds(Spot, st.floats(-5, 60), st.integers(4, 8))).map(tuple),
        ticks=st.lists(st.tuples(st.floats(0, 50), TEXTS), max_size=5).map(tuple),
        note=TEXTS,
    ),
    min_size=2,
    max_size=5,
).flatmap(
    lambda tracks: st.builds(
        Tracks,
        title=TEXTS,
        kinds=st.just(KINDS),
        tracks=st.just(tuple(tracks)),
        falls=st.lists(st.builds(Fall, st.just(0), SHARE, st.just(1), SHARE)).map(tuple),
        said=st.lists(TEXTS, max_size=2).map(tuple),
    )
)
DIAGRAMS = st.integers(1, 9).flatmap(
    lambda count: st.builds(
        Diagram,
        title=TEXTS,
        nodes=st.tuples(*[st.text("abcW", min_size=1, max_size=6)] * count).map(
            lambda names: tuple(Node(name, island=number > 4) for number, name in enumerate(names))
        ),
        edges=st.lists(
            st.builds(Edge, *[st.integers(0, count - 1)] * 2, st.text("xy, ", max_size=24)),
            max_size=20,
        ).map(tuple),
        island=st.sampled_from(["", "codes that are no mode"]),
    )
)
PICTURES = st.one_of(CHARTS, TABLES, LANES, TRACKS, DIAGRAMS)
"""Every form of picture."""


def boxes(root):
    """Where each text that is not turned lies: left, top, right, bottom."""
    for text in root.iter(f"{SPACE}text"):
        if "transform" in text.attrib or not text.text:
            continue
        size, x, y = (float(text.attrib[name]) for name in ("font-size", "x", "y"))
        room = lettering.columns(text.text) * EM * size
        left = x - room * {"start": 0, "middle": 0.5, "end": 1}[text.attrib["text-anchor"]]
        yield left, y - 0.8 * size, left + room, y + 0.2 * size


def parsed(picture, width=WIDTH):
    return ET.fromstring(svg(picture, width=width).encode())  # noqa: S314  (our own text)


@settings(max_examples=100, deadline=None)
@given(PICTURES, st.sampled_from([WIDTH, NARROW]))
@example(Table(title="", header=("", "", "", "", "000", "0" * 120), rows=(), said=()), WIDTH)
def test_any_picture_is_well_formed_stands_alone_and_its_texts_do_not_collide(picture, width):
    root = parsed(picture, width)
    assert not list(root.iter(f"{SPACE}script"))
    assert root.find(f"{SPACE}title") is not None
    assert (root.find(f"{SPACE}desc").text or "") == "\n".join(lines(picture))
    classes = {each.attrib["class"] for each in root.iter() if "class" in each.attrib}
    assert classes <= {f"hl-{name}" for name in palette.COLOURS}
    coloured = {
        value for each in root.iter() for name, value in each.attrib.items() if name in {"fill", "stroke"}
    }
    assert coloured <= {"none", "currentColor"}
    placed = sorted(boxes(root))
    height = float(root.attrib["height"])
    for number, (left, top, right, bottom) in enumerate(placed):
        assert left >= 0
        assert right <= width
        assert top >= 0
        assert bottom <= height
        for other in placed[number + 1 :]:
            apart = right <= other[0] + 0.1 or bottom <= other[1] + 0.1 or other[3] <= top + 0.1
            assert apart, (placed[number], other)


@settings(max_examples=30, deadline=None)
@given(PICTURES)
def test_what_is_written_is_the_same_each_time_and_fetches_nothing(picture):
    drawn = svg(picture)
    assert drawn == svg(picture)
    whole = page("p", picture)
    assert fragment(picture) in whole
    for text in (drawn, whole):
        outside = re.sub(r">[^<]*<", "><", text)
        assert set(re.findall(r"https?://[^\s\"']+", outside)) <= {"http://www.w3.org/2000/svg"}
        assert "url(" not in outside
        assert "<script" not in text


@pytest.mark.parametrize(
    ("ticks", "written"),
    [
        (((0, "INIT"), (1, "IDLE"), (6, "RUN")), ["IDLE", "RUN"]),
        (((0, "INIT"), (5, "IDLE"), (6, "RUN")), ["INIT", "RUN"]),
        (((0, "INIT"), (1, "IDLE"), (2, "HALT"), (3, "LONG RUN")), ["LONG RUN"]),
        ((), []),
    ],
)
def test_of_marks_under_a_bar_that_collide_the_one_stays_that_is_longer_on_its_own(ticks, written):
    track = Track(label="", low=0, high=16, ticks=ticks)
    drawn = svg(Tracks(title="", kinds=KINDS[:1], tracks=(track,)), width=NARROW)
    assert re.findall("<text.*?>(.+)</text>", drawn) == written


def test_tags_of_neighbouring_notes_stand_in_lanes():
    notes = tuple(Note(place / 10, f"note {place}") for place in range(12))
    axis = Axis(label="x", low=0, high=100)
    root = parsed(Chart(title="t", x=axis, y=Axis(label="y", low=0, high=1), series=(), notes=notes))
    tags = [
        (float(each.attrib["x"]), float(each.attrib["y"]), float(each.attrib["width"]))
        for each in root.iter(f"{SPACE}rect")
        if "rx" in each.attrib
    ][: len(notes)]
    for number, (x, y, width) in enumerate(tags):
        for other_x, other_y, _ in tags[number + 1 :]:
            assert abs(y - other_y) >= TAG or other_x >= x + width


def charted(shape, *names):
    points = tuple(Point(place, 1) for place in range(100))
    series = tuple(Series(name=name, points=points, shape=shape) for name in names)
    axes = {"x": Axis(label="x", low=0, high=99), "y": Axis(label="y", low=0, high=2)}
    return parsed(Chart(title="t", series=series, **axes))


def test_the_dots_of_each_series_have_a_form_of_their_own_in_the_legend_too():
    root, names = charted(Shape.POINTS, *"abcdef"), [f"hl-series{number}" for number in range(6)]
    dots = [each for each in root.iter(f"{SPACE}path") if each.attrib.get("fill") == "currentColor"]
    forms = {
        name: [d.attrib["d"].partition("m")[2] for d in dots if d.get("class") == name] for name in names
    }
    assert [len(each) for each in forms.values()] == [101] * 6
    assert [len(set(each)) for each in forms.values()] == [1] * 6
    assert len({each[0] for each in forms.values()}) == 6


def test_bars_do_not_overlap():
    bars = [each for each in charted(Shape.BARS, "a").iter(f"{SPACE}rect") if "fill-opacity" in each.attrib]
    places = [(float(bar.attrib["x"]), float(bar.attrib["width"])) for bar in bars[:100]]
    assert all(x + width <= after for (x, width), (after, _) in pairwise(places))


def luminance(colour):
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True])
def test_colours_stand_out_from_the_ground_as_wcag_asks(dark):
    ground = luminance(palette.COLOURS["ground"][dark])
    for name, pair in palette.COLOURS.items():
        least = {"ground": 1, "grid": 1}.get(name, 3 if name.startswith("series") else 4.5)
        light, deep = sorted((luminance(pair[dark]), ground), reverse=True)
        assert (light + 0.05) / (deep + 0.05) >= least, name


def test_dark_is_for_screens_only_so_that_paper_is_light():
    assert "@media screen and (prefers-color-scheme:dark)" in palette.style()
    assert "@media" not in palette.style(Theme.LIGHT) + palette.style(Theme.DARK)


def test_a_curve_as_text():
    series = Series(name="P", points=(Point(0, 0.0), Point(5, 0.5), Point(9, 1.0)))
    axes = {"x": Axis(label="k", low=0, high=9), "y": Axis(label="P", low=0, high=1)}
    chart = Chart(title="t", series=(series,), notes=(Note(5, "here"),), said=("done",), **axes)
    assert lines(chart, 10) == ["t", "k: 0 to 9", "P: 0 to 1", "P  |▁▁▁▁▁▅▅▅▅█|", "1. at 5: here", "done"]
    assert sparkline([0, 0.5, 1]) == "▁▅█"


@pytest.mark.parametrize("ends", [(1, 1), (2, 1), (0, float("inf")), (float("nan"), 1)])
def test_an_axis_without_an_extent_is_refused(ends):
    with pytest.raises(ValueError, match="an axis cannot go from"):
        Axis(label="", low=ends[0], high=ends[1])
    with pytest.raises(ValueError, match="an axis cannot go from"):
        Axis(label="", low=0, high=1, log=True)


@given(st.floats(1e-12, 1), st.floats(1, 1e9))
def test_decades_reach_beyond_both_ends(low, high):
    found = list(decades(low, high))
    assert found[0] <= low * (1 + 1e-12)
    assert high <= found[-1] * (1 + 1e-12)
    assert all(after / before == pytest.approx(10) for before, after in pairwise(found))


@pytest.mark.parametrize(
    ("line", "set_in"),
    [
        ("plan        everything nominal, except", 12),
        ("    *  reader after database.read: the reader", 7),
        ("words  beyond the half of a telephone that is  far away", 7),
        ("    return", 8),
        (" " * 90 + "words", lettering.HANGING_MAX),
        ("", 4),
    ],
)
def test_where_the_rest_of_a_wrapped_line_stands(line, set_in):
    assert lettering.hanging(line) == set_in


@pytest.mark.parametrize(
    ("word", "most", "lines"),
    [
        ("account.balance", 12, ["account.", "balance"]),
        ("a.verylongword", 10, ["a.verylong", "word"]),
        ("/usr/lib/python", 9, ["/usr/lib/", "python"]),
    ],
)
def test_a_word_that_is_too_long_is_broken_behind_punctuation(word, most, lines):
    assert lettering.wrapped(word, most) == lines


@given(TEXTS, st.integers(2, 60))
def test_wrapped_text_fits_and_keeps_every_character(text, most):
    broken = lettering.wrapped(text, most)
    assert all(lettering.columns(line) <= most for line in broken)
    assert "".join(broken).replace(" ", "") == lettering.printable(text).replace(" ", "")


def test_without_the_extra_a_png_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cairosvg", None)
    with pytest.raises(LabError, match=r"pip install heisenlab\[report\]"):
        png(Table(title="t", header=("a",), rows=()))


def test_a_png_is_light_or_dark():
    try:
        import cairosvg  # noqa: F401
    except (ImportError, OSError):
        pytest.skip("CairoSVG is not installed here")
    table = Table(title="t", header=("a",), rows=((Cell("b", Tone.GOOD),),))
    light, dark = png(table), png(table, theme=Theme.DARK)
    assert light.startswith(b"\x89PNG")
    assert light != dark


LEFT = Sequence(
    title="fails",
    tone=Tone.BAD,
    lanes=("alice", "bob"),
    steps=(Step(0, "reads", "1"), Step(1, "writes", "12"), Step(0, "writes <b>", "13", Tone.BAD)),
    ended="20 left",
    unit="ms",
)
RIGHT = Sequence(
    title="passes",
    tone=Tone.GOOD,
    lanes=("alice", "bob"),
    steps=(Step(0, "reads", "1"), Step(0, "writes", "2")),
)
FALLING = Tracks(
    title="t",
    kinds=(
        Kind(".", "free", Look.BLANK),
        Kind("=", "mapped", Look.SOLID),
        Kind("X", "came back", Look.CROSS),
    ),
    tracks=(
        Track(label="high", low=100, high=200, spans=(Span(150, 200, 1),), note="P"),
        Track(label="low", low=0, high=100, spans=(Span(0, 25, 1),), spots=(Spot(99, 2),)),
    ),
    falls=(Fall(0, 199, 1, 99),),
    said=("done",),
)
STATES = Diagram(
    title="d",
    nodes=(Node("OFF"), Node("ON"), Node("?10", island=True)),
    edges=(Edge(0, 1, "press"), Edge(1, 0, "press"), Edge(2, 2, "anything")),
    island="no state",
)


@pytest.mark.parametrize(
    ("picture", "text"),
    [
        (
            lanes_beside("t", LEFT, RIGHT),
            """\
t
✗ fails
ms  alice         bob
 1  reads
--- from here on they differ
12                writes
13  ✗ writes <b>
20 left
✓ passes
   alice   bob
1  reads
--- from here on they differ
2  writes""",
        ),
        (
            FALLING,
            """\
t
high  [....====]  P
low   [==.....X]
. free  = mapped  X came back
done""",
        ),
        (
            STATES,
            """\
d
OFF -> ON: press
ON -> OFF: press
?10 (no state) -> ?10 (no state): anything""",
        ),
    ],
)
def test_pictures_as_text(picture, text):
    assert "\n".join(lines(picture, 8)) == text


def test_of_many_actors_each_step_is_a_line_with_a_name():
    crowd = replace(LEFT, lanes=tuple(f"actor {number}" for number in range(200)))
    assert lines(lanes_beside("t", crowd, replace(crowd, steps=crowd.steps[:1], ended="")))[:7] == [
        "t",
        "✗ fails",
        " 1  actor 0  reads",
        "--- from here on they differ",
        "12  actor 1  writes",
        "13  actor 0  ✗ writes <b>",
        "20 left",
    ]


def test_runs_stand_beside_each_other_where_there_is_room_and_else_below():
    picture = lanes_beside("t", LEFT, RIGHT)
    for width, beside in ((WIDTH, True), (NARROW, False)):
        tops = {each.text: each.attrib["y"] for each in parsed(picture, width).iter(f"{SPACE}text")}
        assert (tops["✗ fails"] == tops["✓ passes"]) is beside


@given(SEQUENCES, SEQUENCES)
def test_runs_part_at_the_first_step_that_differs(left, right):
    parts_at = lanes_beside("t", left, right).parts_at
    same = len(left.steps) if parts_at is None else parts_at
    assert left.steps[:same] == right.steps[:same]
    assert (parts_at is None) == (left.steps == right.steps)


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(1, 30))), st.integers(1, 40))
def test_a_cell_shows_what_lies_in_it(spans, width):
    track = Track(label="", low=0, high=130, spans=tuple(Span(at, at + size, 1) for at, size in spans))
    cells = Tracks(title="", kinds=KINDS, tracks=(track,)).cells(track, width)
    for cell, kind in enumerate(cells):
        begins, ends = cell * 130, (cell + 1) * 130  # in units of 1 / width
        assert kind == any(at * width < ends and (at + size) * width > begins for at, size in spans)


def test_lanes_and_tracks_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="stands in a lane"):
        replace(LEFT, steps=(Step(2, "x"),))
    with pytest.raises(ValueError, match="cannot go from 1 to 1"):
        Track(label="", low=1, high=1)


def test_a_world_without_pictures_is_drawn_from_its_trace():
    trace = Trace()
    for number in range(70):
        trace.record(number, f"actor{number % 7}", "does", (number, None))
    drawn = trace_sequence(trace, "the run", moment=lambda time: f"{time} ms")
    assert drawn.lanes == ("actor0", "actor1", "actor2", "actor3", "others")
    assert drawn.steps[1] == Step(1, "does 1", "1 ms")
    assert drawn.steps[5] == Step(4, "actor5: does 5", "5 ms")
    assert (len(drawn.steps), drawn.ended) == (60, "and 10 more events")


def test_a_notebook_shows_a_drawing_of_several_pictures():
    bundle = Drawing(FALLING, STATES)._repr_mimebundle_()
    assert bundle["text/plain"].startswith("t\nhigh")
    assert bundle["text/html"].count("<svg") == 4


def test_a_table_that_a_telephone_cannot_show_has_its_cells_below_each_other_there():
    small = Table(title="t", header=("a", "b"), rows=((Cell("1"), Cell("2")),))
    large = replace(small, rows=((Cell("w" * 40), Cell("<2>")),))
    assert 'hl-stack"' not in fragment(small)
    assert 'class="hl-table hl-stack"' in fragment(large)
    assert 'data-hl="b">&lt;2&gt;' in fragment(large)
