import os
import threading

from hypothesis import given
from hypothesis import strategies as st

from simulations.live.recorder import output
from simulations.live.recorder.output import LINES_KEPT, Channel, Follower, Tail

line = st.text(st.characters(codec="ascii", exclude_characters="\r\n\x1b"), max_size=20)


@given(st.lists(line, max_size=40), st.booleans(), st.data())
def test_the_tail_does_not_depend_on_how_the_output_was_cut(lines, finished, data):
    text = "\n".join(lines) + "\n" * finished
    content = text.encode()
    tail = Tail()
    while content:
        size = data.draw(st.integers(1, len(content)))
        tail.feed(content[:size])
        content = content[size:]
    assert (tail.count, tail.size) == (text.count("\n"), len(text.encode()))
    kept = [each.rstrip() for each in text.split("\n")[-LINES_KEPT - 1 :]]
    assert tail.last() == [each for each in kept if each][-LINES_KEPT:]


def test_of_a_progress_bar_only_what_it_showed_last_is_kept():
    tail = Tail()
    tail.feed(b"1 %\r2 %\r3 %\r\nnext 1 %\rnext 2 %")
    assert tail.last() == ["3 %", "next 2 %"]


def test_colours_and_titles_are_not_words():
    tail = Tail()
    tail.feed(b"\x1b[1;31mFAILED\x1b[0m \x1b]0;title\x07at 70\x1b[K\n")
    assert tail.last() == ["FAILED at 70"]


def test_an_endless_line_does_not_fill_the_memory():
    tail = Tail()
    for _ in range(100):
        tail.feed(b"x" * 65536)
    assert len(tail.last()[0]) == output.LINE_CHARACTERS_MAX
    assert len(tail._rests[0]) < 10_000


def channel():
    source, ours = os.pipe()
    drained, sink = os.pipe()
    return Channel(source, sink, ours, terminal=False), drained


def test_what_others_still_hold_is_handed_back_after_the_job_has_ended():
    held, drained = channel()
    ending = threading.Event()
    ending.set()
    os.write(held.ours, b"last words")
    tail = Tail()
    assert output.copy([held], tail, lambda _: None, ending.is_set) == [held]
    assert os.read(drained, 100) == b"last words"
    os.close(held.ours)
    output.pass_on_rest([held], tail)
    for fd in (drained, held.sink):
        os.close(fd)


def test_a_sink_that_is_gone_closes_the_source():
    held, drained = channel()
    os.close(drained)
    os.write(held.ours, b"to nobody")
    told = []
    assert output.copy([held], Tail(), told.append, lambda: False) == []
    assert told == [held.source]
    for fd in (held.ours, held.sink):
        os.close(fd)


def test_a_file_that_is_cut_short_is_read_from_its_beginning(tmp_path):
    path = tmp_path / "log"
    path.write_text("old\n")
    tail = Tail()
    follower = Follower([], path, tail)
    with path.open("a") as file:
        file.write("one\n")
    follower.catch_up()
    path.write_text("2\n")
    follower.catch_up()
    assert tail.last() == ["one", "2"]


def test_a_file_that_appears_later_is_read_whole(tmp_path):
    tail = Tail()
    follower = Follower([], tmp_path / "log", tail)
    follower.catch_up()
    (tmp_path / "log").write_text("first\nsecond\n")
    follower.catch_up()
    assert tail.last() == ["first", "second"]


def test_of_a_flood_the_end_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(output, "_FOLLOW_BLOCKS_MAX", 2)
    (tmp_path / "log").touch()
    tail = Tail()
    follower = Follower([], tmp_path / "log", tail)
    (tmp_path / "log").write_text("x" * 79 + "\n" + ("y" * 79 + "\n") * 10_000 + "the end\n")
    follower.catch_up()
    follower.catch_up()
    assert tail.last()[-1] == "the end"
