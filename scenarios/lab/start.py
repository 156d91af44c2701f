"""Where a process of `heisenlab` starts: it loads next to nothing before Ctrl-C ends it in one line."""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import Self

_UNUSABLE = 2
_SIGNALLED = 128
_INTERRUPTED = 130  # as a shell gives it; `scenarios.lab.commands.command` is not loaded yet


def main() -> int:
    """Run the command of the process and return its exit status."""
    return _guarded(_command)


def pytest_session() -> int:
    """Run pytest with the arguments of the process but the first, and return its exit status.

    The first is a descriptor on which nothing arrives; when its other end is closed, the process that started
    this one is gone, and this one ends too. -1 is none.
    """
    return _guarded(_pytest)


def _command() -> int:
    from scenarios.lab.closed_streams import occupy  # noqa: PLC0415  (may be interrupted from here on)

    occupy()
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")  # what a terminal cannot show is no error
    from scenarios.lab.commands import main as run  # noqa: PLC0415  (inside the guard)

    return run()


def _pytest() -> int:
    descriptor = int(sys.argv.pop(1))
    if descriptor >= 0:
        from scenarios.lab.interrupts import end_when_closed  # noqa: PLC0415  (as above)

        end_when_closed(descriptor)
    with _Session() as session:
        import pytest  # noqa: PLC0415  (as above)

        try:
            return int(pytest.main(plugins=[session]))
        except OSError as error:  # pytest leaves so where its output is full or its reader gone
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
            sys.stderr.write(f"heisenlab: cannot write: {error.strerror}; not all was tested\n")
            return _UNUSABLE


class _Session:
    """Let Ctrl-C end a session of pytest at any moment, without a word of its own.

    While it imports, pytest takes what an interruption became for an error of what it imports; up to there
    nothing has been started that would have to be ended. Later it replaces the hook for what cannot be
    raised, so an interrupt in a callback of the garbage collector would become a warning. When it collects
    for the last time, the status is settled.
    """

    def __enter__(self) -> "Self":
        import signal  # noqa: PLC0415  (as above)

        self._usual = signal.getsignal(signal.SIGINT)
        self._delivered: AbstractContextManager[None] | None = None
        self._begun = False
        if self._usual is signal.default_int_handler:
            signal.signal(signal.SIGINT, lambda *_: os._exit(_INTERRUPTED))
        return self

    def __exit__(self, *_: object) -> None:
        if not self._begun:
            self._begin()
            self.pytest_unconfigure()

    def _begin(self) -> None:
        import signal  # noqa: PLC0415  (as above)

        from scenarios.lab.interrupts import delivered  # noqa: PLC0415  (as above)

        self._begun, self._delivered = True, delivered(endings=False)
        self._delivered.__enter__()
        signal.signal(signal.SIGINT, self._usual)

    def pytest_runtestloop(self) -> None:
        self._begin()

    def pytest_unconfigure(self) -> None:
        if self._delivered is not None:
            _ignore_interrupts()
            self._delivered.__exit__(None, None, None)
            self._delivered = None


def _guarded(run: "Callable[[], int]") -> int:
    """Run something; Ctrl-C ends it without a traceback, whatever it was loading."""
    try:
        from scenarios.lab.interrupts import delivered  # noqa: PLC0415  (may be interrupted from here on)

        with delivered(endings=False):
            status = run()
            _ignore_interrupts()
    except BaseException as error:
        if not _is_an_interrupt(error):
            raise
        _ignore_interrupts()
        if run is _command and sys.stderr is not None:  # of pytest's session the command says it
            sys.stderr.write("heisenlab: interrupted; that is no verdict\n")
        status = _INTERRUPTED
    if status > _SIGNALLED:
        _show_cursor()
    return status


def _show_cursor() -> None:
    """Show the cursor of the terminal: a progress bar that is interrupted twice leaves it hidden."""
    if sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        sys.stderr.write("\x1b[?25h")
        sys.stderr.flush()


def _is_an_interrupt(error: BaseException) -> bool:
    """Whether an error is Ctrl-C, or what Python made of it, as where a class is being made."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, KeyboardInterrupt):
        cause = cause.__cause__
    return cause is not None


def _ignore_interrupts() -> None:
    """Leave the end of the interpreter alone, which would print a traceback; the status is settled."""
    import signal  # noqa: PLC0415  (as above)

    signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
