"""Reads SLEAP's labels, `.slp`, which are HDF5; h5py comes with Keras.

    metadata       attributes: format_id, and json with nodes and skeletons
    videos_json    a JSON for each video, or for each list of pictures
    frames         video, number in the video, range of its instances
    instances      skeleton, by hand (0) or predicted (1), range of its points
    points         x, y, visible, in the order of the skeleton's nodes
    pred_points    the same, and a score

From format 1.1 on, SLEAP counts pixels as `coordinates` does, before that from
the picture's edge. A point that is not visible is unlabelled. Predicted
instances are read if there are none by hand.
"""

from __future__ import annotations

import dataclasses
import json
import re

import numpy as np

from integral_tf import coordinates
from integral_tf.records import coco_annotations
from integral_tf.records import schema
from integral_tf.records.conversion import annotations as of
from integral_tf.records.conversion import frames

_FROM_EDGE = 1.1  # formats before count pixels from the edge
_BY_HAND, _PREDICTED = 0, 1
_LIMB, _SYMMETRY = 1, 2  # types of a link
_POINT = ("x", "y", "visible")
_FIELDS = {
    "frames": ("video", "frame_idx", "instance_id_start", "instance_id_end"),
    "instances": (
        "instance_type", "skeleton", "point_id_start", "point_id_end",
    ),
    "points": _POINT,
    "pred_points": (*_POINT, "score"),
}  # fmt: skip


def read(source, pictures):
    """Reads a file.

    Args:
        source: `pathlib.Path` of the file.
        pictures: The `pictures.Pictures` of the source.

    Returns:
        The `annotations.Annotations`.

    Raises:
        ValueError: the file has another form.
    """
    version, places, skeletons, tables = _parts(source)
    left_out = coco_annotations.LeftOut()
    shift = version < _FROM_EDGE
    instances = tables["instances"]
    kinds = set(instances["instance_type"].tolist()) if len(instances) else ()
    kind = _BY_HAND if _BY_HAND in kinds else _PREDICTED
    found, people = {}, []
    named = _named(places, pictures)
    for frame, picture in zip(tables["frames"], named):
        name = picture.name
        found[name] = picture
        first, end = int(frame["instance_id_start"]), frame["instance_id_end"]
        here = [row for row in instances[first : int(end)]]
        if not here:
            left_out.add(schema.Dropped("picture without labels", name))
        for row in here:
            if row["instance_type"] != kind:
                left_out.add(
                    schema.Dropped("predicted instance, not by hand", name)
                )
                continue
            skeleton = skeletons[int(row["skeleton"])]
            try:
                people.append(_person(row, skeleton, tables, name, shift))
            except schema.Dropped as reason:
                left_out.add(reason)
    categories = dict.fromkeys(category for category, _ in skeletons)
    return of.Annotations(
        tuple(categories), tuple(found.values()), tuple(people), left_out
    )


def _joined(categories):
    """Pairs of each skeleton's category and its joints' places in the file.

    Skeletons of one name and the same joints, in any order, are one category.
    """
    known, pairs = {}, []
    for number, category in enumerate(categories, 1):
        first = known.setdefault(category.name, category)
        if set(first.keypoints) != set(category.keypoints):
            first = dataclasses.replace(
                category, name=f"{category.name} {number}"
            )
            known[first.name] = first
        places = {joint: n for n, joint in enumerate(category.keypoints)}
        pairs.append((first, [places[joint] for joint in first.keypoints]))
    return pairs


def _parts(source):
    """The format's number, frames' places, `Category`s, and the tables.

    A place is the `annotations.Frame`, the file in a list of pictures, of which
    one is None, and the size.
    """
    import h5py

    try:
        with h5py.File(source) as file:
            attributes = file["metadata"].attrs
            metadata = json.loads(attributes["json"])
            rows = [
                _with_source(json.loads(row), file)
                for row in file["videos_json"][()]
            ]
            tables = {
                name: _table(file, name, fields)
                for name, fields in _FIELDS.items()
            }
            skeletons = [
                _category(row, metadata["nodes"], f"skeleton {number}")
                for number, row in enumerate(metadata["skeletons"], 1)
            ]
            videos = dict(_numbered(n, row) for n, row in enumerate(rows))
            skeletons = _joined(skeletons)
            places = []
            for row in tables["frames"]:
                number = int(row["video"])
                video = videos[number]
                place = _frame(number, video, int(row["frame_idx"]))
                places.append((*place, _size(video)))
            for row in tables["instances"]:
                skeletons[int(row["skeleton"])]
            version = float(attributes.get("format_id", 1.0))
    # h5py raises of many kinds where a file is damaged.
    except (
        ArithmeticError, AttributeError, LookupError, OSError, RuntimeError,
        TypeError, ValueError,
    ) as error:  # fmt: skip
        raise ValueError(
            "SLEAP's labels are an HDF5 file with metadata, videos_json, "
            f"frames, instances and points. Received: source={str(source)!r}, "
            f"{type(error).__name__}: {error!s:.200}"
        ) from None
    return version, places, skeletons, tables


