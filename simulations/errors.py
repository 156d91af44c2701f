"""The errors that the laboratory raises on purpose."""

__all__ = ["LabError", "NondeterminismError", "PlanError", "QuestionLimitError"]


class LabError(Exception):
    """Base of every error of the laboratory.

    The message says what was wrong, with the value, and what to do about it. It is meant to be shown to a
    person in one line; a traceback adds nothing to it.
    """


class PlanError(LabError):
    """A plan does not fit the run that it was given to.

    Common causes: the plan was recorded with another input or another variant; the code of the world has
    changed, so that it asks other questions; the plan was edited by hand.
    """


class QuestionLimitError(LabError):
    """A run asks more questions than it may.

    Common causes: the finding comes from a stranger, who chose an input that costs minutes; the limit is
    meant for smaller worlds. `heisenlab replay --questions-max` raises it.
    """


class NondeterminismError(LabError):
    """Two runs with the same input and the same answers did not ask the same questions.

    Common causes: a wall clock, `hash()` of a string, the order of a set, `id()`, a global that outlives the
    run, or randomness that does not come from a named substream of the input.
    """
