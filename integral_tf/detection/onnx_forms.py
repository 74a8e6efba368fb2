"""Forms of ONNX detectors: how to recognise, feed and decode each.

    YOLOX      raw grids (1, N, 5 + C) at strides 8, 16, 32, and maybe 64
    RTMDet     MMDeploy's end2end: outputs dets (1, N, 5) and labels (1, N)
    D-FINE,    inputs images and orig_target_sizes; outputs labels, boxes and
    RT-DETR,   scores
    DEIM
    RF-DETR    outputs dets (1, N, 4), relative to the picture's size, and
               labels (1, N, C)

Pre- and postprocessing are those of the authors' own scripts.

Letters: N boxes, C classes. Corners are left, top, right and bottom edges;
edges have the coordinates of `coordinates`.
"""

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from integral_tf.detection import answers

KNOWN = (
    "YOLOX (one output (1, N, 5 + classes) of raw grids), RTMDet of MMDeploy "
    "(outputs dets (1, N, 5) and labels (1, N)), D-FINE, RT-DETR or DEIM "
    "(inputs images and orig_target_sizes, outputs labels, boxes and scores), "
    "or RF-DETR (outputs dets (1, N, 4) and labels (1, N, classes))"
)
SIDE = 640  # side in pixels that an input of free size gets
# Largest logarithm of a size, in cells, that can be a box.
_MOST = 20.0
# ImageNet's, for RGB pixels of 0..255.
_MEAN, _DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


class Signature:
    """A network's inputs and outputs.

    Args:
        file: Name of the network's file.
        inputs, outputs: Dicts from names to shapes; a free size is None.

    Attributes:
        image: Name of the input that is a picture; None unless exactly one
            is.
        side: `(2,)` width and height of that input.
    """

    def __init__(self, file: str, inputs: dict, outputs: dict) -> None:
        self.file, self.inputs, self.outputs = file, inputs, outputs
        pictures = [
            name
            for name, shape in inputs.items()
            if len(shape) == 4 and shape[:2] in [(1, 3), (None, 3)]
        ]
        self.image = pictures[0] if len(pictures) == 1 else None
        height, width = inputs.get(self.image, (0, 0, 0, 0))[2:]
        self.side = np.array([width or SIDE, height or SIDE])

    def __str__(self) -> str:
        return f"inputs {_words(self.inputs)}; outputs {_words(self.outputs)}"

    def has_dets(self, columns: int, rank: int) -> bool:
        """Whether there are outputs `dets` and `labels` of such shapes.

        Args:
            columns: Length of the last axis of `dets`.
            rank: Number of axes of `labels`.
        """
        dets, labels = map(self.outputs.get, ("dets", "labels"))
        return (
            len(self.inputs) == 1
            and bool(dets and labels)
            and (len(dets), dets[-1], len(labels)) == (3, columns, rank)
        )

    @property
    def is_yolox(self) -> bool:
        if (len(self.inputs), len(self.outputs)) != (1, 1):
            return False
        (shape,) = self.outputs.values()
        return (
            len(shape) == 3
            and (shape[2] or 0) > 5
            and bool(_strides(shape[1], self.side))
        )

    @property
    def is_detr(self) -> bool:
        return {"images", "orig_target_sizes"} == set(self.inputs) and (
            {"labels", "boxes", "scores"} <= set(self.outputs)
        )

    @property
    def classes(self) -> int | None:
        """How many classes there are; None if the outputs do not say."""
        if self.is_yolox:
            (shape,) = self.outputs.values()
            return shape[2] - 5
        labels = self.outputs["labels"]
        return labels[2] if len(labels) == 3 else None

    @property
    def person(self) -> int:
        """Usual number of the class of people."""
        return answers.person_of(self.classes)


@dataclasses.dataclass(frozen=True)
class View:
    """How a photograph lies in the network's input.

    Attributes:
        size: `(2,)` width and height of the photograph.
        scale: `(2,)` pixels of the input per pixel of the photograph.
        side: `(2,)` width and height of the input.
        person: Number of the class of people.
    """

    size: np.ndarray
    scale: np.ndarray
    side: np.ndarray
    person: int


