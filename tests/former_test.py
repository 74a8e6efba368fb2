"""Tests for names of before 0.2: each is still found, with a warning."""

import importlib
import sys

import pytest

from integral_tf import config
from integral_tf import flagfiles
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


def test_arguments_have_their_former_names():
    with pytest.warns(DeprecationWarning, match="`width` is `width_mult"):
        former_name = config.TrainConfig(width=0.5)
    assert former_name == config.TrainConfig(width_multiplier=0.5)


@pytest.mark.parametrize(
    "kind, old, now",
    [
        (config.TrainConfig, "--width=0.5", {"width_multiplier": 0.5}),
        (config.EvaluateConfig, "--nms_threshold=0.8", {"oks_threshold": 0.8}),
        (config.ExportConfig, "--oks_nms=0.9", {"oks_threshold": 0.9}),
        (config.ExportConfig, "--people=8", {"compare_people": 8}),
    ],
)
def test_flags_have_their_former_names(kind, old, now, tmp_path):
    file = tmp_path / "flags.cfg"
    file.write_text(f"{old}\n")
    got = flagfiles.read(kind, file)
    assert got == kind(**now)
    flagfiles.write(got, file)
    assert old not in file.read_text().splitlines()


@pytest.mark.parametrize("old, now", former._MODULES.items())
def test_modules_are_imported_by_their_former_names(old, now, monkeypatch):
    monkeypatch.delitem(sys.modules, old, raising=False)
    with pytest.warns(DeprecationWarning, match=f"{old} is {now} now") as told:
        found = importlib.import_module(old)
    assert found is importlib.import_module(now)
    assert found.__spec__.name == now
    assert told[0].filename == importlib.__file__
