"""A model, a film and photographs, and a prediction of them into `out`."""

import json
import pathlib
import signal

import cv2
import numpy as np
import pytest

from integral_tf import config as configs
from integral_tf import skeletons
from integral_tf.inference import draw
from integral_tf.inference import predict as predicting
from tests.inference import cases


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    return cases.flat_model(tmp_path_factory.mktemp("model"), skeletons.LSP)


@pytest.fixture
def clip(tmp_path):
    """Ten grey frames, each 20 brighter than the one before."""
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(
        str(path),
        cv2.VideoWriter_fourcc(*"MJPG"),
        cases.RATE,
        (cases.WIDTH, cases.HEIGHT),
    )
    for i in range(cases.FRAMES):
        writer.write(np.full((cases.HEIGHT, cases.WIDTH, 3), 20 * i, np.uint8))
    writer.release()
    return path


@pytest.fixture
def predict(model, tmp_path):
    """`predicting.predict` into `out`, of images and maybe of boxes."""

    def run(images, boxes=None, **settings):
        if isinstance(boxes, pathlib.Path):
            settings["boxes"] = str(boxes)
        elif boxes is not None:
            (tmp_path / "boxes.json").write_text(json.dumps(boxes))
            settings["boxes"] = str(tmp_path / "boxes.json")
        return predicting.predict(
            configs.PredictConfig(
                model=model,
                images=str(images),
                out=str(tmp_path / "out"),
                **settings,
            )
        )

    return run


@pytest.fixture
def photos(tmp_path):
    """Two photographs, of 128 x 64 and of 64 x 128."""
    (tmp_path / "photos").mkdir()
    for name, shape in (("a.png", (64, 128, 3)), ("b.png", (128, 64, 3))):
        draw.save(np.zeros(shape, np.uint8), tmp_path / "photos" / name)
    return tmp_path / "photos"


@pytest.fixture
def ctrl_c():
    """Presses Ctrl-C; whoever runs the tests may ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, before)
