"""Reads and writes DeepLabCut's tables, which Lightning Pose has, too.

The header has the rows scorer, individuals (of several animals), bodyparts and
coords. A row of numbers is a picture, named by its path in one cell or in
three; or a frame of a video, named by its number. An empty cell is no label.

Both count pixels as `coordinates` does.
"""

from __future__ import annotations

import collections
import csv

import numpy as np

from integral_tf import whole
from integral_tf.records import coco_annotations
from integral_tf.records import schema
from integral_tf.records.conversion import annotations as of
from integral_tf.records.conversion import frames
from integral_tf.records.conversion import pandas_hdf5

_HEADER = ("scorer", "individuals", "bodyparts", "coords")
_ANIMAL, _SCORER = "animal", "integral_tf"


def read(source, pictures):
    """Reads a table, or the tables of labels in a project.

    Args:
        source: `pathlib.Path` of a CSV or an HDF5 file, or of a folder with
            files CollectedData_*.csv in it or in folders inside it; where
            one is missing, its .h5 is read.
        pictures: The `pictures.Pictures` of the source.

    Returns:
        The `annotations.Annotations`.

    Raises:
        ValueError: a file has another form, or there is none.
    """
    left_out = coco_annotations.LeftOut()
    found, people, categories = {}, [], {}
    for path in _tables(source):
        read_table = _of_csv if path.suffix == ".csv" else _of_hdf5
        header, rows = read_table(path)
        columns = _columns(header, path)
        names = _categories(columns)
        for joints, name in names.items():
            known = categories.setdefault(name, of.Category(name, joints))
            if known.keypoints != joints:
                raise ValueError(
                    "The tables of a project have the same bodyparts. "
                    f"Received: {', '.join(joints)} in {path}, and others "
                    "before"
                )
        video = path.stem.partition("DLC")[0]
        films = frames.Videos(pictures, [video])
        for place, values in rows:
            if place.isdecimal():
                picture = films.picture(of.Frame(video, int(place)))
            else:
                picture = of.Picture(pictures.find(place) or place)
            name = picture.name
            found.setdefault(name, picture)
            here = list(_people(columns, names, values, name))
            if not here:
                left_out.add(schema.Dropped("picture without labels", name))
            people += here
    return of.Annotations(
        tuple(categories.values()),
        tuple(found.values()),
        tuple(people),
        left_out,
    )


def is_of(path):
    """Whether a file is a CSV of this form."""
    with open(path, errors="replace", newline="") as file:
        first = next(csv.reader(file), [""])
    return first[:1] == ["scorer"]


def _tables(source):
    if not source.is_dir():
        return [source]
    found = tables_in(source)
    if not found:
        raise ValueError(
            "A project of DeepLabCut or Lightning Pose has files "
            f"CollectedData*.csv. Received: source={str(source)!r}, without one"
        )
    return found


def tables_in(folder):
    """The tables of labels in a folder and in the folders inside it."""
    return sorted(
        path
        for path in folder.rglob("CollectedData*")
        if path.suffix == ".csv"
        # DeepLabCut writes both, with the same numbers.
        or (path.suffix == ".h5" and not path.with_suffix(".csv").exists())
    )


def _of_csv(path):
    """Rows of the header, and pairs of a row's name and its numbers."""
    with open(path, errors="replace", newline="") as file:
        lines = [line for line in csv.reader(file) if line]
    depth = next((i for i, r in enumerate(lines) if r[0] not in _HEADER), None)
    header = lines[:depth]
    first = header[0] if header else []
    named = (i for i, cell in enumerate(first) if i and cell)
    start = next(named, 0)
    rows = []
    for number, line in enumerate(lines[len(header) :], len(header) + 1):
        place = "/".join(cell for cell in line[:start] if cell)
        try:
            values = [float(cell or "nan") for cell in line[start:]]
        except ValueError:
            values = []
        if len(values) != len(first) - start:
            raise ValueError(
                f"A row has {len(first) - start} numbers or empty cells, as "
                f"the header. Received: row {number} of {path}, {place}"
            )
        rows.append((place.replace("\\", "/"), np.array(values)))
    return {line[0]: line[start:] for line in header}, rows


