"""Films of a few frames, each of its own grey, for labels of videos."""

import json

import cv2
import numpy as np
from PIL import Image

WIDTH, HEIGHT = 64, 48


def film(path, frames=9):
    """Writes a film, whose frame N has the grey 20 N; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    code = cv2.VideoWriter_fourcc(*"MJPG")
    sides = (WIDTH, HEIGHT)
    writer = cv2.VideoWriter(str(path), cv2.CAP_OPENCV_MJPEG, code, 10, sides)
    for number in range(frames):
        writer.write(np.full((HEIGHT, WIDTH, 3), 20 * number, np.uint8))
    writer.release()
    return path


def numbers(folder):
    """Dict from a folder's pictures to the numbers that their greys say."""
    found = {}
    for path in sorted(folder.rglob("*.png")):
        greys = np.asarray(Image.open(path))
        # The film's compression may change a grey by one or two.
        number = round(float(greys.mean()) / 20)
        assert np.abs(greys - 20.0 * number).max() < 4
        name = path.relative_to(folder).as_posix()
        found[name] = number
    return found


def file_names(path):
    """The pictures' names of a JSON in COCO's form."""
    return [row["file_name"] for row in json.loads(path.read_text())["images"]]
