"""Campaigns: many independent pieces of work, with the same result on any number of workers.

A campaign is a function and a list of *chunks*. A chunk is JSON-able and holds everything that its result
depends on, seeds included; a worker adds nothing. So the results do not depend on how many workers there are,
on the order in which they finish, or on where a campaign was interrupted and resumed.

`Pool` is the seam: what maps a function over chunks, in this process (`InProcess`), on the processes of this
machine (`Processes`), or on other machines.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import signal
import zlib
from _thread import start_new_thread
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from multiprocessing import get_context
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from scenarios.lab.doctor import PACKAGES
from scenarios.lab.files import read_at_most
from scenarios.lab.interrupts import held_back
from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from io import TextIOWrapper
    from multiprocessing.connection import Connection

__all__ = ["Chunk", "InProcess", "Pool", "Processes", "Work", "campaign"]

_BYTES_MAX: Final = 256 * 2**20
FORMAT: Final = "heisenlab campaign"
"""What the first line of a state file says that it is."""
SCHEMA: Final = 2
"""The version of the state file's format."""

Chunk: TypeAlias = Any
"""A piece of work as a JSON-able value that holds everything its result depends on."""

Work: TypeAlias = "Callable[[Chunk], Any]"
"""A function at the top level of a module, from a chunk to a JSON-able result; it can be pickled by name."""


class Pool(Protocol):
    """What maps a function over chunks, wherever that happens."""

    def map(self, work: Work, chunks: Sequence[Chunk]) -> Iterator[tuple[int, Any]]:
        """Yield the place of each chunk and its result, in any order, each exactly once.

        Closing the iterator early cancels what has not begun.

        Args:
            work: What to do with a chunk.
            chunks: The pieces.

        Raises:
            LabError: a worker was lost, and its chunk could not be given to another one.
            Exception: what the function raised.
        """


@dataclass(frozen=True)
class InProcess:
    """One chunk after another, in this process."""

    def map(self, work: Work, chunks: Sequence[Chunk]) -> Iterator[tuple[int, Any]]:
        """See `Pool`."""
        for place, chunk in enumerate(chunks):
            yield place, work(chunk)


@dataclass(frozen=True)
class Processes:
    """Several processes of this machine.

    They are started anew, not forked, so a program that makes such a pool must be importable without doing
    so again: keep the call under `if __name__ == "__main__":`.

    Attributes:
        workers: How many, from 1.
    """

    workers: int

    def __post_init__(self) -> None:
        if type(self.workers) is not int or self.workers < 1:
            raise LabError(f"a pool has 1 or more workers, not {self.workers!r}")

    def map(self, work: Work, chunks: Sequence[Chunk]) -> Iterator[tuple[int, Any]]:
        """See `Pool`."""
        context = get_context("spawn")
        with _no_processes_said():
            owned, owning = context.Pipe(duplex=False)
            executor = ProcessPoolExecutor(
                min(self.workers, max(1, len(chunks))),
                mp_context=context,
                initializer=_belong_to_the_parent,
                initargs=(owned,),
            )
        try:
            with held_back(signal.SIGINT), _no_processes_said():  # no worker prints a traceback of its start
                places = {executor.submit(work, chunk): place for place, chunk in enumerate(chunks)}
            for future in as_completed(places):
                yield places[future], future.result()
        except BrokenProcessPool as error:
            raise LabError(
                "a worker process was lost, perhaps for want of memory; use fewer workers, and the same "
                "state file: what was done is kept"
            ) from error
        except BaseException:
            owning.close()  # what is being done is not wanted any more
            raise
        finally:
            executor.shutdown(cancel_futures=True)
            owning.close()
            owned.close()


@contextmanager
def _no_processes_said() -> Iterator[None]:
    """Say in one line that no process can be made, as where a container has no shared memory or no room."""
    try:
        yield
    except (OSError, ImportError, NotImplementedError) as error:
        why = getattr(error, "strerror", None) or error
        raise LabError(f"no worker processes can be had here ({why}); use --workers 1") from error