def _of_hdf5(path):
    """As `_of_csv`."""
    columns, levels, index, values = pandas_hdf5.read(path)
    if not levels:  # the form that stores no names of levels
        several = len(columns[0]) == len(_HEADER)
        levels = [n for n in _HEADER if several or n != "individuals"]
    rows = [("/".join(name), row) for name, row in zip(index, values)]
    return dict(zip(levels, map(list, zip(*columns)))), rows


def _columns(header, path):
    """Dict from individual and bodypart to a dict of coordinate to column."""
    rows = [header.get(name, []) for name in ("bodyparts", "coords")]
    count = len(header.get("scorer", ()))
    individuals = header.get("individuals", [""] * count)
    columns = collections.defaultdict(dict)
    for number, (*key, coord) in enumerate(zip(individuals, *rows)):
        columns[tuple(key)][coord] = number
    complete = all({"x", "y"} <= set(found) for found in columns.values())
    lengths = {len(row) for row in (individuals, *rows)}
    if not columns or not complete or lengths != {count}:
        raise ValueError(
            "A table of DeepLabCut or Lightning Pose begins with the rows "
            "scorer, bodyparts and coords, x and y for each bodypart. "
            f"Received: source={str(path)!r}, with {', '.join(header)} for "
            f"{count} columns"
        )
    return columns


def _categories(columns):
    """Dict from joints to the name of the category of individuals with them.

    DeepLabCut calls the individual of joints that are only once `single`.
    """
    names = {}
    for individual in dict.fromkeys(individual for individual, _ in columns):
        joints = tuple(part for i, part in columns if i == individual)
        other = individual if names else _ANIMAL
        names.setdefault(joints, other)
    return names


def _people(columns, names, values, picture):
    """The individuals of a row with any number."""
    for individual in dict.fromkeys(individual for individual, _ in columns):
        joints = [key for key in columns if key[0] == individual]
        points, scores = [], []
        for key in joints:
            place = columns[key]
            x, y = values[place["x"]], values[place["y"]]
            known = np.isfinite(x) and np.isfinite(y)
            points.append((x, y, 2) if known else (0, 0, 0))
            if "likelihood" in place:
                scores.append(values[place["likelihood"]])
        if any(seen for _, _, seen in points):
            category = names[tuple(part for _, part in joints)]
            yield of.Person(
                picture,
                category,
                np.array(points, float),
                scores=np.array(scores) if scores else None,
            )


def write(annotations, path):
    """Writes a table, whole or not at all.

    The header has individuals if a picture shows several. Predictions have
    `likelihood`. Frames of one video are named by their numbers.

    Args:
        annotations: The `annotations.Annotations`, of one category.
        path: Path of the CSV.

    Raises:
        ValueError: the annotations have several categories.
    """
    if len(annotations.categories) != 1:
        names = [category.name for category in annotations.categories]
        raise ValueError(
            "A table of DeepLabCut has one kind of animal. "
            f"Received: {', '.join(names)}"
        )
    by_picture = collections.defaultdict(list)
    for person in annotations.people:
        by_picture[person.picture].append(person)
    count = max(map(len, by_picture.values()), default=1)
    scored = any(person.scores is not None for person in annotations.people)
    coords = ("x", "y", "likelihood") if scored else ("x", "y")
    cells = [
        (_SCORER, f"individual{n}", part, coord)
        for n in range(1, count + 1)
        for part in annotations.categories[0].keypoints
        for coord in coords
    ]
    levels = [0, 1, 2, 3] if count > 1 else [0, 2, 3]
    films = {p.frame and p.frame.video for p in annotations.pictures}
    is_film = len(films) == 1 and None not in films
    with whole.file(path) as partial, open(partial, "w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        for level in levels:
            rows.writerow([_HEADER[level], *(cell[level] for cell in cells)])
        for picture in annotations.pictures:
            people = by_picture[picture.name]
            numbers = [v for p in people for v in _cells(p, scored)]
            empty = [""] * (len(cells) - len(numbers))
            name = picture.frame.number if is_film else picture.name
            rows.writerow([name, *numbers, *empty])


def _cells(person, scored):
    scores = person.scores
    if scores is None:
        scores = [1.0] * len(person.points)
    for (x, y, seen), score in zip(person.points.tolist(), scores):
        yield from (x, y) if seen else ("", "")
        if scored:
            yield float(score) if seen else ""
