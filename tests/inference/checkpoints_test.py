"""Tests from a file of PyTorch and a photograph to joints.

The joints are compared with those of Simple Baselines' own way, from its crop
to its decoding, written down in NumPy float64 (`their_decode`, `pose_resnet`).
"""

import json
import pathlib
import re
import shlex

import cv2
import numpy as np
import pytest

import integral_tf
from integral_tf import commands
from integral_tf import config
from integral_tf import flagfiles
from integral_tf import layers
from integral_tf import skeletons
from integral_tf.inference import flip
from integral_tf.inference import opencv_crops
from integral_tf.models import loading
from integral_tf.models import tensor_files
from integral_tf.training import importing
from tests.models import pose_resnet
from tests.models import their_decode
from tests.models import torch_files

ROOT = pathlib.Path(__file__).parent.parent.parent
# Enlarged and shrunk, wide and tall, partly outside of the photograph.
BOXES = [[20, 30, 40, 90], [-10, 50, 200, 60], [60, 20, 150, 170]]
SIZE = (64, 96)  # width and height of the crops
TENSORS = pose_resnet.random_tensors(18, 17, width=8)


@pytest.fixture(scope="module")
def photograph():
    """Smooth noise, so that no maximum is a matter of rounding."""
    noise = np.random.default_rng(2).integers(0, 256, (30, 40, 3), "uint8")
    return cv2.resize(noise, (240, 180), interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "pose_resnet_18_96x64.pth.tar"
    torch_files.save_legacy(TENSORS, path)
    return path


def their_maps(crop, bgr=True):
    images = crop[None].astype("float64")
    return pose_resnet.forward(TENSORS, pose_resnet.normalised(images, bgr))


def their_joints(photograph, box, maps=their_maps, size=SIZE):
    crop, middle, scale = their_decode.crop(photograph, box, size)
    seen = maps(crop)
    (cells,) = their_decode.final_cells(seen)
    joints = their_decode.in_image(cells, middle, scale, seen.shape[:1:-1])
    return joints, seen.max(axis=(2, 3))[0]


def assert_theirs(estimate, photograph, maps=their_maps):
    poses = estimate(photograph, BOXES)
    assert len(poses) == len(BOXES)
    for pose, box in zip(poses, BOXES):
        joints, scores = their_joints(photograph, box, maps)
        np.testing.assert_allclose(pose.joints, joints, atol=0.01)
        np.testing.assert_allclose(
            pose.scores, np.clip(scores, 0, 1), atol=1e-3
        )


def test_a_crop_is_theirs(photograph):
    # Of a box of 32 x 48 at (30, 20): its crop is 40 x 60 at (26, 14).
    crop, to_image = opencv_crops.cut(photograph, (30, 20, 32, 48), *SIZE)
    pixels = np.array([[0, 0], [32, 48], [64, 96]])
    there = pixels @ to_image[:, :2].T + to_image[:, 2]
    np.testing.assert_allclose(there, [[26, 14], [46, 44], [66, 74]])
    expected, _, _ = their_decode.crop(photograph, (30, 20, 32, 48), SIZE)
    np.testing.assert_array_equal(crop, expected)


def test_joints_in_the_photograph_are_theirs(checkpoint, photograph):
    estimate = integral_tf.PoseEstimator(checkpoint)
    assert (estimate.width, estimate.height) == SIZE
    assert estimate.skeleton is skeletons.COCO
    assert_theirs(estimate, photograph)


def test_so_are_those_of_mmposes_names(tmp_path, photograph):
    named = pose_resnet.named_as_mmpose(TENSORS, "head")
    path = tmp_path / "td-hm_res18_coco-96x64.pth"
    torch_files.save_zip({"meta": {}, "state_dict": named}, path)
    estimate = integral_tf.PoseEstimator(str(path), "coco")
    assert_theirs(
        estimate, photograph, lambda crop: their_maps(crop, bgr=False)
    )


def test_the_flip_test_is_theirs(checkpoint, photograph):
    # `SHIFT_HEATMAP`: all but the first column of the mirrored maps move on.
    order = skeletons.COCO.mirrored_order

    def averaged(crop):
        mirrored = their_maps(crop[:, ::-1])[:, order, :, ::-1].copy()
        mirrored[..., 1:] = mirrored[..., :-1].copy()
        return (their_maps(crop) + mirrored) / 2

    estimate = integral_tf.PoseEstimator(checkpoint, flip_test=True)
    assert_theirs(estimate, photograph, averaged)


def test_it_is_read_once(checkpoint, photograph, monkeypatch, capsys):
    read, paths = tensor_files.read, []

    def counted(path):
        paths.append(path)
        return read(path)

    monkeypatch.setattr(tensor_files, "read", counted)
    integral_tf.PoseEstimator(checkpoint)
    assert paths == [checkpoint]
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("pose_resnet_18_96x64.pth.tar: Simple Baselines'")
    assert "the joints of coco by their number" in line


def test_a_skeleton_that_was_given_is_taken(checkpoint, capsys):
    estimate = integral_tf.PoseEstimator(checkpoint, skeletons.COCO)
    assert estimate.skeleton is skeletons.COCO
    assert "joints of coco" not in capsys.readouterr().out
    with pytest.raises(ValueError, match="17 joints.*16.*'mpii'"):
        integral_tf.PoseEstimator(checkpoint, "mpii")


def test_becomes_a_run(checkpoint, photograph, tmp_path, monkeypatch):
    run = tmp_path / "runs" / "imported"
    importing.import_checkpoint(checkpoint, run)
    kept = flagfiles.read(config.TrainConfig, run / "flags.cfg")
    assert (kept.method, kept.backbone, kept.width_multiplier, kept.cells) == (
        "H1",
        "resnet18",
        0.125,
        "first",
    )
    assert (kept.size, kept.upsamplings, kept.head_channels) == (
        SIZE[::-1],
        3,
        8,
    )
    assert (kept.preprocessing, kept.sigma) == ("torch_bgr", 2.0)
    assert loading.saved_skeleton(run) == skeletons.COCO
    assert_theirs(integral_tf.PoseEstimator(run), photograph)
    with pytest.raises(FileExistsError, match="imported"):
        importing.import_checkpoint(checkpoint, run)

    # Broken off, nothing is left.
    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(importing.runs, "save_model", full)
    with pytest.raises(OSError, match="no space"):
        importing.import_checkpoint(checkpoint, run.with_name("other"))
    assert [path.name for path in run.parent.iterdir()] == ["imported"]


def test_a_run_needs_a_skeleton(tmp_path):
    tensors = pose_resnet.random_tensors(18, 5, width=8)
    with pytest.raises(ValueError, match="give `skeleton`.*with 5 joints"):
        importing.import_checkpoint(tensors, tmp_path / "run", image_size=64)
    with pytest.raises(ValueError, match="5 joints.*17.*'coco'"):
        importing.import_checkpoint(
            tensors, tmp_path / "run", image_size=64, skeleton=skeletons.COCO
        )
    assert not (tmp_path / "run").exists()


def test_an_integral_of_its_maps_reads_the_same_cells():
    # A single bright cell: (5, 3) of stride 4 is at crop pixel (20, 12), for
    # an integral as for a maximum. In the middle of cells it is 1.5 more.
    model = integral_tf.pose_model(
        "H1",
        "resnet18",
        1,
        64,
        upsamplings=3,
        width_multiplier=0.125,
        cells="first",
    )
    maps = np.zeros((1, 16, 16, 1), "float32")
    maps[0, 3, 5] = 100
    read = integral_tf.integralize(model).get_layer("integral")
    np.testing.assert_allclose(read(maps)["joints"], [[[20, 12]]])
    again = type(read).from_config(read.get_config())
    np.testing.assert_allclose(again(maps)["joints"], [[[20, 12]]])
    middle = integral_tf.integralize(model, cells="middle")
    read = middle.get_layer("integral")
    np.testing.assert_allclose(read(maps)["joints"], [[[21.5, 13.5]]])
    assert not any(isinstance(x, layers.Argmax) for x in middle.layers)


def test_the_flip_test_of_joints_needs_no_shift(checkpoint, photograph):
    # A mirror image of a mirror image: points average to themselves.
    model = loading.load(checkpoint)
    crop = photograph[:96, :64][None].astype("float32")
    both = np.concatenate([crop, crop[:, :, ::-1]])
    joints = flip.flipped(model, skeletons.COCO, "joints")(both)["joints"]
    mirrored = np.array(joints[1])[skeletons.COCO.mirrored_order]
    mirrored[:, 0] = 63 - mirrored[:, 0]
    np.testing.assert_allclose(joints[0], mirrored, atol=1e-4)


def commands_of(page):
    """The commands of the page's first block, as lists of words."""
    text = (ROOT / "docs" / page).read_text()
    block = re.search(r"^```\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)[1]
    return [shlex.split(c) for c in block.replace("\\\n", " ").splitlines()]


def test_the_pages_commands_lead_to_a_drawn_pose(
    tmp_path, photograph, monkeypatch
):
    name = "pose_resnet_50_256x192.pth.tar"
    torch_files.save_legacy(TENSORS, tmp_path / name)
    # Written without loss, whatever its name; it is read by its contents.
    data = cv2.imencode(".png", photograph[..., ::-1])[1].tobytes()
    (tmp_path / "photo.jpg").write_bytes(data)
    monkeypatch.chdir(tmp_path)
    for program, *words in commands_of("checkpoints.md"):
        assert program == "integral-tf"
        assert commands.main(words) == 0
    # A JPEG by its name.
    drawn = cv2.imread(str(tmp_path / "out" / "photo.jpg"))[..., ::-1]
    assert (drawn != photograph).any(axis=-1).mean() > 0.001
    (person,) = json.loads((tmp_path / "out" / "joints.json").read_text())
    joints = np.reshape(person["keypoints"], (17, 3))[:, :2]
    whole = [0, 0, *photograph.shape[1::-1]]
    expected, _ = their_joints(photograph, whole, size=(192, 256))
    np.testing.assert_allclose(joints, expected, atol=0.01)
