"""A thread that goes round a loop and changes nothing waits: no end is lost, and none is made up."""

import random
import threading
import time

import pytest

from simulations.live.threads import explore

NAMES = "xyz"


class Shared:
    def __init__(self):
        self.x = self.y = self.z = 0
        self.lock = threading.Lock()


def written(steps, name, number, rest="pass"):
    """Return a function in Python that does these steps, and this in each round of a loop that waits."""
    lines = [f"def {name}(s):", "    r = 0"]
    for step in steps:
        match step:
            case "set", place, value:
                lines.append(f"    s.{place} = {value}")
            case "add", place:
                lines.append(f"    r = s.{place}")
                lines.append(f"    s.{place} = r + 1")
            case "copy", place, other:
                lines.append(f"    r = s.{place}")
                lines.append(f"    s.{other} = r")
            case "await", place, value:
                lines.append(f"    while s.{place} != {value}: {rest}")
            case "either", place, value, other, value2:
                lines += [f"    while s.{place} != {value} and s.{other} != {value2}:", f"        {rest}"]
            case ("try",):
                lines += [
                    "    while not s.lock.acquire(blocking=False): pass",
                    "    s.x += 1",
                    "    s.lock.release()",
                ]
            case "locked", place, value:
                lines += [
                    "    while True:",
                    "        with s.lock:",
                    f"            if s.{place} == {value}: break",
                ]
            case "count", place, value:
                lines += ["    n = 0", f"    while s.{place} != {value} and n < 5: n += 1"]
    space = {"sleep": time.sleep}
    exec(compile("\n".join(lines), f"<spinning {number} {name}>", "exec"), space)
    return space[name]


def moves(steps, at, memory, thread):
    """Return what a thread does next: where it is then, and what the memory holds; None while it waits."""
    position, phase, r = at
    after = (position + 1, 0, 0)
    memory = dict(memory)
    match steps[position]:
        case "set", place, value:
            memory[place] = value
            return after, memory
        case ("add", place) | ("copy", place, _):
            if phase == 0:
                return (position, 1, memory[place]), memory
            added = steps[position][0] == "add"
            memory[place if added else steps[position][2]] = r + added
            return after, memory
        case "await", place, value:
            return (after if memory[place] == value else at), memory
        case "either", place, value, other, value2:
            if phase == 0:
                return (after if memory[place] == value else (position, 1, 0)), memory
            return (after if memory[other] == value2 else (position, 0, 0)), memory
        case "count", place, value:
            return (after if memory[place] == value or phase == 5 else (position, phase + 1, 0)), memory
        case ("try",) if phase == 0:
            if memory["lock"]:
                return at, memory
            memory["lock"] = thread + 1
            return (position, 1, 0), memory
        case ("try",):
            if phase == 1:
                return (position, 2, memory["x"]), memory
            memory["x" if phase == 2 else "lock"] = r + 1 if phase == 2 else 0
            return ((position, 3, 0) if phase == 2 else after), memory
        case "locked", place, value:
            if phase == 0 and memory["lock"]:
                return None
            memory["lock"] = thread + 1 if phase == 0 else 0 if phase > 1 else memory["lock"]
            if phase == 1:
                return (position, 2 if memory[place] == value else 3, 0), memory
            return ((position, 1, 0) if phase == 0 else after if phase == 2 else (position, 0, 0)), memory
    raise AssertionError(steps[position])


def ends(threads):
    """Go through all states; return every end, and whether some state leads to none."""
    start = (((0, 0, 0),) * len(threads), tuple.__new__(tuple, (("lock", 0), *((name, 0) for name in NAMES))))
    todo, found, before = [start], set(), {start: set()}
    while todo:
        ats, memory = state = todo.pop()
        if all(at[0] == len(steps) for at, steps in zip(ats, threads, strict=True)):
            found.add(state)
        for index, (at, steps) in enumerate(zip(ats, threads, strict=True)):
            if at[0] < len(steps) and (moved := moves(steps, at, memory, index)):
                following = ((*ats[:index], moved[0], *ats[index + 1 :]), tuple(sorted(moved[1].items())))
                if following not in before:
                    before[following] = set()
                    todo.append(following)
                before[following].add(state)
    leading, todo = set(found), list(found)
    while todo:
        new = before[todo.pop()] - leading
        leading |= new
        todo += new
    return {tuple(pair for pair in memory if pair[0] in NAMES) for _, memory in found}, len(leading) < len(
        before
    )


def a_program(draws):
    count = draws.choice((2, 2, 3))

    def a_step():
        a, b = draws.sample(NAMES, 2)
        return draws.choice(
            [
                ("set", a, draws.randint(1, 2)),
                ("add", a),
                ("copy", a, b),
                ("await", a, draws.randint(1, 2)),
                ("either", a, 1, b, draws.randint(0, 1)),
                ("count", a, 1),
                ("try",),
            ]
        )

    threads = [[a_step() for _ in range(draws.randint(1, 4 - count))] for _ in range(count)]
    if draws.random() < 0.2:
        # Alone: who tries a lock while another takes it again and again may starve.
        threads = [[step for step in steps if step != ("try",)] for steps in threads]
        threads[0].append(("locked", draws.choice(NAMES), 1))
    for index, steps in enumerate(threads):
        for step in list(steps):
            if step[0] in {"await", "either", "locked"} and draws.random() < 0.8:  # another may let it go on
                other = draws.choice([thread for place, thread in enumerate(threads) if place != index])
                other.insert(draws.randint(0, len(other)), ("set", step[1], step[2]))
    return threads


