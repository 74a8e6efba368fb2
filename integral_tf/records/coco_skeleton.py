"""Reads a skeleton from the categories of a keypoint file in COCO's form.

COCO's own category has the joints' names, and pairs of their numbers from 1.
Other files count from 0, have pairs with unknown joints, or have no names. Some
use one skeleton for many categories. A line reports each guess and omission.
"""

from __future__ import annotations

import collections
import dataclasses
from typing import Any

from integral_tf import settings
from integral_tf import sides
from integral_tf import skeletons
from integral_tf.signatures import Numbers


class NoSuchCategory(ValueError):
    """A file has no such category with keypoints."""


def chosen(rows, wanted, counted, names=None, say=print):
    """Chooses categories with keypoints, and puts them into COCO's form.

    Args:
        rows: The file's `categories`.
        wanted: A name, a list of names or ids, or names separated by commas.
            `"all"`: all with the joints of the first category that has any.
            None: person if the file has it, else all.
        counted: Function from a category's id to the number of joints of its
            annotations, 0 if they have none.
        names: Names of the joints, for a file without names.
        say: Function that gets a line about each guess or omission.

    Returns:
        List of dicts of `id`, `name`, `keypoints`, `skeleton` and, if the file
        has them, `flip_pairs` and `supercategory`. All have the same joints.

    Raises:
        NoSuchCategory: the file has no such category; it is a ValueError.
        ValueError: the categories have different joints.
    """
    lines, found = {}, []
    for row in rows:
        if isinstance(row, dict) and isinstance(row.get("id"), int):
            notes = []
            category = _cleaned(row, counted, names, notes)
            if category:
                found.append(category)
                lines[category["id"]] = notes
    known = [category["name"] for category in found]
    picked = _named(found, wanted)
    if not picked:
        raise NoSuchCategory(
            f"It has keypoints for {_short(known) or 'no category'}. "
            f"Received: category={wanted!r}"
        )
    others = [
        c["name"] for c in picked if c["keypoints"] != picked[0]["keypoints"]
    ]
    if others:
        raise ValueError(
            "Categories of one skeleton have the same keypoints. Received: "
            f"{_short([picked[0]['name']])} and {_short(others)} with others"
        )
    if wanted in (None, "all") and len(picked) > 1:
        say(f"categories with one skeleton: {', '.join(known_names(picked))}")
    # Many categories with the same fault give one line.
    for line in dict.fromkeys(line for c in picked for line in lines[c["id"]]):
        say(line)
    return picked


def _short(names):
    """Names for a message, on one line."""
    text = " ".join(", ".join(names).split())
    return text if len(text) <= 300 else f"{text[:300]}..."


def known_names(categories):
    """Names of categories."""
    return [category["name"] for category in categories]


def from_category(
    category: dict[str, Any], sigmas: Numbers | None = None
) -> skeletons.Skeleton:
    """Reads a skeleton from a category of a COCO keypoint file.

    Args:
        category: Dict. `name`. `keypoints`: the joints' names. `skeleton`,
            optional: pairs of joints, counted from 1, that a drawing connects
            by lines. `id`, optional: the category's number, by default 1.
            `flip_pairs`, optional: pairs of names, or of numbers from 1, that
            trade places when the image is mirrored; by default pairs of names
            that differ only in left and right, or l and r
            (`integral_tf.sides`).
        sigmas: OKS standard deviation of each joint; by default COCO's for
            COCO's own people, else `skeletons.DEFAULT_SIGMA` for each.

    Returns:
        A `skeletons.Skeleton`; `skeletons.COCO` itself if it is equal to that
        and the category is 1.

    Raises:
        ValueError: the category is not of this form.
    """
    fields = category if isinstance(category, dict) else {}
    name, joints = fields.get("name"), fields.get("keypoints")
    if not skeletons.are_names([name]) or not skeletons.are_names(joints):
        raise ValueError(
            "A COCO category with joints has a `name`, and `keypoints`, a list "
            f"of different names. Received: category={category!r:.300}"
        )
    if "flip_pairs" in fields:
        mirrored = _named_pairs(fields, "flip_pairs")
        paired = [joint for pair in mirrored for joint in pair]
        if len(set(paired)) < len(paired):
            raise ValueError(
                "A joint trades places with one other only. "
                f"Received: flip_pairs={fields['flip_pairs']!r:.300}"
            )
    else:
        mirrored = sides.pairs(joints)
    skeleton = skeletons.Skeleton(
        name, tuple(joints), mirrored, _named_pairs(fields, "skeleton")
    )
    number = fields.get("id", 1)
    if sigmas is None and _form(skeleton) == _form(skeletons.COCO):
        skeleton, sigmas = skeletons.COCO, skeletons.COCO.sigmas
    if sigmas is None:
        sigmas = [skeletons.DEFAULT_SIGMA] * len(skeleton)
    if len(sigmas) != len(skeleton) or not all(sigma > 0 for sigma in sigmas):
        raise ValueError(
            "`sigmas` are positive numbers, one for each of the "
            f"{len(skeleton)} joints of {name}. Received: sigmas={sigmas!r}"
        )
    skeleton = dataclasses.replace(
        skeleton, sigmas=tuple(map(float, sigmas)), categories=(number,)
    )
    return skeletons.COCO if skeleton == skeletons.COCO else skeleton


def of_truth(truth, sigmas=None):
    """The skeleton of a ground truth.

    Args:
        truth: What `coco.read` returned.
        sigmas: As in `from_category`.

    Returns:
        A `skeletons.Skeleton` with the numbers of all categories of the truth
        and the name of the first category.

    Raises:
        ValueError: a category is not of COCO's form.
    """
    categories = truth["categories"]
    skeleton = from_category(categories[0], sigmas)
    if len(categories) == 1:
        return skeleton
    ids = tuple(category["id"] for category in categories)
    return dataclasses.replace(skeleton, categories=ids)


