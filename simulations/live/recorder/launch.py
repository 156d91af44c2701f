"""Records a command from Python: the recorder runs in a process of its own.

The recorder blocks signals, adopts orphans and waits for every child of its process, none of which a notebook
or a test could bear. So this starts `python -m simulations.live.recorder` and reads its answer from a pipe.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from simulations.live.recorder.supervisor import (
    NOT_EXECUTABLE,
    NOT_FOUND,
    NothingStartedError,
    Options,
    Recorded,
    RecorderError,
    require_linux,
    supervise,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ANSWER_BYTES_MAX: Final = 64 * 1024


def record(command: Sequence[str], folder: Path | str = "runs", options: Options | None = None) -> Recorded:
    """Run a command under the recorder until it ends.

    Its input and output are those of this process. An interrupt (Ctrl-C) reaches the job; once the job has
    ended it is raised here.

    Args:
        command: The command and its arguments.
        folder: Each run gets a folder of its own in it.
        options: How to record.

    Raises:
        RecorderError: the system is not Linux, or the recorder was killed; what it noted until then is in its
            log.
    """
    require_linux()
    asked = json.dumps([[*command], str(folder), _options_as_json(options or Options())]).encode()
    request = os.memfd_create("request")  # an argument may be too short for it, and others can read it
    answer, reply = os.pipe()
    try:
        with open(request, "wb", closefd=False) as file:
            file.write(asked)
        os.lseek(request, 0, os.SEEK_SET)
        recorder = subprocess.Popen(
            [sys.executable, "-m", "simulations.live.recorder", str(request), str(reply)],
            pass_fds=[request, reply],
        )
        try:
            recorder.wait()
        except KeyboardInterrupt:
            recorder.wait()  # in the same process group: recorder and job were interrupted as well
            raise
        os.set_blocking(answer, False)
        try:
            text = os.read(answer, _ANSWER_BYTES_MAX)
        except BlockingIOError:
            raise RecorderError(
                f"the recorder was ended (status {recorder.returncode}); what it had noted is in {folder}"
            ) from None
    finally:
        for fd in (request, answer, reply):
            os.close(fd)
    return _answered(json.loads(text), recorder.returncode)


def _options_as_json(options: Options) -> dict[str, object]:
    return {**asdict(options), "log": str(options.log.absolute()) if options.log else None}


def _answered(answer: dict[str, Any], returncode: int) -> Recorded:
    if error := answer.get("error"):
        raise RecorderError(error)
    folder, status = answer["folder"], answer["status"]
    return Recorded(
        folder=Path(folder) if folder else None,
        status=returncode if status is None else status,
        warnings=tuple(answer["warnings"]),
        asked_to_end=answer["asked_to_end"],
        mid_line=answer["mid_line"],
    )


def main(request: str, reply: str) -> None:
    """Record as asked, and answer with what was recorded, or with an error.

    Args:
        request: The descriptor of a file with the command, the folder and the options, as JSON.
        reply: The descriptor of the pipe for the answer.
    """
    with open(int(request), "rb") as file:  # noqa: PTH123  (as above)
        command, folder, chosen = json.load(file)
    os.set_inheritable(int(reply), False)  # the job must not get it
    log = Path(chosen["log"]) if chosen["log"] else None
    options = Options(**{**chosen, "log": log, "redact": tuple(chosen["redact"])})

    def answer(found: object) -> None:
        os.write(int(reply), json.dumps(found, default=str).encode())

    try:
        answer(asdict(supervise(command, Path(folder), options)))
    except RecorderError as error:
        answer({"error": str(error)})
    except NothingStartedError as error:

        def warn(words: str) -> None:
            answer(asdict(Recorded(None, 0, (words,))) | {"status": None})

        sys.exit(run_in_place(command, error, warn))


def run_in_place(command: Sequence[str], why: NothingStartedError, warn: Callable[[str], object]) -> int:
    """Run a command in the place of this process, which needs neither a descriptor nor a process more.

    Returns only if the command cannot be executed: the status that shells report then.

    Args:
        command: The command and its arguments.
        why: What kept it from being run below this process.
        warn: Called with a sentence that says so, before the command begins.
    """
    warn(f"nothing is recorded, and the job takes the place of the recorder: {why}")
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, which would be inherited
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], [*command])  # noqa: S606  (the user's command; there is no shell)
    except (FileNotFoundError, NotADirectoryError):
        return NOT_FOUND
    except (OSError, ValueError):  # a ValueError for a null character
        return NOT_EXECUTABLE
