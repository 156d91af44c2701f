"""A client that sends again: what becomes of the request, and of the reply?"""

from dataclasses import dataclass

from scenarios.lab.scenario import Exhausted, Finds, Scenario, Story, Variant
from simulations.choices import Deviation, NoiseModel, Plan
from simulations.trace import Trace


@dataclass(frozen=True)
class Client:
    attempts: int


@dataclass(frozen=True)
class Counted:
    trace: Trace
    counter: int
    told: bool


def run(with_key, client, chooser):
    log, counter, known = Trace(), 0, False
    for attempt in range(client.attempts):
        chooser.at(attempt)
        if chooser.pick("request", ("arrives", "is lost")) == "arrives":
            if not (with_key and known):
                counter += 1
            known = True
            log.record(attempt, "server", "counts", counter)
            if chooser.pick("reply", ("arrives", "is lost")) == "arrives":
                return Counted(log, counter, told=True)
    return Counted(log, counter, told=False)


def it_is_counted_once(counted):
    """Whoever is told that it was counted was counted once."""
    assert not counted.told or counted.counter == 1, f"counted {counted.counter} times"


plan = Plan([Deviation("reply", 0, 1)])
bug = Scenario(
    name="counted-twice",
    title="A request that is sent again",
    story=Story(
        who="A client.",
        symptom="Two are counted.",
        believed="No reply, no effect.",
        root_cause="The reply was lost, not the request.",
        lesson="Give each request a key.",
    ),
    hidden_input="what becomes of messages",
    question="does it arrive?",
    run=run,
    ladder=(Client(1), Client(2), Client(3)),
    properties=(it_is_counted_once,),
    variants=(
        Variant(
            "as-shipped",
            "as shipped",
            False,
            "It counts each request.",
            Finds("it_is_counted_once", plan),
        ),
        Variant("key", "fix", True, "It knows the key.", Exhausted(3)),
    ),
    noise=NoiseModel("a bad day", {"request": 0.1, "reply": 0.1}),
)

found = bug.hunt().finding
assert found.plan == plan
assert found.input == {"attempts": 2}
assert bug.hunt("key", searcher="exhaustive").verdict == "exhausted"
print(found.plan_in_words, "-", found.message)