@pytest.mark.parametrize("rest", ["pass", "sleep(0.01)"])
@pytest.mark.parametrize("seed", range(2, 12))
def test_all_ends_are_those_of_brute_force(seed, rest):
    threads = a_program(random.Random(f"{seed} {rest}"))
    functions = [written(steps, f"thread{index}", seed, rest) for index, steps in enumerate(threads)]
    reached = set()

    def check(shared):
        reached.add(tuple((name, getattr(shared, name)) for name in NAMES))

    found, stuck = ends(threads)
    result = explore(Shared, dict(zip("abc", functions, strict=False)), check)
    if stuck:
        assert result.verdict != "exhausted"
    else:
        assert result.verdict != "found", str(result)
    if result.verdict == "exhausted":
        assert reached == found
    assert reached <= found


def test_a_loop_that_counts_its_rounds_ends_before_anything_changes():
    def gives_up(polled):
        rounds = 0
        while not polled.flag and rounds < 5:
            rounds += 1
        polled.value = polled.flag

    def sets(polled):
        polled.flag = 1

    told = set()
    result = explore(Polled, [sets, gives_up], lambda polled: told.add(polled.value))
    assert (result.verdict, told) == ("exhausted", {0, 1})


def peterson(me):
    def enter(state):
        state.wants[me] = True
        state.turn = 1 - me
        while state.wants[1 - me] and state.turn == 1 - me:
            pass
        state.value += 1
        state.wants[me] = False

    return enter


class Peterson:
    def __init__(self):
        self.wants = [False, False]
        self.turn = self.value = 0


def test_mutual_exclusion_after_peterson_is_proved():
    result = explore(Peterson, [peterson(0), peterson(1)], lambda state: state.value == 2)
    assert result.verdict == "exhausted", str(result)
    assert result.schedules < 200


def test_without_its_turn_two_threads_wait_for_ever():
    def enter(state, me):
        state.wants[me] = True
        while state.wants[1 - me]:
            pass
        state.value += 1
        state.wants[me] = False

    result = explore(Peterson, {"a": lambda state: enter(state, 0), "b": lambda state: enter(state, 1)})
    assert result.verdict == "found"
    assert result.failure.kind == "livelock"


class Polled:
    def __init__(self):
        self.ready = threading.Event()
        self.lock = threading.Lock()
        self.line = []
        self.table = {}
        self.flag = self.value = 0

    def goes_on(self):
        return self.flag


def event(polled):
    while not polled.ready.is_set():
        pass


def length(polled):
    while len(polled.line) == 0:
        pass


def key(polled):
    while "flag" not in polled.table:
        time.sleep(0.5)


def method(polled):
    while not polled.goes_on():
        time.sleep(0)


def under_lock(polled):
    while True:
        with polled.lock:
            if polled.flag:
                return


@pytest.mark.parametrize("waits", [event, length, key, method, under_lock], ids=lambda waits: waits.__name__)
def test_whoever_polls_is_proved_right(waits):
    def sets(polled):
        polled.value = 1
        polled.ready.set()
        polled.line.append(1)
        polled.table["flag"] = 1
        with polled.lock:
            polled.flag = 1

    def follows(polled):
        waits(polled)
        polled.value += 1

    result = explore(Polled, [sets, follows], lambda polled: polled.value == 2)
    assert result.verdict == "exhausted", str(result)
    assert result.schedules < 100


@pytest.mark.parametrize("early", [event, length], ids=lambda waits: waits.__name__)
def test_what_is_told_too_early_is_found(early):
    def sets(polled):
        polled.ready.set()
        polled.line.append(1)
        polled.table["flag"] = 1
        polled.flag = 1
        polled.value = 1

    def follows(polled):
        early(polled)
        polled.value += 1

    result = explore(Polled, [sets, follows], lambda polled: polled.value == 2)
    assert result.verdict == "found"


def test_where_a_clock_is_read_each_sleep_counts():
    def polls(polled):
        while not polled.flag:
            time.sleep(1)

    def sets(polled):
        polled.value = round(time.monotonic())
        polled.flag = 1

    result = explore(Polled, [polls, sets], max_schedules=60)
    assert result.verdict == "gave up"


def test_who_waits_for_a_lock_that_is_given_back_now_and_then_is_not_in_a_livelock():
    def polls(polled):
        while True:
            with polled.lock:
                if polled.flag:
                    return

    def sets(polled):
        with polled.lock:
            polled.flag = 1

    result = explore(Polled, [polls, sets], searcher="random", max_schedules=10)
    assert result.verdict == "gave up"
