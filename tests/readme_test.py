"""The README's commands, run one after another as a reader would.

Numbers are made small: fewer people, and smaller pictures. Nothing else is
changed, and what a command prints is looked at.
"""

import json
import math
import pathlib
import re
import shlex

import cv2
import numpy as np
import pytest
from PIL import Image

from integral_tf import commands
from integral_tf.records import synthetic
from tests.detection import graphs
from tests.models import pose_resnet
from tests.models import torch_files

ROOT = pathlib.Path(__file__).parent.parent
FENCED = re.compile(r"^```\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Said smaller: the people who are drawn, and how often they are seen.
SMALLER = {"--people=600": "--people=24", "--epochs=2": "--epochs=1"}
SMALL = {
    "train": ["--batch_size=8", "--width_multiplier=0.125", "--head_channels=8"]
}


def commands_of(page):
    """The `integral-tf` lines of a page's blocks, as lists of arguments."""
    for block in FENCED.findall(page.read_text()):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("integral-tf "):
                yield shlex.split(line)[1:]


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder with a reader's photographs, boxes, detector and film."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    photo = synthetic.person(11, 3).image
    for path in ("photo.jpg", "photos/1.jpg", "photos/2.jpg"):
        Image.fromarray(photo).save(path)
    boxes = [{"file_name": "1.jpg", "bbox": [40, 20, 90, 140]}]
    pathlib.Path("boxes.json").write_text(json.dumps(boxes))
    # A small network by a published file's name: what it is, its tensors say.
    tensors = pose_resnet.random_tensors(18, 17, width=8)
    torch_files.save_legacy(tensors, "pose_resnet_50_256x192.pth.tar")
    raw = {2 * 8 + 3: [0.5, 0.25, math.log(2), math.log(4)]}
    graphs.yolox(tmp_path / "yolox_s.onnx", raw)
    height, width = photo.shape[:2]
    film = cv2.VideoWriter(
        "clip.mp4", cv2.VideoWriter_fourcc(*"mp4v"), 10, (width, height)
    )
    for _ in range(3):
        film.write(np.ascontiguousarray(photo[..., ::-1]))
    film.release()
    return tmp_path


@pytest.mark.filterwarnings("ignore:no model was named")
def test_every_command_runs(workplace, capsys):
    asked = [c for c in commands_of(ROOT / "README.md") if "photo" in str(c)]
    assert len(asked) >= 5
    for arguments in commands_of(ROOT / "README.md"):
        name, *flags = (SMALLER.get(each, each) for each in arguments)
        status = commands.main([name, *flags, *SMALL.get(name, [])])
        assert status == 0, arguments
        said = capsys.readouterr().out
        out = [f.partition("=")[2] for f in flags if f.startswith("--out=")]
        assert all(pathlib.Path(each).exists() for each in out), said
    people = json.loads(pathlib.Path("poses/joints.json").read_text())
    assert len(people) == 1 and people[0]["file_name"] == "1.jpg"
    assert pathlib.Path("poses_onnx/photo.jpg").is_file()
