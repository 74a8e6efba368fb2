"""A training in a process of its own, by plain SGD.

    python -m tests.training.worker SETTINGS.json

SGD shows a wrong scale of the gradients, which Adam would hide.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent.parent


def start(settings, folder, hosts=(), index=0, **more):
    """Starts a training as one of several workers; returns the process.

    Args:
        settings: A dict of `config.TrainConfig`'s settings.
        folder: Folder of the file of settings.
        hosts: The workers' hosts and ports; without them, the only worker.
        index: The number of this worker.
        **more: For the script: `die`, the step after which it kills itself;
            `ask`, the step after which it has a SIGTERM.
    """
    path = folder / f"settings{index}.json"
    path.write_text(json.dumps({"settings": settings, **more}))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("TF_CONFIG", None)
    if hosts:
        environment["TF_CONFIG"] = json.dumps(
            {
                "cluster": {"worker": list(hosts)},
                "task": {"type": "worker", "index": index},
            }
        )
    return subprocess.Popen(
        [sys.executable, "-m", "tests.training.worker", str(path)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
    )


def main(asked):
    import keras

    from integral_tf.training import optimizers
    from integral_tf.training import workers

    optimizers.Adam = lambda rate, *_: keras.optimizers.SGD(rate)
    check, steps = workers.Workers.check, []

    def counted(crew, listener):
        steps.append(1)
        if len(steps) == asked.get("die"):
            os.kill(os.getpid(), signal.SIGKILL)
        if len(steps) == asked.get("ask"):
            signal.raise_signal(signal.SIGTERM)
        check(crew, listener)

    workers.Workers.check = counted
    from integral_tf.commands import _run
    from integral_tf.commands import train

    flags = [f"--{name}={value}" for name, value in asked["settings"].items()]
    return _run.run("train", train, flags)


if __name__ == "__main__":
    sys.exit(main(json.loads(pathlib.Path(sys.argv[1]).read_text())))
