import dataclasses
import json
import math
from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.lab.hunt import hunt
from scenarios.lab.method.causality import causality
from scenarios.lab.method.weighted import Tree
from simulations.choices import UNIFORM, NoiseModel, drawn, exhaustive
from simulations.errors import LabError
from tests.scenarios.lab import toy
from tests.scenarios.lab.toy import SCENARIO

RATES = st.sampled_from([0.5, 0.05, 0.001, UNIFORM, (0.25,), 0.0, 1.0])


def world(size, fails_at):
    """Return a world of three to six questions of which the later ones depend on the answers before."""

    def run(chooser):
        said = []
        for number in range(3):
            said.append(chooser.pick("abc"[number % size], range(2 + number % 2)))
            if said[-1]:
                said.append(10 * chooser.pick("extra", (0, 1)))
        return tuple(said) in fails_at

    return run


def everything(run, noise):
    """Return every run, its answers with their probabilities, and whether it fails."""
    runs = []
    for result, chooser in exhaustive(run, 6):
        answers = [
            (point.option, noise.probabilities(point.label, point.options)[point.option])
            for point in chooser.points
        ]
        runs.append((answers, chooser, result))
    return runs


ENDS = [said for length in (3, 4, 5, 6) for said in product((0, 1, 2, 10), repeat=length)]


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 3),
    st.fixed_dictionaries(dict.fromkeys(("a", "b", "c", "extra"), RATES)),
    st.data(),
    st.integers(0, 40),
)
def test_the_bounds_hold_what_summing_over_every_run_gives(size, rates, data, runs_max):
    noise = NoiseModel("drawn", rates)
    reached = sorted({said for said in ENDS if not said[0] or len(said) > 3})
    fails_at = set(data.draw(st.lists(st.sampled_from(reached), min_size=1, max_size=200)))
    run = world(size, fails_at)
    runs = everything(run, noise)
    failing = [each for each in runs if each[2] and all(chance for _, chance in each[0])]
    if not failing:
        return
    answers, chooser, _ = data.draw(st.sampled_from(failing))
    tree = Tree(run, chooser.points, noise)
    complete = tree.explore(runs_max)
    bounds = tree.bounds()
    assert tree.runs <= runs_max
    for k in range(len(answers) + 1):
        exact = sum(
            math.prod(chance for _, chance in others[k:])
            for others, _, failed in runs
            if failed and [option for option, _ in others[:k]] == [option for option, _ in answers[:k]]
        )
        assert bounds[k].low <= exact * (1 + 1e-9)
        assert exact <= bounds[k].high * (1 + 1e-9)
        assert bounds[k].narrow or not complete


@pytest.fixture(scope="module")
def finding():
    return hunt(SCENARIO, searcher="exhaustive", verify=False).finding


@pytest.fixture(scope="module")
def twice():
    return hunt(SCENARIO, "twice", searcher="exhaustive", verify=False).finding


CALM = NoiseModel("calm", {"*.cup": 0.01, "*.alarm": 0.01})


def test_the_deviations_are_named_in_order_with_the_exact_bits(twice):
    # b spills with .01 at each of the steps 1 and 2 (three steps), and must do so in both.
    curve = causality(twice, SCENARIO, noise=CALM)
    assert curve.resamples == 0
    assert curve.start.low <= 0.0001 <= curve.start.high
    assert [moment.phrase for moment in curve.named] == ["b spills at step 1", "b spills at step 2"]
    for moment in curve.named:
        assert moment.bits == pytest.approx(math.log2(100), abs=0.02)
        # "spills" and "drops" share the rate, and either stains: one bit of the surprise is beside the point.
        assert moment.surprisal == pytest.approx(math.log2(200))


def test_bits_add_up_and_none_exceeds_its_surprisal(twice):
    curve = causality(twice, SCENARIO, noise=CALM)
    assert len(curve.points) == curve.choices
    assert sum(moment.bits for moment in curve.points) == pytest.approx(-math.log2(curve.start.low))
    for moment, following in pairwise(curve.points):
        assert moment.after == following.before
        assert moment.bits <= moment.surprisal + 0.02


