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


ANKLE, THORAX, NECK, TOP, WRIST = 0, 7, 8, 9, 15
WHOLE = person(
    [
        {"x": 11, "y": 41, "id": ANKLE, "is_visible": "1"},
        {"x": 31.5, "y": 6, "id": TOP, "is_visible": "0"},
        {"x": 31, "y": 11, "id": NECK, "is_visible": EMPTY},
        {"x": 21, "y": 31, "id": 6, "is_visible": 1},
        {"x": 51, "y": 21, "id": WRIST, "is_visible": 0},
    ],
    head=(11, 5, 14, 9),
    objpos=(31, 21),
    scale=0.2,
)
# No head box, no objpos, no scale, and nothing on what is hidden.
BARE = person(
    [{"x": 20, "y": 16, "id": THORAX}, {"x": 30, "y": 36, "id": ANKLE}]
)
ONE_POINT = person([{"x": 21, "y": 16, "id": THORAX}])
ONLY_HEAD = person(head=(1, 1, 4, 5))
TESTED = person(objpos=(9, 8), scale=0.1)
IMAGES = [
    ("000000010.jpg", 1, [1], [WHOLE, BARE]),
    ("000000020.jpg", 1, [], [ONE_POINT]),
    ("000000030.jpg", 1, [], []),
    ("000000040.jpg", 0, [1, 2], [TESTED, TESTED]),
    ("000000050.jpg", 1, [1], [ONLY_HEAD]),
    ("000000060.jpg", 0, [], []),
    ("000000070.jpg", 1, [2], [person([]), WHOLE]),
    ("000000080.jpg", 0, [1], [ONLY_HEAD]),
]


def entry(image="000000010.jpg", center=(31, 21), scale=0.2, **joints):
    """A person in Simple Baselines' form; joints by their number, `j0=`."""
    given = {int(name[1:]): point for name, point in joints.items()}
    return {
        "image": image,
        "center": list(center),
        "scale": scale,
        "joints": [list(given.get(i, (-1, -1))) for i in range(16)],
        "joints_vis": [int(i in given) for i in range(16)],
    }


def json_folder(tmp_path, *entries):
    write_json(tmp_path / "train.json", list(entries))
    names = {entry["image"] for entry in entries}
    write_photographs(tmp_path / "images", names)
    return tmp_path


def write_folder(path):
    """MPII as it unpacks: the `.mat` in a folder of its own, and `images/`."""
    annotations = path / "mpii_human_pose_v1_u12_2"
    annotations.mkdir(parents=True)
    write_release(annotations / "mpii_human_pose_v1_u12_1.mat", IMAGES)
    write_photographs(path / "images", [name for name, *_ in IMAGES])
    return path
