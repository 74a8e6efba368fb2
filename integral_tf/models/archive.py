"""Stores a model's skeleton and its epoch inside its `.keras` file.

A `.keras` file is a zip archive. Keras ignores the members `skeleton.json` and
`epoch.json`, so that a copied file keeps the names of its joints.
"""

import io
import json
import os
import zipfile

import numpy as np

from integral_tf import skeletons

SKELETON, _EPOCH = "skeleton.json", "epoch.json"
_WEIGHTS = "model.weights.h5"
_LARGEST_SKELETON = 2**24  # bytes
# ours: bytes that any member may have, and how many times its bytes in the file
# a larger one. Trained weights shrink little, and Keras shrinks nothing.
_MODEST, _MOST_TIMES = 2**26, 20


def write_skeleton(
    path: str | os.PathLike, skeleton: skeletons.Skeleton
) -> None:
    """Adds a skeleton to a `.keras` file that has none.

    Args:
        path: Path of the file, as `model.save` writes it.
        skeleton: The `skeletons.Skeleton` of the model's joints.
    """
    with zipfile.ZipFile(path, "a") as archive:
        # Without a date, so that the same model gives the same file.
        archive.writestr(zipfile.ZipInfo(SKELETON), to_json(skeleton))


def read_skeleton(path: str | os.PathLike) -> skeletons.Skeleton | None:
    """The skeleton in a `.keras` file, or None where it has none.

    Raises:
        ValueError: the file is damaged, or its `skeleton.json` is.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if SKELETON not in archive.namelist():
                return None
            if archive.getinfo(SKELETON).file_size > _LARGEST_SKELETON:
                raise ValueError(f"{SKELETON} is too large to be one")
            text = archive.read(SKELETON)
    except Exception as error:  # zipfile has many, and zlib its own
        raise ValueError(f"{path} is damaged: {error}") from None
    return from_json(text, f"{SKELETON} in {path}")


def write_epoch(path: str | os.PathLike, epoch: int) -> None:
    """Adds the number of epochs trained to a `.keras` file that has none."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo(_EPOCH), f"{epoch}\n")


def read_epoch(path: str | os.PathLike) -> int | None:
    """The epoch in a `.keras` file; None if it has none or is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            return int(archive.read(_EPOCH))
    except Exception:  # zipfile has many, and zlib its own
        return None


def check_sizes(path: str | os.PathLike) -> None:
    """Requires that a `.keras` file does not unpack to many times its size.

    A file that is no zip archive is passed over.

    Raises:
        ValueError: a member would, such as zeros made to fill the memory.
    """
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        for each in archive.infolist():
            most = max(_MODEST, _MOST_TIMES * each.compress_size)
            if each.file_size > most:
                raise ValueError(
                    f"its {each.filename} has {each.compress_size:,} bytes "
                    f"and would unpack to {each.file_size:,}, which no trained "
                    "model does"
                )


def write_half(path: str | os.PathLike, out: str | os.PathLike) -> None:
    """Copies a `.keras` file with its kernels in half precision.

    Keras reads them into the float32 weights of the same model. Weights with
    fewer than two axes stay float32. The same model gives the same file.

    Args:
        path: Path of the file, as `model.save` writes it.
        out: Path to write.
    """
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name == _WEIGHTS:
                data = _half(data)
            elif name == "metadata.json":
                data = json.dumps({**json.loads(data), "date_saved": ""})
            member = zipfile.ZipInfo(name)
            member.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(member, data, compresslevel=9)


def _half(data):
    """The bytes of an HDF5 file whose arrays of several axes are float16."""
    out = io.BytesIO()
    import h5py  # late: an exported network is opened without it

    with h5py.File(io.BytesIO(data)) as source, h5py.File(out, "w") as target:

        def copy(name, node):
            if isinstance(node, h5py.Group):
                copied = target.require_group(name)
            else:
                half = node.ndim > 1 and node.dtype == np.float32
                dtype = np.float16 if half else node.dtype
                values = np.asarray(node).astype(dtype)
                copied = target.create_dataset(name, data=values)
            copied.attrs.update(node.attrs)

        source.visititems(copy)
        target.attrs.update(source.attrs)
    return out.getvalue()


def is_whole(path: str | os.PathLike) -> bool:
    """Whether a `.keras` file is an undamaged archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except Exception:  # zipfile has many, and zlib its own
        return False


def to_json(skeleton: skeletons.Skeleton) -> str:
    """A skeleton as the text of a `skeleton.json`."""
    return json.dumps(skeletons.to_dict(skeleton), indent=1) + "\n"


def from_json(
    text: str | bytes, source: str | os.PathLike
) -> skeletons.Skeleton:
    """Inverse of `to_json`.

    Args:
        text: The text, or its bytes.
        source: Name of the source; an error begins with it.

    Raises:
        ValueError: the text is not that of a skeleton.
    """
    try:
        return skeletons.from_dict(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{source} is not a skeleton that this version reads: {error}"
        ) from None
