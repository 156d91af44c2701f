from collections import Counter
from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.live.recorder import verdict
from simulations.live.recorder.ending import Ending, How
from simulations.live.recorder.quantities import one_in
from simulations.live.recorder.report import series
from simulations.live.recorder.reruns import (
    Death,
    Shared,
    _asked,
    chance_of_one_hour,
    chance_of_range,
    compare,
    corrected,
    hour_in_words,
    hour_of_week,
    pattern,
    shares_of_hours,
)
from tests.simulations.live.recorder import written as w

WEEK_MS = 168 * w.HOUR_MS
MONDAY_16 = 16


def died(folder, *, at_ms=w.MONDAY_16_UTC_MS, age_h=70, status=-9, zone_h=0, line="test ok"):
    age_ms = age_h * w.HOUR_MS
    begun = w.start(at_ms - age_ms, zone_s=zone_h * 3600)
    return w.written(folder, begun, w.job(), w.end(age_ms, status), w.tail(age_ms, line))


def compared(recordings):
    return compare(recordings, [w.GONE] * len(recordings))


def words_of(comparison):
    return " | ".join(each.words for each in comparison.shared)


@pytest.mark.parametrize(
    ("seconds", "hour"), [(0, 3 * 24), (4 * 86400, 0), (4 * 86400 - 1, 167), (w.MONDAY_16_UTC_MS / 1000, 16)]
)
def test_the_hour_of_the_week(seconds, hour):
    assert hour_of_week(seconds) == hour


def test_hours_in_words():
    assert hour_in_words(MONDAY_16) == "Monday 16:00"
    assert hour_in_words(167) == "Sunday 23:00"


@pytest.mark.parametrize("deaths", [2, 3, 4])
@pytest.mark.parametrize("hours", [2, 5])
def test_the_chance_of_one_hour_against_every_possibility(deaths, hours):
    for alike in range(2, deaths + 1):
        hits = sum(max(Counter(each).values()) >= alike for each in product(range(hours), repeat=deaths))
        exact = hits / hours**deaths
        found = chance_of_one_hour(alike, [[1 / hours] * hours] * deaths)
        if 2 * alike > deaths:
            assert found == pytest.approx(min(1.0, exact))
        else:
            assert found >= exact - 1e-12


def test_three_of_three_in_one_hour_of_the_week():
    whole_week = shares_of_hours(0, 168 * 3600)
    assert one_in(chance_of_one_hour(3, [whole_week] * 3)) == "1 in 28,224"
    assert chance_of_one_hour(1500, [whole_week] * 3000) < 1e-300


HOURS = st.integers(0, 10**6).map(lambda quarters: quarters * 900)


@given(begin_s=HOURS, length_s=HOURS.map(lambda seconds: seconds + 900))
def test_the_shares_of_hours_are_those_of_a_count_by_quarters(begin_s, length_s):
    length_s %= 400 * 3600
    length_s += 900
    quarters = Counter(hour_of_week(at_s) for at_s in range(begin_s, begin_s + length_s, 900))
    found = shares_of_hours(begin_s, length_s)
    assert sum(found) == pytest.approx(1)
    assert found == pytest.approx([900 * quarters[hour] / length_s for hour in range(168)])


@pytest.mark.parametrize("count", [3, 4, 6, 20])
def test_a_job_that_is_started_at_one_hour_and_dies_young_says_nothing_of_that_hour(tmp_path, count):
    """The start decides the hour: a weekly job that fails within it, at whatever age."""
    rng = Random(count)
    runs = []
    for week in range(count):
        begun = w.start(w.MONDAY_16_UTC_MS + week * WEEK_MS)
        runs.append(w.written(tmp_path / f"{week}", begun, w.end(rng.randrange(w.HOUR_MS), 1)))
    found = compared(runs)
    assert Shared.HOUR in found.asked
    assert not found.advice
    assert "hour of the week" not in words_of(found)


@pytest.mark.parametrize(("count", "share"), [(2, 0.1), (3, 0.2), (5, 0.5)])
def test_the_chance_of_a_range_against_simulation(count, share):
    """Null hypothesis: the formula is right; 20,000 draws, 5 standard deviations: false alarm below 1e-6."""
    rng = Random(f"{count} {share}")
    draws = 20_000
    hits = 0
    for _ in range(draws):
        values = [rng.random() for _ in range(count)]
        hits += max(values) - min(values) <= share
    expected = chance_of_range(count, share)
    assert abs(hits / draws - expected) < 5 * (expected * (1 - expected) / draws) ** 0.5


