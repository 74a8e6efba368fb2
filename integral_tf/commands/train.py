r"""Trains one experiment of the paper.

    integral-tf train --preset=lsp_small_i1 \
        --data=data/lspet --workdir=runs/i1

`--data` is a folder of records, as `integral-tf build-...` writes it. Interrupt
it freely: the same command resumes from the last checkpoint in `--workdir`.
Every visible GPU is used, through MirroredStrategy; without one, the CPU.
"""

from integral_tf import config

CONFIG = config.TrainConfig
INTERRUPTED = "the same command goes on from the last checkpoint"


def call(asked: config.TrainConfig) -> None:
    from integral_tf.training import trainer

    trainer.train(asked)
