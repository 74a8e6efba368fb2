r"""Exports a run for servers and other runtimes, and checks what it wrote.

    integral-tf export --workdir=runs/i1 --out=models
    integral-tf export --workdir=runs/i1 --out=models \
        --formats=saved_model,onnx,litert,openvino --precisions=float32,int8

Each artifact is opened by its own runtime, compared with the Keras model on
people of the run's records, and then published as the next version, with a
`card.json`:

    models/saved_model/1/   models/onnx/1/   models/onnx_int8/1/   ...

If its joints move by more than `--max_pixel_error`, the artifact is not
published: the distance is printed, and the exit status is 1.
"""

from integral_tf import config
from integral_tf.commands import _quiet

CONFIG = config.ExportConfig
INTERRUPTED = "what was published before stays"


def call(asked: config.ExportConfig) -> None:
    from integral_tf.export import publish

    with _quiet.converters():
        publish.export(asked)
