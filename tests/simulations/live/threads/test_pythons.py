"""The Pythons that people have: what is there, what is refused, and bytecode that stays what it was."""

import asyncio
import email.message
import queue
import sys
import sysconfig
import threading
from pathlib import Path
from types import CodeType

import pytest

from simulations.live.threads import ThreadsError, explore
from simulations.live.threads.control import standard_library
from simulations.live.threads.control.rewrite import Call, put_together, take_apart
from simulations.live.threads.control.sites import binds_method, sites_of

FILES = [asyncio.tasks, asyncio.base_events, email.message, queue, threading, sysconfig]
USE = "use an ordinary build of CPython 3.11 to 3.15"


def increment(box):
    box[0] += 1


def codes(code):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def lines(code):
    return [line for start, end, line in code.co_lines() for _ in range(start, end, 2)]


def with_a_hook_at_each_site(code):
    constants = tuple(with_a_hook_at_each_site(c) if isinstance(c, CodeType) else c for c in code.co_consts)
    body = take_apart(code)
    calls = {}
    for site in sites_of(body):
        replaces = site.operands[0] if site.kind in ("call", "with") else 0
        hook = (lambda thing: thing) if replaces else (lambda *operands: [type(one) for one in operands])
        call = Call(hook, site.operands, cell=site.cell, replaces=replaces)
        calls[site.index] = [*calls.get(site.index, ()), call]
    unbound = frozenset(one.index for one in body.instructions if binds_method(one))
    return put_together(body, calls, unbound=unbound, constants=constants)


def test_every_private_attribute_of_the_standard_library_is_there():
    assert standard_library.missing() == ()
    assert standard_library.refusal() is None


def test_a_missing_private_attribute_is_one_sentence(monkeypatch):
    monkeypatch.delattr(threading, "_limbo")
    with pytest.raises(ThreadsError) as raised:
        explore(lambda: [0], [increment, increment])
    assert "lacks threading._limbo (a thread that was started is no longer about to start)" in str(
        raised.value
    )
    assert str(raised.value).endswith(USE)


def test_a_newer_python_is_refused_in_a_sentence(monkeypatch):
    monkeypatch.setattr(standard_library, "VERSION", (3, 99))
    with pytest.raises(ThreadsError, match=r"on CPython 3\.11 to 3\.15, not on cpython 3\.99"):
        explore(lambda: [0], [increment, increment])


@pytest.mark.parametrize("sign", ["build", "lock"])
def test_a_free_threaded_build_is_refused_in_a_sentence(monkeypatch, sign):
    if sign == "build":
        monkeypatch.setattr(sysconfig, "get_config_var", lambda name: int(name == "Py_GIL_DISABLED"))
    else:
        monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)
    with pytest.raises(ThreadsError, match="free-threaded build") as raised:
        explore(lambda: [0], [increment, increment])
    assert str(raised.value).endswith(USE)


@pytest.mark.parametrize("module", FILES, ids=lambda module: module.__name__)
def test_code_into_which_nothing_is_put_stays_what_it_was(module):
    path = Path(module.__file__)
    for code in codes(compile(path.read_bytes(), str(path), "exec")):
        again = put_together(take_apart(code), {}, unbound=frozenset(), constants=code.co_consts)
        assert again.co_code == code.co_code
        assert again.co_exceptiontable == code.co_exceptiontable
        assert list(again.co_positions()) == list(code.co_positions())
        assert lines(again) == lines(code)


PROGRAM = """
import asyncio, contextlib, threading

class Thing:
    shared = 1
    def __init__(self, *args, **kwargs): self.args, self.kwargs = args, kwargs
    def method(self, *args, **kwargs): return args, sorted(kwargs.items())

class Heir(Thing):
    def method(self, *args, **kwargs): return super().method(*args, **kwargs)

def iterations(of):
    for one in of: yield one
    for index, one in enumerate(of): yield index, one
    yield from reversed(of)
    yield from (one for one in of)
    yield [(a, b) for a in of for b in range(2) if a]
    yield {a: b for a, b in zip(of, of)}
    yield {a for a in of}

def patterns(thing):
    match thing:
        case [first, *rest]: return first, rest
        case {"key": value, **others}: return value, others
        case Thing(args=args): return args
        case _: return None

def cells(start):
    count = start
    def more():
        nonlocal count
        count += 1
        return count
    return more(), more(), count

def managers(lock, things):
    with lock, contextlib.suppress(KeyError):
        things["absent"]
    try:
        with lock: raise ValueError(things)
    except* ValueError as group:
        things["kinds"] = len(group.exceptions)
    finally:
        things["end"] = True
    return things

async def ticks(count):
    for one in range(count):
        await asyncio.sleep(0)
        yield one

async def events(count):
    lock = asyncio.Lock()
    async with lock:
        found = [one async for one in ticks(count)]
    async for one in ticks(count): found.append(one)
    return found

def accesses():
    thing, items = Heir(1, *(2, 3), a=4, **{"b": 5}), [1, 2, 3, 4]
    thing.new = 1; thing.new += 1; del thing.new
    items[0] += 1; items[1:2] = [7, 8]; part = items[1:]; del items[0]
    first, *rest = items
    text = f"{first!r:>4}{rest}" if 8 in items and not () else ""
    return thing.method(*items, **{"k": 1}), thing.method(1, z=2), part, text, max(items, key=lambda x: -x)

results = [
    [list(iterations(of)) for of in ([1, 2], (3, 4), "ab", range(3))],
    [patterns(thing) for thing in ([1, 2, 3], {"key": 1, "other": 2}, Thing(5), 7)],
    cells(3), managers(threading.RLock(), {}), asyncio.run(events(3)), accesses(),
]
"""


def test_code_with_a_hook_at_each_site_computes_the_same():
    written = compile(PROGRAM, "program.py", "exec")
    before, after = {"__name__": "program"}, {"__name__": "program"}
    exec(written, before)
    exec(with_a_hook_at_each_site(written), after)
    assert after["results"] == before["results"]
