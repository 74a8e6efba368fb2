r"""Training steps a second, beside PyTorch.

    python benchmarks/train_step.py
    python benchmarks/train_step.py --networks=resnet18:128:16 --threads=1 \
        --sides="ours,ours XLA,ours bfloat16"
    python benchmarks/train_step.py --device=gpu --threads=16 \
        --networks=resnet50:256:128 --data=RECORDS \
        --sides="ours bfloat16,ours XLA bfloat16,ours bfloat16 records,\
    PyTorch eager bfloat16,PyTorch compile bfloat16"

Every side takes steps of I1 with both losses and Adam, float32 unless it says
otherwise, on the same people, with the same weights at the start:

    ours                `training.step.Step`, the trainer's own, on one device
    PyTorch eager       `torch_step.py`
    PyTorch compile     the same, network and losses under torch.compile

After its name a side may have words:

    bfloat16            --mixed_precision=mixed_bfloat16, or torch.autocast
    XLA                 --jit_compile; ours only
    records             people of `--data` by the input pipeline; ours only

A step augments: windows in memory are turned, scaled and mirrored. Without
`records`, reading and decoding are not in it; `pipeline.py` measures them. With
`--forward` the sides read the crops by the network, and train nothing. Before
any timing, the first losses must be the same to 1 in 100. Each side has a
process of its own, which waits while the others take their turns. CPU-seconds
are those of all its threads. Memory is the largest resident set of the process,
with its libraries. "Ready" is the time from the start of the process to the end
of the first step. Prints a Markdown table for each network and number of
threads.
"""

import itertools
import os
import pathlib
import resource
import subprocess
import sys
import time

import turns
from absl import app
from absl import flags

_NETWORKS = flags.DEFINE_list(
    "networks",
    ["resnet50:256:8", "resnet18:128:16"],
    "Backbones, each with the side of its crops and the people in a step.",
)
_THREADS = flags.DEFINE_list("threads", ["1", "2"], "Threads of every side.")
_SIDES = flags.DEFINE_list(
    "sides", ["ours", "PyTorch eager", "PyTorch compile"], "Sides, ours first."
)
_REPEATS = flags.DEFINE_integer("repeats", 5, "Turns of each side.", 1)
_SECONDS = flags.DEFINE_float("seconds", 3.0, "Least time of a turn.")
_WIDTH = flags.DEFINE_float("width_multiplier", 1.0, "As in `pose_model`.")
_DEVICE = flags.DEFINE_enum("device", "cpu", ["cpu", "gpu"], "Device.")
_DATA = flags.DEFINE_string("data", "", "Records of the sides with `records`.")
_FORWARD = flags.DEFINE_bool("forward", False, "Reads crops; trains nothing.")
_WORKER = flags.DEFINE_string("worker", "", "For the script itself.")

_LIMIT = 0.01
# Steps between two readings of the loss: the trainer's.
_BLOCK = {"cpu": 1, "gpu": 10}
_LIBRARIES = {"TensorFlow": "tensorflow", "Keras": "keras", "PyTorch": "torch"}


def drawn(size, count, joints):
    """People of noise: a dict of NumPy arrays, as `pipeline.batches` has."""
    import numpy as np

    rng = np.random.default_rng(0)
    side = round(size * 440 / 256)  # as that of records
    box = side / 2
    return {
        "windows": rng.integers(0, 256, (count, side, side, 3), np.uint8),
        "joints": rng.uniform(side / 4, side * 3 / 4, (count, joints, 2)),
        "boxes": np.tile([side / 4, side / 4, box, box], (count, 1)),
        "visible": np.ones((count, joints)),
        "draws": rng.uniform(0, 1, (count, 3)),
        "area": np.full(count, box * box),
        "to_image": np.tile(np.eye(2, 3), (count, 1, 1)),
        "negative": np.zeros(count),
        "share": np.full(count, 1 / count),
    }


