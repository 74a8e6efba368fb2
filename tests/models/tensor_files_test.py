"""Tests for files of tensors, written by hand as PyTorch writes them."""

import json
import os
import pickle
import struct
import sys
import zipfile

import numpy as np
import pytest

from integral_tf.models import tensor_files
from tests.models import torch_files
from tests.models.torch_files import Named

SAVES = [torch_files.save_zip, torch_files.save_legacy]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "some.pth"


def loaded(path):
    return tensor_files.arrays(tensor_files.read(path), path)


@pytest.mark.parametrize("save", SAVES)
def test_every_type_comes_back(save, path):
    rng = np.random.default_rng(0)
    tensors = {
        "single": rng.normal(size=(3, 2, 5)).astype("f4"),
        "double": rng.normal(size=(4,)),
        "half": rng.normal(size=(2, 2)).astype("f2"),
        "long": np.array(7),
        "turned": rng.normal(size=(2, 3)).astype("f4").T,
        "empty": np.zeros((0, 3), "f4"),
    }
    save(tensors, path)
    read = loaded(path)
    assert list(read) == list(tensors)
    for name, array in tensors.items():
        assert read[name].dtype == array.dtype, name
        np.testing.assert_array_equal(read[name], array)


@pytest.mark.parametrize("save", SAVES)
def test_plain_values_beside_tensors(save, path):
    values = {
        "epoch": 140,
        "best": True,
        "perf": Named("numpy.core.multiarray", "scalar", "f8", "x"),
        "meta": {"names": ["a", "b"], "none": None, "rate": 1e-3},
        "weights": {"a": np.ones(2, "f4")},
    }
    save(values, path)
    read = tensor_files.read(path)
    assert (read["epoch"], read["best"], read["perf"]) == (140, True, None)
    assert read["meta"] == {"names": ["a", "b"], "none": None, "rate": 1e-3}
    np.testing.assert_array_equal(loaded_weights(read), [1, 1])


def loaded_weights(read):
    return tensor_files.arrays(read["weights"], "some.pth")["a"]


def test_bfloat16_is_the_upper_half_of_float32(path, monkeypatch):
    # 1.5 is 0x3FC00000, -2 is 0xC0000000.
    monkeypatch.setitem(torch_files.STORAGES, "u2", "BFloat16")
    torch_files.save_zip({"a": np.array([0x3FC0, 0xC000], "u2")}, path)
    assert loaded(path)["a"].tolist() == [1.5, -2.0]


