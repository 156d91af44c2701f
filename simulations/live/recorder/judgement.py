"""Why a recorded run ended: the suspects in order, with the evidence for and against each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulations.live.recorder import signals
from simulations.live.recorder.ending import NOT_ENDED, Ending, How, ending
from simulations.live.recorder.evidence import ALL_SUSPECTS, Evidence, gather
from simulations.live.recorder.present import Present, present
from simulations.live.recorder.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulations.live.recorder.recording import Recording
    from simulations.suspects import Suspect


@dataclass(frozen=True)
class Judged:
    """A suspect after the evidence.

    Attributes:
        suspect: The suspect.
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
        unknown: What the system does not say, and where to ask.
        last_lines: What the job wrote last, oldest line first.
    """

    ending: Ending
    suspects: tuple[Judged, ...]
    unknown: tuple[str, ...]
    last_lines: tuple[str, ...]


def verdict(recording: Recording, now: Present | None = None, pattern: tuple[Evidence, ...] = ()) -> Verdict:
    """Say how a run ended and who may have done it.

    Args:
        recording: The run.
        now: What this host says of it today; None asks it.
        pattern: Evidence from earlier runs: see `simulations.live.recorder.reruns`.
    """
    found = ending(recording, now or present(recording))
    if found.how in NOT_ENDED or found.well:
        return Verdict(found, (), (), recording.last_lines)
    evidence = (*gather(recording, found), *pattern)
    return Verdict(found, rank(evidence), tuple(_unknown(recording, found)), recording.last_lines)


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


def _unknown(recording: Recording, found: Ending) -> Iterator[str]:
    end = recording.end
    explained = found.oom or found.cpu_limit_s or found.signal in signals.SELF_INFLICTED
    if found.signal and found.sender is None and not explained:
        yield (
            f"who sent {signals.name(found.signal)}: the kernel tells a parent the signal, not its sender. "
            "As root, heisenlab record --trace-signals names it; otherwise ask the platform's audit log for "
            f"{recording.clock.local(found.at_ms)}"
        )
    if found.how in (How.VANISHED, How.REBOOTED):
        yield "how the job itself ended: no process was left to see it"
    if found.signal == Signal.SIGKILL and end and end.oom_kills is None and end.host_oom_kills is None:
        yield "whether memory ran out: neither the control group nor /proc/vmstat can be read here"
    if not recording.start.kernel_log and found.signal in signals.LOGGED:
        yield "what the kernel logged: this user may not read it (kernel.dmesg_restrict); ask for dmesg -T"
    if not recording.last_lines:
        yield "what the job wrote last: it wrote nothing that the recorder sees; name its log with --log FILE"
