"""CPU time of COCO's AP by three programs, and of OKS-NMS beside a loop.

    python benchmarks/coco_ap.py

The people are random, and the same in every run. AP scores 12,000 detections
of 10,000 people in 5,000 images; NMS gets 100,000 detections in as many images.
Before any timing, the ten figures must agree to 1e-6, and NMS must keep the
same people. All sides take turns; a ratio is that of one turn. Seconds are CPU
seconds of this process and its threads. Prints Markdown tables. Needs
pycocotools and hotcoco.

    pycocotools  COCOeval(iouType="keypoints"): loads the results, evaluate,
                 accumulate, summarize; the truth is loaded before
    hotcoco      metrics.hotcoco_ap, as an evaluation asks it
    loop         Simple Baselines' loops in NumPy: over images, over people
                 kept, over people left
"""

import contextlib
import io
import statistics

import numpy as np
import turns
from absl import app
from absl import flags

from integral_tf import inference
from integral_tf import metrics
from integral_tf import skeletons

_REPEATS = flags.DEFINE_integer("repeats", 5, "Turns of each side.")
_IMAGES = flags.DEFINE_integer("images", 5000, "Images of both.")
_PEOPLE = flags.DEFINE_integer("people", 10000, "People to find.")
_DETECTIONS = flags.DEFINE_integer("detections", 100000, "People NMS is given.")

_SIGMAS = np.array(skeletons.COCO.sigmas)
_THRESHOLD = 0.9


def peer():
    """Imports pycocotools, or says what to install."""
    try:
        from pycocotools import coco
        from pycocotools import cocoeval
    except ImportError as error:
        raise ImportError(
            "The peer of this benchmark is `pip install pycocotools`."
        ) from error
    return coco.COCO, cocoeval.COCOeval


def people(rng, count, images):
    """Random poses `(count, 17, 2)`, areas `(count,)` and image ids."""
    side = rng.uniform(30, 300, (count, 1, 1))
    joints = rng.uniform(0, 600, (count, 1, 2))
    joints = joints + side * rng.normal(0, 0.5, (count, 17, 2))
    return joints, side.ravel() ** 2, rng.integers(1, images + 1, count)


def seen(rng, joints, areas, spread):
    """The same poses with errors, in proportion to each joint's sigma."""
    off = rng.exponential(spread, len(joints))[:, None] * _SIGMAS
    off = off * np.sqrt(areas)[:, None]
    return joints + off[..., None] * rng.normal(size=joints.shape)


