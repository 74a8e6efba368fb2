"""The people that artifacts are compared on: a run's own, or drawn ones.

Only outputs for the same pixels are compared, so that the joints of the people
do not matter.

Shape letters: N people.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from integral_tf import config as configs
from integral_tf import coordinates
from integral_tf import layers
from integral_tf import runs
from integral_tf.pipeline import batches
from integral_tf.records import schema
from integral_tf.records import synthetic
from integral_tf.records import windows
from integral_tf.records.folder import Records

_BATCH = 16


class OfRecords:
    """The people of records.

    Args:
        records: The `Records`.
        split: Name of the split to compare on.
    """

    def __init__(self, records: Records, split: str) -> None:
        self.records = records
        self.split = split

    def crops(self, count: int, size: tuple[int, int]) -> np.ndarray:
        """Crops of the first people, without augmentation.

        Args:
            count: How many people at most.
            size: (height, width) of the network's input.

        Returns:
            `(N, height, width, 3)` float32 RGB of 0..255.
        """
        return self._crops(self.split, count, size)

    def calibration_crops(
        self, count: int, size: tuple[int, int]
    ) -> np.ndarray:
        """As `crops`, of people to calibrate int8 on."""
        # Records for evaluation alone have no training split.
        train = self.records.people("train")
        return self._crops("train" if train else self.split, count, size)

    def pictures(self, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Pairs of a uint8 picture, and its person's `(4,)` float32 box."""
        for person in batches.eval_batches(self.records, self.split, 1, count):
            yield person["windows"][0].numpy(), person["boxes"][0].numpy()

    def _crops(self, split, count, size):
        crop = layers.PersonCrop(*size, self.records.skeleton.mirrored_order)
        people = batches.eval_batches(self.records, split, _BATCH, count)
        with self.records.reading(split):
            return np.concatenate(
                [crop(batches.for_device(each))["images"] for each in people]
            )


class Drawn:
    """Drawn people, in place of those of records; as `OfRecords`."""

    split = "drawn people"

    def crops(self, count: int, size: tuple[int, int]) -> np.ndarray:
        return self._crops(0, count, size)

    def calibration_crops(
        self, count: int, size: tuple[int, int]
    ) -> np.ndarray:
        return self._crops(1, count, size)

    def pictures(self, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for number in range(count):
            person = synthetic.person(0, number)
            yield person.image, np.float32(person.box)

    def _crops(self, seed, count, size):
        people = (synthetic.person(seed, number) for number in range(count))
        return np.stack([np.float32(crop(each, *size)) for each in people])


def crop(person: schema.Person, height: int, width: int) -> np.ndarray:
    """A person's `(height, width, 3)` uint8 crop."""
    region = coordinates.region_around(person.box, width / height)
    return np.asarray(windows.cut(person.image, region, width, height))


def of_run(config: configs.ExportConfig, run: runs.Run) -> OfRecords | Drawn:
    """The people that a run's artifacts are compared on.

    Args:
        config: A `config.ExportConfig`.
        run: The `runs.Run`. If its records are not there, and `config.data`
            names no others, people are drawn, and a line says so.

    Raises:
        FileNotFoundError: there are no records in `config.data`.
        ValueError: the records are damaged, or not those of the training.
    """
    if config.data:
        return OfRecords(run.records(config.data), config.split)
    try:
        if not run.config.data:
            raise FileNotFoundError
        return OfRecords(run.own_records(), config.split)
    except FileNotFoundError:
        print(
            "the run's records are not there "
            f"({run.config.data or 'it names none'}): artifacts are compared, "
            "and int8 is calibrated, on drawn people; --data names records"
        )
        return Drawn()
