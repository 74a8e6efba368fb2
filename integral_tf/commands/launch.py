r"""Trains with several workers on this machine.

    integral-tf launch --workers=2 -- train --preset=small \
        --data=data/lspet --workdir=runs/two

The command after `--` is started once for each worker, with `TF_CONFIG` set.
Each line of worker 1 begins with `[1] `. Ctrl-C and SIGTERM go to all workers.
If a worker fails, the others are ended; the exit status is that of the first
that failed. A worker takes all GPUs that it sees: this command is for machines
without one, and to try a run before it goes to several machines.
"""

import dataclasses
import shlex
from collections.abc import Sequence

from integral_tf import settings
from integral_tf.settings import setting


@dataclasses.dataclass(frozen=True)
class LaunchConfig(settings.Checked):
    """Settings of `integral-tf launch`."""

    workers: int = setting(
        2, "How many workers to start.", low=1, high=64, main=True
    )
    command: str = setting(
        "",
        "The training and its flags as one text. Usually written after `--` "
        "instead.",
        required=True,
    )


CONFIG = LaunchConfig
INTERRUPTED = "the same command goes on from the last checkpoint"


def uses(asked: LaunchConfig) -> str:
    return ""


def arguments(words: Sequence[str]) -> list[str]:
    """The words of the command line, what follows `--` as one flag."""
    words = list(words)
    if "--" not in words:
        return words
    place = words.index("--")
    return [*words[:place], f"--command={shlex.join(words[place + 1 :])}"]


def call(asked: LaunchConfig) -> int:
    from integral_tf.training import launch

    words = shlex.split(asked.command)
    if words[:1] != ["train"]:
        raise ValueError(
            "Only `train` has several workers; its flags follow the word. "
            f"Received: {asked.command!r}"
        )
    return launch.launch(asked.workers, words)