@pytest.mark.parametrize("rate", [1e-3, 1e-9, 1e-12])
def test_what_is_rare_is_enumerated_all_the_same(twice, rate):
    noise = NoiseModel("rare", {"*.cup": rate, "*.alarm": 0.01})
    curve = causality(twice, SCENARIO, noise=noise)
    assert curve.noise == "rare"
    assert curve.start.low == pytest.approx(rate**2, rel=0.02)
    assert curve.start.high <= 1.02 * curve.start.low
    assert [moment.label for moment in curve.named] == ["b.cup", "b.cup"]
    assert curve.runs < 2000


def test_where_it_does_not_fit_it_is_sampled_and_says_so(twice):
    curve = causality(twice, SCENARIO, exact_runs=0, resamples=400)
    assert curve.resamples == 400
    assert not curve.named[0].certified
    assert [moment.phrase for moment in curve.named] == ["b spills at step 1", "b spills at step 2"]
    second = curve.named[1]
    # The exact value is .1, and each of 400 samples is independent: false alarm 1 in 10,000 (4 sigma).
    assert abs(second.before.value - 0.1) < 4 * math.sqrt(0.1 * 0.9 / 400)
    assert second.after.value == 1
    assert second.limits[1] == 1


def test_samples_have_common_random_numbers(finding):
    """A longer prefix never saves a sample, since nothing in the failing run wipes a stain."""
    curve = causality(finding, SCENARIO, exact_runs=0, resamples=50)
    values = [curve.start.value, *(moment.after.value for moment in curve.points)]
    assert values == sorted(values)


def test_a_sample_never_hides_behind_a_rare_noise(twice):
    noise = NoiseModel("rare", {"*.cup": 1e-9})
    first, last = causality(twice, SCENARIO, noise=noise, exact_runs=0).named
    assert (first.before.value, first.after.value, first.bits) == (0, 0, 0)
    assert math.isinf(last.bits)


def test_it_is_json(twice):
    noise = NoiseModel("rare", {"*.cup": 1e-9})
    for curve in (causality(twice, SCENARIO), causality(twice, SCENARIO, noise=noise, exact_runs=0)):
        data = json.loads(json.dumps(curve.to_json(), allow_nan=False))
        assert len(data["points"]) == len(curve.points)
        assert data["start"]["low"] == curve.start.low


def test_a_world_whose_answers_lead_elsewhere_is_not_deterministic(finding):
    runs = []

    def drifting(system, errands, chooser):
        runs.append(1)
        for _ in range(len(runs) % 3):
            chooser.pick("a.cup", ("steady", "spills", "drops"))
        return toy.run(system, errands, chooser)

    with pytest.raises(LabError):
        causality(finding, toy.with_run(drifting))


class TestWhatIsRefused:
    def test_a_finding_of_another_scenario(self, finding):
        other = dataclasses.replace(SCENARIO, name="other")
        with pytest.raises(LabError, match="the finding is of the scenario toy, not of other"):
            causality(finding, other)

    def test_a_finding_that_does_not_fail_any_more(self, finding):
        fixed = dataclasses.replace(finding, variant="fixed")
        with pytest.raises(LabError, match="does not fail at the plan of the finding any more"):
            causality(fixed, SCENARIO)

    def test_a_noise_model_that_never_does_it(self, finding):
        with pytest.raises(LabError, match=r"noise model 'quiet' never gives option 1 of b\.cup"):
            causality(finding, SCENARIO, noise=NoiseModel("quiet", {"a.*": 0.5}))

    @pytest.mark.parametrize(
        ("options", "says"),
        [({"resamples": 0}, "resamples"), ({"exact_runs": -1}, "exact_runs"), ({"seed": -1}, "seed")],
    )
    def test_options_that_make_no_sense(self, finding, options, says):
        with pytest.raises(LabError, match=f"{says} is a whole number from"):
            causality(finding, SCENARIO, **options)


def test_a_nominal_failure_has_nothing_to_name():
    always = toy.with_run(lambda _system, _given, _chooser: toy.Day(toy.Trace(), 1, 0))
    nominal = hunt(always, verify=False).finding
    curve = causality(nominal, always)
    assert (curve.points, curve.start.value) == ((), 1)
    assert drawn([]).plan == nominal.plan
