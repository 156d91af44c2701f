import json
from collections import Counter
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulations import choices
from simulations.choices import UNIFORM, Deviation, NoiseModel, Plan
from simulations.errors import LabError, NondeterminismError, PlanError


def branching(chooser):
    """A world in which a deviation makes new choice points appear, and others disappear."""
    said = []
    if chooser.pick("door", ("shut", "open")) == "open":
        said.append(chooser.pick("guest", ("nobody", "cat", "dog")))
        if said[-1] == "dog":
            said.append(chooser.pick("bark", (False, True)))
    else:
        said.append(chooser.pick("draught", (0, 1)))
    said.append(chooser.pick("door", ("shut", "open", "off its hinges")))
    return tuple(said)


deviations = st.builds(
    Deviation,
    st.sampled_from(["door", "guest", "bark", "draught", "window"]),
    st.integers(0, 2),
    st.integers(1, 3),
)
plans = st.lists(deviations, unique_by=lambda deviation: deviation[:2], max_size=4).map(Plan)


DRIVERS = {
    "nominal": lambda _plan, _seed: choices.nominal(),
    "drawn": lambda plan, _seed: choices.drawn(plan),
    "random": lambda _plan, seed: choices.random(NoiseModel("rough", {}, 0.3), seed),
    "prefix": lambda plan, seed: choices.prefix(plan, 3, NoiseModel("rough", {}, 0.3), seed),
}


class TestDeviating:
    @pytest.mark.parametrize("driver", DRIVERS)
    @given(plans, st.integers(0, 99), st.lists(st.lists(st.sampled_from(["door", "bark"]), max_size=4)))
    def test_is_the_same_as_to_pick_one_after_the_other(self, driver, plan, seed, groups):
        together, apart = DRIVERS[driver](plan, seed), DRIVERS[driver](plan, seed)
        for clock, labels in enumerate(groups):
            together.at(clock)
            apart.at(clock)
            one_by_one = [place for place, label in enumerate(labels) if apart.pick(label, (False, True))]
            assert list(together.deviating(labels)) == one_by_one
        assert together.points == apart.points
        assert together.deviated == apart.deviated

    @pytest.mark.parametrize("bound", range(4))
    def test_is_the_same_in_every_plan_up_to_a_bound(self, bound):
        labels = ("door", "bark", "door")

        def together(chooser):
            return [list(chooser.deviating(labels)) for _ in range(2)]

        def apart(chooser):
            return [
                [place for place, label in enumerate(labels) if chooser.pick(label, (False, True))]
                for _ in range(2)
            ]

        both = [list(choices.exhaustive(world, bound)) for world in (together, apart)]
        assert [ran.result for ran in both[0]] == [ran.result for ran in both[1]]
        assert [ran.chooser.points for ran in both[0]] == [ran.chooser.points for ran in both[1]]


class TestPlan:
    @given(plans)
    def test_survives_json(self, plan):
        again = Plan.from_json(json.loads(json.dumps(plan.to_json())))
        assert again == plan
        assert again.deviations == plan.deviations
        assert hash(again) == hash(plan)

    def test_with_the_same_deviations_in_another_order_is_equal(self):
        one, two = Deviation("a", 0, 1), Deviation("b", 3, 2)
        assert Plan([one, two]) == Plan([two, one])
        assert hash(Plan([one, two])) == hash(Plan([two, one]))
        assert Plan([one]) != Plan([Deviation("a", 0, 2)])

    def test_reads_aloud(self):
        assert str(Plan()) == "everything nominal"
        plan = Plan([Deviation("cpu0.bit2", 1, 1)])
        assert str(plan) == "everything nominal, except: cpu0.bit2 takes option 1 at occurrence 1"
        assert plan.in_words(lambda deviation: f"{deviation.label} is upset").endswith("cpu0.bit2 is upset")

    @pytest.mark.parametrize(
        ("data", "says"),
        [
            ("x", "a plan is a list"),
            ([["a", 0]], "a deviation is"),
            ([[1, 0, 1]], "not 1"),
            ([["", 0, 1]], "not ''"),
            ([["a", -1, 1]], "not -1"),
            ([["a", 0.5, 1]], "not 0.5"),
            ([["a", True, 1]], "not True"),
            ([["a", 0, 0]], "0 is nominal"),
            ([["a", 0, 1], ["a", 0, 2]], "twice"),
        ],
    )
    def test_that_makes_no_sense_is_refused_with_the_value(self, data, says):
        with pytest.raises(PlanError, match=says):
            Plan.from_json(data)


