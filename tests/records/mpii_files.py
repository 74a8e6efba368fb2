"""Files in MPII's two forms, made up for the tests."""

import json

import numpy as np
import scipy.io
from PIL import Image

EMPTY = np.zeros((0, 0))


def structs(rows):
    """Dicts as MATLAB keeps them: one struct, or an array with all fields.

    What one of them lacks is empty there.
    """
    if not rows:
        return EMPTY
    if len(rows) == 1:
        return rows[0]
    names = list(dict.fromkeys(name for row in rows for name in row))
    array = np.empty((1, len(rows)), [(name, object) for name in names])
    for i, row in enumerate(rows):
        array[0, i] = tuple(row.get(name, EMPTY) for name in names)
    return array


def person(points=None, head=None, objpos=None, scale=None):
    """One `annorect`; what is None is no field of it.

    Args:
        points: List of dicts with x, y, id and perhaps is_visible.
        head: x1, y1, x2, y2.
        objpos: x, y.
        scale: Height over 200.
    """
    rect = dict(zip(("x1", "y1", "x2", "y2"), head)) if head else {}
    if points is not None:
        rect["annopoints"] = {"point": structs(points)} if points else EMPTY
    if objpos:
        rect["objpos"] = {"x": objpos[0], "y": objpos[1]}
    if scale:
        rect["scale"] = scale
    return rect


def write_release(path, images):
    """Writes the struct RELEASE.

    Args:
        path: File to write.
        images: List of (name, training, numbers of single people, people).
    """
    cells = np.empty((len(images), 1), object)
    for i, (_, _, single, _) in enumerate(images):
        cells[i, 0] = np.array([single], np.uint8).T if single else EMPTY
    release = {
        "annolist": structs(
            [
                {
                    "image": {"name": name},
                    "annorect": structs(people),
                    "frame_sec": EMPTY,
                    "vididx": EMPTY,
                }
                for name, _, _, people in images
            ]
        ),
        "img_train": np.array([[train for _, train, *_ in images]], np.uint8),
        "version": "12",
        "single_person": cells,
        "act": structs([{"act_name": EMPTY, "act_id": -1}] * len(images)),
        "video_list": np.array([["a video"]], object),
    }
    scipy.io.savemat(path, {"RELEASE": release})
    return path


def write_json(path, people):
    path.write_text(json.dumps(people))
    return path


def write_photographs(folder, names, width=64, height=48):
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for name in names:
        noise = rng.integers(0, 256, (height, width, 3), np.uint8)
        Image.fromarray(noise).save(folder / name)
    return folder