def test_deaths_that_follow_the_calendar(tmp_path):
    ages = (70, 64, 40)
    runs = [
        died(tmp_path / f"{week}", at_ms=w.MONDAY_16_UTC_MS + week * WEEK_MS, age_h=age)
        for week, age in enumerate(ages)
    ]
    found = compared(runs)
    assert (
        "3 of 3 died in the same hour of the week, Monday 16:00; by chance, if any age up to the largest "
        "were as likely, 1 in 1,715, corrected for 2 questions (Holm)" in words_of(found)
    )
    assert "same age" not in words_of(found)
    assert "calendar fits and the age does not" in found.advice[0]
    assert verdict(runs[-1], w.GONE, pattern(found)).suspects[0].suspect.name == "sweep"


def test_deaths_that_follow_the_age(tmp_path):
    runs = [
        died(tmp_path / f"{week}", at_ms=w.MONDAY_16_UTC_MS + week * WEEK_MS + week * 31 * w.HOUR_MS)
        for week in range(3)
    ]
    found = compared(runs)
    assert "died at the same age" in words_of(found)
    assert "hour of the week" not in words_of(found)
    assert "age fits and the calendar does not" in found.advice[0]
    assert verdict(runs[-1], w.GONE, pattern(found)).suspects[0].suspect.name == "deadline"


def test_launched_alike_age_and_calendar_cannot_be_told_apart(tmp_path):
    runs = [died(tmp_path / f"{week}", at_ms=w.MONDAY_16_UTC_MS + week * WEEK_MS) for week in range(3)]
    found = compared(runs)
    assert "same age" in words_of(found)
    assert "same hour of the week" in words_of(found)
    assert "6 hours later" in found.advice[0]
    assert "started in the same hour" in found.advice[0]
    judged = {each.suspect.name: each for each in verdict(runs[-1], w.GONE, pattern(found)).suspects}
    assert 0.3 < judged["sweep"].probability / judged["deadline"].probability < 3, "nor by the verdict"


@pytest.mark.parametrize("age_min", [90, 70 * 60])
@pytest.mark.parametrize("clock_h", [2, 22.6])
def test_started_daily_at_one_time_that_time_fits_as_well_as_the_age(tmp_path, age_min, clock_h):
    """The hours of the week differ from day to day, those of the day do not."""
    runs = [
        w.written(
            tmp_path / f"{day}",
            w.start(w.MONDAY_16_UTC_MS + day * 24 * w.HOUR_MS + round(clock_h * w.HOUR_MS)),
            w.end(age_min * 60_000 + day * 200, -9),
        )
        for day in range(4)
    ]
    found = compared(runs)
    assert "same age" in words_of(found)
    assert "fit alike, since all were started in the same hour of the day" in found.advice[0]
    judged = {each.suspect.name: each for each in verdict(runs[-1], w.GONE, pattern(found)).suspects}
    assert 0.3 < judged["sweep"].probability / judged["deadline"].probability < 3, "nor by the verdict"


def test_daylight_saving_moves_the_age_and_not_the_local_hour(tmp_path):
    """The natural experiment: after the change of the clocks the killer comes an hour earlier in UTC."""
    winter = died(tmp_path / "winter", at_ms=w.MONDAY_16_UTC_MS + 5 * w.HOUR_MS, zone_h=-5)
    summer = died(
        tmp_path / "summer", at_ms=w.MONDAY_16_UTC_MS + WEEK_MS + 4 * w.HOUR_MS, zone_h=-4, age_h=69
    )
    found = compared([winter, summer])
    assert {each.hour for each in found.deaths} == {MONDAY_16}


def test_quick_reruns_prove_nothing_about_the_calendar(tmp_path):
    runs = [
        died(tmp_path / f"{each}", at_ms=w.MONDAY_16_UTC_MS + each * 60_000, age_h=1) for each in range(3)
    ]
    found = compared(runs)
    assert "hour of the week" not in words_of(found)
    assert "less than a day apart" in found.advice[0]


def test_deaths_of_different_ages_and_hours_share_nothing_in_time(tmp_path):
    runs = [
        died(tmp_path / f"{each}", at_ms=w.MONDAY_16_UTC_MS + each * 75 * w.HOUR_MS, age_h=age, status=status)
        for each, (age, status) in enumerate([(70, -9), (11, 1), (35, -15)])
    ]
    found = compared(runs)
    assert [each for each in found.shared if each.chance is not None] == []
    assert found.advice == ()


def test_what_ended_well_is_counted_and_not_compared(tmp_path):
    runs = [died(tmp_path / "1"), died(tmp_path / "2", status=0), died(tmp_path / "3", status=0)]
    found = compared(runs)
    assert (found.runs, found.ended_well, len(found.deaths)) == (3, 2, 1)
    assert found.shared == ()


