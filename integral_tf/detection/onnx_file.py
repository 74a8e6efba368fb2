"""A detector in an ONNX file, run by ONNX Runtime alone."""

import os
import pathlib

import numpy as np
from PIL import Image

from integral_tf import optional
from integral_tf.detection import answers
from integral_tf.detection import onnx_forms
from integral_tf.detection import suppression

_GREY = 114  # fills the input around a photograph that keeps its aspect
_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int32)": np.int32,
}


class OnnxFile:
    """An ONNX file as a detector: image to `(N, 5)` boxes of people.

    Several threads may call one detector.

    Args:
        path: Path of the file.
        least: Score below which a box is left out.
        person: Number of the class of people; None takes the usual number.

    Raises:
        ImportError: ONNX Runtime is not installed.
        ValueError: the file is not an ONNX file, its network is of no known
            form, or the network has no class `person`.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        least: float,
        person: int | None = None,
    ) -> None:
        path, self._least = pathlib.Path(path), least
        self._session = _session(path)
        inputs, outputs = (
            self._session.get_inputs(),
            self._session.get_outputs(),
        )
        self._types = {node.name: node.type for node in inputs}
        self._signature = onnx_forms.Signature(
            path.name, _shapes(inputs), _shapes(outputs)
        )
        self._form = onnx_forms.recognise(self._signature)
        self._person = self._signature.person if person is None else person
        classes = self._signature.classes
        if classes is not None and self._person >= classes:
            raise ValueError(
                "`person` is the number of the detector's class of people, "
                f"which counts {classes} classes from 0. Received: "
                f"person={person}"
            )

    def __str__(self) -> str:
        width, height = self._signature.side
        return (
            f"{self._signature.file}, recognised as {self._form.name}, "
            f"{width} x {height}; class {self._person} is a person"
        )

    def __call__(self, image: np.ndarray) -> np.ndarray:
        form, signature = self._form, self._signature
        picture, scale = fitted(image, signature.side, form)
        size = np.array(image.shape[1::-1])
        feeds = {
            name: picture if name == signature.image else size[None]
            for name in signature.inputs
        }
        feeds = {
            name: value.astype(_TYPES.get(self._types[name], np.int64))
            for name, value in feeds.items()
        }
        values = self._run(list(signature.outputs), feeds)
        outputs = {
            name: np.asarray(value, np.float64)[0]
            for name, value in zip(signature.outputs, values)
        }
        view = onnx_forms.View(size, scale, signature.side, self._person)
        corners, scores = form.read(outputs, view)
        sure = scores >= self._least
        corners, scores = corners[sure], scores[sure]
        if form.overlaps:
            kept = suppression.suppress(corners, scores)
            corners, scores = corners[kept], scores[kept]
        return answers.from_corners(corners, scores)

    def _run(self, outputs, feeds):
        try:
            return self._session.run(outputs, feeds)
        except Exception as error:  # ONNX Runtime's have no common class
            raise ValueError(
                "ONNX Runtime opens the detector and cannot run its network: "
                f"{_first_line(error)}. Received: {self._signature.file}"
            ) from error


def fitted(
    image: np.ndarray, side: np.ndarray, form: onnx_forms.Form
) -> tuple[np.ndarray, np.ndarray]:
    """Converts a photograph to a network's input.

    Args:
        image: `(H, W, 3)` uint8 RGB.
        side: `(2,)` width and height of the input.
        form: The `onnx_forms.Form`.

    Returns:
        `(1, 3, height, width)` float32, and the `(2,)` scale of x and y:
        pixels of the input per pixel of the photograph.
    """
    size, inner = np.array(image.shape[1::-1]), np.asarray(side)
    picture = Image.fromarray(image)
    if form.keeps_aspect:
        inner = np.maximum(np.round(size * (side / size).min()), 1).astype(int)
        # Not `resize`, which antialiases.
        resized = picture.transform(
            tuple(inner.tolist()),
            Image.Transform.EXTENT,
            (0, 0, *size.tolist()),
            Image.Resampling.BILINEAR,
        )
        padded = Image.new("RGB", tuple(side.tolist()), (_GREY,) * 3)
        padded.paste(resized, (0, 0))
    else:
        padded = picture.resize(tuple(side.tolist()), Image.Resampling.BILINEAR)
    pixels = np.asarray(padded, np.float32)
    pixels = pixels[..., ::-1] if form.is_bgr else pixels
    pixels = (pixels - np.float32(form.mean)) / np.float32(form.deviation)
    return pixels.transpose(2, 0, 1)[None], inner / size


def _session(path):
    ort = optional.need("onnxruntime", "onnxruntime", "an ONNX file")
    wanted = ("CUDAExecutionProvider", "CPUExecutionProvider")
    has = ort.get_available_providers()
    try:
        return ort.InferenceSession(
            str(path), providers=[name for name in wanted if name in has]
        )
    except Exception as error:  # its exceptions have no common class
        raise ValueError(
            f"{path} is not an ONNX file that ONNX Runtime reads: "
            f"{_first_line(error)}"
        ) from error


def _first_line(error):
    return str(error).strip().partition("\n")[0][:200]


def _shapes(nodes):
    """Dict from names to shapes; a free size is None."""
    return {
        node.name: tuple(n if isinstance(n, int) else None for n in node.shape)
        for node in nodes
    }
