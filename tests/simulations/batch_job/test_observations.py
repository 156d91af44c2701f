from dataclasses import replace

import pytest

from simulations.batch_job.observations import OBSERVATIONS, RUNS_COMPARED, history, signs
from simulations.choices import substream
from simulations.suspects import SUSPECTS

BY_NAME = {observation.name: observation for observation in OBSERVATIONS}


def _never(chance):
    return chance >= 0.5


@pytest.mark.parametrize("suspect", [suspect.name for suspect in SUSPECTS])
def test_a_history_is_three_deaths_by_the_same_suspect(suspect):
    past = history(suspect, substream(0, suspect))
    assert [death.cause for death in past.deaths] == [suspect] * RUNS_COMPARED
    assert past.canary_died == (suspect != "sweep")


def test_the_exit_status_does_not_tell_a_sweep_from_the_out_of_memory_killer():
    seen = {
        suspect: BY_NAME["exit status"].look(history(suspect, substream(1, suspect)), _never)
        for suspect in ("sweep", "memory", "application", "node")
    }
    assert seen == {"sweep": "137", "memory": "137", "application": "1", "node": "none"}


def test_a_killed_job_may_be_reported_as_a_success():
    assert BY_NAME["exit status"].look(history("sweep", substream(2, "x")), lambda _: True) == "success"


def test_an_out_of_memory_kill_may_not_be_counted():
    past = history("memory", substream(3, "x"))
    assert signs(past.first).oom_event
    assert BY_NAME["oom event"].look(past, _never) == "yes"
    assert BY_NAME["oom event"].look(past, lambda _: True) == "no"


def test_only_the_cloud_team_can_read_the_audit_log_and_it_takes_longest():
    audit = BY_NAME["audit log"]
    assert audit.whose == "the cloud team"
    assert audit.days == max(observation.days for observation in OBSERVATIONS)


def test_every_observation_gives_one_of_few_answers_about_every_suspect():
    for suspect in SUSPECTS:
        past = history(suspect.name, substream(4, suspect.name))
        for observation in OBSERVATIONS:
            assert observation.look(past, _never) in {"yes", "no", "1", "137", "143", "none", "success"}


@pytest.mark.parametrize(
    ("later_ms", "same"), [(0, "yes"), (59_000, "yes"), (3_600_000, "no"), (-36_000_000, "no")]
)
def test_an_age_is_the_same_to_the_minute(later_ms, same):
    past = history("memory", substream(5, "x"))
    first, second, third = past.deaths
    moved = replace(past, deaths=(first, second, replace(third, end_ms=third.end_ms + later_ms)))
    assert BY_NAME["same age"].look(moved, _never) == same
