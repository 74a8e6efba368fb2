r"""Asks TensorFlow Serving for the joints on pictures; draws and writes them.

    python serving/client.py --images=photo.jpg --out=out
    python serving/client.py --protocol=rest --server=host:8501 \
        --images=photos --boxes=boxes.json --out=out
    python serving/client.py --health

`--out` receives what `predict.py` writes: one drawn picture per photograph and
`joints.json`. Boxes, too, are as there; without them the whole picture is one
person. A picture that the server refuses is one line, and the others go on; a
server that is away is asked again for `--retry_for` seconds. The exit status is
0 if every picture was answered.

REST needs nothing but absl-py, and Pillow where there are no boxes; gRPC needs
tensorflow-serving-api; pictures are drawn where integral_tf is installed.
"""

import concurrent.futures
import json
import pathlib
import sys

import connections
from absl import app
from absl import flags

_ENDINGS = (".jpg", ".jpeg", ".png")  # what the SavedModel decodes
_PROTOCOLS = {"grpc": connections.Grpc, "rest": connections.Rest}

flags.DEFINE_enum("protocol", "grpc", list(_PROTOCOLS), "How to ask.")
flags.DEFINE_string(
    "server", "", "host:port; by default this machine's 8500 or, of REST, 8501."
)
flags.DEFINE_string("model", "pose", "Its name in models.config.")
flags.DEFINE_integer("version", 0, "Its version; 0 is the newest served.")
flags.DEFINE_bool("health", False, "Only say whether the model is served.")
flags.DEFINE_string("images", "", "A JPEG or PNG, or a folder of them.")
flags.DEFINE_string(
    "boxes",
    "",
    "JSON of people in the images, in COCO's result form [{file_name or "
    "image_id, bbox: [x, y, w, h], score}]; without it the whole image is one "
    "person.",
)
flags.DEFINE_string("out", "", "Folder to write the drawings and the JSON to.")
flags.DEFINE_float("min_box_score", 0.5, "Leave out boxes less sure than this.")
flags.DEFINE_float("min_score", 0.0, "Draw only joints at least this sure.")
flags.DEFINE_bool("draw", True, "Draw the pictures, where integral_tf is.")
flags.DEFINE_string(
    "skeleton", "", "For the drawing: a skeleton's name or skeleton.json."
)
flags.DEFINE_integer("parallel", 4, "Requests at a time.", lower_bound=1)
flags.DEFINE_float("timeout", 10.0, "Seconds that one answer may take.")
flags.DEFINE_float(
    "retry_for", 30.0, "Seconds to go on asking a server that is away."
)
FLAGS = flags.FLAGS


def people(server, path, boxes, seconds):
    """One picture's people, as `joints.json` has them.

    Args:
        server: One of `connections`.
        path: The picture.
        boxes: List of x, y, width, height, or None for the whole picture.
        seconds: For how long to ask a server that is away.
    """
    if boxes is None:
        boxes = [[0.0, 0.0, *_size(path)]]
    if not boxes:
        return []  # REST cannot say "no boxes": [] has no four columns
    image_bytes = path.read_bytes()
    outputs = connections.persistently(
        lambda: server.predict(image_bytes, boxes), seconds
    )
    kept = outputs.get("kept", range(len(boxes)))
    return [
        {
            "file_name": path.name,
            "category_id": 1,
            "bbox": [round(float(v), 2) for v in boxes[index]],
            "keypoints": [
                round(float(v), 3)
                for joint, score in zip(joints, scores)
                for v in (*joint, score)
            ],
            "score": round(sum(scores) / len(scores), 5),
        }
        for index, joints, scores in zip(
            kept, outputs["joints"], outputs["scores"]
        )
    ]


def read_boxes(path, names, least):
    """Boxes by file name from COCO's result form, as `predict.py` reads it."""
    try:
        found = {name: [] for name in names}
        numbers = {
            int(pathlib.Path(name).stem): name
            for name in names
            if pathlib.Path(name).stem.isdigit()
        }
        for row in json.loads(pathlib.Path(path).read_text()):
            name = row.get("file_name") or numbers.get(row.get("image_id"))
            person = row.get("category_id", 1) == 1
            if name in found and person and row.get("score", 1.0) >= least:
                x, y, width, height = map(float, row["bbox"])
                found[name].append([x, y, width, height])
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise connections.Stop(
            "`--boxes` is a JSON list of {file_name or image_id, bbox: [x, y, "
            f"width, height]}}; {error!r}. Received: --boxes={path!r}"
        ) from None
    if not any(found.values()):
        raise connections.Stop(
            "no box belongs to any of the pictures, or all scores are below "
            f"--min_box_score. Received: --boxes={path!r}"
        )
    return found


