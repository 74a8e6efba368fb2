"""KerasHub's detectors by the names of their presets."""

import numpy as np
from PIL import Image

from integral_tf import optional
from integral_tf.detection import answers

PREFIX = "keras_hub:"


class KerasHub:
    """A detector of KerasHub: image to `(N, 5)` boxes of people.

    Args:
        preset: Name of its preset, or a folder of one.
        person: Number of the class of people; by default 0 of COCO's 80
            classes, and 1 of its 91, which RetinaNet's presets have.

    Raises:
        ImportError: KerasHub is not installed.
        ValueError: it has no such detector, or could not get it.
    """

    def __init__(self, preset: str, person: int | None = None) -> None:
        hub = optional.need(
            "keras_hub", "keras-hub", f"--detector={PREFIX}{preset}", ""
        )
        self._preset = preset
        try:
            self._model = hub.models.ObjectDetector.from_preset(preset)
        except Exception as error:  # of many kinds: names, files, the network
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
        people = found["labels"] == self._person  # -1 where nothing is
        corners = np.asarray(corners, np.float64)[people] / np.tile(scale, 2)
        return answers.from_corners(corners, found["confidence"][people])

    def _fitted(self, image):
        """The photograph in the size that the model works in, and its scale.

        KerasHub's own resizing does nothing then: it would crop some, and
        answer boxes in the resized picture without saying how it lies there.
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
        whole = Image.new("RGB", tuple(side.tolist()))
        whole.paste(picture.resize(tuple(inner.tolist())), (0, 0))
        return whole, inner / size
