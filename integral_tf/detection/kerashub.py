"""KerasHub's detectors, by the names of their presets."""

import numpy as np
from PIL import Image

from integral_tf import optional
from integral_tf.detection import answers

PREFIX = "keras_hub:"


class KerasHub:
    """A detector of KerasHub: image to `(N, 5)` boxes of people.

    Args:
        preset: Name of a preset, or the folder of one.
        person: Number of the class of people; by default 0 for a detector of
            80 classes, and 1 for one of 91, such as RetinaNet's presets.

    Raises:
        ImportError: KerasHub is not installed.
        ValueError: KerasHub has no such detector, or cannot load it.
    """

    def __init__(self, preset: str, person: int | None = None) -> None:
        hub = optional.need(
            "keras_hub", "keras-hub", f"--detector={PREFIX}{preset}", ""
        )
        self._preset = preset
        try:
            self._model = hub.models.ObjectDetector.from_preset(preset)
        except Exception as error:  # its errors have no common class
            reason = str(error).strip().partition("\n")[0]
            raise ValueError(
                "KerasHub has no detector of this name that it could get: "
                f"{reason}. Received: detector={PREFIX + preset!r}"
            ) from error
        usual = answers.person_of(self._model.num_classes)
        self._person = usual if person is None else person

    def __str__(self) -> str:
        return f"{self._preset} of KerasHub; class {self._person} is a person"

    def __call__(self, image: np.ndarray) -> np.ndarray:
        import keras

        picture, scale = self._fitted(image)
        found = self._model.predict(np.float32(picture)[None], verbose=0)
        found = {name: np.asarray(value)[0] for name, value in found.items()}
        corners = keras.utils.bounding_boxes.convert_format(
            found["boxes"].astype("float32"),
            source=self._model.bounding_box_format,
            target="xyxy",
            height=picture.height,
            width=picture.width,
        )
        people = found["labels"] == self._person  # empty rows have label -1
        corners = np.asarray(corners, np.float64)[people] / np.tile(scale, 2)
        return answers.from_corners(corners, found["confidence"][people])

    def _fitted(self, image):
        """The photograph in the model's input size, and the scale of x and y.

        KerasHub's own resizing then changes nothing. It would crop some
        photographs, and return boxes in the resized picture without the
        transformation.
        """
        size = np.array(image.shape[1::-1])
        picture = Image.fromarray(image)
        converter = self._model.preprocessor.image_converter
        if converter.image_size is None:
            return picture, np.ones(2)
        side = np.array(converter.image_size[::-1])
        if not converter.pad_to_aspect_ratio:
            return picture.resize(tuple(side.tolist())), side / size
        inner = np.maximum(np.round(size * (side / size).min()), 1).astype(int)
        padded = Image.new("RGB", tuple(side.tolist()))
        padded.paste(picture.resize(tuple(inner.tolist())), (0, 0))
        return padded, inner / size
