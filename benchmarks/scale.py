"""Seconds and peak memory of commands on many people.

    python benchmarks/scale.py --what=read --counts=10000,50000,200000

Writes what is measured into a temporary folder, and runs the package in a
process of its own. Peak memory is the most that a process held (`VmHWM` of
/proc, so Linux only): of the process itself, and of its largest worker.

    json      `json.load` of a file of COCO's form with N annotations
    read      `coco.read` of the same file
    build     build-coco of N people for 16 px: 64 pictures that repeat
    evaluate  evaluate of N people, by a tiny network of 64 px; AP by hotcoco
              where it is installed
    own       the same with this package's AP
    predict   predict of N pictures, by the starter

`--outline` is the number of points in the outline of each annotation: 150 make
2.4 kB of an annotation, as COCO has, so that 200,000 have 500 MB.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np
from absl import app
from absl import flags
from PIL import Image

_WHAT = flags.DEFINE_list("what", ["json", "read"], "Things to measure.")
_COUNTS = flags.DEFINE_list("counts", ["10000", "50000"], "Numbers of people.")
_OUTLINE = flags.DEFINE_integer("outline", 150, "Points of an outline.")
_FOLDER = flags.DEFINE_string("folder", "", "Folder to keep; empty for none.")

_PICTURES, _SIDE = 64, 96
# Seconds are counted from here to the program's end, without the removal of
# what it imported; and memory beside the peak at this point.
_BEGIN = """
def begin():
    import atexit, os, pathlib, time
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    peak = [line.split()[1] for line in lines if line.startswith("VmHWM")]
    start = time.time(), sum(os.times()[:4])

    def end():
        ends = time.time() - start[0], sum(os.times()[:4]) - start[1]
        pathlib.Path(MARK).write_text(" ".join(map(str, [*ends, peak[0]])))

    atexit.register(end)
"""
_CODE = {
    "json": "import json; begin(); content = json.load(open(PATH))",
    "read": """
from integral_tf.records import coco
begin()
content = coco.read(PATH, say=str)
assert len(content["annotations"]) == N""",
    "predict": """
from integral_tf import config
from integral_tf.inference import predict
begin()
predict.predict(config.PredictConfig(images=IMAGES, out=OUT))""",
    "records": """
from integral_tf import builds
from integral_tf.records import build_coco
if __name__ == "__main__":
    begin()
    build_coco.build_coco(builds.CocoConfig(
        out=OUT, image_size=16, SPLIT_annotations=PATH, SPLIT_images=IMAGES))
""",
    "evaluate": """
import integral_tf
from integral_tf import config, runs, skeletons
from integral_tf.evaluation import evaluate
if OWN:
    import sys
    sys.modules["hotcoco"] = None
tiny = dict(backbone="resnet18", width_multiplier=0.125, image_size=64,
            head_channels=8)
model = integral_tf.pose_model("I1", joints=17, **tiny)
runs.save_run(model, config.TrainConfig(method="I1", data=RECORDS,
              workdir=RUN, **tiny), skeletons.COCO, RUN)
begin()
evaluate.evaluate(config.EvaluateConfig(
    workdir=RUN, data=RECORDS, split="val", out=OUT, batch_size=64,
    flip_test=False))
