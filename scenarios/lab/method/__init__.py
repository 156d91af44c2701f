"""The method: what is asked of a bug besides whether it is there. It knows no story.

==================  ===================================================================================
`compare`           searchers side by side: how likely each finds a bug, and how soon
`causality`         when in a failing run its bug was baked in
`weighted`          certified bounds of that probability, by enumeration
`isolate`           one variable at a time, over any job: which factors are the cause
`isolate_finding`   the same for a finding: deviations, input, variant, environment
`sequential`        Wald's test: does this configuration still fail?
`bayes`             the likeliest cause in few runs, where a run is dear
`estimates`         a figure with the interval in which it lies
`flaky_bisect`      which version brought a failure that may not show: the posterior, and what to run next
`bisect`            the same over a real git repository, in a worktree of our own
`repository`        git: the versions between two ends, and the worktree
`story_repository`  a repository of a scenario's versions, to try it on
`plain_bisect`      what `git bisect run` does with a flaky test
`assumptions`       the ledger: checked, broken on purpose, and what falls
`explain`           a finding as a bug report and as a regression test
`skeleton`          a new scenario
`journal`           who tried what, what was expected, and what came out
`many_seeds`        one hunt with many seeds
`campaign`          many pieces of work on any number of workers, with the same result
`cluster`           the workers of a Dask cluster
==================  ===================================================================================
"""
