"""The engine: it searches for bugs, minimises, verifies, saves and replays them. It knows no story.

A map, in the order in which a hunt goes through the files:

=================  ====================================================================================
`scenario`         the parts of a bug: story, world, ladder of inputs, properties, variants
`catalogue`        the list of scenarios: our folders, and the entry points of other distributions
`hunt`             from a scenario to a finding: calls the files below, one after another
`searchers`        search: what proposes inputs and plans (hypothesis, random, plain, exhaustive)
`execution`        one run, judged by its properties: the only place where a failure becomes a failure
`minimise`         minimise: the least run that fails in the same way
`progress`         how far a hunt has come, in a file, so that the same hunt goes on after an interrupt
`verdict`          the result as values (verdict, coverage, minimality), and their sentences
`verify`           verify: two replays in fresh interpreters with different hash seeds
`finding`          the saved failing case: JSON with a schema and a checksum
`replay`           replay: run a finding again; decide for `git bisect` whether its bug is there
`doctor`           the fingerprint of the code under test, and what is wrong with an installation
=================  ====================================================================================

Beside it: `method` (what else is asked of a bug), `commands` (what is typed), `pytest_plugin` (what pytest
sees), `adaptors` (what an instrument offers to pytest and Hypothesis).

Public are `scenarios.catalogue` and `scenarios.get`, and from here `hunt.hunt` and its `Hunt`, what a
scenario is made of (`scenario`), what a hunt returns (`verdict`, `finding`), `replay.replay`,
`doctor.fingerprint`, the adaptors, and of the method what its reference page shows. What is left may change
with any version. Nothing is imported here, so that a replay loads what it needs and no more.
"""
