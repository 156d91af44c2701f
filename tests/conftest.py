"""What holds for all tests."""

import signal

import pytest


@pytest.fixture(autouse=True, scope="session")
def interruptible():
    """Let signals arrive that are ignored, as in the background or under `nohup`; children inherit that."""
    names = [name for name in ("SIGINT", "SIGHUP", "SIGQUIT") if hasattr(signal, name)]
    ignored = [name for name in names if signal.getsignal(getattr(signal, name)) is signal.SIG_IGN]
    for name in ignored:
        usual = signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL
        signal.signal(getattr(signal, name), usual)
    yield
    for name in ignored:
        signal.signal(getattr(signal, name), signal.SIG_IGN)
