"""Tests that an exported network answers where nothing else is imported."""

import json

import numpy as np
import pytest
from PIL import Image

import integral_tf
from integral_tf.export import litert
from integral_tf.export import onnx
from integral_tf.export import openvino
from tests.export import cases
from tests.worlds import processes

# What an artifact is asked in a process of its own.
ANSWER = """
import gc, json, signal, sys
import integral_tf

estimate = integral_tf.PoseEstimator(sys.argv[1], "mpii", flip_test=True)
boxes = json.loads(sys.argv[3])
drawn = estimate(sys.argv[2])[0].draw(sys.argv[2])
poses = [pose for poses in estimate([sys.argv[2]] * 2, [boxes, boxes[:1]])
         for pose in poses]
# OpenVINO itself brings absl.
loaded = {"tensorflow", "keras", "cv2", "h5py", "tqdm", "matplotlib", "scipy"}
said = json.dumps([[pose.joints.tolist() for pose in poses],
                   sorted(loaded & set(sys.modules)), str(drawn.shape),
                   repr(estimate)])
# Ctrl-C when two estimators are gone, the older first: of two of OpenVINO's
# plugins the second puts back the stack for signals that the first has freed.
second = integral_tf.PoseEstimator(sys.argv[1], "mpii")
del estimate
gc.collect()
del second
gc.collect()
signal.signal(signal.SIGINT, lambda *_: print(said))
signal.raise_signal(signal.SIGINT)
"""
BOXES = [[20, 10, 60, 90], [-30, 40, 80, 50]]


@pytest.fixture(scope="module")
def network():
    return cases.calm_model()


@pytest.mark.parametrize(
    "module, packages, name",
    [
        pytest.param(
            onnx, ("onnxruntime", "tf2onnx"), "OnnxRuntime", id="onnx"
        ),
        pytest.param(litert, ("ai_edge_litert",), "LiteRT", id="litert"),
        pytest.param(
            openvino, ("openvino", "tf2onnx"), "OpenVINO", id="openvino"
        ),
    ],
)
def test_an_artifact_needs_its_runtime_alone(
    network, module, packages, name, tmp_path
):
    for package in packages:
        pytest.importorskip(package)
    module.write(cases.frozen(network), tmp_path)
    photo = tmp_path / "photo.png"
    picture = cases.crops(1, 128)[0].astype("uint8")
    Image.fromarray(picture).save(photo)
    printed = processes.fresh(ANSWER, tmp_path, photo, json.dumps(BOXES))
    joints, loaded, drawn, said = json.loads(printed.splitlines()[-1])
    assert loaded == []
    assert drawn == "(128, 128, 3)"
    assert "16 joints of mpii, 64 x 64" in said and name in said
    # Cropped as Keras's: a grey level more would show.
    keras_poses = integral_tf.PoseEstimator(network, "mpii", True)(photo, BOXES)
    wanted = [pose.joints for pose in keras_poses]
    np.testing.assert_allclose(joints, [*wanted, wanted[0]], atol=0.02)


def test_plain_arrays_need_numpy_alone():
    printed = processes.fresh(
        """
import sys
import numpy as np
import integral_tf
from integral_tf import coordinates, inference, metrics, skeletons

points = np.zeros((2, 16, 2))
assert metrics.pckh(points, points, np.ones((2, 16)), [1, 1]).at[0.5] == 100
metrics.coco_keypoint_ap(
    {"images": [], "annotations": [], "categories": [{"id": 1}]}, [],
    skeletons.COCO.sigmas)
metrics.calibration_error([0.5], [True])
coordinates.region_around([0, 0, 2, 2])
skeletons.get("coco").mirrored_order
inference.oks_nms(np.zeros((1, 17, 2)), [1.0], [4.0], skeletons.COCO.sigmas)
print(*{"keras", "tensorflow", "scipy", "PIL", "absl"} & set(sys.modules))
from integral_tf.metrics import fitting
fitting.cross_fitted([0.2, 0.9, 0.6, 0.4], [0, 1, 1, 0], [1, 1, 2, 2])
print(*{"keras", "tensorflow"} & set(sys.modules))
"""
    )
    assert printed.split() == []
