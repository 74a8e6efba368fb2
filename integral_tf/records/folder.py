"""Opens and checks a folder of records."""

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
from integral_tf import units
from integral_tf.records import manifests
from integral_tf.records import schema
from integral_tf.records import stored_truth

MANIFEST, ANNOTATIONS = "manifest.json", "annotations-val.json"
# The digest of the ground truth; manifests before 0.2 lack it.
ANNOTATIONS_DIGEST = "annotations_sha256"
FIELDS = "fields"  # manifests of records without fields lack it
NORMALISE_BY = "normalise_by"  # and those without a named length this


@dataclasses.dataclass(frozen=True, eq=False)
class Records:
    """An opened folder of records; made by `Records.open`.

    Attributes:
        folder: Path of the folder.
        manifest: The content of its `manifest.json`, checked.
        left_out: Dict from the files of shards that are left out, because they
            are damaged or missing, to a line with the reason.
    """

    folder: pathlib.Path
    manifest: dict
    left_out: dict[str, str] = dataclasses.field(default_factory=dict)

    @classmethod
    def open(
        cls, folder: str | os.PathLike | Records, skeleton: str | None = None
    ) -> Records:
        """Opens a folder of records, and checks its manifest.

        Args:
            folder: Folder that `shards.write` wrote; `Records` are returned as
                they are.
            skeleton: Name that the records' skeleton must have, or None.

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
        """The skeleton of every person."""
        return manifests.skeleton(self.manifest)

    def with_sigmas(self, sigmas: tuple[float, ...]) -> Records:
        """These records, with other OKS standard deviations of the joints."""
        if sigmas == self.skeleton.sigmas:
            return self
        other = dataclasses.replace(self.skeleton, sigmas=sigmas)
        fields = skeletons.to_dict(other)
        manifest = {**self.manifest, "skeleton": fields}
        return dataclasses.replace(self, manifest=manifest)

    @property
    def window_size(self) -> int:
        """Side of the stored windows in pixels."""
        return self.manifest["window_size"]

    @property
    def aspect(self) -> float:
        """Width divided by height of the crops for which windows are cut."""
        return self.manifest["aspect"]

    @property
    def digest(self) -> str:
        """A text, equal for two folders if and only if their records are."""
        return manifests.digest(self.manifest)

    def people(self, split: str) -> int:
        """The number of people of a split; 0 if there is no such split."""
        shards = self.manifest["splits"].get(split, {"shards": []})["shards"]
        return sum(
            shard["people"]
            for shard in shards
            if shard["file"] not in self.left_out
        )

    def without_damaged(self, split: str) -> Records:
        """These records without a split's damaged and missing shards.

        Raises:
            ValueError: no shard of the split is whole.
        """
        left_out = manifests.damaged_shards(self.folder, self.manifest, split)
        records = dataclasses.replace(self, left_out=left_out)
        if left_out and not records.people(split):
            raise ValueError(
                f"No shard of this split is whole: {split}; build the records "
                f"again. Received: data={str(self.folder)!r}"
            )
        return records

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields that each record carries."""
        return tuple(self.manifest.get(FIELDS, ()))

    @property
    def unit(self) -> units.Unit | None:
        """The unit that was named to the builder; None if none was."""
        text = self.manifest.get(NORMALISE_BY)
        return units.named(text, self.skeleton) if text else None

    def negatives(self, split: str) -> int:
        """How many of `people` are pictures without anybody."""
        return self.manifest["splits"].get(split, {}).get("negatives", 0)

    def paths(self, split: str) -> list[str]:
        """Paths of a split's shards, in order, after a check of their content.

        Raises:
            ValueError: there is no such split, or a shard is damaged or does
                not belong to the manifest.
            FileNotFoundError: a shard that the manifest names is missing.
        """
        if not self.people(split):
            full = [
                name for name in self.manifest["splits"] if self.people(name)
            ]
            raise ValueError(
                f"These records have the splits {', '.join(full)}. "
                f"Received: split={split!r}"
            )
        return manifests.check_shards(
            self.folder, self.manifest, split, self.left_out
        )

    def annotations(self) -> dict | None:
        """Ground truth of the validation split in COCO's form.

        Returns:
            Dict of `images`, `annotations` and `categories`; None if the
            dataset is not in COCO's form.

        Raises:
            ValueError: the ground truth was changed after the records were
                built.
        """
        wanted = self.manifest.get(ANNOTATIONS_DIGEST)
        return stored_truth.read(self.folder / ANNOTATIONS, wanted)

    @contextlib.contextmanager
    def reading(self, split: str) -> Iterator[None]:
        """Names the damaged shard if TensorFlow cannot read a record.

        Raises:
            ValueError: a shard was changed while it was read, or has a record
                that is none, though it is the manifest's.
        """
        try:
            yield
        except (
            tf.errors.DataLossError,
            tf.errors.InvalidArgumentError,
            tf.errors.NotFoundError,
            UnicodeDecodeError,  # TensorFlow's message holds the record's bytes
        ):
            manifests.check_records(self.paths(split), self.manifest)
            raise


def _read(path, folder):
    """Reads and checks a folder's manifest."""
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
            f"{str(error):.300}. Received: data={str(folder)!r}"
        ) from None
    if version != schema.VERSION:
        raise ValueError(
            f"These records have format version {version!r:.40}, this "
            f"package reads {schema.VERSION}; build them again. "
            f"Received: data={str(folder)!r}"
        )
    return manifest
