"""Reads and writes DeepLabCut's tables, which Lightning Pose has, too.

The header has the rows scorer, individuals (of several animals), bodyparts and
coords. A row of numbers is a picture, named by its path in one cell or in
three; or a frame of a video, named by its number. An empty cell is no label.

Both count pixels as `coordinates` does.
"""

from __future__ import annotations

import collections
import csv
import io
import re

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
        for name, joints in _categories(columns).values():
            known = categories.setdefault(name, of.Category(name, joints))
            if set(known.keypoints) != set(joints):
                raise ValueError(
                    "The tables of a project have the same bodyparts. "
                    f"Received: {', '.join(joints)} in {path}, and others "
                    "before"
                )
        individuals = list(_individuals(columns, categories))
        labelled = {person.picture for person in people}
        for picture, values in _pictures(path, rows, pictures):
            name = picture.name
            found.setdefault(name, picture)
            here = [_person(each, values, name) for each in individuals]
            here = [person for person in here if person.points[:, 2].any()]
            reason = "" if here else "picture without labels"
            if name in labelled:
                reason = "second row of a picture"
            if reason:
                left_out.add(schema.Dropped(reason, f"{name} in {path}"))
                continue
            labelled.add(name)
            people += here
    return of.Annotations(
        tuple(categories.values()),
        tuple(found.values()),
        tuple(people),
        left_out,
    )


def _pictures(path, rows, pictures):
    """Pairs of a row's `Picture` and its numbers."""
    video = path.stem.partition("DLC")[0]
    films = frames.Videos(pictures, [video])
    for place, values in rows:
        place = place.replace("\\", "/")
        if place.isdecimal():
            yield films.picture(of.Frame(video, int(place))), values
        else:
            yield of.Picture(pictures.find(place) or place), values


def is_of(path):
    """Whether a file is a CSV of this form."""
    try:
        return re.match("scorer[,;]", of.text(path)) is not None
    except ValueError:
        return False


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
    text = of.text(path)
    # Some spreadsheets write semicolons, and commas in numbers.
    mark = ";" if text.startswith("scorer;") else ","
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
        lines = [line for line in reader if any(line)]
    except csv.Error as error:
        raise ValueError(
            f"This is no CSV ({error}). Received: source={str(path)!r}"
        ) from None
    depth = next((i for i, r in enumerate(lines) if r[0] not in _HEADER), None)
    header = lines[:depth]
    first = header[0] if header else []
    named = (i for i, cell in enumerate(first) if i and cell)
    start = next(named, 0)
    rows = []
    for number, line in enumerate(lines[len(header) :], len(header) + 1):
        place = "/".join(cell for cell in line[:start] if cell)
        try:
            cells = [cell.strip().replace(",", ".") for cell in line[start:]]
            values = [float(cell or "nan") for cell in cells]
        except ValueError:
            values = []
        if len(values) != len(first) - start:
            raise ValueError(
                f"A row has {len(first) - start} numbers or empty cells, as "
                f"the header. Received: row {number} of {path}, {place!r:.80}"
            )
        rows.append((place, np.array(values)))
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
    is_once = sum(map(len, columns.values())) == count
    complete = is_once and all(
        {"x", "y"} <= set(found) for found in columns.values()
    )
    lengths = {len(row) for row in (individuals, *rows)}
    if not columns or not complete or lengths != {count}:
        raise ValueError(
            "A table of DeepLabCut or Lightning Pose begins with the rows "
            "scorer, bodyparts and coords, x and y once for each bodypart. "
            f"Received: source={str(path)!r}, with {', '.join(header)} for "
            f"{count} columns"
        )
    return columns


def _categories(columns):
    """Dict from the set of joints of individuals to their category and order.

    DeepLabCut calls the individual of joints that are only once `single`.
    """
    names = {}
    for individual in dict.fromkeys(individual for individual, _ in columns):
        joints = tuple(part for i, part in columns if i == individual)
        other = individual if names else _ANIMAL
        names.setdefault(frozenset(joints), (other, joints))
    return names


def _individuals(columns, categories):
    """Pairs of a category's name and the columns of its joints, in order."""
    names = _categories(columns)
    for individual in dict.fromkeys(individual for individual, _ in columns):
        joints = frozenset(part for i, part in columns if i == individual)
        name, _ = names[joints]
        order = categories[name].keypoints
        yield name, [columns[individual, part] for part in order]


def _person(individual, values, picture):
    category, joints = individual
    points, scores = [], []
    for place in joints:
        x, y = values[place["x"]], values[place["y"]]
        known = np.isfinite(x) and np.isfinite(y)
        points.append((x, y, 2) if known else (0, 0, 0))
        if "likelihood" in place:
            scores.append(values[place["likelihood"]])
    scores = np.array(scores) if scores else None
    return of.Person(picture, category, np.array(points, float), scores=scores)


def write(annotations, path):
    """Writes a table, whole or not at all.

    The header has individuals if a picture shows several, or if people have
    different tracks, which are then the individuals. Predictions have
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
    places = _of_tracks(by_picture)
    count = max(map(len, by_picture.values()), default=1)
    individuals = list(places) or range(1, count + 1)
    scored = any(person.scores is not None for person in annotations.people)
    coords = ("x", "y", "likelihood") if scored else ("x", "y")
    cells = [
        (_SCORER, f"individual{n}", part, coord)
        for n in individuals
        for part in annotations.categories[0].keypoints
        for coord in coords
    ]
    levels = [0, 1, 2, 3] if len(individuals) > 1 else [0, 2, 3]
    width = len(cells) // len(individuals)
    films = {p.frame and p.frame.video for p in annotations.pictures}
    is_film = len(films) == 1 and None not in films
    with whole.file(path) as partial, open(partial, "w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        for level in levels:
            rows.writerow([_HEADER[level], *(cell[level] for cell in cells)])
        for picture in annotations.pictures:
            values = [""] * len(cells)
            for place, person in enumerate(by_picture[picture.name]):
                start = places.get(person.track, place) * width
                values[start : start + width] = _cells(person, scored)
            name = picture.frame.number if is_film else picture.name
            rows.writerow([name, *values])


def _of_tracks(by_picture):
    """Dict from a track to its place; empty unless each person has a track."""
    people = [person for here in by_picture.values() for person in here]
    tracks = {person.track for person in people}
    pairs = {(person.picture, person.track) for person in people}
    if None in tracks or len(pairs) < len(people):
        return {}
    return {track: place for place, track in enumerate(sorted(tracks))}


def _cells(person, scored):
    scores = person.scores
    if scores is None:
        scores = [1.0] * len(person.points)
    for (x, y, seen), score in zip(person.points.tolist(), scores):
        yield from (x, y) if seen else ("", "")
        if scored:
            yield float(score) if seen else ""
