"""Logs of runs without the wait: what the tests write is what the recorder would have written."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from simulations.live.recorder import readings
from simulations.live.recorder.log import SAMPLE, SCHEMA, Log, Record
from simulations.live.recorder.present import Present
from simulations.live.recorder.recording import Recording, load
from simulations.live.recorder.records import Sample

if TYPE_CHECKING:
    from pathlib import Path

HOUR_MS = 3600 * 1000
MONDAY_16_UTC_MS = 1_772_467_200_000  # 2026-03-02 16:00:00 UTC
GIB_KB = 1024 * 1024
GONE = Present(here=True, same_boot=True, alive=False, silent_ms=HOUR_MS, booted_s=0.0)
REBOOTED = Present(
    here=True, same_boot=False, alive=False, silent_ms=None, booted_s=MONDAY_16_UTC_MS / 1000 + 71 * 3600
)
ELSEWHERE = Present(here=False, same_boot=False, alive=False, silent_ms=None, booted_s=0.0)
AT_WORK = Sample(
    processes=3, started=3, rss_kb=GIB_KB, vsize_kb=2 * GIB_KB, cpu_ms=0, threads=3, files=20, read_kb=0,
    write_kb=0, switches=0, preempted=0, load=100, available_kb=8 * GIB_KB, disk_free_kb=100 * GIB_KB,
    cgroup_kb=GIB_KB, lines=0,
)  # fmt: skip

Event = tuple[int, str, object]


def start(wall_ms: int = MONDAY_16_UTC_MS, **more: object) -> Event:
    told = {
        "schema": SCHEMA, "command": ["job"], "host": platform.node(), "boot": readings.boot_id(),
        "booted_ms": 0, "wall_ms": wall_ms, "zone_s": 0, "memory_kb": 16 * GIB_KB, "ancestors": [],
        "kernel_log": True, "cgroup_limit_kb": -1, "slurm_end_s": None,
    }  # fmt: skip
    return 0, "start", {**told, **more}


def end(at_ms: int, status: int | None, **more: object) -> Event:
    told = {
        "status": status, "by": "recorder", "limits": {}, "oom_kills": 0, "host_oom_kills": 0,
        "cgroup_limit_kb": -1, "kernel": [], "left_behind": [], "left_behind_count": 0, "cpu_ms": 1000,
        "senders": None,
    }  # fmt: skip
    return at_ms, "end", {**told, **more}


def job() -> Event:
    return 1, "job", {"pid": 4242, "start": 7}


def tail(at_ms: int, *lines: str) -> Event:
    return at_ms, "tail", {"lines": len(lines), "bytes": 1, "last": list(lines)}


def samples(until_ms: int, *, cpu_ms_per_s: int = 1000, lines_per_s: int = 1, **more: int) -> list[Event]:
    """Samples of the last two minutes and one half-way."""
    times = [until_ms // 2, *range(max(0, until_ms - 120_000), until_ms, 1000)]
    return [
        (
            at,
            SAMPLE,
            list(AT_WORK._replace(cpu_ms=at * cpu_ms_per_s // 1000, lines=at * lines_per_s // 1000, **more)),
        )
        for at in times
    ]


def written(folder: Path, *events: Event) -> Recording:
    log = Log(folder, create=True)
    for at_ms, kind, data in events:
        log.append(Record(at_ms, kind, data))
    log.close(0)
    return load(folder)
