"""Writes labels or predictions as SLEAP's `.slp`, whose parts `sleap` names."""

import collections
import itertools
import json

import numpy as np

from integral_tf import whole

_FORMAT = 1.2
_POINT = [("x", "f8"), ("y", "f8"), ("visible", "?"), ("complete", "?")]
_TYPES = {
    "points": _POINT,
    "pred_points": [*_POINT, ("score", "f8")],
    "instances": [
        ("instance_id", "i8"),
        ("instance_type", "u1"),
        ("frame_id", "u8"),
        ("skeleton", "u4"),
        ("track", "i4"),
        ("from_predicted", "i8"),
        ("score", "f4"),
        ("point_id_start", "u8"),
        ("point_id_end", "u8"),
        ("tracking_score", "f4"),
    ],
    "frames": [
        ("frame_id", "u8"),
        ("video", "u4"),
        ("frame_idx", "u8"),
        ("instance_id_start", "u8"),
        ("instance_id_end", "u8"),
    ],
}


def write(annotations, path):
    """Writes a file, whole or not at all.

    People with scores become predicted instances, others instances by hand.
    People's tracks are tracks there.

    Args:
        annotations: The `annotations.Annotations`. Pictures that are no frames
            of a video are a list of files.
        path: Path of the file.
    """
    import h5py

    text = h5py.string_dtype()
    with whole.file(path) as partial, h5py.File(partial, "w") as file:
        group = file.create_group("metadata")
        group.attrs["format_id"] = _FORMAT
        group.attrs["json"] = json.dumps(_metadata(annotations.categories))
        films = _films(annotations)
        videos = [json.dumps(_video(name, annotations)) for name in films]
        file.create_dataset("videos_json", data=videos, dtype=text)
        tracks = sorted({p.track for p in annotations.people} - {None})
        texts = {
            "tracks_json": [json.dumps([0, f"track_{n}"]) for n in tracks],
            "suggestions_json": [],
        }
        for name, rows in texts.items():
            data = np.array(rows, dtype=object)
            file.create_dataset(name, data=data, maxshape=(None,), dtype=text)
        for name, rows in _tables(annotations, films, tracks).items():
            data = np.array(rows, dtype=_TYPES[name])
            file.create_dataset(name, data=data, maxshape=(None,))


def _metadata(categories):
    nodes, skeletons = [], []
    for category in categories:
        first = len(nodes)
        nodes += [{"name": n, "weight": 1.0} for n in category.keypoints]
        links, types = [], {}
        pairs = [(1, pair) for pair in category.limbs]
        pairs += [(2, pair) for pair in category.flip_pairs or ()]
        for number, (kind, (source, target)) in enumerate(pairs):
            links.append(
                {
                    "edge_insert_idx": number,
                    "key": 0,
                    "source": first + source - 1,
                    "target": first + target - 1,
                    "type": {"py/id": types[kind]}
                    if kind in types
                    else _edge_type(kind),
                }
            )
            types.setdefault(kind, len(types) + 1)
        count = len(category.keypoints)
        skeletons.append(
            {
                "directed": True,
                "graph": {
                    "name": category.name,
                    "num_edges_inserted": len(links),
                },
                "links": links,
                "multigraph": True,
                "nodes": [{"id": first + n} for n in range(count)],
            }
        )
    return {
        "version": "2.0.0",
        "skeletons": skeletons,
        "nodes": nodes,
        "videos": [],
        "tracks": [],
        "suggestions": [],
        "negative_anchors": {},
        "provenance": {},
    }


def _edge_type(kind):
    name = {"py/type": "sleap.skeleton.EdgeType"}
    return {"py/reduce": [name, {"py/tuple": [kind]}]}


def _films(annotations):
    """The videos, by their names; the last, None, is the list of pictures."""
    names = [p.frame.video if p.frame else None for p in annotations.pictures]
    return sorted(dict.fromkeys(names), key=lambda name: name is None)


def _video(name, annotations):
    if name is not None:
        backend = {"type": "MediaVideo", "filename": name}
        backend |= {"grayscale": False, "bgr": True}
        return {"filename": name, "backend": backend}
    files = [p.name for p in annotations.pictures if p.frame is None]
    backend = {"type": "ImageVideo", "filename": files[0]}
    return {
        "filename": backend["filename"],
        "backend": {**backend, "filenames": files, "grayscale": False},
    }


def _tables(annotations, films, tracks):
    """Dict from a table's name to its rows."""
    tables = {name: [] for name in _TYPES}
    numbers = {c.name: n for n, c in enumerate(annotations.categories)}
    by_picture = collections.defaultdict(list)
    for person in annotations.people:
        by_picture[person.picture].append(person)
    instances, places = tables["instances"], itertools.count()
    for frame, picture in enumerate(annotations.pictures):
        first = len(instances)
        for person in by_picture[picture.name]:
            is_predicted = person.scores is not None
            points = tables["pred_points" if is_predicted else "points"]
            begin = len(points)
            points += _points(person)
            score = float(np.mean(person.scores)) if is_predicted else 0.0
            track = -1 if person.track is None else tracks.index(person.track)
            instances.append(
                (len(instances), is_predicted, frame, numbers[person.category],
                 track, -1, score, begin, len(points), 0.0)
            )  # fmt: skip
        of_film = picture.frame
        video = films.index(of_film and of_film.video)
        number = of_film.number if of_film else next(places)
        tables["frames"].append((frame, video, number, first, len(instances)))
    return tables


def _points(person):
    scores = person.scores
    for number, (x, y, seen) in enumerate(person.points.tolist()):
        place = (x, y, True, True) if seen else (np.nan, np.nan, False, False)
        yield place if scores is None else (*place, float(scores[number]))
