"""Records of noise, for tests of folders and of shards."""

import pytest

from tests.records import noise


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return noise.people(tmp_path_factory.mktemp("photographs"))


@pytest.fixture(scope="module")
def folder(people, tmp_path_factory):
    out = tmp_path_factory.mktemp("records") / "noise"
    noise.write(people, out=out)
    return out
