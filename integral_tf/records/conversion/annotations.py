"""Labels of a dataset, whatever tool wrote them.

Points are in the image frame of `coordinates`: a pixel's centre has integer
coordinates. Boxes are COCO's. K joints.
"""

from __future__ import annotations

import codecs
import collections
import dataclasses
from collections.abc import Iterable

import numpy as np

from integral_tf.records import coco_annotations
from integral_tf.records import schema

PERSON = "person"  # the category where a file names none
# ours: a larger number is damage.
LARGEST = 1e9


@dataclasses.dataclass(frozen=True)
class Category:
    """A kind of people, animals or things with the same joints.

    Attributes:
        name: Its name.
        keypoints: Names of the joints; empty if the file has none.
        limbs: Pairs of numbers of joints, from 1, that a drawing connects.
        flip_pairs: Pairs of numbers of joints, from 1, that a mirror exchanges;
            None if the file does not say.
    """

    name: str
    keypoints: tuple[str, ...]
    limbs: tuple[tuple[int, int], ...] = ()
    flip_pairs: tuple[tuple[int, int], ...] | None = None


@dataclasses.dataclass(frozen=True)
class Frame:
    """The frame of a video that a picture is.

    Attributes:
        video: The video's path or name in the labels.
        number: The frame's number, from 0.
        is_keyframe: Whether any of its shapes was set by hand; the others are
            on straight lines between such frames.
        dataset: Where a .slp has the frame in itself; empty if it has not.
    """

    video: str
    number: int
    is_keyframe: bool = True
    dataset: str = ""


@dataclasses.dataclass(frozen=True)
class Picture:
    """A labelled picture.

    Attributes:
        name: Its file, with slashes, as in `pictures.Pictures` or the labels.
        size: Width and height in pixels; None if nothing says.
        split: `train`, `val`, `test`, or what else the file says; may be empty.
        frame: The frame of a video that it is; None if the labels name none.
    """

    name: str
    size: tuple[int, int] | None = None
    split: str = ""
    frame: Frame | None = None


@dataclasses.dataclass(frozen=True)
class Person:
    """One person in one picture.

    Attributes:
        picture: Name of the picture.
        category: Name of the category.
        points: `(K, 3)` x, y, and COCO's visibility: 0, 1 or 2.
        box: `(4,)` left and top edge, width, height; None if there is none.
        scores: `(K,)` of a prediction; None for a label.
        track: The person's number in the film; None if nothing says.
    """

    picture: str
    category: str
    points: np.ndarray
    box: np.ndarray | None = None
    scores: np.ndarray | None = None
    track: int | None = None


@dataclasses.dataclass(frozen=True)
class Annotations:
    """All labels of a source.

    Attributes:
        categories: The `Category`s.
        pictures: The `Picture`s; some may show nobody.
        people: The `Person`s.
        left_out: Counts what is not among these, by reason with an example.
    """

    categories: tuple[Category, ...]
    pictures: tuple[Picture, ...]
    people: tuple[Person, ...]
    left_out: coco_annotations.LeftOut

    def of(self, pictures: Iterable[Picture]) -> Annotations:
        """The labels of some of the pictures."""
        kept = tuple(pictures)
        names = {picture.name for picture in kept}
        people = tuple(p for p in self.people if p.picture in names)
        return Annotations(self.categories, kept, people, self.left_out)


class Groups:
    """People of files that have single points, each with a label.

    A person is a key of the caller. The joints of a category are all labels
    that its people have, in the order of `names`, then of the file.

    Args:
        left_out: Counts the second point of a label.
        names: Labels whose order is known.
    """

    def __init__(self, left_out, names=()):
        self._left_out = left_out
        self._names = list(names)
        self._points = collections.defaultdict(dict)
        self._boxes = {}

    def add(self, picture, person, label, point):
        """Adds a point `(x, y, visibility)`; `person` is any key."""
        points = self._points[picture, person]
        if label in points:
            self._left_out.add(
                schema.Dropped(
                    "second point of the same label in one person",
                    f"{label} in {picture}",
                )
            )
            return
        points[label] = point
        if label not in self._names:
            self._names.append(label)

    def box(self, picture, person, box, category):
        """Gives a person a box, and the category that is the box's label."""
        self._boxes[picture, person] = np.array(box, np.float64), category

    def people(self):
        """A tuple of `Category`s and a tuple of `Person`s."""
        found = {category for _, category in self._boxes.values()}
        # Where all boxes have one label, people without a box have it, too.
        default = found.pop() if len(found) == 1 else PERSON
        labels, rows = collections.defaultdict(set), []
        for key in dict.fromkeys([*self._points, *self._boxes]):
            box, category = self._boxes.get(key, (None, default))
            points = self._points.get(key, {})
            if not points:
                self._left_out.add(
                    schema.Dropped("person without points", f"in {key[0]}")
                )
                continue
            labels[category] |= set(points)
            rows.append((key[0], category, points, box))
        order = {
            category: tuple(n for n in self._names if n in labels[category])
            for category in labels
        }
        people = tuple(
            Person(picture, category, listed(points, order[category]), box)
            for picture, category, points, box in rows
        )
        return tuple(Category(*pair) for pair in order.items()), people


