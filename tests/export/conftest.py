"""A run to export, once for all tests here."""

import pytest

from tests.export import cases


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    return cases.write_run(tmp_path_factory.mktemp("export"))
