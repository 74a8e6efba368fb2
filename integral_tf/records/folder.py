"""A folder of records, opened and checked once."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
import pathlib
from collections.abc import Iterator

import tensorflow as tf

from integral_tf import skeletons
from integral_tf.records import manifests
from integral_tf.records import schema

MANIFEST, ANNOTATIONS = "manifest.json", "annotations-val.json"
# Of the ground truth, in manifests of 0.2 on.
ANNOTATIONS_DIGEST = "annotations_sha256"


@dataclasses.dataclass(frozen=True, eq=False)
class Records:
    """What a folder of records holds; `Records.open` makes one.

    Attributes:
        folder: Its path.
        manifest: What its `manifest.json` says, checked.
    """

    folder: pathlib.Path
    manifest: dict

    @classmethod
    def open(
        cls, folder: str | os.PathLike | Records, skeleton: str | None = None
    ) -> Records:
        """Opens a folder of records, or says what is wrong with its manifest.

        Args:
            folder: Folder that `shards.write` wrote; opened ones stay as
                they are.
            skeleton: Name that the records' skeleton must have, if any.

        Raises:
            FileNotFoundError: the folder has no manifest.
            ValueError: another format version, or another skeleton.
        """
        if isinstance(folder, Records):
            return folder
        path = pathlib.Path(folder)
        opened = cls(path, _read(path, folder))
        name = opened.skeleton.name
        if skeleton and name != skeleton:
            raise ValueError(
                f"The model has the joints of {skeleton}, these records those "
                f"of {name}. Received: data={str(folder)!r}"
            )
        return opened

    @functools.cached_property
    def skeleton(self) -> skeletons.Skeleton:
        """The joints that every person has."""
        return manifests.skeleton(self.manifest)

    @property
    def window_size(self) -> int:
        """Side of the stored windows in pixels."""
        return self.manifest["window_size"]

    @property
    def aspect(self) -> float:
        """Width over height of the crops that the windows serve."""
        return self.manifest["aspect"]

    @property
    def digest(self) -> str:
        """What two folders share if and only if their records are the same."""
        return manifests.digest(self.manifest)

    def people(self, split: str) -> int:
        """How many people a split has; 0 where there is no such split."""
        return self.manifest["splits"].get(split, {"people": 0})["people"]

    def paths(self, split: str) -> list[str]:
        """Paths of a split's shards, in order; their content is checked.

        Raises:
            ValueError: there is no such split, or a shard is damaged or of
                other records than the manifest's.
            FileNotFoundError: a shard that the manifest names is not there.
        """
        if not self.people(split):
            full = [
                name for name in self.manifest["splits"] if self.people(name)
            ]
            raise ValueError(
                f"These records have the splits {', '.join(full)}. "
                f"Received: split={split!r}"
            )
        return manifests.check_shards(self.folder, self.manifest, split)

    def annotations(self) -> dict | None:
        """Ground truth of the validation split in COCO's form.

        Returns:
            Dict of `images`, `annotations` and `categories`, one category;
            None where the dataset is not COCO's kind.

        Raises:
            ValueError: it is not what was built with the records.
        """
        wanted = self.manifest.get(ANNOTATIONS_DIGEST)
        return manifests.read_truth(self.folder / ANNOTATIONS, wanted)

    @contextlib.contextmanager
    def reading(self, split: str) -> Iterator[None]:
        """Names the damaged shard where TensorFlow says `corrupted record`.

        Raises:
            ValueError: a shard was altered while it was read.
        """
        try:
            yield
        except (tf.errors.DataLossError, tf.errors.NotFoundError):
            self.paths(split)
            raise


def _read(path, folder):
    """A folder's checked manifest."""
    if not (path / MANIFEST).is_file():
        raise FileNotFoundError(
            "Records are a folder with a manifest.json, as `integral-tf "
            "build-...` writes it; build-synthetic needs no download. "
            f"Received: data={str(folder)!r}"
        )
    try:
        manifest = json.loads((path / MANIFEST).read_text())
        version = manifest["version"]
        if version == schema.VERSION:
            manifests.check(manifest)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(
            "The manifest.json of these records is damaged; build them again: "
            f"{error}. Received: data={str(folder)!r}"
        ) from None
    if version != schema.VERSION:
        raise ValueError(
            f"These records have format version {version}, this "
            f"package reads {schema.VERSION}; build them again. "
            f"Received: data={str(folder)!r}"
        )
    return manifest
