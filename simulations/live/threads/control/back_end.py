"""What carries threads here: the operating system or, in a browser, stacks of WebAssembly. Chosen once.

The scheduler needs a lock, a way to start a thread and a way to tell threads apart, and takes them from here.
On a platform with threads they are those of `_thread` themselves, so nothing stands in between.
"""

from __future__ import annotations

import sys
from typing import Final

if sys.platform == "emscripten":
    from simulations.live.threads.control import stack_switching as _carrying

    current_frames = _carrying.current_frames
    thread_ident = _carrying.thread_ident
else:
    import _thread as _carrying

    current_frames = sys._current_frames  # noqa: SLF001  (the one way to another thread's frame)
    thread_ident = _carrying.get_ident

LockType = _carrying.LockType
allocate_lock: Final = _carrying.allocate_lock
start_new_thread: Final = _carrying.start_new_thread
get_ident: Final = _carrying.get_ident
get_native_id: Final = _carrying.get_native_id

NATIVE: Final = sys.platform != "emscripten"
"""Whether threads are those of the operating system: one can interrupt another, and be traced by itself."""
