"""The fixture `lab`: hunts the bug that a test is marked with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pytest

from scenarios.lab import catalogue
from scenarios.lab.pytest_plugin.expectations import disagreement
from scenarios.lab.pytest_plugin.marker import BUG, shown
from scenarios.lab.pytest_plugin.replay import raise_property
from scenarios.lab.pytest_plugin.rows import AS_SHIPPED, Row
from scenarios.lab.pytest_plugin.session import SESSION, Session
from scenarios.lab.pytest_plugin.summary import minimality
from scenarios.lab.pytest_plugin.watchdog import PROGRESS, Progress
from scenarios.lab.scenario import Exhausted, Holds, Scenario, Variant
from simulations.errors import LabError

if TYPE_CHECKING:
    from scenarios.lab.hunt import Hunt
    from scenarios.lab.searchers import Tally

KEPT: Final = pytest.StashKey[list[Row]]()
"""Where a test keeps the rows of its hunts until they are reported."""

_FIGURES: Final = (
    "scenario",
    "variant",
    "verdict",
    "searcher",
    "seed",
    "search_runs",
    "minimising_runs",
    "minimality",
    "deviations",
    "plan_in_words",
    "digest",
)
_SPOILERS: Final = frozenset({"variant", "plan_in_words"})


@pytest.fixture
def lab(request: pytest.FixtureRequest) -> Lab:
    """Hunts the bug that the test is marked with, with the options of the command line."""
    bug = request.node.stash[BUG]
    if bug is None:
        pytest.fail('mark a test that uses lab with @pytest.mark.bug("its-scenario")', pytrace=False)
    named = bug.scenario.name in catalogue.names() and catalogue.get(bug.scenario.name) is bug.scenario
    return Lab(bug.scenario, named, request.config.stash[SESSION], request.node)


@dataclass(frozen=True)
class Lab:
    """The value of the fixture `lab`. Its two methods hunt; `check` also judges.

    Attributes:
        scenario: The scenario of the test's marker.
        catalogued: Whether any process can get this very scenario by its name.
    """

    scenario: Scenario
    catalogued: bool
    _session: Session = field(repr=False)
    _item: pytest.Item = field(repr=False)

    def check(self, variant: str = AS_SHIPPED, **options: Any) -> Hunt:
        """Hunt, and fail unless the result is the one that the `expect` of the variant says.

        As shipped and folk fixes must be found, by the documented property, at the documented least plan. A
        fix must be exhausted; where another searcher is named, nothing may be found in it but what lies
        beyond the number of deviations that it is to withstand.

        Args:
            variant: The name of a variant.
            options: Those of `scenarios.lab.hunt.hunt`. The searcher is `exhaustive` where a variant is
                expected to be exhausted, else `hypothesis`; seed and budget are those of the command line.

        Raises:
            LabError: an option makes no sense, or there is no such variant.
            AssertionError: with `--show-bugs`, the failing property's own, at the least plan; of a folk fix
                with `--show-folk-fixes`.
        """
        __tracebackhide__ = True
        chosen = self.scenario.variant(variant)
        if isinstance(chosen.expect, Exhausted):
            options = {"searcher": "exhaustive", **options}
            bound, asked = chosen.expect.deviations, options.get("deviations")
            if asked is not None and asked < bound:
                raise LabError(f"{variant} is to be exhausted at {bound} deviations; check it at no fewer")
        if isinstance(chosen.expect, Holds) and self._session.options.budget is None:
            options = {"budget": chosen.expect.runs, **options}
        hunt = self._hunt(chosen, options)
        complaint = disagreement(chosen, hunt)
        kept = self._keep(chosen, hunt, as_expected=complaint is None)
        if complaint is not None:
            pytest.fail(self._message(complaint, kept), pytrace=False)
        if hunt.finding is not None and self._session.options.shows(chosen.kind):
            from scenarios.lab.verify import replay_of  # noqa: PLC0415  (as in `_hunt`)

            outcome = replay_of(self.scenario, hunt.finding)
            raise_property(self.scenario, hunt.finding, outcome, hide=self._session.options.hide)
        return hunt

    def hunt(self, variant: str = AS_SHIPPED, **options: Any) -> Hunt:
        """Hunt with the seed and the budget of the command line, and judge nothing.

        Args:
            variant: The name of a variant.
            options: Those of `scenarios.lab.hunt.hunt`.
        """
        chosen = self.scenario.variant(variant)
        hunt = self._hunt(chosen, options)
        self._keep(chosen, hunt, as_expected=disagreement(chosen, hunt) is None)
        return hunt

    def _hunt(self, variant: Variant, options: dict[str, Any]) -> Hunt:
        from scenarios.lab.hunt import hunt  # noqa: PLC0415  (most sessions with this plugin hunt nothing)

        session = self._session
        progress = self._item.stash.setdefault(PROGRESS, Progress(self.scenario.name, running=False))
        theirs = options.get("watch")

        def watch(tally: Tally) -> None:
            progress.count(tally)
            if theirs is not None:
                theirs(tally)

        given = {
            "seed": session.options.seed,
            "budget": session.options.budget,
            "verify": session.in_worker and not self.catalogued,
            **options,
            "watch": watch,
        }
        session.scenarios[self._item.nodeid] = self.scenario
        with progress.hunting(self._shown(variant)):
            return hunt(self.scenario, variant.name, **given)

    def _keep(self, variant: Variant, hunt: Hunt, *, as_expected: bool) -> Row:
        session, hide = self._session, self._session.options.hide
        kept = Row(
            test=self._item.nodeid,
            scenario=self.scenario.name,
            catalogued=self.catalogued,
            variant=variant.name,
            shown=self._shown(variant),
            position=self.scenario.variants.index(variant),
            kind=variant.kind,
            hidden_input=self.scenario.hidden_input,
            hunt=hunt.to_json(),
            withstands=variant.expect.deviations if isinstance(variant.expect, Exhausted) else None,
            finding=hunt.finding.to_json() if hunt.finding else None,
            as_expected=as_expected,
        )
        self._item.stash.setdefault(KEPT, []).append(kept)
        session.save(kept)
        figures = {name: kept.hunt[name] for name in _FIGURES if not (hide and name in _SPOILERS)}
        if hunt.finding is not None:
            figures["minimality"] = minimality(kept.hunt, spoilers=not hide)
        self._item.user_properties.extend(
            (f"heisenlab.{name}", value) for name, value in figures.items() if value is not None
        )
        return kept

    def _shown(self, variant: Variant) -> str:
        return shown(self.scenario, variant, hide=self._session.options.hide)

    def _message(self, complaint: str, kept: Row) -> str:
        if self._session.options.hide:
            return f"{kept.shown} is not what is documented of it; run without --no-spoilers to see in what"
        return "\n".join(filter(None, [f"{kept.shown}: {complaint}", self._session.command(kept)]))
