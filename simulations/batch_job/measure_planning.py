"""Measure planning times on a PostgreSQL server that you name, in the form of `data/postgresql_planning.csv`.

    python -m simulations.batch_job.measure_planning "host=localhost dbname=scratch" --shape star --to 16

It needs `psql` on the path. It makes temporary tables only, and asks for plans without running them. Mind the
memory of the server: a star doubles it with each table (4.5 GB at 19), one equivalence class triples it.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["TABLES_MAX", "measure", "planning_seconds", "query", "script"]

TABLES_MAX: Final = 24
"""The most tables that a measured query may join. The limit is ours, not PostgreSQL's."""

_SETTINGS: Final = (
    "set geqo = off; set join_collapse_limit = 100; set from_collapse_limit = 100; set jit = off;"
)
_PLANNING_TIME: Final = re.compile(r"Planning Time: ([0-9.]+) ms")


def query(shape: str, tables: int) -> str:
    """Return the query whose plan is asked for.

    Args:
        shape: `chain`, `star`, `clique`, or `class`: one equivalence class.
        tables: How many tables it joins, from 2 to `TABLES_MAX`.

    Raises:
        LabError: there is no such query.
    """
    if not 2 <= tables <= TABLES_MAX:
        raise LabError(f"a measured query joins 2 to {TABLES_MAX} tables, not {tables}")
    others = range(1, tables)
    conditions = {
        # Each side is another expression, so that the planner cannot conclude one join from two others.
        "star": [f"t0.a + {table} = t{table}.b" for table in others],
        "chain": [f"t{table - 1}.a + {table} = t{table}.b" for table in others],
        "clique": [f"t{left}.a + {right} = t{right}.b + {left}" for right in others for left in range(right)],
        "class": [f"t0.a = t{table}.id" for table in others],
    }
    if shape not in conditions:
        raise LabError(f"there is no query of shape {shape!r}; there are {', '.join(conditions)}")
    names = ", ".join(f"t{table}" for table in range(tables))
    return f"select * from {names} where {' and '.join(conditions[shape])}"  # noqa: S608  (names are numbers)


def script(shape: str, tables: int) -> str:
    """Return what `psql` is given: empty, analysed, temporary tables, and one `explain`."""
    made = "".join(
        f"create temporary table t{table}(id integer primary key, a integer, b integer); analyze t{table};"
        for table in range(tables)
    )
    return f"{_SETTINGS}{made}explain (summary on) {query(shape, tables)};"


def planning_seconds(output: str) -> float:
    """Return the planning time that PostgreSQL printed, in seconds.

    Raises:
        LabError: there is none in the output.
    """
    found = _PLANNING_TIME.search(output)
    if found is None:
        raise LabError(f"PostgreSQL printed no planning time but {output.strip()[-200:]!r}")
    return float(found[1]) / 1000


def measure(connection: str, shape: str, tables: int) -> float:
    """Ask a server for one plan and return how long planning took, in seconds.

    Raises:
        LabError: there is no `psql`, or the server did not answer as it should.
    """
    command = [
        "psql",
        "-X",
        "-q",
        "-A",
        "-t",
        "-v",
        "ON_ERROR_STOP=1",
        "-c",
        script(shape, tables),
        connection,
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        raise LabError("psql is not on the path; install the client of PostgreSQL") from None
    if done.returncode != 0:
        raise LabError(f"psql failed with status {done.returncode}: {done.stderr.strip()}")
    return planning_seconds(done.stdout)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a row of the table for each size, as soon as it is measured."""
    parser = argparse.ArgumentParser(prog="measure_planning", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("connection", help="what psql connects to, such as 'host=localhost dbname=scratch'")
    parser.add_argument("--shape", default="star", choices=("chain", "star", "class", "clique"))
    parser.add_argument("--from", dest="first", type=int, default=8, metavar="TABLES")
    parser.add_argument("--to", dest="last", type=int, default=14, metavar="TABLES")
    given = parser.parse_args(arguments)
    try:
        sys.stdout.write("shape,tables,seconds\n")
        for tables in range(given.first, given.last + 1):
            seconds = measure(given.connection, given.shape, tables)
            sys.stdout.write(f"{given.shape},{tables},{seconds:g}\n")
            sys.stdout.flush()
    except LabError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
