import pytest

from simulations.live.memory.errors import RefusedError
from simulations.live.memory.launch import check_system

try:
    check_system()
except RefusedError as refused:
    pytest.skip(str(refused), allow_module_level=True)

from simulations.live.memory.watch import python_lines

FRAMES = ('File "x.py", line 6 in load', 'File "x.py", line 7 in <module>')
TOLD = "".join(f"  {frame}\n" for frame in FRAMES)


@pytest.mark.parametrize(
    "text",
    [
        f"Fatal Python error\n\nCurrent thread 0x7f (most recent call first):\n{TOLD}",
        f"Fatal Python error\n\nCurrent thread 0x7f [python] (most recent call first):\n{TOLD}",
        f"Fatal Python error\n\nStack (most recent call first):\n{TOLD}\nExtension modules: a",
        f"Thread 1 (most recent call first):\n  .\n\nCurrent thread 2 (most recent call first):\n{TOLD}",
    ],
)
def test_the_lines_of_the_thread_that_crashed(text):
    assert python_lines(text) == FRAMES


@pytest.mark.parametrize(
    "text",
    ["", "Segmentation fault\n", "Current thread 0x7f (most recent call first):\n  <no Python frame>\n"],
)
def test_where_no_line_is_told_there_is_none(text):
    assert python_lines(text) == ()


def test_a_line_that_is_not_whole_is_left_out():
    assert python_lines(f'Stack (most recent call first):\n{TOLD}  File "x.p') == FRAMES