""",
}


def write_annotations(path, count, outline):
    """A file in COCO's form of `count` people in half as many images."""
    rng = np.random.default_rng(0)
    names = (
        "nose left_eye right_eye left_ear right_ear left_shoulder "
        "right_shoulder left_elbow right_elbow left_wrist right_wrist left_hip "
        "right_hip left_knee right_knee left_ankle right_ankle"
    ).split()
    category = {"id": 1, "name": "person", "keypoints": names, "skeleton": []}
    contours = rng.integers(0, 9600, (64, 1, 2 * outline)) / 100
    contours = contours.tolist()
    with path.open("w") as file:
        file.write('{"info": {}, "images": [')
        for number in range((count + 1) // 2):
            image = {
                "license": 3,
                "file_name": f"{number % _PICTURES}.jpg",
                "coco_url": f"http://images.cocodataset.org/{number:012d}.jpg",
                "height": _SIDE,
                "width": _SIDE,
                "date_captured": "2013-11-14 16:28:13",
                "id": number,
            }
            file.write(", " * (number > 0) + json.dumps(image))
        file.write('], "annotations": [')
        for number in range(count):
            points = np.full((17, 3), 2)
            points[:, :2] = rng.integers(20, 70, (17, 2))
            row = {
                "segmentation": contours[number % len(contours)],
                "num_keypoints": 17,
                "area": 2304.5,
                "iscrowd": 0,
                "keypoints": points.ravel().tolist(),
                "image_id": number // 2,
                "bbox": [16.5, 16, 60, 60],
                "category_id": 1,
                "id": number + 1,
            }
            file.write(", " * (number > 0) + json.dumps(row))
        file.write(f'], "categories": {json.dumps([category])}}}')


def write_pictures(folder, count):
    """Pictures, of which `_PICTURES` differ; the others are links to them."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for number in range(count):
        path = folder / f"{number}.jpg"
        if number < _PICTURES:
            pixels = rng.integers(0, 255, (_SIDE // 8, _SIDE // 8, 3), np.uint8)
            large = Image.fromarray(pixels).resize((_SIDE, _SIDE))
            large.save(path)
        elif not path.exists():
            os.link(folder / f"{number % _PICTURES}.jpg", path)


def measured(code):
    """Measures a program from its `begin()` on.

    Returns:
        Seconds; CPU seconds of the process and of its workers; MB at the
        begin; peak MB; and peak MB of the largest worker.
    """
    with tempfile.TemporaryDirectory() as folder:
        script = pathlib.Path(folder) / "measured.py"
        mark = script.with_name("mark")
        script.write_text(f"MARK = {str(mark)!r}\n{_BEGIN}{code}")
        child = subprocess.Popen(
            [sys.executable, str(script)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        peaks = {}
        watch = threading.Thread(target=_watch, args=(child, peaks))
        watch.start()
        _, errors = child.communicate()
        watch.join()
        if child.returncode:
            raise RuntimeError(f"The program failed: {errors[-2000:]}")
        seconds, cpu, before = map(float, mark.read_text().split())
    own = peaks.pop(child.pid)
    workers = max(peaks.values(), default=0)
    return seconds, cpu, before / 1024, own, workers


def _watch(child, peaks):
    while child.poll() is None:
        for pid in _family(child.pid):
            peaks[pid] = max(peaks.get(pid, 0), _peak(pid))
        time.sleep(0.05)


def _family(pid):
    found = [pid]
    for path in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            for child in path.read_text().split():
                found += _family(child)
        except OSError:  # the thread has ended
            pass
    return [int(each) for each in found]


def _peak(pid):
    try:
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:  # the process has ended
        return 0
    sizes = [line.split()[1] for line in lines if line.startswith("VmHWM")]
    return int(sizes[0]) / 1024 if sizes else 0


def prepared(what, count, folder):
    """Writes what a measurement reads; returns its program."""
    out = folder / f"out-{what}-{count}-{time.time_ns()}"
    path = folder / f"{count}-{_OUTLINE.value}.json"
    records = folder / f"records-{count}"
    images = folder / (f"images-{count}" if what == "predict" else "images")
    names = {
        "PATH": path, "N": count, "OUT": out, "RECORDS": records,
        "RUN": folder / f"run-{what}-{count}", "IMAGES": images,
        "OWN": what == "own",
    }  # fmt: skip

    def program(name, **changes):
        here = {**names, **changes}
        heads = [
            f"{key} = {value if isinstance(value, int) else repr(str(value))}"
            for key, value in here.items()
        ]
        return "\n".join([*heads, _CODE[name]])

    write_pictures(images, count if what == "predict" else _PICTURES)
    if what != "predict" and not path.exists():
        write_annotations(path, count, _OUTLINE.value)
    if what in ("evaluate", "own") and not records.exists():
        measured(program("records", OUT=records).replace("SPLIT", "val"))
    if what == "build":
        return program("records").replace("SPLIT", "train")
    return program("evaluate" if what == "own" else what)


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {argv[1:]}")
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores; load before: {load:.1f}\n")
    print("| | people | seconds | CPU s | MB before | peak MB | of a worker |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(_FOLDER.value or temporary).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        for what in _WHAT.value:
            for count in map(int, _COUNTS.value):
                code = prepared(what, count, folder)
                seconds, cpu, before, own, worker = measured(code)
                print(
                    f"| {what} | {count} | {seconds:.1f} | {cpu:.1f} "
                    f"| {before:.0f} | {own:.0f} | {worker:.0f} |",
                    flush=True,
                )


if __name__ == "__main__":
    app.run(main)