def painter(skeleton, least):
    """What draws one picture's people into a file; None without integral_tf.

    Args:
        skeleton: Name of a skeleton, path of a `skeleton.json`, or empty for
            the known one with that number of joints.
        least: Score below which a joint is not drawn.
    """
    try:
        from integral_tf import skeletons
        from integral_tf.inference import draw
        from integral_tf.records import photographs
    except ImportError as error:
        print(f"no pictures, integral_tf is not installed: {error}")
        return None
    try:
        if skeleton.endswith(".json"):
            stored = json.loads(pathlib.Path(skeleton).read_text())
            skeleton = skeletons.from_dict(stored)
        elif skeleton:
            skeleton = skeletons.get(skeleton)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise connections.Stop(f"--skeleton: {error}") from None

    def paint(path, found, target):
        picture = photographs.read(path)
        for person in found:
            rows = list(zip(*[iter(person["keypoints"])] * 3))
            known = skeletons.KNOWN.values()
            kind = skeleton or next(
                (each for each in known if len(each) == len(rows)), None
            )
            if kind is None or len(kind) != len(rows):
                raise connections.Stop(
                    f"the model has {len(rows)} joints: name its "
                    f"skeleton.json. Received: --skeleton={skeleton or ''}"
                )
            shown = [score >= least for *_, score in rows]
            joints = [(x, y) for x, y, _ in rows]
            picture = draw.pose(picture, joints, shown, kind)
        draw.save(picture, target)

    return paint


def _size(path):
    try:
        from PIL import Image
    except ImportError as error:
        raise connections.Stop(
            f"without --boxes, Pillow is needed: {error}"
        ) from None
    try:
        with Image.open(path) as image:
            return [float(side) for side in image.size]
    except (OSError, SyntaxError, ValueError) as error:
        raise connections.Refused(f"not a picture: {error}") from None


def _image_paths(images):
    path = pathlib.Path(images)
    if images and path.is_file():
        return [path]
    found = path.iterdir() if images and path.is_dir() else ()
    paths = sorted(p for p in found if p.suffix.lower() in _ENDINGS)
    if not paths:
        raise connections.Stop(
            f"`--images` is a picture or a folder of them "
            f"({', '.join(_ENDINGS)}). Received: --images={images!r}"
        )
    return paths


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


def _health(server):
    """Prints the state of the model's versions; True if one is served."""
    states = server.states()
    for version, state in sorted(states.items()):
        print(f"{FLAGS.model} version {version}: {state}")
    return "AVAILABLE" in states.values()


def _predict(server):
    """Asks for every picture; returns how many were refused."""
    paths = _image_paths(FLAGS.images)
    boxes = None
    if FLAGS.boxes:
        names = [path.name for path in paths]
        boxes = read_boxes(FLAGS.boxes, names, FLAGS.min_box_score)
    out = _folder(FLAGS.out)
    paint = painter(FLAGS.skeleton, FLAGS.min_score) if FLAGS.draw else None
    results, refused = [], 0
    pool = concurrent.futures.ThreadPoolExecutor(FLAGS.parallel)
    try:
        asked = [
            pool.submit(
                people,
                server,
                path,
                boxes and boxes[path.name],
                FLAGS.retry_for,
            )
            for path in paths
        ]
        for path, answer in zip(paths, asked):
            try:
                found = answer.result()
            except (connections.Refused, OSError) as error:
                print(f"client: {path}: {error}", file=sys.stderr)
                refused += 1
                continue
            results += found
            if paint:
                paint(path, found, out / f"{path.stem}.png")
    finally:
        pool.shutdown(cancel_futures=True)
        # Interrupted, too: what was answered is not lost.
        (out / "joints.json").write_text(json.dumps(results) + "\n")
    print(f"{len(results)} people in {len(paths) - refused} pictures")
    print(f"joints: {out / 'joints.json'}")
    return refused


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {argv[1:]}")
    try:
        server = _PROTOCOLS[FLAGS.protocol](
            FLAGS.server, FLAGS.model, FLAGS.version, FLAGS.timeout
        )
        well = _health(server) if FLAGS.health else not _predict(server)
    except connections.Away as error:
        raise SystemExit(f"client: no server: {error}") from None
    except (connections.Stop, connections.Refused, OSError) as error:
        raise SystemExit(f"client: {error}") from None
    return 0 if well else 1


if __name__ == "__main__":
    app.run(main)
