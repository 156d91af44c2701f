from simulations.batch_job.environment import LAUNCHES
from simulations.batch_job.picture import draw
from simulations.batch_job.rules import RULES
from simulations.batch_job.system import run
from simulations.batch_job.variants import AS_SHIPPED, CHECKPOINT
from simulations.batch_job.workload import Job
from simulations.choices import Deviation, drawn

PLAN = [
    Deviation("launch", 0, LAUNCHES.index((4, 18))),
    Deviation("owner_tag", 0, 1),
    Deviation("setup", 0, 1),
    Deviation("sweep", 0, 1),
]


def test_a_death_at_hour_70_under_mark_and_grace():
    assert draw(run(AS_SHIPPED, Job(rule="mark", seed=5), drawn(PLAN))).splitlines() == [
        f"the platform's sweep {RULES['mark'].words}",
        "",
        "attempt 1",
        "    Friday      Saturday    Sunday      Monday",
        "            .=======================m===========X",
        "    ended by sweep at hour 70.0, Monday 16:00: 87683 of 90000 tests done, 0 kept, 70.0 hours lost",
    ]


def test_a_job_that_resumes_has_two_bars_and_an_end():
    lines = draw(run(CHECKPOINT, Job(seed=5), drawn(PLAN))).splitlines()
    assert [line for line in lines if line.startswith("attempt")] == ["attempt 1", "attempt 2"]
    assert lines[-2].strip().endswith("|")
    assert lines[-1].strip().startswith("finished at hour")
