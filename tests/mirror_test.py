"""Where a module is tested: in the file of its name, or where a row here says.

`integral_tf/ops/argmax.py` is tested by `tests/ops/argmax_test.py`. A row of
`TESTED_IN` names the file of a module, or of a whole folder, that has none.
"""

import pathlib

import pytest

TESTS = pathlib.Path(__file__).parent
PACKAGE = TESTS.parent / "integral_tf"
MODULES = sorted(
    path.relative_to(PACKAGE)
    for path in PACKAGE.rglob("*.py")
    if path.stem not in ("__init__", "__main__")
)

TESTED_IN = {
    "builds": "datasets/synthetic_test.py",
    "commands": "commands/commands_test.py",
    "config": "config_test.py",
    "detection/answers": "detection/detector_test.py",
    "detection/onnx_forms": "detection/onnx_file_test.py",
    "detection/suppression": "detection/onnx_file_test.py",
    "evaluation/browse": "datasets/browse_test.py",
    "evaluation/coco_results": "evaluation/predictions_test.py",
    "evaluation/feed": "evaluation/calibrate_test.py",
    "evaluation/mean_pose": "evaluation/evaluate_test.py",
    "evaluation/gallery": "evaluation/html_report_test.py",
    "evaluation/page": "datasets/browse_test.py",
    "evaluation/preflight": "evaluation/evaluate_test.py",
    "evaluation/report": "evaluation/evaluate_test.py",
    "experiments/complexity": "models/complexity_test.py",
    "experiments/figure2": "experiments/reproduce_test.py",
    "experiments/pages": "experiments/reproduce_test.py",
    "experiments/tables": "experiments/reproduce_test.py",
    "export/card": "export/publish_test.py",
    "export/frozen_network": "export/saved_model_test.py",
    "export/litert": "export/formats_test.py",
    "export/onnx": "export/formats_test.py",
    "export/openvino": "export/formats_test.py",
    "export/parity": "export/publish_test.py",
    "export/provenance": "export/web_test.py",
    "flagfiles": "config_test.py",
    "inference/answers": "inference/film_test.py",
    "inference/keras_backend": "inference/backends_test.py",
    "inference/left_out": "inference/placement_test.py",
    "inference/opencv_crops": "inference/checkpoints_test.py",
    "inference/published": "inference/backends_test.py",
    "inference/tensorrt_engine": "export/tensorrt_test.py",
    "keras2": "worlds/layer_test.py",
    "keras_version": "worlds/names_test.py",
    "layers/float32": "layers/integral_regression_test.py",
    "lazy": "worlds/names_test.py",
    "losses/labelled": "losses/labels_test.py",
    "metrics/coco_arrays": "metrics/average_precision_test.py",
    "metrics/fitting": "metrics/calibration_test.py",
    "metrics/joint_distance": "losses/labels_test.py",
    "metrics/hotcoco": "metrics/average_precision_test.py",
    "models/backbone": "models/methods_test.py",
    "models/flat": "models/applications_test.py",
    "models/freezing": "models/efficientnet_lite0_test.py",
    "models/lite0_wheel": "models/efficientnet_lite0_test.py",
    "models/loading": "inference/estimator_test.py",
    "ops/background": "layers/integral_options_test.py",
    "ops/labels": "losses/labels_test.py",
    "ops/layout": "ops/integral_test.py",
    "records/build_coco": "datasets/coco_test.py",
    "records/conversion/annotations": "records/conversion/labelme_test.py",
    "records/conversion/coco_file": "records/conversion/convert_test.py",
    "records/conversion/face_points": "records/conversion/faces_test.py",
    "records/conversion/pictures": "records/conversion/convert_test.py",
    "records/conversion/mtfl": "records/conversion/faces_test.py",
    "records/conversion/pts": "records/conversion/faces_test.py",
    "records/conversion/sleap_file": "records/conversion/sleap_test.py",
    "records/conversion/wflw": "records/conversion/faces_test.py",
    "records/file_digest": "records/shards_test.py",
    "records/ids": "inference/boxes_test.py",
    "records/json_file": "records/conversion/convert_test.py",
    "records/listed": "records/shards_test.py",
    "records/matlab_process": "records/matlab_test.py",
    "records/stored_truth": "records/folder_test.py",
    "records/synthetic/background": "records/synthetic/photograph_test.py",
    "records/synthetic/chance": "records/synthetic/body_test.py",
    "records/synthetic/postures": "records/synthetic/body_test.py",
    "records/writing": "records/shards_test.py",
    "registration": "worlds/names_test.py",
    "serving/replay": "serving/configuration_test.py",
    "settings": "config_test.py",
    "signatures": "typing_test.py",
    "training/importing": "inference/checkpoints_test.py",
    "training/preflight": "training/trainer_test.py",
}


def mirrored(module):
    """The test file of a module's own name."""
    return TESTS / module.parent / f"{module.stem.strip('_')}_test.py"


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_is_tested_in_the_file_of_its_name_or_has_a_row(module):
    name = module.with_suffix("").as_posix()
    elsewhere = TESTED_IN.get(name, TESTED_IN.get(module.parts[0]))
    assert mirrored(module).is_file() or elsewhere, f"no test of {name}"


@pytest.mark.parametrize("name", TESTED_IN)
def test_a_row_is_of_a_module_without_a_file_of_its_name(name):
    assert (TESTS / TESTED_IN[name]).is_file(), TESTED_IN[name]
    module = pathlib.Path(f"{name}.py")
    if not (PACKAGE / name).is_dir():
        assert module in MODULES, f"{name} is gone"
        assert not mirrored(module).is_file(), f"{mirrored(module)} is there"