class TestNominal:
    def test_gives_option_0_and_remembers_every_question(self):
        chooser = choices.nominal()
        chooser.at(7)
        assert branching(chooser) == (0, "shut")
        assert chooser.plan == Plan()
        assert [(p.label, p.occurrence, p.options, p.option) for p in chooser.points] == [
            ("door", 0, 2, 0),
            ("draught", 0, 2, 0),
            ("door", 1, 3, 0),
        ]
        assert chooser.questions == {"door": (2, 3), "draught": (1, 2)}
        assert chooser.asked == 3

    def test_time_is_metadata_of_the_questions_that_follow(self):
        chooser = choices.nominal()
        chooser.pick("a", (0, 1))
        chooser.at(3)
        chooser.at(4)
        chooser.pick("a", (0, 1))
        chooser.pick("b", (0, 1))
        chooser.at(9)
        assert [point.time for point in chooser.points] == [0, 4, 4]

    def test_marks_what_was_forced(self):
        chooser = choices.nominal()
        chooser.pick("a", (0, 1))
        chooser.pick("a", (0, 1), forced=True)
        assert [point.forced for point in chooser.points] == [False, True]


class TestReplay:
    @given(plans)
    def test_of_the_plan_of_any_run_gives_the_same_run(self, plan):
        first = choices.drawn(plan)
        said = branching(first)
        again = choices.replay(first.plan)
        assert branching(again) == said
        again.finish()
        assert again.points == first.points
        assert again.rank == first.rank

    def test_names_the_first_key_that_was_never_asked_and_what_was(self):
        chooser = choices.replay(
            Plan([Deviation("door", 1, 1), Deviation("guest", 0, 1), Deviation("x", 0, 1)])
        )
        branching(chooser)
        with pytest.raises(
            PlanError, match=r"guest at occurrence 0, .*never asked: the run asked door, draught"
        ):
            chooser.finish()

    def test_says_how_often_a_label_was_asked_instead(self):
        chooser = choices.replay(Plan([Deviation("door", 5, 1)]))
        branching(chooser)
        with pytest.raises(PlanError, match=r"door at occurrence 5, .*door was asked 2 times"):
            chooser.finish()

    def test_says_that_nothing_was_asked_at_all(self):
        with pytest.raises(PlanError, match="asked nothing at all"):
            choices.replay(Plan([Deviation("door", 0, 1)])).finish()

    def test_of_an_answer_that_does_not_exist_any_more_is_an_error_at_once(self):
        with pytest.raises(PlanError, match=r"option 2 of door at occurrence 0.*2 options \(0 to 1\)"):
            branching(choices.replay(Plan([Deviation("door", 0, 2)])))


class TestDrawn:
    def test_leaves_out_what_does_not_apply(self):
        chooser = choices.drawn(
            [
                Deviation("door", 0, 7),  # no such option
                Deviation("window", 0, 1),  # never asked
                Deviation("door", 1, 2),
                Deviation("door", 1, 1),  # asked for already
            ]
        )
        assert branching(chooser) == (0, "off its hinges")
        chooser.finish()
        assert chooser.plan == Plan([Deviation("door", 1, 2)])


class TestRandom:
    noise = NoiseModel("weather", {"door": 0.25, "gu*": (0.5, 0.125), "draught": UNIFORM}, otherwise=0.0)

    def test_is_the_same_for_the_same_seed_only(self):
        runs = [branching(choices.random(self.noise, seed)) for seed in [*range(40), *range(40)]]
        assert runs[:40] == runs[40:]
        assert len(set(runs)) > 1

    def test_gives_each_label_its_own_probability(self):
        """Null hypothesis: the rates are those of the table. Each interval is 5 standard errors wide to
        either side: a false alarm in less than one of 100,000 tables; seeds are fixed."""
        runs = 20_000
        counts = Counter()
        for seed in range(runs):
            chooser = choices.random(self.noise, seed)
            counts[chooser.pick("door", (0, 1, 2)), "door"] += 1
            counts[chooser.pick("guest", (0, 1, 2)), "guest"] += 1
            counts[chooser.pick("draught", (0, 1, 2, 3)), "draught"] += 1
            counts[chooser.pick("bark", (0, 1)), "bark"] += 1
        expected = {
            (1, "door"): 0.125,
            (2, "door"): 0.125,
            (1, "guest"): 0.5,
            (2, "guest"): 0.125,
            (0, "draught"): 0.25,
            (3, "draught"): 0.25,
        }
        for key, rate in expected.items():
            error = (rate * (1 - rate) / runs) ** 0.5
            assert abs(counts[key] / runs - rate) < 5 * error, key
        assert counts[1, "bark"] == 0

    @pytest.mark.parametrize("rate", [-0.1, 1.5, (0.6, 0.6), "sometimes"])
    def test_refuses_what_is_no_probability(self, rate):
        with pytest.raises(ValueError, match="weather: the rate of door"):
            NoiseModel("weather", {"door": rate})

    def test_refuses_more_rates_than_options(self):
        with pytest.raises(ValueError, match="2 entries does not fit 1 options"):
            choices.random(NoiseModel("weather", {"door": (0.1, 0.1)}), 0).pick("door", (0, 1))


