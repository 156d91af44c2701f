"""What the records of a log say: each kind of record is a frozen dataclass.

The recorder writes these classes and a reader parses a log into them (`simulations.live.recorder.codec`), so
the key in the log is the name of the attribute and cannot be misspelt. What is missing, damaged or of another
type is None, or an empty tuple.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, NamedTuple, TypeAlias

Amount: TypeAlias = Annotated[int | None, "not negative"]
"""A count or a size; None if it is unknown, which older logs write as -1."""


class Sample(NamedTuple):
    """All processes of the job at one moment; sums, except where it says otherwise.

    Attributes:
        processes: Living processes.
        started: Processes seen so far.
        rss_kb: Resident memory, KiB; shared pages count once for each process.
        vsize_kb: Virtual size of the largest process, KiB.
        cpu_ms: CPU time so far, of the ended processes too, milliseconds.
        threads: Threads.
        files: Open files.
        read_kb: Read from storage so far, KiB.
        write_kb: Written to storage so far, KiB.
        switches: Voluntary context switches so far.
        preempted: Involuntary context switches so far.
        load: Load of the host over one minute, in hundredths.
        available_kb: Memory of the host that could still be used, KiB.
        disk_free_kb: Free space where the job was started, KiB; -1 if unknown.
        cgroup_kb: What the control group of the job uses, KiB; -1 if unknown.
        lines: Lines that the job wrote so far.
    """

    processes: int
    started: int
    rss_kb: int
    vsize_kb: int
    cpu_ms: int
    threads: int
    files: int
    read_kb: int
    write_kb: int
    switches: int
    preempted: int
    load: int
    available_kb: int
    disk_free_kb: int
    cgroup_kb: int
    lines: int


class Who(StrEnum):
    """What sent a signal."""

    KERNEL = "kernel"
    """The kernel itself, as for Ctrl-C, a terminal that hangs up, or a limit."""

    OUTSIDE = "outside"
    """A process outside of this pid namespace."""

    PROCESS = "process"
    """Another process of this system."""

    ITSELF = "itself"
    """A process of the job."""


@dataclass(frozen=True)
class Origin:
    """What the system says of the sender of a signal.

    Attributes:
        who: What it is.
        pid: Its pid.
        name: The name of its program, at most 15 characters; None if it had ended already.
        terminal: It had a terminal, as a person's shell has and a daemon has not.
    """

    who: Who | None = None
    pid: int | None = None
    name: str | None = None
    terminal: bool | None = None


@dataclass(frozen=True)
class TracedSignal:
    """A signal to the job in the kernel's trace.

    Attributes:
        signal: Its number.
        ours: A process of the job sent it.
        who: What sent it.
        pid: The sender's pid.
        name: The sender's program.
        terminal: The sender had a terminal.
    """

    signal: int | None = None
    ours: bool | None = None
    who: Who | None = None
    pid: int | None = None
    name: str | None = None
    terminal: bool | None = None


@dataclass(frozen=True)
class LeftBehind:
    """A process of the job that outlived it.

    Attributes:
        pid: Its pid.
        command: Its command line, cut short.
    """

    pid: int | None = None
    command: str | None = None


@dataclass(frozen=True)
class Start:
    """How a run began, and what later readings are compared with.

    Attributes:
        schema: The version of the records.
        command: The command and its arguments.
        folder: Where it was started.
        recorder: The pid of the recorder.
        interval_s: Seconds between samples.
        output: How the output is seen, in words.
        log: The job's own log file.
        traced: Signals are traced by the kernel.
        terminal: The recorder has a controlling terminal.
        ancestors: The programs above the recorder, the nearest first; of `timeout` its command line.
        scheduler: The schedulers that left their variables in the environment.
        slurm_end_s: Slurm's time limit, seconds since 1970, as digits.
        host: The name of the host.
        kernel: The release of the kernel.
        memory_kb: Memory of the host, KiB.
        processors: Processors of the host.
        wall_ms: The wall clock at the start, milliseconds since 1970.
        zone: The name of the time zone.
        zone_s: The zone's offset from UTC, seconds.
        boot: The identity of the host's boot.
        booted_ms: Milliseconds from the boot to the start of the run.
        kernel_log: The recorder may read the kernel's messages.
        cgroup: The folder of the control group.
        cgroup_limit_kb: What the control group may use, KiB; None if there is no limit.
        at_ms: When it was noted, milliseconds since the start of the run.
    """

    schema: int | None = None
    command: tuple[str, ...] = ()
    folder: str | None = None
    recorder: int | None = None
    interval_s: float | None = None
    output: str | None = None
    log: str | None = None
    traced: bool | None = None
    terminal: bool | None = None
    ancestors: tuple[str, ...] = ()
    scheduler: tuple[str, ...] = ()
    slurm_end_s: str | None = None
    host: str | None = None
    kernel: str | None = None
    memory_kb: Amount = None
    processors: int | None = None
    wall_ms: int | None = None
    zone: str | None = None
    zone_s: int | None = None
    boot: str | None = None
    booted_ms: int | None = None
    kernel_log: bool | None = None
    cgroup: str | None = None
    cgroup_limit_kb: Amount = None
    at_ms: int = 0


@dataclass(frozen=True)
class Job:
    """The job has been started.

    Attributes:
        pid: Its pid.
        start: When it began, in clock ticks since the host booted.
        at_ms: When it was noted, milliseconds since the start of the run.
    """

    pid: int | None = None
    start: int | None = None
    at_ms: int = 0


@dataclass(frozen=True)
class NotStarted:
    """The command could not be executed.

    Attributes:
        errno: The error's number.
        words: The command and the error.
        at_ms: When it was noted, milliseconds since the start of the run.
    """

    errno: int | None = None
    words: str | None = None
    at_ms: int = 0


@dataclass(frozen=True)
class WitnessReady:
    """The witness watches the recorder.

    Attributes:
        pid: Its pid.
        at_ms: When it was noted, milliseconds since the start of the run.
    """

    pid: int | None = None
    at_ms: int = 0


@dataclass(frozen=True)
class Takeover:
    """The recorder was killed; the witness goes on.

    Attributes:
        job: The pid of the job; -1 if none had been started.
        at_ms: When it was noted, milliseconds since the start of the run.
    """

    job: int | None = None
    at_ms: int = 0


@dataclass(frozen=True)
class SignalSeen:
    """A signal to the recorder.

    Attributes:
        signal: Its number.
        uid: The user of the sender.
        ours: A process of the job sent it.
        to_all: The whole process group got it.
        forwarded: It was passed on to the job.
        who: What sent it.
        pid: The sender's pid.
        name: The sender's program.
        terminal: The sender had a terminal.
        at_ms: When it was noted, milliseconds since the start of the run.
    """

    signal: int | None = None
    uid: int | None = None
    ours: bool | None = None
    to_all: bool | None = None
    forwarded: bool | None = None
    who: Who | None = None
    pid: int | None = None
    name: str | None = None
    terminal: bool | None = None
    at_ms: int = 0


@dataclass(frozen=True)
class ClockStep:
    """The wall clock or its zone changed, or the host was suspended; one of these at a time.

    Attributes:
        jump_ms: By how much the wall clock jumped.
        suspended_ms: How long the host was suspended.
        zone_s: The zone's new offset from UTC, seconds.
        zone_then_s: The offset before.
        at_ms: When it was noted, milliseconds since the start of the run.
    """

    jump_ms: int | None = None
    suspended_ms: int | None = None
    zone_s: int | None = None
    zone_then_s: int | None = None
    at_ms: int = 0


@dataclass(frozen=True)
class Limits:
    """The finite resource limits of the job, each as (soft, hard); -1 is unlimited.

    Attributes:
        cpu_s: CPU time, seconds.
        file_bytes: Size of a file.
        data_bytes: Size of the data segment.
        processes: Processes of the user.
        files: Open files.
        address_bytes: Address space.
        at_ms: When it was noted, milliseconds since the start of the run.
    """

    cpu_s: tuple[int, int] | None = None
    file_bytes: tuple[int, int] | None = None
    data_bytes: tuple[int, int] | None = None
    processes: tuple[int, int] | None = None
    files: tuple[int, int] | None = None
    address_bytes: tuple[int, int] | None = None
    at_ms: int = 0


@dataclass(frozen=True)
class CgroupMoved:
    """The job moved to another control group.

    Attributes:
        folder: The folder of the group.
        limit_kb: What it may use, KiB; None if there is no limit.
        at_ms: When it was noted, milliseconds since the start of the run.
    """

    folder: str | None = None
    limit_kb: Amount = None
    at_ms: int = 0


@dataclass(frozen=True)
class Child:
    """A process of the job was seen for the first time.

    Attributes:
        pid: Its pid.
        ppid: Its parent.
        rss_kb: Its resident memory, KiB.
        command: Its command line, cut short.
        at_ms: When it was noted, milliseconds since the start of the run.
    """

    pid: int | None = None
    ppid: int | None = None
    rss_kb: Amount = None
    command: str | None = None
    at_ms: int = 0


@dataclass(frozen=True)
class Gone:
    """A process of the job has ended.

    Attributes:
        pid: Its pid.
        age_ms: How long it was seen, milliseconds.
        cpu_ms: Its CPU time, milliseconds.
        peak_kb: Its largest resident memory in a sample, KiB.
        at_ms: When it was noted, milliseconds since the start of the run.
    """

    pid: int | None = None
    age_ms: int | None = None
    cpu_ms: Amount = None
    peak_kb: Amount = None
    at_ms: int = 0


@dataclass(frozen=True)
class Grown:
    """A process of the job has grown by half.

    Attributes:
        pid: Its pid.
        peak_kb: Its resident memory, KiB.
        at_ms: When it was noted, milliseconds since the start of the run.
    """

    pid: int | None = None
    peak_kb: Amount = None
    at_ms: int = 0


@dataclass(frozen=True)
class LastLine:
    """The job's last line, noted now and then.

    Attributes:
        text: The line, cut short.
        at_ms: When it was noted, milliseconds since the start of the run.
    """

    text: str | None = None
    at_ms: int = 0


@dataclass(frozen=True)
class LastLines:
    """What the job had written at its end.

    Attributes:
        lines: Lines in all.
        bytes: Bytes in all.
        last: The last lines, oldest first.
        at_ms: When it was noted, milliseconds since the start of the run.
    """

    lines: Amount = None
    bytes: Amount = None
    last: tuple[str, ...] = ()
    at_ms: int = 0


@dataclass(frozen=True)
class Fault:
    """Something of the recorder itself did not work.

    Attributes:
        text: The exception, or what was done without.
        at_ms: When it was noted, milliseconds since the start of the run.
    """

    text: str | None = None
    at_ms: int = 0


@dataclass(frozen=True)
class Lost:
    """Records that the disk did not take.

    Attributes:
        count: How many.
        at_ms: When it was noted, milliseconds since the start of the run.
    """

    count: Amount = None
    at_ms: int = 0


@dataclass(frozen=True)
class End:
    """The job has ended.

    Attributes:
        by: `recorder` or `witness`: which process noted it.
        status: As `subprocess.Popen.returncode`: the exit status, or minus the signal.
        core: It dumped core.
        cpu_ms: CPU time of the job and of what it waited for, milliseconds.
        peak_kb: Resident memory of its largest process, KiB.
        limits: Its resource limits.
        oom_kills: Processes of its control groups that were ended because memory ran out.
        host_oom_kills: The same for the whole host.
        cgroup_limit_kb: What its control group may use, KiB; None if there is no limit.
        kernel: Messages of the kernel that may concern its end.
        left_behind: Processes that outlived it, the first of them.
        left_behind_count: How many outlived it.
        unnoted: Changes of single processes that were not noted, to keep the log small.
        senders: The signals to it that the kernel traced; None if they were not traced.
        at_ms: When it was noted, milliseconds since the start of the run.
    """

    by: str | None = None
    status: int | None = None
    core: bool | None = None
    cpu_ms: Amount = None
    peak_kb: Amount = None
    limits: Limits | None = None
    oom_kills: Amount = None
    host_oom_kills: Amount = None
    cgroup_limit_kb: Amount = None
    kernel: tuple[str, ...] = ()
    left_behind: tuple[LeftBehind, ...] = ()
    left_behind_count: Amount = None
    unnoted: Amount = None
    senders: tuple[TracedSignal, ...] | None = None
    at_ms: int = 0


Event: TypeAlias = (
    Start
    | Job
    | NotStarted
    | WitnessReady
    | Takeover
    | SignalSeen
    | ClockStep
    | Limits
    | CgroupMoved
    | Child
    | Gone
    | Grown
    | LastLine
    | LastLines
    | Fault
    | Lost
    | End
)