def dataset(rng):
    """Truth and results in COCO's format; some people have no keypoints."""
    joints, areas, ids = people(rng, _PEOPLE.value, _IMAGES.value)
    joints = joints.round()
    labelled = rng.random(joints.shape[:2]) < 0.7
    labelled[rng.random(len(joints)) < 0.1] = False
    keypoints = np.concatenate(
        [joints * labelled[..., None], 2.0 * labelled[..., None]], axis=-1
    )
    corner, size = joints.min(axis=1), np.ptp(joints, axis=1)
    annotations = [
        {
            "id": i + 1,
            "image_id": int(ids[i]),
            "category_id": 1,
            "iscrowd": int(not labelled[i].any() and i % 5 == 0),
            "num_keypoints": int(labelled[i].sum()),
            "keypoints": keypoints[i].ravel().tolist(),
            "area": float(areas[i]),
            "bbox": [*corner[i].tolist(), *size[i].tolist()],
        }
        for i in range(len(joints))
    ]
    truth = {
        "images": [{"id": i + 1} for i in range(_IMAGES.value)],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "person"}],
    }
    which = rng.integers(0, len(joints), len(joints) * 6 // 5)
    found = seen(rng, joints[which], areas[which], 1.5)
    found = np.concatenate([found, np.ones((*found.shape[:2], 1))], axis=-1)
    results = [
        {
            "image_id": int(ids[person]),
            "category_id": 1,
            "keypoints": found[i].ravel().tolist(),
            "score": float(rng.random()),
        }
        for i, person in enumerate(which)
    ]
    return truth, results


def official(truth):
    """A function from results to pycocotools' ten figures."""
    COCO, COCOeval = peer()
    with contextlib.redirect_stdout(io.StringIO()):
        api = COCO()
        api.dataset = truth
        api.createIndex()

    def figures(results):
        with contextlib.redirect_stdout(io.StringIO()):
            # Copies, because loading writes boxes and ids into them.
            found = api.loadRes([dict(row) for row in results])
            evaluation = COCOeval(api, found, "keypoints")
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        return list(evaluation.stats)

    return figures


def loop_nms(joints, scores, areas, image_ids):
    """OKS-NMS as loops, as Simple Baselines has it."""
    by_image = {}
    for i, image in enumerate(image_ids.tolist()):
        by_image.setdefault(image, []).append(i)
    kept = []
    for image in sorted(by_image):
        left = np.array(by_image[image])
        left = left[np.argsort(-scores[left])]
        while len(left):
            surest, left = left[0], left[1:]
            kept.append(surest)
            similar = np.zeros(len(left))
            for n, i in enumerate(left):
                dx = joints[i, :, 0] - joints[surest, :, 0]
                dy = joints[i, :, 1] - joints[surest, :, 1]
                area = (areas[i] + areas[surest]) / 2 + np.spacing(1)
                e = (dx**2 + dy**2) / (2 * _SIGMAS) ** 2 / area / 2
                similar[n] = np.sum(np.exp(-e)) / len(e)
            left = left[similar <= _THRESHOLD]
    return np.array(kept)


def detections(rng):
    """The input of NMS: about two detections of each person."""
    count = _DETECTIONS.value
    joints, areas, ids = people(rng, (count + 1) // 2, _IMAGES.value)
    joints, areas, ids = (
        np.concatenate([array] * 2)[:count] for array in (joints, areas, ids)
    )
    return seen(rng, joints, areas, 0.3), rng.random(count), areas, ids


def pckh_of(rng, count=3000):
    """A function that scores `count` people of MPII."""
    truth = rng.uniform(0, 500, (count, 16, 2))
    predicted = truth + rng.normal(0, 20, truth.shape)
    visible = rng.random((count, 16)) < 0.9
    head_size = rng.uniform(30, 90, count)
    return lambda: metrics.pckh(predicted, truth, visible, head_size)


def print_rows(sides):
    """Prints CPU seconds of each side, and their ratio to those of the first.

    Args:
        sides: Dict from a name to a function, ours first.
    """
    times = turns.cpu_seconds(sides, _REPEATS.value)
    ours, *_ = times.values()
    for name, each in times.items():
        ratio = turns.spread(turns.ratios(each, ours), ".1f")
        print(f"| {name} | {turns.spread(each, '.3f')} | {ratio} |")


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {argv[1:]}")
    rng = np.random.default_rng(0)
    truth, results = dataset(rng)
    figures = official(truth)
    got = metrics.coco_keypoint_ap(truth, results)
    for other in (
        figures(results),
        list(metrics.hotcoco_ap(truth, results).values()),
    ):
        np.testing.assert_allclose(list(got.values()), other, rtol=0, atol=1e-6)
    poses = joints, scores, areas, ids = detections(rng)

    def our_nms():
        return inference.oks_nms(
            joints, scores, areas, threshold=_THRESHOLD, image_ids=ids
        )

    kept = our_nms()
    np.testing.assert_array_equal(kept, loop_nms(*poses))
    print(
        f"\n{turns.machine({'NumPy': 'numpy'})}; turns: "
        f"{_REPEATS.value}, medians (least-most)."
    )
    print(
        f"AP {got['AP']:.3f} of {_PEOPLE.value} people and {len(results)} "
        f"detections; NMS keeps {len(kept)} of {len(scores)}, both in "
        f"{_IMAGES.value} images.\n"
    )
    print("| | CPU s | of ours |")
    print("|---|---:|---:|")
    print_rows(
        {
            "COCO AP, ours": lambda: metrics.coco_keypoint_ap(truth, results),
            "by hotcoco": lambda: metrics.hotcoco_ap(truth, results),
            "by pycocotools": lambda: figures(results),
        }
    )
    print_rows(
        {"OKS-NMS, ours": our_nms, "by the loop": lambda: loop_nms(*poses)}
    )
    times = turns.cpu_seconds({"pckh": pckh_of(rng)}, _REPEATS.value)
    print(
        "\nPCKh of 3,000 people and its AUC: "
        f"{1000 * statistics.median(times['pckh']):.1f} ms of CPU."
    )


if __name__ == "__main__":
    app.run(main)
