"""Reads folders of YOLO-pose, such as Ultralytics' and Roboflow's exports.

`data.yaml` has `kpt_shape: [K, 2 or 3]`, `names` of the classes, and perhaps
`flip_idx` and `kpt_names`. A picture images/NAME.jpg has a text labels/NAME.txt
with a line for each person: class, box (centre, width, height), and x, y and
perhaps visibility of each joint. All are shares of the picture's sides, from
its edges. Without visibilities, a joint at 0, 0 is unlabelled.
"""

import re

import numpy as np

from integral_tf import coordinates
from integral_tf import optional
from integral_tf.records import coco_annotations
from integral_tf.records import schema
from integral_tf.records.conversion import annotations as of

# ours: a share of a side that no box inside a picture has.
_LARGEST_SHARE = 2
_SPLITS = {"train": "train", "val": "val", "valid": "val", "test": "test"}


def read(source, pictures):
    """Reads a folder.

    Args:
        source: `pathlib.Path` of the folder, or of its data.yaml.
        pictures: The `pictures.Pictures` of the folder.

    Returns:
        The `annotations.Annotations`.

    Raises:
        ImportError: PyYAML is not installed.
        ValueError: data.yaml is not of this form, or there are no labels.
    """
    path = described_by(source)
    if path is None:
        raise ValueError(
            "A YOLO-pose folder has a data.yaml with kpt_shape. "
            f"Received: source={str(source)!r}"
        )
    classes, shape, flips = _described(path)
    left_out = coco_annotations.LeftOut()
    by_stem = {name.rpartition(".")[0]: name for name in pictures.names}
    found, people = {}, []
    for text in _texts(path, source):
        parts = text.relative_to(path.parent).with_suffix("").parts
        inside = "/".join("images" if p == "labels" else p for p in parts)
        name = by_stem.get(inside) or by_stem.get(_below_images(inside))
        size = name and pictures.size(name)
        if not size:
            left_out.add(
                schema.Dropped("labels without their picture, or a damaged one",
                               text)
            )  # fmt: skip
            continue
        splits = [_SPLITS[part] for part in parts if part in _SPLITS]
        found[name] = of.Picture(name, size, (splits or [""])[0])
        lines = _text(text).splitlines()
        if not any(map(str.strip, lines)):
            left_out.add(schema.Dropped("picture without labels", name))
        for number, line in enumerate(lines, 1):
            try:
                if line.strip():
                    people.append(_person(line, classes, shape, found[name]))
            except schema.Dropped as reason:
                left_out.add(
                    schema.Dropped(str(reason), f"line {number} of {text}")
                )
    for name in pictures.names:
        if name not in found:
            left_out.add(schema.Dropped("picture without a text", name))
    categories = tuple(
        of.Category(name, names, flip_pairs=flips)
        for name, names in classes.values()
    )
    return of.Annotations(
        categories, tuple(found.values()), tuple(people), left_out
    )


def described_by(source):
    """The YAML with kpt_shape: a file, or in a folder; None without."""
    paths = sorted(source.glob("*.y*ml")) if source.is_dir() else [source]
    for path in paths:
        if path.suffix in (".yaml", ".yml"):
            if re.search(r"^kpt_shape\s*:", _text(path), re.MULTILINE):
                return path
    return None


def _texts(path, source):
    """The texts with labels."""
    texts = sorted(
        text
        for text in path.parent.rglob("*.txt")
        if "labels" in text.relative_to(path.parent).parts
    )
    if not texts:
        raise ValueError(
            "A YOLO-pose folder has labels/*.txt, a text for each picture. "
            f"Received: source={str(source)!r}, without one"
        )
    return texts


def _text(path):
    return path.read_text(encoding="utf-8-sig", errors="replace")


def _below_images(name):
    """The name from inside a folder images, where --images names that."""
    return name.partition("images/")[2]


def _described(path):
    """Classes as number to name and joints, kpt_shape, and the flip pairs."""
    yaml = optional.need("yaml", "PyYAML", "a data.yaml", extra="convert")
    try:
        text = _text(path)
        # References to references may fill the memory.
        if any(isinstance(e, yaml.AliasEvent) for e in yaml.parse(text)):
            raise yaml.YAMLError("a reference, which begins with *")
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"This is no YAML ({reason}). Received: source={str(path)!r}"
        ) from None
    content = content if isinstance(content, dict) else {}
    shape = content.get("kpt_shape")
    if (
        not isinstance(shape, list)
        or len(shape) != 2
        or not all(type(number) is int and number > 0 for number in shape)
        or shape[1] not in (2, 3)
    ):
        raise ValueError(
            "kpt_shape is [number of joints, 2 or 3]. "
            f"Received: kpt_shape={shape!r:.200} in {path}"
        )
    names = content.get("names") or {0: of.PERSON}
    names = dict(enumerate(names)) if isinstance(names, list) else names
    if not isinstance(names, dict):
        raise ValueError(
            "names are a list, or a name for each number of a class. "
            f"Received: names={names!r:.200} in {path}"
        )
    # sleap-io has another key for these names.
    joints = content.get("kpt_names") or content.get("node_names") or {}
    joints = (
        joints if isinstance(joints, dict) else dict.fromkeys(names, joints)
    )
    classes = {
        number: (str(name), tuple(map(str, joints.get(number) or ())))
        for number, name in names.items()
    }
    for name, found in classes.values():
        if found and len(found) != shape[0]:
            raise ValueError(
                f"kpt_names has the {shape[0]} joints of kpt_shape. "
                f"Received: {len(found)} of {name!r:.80} in {path}"
            )
    return classes, shape, _flip_pairs(content.get("flip_idx"), shape[0], path)


def _flip_pairs(order, count, path):
    """Pairs of joints from 1, of each joint's partner; None without."""
    if order is None:
        return None
    partners = dict(enumerate(order)) if isinstance(order, list) else {}
    if len(partners) != count or any(
        partners.get(partners[joint]) != joint for joint in partners
    ):
        raise ValueError(
            f"flip_idx has the partner of each of the {count} joints, and is "
            f"its own inverse. Received: flip_idx={order!r:.200} in {path}"
        )
    return tuple((a + 1, b + 1) for a, b in partners.items() if a < b)


def _person(line, classes, shape, picture):
    count, fields = shape
    try:
        values = np.array(line.split(), float)
    except ValueError:
        raise schema.Dropped("line that is no numbers") from None
    wanted = 5 + count * fields
    if len(values) != wanted or not (np.abs(values) < of.LARGEST).all():
        raise schema.Dropped(f"line other than {wanted} numbers")
    if np.abs(values[1:5]).max() > _LARGEST_SHARE:
        raise schema.Dropped("box in pixels, which should be in shares")
    if values[0] not in classes:
        raise schema.Dropped("class that data.yaml does not name")
    extent = np.array(picture.size, float)
    centre, sides = values[1:3], values[3:5]
    box = np.concatenate([(centre - sides / 2) * extent, sides * extent])
    rows = values[5:].reshape(count, fields)
    seen = rows[:, 2] if fields == 3 else 2.0 * rows.any(axis=1)
    points = coordinates.unit_to_crop(rows[:, :2], extent)
    points = np.column_stack([points, np.clip(np.round(seen), 0, 2)])
    category = classes[int(values[0])][0]
    return of.Person(picture.name, category, points, box)