def test_the_manner_and_the_last_line_are_compared(tmp_path):
    runs = [died(tmp_path / f"{each}", at_ms=w.MONDAY_16_UTC_MS + each * WEEK_MS) for each in range(2)]
    assert "2 of 2 ended in the same way: SIGKILL" in words_of(compared(runs))
    assert "2 of 2 wrote the same last line: test ok" in words_of(compared(runs))


@given(st.dictionaries(st.sampled_from(Shared), st.floats(0, 1), max_size=4))
def test_the_correction_is_holms(chances):
    """Against its definition: the smallest chance that is not below 5 % of what is left ends the search."""
    accepted = set()
    left = sorted(chances.items(), key=lambda each: each[1])
    while left and len(left) * left[0][1] < 0.05:
        accepted.add(left.pop(0)[0])
    found = corrected(chances)
    assert set(found) == accepted
    for what, chance in found.items():
        assert chances[what] <= chance < 0.05


def test_with_chance_alone_a_coincidence_is_reported_in_less_than_5_percent(tmp_path):
    """Null hypothesis: deaths at any age alike, of runs that are started at any hour, or always at the same.
    400 series of 3; the bound is 5 %, and 5 % plus 4 standard deviations is 9.4 %: a false alarm of this test
    is below 1e-4."""
    rng = Random(4)
    alarms = 0
    for series_of in range(400):
        deaths = []
        same_start, oldest_h = series_of % 2, rng.choice([0.5, 5, 72, 300])
        for week in range(3):
            age_s = rng.uniform(0, oldest_h) * 3600
            start_s = 3 * week * WEEK_MS / 1000 + (0 if same_start else rng.uniform(0, 168 * 3600))
            ended = Ending(How.SIGNALLED, round(1000 * age_s), signal=9)
            deaths.append(Death("", ended, start_s + age_s, start_s + age_s, 0, ""))
        alarms += bool(corrected(_asked(deaths)))
    assert alarms / 400 < 0.094


@pytest.mark.parametrize("age_ms", [500, 5_000, 100_000, 3_000_000])
@pytest.mark.parametrize("status", [1, 3, -9, -11])
@pytest.mark.parametrize("count", [2, 3, 6])
def test_of_young_deaths_in_a_row_nothing_is_advised(tmp_path, age_ms, status, count):
    """They came one after another within a day, so nothing was asked of the calendar."""
    runs = [
        w.written(
            tmp_path / f"{each}",
            w.start(w.MONDAY_16_UTC_MS + each * (age_ms + 40)),
            w.end(age_ms + each * 7, status),
        )
        for each in range(count)
    ]
    found = compared(runs)
    assert found.advice == ()
    assert found.asked == (Shared.AGE,)
    assert "hour" not in words_of(found)


def test_two_deaths_of_half_a_second_share_no_age(tmp_path):
    runs = [w.written(tmp_path / f"{each}", w.start(), w.end(500 + each, 3)) for each in range(2)]
    assert [each.what for each in compared(runs).shared] == [Shared.MANNER]


def test_what_is_unknown_is_not_said_to_have_failed(tmp_path):
    """Recorder and witness are gone, and the host is another, or went on."""
    silent = [w.written(tmp_path / f"{each}", w.start(), *w.samples(w.HOUR_MS)) for each in range(2)]
    failed = w.written(tmp_path / "2", w.start(), w.end(w.HOUR_MS, 1))
    well = w.written(tmp_path / "3", w.start(), w.end(w.HOUR_MS, 0))
    killed = w.written(tmp_path / "4", w.start(), w.end(w.HOUR_MS, 0, oom_kills=1, host_oom_kills=1))
    found = compare([*silent, failed, well, killed], [w.GONE, w.ELSEWHERE, w.GONE, w.GONE, w.GONE])
    assert (found.runs, found.ended_well, found.unknown, len(found.deaths)) == (5, 1, 2, 4)
    title = series(found, 0).title
    assert "2 of 5 runs failed, 1 ended well, of 2 it is unknown" in title
    assert dict(found.manners) == {
        "vanished": 1, "unknown": 1, "status 1": 1, "status 0, but something was killed for memory": 1,
    }  # fmt: skip


def test_a_series_says_how_many_failed_how_and_what_was_asked(tmp_path):
    runs = [
        died(tmp_path / f"{week}", at_ms=w.MONDAY_16_UTC_MS + week * WEEK_MS, status=status)
        for week, status in enumerate([-9, -9, 1])
    ]
    told = str(series(compared(runs), 1))
    assert "3 of 3 runs failed, 0 ended well; 1 more not recorded" in told
    assert "SIGKILL: 2, status 1: 1" in told
    assert "corrected for 2 questions (Holm)" in told
    nothing = [died(tmp_path / f"n{age}", age_h=age, status=status) for age, status in ((9, 1), (60, 2))]
    assert "nothing else that chance would not do as well (asked: age)" in str(series(compared(nothing), 0))
