"""A PyTorch loader that does as little as a user could make it do.

The windows were cut beforehand, the same and of the same quality as in the
records, and are JPEGs one after another in one file. The loader reads a JPEG,
decodes it by libjpeg-turbo (simplejpeg, whose pixels are those of the records'
decoder), and collates uint8 batches: no joints, no targets, no augmentation.
"""

import importlib
import os

import simple_baselines
import tensorflow as tf

from integral_tf.records import schema


def simplejpeg():
    """Imports simplejpeg, or says what to install."""
    try:
        return importlib.import_module("simplejpeg")
    except ImportError:
        raise SystemExit(
            "benchmarks/pipeline.py compares with a fast decoder: "
            "`pip install simplejpeg`."
        ) from None


def write(records, path, count):
    """Writes the windows of a training split into one file.

    Args:
        records: The `Records`.
        path: Path of the file.
        count: The windows are those of the first people, this many.

    Returns:
        A list of `(place, length)`, of each JPEG in the file.
    """
    places, joints = [], len(records.skeleton)
    with open(path, "wb") as file:
        people = tf.data.TFRecordDataset(records.paths("train"))
        for record in people.take(count):
            window = schema.parse(record, joints)["encoded"].numpy()
            places.append((file.tell(), len(window)))
            file.write(window)
    return places


def batches(path, places, epoch, workers, batch_size):
    """Yields `(B, S, S, 3)` uint8 windows.

    Args:
        path: Path of the file.
        places: From `write`.
        epoch: Seed of the order.
        workers: Number of the DataLoader's processes; 0 loads in this process.
        batch_size: People in a batch.
    """
    torch = simple_baselines.torch()
    torch.set_num_threads(1)
    yield from torch.utils.data.DataLoader(
        Windows(path, places),
        batch_size,
        shuffle=True,
        num_workers=workers,
        drop_last=True,
        generator=torch.Generator().manual_seed(epoch),
        # A fork loses TensorFlow's threads, which the workers do not need.
        multiprocessing_context="fork" if workers else None,
    )


class Windows:
    """The map-style dataset: one person's window."""

    def __init__(self, path, places):
        self.file = os.open(path, os.O_RDONLY)
        self.places = places
        self.decode = simplejpeg().decode_jpeg
        self.from_numpy = simple_baselines.torch().from_numpy

    def __len__(self):
        return len(self.places)

    def __getitem__(self, index):
        place, length = self.places[index]
        return self.from_numpy(self.decode(os.pread(self.file, length, place)))

    def __del__(self):
        os.close(self.file)
