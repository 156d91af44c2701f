"""Where a campaign is done: in this process, on processes of this machine, or on a cluster."""

from __future__ import annotations

import os
import shlex
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scenarios.lab.commands.command import file_name, interrupted_by, interrupted_status
from scenarios.lab.commands.display import complain
from scenarios.lab.method.campaign import InProcess, Processes

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from scenarios.lab.method.campaign import Pool


def add_workers_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of a command that runs a campaign."""
    parser.add_argument(
        "--workers",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="processes; the figures are the same for any number; default: one for each CPU",
    )
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="a Dask cluster in their place: tcp://HOST:PORT (its scheduler), or local[:N]; same figures",
    )
    parser.add_argument(
        "--state",
        type=file_name,
        metavar="FILE",
        help="keep what was done, so that the same command goes on after Ctrl-C",
    )


@contextmanager
def pool_of(args: argparse.Namespace) -> Iterator[Pool]:
    """Yield the workers that the options name.

    Raises:
        LabError: the cluster does not answer, or there are no workers.
    """
    if args.cluster:
        from scenarios.lab.method.cluster import cluster  # noqa: PLC0415  (an extra, and slow to import)

        with cluster(args.cluster) as pool:
            yield pool
        return
    yield InProcess() if args.workers == 1 else Processes(args.workers)


def interrupted(args: argparse.Namespace, error: KeyboardInterrupt, what: str) -> int:
    """Say what ended a campaign, so that there is none of what it is for; return the exit code."""
    kept = f"; the same command goes on from {shlex.quote(args.state)}" if args.state else ""
    complain(f"{interrupted_by(error)}; that is no {what}{kept}")
    return interrupted_status(error)
