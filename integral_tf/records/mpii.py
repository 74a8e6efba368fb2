"""Lists the people of MPII Human Pose.

The paper trains on about 29,000 poses: everyone with labelled joints in the
training images. A flag restricts people to those that MPII calls sufficiently
separated; only such people are scored by MPII's single-person test.
"""

import dataclasses
import pathlib

import numpy as np

from integral_tf import coordinates
from integral_tf import former
from integral_tf import skeletons
from integral_tf.records import mpii_annotations
from integral_tf.records import photographs
from integral_tf.records import schema

# ours: for people without scale or objpos. It is about the ratio of the box of
# scale and objpos to the extent of the joints.
BODY_MARGIN = 1.25


def people(source, images=None, choice="all", zero_based=False):
    """Lists the people of the training images.

    Args:
        source: The official `.mat`, a JSON in Simple Baselines' form, or a
            folder that holds one of either.
        images: Folder of the photographs; by default `images/` beside the
            file or beside its folder.
        choice: `"all"`, or `"single"` for the sufficiently separated.
        zero_based: The JSON counts pixels from 0.

    Returns:
        List of `(source_id, Annotation)`; a source_id is the photograph's name
        and the person's number in it, `015601864_1`.

    Raises:
        FileNotFoundError: there are no annotations, or no photographs.
        ValueError: the annotations cannot be read, or lack what `choice` needs.
    """
    if choice not in ("all", "single"):
        raise ValueError(
            "`people` are all, or single: the sufficiently separated. "
            f"Received: {choice!r}"
        )
    file, listed = _read(source, zero_based)
    if choice == "single" and file.suffix == ".json":
        raise ValueError(
            "Only the official .mat says who is sufficiently separated. "
            f"Received: people={choice!r}, source={str(file)!r}"
        )
    return [
        (annotation.source_id, annotation)
        for photograph, annotation in _placed(listed, file, images)
        if photograph.training and (choice == "all" or annotation.apart)
    ]


def test_people(source, images=None):
    """Lists the people of the single-person test: boxes without joints.

    Args:
        source: The official `.mat`, or a folder that holds it.
        images: As in `people`.

    Returns:
        List of `(source_id, Annotation)`: the sufficiently separated people
        of the test images. `evaluation.submission` needs all of them.

    Raises:
        FileNotFoundError: there are no annotations, or no photographs.
        ValueError: the annotations are not the official `.mat`.
    """
    file, listed = _read(source, zero_based=False)
    if file.suffix == ".json":
        raise ValueError(
            "Only the official .mat says whom the single-person test scores. "
            f"Received: source={str(file)!r}"
        )
    return [
        (annotation.source_id, annotation)
        for photograph, annotation in _placed(listed, file, images)
        if is_tested(photograph, annotation)
    ]


def tested_names(release):
    """The set of source_ids of `test_people`.

    Args:
        release: What `mpii_annotations.read_release` returned.
    """
    return {
        annotation.source_id
        for photograph in release
        for annotation in photograph.people
        if is_tested(photograph, annotation)
    }


def is_tested(photograph, annotation):
    """Whether the single-person test scores this person.

    The test's script ignores people without objpos.
    """
    known = annotation.centre is not None
    return annotation.apart and known and not photograph.training


def find(source):
    """Finds the file of annotations.

    Args:
        source: A file, or a folder that holds one, directly or in a folder of
            its own. The official `.mat` is preferred to a JSON.

    Raises:
        FileNotFoundError: there is no such file, or more than one.
    """
    source = pathlib.Path(source)
    found = [source] if source.suffix in (".mat", ".json") else []
    if source.is_dir():
        for pattern in ("mpii_human_pose*.mat", "*.json"):
            # The archive unpacks to a folder of its own.
            found = [*source.glob(pattern), *source.glob(f"*/{pattern}")]
            if found:
                break
    if len(found) != 1 or not found[0].is_file():
        raise FileNotFoundError(
            "MPII's annotations are mpii_human_pose_v1_u12_1.mat, or a JSON in "
            "Simple Baselines' form, or a folder with one such file. "
            f"Received: source={str(source)!r}, files="
            f"{[p.name for p in sorted(found) if p.is_file()]}"
        )
    return found[0]


