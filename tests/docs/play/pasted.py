"""Programs as readers paste them, each of another kind: what they share, how they fail, or that they do not.

Each is a state of the page `paste`. Of those in `FOUND` a schedule fails, and soon.
"""

from __future__ import annotations


def state(code, setup, workers, check):
    """Return the state of the page with this in its fields."""
    return {"code": code.strip("\n") + "\n", "setup": setup, "workers": workers, "check": check}


LOST_UPDATE = state(
    """
class Counter:
    def __init__(self):
        self.value = 0

    def add(self):
        value = self.value
        self.value = value + 1
""",
    "Counter",
    "Counter.add, Counter.add, Counter.add",
    "state.value == 3",
)
CHECK_THEN_ACT_ON_A_DICT = state(
    """
class Registry:
    def __init__(self):
        self.made = []
        self.known = {}

    def get(self, name):
        if name not in self.known:
            self.made.append(name)
            self.known[name] = object()
        return self.known[name]
""",
    "Registry",
    'lambda registry: registry.get("a"), lambda registry: registry.get("a")',
    "len(state.made) == 1",
)
AUGMENTED_ITEM = state(
    """
from collections import Counter

class Votes:
    def __init__(self):
        self.counted = Counter()

    def vote(self):
        for name in ("a", "b"):
            self.counted[name] += 1
""",
    "Votes",
    "Votes.vote, Votes.vote",
    "sum(state.counted.values()) == 4",
)
LOCKS_IN_TWO_ORDERS = state(
    """
import threading

class Transfer:
    def __init__(self):
        self.one, self.other = threading.Lock(), threading.Lock()
        self.moved = 0

    def there(self):
        with self.one:
            with self.other:
                self.moved += 1

    def back(self):
        with self.other:
            with self.one:
                self.moved -= 1
""",
    "Transfer",
    "Transfer.there, Transfer.back",
    "state.moved == 0",
)
DOUBLE_CHECKED = state(
    """
import threading

class Lazy:
    def __init__(self):
        self.lock = threading.Lock()
        self.ready = False
        self.value = None
        self.seen = []

    def get(self):
        if not self.ready:
            with self.lock:
                if not self.ready:
                    self.ready = True
                    self.value = 42
        self.seen.append(self.value)
""",
    "Lazy",
    "Lazy.get, Lazy.get",
    "None not in state.seen",
)
WAITS_WITHOUT_A_LOOP = state(
    """
import threading

class Box:
    def __init__(self):
        self.changed = threading.Condition()
        self.things = []

    def put(self):
        with self.changed:
            self.things.append("thing")
            self.changed.notify_all()

    def take(self):
        with self.changed:
            if not self.things:
                self.changed.wait()
            self.things.pop()
""",
    "Box",
    "Box.take, Box.take, Box.put, Box.put",
    "state.things == []",
)
CHANGES_WHILE_ITERATED = state(
    """
class Listeners:
    def __init__(self):
        self.all = {"a": 1, "b": 2}

    def tell(self):
        return [value for value in self.all.values()]

    def add(self):
        self.all["c"] = 3
""",
    "Listeners",
    "Listeners.tell, Listeners.add",
    "True",
)
TICKETS_OF_A_GENERATOR = state(
    """
def numbers():
    number = 0
    while True:
        yield number
        number += 1

class Tickets:
    def __init__(self):
        self.next = numbers()
        self.sold = []

    def sell(self):
        self.sold.append(next(self.next))
""",
    "Tickets",
    "Tickets.sell, Tickets.sell",
    "sorted(state.sold) == [0, 1]",
)
SLEEPS_INSTEAD_OF_WAITING = state(
    """
import threading
import time

class Job:
    def __init__(self):
        self.result = None
        self.read = "nothing"

    def start(self):
        threading.Thread(target=self.work).start()
        time.sleep(0.5)
        self.read = self.result

    def work(self):
        time.sleep(0.5)
        self.result = 7
""",
    "Job",
    "Job.start,",
    "state.read == 7",
)
LOCKS_OF_ONE_CALL_EACH = state(
    """
import threading

class Stock:
    def __init__(self):
        self._lock = threading.RLock()
        self._left = 1
        self.sold = 0

    @property
    def left(self):
        with self._lock:
            return self._left

    def take(self):
        with self._lock:
            self._left -= 1

    def buy(self):
        if self.left:
            self.take()
            self.sold += 1
""",
    "Stock",
    "Stock.buy, Stock.buy",
    "state.left >= 0",
)
QUEUE_ASKED_BEFORE = state(
    """
import queue

class Pool:
    def __init__(self):
        self.free = queue.Queue()
        self.free.put("connection")
        self.failed = 0

    def use(self):
        if not self.free.empty():
            try:
                self.free.put(self.free.get_nowait())
            except queue.Empty:
                self.failed += 1
""",
    "Pool",
    "Pool.use, Pool.use",
    "state.failed == 0",
)
DATA_CLASS = state(
    """
from dataclasses import dataclass, field, replace

@dataclass(frozen=True)
class Point:
    x: int = 0
    y: int = 0

@dataclass
class Robot:
    at: Point = field(default_factory=Point)

    def right(self):
        self.at = replace(self.at, x=self.at.x + 1)

    def up(self):
        self.at = replace(self.at, y=self.at.y + 1)
""",
    "Robot",
    "Robot.right, Robot.up",
    "state.at == Point(1, 1)",
)
SPINS_ON_A_FLAG = state(
    """
class Spin:
    def __init__(self):
        self.busy = False
        self.value = 0

    def add(self):
        while self.busy:
            pass
        self.busy = True
        self.value += 1
        self.busy = False
""",
    "Spin",
    "Spin.add, Spin.add",
    "state.value == 2",
)
SPINS_FOR_EVER = state(
    """
class Turn:
    def __init__(self):
        self.turn = "nobody"

    def wait(self):
        while self.turn != "mine":
            pass
""",
    "Turn",
    "Turn.wait, Turn.wait",
    "True",
)
RIGHT_LOCK = state(
    """
import threading

class Account:
    def __init__(self):
        self.balance, self.lock = 100, threading.Lock()

    def withdraw(self):
        with self.lock:
            if self.balance >= 60:
                self.balance -= 60
""",
    "Account",
    "Account.withdraw, Account.withdraw",
    "state.balance >= 0",
)
FOUND = {
    "spins for ever": SPINS_FOR_EVER,
    "sleeps instead of waiting": SLEEPS_INSTEAD_OF_WAITING,
    "lost update": LOST_UPDATE,
    "check then act on a dict": CHECK_THEN_ACT_ON_A_DICT,
    "augmented item": AUGMENTED_ITEM,
    "locks in two orders": LOCKS_IN_TWO_ORDERS,
    "double checked": DOUBLE_CHECKED,
    "waits without a loop": WAITS_WITHOUT_A_LOOP,
    "changes while iterated": CHANGES_WHILE_ITERATED,
    "locks of one call each": LOCKS_OF_ONE_CALL_EACH,
    "queue asked before": QUEUE_ASKED_BEFORE,
    "data class": DATA_CLASS,
    "spins on a flag": SPINS_ON_A_FLAG,
}