def _belong_to_the_parent(owned: Connection) -> None:
    """Leave Ctrl-C to the parent, and end at once when it closes its end of a pipe, as by its own end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # what it starts is not to inherit that
    start_new_thread(_end_when_closed, (owned,))


def _end_when_closed(owned: Connection) -> None:
    wait([owned])
    os._exit(1)


def campaign(
    work: Work,
    chunks: Sequence[Chunk],
    *,
    pool: Pool | None = None,
    state: str | os.PathLike[str] | None = None,
    watch: Callable[[int, int], None] | None = None,
) -> list[Any]:
    """Return the result of each chunk, in the order of the chunks.

    Args:
        work: What to do with a chunk.
        chunks: The pieces; two that are equal are done once.
        pool: Where it is done; None means in this process.
        state: A file that keeps each result as it comes. A campaign that finds results of its chunks there
            does not do them again.
        watch: Called with the number of chunks done and that of all.

    Raises:
        LabError: the state file is something else, or was written by other code; a worker was lost.
        Exception: what the function raised.
    """
    name = f"{work.__module__}.{work.__qualname__}" if hasattr(work, "__qualname__") else repr(work)
    keys = [_key(name, chunk) for chunk in chunks]
    first = {key: place for place, key in reversed([*enumerate(keys)])}
    with ExitStack() as stack:
        results = {}
        file = None
        if state is not None:
            results = _read(Path(state))
            file = stack.enter_context(_append_to(Path(state)))
        missing = [place for key, place in first.items() if key not in results]
        missing.sort()
        if watch is not None:
            watch(len(first) - len(missing), len(first))
        arrivals = (pool or InProcess()).map(work, [chunks[place] for place in missing])
        for done, (number, result) in enumerate(arrivals, len(first) - len(missing) + 1):
            key = keys[missing[number]]
            # Read back, so that a result is the same whether it was kept in a file in between or not.
            results[key] = json.loads(json.dumps(result))
            if file is not None:
                file.write(f"{json.dumps(_entry(key, results[key]))}\n")
                file.flush()
            if watch is not None:
                watch(done, len(first))
    return [results[key] for key in keys]


def _key(name: str, chunk: Chunk) -> str:
    try:
        canonical = json.dumps([name, chunk], sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise LabError(f"the chunk {chunk!r} does not fit into JSON: {error}") from error
    return hashlib.sha256(canonical.encode()).hexdigest()


@cache
def code_stamp() -> dict[str, str]:
    """Return what results depend on besides their chunks, for a state file and for workers elsewhere.

    The source of the two packages, and the versions of Python and Hypothesis. The source of a scenario of
    another distribution is not part of it.
    """
    digest = hashlib.sha256()
    root = Path(__file__).parents[3]
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            digest.update(f"{path.relative_to(root).as_posix()}\n".encode() + path.read_bytes())
    return {
        "source": digest.hexdigest()[:16],
        "python": platform.python_version(),
        "hypothesis": metadata.version("hypothesis"),
    }


def _entry(key: str, result: Any) -> dict[str, Any]:
    """Return the line of a result, with a checksum, since a number that was damaged is a number, too."""
    return {"chunk": key, "result": result, "crc": zlib.crc32(json.dumps([key, result]).encode())}


def _undamaged(entry: dict[str, Any]) -> Any:
    """Return the result in a line.

    Raises:
        ValueError: its checksum does not fit.
    """
    if entry["crc"] != _entry(entry["chunk"], entry["result"])["crc"]:
        raise ValueError(entry)
    return entry["result"]


def _head() -> dict[str, Any]:
    return {"format": FORMAT, "schema": SCHEMA, "code": code_stamp()}


def _read(path: Path) -> dict[str, Any]:
    """Return the results that a state file holds, by key; a last line that was cut short is removed."""
    try:
        text = read_at_most(path, _BYTES_MAX, "a state file", missing=b"").decode("utf-8")
    except UnicodeDecodeError as error:
        raise LabError(f"{path} is no state file of a campaign; name another file") from error
    lines = text.splitlines(keepends=True)
    whole = [line for line in lines if line.endswith("\n")]
    if not whole:
        if text and not json.dumps(_head()).startswith(text):
            raise LabError(f"{path} is no state file of a campaign; name another file")
        if text:
            os.truncate(path, 0)
        return {}
    try:
        head, *entries = [json.loads(line) for line in whole]
        _check(path, head)
        results = {entry["chunk"]: _undamaged(entry) for entry in entries}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise LabError(f"{path} is no state file of a campaign, or was damaged; name another file") from error
    if len(whole) < len(lines):
        os.truncate(path, len("".join(whole).encode()))
    return results


def _check(path: Path, head: dict[str, Any]) -> None:
    if head.get("format") != FORMAT or head.get("schema") != SCHEMA:
        raise LabError(
            f"{path} is no state file of a campaign that this heisenlab can resume; name another file"
        )
    then, now = dict(head["code"]), code_stamp()
    changed = [
        f"{what}: was {then.get(what)}, is {is_now}"
        for what, is_now in now.items()
        if then.get(what) != is_now
    ]
    if changed:
        raise LabError(
            f"{path} was begun with other code ({'; '.join(changed)}), so its results do not go with new "
            f"ones; name another file"
        )


def _append_to(path: Path) -> TextIOWrapper:
    try:
        file = path.open("a", encoding="utf-8")
    except OSError as error:
        raise LabError(f"cannot write the state file {path}: {error.strerror}; name another one") from error
    if not file.tell():
        file.write(json.dumps(_head()) + "\n")
        file.flush()
    return file
