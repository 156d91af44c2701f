"""What the tests of the thread explorer share."""

import pytest

from simulations.live.threads.search import portfolio


@pytest.fixture
def no_audit(monkeypatch):
    """Audit no proof: chance would find what it misses."""
    monkeypatch.setattr(portfolio, "AUDITS", 0)