def people_of(size, count, joints):
    """`drawn`, with numbers as float32."""
    return {
        name: each if each.dtype == "uint8" else each.astype("float32")
        for name, each in drawn(size, count, joints).items()
    }


def our_side(config, people):
    """The trainer's step; returns a function to the loss, on the device."""
    import tensorflow as tf

    from integral_tf import skeletons
    from integral_tf.records import folder
    from integral_tf.training import batch_statistics
    from integral_tf.training import objectives
    from integral_tf.training import optimizers
    from integral_tf.training import step
    from integral_tf.training import strategy as strategies
    from integral_tf.training import trainer

    strategy, skeleton = strategies.create(1, 1), skeletons.MPII
    if config.data:
        skeleton = folder.Records.open(config.data).skeleton
    with strategy.scope():
        model = trainer.build(config, len(skeleton))
        batch_statistics.fuse(model)
        steps = step.Step(
            config,
            strategy,
            model,
            optimizers.optimizer(config, model),
            skeleton=skeleton,
        )
    if _FORWARD.value:
        crops = steps.augment(people)["images"]
        read = tf.function(model, jit_compile=config.jit_compile or None)
        return lambda: tf.reduce_mean(read(crops, training=False)["joints"])
    take = steps.of_phase(objectives.objectives(config, "main", skeleton))
    if config.data:
        batches = endless(config, strategy)
    else:
        data = tf.data.Dataset.from_tensors(people)
        batch = next(iter(strategy.experimental_distribute_dataset(data)))
        batches = itertools.repeat(batch)

    def taken():
        with step.as_traced():
            return take(next(batches))[0]["loss"]

    return taken


def endless(config, strategy):
    """Yields the batches of the first epoch, again and again."""
    from integral_tf.records import folder
    from integral_tf.training import checkpoint
    from integral_tf.training import feed
    from integral_tf.training import schedule

    feeder = feed.Feed(config, folder.Records.open(config.data), strategy)
    progress = checkpoint.Progress(schedule.start(config))
    while True:
        yield from feeder.rest(progress)


def torch_side(side, config, people, threads):
    """PyTorch's step; returns a function to the loss, on the device."""
    import torch
    import torch_step

    from integral_tf import skeletons
    from integral_tf.training import trainer

    torch.set_num_threads(threads)
    skeleton = skeletons.MPII
    take = torch_step.Step(
        trainer.build(config, len(skeleton)),
        people,
        skeleton.mirrored_order,
        compiled="compile" in side,
        bfloat16="bfloat16" in side,
        device={"cpu": "cpu", "gpu": "cuda"}[_DEVICE.value],
    )
    return take.forward if _FORWARD.value else take


def side_of(side, network, threads):
    """A side's function, from nothing to a loss or, forward, a mean."""
    import keras
    import tensorflow as tf

    from integral_tf import config as configs
    from integral_tf import skeletons

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    if _DEVICE.value == "cpu" or "PyTorch" in side:
        tf.config.set_visible_devices([], "GPU")
    backbone, size, count = network.split(":")
    ours = side.startswith("ours")
    half = "mixed_bfloat16" if ours and "bfloat16" in side else "float32"
    config = configs.TrainConfig(
        method="I1",
        data=_DATA.value if "records" in side else "",
        backbone=backbone,
        image_size=int(size),
        batch_size=int(count),
        width_multiplier=_WIDTH.value,
        mixed_precision=half,
        jit_compile="XLA" in side,
    )
    people = people_of(int(size), int(count), len(skeletons.MPII))
    keras.utils.set_random_seed(0)
    if ours:
        return our_side(config, people)
    return torch_side(side, config, people, threads)


