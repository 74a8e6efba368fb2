r"""Images per CPU-second of the input pipeline, beside three other pipelines.

    python benchmarks/pipeline.py --coco=/data/coco --mpii=/data/mpii

`--coco` holds annotations/person_keypoints_*.json and the photographs in
train2017/ and val2017/; `--mpii` holds annot/*.json and images/, as Simple
Baselines has them. Missing photographs are left out; the others are repeated.
Needs PyTorch, OpenCV and simplejpeg. The other pipelines are

    tuned     windows that were cut beforehand, decoded by libjpeg-turbo in a
              PyTorch DataLoader, and collated to uint8; nothing else
    classic   Simple Baselines' in a PyTorch DataLoader: imread, a flip, one
              warpAffine of a rotated and scaled 256 x 256 crop, normalisation,
              and 64 x 64 Gaussian targets
    whole     tf.data: decodes the whole photograph, and cuts the same crop by
              one ImageProjectiveTransformV3; no targets

CPU-seconds are the user and system time of this process and its workers. They
include all work of a pipeline: setting up, reading, batching. The pipelines
take turns. Prints a Markdown table, the ratios to `tuned`, and the cores that
2,500 images a second need.
"""

import dataclasses
import functools
import gc
import json
import math
import os
import pathlib
import tempfile
import time

import numpy as np
import simple_baselines
import tensorflow as tf
import tuned_torch
import turns
from absl import app
from absl import flags

from integral_tf import coordinates
from integral_tf import layers
from integral_tf import skeletons
from integral_tf.ops import targets
from integral_tf.ops import warp
from integral_tf.pipeline import batches
from integral_tf.records import folder as record_folder
from integral_tf.records import photographs
from integral_tf.records import schema
from integral_tf.records import shards

_COCO = flags.DEFINE_string("coco", None, "COCO's folder.", required=True)
_MPII = flags.DEFINE_string("mpii", None, "MPII's folder.", required=True)
_PEOPLE = flags.DEFINE_integer(
    "people", 4096, "People per repeat; slow pipelines get fewer."
)
_REPEATS = flags.DEFINE_integer("repeats", 3, "Repeats of each pipeline.")

_SIZE, _MAP = simple_baselines.SIZE, simple_baselines.MAP
_BATCH = 32
_JOINTS = len(skeletons.COCO)
_OURS = "ours: records to uint8 windows"
_CLASSIC = "classic"
_TUNED = ("tuned", "tuned, 2 workers")
_OF_ONE_H100 = 2500  # images a second
_LIBRARIES = {
    "TensorFlow": "tensorflow",
    "Keras": "keras",
    "PyTorch": "torch",
    "OpenCV": "cv2",
    "Pillow": "PIL",
    "simplejpeg": "simplejpeg",
}


@dataclasses.dataclass(frozen=True)
class Annotation:
    """One person: `joints` (K, 3) x, y, label and `box`, image frame."""

    path: str
    number: int
    name: str
    joints: np.ndarray
    box: np.ndarray


def coco_people(folder):
    """Reads COCO's people whose photographs are in the folder."""
    people = []
    for path in sorted(folder.glob("annotations/person_keypoints_*.json")):
        split = json.loads(path.read_text())
        images = folder / path.stem.removeprefix("person_keypoints_")
        names = {image["id"]: image["file_name"] for image in split["images"]}
        people += [
            Annotation(
                str(images / names[person["image_id"]]),
                person["image_id"],
                str(person["id"]),
                np.reshape(person["keypoints"], (_JOINTS, 3)).astype(float),
                np.array(person["bbox"], float),
            )
            for person in split["annotations"]
            if person.get("num_keypoints") and not person["iscrowd"]
        ]
    return _whose_photograph_is_there(people, folder)


def mpii_people(folder):
    """Reads MPII's people whose photographs are in the folder."""
    people = []
    for path in sorted(folder.glob("annot/*.json")):
        for person in json.loads(path.read_text()):
            joints = np.zeros((_JOINTS, 3))  # MPII's 16 and one unlabelled
            joints[:16, :2], joints[:16, 2] = (
                person["joints"],
                person["joints_vis"],
            )
            side = 200 * person["scale"]
            corner = np.array(person["center"]) + 0.5 - side / 2
            people.append(
                Annotation(
                    str(folder / "images" / person["image"]),
                    int(pathlib.Path(person["image"]).stem),
                    f"{path.stem}-{len(people)}",
                    joints,
                    np.array([*corner, side, side]),
                )
            )
    return _whose_photograph_is_there(people, folder)


