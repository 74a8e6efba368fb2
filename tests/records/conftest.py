"""Records of noise, for tests of folders and of shards."""

import json

import pytest

from integral_tf.records import matlab
from integral_tf.records import matlab_process
from tests.records import noise


@pytest.fixture(autouse=True)
def mats_in_process(request, monkeypatch):
    """Reads `.mat` without a process, except in that process's own tests."""
    if "matlab_test" not in request.node.nodeid:

        def ask(path, name, squeeze, *_):
            return json.loads(matlab_process.answer(path, name, squeeze))

        monkeypatch.setattr(matlab, "_ask", ask)


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return noise.people(tmp_path_factory.mktemp("photographs"))


@pytest.fixture(scope="module")
def folder(people, tmp_path_factory):
    out = tmp_path_factory.mktemp("records") / "noise"
    noise.write(people, out=out)
    return out
