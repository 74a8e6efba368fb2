"""`integral-tf client`: joints on pictures from TensorFlow Serving.

REST needs neither TensorFlow nor Keras; gRPC needs tensorflow-serving-api.
"""

import concurrent.futures
import functools
import json
import pathlib
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from integral_tf import skeletons
from integral_tf import whole
from integral_tf.inference import boxes as boxes_of
from integral_tf.inference import draw
from integral_tf.inference import left_out
from integral_tf.inference import placement
from integral_tf.models import loading
from integral_tf.records import photographs
from integral_tf.records import schema
from integral_tf.serving import connections

_ENDINGS = (".jfif", ".jpeg", ".jpg", ".png")  # the SavedModel decodes these
_WANTED = f"a picture or a folder of them ({', '.join(_ENDINGS)})"
_PROTOCOLS = {"grpc": connections.Grpc, "rest": connections.Rest}


def people(
    server: Any,
    path: pathlib.Path,
    persons: list[boxes_of.Person] | None,
    categories: Sequence[int],
    seconds: float,
) -> list[dict]:
    """Asks a server for the poses on one picture.

    Args:
        server: A connection, of a class of `connections`.
        path: Path of the picture.
        persons: List of `boxes.Person`; None for the whole picture as a person
            of the first category.
        categories: Numbers of the people's categories.
        seconds: How long to retry while the server is away.

    Returns:
        List of the people's dicts for `joints.json`.

    Raises:
        Refused, Stop: see `connections`.
    """
    if persons is None:
        box = np.array([0, 0, *photographs.shown_size(path)], np.float64)
        persons = [boxes_of.Person(box, categories[0])]
    if not persons:
        return []  # REST cannot say "no boxes": [] has no four columns
    image_bytes = path.read_bytes()
    outputs = connections.persistently(
        lambda: server.predict(
            image_bytes, [each.box.tolist() for each in persons]
        ),
        seconds,
    )
    return [
        {
            **placement.described(path, persons[index].image_id),
            "category_id": persons[index].category,
            "bbox": [round(v, 2) for v in persons[index].box.tolist()],
            "keypoints": [
                round(float(v), 3)
                for joint, score in zip(joints, scores)
                for v in (*joint, score)
            ],
            "score": round(sum(scores) / len(scores), 5),
        }
        for index, joints, scores in connections.poses(outputs, len(persons))
    ]


def skeleton_of(named: str) -> skeletons.Skeleton | None:
    """The skeleton that `--skeleton` names; None if it is empty, with a line.

    Raises:
        Stop: `--skeleton` is not a skeleton.
    """
    if not named:
        # Every known skeleton has COCO's category of persons, 1.
        print("category 1, a person of COCO, as no --skeleton says another")
        return None
    try:
        return loading.named_skeleton(named)
    except (OSError, ValueError) as error:
        raise connections.Stop(
            f"`--skeleton` is a name, or a skeleton.json; {error}. "
            f"Received: --skeleton={named!r}"
        ) from None


def paint(
    path: pathlib.Path,
    found: list[dict],
    target: pathlib.Path,
    skeleton: skeletons.Skeleton | None,
    least: float,
) -> None:
    """Draws one picture's people into a file.

    Args:
        path: Path of the picture.
        found: The people, from `people`.
        target: File to write.
        skeleton: A `skeletons.Skeleton`; None for the known skeleton with the
            number of joints.
        least: Score below which a joint is not drawn.

    Raises:
        Stop: the skeleton has another number of joints.
    """
    try:
        picture = photographs.read(path)
    except schema.Dropped as reason:
        print(f"not drawn: {path}: {reason}")
        return
    for person in found:
        *points, scores = np.reshape(person["keypoints"], (-1, 3)).T
        kind = skeleton or _guessed(len(scores))
        if kind is None or len(kind) != len(scores):
            raise connections.Stop(
                f"the model has {len(scores)} joints: name its skeleton.json, "
                "or --nodraw. "
                f"Received: --skeleton={skeleton.name if skeleton else ''}"
            )
        joints = np.stack(points, axis=-1)
        picture = draw.pose(picture, joints, scores >= least, kind)
    draw.save(picture, target)


@functools.cache  # so that the line is printed once
def _guessed(joints):
    known = skeletons.KNOWN.values()
    kind = next((each for each in known if len(each) == joints), None)
    if kind is not None:
        print(
            f"drawn as the joints of {kind.name}, by their number; give "
            "--skeleton if they are others"
        )
    return kind


def _folder(out):
    """Makes the output folder, or takes that of an earlier prediction."""
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
    """Asks for the poses on every picture; returns how many were refused."""
    left = left_out.LeftOut()
    paths = placement.photographs(config.images, _ENDINGS, left, wanted=_WANTED)
    skeleton = skeleton_of(config.skeleton)
    categories = skeleton.categories if skeleton else (1,)
    persons = None
    if config.boxes:
        rows = boxes_of.read(config.boxes, "file_name or image_id")
        persons = placement.of_photographs(
            config, rows, paths, categories, left
        )
    out = _folder(config.out)
    results, refused = [], 0
    pool = concurrent.futures.ThreadPoolExecutor(config.parallel)
    try:
        asked = []
        for path in paths:
            boxed = None if persons is None else persons.get(path.name, [])
            job = pool.submit(
                people, server, path, boxed, categories, config.retry_for
            )
            asked.append((path, boxed, job))
        for (path, boxed, job), name in zip(asked, draw.names_for(paths)):
            try:
                found = job.result()
            except (connections.Refused, schema.Dropped, OSError) as error:
                print(f"client: {path}: {error}", file=sys.stderr)
                left.count("picture", "refused")
                left.count("box", "of such a picture", number=len(boxed or []))
                refused += 1
                continue
            results += found
            if config.draw:
                paint(path, found, out / name, skeleton, config.min_score)
    finally:
        pool.shutdown(cancel_futures=True)
        # Also after an interrupt, so that finished pictures are not lost.
        with whole.file(out / "joints.json") as partial:
            partial.write_text(json.dumps(results) + "\n")
    for line in left.lines:
        print(line)
    print(
        f"{len(results)} people in {len(paths) - refused} pictures"
        f"{left.ending()}"
    )
    print(f"joints: {out / 'joints.json'}")
    return refused


def run(config: Any) -> int:
    """Asks for the poses on every picture, or for the model's state.

    Args:
        config: A `commands.client.ClientConfig`; `health` asks for the state.

    Returns:
        The exit status: 0 if every picture was answered, or with `health`, if
        the model is served.

    Raises:
        Stop: there is no server, it has no such model, or an argument is
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
