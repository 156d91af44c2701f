import math
import re
from statistics import NormalDist

import pytest

from simulations.batch_job.database import GREEDY
from simulations.batch_job.workload import (
    REPORT_EVERY,
    TABLES_MAX,
    TABLES_MIN,
    TEST_MS_MAX,
    Job,
    bulk,
    durations_ms,
    versions,
)


def test_the_table_of_durations_is_the_lognormal_law_that_its_file_names():
    table = durations_ms()
    normal = NormalDist()
    raw = [math.exp(1.4 * normal.inv_cdf((place + 0.5) / 1024)) for place in range(1024)]
    scale = 92_160 * 1024 / math.fsum(raw)
    assert sum(table) == 92_160 * 1024
    for ours, exact in zip(table[:-1], raw, strict=False):
        assert abs(ours - exact * scale) <= 1
    assert max(table) < TEST_MS_MAX


def test_every_version_joins_at_least_as_many_tables_as_the_one_before():
    tables = [version.tables for version in versions(Job())]
    assert (tables[0], tables[-1]) == (TABLES_MIN, TABLES_MAX)
    assert tables == sorted(tables)


def test_the_mean_pace_of_the_versions_is_one():
    paces = [version.pace for version in versions(Job(seed=3))]
    assert abs(sum(paces) / len(paces) - 1000) < 1
    assert len(set(paces)) > 50


def test_one_test_in_fifty_of_each_version_asks_for_a_report():
    job = Job()
    reports = bulk(job).report_ms
    for version in (0, 17, 99):
        asking = [number for number in range(version, job.tests, job.versions) if reports[number]]
        assert len(asking) == job.tests // job.versions // REPORT_EVERY


def test_the_report_of_the_last_version_takes_a_quarter_of_an_hour_until_the_planner_is_bounded():
    job = Job()
    slow, fast = max(bulk(job).report_ms), max(bulk(job, GREEDY).report_ms)
    assert 15 * 60_000 <= slow <= 16 * 60_000 + 2_000
    assert fast < 2_000


def test_a_straggler_changes_one_test_and_no_other():
    job = Job(tests=500)
    plain, changed = bulk(job), bulk(job, straggler=250)
    different = [number for number in range(500) if plain.run_ms[number] != changed.run_ms[number]]
    assert different == [250]
    assert changed.run_ms[250] == TEST_MS_MAX


def test_another_seed_is_another_job():
    assert bulk(Job(tests=100)).run_ms != bulk(Job(tests=100, seed=1)).run_ms


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"tests": 0}, "tests is a whole number from 1 to 1000000, not 0"),
        ({"workers": 2.0}, "workers is a whole number from 1 to 1000, not 2.0"),
        ({"held_h": 168}, "held_h is a whole number from 0 to 167, not 168"),
        ({"connections": True}, "connections is a whole number from 1 to 1000, not True"),
        ({"seed": "0"}, "seed is a whole number from"),
        ({"rule": "weekly"}, "there is no rule 'weekly'; there are calendar"),
    ],
)
def test_a_job_that_makes_no_sense_is_refused(wrong, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Job(**wrong)