def make(annotation):
    """Reads the photograph of an `Annotation` as a `schema.Person`."""
    return schema.Person(
        photographs.read(annotation.path),
        annotation.number,
        annotation.name,
        annotation.joints[:, :2],
        annotation.joints[:, 2].astype(int),
        annotation.box,
    )


def write_records(people, folder, count):
    """Writes each person once, and links shards until `count` is reached."""
    manifest = shards.write(
        [(person.name, person) for person in people],
        make,
        folder,
        skeletons.COCO,
        _SIZE,
        split=0.0,
        source="benchmarks/pipeline.py",
        shards=4,
    )
    split = manifest["splits"]["train"]
    times = math.ceil(count / split["people"])
    split["people"] *= times
    written = split["shards"]
    split["shards"] = []
    for _ in range(times):
        for shard in written:
            name = f"train-{len(split['shards']):05d}.tfrecord"
            os.link(folder / shard["file"], folder / name)
            split["shards"].append({**shard, "file": name})
    (folder / record_folder.MANIFEST).write_text(json.dumps(manifest))


def ours(folder, epoch):
    """Yields windows, which are the host's work in a training run."""
    for people in batches.train_batches(folder, _BATCH, seed=0, epoch=epoch):
        yield people["windows"]


def written(people, epoch):
    """Yields serialised records one by one; every epoch is the same."""
    size = shards.window_size(_SIZE)
    for annotation in people:
        person = make(annotation)
        yield [schema.serialise(person, *shards.cut_window(person, size))]


