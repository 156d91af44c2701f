"""A pytest plugin: low memory filled in the process that runs the tests.

Name it in a `conftest.py`, as `pytest_plugins = ["scenarios.lab.adaptors.memory"]`, and ask for
`low_memory_filled` in a test: while it runs, a pointer that is truncated to 32 bits crashes at its first use.
`heisenlab memory pytest --in-process` fills for the whole session instead.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from simulations.live.memory.errors import RefusedError
from simulations.live.memory.filling import SESSION_LIMIT_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulations.live.memory.in_process import LowFill


@pytest.fixture
def low_memory_filled() -> Iterator[LowFill]:
    """Low memory filled for one test; the test is skipped, with the reason, where that cannot be done."""
    try:
        from simulations.live.memory.in_process import filled_low  # noqa: PLC0415  (imports on Linux only)
    except ImportError as error:
        pytest.skip(f"low memory can be filled on Linux only: {error}")
    try:
        with filled_low() as fill:
            yield fill
    except RefusedError as refusal:
        pytest.skip(str(refusal))


def pytest_configure(config: pytest.Config) -> None:
    """Fill for the whole session, where the environment asks for it."""
    limit = os.environ.get(SESSION_LIMIT_VARIABLE)
    if limit is None:
        return
    from simulations.live.memory.in_process import fill_low  # noqa: PLC0415  (imports on Linux only)

    try:
        fill = fill_low(int(limit))
    except RefusedError as refusal:
        pytest.exit(f"heisenlab: {refusal}", returncode=pytest.ExitCode.USAGE_ERROR)
    config.stash[_FILL] = fill


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say what was filled."""
    fill = config.stash.get(_FILL, None)
    if fill is None:
        return None
    return (
        f"low memory: {len(fill.filled)} gaps filled, {len(fill.left_open)} left open, "
        f"{len(fill.drained)} chunks drained from malloc"
    )


_FILL: pytest.StashKey[LowFill] = pytest.StashKey()