@dataclasses.dataclass(frozen=True)
class Form:
    """How to recognise, feed and decode networks of one form.

    Attributes:
        name: Name of the form.
        fits: A function that says whether a `Signature` is of this form.
        read: A function from a dict of outputs, without the batch axis, and a
            `View` to `(N, 4)` corners in image pixels and `(N,)` scores of the
            class of people.
        keeps_aspect: The photograph lies in the top left corner of the input,
            with grey beside or below it, and is resampled as by OpenCV. If
            False, it is stretched to the input and resampled as by Pillow,
            antialiased.
        is_bgr: Channels are blue, green, red.
        mean, deviation: Normalisation of pixels of 0..255, in the order of the
            channels.
        overlaps: The outputs may have several boxes of one person, so that
            they need non-maximum suppression.
    """

    name: str
    fits: Callable[[Signature], bool]
    read: Callable[[dict, View], tuple[np.ndarray, np.ndarray]]
    keeps_aspect: bool
    is_bgr: bool = False
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    deviation: tuple[float, ...] = (1.0, 1.0, 1.0)
    overlaps: bool = False


def recognise(signature: Signature) -> Form:
    """Finds the form of a network.

    Raises:
        ValueError: the network is of no known form.
    """
    form = next((form for form in _FORMS if form.fits(signature)), None)
    if form is None or signature.image is None:
        raise ValueError(
            f"An ONNX file of a detector is one of {KNOWN}. Received: "
            f"{signature.file} with {signature}"
        )
    return form


def _strides(rows, side):
    """The strides whose grids have so many rows; the usual three for None."""
    for strides in ((8, 16, 32), (8, 16, 32, 64)):
        cells = sum(math.prod(side // stride) for stride in strides)
        if rows in (cells, None):
            return strides
    return ()


def _read_yolox(outputs, view):
    (rows,) = outputs.values()
    strides, largest = _strides(len(rows), view.side), rows[:, 2:4].max()
    if not strides or largest > _MOST:
        raise ValueError(
            "The detector was taken for YOLOX, whose raw grids are wanted, as "
            "its export makes them without --decode_in_inference. Received: "
            f"{len(rows)} rows for an input of {view.side[0]} x "
            f"{view.side[1]}, logarithms of sizes up to {largest:g}"
        )
    cells, steps = [], []
    for stride in strides:
        width, height = view.side // stride
        y, x = np.mgrid[:height, :width]
        cells.append(np.stack([x.ravel(), y.ravel()], axis=1))
        steps.append(np.full((width * height, 1), stride))
    steps = np.concatenate(steps)
    middles = (rows[:, :2] + np.concatenate(cells)) * steps
    corners = _around(middles, np.exp(rows[:, 2:4]) * steps)
    scores = rows[:, 4] * rows[:, 5 + view.person]
    return corners / np.tile(view.scale, 2), scores


def _read_mmdeploy(outputs, view):
    people = outputs["dets"][outputs["labels"] == view.person]
    return people[:, :4] / np.tile(view.scale, 2), people[:, 4]


def _read_detr(outputs, view):
    taken = outputs["labels"] == view.person
    return outputs["boxes"][taken], outputs["scores"][taken]


def _read_rf_detr(outputs, view):
    middles, sizes = np.split(outputs["dets"] * np.tile(view.size, 2), 2, 1)
    logits = outputs["labels"][:, view.person]
    # The sigmoid as a tanh, which does not overflow.
    return _around(middles, sizes), (1 + np.tanh(logits / 2)) / 2


def _around(middles, sizes):
    """Corners of boxes from their centres and sizes."""
    return np.concatenate([middles - sizes / 2, middles + sizes / 2], axis=1)


def _words(shapes):
    return ", ".join(
        f"{name} ({', '.join('?' if n is None else str(n) for n in shape)})"
        for name, shape in shapes.items()
    )


# The first form that fits is taken.
_FORMS = (
    Form(
        "YOLOX",
        lambda signature: signature.is_yolox,
        _read_yolox,
        keeps_aspect=True,
        is_bgr=True,
        overlaps=True,
    ),
    # ours: MMDeploy's files of YOLOX and of RTMDet look alike and are fed
    # differently, so the file's name tells.
    Form(
        "YOLOX of MMDeploy (by its name)",
        lambda signature: (
            signature.has_dets(5, 2) and "yolox" in signature.file.lower()
        ),
        _read_mmdeploy,
        keeps_aspect=True,
        is_bgr=True,
    ),
    Form(
        "RTMDet of MMDeploy",
        lambda signature: signature.has_dets(5, 2),
        _read_mmdeploy,
        keeps_aspect=True,
        is_bgr=True,
        mean=_MEAN[::-1],
        deviation=_DEVIATION[::-1],
    ),
    Form(
        "D-FINE, RT-DETR or DEIM",
        lambda signature: signature.is_detr,
        _read_detr,
        keeps_aspect=False,
        deviation=(255.0, 255.0, 255.0),
    ),
    Form(
        "RF-DETR",
        lambda signature: signature.has_dets(4, 3),
        _read_rf_detr,
        keeps_aspect=False,
        mean=_MEAN,
        deviation=_DEVIATION,
    ),
)
