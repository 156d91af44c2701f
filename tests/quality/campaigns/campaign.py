"""What campaigns share: a count of how each try ended, the command line, and a program run to its end.

A campaign is a module with a function `campaign(seed, tries)` that returns a `Tally`. It ends with::

    if __name__ == "__main__":
        sys.exit(main(campaign, __doc__))

so that `python -m tests.quality.campaigns.NAME --seed 1 --tries 500` runs it, prints what was tried and how
each try ended, and exits with 1 where one of them ended as none may. It is done in pieces, each with a seed
of its own that follows from that of the campaign, so that `--workers N`, `--cluster ADDRESS` and
`--state FILE` give the same count.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from importlib import import_module
from random import Random
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.commands.workers import add_workers_arguments, pool_of
from scenarios.lab.method import campaign as pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

FAULTS_SHOWN_MAX: Final = 20
PIECE: Final = 50
"""How many tries are done at one go by one worker."""


class End(StrEnum):
    """How a try ended."""

    ONE_LINE = "one clear line"
    """It was refused, and one line says why."""
    RESULT = "legitimate result"
    """It did what it is for."""
    TRACEBACK = "traceback"
    """It printed a traceback, or raised what is no error of the laboratory."""
    HANG = "hang"
    """It had not ended when its time was over; the limit is many times what it needs under load."""
    CODE_RUN = "code run"
    """It ran code, or touched a file, that came from its input."""
    LEFT_BEHIND = "left behind"
    """A process, thread, file, mode or patch was there afterwards that was not there before."""
    LOST = "lost"
    """A result, a signal or a word of what went wrong did not arrive."""
    OTHER = "wrong otherwise"
    """Such as an exit status that says something else than what happened."""


GOOD: Final = frozenset({End.ONE_LINE, End.RESULT})
"""The ends that a campaign may have."""


@dataclass
class Tally:
    """How the tries of a campaign ended.

    Attributes:
        name: The name of the campaign.
        seed: The seed that its tries were drawn with.
        ends: How many ended in which way.
        faults: Which tries ended as none may, in words from which each can be repeated.
    """

    name: str
    seed: int
    ends: Counter[End] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def count(self, end: End, what: str) -> None:
        """Count a try; `what` says which it was, and is kept where it ended as none may."""
        self.ends[end] += 1
        if end not in GOOD:
            self.faults.append(f"{end}: {what}")

    @property
    def clean(self) -> bool:
        """Whether something was tried and every try ended as it may."""
        return bool(self.ends) and not self.faults

    def __str__(self) -> str:
        counts = ", ".join(f"{end} {self.ends[end]}" for end in End)
        lines = [f"{self.name}, seed {self.seed}: tried {self.ends.total()}, {counts}"]
        lines += [f"  {fault}" for fault in self.faults[:FAULTS_SHOWN_MAX]]
        if len(self.faults) > FAULTS_SHOWN_MAX:
            lines.append(f"  and {len(self.faults) - FAULTS_SHOWN_MAX} more")
        return "\n".join(lines)


def piece(chunk: dict[str, Any]) -> dict[str, Any]:
    """Do one piece of a campaign."""
    done: Tally = getattr(import_module(chunk["module"]), chunk["function"])(chunk["seed"], chunk["tries"])
    return {"name": done.name, "ends": dict(done.ends), "faults": done.faults}


def in_pieces(
    campaign: Callable[[int, int], Tally],
    seed: int,
    tries: int,
    *,
    size: int = PIECE,
    pool: pieces.Pool | None = None,
    state: str | None = None,
    watch: Callable[[int, int], None] | None = None,
) -> Tally:
    """Run a campaign of so many tries in pieces; the first of them has the campaign's own seed."""
    spec = campaign.__globals__["__spec__"]  # the module is called otherwise where it is run as a program
    chunks = [
        {
            "module": spec.name,
            "function": campaign.__name__,
            "seed": Random(f"{seed}/{first}").getrandbits(32) if first else seed,
            "tries": min(size, tries - first),
        }
        for first in range(0, tries, size)
    ]
    whole = Tally(spec.name.rpartition(".")[2], seed)
    for done in pieces.campaign(piece, chunks, pool=pool, state=state, watch=watch):
        whole.ends.update({End(end): count for end, count in done["ends"].items()})
        whole.faults.extend(done["faults"])
    return whole


def main(
    campaign: Callable[[int, int], Tally],
    about: str | None,
    argv: Sequence[str] | None = None,
    *,
    size: int = PIECE,
) -> int:
    """Run a campaign from the command line; return 0 where it is clean, else 1."""
    parser = argparse.ArgumentParser(description=(about or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="seed of the tries; default: 0")
    parser.add_argument("--tries", type=int, default=200, metavar="N", help="default: 200")
    add_workers_arguments(parser)
    args = parser.parse_args(argv)

    def watch(done: int, pieces: int) -> None:
        sys.stderr.write(f"{done} of {pieces} pieces\n")

    with pool_of(args) as pool:
        tally = in_pieces(
            campaign, args.seed, args.tries, size=size, pool=pool, state=args.state, watch=watch
        )
    sys.stdout.write(f"{tally}\n")
    return 0 if tally.clean else 1


@dataclass(frozen=True)
class Ended:
    """A program that has ended.

    Attributes:
        status: Its exit status, negative where a signal ended it; None where its time was over.
        out: Its standard output.
        err: Its standard error.
    """

    status: int | None
    out: str
    err: str

    @property
    def tells_a_traceback(self) -> bool:
        """Whether Python printed a traceback, or the note of an error that it had to ignore."""
        return any(mark in self.out + self.err for mark in ("Traceback (most", "Exception ignored in"))


def program(
    command: Sequence[str],
    *,
    seconds_max: float = 120,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    stdin: str = "",
    during: Callable[[subprocess.Popen[str]], None] | None = None,
) -> Ended:
    """Run a program in a session of its own, in which Ctrl-C has its usual meaning, to its end.

    Args:
        command: The program and its arguments.
        seconds_max: When it is taken to hang; it and all that it started are then killed.
        env: Its environment; None is that of this process.
        cwd: Its folder.
        stdin: What it reads.
        during: Called with the process once it runs, such as to send it a signal.
    """
    process: subprocess.Popen[str] | None = None
    held = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                env=env,
                cwd=cwd,
                start_new_session=True,
                preexec_fn=partial(usual_signals, held),  # noqa: PLW1509  (a campaign runs no threads)
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)  # what interrupts it knows the process now
        if during is not None:
            during(process)
        out, err = process.communicate(stdin, timeout=seconds_max)
    except BaseException as error:
        if process is None:
            raise
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        if not isinstance(error, subprocess.TimeoutExpired):
            raise
        return Ended(None, out, err)
    return Ended(process.returncode, out, err)


def usual_signals(held: Iterable[int]) -> None:
    """Give signals their usual meaning, which a shell or `nohup` takes from it, and hold only these back."""
    signal.pthread_sigmask(signal.SIG_SETMASK, held)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


def heisenlab(*arguments: str) -> list[str]:
    """Return the command that runs `heisenlab` with this interpreter."""
    return [sys.executable, "-m", "scenarios.lab.start", *arguments]
