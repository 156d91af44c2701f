"""Who killed the job: the bars are Bayes' rule on what the world shows, and the score is the lab's own."""

import math

import pytest

from docs.play.python import suspects
from simulations.batch_job.investigation import investigate, likelihoods, priors
from simulations.drawing.marks import Tone
from simulations.errors import LabError
from tests.docs.play.reading import Reading, natively

CASES = range(4)


@pytest.mark.parametrize("case", CASES)
def test_the_line_gives_the_digest_of_the_deaths(case):
    page = Reading(suspects.show({"case": str(case), "accused": suspects.culprit(case)}))
    assert page.says[0].startswith(Tone.GOOD)
    assert page.digest == natively(page)


def test_an_accusation_of_another_is_wrong_and_says_who_it_was():
    other = next(name for name in priors() if name != suspects.culprit(0))
    page = Reading(suspects.show({"accused": other}))
    assert page.says[0].startswith(f"{Tone.BAD} Wrong: it was {suspects.suspect(suspects.culprit(0)).words}")


@pytest.mark.parametrize("case", CASES)
def test_played_in_the_order_of_the_lab_a_case_ends_as_the_lab_ends_it(case):
    steps = investigate(suspects.truth(case), order="gain per day", tables=likelihoods(suspects.HISTORIES))
    letters = {observation: letter for letter, observation in suspects._BY_LETTER.items()}
    state = {"case": str(case)}
    for step in steps:
        page = Reading(suspects.show(state))
        state = page.moves[letters[step.observation]]
        assert suspects.looked(case, state["seen"][-1]) == step.outcome
    belief = suspects.believed(case, state["seen"])
    assert belief == pytest.approx(steps[-1].belief)
    assert f"after {steps[-1].days:g} days" in "".join(Reading(suspects.show(state)).says)


def test_the_bars_add_up_and_do_not_depend_on_the_order_of_looking():
    one, other = suspects.believed(3, "acf"), suspects.believed(3, "fca")
    assert one == pytest.approx(other)
    assert math.fsum(one.values()) == pytest.approx(1)


def test_the_culprits_of_many_cases_are_as_frequent_as_the_priors():
    """Null hypothesis: multinomial with the priors; chi-squared of 8 degrees, false alarm 1e-6 (49.7)."""
    cases = 2000
    drawn = [suspects.culprit(case) for case in range(cases)]
    excess = [(drawn.count(name) - cases * prior) ** 2 / (cases * prior) for name, prior in priors().items()]
    assert math.fsum(excess) < 49.7


@pytest.mark.parametrize(
    "state", [{"case": "x"}, {"case": "10001"}, {"seen": "aa"}, {"seen": "z"}, {"accused": "me"}]
)
def test_a_state_that_does_not_exist_is_an_error_of_one_line(state):
    with pytest.raises(LabError):
        suspects.show(state)
