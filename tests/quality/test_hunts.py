"""Does the search find it, and does minimising always end in the same finding?

A hunt is deterministic in its seed, so these tests have no false alarms: they say what holds for these seeds.
"""

import pytest

import scenarios
from scenarios.lab.hunt import hunt
from scenarios.lab.scenario import Finds

BUGS = [
    pytest.param(name, variant.name, id=f"{name}-{variant.name}")
    for name, scenario in scenarios.catalogue().items()
    for variant in scenario.variants
    if isinstance(variant.expect, Finds)
]


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("seeds", "searcher"), [(250, "hypothesis"), (1000, "random")])
def test_every_seed_ends_in_the_one_least_finding(seeds, searcher):
    """`heisenlab hunt invalid-mode --seeds 1000` takes a thousand with Hypothesis, on all cores."""
    scenario = scenarios.get("invalid-mode")
    expect = scenario.variant().expect
    findings, most = set(), 0
    for seed in range(seeds):
        result = hunt(scenario, searcher=searcher, seed=seed, verify=False)
        most = max(most, result.search_runs)
        found = result.finding
        findings.add((found.plan, str(found.input), found.by, found.digest, found.minimality))
    ((plan, _, by, _, minimality),) = findings
    assert (plan, by, minimality) == (expect.least, expect.by, "least")
    assert most <= 300


@pytest.mark.parametrize(("name", "variant"), BUGS)
def test_every_searcher_ends_in_the_documented_least_plan(name, variant):
    expect = scenarios.get(name).variant(variant).expect
    for searcher in ("hypothesis", "random", "plain", "exhaustive"):
        found = hunt(name, variant, searcher=searcher, verify=False, budget=20_000).finding
        assert found is not None, searcher
        assert (found.plan, found.by, found.minimality) == (expect.least, expect.by, "least"), searcher
