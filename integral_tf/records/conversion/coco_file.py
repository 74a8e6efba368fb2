"""Writes labels as a keypoint file in COCO's form.

The form is https://cocodataset.org/#format-data, "Keypoint Detection".
"""

import json

from integral_tf import whole
from integral_tf.records import schema


def write(annotations, pictures, path):
    """Writes the file, whole or not at all.

    Args:
        annotations: The `annotations.Annotations`; what is left out here is
            counted there.
        pictures: The `pictures.Pictures` in which the files are found.
        path: Path of the JSON.

    Returns:
        Numbers of the written pictures and people, and names of the pictures
        that are not in the folder.
    """
    content, missing = _content(annotations, pictures)
    with whole.file(path) as partial:
        partial.write_text(json.dumps(content) + "\n")
    return len(content["images"]), len(content["annotations"]), missing


def _content(annotations, pictures):
    ids, images, missing = {}, [], []
    for number, picture in enumerate(annotations.pictures, 1):
        ids[picture.name] = number
        found = pictures.find(picture.name)
        if found is None:
            missing.append(picture.name)
        size = picture.size or (found and pictures.size(found))
        images.append({"id": number, "file_name": found or picture.name})
        if size:
            images[-1] |= dict(zip(("width", "height"), size))
    categories = {
        category.name: _category(category, number)
        for number, category in enumerate(annotations.categories, 1)
    }
    rows = []
    for person in annotations.people:
        labelled = int((person.points[:, 2] > 0).sum())
        if not labelled:
            annotations.left_out.add(
                schema.Dropped("person without points", f"in {person.picture}")
            )
            continue
        row = {
            "id": len(rows) + 1,
            "image_id": ids[person.picture],
            "category_id": categories[person.category]["id"],
            "iscrowd": 0,
            "num_keypoints": labelled,
            "keypoints": _keypoints(person.points),
        }
        if person.box is not None:
            row["bbox"] = [float(v) for v in person.box]
            row["area"] = float(person.box[2] * person.box[3])
        rows.append(row)
    return {
        "images": images,
        "categories": list(categories.values()),
        "annotations": rows,
    }, missing


def _category(category, number):
    row = {"id": number, "name": category.name}
    if category.keypoints:
        row["keypoints"] = list(category.keypoints)
    row["skeleton"] = [list(limb) for limb in category.limbs]
    if category.flip_pairs is not None:
        row["flip_pairs"] = [list(pair) for pair in category.flip_pairs]
    return row


def _keypoints(points):
    """x, y and visibility in a row; 0, 0, 0 where nothing is labelled."""
    return [
        value
        for x, y, seen in points.tolist()
        for value in ((x, y, int(seen)) if seen > 0 else (0, 0, 0))
    ]