def with_unnamed(categories, people, several, left_out):
    """Adds people whose joints have no names, in categories of their own.

    Args:
        categories, people: Tuples of the `Category`s and `Person`s so far.
        several: Dict from a label to pairs of a picture's name and a list of x,
            y and visibility.
        left_out: Counts those with another number of points than most.

    Returns:
        Both tuples.
    """
    added = []
    for label, rows in several.items():
        is_taken = any(category.name == label for category in categories)
        name = f"{label}, joints without names" if is_taken else label
        categories += (Category(name, ()),)
        counts = collections.Counter(len(points) for _, points in rows)
        ((most, _),) = counts.most_common(1)
        for picture, points in rows:
            if len(points) == most:
                points = np.array(points, float)
                added.append(Person(picture, name, points))
                continue
            left_out.add(
                schema.Dropped(
                    f"points other than the {most} of their label",
                    f"{len(points)} of {label} in {picture}",
                )
            )
    return categories, (*people, *added)


def lists(source, lists_in, is_of, sentence):
    """The paths of the lists that a source is or has.

    Args:
        source: `pathlib.Path` of a list or of a folder.
        lists_in: Returns the lists in a folder.
        is_of: Whether the first line of a list has the right form.
        sentence: What the right form is.

    Raises:
        ValueError: there is no list, or the first has another form.
    """
    paths = lists_in(source) if source.is_dir() else [source]
    if not paths or not is_of(paths[0]):
        raise ValueError(f"{sentence} Received: source={str(source)!r}")
    return paths


def first_fields(path, longest):
    """The fields of a text's first line, as bytes; of `longest` bytes of it."""
    with path.open("rb") as file:
        return file.readline(longest).split()


def numbers_of_line(fields):
    """The fields of a line as an array.

    Raises:
        schema.Dropped: a field is no number, or beyond all pictures.
    """
    try:
        values = np.array(fields, float)
    except ValueError:
        raise schema.Dropped("line with texts for numbers") from None
    if not is_finite(*values.tolist()):
        raise schema.Dropped("line with numbers beyond all pictures")
    return values


def of_lines(texts, category, read, pictures):
    """The labels of texts with a line for each person; empty lines count not.

    Args:
        texts: Dict from the `pathlib.Path` of a text to the name of its split.
        category: The `Category` of all people.
        read: Returns a line's picture, `(K, 3)` points and box or None, or
            raises `schema.Dropped`.
        pictures: The `pictures.Pictures` of the source.

    Returns:
        The `Annotations`.

    Raises:
        ValueError: a text is in another encoding.
    """
    left_out = coco_annotations.LeftOut()
    found, people = {}, []
    for path, split in texts.items():
        for number, line in enumerate(text(path).splitlines(), 1):
            if not line.strip():
                continue
            try:
                name, points, box = read(line)
            except schema.Dropped as reason:
                example = f"line {number} of {path}"
                left_out.add(schema.Dropped(str(reason), example))
                continue
            name = pictures.find(name) or name
            found.setdefault(name, Picture(name, split=split))
            people.append(Person(name, category.name, points, box))
    return Annotations(
        (category,), tuple(found.values()), tuple(people), left_out
    )


def listed(points, names):
    """`(K, 3)` from a dict of a name to its x, y and visibility."""
    return np.array([points.get(name, (0, 0, 0)) for name in names], float)


def text(path):
    """The text of a file in UTF-8, or in UTF-16 with its mark.

    Raises:
        ValueError: the file is in another encoding.
    """
    data = path.read_bytes()
    marks = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    try:
        return data.decode("utf-16" if data[:2] in marks else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            "A text is in UTF-8: save it so. "
            f"Received: source={str(path)!r}, byte {error.start}"
        ) from None


def is_finite(*values):
    """Whether all values are numbers, and none is beyond any picture."""
    return all(
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and abs(value) < LARGEST
        for value in values
    )
