"""Converts a test's labels and reads the result as `build-coco` does."""

import gzip
import json
import pathlib
import types

import numpy as np
from PIL import Image

from integral_tf.commands import convert as command
from integral_tf.records import coco
from integral_tf.records.conversion import convert


def picture(path, width=60, height=50):
    """A grey picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((height, width, 3), 99, np.uint8)).save(path)


def unpacked(name, folder):
    """Path, in a folder, of a file of `files`, which has it compressed."""
    packed = pathlib.Path(__file__).parent / "files" / f"{name}.gz"
    path = folder / name
    path.write_bytes(gzip.decompress(packed.read_bytes()))
    return path


def run(source, images, **settings):
    """Converts; returns what was written, and what `build-coco` takes of it.

    Returns:
        A namespace: `found`, `content` of the JSON, `truth` of `coco.read`, and
        `people`, the rows of `coco.people`.
    """
    out = images / f"out-{len(list(images.glob('out-*')))}.json"
    found = convert.convert(
        command.ConvertConfig(
            source=str(source), out=str(out), images=str(images), **settings
        )
    )
    made = out.with_name(f"{out.stem}_frames")
    images = made if made.is_dir() else images
    truth = coco.read(out, say=lambda line: None)
    people = [person for _, person in coco.people(truth, images, "train")]
    assert len(people) == len(found.people)
    assert not truth["left_out"]
    assert not any(person.problem for person in people)
    content = json.loads(out.read_text())
    return types.SimpleNamespace(
        found=found, content=content, truth=truth, people=people
    )


def keypoints(path):
    """The people of a JSON in COCO's form, each rows of x, y, visibility."""
    rows = json.loads(path.read_text())["annotations"]
    return [np.reshape(row["keypoints"], (-1, 3)).tolist() for row in rows]


def points(person):
    """A person's rows of x, y and visibility, as lists."""
    rows = zip(person.joints.tolist(), person.visible.tolist())
    return [[*point, seen] for point, seen in rows]


def counts(found):
    """Dict from a reason to the number of what was left out."""
    return {reason: n for reason, (n, _) in found.left_out.rows.items()}


def refuses(source, images, message, **settings):
    """Whether a conversion ends with a ValueError of this beginning."""
    try:
        run(source, images, **settings)
    except ValueError as error:
        assert str(error).startswith(message), error
        assert "Received: " in str(error)
        return not list(images.glob("out-*"))
    return False