def person(annotation):
    """Reads one person's photograph and completes the annotation.

    The box is the square of side 200 scale whose centre is 15 scale below
    objpos. If scale or objpos is unknown, it is the joints' extent with a
    margin.

    Raises:
        schema.Dropped: the photograph is missing or unreadable, no joint is in
            it, or the validation list excludes the person.
    """
    if annotation.left_out:
        raise schema.Dropped(annotation.left_out, annotation.source_id)
    if not annotation.visible.any():
        raise schema.Dropped("no joint annotated")
    image, notes = photographs.read_labelled(annotation.path)
    height, width = image.shape[:2]
    joints, visible = annotation.joints, annotation.visible
    size = np.array([width, height])
    inside = coordinates.inside(joints, size).all(axis=1)
    labelled = (visible > 0) & inside
    if not labelled.any():
        raise schema.Dropped("no labelled joint inside the image")
    box = annotation.box
    if box is None:
        box = coordinates.box_around(joints[labelled], BODY_MARGIN)
    if not ((box[:2] < size) & (box[:2] + box[2:] > 0)).all():
        raise schema.Dropped(
            "box without area inside the image",
            f"{annotation.source_id}, {box.tolist()}",
        )
    return schema.Person(
        image=image,
        image_id=annotation.image_id,
        source_id=annotation.source_id,
        joints=np.where(labelled[:, None], joints, 0.0),
        visible=np.where(labelled, visible, 0),
        box=box,
        head_size=annotation.head_size,
        outside=int(((visible > 0) & ~inside).sum()),
        notes=notes,
    )


def tested_person(annotation):
    """Reads the photograph of one of `test_people`; no joint is labelled.

    Raises:
        schema.Dropped: the photograph is missing or unreadable, or the scale
            is unknown.
    """
    if annotation.box is None:
        raise schema.Dropped("no scale")
    joints = len(skeletons.MPII)
    return schema.Person(
        image=photographs.read(annotation.path),
        image_id=annotation.image_id,
        source_id=annotation.source_id,
        joints=np.zeros((joints, 2)),
        visible=np.zeros(joints, np.int64),
        box=annotation.box,
    )


def _read(source, zero_based):
    file = find(source)
    if file.suffix == ".json":
        return file, mpii_annotations.read_json(file, zero_based)
    if zero_based:
        raise ValueError(
            "The official .mat always counts pixels from 1. "
            f"Received: zero_based=True, source={str(file)!r}"
        )
    return file, mpii_annotations.read_release(file)


def _placed(listed, file, images):
    """The people with the paths and numbers of their photographs."""
    folders = [pathlib.Path(images)] if images else []
    folders = folders or [parent / "images" for parent in file.parents[:2]]
    folder = next((f for f in folders if f.is_dir()), None)
    if folder is None:
        raise FileNotFoundError(
            "The photographs are a folder, by default images/ beside the "
            f"annotations. Received: images={str(images or folders[0])!r}"
        )
    for photograph, number in zip(listed, _numbers(listed)):
        path = str(folder / photograph.name)
        problem = (
            "" if photographs.is_within(path, folder) else photographs.OUTSIDE
        )
        for annotation in photograph.people:
            yield (
                photograph,
                dataclasses.replace(
                    annotation,
                    path=path,
                    image_id=number,
                    left_out=annotation.left_out or problem,
                ),
            )


def _numbers(listed):
    """A photograph's number: MPII's name, or else its position in the list."""
    stems = [pathlib.PurePosixPath(p.name).stem for p in listed]
    if all(s.isascii() and s.isdigit() and len(s) < 19 for s in stems):
        numbers = [int(stem) for stem in stems]
        if len(set(numbers)) == len(numbers):
            return numbers
    return range(1, len(listed) + 1)


__getattr__ = former.names(__name__)
