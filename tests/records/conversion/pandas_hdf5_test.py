"""Tests for reading pandas' HDF5, against files that pandas 3.1.1 wrote."""

import pickle

import h5py
import numpy as np
import pytest

from integral_tf.records.conversion import pandas_hdf5
from tests.records.conversion import conversions


def test_the_fixed_form(tmp_path):
    path = conversions.unpacked("CollectedData_me.h5", tmp_path)
    header, levels, index, values = pandas_hdf5.read(path)
    assert levels == ["scorer", "individuals", "bodyparts", "coords"]
    assert header[0] == ("me", "one", "nose", "x")
    assert header[-1] == ("me", "single", "ball", "y")
    assert index[1] == ("labeled-data", "clip", "img2.png")
    expected = np.arange(20).reshape(2, 10) + 0.25
    expected[1, 2:4] = np.nan
    np.testing.assert_array_equal(values, expected)


def test_the_table_form(tmp_path):
    path = conversions.unpacked("clipDLC_resnet50.h5", tmp_path)
    header, levels, index, values = pandas_hdf5.read(path)
    scorer = "DLC_resnet50"
    assert header == [
        (scorer, part, coord)
        for part in ("nose", "tail")
        for coord in ("x", "y", "likelihood")
    ]
    assert levels == []  # its names are among what is not read
    assert index == [("0",), ("1",)]
    nan = np.nan
    expected = [[1.5, 2.5, 0.5, 3.5, 4.5, 0.25], [5.5, 6.5, 1, nan, nan, 0]]
    np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "names",
    [
        [],
        [("me", "nose", "x"), ("me", "nose", "y")],
        [("a",), ("a", "b"), (), ("ä", 7, 70000, 2**40, -1)],
    ],
)
def test_names_out_of_a_pickle(names, protocol):
    assert pandas_hdf5.names_of(pickle.dumps(names, protocol)) == names


class Program:
    """A pickle of this writes a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_program_in_a_pickle_is_not_run(tmp_path, protocol):
    path = tmp_path / "made"
    pickled = pickle.dumps([Program(str(path))], protocol)
    with pytest.raises(ValueError, match="the instruction .*GLOBAL of a pic"):
        pandas_hdf5.names_of(pickled)
    assert not path.exists()


@pytest.mark.parametrize("pickled", [b"", b"a.", b"g1\n.", b"(l", b"e.", b"t."])
def test_a_damaged_pickle_is_refused(pickled):
    with pytest.raises(ValueError):
        pandas_hdf5.names_of(pickled)


def laughing(depth=60):
    """Lists that hold the list before them twice: 2**60 texts if written."""
    names = ["ha"]
    for _ in range(depth):
        names = [names, names]
    return pickle.dumps(names)


@pytest.mark.parametrize(
    "pickled", [pickle.dumps([("me", 5, "x")]), pickle.dumps(5), laughing()]
)
def test_names_of_another_kind_are_refused(tmp_path, pickled):
    path = tmp_path / "a.h5"
    kind = [("index", "i8"), ("values_block_0", "f8", (1,))]
    with h5py.File(path, "w") as file:
        group = file.create_group("df_with_missing")
        group["table"] = np.zeros(1, kind)
        group["table"].attrs["values_block_0_kind"] = np.void(pickled)
    message = "The table in this HDF5 file cannot be read, or not safely"
    with pytest.raises(ValueError, match=message):
        pandas_hdf5.read(path)


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "a.h5"
    path.write_bytes(b"none")
    with pytest.raises(ValueError, match="This is no HDF5 file. Received"):
        pandas_hdf5.read(path)
    path.unlink()
    with h5py.File(path, "w") as file:
        file.create_group("group")["other"] = [0]
        file["array"] = [0]
    message = "DeepLabCut's HDF5 has a table that pandas wrote. Received"
    with pytest.raises(ValueError, match=message):
        pandas_hdf5.read(path)