def _table(file, name, fields):
    """A table with these fields of numbers; one that is missing is empty."""
    if name not in file:
        return np.zeros(0, [(field, np.float64) for field in fields])
    table = file[name][()]
    for field in fields:
        if table[field].dtype.kind not in "biuf" or table.ndim != 1:
            raise ValueError(f"{name} without numbers in {field}")
    return table


def _with_source(video, file):
    """A video; of frames inside the file, with their place and their source."""
    backend = video.get("backend") or video
    dataset = backend.get("dataset") or ""
    group = file.get(dataset.rpartition("/")[0] or "none", {})
    if dataset in file and "frame_numbers" in group:
        video = {**video, "stored": dataset}
    if "source_video" in group and not video.get("source_video"):
        stored = group["source_video"]
        text = stored["json"][()] if "json" in stored else stored.attrs["json"]
        video = {**video, "source_video": json.loads(text)}
    return video


def _numbered(place, video):
    """A video and the number that frames have for it.

    The number is that of the group with the video's frames, or else its place.
    """
    dataset = video.get("backend", video).get("dataset") or ""
    group = re.match(r"video(\d+)/", dataset)
    return int(group[1]) if group else place, video


def _category(skeleton, nodes, name):
    """A category of a skeleton, whose parts are numbers of nodes."""
    order = [node["id"] for node in skeleton["nodes"]]
    numbers = {node: number for number, node in enumerate(order, 1)}
    pairs, types = {_LIMB: [], _SYMMETRY: []}, []
    for link in skeleton["links"]:
        kind = link.get("type", {})
        # The first link of a type has its number, later ones its place among
        # the types so far.
        if "py/reduce" in kind:
            types.append(kind["py/reduce"][1]["py/tuple"][0])
        place = kind.get("py/id", len(types))
        kind = types[place - 1] if types else _LIMB
        pairs[kind].append((numbers[link["source"]], numbers[link["target"]]))
    flips = tuple(dict.fromkeys(tuple(sorted(p)) for p in pairs[_SYMMETRY]))
    return of.Category(
        skeleton.get("graph", {}).get("name") or name,
        tuple(nodes[node]["name"] for node in order),
        tuple(pairs[_LIMB]),
        # Without symmetries, names may still have sides.
        flips or None,
    )


def _frame(place, video, number):
    """The `annotations.Frame` of a frame, and its file in a list of pictures.

    One of both is None.
    """
    backend = video.get("backend") or video
    files = backend.get("filenames") or []
    if isinstance(video.get("filename"), list):
        files = video["filename"]
    if 0 <= number < len(files):
        return None, files[number].replace("\\", "/")
    name = backend.get("filename") or video.get("filename") or "video"
    dataset = ""
    if name == ".":  # the frames are in the file
        dataset = video.get("stored", "")
        source = video.get("source_video") or {}
        name = (source.get("backend") or source).get("filename")
        # Of a list of pictures, the first is there.
        if "filenames" in source.get("backend", ()):
            name = None
    if not isinstance(name, str):
        name = f"video{place}"
    return of.Frame(name, number, dataset=dataset), None


def _size(video):
    """Width and height of a video's frames; None if the file has none."""
    backend = video.get("backend") or video
    shape = backend.get("shape") or ()
    if len(shape) == 4 and all(shape[1:3]):
        sides = shape[2], shape[1]
    else:
        sides = backend.get("width_"), backend.get("height_")
    if not all(sides):
        return None
    if not of.is_finite(*sides) or min(sides) < 1:
        raise ValueError(f"a video of {sides!r:.80} pixels")
    return tuple(map(int, sides))


def _named(places, pictures):
    """The `Picture` of each frame."""
    films = frames.Videos(pictures, [f.video for f, _, _ in places if f])
    for frame, file, size in places:
        if frame:
            yield films.picture(frame, size=size)
        else:
            name = pictures.find(file) or file.rsplit("/", 1)[-1]
            yield of.Picture(name, size)


def _person(row, skeleton, tables, picture, shift):
    category, places = skeleton
    is_predicted = row["instance_type"] == _PREDICTED
    table = tables["pred_points" if is_predicted else "points"]
    rows = table[int(row["point_id_start"]) : int(row["point_id_end"])]
    if len(rows) != len(places):
        raise schema.Dropped(
            "instance with other points than its skeleton", f"in {picture}"
        )
    rows = rows[places]
    points = np.stack([rows["x"], rows["y"]], axis=-1).astype(np.float64)
    if shift:
        points = coordinates.unit_to_crop(points, 1)
    known = np.isfinite(points).all(axis=1) & rows["visible"].astype(bool)
    if not known.any():
        raise schema.Dropped("person without points", f"in {picture}")
    points = np.where(known[:, None], points, 0.0)
    scores = np.array(rows["score"], np.float64) if is_predicted else None
    points = np.column_stack([points, 2.0 * known])
    return of.Person(picture, category.name, points, scores=scores)