def _form(skeleton):
    """A key that is the same for skeletons whose pairs differ only in order."""
    limbs = {frozenset(limb) for limb in skeleton.limbs}
    return skeleton.joints, set(skeleton.sides), limbs


def _named_pairs(category, field):
    """The field's pairs as names, each once."""
    joints = dict(enumerate(category["keypoints"], 1))
    joints.update((joint, joint) for joint in category["keypoints"])
    pairs = {}
    for pair in category.get(field) or ():
        try:
            first, second = (joints[joint] for joint in pair)
        except (KeyError, TypeError, ValueError):
            first = second = None
        if first == second:
            raise ValueError(
                f"`{field}` has pairs of two different joints, numbered from 1 "
                f"to {len(category['keypoints'])}. Received: {pair!r:.80}"
            )
        pairs.setdefault(frozenset((first, second)), (first, second))
    return tuple(pairs.values())


def _named(found, wanted):
    """The wanted categories."""
    if wanted in (None, "all"):
        people = [c for c in found if c["name"] == "person"]
        if wanted is None and people:
            return people[:1]
        return [c for c in found if c["keypoints"] == found[0]["keypoints"]]
    if isinstance(wanted, str):
        exact = [c for c in found if c["name"] == wanted]
        if exact:
            return exact
        wanted = [name.strip() for name in wanted.split(",")]
    categories = [c for c in found if {c["name"], c["id"]} & set(wanted)]
    named = {value for c in categories for value in (c["name"], c["id"])}
    return categories if set(wanted) <= named else []


def _cleaned(row, counted, names, notes):
    """A category in COCO's form, or None if it has no joints."""
    name = row.get("name")
    if not isinstance(name, str) or not name:
        name = f"category {row['id']}"
        notes.append(f"a category without a name is called {name}")
    joints = _names(row.get("keypoints"), name, notes)
    if not joints:
        count = counted(row["id"])
        joints = list(names or [str(n) for n in range(1, count + 1)])
        if not count:
            return None
        notes.append(
            f"{name} has no names of its {count} joints: they are called "
            f"{joints[0]} to {joints[-1]}, unless --keypoints names them"
            if not names
            else f"{name} has no names of its joints: those given are taken"
        )
    cleaned = {"id": row["id"], "name": name, "keypoints": joints}
    if isinstance(row.get("supercategory"), str):
        cleaned["supercategory"] = row["supercategory"]
    fields = ["skeleton"]
    if row.get("flip_pairs") is not None:
        fields.append("flip_pairs")
    rows = {field: _rows(row.get(field), field, notes) for field in fields}
    from_0 = _from_0(rows, len(joints))
    if from_0:
        named = " and ".join(f"`{field}`" for field in from_0)
        verb = "number" if len(from_0) > 1 else "numbers"
        notes.append(f"{named} {verb} the joints from 0")
    for field in fields:
        cleaned[field] = _pairs(
            rows[field], field, field in from_0, joints, notes
        )
    return cleaned


def _names(value, category, notes):
    """Unique strings, made of whatever names a file has."""
    if isinstance(value, str):
        value = settings.listed(value)
    if isinstance(value, dict):  # by number
        value = list(value.values())
    if not isinstance(value, list):
        return []
    value = [n.get("name") if isinstance(n, dict) else n for n in value]
    names, counts = [], collections.Counter()
    taken = {str(name) for name in value}
    for number, name in enumerate(value, 1):
        name = str(name) if name not in (None, "") else str(number)
        counts[name] += 1
        if counts[name] > 1 or name in names:
            again = counts[name]
            while f"{name}_{again}" in taken:
                again += 1
            notes.append(
                f"{category} has two joints {name}: the second is called "
                f"{name}_{again}"
            )
            name = f"{name}_{again}"
            taken.add(name)
        names.append(name)
    return names


def _rows(value, field, notes):
    """A field's rows; a row that is no list counts as empty."""
    if value is not None and not isinstance(value, list):
        notes.append(f"`{field}` is no list of pairs: left out")
    rows = value if isinstance(value, list) else []
    return [row if isinstance(row, list) else [] for row in rows]


def _from_0(fields, joints):
    """The fields that number the joints from 0.

    If one field contains 0, all count from 0, except a field that contains the
    number of joints: that is the last joint, counted from 1.
    """
    numbers = {
        field: {end for row in rows for end in row if _is_number(end)}
        for field, rows in fields.items()
    }
    if not any(0 in found for found in numbers.values()):
        return []
    return [
        field
        for field, found in numbers.items()
        if 0 in found or (found and joints not in found)
    ]


def _is_number(end):
    return type(end) in (int, float) and end == end and abs(end) < 1e9


def _pairs(rows, field, from_0, joints, notes):
    """Pairs of two different joints, as numbers from 1."""
    numbers = {name: number for number, name in enumerate(joints, 1)}
    pairs = []
    for row in rows:
        pair = [
            int(end) + from_0 if _is_number(end) else numbers.get(end, 0)
            for end in row
            if _is_number(end) or isinstance(end, str)
        ]
        inside = all(1 <= end <= len(joints) for end in pair)
        if inside and len(row) == len(pair) == len(set(pair)) == 2:
            pairs.append(pair)
    if len(pairs) < len(rows):
        left_out = len(rows) - len(pairs)
        notes.append(
            f"{left_out} of {len(rows)} pairs of `{field}` left out: they are "
            f"no two of the {len(joints)} joints"
        )
    return pairs
