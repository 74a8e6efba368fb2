"""Asks TensorFlow Serving for the joints on pictures; draws and writes them.

REST needs nothing but Python, and Pillow where there are no boxes; gRPC needs
tensorflow-serving-api.
"""

import concurrent.futures
import functools
import json
import os
import pathlib
import sys
from typing import Any

from integral_tf.serving import boxes as boxes_of
from integral_tf.serving import connections

_ENDINGS = (".jfif", ".jpeg", ".jpg", ".png")  # what the SavedModel decodes
_ORIENTATION = 0x0112  # of EXIF
_PROTOCOLS = {"grpc": connections.Grpc, "rest": connections.Rest}


def people(server, path, persons, categories, seconds):
    """One picture's people, as `joints.json` has them.

    Args:
        server: One of `connections`.
        path: The picture.
        persons: List of `boxes.Person`, or None for the whole picture.
        categories: Numbers of the people's categories.
        seconds: For how long to ask a server that is away.
    """
    if persons is None:
        box = [0.0, 0.0, *_size(path)]
        persons = [boxes_of.Person(box, categories[0], None)]
    if not persons:
        return []  # REST cannot say "no boxes": [] has no four columns
    image_bytes = path.read_bytes()
    outputs = connections.persistently(
        lambda: server.predict(image_bytes, [each.box for each in persons]),
        seconds,
    )
    return [
        {
            **_image(path, persons[index].image_id),
            "category_id": persons[index].category,
            "bbox": [round(v, 2) for v in persons[index].box],
            "keypoints": [
                round(float(v), 3)
                for joint, score in zip(joints, scores)
                for v in (*joint, score)
            ],
            "score": round(sum(scores) / len(scores), 5),
        }
        for index, joints, scores in connections.poses(outputs, len(persons))
    ]


def _image(path, image_id):
    """What a result says of its image, in the form of COCO's."""
    if image_id is None:
        image_id = boxes_of.number_of(path)
    known = {} if image_id is None else {"image_id": image_id}
    return {**known, "file_name": path.name}


def categories_of(skeleton):
    """Numbers of the people's categories; a guess is printed."""
    if not skeleton.endswith(".json"):
        # Every named skeleton is of COCO's persons.
        if not skeleton:
            print("category 1, a person of COCO, as no --skeleton says another")
        return (1,)
    try:
        stored = json.loads(pathlib.Path(skeleton).read_bytes())
        found = tuple(map(int, stored.get("categories", (1,))))
        return found or (1,)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise connections.Stop(
            f"`--skeleton` is a name, or a skeleton.json; {error}. "
            f"Received: --skeleton={skeleton!r}"
        ) from None


def painter(skeleton, least):
    """What draws one picture's people into a file; None where OpenCV is not.

    Args:
        skeleton: Name of a skeleton, path of a `skeleton.json`, or empty for
            the known one with that number of joints.
        least: Score below which a joint is not drawn.
    """
    try:
        from integral_tf import skeletons
        from integral_tf.inference import draw
        from integral_tf.records import photographs
        from integral_tf.records import schema
    except ImportError as error:
        print(f"no pictures are drawn here: {error}")
        return None
    try:
        if skeleton.endswith(".json"):
            stored = json.loads(pathlib.Path(skeleton).read_text())
            skeleton = skeletons.from_dict(stored)
        elif skeleton:
            skeleton = skeletons.get(skeleton)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise connections.Stop(f"--skeleton: {error}") from None

    known = tuple(skeletons.KNOWN.values())

    def paint(path, found, target):
        picture = photographs.read(path)
        for person in found:
            rows = list(zip(*[iter(person["keypoints"])] * 3))
            kind = skeleton or _guessed(known, len(rows))
            if kind is None or len(kind) != len(rows):
                raise connections.Stop(
                    f"the model has {len(rows)} joints: name its "
                    "skeleton.json, or --nodraw. "
                    f"Received: --skeleton={skeleton.name if skeleton else ''}"
                )
            shown = [score >= least for *_, score in rows]
            joints = [(x, y) for x, y, _ in rows]
            picture = draw.pose(picture, joints, shown, kind)
        draw.save(picture, target)

    def painted(path, found, target):
        try:
            paint(path, found, target)
        except schema.Dropped as reason:
            print(f"not drawn: {path}: {reason}")

    return painted


@functools.cache  # said once
def _guessed(known, joints):
    kind = next((each for each in known if len(each) == joints), None)
    if kind is not None:
        print(
            f"drawn as the joints of {kind.name}, by their number; give "
            "--skeleton if they are others"
        )
    return kind


