"""One hunt with many seeds: how sure is a searcher to find a bug, and do all hunts end in one finding?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.catalogue import from_source, source_of
from scenarios.lab.hunt import hunt
from scenarios.lab.method.campaign import Processes, campaign
from scenarios.lab.verdict import Verdict
from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scenarios.lab.method.campaign import Chunk, Pool
    from scenarios.lab.scenario import Scenario

SEEDS_MAX: Final = 1_000_000


@dataclass(frozen=True)
class Hunts:
    """The result of hunts that differ in their seed only.

    Attributes:
        scenario: The name of the scenario.
        variant: The name of the variant.
        searcher: The name of the searcher.
        seeds: The first seed and the number of seeds.
        verdicts: How many hunts ended in which verdict.
        search_runs: For each hunt that found it, the runs of its search, from few to many.
        findings: How many hunts ended in each finding, as (plan in words, digest), the most frequent first.
    """

    scenario: str
    variant: str
    searcher: str
    seeds: tuple[int, int]
    verdicts: dict[str, int]
    search_runs: tuple[int, ...]
    findings: tuple[tuple[str, str, int], ...]

    @property
    def found(self) -> int:
        """How many hunts found a failing run."""
        return self.verdicts.get(Verdict.FOUND, 0)


def hunt_once(chunk: Chunk) -> dict[str, Any]:
    """Hunt with the options that a chunk holds; what it returns depends on them alone."""
    options = {key: value for key, value in chunk.items() if key not in {"source", "variant"}}
    found = hunt(from_source(chunk["source"]), chunk["variant"], verify=False, **options)
    return {
        "verdict": found.verdict.value,
        "search_runs": found.search_runs,
        "plan_in_words": found.finding and found.finding.plan_in_words,
        "digest": found.finding and found.finding.digest,
    }


def hunts(
    scenario: Scenario,
    variant: str,
    *,
    seeds: int,
    seed: int = 0,
    searcher: str = "hypothesis",
    budget: int | None = None,
    deviations: int | None = None,
    pool: Pool | None = None,
    state: Path | None = None,
    watch: Callable[[int, int], None] | None = None,
) -> Hunts:
    """Hunt with seeds one after the other; the result is the same for any number of workers.

    Args:
        scenario: The scenario; other processes must be able to import it unless the pool is this process.
        variant: The name of the variant.
        seeds: How many, from 1.
        seed: The first; any integer from 0.
        searcher: As in `scenarios.lab.hunt.hunt`.
        budget: As there.
        deviations: As there.
        pool: Where; None means on the processors of this machine.
        state: A file that keeps what was done.
        watch: Called with the number of hunts done and that of all.

    Raises:
        LabError: an option makes no sense, or the scenario cannot be imported elsewhere.
    """
    if not 1 <= seeds <= SEEDS_MAX:
        raise LabError(f"a campaign has 1 to {SEEDS_MAX} seeds, not {seeds}")
    source = source_of(scenario)
    if source is None:
        raise LabError(f"no other process can import {scenario.name}; put it into a module")
    scenario.variant(variant)
    options = {"searcher": searcher, "budget": budget, "deviations": deviations}
    chunks = [
        {"source": source, "variant": variant, "seed": number, **options}
        for number in range(seed, seed + seeds)
    ]
    results = campaign(hunt_once, chunks, pool=pool or Processes(1), state=state, watch=watch)
    verdicts = Counter(each["verdict"] for each in results)
    found = [each for each in results if each["digest"] is not None]
    findings = Counter((each["plan_in_words"], each["digest"]) for each in found)
    return Hunts(
        scenario.name,
        variant,
        searcher,
        (seed, seeds),
        dict(sorted(verdicts.items())),
        tuple(sorted(each["search_runs"] for each in found)),
        tuple((*key, count) for key, count in sorted(findings.items(), key=lambda item: (-item[1], item[0]))),
    )