def test_a_parameter_is_its_tensor(path):
    data = np.ones(3, "f4")
    made = Named("torch._utils", "_rebuild_parameter", data, True, {})
    torch_files.save_zip({"a": made}, path)
    assert loaded(path)["a"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("save", SAVES)
@pytest.mark.parametrize(
    "module, name",
    [
        ("sys", "exit"),
        ("os", "system"),
        ("builtins", "eval"),
        ("torch", "save"),
        ("mmengine.logging.history_buffer", "HistoryBuffer"),
        ("torch.FloatStorage", "__class__"),
    ],
)
def test_a_class_of_others_is_named_and_not_made(save, path, module, name):
    save({"a": np.ones(1, "f4"), "b": Named(module, name, "1")}, path)
    with pytest.raises(ValueError, match="could run code") as error:
        tensor_files.read(path)
    message = str(error.value)
    assert message.endswith(
        f"'{path}', which asks for the class {module}.{name}"
    )


class Trap:
    """Unpickled, it would be called."""

    def __reduce__(self):
        return (os.mkdir, ("the_file_ran_code",))


def test_runs_no_code_of_a_pickle(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ValueError, match=r"class posix\.mkdir"):
        tensor_files.read(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", pickle.dumps(Trap(), 2))
    with pytest.raises(ValueError, match=r"class posix\.mkdir"):
        tensor_files.read(path)
    assert [each.name for each in tmp_path.iterdir()] == ["some.pth"]


def test_a_pickle_sets_no_attribute(path):
    # BUILD, which would make a tensor of 1 number one of 10**12.
    text = torch_files.pickled({"a": np.ones(1, "f4")}, {})
    state = torch_files.pickled((10**12,), {})[2:-1]
    name = b"X\x05\x00\x00\x00shape"
    at = text.rindex(b"tR") + 2
    text = text[:at] + b"}" + name + state + b"sb" + text[at:]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", text)
        archive.writestr("a/data/0", np.ones(1, "f4").tobytes())
    assert loaded(path)["a"].tolist() == [1]


def rebuilt(path, *arguments):
    """A file with one tensor of 4 numbers, rebuilt with other arguments."""
    text = torch_files.pickled({"a": np.ones((2, 2), "f4")}, {})
    right = torch_files.pickled((0, (2, 2), (2, 1)), {})[3:-2]
    wrong = torch_files.pickled(arguments, {})[3:-2]
    assert text.count(right) == 1
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", text.replace(right, wrong))
        archive.writestr("a/data/0", np.ones(4, "f4").tobytes())
    return path


@pytest.mark.parametrize(
    "arguments, reason",
    [
        ((0, (10**6, 10**6), (0, 0)), "larger than what it is a view of"),
        ((3, (2, 2), (2, 1)), "larger than what it is a view of"),
        ((0, (2, 2), (9, 1)), "reaches beyond"),
        ((-1, (2, 2), (2, 1)), "no whole numbers"),
        ((0, (2, 2), (-2, 1)), "no whole numbers"),
        ((0, ("2", 2), (2, 1)), "no whole numbers"),
        ((0, (2, 2), (1,)), "no whole numbers"),
    ],
    ids=str,
)
def test_a_tensor_lies_within_its_bytes(path, arguments, reason):
    with pytest.raises(ValueError, match=f"some.pth.*{reason}"):
        loaded(rebuilt(path, *arguments))


@pytest.mark.parametrize("save", SAVES)
def test_a_cut_file_is_damaged(save, path):
    save({"a": np.ones(100, "f4")}, path)
    whole = path.read_bytes()
    for length in (0, 1, 40, len(whole) // 2, len(whole) - 4):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="a whole file.*some.pth"):
            loaded(path)


@pytest.mark.parametrize(
    "text, message",
    [
        (b"no checkpoint", "whole file"),
        (pickle.dumps({"a": 1}), "neither a zip archive nor"),
        (pickle.dumps(0x1950A86A20F9469CFC6C) + pickle.dumps(7), "version"),
    ],
    ids=["text", "a plain pickle", "of another version"],
)
def test_what_is_none_is_refused(path, text, message):
    path.write_bytes(text)
    with pytest.raises(ValueError, match=message):
        tensor_files.read(path)


def test_a_zip_archive_of_something_else(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<a/>")
    with pytest.raises(ValueError, match=r"without torch\.save's data\.pkl"):
        tensor_files.read(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", b"\0" * 10**6)
    with pytest.raises(ValueError, match="compresses nothing"):
        tensor_files.read(path)


def test_a_list_is_no_checkpoint(path):
    torch_files.save_zip([1, 2], path)
    with pytest.raises(ValueError, match=r"some\.pth', a list"):
        tensor_files.read(path)
    with pytest.raises(FileNotFoundError, match=r"none\.pth"):
        tensor_files.read(path.with_name("none.pth"))


def safetensors(path, header, data):
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def test_safetensors(tmp_path):
    single = np.array([[1, 2, 3], [4, 5, 6]], "<f4")
    header = {
        "__metadata__": {"format": "pt"},
        "b": {"dtype": "BF16", "shape": [2], "data_offsets": [24, 28]},
        "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
        "n": {"dtype": "I64", "shape": [], "data_offsets": [28, 36]},
    }
    data = single.tobytes() + np.array([0x3FC0, 0xC000], "<u2").tobytes()
    data += np.array(7, "<i8").tobytes()
    path = safetensors(tmp_path / "some.safetensors", header, data)
    read = loaded(path)
    assert list(read) == ["b", "a", "n"]
    np.testing.assert_array_equal(read["a"], single)
    assert read["b"].tolist() == [1.5, -2.0] and read["n"] == 7

    safetensors(path, header, data[:30])
    with pytest.raises(ValueError, match="is not within the file"):
        loaded(path)
    header["a"]["dtype"] = "F8_E4M3"
    safetensors(path, header, data)
    with pytest.raises(ValueError, match="a is of the type F8_E4M3"):
        loaded(path)
    path.write_bytes(b"\xff" * 9)
    with pytest.raises(ValueError, match="header is longer"):
        loaded(path)


def test_pytorch_is_not_imported():
    assert "torch" not in sys.modules
