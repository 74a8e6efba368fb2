"""Tests for names of before 0.2: each is still found, with a warning."""

import importlib

import pytest

from integral_tf import former
from integral_tf.records import folder


@pytest.mark.parametrize("module", former._NOW)
def test_every_former_name_is_what_it_is_called_now(module):
    old = importlib.import_module(f"integral_tf.{module}")
    for name, now in former._NOW[module].items():
        place, _, attribute = now.partition(":")
        found = importlib.import_module(f"integral_tf.{place}")
        found = getattr(found, attribute) if attribute else found
        with pytest.warns(DeprecationWarning, match=f"{name} is integral_tf"):
            assert getattr(old, name) is found
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        old.nothing  # noqa: B018


def test_records_are_read_by_their_former_functions(tmp_path):
    with pytest.raises(FileNotFoundError, match="manifest.json"):
        former.read_manifest(tmp_path)
    with pytest.raises(FileNotFoundError, match="manifest.json"):
        former.shard_paths(tmp_path, "val")
    opened = folder.Records(tmp_path, {"skeleton": "lsp"})
    assert former.read_skeleton(opened).name == "lsp"
    assert former.read_annotations(opened) is None
