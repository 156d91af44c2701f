import math

import pytest

from simulations.batch_job.environment import LAUNCHES
from simulations.batch_job.investigation import (
    BASE,
    EXPERIMENTS,
    SURE,
    entropy,
    gain,
    investigate,
    likelihoods,
    outcome,
    priors,
    told,
    update,
)
from simulations.batch_job.observations import OBSERVATIONS, history_of
from simulations.batch_job.system import run
from simulations.batch_job.variants import AS_SHIPPED
from simulations.batch_job.workload import Job
from simulations.choices import Deviation, drawn
from simulations.errors import LabError
from simulations.suspects import SUSPECTS

TABLES = likelihoods(60)
MECHANISMS = ("calendar", "age", "mark")


def _truth():
    """Return what happened on a platform that sweeps on Mondays: three launches, and one with a tag."""

    def ran(launch, *, tagged=False):
        plan = [Deviation("launch", 0, launch)] if launch else []
        plan += [] if tagged else [Deviation("owner_tag", 0, 1)]
        return run(AS_SHIPPED, Job(), drawn([*plan, Deviation("sweep", 0, 1)]))

    friday = LAUNCHES.index((4, 18))
    return history_of(ran(friday), (ran(0), ran(LAUNCHES.index((5, 9)))), ran(friday, tagged=True))


def test_three_changed_runs_tell_three_mechanisms_apart():
    table = {
        change.words: [told(outcome(rule, change)) for rule in MECHANISMS] for change in (BASE, *EXPERIMENTS)
    }
    assert table == {
        "nothing": ["dies at hour 70"] * 3,
        "launched six hours later": ["dies at hour 64", "dies at hour 70", "finishes"],
        "one more hour of setup": ["dies at hour 70", "dies at hour 69", "dies at hour 70"],
        "an owner tag": ["finishes"] * 3,
    }


def test_the_priors_are_a_distribution_of_three_bits():
    assert math.fsum(priors().values()) == pytest.approx(1)
    assert entropy(priors()) == pytest.approx(2.98, abs=0.01)


def test_every_likelihood_is_a_distribution_in_which_nothing_is_impossible():
    for table in TABLES.values():
        assert set(table) == {suspect.name for suspect in SUSPECTS}
        for row in table.values():
            assert math.fsum(row.values()) == pytest.approx(1)
            assert min(row.values()) > 0


def test_the_likelihoods_depend_on_their_seed_only():
    likelihoods.cache_clear()
    assert likelihoods(60) == TABLES


def test_bayes_rule_on_two_suspects():
    table = {"a": {"yes": 0.9, "no": 0.1}, "b": {"yes": 0.1, "no": 0.9}}
    assert update({"a": 0.5, "b": 0.5}, table, "yes") == pytest.approx({"a": 0.9, "b": 0.1})
    binary = -(0.9 * math.log2(0.9) + 0.1 * math.log2(0.1))
    assert gain({"a": 0.5, "b": 0.5}, table) == pytest.approx(1 - binary)
    assert gain({"a": 0.5, "b": 0.5}, {"a": {"yes": 1.0}, "b": {"yes": 1.0}}) == pytest.approx(0)


def test_an_outcome_that_nobody_explains_is_refused():
    with pytest.raises(LabError, match="no history shows the outcome 'maybe'"):
        update(priors(), TABLES["canary"], "maybe")


@pytest.mark.parametrize("order", ["gain", "gain per day"])
def test_both_orders_end_at_the_sweep(order):
    steps = investigate(_truth(), order=order, tables=TABLES)
    assert steps[-1].belief["sweep"] >= SURE
    assert [step.days for step in steps] == sorted(step.days for step in steps)
    assert all(math.fsum(step.belief.values()) == pytest.approx(1) for step in steps)


def test_without_the_canary_it_takes_the_other_teams_log_and_weeks():
    poor = [each for each in OBSERVATIONS if each.name != "canary"]
    steps = investigate(_truth(), order="gain per day", observations=poor, tables=TABLES)
    assert steps[-1].belief["sweep"] >= SURE
    assert "audit log" in {step.observation.name for step in steps}
    assert steps[-1].days > 20


def test_memory_is_the_first_to_be_believed_and_it_is_wrong():
    first = investigate(_truth(), tables=TABLES)[0]
    assert (first.observation.name, first.outcome) == ("exit status", "137")
    assert max(first.belief, key=first.belief.__getitem__) == "memory"


def test_what_names_the_culprit_looks_poor_at_first():
    told_first = {each.name: gain(priors(), TABLES[each.name]) for each in OBSERVATIONS}
    ranked = sorted(told_first, key=told_first.__getitem__, reverse=True)
    assert ranked.index("canary") > len(ranked) // 2
    assert update(priors(), TABLES["canary"], "yes")["sweep"] > 0.7


def test_growing_memory_alone_accuses_the_wrong_one():
    assert update(priors(), TABLES["memory"], "yes")["sweep"] < 0.05


def test_likelihoods_need_something_to_count():
    with pytest.raises(LabError, match="not 0"):
        likelihoods(0)
