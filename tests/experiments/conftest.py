"""What tests of the experiments share."""

import pathlib
import sys

import pytest

from tests import drawn

# The experiments are scripts, outside the package.
sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "experiments"))


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """4 people to train on, and 4 to validate on."""
    return drawn.records(tmp_path_factory.mktemp("data") / "drawn", 8, 0.5)
