"""What holds for all tests."""

import signal

import pytest
from hypothesis import HealthCheck, settings

from tests.environment import CHOOSING

settings.register_profile(
    "busy", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("busy")  # what takes long beside other work is no failure


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


@pytest.fixture(autouse=True, scope="session")
def off_the_build_server():
    """Show the tools that the tests run the same environment on a build server as at a desk."""
    with pytest.MonkeyPatch.context() as patched:
        for name in CHOOSING:
            patched.delenv(name, raising=False)
        yield