def _size(path):
    """Width and height of a picture as viewers show it, and the server, too."""
    try:
        from PIL import Image
    except ImportError as error:
        raise connections.Stop(
            f"without --boxes, Pillow is needed: {error}"
        ) from None
    Image.MAX_IMAGE_PIXELS = None  # only its header is read
    try:
        with Image.open(path) as image:
            width, height = map(float, image.size)
            try:
                turned = image.getexif().get(_ORIENTATION) in (5, 6, 7, 8)
            except Exception:  # of many kinds: a damaged EXIF turns nothing
                turned = False
    except (OSError, SyntaxError, ValueError) as error:
        raise connections.Refused(f"not a picture: {error}") from None
    return [height, width] if turned else [width, height]


def _image_paths(images, left):
    """The pictures that `--images` names; a folder's others are counted."""
    path = pathlib.Path(images)
    if images and path.is_file():
        return [path]
    paths = []
    for entry in sorted(path.iterdir()) if images and path.is_dir() else []:
        ending = entry.suffix.lower()
        if entry.is_dir():
            left.count("folder", "in the folder", entry.name)
        elif ending not in _ENDINGS:
            left.count(
                "file", "of an ending that is not read", ending or entry.name
            )
        elif not entry.is_file():
            left.name("file", "not read: a pipe, or a broken link", entry)
        else:
            paths.append(entry)
    if not paths:
        raise connections.Stop(
            f"`--images` is a picture or a folder of them "
            f"({', '.join(_ENDINGS)}). Received: --images={images!r}"
            f"{left.ending()}"
        )
    return paths


def _drawn_names(paths, paint):
    """File names of the drawings, if any are made."""
    if not paint:
        return [path.name for path in paths]
    from integral_tf.inference import draw  # `painter` found it

    return draw.names_for(paths)


def _folder(out):
    """The output folder: a new one, or one of an earlier prediction."""
    path = pathlib.Path(out)
    earlier = (path / "joints.json").is_file()
    used = path.is_file() or path.is_dir() and any(path.iterdir())
    if not out or used and not earlier:
        raise connections.Stop(
            "`--out` is a new folder, or one of an earlier prediction; others "
            f"would be mixed up. Received: --out={out!r}"
        )
    path.mkdir(parents=True, exist_ok=True)
    return path


def _health(config, server):
    """Prints the state of the model's versions; True if one is served."""
    states = server.states()
    for version, state in sorted(states.items()):
        print(f"{config.model} version {version}: {state}")
    return "AVAILABLE" in states.values()


def _predict(config, server):
    """Asks for every picture; returns how many were refused."""
    left = boxes_of.LeftOut()
    paths = _image_paths(config.images, left)
    categories = categories_of(config.skeleton)
    persons = None
    if config.boxes:
        rows = boxes_of.read(config.boxes)
        persons = boxes_of.sort(
            rows, paths, categories, config.min_box_score, left
        )
        if not persons:
            raise boxes_of.nobody(config.boxes, rows, paths, left)
    out = _folder(config.out)
    paint = painter(config.skeleton, config.min_score) if config.draw else None
    results, refused = [], 0
    pool = concurrent.futures.ThreadPoolExecutor(config.parallel)
    try:
        asked = []
        for path in paths:
            some = None if persons is None else persons.get(path.name, [])
            job = pool.submit(
                people, server, path, some, categories, config.retry_for
            )
            asked.append((path, some, job))
        for (path, some, job), name in zip(asked, _drawn_names(paths, paint)):
            try:
                found = job.result()
            except (connections.Refused, OSError) as error:
                print(f"client: {path}: {error}", file=sys.stderr)
                left.count("picture", "refused")
                left.count("box", "of such a picture", number=len(some or []))
                refused += 1
                continue
            results += found
            if paint:
                paint(path, found, out / name)
    finally:
        pool.shutdown(cancel_futures=True)
        # Interrupted, too: what was answered is not lost.
        partial = out / "joints.partial"
        partial.write_text(json.dumps(results) + "\n")
        os.replace(partial, out / "joints.json")
    for line in left.lines:
        print(line)
    print(
        f"{len(results)} people in {len(paths) - refused} pictures"
        f"{left.ending()}"
    )
    print(f"joints: {out / 'joints.json'}")
    return refused


def run(config: Any) -> int:
    """Asks for every picture, or with `health` for the model's state.

    Args:
        config: A `commands.client.ClientConfig`.

    Returns:
        The exit status: 0 if every picture was answered.

    Raises:
        Stop: there is no server, nothing else can be asked, or an argument is
            wrong.
    """
    server = _PROTOCOLS[config.protocol](
        config.server, config.model, config.version, config.timeout
    )
    try:
        if config.health:
            return 0 if _health(config, server) else 1
        return 1 if _predict(config, server) else 0
    except connections.Away as error:
        raise connections.Stop(f"no server: {error}") from None