def cropped(folder, epoch, step, count):
    """Yields results of `step` on the windows of `count` people."""
    people = batches.train_batches(folder, _BATCH, seed=0, epoch=epoch)
    for batch in people.take(count // _BATCH):
        yield step(batches.for_device(batch))


def crop_step(jit_compile):
    """The accelerator's work: crops, and targets as in `classic`."""
    crop = layers.PersonCrop(_SIZE, _SIZE, skeletons.COCO.mirrored_order)

    @tf.function(jit_compile=jit_compile)
    def step(people):
        crops = crop(people, training=True)
        points = coordinates.crop_to_heatmap(crops["joints"], _SIZE / _MAP)
        heatmaps = targets.gaussians(
            points, (_MAP, _MAP), simple_baselines.SIGMA
        )
        return crops["images"], heatmaps

    return lambda people: step(people)[0]


def whole(people, epoch):
    """Yields crops of photographs; TensorFlow decodes the whole photograph."""

    def crop(path, box, draws):
        image = tf.io.decode_jpeg(
            tf.io.read_file(path), 3, dct_method="INTEGER_ACCURATE"
        )
        turn = (2 * draws[:1] - 1) * math.radians(30)
        mirrored = tf.cast(draws[2:] < 0.5, tf.float32)
        to_image = warp.crop_affine(
            box[None],
            _SIZE,
            _SIZE,
            angle=turn,
            zoom=1 + (2 * draws[1:2] - 1) * 0.25,
            mirrored=mirrored,
            margin=coordinates.BOX_MARGIN,
        )
        return tf.raw_ops.ImageProjectiveTransformV3(
            images=image[None],
            transforms=tf.pad(tf.reshape(to_image, [1, 6]), [[0, 0], [0, 2]]),
            output_shape=[_SIZE, _SIZE],
            fill_value=0.0,
            interpolation="BILINEAR",
        )[0]

    rng = np.random.default_rng(epoch)
    people = [people[i] for i in rng.permutation(len(people))]
    rows = (
        [person.path for person in people],
        np.float32([person.box for person in people]),
        np.float32(rng.random((len(people), 3))),
    )
    crops = tf.data.Dataset.from_tensor_slices(rows)
    crops = crops.map(crop, tf.data.AUTOTUNE, deterministic=True)
    yield from crops.batch(_BATCH, drop_remainder=True).prefetch(2)


def _whose_photograph_is_there(people, folder):
    people = [person for person in people if os.path.isfile(person.path)]
    if not people:
        raise SystemExit(f"No annotated photograph in {str(folder)!r}.")
    return people


def _cpu_seconds():
    return sum(os.times()[:4])


def _rate(pipeline, epoch):
    gc.collect()
    start = _cpu_seconds()
    count = sum(len(images) for images in pipeline(epoch))
    gc.collect()  # the time of ended workers counts once they are joined
    return count / (_cpu_seconds() - start)


def _pipelines(people, folder, count):
    few = [people[i % len(people)] for i in range(count // 16)]
    classic = functools.partial(
        simple_baselines.batches, few, batch_size=_BATCH
    )
    on_cpu = functools.partial(cropped, folder, count=count // 4)
    windows = folder / "windows.jpegs"
    records = record_folder.Records.open(folder)
    places = tuned_torch.write(records, windows, len(people))
    times = math.ceil(count / len(places))
    tuned = functools.partial(
        tuned_torch.batches, windows, places * times, batch_size=_BATCH
    )
    return {
        _OURS: functools.partial(ours, folder),
        _TUNED[0]: functools.partial(tuned, workers=0),
        _TUNED[1]: functools.partial(tuned, workers=2),
        _CLASSIC: functools.partial(classic, workers=0),
        "classic, 2 workers": functools.partial(classic, workers=2),
        "whole": functools.partial(whole, few),
        "ours and PersonCrop and targets, all on the CPU": functools.partial(
            on_cpu, step=crop_step(jit_compile=False)
        ),
        "the same, compiled by XLA": functools.partial(
            on_cpu, step=crop_step(jit_compile=True)
        ),
        "writing the records, once": functools.partial(written, few[:64]),
    }


def measure(people, folder, count, repeats):
    """Returns a dict from a pipeline to a list of images per CPU-second."""
    pipelines = _pipelines(people, folder, count)
    for pipeline in pipelines.values():
        next(iter(pipeline(epoch=0)))  # libraries load, functions are traced
    rates = {name: [] for name in pipelines}
    for epoch in range(1, repeats + 1):
        for name, pipeline in pipelines.items():
            rates[name].append(_rate(pipeline, epoch))
    return rates


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {argv[1:]}")
    # These raise now, not after a minute's work.
    simple_baselines.torch()
    tuned_torch.simplejpeg()
    start = time.time()
    everyone = {
        "COCO": coco_people(pathlib.Path(_COCO.value)),
        "MPII": mpii_people(pathlib.Path(_MPII.value)),
    }
    columns = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, people in everyone.items():
            out = pathlib.Path(folder) / name
            write_records(people, out, _PEOPLE.value)
            columns[name] = measure(people, out, _PEOPLE.value, _REPEATS.value)
    print(f"\n{turns.machine(_LIBRARIES)}")
    for name, people in everyone.items():
        photographs_of_them = {person.path for person in people}
        print(
            f"{name}: {len(people)} people in {len(photographs_of_them)} "
            "photographs, over and over"
        )
    print(f"Median of {_REPEATS.value} interleaved repeats (least to most).\n")
    _print_table(columns)
    for name, rates in columns.items():
        for other in _TUNED:
            ratios = turns.ratios(rates[_OURS], rates[other])
            print(f"{name}, ours / {other}: {turns.spread(ratios, '.2f')}")
        cores = [_OF_ONE_H100 / rate for rate in rates[_OURS]]
        print(
            f"{name}, cores for {_OF_ONE_H100:,} images a second: "
            f"{turns.spread(cores, '.1f')}"
        )
    print(f"\n{time.time() - start:.0f} s")


def _print_table(columns):
    heads = [f"{name}, images per CPU-second | ratio" for name in columns]
    print(f"| pipeline | {' | '.join(heads)} |")
    print("|---|" + "---:|---:|" * len(columns))
    for pipeline in next(iter(columns.values())):
        cells = []
        for rates in columns.values():
            ratios = turns.ratios(rates[pipeline], rates[_CLASSIC])
            cells.append(turns.spread(rates[pipeline], ".0f"))
            cells.append(turns.spread(ratios, ".2f"))
        print(f"| {pipeline} | {' | '.join(cells)} |")


if __name__ == "__main__":
    app.run(main)
