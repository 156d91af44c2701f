import sys
import threading

import pytest

from simulations.cache import services, stress
from simulations.cache.stress import Stress, open_shop, work
from simulations.cache.variants import System
from simulations.cache.workload import KEY, Workload
from simulations.errors import LabError

IN_PROCESS = System(database_ms=0)


def test_it_counts_its_runs_and_puts_the_switch_interval_back():
    before, threads = sys.getswitchinterval(), threading.active_count()
    stressed = stress.stress(IN_PROCESS, seconds=60, runs_max=50, switch_interval_s=1e-6)
    assert stressed.runs == 50
    assert stressed.switch_interval_s == pytest.approx(1e-6)
    assert sys.getswitchinterval() == before
    assert threading.active_count() == threads


def test_it_sees_what_happens_where_the_window_is_wide(monkeypatch):
    write = services.AsShipped.write
    shops = {}

    def steps_of(service):
        return shops.setdefault(id(service), (service, threading.Event(), threading.Event()))[1:]

    def read(self, key):
        value = self.store.get(key)
        if value is None:
            has_read, has_written = steps_of(self)
            value = self.database.read(key).value
            has_read.set()
            has_written.wait(60)
            self.store.set(key, value)
        return value

    def write_meanwhile(self, key, value):
        has_read, has_written = steps_of(self)
        has_read.wait(60)
        write(self, key, value)
        has_written.set()

    monkeypatch.setattr(services.AsShipped, "read", read)
    monkeypatch.setattr(services.AsShipped, "write", write_meanwhile)
    stressed = stress.stress(System(database_ms=1), seconds=60, runs_max=5)
    assert stressed.stale == stressed.runs == 5


@pytest.mark.parametrize("design", services.DESIGNS)
def test_every_design_runs_on_real_threads_and_one_client_alone_is_right(design):
    shop = open_shop(System(design, database_ms=0))
    work(shop.service, "rwr", (1,))
    assert shop.service.read(KEY) == 1
    assert not shop.stale


def test_what_a_client_raises_comes_out(monkeypatch):
    def broken(self, key):
        raise RuntimeError("out of order")

    monkeypatch.setattr(services.AsShipped, "read", broken)
    threads = threading.active_count()
    with pytest.raises(RuntimeError, match="out of order"):
        stress.stress(IN_PROCESS, seconds=60, runs_max=5)
    assert threading.active_count() == threads


def test_nothing_seen_is_not_nothing_there():
    nothing = Stress(runs=42_838, stale=0, switch_interval_s=0.005, seconds=10)
    assert nothing.rate == (0, pytest.approx(1 - 0.05 ** (1 / 42_838)))
    assert str(nothing) == (
        "0 of 42,838 runs stale at a switch interval of 5000 us; so the rate is below 70 per million "
        "with 95 % confidence"
    )
    assert Stress(1, 0, 0.005, 1).rate == (0, pytest.approx(0.95))


def test_the_interval_where_something_was_seen():
    # Wilson's interval for 8 of 100, as published tables give it: 0.0411 to 0.1500.
    low, high = Stress(100, 8, 0.005, 1).rate
    assert (round(low, 4), round(high, 4)) == (0.0411, 0.15)
    between = f"{low * 1e6:,.0f} to {high * 1e6:,.0f}"
    assert str(Stress(100, 8, 1e-6, 1)) == (
        f"8 of 100 runs stale at a switch interval of 1 us; so the rate is {between} per million "
        f"with 95 % confidence"
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"seconds": 0}, "more than 0 seconds"),
        ({"runs_max": 0}, "at least once"),
        ({"switch_interval_s": 0}, "switch interval"),
    ],
)
def test_what_makes_no_sense_is_refused(options, said):
    with pytest.raises(LabError, match=said):
        stress.stress(IN_PROCESS, Workload(("r", "w")), **options)
