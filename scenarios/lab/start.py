"""Where the process of `heisenlab` starts: it loads next to nothing before Ctrl-C ends it in one line."""

import sys

_INTERRUPTED = 130  # as `scenarios.lab.commands.command.INTERRUPTED`, which is not loaded yet


def main() -> int:
    """Run the command and return its exit status; whatever it loads, Ctrl-C ends it without a traceback."""
    try:
        from scenarios.lab.interrupts import delivered  # noqa: PLC0415  (may be interrupted from here on)

        reconfigure = getattr(sys.stdout, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")  # what a terminal cannot show is no error
        with delivered(endings=False):
            from scenarios.lab.commands import main as run  # noqa: PLC0415  (as above)

            status = run()
            _ignore_interrupts()
    except KeyboardInterrupt:
        _ignore_interrupts()
        sys.stderr.write("heisenlab: interrupted; that is no verdict\n")
        return _INTERRUPTED
    return status


def _ignore_interrupts() -> None:
    """Leave the end of the interpreter alone, which would print a traceback; the status is settled."""
    import signal  # noqa: PLC0415  (as above)

    signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
