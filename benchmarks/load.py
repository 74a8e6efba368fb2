r"""Many requests at once: good ones right, bad ones refused, memory flat.

    python benchmarks/load.py
    python benchmarks/load.py --requests=200 --only=onnx,rest

One network with random weights is asked from several threads: by the estimator
on each runtime, and behind the stand-in of TensorFlow Serving (`tests/serving`)
over REST and gRPC. A request is a photograph of 31 to 1600 pixels and 1 to 8
boxes; every tenth is broken. Each answer, joints or error, must be the one that
the same request gets when it is alone. Prints a Markdown table; the exit status
is 1 if an answer is another.

`Memory` is the resident set of the process that runs the network: after a tenth
of the requests, after a half, at the end, and at its largest from a tenth on.
The estimator's process first gives freed memory back to the system.
"""

import collections
import concurrent.futures
import ctypes
import gc
import os
import pathlib
import sys
import tempfile
import threading
import time

import numpy as np
from absl import app
from absl import flags
from PIL import Image

import integral_tf
from integral_tf import skeletons

_REQUESTS = flags.DEFINE_integer("requests", 2000, "Requests to each side.", 20)
_THREADS = flags.DEFINE_integer("threads", 6, "Threads that ask.", 1)
_ONLY = flags.DEFINE_list(
    "only", [], "Names of the sides to run, such as onnx; empty for all."
)

ROOT = pathlib.Path(__file__).resolve().parent.parent
_SIZES = (64, 64), (97, 33), (640, 480), (1000, 700), (31, 400), (1600, 1200)
_LIMIT = 1e-3  # of a box's larger side


