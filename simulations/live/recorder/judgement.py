"""Why a recorded run ended: the suspects in order, with the evidence for and against each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulations.live.recorder import signals
from simulations.live.recorder.ending import Ending, ending
from simulations.live.recorder.evidence import ALL_SUSPECTS, SELF_INFLICTED, Evidence, gather, last_lines
from simulations.live.recorder.recording import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulations.live.recorder.recording import Present, Recording
    from simulations.suspects import Suspect


@dataclass(frozen=True)
class Judged:
    """A suspect after the evidence.

    Attributes:
        suspect: Who.
        probability: From 0 to 1, given the stated priors and factors.
        speaks_for: The evidence for it, the strongest first.
        speaks_against: The evidence against it, the strongest first.
    """

    suspect: Suspect
    probability: float
    speaks_for: tuple[str, ...]
    speaks_against: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """What a recorder can say of a run.

    Attributes:
        ending: How it ended.
        suspects: The likeliest first; empty where nothing went wrong, or the run goes on.
        untold: What the system did not tell, and where to ask.
        last_lines: What the job wrote last, oldest line first.
    """

    ending: Ending
    suspects: tuple[Judged, ...]
    untold: tuple[str, ...]
    last_lines: tuple[str, ...]


def judge(recording: Recording, now: Present, pattern: tuple[Evidence, ...] = ()) -> Verdict:
    """Say how a run ended and who may have done it.

    Args:
        recording: The run.
        now: What this host says of it today.
        pattern: Evidence from earlier runs: see `simulations.live.recorder.reruns`.
    """
    found = ending(recording, now)
    lines = last_lines(recording)
    if found.how in ("running", "not started") or found.status == 0:
        return Verdict(found, (), (), lines)
    evidence = (*gather(recording, found), *pattern)
    return Verdict(found, rank(evidence), tuple(_untold(recording, found)), lines)


def rank(evidence: tuple[Evidence, ...]) -> tuple[Judged, ...]:
    """Return the suspects, the likeliest first."""
    weights = {}
    for suspect in ALL_SUSPECTS:
        weight = suspect.prior
        for each in evidence:
            weight *= each.factors.get(suspect.name, 1.0)
        weights[suspect.name] = weight
    total = sum(weights.values())
    judged = []
    for suspect in ALL_SUSPECTS:
        name = suspect.name
        spoken = sorted(
            (each for each in evidence if each.factors.get(name, 1.0) != 1.0),
            key=lambda each, name=name: each.factors[name],  # type: ignore[misc]
        )
        judged.append(
            Judged(
                suspect,
                weights[name] / total,
                tuple(each.words for each in reversed(spoken) if each.factors[name] > 1),
                tuple(each.words for each in spoken if each.factors[name] < 1),
            )
        )
    return tuple(sorted(judged, key=lambda each: -each.probability))


def _untold(recording: Recording, found: Ending) -> Iterator[str]:
    start, end = recording.data("start"), recording.data("end")
    explained = found.oom or found.cpu_limit_s or found.signal in SELF_INFLICTED
    if found.signal and found.sender is None and not explained:
        yield (
            f"who sent {signals.name(found.signal)}: the kernel tells a parent the signal, not its sender. "
            "As root, heisenlab record --trace-signals names it; otherwise ask the platform's audit log for "
            f"{recording.local(found.at_ms)}"
        )
    if found.how in ("vanished", "rebooted"):
        yield "how the job itself ended: nobody was left to see it"
    if (
        found.signal == 9
        and end
        and number(end, "oom_kills", -1) < 0
        and number(end, "host_oom_kills", -1) < 0
    ):
        yield "whether memory ran out: neither the control group nor /proc/vmstat can be read here"
    if not start.get("kernel_log") and found.signal in (7, 9, 11):
        yield "what the kernel logged: this user may not read it (kernel.dmesg_restrict); ask for dmesg -T"
    if not last_lines(recording):
        yield "what the job wrote last: it wrote nothing that the recorder sees; name its log with --log FILE"
