"""Files that tools wrote become records, whose joints are on their dots.

`files` has, for the same two pictures, labels that were written by labelme
6.3.1, sleap-io 0.9.5 (sleap), datumaro 1.13.12 (cvat), Label Studio's SDK 2.1.2
(yolo, of label_studio's export, which its schema accepts), and pandas 3.1.1
with the columns and rows of DeepLabCut and Lightning Pose. data.yaml and the
pictures are of this test.
"""

import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from integral_tf.pipeline import batches
from integral_tf.records.folder import Records
from tests import in_process
from tests.records.conversion import conversions

FILES = pathlib.Path(__file__).parent / "files"
JOINTS = ("nose", "left_paw", "right_paw")
COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255))
# People, each of the pixels in which the joints are.
PEOPLE = {
    "a.png": [[(10, 12), (30, 20), (50, 40)], [(12, 40), None, (40, 8)]],
    "b.png": [[(20, 30), (44, 10), None]],
}
# Where the labels are, and the pictures.
FORMATS = {
    "labelme": (".", "."),
    "label_studio": ("export.json", "photos"),
    "cvat": ("annotations.xml", "images"),
    "yolo": (".", "images"),
    "deeplabcut": (".", "labeled-data/clip"),
    "lightning_pose": ("CollectedData.csv", "labeled-data/clip"),
    "sleap": ("labels.slp", "."),
}


def pictures(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, people in PEOPLE.items():
        picture = np.full((48, 64, 3), 90, np.uint8)
        for person in people:
            for joint, colour in zip(person, COLOURS):
                if joint:
                    x, y = joint
                    picture[y - 2 : y + 3, x - 2 : x + 3] = colour
        Image.fromarray(picture).save(folder / name)


def expected(name):
    """The rows of keypoints; Lightning Pose has one animal in a picture."""
    people = [p for rows in PEOPLE.values() for p in rows]
    people = [people[0], people[2]] if name == "lightning_pose" else people
    hidden = {2: 1} if name == "cvat" else {}
    return [
        [(*joint, hidden.get(n, 2)) if joint else (0, 0, 0)
         for n, joint in enumerate(person)]
        for person in people
    ]  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_of_the_tool_becomes_drawn_joints(tmp_path, name):
    labels, folder = FORMATS[name]
    source = tmp_path / name
    shutil.copytree(FILES / name, source)
    for packed in source.glob("*.gz"):
        conversions.unpacked(f"{name}/{packed.stem}", tmp_path)
    pictures(source / folder)
    out, records = tmp_path / "train.json", tmp_path / "records"
    done = in_process.run("convert", source / labels, f"--out={out}")
    assert done.returncode == 0, done.stderr
    assert "left out" not in done.stdout
    people = conversions.keypoints(out)
    assert np.allclose(people, expected(name), atol=1e-9), people
    done = in_process.run(
        *("build-coco", f"--out={records}", f"--train_annotations={out}"),
        *(f"--train_images={source}", "--category=all", "--image_size=64"),
    )
    assert done.returncode == 0, done.stderr
    assert f"train: {len(people)} people kept" in done.stdout
    assert sorted(colours(records)) == sorted(
        [n for n, joint in enumerate(person) if joint[2]] for person in people
    )
    page = tmp_path / "page.html"
    done = in_process.run("browse", f"--data={records}", f"--out={page}")
    assert done.returncode == 0, done.stderr
    assert page.read_text().count('<figure class="person"') == len(people)


def colours(folder):
    """For each person, whose colours are where the labelled joints are."""
    records = Records.open(folder)
    assert tuple(records.skeleton.joints) == JOINTS
    rows = tf.data.TFRecordDataset(records.paths("train"))
    found = []
    for person in rows.map(batches.decoder(records)).as_numpy_iterator():
        places = np.round(person["joints"]).astype(int)[person["visible"] > 0]
        window = person["windows"].astype(int)
        pixels = [window[y, x] for x, y in places]
        # A grey pixel would be of no joint.
        assert all(np.ptp(pixel) > 90 for pixel in pixels), pixels
        found.append([int(np.argmax(pixel)) for pixel in pixels])
    return found
