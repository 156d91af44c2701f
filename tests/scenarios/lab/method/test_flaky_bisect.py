"""The posterior of a flaky bisection: against a plain enumeration, and against an oracle with known rates."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.lab.method.flaky_bisect import (
    COMMON_RATES,
    LOW_SHARE,
    SHARES,
    Evidence,
    Versions,
    believe,
    next_version,
)
from scenarios.lab.method.plain_bisect import named_by_plain, plain_bisection
from simulations.choices import substream
from simulations.errors import LabError


@st.composite
def histories(draw):
    """A history of 2 to 7 versions in which each has one or two parents before it."""
    parents = [()]
    for number in range(1, draw(st.integers(2, 7))):
        chosen = draw(st.sets(st.integers(0, number - 1), min_size=1, max_size=2))
        parents.append(tuple(sorted(chosen)))
    return Versions(tuple(parents))


@st.composite
def evidences(draw):
    evidence = Evidence(draw(histories()))
    for version in draw(st.sets(st.integers(0, len(evidence.versions.parents) - 1))):
        evidence.add(version, failed=draw(st.integers(0, 2)), passed=draw(st.integers(0, 4)))
    return evidence


def contains(versions, version, commit):
    return commit in {0, version} or any(
        contains(versions, parent, commit) for parent in versions.parents[version]
    )


def own(k, n):
    """Return the integral of x^k (1-x)^n under the mixture of Beta(1, 1) and Beta(1/2, 1)."""
    uniform = math.factorial(k) * math.factorial(n) / math.factorial(k + n + 1)
    low = math.prod((0.5 + each) for each in range(k)) * math.factorial(n)
    low /= math.prod((1.5 + each) for each in range(k + n))
    return (1 - LOW_SHARE) * uniform + LOW_SHARE * low


def plainly(evidence):
    """Return the weight of each hypothesis, by the definition of the model."""
    count = len(evidence.versions.parents)
    weights = []
    for commit in [*range(count), None]:
        weight = 0.0
        for share, common in itertools.product(SHARES, COMMON_RATES):
            likelihood = 1.0
            for version in evidence.failed:
                k, n = evidence.failed[version], evidence.passed[version]
                if commit is None or not contains(evidence.versions, version, commit):
                    likelihood *= k == 0
                else:
                    likelihood *= (1 - share) * own(k, n) + share * common**k * (1 - common) ** n
            weight += likelihood
        weights.append(weight)
    return weights


@settings(deadline=None)
@given(evidences())
def test_the_posterior_is_that_of_the_definition(evidence):
    weights = plainly(evidence)
    if not sum(weights):
        with pytest.raises(LabError, match="no single commit explains"):
            believe(evidence)
        return
    belief = believe(evidence)
    found = [*belief.brought_by, belief.never]
    assert found == pytest.approx([weight / sum(weights) for weight in weights], abs=1e-9)
    assert sum(belief.rates) == pytest.approx(1)


@settings(deadline=None)
@given(evidences(), st.sets(st.integers(0, 6)))
def test_suspects_are_told_apart_by_no_version_that_can_be_judged(evidence, skipped):
    versions = evidence.versions
    evidence.skipped = {each for each in skipped if each < len(versions.parents) and not evidence.runs(each)}
    try:
        belief = believe(evidence)
    except LabError:  # no single commit explains it, or only one before a good end that is taken to be good
        return
    suspects = belief.suspects(evidence)
    judged = [each for each in range(len(versions.parents)) if each not in evidence.skipped]
    kinds = {tuple(contains(versions, each, suspect) for each in judged) for suspect in suspects.versions}
    assert len(kinds) <= 1
    chosen = next_version(evidence, belief)
    assert chosen is None or chosen in judged


def bisected(rates, seed, confidence=0.95):
    evidence, rng, present = Evidence(Versions.in_a_line(len(rates))), substream(seed, "oracle"), None
    while True:
        belief = believe(evidence)
        suspects = belief.suspects(evidence)
        if evidence.total and suspects.probability >= confidence:
            return suspects.versions
        present = next_version(evidence, belief, present)
        fails = rng.random() < rates[present]
        evidence.add(present, failed=fails, passed=not fails)


# H0: right in 95 % of trials; of 20, at least 17 are then right with probability .984. Fixed seeds.
@pytest.mark.parametrize(
    "rates",
    [
        pytest.param([0.0] * 11 + [1.0] * 22, id="deterministic"),
        pytest.param([0.0] * 11 + [0.3] * 22, id="constant"),
        pytest.param([0.0] * 11 + [0.25] * 6 + [0.9] * 16, id="an innocent commit raises the rate"),
        pytest.param([0.0] * 11 + [0.9] * 6 + [0.25] * 16, id="an innocent commit lowers the rate"),
        pytest.param([0.3] * 33, id="older than the good end"),
    ],
)
def test_the_right_commit_is_named_whatever_the_rates(rates):
    answer = (0,) if rates[0] else (11,)
    assert sum(bisected(rates, seed) == answer for seed in range(20)) >= 17


def test_where_nothing_fails_no_commit_is_named():
    assert bisected([0.0] * 33, 1) == ()


def test_plain_bisection_is_right_where_every_bad_run_fails_and_not_elsewhere():
    assert [*named_by_plain([0.0] * 11 + [1.0] * 22, 20)] == [11]
    named = named_by_plain([0.0] * 11 + [0.25] * 6 + [0.9] * 16, 200)
    assert named[11] < 40
    assert plain_bisection([0.0, None, None, 1.0, 1.0], 0) == 3


def test_a_merge_is_not_taken_for_a_line():
    # 0 - 1 ------ 4 - 5, with 2 - 3 on a branch from 0 that 4 merges: 3 brings it.
    versions = Versions(((), (0,), (0,), (2,), (1, 3), (4,)))
    evidence = Evidence(versions)
    evidence.add(5, failed=5)
    evidence.add(1, passed=40)
    evidence.add(2, passed=40)
    evidence.add(3, failed=1, passed=2)
    assert believe(evidence).suspects(evidence).versions == (3,)
