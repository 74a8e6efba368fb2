r"""Trains one model by a method of the paper.

    integral-tf train --preset=lsp_small_i1 \
        --data=data/lspet --workdir=runs/i1

`--data` is a folder of records that an `integral-tf build-...` wrote. Ctrl-C
saves a checkpoint in `--workdir`, and the same command resumes from it; with
larger `--epochs` it lengthens a run, finished or not. The command uses every
visible GPU, or the first of `--devices`; without a GPU, the CPU. With TF_CONFIG
set on several machines, all of them train one run (docs/distributed.md).
"""

from integral_tf import config

CONFIG = config.TrainConfig
INTERRUPTED = "the same command goes on from the last checkpoint"


def call(asked: config.TrainConfig) -> None:
    from integral_tf.training import trainer

    trainer.train(asked)
