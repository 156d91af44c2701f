"""What the environment says to the tools that the tests run, and what it is not to say."""

import os
from typing import Final

# Where one of these is set, as on a build server, pytest prints more and Hypothesis takes another profile.
CHOOSING: Final = (
    "BUILDKITE",
    "BUILD_NUMBER",
    "CI",
    "CIRCLECI",
    "CIRRUS_CI",
    "CODEBUILD_BUILD_ID",
    "FORCE_COLOR",
    "GITHUB_ACTIONS",
    "GITLAB_CI",
    "HEROKU_TEST_RUN_ID",
    "NO_COLOR",
    "PYTEST_ADDOPTS",
    "PY_COLORS",
    "TEAMCITY_VERSION",
    "TF_BUILD",
)


def neutral() -> dict[str, str]:
    """Return an environment in which nothing chooses options for pytest or a profile for Hypothesis."""
    return {
        name: text
        for name, text in os.environ.items()
        if name not in CHOOSING and not name.startswith(("PYTEST_", "HYPOTHESIS"))
    }
