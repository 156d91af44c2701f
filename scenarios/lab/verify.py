"""Verifies findings: two replays in fresh interpreters with different hash seeds.

A replay imports neither Hypothesis nor pytest.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, Final

from scenarios.lab import catalogue
from scenarios.lab.execution import QUESTIONS_MAX, Outcome, replayed
from scenarios.lab.finding import Finding, decode_input, from_json
from scenarios.lab.interrupts import end_when_closed
from simulations.errors import LabError, NondeterminismError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.lab.scenario import Scenario

__all__ = ["ALONE", "FRESH", "IN_PROCESS", "NOT_YET", "replay_of", "verify"]

FRESH: Final = "two fresh interpreters with different hash seeds"
"""How a finding was verified whose scenario can be imported."""
IN_PROCESS: Final = "in this process only: the scenario cannot be imported by another one"
"""How a finding was verified whose scenario is defined in a notebook or on a command line."""
ALONE: Final = "in this process only: this platform has no others"
"""How a finding was verified in a browser."""
NOT_YET: Final = "not yet"
"""The finding was not replayed."""

_HAS_PROCESSES: Final = sys.platform not in {"emscripten", "wasi"}
"""Whether another interpreter can be started: in WebAssembly none can."""
_HASH_SEEDS: Final = ("1", "2")
_SECONDS_MAX: Final = 600.0
_BOOT: Final = (
    "import json, sys; job = json.loads(sys.stdin.readline()); sys.path[:] = job['path']; "
    "from scenarios.lab.verify import work; work(job)"
)


def verify(findings: Sequence[tuple[Scenario, Finding]]) -> list[str]:
    """Replay findings twice and return, for each, how it was verified.

    All findings whose scenario can be imported share one pair of interpreters; where the platform has no
    processes, they are replayed in this one.

    Raises:
        NondeterminismError: a replay did not fail in the same way with the same digest.
    """
    sources = [catalogue.source_of(scenario) if _HAS_PROCESSES else None for scenario, _ in findings]
    fresh = [
        (source, finding)
        for source, (_, finding) in zip(sources, findings, strict=True)
        if source is not None
    ]
    if fresh:
        for seen in in_fresh_interpreters(fresh):
            for (_, finding), result in zip(fresh, seen, strict=True):
                _compare(finding, result, "in a fresh interpreter")
    for source, (scenario, finding) in zip(sources, findings, strict=True):
        if source is None:
            for _ in _HASH_SEEDS:
                _compare(
                    finding, _result(replay_of(scenario, finding, questions_max=None)), "in this process"
                )
    without = IN_PROCESS if _HAS_PROCESSES else ALONE
    return [without if source is None else FRESH for source in sources]


def replay_of(scenario: Scenario, finding: Finding, *, questions_max: int | None = QUESTIONS_MAX) -> Outcome:
    """Run a finding's plan at its input; raises `PlanError` where the plan does not apply.

    Args:
        scenario: The scenario.
        finding: The finding.
        questions_max: How many questions the run may ask; None is no limit, for a finding of one's own.
    """
    given = decode_input(scenario, finding.input)
    variant = scenario.variant(finding.variant)
    return replayed(scenario, variant, given, finding.plan, questions_max=questions_max)


def work(job: dict[str, Any]) -> None:
    """Replay the findings that a parent process sent; the answer goes to standard output.

    When the parent ends, however it does, its end of the standard input is closed, and this process ends too.

    Args:
        job: What the parent wrote to standard input, in one line.
    """
    end_when_closed(sys.stdin.fileno())
    results = []
    for source, data in job["findings"]:
        try:
            results.append(
                _result(replay_of(catalogue.from_source(source), from_json(data), questions_max=None))
            )
        except LabError as error:
            results.append({"by": None, "digest": None, "error": str(error)})
    sys.stdout.write(json.dumps(results))


def _result(outcome: Outcome) -> dict[str, Any]:
    by = outcome.failure.by if outcome.failure else None
    return {"by": by, "digest": outcome.run.trace.digest(), "error": None}


def _compare(finding: Finding, result: dict[str, Any], where: str) -> None:
    if result["by"] == finding.by and result["digest"] == finding.digest:
        return
    seen = result["error"] or (
        f"{result['by'] or 'no property'} failed with digest {str(result['digest'])[:12]}"
    )
    raise NondeterminismError(
        f"{finding.scenario}/{finding.variant} does not replay {where}: found was {finding.by} with digest "
        f"{finding.digest[:12]}, but {seen}; the world depends on something that is neither input nor plan"
    )


def in_fresh_interpreters(jobs: Sequence[tuple[str, Finding]]) -> list[list[dict[str, Any]]]:
    """Replay findings in fresh interpreters; return for each interpreter, and each finding, what was seen.

    Args:
        jobs: For each finding how another interpreter can import its scenario, and the finding.

    Raises:
        LabError: an interpreter could not replay.
    """
    text = json.dumps(
        {"path": sys.path, "findings": [(source, finding.to_json()) for source, finding in jobs]}
    )
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONOPTIMIZE"}
    workers: list[subprocess.Popen[str]] = []
    held: list[IO[str]] = []  # what a worker notices when it is closed, which is also when this process ends
    try:
        workers.extend(_started({**environment, "PYTHONHASHSEED": seed}) for seed in _HASH_SEEDS)
        held.extend(_ask(worker, text) for worker in workers)
        return [_answer(worker) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()
        for pipe in held:
            with suppress(BrokenPipeError):
                pipe.close()


def _started(environment: dict[str, str]) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", _BOOT]
    try:
        return subprocess.Popen(
            command,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            encoding="utf-8",
            errors="replace",
            env=environment,
        )
    except OSError as error:
        raise LabError(f"no fresh interpreter can be started: {error.strerror}") from error


def _ask(worker: subprocess.Popen[str], text: str) -> IO[str]:
    """Send a worker its job, and return its standard input, which must stay open while it works."""
    pipe, worker.stdin = worker.stdin, None  # or `communicate` closes it
    if pipe is None:
        raise LabError("a fresh interpreter has no standard input")
    with suppress(BrokenPipeError):  # its exit status will say why it is gone
        pipe.write(f"{text}\n")
        pipe.flush()
    return pipe


def _answer(worker: subprocess.Popen[str]) -> list[dict[str, Any]]:
    try:
        answer, complaint = worker.communicate(timeout=_SECONDS_MAX)
    except subprocess.TimeoutExpired as error:
        raise LabError(f"a replay in a fresh interpreter took more than {_SECONDS_MAX:.0f} s") from error
    if worker.returncode != 0:
        last = complaint.strip().splitlines()[-1:] or ["no output"]
        raise LabError(f"a fresh interpreter could not replay (exit status {worker.returncode}): {last[0]}")
    results: list[dict[str, Any]] = json.loads(answer)
    return results
