"""Lists the people of Leeds Sports Pose and LSP-extended.

LSP has 2,000 people, and its `joints.mat` is `(3, 14, N)`. LSP-extended has
10,000 people, and its `joints.mat` is `(14, 3, N)`. The third value of a joint
is 1 where the joint is labelled in LSP-extended, and 1 where the joint is
hidden in LSP, which labels every joint.
"""

import dataclasses
import pathlib

import numpy as np
from PIL import Image

from integral_tf import coordinates
from integral_tf import skeletons
from integral_tf.records import matlab
from integral_tf.records import photographs
from integral_tf.records import schema

# ours: LSP has no boxes; a body extends a little beyond its outer joints.
BODY_MARGIN = 1.15


@dataclasses.dataclass(frozen=True)
class Annotation:
    """One column of `joints.mat`: `joints` (14, 2) and `visible` (14,)."""

    path: str
    number: int
    joints: np.ndarray
    visible: np.ndarray


def people(source):
    """Lists the people of a folder with `joints.mat` and `images/`.

    Args:
        source: Path of the folder.

    Returns:
        List of `(source_id, Annotation)`, one per column of `joints.mat`.

    Raises:
        FileNotFoundError: there is no `joints.mat` or no `images/`.
        ValueError: `joints.mat` cannot be read or has another shape.
    """
    source = pathlib.Path(source)
    path, images = source / "joints.mat", source / "images"
    if not path.is_file() or not images.is_dir():
        raise FileNotFoundError(
            "LSP and LSP-extended are a folder with joints.mat and images/. "
            f"Received: source={str(source)!r}"
        )
    joints, visible = _read_joints(path)
    paths = _image_paths(images)
    return [
        (
            f"im{number:05d}",
            Annotation(
                _image_path(images, paths, number), number, points, flags
            ),
        )
        for number, (points, flags) in enumerate(zip(joints, visible), 1)
    ]


def person(annotation, *, skeleton=skeletons.LSP):
    """Reads one person's photograph and completes the annotation.

    Args:
        annotation: One of `people`.
        skeleton: `skeletons.LSP` or `skeletons.MPII`. For MPII, LSP's neck is
            the upper neck, and pelvis and thorax are unlabelled.

    Raises:
        schema.Dropped: the photograph is missing or unreadable, or no joint is
            in it.
    """
    image, notes = photographs.read_labelled(annotation.path)
    height, width = image.shape[:2]
    joints, visible = annotation.joints, annotation.visible
    size = np.array([width, height])
    inside = coordinates.inside(joints, size).all(axis=1)
    labelled = (visible > 0) & inside
    if not labelled.any():
        raise schema.Dropped("no labelled joint inside the image")
    neck, top = skeletons.LSP.indices(skeletons.LSP.head)
    head = np.linalg.norm(joints[neck] - joints[top])
    joints = np.where(labelled[:, None], joints, 0.0)
    visible = np.where(labelled, visible, 0)
    box = coordinates.box_around(joints[labelled], BODY_MARGIN)
    places = [_place(name, skeleton) for name in skeletons.LSP.joints]
    all_joints = np.zeros((len(skeleton), 2))
    all_visible = np.zeros(len(skeleton), visible.dtype)
    all_joints[places], all_visible[places] = joints, visible
    return schema.Person(
        image=image,
        image_id=annotation.number,
        source_id=pathlib.Path(annotation.path).stem,
        joints=all_joints,
        visible=all_visible,
        box=box,
        head_size=float(head) if labelled[[neck, top]].all() else 0.0,
        outside=int(((annotation.visible > 0) & ~inside).sum()),
        notes=notes,
    )


def _place(name, skeleton):
    (place,) = skeleton.indices(
        [name if name in skeleton.joints else "upper_neck"]
    )
    return place


def _read_joints(path):
    try:
        joints = np.asarray(matlab.read(path, "joints"))
    except ValueError as error:
        raise ValueError(
            f"joints.mat is not a MATLAB file that scipy can read ({error}). "
            f"Received: {str(path)!r}"
        ) from None
    shape = joints.shape if joints.dtype.kind in "iuf" else ()
    if len(shape) == 3 and shape[:2] == (14, 3):
        joints = np.moveaxis(joints, 2, 0).astype(np.float64)  # LSPET
        visible = np.where(joints[..., 2] == 1, 2, 0)
    elif len(shape) == 3 and shape[:2] == (3, 14):
        joints = joints.transpose(2, 1, 0).astype(np.float64)  # LSP
        visible = np.where(joints[..., 2] == 1, 1, 2)
    else:
        raise ValueError(
            "joints.mat holds numbers called `joints`, shaped (14, 3, N) in "
            "LSP-extended and (3, 14, N) in LSP. "
            f"Received: {joints.dtype} of shape {joints.shape}"
        )
    # ours: nothing is subtracted. Labelled joints at x = 0 exist, so pixels are
    # counted from 0, not from 1 as usual in MATLAB.
    return joints[..., :2], visible


def _image_paths(images):
    """Files by the name without its ending, such as `im0001` or `im00001`."""
    endings = Image.registered_extensions()  # the folder may have other files
    return {
        path.stem: path
        for path in sorted(images.iterdir())
        if path.suffix.lower() in endings
    }


def _image_path(images, paths, number):
    # LSP-extended has five digits, LSP four.
    for digits in (5, 4):
        stem = f"im{number:0{digits}d}"
        if stem in paths:
            return str(paths[stem])
    return str(images / f"im{number:05d}.jpg")
