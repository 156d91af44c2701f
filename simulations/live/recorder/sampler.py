"""A sample of the job each second: one row for all processes, and a record of a process when it changes."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import psutil

from simulations.live.recorder import accounting, readings
from simulations.live.recorder.records import Child, Gone, Grown, Sample
from simulations.live.recorder.redaction import NOTHING, Redactor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulations.live.recorder.readings import Stat, Usage

READ_CLOSELY_MAX: Final = 256
"""How many processes are asked for files, I/O and switches; beyond it they are only counted and weighed."""

CHANGES_BYTES_PER_HOUR: Final = 40_000
"""What records of single processes may take: 2.9 MB in 72 hours, whatever the job forks."""

_CHANGES_BYTES_AT_ONCE: Final = 40_000
_CHANGE_BYTES: Final = 130
_GROWTH_KB: Final = 16 * 1024


class _Known:
    __slots__ = ("cpu_ms", "noted_kb", "peak_kb", "seen", "start", "usage")

    def __init__(self, stat: Stat) -> None:
        self.start = stat.start
        self.cpu_ms = 0
        self.noted_kb = self.peak_kb = stat.rss_kb
        self.seen = time.monotonic()
        self.usage: Usage = _NO_USAGE


_NO_USAGE: Final = readings.Usage(0, 0, 0, 0, 0)


class Sampler:
    """Samples everything below some processes, and what has come from there and lost its parent.

    Args:
        roots: Whose descendants are sampled.
        job: The process whose control group counts.
        folder: Where the job was started.
        not_ours: Processes that are not part of the job; nor is what is below them, unless they are roots.
        redactor: What must not be read.
    """

    __slots__ = (
        "_allowance",
        "_allowed_at",
        "_folder",
        "_job",
        "_known",
        "_not_ours",
        "_redactor",
        "_roots",
        "_started",
        "_totals",
        "cgroup",
        "unnoted",
    )

    def __init__(
        self,
        roots: list[int],
        job: int,
        folder: str,
        *,
        not_ours: frozenset[int],
        redactor: Redactor = NOTHING,
    ) -> None:
        self._roots = roots
        self._redactor = redactor
        self._not_ours = not_ours
        self._job = job
        self._folder = folder
        self._known: dict[int, _Known] = {}
        self._started = 0
        self._totals = [0, 0, 0, 0, 0]
        self._allowance = float(_CHANGES_BYTES_AT_ONCE)
        self._allowed_at = time.monotonic()
        self.cgroup = accounting.memory_cgroup(job)
        self.unnoted = 0

    def follow_to(self, cgroup: accounting.Cgroup) -> None:
        """Measure another control group from now on."""
        self.cgroup = cgroup

    def alive(self) -> list[int]:
        """Return the processes of the job that were alive in the last sample."""
        return list(self._known)

    def sample(self, lines: int) -> tuple[Sample, list[Child | Gone | Grown]]:
        """Return a sample, and what changed in single processes.

        Args:
            lines: Lines that the job wrote so far.
        """
        changes: list[Child | Gone | Grown] = []
        pids = readings.descendants([*self._roots, *self._known], but=self._not_ours)
        living = []
        for pid in pids:
            if pid in self._not_ours or (stat := readings.stat(pid)) is None or not stat.lives:
                continue
            known = self._known.get(pid)
            if known is not None and known.start != stat.start:
                changes.append(self._gone(pid))
                if pid not in self._roots and stat.ppid not in pids:
                    continue  # its number was given to a process of another program
                known = None
            if known is None:
                known = self._known[pid] = _Known(stat)
                self._started += 1
                changes.append(Child(pid, stat.ppid, stat.rss_kb))
            living.append((pid, stat, known))
        here = {pid for pid, _, _ in living}
        changes += [self._gone(pid) for pid in [pid for pid in self._known if pid not in here]]
        files = self._account(living)
        changes += self._grown()
        sample = self._sum([stat for _, stat, _ in living], files, lines)
        return sample, list(self._within_allowance(changes))

    def _account(self, living: list[tuple[int, Stat, _Known]]) -> int:
        files = 0
        totals = self._totals
        for rank, (pid, stat, known) in enumerate(living):
            totals[0] += max(0, stat.cpu_ms - known.cpu_ms)
            known.cpu_ms = stat.cpu_ms
            known.peak_kb = max(known.peak_kb, stat.rss_kb)
            if rank >= READ_CLOSELY_MAX:
                continue
            usage, before = readings.usage(pid), known.usage
            files += usage.files
            totals[1] += max(0, usage.read_kb - before.read_kb)
            totals[2] += max(0, usage.write_kb - before.write_kb)
            totals[3] += max(0, usage.switches - before.switches)
            totals[4] += max(0, usage.preempted - before.preempted)
            known.usage = usage
        return files

    def _sum(self, stats: list[Stat], files: int, lines: int) -> Sample:
        cpu_ms, read_kb, write_kb, switches, preempted = self._totals
        try:
            disk_free_kb = psutil.disk_usage(self._folder).free // 1024
        except OSError:
            disk_free_kb = -1
        used_kb = accounting.used_kb(self.cgroup)
        return Sample(
            processes=len(stats),
            started=self._started,
            rss_kb=sum(stat.rss_kb for stat in stats),
            vsize_kb=max((stat.vsize_kb for stat in stats), default=0),
            cpu_ms=cpu_ms,
            threads=sum(stat.threads for stat in stats),
            files=files,
            read_kb=read_kb,
            write_kb=write_kb,
            switches=switches,
            preempted=preempted,
            load=round(psutil.getloadavg()[0] * 100),
            available_kb=psutil.virtual_memory().available // 1024,
            disk_free_kb=disk_free_kb,
            cgroup_kb=-1 if used_kb is None else used_kb,
            lines=lines,
        )

    def _gone(self, pid: int) -> Gone:
        known = self._known.pop(pid)
        age_ms = round((time.monotonic() - known.seen) * 1000)
        return Gone(pid, age_ms, known.cpu_ms, known.peak_kb)

    def _grown(self) -> Iterator[Grown]:
        for pid, known in self._known.items():
            if known.peak_kb > known.noted_kb * 3 // 2 + _GROWTH_KB:
                known.noted_kb = known.peak_kb
                yield Grown(pid, known.peak_kb)

    def _within_allowance(self, changes: list[Child | Gone | Grown]) -> Iterator[Child | Gone | Grown]:
        now = time.monotonic()
        self._allowance += (now - self._allowed_at) * CHANGES_BYTES_PER_HOUR / 3600
        self._allowance = min(self._allowance, _CHANGES_BYTES_AT_ONCE)
        self._allowed_at = now
        for change in changes:
            if self._allowance < _CHANGE_BYTES:
                self.unnoted += 1
                continue
            self._allowance -= _CHANGE_BYTES
            if isinstance(change, Child) and change.pid is not None:
                command = readings.command_line(change.pid, self._redactor)
                self._allowance -= len(command)
                yield replace(change, command=command)
            else:
                yield change
