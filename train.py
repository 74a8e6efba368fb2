r"""Trains one experiment of the paper.

    python train.py --flagfile=experiments/lsp_small_i1.flags \
        --data=data/lspet --workdir=runs/i1

`--data` is a folder of records, as a script in datasets/ writes it. Interrupt
it freely: the same command resumes from the last checkpoint in `--workdir`.
Every visible GPU is used, through MirroredStrategy; without one, the CPU.
"""

import tensorflow as tf
from absl import app
from absl import flags

from integral_tf import config
from integral_tf import settings
from integral_tf.training import trainer

config.define_flags(config.TrainConfig)
flags.adopt_module_key_flags(config)


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {argv[1:]}")
    try:
        trainer.train(config.from_flags(config.TrainConfig, flags.FLAGS))
    except KeyboardInterrupt:
        raise SystemExit(
            "\ninterrupted; the same command goes on from the last checkpoint"
        ) from None
    except (ValueError, OSError, FloatingPointError) as error:
        raise SystemExit(f"train: {error}") from None
    except tf.errors.OpError as error:
        # Its other lines are TensorFlow's own stack.
        sentence, _, _ = str(error).partition("\n")
        raise SystemExit(f"train: TensorFlow: {sentence}") from None


if __name__ == "__main__":
    app.run(main, flags_parser=settings.parse)
