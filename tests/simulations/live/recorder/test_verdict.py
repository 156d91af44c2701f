"""Logs as the recorder writes them, and what must be read from them."""

import dataclasses
import signal
import sys

import pytest

from simulations.live.recorder import evidence, signals, verdict
from simulations.live.recorder.ending import ending
from simulations.live.recorder.quantities import duration
from simulations.suspects import SUSPECTS
from tests.simulations.live.recorder import written as w

AGE = 70 * w.HOUR_MS
KILL_LINE = "Memory cgroup out of memory: Killed process 4242 (job) total-vm:1kB"


def run(tmp_path, *events, begun=None):
    return w.written(tmp_path / "0001", begun or w.start(), w.job(), *events)


def judged(tmp_path, *events, begun=None, now=w.GONE):
    return verdict(run(tmp_path, *events, begun=begun), now)


def first(found):
    return found.suspects[0].suspect.name


def sent(at_ms, number, **who):
    told = {"signal": number, "uid": 0, "ours": False, "forwarded": True, "who": "process"}
    return at_ms, "signal", {**told, **who}


def test_a_job_that_ended_well_has_no_suspects(tmp_path):
    found = judged(tmp_path, w.end(AGE, 0))
    assert found.ending.words == "exited with status 0 after 70 h 00 min"
    assert found.suspects == ()


def test_what_never_started_has_no_suspects(tmp_path):
    found = judged(tmp_path, (5, "exec", {"errno": 2, "words": "jobb: No such file or directory"}))
    assert found.ending.how == "not started"
    assert "No such file" in found.ending.words
    assert found.suspects == ()


