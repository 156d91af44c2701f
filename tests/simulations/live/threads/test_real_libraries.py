"""Known races in packages that nobody prepared: they are not thread-safe, and say so."""

from transitions import Machine

from simulations.live.threads import explore


class Model:
    pass


def machine():
    model = Model()
    Machine(model, states=["a", "b", "c"], transitions=[["go", "a", "b"], ["go", "b", "c"]], initial="a")
    return model


def test_two_triggers_of_a_state_machine_may_count_as_one():
    def go(model):
        model.go()

    result = explore(machine, {"one": go, "two": go}, lambda model: model.state == "c")
    assert result.found
    assert result.preemptions == 1
    assert "core.py" in result.words
    assert result.possible == "can happen on this interpreter"


def test_a_sorted_list_may_lose_count():
    from sortedcontainers import SortedList

    def sizes_agree(things):
        return len(things) == len(list(things))

    result = explore(
        lambda: SortedList([5, 6]),
        {"one": lambda things: things.add(1), "two": lambda things: things.add(2)},
        sizes_agree,
    )
    assert result.found
    assert "_len" in str(result.plan)
