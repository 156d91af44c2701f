"""How soon Hypothesis finds the cut pointer. A hunt is deterministic in its seed: no false alarms."""

from statistics import median

from scenarios.truncated_pointer import SCENARIO

SEEDS = range(20)


def examples(variant):
    hunts = [SCENARIO.hunt(variant, seed=seed, verify=False) for seed in SEEDS]
    for each in hunts:
        assert each.finding.plan == SCENARIO.variant(variant).expect.least
        assert each.finding.minimality == "least"
    return [each.search_runs - 1 for each in hunts]  # the first run is the nominal one, not an example


def test_filled_it_is_found_at_every_seed_within_a_few_examples():
    assert median(examples("filled")) <= 6


def test_where_the_layout_has_to_be_found_too_it_takes_many_times_as_long():
    assert median(examples("as-shipped")) > 5 * median(examples("filled"))