def work(side, network, threads):
    """A worker: prints its first loss, then the figures of each turn asked."""
    take, count = side_of(side, network, threads), int(network.split(":")[2])
    block = _BLOCK[_DEVICE.value]
    print(float(take()), turns.machine(_LIBRARIES), sep="\t", flush=True)
    float(take())
    for line in sys.stdin:
        number, start = 0, (time.perf_counter(), time.process_time())
        while time.perf_counter() - start[0] < float(line):
            for _ in range(block):
                loss = take()
            float(loss)  # waits for the device
            number += block * count
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        wall = time.perf_counter() - start[0]
        spent = time.process_time() - start[1]
        print(number / spent, number / wall, memory, flush=True)


class Worker:
    """A side's process.

    Attributes:
        loss: Its first loss.
        ready: Seconds until then.
        machine: Its line on the machine.
    """

    def __init__(self, side, network, threads):
        self.figures = []
        start = time.perf_counter()
        self._process = subprocess.Popen(
            [
                sys.executable,
                pathlib.Path(__file__),
                f"--worker={side}",
                f"--networks={network}",
                f"--threads={threads}",
                f"--width_multiplier={_WIDTH.value}",
                f"--device={_DEVICE.value}",
                f"--data={_DATA.value}",
                f"--forward={_FORWARD.value}",
            ],
            env={
                "TF_ENABLE_ONEDNN_OPTS": "1",  # as our commands set
                **os.environ,
                "OMP_NUM_THREADS": threads,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{side} did not take a step")
        loss, self.machine = line.rstrip("\n").split("\t")
        self.loss, self.ready = float(loss), time.perf_counter() - start

    def turn(self):
        """Images per CPU-second, images per second, and GB of memory."""
        self._process.stdin.write(f"{_SECONDS.value}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        self.figures.append([float(each) for each in line.split()])

    def column(self, number):
        return [each[number] for each in self.figures]

    def end(self):
        self._process.stdin.close()
        self._process.wait()


def started(network, threads):
    """Side -> `Worker`, with equal losses; a side that fails is left out."""
    workers = {}
    for side in _SIDES.value:
        try:
            workers[side] = Worker(side, network, threads)
        except RuntimeError as error:
            print(f"left out: {error}")
    losses = {
        side: worker.loss
        for side, worker in workers.items()
        if "records" not in side  # other people
    }
    anchor = next(iter(losses.values()))
    for side, loss in losses.items():
        limit = _LIMIT * (5 if "bfloat16" in side else 1)
        if not abs(loss - anchor) < limit * anchor:  # NaN fails, too
            raise RuntimeError(f"The first losses differ: {losses}")
    return workers


def compare(network, threads):
    """Prints the table of a network and a number of threads."""
    workers = started(network, threads)
    try:
        for _ in range(_REPEATS.value):
            for worker in workers.values():
                worker.turn()
    finally:
        for worker in workers.values():
            worker.end()
    first = next(iter(workers.values()))
    machine = [*workers.values()][-1].machine  # the last has imported most
    print(f"\n{network}, {threads} thread(s) of each side; {machine}\n")
    heads = "images / CPU-second | ours is | images / second | ours is"
    print(f"| side | {heads} | memory, GB | ready, s |")
    print("|---" + "|---:" * 6 + "|")
    for side, worker in workers.items():
        cells = []
        for number in (0, 1):
            values = worker.column(number)
            ratios = turns.ratios(first.column(number), values)
            cells += [turns.spread(values, ".2f"), turns.spread(ratios, ".2f")]
        cells += [f"{max(worker.column(2)):.2f}", f"{worker.ready:.0f}"]
        print(f"| {side} | {' | '.join(cells)} |")


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {argv[1:]}")
    if _WORKER.value:
        (network,), (threads,) = _NETWORKS.value, _THREADS.value
        work(_WORKER.value, network, int(threads))
        return
    if any("records" in side for side in _SIDES.value) != bool(_DATA.value):
        raise app.UsageError("`--data` is for a side with `records`.")
    for network in _NETWORKS.value:
        for threads in _THREADS.value:
            compare(network, threads)


if __name__ == "__main__":
    app.run(main)
