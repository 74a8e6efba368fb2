"""One exported model, one server and some pictures for all tests here."""

import json

import pytest
from PIL import Image

from integral_tf.export import saved_model
from integral_tf.export import warmup
from integral_tf.records import synthetic
from tests.export import cases
from tests.serving import running


@pytest.fixture(scope="session")
def model():
    return cases.calm_model()


@pytest.fixture(scope="session")
def folder(model, tmp_path_factory):
    pytest.importorskip(
        "tensorflow_serving", reason="tensorflow-serving-api is not installed"
    )
    path = tmp_path_factory.mktemp("serving") / "pose"
    frozen = cases.frozen(model)
    saved_model.write(frozen, path / "1")
    warmup.write(frozen, path / "1")
    return path


@pytest.fixture(scope="session")
def server(folder):
    started = running.Server(folder).start()
    yield started
    started.stop()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """Photographs of one to three people, and `boxes.json` of them."""
    path = tmp_path_factory.mktemp("pictures")
    rows = []
    for number in range(5):
        drawn = synthetic.person(0, number)
        name = f"{number}.png" if number == 2 else f"{number}.jpg"
        Image.fromarray(drawn.image).save(path / name)
        for shift in range(1 + number % 3):
            box = [round(float(v), 2) + 5 * shift for v in drawn.box]
            rows.append({"file_name": name, "bbox": box, "score": 0.9})
        rows.append({"file_name": name, "bbox": [0, 0, 9, 9], "score": 0.1})
    (path / "boxes.json").write_text(json.dumps(rows))
    return path
