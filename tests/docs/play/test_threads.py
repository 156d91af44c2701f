"""`explore` in a browser, of code that was typed into the page: the verdicts of native threads."""

import pytest

from docs.play.python import lab as here
from tests.docs.play import sites

UNSAFE = """
class Account:
    def __init__(self):
        self.balance = 100

    def withdraw(self, amount):
        if self.balance >= int(amount):
            self.balance -= amount
"""
GUARDED = """
import threading

class Account:
    def __init__(self):
        self.balance = 100
        self.guard = threading.{guard}()

    def withdraw(self, amount):
        with self.guard:
            if self.balance >= int(amount):
                self.balance -= amount
"""
REENTRANT = """
import threading

class Account:
    def __init__(self):
        self.balance = 100
        self.guard = threading.RLock()

    def take(self, amount):
        with self.guard:
            self.balance -= amount

    def withdraw(self, amount):
        with self.guard:
            if self.balance >= int(amount):
                self.take(amount)
"""
TWO_LOCKS = """
import threading

class Account:
    def __init__(self):
        self.balance = 100
        self.first, self.second = threading.Lock(), threading.Lock()
        self.turns = [(self.first, self.second), (self.second, self.first)]

    def withdraw(self, amount):
        one, other = self.turns.pop()
        with one, other:
            pass
"""
OF_THREAD = """
import threading

class Account:
    def __init__(self):
        self.balance = 100
        self.mine = threading.local()
        self.seen = []

    def withdraw(self, amount):
        self.seen.append(hasattr(self.mine, "value"))
        self.mine.value = amount
        self.balance -= 100 if any(self.seen) else 0
        self.balance -= 100 if threading.current_thread() is threading.main_thread() else 0
"""
WAITS = """
import threading, time

class Account:
    def __init__(self):
        self.balance = 100

    def withdraw(self, amount):
        worker = threading.Thread(target=self.work)
        worker.start()
        time.sleep(10)
        worker.join()

    def work(self):
        pass
"""
CONTEXT = """
import contextvars

VALUE = contextvars.ContextVar("VALUE", default=0)

class Account:
    def __init__(self):
        self.balance = 100
        self.seen = []

    def withdraw(self, amount):
        VALUE.set(VALUE.get() + 1)
        self.seen.append(1)
        if VALUE.get() != 1:
            self.balance -= 200
"""
CODE = {
    "unsafe": (UNSAFE, "found"),
    "lock": (GUARDED.format(guard="Lock"), "exhausted"),
    "reentrant lock": (REENTRANT, "exhausted"),
    "condition": (GUARDED.format(guard="Condition"), "exhausted"),
    "two locks": (TWO_LOCKS, "found"),
    "a thread's own": (OF_THREAD, "exhausted"),
    "a thread and sleep": (WAITS, "exhausted"),
    "context": (CONTEXT, "exhausted"),
}
SAME = ("verdict", "minimality", "preemptions", "deviations")
"""What depends on no byte code of a version, as the names of places do."""
ASKED = ("Account", ["lambda account: account.withdraw(100)"] * 2, "lambda account: account.balance >= 0")


@pytest.fixture(scope="module")
def native():
    """What is found here; Playwright runs an event loop, in which nothing can be explored."""
    sites.built()
    return {name: here.explore(code, *ASKED) for name, (code, _) in CODE.items()}


@pytest.fixture(scope="module")
def lab(native, tab, base):
    """The lab in a tab, started."""
    tab.page.goto(f"{base}probe.html")
    assert tab.page.evaluate("started") == {"ready": True, "threads": True}
    return tab


@pytest.mark.parametrize("name", CODE)
def test_the_verdict_is_that_of_native_threads(native, lab, name):
    code, verdict = CODE[name]
    there = lab.call("play.lab:explore", code, *ASKED)
    assert there["verdict"] == verdict, there["text"]
    assert {key: there[key] for key in SAME} == {key: native[name][key] for key in SAME}
    assert (there["failure"] or {}).get("summary") == (native[name]["failure"] or {}).get("summary")
