"""What can be seen of a death, by whom, and what it costs to look.

A death leaves signs. Each observation reads one of them, sometimes wrongly: logs rotate, an out-of-memory
kill of a child is not counted, a scheduler reports a killed task as a success. It costs days of waiting, and
some signs lie with another team.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from simulations.batch_job.environment import (
    AILMENTS,
    CHANCE_EVERY_H,
    CHANCES,
    CLOCKS,
    LAUNCHES,
    NOTICE_MS,
    SETUPS_H,
    TRACEBACK,
    WEEK_H,
)
from simulations.batch_job.rules import MECHANISMS
from simulations.batch_job.system import FINISHED, HEARTBEAT_MS, run
from simulations.batch_job.variants import AS_SHIPPED
from simulations.batch_job.workload import HOUR_MS, Job
from simulations.choices import Deviation, drawn
from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from simulations.batch_job.system import Attempt, Run

__all__ = ["OBSERVATIONS", "History", "died_silently", "history_of"]

RUNS_COMPARED: Final = 3

SHOPS_MAX: Final = 1_000
LAUNCHES_MAX: Final = 40
"""How many shops are drawn, and launches in each, before a cause is said to kill no job."""


@dataclass(frozen=True)
class Signs:
    """What the death of an attempt left behind.

    Attributes:
        sigterm: The job got a notice before it was killed.
        traceback: Its own code could write why.
        node_lost: The machine went with it.
        oom_event: The kernel counted an out-of-memory kill.
    """

    sigterm: bool
    traceback: bool
    node_lost: bool
    oom_event: bool

    @property
    def silent(self) -> bool:
        """Whether it left nothing that the owner of the job can read."""
        return not (self.sigterm or self.traceback or self.node_lost or self.oom_event)


def signs(attempt: Attempt) -> Signs:
    """Return what an end left behind. A sweep sends SIGKILL and leaves the machine as it is."""
    return Signs(
        sigterm=attempt.cause in NOTICE_MS,
        traceback=attempt.cause in TRACEBACK,
        node_lost=attempt.cause in ("node", "spot"),
        oom_event=attempt.cause == "memory",
    )


def died_silently(attempt: Attempt) -> bool:
    """Return whether an attempt ended unfinished, and left nothing that the owner of the job can read."""
    return attempt.cause != FINISHED and signs(attempt).silent


def hour_of_week(attempt: Attempt) -> int:
    """Return the local hour of the week at which an attempt ended, 0 for Monday 00:00."""
    return (attempt.end_ms // HOUR_MS + attempt.shift_h) % WEEK_H


@dataclass(frozen=True)
class History:
    """Three deaths of one job in one shop, and a fourth run whose machine carries an owner tag.

    Attributes:
        deaths: The last attempt of each of the three campaigns.
        leaks: Whether the job leaks memory.
        canary_died: Whether the tagged run died as well.
    """

    deaths: tuple[Attempt, ...]
    leaks: bool
    canary_died: bool

    @property
    def first(self) -> Attempt:
        """The death that is looked at."""
        return self.deaths[0]


@dataclass(frozen=True)
class Observation:
    """A way to look at a death.

    Attributes:
        name: Its key.
        words: What is looked at.
        days: For how many days one waits for the answer, beyond the death itself. An assumption.
        whose: Who can read it.
        look: From a history, and a function that says whether something of a given probability happens, to an
            outcome. The probabilities of what is misread are assumptions; where a source stands, it says that
            it happens, not how often.
    """

    name: str
    words: str
    days: float
    whose: str
    look: Callable[[History, Callable[[float], bool]], str]


def _exit_status(history: History, errs: Callable[[float], bool]) -> str:
    sign = signs(history.first)
    if sign.node_lost:
        return "none"  # no parent was there to wait for the process
    if errs(0.05):
        return "success"  # apache/airflow#60858: killed by SIGKILL, and the executor reports success
    if sign.traceback:
        return "1"
    return "143" if sign.sigterm and not errs(0.5) else "137"


def _yes(answer: bool) -> str:  # noqa: FBT001  (turns an answer into a word)
    return "yes" if answer else "no"


def _traceback(history: History, errs: Callable[[float], bool]) -> str:
    return _yes(signs(history.first).traceback and not errs(0.1))  # one log in ten has rotated


def _sigterm(history: History, errs: Callable[[float], bool]) -> str:
    return _yes(signs(history.first).sigterm and not errs(0.2))  # most programs do not log it


def _oom_event(history: History, errs: Callable[[float], bool]) -> str:
    # kubernetes/kubernetes#50632, #78973, #100483: the kill of a child that is not process 1 is not reported.
    return _yes(signs(history.first).oom_event and not errs(0.25))


def _uptime(history: History, errs: Callable[[float], bool]) -> str:
    return _yes(signs(history.first).node_lost and not errs(0.05))


def _stalled(history: History, errs: Callable[[float], bool]) -> str:
    slow = {"database": 0.7, "memory": 0.3, "application": 0.2}
    return _yes(errs(slow.get(history.first.cause, 0.02)))


def _same_second(history: History, errs: Callable[[float], bool]) -> str:
    together = {"database": 0.3, "application": 0.3, "memory": 0.5}
    return _yes(errs(together.get(history.first.cause, 0.95)))


def _rss(history: History, errs: Callable[[float], bool]) -> str:
    return _yes(history.leaks or errs(0.25))  # memory grows in many a job that does not die of it


def _database_log(history: History, errs: Callable[[float], bool]) -> str:
    return _yes(errs(0.9 if history.first.cause == "database" else 0.1))


def _same_age(history: History, _: Callable[[float], bool]) -> str:
    minutes = {(death.end_ms - death.start_ms) // HEARTBEAT_MS for death in history.deaths}
    return _yes(max(minutes) - min(minutes) <= 1)


def _same_hour(history: History, _: Callable[[float], bool]) -> str:
    return _yes(len({hour_of_week(death) for death in history.deaths}) == 1)


def _audit(history: History, errs: Callable[[float], bool]) -> str:
    by_platform = history.first.cause in ("sweep", "spot", "budget")
    return _yes(errs(0.9 if by_platform else 0.02))


def _canary(history: History, _: Callable[[float], bool]) -> str:
    return _yes(not history.canary_died)


OBSERVATIONS: Final = (
    Observation("exit status", "the exit status", 0, "the job's team", _exit_status),
    Observation("traceback", "a traceback at the end of the log", 0, "the job's team", _traceback),
    Observation("sigterm", "a SIGTERM in the log", 0, "the job's team", _sigterm),
    Observation("stalled", "progress that stalls before the end", 0, "the job's team", _stalled),
    Observation("same second", "all workers gone in one second", 0, "the job's team", _same_second),
    Observation("oom event", "an out-of-memory kill that was counted", 1, "operations", _oom_event),
    Observation("uptime", "a machine that came up again since", 1, "operations", _uptime),
    Observation("database log", "the database's log of that minute", 2, "the database's team", _database_log),
    Observation("memory", "memory that grows, in one more run", 3, "the job's team", _rss),
    Observation("same age", "the same age at death in three runs", 7, "the job's team", _same_age),
    Observation(
        "same hour", "the same hour of the week in three runs launched apart", 9, "the job's team", _same_hour
    ),
    Observation("canary", "survival of a run with an owner tag", 7, "the job's team", _canary),
    Observation("audit log", "a call in the platform's audit log", 15, "the cloud team", _audit),
)
"""Every way to look at a death that an investigation may choose from, the quickest first, by and large."""


def _plan(suspect: str, draw: Random, fixed: dict[str, int]) -> list[Deviation]:
    """Draw the deviations of one run that this suspect kills; `fixed` is what three runs have in common."""
    launch = draw.randrange(len(LAUNCHES))
    plan = [Deviation("launch", 0, launch)] if launch else []
    plan += [Deviation("owner_tag", 0, 1)] if fixed["untagged"] or suspect == "sweep" else []
    plan += [Deviation("setup", 0, fixed["setup"])] if fixed["setup"] else []
    if suspect == "memory":
        plan.append(Deviation("trouble", 0, fixed["leak"]))
    elif suspect == "deadline":
        plan.append(Deviation("trouble", 0, fixed["limit"]))
    elif suspect == "sweep":
        plan.append(Deviation("sweep", 0, 1))
    elif suspect == "clock":
        plan.append(Deviation("clock", 0, len(CLOCKS) - 1))
    else:
        # A defect of the program strikes at the same place each time; the others are chance.
        place = fixed["place"] if suspect == "application" else draw.randrange(72 // CHANCE_EVERY_H)
        plan.append(Deviation("trouble", 1 + place, CHANCES.index(suspect)))
    return plan


def history(suspect: str, draw: Random, job: Job | None = None) -> History:
    """Draw three deaths by one suspect, by running the world until it has killed three times.

    Args:
        suspect: The name of a suspect in `simulations.suspects`.
        draw: A seeded stream.
        job: The input; its rule is drawn from the three of the story.

    Raises:
        LabError: this suspect killed no job in `SHOPS_MAX` shops.
    """
    for _ in range(SHOPS_MAX):
        shop = replace(job or Job(), rule=draw.choice(MECHANISMS))
        fixed = {
            "untagged": draw.randrange(2),
            "setup": draw.randrange(len(SETUPS_H)),
            "leak": draw.choice([number for number, each in enumerate(AILMENTS) if each.leak_kib]),
            "limit": draw.choice([number for number, each in enumerate(AILMENTS) if each.deadline_h]),
            "place": draw.randrange(72 // CHANCE_EVERY_H),
        }
        deaths: list[Attempt] = []
        for _ in range(LAUNCHES_MAX):
            plan = _plan(suspect, draw, fixed)
            attempt = run(AS_SHIPPED, shop, drawn(plan)).attempts[0]
            deaths += [attempt] if attempt.cause == suspect else []
            if len(deaths) == RUNS_COMPARED:
                return History(tuple(deaths), suspect == "memory", _canary_died(shop, plan))
    raise LabError(f"suspect {suspect} never killed {RUNS_COMPARED} runs, in {SHOPS_MAX} shops")


def _canary_died(job: Job, plan: list[Deviation]) -> bool:
    tagged = [deviation for deviation in plan if deviation.label != "owner_tag"]
    return run(AS_SHIPPED, job, drawn(tagged)).attempts[0].cause != FINISHED


def history_of(run: Run, reruns: tuple[Run, ...], canary: Run) -> History:
    """Return the history of a campaign that was found, with the runs that the observations ask for."""
    deaths = tuple(each.attempts[-1] for each in (run, *reruns))
    return History(deaths, bool(run.people.ailment.leak_kib), canary.attempts[-1].cause != FINISHED)