def good_requests(folder, count=24, sizes=_SIZES):
    """Writes photographs; returns pairs of a path and boxes."""
    rng = np.random.default_rng(0)
    requests = []
    for number in range(count):
        width, height = sizes[number % len(sizes)]
        small = rng.integers(
            0, 256, (max(height // 16, 2), max(width // 16, 2), 3)
        )
        picture = Image.fromarray(small.astype("uint8")).resize((width, height))
        path = folder / f"{number}{'.jpg' if number % 2 else '.png'}"
        picture.save(path)
        people = (1, 1, 1, 2, 3, 8)[rng.integers(6)]
        corners = rng.uniform(-0.2, 0.8, (people, 2)) * (width, height)
        extents = rng.uniform(0.2, 1, (people, 2)) * (width, height)
        boxes = np.concatenate([corners, extents], axis=1).round(2)
        requests.append((path, boxes.tolist()))
    return requests


def broken_requests(folder, good):
    """Writes files that are no photographs; returns dict of path and boxes."""
    path, boxes = good
    whole = next(folder.glob("*.jpg")).read_bytes()
    files = {
        "text": b"hello",
        "empty": b"",
        "cut JPEG": whole[: len(whole) // 2],
        "JPEG's head": b"\xff\xd8\xff" + bytes(50),
        "PNG's head": b"\x89PNG\r\n\x1a\n",
    }
    requests = {}
    for name, content in files.items():
        file = folder / f"{name}.bad"
        file.write_bytes(content)
        requests[name] = file, boxes
    nan, inf = float("nan"), float("inf")
    bad_boxes = {
        "NaN": [nan, 0, 5, 5],
        "infinite": [0, 0, inf, 5],
        "no width": [0, 0, 0, 5],
        "negative": [0, 0, -4, 5],
        "huge": [0, 0, 1e9, 1e9],
        "three numbers": [0, 0, 5],
        "five numbers": [0, 0, 5, 5, 1],
    }
    return requests | {name: (path, [box]) for name, box in bad_boxes.items()}


def answer(ask, request):
    """The joints `(N, K, 2)` that a side answers, or its error as a text."""
    try:
        return np.asarray(ask(*request))
    except Exception as error:  # each side has errors of its own
        return f"{type(error).__name__}: {error}"


def same(got, alone, boxes):
    """Whether two answers to one request are the same."""
    if isinstance(got, str) or isinstance(alone, str):
        return type(got) is type(alone) and got == alone
    limit = _LIMIT * max(max(box[2:]) for box in boxes)
    return got.shape == alone.shape and np.abs(got - alone).max() < limit


def run(ask, good, broken, *, requests, threads, memory):
    """Asks one side; returns its row.

    Args:
        ask: Function from a path and boxes to joints.
        good: List of requests.
        broken: Dict of requests. One that the side answers is not asked again.
        requests: How many to ask; every tenth is broken.
        threads: How many ask at once.
        memory: Function without arguments that returns megabytes.

    Returns:
        Dict of `right`, `refused`, `wrong`, each a count; `examples` of wrong
        ones; `kinds`, how many kinds of broken requests the side refuses;
        `memory`, megabytes after each twentieth; and `seconds`.
    """
    alone = [answer(ask, request) for request in good]
    refusals = {
        name: error
        for name, request in broken.items()
        if isinstance(error := answer(ask, request), str)
    }
    kinds, counts = sorted(refusals), collections.Counter()
    examples, taken, lock = [], [], threading.Lock()

    def work(number):
        is_broken = number % 10 == 9
        if is_broken:
            name = kinds[number // 10 % len(kinds)]
            request, wanted = broken[name], refusals[name]
        else:
            name = number * 7 % len(good)
            request, wanted = good[name], alone[name]
        got = answer(ask, request)
        right = same(got, wanted, request[1])
        with lock:
            key = "refused" if is_broken else "right"
            counts[key if right else "wrong"] += 1
            if not right and len(examples) < 5:
                examples.append(f"{name}: {got!r}"[:300])
            if sum(counts.values()) % max(requests // 20, 1) == 0:
                taken.append(memory())

    start = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(requests)))
    return {
        **{key: counts[key] for key in ("right", "refused", "wrong")},
        "examples": examples,
        "kinds": len(kinds),
        "memory": taken,
        "seconds": time.perf_counter() - start,
    }


def resident(process):
    """A process's resident set in megabytes."""
    pages = pathlib.Path(f"/proc/{process}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6


def own_memory():
    """This process's, without what its allocator keeps for later."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)
    return resident("self")


def estimator_sides(subject):
    """Names and functions that make an estimator."""
    import runtimes

    writers = {
        "saved_model": runtimes.saved_model,
        "onnx": runtimes.onnx,
        "litert": runtimes.litert,
        "openvino": runtimes.openvino,
    }

    def exported(name):
        part = subject.part(name)
        writers[name].write(subject.frozen, part)
        return integral_tf.PoseEstimator(part, skeletons.MPII)

    def keras_model():
        return integral_tf.PoseEstimator(subject.model, skeletons.MPII)

    sides = {"keras": keras_model}
    for name in writers:
        sides[name] = lambda name=name: exported(name)
    return sides


def served(server, protocol):
    """A function that asks a server."""
    # A connection is for one thread.
    here = threading.local()

    def ask(path, boxes):
        if not hasattr(here, "connection"):
            here.connection = server.connection(protocol)
        answered = here.connection.predict(path.read_bytes(), boxes)
        return answered["joints"]

    return ask


def rows(subject, good, broken):
    """Yields the name of each side, and its row or the reason for none."""
    asked = {"requests": _REQUESTS.value, "threads": _THREADS.value}
    wanted = _ONLY.value
    for name, make in estimator_sides(subject).items():
        if wanted and name not in wanted:
            continue
        try:
            estimate = make()
        except ImportError as error:
            yield f"estimator, {name}", str(error)
            continue

        def ask(path, boxes, estimate=estimate):
            return [pose.joints for pose in estimate(path, boxes)]

        yield (
            f"estimator, {name}",
            run(ask, good, broken, **asked, memory=own_memory),
        )
    protocols = [p for p in ("rest", "grpc") if not wanted or p in wanted]
    if protocols:
        yield from server_rows(subject, good, broken, protocols, asked)


def server_rows(subject, good, broken, protocols, asked):
    """As `rows`, of the server."""
    import runtimes

    sys.path.insert(0, str(ROOT))
    from tests.serving import running

    folder = subject.part("served")
    runtimes.saved_model.write(subject.frozen, folder / "1")
    server = running.Server(folder).start()
    try:
        for protocol in protocols:
            yield (
                f"server, {protocol}",
                run(
                    served(server, protocol),
                    good,
                    broken,
                    **asked,
                    memory=lambda: resident(server.process.pid),
                ),
            )
    finally:
        server.stop()


def main(_):
    import runtimes

    print(
        "| Side | right | refused | wrong | kinds refused | Memory, MB | "
        "requests a second |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|")
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        subject = runtimes.Subject(folder, "resnet18", 64, 0.125, 4, 2)
        pictures = subject.part("pictures")
        good = good_requests(pictures)
        broken = broken_requests(pictures, good[0])
        for name, row in rows(subject, good, broken):
            if isinstance(row, str):
                print(f"left out: {name}: {row}")
                continue
            memory = row["memory"][1:]
            print(
                f"| {name} | {row['right']} | {row['refused']} | "
                f"{row['wrong']} | {row['kinds']} of {len(broken)} | "
                f"{memory[0]:.0f}, {memory[8]:.0f}, {memory[-1]:.0f}, "
                f"{max(memory):.0f} | "
                f"{_REQUESTS.value / row['seconds']:.0f} |",
                flush=True,
            )
            for example in row["examples"]:
                print(example)
            wrong += row["wrong"]
    return int(bool(wrong))


if __name__ == "__main__":
    app.run(main)
