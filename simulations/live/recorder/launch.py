"""Records a command from Python: the recorder runs in a process of its own.

The recorder blocks signals, adopts orphans and waits for every child of its process, none of which a notebook
or a test could bear. So this starts `python -m simulations.live.recorder` and reads its answer from a pipe.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from simulations.errors import LabError
from simulations.live.recorder.log import LogError
from simulations.live.recorder.signals import TraceError
from simulations.live.recorder.supervisor import Options, Recorded, RecorderError, supervise

if TYPE_CHECKING:
    from collections.abc import Sequence

_ANSWER_BYTES_MAX: Final = 64 * 1024
_ERRORS: Final = {each.__name__: each for each in (RecorderError, LogError, TraceError)}


def record(command: Sequence[str], folder: Path | str = "runs", options: Options | None = None) -> Recorded:
    """Run a command under the recorder until it ends.

    Its input and output are those of this process. An interrupt (Ctrl-C) reaches the job; once the job has
    ended it is raised here.

    Args:
        command: The command and its arguments.
        folder: Each run gets a folder of its own in it.
        options: How to record.

    Raises:
        RecorderError: the system is not Linux, or no folder can be made for the run, or the recorder was
            killed; what it noted until then is in its log.
        LogError: no log can be kept in the folder.
        TraceError: signals were to be traced and cannot be.
    """
    request = json.dumps([list(command), str(folder), _options_as_json(options or Options())])
    answer, reply = os.pipe()
    try:
        recorder = subprocess.Popen(
            [sys.executable, "-m", "simulations.live.recorder", request, str(reply)], pass_fds=[reply]
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
        os.close(answer)
        os.close(reply)
    return _answered(json.loads(text))


def _options_as_json(options: Options) -> dict[str, object]:
    return {**asdict(options), "log": str(options.log.absolute()) if options.log else None}


def _answered(words: list[str | int]) -> Recorded:
    match words:
        case [str(error), str(message)]:
            raise _ERRORS.get(error, LabError)(message)
        case [str(folder), int(status)]:
            return Recorded(Path(folder), status)
    raise RecorderError(f"the recorder answered {words!r}")


def main(request: str, reply: str) -> None:
    """Record as asked, and answer `[folder, status]`, or `[error, message]`.

    Args:
        request: The command, the folder and the options, as JSON.
        reply: The descriptor of the pipe for the answer.
    """
    command, folder, chosen = json.loads(request)
    os.set_inheritable(int(reply), False)  # the job must not get it
    answer: list[str | int]
    try:
        log = Path(chosen["log"]) if chosen["log"] else None
        recorded = supervise(command, Path(folder), Options(**{**chosen, "log": log}))
        answer = [str(recorded.folder), recorded.status]
    except LabError as error:
        answer = [type(error).__name__, str(error)]
    os.write(int(reply), json.dumps(answer).encode())