@pytest.mark.parametrize(
    ("rate", "size", "expected"),
    [
        (0.3, 2, (0.7, 0.3)),
        (0.3, 4, (0.7, 0.1, 0.1, 0.1)),
        (UNIFORM, 4, (0.25,) * 4),
        ((0.1, 0.2), 3, (0.7, 0.1, 0.2)),
        ((0.1,), 4, (0.9, 0.1, 0, 0)),
        (0.0, 3, (1, 0, 0)),
        (0.5, 1, (1,)),
    ],
)
def test_the_probabilities_of_the_options_of_a_label(rate, size, expected):
    assert NoiseModel("given", {"a": rate}).probabilities("a", size) == pytest.approx(expected)


class TestPrefix:
    noise = NoiseModel("storm", {}, otherwise=UNIFORM)

    @given(plans, st.integers(0, 5), st.integers(0, 3))
    def test_is_the_plan_up_to_the_kth_question(self, plan, k, seed):
        whole = choices.drawn(plan)
        branching(whole)
        start = choices.prefix(whole.plan, k, self.noise, seed)
        branching(start)
        assert [p.option for p in start.points[:k]] == [p.option for p in whole.points[:k]]

    def test_of_nothing_is_a_random_run_and_of_everything_a_replay(self):
        plan = Plan([Deviation("door", 0, 1), Deviation("guest", 0, 2)])
        replayed = choices.replay(plan)
        branching(replayed)
        for seed in range(20):
            fresh, same = choices.random(self.noise, seed), choices.prefix(Plan(), 0, self.noise, seed)
            assert branching(fresh) == branching(same)
            full = choices.prefix(plan, 99, self.noise, seed)
            branching(full)
            assert full.plan == replayed.plan

    def test_refuses_a_negative_length(self):
        with pytest.raises(ValueError, match="not -1"):
            choices.prefix(Plan(), -1, self.noise, 0)

    @settings(deadline=None)
    @given(st.integers(0, 1000), st.integers(0, 10), st.integers(0, 10))
    def test_two_lengths_have_common_random_numbers(self, seed, one, other):
        """In a world that always asks the same, answers behind both prefixes are the same."""
        plan = Plan([Deviation("q", place, 1) for place in range(0, 10, 2)])
        runs = []
        for k in (one, other):
            chooser = choices.prefix(plan, k, self.noise, seed)
            runs.append([chooser.pick("q", range(3)) for _ in range(12)])
        behind = max(one, other)
        assert runs[0][behind:] == runs[1][behind:]


class Follows:
    """A chooser that gives the answers of a list, then 0; it shares no code with the drivers."""

    def __init__(self, answers):
        self.answers = answers
        self.sizes = []

    def pick(self, label, options, *, forced=False):
        index = len(self.sizes)
        self.sizes.append(len(options))
        return options[self.answers[index] if index < len(self.answers) else 0]


def brute_force(run):
    """All runs of a world, by trying every sequence of answers; it knows nothing of plans."""
    found, todo = {}, [()]
    while todo:
        answers = todo.pop()
        chooser = Follows(answers)
        result = run(chooser)
        if len(answers) < len(chooser.sizes):
            todo += [(*answers, option) for option in range(chooser.sizes[len(answers)])]
        else:
            found[answers] = result
    return found


def table_world(table):
    """A world from data: what it asks next depends on every answer so far."""

    def run(chooser):
        answers, place = [], 0
        for _ in range(4):
            label, size = table[place % len(table)]
            answer = chooser.pick(label, range(size))
            answers.append((label, answer))
            place = place * 3 + answer + 1
            if answer == 2:
                break
        return tuple(answers)

    return run


worlds = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 3)), min_size=1, max_size=7).map(
    table_world
)


