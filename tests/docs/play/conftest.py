import pytest

from tests.docs.play import sites


@pytest.fixture(scope="session")
def base():
    """The address of the folder that HEISENLAB_PLAY names, while it is served."""
    with sites.served(sites.built()) as address:
        yield address


@pytest.fixture(scope="module")
def tab(base, tmp_path_factory):
    """A tab of Chromium with a new profile; whatever a module does in it, nothing foreign and no error."""
    with sites.chromium(base, tmp_path_factory.mktemp("profile")) as opened:
        yield opened