CASES = {
    "the kernel's log names the job": ("memory", [w.end(AGE, -9, kernel=[KILL_LINE], host_oom_kills=1)]),
    "the group's count rose": ("memory", [w.end(AGE, -9, oom_kills=1, host_oom_kills=1)]),
    "a worker was killed for memory": ("memory", [w.end(AGE, 1, oom_kills=1, host_oom_kills=1)]),
    "its last line is a MemoryError": ("memory", [w.end(AGE, 1), w.tail(AGE, "MemoryError")]),
    "CPU time was used up": ("deadline", [w.end(AGE, -9, limits={"cpu_s": [60, 60]}, cpu_ms=60_010)]),
    "SIGXCPU": ("deadline", [w.end(AGE, -24, limits={"cpu_s": [60, -1]}, cpu_ms=60_010)]),
    "timeout(1) says 124": ("deadline", [w.end(AGE, 124)]),
    "slurmstepd asked, then killed": (
        "deadline",
        [sent(AGE - 30_000, 15, name="slurmstepd", pid=9, terminal=False), w.end(AGE, -9)],
    ),
    "Ctrl-C": ("person", [sent(AGE - 5, 2, who="kernel"), w.end(AGE, -2)]),
    "the terminal hung up": ("person", [sent(AGE - 5, 1, who="kernel"), w.end(AGE, -1)]),
    "killed from a shell": (
        "person",
        [sent(AGE - 5, 15, name="bash", pid=9, terminal=True), w.end(AGE, -15)],
    ),
    "a daemon killed it": (
        "sweep",
        [sent(AGE - 5, 15, name="janitor", pid=9, terminal=False), w.end(AGE, -15)],
    ),
    "earlyoom killed it": (
        "memory",
        [sent(AGE - 5, 15, name="earlyoom", pid=9, terminal=False), w.end(AGE, -15)],
    ),
    "a fault": ("application", [w.end(AGE, -11)]),
    "a traceback": ("application", [w.end(AGE, 1), w.tail(AGE, "Traceback", "ZeroDivisionError: x")]),
    "it killed itself": (
        "application",
        [w.end(AGE, -9, senders=[{"signal": 9, "who": "process", "name": "job", "pid": 4242, "ours": True}])],
    ),
    "it was asked and ended itself": (
        "sweep",
        [sent(AGE - 20_000, 15, name="janitor", pid=9, terminal=False), w.end(AGE, 1)],
    ),
    "a kill for memory, and no control group": (
        "memory",
        [w.end(AGE, -9, oom_kills=None, host_oom_kills=1)],
    ),
    "the disk": ("disk", [w.end(AGE, 1), w.tail(AGE, "OSError: [Errno 28] No space left on device")]),
    "the database": (
        "database",
        [
            *w.samples(AGE, cpu_ms_per_s=0, lines_per_s=0),
            w.end(AGE, 1),
            w.tail(AGE, "psycopg.OperationalError"),
        ],
    ),
    "a jump of the clock": (
        "clock",
        [(AGE - 1000, "clock", {"zone_s": 3600, "zone_then_s": 0}), w.end(AGE, 2)],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_first_suspect_is_who_did_it(tmp_path, case):
    name, events = CASES[case]
    assert first(judged(tmp_path, *events)) == name


def test_the_cases_cover_what_can_be_told_on_the_host_itself():
    """A spot machine and a budget take the host with them: no log tells them from a failed node."""
    covered = {name for name, _ in CASES.values()}
    assert {each.name for each in evidence.ALL_SUSPECTS} - covered == {"node", "spot", "budget"}


@pytest.mark.parametrize(
    ("asked", "manner"), [([], "without a warning"), ([sent(AGE, 15, pid=1)], "good order")]
)
def test_a_host_that_went_down(tmp_path, asked, manner):
    found = judged(tmp_path, *w.samples(AGE), *asked, now=w.REBOOTED)
    assert found.ending.how == "rebooted"
    assert manner in found.ending.words
    assert "booted 1 h 00 min later" in found.ending.words
    assert {each.suspect.name for each in found.suspects[:2]} <= {"node", "spot"}


def test_a_boot_weeks_later_may_have_another_reason(tmp_path):
    now = dataclasses.replace(w.REBOOTED, booted_s=w.REBOOTED.booted_s + 14 * 86400)
    assert "may have ended before, unseen" in judged(tmp_path, *w.samples(AGE), now=now).ending.words


def test_a_sigkill_from_nowhere_is_not_pinned_on_memory(tmp_path):
    found = judged(tmp_path, *w.samples(AGE), w.end(AGE, -9), w.tail(AGE, "test 87000 ok"))
    ranked = [each.suspect.name for each in found.suspects]
    assert ranked.index("memory") > ranked.index("sweep")
    assert found.suspects[0].probability < 0.6, "nobody can know, and the verdict must not pretend to"
    assert any("who sent SIGKILL" in each for each in found.unknown)
    memory = next(each for each in found.suspects if each.suspect.name == "memory")
    assert any("/proc/vmstat" in words for words in memory.speaks_against)


def test_a_count_that_is_older_than_the_job_is_not_believed(tmp_path):
    found = judged(tmp_path, w.end(AGE, -9, oom_kills=3, host_oom_kills=0))
    assert not found.ending.oom


def test_a_job_that_was_asked_to_end_is_not_said_to_have_ended_by_itself(tmp_path):
    found = judged(tmp_path, sent(AGE - 20_000, 15, name="janitor", pid=9, terminal=False), w.end(AGE, 1))
    assert "20.00 s after SIGTERM from janitor (pid 9), without a terminal" in found.ending.words
    spoken = [words for each in found.suspects for words in (*each.speaks_for, *each.speaks_against)]
    assert not any("nothing stopped it" in words for words in spoken)


def test_status_137_is_read_as_a_shell_means_it_and_says_so(tmp_path):
    found = ending(run(tmp_path, w.end(AGE, 137)), w.GONE)
    assert (found.how, found.signal, found.by_shell) == ("exited", 9, True)
    assert "128 + 9" in found.words


def test_everything_gone_at_once_without_a_reboot(tmp_path):
    found = judged(tmp_path, *w.samples(AGE))
    assert found.ending.how == "vanished"
    assert first(found) in ("sweep", "deadline")
    assert any("no process was left" in each for each in found.unknown)


def test_a_log_from_another_host_is_not_judged_by_this_one(tmp_path):
    found = judged(tmp_path, *w.samples(AGE), now=w.ELSEWHERE)
    assert found.ending.how == "unknown"
    assert "the host that recorded it" in found.ending.words


def test_a_running_job_is_not_accused(tmp_path):
    for silent_ms, words in ((900, "is still running"), (10**6, "not recorded any more")):
        now = w.Present(here=True, same_boot=True, alive=True, silent_ms=silent_ms, booted_s=0.0)
        found = judged(tmp_path / str(silent_ms), *w.samples(AGE), now=now)
        assert found.ending.how == "running"
        assert words in found.ending.words
        assert found.suspects == ()


def test_the_witness_may_not_know_the_status(tmp_path):
    found = ending(run(tmp_path, (9, "takeover", {"job": 4242}), w.end(AGE, None, by="witness")), w.GONE)
    assert (found.how, found.status, found.signal) == ("unknown", None, 0)
    assert "unknown" in found.words


def test_a_damaged_first_record_does_not_hide_the_end(tmp_path):
    recording = w.written(tmp_path / "0001", w.job(), w.end(AGE, -9))
    found = verdict(recording, w.ELSEWHERE)
    assert found.ending.signal == 9
    assert recording.command == ()


def test_a_timeout_above_the_recorder_counts_only_when_its_time_has_come(tmp_path):
    begun = w.start(ancestors=["timeout -k 5 10m heisenlab record -- job", "bash"])
    for age_ms, counts in ((600_400, True), (300_000, False)):
        recording = run(tmp_path / str(age_ms), w.end(age_ms, -9), begun=begun)
        words = [each.words for each in evidence.gather(recording, ending(recording, w.GONE))]
        assert any("started by `timeout" in each for each in words) is counts


def test_words_are_those_of_the_scenario(tmp_path):
    found = judged(tmp_path, w.end(AGE, -9))
    words = {each.suspect.words for each in found.suspects}
    assert {each.words for each in SUSPECTS} <= words


def test_probabilities_add_up_and_no_evidence_is_counted_on_both_sides(tmp_path):
    for number, (_, events) in enumerate(CASES.values()):
        found = judged(tmp_path / str(number), *events)
        assert sum(each.probability for each in found.suspects) == pytest.approx(1)
        for each in found.suspects:
            assert not set(each.speaks_for) & set(each.speaks_against)


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [(0, "0.00 s"), (1520, "1.52 s"), (59_999, "60.00 s"), (61_000, "1 min 01 s"), (AGE, "70 h 00 min")],
)
def test_durations(milliseconds, words):
    assert duration(milliseconds) == words


@pytest.mark.parametrize("status", [1, 2, 3, 42, 77, 126, 255])
@pytest.mark.parametrize("lines", [(), ("test 7 ok",), ("Traceback", "ValueError: x")])
def test_an_exit_without_a_word_of_a_database_is_not_pinned_on_one(tmp_path, status, lines):
    events = [w.tail(500, *lines)] if lines else []
    found = judged(tmp_path, w.end(500, status), *events)
    probabilities = {each.suspect.name: each.probability for each in found.suspects}
    assert first(found) == "application"
    assert probabilities["application"] > 0.8
    assert probabilities["database"] < 0.08


@pytest.mark.parametrize("named", [True, False])
def test_a_status_of_0_is_no_success_if_something_of_it_was_killed_for_memory(tmp_path, named):
    kernel = [KILL_LINE] if named else []
    found = judged(tmp_path, w.end(AGE, 0, kernel=kernel, oom_kills=0 if named else 1, host_oom_kills=1))
    assert not found.ending.well
    assert "no success" in found.ending.words
    assert ("a process of the job" in found.ending.words) is named
    assert ("control group" in found.ending.words) is not named
    assert first(found) == "memory"
    spoken = [words for each in found.suspects for words in each.speaks_for]
    assert not any("nothing stopped it" in words for words in spoken)


def test_where_recorder_and_witness_are_gone_nothing_is_claimed_of_the_end(tmp_path):
    found = judged(tmp_path, *w.samples(AGE))
    assert "unknown" in found.ending.words
    assert "killed by" not in found.ending.words
    assert not found.ending.is_known
    assert found.suspects[0].probability < 0.6
    spoken = " ".join(words for each in found.suspects for words in (*each.speaks_for, *each.speaks_against))
    assert "the recorder was killed" not in spoken


def test_numbers_of_signals_are_those_of_linux():
    if sys.platform == "linux":
        assert {each.name: int(each) for each in signals.Signal} == {
            name: int(getattr(signal, name)) for name in signals.Signal.__members__
        }
