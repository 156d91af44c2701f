"""Where there are threads, the scheduler uses those of the interpreter, with nothing in between."""

import _thread
import sys

import pytest

from simulations.live.threads.control import back_end


@pytest.mark.parametrize(
    "name", ["LockType", "allocate_lock", "start_new_thread", "get_ident", "get_native_id"]
)
def test_a_native_back_end_is_the_interpreters_own(name):
    assert back_end.NATIVE
    assert getattr(back_end, name) is getattr(_thread, name)


def test_frames_are_the_interpreters_own():
    assert back_end.current_frames is sys._current_frames