class TestExhaustive:
    @given(worlds | st.just(branching))
    def test_of_any_depth_equals_brute_force(self, run):
        ran = list(choices.exhaustive(run, 9))
        plans = [each.chooser.plan for each in ran]
        assert len(set(plans)) == len(plans)
        assert Counter(each.result for each in ran) == Counter(brute_force(run).values())

    @given(worlds, st.integers(0, 3))
    def test_is_all_runs_of_at_most_k_deviations_in_the_order_of_least(self, run, k):
        ran = list(choices.exhaustive(run, k))
        wanted = sorted(
            (len(rank), rank)
            for answers in brute_force(run)
            if len(rank := tuple((at, option) for at, option in enumerate(answers) if option)) <= k
        )
        assert [each.chooser.rank for each in ran] == wanted

    @given(worlds | st.just(branching), st.integers(0, 4), st.none() | st.sets(st.sampled_from("abc")))
    def test_its_levels_run_each_plan_once(self, run, k, labels):
        runs = []

        def counted(chooser):
            runs.append(chooser)
            return run(chooser)

        by_level = [list(level) for level in choices.levels(counted, k, labels=labels)]
        assert [each.chooser for level in by_level for each in level] == runs
        assert [{len(each.chooser.plan) for each in level} for level in by_level if level] == [
            {deviations} for deviations, level in enumerate(by_level) if level
        ]
        one_by_one = [choices.exactly(run, deviations, labels=labels) for deviations in range(k + 1)]
        assert [[each.chooser.plan for each in level] for level in by_level] == [
            [each.chooser.plan for each in level] for level in one_by_one
        ]

    @given(worlds.filter(lambda run: len(list(choices.exactly(run, 1))) > 1))
    def test_a_level_that_was_not_gone_through_is_no_base_for_the_next(self, run):
        seen = choices.levels(run, 2)
        next(next(seen))  # the nominal run is made, and nothing says yet that there is no other
        with pytest.raises(LabError, match="extend those of 0, not all of which"):
            next(seen)

    def test_a_level_in_which_a_run_failed_is_no_base_for_the_next(self):
        def breaks(chooser):
            if chooser.pick("a", (0, 1)) and chooser.pick("b", (0, 1)) == 0:
                raise ValueError

        seen = choices.levels(breaks, 2)
        list(next(seen))
        with pytest.raises(ValueError, match=r"^$"):
            list(next(seen))
        with pytest.raises(LabError, match="not all of which"):
            next(seen)

    @given(worlds, st.sets(st.sampled_from("abc")))
    def test_over_labels_deviates_at_those_only(self, run, labels):
        everything = [each.chooser.plan for each in choices.exhaustive(run, 3)]
        narrow = [each.chooser.plan for each in choices.exhaustive(run, 3, labels=labels)]
        assert narrow == [plan for plan in everything if {deviation.label for deviation in plan} <= labels]

    @given(worlds)
    def test_every_plan_replays_to_the_same_run(self, run):
        for result, chooser in choices.exhaustive(run, 2):
            again = choices.replay(chooser.plan)
            assert run(again) == result
            again.finish()

    def test_notices_a_world_that_is_not_deterministic(self):
        runs = []

        def forgetful(chooser):
            runs.append(1)
            return [chooser.pick("a", (0, 1)) for _ in range(3 if len(runs) == 1 else 1)]

        with pytest.raises(NondeterminismError, match="another run"):
            list(choices.exactly(forgetful, 1))

    def test_notices_options_that_change(self):
        sizes = iter([3, 1, 1])
        with pytest.raises(NondeterminismError, match="other questions"):
            list(choices.exactly(lambda chooser: chooser.pick("a", range(next(sizes))), 1))

    def test_refuses_a_negative_bound(self):
        with pytest.raises(ValueError, match="not -1"):
            choices.exactly(branching, -1)


class TestLeast:
    def test_order_is_fewer_then_earlier_then_lower(self):
        ranks = [each.chooser.rank for each in choices.exhaustive(branching, 3)]
        assert ranks == sorted(ranks)
        assert ranks[0] == (0, ())

    def test_greedy_dropping_is_not_enough_to_be_least(self):
        """Why minimising enumerates: dropping from one failing plan ends at a plan that is not the least."""

        def fails(chooser):
            door, draught = (chooser.pick(label, (0, 1)) for label in ("door", "draught"))
            return draught or (door and chooser.pick("guest", (0, 1)))

        failing = [each.chooser.plan for each in choices.exhaustive(fails, 3) if each.result]
        two = Plan([Deviation("door", 0, 1), Deviation("guest", 0, 1)])
        assert two in failing
        for deviation in two:
            assert not fails(choices.drawn(two.without(deviation)))
        assert failing[0] == Plan([Deviation("draught", 0, 1)])


class TestSubstream:
    def test_is_the_same_everywhere_for_the_same_name(self):
        assert choices.substream(1, "durations").random() == 0.8008478032059546
        assert choices.substream(1, "durations").randrange(10**9) == 859903782

    def test_differs_by_name_and_by_seed(self):
        draws = {choices.substream(seed, name).random() for seed, name in product(range(3), ["a", "b"])}
        assert len(draws) == 6
